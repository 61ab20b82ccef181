"""Portable wishes without privileges: what needs a cgroup is not done, and a demand for it refuses the start."""

import pytest

from domtune.errors import Refused
from live import cgroup, guests, kernel, product
from live.hypervisor import Hypervisor, disk_limits
from live.lab import Lab
from live.test_wishes_qemu import done, reasons, stored, wished

LACKS = "needs a cgroup, and a session daemon has none; use the system daemon"


@pytest.mark.live("qemu")
def test_a_session_meets_the_wishes_that_need_no_cgroup(session: Hypervisor) -> None:
    image = session.image()
    image.chmod(0o666)
    name, domain = stored(session, "<iothreads>1</iothreads>", guests.disk(image))
    wish = wished("cpu: {weight: 2, limit: 150%, vcpu_limit: 50%, nodes: 0}\nmemory.nodes: 0\ndisk[*].read: 4 MiB/s")
    started = product.start(session, name, wish)
    pid = kernel.qemu_pid(name)
    lacking = ["cpu.shares", "cpu.total.period", "cpu.total.quota", "cpu.vcpu.period", "cpu.vcpu.quota"]
    memory = ["memory.numa.mode", "memory.numa.nodeset"]
    assert {name: reason for name, reason in reasons(started).items() if name not in memory} == dict.fromkeys(
        lacking, LACKS
    )
    cpus = cgroup.numbers(done(started)["cpu.emulator.pin"])
    assert kernel.vcpus(pid)[0].cpus == kernel.emulator(pid).cpus == kernel.iothreads(pid)[1].cpus == cpus
    assert disk_limits(domain, "vda")["read_bytes_sec"] == 4 << 20


@pytest.mark.live("qemu")
def test_a_demand_for_a_cgroup_refuses_the_start_of_a_session(session: Hypervisor) -> None:
    name, domain = stored(session)
    with pytest.raises(
        Refused, match=rf"^{name}: required, but cannot be done: cpu\.shares, for cpu\.weight 2: {LACKS}$"
    ):
        product.start(session, name, wished("cpu.weight!: 2"))
    assert not domain.isActive()


@pytest.mark.live("qemu")
def test_whoever_may_only_read_can_ask_why(lab: Lab, qemu: Hypervisor) -> None:
    socket = lab.place / "sockets" / "libvirt-sock"
    mode = socket.stat().st_mode
    name, _ = stored(qemu, "<cputune><shares>512</shares></cputune>")
    socket.chmod(0o700)
    try:
        said = product.command_as_user(lab, "-c", "qemu:///system", "explain", "cpu.shares", name)
    finally:
        socket.chmod(mode)
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.splitlines()[:2] == [
        "cpu.shares",
        f"  wins: 512 (stored definition {name}): nothing else says it",
    ]
