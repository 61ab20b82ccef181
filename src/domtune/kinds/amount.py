"""Amounts with a unit: memory, bytes in a second, lengths of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from domtune.kinds.shape import NONE, NUMBER, WITH_UNIT, join, not_a, span, within
from domtune.values import scale

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "kB", "MB", "GB", "TB")
_DURATIONS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}


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
            raise ValueError(not_a("size such as 512 MiB", said, self.unlimited))
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
            return self.unlimited, None
        if NUMBER.fullmatch(said):
            return said, None
        match = WITH_UNIT.fullmatch(said)
        if not match or match[2] not in _UNITS or (match[3] and not self.per_second):  # 100 Mb could be bits
            raise ValueError(not_a(f"number of {self._unit()}, such as 100 MiB", said, self.unlimited))
        size = int(match[1]) * scale(match[2])
        if size % self.per:
            raise ValueError(f"{said} is not a whole number of {self._unit()}, in which libvirt counts it")
        return str(size // self.per), None

    def said(self, text: str, unit: str | None) -> str | None:
        """Say the bare number: it is the only form that comes back as it was."""
        if unit is None and text == self.unlimited:
            return NONE
        return text if unit is None and text.isdecimal() and text.isascii() else None

    def describe(self) -> str:
        """Return the unit and range."""
        return span(self.low, self.high, self._unit(), self.unlimited)

    def _unit(self) -> str:
        return {1: "bytes", 1024: "KiB"}[self.per] + ("/s" if self.per_second else "")


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time, written without a unit in the XML."""

    unit: str
    low: int = 0
    high: int | None = None
    name: ClassVar[str] = "duration"

    def parse(self, text: str, unit: str | None = None) -> int:
        """Return the number in libvirt's unit."""
        if unit is not None or not NUMBER.fullmatch(text):
            raise ValueError(f"{join(text, unit)!r} is not a length of time")
        return int(text)

    def judge(self, text: str, unit: str | None = None) -> None:
        """Refuse times outside the range."""
        within(self.parse(text, unit), self.low, self.high, self.unit)

    def written(self, said: str) -> tuple[str, str | None]:
        """Turn ``50 ms`` into libvirt's number; it must come out even."""
        if NUMBER.fullmatch(said):
            return said, None
        match = WITH_UNIT.fullmatch(said)
        if not match or match[3] or match[2] not in _DURATIONS:
            raise ValueError(not_a("length of time such as 50 ms (ns, us, ms, s)", said, None))
        nanoseconds = int(match[1]) * _DURATIONS[match[2]]
        if nanoseconds % _DURATIONS[self.unit]:
            raise ValueError(f"{said} is not a whole number of {self.unit}, in which libvirt counts it")
        return str(nanoseconds // _DURATIONS[self.unit]), None

    def said(self, text: str, unit: str | None) -> str | None:
        """Say the bare number."""
        return text if unit is None and text.isdecimal() and text.isascii() else None

    def describe(self) -> str:
        """Return the unit and range."""
        return span(self.low, self.high, self.unit)
