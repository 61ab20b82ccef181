"""Every shipped profile on a virtual machine and on a container: what is done is what its plan says, and it holds.

The plans are those of tests/catalogue, which a domain with the same vCPUs and disks must get. It has no NIC: whether
limits of NICs can be had depends on the schedulers that this kernel has for packets.
"""

import os
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

from domtune import catalogue, profile
from domtune.errors import Failed, Refused
from domtune.profile import Profile
from domtune.run import Started, Wish
from live import cgroup, guests, kernel, product
from live.hypervisor import Hypervisor

PLANS = Path(__file__).parent.parent / "catalogue"
NEEDING = {"real-time", "real-time-fifo", "huge-pages"}  # what not every host has
NAMES = sorted({path.stem for path in catalogue.SHIPPED.glob("*.yaml")} - NEEDING)
POOLS = Path("/sys/kernel/mm/hugepages")
VCPUS = "<vcpu>4</vcpu>"
WEIGHTS = {
    "balanced": Fraction(1),
    "build-server": Fraction(1, 2),
    "database": Fraction(2),
    "latency": Fraction(4),
    "noisy-neighbour": Fraction(1, 2),
    "quiet-background": Fraction(1, 10),
    "vfio-workstation": Fraction(4),
}
POLICIES = {"build-server": "batch", "quiet-background": "idle", "throughput": "batch"}
UNSHARED = {"build-server", "database", "latency", "throughput", "vfio-workstation"}
PINS = "profile: mine\nset: {cpu.vcpu.pin: {all: 0}, cpu.emulator.pin: 1}\nwant: {memory.locked: default}\n"


@dataclass(frozen=True)
class Outcome:
    """By name: a connection from outside the lab does not tell the version of cgroups, so weights come afterwards."""

    done: set[str]
    not_done: set[str]


def planned(driver: str, name: str) -> Outcome:
    text = (PLANS / driver / f"{name}.txt").read_text(encoding="utf-8").split("\n\n")[0]
    lines = re.findall(r"^(at creation|afterwards|not done): (\S+?):? ", text, re.MULTILINE)
    said = [(word, what) for word, what in lines if not what.startswith("net[")]
    not_done = {what for word, what in said if word == "not done"}
    return Outcome({what for word, what in said if word != "not done"}, not_done)


def outcome(started: Started) -> Outcome:
    said = [each for each in (*started.at_creation, *started.afterwards) if not each.is_default]
    return Outcome({each.name for each in said}, {each.setting.name for each in started.not_done})


def start(host: Hypervisor, *profiles: Profile) -> tuple[str, Started]:
    """Start a domain like that of the plans."""
    name = host.name()
    disks = "" if host.virt == "lxc" else "".join(guests.disk(host.image(), target=dev) for dev in ("vda", "vdb"))
    host.define(host.document(name, devices=disks, vcpu=VCPUS))
    return name, product.start(host, name, Wish(profiles))


def weight(pid: int) -> Fraction:
    """As a ratio to what a domain has when nothing is said."""
    found = cgroup.groups(pid)
    return Fraction(cgroup.shares(found), 1024 if found.version == 1 else 100)


def assert_near(expected: Fraction, found: Fraction) -> None:
    """Weights are whole numbers of 1024 or 100."""
    assert abs(expected - found) <= Fraction(1, 1000)


@pytest.mark.live("qemu")
@pytest.mark.parametrize("name", NAMES)
def test_a_virtual_machine_gets_what_a_shipped_profile_promises(qemu: Hypervisor, name: str) -> None:
    guest, started = start(qemu, *catalogue.load(name))
    pid = kernel.qemu_pid(guest)

    assert planned("qemu", name) == outcome(started)
    assert_near(WEIGHTS.get(name, Fraction(1)), weight(pid))
    assert {POLICIES.get(name, "other")} == {thread.policy for thread in kernel.vcpus(pid).values()}
    assert (name not in UNSHARED) == kernel.mergeable(pid)
    assert (1 if name == "iothreads" else 0) == len(kernel.iothreads(pid))
    assert (Fraction(1, 2) if name == "noisy-neighbour" else None) == share(cgroup.groups(pid), "vcpu0")
    assert (500 if name == "disk-weight" else 100) == cgroup.blkio_weight(cgroup.groups(pid))


