"""What the machine has: the CPUs and NUMA nodes that values may name. Frozen data read from libvirt's capabilities."""

from __future__ import annotations

from dataclasses import dataclass

from domtune import tree
from domtune.values import format_ids


@dataclass(frozen=True, slots=True)
class Host:
    """CPUs and nodes of one host."""

    cpus: frozenset[int]  # online
    nodes: frozenset[int]  # empty where the driver does not say

    def lacks(self, what: str, ids: frozenset[int]) -> str:
        """Say which of these CPUs or nodes the host has not, "" if it has all."""
        has = self.nodes if what == "host nodes" else self.cpus
        missing = ids - has
        if not has or not missing:
            return ""
        return f"{what} {format_ids(missing)} are not there: the host has {format_ids(has)}"


def read(capabilities: str, cpus: frozenset[int]) -> Host:
    """Return the host that libvirt's capabilities XML describes."""
    root = tree.parse(capabilities, "capabilities", root="capabilities")
    cells = root.iterfind("host/topology/cells/cell")
    return Host(cpus, frozenset(int(number) for cell in cells if (number := cell.get("id")) is not None))
