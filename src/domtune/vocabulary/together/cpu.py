"""Scheduling, quotas, where CPUs are, and groups of cache and bandwidth."""

from __future__ import annotations

from collections.abc import Iterator

from domtune.vocabulary.rule import Alone, AnyRule, Apart, InDomain, Is, Needs, Never, Share

_OUT = "take one of the two out"
_CGROUP = ("qemu", "ch")  # drivers whose start writes both limits


def _scheduling() -> Iterator[AnyRule]:
    for who in ("vcpu", "iothread", "emulator"):
        policy, priority = f"cpu.{who}.sched.policy", f"cpu.{who}.sched.priority"
        source = "virDomainSchedulerParseCommonAttrs"
        yield Needs(
            f"{who} real time",
            "real time needs a priority",
            f"add {priority} with the same key, or say batch or idle",
            source,
            what=Is(policy, ("fifo", "rr")),
            others=(Is(priority),),
        )
        yield Needs(
            f"{who} priority",
            "a priority needs the policy that it is of",
            f"add {policy}, fifo or rr, with the same key",
            source,
            what=Is(priority),
            others=(Is(policy),),
        )
        yield Never(
            f"{who} without real time",
            "only real time has a priority, and libvirt drops it",
            "take the priority out, or say fifo or rr",
            source,
            what=Is(priority),
            beside=Is(policy, ("batch", "idle")),
        )


def _quota() -> Iterator[AnyRule]:
    for who, whose in (("vcpu", "each vCPU"), ("emulator", "the emulator"), ("iothread", "the IOThreads")):
        yield Share(
            f"{who} above total",
            f"cgroup v1 gives {whose} no larger part of a CPU than the whole domain has",
            "lower its quota, or raise cpu.total.quota",
            "kernel: tg_cfs_schedulable_down",
            _CGROUP,
            1,
            part=f"cpu.{who}",
            whole="cpu.total",
        )


_PLACEMENT: tuple[AnyRule, ...] = (
    Never(
        "affinity beside numad",
        "numad chooses the CPUs, and libvirt drops the list",
        "take one of the two out, or say default for it",
        "virDomainVcpuParse",
        what=Is("cpu.affinity"),
        beside=Is("cpu.placement", ("auto",)),
    ),
    InDomain(
        "more vCPUs than there are",
        "the domain has not so many vCPUs",
        "say fewer, or give the definition more",
        "virDomainDefSetVcpus",
        param="cpu.count.current",
        has="vCPUs",
    ),
    InDomain(
        "more memory than there is",
        "the domain has not so much memory, and libvirt takes all of it instead",
        "say less, or give the definition more",
        "virDomainDefPostParseMemory",
        param="memory.current",
        has="memory",
    ),
)


def _resctrl() -> Iterator[AnyRule]:
    yield Apart(
        "vCPUs in two groups",
        "a vCPU is in one group of cache and memory bandwidth",
        "name the same vCPUs in both, or none of them",
        "virDomainResctrlVcpuMatch",
        params=("cpu.cache.alloc", "cpu.cache.monitor", "memory.bandwidth.alloc", "memory.bandwidth.monitor"),
    )
    yield Alone(
        "code and data apart, and together",
        "the part of a cache is for both, or for code and data apart",
        _OUT,
        "virResctrlAllocCheckCollision",
        param="cpu.cache.alloc",
        part=2,
        word="both",
    )


RULES: tuple[AnyRule, ...] = (*_scheduling(), *_quota(), *_PLACEMENT, *_resctrl())
