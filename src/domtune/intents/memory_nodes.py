"""memory.nodes and memory.movable: the host nodes that hold the domain's memory, and whether it may move later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domtune.expand import vcpus
from domtune.intents.cpu_nodes import NODES, cpus_of
from domtune.intents.kinds import Either
from domtune.intents.model import Around, CannotMeet, Intent, Want, Way
from domtune.keys import ALL
from domtune.kinds import ALL_CPUS, YES_NO
from domtune.tuning import Setting
from domtune.values import format_ids, parse_ids

WITH_CPUS = "with-cpus"
_BY_PINS = "Xen puts memory on the nodes of the CPUs that the vCPUs are pinned to"
_MODE, _NODESET = "memory.numa.mode", "memory.numa.nodeset"


def _strict_or_movable(want: Want, around: Around) -> Iterator[Setting]:
    """QEMU changes the nodes of a running domain in mode restrictive only (qemuDomainSetNumaParamsLive)."""
    yield want.sets(_MODE, "restrictive" if _is_movable(around) else "strict")
    yield want.sets(_NODESET, _nodes(want, around))


def _restrictive(want: Want, around: Around) -> Iterator[Setting]:
    yield want.sets(_MODE, "restrictive")
    yield want.sets(_NODESET, _nodes(want, around))


def _by_pins(want: Want, around: Around) -> Iterable[Setting]:
    """Xen takes memory from the nodes of the pins at creation: pins that say the same are all there is to say."""
    pins = _pins(around)
    free = _free(pins, around)
    if want.text == WITH_CPUS:
        if free or not pins:
            raise CannotMeet(_nowhere(pins, free))
        return []
    cpus = cpus_of(want.text, around)
    if not pins:
        return [want.sets("cpu.vcpu.pin", cpus, ALL)]
    if astray := [pin for pin in pins if not _cpus(pin, around) <= parse_ids(cpus)]:
        where = f"{astray[0].name} {astray[0].said} at {astray[0].origin} names others than {cpus}"
        raise CannotMeet(f"{_BY_PINS}, and {where}; say cpu.nodes in its place")
    if free:
        raise CannotMeet(f"{_BY_PINS}, and vCPUs {format_ids(free)} have no pin; say cpu.nodes, or pin them, too")
    return []


def _is_movable(around: Around) -> bool:
    movable = around.wants.get(("memory.movable", ()))
    return movable is not None and movable.text == "yes"


def _nodes(want: Want, around: Around) -> str:
    host = around.site.host
    if want.text != WITH_CPUS:
        if lacking := host.lacks("host nodes", parse_ids(want.text)):
            raise CannotMeet(lacking)
        return want.text
    cpus = _where_it_runs(around)
    if not host.cells:
        raise CannotMeet("which node a CPU belongs to is not known here; name the nodes")
    if not (nodes := host.nodes_of(cpus)):
        raise CannotMeet(f"host CPUs {format_ids(cpus)} belong to no node that is known")
    return format_ids(nodes)


def _where_it_runs(around: Around) -> frozenset[int]:
    """Return the CPUs of all vCPUs: their pins, and the domain's affinity for those that have none."""
    pins = _pins(around)
    found = frozenset[int]().union(*(_cpus(pin, around) for pin in pins))
    free = _free(pins, around)
    affinity = next(
        (each for each in around.settings if each.param.name == "cpu.affinity" and not each.is_default), None
    )
    if affinity is not None and (free or not pins):
        return found | _cpus(affinity, around)
    if free or not pins:
        raise CannotMeet(_nowhere(pins, free))
    return found


def _free(pins: Iterable[Setting], around: Around) -> list[int]:
    """Return the vCPUs that have no pin."""
    pinned = {pin.keys[0] for pin in pins}
    return [] if around.site.root is None else [each for each in vcpus(around.site.root) if str(each) not in pinned]


def _nowhere(pins: Iterable[Setting], free: Iterable[int]) -> str:
    whose = f"vCPUs {format_ids(free)}" if pins else "the vCPUs"
    return f"no layer says where {whose} run; say cpu.nodes, or name the nodes"


def _pins(around: Around) -> list[Setting]:
    return [each for each in around.settings if each.param.name == "cpu.vcpu.pin" and not each.is_default]


def _cpus(setting: Setting, around: Around) -> frozenset[int]:
    if setting.text == ALL_CPUS:
        return around.site.host.cpus
    try:
        return parse_ids(setting.text)
    except ValueError as error:
        raise CannotMeet(f"{setting.name} at {setting.origin}: {error}") from None


def _says_how(want: Want, around: Around) -> Iterable[Setting]:
    """Change how memory.nodes is met; nothing by itself."""
    nodes = around.wants.get(("memory.nodes", ()))
    if want.text == "yes" and (nodes is None or nodes.is_default):
        raise CannotMeet("says how memory.nodes is to be met, and no layer says memory.nodes")
    return []


_NUMA = (_MODE, _NODESET)
_SAYS = (_NODESET, "memory.numa.placement")
_XEN = "Xen puts memory on the nodes of the CPUs at creation, and it stays there"

MEMORY_NODES = Intent(
    "memory.nodes",
    Either((WITH_CPUS,), NODES),
    "Host nodes that hold the domain's memory, or those of the CPUs that its vCPUs run on.",
    WITH_CPUS,
    {
        "qemu": Way(_NUMA, _strict_or_movable, value=_SAYS),
        "test": Way(_NUMA, _strict_or_movable, value=_SAYS),
        "lxc": Way(
            _NUMA, _restrictive, "a container honours restrictive, not strict; it cannot change while it runs", _SAYS
        ),
        "ch": Way(_NUMA, _restrictive, "limits the threads that fault memory in", _SAYS),
        # Pins are not its own to take away: `default` leaves them.
        "xen": Way((), _by_pins, _XEN),
        "bhyve": "libvirt gives bhyve no memory nodes; cpuset(1) -n on its process comes nearest",
        "vz": "libvirt gives Virtuozzo no memory nodes; cpu.nodes comes nearest",
        "esx": "VMware chooses the memory's node itself, near the CPUs; cpu.nodes comes nearest",
    },
    late=True,
)

_AT_CREATION = "memory stays on the nodes that it got at creation"

MEMORY_MOVABLE = Intent(
    "memory.movable",
    YES_NO,
    "Whether memory.nodes can change while the domain runs.",
    "yes",
    {
        "qemu": Way((), _says_how),
        "test": Way((), _says_how),
        "ch": Way((), _says_how),
        "lxc": f"a container's {_AT_CREATION}; a new start comes nearest",
        "xen": f"{_AT_CREATION}; a migration to the same host comes nearest",
        "bhyve": "libvirt gives bhyve no memory nodes, and nothing comes near",
        "vz": "libvirt gives Virtuozzo no memory nodes, and nothing comes near",
        "esx": "VMware moves memory as it sees fit",
    },
)
