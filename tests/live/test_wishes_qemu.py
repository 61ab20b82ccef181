"""Portable wishes of a virtual machine: what they become on this host, seen in the kernel."""

from textwrap import indent
from typing import cast

import libvirt
import pytest

from domtune import profile
from domtune.errors import Failed, Refused
from domtune.run import Started, Wish
from live import cgroup, guests, kernel, product
from live.hypervisor import Hypervisor, disk_limits, state
from live.lab import Lab

NIC = (
    "<interface type='ethernet'><mac address='52:54:00:00:00:01'/><target dev='{}'/><model type='virtio'/></interface>"
)
NORMAL = {1: 1024, 2: 100}
STORED = """\
<iothreads>2</iothreads>
<cputune><shares>512</shares><vcpupin vcpu='0' cpuset='0'/><emulatorpin cpuset='0'/></cputune>
"""


def wished(text: str, *, rest: str = "", **options: bool) -> Wish:
    """A profile whose `want:` block this is."""
    document = f"profile: wish\n{rest}want:\n{indent(text.strip(), '  ')}\n"
    return Wish((profile.read(document, "wish.yaml"),), **options)


def stored(host: Hypervisor, body: str = "", devices: str = "") -> tuple[str, libvirt.virDomain]:
    name = host.name()
    return name, host.define(host.document(name, body=body, devices=devices))


def done(started: Started) -> dict[str, str]:
    return {setting.name: setting.said for setting in (*started.at_creation, *started.afterwards)}


def reasons(started: Started) -> dict[str, str]:
    return {each.setting.name: each.reason for each in started.not_done}


# The weight, whose scale is that of the host's cgroups


@pytest.mark.live("qemu")
def test_a_weight_is_counted_as_the_cgroups_of_this_host_do(lab: Lab, qemu: Hypervisor) -> None:
    name, _ = stored(qemu, STORED)
    path = qemu.files / f"{name}.yaml"
    path.write_text("profile: wish\nwant: {cpu.weight: 2}\n")
    said = product.command(lab, "-c", "qemu:///system", "start", name, "-p", path)
    found = cgroup.groups(kernel.qemu_pid(name))
    number = 2 * NORMAL[found.version]
    assert (said.returncode, said.stderr) == (0, "")
    assert f"  done: cpu.shares {number} (at creation, for cpu.weight 2)" in said.stdout.splitlines()
    assert cgroup.shares(found) == number


@pytest.mark.live("qemu")
def test_where_the_version_of_cgroups_is_not_known_the_paused_domain_is_asked(qemu: Hypervisor) -> None:
    """A URI with a transport may lead anywhere, so no file of this host is read for it."""
    name, domain = stored(qemu)
    started = product.start(qemu, name, wished("cpu.weight: 2", paused=True))
    found = cgroup.groups(kernel.qemu_pid(name))
    number = 2 * NORMAL[found.version]
    assert state(domain) == libvirt.VIR_DOMAIN_PAUSED
    assert cgroup.shares(found) == number
    assert cast("dict[str, int]", domain.schedulerParameters())["cpu_shares"] == number
    assert ([(each.name, each.said, each.by) for each in started.afterwards], started.waited) == (
        [("cpu.shares", str(number), "cpu.weight 2")],
        True,
    )


@pytest.mark.live("qemu")
def test_a_weight_takes_the_place_of_stored_shares_that_are_asked_for_by_ratio(qemu: Hypervisor) -> None:
    """What the stored definition says must not be taken for what a domain has by itself."""
    name, _ = stored(qemu, STORED)
    product.start(qemu, name, wished("cpu.weight: 0.5"))
    found = cgroup.groups(kernel.qemu_pid(name))
    assert cgroup.shares(found) == NORMAL[found.version] // 2


@pytest.mark.live("qemu")
def test_a_running_neighbour_tells_the_version_of_cgroups(qemu: Hypervisor) -> None:
    qemu.create(qemu.document(qemu.name("neighbour")))
    name, _ = stored(qemu)
    started = product.start(qemu, name, wished("cpu.weight: 2"))
    found = cgroup.groups(kernel.qemu_pid(name))
    assert [(each.name, each.said) for each in started.at_creation] == [("cpu.shares", str(cgroup.shares(found)))]
    assert cgroup.shares(found) == 2 * NORMAL[found.version]


