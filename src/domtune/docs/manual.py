"""The manual pages: domtune(1) of the commands and the page on them, the others of the pages on what people write.

They hold neither date nor version, so that they change only when what they say does.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping

import click

from domtune.docs import roff
from domtune.docs.commands import EXITS, contexts

_WRITTEN = {
    "domtune-profile": ("profile.md", "how a libvirt domain should run"),
    "domtune-bindings": ("bindings.md", "which profiles hold for which domains"),
}
_FILES = {
    "/etc/domtune/profiles/*.yaml": "profiles of the site",
    "/etc/domtune/bindings.d/*.yaml": "which profiles hold for which domains",
    "~/.config/domtune": "the same for one user",
    "/var/lib/domtune, ~/.local/state/domtune": "runs, locks and backups, of root and of other users",
}


def files(pages: Mapping[str, str]) -> dict[str, str]:
    """Return each manual page by the name of its file, given the pages of the reference."""
    return {
        "domtune.1": roff.page(_commands(pages["cli.md"])),
        **{f"{name}.5": roff.page(_written(name, pages[page])) for name, (page, _) in _WRITTEN.items()},
    }


def _head(name: str, number: int, meaning: str) -> Iterator[str]:
    yield r".\" Made by `make regenerate` from the code. Change the code."
    yield f'.TH {roff.escaped(name.upper())} {number} "" domtune'
    yield from (roff.section("name"), rf"{roff.escaped(name)} \- {roff.escaped(meaning)}")


def _commands(page: str) -> Iterator[str]:
    above, *commands = contexts()
    yield from _head("domtune", 1, "keep the tuning of libvirt domains apart from their definitions")
    yield from (roff.section("synopsis"), _usage(above))
    yield from (roff.section("description"), *_paragraphs(above.command))
    yield from roff.body(_before_tables(page))
    yield from (roff.section("options"), *_options(above))
    yield roff.section("commands")
    for context in commands:
        yield from (f".SS {roff.escaped(context.info_name or '')}", _usage(context), *_paragraphs(context.command))
        yield from _options(context)
    yield roff.section("exit status")
    for code, meaning in EXITS.items():
        yield from roff.tagged(roff.bold(str(code)), roff.escaped(meaning))
    yield from roff.body(_part(page, "Environment"))
    yield roff.section("files")
    for file, meaning in _FILES.items():
        yield from roff.tagged(roff.bold(file), roff.escaped(meaning))
    others = [*((name, 5) for name in _WRITTEN), ("virsh", 1)]
    yield from (roff.section("see also"), _pages(others))


def _written(name: str, page: str) -> Iterator[str]:
    yield from _head(name, 5, _WRITTEN[name][1])
    yield from (roff.section("description"), *roff.body(page))
    others = [("domtune", 1), *((other, 5) for other in _WRITTEN if other != name)]
    yield from (roff.section("see also"), _pages(others))


def _pages(others: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{roff.bold(name)}({number})" for name, number in others)


def _usage(context: click.Context) -> str:
    pieces = roff.escaped(" ".join(context.command.collect_usage_pieces(context)))
    return f"{roff.bold(context.command_path)} {pieces}"


def _paragraphs(command: click.Command) -> Iterator[str]:
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if paragraph.startswith("\b\n"):
            yield from roff.literal(paragraph.removeprefix("\b\n"))
        else:
            yield from (".PP", *(roff.line(roff.escaped(each)) for each in paragraph.splitlines()))


def _options(context: click.Context) -> Iterator[str]:
    for param in context.command.get_params(context):
        if isinstance(param, click.Option) and (record := param.get_help_record(context)):
            yield from roff.tagged(roff.bold(record[0]), roff.escaped(record[1]))


def _before_tables(page: str) -> str:
    """Return what the page says before its first table."""
    return page.partition("<!-- table:")[0]


def _part(page: str, heading: str) -> str:
    """Return a section of a page."""
    found = re.search(rf"^## {heading}\n.*?(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    if not found:
        raise ValueError(f"no section {heading!r} in the page")
    return found[0]
