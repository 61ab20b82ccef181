"""What this host's kernel says of a running QEMU domain: the affinity of its threads, the files of its cgroup.

Linux only, and only for domains of this host. Found through the process (proc(5)), never guessed from names.
"""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_VCPU = re.compile(r"CPU ([0-9]+)/(?:KVM|TCG)")  # how QEMU names its vCPU threads when libvirt asks it to
_CGROUPS = Path("/sys/fs/cgroup")
_GET_API_VERSION = 0xAE00  # linux/kvm.h


@dataclass(frozen=True, slots=True)
class Thread:
    """One thread of a QEMU process."""

    name: str  # "vCPU 0", "IOThread 1", "emulator"
    cpus: str  # where it may run, as the kernel lists it


def has_kvm() -> bool:
    """Tell whether this process may use KVM: whether its device is there, opens and answers."""
    try:
        with Path("/dev/kvm").open("r+b", buffering=0) as device:
            return fcntl.ioctl(device, _GET_API_VERSION) == 12
    except OSError:
        return False


def cgroup_version(mounts: str = "/proc/self/mounts") -> int:
    """Return the version of cgroups, 1 or 2, that has this host's CPU controller; 0 if neither has it.

    Where both are mounted, a controller belongs to one of them (cgroups(7)); libvirt takes it from there.
    """
    try:
        lines = [line.split() for line in Path(mounts).read_text(encoding="utf-8").splitlines()]
    except OSError:
        return 0
    if any(line[2] == "cgroup" and "cpu" in line[3].split(",") for line in lines):
        return 1
    unified = next((Path(line[1]) for line in lines if line[2] == "cgroup2"), None)
    try:
        has = unified is not None and "cpu" in (unified / "cgroup.controllers").read_text(encoding="utf-8").split()
    except OSError:
        return 0
    return 2 if has else 0


def qemu_process(uuid: str) -> int | None:
    """Return the process id of the QEMU process of a domain, or None."""
    for directory in _PROC.iterdir():
        if directory.name.isdigit() and uuid in _arguments(directory):
            return int(directory.name)
    return None


def threads(pid: int) -> Iterator[Thread]:
    """Give the threads of a QEMU process that tuning speaks of."""
    for task in sorted((_PROC / str(pid) / "task").iterdir(), key=lambda each: int(each.name)):
        try:
            comm = (task / "comm").read_text(encoding="utf-8").strip()
            status = (task / "status").read_text(encoding="utf-8")
        except OSError:  # it ended meanwhile
            continue
        if name := _thread_name(comm, is_main=task.name == str(pid)):
            found = re.search(r"^Cpus_allowed_list:\s*(\S+)", status, re.MULTILINE)
            yield Thread(name, found[1] if found else "")


def cgroup_value(pid: int, file_v1: str, file_v2: str) -> tuple[str, str] | None:
    """Return file name and text of a value of the domain's cgroup, v1 or v2; None if there is none."""
    for line in (_PROC / str(pid) / "cgroup").read_text(encoding="utf-8").splitlines():
        _, controllers, path = line.split(":", 2)
        name = file_v1 if controllers else file_v2
        first = controllers.split(",")[0].removeprefix("name=")
        if controllers and file_v1.partition(".")[0] not in controllers.split(","):
            continue
        domain = path.split("/libvirt")[0].removesuffix("/emulator")
        file = _CGROUPS / first / domain.lstrip("/") / name
        if file.is_file():
            return name, file.read_text(encoding="utf-8").strip()
    return None


def _thread_name(comm: str, *, is_main: bool) -> str:
    if is_main:
        return "emulator"
    if match := _VCPU.fullmatch(comm):
        return f"vCPU {match[1]}"
    return f"IOThread {comm.removeprefix('IO iothread')}" if comm.startswith("IO iothread") else ""


def _arguments(directory: Path) -> list[str]:
    try:
        words = (directory / "cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
    except OSError:
        return []
    return words if "qemu" in words[0] else []
