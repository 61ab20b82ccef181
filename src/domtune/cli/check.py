"""domtune check: look for faults in profiles, all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from domtune import bindings, catalogue, yamlnodes
from domtune.cli import complete
from domtune.cli.output import Output, with_output
from domtune.errors import Error, Invalid
from domtune.files import read_text
from domtune.layers import stack
from domtune.together import contradictions
from domtune.yamlnodes import Items

if TYPE_CHECKING:
    from domtune.profile import Profile


@click.command("check")
@click.argument("profiles", metavar="PROFILE...", nargs=-1, required=True, shell_complete=complete.profiles_or_files)
@with_output
def command(output: Output, profiles: tuple[str, ...]) -> int:
    """Look for faults in profiles: grammar, names, values, what they inherit. Every fault is listed.

    A path may also be that of a file of bindings: then the profiles that it names are looked at, too.
    """
    notes: list[str] = []
    results = {name: _faults(name, notes) for name in profiles}
    lines = [line for name, (problems, holds) in results.items() for line in problems or [f"{name}: good, {holds}"]]
    found = [{"profile": name, "problems": problems} for name, (problems, _) in results.items()]
    output.result(found, "\n".join(lines))
    for note in dict.fromkeys(notes):
        output.say(f"note: {note}")
    return 1 if any(problems for problems, _ in results.values()) else 0


def _faults(name: str, notes: list[str]) -> tuple[list[str], str]:
    """Return what is wrong with a profile, and what is in it if nothing is."""
    try:
        if _is_list(name):
            return _of_bindings(name)
        chain = catalogue.load(name, judged=True)
        notes += filter(None, [catalogue.misnamed(chain[-1])])
        wrong = contradictions(stack([list(each.tuning.settings) for each in chain]))
        return wrong, "" if wrong else _holds(chain)
    except Invalid as error:
        return list(error.problems), ""
    except Error as error:
        return [str(error)], ""


def _is_list(name: str) -> bool:
    """Tell a file of bindings, which is a list, from a profile; what can be read but once is a profile."""
    try:
        if not catalogue.is_path(name) or not Path(name).is_file():
            return False
    except OSError:  # reading it says which
        return False
    return isinstance(yamlnodes.read(read_text(name), name, []), Items)


def _of_bindings(name: str) -> tuple[list[str], str]:
    """Return what is wrong with a file of bindings, and what is in it if nothing is."""
    found = bindings.read(read_text(name), name)
    problems: list[str] = []
    named = {each: binding for binding in found for each in binding.profiles}
    for each, binding in named.items():
        try:
            catalogue.load(each, near=Path(name).parent if catalogue.is_path(each) else None, judged=True)
        except Error as error:
            problems += error.problems if isinstance(error, Invalid) else (str(error),)
            problems.append(f"{binding.origin}: profiles: {each} cannot be used")
    counted = [_counted(len(found), "binding", "bindings"), _counted(len(named), "profile", "profiles")]
    return problems, ", ".join(filter(None, counted)) or "and says nothing"


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
