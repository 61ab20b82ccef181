"""Tuning as data: settings of parameters, and what no parameter can say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from domtune.kinds import DEFAULT, Value
from domtune.vocabulary.model import Param

RATIO = "times "  # begins the text of what is so many times what the running domain has by itself


class Setting(NamedTuple):
    """One value of one parameter, as it was written. Compares by value: where it came from does not count."""

    param: Param
    keys: tuple[str, ...]  # of the steps that repeat: the device's selector, the vCPU's id, …
    text: str
    unit: str | None = None
    source: str = ""  # the file that it came from, or the domain
    line: int | None = 0
    demanded: bool = False  # what cannot be done is an error before anything starts
    by: str = ""  # the portable wish that became this setting: "cpu.weight 2"

    def __eq__(self, other: object) -> bool:
        """Compare parameter, keys and text."""
        return isinstance(other, Setting) and self[:4] == other[:4]

    def __ne__(self, other: object) -> bool:
        """Compare parameter, keys and text."""
        return not self == other

    def __hash__(self) -> int:
        """Hash what is compared."""
        return hash(self[:4])

    @property
    def origin(self) -> str:
        """File and line that it came from."""
        return f"{self.source}:{self.line}" if self.line else self.source

    @property
    def name(self) -> str:
        """The parameter's name with its keys in it: ``disk[vda].iotune.read_iops_sec``, ``cpu.vcpu.pin[0]``."""
        keys = list(self.keys)
        name, device = self.param.name, self.param.device
        if device:
            name = f"{device}[{keys.pop(0)}]{name[len(device) :]}"
        return name + "".join(f"[{key}]" for key in keys)

    @property
    def address(self) -> tuple[str, tuple[str, ...]]:
        """What the setting sets, whatever the value."""
        return self.param.name, self.keys

    @property
    def family(self) -> tuple[str, str]:
        """What is replaced as a whole together with this setting: the family and the device."""
        device = self.keys[0] if self.param.device else ""
        return self.param.family, device

    @property
    def is_default(self) -> bool:
        """Whether the setting only takes away what a wider layer, or the definition, says."""
        return self.text == DEFAULT and self.unit is None

    @property
    def is_ratio(self) -> bool:
        """Whether the number is known only when the running domain has told what it has by itself."""
        return bool(self.by) and self.text.startswith(RATIO)

    @property
    def value(self) -> Value | None:
        """The parsed form, or None if the text has no meaning."""
        try:
            return self.param.kind_of(self.keys).parse(self.text, self.unit)
        except ValueError:
            return None

    @property
    def said(self) -> str:
        """The value as a profile says it."""
        if self.is_ratio:
            return f"{self.text.removeprefix(RATIO)} times the normal"
        return self.text if self.is_default else self.param.kind_of(self.keys).said(self.text, self.unit) or self.text


class Place(StrEnum):
    """Where a verbatim piece belongs, seen from an element of the complete document."""

    AFTER = "after"
    FIRST = "first-in"
    BEFORE = "before"
    LAST = "last-in"
    ON = "on"
    ORDER = "order"
    FOLLOWS = "follows"
    PRECEDES = "precedes"


class Verbatim(NamedTuple):
    """What no parameter can say: a piece of XML below a tuning element and its place, or the order of elements."""

    place: Place
    path: str
    xml: str = ""  # an element, comment or processing instruction
    text: str = ""  # stray text
    attributes: tuple[tuple[str, str], ...] = ()
    keys: tuple[str, ...] = ()  # of elements of one tag, in their order


@dataclass(frozen=True, slots=True)
class Tuning:
    """How a domain should run, apart from what it is. Ordered as it was written; compares by value."""

    settings: tuple[Setting, ...] = ()
    verbatim: tuple[Verbatim, ...] = ()

    def __iter__(self) -> Iterator[Setting]:
        """Give each setting in the order written."""
        return iter(self.settings)

    def __len__(self) -> int:
        """Count settings and verbatim pieces: an empty tuning is false."""
        return len(self.settings) + len(self.verbatim)

    def get(self, name: str, *keys: str) -> Setting | None:
        """Return the setting of this parameter and these keys."""
        return next((setting for setting in self.settings if setting.address == (name, keys)), None)


class Split(NamedTuple):
    """A domain in two parts: what it is, and how it should run."""

    definition: str
    tuning: Tuning
