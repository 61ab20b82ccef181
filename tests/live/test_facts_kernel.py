"""What the kernel shows of a domain's tuning: given at creation, set while it runs, or dropped without a word."""

import libvirt
import pytest

from live import cgroup, guests, kernel, readings
from live.hypervisor import Hypervisor, disk_limits, memory_in_use

LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE
CPUTUNE = """\
<iothreads>2</iothreads>
<cputune>
  <shares>512</shares>
  <period>50000</period> <quota>30000</quota>
  <global_period>100000</global_period> <global_quota>150000</global_quota>
  <emulator_period>50000</emulator_period> <emulator_quota>25000</emulator_quota>
  <iothread_period>50000</iothread_period> <iothread_quota>20000</iothread_quota>
  <vcpupin vcpu='0' cpuset='0'/> <emulatorpin cpuset='0'/> <iothreadpin iothread='2' cpuset='0'/>
  <vcpusched vcpus='1' scheduler='batch'/> <emulatorsched scheduler='idle'/>
  <iothreadsched iothreads='1' scheduler='batch'/>
</cputune>
"""


@pytest.mark.live("qemu")
def test_qemu_honours_cpu_tuning_at_creation(qemu: Hypervisor) -> None:
    name = qemu.name()
    qemu.create(qemu.document(name, body=CPUTUNE))
    pid = kernel.qemu_pid(name)
    found = cgroup.groups(pid)
    everywhere = cgroup.cpuset(found).cpus

    assert cgroup.parts(found) == {"emulator", "vcpu0", "vcpu1", "iothread1", "iothread2"}
    assert cgroup.shares(found) == 512
    assert {part: cgroup.bandwidth(found, part) for part in ("", "vcpu0", "vcpu1", "emulator", "iothread2")} == {
        "": cgroup.Bandwidth(150000, 100000),
        "vcpu0": cgroup.Bandwidth(30000, 50000),
        "vcpu1": cgroup.Bandwidth(30000, 50000),
        "emulator": cgroup.Bandwidth(25000, 50000),
        "iothread2": cgroup.Bandwidth(20000, 50000),
    }
    assert {number: thread.cpus for number, thread in kernel.vcpus(pid).items()} == {0: {0}, 1: everywhere}
    assert {number: thread.cpus for number, thread in kernel.iothreads(pid).items()} == {1: everywhere, 2: {0}}
    assert kernel.emulator(pid).cpus == cgroup.cpuset(found, "emulator").cpus == {0}
    assert {number: thread.policy for number, thread in kernel.vcpus(pid).items()} == {0: "other", 1: "batch"}
    assert {number: thread.policy for number, thread in kernel.iothreads(pid).items()} == {1: "batch", 2: "other"}
    assert kernel.emulator(pid).policy == "idle"


@pytest.mark.live("qemu")
def test_qemu_honours_memory_and_disk_tuning_at_creation(qemu: Hypervisor) -> None:
    name = qemu.name()
    body = """\
<memtune><soft_limit unit='MiB'>300</soft_limit></memtune>
<blkiotune><weight>300</weight></blkiotune>
<memoryBacking><nosharepages/><allocation mode='immediate'/></memoryBacking>
<numatune><memory mode='strict' nodeset='0'/></numatune>
<perf><event name='page_faults' enabled='yes'/></perf>
"""
    limits = "<iotune><read_iops_sec>500</read_iops_sec></iotune>"
    domain = qemu.create(qemu.document(name, body=body, devices=guests.disk(qemu.image(".qcow2"), inside=limits)))
    pid = kernel.qemu_pid(name)
    found = cgroup.groups(pid)

    assert cgroup.memory(found).soft == 300 << 20
    assert cgroup.blkio_weight(found) == 300
    assert disk_limits(domain, "vda")["read_iops_sec"] == 500
    assert not kernel.mergeable(pid)
    assert kernel.numa(pid).policies >= {"bind:0"}
    assert sum(kernel.numa(pid).pages.values()) * 4096 > 64 << 20
    assert kernel.perf_events(pid) > 0
    words = " ".join(kernel.command_line(pid))
    assert '"prealloc":true' in words
    assert "mem-merge=off" in words


@pytest.mark.live("lxc")
def test_lxc_honours_what_stands_on_the_whole_container(lxc: Hypervisor) -> None:
    """And so the readings that find nothing for ignored parameters do find something where there is something."""
    plain, tuned = lxc.name("plain"), lxc.name("tuned")
    body = """\
<memtune><soft_limit unit='MiB'>48</soft_limit></memtune>
<blkiotune><weight>300</weight></blkiotune>
<cputune><shares>300</shares><period>50000</period><quota>20000</quota></cputune>
"""
    lxc.create(lxc.document(plain))
    lxc.create(lxc.document(tuned, body=body, vcpu="<vcpu cpuset='0'>2</vcpu>"))
    found = cgroup.groups(kernel.container(tuned))
    assert cgroup.shares(found) == 300
    assert cgroup.bandwidth(found) == cgroup.Bandwidth(20000, 50000)
    assert cgroup.memory(found).soft == 48 << 20
    assert cgroup.blkio_weight(found) == 300
    assert kernel.threads(kernel.container(tuned))[0].cpus == cgroup.cpuset(found).cpus == {0}
    for reading in (readings.affinity, readings.shares, readings.bandwidth, readings.limits, readings.block):
        assert reading(plain) != reading(tuned), reading.__name__


