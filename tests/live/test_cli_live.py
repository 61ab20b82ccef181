"""domtune start as an administrator calls it: which domains, what is refused before anything starts, what is said."""

import json
import os
import sys
from pathlib import Path

import libvirt
import pytest

from domtune.connection import connect
from domtune.errors import Unreachable
from domtune.run import Wish
from domtune.starting import start
from domtune.store import Store
from live import cgroup, guests, kernel, product
from live.hypervisor import Hypervisor, state
from live.lab import Lab

INACTIVE = libvirt.VIR_DOMAIN_XML_INACTIVE
STORED = "<cputune><shares>512</shares></cputune>"


def stored(host: Hypervisor, body: str = STORED, prefix: str = "guest") -> tuple[str, libvirt.virDomain]:
    name = host.name(prefix)
    return name, host.define(host.document(name, body=body))


def assert_refused(lab: Lab, domain: libvirt.virDomain, profile: Path, *expected: str) -> None:
    """Each line of the refusal has one of these, and nothing has been started."""
    done = product.command(lab, "start", domain.name(), "-p", profile)
    found = done.stderr.splitlines()
    assert (done.returncode, done.stdout, len(found)) == (1, "", len(expected)), done.stderr
    for line, part in zip(found, expected, strict=True):
        assert part.format(profile=profile) in line
    assert not domain.isActive()


# Which domains


@pytest.mark.live("qemu")
def test_by_name_uuid_and_glob_each_is_started_once(lab: Lab, qemu: Hypervisor) -> None:
    prefix = guests.unique("many")
    (one, _), (two, domain), (three, _) = (stored(qemu, prefix=f"{prefix}-{n}") for n in (1, 2, 3))
    done = product.command(lab, "start", domain.UUIDString(), one, f"{prefix}-[13]-*", "--minimal")
    assert done.stdout.splitlines() == [f"{name}: started minimal" for name in (two, one, three)]
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.live("qemu")
def test_one_that_fails_does_not_keep_the_others_from_starting(lab: Lab, qemu: Hypervisor) -> None:
    (good, _), (last, _) = stored(qemu), stored(qemu)
    bad, _ = stored(qemu, "<resource><partition>/machine/missing</partition></resource>")
    done = product.command(lab, "start", good, "nobody", bad, "nothing-*", last, "--json")
    said = json.loads(done.stdout)
    assert done.returncode == 1
    assert [each["domain"] for each in said["started"]] == [good, last]
    assert [(each["domain"], each["error"]) for each in said["failed"]] == [
        ("nobody", "NotFound"),
        (bad, "Failed"),
        ("nothing-*", "NotFound"),
    ]
    assert {cgroup.shares(cgroup.groups(kernel.qemu_pid(name))) for name in (good, last)} == {512}


@pytest.mark.live("qemu")
def test_all_means_every_domain_that_is_off_and_no_file_of_that_name(lab: Lab, qemu: Hypervisor) -> None:
    (one, _), (two, running) = stored(qemu), stored(qemu)
    running.create()
    (lab.place / one).write_text("a file that is called like the domain", encoding="utf-8")
    done = product.command(lab, "start", "--all", "--minimal", cwd=lab.place)
    assert done.returncode == 0, done.stderr
    assert f"{one}: started minimal" in done.stdout.splitlines()
    assert two not in done.stdout


@pytest.mark.live("qemu")
def test_a_name_that_is_a_number_is_no_id(lab: Lab, qemu: Hypervisor) -> None:
    name, other = stored(qemu)
    other.create()
    number = str(other.ID())
    document = qemu.document(name).replace(f"<name>{name}<", f"<name>{number}<")
    domain = qemu.define(document.replace(guests.identity(name), guests.identity(qemu.name())))
    done = product.command(lab, "start", number)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, f"{number}: started tuned")
    assert domain.isActive()


@pytest.mark.live("qemu")
def test_names_are_listed_when_there_is_no_such_domain(lab: Lab, qemu: Hypervisor) -> None:
    name, _ = stored(qemu)
    done = product.command(lab, "start", "nobody")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("nobody: no such domain on qemu:///system, which has ")
    assert name in done.stderr


