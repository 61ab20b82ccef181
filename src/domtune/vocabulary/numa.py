"""Which host nodes hold the guest's memory."""

from __future__ import annotations

from dataclasses import replace

from domtune.kinds import Enum, Ids
from domtune.vocabulary.calls import NUMA
from domtune.vocabulary.facts import STORED, changed, created, facts, qemu_only, simulated
from domtune.vocabulary.model import Flags, Gate, Kernel, Param, Reason, Source, Type

# In the order of virDomainNumatuneMemMode: the calls take the position of the word.
MODE = Enum(("strict", "preferred", "interleave", "restrictive"))
NODES = Ids("host nodes")
_NOT_STRICT = ("preferred", "interleave", "restrictive")
_FILES = Kernel("cpuset.mems", "cpuset.mems", of="vcpu")
_BINDING = Gate("memory.numa.mode", ("strict", "restrictive", None))  # with another mode left out it would be strict
_MOVABLE = Gate("memory.numa.mode", ("restrictive",))  # by a cgroup: QEMU itself does the others
_CELL_MOVABLE = Gate("memory.numa.cell.mode", ("restrictive",))
_XEN = ("Xen puts memory on the nodes of the vCPUs' pins at creation; use cpu.vcpu.pin", Source.LIVE)
_STRICT_ON_LXC = "strict, which is also the mode when none is given, does nothing to a container"

DOMAIN = (
    Param(
        "memory.numa.mode",
        "!numatune/!memory/@mode",
        MODE,
        "How strictly the domain's memory is taken from the nodes that are named.",
        "strict",
        facts(
            {
                "qemu": created(
                    "qemuBuildMemoryBackendProps; qemuProcessSetupPid",
                    source=Source.LIVE,
                    cgroup_while=_MOVABLE,
                    caveat="only restrictive lets memory.numa.nodeset change later",
                ),
                "lxc": created(
                    "virLXCControllerSetupResourceLimits; virLXCCgroupSetupCpusetTune",
                    source=Source.LIVE,
                    accepts=_NOT_STRICT,
                    caveat=_STRICT_ON_LXC,
                ),
                "ch": created("virCHProcessSetupPid", accepts=("strict", "restrictive"), caveat="limits threads only"),
                "test": simulated(NUMA, "numa_mode", Type.INT, source=Source.LIVE),
            },
            ignored="xen bhyve esx",
            rejected="vz",
            why={"xen": _XEN, "vz": "vz refuses strict, and honours no other mode"},
        ),
        family="memory.numa",
    ),
    Param(
        "memory.numa.nodeset",
        "!numatune/!memory/@nodeset",
        NODES,
        "Host nodes that the domain's memory comes from.",
        "0",
        facts(
            {
                "qemu": changed(
                    NUMA,
                    "numa_nodeset",
                    Type.STRING,
                    "qemuDomainSetNumaParamsLive; virDomainCgroupSetupCpusetCgroup",
                    gate=_MOVABLE,
                    source=Source.LIVE,
                    kernel=_FILES,
                    cgroup_while=_MOVABLE,
                    caveat="locked pages stay where they are; a node that does not exist makes the next start fail",
                ),
                "lxc": created(
                    "virLXCControllerSetupResourceLimits; virLXCCgroupSetupCpusetTune",
                    source=Source.LIVE,
                    gate_at_create=Gate("memory.numa.mode", _NOT_STRICT),
                    caveat=_STRICT_ON_LXC,
                ),
                "ch": changed(
                    NUMA,
                    "numa_nodeset",
                    Type.STRING,
                    "chDomainSetNumaParamsLive",
                    flags=Flags.LIVE_ONLY,
                    gate=_MOVABLE,
                    gate_at_create=_BINDING,
                    kernel=_FILES,
                    caveat="libvirt's error asks for strict but means restrictive",
                ),
                "test": simulated(NUMA, "numa_nodeset", Type.STRING, source=Source.LIVE),
            },
            ignored="xen bhyve esx",
            rejected="vz",
            why={"xen": _XEN, "vz": "vz refuses the mode strict, which holds when none is given"},
        ),
        family="memory.numa",
        host_bound=True,
    ),
    Param(
        "memory.numa.placement",
        "!numatune/!memory/@placement",
        Enum(("static", "auto")),
        "Whether the host's numad chooses the nodes at start.",
        "auto",
        facts(
            {
                "qemu": created(
                    "virDomainNumatuneSet",
                    source=Source.LIVE,
                    default="static",
                    caveat="auto needs numad on the host",
                ),
                "lxc": created(
                    "virLXCControllerGetNumadAdvice", default="static", caveat="auto needs numad on the host"
                ),
                "test": replace(STORED, default="static"),
            },
            ignored="xen ch bhyve vz esx",
            why={"xen": _XEN},
        ),
        family="memory.numa",
    ),
)

CELLS = (
    Param(
        "memory.numa.cell.mode",
        "!numatune/!memnode[@cellid]/@mode",
        MODE,
        "How strictly the memory of one guest NUMA cell is taken from its nodes.",
        "{0: strict}",
        qemu_only(
            created(
                "qemuBuildMemoryBackendProps; qemuProcessSetupPid",
                source=Source.LIVE,
                cgroup_while=_CELL_MOVABLE,
                caveat="needs guest NUMA cells; must be restrictive where memory.numa.mode is",
            ),
            vz=Reason.REJECTED,
            why={"xen": _XEN},
        ),
        family="memory.numa.cell",
    ),
    Param(
        "memory.numa.cell.nodeset",
        "!numatune/!memnode[@cellid]/@nodeset",
        NODES,
        "Host nodes that the memory of one guest NUMA cell comes from.",
        '{0: "0", 1: "1"}',
        qemu_only(
            created(
                "qemuBuildMemoryBackendProps; qemuProcessSetupPid",
                source=Source.LIVE,
                cgroup_while=_CELL_MOVABLE,
                caveat="needs guest NUMA cells",
            ),
            vz=Reason.REJECTED,
            why={"xen": _XEN},
        ),
        family="memory.numa.cell",
        host_bound=True,
    ),
)

ROWS = (*DOMAIN, *CELLS)
