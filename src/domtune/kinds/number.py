"""Whole numbers: counts, weights, requests in a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from domtune.kinds.shape import NONE, NUMBER, SIGNED, join, no_limit, not_a, span, within


@dataclass(frozen=True, slots=True)
class Int:
    """A whole number, perhaps with a text that means "no limit"."""

    low: int = 0
    high: int | None = None
    unlimited: str | None = None  # how the XML writes "no limit"
    unit: str = ""
    power_of_two: bool = False
    name: ClassVar[str] = "int"

    def parse(self, text: str, unit: str | None = None) -> int:
        """Read the number; where -1 is no limit, every other negative number is it too."""
        if unit is not None or not SIGNED.fullmatch(text):
            raise ValueError(f"{join(text, unit)!r} is not a whole number")
        number = int(text)
        return -1 if self.unlimited == "-1" and number < 0 else number

    def judge(self, text: str, unit: str | None = None) -> None:
        """Refuse numbers outside the range."""
        number = self.parse(text, unit)
        if text != self.unlimited and not (number < 0 and self.unlimited):
            within(number, self.low, self.high, self.unit)
        if self.power_of_two and number & (number - 1):
            raise ValueError(f"{number} is no power of two")

    def written(self, said: str) -> tuple[str, str | None]:
        """Write `none` as libvirt does; numbers stay as they are."""
        if said == NONE and self.unlimited is not None:
            return self.unlimited, None
        no_limit(said, self.unlimited, self.low, self.describe())
        if not NUMBER.fullmatch(said):
            raise ValueError(not_a(f"whole number of {self.unit}".removesuffix(" of "), said, self.unlimited))
        return said, None

    def said(self, text: str, unit: str | None) -> str | None:
        """Say `none` for libvirt's own way to write it; another negative number has no words."""
        if unit is None and text == self.unlimited:
            return NONE
        return text if unit is None and text.isdecimal() and text.isascii() else None

    def describe(self) -> str:
        """Return the range, e.g. ``1000 to 1000000 us``."""
        words = span(self.low, self.high, self.unit, self.unlimited)
        return f"{words}, a power of two" if self.power_of_two else words
