"""Devices by selector: which disk is disk[vda], and what a device is best called."""

from __future__ import annotations

from collections.abc import Callable

from domtune.keys import ALL
from domtune.tree import Element, tag

EVERY = "*"


def _dev(device: Element) -> str | None:
    target = next(device.iterchildren("target"), None)
    return None if target is None else target.get("dev") or target.get("dir")


def _mac(device: Element) -> str | None:
    mac = next(device.iterchildren("mac"), None)
    address = None if mac is None else mac.get("address")
    return None if address is None else address.lower()


def _alias(device: Element) -> str | None:
    alias = next(device.iterchildren("alias"), None)
    return None if alias is None else alias.get("name")


def _user_alias(device: Element) -> str | None:
    alias = _alias(device)  # only aliases of this prefix are the user's; libvirt makes up the others at each start
    return alias if alias is not None and alias.startswith("ua-") else None


# What a device is called, best first: what a user would know it by, and what survives a restart.
_NAMES: dict[str, tuple[Callable[[Element], str | None], ...]] = {
    "disk": (_dev,),
    "interface": (_mac, _user_alias),
    "filesystem": (_dev, _user_alias),
}
_OTHERS = (_user_alias,)


def selectors(devices: list[Element]) -> list[str]:
    """Return what each of these devices (all of one tag, in document order) is called: its selector.

    That is the target of a disk or file system, the MAC of a NIC, the user's alias of others; where that is missing,
    not unique, or could be taken for a position, the position counted from 0.
    """
    found: list[str] = [str(number) for number in range(len(devices))]
    for name in reversed(_NAMES.get(tag(devices[0]), _OTHERS) if devices else ()):
        names = [name(device) for device in devices]
        for number, called in enumerate(names):
            if called and _is_word(called) and names.count(called) == 1:
                found[number] = called
    return found


def select(devices: list[Element], selector: str) -> list[Element]:
    """Return the devices that a selector means: none, one, or for ``*`` all that are meant by it.

    ``*`` means writable disks of device='disk' (virsh's notion of a disk that has I/O to limit), and every device of
    other tags. A number is a position counted from 0; else the selector is a target, an alias or a MAC, in this order.
    """
    if selector == EVERY:
        return [device for device in devices if device.tag != "disk" or _is_plain_disk(device)]
    if selector.isdecimal():
        return devices[int(selector) :][:1] if len(selector) < 10 else []
    for name in (_dev, _alias, _mac):
        wanted = selector.lower() if name is _mac else selector
        if named := [device for device in devices if name(device) == wanted]:
            return named[:1] if len(named) == 1 else []
    return []


def _is_plain_disk(disk: Element) -> bool:
    return disk.get("device", "disk") == "disk" and disk.find("readonly") is None


def _is_word(name: str) -> bool:
    return not (name.isdecimal() or name in {EVERY, ALL} or "[" in name or "]" in name or name.strip() != name)