# Refused before anything is started


@pytest.mark.live("qemu")
def test_cpus_and_nodes_that_the_host_has_not_are_named_with_their_lines(lab: Lab, qemu: Hypervisor) -> None:
    _, domain = stored(qemu)
    profile = product.written(qemu, "cpu.vcpu.pin: {0: 0-4000}\ncpu.emulator.pin: 4001\nmemory.numa.nodeset: 900")
    assert_refused(
        lab,
        domain,
        profile,
        "{profile}:3: cpu.vcpu.pin[0] 0-4000: host CPUs ",
        "{profile}:4: cpu.emulator.pin 4001: host CPU 4001 is not there: the host has ",
        "{profile}:5: memory.numa.nodeset 900: host node 900 is not there: the host has ",
    )


@pytest.mark.live("qemu")
def test_vcpus_and_iothreads_that_the_domain_has_not_are_named_with_their_lines(lab: Lab, qemu: Hypervisor) -> None:
    _, domain = stored(qemu)
    profile = product.written(qemu, "cpu.vcpu.pin: {0: 0, 7: 0}\ncpu.iothread.pin: {3: 0}\niothread.count: 2")
    assert_refused(
        lab,
        domain,
        profile,
        "{profile}:3: cpu.vcpu.pin[7]: the domain has no vCPUs 7; it has 0-1",
        "{profile}:4: cpu.iothread.pin[3]: the domain has no IOThreads 3; it has 1-2",
    )


@pytest.mark.live("qemu")
def test_stored_tuning_for_another_host_is_named_too(lab: Lab, qemu: Hypervisor) -> None:
    name, domain = stored(qemu, "<cputune><vcpupin vcpu='1' cpuset='4000'/></cputune>")
    done = product.command(lab, "start", name)
    assert done.returncode == 1
    assert f"{name}:" in done.stderr
    assert "cpu.vcpu.pin[1] 4000: host CPU 4000 is not there" in done.stderr
    assert not domain.isActive()
    assert product.command(lab, "start", name, "--minimal").returncode == 0


@pytest.mark.live("qemu")
def test_devices_that_the_domain_has_not_are_named(lab: Lab, qemu: Hypervisor) -> None:
    _, domain = stored(qemu)
    profile = product.written(qemu, "disk[vdz].iotune.read_iops_sec: 5\nnet[0].driver.queues: 2")
    assert_refused(lab, domain, profile, "{profile}:3: disk[vdz].iotune.read_iops_sec: ", "{profile}:4: net[0].driver")


@pytest.mark.live("qemu")
def test_what_is_required_and_cannot_be_done_is_refused(lab: Lab, qemu: Hypervisor) -> None:
    name, domain = stored(qemu)
    profile = product.written(qemu, "cpu.shares: 300\ncpu.cap: 50\ncpu.pool: Pool-0", required=True)
    demand = f"{name}: required, but cannot be done: cpu."
    assert_refused(lab, domain, profile, f"{demand}cap: qemu: ", f"{demand}pool: qemu: ")
    done = product.command(lab, "start", name, "-p", profile, "--or-minimal")
    assert (done.returncode, domain.isActive()) == (1, 0)


@pytest.mark.live("qemu")
def test_one_that_runs_is_refused_and_not_touched(lab: Lab, qemu: Hypervisor) -> None:
    name, domain = stored(qemu)
    domain.create()
    pid = kernel.qemu_pid(name)
    for words in ((), ("--minimal",), ("-p", product.written(qemu, "cpu.shares: 300"))):
        done = product.command(lab, "start", name, *words)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"{name}: is running already; shut it down first; ")
    assert kernel.qemu_pid(name) == pid
    assert cgroup.shares(cgroup.groups(pid)) == 512


@pytest.mark.live("qemu")
@pytest.mark.parametrize(
    "uri",
    [
        "qemu:///nonsense",
        "none:///system",
        "not a uri",
        "xen:///system",
        "qemu+unix:///system?socket=/none",
        "esx://-/",
    ],
)
def test_what_cannot_be_reached_is_one_line(lab: Lab, uri: str) -> None:
    done = product.command(lab, "-c", uri, "start", "nobody")
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"cannot connect to {uri}: ")


