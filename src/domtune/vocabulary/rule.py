"""The shapes of the rules across parameters: what must, and what may not, be said together. Data, judged elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Is:
    """A parameter is said, with one of these values if there are any; its keys are those of what it is compared to."""

    param: str
    values: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()  # of one element only: ("rtc",)
    above: int | None = None  # the number is above this
    limiting: bool = False  # the value is a limit: not none
    same: bool = False  # the value is that of the other
    or_nothing: bool = False  # not said at all will do


@dataclass(frozen=True, slots=True)
class Rule:
    """What all rules say."""

    name: str
    why: str  # the reason in words, said of the parameter that is at fault
    way: str  # the way out
    source: str  # the function of libvirt, or the document of the kernel or QEMU, that knows it
    drivers: tuple[str, ...] = ()  # that refuse it; (): libvirt itself does, for whatever driver honours the values
    cgroup: int = 0  # the cgroup version that refuses it; 0: it is not about cgroups


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs(Rule):
    """Where `what` holds, one of `others` must."""

    what: Is
    others: tuple[Is, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Never(Rule):
    """Where `what` holds, `beside` may not, unless `unless` does. Without `beside`, `what` itself may not."""

    what: Is
    beside: Is | None = None
    unless: Is | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAbove(Rule):
    """A number may not be above another. The rule speaks of `high`: that is at fault."""

    low: str
    high: str
    endless: bool = False  # where `low` is not said it has no limit; else it does not count


@dataclass(frozen=True, slots=True, kw_only=True)
class Share(Rule):
    """The CPU time of a part, quota by period, may not be above that of the whole."""

    part: str
    whole: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart(Rule):
    """Sets of ids are the same or share none: the first keys of these rows, or the values of one."""

    params: tuple[str, ...]
    values: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone(Rule):
    """The value `word` in one part of a key excludes others that differ in no other part."""

    param: str
    part: int
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Once(Rule):
    """Only one `what` may be without `without`."""

    what: str
    without: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike(Rule):
    """Devices with the same value of `by` have the same values of its family, or say nothing of it but for one."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InDomain(Rule):
    """What a value or key names, the domain must have; an amount may not be above its own."""

    param: str
    has: str  # "vCPUs", "memory", "IOThreads", "guest NUMA cells"
    key: bool = False  # it is the last key that names it


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts(Rule):
    """A number may not be below how many another row names."""

    number: str
    each: str


AnyRule: TypeAlias = Counts | Needs | Never | NotAbove | Share | Apart | Alone | Once | Alike | InDomain
