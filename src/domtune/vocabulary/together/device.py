"""IOThreads, and limits and drivers of devices."""

from __future__ import annotations

from collections.abc import Iterator

from domtune.vocabulary.rule import Alike, AnyRule, Counts, InDomain, Is, Needs, Never, NotAbove

_OUT = "take one of the two out"
_QEMU = ("qemu",)


def _pools() -> Iterator[AnyRule]:
    yield Counts(
        "fewer IOThreads than numbers",
        "more IOThreads are named, and libvirt makes each of them",
        "raise it, or take numbers out of iothread.ids",
        "virDomainDefParseIOThreads",
        number="iothread.count",
        each="iothread.ids",
    )
    for name in ("iothread", "iothread.default"):
        fewest, most = f"{name}.thread_pool_min", f"{name}.thread_pool_max"
        source = "virDomainDefValidateIOThreadsThreadPool"
        yield Needs(
            f"{name} without most threads",
            "libvirt takes no fewest threads without the most",
            f"add {most}",
            source,
            what=Is(fewest),
            others=(Is(most),),
        )
        yield NotAbove(
            f"{name} threads",
            f"may not be below {fewest}",
            "raise it, or lower the other",
            source,
            low=fewest,
            high=most,
        )
    for device in ("disk", "controller"):
        yield InDomain(
            f"{device} on an IOThread that is not there",
            "the domain has no such IOThread",
            "add iothread.count or iothread.ids, or name another",
            "qemuValidateDomainDeviceDefDiskIOThreads, qemuValidateCheckSCSIControllerIOThreads",
            _QEMU,
            param=f"{device}.driver.iothread",
            has="IOThreads",
        )


def _iotune() -> Iterator[AnyRule]:
    for what in ("bytes_sec", "iops_sec"):
        for limit in (what, f"{what}_max"):
            for way in ("read", "write"):
                yield Never(
                    f"{way} {limit} beside total",
                    "libvirt takes one limit for all or limits for reads and writes apart",
                    _OUT,
                    "virDomainDiskDefValidate",
                    what=Is(f"disk.iotune.{way}_{limit}"),
                    beside=Is(f"disk.iotune.total_{limit}"),
                )
        for way in ("total", "read", "write"):
            yield from _burst(f"{way}_{what}")
    yield Needs(
        "size of requests alone",
        "tells how requests are counted, and nothing limits them",
        "add a limit in iops_sec, or take it out",
        "QEMU: throttle_is_valid",
        _QEMU,
        what=Is("disk.iotune.size_iops_sec", above=0),
        others=tuple(Is(f"disk.iotune.{way}_iops_sec", above=0) for way in ("total", "read", "write")),
    )
    yield Alike(
        "group of disks",
        "the disks of one group need limits, and the same ones",
        "say the same limits for each of them, or say them for one only",
        "qemuValidateDomainDeviceDefDiskBlkdeviotune",
        _QEMU,
        by="disk.iotune.group_name",
    )


def _burst(limit: str) -> Iterator[AnyRule]:
    base = f"disk.iotune.{limit}"
    yield NotAbove(
        f"burst of {limit}",
        "a burst needs the limit in the long run, and may not be below it",
        f"say {base} with it, and no higher",
        "QEMU: throttle_is_valid",
        _QEMU,
        low=base,
        high=f"{base}_max",
        endless=True,
    )
    yield Needs(
        f"length of {limit}_max",
        "a burst of more than a second needs the limit during the burst",
        f"add {base}_max, or take the length out",
        "QEMU: throttle_is_valid",
        _QEMU,
        what=Is(f"{base}_max_length", above=1),
        others=(Is(f"{base}_max", above=0),),
    )


def _nics() -> Iterator[AnyRule]:
    for way in ("inbound", "outbound"):
        for word in ("peak", "burst"):
            yield Needs(
                f"{way} {word} alone",
                "says nothing without the traffic in the long run",
                f"add net.bandwidth.{way}.average",
                "virNetDevBandwidthParseRate",
                what=Is(f"net.bandwidth.{way}.{word}"),
                others=(Is(f"net.bandwidth.{way}.average"),),
            )
    for one, other, same in (("rx", "tx", True), ("tx", "rx", False)):
        yield Needs(
            f"{one} queue of another size",
            "Cloud Hypervisor has one size for both directions",
            f"say the same net.driver.{other}_queue_size",
            "virCHMonitorBuildNetJson",
            ("ch",),
            what=Is(f"net.driver.{one}_queue_size"),
            others=(Is(f"net.driver.{other}_queue_size", same=same),),
        )


def _devices() -> Iterator[AnyRule]:
    yield Needs(
        "native I/O through the cache",
        "needs a disk that bypasses the host's cache",
        "add disk.driver.cache, none or directsync, or say threads or io_uring",
        "qemuValidateDomainDeviceDefDiskFrontend",
        _QEMU,
        what=Is("disk.driver.io", ("native",)),
        others=(Is("disk.driver.cache", ("none", "directsync")),),
    )
    yield Needs(
        "period of random numbers alone",
        "is the period of a limit, and there is none; libvirt drops it",
        "add rng.rate.bytes",
        "virDomainRNGDefParseXML",
        what=Is("rng.rate.period"),
        others=(Is("rng.rate.bytes"),),
    )
    for timer, policies in (("rtc", ("merge", "discard")), ("pit", ("merge",))):
        yield Never(
            f"policy of {timer}",
            f"QEMU's {timer} cannot {' or '.join(policies)} ticks",
            "say delay or catchup",
            "qemuValidateDomainDefClockTimers",
            _QEMU,
            what=Is("clock.timer.tickpolicy", policies, (timer,)),
        )


RULES: tuple[AnyRule, ...] = (*_pools(), *_iotune(), *_nics(), *_devices())
