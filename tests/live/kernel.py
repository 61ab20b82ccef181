"""What the kernel says of a domain's processes: threads, affinity, scheduling, memory. Beside it: `cgroup`.

Process ids are those of this side, not of the lab: `qemu_pid` and `container` find them by the domain's name.
"""

import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from live import cgroup

VCPU = re.compile(r"CPU (\d+)/(?:KVM|TCG)")
IOTHREAD = re.compile(r"IO iothread(\d+)")
POLICIES = {
    os.SCHED_OTHER: "other",
    os.SCHED_FIFO: "fifo",
    os.SCHED_RR: "rr",
    os.SCHED_BATCH: "batch",
    os.SCHED_IDLE: "idle",
}
RESCTRL = Path("/sys/fs/resctrl")
CAP_SYS_RESOURCE = 24


@dataclass(frozen=True)
class Thread:
    name: str
    cpus: frozenset[int]
    policy: str  # other, batch, idle, fifo, rr
    priority: int


@dataclass(frozen=True)
class Limit:
    """Bytes; None is unlimited."""

    soft: int | None
    hard: int | None


@dataclass(frozen=True)
class Memory:
    """A process's memory by NUMA node, and the policies of its mappings."""

    pages: Mapping[int, int]
    policies: frozenset[str]


def processes() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def command_line(pid: int) -> list[str]:
    """Empty for a kernel thread or a process that has just ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")[:-1]
    except OSError:
        return []


def only(found: list[int], what: str) -> int:
    if len(found) != 1:
        raise LookupError(f"{len(found)} processes for {what}: {found}")
    return found[0]


def qemu_pid(name: str) -> int:
    """The QEMU process of a running domain; its main thread is the emulator thread."""
    mark = f"guest={name},"
    found = [pid for pid in processes() if any(word.startswith(mark) for word in command_line(pid))]
    return only(found, f"domain {name}")


def controller(name: str) -> int:
    """The libvirt_lxc process above a running container."""
    found = [pid for pid in processes() if is_controller(command_line(pid)) and name in command_line(pid)]
    return only([pid for pid in found if parent(pid) not in found], f"container {name}")


def is_controller(words: list[str]) -> bool:
    return bool(words) and words[0].endswith("libvirt_lxc")


def container(name: str) -> int:
    """The first process of a running container, once it is the container's own program."""
    above = controller(name)
    for _ in range(100):
        found = children(above)
        if found and not any(is_controller(command_line(pid)) for pid in found):
            break
        time.sleep(0.02)
    return only(children(above), f"the first process of container {name}")


def children(pid: int) -> list[int]:
    return [child for child in processes() if parent(child) == pid]


def parent(pid: int) -> int | None:
    text = status(pid, "PPid")
    return int(text) if text else None


def status(pid: int, field: str) -> str | None:
    """One line of /proc/PID/status; None when it or the process is not there."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(f"{field}:")), None)


def namespace_members(init: int) -> list[int]:
    """The processes in the process-id namespace of `init` or below it."""
    depth = len((status(init, "NSpid") or "").split())
    found = []
    for pid in processes():
        numbers = (status(pid, "NSpid") or "").split()
        if len(numbers) >= depth and (same_namespace(pid, init) or ancestor(init, pid)):
            found.append(pid)
    return found


def same_namespace(pid: int, other: int) -> bool:
    try:
        return Path(f"/proc/{pid}/ns/pid").readlink() == Path(f"/proc/{other}/ns/pid").readlink()
    except OSError:
        return False


def ancestor(above: int, pid: int | None) -> bool:
    while pid and pid != above:
        pid = parent(pid)
    return pid == above


def threads(pid: int) -> list[Thread]:
    """All of a process; those that end meanwhile are left out."""
    found = []
    for task in sorted(Path(f"/proc/{pid}/task").iterdir(), key=lambda path: int(path.name)):
        try:
            found.append(thread(int(task.name), (task / "comm").read_text(encoding="utf-8").strip()))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def thread(tid: int, name: str) -> Thread:
    policy = os.sched_getscheduler(tid) & ~os.SCHED_RESET_ON_FORK
    priority = os.sched_getparam(tid).sched_priority
    return Thread(name, frozenset(os.sched_getaffinity(tid)), POLICIES[policy], priority)


def vcpus(pid: int) -> dict[int, Thread]:
    """By vCPU number; with TCG in one thread there are none."""
    return numbered(pid, VCPU)


def iothreads(pid: int) -> dict[int, Thread]:
    return numbered(pid, IOTHREAD)


def numbered(pid: int, pattern: re.Pattern[str]) -> dict[int, Thread]:
    return {int(match[1]): found for found in threads(pid) if (match := pattern.fullmatch(found.name))}


def emulator(pid: int) -> Thread:
    """The main thread."""
    return thread(pid, Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip())


def memlock(pid: int) -> Limit:
    """RLIMIT_MEMLOCK."""
    lines = Path(f"/proc/{pid}/limits").read_text(encoding="ascii").splitlines()
    line = next(line for line in lines if line.startswith("Max locked memory"))
    soft, hard = (None if word == "unlimited" else int(word) for word in line.split()[3:5])
    return Limit(soft, hard)


def locked(pid: int) -> int:
    """KiB of memory that cannot be swapped out."""
    return int((status(pid, "VmLck") or "0").split()[0])


def numa(pid: int) -> Memory:
    pages: Counter[int] = Counter()
    policies = set()
    for line in Path(f"/proc/{pid}/numa_maps").read_text(encoding="utf-8", errors="replace").splitlines():
        _, policy, *words = line.split()
        policies.add(policy)
        pages += Counter({int(node): int(count) for node, count in re.findall(r"\bN(\d+)=(\d+)", " ".join(words))})
    return Memory(dict(pages), frozenset(policies))


def nodes() -> frozenset[int]:
    """The host's NUMA nodes; one where the kernel knows of none."""
    online = Path("/sys/devices/system/node/online")
    return cgroup.numbers(online.read_text(encoding="ascii").strip()) if online.exists() else frozenset({0})


def mergeable(pid: int) -> bool:
    """Whether any memory of the process is offered to KSM."""
    lines = Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8", errors="replace").splitlines()
    return any(line.startswith("VmFlags:") and "mg" in line.split() for line in lines)


def page_sizes(pid: int) -> frozenset[int]:
    """KiB, of all mappings."""
    lines = Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8", errors="replace").splitlines()
    return frozenset(int(line.split()[1]) for line in lines if line.startswith("KernelPageSize:"))


def perf_events(pid: int) -> int:
    """Performance counters open in the process-id namespace of a process: libvirtd holds those of its domains."""
    return sum(
        open_files(member).count("anon_inode:[perf_event]") for member in processes() if same_namespace(member, pid)
    )


def open_files(pid: int) -> list[str]:
    found = []
    with suppress(OSError):  # it, or one of its files, has just gone
        found += [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    return found


def resctrl_groups() -> frozenset[str]:
    """Names of the groups that cachetune and memorytune would make."""
    if not RESCTRL.is_dir():
        return frozenset()
    return frozenset(path.name for path in RESCTRL.iterdir() if (path / "schemata").exists())


def may_raise_limits() -> bool:
    """CAP_SYS_RESOURCE, which a hard_limit at creation needs."""
    held = int(status(os.getpid(), "CapEff") or "0", 16)
    return bool(held >> CAP_SYS_RESOURCE & 1)
