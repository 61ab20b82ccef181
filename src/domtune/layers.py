"""Stack layers of settings, wide to narrow: the narrower wins, and who sets something of a family replaces it whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from domtune.intents.model import Want
from domtune.kinds import Flag
from domtune.profile import Block, Profile
from domtune.tuning import Setting


class Scope(StrEnum):
    """For what a layer holds, wide to narrow."""

    SHIPPED = "shipped"
    SITE = "site"
    HOST = "host"
    HYPERVISOR = "hypervisor"
    STORED = "stored definition"
    DOMAIN = "domain"
    COMMAND = "command line"


ORDER = {scope: width for width, scope in enumerate(Scope)}


@dataclass(frozen=True, slots=True)
class Bound:
    """Profiles that one binding, or the command line, brings in: one list, in which the later wins."""

    scope: Scope
    origin: str  # where it is said that they hold
    profiles: tuple[Profile, ...]  # each after what it inherits

    @property
    def required(self) -> bool:
        """Whether one of them demands all that the list says."""
        return any(profile.required for profile in self.profiles)


@dataclass(frozen=True, slots=True)
class Layer:
    """One block of one profile, or the stored definition, as it holds for one domain."""

    scope: Scope
    bound: int  # which of the bindings it comes from: those of one number are one list
    origin: str  # where it is said that it holds
    profile: str  # its name, and through which others it was asked for; "" for the stored definition
    block: Block
    settings: tuple[Setting, ...] = ()  # what its wishes became included, each device and id by itself


def lies_over(later: Layer, earlier: Layer) -> bool:
    """Tell whether the later of two layers replaces what the earlier says: bindings of one scope are side by side."""
    return later.scope is not earlier.scope or later.bound == earlier.bound


Address = tuple[str, tuple[str, ...]]


class Cover:
    """What a layer takes away of those below it.

    That is each value that it says anew, the whole family of each that it sets, and what stands below a `default`:
    without huge pages there are no sizes of them.
    """

    def __init__(self, layer: Iterable[Setting]) -> None:
        """Look through a layer once."""
        self.said: dict[Address, Setting] = {}
        self.sets: dict[tuple[str, str], Setting] = {}  # the first of each family
        self.unsaid: dict[tuple[str, str], dict[str, Setting]] = {}  # the rows of a family that are to be as by default
        for setting in layer:
            self.said[setting.address] = setting
            if setting.param.family and setting.is_default:
                self.unsaid.setdefault(setting.family, {})[setting.param.name] = setting
            elif setting.param.family:
                self.sets.setdefault(setting.family, setting)

    def over(self, below: Setting) -> Setting | None:
        """Return what takes a setting of a wider layer away, None if nothing does."""
        return self.said.get(below.address) or self.of_family(below)

    def of_family(self, below: Setting) -> Setting | None:
        """Return what takes a setting away that the layer does not say itself."""
        return (self.sets.get(below.family) or self.above(below)) if below.param.family else None

    def above(self, below: Setting) -> Setting | None:
        """Return the `default` of what a setting is a part of."""
        rows = self.unsaid.get(below.family, {})
        return next((each for name, each in rows.items() if below.param.name.startswith(f"{name}.")), None)


class Dispute(NamedTuple):
    """Two bindings of one scope that say different things of one value."""

    one: Setting | Want
    other: Setting | Want  # of the earlier binding
    at: str  # where the one is bound
    other_at: str

    def __str__(self) -> str:
        wish, others = (each.wish if isinstance(each, Want) else each.by for each in (self.one, self.other))
        said, others = wish or f"{self.one.name} {self.one.said}", others or self.other.said
        where = f"{self.other.origin} says {others}, and bindings of one scope may not differ"
        bound = f"they are bound at {self.other_at} and {self.at}"
        return f"{self.one.origin}: {said}: {where}; {bound}; take one out, or bind it to a narrower scope"

    @property
    def lines(self) -> tuple[str, ...]:
        """What is one fault to who reads it, whatever number of vCPUs or disks it speaks of."""
        if isinstance(self.one, Setting) and isinstance(self.other, Setting) and not (self.one.by and self.other.by):
            return self.one.origin, self.one.param.name, self.other.origin
        return str(self), "", ""


def stack(layers: Iterable[Sequence[Setting]]) -> list[Setting]:
    """Return the settings that hold when each layer lies over those before it.

    The later layer wins for each setting (parameter, device, key). What belongs to a family - the pins, one disk's
    iotune, huge pages - is taken from the last layer that sets anything of it. `default` takes away what was below of
    its own row alone, and stays as a setting of its own, since the definition could say something else.
    """
    found: dict[Address, Setting] = {}
    for layer in layers:
        cover = Cover(layer)
        found = {address: below for address, below in found.items() if cover.over(below) is None}
        found |= cover.said
    return list(found.values())


def stacked(layers: Sequence[Layer], disputes: list[Dispute]) -> list[Setting]:
    """Return the settings that hold, scope over scope.

    Bindings of one scope are side by side: what they say is put together. Where two of them give one parameter
    different values, and no narrower scope says what it is to be, that is added to `disputes`.
    """
    found: list[Setting] = []
    open_: list[Dispute] = []
    for _, of_scope in groupby(layers, lambda layer: layer.scope):
        lists = [list(each) for _, each in groupby(of_scope, lambda layer: layer.bound)]
        new: list[Dispute] = []
        together = _side_by_side([(each[0].origin, stack(one.settings for one in each)) for each in lists], new)
        cover = Cover(each for of_list in lists for one in of_list for each in one.settings)
        open_ = [each for each in open_ if isinstance(each.one, Setting) and cover.over(each.one) is None] + new
        found = [*(each for each in found if cover.over(each) is None), *together]
    disputes += open_
    return found


def _side_by_side(lists: Sequence[tuple[str, Sequence[Setting]]], disputes: list[Dispute]) -> list[Setting]:
    said: dict[Address, tuple[str, Setting]] = {}
    for at, setting in ((at, each) for at, settings in lists for each in settings):
        other_at, other = said.setdefault(setting.address, (at, setting))
        if not agree(setting, other):
            disputes.append(Dispute(setting, other, at, other_at))
        elif setting.demanded and not other.demanded:
            said[setting.address] = other_at, other._replace(demanded=True)
    for at, settings in lists:
        for whole in (each for each in settings if isinstance(each.param.kind, Flag) and not each.is_default):
            disputes += (Dispute(whole, part, at, where) for where, part in said.values() if _is_part(part, whole))
        cover = Cover(settings)
        apart = (each for each in said.values() if each[0] != at and cover.unsaid)
        parts = ((cover.above(other), other, other_at) for other_at, other in apart)
        disputes += (Dispute(whole, other, at, other_at) for whole, other, other_at in parts if whole is not None)
    return [setting for _, setting in said.values()]


def _is_part(part: Setting, whole: Setting) -> bool:
    """Tell whether one setting speaks of some of what the other speaks of: sizes of huge pages, and all of one size."""
    below = part.param.name.startswith(f"{whole.param.name}.")
    return below and part.family == whole.family and not part.is_default


def agree(one: Setting, other: Setting) -> bool:
    """Tell whether two settings of one address say the same, however it is spelt."""
    return one == other or (one.value is not None and one.value == other.value)


def faults(disputes: Iterable[Dispute]) -> list[str]:
    """Say where bindings of one scope differ, once for each two lines."""
    found: dict[tuple[str, ...], str] = {}
    for each in disputes:
        found.setdefault(each.lines, str(each))
    return list(dict.fromkeys(found.values()))
