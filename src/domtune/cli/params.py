"""domtune params: the vocabulary, and what each driver makes of it."""

from __future__ import annotations

import shutil
import sys
from typing import Any

import click

from domtune import matrix
from domtune.cli.output import Output, with_output
from domtune.errors import Invalid
from domtune.vocabulary import PARAMS, nearest
from domtune.vocabulary.drivers import DRIVERS

_WIDE = 160  # no name is ever cut: a narrower terminal breaks the lines


@click.command("params")
@click.argument("names", metavar="[NAME...]", nargs=-1)
@click.option("--driver", type=click.Choice(list(DRIVERS)), help="Only this driver, with the reasons.")
@with_output
def command(output: Output, names: tuple[str, ...], driver: str | None) -> None:
    """List parameters and what each driver makes of them: live, create, stored, ignored, rejected, no API.

    NAME is a parameter or the beginning of several; one alone is shown with all that is known.
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
        _table(output, rows)


def _matching(name: str) -> list[Any]:
    found = [param for param in PARAMS.values() if param.name == name or param.name.startswith(f"{name.rstrip('.')}.")]
    if not found:
        close = nearest(name)
        raise Invalid(f"{name}: no such parameter" + (f"; did you mean {close}?" if close else ""))
    return found


def _table(output: Output, rows: list[dict[str, Any]]) -> None:
    if not sys.stdout.isatty():
        lines = ("\t".join([row["name"], *(row["drivers"][name]["word"] for name in DRIVERS)]) for row in rows)
        output.result(None, "\n".join(["\t".join(["parameter", *DRIVERS]), *lines]))
        return
    from rich.console import Console  # noqa: PLC0415 - slow to load, and only a terminal needs it
    from rich.table import Table  # noqa: PLC0415

    table = Table("parameter", *DRIVERS, box=None, pad_edge=False)
    for row in rows:
        table.add_row(row["name"], *(row["drivers"][name]["word"] for name in DRIVERS))
    Console(width=max(shutil.get_terminal_size().columns, _WIDE)).print(table)
