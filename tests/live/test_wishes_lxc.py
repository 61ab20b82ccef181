"""Portable wishes of a container: the nearest thing that it has, seen in the kernel, and what it refuses."""

import pytest

from domtune.connection import connect
from domtune.errors import Refused
from domtune.machine import host_of
from live import cgroup, kernel, product
from live.hypervisor import Hypervisor
from live.lab import Lab
from live.test_wishes_qemu import NORMAL, done, reasons, stored, wished


@pytest.mark.live("lxc")
def test_a_container_gets_its_weight(lab: Lab, lxc: Hypervisor) -> None:
    name, _ = stored(lxc)
    path = lxc.files / f"{name}.yaml"
    path.write_text("profile: wish\nwant: {cpu.weight: 2}\n")
    said = product.command(lab, "-c", "lxc:///system", "start", name, "-p", path)
    found = cgroup.groups(kernel.container(name))
    number = 2 * NORMAL[found.version]
    assert said.stdout.splitlines() == [
        f"{name}: started tuned",
        f"  done: cpu.shares {number} (at creation, for cpu.weight 2)",
    ]
    assert cgroup.shares(found) == number


@pytest.mark.live("lxc")
def test_where_the_version_of_cgroups_is_not_known_the_running_container_is_asked(lxc: Hypervisor) -> None:
    name, _ = stored(lxc, "<cputune><shares>300</shares></cputune>")
    started = product.start(lxc, name, wished("cpu.weight: 2"))
    found = cgroup.groups(kernel.container(name))
    assert cgroup.shares(found) == 2 * NORMAL[found.version]
    assert [(each.said, each.by) for each in started.afterwards] == [(str(cgroup.shares(found)), "cpu.weight 2")]
    assert not started.waited


@pytest.mark.live("lxc")
def test_containers_that_run_are_not_asked_for_it(lxc: Hypervisor) -> None:
    name, domain = stored(lxc)
    domain.create()
    with connect(lxc.uri) as connection:
        assert connection.domain(name).is_active
        assert (connection.is_local, host_of(connection).cgroup) == (False, 0)


@pytest.mark.live("lxc")
def test_the_limit_is_that_of_the_whole_container(lxc: Hypervisor) -> None:
    name, _ = stored(lxc)
    started = product.start(lxc, name, wished("cpu: {limit: 150%, vcpu_limit: 50%}"))
    assert cgroup.bandwidth(cgroup.groups(kernel.container(name))) == cgroup.Bandwidth(150000, 100000)
    assert set(reasons(started)) == {"cpu.vcpu_limit"}
    assert "cpu.limit, of the whole container, comes nearest" in reasons(started)["cpu.vcpu_limit"]


@pytest.mark.live("lxc")
def test_container_and_memory_are_on_the_nodes(lxc: Hypervisor) -> None:
    name, _ = stored(lxc)
    started = product.start(lxc, name, wished("cpu.nodes: 0\nmemory.nodes: with-cpus"))
    found = cgroup.groups(kernel.container(name))
    cpus = cgroup.numbers(done(started)["cpu.affinity"])
    assert kernel.threads(kernel.container(name))[0].cpus == cgroup.cpuset(found).cpus == cpus
    assert cgroup.cpuset(found).nodes == {0}
    assert done(started)["memory.numa.mode"] == "restrictive"
    assert reasons(started) == {}


@pytest.mark.live("lxc")
def test_what_a_container_cannot_is_told_with_what_comes_nearest(lxc: Hypervisor) -> None:
    name, domain = stored(lxc)
    started = product.start(lxc, name, wished("memory: {pages: 2 MiB, locked: yes}\nmemory.nodes: 77"))
    assert set(reasons(started)) == {"memory.pages", "memory.locked", "memory.nodes"}
    assert "transparent huge pages come nearest" in reasons(started)["memory.pages"]
    assert domain.isActive()


@pytest.mark.live("lxc")
def test_a_demand_that_a_container_cannot_meet_refuses_before_anything(lxc: Hypervisor) -> None:
    name, domain = stored(lxc)
    with pytest.raises(Refused, match=r"^\S+: required, but cannot be done: memory\.pages: lxc: a container's "):
        product.start(lxc, name, wished("memory.pages!: 2 MiB"))
    assert not domain.isActive()
    assert product.unfinished(lxc, domain.UUIDString()) == 0
