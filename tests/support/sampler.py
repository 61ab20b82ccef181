"""Random domain documents, made by walking libvirt's own grammar.

`sample(seed)` makes one document, the same one for the same seed; nearly all of them are valid, and `samples` leaves
the others out. `python -m support.sampler 500` tells what 500 of them are like and which tuning they never held.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from lxml import etree

from support import values
from support.areas import interest
from support.grammar import (
    Attribute,
    Choice,
    Data,
    Element,
    Empty,
    Grammar,
    Group,
    Interleave,
    NotAllowed,
    Pattern,
    Ref,
    Repeat,
    Text,
    Tokens,
    Value,
    load,
)
from support.schema import domain_rng, validates

# What a walk makes: an attribute, an element or a piece of text.
Item = tuple[str, str] | etree._Element | str

_DEEPEST = 9  # below that only what must be is made
_SIZES = (10, 40, 80, 120, 200)  # after that many elements, too
_MANY = {"/domain/devices": 14, "/domain/cputune": 6}  # how often zeroOrMore goes on
_FEW = 3
_LIBVIRT = "http://libvirt.org/schemas/domain/"
_PREFIXES = {name: f"{_LIBVIRT}{name}/1.0" for name in ("qemu", "lxc", "xen", "bhyve", "vmware")} | {
    "app": "https://example.org/app/1",
}
_ANY_NAMES = ("{https://example.org/app/1}flavour", "{https://example.org/app/1}owner", "cputune", "note")


def samples(count: int, seed: int = 0) -> Iterator[str]:
    """Make `count` valid documents."""
    seeds = Random(seed)
    while count:
        xml = sample(seeds.getrandbits(32))
        if not validates(xml):
            count -= 1
            yield xml


def sample(seed: int) -> str:
    """Make one document, the same one for the same seed."""
    random = Random(seed)
    walk = _Walk(
        random,
        left=random.choice(_SIZES),
        appetite=random.choice([0.3, 0.8, 1.0, 1.5]),
        loose=random.random() < 0.4,
    )
    (root,) = walk.items(domain_grammar().start, "", 0)
    assert isinstance(root, etree._Element)
    if random.random() < 0.5:
        etree.cleanup_namespaces(root, top_nsmap=_PREFIXES)
    if random.random() < 0.5:
        etree.indent(root, random.choice(["  ", "\t", ""]))
    return etree.tostring(root, encoding="unicode")


@cache
def domain_grammar() -> Grammar:
    return load(domain_rng())


@dataclass
class _Walk:
    random: Random
    left: int
    appetite: float
    loose: bool  # mix the repetitions of one element with other elements, which libxml2 does not always see through

    def items(self, pattern: Pattern, path: str, depth: int) -> list[Item]:
        """Make what a pattern asks for, in a random way, inside the element at `path`."""
        match pattern:
            case Element():
                return [self.element(pattern, path, depth + 1)]
            case Attribute(name, body):
                made = "".join(str(item) for item in self.items(body, path, depth))
                return [(name or self.random.choice(_ANY_NAMES), made)]
            case Ref(name) if name in values.DEFINES:
                return [values.DEFINES[name](self.random)]
            case Ref(name):
                return self.items(domain_grammar().defines[name], path, depth)
            case Group(parts):
                return [item for part in parts for item in self.items(part, path, depth)]
            case Interleave(parts):
                return self.interleaved(parts, path, depth)
            case Choice(parts):
                return self.items(self.chosen(parts, path, depth), path, depth)
            case Repeat(body):
                return [item for _ in range(self.times(pattern, path, depth)) for item in self.items(body, path, depth)]
            case Tokens(body):
                return [" ".join(str(item) for item in self.items(body, path, depth))]
        return self.text(pattern)

    def text(self, pattern: Pattern) -> list[Item]:
        match pattern:
            case Data():
                return [values.data(pattern, self.random)]
            case Value(text):
                return [text]
            case Text():
                return [values.text(self.random)]
            case Empty():
                return []
        raise ValueError(f"nothing can be made of {pattern}")

    def element(self, pattern: Element, path: str, depth: int) -> etree._Element:
        self.left -= 1
        name = pattern.name or self.random.choice(_ANY_NAMES)
        items = self.items(pattern.body, f"{path}/{name}", depth)
        element = etree.Element(
            name,
            dict(item for item in items if isinstance(item, tuple)),
            {prefix: uri for prefix, uri in _PREFIXES.items() if name.startswith(f"{{{uri}}}")},
        )
        for item in items:
            if isinstance(item, str):
                _append_text(element, item)
            elif not isinstance(item, tuple):
                element.append(item)
        return element

    def interleaved(self, parts: tuple[Pattern, ...], path: str, depth: int) -> list[Item]:
        """Make the parts in random order, so that none is always starved, and mix what may be mixed."""
        pieces: list[Iterator[list[Item]]] = []
        turns: list[int] = []
        for part in self.random.sample(flat := _flat(parts), len(flat)):
            made = self.items(part, path, depth)
            split = [[item] for item in made] if self.loose and not _holds_interleave(part) else [made]
            turns += [len(pieces)] * len(split)
            pieces.append(iter(split))
        self.random.shuffle(turns)
        return [item for turn in turns for item in next(pieces[turn])]

    def chosen(self, parts: tuple[Pattern, ...], path: str, depth: int) -> Pattern:
        costs = [cost(part) for part in parts]
        affordable = min(costs) if self.is_spent(depth) else max(c for c in costs if c < _FORBIDDEN)
        open_to = [part for part, price in zip(parts, costs, strict=True) if price <= affordable]
        return self.random.choices(open_to, [_worth(part, path) for part in open_to])[0]

    def times(self, repeat: Repeat, path: str, depth: int) -> int:
        worth = min(0.95, _worth(repeat.body, path) * self.appetite)
        if cost(repeat.body) >= _FORBIDDEN or self.is_spent(depth) or self.random.random() > worth:
            return repeat.least
        most = repeat.most or _MANY.get(path, _FEW)
        return self.random.randint(1, most)

    def is_spent(self, depth: int) -> bool:
        return self.left <= 0 or depth > _DEEPEST


@cache
def _flat(parts: tuple[Pattern, ...]) -> tuple[Pattern, ...]:
    """Replace an interleave inside an interleave by its parts."""
    found: tuple[Pattern, ...] = ()
    for part in parts:
        inner = part
        while isinstance(inner, Ref) and inner.name not in values.DEFINES:
            inner = domain_grammar().defines[inner.name]
        found += _flat(inner.parts) if isinstance(inner, Interleave) else (part,)
    return found


@cache
def _holds_interleave(pattern: Pattern) -> bool:
    """Tell what libxml2 would not recognise (though it is valid) when elements from elsewhere stand in between."""
    match pattern:
        case Ref(name):
            return _holds_interleave(domain_grammar().defines[name])
        case Choice(parts) | Group(parts):
            return any(_holds_interleave(part) for part in parts)
        case Repeat(body):
            return _holds_interleave(body)
    return isinstance(pattern, Interleave)


def _append_text(element: etree._Element, text: str) -> None:
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text


def _worth(pattern: Pattern, path: str) -> float:
    return max((interest(f"{path}/{name}") for name in starts(pattern)), default=interest(path))


@cache
def starts(pattern: Pattern) -> frozenset[str]:
    """Name the elements and attributes (as @name) that a pattern can make itself, not what is inside of them."""
    match pattern:
        case Element(name):
            return frozenset({name or "*"})
        case Attribute(name):
            return frozenset({f"@{name or '*'}"})
        case Ref(name):
            return starts(domain_grammar().defines[name])
        case Group(parts) | Interleave(parts) | Choice(parts):
            return frozenset().union(*(starts(part) for part in parts))
        case Repeat(body):
            return starts(body)
    return frozenset()


_FORBIDDEN = 1_000_000


@cache
def cost(pattern: Pattern) -> int:
    """Count the elements that a pattern makes at least; _FORBIDDEN when it can make nothing valid."""
    return _cost(pattern, _define_costs())


@cache
def _define_costs() -> dict[str, int]:
    """Find the cheapest way out of each define, recursive ones too: start from "none" until nothing gets cheaper."""
    defines = domain_grammar().defines
    costs = dict.fromkeys(defines, _FORBIDDEN)
    while (cheaper := {name: _cost(body, costs) for name, body in defines.items()}) != costs:
        costs = cheaper
    return costs


def _cost(pattern: Pattern, defines: dict[str, int]) -> int:
    match pattern:
        case Element(_, body):
            found = 1 + _cost(body, defines)
        case Attribute(_, body) | Tokens(body):
            found = _cost(body, defines)
        case Ref(name):
            found = defines[name]
        case Group(parts) | Interleave(parts):
            found = sum(_cost(part, defines) for part in parts)
        case Choice(parts):
            found = min(_cost(part, defines) for part in parts)
        case Repeat(body, least):
            found = least and _cost(body, defines)
        case NotAllowed():
            found = _FORBIDDEN
        case _:
            found = 0
    return min(found, _FORBIDDEN)


if __name__ == "__main__":
    from support.reach import main

    sys.exit(main(sys.argv[1:]))
