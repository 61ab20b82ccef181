"""domtune profiles: those that can be named, and what they say."""

from __future__ import annotations

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
    rows = [row for each in chosen if (row := _row(each, problems))]
    if output.json:
        output.result(rows, "")
    elif names:
        output.result(None, "\n".join(f"# {row['path']}\n{row['text'].rstrip()}\n" for row in rows))
    else:
        columns = ("profile", "place", "summary", "hidden_by")
        output.table(["profile", "place", "summary", "hidden by"], [[row[word] for word in columns] for row in rows])
    for problem in dict.fromkeys(problems):
        output.say(problem)
    return 1 if problems else 0


def _named(name: str) -> Shelved:
    return Shelved(name, catalogue.find(name))


def _row(shelved: Shelved, problems: list[str]) -> dict[str, Any] | None:
    """Return a profile for --json, None if it cannot be read; every fault in it is added to `problems`."""
    try:
        text = read_text(shelved.path)
        read = profile.read(text, str(shelved.path))
        catalogue.load(str(shelved.path), judged=True)
    except Error as error:
        problems += error.problems if isinstance(error, Invalid) else (str(error),)
        return None
    place = shelved.path.parent
    return {
        "profile": shelved.name,
        "summary": read.summary,
        "place": "shipped" if place == catalogue.SHIPPED else str(place),
        "path": str(shelved.path),
        "hidden_by": str(shelved.hidden_by or ""),
        "text": text,
    }