@pytest.mark.live("qemu")
def test_a_weight_out_of_range_takes_the_start_back(qemu: Hypervisor) -> None:
    name, domain = stored(qemu)
    with pytest.raises(Failed, match=r"cpu\.weight 300: .* must be 2 to \d+\n.*: it was stopped again") as failed:
        product.start(qemu, name, wished("cpu.weight: 300"))
    assert len(str(failed.value).splitlines()) == 2
    assert not domain.isActive()
    assert product.unfinished(qemu, domain.UUIDString()) == 0


# The others


@pytest.mark.live("qemu")
def test_limits_of_cpu_time_hold_for_the_whole_and_for_each_vcpu(qemu: Hypervisor) -> None:
    name, _ = stored(qemu)
    product.start(qemu, name, wished("cpu: {limit: 150%, vcpu_limit: 0.5}"))
    found = cgroup.groups(kernel.qemu_pid(name))
    assert {part: cgroup.bandwidth(found, part) for part in ("", "vcpu0", "vcpu1", "emulator")} == {
        "": cgroup.Bandwidth(150000, 100000),
        "vcpu0": cgroup.Bandwidth(50000, 100000),
        "vcpu1": cgroup.Bandwidth(50000, 100000),
        "emulator": cgroup.Bandwidth(None, 100000),
    }


@pytest.mark.live("qemu")
def test_no_limit_lifts_what_the_stored_definition_says(qemu: Hypervisor) -> None:
    image = qemu.image()
    limited = guests.disk(image, inside="<iotune><read_iops_sec>5</read_iops_sec></iotune>")
    name, domain = stored(qemu, "<cputune><quota>20000</quota><global_quota>70000</global_quota></cputune>", limited)
    product.start(qemu, name, wished("cpu: {limit: none, vcpu_limit: none}\ndisk[*].read_iops: none"))
    found = cgroup.groups(kernel.qemu_pid(name))
    assert {cgroup.bandwidth(found, part).quota for part in ("", "vcpu0", "vcpu1")} == {None}
    assert disk_limits(domain, "vda")["read_iops_sec"] == 0


@pytest.mark.live("qemu")
def test_every_thread_runs_on_the_cpus_of_the_nodes(qemu: Hypervisor) -> None:
    name, domain = stored(qemu, STORED)
    started = product.start(qemu, name, wished("cpu.nodes: 0"))
    pid = kernel.qemu_pid(name)
    cpus = cgroup.numbers(done(started)["cpu.emulator.pin"])
    assert kernel.emulator(pid).cpus == cpus
    assert {number: thread.cpus for number, thread in kernel.vcpus(pid).items()} == {0: cpus, 1: cpus}
    assert {number: thread.cpus for number, thread in kernel.iothreads(pid).items()} == {1: cpus, 2: cpus}
    assert domain.XMLDesc(0).count("<iothreadpin ") == domain.XMLDesc(0).count("<vcpupin ") == 2


@pytest.mark.live("qemu")
def test_memory_lies_on_the_nodes_of_the_cpus_and_moves_only_where_it_may(qemu: Hypervisor) -> None:
    for movable, mode, bound in (("no", "strict", True), ("yes", "restrictive", False)):
        name, domain = stored(qemu, STORED)
        wish = wished(f"cpu.nodes: 0\nmemory: {{nodes: with-cpus, movable: {movable}}}")
        assert done(product.start(qemu, name, wish))["memory.numa.mode"] == mode
        pid = kernel.qemu_pid(name)
        assert ("bind:0" in kernel.numa(pid).policies) is bound
        assert cgroup.cpuset(cgroup.groups(pid), "vcpu0").nodes == {0}
        assert cast("dict[str, str]", domain.numaParameters())["numa_nodeset"] == "0"


@pytest.mark.live("qemu")
def test_memory_with_cpus_that_nobody_placed_is_not_done(qemu: Hypervisor) -> None:
    name, _ = stored(qemu)
    started = product.start(qemu, name, wished("memory.nodes: with-cpus"))
    said = "no layer says where the vCPUs run; say cpu.nodes, or name the nodes"
    assert (done(started), reasons(started)) == ({}, {"memory.nodes": said})


@pytest.mark.live("qemu")
def test_locked_memory_is_locked(qemu: Hypervisor) -> None:
    name, _ = stored(qemu)
    if not kernel.may_raise_limits():
        with pytest.raises(Failed, match="cannot limit locked memory of process"):
            product.start(qemu, name, wished("memory.locked: yes"))
        return
    product.start(qemu, name, wished("memory.locked: yes"))
    assert kernel.locked(kernel.qemu_pid(name)) >= 64 << 10


