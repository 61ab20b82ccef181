"""Storing a definition without its tuning, or with more: libvirt then has what was said, or what it had before."""

import json
import os
import signal
from pathlib import Path

import libvirt
import pytest

from live import cgroup, guests, kernel, product
from live.hypervisor import Hypervisor, disk_limits
from live.lab import Lab

INACTIVE = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
STORED = """\
<cputune><shares>512</shares><vcpupin vcpu='1' cpuset='0'/></cputune>
<memtune><soft_limit unit='MiB'>300</soft_limit></memtune>
"""
LIMIT = "<iotune><write_iops_sec>500</write_iops_sec></iotune>"
PASSWORD = "<graphics type='vnc' passwd='sesame'/>"  # noqa: S105  of a guest that nobody reaches


def stored(host: Hypervisor) -> tuple[str, libvirt.virDomain, str]:
    name = host.name()
    devices = guests.disk(host.image(), inside=LIMIT) + PASSWORD
    domain = host.define(host.document(name, body=STORED, devices=devices))
    return name, domain, domain.XMLDesc(INACTIVE)


def backups(lab: Lab, name: str) -> list[Path]:
    return sorted((lab.place / "domtune" / "backups").glob(f"{name}-*.xml"))


@pytest.mark.live("qemu")
def test_split_and_merge_give_the_same_domain_back(lab: Lab, qemu: Hypervisor) -> None:
    name, domain, before = stored(qemu)
    tuning = lab.place / f"{name}.yaml"
    done = product.command(lab, "split", name, "--define", "--tuning", tuning)
    (backup,) = backups(lab, name)
    assert (done.returncode, done.stdout) == (0, "")
    assert product.lines(done)[0] == f"{name}: the stored definition has no tuning now; what was there is in {backup}"
    assert tuning.stat().st_mode & 0o777 == 0o600
    plain = domain.XMLDesc(INACTIVE)
    for word in ("shares", "vcpupin", "soft_limit", "iotune"):
        assert word in before
        assert word not in plain
    assert "sesame" in plain

    done = product.command(lab, "merge", name, tuning, "--define")
    assert (done.returncode, done.stdout) == (0, "")
    first, last = done.stderr.splitlines()
    assert first == f"{name}: stored with its tuning; what was there is in {backups(lab, name)[-1]}"
    assert last.startswith(f"{name}: {tuning} stays bound to it, and what it says lies over later edits")
    assert domain.XMLDesc(INACTIVE) == before


@pytest.mark.live("qemu")
def test_the_backup_is_what_was_there_and_for_its_owner_only(lab: Lab, qemu: Hypervisor) -> None:
    name, domain, before = stored(qemu)
    product.command(lab, "split", name, "--define", "--tuning", lab.place / f"{name}.yaml")
    (backup,) = backups(lab, name)
    assert backup.read_text(encoding="utf-8") == before
    assert backup.stat().st_mode & 0o777 == 0o600
    assert backup.parent.stat().st_mode & 0o777 == 0o700
    assert lab.run(["virsh", "-q", "define", backup]).returncode == 0
    assert domain.XMLDesc(INACTIVE) == before


@pytest.mark.live("qemu")
def test_virsh_start_is_tuned_by_what_merge_stored(lab: Lab, qemu: Hypervisor) -> None:
    name, domain, _ = stored(qemu)
    settings = "cpu.shares: 300\ncpu.emulator.pin: r\niothread.count: 1\niothread.poll_max_ns: {1: 5}\ncpu.cap: 50"
    profile = product.written(qemu, settings)
    done = product.command(lab, "merge", name, profile, "--define", "--json")
    assert [each["parameter"] for each in json.loads(done.stdout)["not_done"]] == ["iothread.poll_max_ns", "cpu.cap"]
    assert lab.run(["virsh", "-q", "start", name]).returncode == 0
    pid = kernel.qemu_pid(name)
    assert cgroup.shares(cgroup.groups(pid)) == 300
    assert kernel.vcpus(pid)[1].cpus == {0}
    assert kernel.emulator(pid).cpus == frozenset(os.sched_getaffinity(0))
    assert disk_limits(domain, "vda")["write_iops_sec"] == 500


@pytest.mark.live("qemu")
def test_a_running_domain_is_not_touched(lab: Lab, qemu: Hypervisor) -> None:
    name, domain, _ = stored(qemu)
    domain.create()
    pid = kernel.qemu_pid(name)
    running = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)
    profile = product.written(qemu, "cpu.shares: 300\niothread.count: 2")
    assert product.command(lab, "merge", name, profile, "--define").returncode == 0
    assert "<shares>300" in domain.XMLDesc(INACTIVE)
    assert product.command(lab, "split", name, "--define", "--tuning", lab.place / f"{name}.yaml").returncode == 0
    assert "<shares>" not in domain.XMLDesc(INACTIVE)
    assert domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE) == running
    assert (kernel.qemu_pid(name), cgroup.shares(cgroup.groups(pid))) == (pid, 512)


