"""A start whose process dies, or whose daemon does: the next start finds what is left, deals with it, and says so."""

import signal

import libvirt
import pytest

from live import cgroup, guests, kernel, product
from live.hypervisor import Hypervisor, state
from live.lab import DAEMON_PID, Lab

KILLED = 128 + signal.SIGKILL
DIE = "os.kill(os.getpid(), signal.SIGKILL)"
STORED = "<cputune><shares>512</shares></cputune>"
POLLING = "iothread.count: 1\niothread.poll_max_ns: {1: 50 us}"


def killed(lab: Lab, call: str, *words: object, driver: str = "qemu") -> None:
    """Start with a process that is killed when it would make this call."""
    done = product.command(lab, "-c", f"{driver}:///system", *map(str, words), code=product.broken(call, DIE))
    assert done.returncode in {KILLED, -signal.SIGKILL}, done.stderr


def stored(host: Hypervisor) -> tuple[str, libvirt.virDomain]:
    name = host.name()
    return name, host.define(host.document(name, body=STORED))


@pytest.mark.live("qemu")
def test_killed_before_the_create_nothing_is_left_to_take_back(lab: Lab, qemu: Hypervisor) -> None:
    name, domain = stored(qemu)
    killed(lab, "connection.Connection.create", "start", name)
    assert not domain.isActive()
    assert product.unfinished(qemu, domain.UUIDString()) == 1
    done = product.command(lab, "start", name)
    assert done.stdout.splitlines() == [f"{name}: started tuned", "  done: cpu.shares 512 (at creation)"]
    assert product.unfinished(qemu, domain.UUIDString()) == 0


@pytest.mark.live("qemu")
def test_killed_before_the_guest_ran_it_is_taken_back_and_started(lab: Lab, qemu: Hypervisor) -> None:
    name, domain = stored(qemu)
    killed(lab, "connection.Domain.resume", "start", name)
    old = kernel.qemu_pid(name)
    assert state(domain) == libvirt.VIR_DOMAIN_PAUSED

    done = product.command(lab, "start", name, "-p", product.written(qemu, "cpu.shares: 300"))
    took, *_, note = done.stdout.splitlines()
    assert took == f"{name}: started tuned"
    assert note.startswith(f"  note: {name}: took back the tuned start of 2")
    assert note.endswith("which was killed before the guest ran")
    assert state(domain) == libvirt.VIR_DOMAIN_RUNNING
    assert kernel.qemu_pid(name) != old
    assert cgroup.shares(cgroup.groups(kernel.qemu_pid(name))) == 300
    assert product.unfinished(qemu, domain.UUIDString()) == 0


@pytest.mark.live("qemu")
def test_what_was_taken_back_is_said_also_when_the_start_then_fails(lab: Lab, qemu: Hypervisor) -> None:
    name, domain = stored(qemu)
    killed(lab, "connection.Domain.resume", "start", name)
    done = product.command(lab, "start", name, "-p", product.written(qemu, "cpu.shares: 1"))
    fault, note = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert "cpu.shares: 1 is outside 2 to 262144" in fault
    assert note.startswith(f"{name}: took back the tuned start of ")
    assert not domain.isActive()


@pytest.mark.live("qemu")
@pytest.mark.parametrize("words", [(), ("--minimal",)], ids=["tuned", "minimal"])
def test_killed_after_the_guest_ran_it_is_left_running(lab: Lab, qemu: Hypervisor, words: tuple[str, ...]) -> None:
    name, domain = stored(qemu)
    killed(lab, "store.Store.end", "start", name, *words)
    pid = kernel.qemu_pid(name)
    done = product.command(lab, "start", name)
    refusal, note = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert refusal.startswith(f"{name}: is running already; ")
    assert note.startswith(f"{name}: the {'minimal' if words else 'tuned'} start of ")
    assert note.endswith("was killed after the guest ran; it was left running")
    assert kernel.qemu_pid(name) == pid
    assert product.unfinished(qemu, domain.UUIDString()) == 0


