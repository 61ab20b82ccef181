"""domtune profiles: those that can be named, and what they say."""

from __future__ import annotations

from shlex import quote
from typing import Any

import click

from domtune import catalogue, profile
from domtune.catalogue import Shelved
from domtune.cli import complete
from domtune.cli.output import Output, with_output
from domtune.errors import Error, Invalid
from domtune.files import read_text


@click.command("profiles")
@click.argument("names", metavar="[NAME...]", nargs=-1, shell_complete=complete.profiles)
@with_output
def command(output: Output, names: tuple[str, ...]) -> int:
    """List the profiles that can be named, where each is, and which it hides; of NAME print the whole document."""
    problems: list[str] = []
    chosen = [_named(name) for name in names] if names else catalogue.shelved(problems)
    notes: list[str] = []
    rows = [row for each in chosen if (row := _row(each, problems, notes) if names else _listed(each, problems, notes))]
    if output.json:
        output.result(rows, "")
    elif names:
        output.result(None, "\n".join(f"# {row['path']}\n{row['text'].rstrip()}\n" for row in rows))
    else:
        columns = ("profile", "place", "summary", "hidden_by")
        output.table(["profile", "place", "summary", "hidden by"], [[row[word] for word in columns] for row in rows])
    for said in dict.fromkeys([*(f"note: {note}" for note in notes), *problems]):
        output.say(said)
    return 1 if problems else 0


def _named(name: str) -> Shelved:
    return Shelved(name, catalogue.find(name))


def _listed(shelved: Shelved, problems: list[str], notes: list[str]) -> dict[str, Any]:
    """Return a profile for a list; of a broken one that it is broken: `check` says how."""
    faults: list[str] = []
    row = _row(shelved, faults, notes)
    if not faults and row:
        return row
    check = f"domtune check {quote(str(shelved.path) if shelved.hidden_by else shelved.name)}"
    problems.append(f"{shelved.path}: broken; `{check}` lists its faults")
    return _as_data(shelved, f"broken; see {check}", "")


def _row(shelved: Shelved, problems: list[str], notes: list[str]) -> dict[str, Any] | None:
    """Return a profile for --json, None if it cannot be read; every fault in it is added to `problems`."""
    try:
        text = read_text(shelved.path)
        read = profile.read(text, str(shelved.path))
        notes += filter(None, [catalogue.misnamed(read)])
        catalogue.load(str(shelved.path), judged=True)
    except Error as error:
        problems += error.problems if isinstance(error, Invalid) else (str(error),)
        return None
    return _as_data(shelved, read.summary, text)


def _as_data(shelved: Shelved, summary: str, text: str) -> dict[str, Any]:
    place = shelved.path.parent
    return {
        "profile": shelved.name,
        "summary": summary,
        "place": "shipped" if place == catalogue.SHIPPED else str(place),
        "path": str(shelved.path),
        "hidden_by": str(shelved.hidden_by or ""),
        "text": text,
    }
