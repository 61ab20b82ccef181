"""IOThreads: how many, how long they poll, how many helpers they have."""

from __future__ import annotations

from domtune.kinds import Duration, Flag, Int, Kind
from domtune.vocabulary.calls import ADD_IOTHREAD, IOTHREAD
from domtune.vocabulary.facts import STORED, changed, created, facts, qemu_only, simulated
from domtune.vocabulary.model import Fact, Flags, Kept, Needs, Param, Read, Source, Type, When

_INT_MAX = 2**31 - 1
_ADD = "qemuDomainChgIOThread; qemuDomainHotplugAddIOThread"


def _added(caveat: str, **rest: object) -> Fact:
    return changed(ADD_IOTHREAD, "", Type.PLAIN, _ADD, rank=30, source=Source.LIVE, caveat=caveat, **rest)


THREADS = (
    Param(
        "iothread.count",
        "!iothreads/text()",
        Int(),
        "How many IOThreads the domain has.",
        "2",
        qemu_only(
            _added("a thread in use cannot be taken away, and a running disk cannot move to a new one", default="0"),
            test=simulated(ADD_IOTHREAD, "", Type.PLAIN, source=Source.LIVE),
        ),
        family="iothread",
        needs=Needs.IOTHREADS,
    ),
    Param(
        "iothread.ids",
        "!iothreadids/!iothread[@id]/.",
        Flag(),
        "Which numbers the IOThreads have; without it they are numbered from 1.",
        "[1, 4]",
        qemu_only(
            _added("a thread in use cannot be taken away"),
            test=simulated(ADD_IOTHREAD, "", Type.PLAIN, source=Source.LIVE),
        ),
        family="iothread",
        needs=Needs.IOTHREADS,
    ),
)


def _poll(word: str, kind: Kind, help_: str, example: str) -> Param:
    type_, default = (Type.ULLONG, "32768") if word == "max_ns" else (Type.UINT, "0")
    return Param(
        f"iothread.poll_{word}",
        None,
        kind,
        help_,
        example,
        facts(
            {
                "qemu": changed(
                    IOTHREAD,
                    f"poll_{word}",
                    type_,
                    "qemuDomainIOThreadParseParams; qemuDomainHotplugModIOThreadIDDef",
                    at_create=False,
                    flags=Flags.LIVE_ONLY,
                    saved=Kept.NO,
                    read=Read.STATS,
                    when=When.RUNNING,
                    default=default,
                    unset=default,
                    source=Source.LIVE,
                    caveat="lost at every start",
                )
            },
            ignored="test",
            no_api="lxc xen ch bhyve vz esx",
            why={"test": ("the call succeeds and the value is thrown away", Source.LIVE)},
        ),
        keyed="@iothread",
        needs=Needs.IOTHREADS,
    )


POLLING = (
    _poll(
        "max_ns",
        Duration("ns", 0, _INT_MAX),
        "Longest time that one IOThread polls before it sleeps; 0 is not at all.",
        "{1: 50 us}",
    ),
    _poll("grow", Int(0, _INT_MAX), "Factor by which polling grows; 0 leaves it to QEMU.", "{1: 2}"),
    _poll("shrink", Int(0, _INT_MAX), "Factor by which it shrinks; 0 leaves it to QEMU.", "{1: 2}"),
)


def _pool(bound: str, low: int, whose: str) -> Param:
    """Declare one bound of the pool of helper threads, of one IOThread or of QEMU's main loop."""
    kind = Int(low, _INT_MAX)
    help_ = f"{'Fewest' if bound == 'min' else 'Most'} helper threads of {whose}."
    if whose == "QEMU's main loop":
        path = f"!defaultiothread/@thread_pool_{bound}"
        drivers = qemu_only(created("qemuBuildMainLoopCommandLine", source=Source.LIVE))
        name = f"iothread.default.thread_pool_{bound}"
        return Param(name, path, kind, help_, "8", drivers, family="iothread.default")
    fact = changed(
        IOTHREAD,
        f"thread_pool_{bound}",
        Type.INT,
        "qemuDomainIOThreadValidate; qemuMonitorJSONSetIOThread",
        source=Source.LIVE,
        caveat="on a running domain there is no way back to QEMU's own number; the fewest may not exceed the most",
    )
    return Param(
        f"iothread.thread_pool_{bound}",
        f"!iothreadids/!iothread[@id]/@thread_pool_{bound}",
        kind,
        help_,
        "{1: 8}",
        qemu_only(fact, test=STORED),
        family="iothread",
        needs=Needs.IOTHREADS,
    )


ROWS = (
    *THREADS,
    *POLLING,
    _pool("min", 0, "one IOThread"),
    _pool("max", 1, "one IOThread"),
    _pool("min", 0, "QEMU's main loop"),
    _pool("max", 1, "QEMU's main loop"),
)
