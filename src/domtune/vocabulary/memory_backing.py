"""What the guest's memory is made of: huge pages, locking, sharing, preallocation; memory devices."""

from __future__ import annotations

from collections.abc import Mapping

from domtune.kinds import YES_NO, Enum, Flag, Ids, Int, Size
from domtune.vocabulary.calls import UPDATE_DEVICE
from domtune.vocabulary.facts import STORED, Why, changed, created, facts, qemu_only
from domtune.vocabulary.model import Cannot, Class, Fact, Kept, Needs, Param, Reason, Source, Type

_BACKEND = "qemuBuildMemoryBackendProps"
_NO_MODULES = "libvirt refuses memory devices for drivers that cannot plug them"
_POOL = "the pool must have enough free pages at the start"
_SHARING = Enum(("shared", "private"))


def _backing(
    caveat: str = "", evidence: str = _BACKEND, *, vz: Reason | None = None, default: str | None = None
) -> Mapping[str, Fact | Cannot]:
    """Return the places of what QEMU alone reads, when it builds the memory back ends."""
    return qemu_only(created(evidence, source=Source.LIVE, caveat=caveat, default=default), vz=vz)


def _module(fact: Fact) -> Mapping[str, Fact | Cannot]:
    """Return the places of what belongs to a memory device."""
    honoured = {"qemu": fact, "test": STORED}
    others = ("lxc", "xen", "ch", "bhyve", "vz", "esx")
    why: dict[str, Why] = dict.fromkeys(others, _NO_MODULES) | {"lxc": (_NO_MODULES, Source.LIVE)}
    return facts(honoured, rejected=" ".join(others), why=why)


_LOCKED = facts(
    {
        "qemu": created(
            "qemuBuildOvercommitCommandLine; qemuDomainGetMemLockLimitBytes",
            source=Source.LIVE,
            caveat="needs CAP_SYS_RESOURCE; without memory.limit.hard nothing limits what is locked",
        ),
        "bhyve": created("virBhyveProcessBuildBhyveCmd: -S"),
        "test": STORED,
    },
    ignored="lxc xen ch vz esx",
)

BACKING = (
    Param(
        "memory.backing.hugepages",
        "+memoryBacking/!hugepages/.",
        Flag(),
        "Huge pages of the host's default size for all of the guest's memory.",
        "true",
        _backing(_POOL, vz=Reason.REJECTED),
        family="memory.backing.hugepages",
        needs=Needs.SHARED_PAGES,
    ),
    Param(
        "memory.backing.hugepages.size",
        "+memoryBacking/!hugepages/!page[#]/@size&unit",
        Size("KiB", 1),
        "Size of the huge pages that hold the guest's memory, or some of its cells.",
        "1 GiB",
        _backing(f"{_POOL}; the ordinary page size means no huge pages", vz=Reason.REJECTED),
        family="memory.backing.hugepages",
        needs=Needs.SHARED_PAGES,
        host_bound=True,
    ),
    Param(
        "memory.backing.hugepages.nodeset",
        "+memoryBacking/!hugepages/!page[#]/@nodeset",
        Ids("guest NUMA cells"),
        "Guest NUMA cells whose memory these huge pages hold; not host nodes.",
        "0",
        _backing("needs guest NUMA cells", vz=Reason.REJECTED),
        family="memory.backing.hugepages",
        needs=Needs.SHARED_PAGES,
    ),
    Param(
        "memory.backing.nosharepages",
        "+memoryBacking/!nosharepages/.",
        Flag(),
        "Keeps the host from merging the guest's memory with equal pages of others.",
        "true",
        _backing("", "qemuBuildMachineCommandLine: mem-merge=off"),
        protective="protection from page merging with other domains",
    ),
    Param(
        "memory.backing.locked",
        "+memoryBacking/!locked/.",
        Flag(),
        "Keeps all of the domain's memory from being swapped out.",
        "true",
        _LOCKED,
        needs=Needs.MEMLOCK,
    ),
    Param(
        "memory.backing.source",
        "+memoryBacking/!source/@type",
        Enum(("anonymous", "file", "memfd")),
        "What holds the guest's memory on the host.",
        "memfd",
        _backing("huge pages win over file", default="anonymous"),
        needs=Needs.SHARED_SOURCE,
    ),
    Param(
        "memory.backing.access",
        "+memoryBacking/!access/@mode",
        _SHARING,
        "Whether other processes of the host, such as virtiofsd, may map the guest's memory.",
        "shared",
        _backing(default="private"),
        cls=Class.GUEST_VISIBLE,
        needs=Needs.SHARED_ACCESS,
    ),
    Param(
        "memory.backing.allocation.mode",
        "+memoryBacking/!allocation/@mode",
        Enum(("immediate", "ondemand")),
        "Whether all memory is allocated at the start or when the guest first touches it.",
        "immediate",
        _backing("huge pages are always allocated at the start", default="ondemand"),
    ),
    Param(
        "memory.backing.allocation.threads",
        "+memoryBacking/!allocation/@threads",
        Int(1, 2**32 - 1),
        "Threads that allocate memory at the start.",
        "4",
        _backing("only for immediate allocation and huge pages", default="1"),
    ),
    Param(
        "memory.backing.discard",
        "+memoryBacking/!discard/.",
        Flag(),
        "Throws the guest's memory away at the end instead of writing it to its file.",
        "true",
        _backing("only where memory is a file"),
    ),
)

