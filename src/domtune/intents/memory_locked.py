"""memory.locked: the domain's memory is never swapped out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domtune.intents.model import Around, Intent, Want, Way
from domtune.kinds import DEFAULT, YES_NO
from domtune.tuning import Setting


def _locked(want: Want, _: Around) -> Iterator[Setting]:
    yield want.sets("memory.backing.locked", "true" if want.text == "yes" else DEFAULT)


def _always(_: Want, __: Around) -> Iterable[Setting]:
    return ()


_PARAMS = ("memory.backing.locked",)

MEMORY_LOCKED = Intent(
    "memory.locked",
    YES_NO,
    "Whether all of the domain's memory is kept from being swapped out.",
    "yes",
    {
        "qemu": Way(_PARAMS, _locked, "without memory.limit.hard nothing limits what is locked"),
        "bhyve": Way(_PARAMS, _locked),
        "test": Way(_PARAMS, _locked),
        "lxc": "libvirt locks no memory of containers; memory.limit.swap_hard, which leaves no swap, comes nearest",
        "xen": Way((), _always, "Xen never swaps a domain's memory, unless xenpaging was started for it"),
        "ch": "libvirt locks none of its memory; memory.limit.swap_hard, which leaves no swap, comes nearest",
        "vz": "libvirt locks no memory of Virtuozzo; a host without swap comes nearest",
        "esx": "a reservation of all its memory, in set: memory.guarantee, comes nearest",
    },
)
