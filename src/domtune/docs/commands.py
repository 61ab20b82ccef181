"""The command line: the help of each command, and the exit codes."""

from __future__ import annotations

import click

from domtune.cli import group
from domtune.docs.markdown import table

EXITS = {
    group.OK: "done",
    group.FAILED: "refused or failed, also when one of several domains failed",
    group.USAGE: "the command line was not understood",
    group.INTERRUPTED: "interrupted; what had been begun was taken back",
}


def tables() -> dict[str, str]:
    """Return what the page on the command line shows."""
    return {"help": _help(), "exits": table(("code", "meaning"), EXITS.items())}


def contexts() -> list[click.Context]:
    """Return the command, then each of its commands, on a terminal of 80 columns."""
    above = click.Context(group.domtune, info_name="domtune", terminal_width=78, **group.domtune.context_settings)
    commands = ((name, group.domtune.get_command(above, name)) for name in group.COMMANDS)
    return [above, *(click.Context(each, info_name=name, parent=above) for name, each in commands if each)]


def _help() -> str:
    """Return the help of all commands and of each."""
    above, *commands = contexts()
    lines = ["```console", "$ domtune --help", above.get_help(), "```"]
    for context in commands:
        name = context.info_name
        lines += ["", f"## {name}", "", "```console", f"$ domtune {name} --help", context.get_help(), "```"]
    return "\n".join(lines)
