"""Kinds of values: what the text of a parameter means, which texts are good, how a profile says them.

A value is kept as it was written (text, and the unit beside it); a `Kind` gives the text its meaning. Three
questions are kept apart, since they have different answers:

- `parse`: what does this text mean? `ValueError` when it means nothing. Used to compare.
- `judge`: would libvirt and the hypervisor take it? Used by everything that acts, never by split and merge.
- `written` and `said`: the text in the domain XML for the text in a profile, and back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Protocol

from domtune.values import parse_ids, scale

NONE = "none"  # in a profile: without limit
DEFAULT = "default"  # in a profile: as the hypervisor has it; takes away what a wider layer set
ALL_CPUS = "r"  # in a profile: every CPU of the host

Value = int | str | bool | frozenset[int]

_NUMBER = re.compile(r"[0-9]{1,30}")
_SIGNED = re.compile(r"-?[0-9]{1,30}")
_WITH_UNIT = re.compile(r"([0-9]{1,30}) ?([A-Za-z]+)(/s)?")
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "kB", "MB", "GB", "TB")
_ENDLESS = 17592186044415  # quota that cgroup v2 reports for "no limit" (vircgroupv2.c)
_DURATIONS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}


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
        if unit is not None or not _SIGNED.fullmatch(text):
            raise ValueError(f"{_join(text, unit)!r} is not a whole number")
        number = int(text)
        return -1 if self.unlimited == "-1" and not 0 <= number < _ENDLESS else number

    def judge(self, text: str, unit: str | None = None) -> None:
        """Refuse numbers outside the range."""
        number = self.parse(text, unit)
        if str(number) != self.unlimited:
            _within(number, self.low, self.high, self.unit)
        if self.power_of_two and number & (number - 1):
            raise ValueError(f"{number} is no power of two")

    def written(self, said: str) -> tuple[str, str | None]:
        """Write `none` as libvirt does; numbers stay as they are."""
        if said == NONE and self.unlimited is not None:
            return self.unlimited, None
        if not _NUMBER.fullmatch(said):
            raise ValueError(_not_a(f"whole number of {self.unit}".removesuffix(" of "), said, self.unlimited))
        return said, None

    def said(self, text: str, unit: str | None) -> str | None:
        """Say `none` for libvirt's own way to write it; another negative number has no words."""
        if unit is None and text == self.unlimited:
            return NONE
        return text if unit is None and text.isdecimal() and text.isascii() else None

    def describe(self) -> str:
        """Return the range, e.g. ``1000 to 1000000 us``."""
        words = _range(self.low, self.high, self.unit, self.unlimited)
        return f"{words}, a power of two" if self.power_of_two else words


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
        if not _NUMBER.fullmatch(text):
            raise ValueError(f"{_join(text, unit)!r} is not a size")
        return int(text) * scale(unit or self.unit)

    def judge(self, text: str, unit: str | None = None) -> None:
        """Refuse sizes that libvirt would round, and those outside the range."""
        size = self.parse(text, unit)
        if size % scale(self.unit):
            raise ValueError(f"{_join(text, unit)} is not a whole number of {self.unit}, in which libvirt counts it")
        if text != self.unlimited:
            _within(size // scale(self.unit), self.low, self.high, self.unit)

    def written(self, said: str) -> tuple[str, str | None]:
        """Write number and unit apart."""
        if said == NONE and self.unlimited is not None:
            return self.unlimited, None
        if _NUMBER.fullmatch(said):
            return said, None
        match = _WITH_UNIT.fullmatch(said)
        if not match or match[3]:
            raise ValueError(_not_a("size such as 512 MiB", said, self.unlimited))
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
        return _join(text, unit)

    def describe(self) -> str:
        """Return the unit and range."""
        return _range(self.low, self.high, self.unit, self.unlimited)


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
        if unit is not None or not _NUMBER.fullmatch(text):
            raise ValueError(f"{_join(text, unit)!r} is not a rate")
        return int(text)

    def judge(self, text: str, unit: str | None = None) -> None:
        """Refuse rates outside the range."""
        rate = self.parse(text, unit)
        if text != self.unlimited:
            _within(rate, self.low, self.high, self._unit())

    def written(self, said: str) -> tuple[str, str | None]:
        """Turn ``100 MiB/s`` into libvirt's number; it must come out even."""
        if said == NONE and self.unlimited is not None:
            return self.unlimited, None
        if _NUMBER.fullmatch(said):
            return said, None
        match = _WITH_UNIT.fullmatch(said)
        if not match or match[2] not in _UNITS or (match[3] and not self.per_second):  # 100 Mb could be bits
            raise ValueError(_not_a(f"number of {self._unit()}, such as 100 MiB", said, self.unlimited))
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
        return _range(self.low, self.high, self._unit(), self.unlimited)

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
        if unit is not None or not _NUMBER.fullmatch(text):
            raise ValueError(f"{_join(text, unit)!r} is not a length of time")
        return int(text)

    def judge(self, text: str, unit: str | None = None) -> None:
        """Refuse times outside the range."""
        _within(self.parse(text, unit), self.low, self.high, self.unit)

    def written(self, said: str) -> tuple[str, str | None]:
        """Turn ``50 ms`` into libvirt's number; it must come out even."""
        if _NUMBER.fullmatch(said):
            return said, None
        match = _WITH_UNIT.fullmatch(said)
        if not match or match[3] or match[2] not in _DURATIONS:
            raise ValueError(_not_a("length of time such as 50 ms (ns, us, ms, s)", said, None))
        nanoseconds = int(match[1]) * _DURATIONS[match[2]]
        if nanoseconds % _DURATIONS[self.unit]:
            raise ValueError(f"{said} is not a whole number of {self.unit}, in which libvirt counts it")
        return str(nanoseconds // _DURATIONS[self.unit]), None

    def said(self, text: str, unit: str | None) -> str | None:
        """Say the bare number."""
        return text if unit is None and text.isdecimal() and text.isascii() else None

    def describe(self) -> str:
        """Return the unit and range."""
        return _range(self.low, self.high, self.unit)


@dataclass(frozen=True, slots=True)
class Enum:
    """One word of a few."""

    words: tuple[str, ...]
    name: ClassVar[str] = "enum"

    def parse(self, text: str, unit: str | None = None) -> Value:
        """Return the word."""
        if unit is not None or text not in self.words:
            raise ValueError(f"{text!r} is none of {', '.join(self.words)}")
        return text

    def judge(self, text: str, unit: str | None = None) -> None:
        """Refuse other words."""
        self.parse(text, unit)

    def written(self, said: str) -> tuple[str, str | None]:
        """Return the word itself."""
        return str(self.parse(said)), None

    def said(self, text: str, unit: str | None) -> str | None:
        """Say the word, unless the profile's grammar takes it for something else."""
        return text if unit is None and text in self.words and text != DEFAULT else None

    def describe(self) -> str:
        """Return the words."""
        return " | ".join(self.words)


ON_OFF = Enum(("on", "off"))
YES_NO = Enum(("yes", "no"))


@dataclass(frozen=True, slots=True)
class Ids:
    """A set of numbers: host CPUs, host nodes, or guest ids, as ``0-3,^2``."""

    what: str = "host CPUs"
    low: int = 1  # how many must be in it
    everything: bool = False  # whether a profile may say `r`
    name: ClassVar[str] = "cpuset"

    def parse(self, text: str, unit: str | None = None) -> frozenset[int]:
        """Return the set."""
        if unit is not None:
            raise ValueError(f"{_join(text, unit)!r} is not a list of {self.what}")
        return parse_ids(text, self.what)

    def judge(self, text: str, unit: str | None = None) -> None:
        """Refuse an empty set."""
        if text == ALL_CPUS and self.everything:
            return
        if len(self.parse(text, unit)) < self.low:
            raise ValueError(f"{text!r} names no {self.what}")

    def written(self, said: str) -> tuple[str, str | None]:
        """Return the list itself; `r` stays until the host is known."""
        if not (said == ALL_CPUS and self.everything):
            parse_ids(said, self.what)
        return said, None

    def said(self, text: str, unit: str | None) -> str | None:
        """Say the list as it was written."""
        try:
            self.parse(text, unit)
        except ValueError:
            return None
        return text

    def describe(self) -> str:
        """Return what the numbers are."""
        return f"list of {self.what}, e.g. 0-3,^2" + (", or r for all" if self.everything else "")


@dataclass(frozen=True, slots=True)
class Text:
    """Free text: a path, a name."""

    pattern: str = r".+"
    what: str = "text"
    name: ClassVar[str] = "text"

    def parse(self, text: str, unit: str | None = None) -> Value:
        """Return the text."""
        if unit is not None:
            raise ValueError(f"{_join(text, unit)!r} has a unit")
        return text

    def judge(self, text: str, unit: str | None = None) -> None:
        """Refuse text that is not of this form."""
        if unit is not None or not re.fullmatch(self.pattern, text, re.DOTALL):
            raise ValueError(f"{text!r} is not {self.what}")

    def written(self, said: str) -> tuple[str, str | None]:
        """Return the text itself."""
        return said, None

    def said(self, text: str, unit: str | None) -> str | None:
        """Say the text, unless the profile's grammar takes it for something else."""
        return None if unit is not None or text == DEFAULT or not text else text

    def describe(self) -> str:
        """Return what the text is."""
        return self.what


@dataclass(frozen=True, slots=True)
class Flag:
    """An element that only has to be there."""

    name: ClassVar[str] = "flag"

    def parse(self, text: str, unit: str | None = None) -> Value:
        """Return True: it is there."""
        if unit is not None or text != "true":
            raise ValueError(f"{_join(text, unit)!r} is not true")
        return True

    def judge(self, text: str, unit: str | None = None) -> None:
        """Refuse anything but true."""
        self.parse(text, unit)

    def written(self, said: str) -> tuple[str, str | None]:
        """Only `true` can be written; to leave it out, say `default`."""
        if said != "true":
            raise ValueError(f"{said!r}: this is there (true) or not; to take it away say default")
        return said, None

    def said(self, text: str, unit: str | None) -> str | None:
        """Say true."""
        return text if unit is None and text == "true" else None

    def describe(self) -> str:
        """Return the only value."""
        return "true"


def _join(text: str, unit: str | None) -> str:
    return f"{text} {unit}" if unit is not None else text


def _within(number: int, low: int, high: int | None, unit: str) -> None:
    if number < low or (high is not None and number > high):
        raise ValueError(f"{number} is outside {_range(low, high, unit)}")


def _range(low: int, high: int | None, unit: str, unlimited: str | None = None) -> str:
    words = f"{low} and up" if high is None else f"{low} to {high}"
    return f"{words} {unit}".rstrip() + (", or none" if unlimited is not None else "")


def _not_a(form: str, said: str, unlimited: str | None) -> str:
    if _SIGNED.fullmatch(said) and unlimited is not None:
        return f"{said} is not a {form}; for no limit say none"
    return f"{said!r} is not a {form}" + (", or none" if unlimited is not None else "")
