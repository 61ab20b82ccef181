"""The lab itself: it shows what the tests need, and nothing of it survives."""

import signal
from pathlib import Path

import libvirt
import pytest

from live import cgroup, guests, kernel
from live.hypervisor import Hypervisor
from live.lab import Lab, Unavailable, started, virt_type


@pytest.mark.live("qemu")
def test_nothing_of_a_lab_survives(lab: Lab) -> None:
    machine, container = guests.unique("left"), guests.unique("left")
    try:
        with started() as other:
            libvirt.open(other.uri("qemu")).createXML(guests.machine(machine, virt=virt_type()), 0)
            libvirt.open(other.uri("lxc")).createXML(guests.container(container), 0)
            members = kernel.namespace_members(other.init)
            groups = [path for pid in members for path in cgroup.domain_paths(pid)]
    except Unavailable as reason:
        pytest.skip(str(reason))
    assert len(members) > 4
    assert groups
    assert not [pid for pid in members if Path(f"/proc/{pid}").exists()]
    assert not [path for path in groups if path.exists()]
    assert not other.place.exists()


@pytest.mark.live("qemu")
def test_a_command_in_the_lab_uses_plain_uris(lab: Lab, qemu: Hypervisor, lxc: Hypervisor) -> None:
    for host, uri in ((qemu, "qemu:///system"), (lxc, "lxc:///system")):
        name = host.name()
        host.define(host.document(name))
        assert name in lab.run(["virsh", "--quiet", "--connect", uri, "list", "--all", "--name"]).stdout.split()


@pytest.mark.live("qemu")
def test_a_domain_outlives_the_daemon(lab: Lab, qemu: Hypervisor) -> None:
    name = qemu.name()
    qemu.create(qemu.document(name, body="<cputune><shares>300</shares></cputune>"))
    lab.kill_daemon(signal.SIGKILL)
    lab.start_daemon()
    qemu.reconnect()
    assert qemu.connection.lookupByName(name).isActive()
    assert cgroup.shares(cgroup.groups(kernel.qemu_pid(name))) == 300