@pytest.mark.live("lxc")
def test_a_container_keeps_what_it_ignores(lab: Lab, lxc: Hypervisor) -> None:
    name = lxc.name()
    domain = lxc.define(lxc.document(name, body="<cputune><vcpupin vcpu='0' cpuset='0'/></cputune>"))
    profile = product.written(lxc, "cpu.shares: 300\ncpu.emulator.pin: 0")
    done = product.command(lab, "-c", "lxc:///system", "merge", name, profile, "--define")
    assert done.returncode == 0, done.stderr
    assert [line.split(":")[:2] for line in done.stderr.splitlines()[:-1]] == [
        ["not done", " cpu.vcpu.pin[0]"],
        ["not done", " cpu.emulator.pin"],
    ]
    after = domain.XMLDesc(INACTIVE)
    assert "<shares>300</shares>" in after
    assert "<vcpupin vcpu='0' cpuset='0'/>" in after
    assert "emulatorpin" not in after


# Refused: what was there stays


@pytest.mark.live("qemu")
@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("cpu.shares: 1", "{profile}:3: cpu.shares: 1 is outside 2 to 262144"),
        ("cpu.vcpu.pin: {0: 4000}", "{profile}:3: cpu.vcpu.pin[0] 4000: host CPU 4000 is not there"),
        ("cpu.vcpu.pin: {9: 0}", "{profile}:3: cpu.vcpu.pin[9]: the domain has no vCPUs 9"),
        ("memory.numa.nodeset: 900", "{profile}:3: memory.numa.nodeset 900: host node 900 is not there"),
        ("disk[vdz].driver.io: threads", "{profile}:3: disk[vdz].driver.io: "),
    ],
)
def test_what_the_next_start_would_not_take_is_not_stored(
    lab: Lab, qemu: Hypervisor, settings: str, reason: str
) -> None:
    name, domain, before = stored(qemu)
    profile = product.written(qemu, settings)
    done = product.command(lab, "merge", name, profile, "--define")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(reason.format(profile=profile))
    assert domain.XMLDesc(INACTIVE) == before
    assert backups(lab, name) == []


@pytest.mark.live("qemu")
@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("cpu.cache.monitor: {0: [{level: 2, vcpus: 0}]}", "cannot store the definition: "),
        (
            "features.hyperv.spinlocks: {state: off, retries: 8191}",
            "does not hold: features.hyperv.spinlocks[retries]: ",
        ),
    ],
)
def test_what_libvirt_refuses_or_drops_leaves_what_was_there(
    lab: Lab, qemu: Hypervisor, settings: str, reason: str
) -> None:
    name, domain, before = stored(qemu)
    done = product.command(lab, "merge", name, product.written(qemu, settings), "--define")
    assert done.returncode == 1
    first, last = done.stderr.splitlines()
    assert reason in first
    assert last == f"{name}: the stored definition is as it was (also in {backups(lab, name)[0]})"
    assert domain.XMLDesc(INACTIVE) == before


@pytest.mark.live("qemu")
def test_ctrl_c_between_storing_and_looking_leaves_what_was_there(lab: Lab, qemu: Hypervisor) -> None:
    name, domain, before = stored(qemu)
    hole = "real(*words, **options); os.kill(os.getpid(), signal.SIGINT); time.sleep(5)"
    code = product.broken("connection.Connection.define", f"connection.Connection.define = real; {hole}")
    done = product.command(lab, "merge", name, product.written(qemu, "cpu.shares: 300"), "--define", code=code)
    assert done.returncode == 128 + signal.SIGINT
    assert done.stderr.startswith(f"{name}: interrupted; the stored definition is as it was")
    assert domain.XMLDesc(INACTIVE) == before


@pytest.mark.live("qemu")
def test_what_somebody_changed_meanwhile_is_not_overwritten(lab: Lab, qemu: Hypervisor) -> None:
    name, domain, before = stored(qemu)
    change = f"os.system('virsh -q desc {name} --config changed')"
    code = product.broken("store.Store.lock", f"{change}; return real(*words, **options)")
    done = product.command(lab, "merge", name, product.written(qemu, "cpu.shares: 300"), "--define", code=code)
    assert (done.returncode, done.stderr) == (
        1,
        f"{name}: its stored definition was changed meanwhile; try again\n",
    )
    assert "<description>changed" in domain.XMLDesc(INACTIVE)
    assert "<shares>512" in before


@pytest.mark.live("qemu")
def test_a_demand_that_cannot_be_stored_is_refused(lab: Lab, qemu: Hypervisor) -> None:
    name, domain, before = stored(qemu)
    profile = product.written(qemu, "cpu.shares: 300\ncpu.cap: 50", required=True)
    done = product.command(lab, "merge", name, profile, "--define")
    assert done.returncode == 1
    assert done.stderr.startswith(f"{name}: required, but cannot be done: cpu.cap: ")
    assert domain.XMLDesc(INACTIVE) == before


@pytest.mark.live("qemu")
def test_a_transient_domain_has_nothing_to_replace(lab: Lab, qemu: Hypervisor) -> None:
    name = qemu.name()
    qemu.create(qemu.document(name, body=STORED))
    profile = product.written(qemu, "cpu.shares: 300")
    for words in (("merge", name, profile), ("split", name, "--tuning", lab.place / f"{name}.yaml")):
        done = product.command(lab, *words, "--define")
        assert (done.returncode, done.stderr) == (1, f"{name}: has no stored definition to replace\n")
    assert not qemu.connection.lookupByName(name).isPersistent()
