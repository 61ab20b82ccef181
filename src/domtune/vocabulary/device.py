"""Other devices: controllers, shared folders, random numbers, the console."""

from __future__ import annotations

from domtune.kinds import ON_OFF, Duration, Enum, Int, Kind, Rate
from domtune.vocabulary.facts import STORED, created, facts, qemu_only
from domtune.vocabulary.model import Class, Kept, Needs, On, Param, Source

_UINT = Int(1, 2**32 - 1)
_ON_VIRTIO_SCSI = (
    On("@type", ("scsi",), "virtio-scsi controllers", unsaid=False),
    On("@model", ("virtio-scsi", "virtio-transitional", "virtio-non-transitional"), "virtio-scsi controllers"),
)
_ON_VIRTIOFS = (On("driver/@type", ("virtiofs",), "virtiofs folders", unsaid=False),)
_ON_9P = (On("driver/@type", ("path", "handle"), "folders that are not virtiofs"),)
_SCSI = "qemuValidateDomainDeviceDefControllerAttributes; qemuBuildControllerSCSIDevProps"
_VIRTIOFSD = "qemuVirtioFSBuildCommandLine"


def _controller(word: str, kind: Kind, help_: str, example: str, **rest: object) -> Param:
    saved = Kept.FIXED if rest.get("cls") is Class.GUEST_VISIBLE else Kept.YES
    return Param(
        f"controller.driver.{word}",
        f"devices/=controller[?controller]/driver/@{word}",
        kind,
        help_,
        example,
        qemu_only(created(_SCSI, source=Source.LIVE, saved=saved, only_on=_ON_VIRTIO_SCSI)),
        **rest,  # type: ignore[arg-type]
    )


CONTROLLERS = (
    _controller(
        "queues", _UINT, "Queues of the controller that the guest can use at once.", "4", cls=Class.GUEST_VISIBLE
    ),
    _controller(
        "cmd_per_lun", _UINT, "Requests that one disk of the controller may have open.", "128", cls=Class.GUEST_VISIBLE
    ),
    _controller("max_sectors", _UINT, "Most sectors that one request may speak of.", "512", cls=Class.GUEST_VISIBLE),
    _controller("ioeventfd", ON_OFF, "Whether requests are taken up outside the vCPU's thread.", "on"),
    _controller("iothread", _UINT, "IOThread that does the controller's I/O.", "1", needs=Needs.IOTHREADS),
)

XENBUS = tuple(
    Param(
        f"xen.{word}",
        f"devices/=controller{{type=xenbus}}/@{word}",
        Int(1, 2**31 - 1),
        help_,
        example,
        facts(
            {"xen": created("libxlMakeDomBuildInfo", saved=Kept.FIXED), "test": STORED},
            ignored="qemu lxc ch bhyve vz esx",
        ),
        cls=Class.GUEST_VISIBLE,
    )
    for word, help_, example in (
        ("maxGrantFrames", "Most pages of grants, which bound the I/O that a Xen guest can have open.", "64"),
        ("maxEventChannels", "Most event channels, which bound the devices and queues of a Xen guest.", "2047"),
    )
)

FOLDERS = (
    Param(
        "fs.driver.queue",
        "devices/=filesystem[?fs]/driver/@queue",
        _UINT,
        "Requests that fit into the queue of a virtiofs folder.",
        "1024",
        qemu_only(created("qemuBuildVHostUserFsDevProps", saved=Kept.FIXED, only_on=_ON_VIRTIOFS)),
        cls=Class.GUEST_VISIBLE,
    ),
    Param(
        "fs.driver.wrpolicy",
        "devices/=filesystem[?fs]/driver/@wrpolicy",
        Enum(("immediate",)),
        "Whether the host writes the guest's data to its disk at once.",
        "immediate",
        qemu_only(
            created("qemuValidateDomainDeviceDefFS; qemuBuildFSCommandLine", source=Source.LIVE, only_on=_ON_9P),
        ),
        cls=Class.GUEST_VISIBLE,
    ),
    Param(
        "fs.binary.cache.mode",
        "devices/=filesystem[?fs]/binary/+cache/@mode",
        Enum(("none", "always")),
        "How virtiofsd lets the guest cache the folder.",
        "always",
        qemu_only(created(_VIRTIOFSD, only_on=_ON_VIRTIOFS)),
    ),
    Param(
        "fs.binary.thread_pool.size",
        "devices/=filesystem[?fs]/binary/+thread_pool/@size",
        Int(0, 2**31 - 1),
        "Threads with which virtiofsd serves the folder.",
        "16",
        qemu_only(created(_VIRTIOFSD, only_on=_ON_VIRTIOFS)),
    ),
)

RANDOM = (
    Param(
        "rng.rate.bytes",
        "devices/=rng[?rng]/!rate/@bytes",
        Rate(1, 2**32 - 1, 1, per_second=False),
        "Most random bytes that the guest may draw in one period.",
        "1024",
        qemu_only(created("qemuBuildRNGDevProps", source=Source.LIVE)),
        family="rng.rate",
        protective="a limit on random numbers drawn from the host",
    ),
    Param(
        "rng.rate.period",
        "devices/=rng[?rng]/!rate/@period",
        Duration("ms", 1, 2**32 - 1),
        "Length of the period in which random bytes are counted.",
        "1 s",
        qemu_only(created("qemuBuildRNGDevProps", source=Source.LIVE, default="1000")),
        family="rng.rate",
    ),
)

_WAN = Enum(("auto", "never", "always"))

SPICE = Param(
    "graphics.spice.compression",
    "devices/=graphics[?graphics]{type=spice}",
    Enum(("auto_glz", "auto_lz", "quic", "glz", "lz", "off")),
    "How much work the console does to save network traffic.",
    "{image: off, streaming: off}",
    qemu_only(created("qemuBuildGraphicsSPICECommandLine", source=Source.LIVE)),
    parts=(
        "!image/@compression",
        "!jpeg/@compression",
        "!zlib/@compression",
        "!playback/@compression",
        "!streaming/@mode",
    ),
    kinds={"jpeg": _WAN, "zlib": _WAN, "playback": ON_OFF, "streaming": Enum(("filter", "all", "off"))},
    cls=Class.GUEST_VISIBLE,
)

ROWS = (*CONTROLLERS, *XENBUS, *FOLDERS, *RANDOM, SPICE)
