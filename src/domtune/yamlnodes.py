"""YAML as nodes that know their lines. Every scalar is its written text; a row gives it a type, never YAML.

YAML is untrusted: no tags, no anchors and aliases (so no bombs), no duplicate keys, limited depth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import yaml

from domtune.errors import Invalid

MAX_DEPTH = 24
MAX_SIZE = 4 * 1024 * 1024
_BREAKS = re.compile("[\x85\u2028\u2029]")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOTHING = {"", "~", "null", "Null", "NULL"}
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text and the line it stands in."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Map:
    """A mapping with text keys, in the order written."""

    items: tuple[tuple[Scalar, Node], ...]
    line: int


Node: TypeAlias = Scalar | Items | Map


def read(text: str, source: str) -> Node | None:
    """Return the one document in `text`, None if it is empty; raise `Invalid` with `source` and the line."""
    if len(text) > MAX_SIZE:
        raise Invalid(f"{source}: the file has {len(text)} characters, more than the {MAX_SIZE} that are read")
    try:
        events = yaml.parse(text, Loader=_Loader)
        return _Reader(source, events).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise Invalid(f"{source}:{line}: not YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, UnicodeEncodeError, ValueError) as error:
        raise Invalid(f"{source}: not YAML: {str(error).splitlines()[0]}") from None


class _Reader:
    def __init__(self, source: str, events: Iterator[yaml.Event]) -> None:
        self.source = source
        self.events = events

    def document(self) -> Node | None:
        found: Node | None = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if found is not None:
                    raise self._wrong(event, "a second document; put it into a file of its own")
                found = self._node(next(self.events), 0)
        return found

    def _node(self, event: yaml.Event, depth: int) -> Node:
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if isinstance(event, yaml.AliasEvent):
            raise self._wrong(event, f"alias *{anchor}: aliases are not read; quote '*…' or repeat the value")
        if anchor:
            raise self._wrong(event, f"anchor &{anchor}: anchors are not read; repeat the value")
        if tag:
            raise self._wrong(event, f"tag {tag}: tags are not read; write the value alone")
        if depth > MAX_DEPTH:
            raise self._wrong(event, f"more than {MAX_DEPTH} levels deep")
        line = _line(event)
        if isinstance(event, yaml.ScalarEvent):
            if not event.style and event.value in _NOTHING:  # a plain scalar; the C parser says ""
                raise self._wrong(event, "no value; for the hypervisor's own say default, for no limit none")
            if odd := _NOT_XML.search(event.value):
                raise self._wrong(event, f"character {odd[0]!r}: no XML can hold it; take it out")
            return Scalar(event.value, line)
        if isinstance(event, yaml.SequenceStartEvent):
            return Items(tuple(self._node(each, depth + 1) for each in self._until(yaml.SequenceEndEvent)), line)
        return Map(tuple(self._pairs(depth)), line)

    def _pairs(self, depth: int) -> Iterator[tuple[Scalar, Node]]:
        seen: dict[str, int] = {}
        for event in self._until(yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(key, Scalar):
                raise self._wrong(event, "a key must be a word")
            if key.text in seen:
                raise self._wrong(event, f"{key.text}: said before in line {seen[key.text]}; keep one")
            seen[key.text] = key.line
            yield key, self._node(next(self.events), depth + 1)

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        for event in self.events:
            if isinstance(event, end):
                return
            yield event

    def _wrong(self, event: yaml.Event, reason: str) -> Invalid:
        return Invalid(f"{self.source}:{_line(event)}: {reason}")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


class _Dumper(yaml.SafeDumper):
    """Writes text plain wherever YAML's syntax allows it, since the reader takes every scalar as text."""

    yaml_implicit_resolvers = {"~": [], "n": [], "N": [], "": []}  # noqa: RUF012 - PyYAML's own class attribute

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        """Write everything out: the reader refuses aliases."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002, ARG002
        """Indent lists below their key."""
        super().increase_indent(flow=flow, indentless=False)


def _represent(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """Escape the line breaks that only YAML knows: unescaped, they would be read as spaces."""
    style = '"' if _BREAKS.search(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _represent)
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:null", yaml.SafeLoader.yaml_implicit_resolvers["~"][0][1], ["~", "n", "N", ""]
)


def write(document: Mapping[str, object] | Sequence[object]) -> str:
    """Return a document as YAML that `read` gives back; small inner collections in one line."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, default_flow_style=None, width=110, allow_unicode=True)
