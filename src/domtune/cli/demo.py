"""domtune demo: the whole story, for real, on a machine of its own."""

from __future__ import annotations

import click

from domtune.cli.output import Output, with_output
from domtune.demo import demo


@click.command("demo")
@with_output
def command(output: Output) -> None:
    """Split a domain, start it minimal, tune it, start it tuned; the kernel is asked each time."""
    lines: list[str] = []
    demo(lines.append if output.json else click.echo)
    if output.json:
        output.result({"story": lines}, "")
