"""domtune check: look for faults in profiles, all of them."""

from __future__ import annotations

import click

from domtune import catalogue
from domtune.cli.output import Output, with_output
from domtune.errors import Error, Invalid
from domtune.layers import stack


@click.command("check")
@click.argument("profiles", metavar="PROFILE...", nargs=-1, required=True)
@with_output
def command(output: Output, profiles: tuple[str, ...]) -> int:
    """Look for faults in profiles: grammar, names, values, what they inherit. Every fault is listed."""
    results = {name: _faults(name) for name in profiles}
    lines = []
    for name, (problems, count) in results.items():
        if not problems:
            lines.append(f"{name}: good, {count} settings")
        for problem in problems:
            output.say(problem)
    found = [{"profile": name, "problems": problems} for name, (problems, _) in results.items()]
    output.result(found, "\n".join(lines))
    return 1 if any(problems for problems, _ in results.values()) else 0


def _faults(name: str) -> tuple[list[str], int]:
    try:
        chain = catalogue.load(name, judged=True)
    except Invalid as error:
        return list(error.problems), 0
    except Error as error:
        return [str(error)], 0
    return [], len(stack([list(each.tuning.settings) for each in chain]))
