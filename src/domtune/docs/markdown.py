"""Markdown: tables, anchors, and pages of which only the tables are generated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

MADE = "<!-- Made by `make regenerate` from the code. Change the code. -->"
_TABLE = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(heads: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table; a bar inside a cell is written so that it stays inside."""
    lines = [[str(cell).replace("|", "\\|") for cell in row] for row in (heads, *rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def anchor(heading: str) -> str:
    """Return the anchor of a heading, as GitHub and GitLab make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def filled(page: str, tables: Mapping[str, str]) -> str:
    """Return a page with its tables made anew; raise `KeyError` for one that is not known."""
    return _TABLE.sub(lambda match: f"{match[1]}\n{tables[match[2]]}\n\n{match[3]}", page)
