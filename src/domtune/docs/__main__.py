"""Look whether the generated pages of this checkout are fresh, or write them."""

from __future__ import annotations

import sys

import click

from domtune.docs import CHECKOUT, stale, write


def main(words: list[str]) -> int:
    """Return 0 when all is fresh or written."""
    if words == ["--write"]:
        write(CHECKOUT)
        return 0
    if words != ["--check"]:
        click.echo("usage: python -m domtune.docs --check | --write", err=True)
        return 2
    found = stale(CHECKOUT)
    for each in found:
        click.echo(f"{each}; run `make regenerate` and read the diff", err=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