CELLS = (
    Param(
        "memory.cell.access",
        "cpu/numa/=cell[@id#]/@memAccess",
        _SHARING,
        "Whether other processes of the host may map the memory of one guest NUMA cell.",
        "{0: shared}",
        qemu_only(created(_BACKEND, source=Source.LIVE, caveat="without it memory.backing.access holds")),
        cls=Class.GUEST_VISIBLE,
        needs=Needs.SHARED_ACCESS,
    ),
    Param(
        "memory.cell.discard",
        "cpu/numa/=cell[@id#]/@discard",
        YES_NO,
        "Whether the memory of one guest NUMA cell is thrown away at the end.",
        "{0: yes}",
        qemu_only(
            created(
                _BACKEND,
                source=Source.LIVE,
                caveat="only where memory is a file; without it memory.backing.discard holds",
            )
        ),
    ),
)

DEVICES = (
    Param(
        "memory.device.dimm",
        "devices/=memory[?memory.device]{model=dimm}/=target/=size/text()&unit",
        Size("KiB", 1),
        "Size of one memory module that was plugged into the domain.",
        "1 GiB",
        _module(
            created(
                "qemuDomainAttachMemory; qemuDomainChangeMemoryLive",
                source=Source.LIVE,
                saved=Kept.FIXED,
                caveat="modules can be plugged and taken out of a running domain, but keep their size; taking out "
                "needs the guest",
            )
        ),
        cls=Class.GUEST_VISIBLE,
        stays="libvirt takes no memory device without a size",
    ),
    Param(
        "memory.device.virtio_mem.requested",
        "devices/=memory[?memory.device]{model=virtio-mem}/=target/!requested/text()&unit",
        Size("KiB"),
        "How much of a virtio-mem device the guest is asked to use.",
        "512 MiB",
        _module(
            changed(
                UPDATE_DEVICE,
                "",
                Type.PLAIN,
                "qemuDomainChangeMemoryLive",
                saved=Kept.FIXED,
                default="0",
                unset="0",
                caveat="the guest's driver decides; a whole number of the device's blocks",
            )
        ),
        cls=Class.GUEST_VISIBLE,
        implied=("0",),
    ),
    Param(
        "memory.device.source_nodes",
        "devices/=memory[?memory.device]/+source/!nodemask/text()",
        Ids("host nodes"),
        "Host nodes that hold the memory of one memory device.",
        "0-1",
        _module(created(f"{_BACKEND}; qemuDomainChangeMemoryLiveValidateChange", source=Source.LIVE)),
        host_bound=True,
    ),
    Param(
        "memory.device.pagesize",
        "devices/=memory[?memory.device]/+source/!pagesize/text()&unit",
        Size("KiB", 1),
        "Size of the host pages that hold one memory device.",
        "2 MiB",
        _module(created(_BACKEND, caveat="the pool must have enough free pages when the device is plugged")),
        host_bound=True,
    ),
)

ROWS = (*BACKING, *CELLS, *DEVICES)
