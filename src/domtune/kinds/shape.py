"""What a kind of values is, the words that a profile has for every kind, and how numbers and faults are said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import ClassVar, Protocol

NONE = "none"  # in a profile: without limit
DEFAULT = "default"  # in a profile: as the hypervisor has it; takes away what a wider layer set
ALL_CPUS = "r"  # in a profile: every CPU of the host

Value = int | str | bool | frozenset[int]

NUMBER = re.compile(r"[0-9]{1,30}")
SIGNED = re.compile(r"-?[0-9]{1,30}")
FRACTION = re.compile(r"([0-9]{1,15}\.[0-9]{1,15}) ?([A-Za-z]+)(/s)?")
WITH_UNIT = re.compile(r"([0-9]{1,30}) ?([A-Za-z]+)(/s)?")


class Kind(Protocol):
    """How one parameter's text is read, judged and written."""

    name: ClassVar[str]

    def parse(self, text: str, unit: str | None = None) -> Value:
        """Give the meaning of `text`; raise `ValueError` when it has none."""

    def judge(self, text: str, unit: str | None = None) -> None:
        """Raise `ValueError` with the reason and the way out if nothing would take this value."""

    def written(self, said: str) -> tuple[str, str | None]:
        """Return text and unit for the domain XML for what a profile says; `ValueError` if it is not understood."""

    def said(self, text: str, unit: str | None) -> str | None:
        """Return what a profile says for this text and unit, or None if only `verbatim` can keep it."""

    def describe(self) -> str:
        """Return the range and unit in words."""


def join(text: str, unit: str | None) -> str:
    """Say a value and its unit together."""
    return f"{text} {unit}" if unit is not None else text


def within(number: int, low: int, high: int | None, unit: str) -> None:
    """Refuse a number outside the range."""
    if number < low or (high is not None and number > high):
        raise ValueError(f"{number} is outside {span(low, high, unit)}")


def span(low: int, high: int | None, unit: str, unlimited: str | None = None) -> str:
    """Say a range and its unit."""
    words = f"{low} and up" if high is None else f"{low} to {high}"
    return f"{words} {unit}".rstrip() + (", or none" if unlimited is not None else "")


def not_a(form: str, said: str, unlimited: str | None) -> str:
    """Say that a profile's text is not of this form, and how to say "no limit" where there is one."""
    if SIGNED.fullmatch(said) and unlimited is not None:
        return f"{said} is not a {form}; for no limit say none"
    return f"{said!r} is not a {form}" + (", or none" if unlimited is not None else "")


def no_limit(said: str, unlimited: str | None, low: int, takes: str) -> None:
    """Refuse the number by which libvirt says "no limit": a profile has a word for it, unless it is a limit too."""
    if said == unlimited and int(said) < low:
        raise ValueError(f"{said} is outside {takes.removesuffix(', or none')}; for no limit say none")


def whole(said: str, units: Mapping[str, int]) -> str:
    """Say what is wrong with an amount that has a fraction, and in which of these units it would be whole."""
    match = FRACTION.fullmatch(said)
    if not match or match[2] not in units:
        return ""
    number = Fraction(match[1]) * units[match[2]]
    found = next((f"{number / size} {unit}" for unit, size in units.items() if (number / size).denominator == 1), "")
    return f"{said} is not a whole number" + (f"; say {found}{match[3] or ''}" if number and found else "")
