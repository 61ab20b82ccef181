"""A tuned start of a virtual machine whose memory is saved: it goes on where it was, with the tuning of now.

The guest notes the time-stamp counter when it boots; as long as that number is in its memory it is the same run.
"""

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

import libvirt
import libvirt_qemu
import pytest

from domtune.connection import connect
from domtune.errors import Failed, Interrupted, Refused
from live import cgroup, guests, kernel, product
from live.faults import Fault, faulty
from live.hypervisor import Hypervisor, disk_limits, state
from live.lab import Lab, virt_type

INACTIVE = libvirt.VIR_DOMAIN_XML_INACTIVE
SECURE = libvirt.VIR_DOMAIN_SAVE_IMAGE_XML_SECURE
NOTED = 0x7E00
BODY = "<iothreads>1</iothreads><cputune><shares>512</shares></cputune>"
# cli; ds = 0; rdtsc; mov [0x7e00], eax; mov word [0x7e04], "MD"; hlt; jmp back to hlt
NOTING = bytes.fromhex("fa 31c0 8ed8 0f31 66a3007e c706047e4d44 f4 ebfd")


@dataclass(frozen=True)
class Guest:
    """A stored domain that is off, with its memory saved."""

    host: Hypervisor
    name: str
    domain: libvirt.virDomain
    noted: int  # in its memory
    image: str  # the definition in the saved image

    @property
    def shares(self) -> int:
        return cgroup.shares(cgroup.groups(kernel.qemu_pid(self.name)))

    def goes_on(self) -> bool:
        """Whether it runs, and is the one that was saved."""
        running = state(self.domain) == libvirt.VIR_DOMAIN_RUNNING
        return running and memory(self.domain, NOTED) == self.noted and not self.domain.hasManagedSaveImage()


@pytest.fixture(scope="module")
def booted(lab: Lab, qemu_uri: str) -> Iterator[Guest]:
    """Booting takes seconds: one guest for all tests here, which also shows that it goes on again and again."""
    host = Hypervisor(qemu_uri, libvirt.open(qemu_uri), lab.place, virt_type())
    name = host.name()
    disk = host.files / f"{name}.raw"
    disk.write_bytes((NOTING.ljust(510, b"\0") + b"\x55\xaa").ljust(1 << 20, b"\0"))
    graphics = "<graphics type='vnc' passwd='sesame'/>"
    domain = host.define(host.document(name, body=BODY, devices=guests.disk(disk) + graphics))
    domain.create()
    domain.setSchedulerParametersFlags({"cpu_shares": 700}, libvirt.VIR_DOMAIN_AFFECT_LIVE)
    while memory(domain, NOTED + 4) & 0xFFFF != 0x444D:
        time.sleep(0.05)
    noted = memory(domain, NOTED)
    domain.managedSave(0)
    yield Guest(host, name, domain, noted, domain.managedSaveGetXMLDesc(SECURE))
    host.clear()


@pytest.fixture
def guest(booted: Guest) -> Guest:
    if booted.domain.isActive():
        booted.domain.managedSave(libvirt.VIR_DOMAIN_SAVE_RUNNING)
    booted.domain.managedSaveDefineXML(booted.image)
    return booted


def memory(domain: libvirt.virDomain, address: int) -> int:
    hmp = libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP
    said = libvirt_qemu.qemuMonitorCommand(domain, f"xp /1xw {address}", hmp)
    return int(said.split(":")[1], 16)


@pytest.mark.live("qemu")
def test_the_guest_goes_on_with_new_tuning(guest: Guest) -> None:
    name, domain = guest.name, guest.domain
    before = domain.XMLDesc(INACTIVE)
    settings = """\
cpu.shares: 300
cpu.vcpu.pin: {1: "0"}
disk[vda].iotune.read_iops_sec: 77
iothread.poll_max_ns: {1: 50 us}
"""
    started = product.start(guest.host, name, product.wish(settings))
    assert (started.mode, started.pending, started.not_done) == ("restored", (), ())
    assert guest.goes_on()
    assert guest.shares == 300
    assert kernel.vcpus(kernel.qemu_pid(name))[1].cpus == {0}
    assert disk_limits(domain, "vda")["read_iops_sec"] == 77
    ((_, stats),) = guest.host.connection.domainListGetStats([domain], libvirt.VIR_DOMAIN_STATS_IOTHREAD)
    assert stats["iothread.1.poll-max-ns"] == 50000
    assert "sesame" in domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)
    assert domain.XMLDesc(INACTIVE) == before


@pytest.mark.live("qemu")
def test_without_a_profile_the_tuning_of_the_saved_run_holds(lab: Lab, guest: Guest) -> None:
    done = product.command(lab, "start", guest.name)
    assert done.stdout.splitlines()[0] == f"{guest.name}: started tuned from its saved image"
    assert guest.goes_on()
    assert guest.shares == 700


@pytest.mark.live("qemu")
def test_what_is_part_of_the_saved_machine_is_pending(lab: Lab, guest: Guest) -> None:
    profile = product.written(guest.host, "iothread.count: 2\ndisk[vda].driver.queues: 2\ncpu.shares: 300")
    done = product.command(lab, "start", guest.name, "-p", profile)
    reason = "it is part of the saved machine, which cannot change; it holds from the next start without an image"
    pending = [line for line in done.stdout.splitlines() if "pending" in line]
    assert pending == [f"  pending: disk[vda].driver.queues: {reason}"]
    assert guest.goes_on()
    assert guest.shares == 300
    assert set(kernel.iothreads(kernel.qemu_pid(guest.name))) == {1, 2}
    assert "queues" not in guest.domain.XMLDesc(0)


