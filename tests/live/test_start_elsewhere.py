"""Starts on libvirt's embedded QEMU driver and on its test driver, by way of the command and of the library."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from domtune.connection import Connection, connect
from domtune.errors import Failed, Refused
from domtune.starting import start, start_xml
from domtune.store import Store
from domtune.vocabulary import PARAMS
from live import cgroup, embed, guests, kernel, product
from live.lab import Lab, virt_type

STORED = "<cputune><shares>512</shares><vcpupin vcpu='0' cpuset='0'/></cputune>"
WISH = "cpu.shares: 2048\ncpu.vcpu.quota: 30000\niothread.count: 1\niothread.poll_max_ns: {1: 50 us}"


# The embedded driver: in the process that opens it, with domains that outlive it


@pytest.fixture
def embedded_uri(lab: Lab, embed_root: Path) -> Iterator[str]:
    yield f"qemu:///embed?root={embed_root}"
    embed.clear(lab, embed_root)


@pytest.mark.live("embed")
def test_a_domain_of_the_embedded_driver_is_tuned_and_outlives_the_command(lab: Lab, embedded_uri: str) -> None:
    name = guests.unique("embed")
    path, profile = lab.place / f"{name}.xml", lab.place / f"{name}.yaml"
    path.write_text(guests.machine(name, virt=virt_type(), body=STORED), encoding="utf-8")
    profile.write_text(product.document(WISH), encoding="utf-8")
    done = product.command(lab, "-c", embedded_uri, "start", path, "-p", profile)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, f"{name}: started tuned")
    pid = kernel.qemu_pid(name)
    found = cgroup.groups(pid)
    assert cgroup.shares(found) == 2048
    assert cgroup.bandwidth(found, "vcpu1").quota == 30000
    assert kernel.vcpus(pid)[0].cpus == {0}
    assert set(kernel.iothreads(pid)) == {1}

    done = product.command(lab, "-c", embedded_uri, "start", path, "--minimal")
    assert done.returncode == 1
    assert done.stderr.startswith(f"{name}: is running already; ")


@pytest.mark.live("embed")
def test_killed_before_the_guest_ran_it_is_taken_back_there_too(lab: Lab, embedded_uri: str) -> None:
    name = guests.unique("embed")
    path = lab.place / f"{name}.xml"
    path.write_text(guests.machine(name, virt=virt_type(), body=STORED), encoding="utf-8")
    die = product.broken("connection.Domain.resume", "os.kill(os.getpid(), signal.SIGKILL)")
    product.command(lab, "-c", embedded_uri, "start", path, code=die)
    old = kernel.qemu_pid(name)
    done = product.command(lab, "-c", embedded_uri, "start", path, "--json")
    (started,) = json.loads(done.stdout)["started"]
    assert "took back the tuned start of" in started["notes"][0]
    assert kernel.qemu_pid(name) != old


# The test driver: it takes values and enforces nothing; all that can be shown is that they are stored


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[tuple[Connection, str]]:
    """A connection on which one domain, `guest`, is off."""
    domain = guests.machine("guest", virt="test", body=STORED)
    path = tmp_path / "node.xml"
    path.write_text(f"<node>{domain}</node>", encoding="utf-8")
    with connect(f"test://{path}") as connection:
        connection.raw.lookupByName("guest").destroy()
        yield connection, connection.domain("guest").stored_xml()


@pytest.mark.live("test")
def test_values_are_stored_in_the_run_and_not_in_the_definition(stored: tuple[Connection, str], tmp_path: Path) -> None:
    connection, before = stored
    settings = "cpu.shares: 2048\nmemory.limit.soft: 500 MiB\niothread.count: 2\ncpu.cap: 50"
    with Store(tmp_path / "state") as store:
        started = start(connection, "guest", product.wish(settings), store=store)
    domain = connection.domain("guest")
    assert not started.enforced
    assert [each.setting.name for each in started.not_done] == ["cpu.cap"]
    assert connection.raw.lookupByName("guest").schedulerParameters()
    for part in ("<shares>2048</shares>", "<soft_limit unit='KiB'>512000", "<iothreads>2", "vcpupin vcpu='0'"):
        assert part in domain.live_xml()
    assert domain.stored_xml() == before


@pytest.mark.live("test")
def test_a_minimal_start_stores_none(stored: tuple[Connection, str], tmp_path: Path) -> None:
    connection, before = stored
    with Store(tmp_path / "state") as store:
        start(connection, "guest", product.wish(minimal=True), store=store)
    domain = connection.domain("guest")
    assert "cputune" not in domain.live_xml()
    assert domain.stored_xml() == before


@pytest.mark.live("test")
def test_a_managed_save_is_refused_both_ways(stored: tuple[Connection, str], tmp_path: Path) -> None:
    connection, _ = stored
    raw = connection.raw.lookupByName("guest")
    raw.create()
    raw.managedSave(0)
    with Store(tmp_path / "state") as store:
        for wish in (product.wish(), product.wish(minimal=True)):
            with pytest.raises(Refused, match="has a managed save image"):
                start(connection, "guest", wish, store=store)
    assert raw.hasManagedSaveImage()
    assert not raw.isActive()


@pytest.mark.live("test")
def test_what_the_driver_takes_and_drops_is_caught_by_reading_back(tmp_path: Path) -> None:
    """What only a virtio NIC has, on one that says no model: success would be a lie."""
    settings = "net[0].driver.txmode: timer"
    xml = guests.machine("other", virt="test", devices="<interface type='user'/>")
    with connect("test:///default") as connection, Store(tmp_path / "state") as store:
        with pytest.raises(Failed, match=r"does not hold: net\[.+\]\.driver\.txmode: wanted timer, found nothing"):
            start_xml(connection, xml, product.wish(settings), store=store)
        assert connection.find(name="other") is None


@pytest.mark.live("test")
def test_every_plain_parameter_that_is_stored_reads_back(tmp_path: Path) -> None:
    """A whole profile of examples; each is read back by its meaning, whatever libvirt made of the text."""
    rows = [row for row in PARAMS.values() if not row.key_forms and row.paths and row.fact("test") and row.name in EASY]
    settings = "\n".join(f"{row.name}: {row.example}" for row in rows)
    xml = guests.machine("whole", virt="test")
    with connect("test:///default") as connection, Store(tmp_path / "state") as store:
        started = start_xml(connection, xml, product.wish(settings), store=store)
        connection.domain("whole").destroy()
    assert {setting.param.name for setting in started.at_creation} == set(EASY)


EASY = {
    "blkio.weight",
    "cpu.emulator.period",
    "cpu.emulator.quota",
    "cpu.iothread.period",
    "cpu.shares",
    "cpu.total.period",
    "cpu.total.quota",
    "cpu.vcpu.period",
    "cpu.vcpu.quota",
    "iothread.count",
    "memory.backing.allocation.mode",
    "memory.backing.nosharepages",
    "memory.limit.hard",
    "memory.limit.soft",
    "memory.numa.nodeset",
    "perf.page_faults",
}
