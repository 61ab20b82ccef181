"""Amounts of memory, and of bytes in a second."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from domtune.kinds.shape import DEFAULT, NONE, NUMBER, WITH_UNIT, join, no_limit, not_a, span, whole, within
from domtune.values import scale

_BITS = re.compile(r"([0-9]{1,30}) ?([KMGTPEkmgtpe]?)[Ii]?(?:b|[Bb]its?|bps)(?:/s)?")
_BINARY, _DECIMAL = ("TiB", "GiB", "MiB", "KiB", "B"), ("TB", "GB", "MB", "kB", "B")


@dataclass(frozen=True, slots=True)
class Size:
    """An amount of memory: a number and perhaps a unit in an attribute beside it."""

    unit: str = "KiB"  # of a bare number, and what libvirt counts in
    low: int = 0
    high: int | None = None
    unlimited: str | None = None
    name: ClassVar[str] = "size"

    def parse(self, text: str, unit: str | None = None) -> int:
        """Return bytes."""
        if not NUMBER.fullmatch(text):
            raise ValueError(f"{join(text, unit)!r} is not a size")
        return int(text) * scale(unit or self.unit)

    def judge(self, text: str, unit: str | None = None) -> None:
        """Refuse sizes that libvirt would round, and those outside the range."""
        size = self.parse(text, unit)
        if size % scale(self.unit):
            raise ValueError(f"{join(text, unit)} is not a whole number of {self.unit}, in which libvirt counts it")
        if text != self.unlimited:
            within(size // scale(self.unit), self.low, self.high, self.unit)

    def written(self, said: str) -> tuple[str, str | None]:
        """Write number and unit apart."""
        if said == NONE and self.unlimited is not None:
            return self.unlimited, None
        if NUMBER.fullmatch(said):
            return said, None
        match = WITH_UNIT.fullmatch(said)
        if not match or match[3]:
            raise ValueError(whole(said, _scales(said)) or not_a("size such as 512 MiB", said, self.unlimited))
        scale(match[2])
        return match[1], match[2]

    def said(self, text: str, unit: str | None) -> str | None:
        """Say number and unit together."""
        if unit is None and text == self.unlimited:
            return NONE
        try:
            if unit is not None:
                scale(unit)
            self.parse(text, unit)
        except ValueError:
            return None
        return join(text, unit)

    def describe(self) -> str:
        """Return the unit and range."""
        return span(self.low, self.high, self.unit, self.unlimited)


@dataclass(frozen=True, slots=True)
class Rate:
    """Bytes in a second, written without a unit in the XML; `per` is how many bytes libvirt counts as one."""

    per: int = 1
    high: int | None = None
    low: int = 0
    unlimited: str | None = None
    per_second: bool = True  # False: an amount, such as a burst
    left_out: bool = False  # no limit is said by saying nothing: libvirt's schema takes no 0
    name: ClassVar[str] = "rate"

    def parse(self, text: str, unit: str | None = None) -> int:
        """Return the number in libvirt's unit."""
        if unit is not None or not NUMBER.fullmatch(text):
            raise ValueError(f"{join(text, unit)!r} is not a rate")
        return int(text)

    def judge(self, text: str, unit: str | None = None) -> None:
        """Refuse rates outside the range."""
        rate = self.parse(text, unit)
        if text != self.unlimited:
            within(rate, self.low, self.high, self._unit())

    def written(self, said: str) -> tuple[str, str | None]:
        """Turn ``100 MiB/s`` into libvirt's number; it must come out even."""
        if said == NONE and self.unlimited is not None:
            return DEFAULT if self.left_out else self.unlimited, None
        if NUMBER.fullmatch(said):
            no_limit(said, self.unlimited, self.low, self.describe())
            return said, None
        match = WITH_UNIT.fullmatch(said)
        if bits := _BITS.fullmatch(said):
            raise ValueError(f"{said}: bytes are counted, not bits{self._in_bytes(bits)}")
        if not match or (match[3] and not self.per_second):
            form = not_a(f"number of {self._unit()}, such as 100 MiB", said, self.unlimited)
            raise ValueError(whole(said, _scales(said)) or form)
        size = int(match[1]) * scale(match[2])
        if size % self.per:
            raise ValueError(f"{said} is not a whole number of {self._unit()}, in which libvirt counts it")
        return str(size // self.per), None

    def said(self, text: str, unit: str | None) -> str | None:
        """Say the bare number: it is the only form that comes back as it was."""
        if unit is None and text == self.unlimited:
            return None if self.left_out else NONE
        return text if unit is None and text.isdecimal() and text.isascii() else None

    def describe(self) -> str:
        """Return the unit and range."""
        return span(self.low, self.high, self._unit(), self.unlimited)

    def _unit(self) -> str:
        return {1: "bytes", 1024: "KiB"}[self.per] + ("/s" if self.per_second else "")

    def _in_bytes(self, bits: re.Match[str]) -> str:
        """Say how many bytes they are."""
        size, rest = divmod(int(bits[1]) * scale(f"{bits[2]}B"), 8)
        return (
            "" if rest or not size else f"; 8 bits are a byte: say {in_units(size, _DECIMAL)}" + "/s" * self.per_second
        )


def _scales(said: str) -> dict[str, int]:
    """Return the units, the largest first, that an amount may be said in anew."""
    return {unit: scale(unit) for unit in (_BINARY if "i" in said else _DECIMAL)}


def in_units(size: int, units: tuple[str, ...] = _BINARY) -> str:
    """Say a number of bytes, above 0, in the largest unit that it is a whole number of: 2 MiB."""
    return next(f"{size // scale(unit)} {unit}" for unit in units if size % scale(unit) == 0)
