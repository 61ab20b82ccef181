"""Shares of the host: the domain's partition, and the shares of caches and memory bandwidth of its vCPUs."""

from __future__ import annotations

from collections.abc import Mapping

from domtune.kinds import Flag, Int, Size, Text
from domtune.vocabulary.facts import STORED, created, facts, qemu_only
from domtune.vocabulary.model import Cannot, Class, Fact, Param, Source

_NEEDS = "the host needs resctrl and hardware that can do it, or the domain does not start"


def _resctrl(source: Source) -> Mapping[str, Fact | Cannot]:
    return qemu_only(created("qemuProcessResctrlCreate", source=source, caveat=_NEEDS))


RESCTRL = (
    Param(
        "cpu.cache.alloc",
        "!cputune/!cachetune[@vcpus*]/!cache[@id,@level,@type]/@size&unit",
        Size("KiB", 1),
        "Part of one host cache that only these vCPUs fill.",
        "{0-1: [{id: 0, level: 3, type: both, size: 4 MiB}]}",
        _resctrl(Source.LIVE),
        family="cpu.cache",
        host_bound=True,
    ),
    Param(
        "cpu.cache.monitor",
        "!cputune/!cachetune[@vcpus*]/!monitor[@level,@vcpus]/.",
        Flag(),
        "Measures how much of the host's caches these vCPUs fill.",
        "{0-1: [{level: 3, vcpus: 0-1}]}",
        _resctrl(Source.READ),
        cls=Class.MEASUREMENT,
        family="cpu.cache",
        host_bound=True,
    ),
    Param(
        "memory.bandwidth.alloc",
        "!cputune/!memorytune[@vcpus*]/!node[@id]/@bandwidth",
        Int(1, 100, unit="percent"),
        "Part of one node's memory bandwidth that these vCPUs may use.",
        "{0-1: {0: 60}}",
        _resctrl(Source.LIVE),
        family="memory.bandwidth",
        host_bound=True,
    ),
    Param(
        "memory.bandwidth.monitor",
        "!cputune/!memorytune[@vcpus*]/!monitor[@vcpus*]/.",
        Flag(),
        "Measures how much memory bandwidth these vCPUs use.",
        "{0-1: [0-1]}",
        _resctrl(Source.READ),
        cls=Class.MEASUREMENT,
        family="memory.bandwidth",
    ),
)

_PARTITION = "the group must exist before the start; libvirt adds .partition to each part of its name"


def _partition(evidence: str) -> Fact:
    return created(evidence, source=Source.LIVE, default="/machine", privileged=True, caveat=_PARTITION)


RESOURCE = (
    Param(
        "resource.partition",
        "+resource/!partition/text()",
        Text(r"/.*", "a path that starts with /"),
        "Group of the host's cgroups in which the domain runs.",
        "/machine/production",
        facts(
            {
                "qemu": _partition("virDomainCgroupInitCgroup; virCgroupNewPartition"),
                "lxc": _partition("virLXCCgroupCreate"),
                "ch": created("virDomainCgroupInitCgroup", default="/machine", caveat=_PARTITION),
                "test": STORED,
            },
            ignored="xen bhyve vz esx",
        ),
        protective="a limit that the host sets for the domain's group",
        host_bound=True,
        implied=("/machine",),
    ),
    Param(
        "resource.appid",
        "+resource/!fibrechannel/@appid",
        Text(r"[ -~]{1,128}", "1 to 128 printable characters"),
        "Mark by which a Fibre Channel fabric tells the domain's traffic.",
        "web-3",
        qemu_only(created("qemuSetupCgroupAppid")),
        cls=Class.GUEST_VISIBLE,
        host_bound=True,
    ),
)

ROWS = (*RESCTRL, *RESOURCE)
