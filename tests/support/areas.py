"""Where tuning stands in a domain document: what random documents should hold often and tests should reach."""

from functools import cache

# An element with everything below it, or one attribute; by the element that it stands in.
_AREAS = {
    "domain": [
        *("memory", "currentMemory", "maxMemory", "memoryBacking", "memtune", "numatune", "cputune", "blkiotune"),
        *("vcpu", "vcpus", "iothreads", "iothreadids", "defaultiothread", "resource", "perf"),
    ],
    "domain/cpu": ["numa"],
    "domain/clock": ["timer"],
    "domain/features": ["apic", "hap", "hyperv", "ioapic", "kvm", "pmu", "pvspinlock", "tcg", "viridian", "xen"],
    "domain/devices": ["iommu", "memballoon", "memory"],
    "domain/devices/controller": ["driver", "@maxEventChannels", "@maxGrantFrames"],
    "domain/devices/disk": ["blockio", "driver", "iotune"],
    "domain/devices/filesystem": ["binary", "driver", "source"],
    "domain/devices/graphics": ["image", "jpeg", "playback", "streaming", "zlib"],
    "domain/devices/hostdev": ["driver", "@mode", "@type"],
    "domain/devices/interface": ["backend", "bandwidth", "coalesce", "driver", "mtu", "tune"],
    "domain/devices/rng": ["driver", "rate"],
}
AREAS = tuple(f"/{parent}/{name}" for parent, names in _AREAS.items() for name in names)

ON_THE_WAY, INSIDE, SPARSE, ELSEWHERE = 0.75, 0.5, 0.25, 0.12

# libxml2 tries each subset of the optional attributes: with all 17 of a disk's driver it needs a minute to validate.
_MANY_ATTRIBUTES = "/domain/devices/disk/driver/@"

_NOT_TUNING = {"address", "acpi", "alias"}  # wherever they stand inside of an area


@cache
def interest(path: str) -> float:
    """How much a place is worth: the chance that something optional there is made."""
    if path.startswith(_MANY_ATTRIBUTES):
        return SPARSE
    if inside(path):
        return INSIDE
    return ON_THE_WAY if leads_inside(path) else ELSEWHERE


def inside(path: str) -> bool:
    """True in a tuning area."""
    return leads_inside(path) and any(path == area or path.startswith(area + "/") for area in AREAS)


def leads_inside(path: str) -> bool:
    """True in a tuning area and on the way to one."""
    if not _NOT_TUNING.isdisjoint(path.split("/")):
        return False
    return any(f"{area}/".startswith(f"{path}/") or path.startswith(f"{area}/") for area in AREAS)