@pytest.mark.live("qemu")
def test_a_read_only_connection_has_no_rights(lab: Lab, qemu: Hypervisor) -> None:
    name, domain = stored(qemu)
    uri = qemu.uri + "-ro"
    with (
        connect(uri, readonly=True) as connection,
        Store(product.state(qemu)) as store,
        pytest.raises(Unreachable, match="no rights"),
    ):
        start(connection, name, Wish(), store=store)
    assert not domain.isActive()


# What is printed, and what holds


@pytest.mark.live("qemu")
def test_each_value_is_said_with_when_it_was_set_or_why_not(lab: Lab, qemu: Hypervisor) -> None:
    name, _ = stored(qemu)
    settings = (
        "iothread.count: 1\niothread.poll_max_ns: {1: 50 us}\ncpu.cap: 50\ncpu.emulator.pin: r\ncpu.pool: default"
    )
    done = product.command(lab, "start", name, "-p", product.written(qemu, settings), "--paused")
    everywhere = ",".join(map(str, sorted(os.sched_getaffinity(0))))
    assert (done.returncode, done.stderr) == (0, "")
    first, *rest = done.stdout.splitlines()
    assert first == f"{name}: started tuned, paused"
    assert [line.replace(everywhere, "ALL").replace("0-1", "ALL") for line in rest] == [
        "  done: cpu.shares 512 (at creation)",
        "  done: iothread.count 1 (at creation)",
        "  done: cpu.emulator.pin ALL (at creation)",
        "  done: iothread.poll_max_ns[1] 50000 (before the guest ran)",
        "  not done: cpu.cap: qemu: no such parameter outside Xen; the nearest is cpu.total.quota",
    ]


@pytest.mark.live("qemu")
def test_an_iothread_quota_without_iothreads_is_not_done(qemu: Hypervisor) -> None:
    """libvirt stores it and does nothing, so reading it back proves nothing."""
    name, _ = stored(qemu)
    started = product.start(qemu, name, product.wish("cpu.iothread.quota: 20000"))
    assert [str(each) for each in started.not_done] == ["cpu.iothread.quota: the domain has no IOThread"]


@pytest.mark.live("qemu")
def test_a_memory_target_is_asked_for_and_a_note_says_that_nothing_shows_it(qemu: Hypervisor) -> None:
    name, domain = stored(qemu)
    started = product.start(qemu, name, product.wish("memory.current: 32 MiB"))
    assert [note.partition(":")[0] for note in started.notes] == ["memory.current"]
    assert state(domain) == libvirt.VIR_DOMAIN_RUNNING


@pytest.mark.live("qemu")
def test_a_reboot_keeps_the_tuned_run(lab: Lab, qemu: Hypervisor) -> None:
    name = qemu.name()
    disk = guests.disk(guests.rebooting_image(qemu.files / f"{name}.raw"))
    qemu.define(qemu.document(name, body=STORED, devices=disk))
    product.start(qemu, name, product.wish("cpu.shares: 300\ncpu.vcpu.pin: {1: 0}"))
    pid = kernel.qemu_pid(name)
    seen = lab.run(["virsh", "event", "--domain", name, "--event", "reboot", "--timeout", "20"])
    assert "events received: 1" in seen.stdout
    assert kernel.qemu_pid(name) == pid
    assert cgroup.shares(cgroup.groups(pid)) == 300
    assert kernel.vcpus(pid)[1].cpus == {0}


@pytest.mark.live("qemu")
def test_a_result_is_never_written_in_place_of_a_pipe(lab: Lab, qemu: Hypervisor) -> None:
    """Nor of /dev/null."""
    name, _ = stored(qemu)
    pipe = lab.place / f"{name}.pipe"
    os.mkfifo(pipe)
    script = f'cat {pipe} & "$@"; wait; test -p {pipe}'
    words = [sys.executable, "-c", product.COMMAND, "split", name, "--definition", str(pipe)]
    done = lab.run(["bash", "-c", script, "-", *words], env=product.environment(lab))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "</domain>")
