"""What the kernel's cgroups say of a domain, on v1 and v2: found from one of its processes, never guessed from a name.

Values are read from the files themselves, since that is what a test wants to know; `None` is "no limit".
"""

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

DOMAIN = re.compile(r"\.libvirt-(qemu|lxc)$|^machine-.*\.scope$")  # made by libvirt itself, or by systemd for it
PART = re.compile(r"vcpu\d+|emulator|iothread\d+")
NO_LIMIT_V1 = 1 << 62  # v1 writes "no limit" as the largest number of whole pages
PARTITION = "machine"
THROTTLES = {  # our name: the file of v1, the key of v2
    "read_bytes_sec": ("read_bps", "rbps"),
    "write_bytes_sec": ("write_bps", "wbps"),
    "read_iops_sec": ("read_iops", "riops"),
    "write_iops_sec": ("write_iops", "wiops"),
}


@dataclass(frozen=True)
class Groups:
    """The directories of one domain: one for each controller on v1, one for all on v2."""

    version: int
    paths: Mapping[str, Path]  # by controller

    def path(self, controller: str, part: str = "") -> Path:
        """Of the whole domain, or of a part: `vcpu0`, `emulator`, `iothread1`."""
        return self.paths[controller] / part

    def read(self, controller: str, name: str, part: str = "") -> str:
        return (self.path(controller, part) / name).read_text(encoding="ascii").strip()

    def first(self, controller: str, names: tuple[str, ...]) -> str | None:
        """The first of several files that this kernel has; None where it has none of them."""
        found = (name for name in names if (self.path(controller) / name).exists())
        name = next(found, None)
        return None if name is None else self.read(controller, name)


@dataclass(frozen=True)
class Bandwidth:
    quota: int | None  # us in each period
    period: int  # us


@dataclass(frozen=True)
class MemoryLimits:
    """Bytes. `swap` is memory and swap together on v1, swap alone on v2, absent where the kernel does not count it."""

    hard: int | None
    soft: int | None
    swap: int | None


@dataclass(frozen=True)
class Throttle:
    read_bytes_sec: int | None = None
    write_bytes_sec: int | None = None
    read_iops_sec: int | None = None
    write_iops_sec: int | None = None


@dataclass(frozen=True)
class CpuSet:
    cpus: frozenset[int]
    nodes: frozenset[int]


def mounts() -> Mapping[str, tuple[Path, str]]:
    """Where each controller is mounted, and which of its directories the mount begins at; `""` is v2."""
    found: dict[str, tuple[Path, str]] = {}
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        left, _, right = line.partition(" - ")
        root, point = left.split()[3:5]
        kind, _, options = right.split(" ", 2)
        if kind == "cgroup2":
            found[""] = (Path(point), root)
        elif kind == "cgroup":
            found |= {option: (Path(point), root) for option in options.split(",")}
    return MappingProxyType(found)


def memberships(pid: int) -> Mapping[str, Path]:
    """The directory of a process by controller, `""` for v2."""
    mounted = mounts()
    found: dict[str, Path] = {}
    for line in Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8").splitlines():
        _, controllers, inside = line.split(":", 2)
        for controller in controllers.split(","):
            if controller in mounted:
                point, root = mounted[controller]
                found[controller] = point / inside.removeprefix(root).lstrip("/")
    return MappingProxyType(found)


def groups(pid: int) -> Groups:
    """Of the domain that the process belongs to, in whichever part of it the process is."""
    own = memberships(pid)
    if "cpu" in own:
        paths = {name: domain for name, path in own.items() if (domain := domain_of(path))}
        version = 1
    else:
        whole = domain_of(own[""])
        paths = dict.fromkeys(("cpu", "cpuset", "memory", "blkio"), whole) if whole else {}
        version = 2
    if not paths:
        raise LookupError(f"process {pid} is in no cgroup of a domain: {dict(own)}")
    return Groups(version, MappingProxyType(paths))


def domain_of(path: Path) -> Path | None:
    """The directory of the domain: systemd's scopes hold one more level, `libvirt`, above the parts."""
    return next((level for level in (path, *path.parents) if DOMAIN.search(level.name)), None)


def domain_paths(pid: int) -> set[Path]:
    """Every directory that a domain's process makes us answer for; none for other processes."""
    try:
        return {domain for path in memberships(pid).values() if (domain := domain_of(path))}
    except OSError:  # it has just ended
        return set()


def parts(found: Groups) -> frozenset[str]:
    return frozenset(path.name for path in found.path("cpu").rglob("*") if path.is_dir() and PART.fullmatch(path.name))


