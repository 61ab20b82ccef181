"""For each rule across parameters: what it forbids and libvirt refuses, and what it allows and libvirt takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

_QEMU = ("qemu",)
DROPS = ""  # libvirt takes what is wrong and drops some of it
CELLS = "<cpu><numa><cell id='0' cpus='0' memory='32768'/><cell id='1' cpus='1' memory='32768'/></numa></cpu>"
RTC = "<clock offset='utc'><timer name='rtc'/><timer name='pit'/></clock>"
RNG = "<rng model='virtio'><backend model='random'>/dev/random</backend></rng>"
SCSI = "<controller type='scsi' model='virtio-scsi' index='0'><alias name='ua-scsi'/></controller>"


@dataclass(frozen=True)
class Trial:
    wrong: str  # settings, as the `set:` of a profile
    right: str
    refusal: str  # part of what libvirt, QEMU or the kernel says
    on: tuple[str, ...] = ("test",)  # drivers; test defines, the others start; none: read in the source only
    body: str = ""  # below <domain>
    devices: str = ""


def _scheduling() -> Iterator[tuple[str, Trial]]:
    for who, key in (("vcpu", "0-1"), ("iothread", "1"), ("emulator", "")):
        sched, threads = f"cpu.{who}.sched", "iothread.count: 1\n" if who == "iothread" else ""
        policy, priority = (_say(f"{sched}.{word}", key) for word in ("policy", "priority"))
        yield (
            f"{who} real time",
            Trial(
                f"{threads}{policy('fifo')}",
                f"{threads}{policy('rr')}\n{priority('1')}",
                "required attribute 'priority'",
            ),
        )
        yield (
            f"{who} priority",
            Trial(f"{threads}{priority('1')}", f"{threads}{policy('batch')}", "required attribute 'scheduler'"),
        )
        yield (
            f"{who} without real time",
            Trial(f"{threads}{policy('idle')}\n{priority('1')}", f"{threads}{policy('fifo')}\n{priority('1')}", DROPS),
        )


def _say(name: str, key: str) -> Callable[[str], str]:
    return lambda value: f"{name}: {{{key}: {value}}}" if key else f"{name}: {value}"


def _iotune() -> Iterator[tuple[str, Trial]]:
    for what in ("bytes_sec", "iops_sec", "bytes_sec_max", "iops_sec_max"):
        for way, other in (("read", "write"), ("write", "read")):
            yield (
                f"{way} {what} beside total",
                Trial(
                    _disk(f"total_{what}: 6000, {way}_{what}: 6000"),
                    _disk(f"{other}_{what}: 6000, {way}_{what}: 6000"),
                    f"total and read/write {what} cannot be set",
                ),
            )
    for way in ("total", "read", "write"):
        yield from _bursts(f"{way}_bytes_sec")
        yield from _bursts(f"{way}_iops_sec")


def _bursts(base: str) -> Iterator[tuple[str, Trial]]:
    lower, alone = _disk(f"{base}: 6000, {base}_max: 5999"), _disk(f"{base}_max: 6000")
    equal, higher = _disk(f"{base}: 6000, {base}_max: 6000"), _disk(f"{base}: 10, {base}_max: 6000")
    yield f"burst of {base}", Trial(lower, equal, "be lower than", _QEMU)
    yield f"burst of {base} ", Trial(alone, higher, "require corresponding", _QEMU)
    without = _disk(f"{base}: 6000, {base}_max_length: 2")
    with_it = _disk(f"{base}: 6000, {base}_max_length: 2, {base}_max: 7000")
    unlimited = _disk(f"{base}: 6000, {base}_max_length: 2, {base}_max: none")
    short = _disk(f"{base}: 6000, {base}_max_length: 1")
    refusal = "burst length set without burst rate"
    yield f"length of {base}_max", Trial(without, with_it, refusal, _QEMU)
    yield f"length of {base}_max ", Trial(unlimited, short, refusal, _QEMU)


def _disk(words: str, device: str = "vda") -> str:
    return f"disk[{device}].iotune: {{{words}}}"


def _bandwidth() -> Iterator[tuple[str, Trial]]:
    for way in ("inbound", "outbound"):
        for word in ("peak", "burst"):
            name = f"net[0].bandwidth.{way}"
            yield (
                f"{way} {word} alone",
                Trial(f"{name}.{word}: 10", f"{name}: {{average: 5, {word}: 10}}", "average"),
            )


def _quota() -> Iterator[tuple[str, Trial]]:
    total = "cpu.total: {quota: 20000, period: 100000}\niothread.count: 1"
    for who in ("vcpu", "emulator", "iothread"):
        yield (
            f"{who} above total",
            Trial(
                f"{total}\ncpu.{who}.quota: 20001",
                f"{total}\ncpu.{who}: {{quota: 10000, period: 50000}}",
                "Invalid argument",
                _QEMU,
            ),
        )
        yield (
            f"{who} above total ",
            Trial(
                f"{total}\ncpu.{who}: {{quota: 10000, period: 40000}}",
                f"cpu.total.quota: none\ncpu.{who}.quota: 30000",
                "Invalid argument",
                _QEMU,
            ),
        )


def _pools() -> Iterator[tuple[str, Trial]]:
    refusal = "thread_pool_min must be smaller or equal"
    for name, first, key in (("iothread", "iothread.count: 1\n", "1"), ("iothread.default", "", "")):
        fewest, most = (_say(f"{name}.thread_pool_{word}", key) for word in ("min", "max"))
        yield f"{name} without most threads", Trial(f"{first}{fewest('0')}", f"{first}{most('4')}", refusal)
        wrong, right = f"{first}{fewest('4')}\n{most('3')}", f"{first}{fewest('4')}\n{most('4')}"
        yield f"{name} threads", Trial(wrong, right, refusal)


_SIZE = "level: 3, type: both, size: 3"
_CACHE = "cpu.cache.alloc: {0: [{id: 0, level: 3, type: both, size: 3 MiB}]}"
_CELL = "memory.numa.cell.nodeset: {0: '0'}"
_NODE = "memory.numa: {mode: restrictive, nodeset: '0'}"

TRIALS: Mapping[str, Trial] = MappingProxyType(
    {
        **dict(_scheduling()),
        **dict(_quota()),
        "affinity beside numad": Trial(
            "cpu: {affinity: '0', placement: auto}", "cpu: {affinity: '0', placement: static}", DROPS
        ),
        "more vCPUs than there are": Trial(
            "cpu.count.current: 3", "cpu.count.current: 2", "maximum vCPU count must not be less"
        ),
        "more memory than there is": Trial("memory.current: 65 MiB", "memory.current: 64 MiB", DROPS),
        "vCPUs in two groups": Trial(
            f"{_CACHE}\nmemory.bandwidth.alloc: {{0-1: {{0: 50}}}}",
            f"{_CACHE}\nmemory.bandwidth.alloc: {{0: {{0: 50}}}}",
            "Overlapping vcpus",
        ),
        "vCPUs in two groups ": Trial(
            f"cpu.cache.alloc: {{0: [{{id: 0, {_SIZE}}}], 0-1: [{{id: 1, {_SIZE}}}]}}",
            f"cpu.cache.alloc: {{0: [{{id: 0, {_SIZE}}}], 1: [{{id: 1, {_SIZE}}}]}}",
            "Overlapping vcpus",
        ),
        "code and data apart, and together": Trial(
            "cpu.cache.alloc: {0: [{id: 0, level: 3, type: both, size: 3}, {id: 0, level: 3, type: code, size: 3}]}",
            "cpu.cache.alloc: {0: [{id: 0, level: 3, type: data, size: 3}, {id: 0, level: 3, type: code, size: 3}]}",
            "Colliding cache allocations",
        ),
        "mode without nodes": Trial(
            "memory.numa.mode: strict", "memory.numa: {mode: strict, placement: auto}", "nodeset for NUMA"
        ),
        "mode without nodes ": Trial(
            "memory.numa.mode: strict", "memory.numa.mode: strict\ncpu.placement: auto", "nodeset for NUMA"
        ),
        "static without nodes": Trial(
            "memory.numa.placement: static\ncpu.placement: auto",
            "memory.numa: {placement: static, nodeset: '0'}",
            "nodeset for NUMA",
        ),
        "nodes beside numad": Trial(
            "memory.numa: {nodeset: '0', placement: auto}", "memory.numa: {nodeset: '0'}", DROPS
        ),
        "cell mode without nodes": Trial(
            "memory.numa.cell.mode: {0: strict}",
            f"memory.numa.cell.mode: {{0: strict}}\n{_CELL}",
            "required nodeset",
            body=CELLS,
        ),
        "cell not restrictive": Trial(
            f"{_NODE}\n{_CELL}\nmemory.numa.cell.mode: {{0: strict}}",
            f"{_NODE}\n{_CELL}\nmemory.numa.cell.mode: {{0: restrictive}}",
            "'restrictive' mode is required",
            body=CELLS,
        ),
        "cell without mode": Trial(
            f"{_NODE}\n{_CELL}",
            f"memory.numa: {{mode: strict, nodeset: '0'}}\n{_CELL}",
            "'restrictive' mode is required",
            body=CELLS,
        ),
        "cells beside numad": Trial(
            f"memory.numa.placement: auto\n{_CELL}",
            f"memory.numa.nodeset: '0'\n{_CELL}",
            "not compatible with automatic",
            body=CELLS,
        ),
        "cells beside numad's CPUs": Trial(
            f"cpu.placement: auto\n{_CELL}",
            f"cpu.placement: auto\nmemory.numa.nodeset: '0'\n{_CELL}",
            "not compatible with automatic",
            body=CELLS,
        ),
        "nodes of a cell that is not there": Trial(
            "memory.numa.cell.nodeset: {2: '0'}",
            "memory.numa.cell.nodeset: {1: '0'}",
            "existing guest's NUMA cell",
            body=CELLS,
        ),
        "nodes of a cell that is not there ": Trial(_CELL, "memory.numa.nodeset: '0'", "without any guest NUMA cells"),
        "pages without a size": Trial(
            "memory.backing.hugepages: [{nodeset: 0}]",
            "memory.backing.hugepages: [{nodeset: 0, size: 2 MiB}]",
            "'./@size'",
            body=CELLS,
        ),
        "pages for all twice": Trial(
            "memory.backing.hugepages: [{size: 2 MiB}, {size: 1 GiB}]",
            "memory.backing.hugepages: [{size: 2 MiB}, {size: 1 GiB, nodeset: 1}]",
            "two master hugepages",
            body=CELLS,
        ),
        "two pages for one cell": Trial(
            "memory.backing.hugepages: [{size: 2 MiB, nodeset: 0-1}, {size: 1 GiB, nodeset: 1}]",
            "memory.backing.hugepages: [{size: 2 MiB, nodeset: 0}, {size: 1 GiB, nodeset: 1}]",
            "intersect",
            body=CELLS,
        ),
        "pages of a cell that is not there": Trial(
            "memory.backing.hugepages: [{size: 2 MiB, nodeset: 0-2}]",
            "memory.backing.hugepages: [{size: 2 MiB, nodeset: 0-1}]",
            "node 2 not found",
            body=CELLS,
        ),
        "pages of a cell that is not there ": Trial(
            "memory.backing.hugepages: [{size: 2 MiB, nodeset: 1}]",
            "memory.backing.hugepages: [{size: 2 MiB}]",
            "node 1 not found",
        ),
        "pages of a cell that is not there  ": Trial(
            "memory.backing.hugepages: [{size: 2 MiB, nodeset: 0}]",
            "memory.backing.hugepages: true",
            DROPS,
        ),
        "ondemand beside hugepages": Trial(
            "memory.backing: {hugepages: true, allocation.mode: ondemand}",
            "memory.backing: {allocation.mode: ondemand}",
            "hugepages are not allowed with memory allocation ondemand",
            _QEMU,
        ),
        "ondemand beside hugepages.size": Trial(
            "memory.backing: {hugepages: [{size: 2 MiB}], allocation.mode: ondemand}",
            "memory.backing: {allocation.mode: immediate}",
            "hugepages are not allowed with memory allocation ondemand",
            _QEMU,
        ),
        "anonymous beside hugepages": Trial(
            "memory.backing: {hugepages: true, source: anonymous}",
            "memory.backing: {source: anonymous}",
            "hugepages are not allowed with anonymous memory source",
            _QEMU,
        ),
        "anonymous beside hugepages.size": Trial(
            "memory.backing: {hugepages: [{size: 2 MiB}], source: anonymous}",
            "memory.backing: {source: memfd}",
            "hugepages are not allowed with anonymous memory source",
            _QEMU,
        ),
        "memory above memory and swap": Trial(
            "memory.limit: {hard: 512 MiB, swap_hard: 511 MiB}",
            "memory.limit: {hard: 512 MiB, swap_hard: 512 MiB}",
            "memory.memsw.limit_in_bytes",
            ("lxc",),
        ),
        "swap limit alone": Trial(
            "memory.limit.swap_hard: 512 MiB",
            "memory.limit: {swap_hard: none}",
            "memory.memsw.limit_in_bytes",
            _QEMU,
        ),
        **dict(_pools()),
        "disk on an IOThread that is not there": Trial(
            "iothread.count: 1\ndisk[vda].driver.iothread: 2",
            "iothread.count: 2\ndisk[vda].driver.iothread: 2",
            "not defined",
            _QEMU,
        ),
        "controller on an IOThread that is not there": Trial(
            "controller[ua-scsi].driver.iothread: 1",
            "iothread.count: 1\ncontroller[ua-scsi].driver.iothread: 1",
            "not defined",
            _QEMU,
            devices=SCSI,
        ),
        **dict(_iotune()),
        "size of requests alone": Trial(
            _disk("read_bytes_sec: 6000, size_iops_sec: 4096"),
            _disk("read_iops_sec: 6000, size_iops_sec: 4096"),
            "iops size requires an iops value",
            _QEMU,
        ),
        "group of disks": Trial(
            f"{_disk('group_name: g, read_iops_sec: 100')}\n{_disk('group_name: g, read_iops_sec: 200', 'vdb')}",
            f"{_disk('group_name: g, read_iops_sec: 100')}\n{_disk('group_name: g', 'vdb')}",
            "different iotunes",
            _QEMU,
        ),
        "group of disks ": Trial(
            _disk("group_name: g"), _disk("group_name: g, read_iops_sec: 1"), "only together with", _QEMU
        ),
        "native I/O through the cache": Trial(
            "disk[vda].driver: {io: native, cache: writeback}",
            "disk[vda].driver: {io: native, cache: directsync}",
            "io='native' needs",
            _QEMU,
        ),
        "native I/O through the cache ": Trial(
            "disk[vda].driver: {io: native}",
            "disk[vda].driver: {io: io_uring, cache: writeback}",
            "io='native' needs",
            _QEMU,
        ),
        "fewer IOThreads than numbers": Trial(
            "iothread: {count: 1, ids: [1, 4]}", "iothread: {count: 3, ids: [1, 4]}", DROPS
        ),
        "period of random numbers alone": Trial(
            "rng[0].rate.period: 1000", "rng[0].rate: {period: 1000, bytes: 100}", DROPS, devices=RNG
        ),
        **dict(_bandwidth()),
        "rx queue of another size": Trial(
            "net[0].driver: {rx_queue_size: 256, tx_queue_size: 512}",
            "net[0].driver: {rx_queue_size: 256, tx_queue_size: 256}",
            "is not same with tx_queue_size",
            (),
        ),
        "tx queue of another size": Trial(
            "net[0].driver: {tx_queue_size: 512}",
            "net[0].driver: {tx_queue_size: 512, rx_queue_size: 512}",
            "is not same with tx_queue_size",
            (),
        ),
        "policy of rtc": Trial(
            "clock.timer.tickpolicy: {rtc: discard}",
            "clock.timer.tickpolicy: {rtc: catchup}",
            "rtc timer tickpolicy",
            _QEMU,
            RTC,
        ),
        "policy of pit": Trial(
            "clock.timer.tickpolicy: {pit: merge}",
            "clock.timer.tickpolicy: {pit: delay}",
            "pit tickpolicy",
            _QEMU,
            RTC,
        ),
    }
)
