"""Sets of numbers: host CPUs, host nodes, guest ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from domtune.kinds.shape import ALL_CPUS, join
from domtune.values import parse_ids


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
            raise ValueError(f"{join(text, unit)!r} is not a list of {self.what}")
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
