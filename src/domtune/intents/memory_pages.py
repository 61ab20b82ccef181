"""memory.pages: the size of the host's pages that hold the guest's memory."""

from __future__ import annotations

from collections.abc import Iterator

from domtune.intents.kinds import Either
from domtune.intents.model import Around, CannotMeet, Intent, Want, Way
from domtune.kinds import Size, in_units
from domtune.tuning import Setting
from domtune.values import scale
from domtune.vocabulary import PARAMS

HUGE = "huge"
_SIZE = PARAMS["memory.backing.hugepages.size"]


def _huge(want: Want, around: Around) -> Iterator[Setting]:
    """Say one size for all memory, or the host's default; whether the pool has enough, the start will show."""
    if want.text == HUGE:
        yield want.sets("memory.backing.hugepages", "true")
        return
    text, unit = _SIZE.kind.written(want.text)
    size = int(text) * scale(unit or "KiB")
    _check_host(want, around, size)
    _check_memory(want, around, size)
    yield want.sets(_SIZE.name, text, "0", unit=unit)


def _check_host(want: Want, around: Around, size: int) -> None:
    pages = around.site.host.pages
    if pages and size not in pages:
        has = ", ".join(in_units(page) for page in sorted(pages))
        raise CannotMeet(f"the host has no pages of {want.text}; it has {has}")


def _check_memory(want: Want, around: Around, size: int) -> None:
    memory = None if around.site.root is None else around.site.root.find("memory")
    if memory is None:
        return
    number, unit = (memory.text or "").strip(), memory.get("unit") or "KiB"
    try:
        rest = int(number) * scale(unit) % size
    except ValueError:  # libvirt says what is wrong with it
        return
    if rest:
        raise CannotMeet(f"the domain's memory, {number} {unit}, is not a whole number of pages of {want.text}")


_OWN = "{} chooses the size of pages itself; libvirt has no way to say it"

MEMORY_PAGES = Intent(
    "memory.pages",
    Either((HUGE,), Size("KiB", 1)),
    "Size of the host's pages that hold the guest's memory, or huge for the host's default huge pages.",
    "1 GiB",
    {
        "qemu": Way(("memory.backing.hugepages", _SIZE.name), _huge, "the host's pool must have enough free pages"),
        "test": Way(("memory.backing.hugepages", _SIZE.name), _huge),
        "lxc": "a container's processes choose their pages themselves; transparent huge pages come nearest",
        "xen": _OWN.format("Xen"),
        "ch": "libvirt gives Cloud Hypervisor no huge pages; transparent huge pages come nearest",
        "bhyve": "libvirt gives bhyve no huge pages; the host's superpages come nearest",
        "vz": "libvirt refuses huge pages for Virtuozzo, and nothing comes near",
        "esx": _OWN.format("VMware"),
    },
)
