"""domtune completion: words completed by the shell."""

from __future__ import annotations

import click

from domtune.cli import shells
from domtune.cli.output import Output, with_output


@click.command("completion")
@click.argument("shell", metavar="SHELL", type=click.Choice(shells.SHELLS))
@with_output
@click.pass_context
def command(context: click.Context, output: Output, shell: str) -> None:
    """Print the script with which bash, zsh or fish completes words, names of domains and profiles among them.

    \b
    bash  write it to ~/.local/share/bash-completion/completions/domtune
    zsh   write it to _domtune in a directory of $fpath
    fish  write it to ~/.config/fish/completions/domtune.fish
    """  # noqa: D301 - click's mark for lines that stay as they are is a character, no backslash
    script = shells.script(context.find_root().command, shell)
    output.result({"shell": shell, "script": script}, script)
