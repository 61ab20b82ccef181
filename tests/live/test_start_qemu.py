"""A tuned and a minimal start of a virtual machine: the kernel shows what was said, and the stored XML stays."""

import libvirt
import pytest

from live import cgroup, guests, kernel, product
from live.hypervisor import Hypervisor, disk_limits, state
from live.lab import Lab

INACTIVE = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
STORED = """\
<cputune><shares>512</shares><quota>40000</quota><vcpupin vcpu='0' cpuset='0'/></cputune>
<memtune><soft_limit unit='MiB'>300</soft_limit></memtune>
<blkiotune><weight>300</weight></blkiotune>
"""
LIMIT = "<iotune><write_iops_sec>500</write_iops_sec></iotune>"
EVERY_THREAD = """\
cpu.shares: 2048
cpu.vcpu.pin: {0: "1", 1: "0"}
cpu.vcpu.quota: 30000
cpu.vcpu.period: 50 ms
cpu.total.quota: 150000
cpu.emulator.pin: "1"
cpu.emulator.quota: 25000
iothread.count: 2
cpu.iothread.pin: {1: "0", 2: "1"}
cpu.iothread.quota: 20000
cpu.vcpu.sched.policy: {1: batch}
"""
POLLING = "iothread.poll_max_ns: {1: 50 us, 2: 70 us}\niothread.poll_grow: {1: 2}"


def stored(host: Hypervisor, body: str = STORED) -> tuple[str, libvirt.virDomain]:
    name = host.name()
    return name, host.define(host.document(name, body=body, devices=guests.disk(host.image(), inside=LIMIT)))


def polling(host: Hypervisor, domain: libvirt.virDomain) -> dict[str, int]:
    ((_, stats),) = host.connection.domainListGetStats([domain], libvirt.VIR_DOMAIN_STATS_IOTHREAD)
    return {key.removeprefix("iothread."): value for key, value in stats.items() if "poll" in key}


@pytest.mark.live("qemu")
def test_every_thread_gets_what_the_profile_says(qemu: Hypervisor) -> None:
    name, _ = stored(qemu, body="")
    started = product.start(qemu, name, product.wish(EVERY_THREAD))
    pid = kernel.qemu_pid(name)
    found = cgroup.groups(pid)

    assert started.not_done == ()
    assert cgroup.shares(found) == 2048
    assert {part: cgroup.bandwidth(found, part) for part in ("", "vcpu0", "vcpu1", "emulator", "iothread1")} == {
        "": cgroup.Bandwidth(150000, 100000),
        "vcpu0": cgroup.Bandwidth(30000, 50000),
        "vcpu1": cgroup.Bandwidth(30000, 50000),
        "emulator": cgroup.Bandwidth(25000, 100000),
        "iothread1": cgroup.Bandwidth(20000, 100000),
    }
    assert {number: thread.cpus for number, thread in kernel.vcpus(pid).items()} == {0: {1}, 1: {0}}
    assert {number: thread.cpus for number, thread in kernel.iothreads(pid).items()} == {1: {0}, 2: {1}}
    assert kernel.emulator(pid).cpus == {1}
    assert {number: thread.policy for number, thread in kernel.vcpus(pid).items()} == {0: "other", 1: "batch"}
    assert state(qemu.connection.lookupByName(name)) == libvirt.VIR_DOMAIN_RUNNING


@pytest.mark.live("qemu")
def test_memory_and_disk_get_what_the_profile_says(qemu: Hypervisor) -> None:
    name, domain = stored(qemu, body="")
    settings = """\
memory.limit.soft: 500 MiB
memory.backing.nosharepages: true
memory.numa: {mode: strict, nodeset: 0}
blkio.weight: 400
iothread.count: 1
disk[vda].driver.iothread: 1
disk[vda].iotune: {read_iops_sec: 77, read_bytes_sec: 4 MiB/s}
"""
    started = product.start(qemu, name, product.wish(settings))
    pid = kernel.qemu_pid(name)
    found = cgroup.groups(pid)
    assert started.not_done == ()
    assert cgroup.memory(found).soft == 500 << 20
    assert cgroup.blkio_weight(found) == 400
    assert not kernel.mergeable(pid)
    assert kernel.numa(pid).policies >= {"bind:0"}
    limits = disk_limits(domain, "vda")
    assert (limits["read_iops_sec"], limits["read_bytes_sec"], limits["write_iops_sec"]) == (77, 4 << 20, 0)
    assert '"iothread":"iothread1"' in " ".join(kernel.command_line(pid))


