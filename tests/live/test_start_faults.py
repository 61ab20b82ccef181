"""A start that goes wrong, wherever it does: nothing is left running half tuned, and what was stored stays."""

import signal

import libvirt
import pytest

from domtune.connection import connect
from domtune.errors import Failed, Interrupted
from live import cgroup, kernel, product
from live.faults import Fault, faulty
from live.hypervisor import Hypervisor, state
from live.lab import Lab

INACTIVE = libvirt.VIR_DOMAIN_XML_INACTIVE
STORED = "<cputune><shares>512</shares></cputune>"
WISH = "cpu.shares: 2048\niothread.count: 1\niothread.poll_max_ns: {1: 50 us}"
LATER = ["typed", "live_xml", "stats", "resume"]  # calls of a start after the create


def stored(host: Hypervisor) -> tuple[str, libvirt.virDomain, str]:
    name = host.name()
    domain = host.define(host.document(name, body=STORED))
    return name, domain, domain.XMLDesc(INACTIVE)


def assert_untouched(host: Hypervisor, domain: libvirt.virDomain, before: str) -> None:
    assert not domain.isActive()
    assert domain.XMLDesc(INACTIVE) == before
    assert product.unfinished(host, domain.UUIDString()) == 0
    with pytest.raises(LookupError):
        kernel.qemu_pid(domain.name())


@pytest.mark.live("qemu")
@pytest.mark.parametrize("call", ["create", *LATER])
@pytest.mark.parametrize("error", [Failed("no luck"), KeyboardInterrupt()], ids=["failed", "interrupted"])
def test_wherever_it_goes_wrong_the_domain_is_stopped_again(qemu: Hypervisor, call: str, error: BaseException) -> None:
    name, domain, before = stored(qemu)
    fault = Fault(call, error, late=call == "create")
    with connect(qemu.uri) as connection, pytest.raises((Failed, Interrupted)) as raised:
        product.start_on(faulty(connection, fault), qemu, name, product.wish(WISH))
    said = (
        "no luck\n{0}: it was stopped again" if isinstance(error, Failed) else "{0}: interrupted; it was stopped again"
    )
    assert str(raised.value) == said.format(name)
    assert all(fault.seen), "the guest ran before all was set and read back"
    assert_untouched(qemu, domain, before)


@pytest.mark.live("qemu")
def test_an_interrupt_that_comes_too_late_leaves_the_domain_started(qemu: Hypervisor) -> None:
    name, domain, _ = stored(qemu)
    fault = Fault("resume", KeyboardInterrupt(), late=True)
    with connect(qemu.uri) as connection, pytest.raises(Interrupted) as raised:
        product.start_on(faulty(connection, fault), qemu, name, product.wish(WISH))
    assert str(raised.value) == f"{name}: interrupted; by then it was started tuned, and it stays so"
    assert state(domain) == libvirt.VIR_DOMAIN_RUNNING
    assert product.unfinished(qemu, domain.UUIDString()) == 0


@pytest.mark.live("lxc")
@pytest.mark.parametrize("call", ["live_xml", "plain"])
def test_a_container_is_stopped_again_too(lxc: Hypervisor, call: str) -> None:
    name, domain, before = stored(lxc)
    fault = Fault(call, Failed("no luck"))
    wish = product.wish("cpu.shares: 2048\nmemory.current: 40 MiB")
    with connect(lxc.uri) as connection, pytest.raises(Failed, match="no luck"):
        product.start_on(faulty(connection, fault), lxc, name, wish)
    assert not domain.isActive()
    assert domain.XMLDesc(INACTIVE) == before


@pytest.mark.live("qemu")
@pytest.mark.parametrize("call", LATER)
def test_rather_minimal_than_not_at_all(qemu: Hypervisor, call: str) -> None:
    name, domain, before = stored(qemu)
    fault = Fault(call, Failed("no luck"))
    with connect(qemu.uri) as connection:
        wish = product.wish(WISH, or_minimal=True)
        if call == "resume":  # a minimal start does not stop the CPUs first
            fault.call = "typed"
        started = product.start_on(faulty(connection, fault), qemu, name, wish)
    assert started.notes == ("started minimal, since the tuned start did not work: no luck",)
    found = cgroup.groups(kernel.qemu_pid(name))
    assert cgroup.shares(found) == (1024 if found.version == 1 else 100)
    assert kernel.iothreads(kernel.qemu_pid(name)) == {}
    assert domain.XMLDesc(INACTIVE) == before


