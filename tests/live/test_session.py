"""What the daemon of a user without privileges can and cannot tune: affinity and little else."""

from collections.abc import Callable

import libvirt
import pytest

from live import cgroup, guests, kernel
from live.hypervisor import FIRST_CPU, Hypervisor, disk_limits
from live.lab import Lab

LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE
REFUSED = {
    "cpu.shares": "<cputune><shares>300</shares></cputune>",
    "cpu.vcpu.quota": "<cputune><quota>30000</quota></cputune>",
    "memory.limit.soft": "<memtune><soft_limit unit='MiB'>300</soft_limit></memtune>",
    "memory.limit.hard": "<memtune><hard_limit unit='MiB'>300</hard_limit></memtune>",
    "blkio.weight": "<blkiotune><weight>300</weight></blkiotune>",
}


@pytest.mark.live("qemu")
@pytest.mark.parametrize("parameter", sorted(REFUSED))
def test_a_session_refuses_what_needs_a_cgroup(session: Hypervisor, parameter: str) -> None:
    with pytest.raises(libvirt.libvirtError, match="tuning is not available in session mode"):
        session.create(session.document(session.name(), body=REFUSED[parameter]))


@pytest.mark.live("qemu")
def test_a_session_honours_affinity_at_creation(session: Hypervisor) -> None:
    name = session.name()
    pins = "<cputune><vcpupin vcpu='0' cpuset='0'/><emulatorpin cpuset='0'/></cputune>"
    session.create(session.document(name, body=pins))
    pid = kernel.qemu_pid(name)
    with pytest.raises(LookupError, match="no cgroup of a domain"):
        cgroup.groups(pid)
    assert kernel.vcpus(pid)[0].cpus == {0}
    monitors = {thread.cpus for thread in kernel.threads(pid) if thread.name == "IO mon_iothread"}
    assert monitors == {kernel.emulator(pid).cpus} == {frozenset({0})}


@pytest.mark.live("qemu")
def test_a_session_pins_the_emulators_main_thread_only_when_it_runs(session: Hypervisor) -> None:
    name = session.name()
    domain = session.create(session.document(name))
    everywhere = kernel.emulator(kernel.qemu_pid(name)).cpus
    domain.pinVcpuFlags(0, FIRST_CPU, LIVE)
    domain.pinEmulator(FIRST_CPU, LIVE)
    pid = kernel.qemu_pid(name)
    assert kernel.vcpus(pid)[0].cpus == kernel.emulator(pid).cpus == {0}
    assert {thread.cpus for thread in kernel.threads(pid) if thread.name == "IO mon_iothread"} == {everywhere}


@pytest.mark.live("qemu")
def test_a_running_session_domain_refuses_what_needs_a_cgroup(session: Hypervisor) -> None:
    domain = session.create(session.document(session.name()))
    calls: dict[str, Callable[[], object]] = {
        "CPU tuning": lambda: domain.setSchedulerParametersFlags({"cpu_shares": 300}, LIVE),
        "Memory tuning": lambda: domain.setMemoryParameters({"soft_limit": 1 << 20}, LIVE),
        "Block I/O tuning": lambda: domain.setBlkioParameters({"weight": 300}, LIVE),
        "NUMA tuning": lambda: domain.setNumaParameters({"numa_nodeset": "0"}, LIVE),
    }
    for what, call in calls.items():
        with pytest.raises(libvirt.libvirtError, match=f"{what} is not available in session mode"):
            call()
    with pytest.raises(libvirt.libvirtError, match="CPU tuning is not available in session mode"):
        domain.schedulerParameters()


@pytest.mark.live("qemu")
def test_a_session_takes_disk_limits_iothreads_and_the_balloons_period(session: Hypervisor) -> None:
    name = session.name()
    image = session.image()
    image.chmod(0o666)
    domain = session.create(session.document(name, devices=guests.disk(image)))
    domain.setBlockIoTune("vda", {"read_iops_sec": 100}, LIVE)
    domain.addIOThread(1, LIVE)
    domain.setMemoryStatsPeriod(5, LIVE)
    assert disk_limits(domain, "vda")["read_iops_sec"] == 100
    assert set(kernel.iothreads(kernel.qemu_pid(name))) == {1}


@pytest.mark.live("qemu")
@pytest.mark.parametrize(
    "body",
    [
        "<numatune><memory mode='restrictive' nodeset='0'/></numatune>",
        "<resource><partition>/machine</partition></resource>",
    ],
)
def test_a_session_takes_what_would_need_a_cgroup_of_the_domain_and_does_nothing(
    session: Hypervisor, body: str
) -> None:
    name = session.name()
    session.create(session.document(name, body=body))
    pid = kernel.qemu_pid(name)
    assert kernel.numa(pid).policies == {"default"}
    assert cgroup.domain_paths(pid) == set()


@pytest.mark.live("qemu")
def test_a_command_of_the_user_finds_the_session(lab: Lab, session: Hypervisor) -> None:
    name = session.name()
    session.create(session.document(name))
    done = lab.run_as_user(["virsh", "--quiet", "--connect", "qemu:///session", "list", "--name"])
    assert name in done.stdout.split()
