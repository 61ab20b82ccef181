"""domtune params: the vocabulary, and what each driver makes of it."""

from __future__ import annotations

import click

from domtune import matrix
from domtune.cli import complete
from domtune.cli.output import Output, with_output
from domtune.errors import Invalid
from domtune.intents import INTENTS
from domtune.vocabulary import PARAMS, is_element, nearest
from domtune.vocabulary.drivers import DRIVERS
from domtune.vocabulary.model import Param


@click.command("params")
@click.argument("names", metavar="[NAME...]", nargs=-1, shell_complete=complete.parameters)
@click.option("--driver", type=click.Choice(list(DRIVERS)), help="Only this driver, with the reasons.")
@with_output
def command(output: Output, names: tuple[str, ...], driver: str | None) -> None:
    """List parameters and what each driver makes of them: live, create, stored, ignored, rejected, no API.

    NAME is a parameter or the beginning of several; where there is none, a part of the name, or words of what it does.
    One alone is shown with all that is known.
    """
    chosen = [param for name in names for param in _matching(name)] if names else list(PARAMS.values())
    rows = [matrix.as_data(param) for param in chosen]
    if output.json:
        output.result(rows, "")
    elif len(chosen) == 1:
        output.result(None, "\n".join(matrix.page(chosen[0], driver)))
    elif driver:
        output.result(None, "\n".join(f"{each.name}: {matrix.sentence(each, driver)}" for each in chosen))
    else:
        words = [[row["name"], *(row["drivers"][name]["word"] for name in DRIVERS)] for row in rows]
        output.table(["parameter", *DRIVERS], words)


def _matching(name: str) -> list[Param]:
    """Return the parameters that a word means: by name or its beginning, else by a part of it, else by what they do."""
    word = name.strip(".").lower()
    if name in INTENTS:
        raise Invalid(f"{name}: is a wish, not a parameter; see domtune explain {name}")
    for is_meant in (_is_named, _is_part, is_element, _is_told):
        if found := [param for param in PARAMS.values() if word and is_meant(param, word)]:
            return found
    close = nearest(name)
    raise Invalid(f"{name}: no such parameter" + (f"; did you mean {close}?" if close else ""))


def _is_named(param: Param, word: str) -> bool:
    return f"{param.name}.".lower().startswith(f"{word}.")


def _is_part(param: Param, word: str) -> bool:
    """Tell whether a word is in the name; of several with dots between, each must be whole: cpu.share is a slip."""
    return f".{word}." in f".{param.name}.".lower() if "." in word else word in param.name.lower()


def _is_told(param: Param, word: str) -> bool:
    told = f"{param.name} {param.help}".lower()
    return "." not in word and all(each in told for each in word.split())