@pytest.mark.live("qemu")
def test_what_stands_in_no_xml_is_set_before_the_guest_runs(qemu: Hypervisor) -> None:
    name, domain = stored(qemu, body="")
    started = product.start(qemu, name, product.wish(f"iothread.count: 2\n{POLLING}"))
    assert [setting.name for setting in started.at_creation] == ["disk[vda].iotune.write_iops_sec", "iothread.count"]
    assert [setting.name for setting in started.afterwards] == [
        "iothread.poll_max_ns[1]",
        "iothread.poll_max_ns[2]",
        "iothread.poll_grow[1]",
    ]
    assert started.waited
    found = polling(qemu, domain)
    assert (found["1.poll-max-ns"], found["2.poll-max-ns"], found["1.poll-grow"]) == (50000, 70000, 2)


@pytest.mark.live("qemu")
def test_stored_tuning_lies_under_the_profiles(qemu: Hypervisor) -> None:
    name, domain = stored(qemu)
    before = domain.XMLDesc(INACTIVE)
    started = product.start(qemu, name, product.wish("cpu.shares: 2048\ncpu.vcpu.quota: default"))
    found = cgroup.groups(kernel.qemu_pid(name))

    assert cgroup.shares(found) == 2048
    assert cgroup.bandwidth(found, "vcpu0").quota is None
    assert kernel.vcpus(kernel.qemu_pid(name))[0].cpus == {0}
    assert cgroup.memory(found).soft == 300 << 20
    assert cgroup.blkio_weight(found) == 300
    assert disk_limits(domain, "vda")["write_iops_sec"] == 500
    origins = {setting.name: setting.source for setting in started.at_creation}
    assert (origins["cpu.shares"], origins["cpu.vcpu.pin[0]"]) == ("wish.yaml", name)
    assert domain.XMLDesc(INACTIVE) == before


@pytest.mark.live("qemu")
def test_the_later_of_two_profiles_wins(lab: Lab, qemu: Hypervisor) -> None:
    name, _ = stored(qemu)
    wide, narrow = product.written(qemu, "cpu.shares: 2048\nblkio.weight: 500"), product.written(qemu, "cpu.shares: 3")
    done = product.command(lab, "start", name, "-p", wide, "-p", narrow)
    found = cgroup.groups(kernel.qemu_pid(name))
    assert (done.returncode, cgroup.shares(found), cgroup.blkio_weight(found)) == (0, 3, 500)


@pytest.mark.live("qemu")
def test_a_minimal_start_leaves_all_tuning_out(qemu: Hypervisor) -> None:
    name, domain = stored(qemu)
    before = domain.XMLDesc(INACTIVE)
    started = product.start(qemu, name, product.wish(minimal=True))
    pid = kernel.qemu_pid(name)
    found = cgroup.groups(pid)

    assert cgroup.shares(found) == 1024 if found.version == 1 else 100
    assert cgroup.bandwidth(found, "vcpu0").quota is None
    assert kernel.vcpus(pid)[0].cpus == kernel.vcpus(pid)[1].cpus == cgroup.cpuset(found).cpus
    assert cgroup.memory(found).soft is None
    assert cgroup.blkio_weight(found) != 300
    assert disk_limits(domain, "vda")["write_iops_sec"] == 0
    assert domain.XMLDesc(INACTIVE) == before
    assert "300" in before
    assert [setting.name for setting in started.unprotected] == ["cpu.vcpu.quota", "disk[vda].iotune.write_iops_sec"]


@pytest.mark.live("qemu")
def test_the_password_of_a_console_survives(qemu: Hypervisor) -> None:
    name = qemu.name()
    graphics = "<graphics type='vnc' passwd='sesame'/>"
    for asked in (product.wish("cpu.shares: 2048"), product.wish(minimal=True)):
        domain = qemu.define(qemu.document(name, body=STORED, devices=graphics))
        product.start(qemu, name, asked)
        assert "passwd='sesame'" in domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)
        domain.destroy()