@pytest.mark.live("qemu")
def test_limits_of_a_disk_are_those_of_one_family(qemu: Hypervisor) -> None:
    disks = guests.disk(qemu.image()) + guests.disk(qemu.image(), target="vdb")
    name, domain = stored(qemu, devices=disks)
    product.start(qemu, name, wished("disk[*]: {read: 4 MiB/s, write_iops: 70}\ndisk[vdb].read: 8 MiB/s"))
    fields = ("read_bytes_sec", "write_iops_sec", "total_bytes_sec")
    found = {target: [disk_limits(domain, target)[field] for field in fields] for target in ("vda", "vdb")}
    assert found == {"vda": [4 << 20, 70, 0], "vdb": [8 << 20, 70, 0]}


@pytest.mark.live("qemu")
def test_limits_of_a_nic_hold_where_the_kernel_has_the_schedulers(qemu: Hypervisor) -> None:
    target = f"t{guests.RUN}"
    name, domain = stored(qemu, devices=NIC.format(target))
    try:
        product.start(qemu, name, wished("net[*]: {receive: 10 MiB/s, send: 5 MiB/s}"))
    except Failed as failed:
        assert "qdisc kind is unknown" in str(failed)  # noqa: PT017 - many kernels are built without sfq
        assert not domain.isActive()
        return
    found = cast("dict[str, int]", domain.interfaceParameters(target))
    assert (found["inbound.average"], found["outbound.average"]) == (10 << 10, 5 << 10)


# What cannot be met


@pytest.mark.live("qemu")
@pytest.mark.parametrize("rest", ["", "required: true\n"])
def test_what_is_demanded_and_cannot_be_met_refuses_before_anything(qemu: Hypervisor, rest: str) -> None:
    name, domain = stored(qemu)
    mark = "" if rest else "!"
    wish = wished(f"memory: {{pages{mark}: 64 KiB, nodes{mark}: 77}}\ncpu.weight: 2", rest=rest)
    with pytest.raises(Refused) as refused:
        product.start(qemu, name, wish)
    pages, nodes = str(refused.value).splitlines()
    assert pages.startswith(f"{name}: required, but cannot be done: memory.pages: the host has no pages of 64 KiB; it ")
    assert nodes.startswith(f"{name}: required, but cannot be done: memory.nodes: host node 77 is not there: ")
    assert not domain.isActive()
    assert product.unfinished(qemu, domain.UUIDString()) == 0


@pytest.mark.live("qemu")
def test_what_cannot_be_met_is_told_and_the_rest_is_done(qemu: Hypervisor) -> None:
    name, domain = stored(qemu)
    started = product.start(qemu, name, wished("memory.nodes: 77\ncpu.limit: 0.01%\ncpu.vcpu_limit: 50%"))
    assert set(reasons(started)) == {"memory.nodes", "cpu.limit"}
    assert set(done(started)) == {"cpu.vcpu.period", "cpu.vcpu.quota"}
    assert domain.isActive()


@pytest.mark.live("qemu")
def test_what_a_profile_says_of_another_driver_does_not_hold(qemu: Hypervisor) -> None:
    name, _ = stored(qemu)
    cases = """\
when:
  - {driver: xen, set: {cpu.cap: 50}}
  - {driver: lxc, want: {cpu.vcpu_limit: 10%}}
  - {driver: [lxc, qemu], want: {cpu.vcpu_limit: 40%}}
"""
    started = product.start(qemu, name, wished("cpu.vcpu_limit: 50%", rest=cases))
    assert cgroup.bandwidth(cgroup.groups(kernel.qemu_pid(name)), "vcpu0").quota == 40000
    assert (set(done(started)), reasons(started)) == ({"cpu.vcpu.period", "cpu.vcpu.quota"}, {})


@pytest.mark.live("qemu")
def test_an_explanation_tells_what_a_start_then_does(lab: Lab, qemu: Hypervisor) -> None:
    name, _ = stored(qemu, STORED)
    path = qemu.files / f"{name}.yaml"
    path.write_text("profile: heavy\nwant: {cpu.weight: 2}\n")
    said = product.command(lab, "-c", "qemu:///system", "explain", "cpu.weight", name, "-p", path)
    product.command(lab, "-c", "qemu:///system", "start", name, "-p", path)
    number = cgroup.shares(cgroup.groups(kernel.qemu_pid(name)))
    holds, lost = said.stdout.splitlines()[1:3]
    assert holds.startswith(f"  wins: {number} as cpu.weight 2 at {path}:2 (command line; heavy): ")
    assert lost.startswith(f"  loses: 512 (stored definition {name}): ")