def part_path(found: Groups, controller: str, part: str) -> str:
    nested = Path("libvirt") / part
    return str(nested) if part and found.path(controller, str(nested)).is_dir() else part


def shares(found: Groups) -> int:
    return int(found.read("cpu", "cpu.shares" if found.version == 1 else "cpu.weight"))


def bandwidth(found: Groups, part: str = "") -> Bandwidth:
    where = part_path(found, "cpu", part)
    if found.version == 1:
        quota = int(found.read("cpu", "cpu.cfs_quota_us", where))
        return Bandwidth(None if quota < 0 else quota, int(found.read("cpu", "cpu.cfs_period_us", where)))
    most, period = found.read("cpu", "cpu.max", where).split()
    return Bandwidth(None if most == "max" else int(most), int(period))


def memory(found: Groups) -> MemoryLimits:
    names = ("limit_in_bytes", "soft_limit_in_bytes", "memsw.limit_in_bytes")
    if found.version == 2:
        names = ("max", "high", "swap.max")
    return MemoryLimits(*(limit(found.first("memory", (f"memory.{name}",))) for name in names))


def limit(text: str | None) -> int | None:
    return None if text in {None, "max"} or int(text) >= NO_LIMIT_V1 else int(text)


def blkio_weight(found: Groups) -> int | None:
    """None where this kernel has no such file."""
    text = found.first("blkio", ("blkio.bfq.weight", "blkio.weight", "io.bfq.weight", "io.weight"))
    return None if text is None else int(text.split()[-1])


def blkio_device_weights(found: Groups) -> Mapping[str, int]:
    """By device number, `8:0`."""
    names = ("blkio.bfq.weight_device", "blkio.weight_device", "io.bfq.weight", "io.weight")
    lines = (line.split() for line in (found.first("blkio", names) or "").splitlines())
    return {words[0]: int(words[-1]) for words in lines if ":" in words[0]}


def throttles(found: Groups) -> Mapping[str, Throttle]:
    """By device number, `8:0`."""
    by_device: dict[str, dict[str, int | None]] = {}
    if found.version == 2:
        for line in found.read("blkio", "io.max").splitlines():
            device, *words = line.split()
            row = dict(word.split("=") for word in words)
            by_device[device] = {ours: limit(row[key]) for ours, (_, key) in THROTTLES.items()}
    else:
        for ours, (name, _) in THROTTLES.items():
            for line in (found.first("blkio", (f"blkio.throttle.{name}_device",)) or "").splitlines():
                device, value = line.split()
                by_device.setdefault(device, {})[ours] = int(value)
    return {device: Throttle(**values) for device, values in by_device.items()}


def cpuset(found: Groups, part: str = "") -> CpuSet:
    """What is in force: on v2 an empty `cpuset.cpus` means the parent's, which the effective file says."""
    where = part_path(found, "cpuset", part)
    names = ("cpuset.cpus", "cpuset.mems") if found.version == 1 else ("cpuset.cpus.effective", "cpuset.mems.effective")
    return CpuSet(*(numbers(found.read("cpuset", name, where)) for name in names))


def numbers(text: str) -> frozenset[int]:
    """`0-2,5` as a set."""
    spans = (span.partition("-") for span in text.split(",") if span)
    return frozenset(n for low, _, high in spans for n in range(int(low), int(high or low) + 1))


def remove(path: Path) -> None:
    """With everything below it."""
    for directory in sorted((path, *path.rglob("*/")), reverse=True):
        remove_one(directory)


def remove_one(directory: Path) -> None:
    """The kernel may need a moment to see that the last process has gone."""
    for _ in range(50):
        try:
            directory.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.02)
        else:
            return


def leftovers(mark: str) -> set[Path]:
    """Directories of domains named so that have no process any more; libvirt forgets some when a start fails."""
    found = (path for point, _ in mounts().values() for path in point.glob(f"{PARTITION}/*{mark}*"))
    return {path for path in found if not occupied(path)}


def occupied(path: Path) -> bool:
    """Whether any thread is in it or below it; the files that list processes cannot be read in v2's threaded groups."""
    name = "tasks" if (path / "tasks").exists() else "cgroup.threads"
    return any(file.read_text(encoding="ascii") for file in path.rglob(name))


def sweep() -> None:
    """Take away libvirt's empty partitions; it makes them again when it needs them."""
    for point, _ in mounts().values():
        with suppress(OSError):
            (point / PARTITION).rmdir()