@pytest.mark.live("lxc")
@pytest.mark.parametrize("name", [*NAMES, "huge-pages", "real-time"])
def test_a_container_gets_what_a_shipped_profile_promises(lxc: Hypervisor, name: str) -> None:
    guest, started = start(lxc, *catalogue.load(name))
    pid = kernel.container(guest)

    assert planned("lxc", name) == outcome(started)
    assert_near(WEIGHTS.get(name, Fraction(4 if name == "real-time" else 1)), weight(pid))
    assert (Fraction(1) if name == "noisy-neighbour" else None) == share(cgroup.groups(pid), "")
    assert (500 if name == "disk-weight" else 100) == cgroup.blkio_weight(cgroup.groups(pid))


def share(found: cgroup.Groups, part: str) -> Fraction | None:
    """How many host CPUs it may use; None is without limit."""
    limit = cgroup.bandwidth(found, part)
    return None if limit.quota is None else Fraction(limit.quota, limit.period)


@pytest.mark.live("qemu")
def test_latency_keeps_memory_near_where_nodes_are_said(qemu: Hypervisor) -> None:
    mine = profile.read('profile: mine\nwant: {cpu.nodes: "0"}', "mine.yaml")
    guest, started = start(qemu, *catalogue.load("latency"), mine)
    assert started.not_done == ()
    assert kernel.numa(kernel.qemu_pid(guest)).policies >= {"bind:0"}


@pytest.mark.live("qemu")
def test_real_time_locks_memory_or_the_start_fails_without_the_right_to(qemu: Hypervisor) -> None:
    profiles = catalogue.load("real-time")
    if not kernel.may_raise_limits():
        with pytest.raises(Failed, match="cannot limit locked memory of process"):
            start(qemu, *profiles)
        return
    guest, started = start(qemu, *profiles)
    assert planned("qemu", "real-time") == outcome(started)
    assert kernel.locked(kernel.qemu_pid(guest)) >= 64 << 20


@pytest.mark.live("qemu")
def test_real_time_fifo_is_refused_without_pins(qemu: Hypervisor) -> None:
    with pytest.raises(Refused, match=r"memory\.nodes: no layer says where the vCPUs run") as refused:
        start(qemu, *catalogue.load("real-time-fifo"))
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.live("qemu")
def test_real_time_fifo_beside_pins_runs_or_the_start_fails_without_the_right_to(qemu: Hypervisor) -> None:
    profiles = [*catalogue.load("real-time-fifo"), profile.read(PINS, "mine.yaml")]
    if not may_have_priority(qemu):
        with pytest.raises(Failed, match="Cannot set scheduler parameters"):
            start(qemu, *profiles)
        return
    guest, _ = start(qemu, *profiles)
    threads = kernel.vcpus(kernel.qemu_pid(guest)).values()
    assert {("fifo", 1)} == {(thread.policy, thread.priority) for thread in threads}


def may_have_priority(host: Hypervisor) -> bool:
    """Whether a process in the group of a domain gets real-time priority: try it on one that is of no more use."""
    guest, _ = start(host)
    try:
        os.sched_setscheduler(kernel.qemu_pid(guest), os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        return False
    return True


@pytest.mark.live("lxc")
def test_real_time_fifo_is_refused_on_containers(lxc: Hypervisor) -> None:
    with pytest.raises(Refused, match=r"cpu\.vcpu\.sched\.policy\[0-3\]: lxc: ignored: a container has no such"):
        start(lxc, *catalogue.load("real-time-fifo"))


@pytest.mark.live("qemu")
def test_huge_pages_are_used_or_the_start_fails_without_a_pool(qemu: Hypervisor) -> None:
    if not any(int(path.read_text()) for path in POOLS.glob("*/free_hugepages")):
        with pytest.raises(Failed, match="huge pages"):
            start(qemu, *catalogue.load("huge-pages"))
        return
    guest, _ = start(qemu, *catalogue.load("huge-pages"))
    assert kernel.page_sizes(kernel.qemu_pid(guest)) > {4096}
