"""Random strings that match a pattern of XML Schema, for the part of that language that libvirt's schemas use.

Known: literals, `\\` escapes, `\\s`, `.`, classes with ranges and `^`, groups, `|`, and `? * + {n} {n,} {n,m}`.
"""

import string
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random

# What `.` and a negated class are drawn from: XML allows it, and trimming white space does not change it.
_ALPHABET = string.ascii_letters + string.digits + "._-+:/@%&<>'\"()[]{}!?=~#"
_MORE = 6  # how often `*` and `+` go on at most

Maker = Callable[[Random], str]


@cache
def strings(pattern: str) -> Maker:
    """Compile a pattern to a function that makes a new matching string at each call."""
    reader = _Reader(pattern)
    maker = reader.alternatives()
    if reader.rest():
        raise ValueError(f"{pattern!r}: cannot read from {reader.rest()!r}")
    return maker


@dataclass
class _Reader:
    pattern: str
    at: int = 0

    def rest(self) -> str:
        return self.pattern[self.at :]

    def take(self) -> str:
        self.at += 1
        return self.pattern[self.at - 1]

    def taken(self, wanted: str) -> bool:
        found = self.rest().startswith(wanted)
        self.at += len(wanted) * found
        return found

    def until(self, end: str) -> str:
        start, self.at = self.at, self.pattern.index(end, self.at) + len(end)
        return self.pattern[start : self.at - len(end)]

    def alternatives(self) -> Maker:
        choices = [self.sequence()]
        while self.taken("|"):
            choices.append(self.sequence())
        return lambda random: random.choice(choices)(random)

    def sequence(self) -> Maker:
        parts = []
        while self.rest() and self.rest()[0] not in "|)":
            parts.append(self.repeated(self.atom()))
        return lambda random: "".join(part(random) for part in parts)

    def repeated(self, atom: Maker) -> Maker:
        least, most = self.bounds()
        return lambda random: "".join(atom(random) for _ in range(random.randint(least, most)))

    def bounds(self) -> tuple[int, int]:
        for sign, bounds in {"?": (0, 1), "*": (0, _MORE), "+": (1, 1 + _MORE)}.items():
            if self.taken(sign):
                return bounds
        if not self.taken("{"):
            return 1, 1
        least, comma, most = self.until("}").partition(",")
        return int(least), int(most or int(least) + _MORE) if comma else int(least)

    def atom(self) -> Maker:
        if self.taken("("):
            inside = self.alternatives()
            self.take()
            return inside
        if self.taken("["):
            return _one_of(self.characters())
        if self.taken("."):
            return _one_of(_ALPHABET)
        return _one_of(self.escaped())

    def escaped(self) -> str:
        """Read one character; of the class escapes only `\\s`, of which a blank survives in an attribute."""
        if not self.taken("\\"):
            return self.take()
        return {"s": " ", "n": "\n", "t": "\t"}.get(letter := self.take(), letter)

    def characters(self) -> str:
        negated = self.taken("^")
        found: list[str] = []
        while not self.taken("]"):
            first = self.escaped()
            if self.rest()[0] == "-" and self.rest()[1] != "]":
                self.take()
                found += map(chr, range(ord(first), ord(self.escaped()) + 1))
            else:
                found.append(first)
        return "".join(sorted(set(_ALPHABET) - set(found)) if negated else found)


def _one_of(characters: str) -> Maker:
    return lambda random: random.choice(characters)
