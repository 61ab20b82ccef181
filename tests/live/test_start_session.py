"""A start without privileges: what needs a cgroup is not done, and said so; affinity and what QEMU itself does hold."""

import libvirt
import pytest

from live import cgroup, guests, kernel, product
from live.hypervisor import Hypervisor, disk_limits
from live.lab import Lab

STORED = """\
<cputune><shares>512</shares><quota>40000</quota><vcpupin vcpu='0' cpuset='0'/></cputune>
<memtune><soft_limit unit='MiB'>300</soft_limit></memtune>
"""
WISH = """\
cpu.emulator.pin: 0
cpu.shares: 300
cpu.total.quota: 150000
memory.limit.soft: 500 MiB
memory.numa: {mode: restrictive, nodeset: 0}
blkio.weight: 300
resource.partition: /machine/production
disk[vda].iotune.read_iops_sec: 77
iothread.count: 1
cpu.iothread.pin: {1: 0}
iothread.poll_max_ns: {1: 50 us}
"""


def stored(host: Hypervisor) -> tuple[str, libvirt.virDomain]:
    name = host.name()
    image = host.image()
    image.chmod(0o666)
    return name, host.define(host.document(name, body=STORED, devices=guests.disk(image)))


@pytest.mark.live("qemu")
def test_a_session_does_what_needs_no_cgroup(session: Hypervisor) -> None:
    name, domain = stored(session)
    started = product.start(session, name, product.wish(WISH))
    pid = kernel.qemu_pid(name)
    needs = {each.setting.name: each.reason for each in started.not_done}
    assert set(needs) == {
        "cpu.shares",
        "cpu.vcpu.quota",
        "cpu.total.quota",
        "memory.limit.soft",
        "memory.numa.mode",
        "memory.numa.nodeset",
        "blkio.weight",
        "resource.partition",
    }
    assert needs["cpu.shares"] == "needs a cgroup, and a session daemon has none; use the system daemon"
    assert cgroup.domain_paths(pid) == set()
    assert kernel.vcpus(pid)[0].cpus == kernel.emulator(pid).cpus == kernel.iothreads(pid)[1].cpus == {0}
    assert disk_limits(domain, "vda")["read_iops_sec"] == 77
    ((_, stats),) = session.connection.domainListGetStats([domain], libvirt.VIR_DOMAIN_STATS_IOTHREAD)
    assert stats["iothread.1.poll-max-ns"] == 50000


@pytest.mark.live("qemu")
def test_what_would_keep_a_stored_domain_from_starting_in_a_session_is_left_out(session: Hypervisor) -> None:
    name, domain = stored(session)
    with pytest.raises(libvirt.libvirtError, match="tuning is not available in session mode"):
        domain.create()
    before = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    started = product.start(session, name)
    assert [each.setting.name for each in started.not_done] == ["memory.limit.soft", "cpu.shares", "cpu.vcpu.quota"]
    assert [setting.name for setting in started.at_creation] == ["cpu.vcpu.pin[0]"]
    assert domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE) == before


@pytest.mark.live("qemu")
def test_storing_tuning_in_a_session_leaves_out_what_would_keep_it_from_starting(lab: Lab, session: Hypervisor) -> None:
    name, domain = stored(session)
    profile = product.written(session, "cpu.vcpu.pin: {1: 0}\nblkio.weight: 300")
    profile.chmod(0o644)
    done = product.command_as_user(lab, "-c", "qemu:///session", "merge", name, profile, "--define")
    assert done.returncode == 0, done.stderr
    assert [line.split(":")[1] for line in done.stderr.splitlines()[:-1]] == [
        " memory.limit.soft",
        " cpu.shares",
        " cpu.vcpu.quota",
        " blkio.weight",
    ]
    domain.create()
    assert kernel.vcpus(kernel.qemu_pid(name))[1].cpus == {0}


@pytest.mark.live("qemu")
def test_an_ordinary_user_starts_domains_of_the_session(lab: Lab, session: Hypervisor) -> None:
    name, _ = stored(session)
    done = product.command_as_user(lab, "-c", "qemu:///session", "start", name)
    assert (done.returncode, done.stderr) == (0, "")
    assert "  done: cpu.vcpu.pin[0] 0 (at creation)" in done.stdout.splitlines()
    assert kernel.vcpus(kernel.qemu_pid(name))[0].cpus == {0}
    assert (lab.place / "user" / "state" / "domtune" / "state.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.live("qemu")
def test_an_ordinary_user_does_not_reach_the_system(lab: Lab, qemu: Hypervisor) -> None:
    name = qemu.name()
    domain = qemu.define(qemu.document(name))
    socket = lab.place / "sockets" / "libvirt-sock"
    mode = socket.stat().st_mode
    socket.chmod(0o700)
    try:
        done = product.command_as_user(lab, "-c", "qemu:///system", "start", name)
    finally:
        socket.chmod(mode)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert done.stderr.startswith("cannot connect to qemu:///system: ")
    assert "Permission denied" in done.stderr
    assert not domain.isActive()


@pytest.mark.live("qemu")
@pytest.mark.parametrize("mode", ["strict", "preferred", "interleave"])
def test_a_session_takes_memory_from_nodes_where_qemu_does_it_itself(mode: str, session: Hypervisor) -> None:
    name, domain = stored(session)
    started = product.start(session, name, product.wish(f"memory.numa: {{mode: {mode}, nodeset: 0}}"))
    assert not [each for each in started.not_done if each.setting.name.startswith("memory.numa")]
    command = kernel.command_line(kernel.qemu_pid(name))
    assert [word for word in command if f'"policy":"{"bind" if mode == "strict" else mode}"' in word]
    assert guests.value(domain.XMLDesc(0), "numatune/memory") is not None