@pytest.mark.live("qemu")
@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("resource.partition: /machine/missing", "cannot start: "),
        ("memory.numa.placement: auto", "cannot start: "),
    ],
)
def test_what_libvirt_refuses_fails(lab: Lab, qemu: Hypervisor, settings: str, reason: str) -> None:
    name, domain, before = stored(qemu)
    done = product.command(lab, "start", name, "-p", product.written(qemu, settings))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{name}: {reason}")
    assert done.stderr.splitlines()[-1].startswith(f"{name}: it was ")
    assert_untouched(qemu, domain, before)


@pytest.mark.live("qemu")
def test_or_minimal_says_why_and_runs(lab: Lab, qemu: Hypervisor) -> None:
    name, domain, before = stored(qemu)
    profile = product.written(qemu, "resource.partition: /machine/missing")
    done = product.command(lab, "start", name, "-p", profile, "--or-minimal")
    first, left_out, note = done.stdout.splitlines()
    assert (done.returncode, first) == (0, f"{name}: started minimal")
    assert left_out.startswith("  left out: resource.partition /machine/missing, so there is no limit that the host")
    assert note.startswith("  note: started minimal, since the tuned start did not work: cannot start: ")
    assert "it was" not in note
    assert state(domain) == libvirt.VIR_DOMAIN_RUNNING
    assert domain.XMLDesc(INACTIVE) == before


@pytest.mark.live("qemu")
def test_a_hard_limit_fails_without_the_right_to_raise_memory_locks(lab: Lab, qemu: Hypervisor) -> None:
    name, domain, before = stored(qemu)
    done = product.command(lab, "start", name, "-p", product.written(qemu, "memory.limit.hard: 900 MiB"))
    if kernel.may_raise_limits():
        assert (done.returncode, cgroup.memory(cgroup.groups(kernel.qemu_pid(name))).hard) == (0, 900 << 20)
        return
    assert done.returncode == 1
    assert "cannot limit locked memory" in done.stderr
    assert_untouched(qemu, domain, before)


@pytest.mark.live("qemu")
def test_a_real_time_policy_holds_or_fails(lab: Lab, qemu: Hypervisor) -> None:
    name, domain, before = stored(qemu)
    profile = product.written(qemu, "cpu.vcpu.sched: {policy: {0: fifo}, priority: {0: 1}}")
    done = product.command(lab, "start", name, "-p", profile)
    if done.returncode == 0:
        assert kernel.vcpus(kernel.qemu_pid(name))[0].policy == "fifo"
        return
    assert "Operation not permitted" in done.stderr
    assert_untouched(qemu, domain, before)


@pytest.mark.live("qemu")
def test_a_missing_disk_fails_and_minimal_cannot_help(lab: Lab, qemu: Hypervisor) -> None:
    name = qemu.name()
    image = qemu.image()
    disk = f"<disk type='file'><source file='{image}'/><target dev='vda'/></disk>"
    domain = qemu.define(qemu.document(name, body=STORED, devices=disk))
    before = domain.XMLDesc(INACTIVE)
    image.unlink()
    done = product.command(lab, "start", name, "--or-minimal")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].startswith(f"{name}: cannot start: Cannot access storage file '{image}'")
    assert_untouched(qemu, domain, before)


@pytest.mark.live("qemu")
@pytest.mark.parametrize("words", [(), ("--minimal",)], ids=["tuned", "minimal"])
def test_ctrl_c_ends_with_nothing_left(lab: Lab, qemu: Hypervisor, words: tuple[str, ...]) -> None:
    name, domain, before = stored(qemu)
    hole = "import threading; threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()"
    code = product.broken("connection.Connection.create", f"{hole}; return real(*words, **options)")
    done = product.command(lab, "start", name, *words, code=code)
    assert done.returncode == 128 + signal.SIGINT
    assert done.stderr.startswith(f"{name}: interrupted; it was ")
    assert_untouched(qemu, domain, before)
