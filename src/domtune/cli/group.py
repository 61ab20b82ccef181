"""The command `domtune` and its subcommands, each loaded only when it is called."""

from __future__ import annotations

import difflib
import os
import signal
import sys
from importlib import import_module
from types import FrameType
from typing import NoReturn

import click
from click.shell_completion import CompletionItem

from domtune.cli.output import CONNECT, Output, complain
from domtune.errors import Error, Interrupted

# Name of the command, module, one line of help: the help is listed without loading the module.
COMMANDS = {
    "split": "Part a domain into its definition and its tuning.",
    "merge": "Put tuning into a definition.",
    "start": "Start domains, minimal or tuned.",
    "bind": "Bind profiles to a domain: they hold at each start.",
    "unbind": "Take profiles off a domain.",
    "bindings": "List which profiles hold for which domains, and why.",
    "profiles": "List the profiles that can be named.",
    "explain": "Show why a value is what it is.",
    "check": "Look for faults in profiles.",
    "params": "List the parameters and what each driver makes of them.",
    "schema": "Print the JSON Schema of profiles, or of what a command prints.",
    "completion": "Print the script that completes words in a shell.",
    "demo": "Show the whole story on a machine of its own.",
}
OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


class Commands(click.Group):
    """Subcommands by name; their modules are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own form
        """Return the names in the order people need them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the same
        """Load one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"domtune.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, and for a name that is none the nearest that is one."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            close = difflib.get_close_matches(args[0], COMMANDS, 1)
            if not close or args[0].startswith("-"):
                raise
            ctx.fail(f"No such command {args[0]!r}; did you mean {close[0]}?")

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command, or an option, without loading the commands."""
        names = [CompletionItem(name, help=help_) for name, help_ in COMMANDS.items() if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - the same
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _print_version(context: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's own form
    if value:
        from importlib.metadata import version  # noqa: PLC0415 - slow to load

        click.echo(f"domtune {version('domtune')}")
        context.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@CONNECT
@click.option("--json", "as_json", is_flag=True, help="Print results as JSON.")
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
@click.pass_context
def domtune(context: click.Context, uri: str | None, as_json: bool) -> None:  # noqa: FBT001 - click's own form
    """Part the tuning of libvirt domains from their definitions, and start them minimal or tuned."""
    context.obj = Output(uri=uri, json=as_json)


def run(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 refused or failed, 2 usage, 130 interrupted."""
    if not _has_streams():
        click.echo("standard output: is closed; send it to /dev/null if you do not want it", err=True)
        return FAILED
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _interrupt)
    os.environ.setdefault("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null")  # what goes wrong is in the exceptions
    if instruction := os.environ.get("_DOMTUNE_COMPLETE"):
        from domtune.cli.shells import answer  # noqa: PLC0415 - only for a shell that asks for words

        return answer(domtune, instruction)
    as_json = "--json" in (sys.argv[1:] if arguments is None else arguments)
    try:
        code = domtune.main(arguments, prog_name="domtune", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return USAGE
    except click.UsageError as error:
        error.show()
        return USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except Interrupted as error:
        complain(error, json=as_json)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read has gone; nobody to tell
        return FAILED
    except OSError as error:  # ours are Errors: this is standard output, on a full disk
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        click.echo(f"standard output: cannot write: {error.strerror}", err=True)
        return FAILED
    except Error as error:
        complain(error, json=as_json)
        return FAILED
    return code if isinstance(code, int) else OK


def leave(code: int) -> NoReturn:
    """End the process with the exit code of what was done: a signal that comes now comes too late."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise SystemExit(code)


def _has_streams() -> bool:
    """Tell whether there is a standard output, and keep what is opened later from getting the number of a closed one.

    A closed standard error takes messages and drops them.
    """
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return True
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)  # noqa: FBT003 - its only argument
    os.close(number)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    return sys.stdout is not None


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
