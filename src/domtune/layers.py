"""Stack layers of settings, wide to narrow: the narrower wins, and a family is replaced whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from domtune.intents.model import Want
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

    def called(self, profile: Profile) -> str:
        """Return the name of one of the profiles, with the names of those through which it was inherited."""
        names = [profile.name]
        for each in self.profiles[self.profiles.index(profile) + 1 :]:
            if any(inherited.rpartition("/")[2].partition(".")[0] == names[-1] for inherited in each.inherits):
                names.append(each.name)
        return ", inherited by ".join(names)


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


def stack(layers: Iterable[Sequence[Setting]]) -> list[Setting]:
    """Return the settings that hold when each layer lies over those before it.

    The later layer wins for each setting (parameter, device, key). What belongs to a family - the pins, one disk's
    iotune, huge pages - is taken from the last layer that says anything of it. `default` takes away what was below and
    stays as a setting of its own only if the definition could say something else.
    """
    found: dict[tuple[str, tuple[str, ...]], Setting] = {}
    for layer in layers:
        replaced = {setting.family for setting in layer if setting.param.family}
        found = {address: below for address, below in found.items() if below.family not in replaced}
        for setting in layer:
            found.pop(setting.address, None)
            found[setting.address] = setting
    return list(found.values())


def stacked(layers: Sequence[Layer], problems: list[str]) -> list[Setting]:
    """Return the settings that hold, scope over scope.

    Bindings of one scope are side by side: what they say is put together, and where two of them give one parameter
    different values, that is added to `problems` with both lines.
    """
    found: list[Setting] = []
    for _, of_scope in groupby(layers, lambda layer: layer.scope):
        lists = [stack(layer.settings for layer in each) for _, each in groupby(of_scope, lambda layer: layer.bound)]
        found = stack([found, _side_by_side(lists, problems)])
    return found


def _side_by_side(lists: Sequence[Sequence[Setting]], problems: list[str]) -> list[Setting]:
    said: dict[tuple[str, tuple[str, ...]], Setting] = {}
    faults: dict[tuple[str, ...], str] = {}  # one of each two lines, whatever number of vCPUs or disks they speak of
    for setting in (each for settings in lists for each in settings):
        other = said.setdefault(setting.address, setting)
        if other != setting and (other.value is None or other.value != setting.value):
            lines = (setting.origin, setting.param.name, other.origin)
            faults.setdefault((setting.by, other.by) if setting.by and other.by else lines, differing(setting, other))
    problems += faults.values()
    return list(said.values())


def differing(one: Setting | Want, other: Setting | Want) -> str:
    """Say that two bindings of one scope differ."""
    wish, others = (each.wish if isinstance(each, Want) else each.by for each in (one, other))
    said, others = wish or f"{one.name} {one.said}", others or other.said
    where = f"{other.origin} says {others}, and bindings of one scope may not differ"
    return f"{one.origin}: {said}: {where}; take one out, or bind it to a narrower scope"