@pytest.mark.live("lxc")
@pytest.mark.parametrize("mode", ["strict", "restrictive"])
def test_lxc_looks_at_the_nodes_of_restrictive_numatune_only(lxc: Hypervisor, mode: str) -> None:
    name = lxc.name()
    missing = max(kernel.nodes()) + 1
    document = lxc.document(name, body=f"<numatune><memory mode='{mode}' nodeset='{missing}'/></numatune>")
    if mode == "restrictive":
        with pytest.raises(libvirt.libvirtError, match=r"cpuset\.mems"):
            lxc.create(document)
        return
    lxc.create(document)
    assert missing not in cgroup.cpuset(cgroup.groups(kernel.container(name))).nodes
    assert kernel.numa(kernel.container(name)).policies == {"default"}


@pytest.mark.live("lxc")
def test_a_container_is_limited_to_its_memory_and_setmem_overwrites_its_hard_limit(lxc: Hypervisor) -> None:
    name = lxc.name()
    domain = lxc.create(lxc.document(name))
    assert cgroup.memory(cgroup.groups(kernel.container(name))).hard == 64 << 20
    domain.setMemoryParameters({"hard_limit": 50 << 10}, LIVE)
    domain.setMemoryFlags(40 << 10, LIVE)
    assert cgroup.memory(cgroup.groups(kernel.container(name))).hard == 40 << 20
    assert guests.value(domain.XMLDesc(0), "memtune/hard_limit") == str(50 << 10)


@pytest.mark.live("qemu")
def test_qemu_drops_the_pin_of_a_vcpu_that_is_not_there(qemu: Hypervisor) -> None:
    domain = qemu.create(qemu.document(qemu.name(), body="<cputune><vcpupin vcpu='7' cpuset='0'/></cputune>"))
    assert "vcpupin" not in domain.XMLDesc(0)


@pytest.mark.live("qemu")
def test_qemu_drops_the_priority_of_a_policy_that_has_none(qemu: Hypervisor) -> None:
    name = qemu.name()
    domain = qemu.create(
        qemu.document(name, body="<cputune><vcpusched vcpus='0-1' scheduler='batch' priority='7'/></cputune>")
    )
    assert "priority" not in domain.XMLDesc(0)
    assert [(thread.policy, thread.priority) for thread in kernel.vcpus(kernel.qemu_pid(name)).values()] == [
        ("batch", 0)
    ] * 2


@pytest.mark.live("qemu")
def test_qemu_takes_an_iothread_quota_without_iothreads_and_does_nothing(qemu: Hypervisor) -> None:
    name = qemu.name()
    domain = qemu.create(qemu.document(name, body="<cputune><iothread_quota>20000</iothread_quota></cputune>"))
    assert guests.value(domain.XMLDesc(0), "cputune/iothread_quota") == "20000"
    assert domain.setSchedulerParametersFlags({"iothread_quota": 30000}, LIVE) == 0
    found = cgroup.groups(kernel.qemu_pid(name))
    assert {cgroup.bandwidth(found, part).quota for part in ("", *cgroup.parts(found))} == {None}


@pytest.mark.live("qemu")
def test_qemu_takes_zero_as_quota_and_period_and_does_nothing(qemu: Hypervisor) -> None:
    name = qemu.name()
    domain = qemu.create(qemu.document(name, body="<cputune><period>50000</period><quota>30000</quota></cputune>"))
    assert domain.setSchedulerParametersFlags({"vcpu_quota": 0, "vcpu_period": 0}, LIVE) == 0
    found = cgroup.groups(kernel.qemu_pid(name))
    assert cgroup.bandwidth(found, "vcpu0") == cgroup.Bandwidth(30000, 50000)


@pytest.mark.live("qemu")
def test_qemu_takes_a_memory_target_that_no_guest_obeys(qemu: Hypervisor) -> None:
    domain = qemu.create(qemu.document(qemu.name()))
    assert domain.setMemoryFlags(32 << 10, LIVE) == 0
    assert memory_in_use(domain) == 64 << 10


@pytest.mark.live("qemu")
def test_qemu_takes_a_new_detect_zeroes_for_a_running_disk_and_does_nothing(qemu: Hypervisor) -> None:
    image = qemu.image()
    domain = qemu.create(qemu.document(qemu.name(), devices=guests.disk(image)))
    assert domain.updateDeviceFlags(guests.disk(image, driver="detect_zeroes='on'"), LIVE) == 0
    assert "detect_zeroes" not in domain.XMLDesc(0)
