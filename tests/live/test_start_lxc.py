"""A tuned and a minimal start of a container, which cannot wait: all it honours holds from its creation on."""

import libvirt
import pytest

from live import cgroup, kernel, product, readings
from live.hypervisor import Hypervisor
from live.lab import DAEMON_PID, Lab

INACTIVE = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
TUNED = """\
cpu.affinity: "1"
cpu.shares: 300
cpu.vcpu: {period: 50 ms, quota: 20000}
memory.limit: {hard: 50 MiB, soft: 48 MiB}
blkio.weight: 400
"""
STORED = """\
<cputune><shares>300</shares><quota>20000</quota><vcpupin vcpu='0' cpuset='0'/></cputune>
<memtune><hard_limit unit='MiB'>50</hard_limit></memtune>
<blkiotune><weight>300</weight></blkiotune>
"""


def stored(host: Hypervisor, body: str = "") -> tuple[str, libvirt.virDomain]:
    name = host.name()
    return name, host.define(host.document(name, body=body))


@pytest.mark.live("lxc")
def test_the_whole_container_gets_what_the_profile_says(lxc: Hypervisor) -> None:
    name, domain = stored(lxc)
    before = domain.XMLDesc(INACTIVE)
    started = product.start(lxc, name, product.wish(TUNED))
    found = cgroup.groups(kernel.container(name))

    assert (started.not_done, started.afterwards, started.waited) == ((), (), False)
    assert cgroup.shares(found) == 300
    assert cgroup.bandwidth(found) == cgroup.Bandwidth(20000, 50000)
    assert cgroup.memory(found).hard == 50 << 20
    assert cgroup.memory(found).soft == 48 << 20
    assert cgroup.blkio_weight(found) == 400
    assert kernel.threads(kernel.container(name))[0].cpus == cgroup.cpuset(found).cpus == {1}
    assert domain.XMLDesc(INACTIVE) == before


@pytest.mark.live("lxc")
def test_what_a_container_takes_only_while_it_runs_is_set_right_after_creation(lab: Lab, lxc: Hypervisor) -> None:
    name, _ = stored(lxc)
    done = product.command(
        lab, "-c", "lxc:///system", "start", name, "-p", product.written(lxc, "memory.current: 40 MiB")
    )
    assert done.stdout.splitlines() == [
        f"{name}: started tuned",
        "  done: memory.current 40 MiB (right after creation)",
    ]
    assert cgroup.memory(cgroup.groups(kernel.container(name))).hard == 40 << 20


@pytest.mark.live("lxc")
def test_a_limit_that_is_no_whole_number_of_pages_holds(lxc: Hypervisor) -> None:
    name, _ = stored(lxc)
    product.start(lxc, name, product.wish("memory.limit.hard: 50001"))
    assert cgroup.memory(cgroup.groups(kernel.container(name))).hard == 50000 << 10


@pytest.mark.live("lxc")
def test_a_minimal_container_is_like_one_without_tuning(lxc: Hypervisor) -> None:
    name, domain = stored(lxc, STORED)
    plain = lxc.name("plain")
    before = domain.XMLDesc(INACTIVE)
    started = product.start(lxc, name, product.wish(minimal=True))
    lxc.create(lxc.document(plain))

    for reading in (readings.affinity, readings.shares, readings.bandwidth, readings.limits, readings.block):
        assert reading(name) == reading(plain), reading.__name__
    assert domain.XMLDesc(INACTIVE) == before
    assert "<shares>300" in before
    assert [setting.name for setting in started.unprotected] == ["memory.limit.hard", "cpu.vcpu.quota"]


@pytest.mark.live("lxc")
def test_stored_tuning_that_does_nothing_is_not_done_and_no_obstacle(lxc: Hypervisor) -> None:
    """Not even when it names CPUs that this host has not: libvirt would start the container all the same."""
    name, domain = stored(lxc, "<cputune><shares>300</shares><vcpupin vcpu='0' cpuset='4000'/></cputune>")
    started = product.start(lxc, name)
    assert [each.setting.name for each in started.not_done] == ["cpu.vcpu.pin[0]"]
    assert cgroup.shares(cgroup.groups(kernel.container(name))) == 300
    assert "cpuset='4000'" in domain.XMLDesc(0)


@pytest.mark.live("lxc")
def test_paused_is_refused_before_anything(lab: Lab, lxc: Hypervisor) -> None:
    name, domain = stored(lxc)
    done = product.command(lab, "-c", "lxc:///system", "start", name, "--paused")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "LXC containers cannot start a domain paused; leave --paused out\n"
    assert not domain.isActive()
    assert product.unfinished(lxc, domain.UUIDString()) == 0


@pytest.mark.live("lxc")
def test_nothing_asks_for_scheduler_parameters_of_a_container_that_is_off(lab: Lab, lxc: Hypervisor) -> None:
    """That kills libvirtd 9.0.0 (lxcDomainGetSchedulerParametersFlags)."""
    name, domain = stored(lxc, STORED)
    before = lab.run(["cat", DAEMON_PID]).stdout
    profile = product.written(lxc, TUNED)
    for words, code in (
        (("split", name), 0),
        (("split", name, "--tuning", "-", "--definition", lxc.files / f"{name}.xml"), 0),
        (("merge", name, profile), 0),
        (("merge", name, profile, "--define"), 0),
        (("split", name, "--define", "--tuning", lxc.files / f"{name}.yaml"), 0),
        (("params", "--driver", "lxc"), 0),
        (("explain", "cpu", name, "-p", profile), 0),
        (("start", name, "-p", product.written(lxc, "cpu.vcpu.quota: 5")), 1),
        (("start", name, "--minimal"), 0),
    ):
        done = product.command(lab, "-c", "lxc:///system", *words)
        assert (words, done.returncode, done.stderr) == (words, code, done.stderr)
    domain.destroy()
    product.start(lxc, name, product.wish(TUNED))
    assert lab.run(["cat", DAEMON_PID]).stdout == before
    assert lab.run(["bash", "-c", f"kill -0 $(cat {DAEMON_PID})"]).returncode == 0