@pytest.mark.live("qemu")
def test_a_demand_that_would_be_pending_refuses_before_the_image_is_touched(guest: Guest) -> None:
    with pytest.raises(Refused, match=r": required, but cannot be done: \S+: it is part of the saved machine"):
        product.start(guest.host, guest.name, product.wish("cpu.shares: 300\ndisk[vda].driver.queues!: 2"))
    assert not guest.domain.isActive()
    assert guest.domain.managedSaveGetXMLDesc(SECURE) == guest.image
    assert product.unfinished(guest.host, guest.domain.UUIDString()) == 0


@pytest.mark.live("qemu")
def test_an_interrupt_that_comes_too_late_leaves_it_restored(guest: Guest) -> None:
    fault = Fault("resume", KeyboardInterrupt(), late=True)
    with connect(guest.host.uri) as connection, pytest.raises(Interrupted) as raised:
        product.start_on(faulty(connection, fault), guest.host, guest.name, product.wish("cpu.shares: 300"))
    said = f"{guest.name}: interrupted; by then it was started tuned from its saved image, and it stays so"
    assert str(raised.value) == said
    assert guest.goes_on()
    assert guest.shares == 300


@pytest.mark.live("qemu")
def test_it_can_be_left_paused(guest: Guest) -> None:
    name, domain = guest.name, guest.domain
    product.start(guest.host, name, product.wish("cpu.shares: 300", paused=True))
    assert state(domain) == libvirt.VIR_DOMAIN_PAUSED
    assert (guest.shares, memory(domain, NOTED)) == (300, guest.noted)


@pytest.mark.live("qemu")
@pytest.mark.parametrize("words", [("--minimal",), ("file",)], ids=["minimal", "file"])
def test_what_would_pass_over_the_image_is_refused(lab: Lab, guest: Guest, words: tuple[str, ...]) -> None:
    name, domain = guest.name, guest.domain
    path = lab.place / f"{name}.xml"
    path.write_text(guest.host.document(name), encoding="utf-8")
    done = product.command(lab, "start", *((path,) if words == ("file",) else (name, *words)))
    assert done.returncode == 1
    assert done.stderr == (
        f"{name}: has a managed save image, whose memory fits its disks only as they are now; start it tuned, which "
        f"restores the image, or throw the saved memory away with `virsh managedsave-remove {name}`\n"
    )
    assert domain.hasManagedSaveImage()
    assert not domain.isActive()


@pytest.mark.live("qemu")
@pytest.mark.parametrize("call", ["rewrite_saved", "restore", "typed", "live_xml", "resume"])
@pytest.mark.parametrize("error", [Failed("no luck"), KeyboardInterrupt()], ids=["failed", "interrupted"])
def test_wherever_it_goes_wrong_the_image_is_as_it_was(guest: Guest, call: str, error: BaseException) -> None:
    name, domain = guest.name, guest.domain
    wish = product.wish("cpu.shares: 300\niothread.poll_max_ns: {1: 50 us}")
    with connect(guest.host.uri) as connection, pytest.raises((Failed, Interrupted)) as raised:
        product.start_on(faulty(connection, Fault(call, error, late=call == "restore")), guest.host, name, wish)
    assert str(raised.value).endswith("it was not started; its saved image is as it was")
    assert not domain.isActive()
    assert domain.managedSaveGetXMLDesc(SECURE) == guest.image
    assert product.unfinished(guest.host, domain.UUIDString()) == 0
    domain.create()
    assert guest.goes_on()
    assert guest.shares == 700


@pytest.mark.live("qemu")
def test_an_image_that_cannot_be_restored_so_is_as_it_was(lab: Lab, guest: Guest) -> None:
    name, domain = guest.name, guest.domain
    done = product.command(
        lab, "start", name, "-p", product.written(guest.host, "resource.partition: /machine/missing")
    )
    first, last = done.stderr.splitlines()
    assert first.startswith(f"{name}: cannot restore: ")
    assert (done.returncode, last) == (1, f"{name}: it was not started; its saved image is as it was")
    assert domain.managedSaveGetXMLDesc(SECURE) == guest.image
    domain.create()
    assert guest.goes_on()


@pytest.mark.live("qemu")
@pytest.mark.parametrize("call", ["connection.Domain.restore", "connection.Domain.resume"])
def test_killed_on_the_way_the_next_start_begins_with_the_image_as_it_was(lab: Lab, guest: Guest, call: str) -> None:
    name, domain = guest.name, guest.domain
    die = product.broken(call, "os.kill(os.getpid(), signal.SIGKILL)")
    profile = product.written(guest.host, "cpu.shares: 300\nblkio.weight: 300")
    assert product.command(lab, "start", name, "-p", profile, code=die).returncode in {137, -signal.SIGKILL}
    assert product.unfinished(guest.host, domain.UUIDString()) == 1

    done = product.command(lab, "start", name)
    assert done.stdout.splitlines()[0] == f"{name}: started tuned from its saved image"
    assert "from its saved image was killed; the image is as it was" in done.stdout
    assert guest.goes_on()
    assert guest.shares == 700
    assert product.unfinished(guest.host, domain.UUIDString()) == 0