@pytest.mark.live("lxc")
def test_a_container_is_left_running_since_it_cannot_wait(lab: Lab, lxc: Hypervisor) -> None:
    name, domain = stored(lxc)
    killed(lab, "connection.Domain.live_xml", "start", name, driver="lxc")
    pid = kernel.container(name)
    done = product.command(lab, "-c", "lxc:///system", "start", name)
    assert done.returncode == 1
    assert done.stderr.splitlines()[1].endswith(
        "was killed after it was created, perhaps before it was tuned; it was left running"
    )
    assert kernel.container(name) == pid
    assert product.unfinished(lxc, domain.UUIDString()) == 0


@pytest.mark.live("qemu")
def test_a_paused_domain_of_somebody_else_is_left_alone(lab: Lab, qemu: Hypervisor) -> None:
    name, domain = stored(qemu)
    killed(lab, "connection.Connection.create", "start", name)
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    pid = kernel.qemu_pid(name)
    done = product.command(lab, "start", name)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert done.stderr.startswith(f"{name}: is running already; ")
    assert kernel.qemu_pid(name) == pid


@pytest.mark.live("qemu")
@pytest.mark.parametrize("identity", [True, False], ids=["uuid", "no-uuid"])
def test_a_transient_domain_is_found_by_its_uuid_or_name(lab: Lab, qemu: Hypervisor, *, identity: bool) -> None:
    name = qemu.name()
    xml = qemu.document(name, body=STORED)
    if not identity:
        xml = xml.replace(f"<uuid>{guests.identity(name)}</uuid>", "")
    path = lab.place / f"{name}.xml"
    path.write_text(xml, encoding="utf-8")
    killed(lab, "connection.Domain.resume", "start", path)
    old = kernel.qemu_pid(name)
    done = product.command(lab, "start", path)
    assert done.stdout.splitlines()[0] == f"{name}: started tuned"
    assert "took back" in done.stdout
    assert kernel.qemu_pid(name) != old
    qemu.connection.lookupByName(name).destroy()


@pytest.mark.live("qemu")
def test_of_two_at_once_the_second_is_refused(lab: Lab, qemu: Hypervisor) -> None:
    name, domain = stored(qemu)
    second = f"""\
import subprocess
    words_ = [sys.executable, "-c", {product.COMMAND!r}, "start", {name!r}]
    done = subprocess.run(words_, capture_output=True, text=True)
    print("second:", done.returncode, done.stderr, end="")
    real(*words, **options)"""
    done = product.command(lab, "start", name, code=product.broken("connection.Domain.resume", second))
    refusal, *_ = done.stdout.splitlines()
    assert refusal == f"second: 1 {name}: another domtune is at work on it; wait until it is done"
    assert done.returncode == 0
    assert state(domain) == libvirt.VIR_DOMAIN_RUNNING


@pytest.mark.live("qemu")
def test_when_the_daemon_dies_in_the_middle_the_next_start_takes_back(lab: Lab, qemu: Hypervisor) -> None:
    name, _ = stored(qemu)
    die = f"os.system('kill -9 $(cat {DAEMON_PID})'); time.sleep(0.5); real(*words, **options)"
    profile = product.written(qemu, POLLING)
    done = product.command(lab, "start", name, "-p", profile, code=product.broken("connection.Domain.typed", die))
    lab.start_daemon()
    qemu.reconnect()
    assert done.returncode == 1
    assert done.stderr.startswith(f"{name}: setIOThreadParams: ")
    assert done.stderr.splitlines()[1:] == [f"{name}: taking it back failed, too; its next start tries again"]

    assert state(qemu.connection.lookupByName(name)) == libvirt.VIR_DOMAIN_PAUSED
    done = product.command(lab, "start", name, "-p", profile)
    assert "took back the tuned start of" in done.stdout
    assert state(qemu.connection.lookupByName(name)) == libvirt.VIR_DOMAIN_RUNNING
