"""Wishes that choose CPUs: their names and words are known, and they are refused until domtune can place domains."""

from __future__ import annotations

from domtune.intents.kinds import Either
from domtune.intents.model import Intent
from domtune.kinds import Enum, Kind, Text

_LATER = "choosing CPUs is not in this version; name nodes in want: cpu.nodes, or CPUs in set: cpu.vcpu.pin"


def _refused(name: str, kind: Kind | Either, help_: str, example: str) -> Intent:
    return Intent(name, kind, help_, example, {}, later=_LATER)


LATER = (
    _refused(
        "cpu.cpus",
        Either(("dedicated", "shared"), Text(r"pool \S+", "pool NAME")),
        "Whether the vCPUs have host CPUs of their own.",
        "dedicated",
    ),
    _refused(
        "cpu.threads",
        Enum(("any", "prefer", "require", "isolate")),
        "Whether vCPUs share the threads of a core.",
        "isolate",
    ),
    _refused(
        "cpu.within", Enum(("core", "l3", "node", "socket", "any")), "In what part of the host all vCPUs run.", "node"
    ),
    _refused("cpu.near", Text(what="hostdevs, or a device"), "What the vCPUs are to be near.", "hostdevs"),
    _refused(
        "cpu.emulator",
        Enum(("housekeeping", "own", "with-vcpus")),
        "Where the emulator's threads and the IOThreads run.",
        "housekeeping",
    ),
)
