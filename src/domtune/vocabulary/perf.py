"""Events that the host counts while the domain runs."""

from __future__ import annotations

from domtune.kinds import YES_NO
from domtune.vocabulary.calls import PERF
from domtune.vocabulary.facts import changed, facts, simulated
from domtune.vocabulary.model import Class, Param, Source, Type

_INTEL = "needs a kernel before 4.14 and Intel's cache monitoring"
_SEEN = {"cmt", "cpu_clock"}
_EVENTS = {
    "cmt": "host cache in use",
    "mbmt": "memory bandwidth of the whole host",
    "mbml": "memory bandwidth of the local node",
    "cache_misses": "cache misses",
    "cache_references": "cache accesses",
    "instructions": "instructions",
    "cpu_cycles": "CPU cycles",
    "branch_instructions": "branches",
    "branch_misses": "branches that were foretold wrongly",
    "bus_cycles": "bus cycles",
    "stalled_cycles_frontend": "cycles in which no instruction could be fetched",
    "stalled_cycles_backend": "cycles in which no instruction could be finished",
    "ref_cpu_cycles": "CPU cycles that do not follow the frequency",
    "cpu_clock": "time on the CPU clock",
    "task_clock": "time on the task's clock",
    "page_faults": "page faults",
    "context_switches": "context switches",
    "cpu_migrations": "moves from one CPU to another",
    "page_faults_min": "page faults that needed no disk",
    "page_faults_maj": "page faults that needed the disk",
    "alignment_faults": "alignment faults",
    "emulation_faults": "emulation faults",
}


def _event(word: str, what: str) -> Param:
    return Param(
        f"perf.{word}",
        f"!perf/!event{{name={word}}}/@enabled",
        YES_NO,
        f"Counts {what}.",
        "yes",
        facts(
            {
                "qemu": changed(
                    PERF,
                    word,
                    Type.BOOLEAN,
                    "qemuDomainSetPerfEvents; qemuProcessEnablePerf",
                    source=Source.LIVE if word in _SEEN else Source.READ,
                    default="no",
                    unset="no",
                    privileged=True,
                    caveat=_INTEL if word in {"cmt", "mbmt", "mbml"} else "the host must allow perf_event_open",
                ),
                "test": simulated(PERF, word, Type.BOOLEAN, source=Source.LIVE, default="no", unset="no"),
            },
            ignored="lxc xen ch bhyve vz esx",
        ),
        cls=Class.MEASUREMENT,
    )


ROWS = tuple(_event(word, what) for word, what in _EVENTS.items())
