"""Portable wishes: what a profile says of them, and what becomes of one on a driver and host."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from domtune.host import Host
from domtune.keys import ALL
from domtune.kinds import DEFAULT, NONE
from domtune.tree import Element
from domtune.tuning import Setting
from domtune.vocabulary import PARAMS
from domtune.vocabulary.model import DRIVERS


class Kind(Protocol):
    """How the value of a wish is read; the kinds of parameters will do."""

    @property
    def name(self) -> str:
        """What the kind is called."""

    def written(self, said: str) -> tuple[str, str | None]:
        """Raise `ValueError` with the reason if this means nothing."""

    def judge(self, text: str, unit: str | None = None) -> None:
        """Raise `ValueError` with the reason if nothing would take what was written."""

    def describe(self) -> str:
        """Return what may be said, in words."""


class CannotMeet(Exception):
    """A wish that this driver or host cannot meet; the text says why, and what comes nearest."""


class Want(NamedTuple):
    """One wish, as it was written."""

    intent: Intent
    keys: tuple[str, ...]  # the device's selector, where the wish is about devices
    text: str
    source: str = ""
    line: int = 0
    demanded: bool = False  # what cannot be met is an error before anything starts

    @property
    def param(self) -> Intent:
        """What the wish is about, by the name that a setting has for it."""
        return self.intent

    @property
    def unit(self) -> None:
        """No wish has one beside it."""
        return None

    @property
    def said(self) -> str:
        """The value as a profile says it."""
        return self.text

    @property
    def origin(self) -> str:
        """File and line that it came from."""
        return f"{self.source}:{self.line}" if self.line else self.source

    @property
    def name(self) -> str:
        """The name with the selector in it: ``disk[vda].read``."""
        device, name = self.intent.device, self.intent.name
        return f"{device}[{self.keys[0]}]{name[len(device) :]}" if device else name

    @property
    def wish(self) -> str:
        """Name and value, as what comes of it remembers it."""
        return f"{self.name} {self.text}"

    @property
    def address(self) -> tuple[str, tuple[str, ...]]:
        """What the wish is about, whatever the value."""
        return self.intent.name, self.keys

    @property
    def is_default(self) -> bool:
        """Whether it only takes away what a wider layer says."""
        return self.text == DEFAULT

    def sets(self, name: str, text: str, *keys: str, unit: str | None = None) -> Setting:
        """Return a parameter's setting that comes of this wish; a device's selector is its first key."""
        all_keys = (*self.keys, *keys)
        return Setting(PARAMS[name], all_keys, text, unit, self.source, self.line, self.demanded, self.wish)


@dataclass(frozen=True, slots=True)
class Site:
    """Where wishes are to be met: a driver, a host as far as it is known, a domain."""

    driver: str
    host: Host = field(default_factory=Host)
    root: Element | None = None  # the definition


@dataclass(frozen=True, slots=True)
class Around:
    """What else is wanted of the domain while a wish is resolved."""

    site: Site
    wants: Mapping[tuple[str, tuple[str, ...]], Want] = field(default_factory=dict)  # the narrowest of each
    settings: Sequence[Setting] = ()  # what holds in the end, for wishes that are resolved last


NOTHING = {DEFAULT, "no"}

Resolve = Callable[[Want, Around], Iterable[Setting]]


@dataclass(frozen=True, slots=True)
class Way:
    """How one driver meets a wish: the parameters that it may become, and what makes them."""

    params: tuple[str, ...]
    resolve: Resolve
    caveat: str = ""
    value: tuple[str, ...] = ()  # those of them that say as much as the wish; () for each

    @property
    def replaced_by(self) -> tuple[str, ...]:
        """The parameters any of which takes the place of the wish where a narrower layer says it."""
        return self.value or self.params


@dataclass(frozen=True, slots=True, eq=False)
class Intent:
    """One portable wish."""

    name: str
    kind: Kind
    help: str  # one sentence
    example: str
    drivers: Mapping[str, Way | str]  # a way, or why there is none and what comes nearest
    device: str = ""  # the word that takes a selector: disk, net
    late: bool = False  # resolved when it is known where the vCPUs run
    later: str = ""  # why it is refused in this version
    normal: str = NONE  # what a domain has when nothing is said

    def __post_init__(self) -> None:
        """Raise `ValueError` when a driver has no place."""
        if not self.later and set(self.drivers) != set(DRIVERS):
            raise ValueError(f"{self.name}: drivers without a place, or unknown: {set(self.drivers) ^ set(DRIVERS)}")

    @property
    def params(self) -> frozenset[str]:
        """Every parameter that it may become on some driver."""
        ways = (way for way in self.drivers.values() if isinstance(way, Way))
        return frozenset(name for way in ways for name in way.params)


def judge(want: Want) -> None:
    """Raise `ValueError` for a value that is understood, but that nothing would take."""
    text, unit = want.intent.kind.written(want.text)
    if text != DEFAULT:
        want.intent.kind.judge(text, unit)


def resolve(want: Want, around: Around) -> list[Setting]:
    """Return the settings that a wish becomes here; raise `CannotMeet`.

    `default` takes away whatever a wider layer said of these parameters. Where a driver has no way, to be as it is
    when nothing is said is no wish.
    """
    way = want.intent.drivers[around.site.driver]
    if isinstance(way, str):
        if want.text in NOTHING or want.intent.normal in {want.text, want.intent.kind.written(want.text)[0]}:
            return []
        raise CannotMeet(f"{around.site.driver}: {way}")
    if want.is_default:
        return [want.sets(name, DEFAULT, *_any_key(name)) for name in (*way.params, *_left_alone(way))]
    try:
        judge(want)
    except ValueError as error:  # what was read has a meaning, but perhaps one that nothing would take
        raise CannotMeet(str(error)) from None
    return list(way.resolve(want, around))


def _left_alone(way: Way) -> list[str]:
    """Return what else a domain may say of the families of a way, which means nothing without it."""
    rows = [PARAMS[name] for name in way.params if not PARAMS[name].device]
    kin = (row for row in PARAMS.values() if any(row.family and row.family == each.family for each in rows))
    return [row.name for row in kin if row not in rows and "#" not in row.key_forms]


def _any_key(name: str) -> tuple[str, ...]:
    """Return the keys that mean all there is below the device."""
    forms = PARAMS[name].key_forms
    return tuple(ALL for form in forms if form.startswith("@"))
