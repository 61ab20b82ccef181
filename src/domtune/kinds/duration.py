"""Lengths of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from domtune.kinds.shape import NONE, NUMBER, SIGNED, WITH_UNIT, join, not_a, span, whole, within

_UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_ENDLESS = 17592186044415  # us: the quota that cgroup v2 reports for "no limit" (vircgroupv2.c)


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time, written without a unit in the XML; perhaps with a text that means "no limit"."""

    unit: str
    low: int = 0
    high: int | None = None
    unlimited: str | None = None  # "-1": every other negative number is no limit, too
    name: ClassVar[str] = "duration"

    def parse(self, text: str, unit: str | None = None) -> int:
        """Return the number in libvirt's unit."""
        if unit is not None or not (SIGNED if self.unlimited else NUMBER).fullmatch(text):
            raise ValueError(f"{join(text, unit)!r} is not a length of time")
        number = int(text)
        return -1 if self.unlimited and (number < 0 or number == _ENDLESS) else number

    def judge(self, text: str, unit: str | None = None) -> None:
        """Refuse times outside the range."""
        number = self.parse(text, unit)
        if number >= 0:
            within(number, self.low, self.high, self.unit)

    def written(self, said: str) -> tuple[str, str | None]:
        """Turn ``50 ms`` into libvirt's number; it must come out even."""
        if said == NONE and self.unlimited is not None:
            return self.unlimited, None
        if NUMBER.fullmatch(said):
            return said, None
        match = WITH_UNIT.fullmatch(said)
        if not match or match[3] or match[2] not in _UNITS:
            form = not_a("length of time such as 50 ms (ns, us, ms, s)", said, self.unlimited)
            raise ValueError(whole(said, _UNITS) or form)
        nanoseconds = int(match[1]) * _UNITS[match[2]]
        if nanoseconds % _UNITS[self.unit]:
            raise ValueError(f"{said} is not a whole number of {self.unit}, in which libvirt counts it")
        return str(nanoseconds // _UNITS[self.unit]), None

    def said(self, text: str, unit: str | None) -> str | None:
        """Say the bare number, and `none` for libvirt's own way to write it; other negative numbers have no words."""
        if unit is None and text == self.unlimited:
            return NONE
        return text if unit is None and text.isdecimal() and text.isascii() else None

    def describe(self) -> str:
        """Return the unit and range."""
        return span(self.low, self.high, self.unit, self.unlimited)
