"""What the LXC driver accepts and ignores: for each parameter the XML that asks for it. Beside it: `refused`.

`document` puts all ignored parameters into one container. Each names the reading of the kernel that would show it; it
must be the same for `document` without any of them.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from live import guests, readings
from live.readings import Reading


@dataclass(frozen=True)
class Ignored:
    place: str  # path below <domain> of the element that takes it; `disk:2` is the second of that name
    xml: str  # an element, or `@name=value` for an attribute
    reads: Reading


CARRIERS: Mapping[str, str] = MappingProxyType(  # what must be there before a place can take anything, by its path
    {
        "cputune/cachetune": "<cachetune vcpus='0-1'/>",
        "cputune/memorytune": "<memorytune vcpus='0-1'/>",
        "iothreadids/iothread": "<iothread id='1'/>",
        "cpu": "<cpu mode='custom' match='exact' check='none'/>",
        "cpu/numa/cell": "<cell id='0' cpus='0-1' memory='64' unit='MiB'/>",
        "features/hyperv": "<hyperv mode='custom'/>",
        "clock/timer": "<timer name='pit'/>",
        "clock/timer:2": "<timer name='tsc'/>",
        "clock/timer:3": "<timer name='rtc'/>",
        "devices/disk": "<disk type='file'><source file='{image}'/><target dev='vda' bus='virtio'/></disk>",
        "devices/disk:2": "<disk type='file'><source file='{image}'/><target dev='vdb' bus='virtio'/></disk>",
        "devices/disk/driver": "<driver type='raw'/>",
        "devices/controller": "<controller type='scsi' model='virtio-scsi'/>",
        "devices/controller:2": "<controller type='xenbus'/>",
        "devices/interface": "<interface type='ethernet'><model type='virtio'/></interface>",
        "devices/filesystem": "<filesystem><source dir='{directory}'/><target dir='/srv'/></filesystem>",
        "devices/filesystem/driver": "<driver type='path'/>",
        "devices/filesystem:2": "<filesystem><source dir='{directory}'/><target dir='/mnt'/></filesystem>",
        "devices/filesystem:2/driver": "<driver type='virtiofs'/>",
        "devices/filesystem:2/binary": "<binary path='/bin/true'/>",
        "devices/rng": "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>",
        "devices/memballoon": "<memballoon model='none'/>",
        "devices/video": "<video><model type='vga'/></video>",
        "devices/graphics": "<graphics type='spice'/>",
    }
)


def at(place: str, reads: Reading, rows: Mapping[str, str]) -> dict[str, Ignored]:
    return {name: Ignored(place, xml, reads) for name, xml in rows.items()}


def elements(values: Mapping[str, object]) -> dict[str, str]:
    return {name: f"<{name}>{value}</{name}>" for name, value in values.items()}


def prefixed(prefix: str, rows: Mapping[str, str]) -> dict[str, str]:
    return {prefix + name: xml for name, xml in rows.items()}


def switches(names: str) -> dict[str, str]:
    return {name: f"<{name} state='on'/>" for name in names.split()}


def disk_limits(*ways: str) -> dict[str, str]:
    suffixes = {"_sec": 1, "_sec_max": 2, "_sec_max_length": 5}
    return elements(
        {f"{way}_{unit}{end}": 100 * n for way in ways for unit in ("bytes", "iops") for end, n in suffixes.items()}
    )


VCPUSCHED = "<vcpusched vcpus='0' scheduler='fifo' priority='3'/>"
IOTHREADSCHED = "<iothreadsched iothreads='1' scheduler='rr' priority='3'/>"
EMULATORSCHED = "<emulatorsched scheduler='fifo' priority='3'/>"
MEMNODE = "<memnode cellid='0' mode='strict' nodeset='0'/>"
HUGEPAGES = "<page size='2048' unit='KiB' nodeset='0'/>"
HYPERV = "relaxed vapic vpindex runtime synic stimer reset frequencies reenlightenment tlbflush ipi evmcs avic"
PERF = (
    "cmt mbmt mbml cache_misses cache_references instructions cpu_cycles branch_instructions branch_misses bus_cycles "
    "stalled_cycles_frontend stalled_cycles_backend ref_cpu_cycles cpu_clock task_clock page_faults context_switches "
    "cpu_migrations page_faults_min page_faults_maj alignment_faults emulation_faults"
)

CPU = {
    **at(
        "cputune",
        readings.bandwidth,
        {
            "cpu.total.period": "<global_period>50000</global_period>",
            "cpu.total.quota": "<global_quota>20000</global_quota>",
            "cpu.emulator.period": "<emulator_period>50000</emulator_period>",
            "cpu.emulator.quota": "<emulator_quota>20000</emulator_quota>",
            "cpu.iothread.period": "<iothread_period>50000</iothread_period>",
            "cpu.iothread.quota": "<iothread_quota>20000</iothread_quota>",
        },
    ),
    **at(
        "cputune",
        readings.affinity,
        {
            "cpu.vcpu.pin": "<vcpupin vcpu='0' cpuset='0'/>",
            "cpu.emulator.pin": "<emulatorpin cpuset='0'/>",
            "cpu.iothread.pin": "<iothreadpin iothread='1' cpuset='0'/>",
        },
    ),
    **at(
        "cputune",
        readings.scheduling,
        {
            "cpu.vcpu.sched.policy": VCPUSCHED,
            "cpu.vcpu.sched.priority": VCPUSCHED,
            "cpu.iothread.sched.policy": IOTHREADSCHED,
            "cpu.iothread.sched.priority": IOTHREADSCHED,
            "cpu.emulator.sched.policy": EMULATORSCHED,
            "cpu.emulator.sched.priority": EMULATORSCHED,
        },
    ),
    **at(
        "cputune/cachetune",
        readings.caches,
        {
            "cpu.cache.alloc": "<cache id='0' level='3' type='both' size='3' unit='MiB'/>",
            "cpu.cache.monitor": "<monitor level='3' vcpus='0'/>",
        },
    ),
    **at(
        "cputune/memorytune",
        readings.caches,
        {
            "memory.bandwidth.alloc": "<node id='0' bandwidth='60'/>",
            "memory.bandwidth.monitor": "<monitor vcpus='0'/>",
        },
    ),
    **at("vcpu", readings.affinity, {"cpu.count.current": "@current=1"}),
    **at("", readings.thread_count, {"iothread.count": "<iothreads>2</iothreads>"}),
    **at("iothreadids", readings.thread_count, {"iothread.ids": "<iothread id='7'/>"}),
    **at(
        "iothreadids/iothread",
        readings.thread_count,
        {"iothread.thread_pool_min": "@thread_pool_min=2", "iothread.thread_pool_max": "@thread_pool_max=8"},
    ),
    **at(
        "defaultiothread",
        readings.thread_count,
        {
            "iothread.default.thread_pool_min": "@thread_pool_min=2",
            "iothread.default.thread_pool_max": "@thread_pool_max=8",
        },
    ),
    **at("perf", readings.counters, {f"perf.{name}": f"<event name='{name}' enabled='yes'/>" for name in PERF.split()}),
}
MEMORY = {
    **at("memtune", readings.limits, {"memory.guarantee": "<min_guarantee unit='MiB'>32</min_guarantee>"}),
    **at(
        "devices/memballoon",
        readings.limits,
        {
            "memory.balloon.model": "@model=virtio",
            "memory.balloon.stats_period": "<stats period='5'/>",
            "memory.balloon.autodeflate": "@autodeflate=on",
            "memory.balloon.free_page_reporting": "@freePageReporting=on",
        },
    ),
    **at("numatune", readings.memory, {"memory.numa.cell.mode": MEMNODE, "memory.numa.cell.nodeset": MEMNODE}),
    **at(
        "memoryBacking", readings.memory, {"memory.backing.hugepages": "<hugepages/>"}
    ),  # before its pages: they go in
    **at(
        "memoryBacking/hugepages",
        readings.memory,
        {"memory.backing.hugepages.size": HUGEPAGES, "memory.backing.hugepages.nodeset": HUGEPAGES},
    ),
    **at(
        "memoryBacking",
        readings.memory,
        {
            "memory.backing.nosharepages": "<nosharepages/>",
            "memory.backing.locked": "<locked/>",
            "memory.backing.source": "<source type='memfd'/>",
            "memory.backing.access": "<access mode='shared'/>",
            "memory.backing.discard": "<discard/>",
        },
    ),
    **at(
        "memoryBacking/allocation",
        readings.memory,
        {"memory.backing.allocation.mode": "@mode=immediate", "memory.backing.allocation.threads": "@threads=2"},
    ),
    **at(
        "cpu/numa/cell",
        readings.memory,
        {"memory.cell.access": "@memAccess=shared", "memory.cell.discard": "@discard=yes"},
    ),
}
DEVICES = {
    **at("devices/disk/iotune", readings.block, prefixed("disk.iotune.", disk_limits("read", "write"))),
    **at("devices/disk:2/iotune", readings.block, prefixed("disk.iotune.", disk_limits("total"))),
    **at(
        "devices/disk/iotune",
        readings.block,
        prefixed("disk.iotune.", elements({"size_iops_sec": 4096, "group_name": "together"})),
    ),
    **at(
        "devices/disk/driver",
        readings.everything,
        {
            "disk.driver.cache": "@cache=none",
            "disk.driver.io": "@io=threads",
            "disk.driver.ioeventfd": "@ioeventfd=on",
            "disk.driver.event_idx": "@event_idx=on",
            "disk.driver.copy_on_read": "@copy_on_read=on",
            "disk.driver.discard": "@discard=unmap",
            "disk.driver.detect_zeroes": "@detect_zeroes=on",
            "disk.driver.iothread": "@iothread=1",
            "disk.driver.queues": "@queues=2",
            "disk.driver.queue_size": "@queue_size=128",
            "disk.driver.packed": "@packed=on",
            "disk.driver.page_per_vq": "@page_per_vq=on",
            "disk.driver.error_policy": "@error_policy=stop",
            "disk.driver.rerror_policy": "@rerror_policy=stop",
            "disk.driver.metadata_cache": "<metadata_cache><max_size unit='MiB'>2</max_size></metadata_cache>",
        },
    ),
    **at("devices/disk/blockio", readings.everything, {"disk.blockio": "@logical_block_size=4096"}),
    **at(
        "devices/controller/driver",
        readings.everything,
        {
            "controller.driver.queues": "@queues=2",
            "controller.driver.cmd_per_lun": "@cmd_per_lun=8",
            "controller.driver.max_sectors": "@max_sectors=64",
            "controller.driver.ioeventfd": "@ioeventfd=on",
            "controller.driver.iothread": "@iothread=1",
        },
    ),
    **at(
        "devices/controller:2",
        readings.everything,
        {"xen.maxGrantFrames": "@maxGrantFrames=64", "xen.maxEventChannels": "@maxEventChannels=1023"},
    ),
    **at("devices/filesystem/driver", readings.everything, {"fs.driver.wrpolicy": "@wrpolicy=immediate"}),
    **at("devices/filesystem:2/driver", readings.everything, {"fs.driver.queue": "@queue=64"}),
    **at(
        "devices/filesystem:2/binary",
        readings.everything,
        {"fs.binary.cache.mode": "<cache mode='always'/>", "fs.binary.thread_pool.size": "<thread_pool size='4'/>"},
    ),
    **at("devices/rng/rate", readings.everything, {"rng.rate.bytes": "@bytes=1024", "rng.rate.period": "@period=2000"}),
    **at("devices/graphics", readings.everything, {"graphics.spice.compression": "<image compression='auto_glz'/>"}),
}
NETWORK = {
    **at(
        "devices/interface/driver",
        readings.links,
        {
            "net.driver.name": "@name=vhost",
            "net.driver.txmode": "@txmode=iothread",
            "net.driver.ioeventfd": "@ioeventfd=on",
            "net.driver.event_idx": "@event_idx=on",
            "net.driver.queues": "@queues=4",
            "net.driver.rx_queue_size": "@rx_queue_size=256",
            "net.driver.tx_queue_size": "@tx_queue_size=256",
            "net.driver.rss": "@rss=on",
            "net.driver.rss_hash_report": "@rss_hash_report=on",
            "net.driver.packed": "@packed=on",
            "net.driver.page_per_vq": "@page_per_vq=on",
            "net.driver.host_offloads": "<host csum='off' gso='off'/>",
            "net.driver.guest_offloads": "<guest csum='off'/>",
        },
    ),
    **at("devices/interface/mtu", readings.links, {"net.mtu": "@size=1400"}),
    **at("devices/interface/tune", readings.links, {"net.sndbuf": "<sndbuf>1024</sndbuf>"}),
    **at("devices/interface/coalesce/rx", readings.links, {"net.coalesce.rx_max_frames": "<frames max='7'/>"}),
    **at("devices/interface/backend", readings.links, {"net.backend.vhost": "@vhost=/dev/vhost-net"}),
}
MACHINE = {
    **at(
        "cpu",
        readings.affinity,
        {
            "cpu.mode": "@match=minimum",
            "cpu.model": "<model>qemu64</model>",
            "cpu.features": "<feature policy='disable' name='lm'/>",
            "cpu.topology": "<topology sockets='1' cores='2' threads='1'/>",
            "cpu.cache": "<cache mode='passthrough'/>",
            "cpu.maxphysaddr": "<maxphysaddr mode='emulate' bits='42'/>",
        },
    ),
    **at("cpu/numa/cell", readings.memory, {"cpu.numa.cells": "@memory=48"}),
    **at("cpu/numa/cell/distances", readings.memory, {"cpu.numa.distances": "<sibling id='0' value='10'/>"}),
    **at(
        "cpu/numa/interconnects",
        readings.memory,
        {"cpu.numa.hmat": "<latency initiator='0' target='0' type='access' value='5'/>"},
    ),
    **at("features/hyperv", readings.everything, prefixed("features.hyperv.", switches(HYPERV))),
    **at(
        "features/hyperv",
        readings.everything,
        {
            "features.hyperv.mode": "@mode=custom",
            "features.hyperv.spinlocks": "<spinlocks state='on' retries='8191'/>",
            "features.hyperv.vendor_id": "<vendor_id state='on' value='x'/>",
        },
    ),
    **at(
        "features/kvm",
        readings.everything,
        prefixed("features.kvm.", switches("hidden hint-dedicated poll-control pv-ipi")),
    ),
    **at("features/kvm", readings.everything, {"features.kvm.dirty-ring": "<dirty-ring state='on' size='4096'/>"}),
    **at("features/xen", readings.everything, prefixed("features.xen.", switches("e820_host passthrough"))),
    **at("features", readings.everything, prefixed("features.", switches("pvspinlock pmu hap vmport"))),
    **at(
        "features",
        readings.everything,
        {
            "features.viridian": "<viridian/>",
            "features.ioapic": "<ioapic driver='kvm'/>",
            "features.apic_eoi": "<apic eoi='on'/>",
            "features.tcg.tb_cache": "<tcg><tb-cache unit='MiB'>64</tb-cache></tcg>",
        },
    ),
    # With offset='localtime' instead, LXC looks at timers: rtc and hpet must be there, all others are refused.
    **at("clock", readings.everything, {"clock.offset": "@offset=variable"}),
    **at(
        "clock/timer",
        readings.everything,
        {
            "clock.timer.present": "@present=yes",
            "clock.timer.tickpolicy": "@tickpolicy=catchup",
            "clock.timer.catchup": "<catchup threshold='123' slew='120' limit='10000'/>",
        },
    ),
    **at(
        "clock/timer:2",
        readings.everything,
        {"clock.timer.tsc_mode": "@mode=native", "clock.timer.tsc_frequency": "@frequency=3000000000"},
    ),
    **at("clock/timer:3", readings.everything, {"clock.timer.track": "@track=guest"}),
    **at("resource/fibrechannel", readings.everything, {"resource.appid": "@appid=domtune"}),
    **at(
        "", readings.everything, {"launch_security": "<launchSecurity type='sev'><policy>1</policy></launchSecurity>"}
    ),
    **at("devices", readings.everything, {"device.iommu": "<iommu model='virtio'/>"}),
}
IGNORED: Mapping[str, Ignored] = MappingProxyType({**CPU, **MEMORY, **DEVICES, **NETWORK, **MACHINE})


def document(name: str, rows: Iterable[Ignored], files: Path) -> str:
    """A container asking for `rows`, with all devices that any row speaks of, so that two can be compared."""
    domain = ET.fromstring(guests.container(name))  # noqa: S314  our own document
    places = {"image": files / "ignored.raw", "directory": files}
    for path in CARRIERS:
        if path.startswith("devices/") and path.count("/") == 1:
            reach(domain, path, places)
    for row in rows:
        put(reach(domain, row.place, places), row.xml)
    return ET.tostring(domain, encoding="unicode")


def reach(domain: ET.Element, place: str, files: Mapping[str, Path]) -> ET.Element:
    """The element at `place`, made with all above it where it is missing."""
    here = domain
    path = ""
    for step in filter(None, place.split("/")):
        path = f"{path}/{step}".lstrip("/")
        tag, _, number = step.partition(":")
        while len(here.findall(tag)) < int(number or 1):
            carrier = CARRIERS.get(path, f"<{tag}/>").format(**files)
            here.append(ET.fromstring(carrier))  # noqa: S314  our own document
        here = here.findall(tag)[int(number or 1) - 1]
    return here


def put(parent: ET.Element, xml: str) -> None:
    """Two parameters may stand in one element: it is put once."""
    if xml.startswith("@"):
        name, _, value = xml.removeprefix("@").partition("=")
        parent.set(name, value)
        return
    element = ET.fromstring(xml)  # noqa: S314  our own document
    if ET.tostring(element) not in map(ET.tostring, parent):
        parent.append(element)
