"""Markdown as the body of a manual page, by markdown-it and the macros of man(7)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

_ESCAPED = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti", '"': r"\(dq"}
_ODD = re.compile(r"[\\\-'`^~\"]|[^\x00-\x7f]")


def escaped(text: str) -> str:
    """Return text that is printed as it is."""
    return _ODD.sub(lambda match: _ESCAPED.get(match[0]) or f"\\[u{ord(match[0]):04X}]", text)


def page(lines: Iterable[str]) -> str:
    """Return a page; a section begins a paragraph by itself."""
    return re.sub(r"^(\.S[HS] .*\n)\.PP\n", r"\1", "\n".join(lines) + "\n", flags=re.MULTILINE)


def line(text: str) -> str:
    """Return a line that is no request, whatever it begins with."""
    return rf"\&{text}" if text.startswith((".", "'")) else text


def bold(text: str) -> str:
    """Return text in bold."""
    return rf"\fB{escaped(text)}\fR"


def section(title: str) -> str:
    """Return the heading of a section."""
    return f".SH {escaped(title.upper())}"


def tagged(tag: str, *text: str) -> Iterator[str]:
    """Give an entry of a list: a tag, and what is said of it."""
    yield from (".TP", line(tag), *(line(each) for each in text if each))


def literal(text: str) -> Iterator[str]:
    """Give an example, line for line."""
    yield from (".PP", ".RS 4", ".nf", *(line(escaped(each)) for each in text.rstrip("\n").splitlines()), ".fi", ".RE")


def body(markdown: str) -> Iterator[str]:
    """Give the lines of a document; its title is left to the caller."""
    tree = SyntaxTreeNode(MarkdownIt().enable("table").parse(markdown))
    for node in tree.children:
        yield from _block(node)


def _block(node: SyntaxTreeNode) -> Iterator[str]:
    match node.type:
        case "heading":
            yield from () if node.tag == "h1" else (_heading(node),)
        case "paragraph":
            yield from (".PP", *_lines(node))
        case "fence":
            yield from literal(node.content)
        case "bullet_list" | "ordered_list":
            for number, item in enumerate(node.children, 1):
                yield r".IP \[u2022] 2" if node.type == "bullet_list" else f".IP {number}. 4"
                yield from _item(item)
        case "table":
            yield from _table(node)
        case "html_block":  # a comment
            pass
        case _:
            raise ValueError(f"{node.type} in line {node.map}: no manual page has that yet; see domtune.docs.roff")


def _heading(node: SyntaxTreeNode) -> str:
    return section(_plain(node)) if node.tag == "h2" else f".SS {escaped(_plain(node))}"


def _item(item: SyntaxTreeNode) -> Iterator[str]:
    """Give what stands in an item of a list, indented as the item is."""
    for number, child in enumerate(item.children):
        if child.type == "paragraph":
            yield from ([".IP"] if number else []) + _lines(child)
        else:
            yield from (".RS", *_block(child), ".RE")


def _table(node: SyntaxTreeNode) -> Iterator[str]:
    """Give a table as a list: the first cell is the tag; what is in more than two columns is called by its head."""
    heads, *rows = [list(row.children) for part in node.children for row in part.children]
    for first, *others in rows:
        if len(others) == 1:
            yield from tagged(_text(first), _text(others[0]))
            continue
        said = (f"{_text(head)}: {_text(cell)}" for head, cell in zip(heads[1:], others, strict=True))
        yield from tagged(_text(first), "; ".join(said))


def _lines(node: SyntaxTreeNode) -> list[str]:
    return [line(each) for each in _text(node).splitlines()]


def _text(node: SyntaxTreeNode) -> str:
    match node.type:
        case "text":
            return escaped(node.content)
        case "code_inline":
            return bold(node.content)
        case "softbreak":
            return "\n"
        case "strong":
            return rf"\fB{_below(node)}\fR"
        case "em":
            return rf"\fI{_below(node)}\fR"
        case _:
            return _below(node)


def _below(node: SyntaxTreeNode) -> str:
    return "".join(_text(child) for child in node.children)


def _plain(node: SyntaxTreeNode) -> str:
    return node.content if not node.children else "".join(_plain(child) for child in node.children)
