"""I/O on host block devices: the domain's weight, and weights and limits for one device."""

from __future__ import annotations

from collections.abc import Mapping

from domtune.kinds import Int, Kind, Rate
from domtune.vocabulary.calls import BLKIO
from domtune.vocabulary.facts import changed, created, facts, simulated
from domtune.vocabulary.model import Cannot, Fact, Kernel, Param, Source, Type

_WEIGHTS = (100, 1000)  # libvirt's schema; its code takes any number and the next start fails
_BYTES = Rate(1, 2**64 - 1, 1, "0")
_REQUESTS = Int(1, 2**32 - 1, "0", "requests/s")


def _drivers(field: str, type_: Type, unset: str, kernel: Kernel, caveat: str) -> Mapping[str, Fact | Cannot]:
    def cgroup(evidence: str) -> Fact:
        return changed(
            BLKIO,
            field,
            type_,
            evidence,
            source=Source.LIVE,
            default=unset,
            unset=unset,
            kernel=kernel,
            caveat=caveat,
        )

    return facts(
        {
            "qemu": cgroup("qemuDomainSetBlkioParameters; virDomainCgroupSetupBlkio"),
            "lxc": cgroup("lxcDomainSetBlkioParameters; virLXCCgroupSetupBlkioTune"),
            "ch": created("virDomainCgroupSetupBlkio", kernel=kernel),
            "test": simulated(BLKIO, field, type_, source=Source.LIVE),
        },
        ignored="xen bhyve esx" + (" vz" if field == "weight" else ""),
        rejected="" if field == "weight" else "vz",
    )


def _device(word: str, kind: Kind, help_: str, example: str, caveat: str) -> Param:
    v1, v2 = {
        "weight": ("blkio.weight_device", "io.weight"),
        "read_bytes_sec": ("blkio.throttle.read_bps_device", "io.max"),
        "write_bytes_sec": ("blkio.throttle.write_bps_device", "io.max"),
        "read_iops_sec": ("blkio.throttle.read_iops_device", "io.max"),
        "write_iops_sec": ("blkio.throttle.write_iops_device", "io.max"),
    }[word]
    return Param(
        f"blkio.device.{word}",
        f"!blkiotune/!device[path]/!{word}/text()",
        kind,
        help_,
        f"{{/dev/sda: {example}}}",
        _drivers(f"device_{word}", Type.STRING, "0", Kernel(v1, v2), caveat),
        protective="" if word == "weight" else "a limit on disk I/O",
        host_bound=True,
    )


_BUFFERED = "on cgroup v1 writes that go through the host's page cache are not held back"

ROWS = (
    Param(
        "blkio.weight",
        "!blkiotune/!weight/text()",
        Int(*_WEIGHTS),
        "Weight of the domain's disk I/O against its neighbours.",
        "500",
        _drivers(
            "weight",
            Type.UINT,
            "100",
            Kernel("blkio.bfq.weight", "io.bfq.weight"),
            "only on devices whose scheduler is bfq or cfq",
        ),
    ),
    _device(
        "weight",
        Int(*_WEIGHTS, "0"),
        "Weight of the domain's I/O on one host device.",
        "500",
        "needs the cfq scheduler on cgroup v1, io.weight on v2",
    ),
    _device("read_bytes_sec", _BYTES, "Most bytes that the domain may read from one host device.", "100 MiB/s", ""),
    _device("write_bytes_sec", _BYTES, "Most bytes that it may write to one host device.", "50 MiB/s", _BUFFERED),
    _device("read_iops_sec", _REQUESTS, "Most reads that the domain may ask of one host device.", "1000", ""),
    _device("write_iops_sec", _REQUESTS, "Most writes that it may ask of one host device.", "500", _BUFFERED),
)
