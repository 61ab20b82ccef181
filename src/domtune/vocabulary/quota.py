"""CPU time by period and quota: of each vCPU, the whole domain, the emulator threads, the IOThreads."""

from __future__ import annotations

from collections.abc import Mapping

from domtune.kinds import Duration, Kind
from domtune.vocabulary.calls import SCHEDULER
from domtune.vocabulary.facts import STORED, changed, created, facts
from domtune.vocabulary.model import Cannot, Fact, Kernel, Param, Source, Type, When

PERIOD = Duration("us", 1000, 1_000_000)
QUOTA = Duration("us", 1000, 17592186044414, "-1")
_FILES = {"period": ("cpu.cfs_period_us", "cpu.max"), "quota": ("cpu.cfs_quota_us", "cpu.max")}
_FULL = {"period": "100000", "quota": "-1"}
_TYPE = {"period": Type.ULLONG, "quota": Type.LLONG}


def _drivers(word: str, field: str, of: str, caveat: str, meaning: str) -> dict[str, Fact]:
    kernel = Kernel(*_FILES[word], of=of)
    rank = 40 if of == "domain" else 50  # cgroup v1: a part may not have a higher ratio than the whole
    qemu = changed(
        SCHEDULER,
        field,
        _TYPE[word],
        "qemuDomainSetSchedulerParametersFlags; qemuProcessSetupPid",
        source=Source.LIVE,
        rank=rank,
        default=_FULL[word],
        unset=_FULL[word],
        kernel=kernel,
        meaning=meaning,
        caveat=caveat,
    )
    return {"qemu": qemu, "ch": created("virCHProcessSetupPid", kernel=kernel, meaning=meaning), "test": STORED}


def _lxc(word: str) -> Fact:
    return changed(
        SCHEDULER,
        f"vcpu_{word}",
        _TYPE[word],
        "lxcDomainSetSchedulerParametersFlags; virLXCCgroupSetupCpuTune",
        source=Source.LIVE,
        when=When.RUNNING,
        default=_FULL[word],
        unset=_FULL[word],
        kernel=Kernel(*_FILES[word]),
        meaning="the whole container",
        caveat="asking for it while the container is off kills libvirtd 9.0.0",
    )


def _pair(name: str, tag: str, whose: str, drivers: Mapping[str, Mapping[str, Fact | Cannot]]) -> tuple[Param, ...]:
    kinds: dict[str, tuple[Kind, str, str]] = {
        "period": (PERIOD, "100 ms", f"Length of the period in which the CPU time of {whose} is counted."),
        "quota": (QUOTA, "50 ms", f"CPU time that {whose} may use in one period; none for no limit."),
    }
    return tuple(
        Param(
            f"{name}.{word}",
            f"!cputune/!{tag}{word}/text()",
            kind,
            help_,
            example,
            drivers[word],
            family=f"{name}.quota",
            protective="a limit on CPU time" if word == "quota" else "",
        )
        for word, (kind, example, help_) in kinds.items()
    )


def _qemu_and_ch(field: str, of: str, caveat: str = "") -> dict[str, Mapping[str, Fact | Cannot]]:
    why = {"lxc": "lxc keeps it and does nothing; cpu.vcpu.quota limits a whole container"}
    return {
        word: facts(
            _drivers(word, f"{field}_{word}", of, caveat, ""),
            ignored="lxc xen bhyve vz esx",
            why=why | ({"xen": "Xen's limit of the whole domain is cpu.cap"} if of == "domain" else {}),
        )
        for word in _FULL
    }


ROWS = (
    *_pair(
        "cpu.vcpu",
        "",
        "each vCPU",
        {
            word: facts(
                _drivers(word, f"vcpu_{word}", "vcpu", "0 is taken and does nothing", "each vCPU")
                | {"lxc": _lxc(word)},
                ignored="xen bhyve esx",
                rejected="vz",
            )
            for word in _FULL
        },
    ),
    *_pair("cpu.total", "global_", "the whole domain, emulator included,", _qemu_and_ch("global", "domain")),
    *_pair("cpu.emulator", "emulator_", "the emulator threads", _qemu_and_ch("emulator", "emulator")),
    *_pair(
        "cpu.iothread",
        "iothread_",
        "all IOThreads together",
        _qemu_and_ch("iothread", "iothread", "without an IOThread it is stored and does nothing"),
    ),
)
