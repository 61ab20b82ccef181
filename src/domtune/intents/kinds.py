"""Kinds of values that only wishes have: ratios, parts of the host's CPUs, a value or a word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

from domtune.intents.model import Kind
from domtune.kinds import NONE

_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


def decimal(text: str) -> Fraction | None:
    """Return the number that a text such as ``1.5`` means, None if it means none."""
    return Fraction(text) if _DECIMAL.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times the normal."""

    name: ClassVar[str] = "ratio"

    def parse(self, said: str) -> Fraction:
        """Return the ratio; raise `ValueError`."""
        number = decimal(said)
        if not number:
            raise ValueError(f"{said!r} is not a ratio such as 2 or 0.5")
        return number

    def written(self, said: str) -> tuple[str, str | None]:
        """Return the number without needless digits: 1.0 is 1."""
        self.parse(said)
        return f"{Decimal(said).normalize():f}", None

    def judge(self, text: str, unit: str | None = None) -> None:  # noqa: ARG002 - wishes have no units beside them
        """Refuse what means nothing; a driver alone can say more."""
        self.parse(text)

    def describe(self) -> str:
        """Say what may be said."""
        return "a number above 0, such as 2 or 0.5; 1 is what a domain has when nothing is said"


@dataclass(frozen=True, slots=True)
class HostCpus:
    """An amount of CPU time, in CPUs of the host: ``150%`` or ``1.5``, or none for no limit."""

    most: int | None = None
    name: ClassVar[str] = "host CPUs"

    def parse(self, said: str) -> Fraction | None:
        """Return how many CPUs, None for no limit; raise `ValueError`."""
        if said == NONE:
            return None
        number = decimal(said.removesuffix("%"))
        if number is None or not number:
            raise ValueError(f"{said!r} is not a number of host CPUs, such as 150% or 1.5, or none")
        cpus = number / 100 if said.endswith("%") else number
        if self.most is not None and cpus > self.most:
            raise ValueError(f"{said} is more than the {self.most * 100}% of a host CPU that a vCPU can use")
        return cpus

    def written(self, said: str) -> tuple[str, str | None]:
        """Return the text itself."""
        self.parse(said)
        return said, None

    def judge(self, text: str, unit: str | None = None) -> None:  # noqa: ARG002 - wishes have no units beside them
        """Refuse what means nothing; a driver alone can say more."""
        self.parse(text)

    def describe(self) -> str:
        """Say what may be said."""
        most = "" if self.most is None else f", {self.most * 100}% at most"
        return f"CPUs of the host, such as 150% or 1.5{most}; or none"


@dataclass(frozen=True, slots=True)
class Either:
    """One of a few words, or a value of another kind."""

    words: tuple[str, ...]
    kind: Kind

    @property
    def name(self) -> str:
        """What the other kind is called."""
        return self.kind.name

    def written(self, said: str) -> tuple[str, str | None]:
        """Return a word as it is, and the rest as the other kind has it."""
        if said in self.words:
            return said, None
        try:
            return self.kind.written(said)
        except ValueError as error:
            raise ValueError(f"{error}, nor {' or '.join(self.words)}") from None

    def judge(self, text: str, unit: str | None = None) -> None:
        """Refuse what the other kind refuses."""
        if text not in self.words:
            self.kind.judge(text, unit)

    def describe(self) -> str:
        """Say what may be said."""
        return f"{', '.join(self.words)}, or {self.kind.describe()}"
