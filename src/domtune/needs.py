"""What must stay in a definition because the domain would not start, or not be safe, without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domtune import tree
from domtune.tree import Element
from domtune.vocabulary.model import Needs

# Devices below <devices> by tag, with the attribute and value that make them lock or share the guest's memory.
_LOCKING = {"hostdev": None, "interface": ("type", {"hostdev", "vdpa"}), "disk": ("type", {"nvme", "vhostvdpa"})}
_SHARING = {"interface": ("type", {"vhostuser"}), "disk": ("type", {"vhostuser"})}
_SHARING_DRIVERS = {"filesystem": ("type", "virtiofs"), "video": ("name", "vhostuser")}
MEMFD = "memfd"


@dataclass(frozen=True, slots=True)
class Stay:
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
    backing = root.find("memoryBacking")
    stay: set[Needs] = set()
    if not memlock and (backing is not None or root.find("memtune") is not None) and _has_locking_device(root):
        stay.add(Needs.MEMLOCK)
    sharing_device = _has_sharing_device(root)
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


def _has_locking_device(root: Element) -> bool:
    return any(_matches(device, _LOCKING) for device in root.iterfind("devices/*"))


def _has_sharing_device(root: Element) -> bool:
    for device in root.iterfind("devices/*"):
        if _matches(device, _SHARING):
            return True
        if found := _SHARING_DRIVERS.get(tree.tag(device)):
            driver = device.find("driver")
            if driver is not None and driver.get(found[0]) == found[1]:
                return True
    return False


def _matches(device: Element, table: Mapping[str, tuple[str, set[str]] | None]) -> bool:
    if tree.tag(device) not in table:
        return False
    wanted = table[tree.tag(device)]
    return wanted is None or device.get(wanted[0]) in wanted[1]


def _is_shared(root: Element, backing: Element | None) -> bool:
    access = None if backing is None else backing.find("access")
    if access is not None and access.get("mode") == "shared":
        return True
    return any(cell.get("memAccess") == "shared" for cell in root.iterfind("cpu/numa/cell"))
