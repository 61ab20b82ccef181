"""Stack layers of settings, wide to narrow: the narrower wins, and a family is replaced whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

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
