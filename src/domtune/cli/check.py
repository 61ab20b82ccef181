"""domtune check: look for faults in profiles, all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from domtune import catalogue
from domtune.cli import complete
from domtune.cli.output import Output, with_output
from domtune.errors import Error, Invalid
from domtune.layers import stack
from domtune.together import contradictions

if TYPE_CHECKING:
    from domtune.profile import Profile


@click.command("check")
@click.argument("profiles", metavar="PROFILE...", nargs=-1, required=True, shell_complete=complete.profiles_or_files)
@with_output
def command(output: Output, profiles: tuple[str, ...]) -> int:
    """Look for faults in profiles: grammar, names, values, what they inherit. Every fault is listed."""
    results = {name: _faults(name) for name in profiles}
    lines = [line for name, (problems, holds) in results.items() for line in problems or [f"{name}: good, {holds}"]]
    found = [{"profile": name, "problems": problems} for name, (problems, _) in results.items()]
    output.result(found, "\n".join(lines))
    return 1 if any(problems for problems, _ in results.values()) else 0


def _faults(name: str) -> tuple[list[str], str]:
    """Return what is wrong with a profile, and what is in it if nothing is."""
    try:
        chain = catalogue.load(name, judged=True)
        wrong = contradictions(stack([list(each.tuning.settings) for each in chain]))
        return wrong, "" if wrong else _holds(chain)
    except Invalid as error:
        return list(error.problems), ""
    except Error as error:
        return [str(error)], ""


def _holds(chain: Sequence[Profile]) -> str:
    """Count what holds in the end of a profile and those it inherits: one that says a thing anew replaces it."""
    wishes = len({want.address for each in chain for want in each.wants})
    settings = len(stack([list(each.tuning.settings) for each in chain]))
    conditions = sum(len(each.when) for each in chain)
    counted = [_counted(wishes, "wish", "wishes"), _counted(settings, "setting", "settings")]
    said = [*counted, _counted(conditions, "condition", "conditions")]
    return ", ".join(filter(None, said)) or "and says nothing"


def _counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}" if number else ""
