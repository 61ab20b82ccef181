"""What commands print: results to standard output, as text or JSON, messages to standard error."""

from __future__ import annotations

import contextlib
import re
import shutil
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from domtune.cli import complete
from domtune.errors import Error, Failed, Invalid, Refused

_SPACE = re.compile(r"\s")
CONNECT = click.option(
    "-c",
    "--connect",
    "uri",
    metavar="URI",
    shell_complete=complete.uris,
    help="Hypervisor; found as virsh finds it when left out.",
)
_WIDE = 160  # no name is ever cut: a narrower terminal breaks the lines


@dataclass(frozen=True, slots=True)
class Output:
    """What was asked for before or after the command: the connection and the form of results."""

    uri: str | None = None
    json: bool = False

    def say(self, message: str) -> None:
        """Tell the user something that is not the result."""
        click.echo("\n".join(printable(line) for line in message.split("\n")), err=True)

    def result(self, data: object, text: str) -> None:
        """Print the result: `data` as JSON if that was asked for, else `text`."""
        shown = as_json(data) if self.json else text
        if shown:
            click.echo(shown, nl=not shown.endswith("\n"))

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print rows as text: in columns on a terminal, else with tabs between, which other programs can read."""
        cells = [[_SPACE.sub(" ", cell) for cell in row] for row in rows]
        if not sys.stdout.isatty():
            click.echo("\n".join("\t".join(row) for row in [header, *cells]))
            return
        from rich.console import Console  # noqa: PLC0415 - slow to load, and only a terminal needs it
        from rich.table import Table  # noqa: PLC0415

        table = Table(*header, box=None, pad_edge=False)
        for row in cells:
            table.add_row(*row)
        width = max(shutil.get_terminal_size().columns, _WIDE)
        Console(width=width, markup=False, emoji=False, highlight=False).print(table)


def with_output(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its `Output`, and let it take -c and --json after its name as well as before."""

    @CONNECT
    @click.option("--json", "as_json", is_flag=True, help="Print results as JSON.")
    @click.pass_context
    def wrapped(context: click.Context, /, uri: str | None, as_json: bool, **options: Any) -> Any:  # noqa: ANN401, FBT001
        output = context.find_object(Output) or Output()
        return command(replace(output, uri=uri or output.uri, json=as_json or output.json), **options)

    wrapped.__doc__ = command.__doc__
    wrapped.__name__ = command.__name__
    wrapped.__click_params__ += getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    return wrapped


def complain(error: Error, *, json: bool) -> None:
    """Print what went wrong: one line a fault to standard error, and as JSON where that was asked for."""
    if json:
        click.echo(as_json({"error": type(error).__name__, "problems": problems(error)}))
    for problem in problems(error):
        click.echo(problem, err=True)


def problems(error: Error) -> list[str]:
    """Return what is wrong, one line each, and what was done before it went wrong."""
    lines = error.problems if isinstance(error, Invalid) else str(error).split("\n")
    return [printable(line) for line in (*lines, *getattr(error, "__notes__", ()))]


def printable(text: str) -> str:
    """Return a text in one line that moves no cursor: a name out of XML may hold what forges other lines."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def as_json(data: object) -> str:
    """Return data as JSON."""
    import json  # noqa: PLC0415 - only when it was asked for

    return json.dumps(data, indent=2, ensure_ascii=False)


@contextlib.contextmanager
def patience(message: str) -> Iterator[None]:
    """Say what is going on if it takes longer than a second."""
    timer = threading.Timer(1.0, click.echo, (message,), {"err": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def write_out(path: str, text: str) -> bool:
    """Write a result to a file, atomically and for the owner only, or to standard output for ``-``; tell which.

    What is there and is no file, such as /dev/null or a pipe, is written to and never replaced.
    """
    if path == "-":
        click.echo(text, nl=not text.endswith("\n"))
        return False
    from domtune.files import write_atomically  # noqa: PLC0415 - only when there is a file to write

    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError:
        mode = 0o600
    except OSError as error:
        raise Failed(f"{path}: cannot write: {error.strerror}") from None
    if stat.S_ISDIR(mode):
        raise Refused(f"{path}: is a directory; give the name of a file")
    if stat.S_IFMT(mode) in {0, stat.S_IFREG}:
        write_atomically(Path(path).resolve(), text, mode=stat.S_IMODE(mode))
    else:
        _write_to(path, text)
    return True


def _write_to(path: str, text: str) -> None:
    try:
        with Path(path).open("w", encoding="utf-8") as file:
            file.write(text if text.endswith("\n") else text + "\n")
    except OSError as error:
        raise Failed(f"{path}: cannot write: {error.strerror}") from None
