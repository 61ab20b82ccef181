"""How a disk's driver works: cache, kind of I/O, its IOThread, its queues."""

from __future__ import annotations

from collections.abc import Mapping

from domtune.kinds import ON_OFF, Enum, Int, Kind, Size
from domtune.vocabulary.facts import STORED, created, facts, qemu_only
from domtune.vocabulary.model import Cannot, Class, Fact, Kept, Needs, On, Param, Reason, Source

_UINT = Int(1, 2**32 - 1)
_VIRTIO = On("target/@bus", ("virtio",), "virtio disks")
_PLAIN = On("@device", ("disk",), "disks that are no drive and no LUN")
_WRITABLE = On("readonly", ("no",), "disks that are not read-only")
_QCOW2 = On("driver/@type", ("qcow2",), "qcow2 images")
_SILENT = "a change on a running domain is reported as done and does nothing"


def _host_side(*on: On, caveat: str = "", vz: Reason | None = None) -> Mapping[str, Fact | Cannot]:
    evidence = "qemuValidateDomainDeviceDefDiskFrontend; qemuDomainDiskChangeSupported"
    return qemu_only(created(evidence, source=Source.LIVE, only_on=on, caveat=caveat), vz=vz)


def _seen(word: str, kind: Kind, help_: str, example: str, caveat: str = _SILENT) -> Param:
    """Declare an attribute that is part of the device which the guest sees."""
    evidence = "virDomainDiskDefValidate; qemuDomainDiskChangeSupported"
    fact = created(evidence, source=Source.LIVE, saved=Kept.FIXED, only_on=(_VIRTIO,), caveat=caveat)
    path = f"devices/=disk[?disk]/driver/@{word}"
    return Param(f"disk.driver.{word}", path, kind, help_, example, qemu_only(fact), cls=Class.GUEST_VISIBLE)


HOST = (
    Param(
        "disk.driver.cache",
        "devices/=disk[?disk]/driver/@cache",
        Enum(("default", "none", "writethrough", "writeback", "directsync", "unsafe")),
        "How the host caches the disk; decides what survives a crash of the host.",
        "none",
        facts(
            {
                "qemu": created(
                    "qemuDomainDiskChangeSupported",
                    source=Source.LIVE,
                    caveat="unsafe loses data when the host fails; none and directsync bypass the host's cache",
                ),
                "esx": created("virVMXFormatDisk: writeThrough", accepts=("writethrough",)),
                "test": STORED,
            },
            ignored="lxc xen ch bhyve vz",
            why={
                "lxc": "a container's disk has no cache of its own; nbd takes only default and none",
                "vz": "vz does not honour it; whether it refuses the document was not checked",
            },
        ),
        cls=Class.GUEST_VISIBLE,
    ),
    Param(
        "disk.driver.io",
        "devices/=disk[?disk]/driver/@io",
        Enum(("threads", "native", "io_uring")),
        "How QEMU asks the host for the disk's I/O.",
        "native",
        qemu_only(
            created(
                "qemuDomainDiskChangeSupported",
                source=Source.LIVE,
                caveat="native needs the cache none or directsync, or the domain does not start",
            ),
            vz=Reason.REJECTED,
            why={"vz": "vz takes only native, which it uses anyway"},
        ),
    ),
    Param(
        "disk.driver.iothread",
        "devices/=disk[?disk]/driver/@iothread",
        _UINT,
        "IOThread that does the disk's I/O.",
        "1",
        _host_side(_VIRTIO, caveat="a running disk keeps the thread that it has", vz=Reason.REJECTED),
        needs=Needs.IOTHREADS,
    ),
    Param(
        "disk.driver.ioeventfd",
        "devices/=disk[?disk]/driver/@ioeventfd",
        ON_OFF,
        "Whether requests of the disk are taken up outside the vCPU's thread.",
        "on",
        _host_side(_VIRTIO),
    ),
    Param(
        "disk.driver.copy_on_read",
        "devices/=disk[?disk]/driver/@copy_on_read",
        ON_OFF,
        "Whether what is read from a backing image is copied into the disk's own.",
        "on",
        _host_side(_WRITABLE, _PLAIN, vz=Reason.REJECTED),
    ),
    Param(
        "disk.driver.detect_zeroes",
        "devices/=disk[?disk]/driver/@detect_zeroes",
        Enum(("off", "on", "unmap")),
        "Whether writes of zeroes are turned into something cheaper.",
        "unmap",
        _host_side(caveat=f"unmap without discard is the same as on; {_SILENT}"),
    ),
    Param(
        "disk.driver.discard",
        "devices/=disk[?disk]/driver/@discard",
        Enum(("ignore", "unmap")),
        "Whether the guest's discards free space on the host.",
        "unmap",
        facts(
            {
                "qemu": created("qemuDomainDiskChangeSupported", source=Source.LIVE),
                "xen": created("libxlDiskSetDiscard", caveat="writable disks only"),
                "test": STORED,
            },
            ignored="lxc ch bhyve esx",
            rejected="vz",
        ),
        cls=Class.GUEST_VISIBLE,
    ),
    Param(
        "disk.driver.metadata_cache",
        "devices/=disk[?disk]/driver/+metadata_cache/!max_size/text()&unit",
        Size("B", 1),
        "Most memory for cached tables of a qcow2 image.",
        "8 MiB",
        qemu_only(
            created(
                "qemuDomainValidateStorageSource; qemuBlockStorageSourceGetFormatQcow2Props",
                source=Source.LIVE,
                only_on=(_QCOW2,),
                caveat=_SILENT,
            )
        ),
    ),
)

SEEN = (
    _seen("queues", _UINT, "Queues of the disk that the guest can use at once.", "4"),
    _seen("queue_size", _UINT, "Requests that fit into one queue of the disk.", "256"),
    _seen("event_idx", ON_OFF, "Whether guest and host save interrupts by looking at their ring positions.", "off", ""),
    _seen("packed", ON_OFF, "Whether the disk uses the packed form of virtio rings.", "on"),
    _seen("page_per_vq", ON_OFF, "Whether each of the disk's queues has a page for its notifications.", "on"),
)

ROWS = (*HOST, *SEEN)
