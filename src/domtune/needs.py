"""What must stay in a definition because the domain would not start, or not be safe, without it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from domtune import tree
from domtune.kinds import Size
from domtune.tree import Element
from domtune.vocabulary.model import Needs

# Devices for which libvirt locks the guest's memory: every one of a tag (None), or those of these types.
_LOCKING: dict[str, set[str] | None] = {
    "hostdev": None,
    "interface": {"hostdev", "vdpa"},
    "disk": {"nvme", "vhostvdpa"},
}
_SHARING = ("interface", "disk", "filesystem", "video")
MEMFD = "memfd"
_MEMORY = Size("KiB", 1)


class Stay(NamedTuple):
    """What stays, and whether memory that remains shared needs something else to be made of."""

    needs: frozenset[Needs] = frozenset()
    memfd: bool = False


def what_stays(root: Element, *, guest_visible: bool, memlock: bool) -> Stay:
    """Return what of this domain's tuning its devices need.

    `memlock` says that the user takes hard_limit and locked out all the same: with VFIO, vDPA and NVMe devices
    libvirt locks the guest's memory, and hard_limit overrides its own reckoning (qemuDomainGetMemLockLimitBytes).

    Memory that is shared lies in a file below the daemon's directory unless huge pages or a memfd source hold it, so
    where huge pages leave and sharing stays, a memfd source must take their place.
    """
    backing = next(root.iterchildren("memoryBacking"), None)
    stay = set(_told_twice(root))
    if any(iommu.find("driver[@intremap='on']") is not None for iommu in tree.devices(root, "iommu")):
        stay.add(Needs.REMAPPING)
    if not memlock and any(_locks(device) for device in tree.devices(root, *_LOCKING)):
        stay.add(Needs.MEMLOCK)
    sharing_device = any(_shares(device) for device in tree.devices(root, *_SHARING))
    if sharing_device:
        stay |= {Needs.SHARED_ACCESS, Needs.SHARED_SOURCE}
    elif guest_visible or not _is_shared(root, backing):
        return Stay(frozenset(stay))
    source = None if backing is None else backing.find("source")
    has_memfd = source is not None and source.get("type") == MEMFD
    has_pages = backing is not None and backing.find("hugepages") is not None
    if sharing_device and has_pages and not has_memfd:
        stay.add(Needs.SHARED_PAGES)
    memfd = not sharing_device and has_pages and not has_memfd
    if not memfd:
        stay.add(Needs.SHARED_SOURCE)
    return Stay(frozenset(stay), memfd)


def _told_twice(root: Element) -> Iterator[Needs]:
    """Give what libvirt adds again by itself, since the definition says it in another place too."""
    amounts = [root.find(tag) for tag in ("memory", "currentMemory")]
    if None not in amounts and len({_amount(each) for each in amounts if each is not None}) == 1:
        yield Needs.ALL_MEMORY
    if root.find("vcpus/vcpu") is not None:
        yield Needs.VCPU_LIST


def _amount(element: Element) -> object:
    """Return an amount of memory, or the element itself where it says none: that is like no other."""
    try:
        return _MEMORY.parse((element.text or "").strip(), element.get("unit"))
    except ValueError:
        return element


def _locks(device: Element) -> bool:
    """Tell whether libvirt locks the guest's memory for a device."""
    wanted = _LOCKING.get(tree.tag(device), ())
    return wanted is None or device.get("type") in wanted


def _shares(device: Element) -> bool:
    """Tell whether another process must reach the guest's memory for a device."""
    if device.get("type") == "vhostuser":
        return True
    driver = next(device.iterchildren("driver"), None)
    return driver is not None and (driver.get("type") == "virtiofs" or driver.get("name") == "vhostuser")


def _is_shared(root: Element, backing: Element | None) -> bool:
    access = None if backing is None else backing.find("access")
    if access is not None and access.get("mode") == "shared":
        return True
    return any(cell.get("memAccess") == "shared" for cell in root.iterfind("cpu/numa/cell"))
