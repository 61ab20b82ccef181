"""A RELAX NG schema in XML syntax, read into plain data: one dataclass for each kind of pattern.

Read is what libvirt's schemas use, and the rest of the language that costs nothing: include, combine,
notAllowed and inherited `ns`. Not read: externalRef, nested grammars, and annotations.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

_RNG = "{http://relaxng.org/ns/structure/1.0}"


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Pattern:
    """Compared by identity, so that what is derived from a pattern can be cached."""


@dataclass(frozen=True, slots=True, eq=False)
class Element(Pattern):
    name: str | None  # {namespace}name, or None for any name
    body: Pattern


@dataclass(frozen=True, slots=True, eq=False)
class Attribute(Pattern):
    name: str | None
    body: Pattern


@dataclass(frozen=True, slots=True, eq=False)
class Group(Pattern):
    parts: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Interleave(Pattern):
    parts: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Choice(Pattern):
    parts: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Repeat(Pattern):
    """`optional`, `zeroOrMore` and `oneOrMore`."""

    body: Pattern
    least: int
    most: int | None  # None: any number


@dataclass(frozen=True, slots=True, eq=False)
class Ref(Pattern):
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Data(Pattern):
    type: str
    params: tuple[tuple[str, str], ...]
    excluded: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Value(Pattern):
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Tokens(Pattern):
    """`list`: what its body says, separated by spaces."""

    body: Pattern


@dataclass(frozen=True, slots=True, eq=False)
class Text(Pattern):
    pass


@dataclass(frozen=True, slots=True, eq=False)
class Empty(Pattern):
    pass


@dataclass(frozen=True, slots=True, eq=False)
class NotAllowed(Pattern):
    pass


@dataclass(frozen=True, slots=True, eq=False)
class Grammar:
    start: Pattern
    defines: dict[str, Pattern]


def load(path: Path) -> Grammar:
    """Read a schema and everything that it includes."""
    found: dict[str, list[tuple[str | None, Pattern]]] = {}
    _collect(path, found, set())
    defines = {name: _combined(parts) for name, parts in found.items()}
    return Grammar(start=defines.pop(""), defines=defines)


def _collect(path: Path, found: dict[str, list[tuple[str | None, Pattern]]], seen: set[Path]) -> None:
    """Gather the defines by name, the start under the empty name. An included file's start is not ours."""
    if path in seen:
        return
    seen.add(path)
    is_main = len(seen) == 1
    for node in etree.parse(path).getroot().iterchildren(f"{_RNG}*"):
        kind = etree.QName(node).localname
        if kind == "include":
            _collect(path.parent / node.get("href", ""), found, seen)
        elif kind == "define" or is_main:
            found.setdefault(node.get("name", ""), []).append((node.get("combine"), _body(node, "")))


def _combined(parts: list[tuple[str | None, Pattern]]) -> Pattern:
    patterns = tuple(pattern for _, pattern in parts)
    if len(patterns) == 1:
        return patterns[0]
    combine = next(how for how, _ in parts if how)
    return Interleave(patterns) if combine == "interleave" else Choice(patterns)


def _body(node: etree._Element, namespace: str) -> Pattern:
    """Everything inside a node, as one pattern: several children are a group."""
    parts = _parts(node, namespace)
    return parts[0] if len(parts) == 1 else Group(parts)


def _parts(node: etree._Element, namespace: str) -> tuple[Pattern, ...]:
    children = (child for child in node.iterchildren(f"{_RNG}*") if child.tag not in _NAME_CLASSES)
    return tuple(_pattern(child, child.get("ns", namespace)) for child in children)


def _pattern(node: etree._Element, namespace: str) -> Pattern:
    kind = etree.QName(node).localname
    if kind in _LEAVES:
        return _LEAVES[kind]
    return _READERS[kind](node, namespace)


def _element(node: etree._Element, namespace: str) -> Pattern:
    return Element(_name(node, namespace), _body(node, namespace))


def _attribute(node: etree._Element, namespace: str) -> Pattern:
    # An attribute does not inherit `ns` and without a body holds text.
    body = _body(node, namespace) if _parts(node, namespace) else Text()
    return Attribute(_name(node, node.get("ns", "")), body)


def _name(node: etree._Element, namespace: str) -> str | None:
    """Name classes other than a name are read as "any name": the caller picks names that no schema knows."""
    name = node.get("name") or node.findtext(f"{_RNG}name")
    if name is None or not namespace:
        return name
    return f"{{{namespace}}}{name}"


def _data(node: etree._Element, _namespace: str) -> Pattern:
    params = tuple((param.get("name", ""), param.text or "") for param in node.iterchildren(f"{_RNG}param"))
    excluded = frozenset(value.text or "" for value in node.iterfind(f"{_RNG}except//{_RNG}value"))
    return Data(node.get("type", "string"), params, excluded)


def _value(node: etree._Element, _namespace: str) -> Pattern:
    return Value((node.text or "").strip())


def _repeat(least: int, most: int | None) -> Callable[[etree._Element, str], Pattern]:
    return lambda node, namespace: Repeat(_body(node, namespace), least, most)


_NAME_CLASSES = {f"{_RNG}{kind}" for kind in ("name", "anyName", "nsName", "except", "param")}

_LEAVES: dict[str, Pattern] = {"empty": Empty(), "text": Text(), "notAllowed": NotAllowed()}

_READERS: dict[str, Callable[[etree._Element, str], Pattern]] = {
    "element": _element,
    "attribute": _attribute,
    "group": _body,
    "interleave": lambda node, namespace: Interleave(_parts(node, namespace)),
    "choice": lambda node, namespace: Choice(_parts(node, namespace)),
    "optional": _repeat(0, 1),
    "zeroOrMore": _repeat(0, None),
    "oneOrMore": _repeat(1, None),
    "mixed": lambda node, namespace: Interleave((Text(), _body(node, namespace))),
    "list": lambda node, namespace: Tokens(_body(node, namespace)),
    "ref": lambda node, _namespace: Ref(node.get("name", "")),
    "data": _data,
    "value": _value,
}
