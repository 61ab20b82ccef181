"""What the machine has: the CPUs, nodes, pages and cgroups that values are about. Frozen data, read by others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from domtune import tree
from domtune.tree import Element
from domtune.values import format_ids, scale

UNKNOWN = 0  # cgroup version


@dataclass(frozen=True, slots=True)
class Host:
    """One host, as far as it is known: what is empty, or 0, nobody told."""

    cpus: frozenset[int] = frozenset()  # online
    nodes: frozenset[int] = frozenset()
    cells: Mapping[int, frozenset[int]] = field(default_factory=dict)  # the CPUs of each node
    pages: frozenset[int] = frozenset()  # bytes: the sizes of pages that it has
    cgroup: int = UNKNOWN  # 1 or 2: which version counts CPU shares
    mhz: int = 0  # of one CPU
    name: str = ""

    def lacks(self, what: str, ids: frozenset[int]) -> str:
        """Say which of these CPUs or nodes the host has not, "" if it has all."""
        has = self.nodes if what == "host nodes" else self.cpus
        missing = ids - has
        if not has or not missing:
            return ""
        whose, verb = (what, "are") if len(missing) > 1 else (what.removesuffix("s"), "is")
        return f"{whose} {format_ids(missing)} {verb} not there: the host has {format_ids(has)}"

    def nodes_of(self, cpus: frozenset[int]) -> frozenset[int]:
        """Return the nodes that these CPUs belong to."""
        return frozenset(node for node, of_node in self.cells.items() if of_node & cpus)

    def cpus_of(self, nodes: frozenset[int]) -> frozenset[int]:
        """Return the CPUs of these nodes that are online."""
        found = frozenset[int]().union(*(self.cells.get(node, frozenset()) for node in nodes))
        return found & self.cpus if self.cpus else found


def read(capabilities: str, cpus: frozenset[int], *, cgroup: int = UNKNOWN, mhz: int = 0, name: str = "") -> Host:
    """Return the host that libvirt's capabilities XML describes."""
    root = tree.parse(capabilities, "capabilities", root="capabilities")
    cells = {int(number): cell for cell in root.iterfind("host/topology/cells/cell") if (number := cell.get("id"))}
    of_cells = {
        number: frozenset(int(cpu.get("id") or 0) for cpu in cell.iterfind("cpus/cpu"))
        for number, cell in cells.items()
    }
    pages = [*root.iterfind("host/cpu/pages"), *root.iterfind("host/topology/cells/cell/pages")]
    sizes = frozenset(_bytes(page) for page in pages)
    return Host(cpus, frozenset(cells), of_cells, sizes, cgroup, mhz, name)


def _bytes(page: Element) -> int:
    return int(page.get("size") or 0) * scale(page.get("unit") or "KiB")
