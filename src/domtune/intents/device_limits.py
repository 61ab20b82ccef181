"""Limits on the disks and NICs of a domain, by selector: disk[SEL].read, net[SEL].receive and their kin."""

from __future__ import annotations

from collections.abc import Iterator

from domtune.intents.model import Around, Intent, Resolve, Want, Way
from domtune.kinds import DEFAULT, NONE
from domtune.tuning import Setting
from domtune.vocabulary import PARAMS

_BLKIO = "blkio.device, which limits the whole domain on one device of the host, comes nearest"


def _by(name: str) -> Resolve:
    """Say the same of one parameter, but for no limit nothing: the schema refuses a rate of 0, and some pairs of 0."""

    def resolve(want: Want, _: Around) -> Iterator[Setting]:
        text, unit = (DEFAULT, None) if want.text == NONE else PARAMS[name].kind.written(want.text)
        yield want.sets(name, text, unit=unit)

    return resolve


def _disk(word: str, param: str, help_: str, example: str) -> Intent:
    name = f"disk.iotune.{param}"
    way = Way((name,), _by(name))
    return Intent(
        f"disk.{word}",
        PARAMS[name].kind,
        help_,
        example,
        {
            "qemu": way,
            "test": way,
            "lxc": f"libvirt limits no disks of containers; {_BLKIO}",
            "xen": "libvirt passes no disk limits to Xen; limits of the block device in dom0 come nearest",
            "ch": f"libvirt passes no disk limits to Cloud Hypervisor; {_BLKIO}",
            "bhyve": "bhyve limits no disks; rctl(8) on its process comes nearest",
            "vz": "libvirt refuses disk limits for Virtuozzo; prlctl set --iolimit comes nearest",
            "esx": "libvirt passes no disk limits to VMware; its own limits of a virtual disk come nearest",
        },
        device="disk",
    )


def _net(word: str, param: str, help_: str, *, xen: bool) -> Intent:
    name = f"net.bandwidth.{param}.average"
    way = Way((name,), _by(name))
    return Intent(
        f"net.{word}",
        PARAMS[name].kind,
        help_,
        "100 MiB/s",
        {
            "qemu": way,
            "lxc": way,
            "test": way,
            "xen": Way((name,), _by(name), "counted every 50 ms")
            if xen
            else "Xen limits only what a guest sends; net[…].send comes nearest",
            "ch": "libvirt limits no NICs of Cloud Hypervisor; tc(8) on its tap device comes nearest",
            "bhyve": "libvirt limits no NICs of bhyve, and nothing comes near",
            "vz": "libvirt refuses limits of NICs for Virtuozzo; its network shaping comes nearest",
            "esx": "libvirt passes no limits of NICs to VMware; traffic shaping of its port group comes nearest",
        },
        device="net",
    )


_VERBS = {"read": "read from the disk", "write": "write to the disk", "total": "read and write together on the disk"}

DISK_LIMITS = tuple(
    intent
    for word, verb in _VERBS.items()
    for intent in (
        _disk(word, f"{word}_bytes_sec", f"Most bytes that the guest may {verb} in a second.", "100 MiB/s"),
        _disk(
            f"{word}_iops",
            f"{word}_iops_sec",
            f"Most requests with which the guest may {verb} in a second.",
            "1000",
        ),
    )
)
NET_LIMITS = (
    _net(
        "receive", "inbound", "Most bytes that the guest receives by the NIC in a second, in the long run.", xen=False
    ),
    _net("send", "outbound", "Most bytes that the guest sends by the NIC in a second, in the long run.", xen=True),
)