@pytest.mark.live("qemu")
def test_paused_leaves_it_paused_and_tuned(qemu: Hypervisor) -> None:
    name, domain = stored(qemu)
    started = product.start(qemu, name, product.wish(f"iothread.count: 2\n{POLLING}", paused=True))
    assert started.paused
    assert state(domain) == libvirt.VIR_DOMAIN_PAUSED
    assert cgroup.shares(cgroup.groups(kernel.qemu_pid(name))) == 512
    assert polling(qemu, domain)["1.poll-max-ns"] == 50000
    domain.resume()
    assert state(domain) == libvirt.VIR_DOMAIN_RUNNING


DENSE = """\
<currentMemory unit='KiB'>32768</currentMemory>
<iothreadids><iothread id='2' thread_pool_min='1' thread_pool_max='8'/><iothread id='4'/></iothreadids>
<cputune>
  <global_quota>150000</global_quota> <emulator_quota>25000</emulator_quota> <iothread_quota>-1</iothread_quota>
  <vcpupin vcpu='0' cpuset='0-1'/> <vcpupin vcpu='1' cpuset='0,1,^0'/> <iothreadpin iothread='4' cpuset='0'/>
  <vcpusched vcpus='0-1' scheduler='batch'/> <iothreadsched iothreads='2,4' scheduler='idle'/>
</cputune>
<numatune><memory mode='strict' nodeset='0'/><memnode cellid='0' mode='preferred' nodeset='0'/></numatune>
<memtune><soft_limit unit='M'>1024</soft_limit><swap_hard_limit>9007199254740991</swap_hard_limit></memtune>
<memoryBacking>
  <nosharepages/> <source type='memfd'/> <access mode='shared'/> <allocation mode='immediate' threads='2'/> <discard/>
</memoryBacking>
<perf><event name='page_faults' enabled='yes'/><event name='cpu_clock' enabled='no'/></perf>
<cpu><numa><cell id='0' cpus='0-1' memory='65536' unit='KiB' memAccess='shared' discard='yes'/></numa></cpu>
"""
THROTTLE = """\
<iotune>
  <total_bytes_sec>10485760</total_bytes_sec> <total_iops_sec>1000</total_iops_sec>
  <total_bytes_sec_max>20971520</total_bytes_sec_max> <total_iops_sec_max>2000</total_iops_sec_max>
  <size_iops_sec>4096</size_iops_sec> <group_name>gold</group_name>
  <total_bytes_sec_max_length>5</total_bytes_sec_max_length>
</iotune>
"""
QUEUES = "cache='none' io='native' iothread='4' queues='2' detect_zeroes='unmap' queue_size='256'"


@pytest.mark.live("qemu")
def test_dense_tuning_holds_at_a_start_and_again_from_a_saved_image(qemu: Hypervisor) -> None:
    """libvirt rewrites most of this; none of it may be taken for something that does not hold."""
    name = qemu.name()
    devices = guests.disk(qemu.image(), driver=QUEUES, inside=THROTTLE) + (
        "<controller type='scsi' model='virtio-scsi'><driver queues='2' iothread='2'/></controller>"
        "<rng model='virtio'><rate bytes='1024' period='2000'/><backend model='random'>/dev/urandom</backend></rng>"
        "<memballoon model='virtio'><stats period='10'/></memballoon>"
    )
    vcpu = "<vcpu cpuset='0-1' current='1'>2</vcpu>"
    domain = qemu.define(qemu.document(name, body=DENSE, devices=devices, vcpu=vcpu))
    started = product.start(qemu, name)
    assert (len(started.at_creation), started.not_done, started.notes) == (40, (), ())
    domain.managedSave(0)
    again = product.start(qemu, name, product.wish("cpu.shares: 300\niothread.poll_max_ns: {all: 9}"))
    assert (again.mode, again.not_done, again.pending) == ("restored", (), ())
    assert [setting.name for setting in again.afterwards] == ["iothread.poll_max_ns[2]", "iothread.poll_max_ns[4]"]
    assert cgroup.shares(cgroup.groups(kernel.qemu_pid(name))) == 300
