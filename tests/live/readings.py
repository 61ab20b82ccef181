"""What the kernel says of a container, one reading for each thing that tuning could have changed."""

import subprocess
from collections.abc import Callable
from functools import cache

from live import cgroup, kernel

Reading = Callable[[str], object]  # takes the container's name; equal readings mean that nothing was changed


def processes(name: str) -> tuple[int, int]:
    """The container's first process and libvirt's controller of it."""
    return kernel.container(name), kernel.controller(name)


def affinity(name: str) -> object:
    """CPUs and nodes that may be used: every thread's own, and the container's."""
    own = [thread.cpus for pid in processes(name) for thread in kernel.threads(pid)]
    return own, cgroup.cpuset(cgroup.groups(kernel.container(name)))


def scheduling(name: str) -> object:
    return [(thread.policy, thread.priority) for pid in processes(name) for thread in kernel.threads(pid)]


def thread_count(name: str) -> object:
    return [len(kernel.threads(pid)) for pid in processes(name)]


def shares(name: str) -> object:
    return cgroup.shares(cgroup.groups(kernel.container(name)))


def bandwidth(name: str) -> object:
    return cgroup.bandwidth(cgroup.groups(kernel.container(name)))


def limits(name: str) -> object:
    return cgroup.memory(cgroup.groups(kernel.container(name)))


def memory(name: str) -> object:
    """How the container's memory is made: page sizes, locking, merging, NUMA policy, limits."""
    pid = kernel.container(name)
    made = kernel.page_sizes(pid), kernel.locked(pid), kernel.memlock(pid), kernel.mergeable(pid)
    return made, kernel.numa(pid).policies, limits(name)


def caches(name: str) -> object:
    return {group for group in kernel.resctrl_groups() if name in group}


def block(name: str) -> object:
    found = cgroup.groups(kernel.container(name))
    return cgroup.blkio_weight(found), cgroup.blkio_device_weights(found), cgroup.throttles(found)


def counters(name: str) -> object:
    """How many performance counters libvirt has open."""
    return kernel.perf_events(kernel.controller(name))


def links(name: str) -> object:
    """The container's network devices without their numbers and addresses."""
    enter = ["nsenter", f"--target={kernel.container(name)}", "--net"]
    found = subprocess.run([*enter, "ip", "-o", "-d", "link"], check=True, timeout=10, text=True, capture_output=True)
    return [
        [word for word in line.split() if "@" not in word and ":" not in word]
        for line in found.stdout.replace("\\", " ").splitlines()
    ]


def everything(name: str) -> object:
    """For what has no counterpart in a container at all."""
    every = (affinity, scheduling, thread_count, shares, bandwidth, memory, caches, block, counters, links)
    return [read(name) for read in every]


class Pair:
    """Two containers, of which one asks for something; each reading is taken once."""

    def __init__(self, plain: str, asking: str) -> None:
        self.plain = cache(lambda read: read(plain))
        self.asking = cache(lambda read: read(asking))
