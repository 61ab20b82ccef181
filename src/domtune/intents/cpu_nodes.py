"""cpu.nodes: the domain runs on the CPUs of these host nodes."""

from __future__ import annotations

from collections.abc import Iterator

from domtune.expand import vcpus
from domtune.intents.model import Around, CannotMeet, Intent, Want, Way
from domtune.keys import ALL
from domtune.kinds import Ids
from domtune.tuning import Setting
from domtune.values import format_ids, parse_ids

NODES = Ids("host nodes")


def cpus_of(nodes: str, around: Around) -> str:
    """Return the CPUs of nodes as a list; raise `CannotMeet` where the host has no such nodes, or nobody knows."""
    host, ids = around.site.host, parse_ids(nodes)
    if not host.cells:
        way = CPU_NODES.drivers[around.site.driver]
        param = way.params[0] if isinstance(way, Way) else "cpu.vcpu.pin"
        raise CannotMeet(f"which CPUs a node has is not known here; name the CPUs in set: {param}")
    if lacking := host.lacks("host nodes", ids):
        raise CannotMeet(lacking)
    cpus = host.cpus_of(ids)
    if not cpus:
        raise CannotMeet(f"host nodes {format_ids(ids)} have no CPUs that are online")
    return format_ids(cpus)


def _vcpus_and_emulator(want: Want, around: Around) -> Iterator[Setting]:
    cpus = cpus_of(want.text, around)
    yield want.sets("cpu.vcpu.pin", cpus, ALL)
    yield want.sets("cpu.emulator.pin", cpus)


def _every_thread(want: Want, around: Around) -> Iterator[Setting]:
    """IOThreads do not follow the emulator: without a pin they run anywhere (qemuProcessSetupIOThread)."""
    yield from _vcpus_and_emulator(want, around)
    yield want.sets("cpu.iothread.pin", cpus_of(want.text, around), ALL)


def _vcpus(want: Want, around: Around) -> Iterator[Setting]:
    yield want.sets("cpu.vcpu.pin", cpus_of(want.text, around), ALL)


def _all_threads(want: Want, around: Around) -> Iterator[Setting]:
    yield want.sets("cpu.affinity", cpus_of(want.text, around))


def _enough(want: Want, around: Around) -> Iterator[Setting]:
    """VMware wants at least as many CPUs in the affinity as the domain has vCPUs (virVMXFormatConfig)."""
    cpus = cpus_of(want.text, around)
    least = len(vcpus(around.site.root)) if around.site.root is not None else 0
    if len(parse_ids(cpus)) < least:
        raise CannotMeet(
            f"host nodes {want.text} have {len(parse_ids(cpus))} CPUs, and VMware wants {least} for the vCPUs"
        )
    yield want.sets("cpu.affinity", cpus)


_ALL_PINS = Way(("cpu.vcpu.pin", "cpu.emulator.pin", "cpu.iothread.pin"), _every_thread, value=("cpu.vcpu.pin",))
_PINS = Way(("cpu.vcpu.pin", "cpu.emulator.pin"), _vcpus_and_emulator, value=("cpu.vcpu.pin",))

CPU_NODES = Intent(
    "cpu.nodes",
    NODES,
    "Host nodes on whose CPUs the vCPUs, the emulator and the IOThreads run.",
    "0",
    {
        "qemu": _ALL_PINS,
        "ch": _PINS,
        "test": _ALL_PINS,
        "xen": Way(("cpu.vcpu.pin",), _vcpus, "Xen puts the domain's memory on these nodes, too, and leaves it there"),
        "lxc": Way(("cpu.affinity",), _all_threads),
        "vz": Way(("cpu.affinity",), _all_threads),
        "esx": Way(("cpu.affinity",), _enough),
        "bhyve": "libvirt gives bhyve no CPUs to run on; cpuset(1) on its process comes nearest",
    },
)
