"""YAML as nodes that know their lines. Every scalar is its written text; a row gives it a type, never YAML.

YAML is untrusted: no tags, no anchors and aliases (so no bombs), no duplicate keys, limited depth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import yaml

from domtune.errors import Invalid

MAX_DEPTH = 24
MAX_SIZE = 4 * 1024 * 1024
_BREAKS = re.compile("[\x85\u2028\u2029]")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BRACKETS = re.compile(r"(?<![\"'\w.])([A-Za-z_.]*\[[^\]]*\][A-Za-z_.]*!?)\s*:")  # a name with a selector
_AFTER_COMMA = re.compile(r"[0-9]+%?")
_COMMA = '{0} ends at the comma inside {{}}; quote a list: "{0}"; a number takes a point: {1}'
NO_VALUE = "no value; give one, or leave the line out"
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


class Fault(NamedTuple):
    """What is wrong in one place, which does not keep the rest from being read."""

    line: int
    path: tuple[str, ...]  # the keys above it, and its own
    reason: str

    def said(self, source: str, name: str | None = None) -> str:
        """Say it as all faults are said."""
        named = ".".join(self.path) if name is None else name
        where = f"{source}:{self.line}" if self.line else source
        return ": ".join(filter(None, (where, named, self.reason)))


def read(text: str, source: str, faults: list[Fault] | None = None) -> Node | None:
    """Return the one document in `text`, None if it is empty; raise `Invalid` with `source` and the line.

    What is wrong in one place is added to `faults`, and left out of what is returned: nothing is where the text is no
    YAML. Without `faults` all of it is raised.
    """
    if len(text) > MAX_SIZE:
        raise Invalid(f"{source}: the file has {len(text)} characters, more than the {MAX_SIZE} that are read")
    found: list[Fault] = []
    try:
        node = _Reader(yaml.parse(text, Loader=_Loader), found).document()
    except _TooDeepError:
        node = None
    except yaml.MarkedYAMLError as error:
        node, torn = None, _torn(error, text.splitlines())
        found = [*(fault for fault in found if fault.line != torn.line), torn]
    except (yaml.YAMLError, UnicodeEncodeError, ValueError) as error:
        node, found = None, [*found, Fault(0, (), f"not YAML: {str(error).splitlines()[0]}")]
    if found and faults is None:
        raise Invalid([fault.said(source) for fault in found])
    if faults is not None:
        faults += found
    return node


class _TooDeepError(Exception):
    """The rest is not read."""


def _torn(error: yaml.MarkedYAMLError, lines: Sequence[str]) -> Fault:
    """Say what keeps the text from being YAML: of what is often written so, how to write it."""
    mark = error.problem_mark or error.context_mark
    number, column = (mark.line, mark.column) if mark else (0, 0)
    line = lines[number] if number < len(lines) else ""
    reason = error.problem or error.context
    name = next((match[1] for match in _BRACKETS.finditer(line) if match.start() <= column <= match.end()), "")
    if "\t" in line[: len(line) - len(line.lstrip())]:
        reason = "indent with spaces, not with a tab"
    elif name:
        reason = f'quote the name: {{"{name}": …}}'
    return Fault(number + 1, (), f"not YAML: {reason}")


class _Reader:
    def __init__(self, events: Iterator[yaml.Event], faults: list[Fault]) -> None:
        self.events = events
        self.faults = faults
        self.path: list[str] = []

    def document(self) -> Node | None:
        found: Node | None = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if found is not None:
                    self._wrong(event, "a second document; put it into a file of its own")
                    break
                found = self._node(next(self.events), 0)
        return found

    def _node(self, event: yaml.Event, depth: int) -> Node | None:
        """Return what an event begins, None if that is a fault."""
        if reason := _unreadable(event):
            self._wrong(event, reason)
        if depth > MAX_DEPTH:
            self.faults.append(Fault(_line(event), (), f"more than {MAX_DEPTH} levels deep"))
            raise _TooDeepError
        line = _line(event)
        if isinstance(event, yaml.AliasEvent):
            return None
        if isinstance(event, yaml.ScalarEvent):
            return None if reason else Scalar(event.value, line)
        if isinstance(event, yaml.SequenceStartEvent):
            items = (self._node(each, depth + 1) for each in self._until(yaml.SequenceEndEvent))
            return Items(tuple(item for item in items if item is not None), line)
        return Map(tuple(self._pairs(depth, is_flow=bool(getattr(event, "flow_style", None)))), line)

    def _pairs(self, depth: int, *, is_flow: bool) -> Iterator[tuple[Scalar, Node]]:
        seen: dict[str, int] = {}
        last = before = ""  # the key of the pair before, and its value where that is a number
        for event in self._until(yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if key is not None and not isinstance(key, Scalar):
                self._wrong(event, "a key must be a word")
            text = key.text if isinstance(key, Scalar) else ""
            below = next(self.events)
            if is_flow and before and _is_nothing(below) and _AFTER_COMMA.fullmatch(text):
                self._wrong(event, _COMMA.format(f"{before},{text}", f"{before}.{text}"), last)
                continue
            self.path.append(text)
            value = self._node(below, depth + 1)
            if text in seen:
                self._wrong(event, f"said before in line {seen[text]}; keep one")
            elif isinstance(key, Scalar):
                seen[text] = key.line
                if value is not None:
                    yield key, value
            self.path.pop()
            before = value.text if isinstance(value, Scalar) and value.text.isdecimal() else ""
            last = text

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        for event in self.events:
            if isinstance(event, end):
                return
            yield event

    def _wrong(self, event: yaml.Event, reason: str, *below: str) -> None:
        self.faults.append(Fault(_line(event), (*self.path, *below), reason))


def _unreadable(event: yaml.Event) -> str:
    """Say what is wrong with what an event begins, "" if nothing is."""
    anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
    if isinstance(event, yaml.AliasEvent):
        return f"alias *{anchor}: aliases are not read; quote '*…' or repeat the value"
    if anchor:
        return f"anchor &{anchor}: anchors are not read; repeat the value"
    if tag:
        return f"tag {tag}: tags are not read; write the value alone"
    if isinstance(event, yaml.ScalarEvent):
        if not event.style and event.value in _NOTHING:  # a plain scalar; the C parser says ""
            return NO_VALUE
        if odd := _NOT_XML.search(event.value):
            return f"character {odd[0]!r}: no XML can hold it; take it out"
    return ""


def _is_nothing(event: yaml.Event) -> bool:
    return isinstance(event, yaml.ScalarEvent) and not event.style and not event.value


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
