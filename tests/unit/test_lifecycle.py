from dataclasses import replace

import pytest

from domtune.host import Host
from domtune.lifecycle import Decision, decide, idle, misplaced, on_host
from domtune.tuning import Tuning
from domtune.vocabulary import PARAMS
from domtune.vocabulary.drivers import DRIVERS
from domtune.vocabulary.model import Fact
from support.tuning import names, root, said

HOST = Host(frozenset(range(8)), frozenset({0, 1}))


def decided(text: str, driver: str, *, session: bool = False) -> Decision:
    return decide(said(text), DRIVERS[driver], session=session)


def reasons(decision: Decision) -> list[str]:
    return [each.reason for each in decision.not_done]


# What goes where


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_setting_goes_to_one_place(driver: str) -> None:
    settings = [
        setting
        for row in PARAMS.values()
        if not row.key_forms
        for setting in said(f"{row.name}: {NAMED.get(row.name, row.example)}")
    ]
    decision = decide(settings, DRIVERS[driver], session=False)
    placed = [*decision.create, *decision.after, *(each.setting for each in decision.not_done)]
    assert len(settings) > 90
    assert sorted(names(settings)) == sorted(names(placed))


NAMED = {"memory.backing.hugepages": "[]"}


@pytest.mark.parametrize(
    ("driver", "create", "after"),
    [("qemu", ["cpu.shares"], []), ("xen", ["cpu.shares"], ["cpu.cap"]), ("bhyve", [], [])],
)
def test_the_table_decides_what_comes_when(driver: str, create: list[str], after: list[str]) -> None:
    decision = decided("cpu.shares: 512\ncpu.cap: 150", driver)
    assert (create, after) == (list(names([*decision.create])), list(names([*decision.after])))


def test_the_reason_says_what_the_driver_does() -> None:
    assert ["bhyve: ignored: the element is kept in the XML and never read"] == reasons(
        decided("cpu.shares: 2", "bhyve")
    )


def test_order_is_kept() -> None:
    text = "cpu.emulator.pin: 0\ncpu.shares: 512\ncpu.affinity: 0-3"
    assert list(names(said(text))) == list(names([*decided(text, "qemu").create]))


# Values and gates


def test_only_values_that_the_driver_honours_are_done() -> None:
    decision = decided("disk[sda].driver.cache: writethrough\ndisk[sdb].driver.cache: none", "esx")
    assert ["disk[sda].driver.cache"] == list(names([*decision.create]))
    assert ["esx honours only writethrough"] == reasons(decision)


@pytest.mark.parametrize(
    ("mode", "done"), [("preferred", True), ("interleave", True), ("restrictive", True), ("strict", False), ("", False)]
)
def test_a_gate_is_open_for_some_values_of_another_row(mode: str, done: bool) -> None:
    decision = decided(f"memory.numa: {{nodeset: 0{', mode: ' + mode if mode else ''}}}", "lxc")
    assert done is ("memory.numa.nodeset" in names([*decision.create]))


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("name", ["memory.numa.mode", "memory.numa.nodeset", "disk[sda].driver.cache", "cpu.shares"])
def test_default_passes_where_a_value_would_not(name: str, driver: str) -> None:
    assert [name] == list(names([*decided(f"{name}: default", driver, session=True).create]))


@pytest.mark.parametrize("driver", DRIVERS)
def test_default_of_what_stands_in_no_xml_needs_nothing(driver: str) -> None:
    assert Decision() == decided("cpu.cap: default", driver)


def test_what_only_a_guest_can_do_is_not_done_at_a_start() -> None:
    (reason,) = reasons(decided("cpu.count.guest_online: 0-1", "qemu"))
    assert reason.startswith("qemu takes it only from a guest that is up: ")


@pytest.mark.parametrize("driver", ["qemu", "ch"])
@pytest.mark.parametrize(("threads", "done"), [("", False), ("<iothreads>1</iothreads>", True)])
def test_time_of_iothreads_needs_an_iothread(driver: str, threads: str, done: bool) -> None:
    settings = said("cpu.iothread: {period: 50 ms, quota: 25000}\ncpu.emulator.quota: 25000")
    decision = decide(settings, DRIVERS[driver], session=False, root=root(threads))
    assert [True, done] == ["cpu.emulator.quota" in names([*decision.create]), len(decision.create) == 3]
    assert ([] if done else ["the domain has no IOThread"] * 2) == reasons(decision)


@pytest.mark.parametrize(("mode", "done"), [("", True), ("mode: default, ", True), ("mode: interleave, ", False)])
def test_a_gate_may_be_open_while_nothing_is_said(mode: str, done: bool) -> None:
    assert done is ("memory.numa.nodeset" in names([*decided(f"memory.numa: {{{mode}nodeset: 0}}", "ch").create]))


# What a stored definition says in vain


def said_in_vain(stored: str, text: str, driver: str, *, session: bool = False) -> list[str]:
    settings = [*said(stored), *(said(text) if text else [])]
    decision = decide(settings, DRIVERS[driver], session=session)
    return list(names([*idle(decision, Tuning(tuple(said(stored))), DRIVERS[driver], session=session)]))


@pytest.mark.parametrize(
    ("stored", "text", "driver", "session", "kept"),
    [
        ("cpu.emulator.pin: 0", "", "lxc", False, ["cpu.emulator.pin"]),
        ("cpu.shares: 5", "", "qemu", False, []),  # not in vain
        ("cpu.shares: 5", "cpu.emulator.pin: 0", "lxc", False, []),  # not stored
        ("cpu.shares: 5", "", "qemu", True, []),  # a session daemon refuses it
        ("memory.backing.discard: true", "", "lxc", True, ["memory.backing.discard"]),
    ],
)
def test_what_a_driver_takes_and_ignores_may_stay(
    stored: str, text: str, driver: str, session: bool, kept: list[str]
) -> None:
    assert kept == said_in_vain(stored, text, driver, session=session)


# Without rights


@pytest.mark.parametrize("text", ["cpu.shares: 512", "memory.limit.hard: 8 GiB", "blkio.weight: 500"])
def test_a_session_has_no_cgroups(text: str) -> None:
    assert ["needs a cgroup, and a session daemon has none; use the system daemon"] == reasons(
        decided(text, "qemu", session=True)
    )


@pytest.mark.parametrize("text", ["cpu.vcpu.pin: {0: 1}", "cpu.affinity: 0-3", "disk[vda].iotune.read_iops_sec: 5"])
def test_a_session_can_do_what_needs_none(text: str) -> None:
    assert [] == reasons(decided(text, "qemu", session=True))


@pytest.mark.parametrize(
    ("mode", "done"),
    [("", True), ("mode: strict, ", True), ("mode: preferred, ", True), ("mode: restrictive, ", False)],
)
def test_a_session_can_take_memory_from_nodes_where_qemu_does_it_itself(mode: str, done: bool) -> None:
    decision = decided(f"memory.numa: {{{mode}nodeset: '0'}}", "qemu", session=True)
    assert done == (not decision.not_done)
    assert done == bool(decision.create)


def test_a_session_does_a_family_as_a_whole() -> None:
    cells = "memory.numa.cell: {nodeset: {0: '0', 1: '0'}, mode: {0: restrictive}}"
    assert 3 == len(decided(cells, "qemu", session=True).not_done)


def test_every_row_with_a_file_of_the_cgroup_is_refused_to_a_session() -> None:
    rows = [row for row in PARAMS.values() if isinstance(fact := row.drivers["qemu"], Fact) and fact.kernel]
    files = [row for row in rows if (kernel := row.fact("qemu")) and kernel.kernel and not kernel.kernel.thread]
    plain = [row for row in files if not row.key_forms and (held := row.fact("qemu")) and held.cgroup_while is None]
    assert len(plain) > 10
    for row in plain:
        assert 1 == len(reasons(decided(f"{row.name}: {row.example}", "qemu", session=True)))


# Devices on which a row is honoured

USER = "<interface type='user'><model type='virtio'/></interface>"
OLD = "<interface type='bridge'><model type='e1000'/></interface>"
BARE = "<interface type='ethernet'/>"
SATA = "<disk device='disk'><driver type='raw'/><target dev='sda' bus='sata'/><readonly/></disk>"
VIRTIOFS = "folders that are not virtiofs; here type is virtiofs"
FOLDER = "<filesystem><driver type='{}'/><target dir='f'/></filesystem>"


@pytest.mark.parametrize(
    ("text", "devices", "reason"),
    [
        (
            "net[0].bandwidth.inbound.average: 10",
            USER,
            "NICs of the types network, bridge, direct and ethernet; here type is user",
        ),
        ("net[0].bandwidth.inbound.floor: 10", OLD, "NICs of the type network; here type is bridge"),
        (
            "net[0].driver.name: vhost",
            USER,
            "NICs that are a tap device of the host: network, bridge, direct and ethernet; here type is user",
        ),
        ("net[0].driver.queues: 2", USER, "NICs that can have queues, which user has not; here type is user"),
        ("net[0].driver.rx_queue_size: 512", OLD, "virtio NICs; here model is e1000"),
        ("net[0].coalesce.rx_max_frames: 5", BARE, "NICs of the types network and bridge; here type is ethernet"),
        ("disk[0].driver.iothread: 1", SATA, "virtio disks; here bus is sata"),
        ("disk[sda].driver.queues: 4", SATA, "virtio disks; here bus is sata"),
        ("disk[sda].driver.copy_on_read: on", SATA, "disks that are not read-only; here readonly is yes"),
        ("disk[sda].driver.metadata_cache: 8 MiB", SATA, "qcow2 images; here type is raw"),
        ("controller[0].driver.queues: 4", "<controller type='usb'/>", "virtio-scsi controllers; here type is usb"),
        (
            "controller[0].driver.queues: 4",
            "<controller type='scsi' model='lsilogic'/>",
            "virtio-scsi controllers; here model is lsilogic",
        ),
        ("fs[f].driver.queue: 512", FOLDER.format("path"), "virtiofs folders; here type is path"),
        ("fs[0].driver.queue: 512", "<filesystem/>", "virtiofs folders; here type is not said"),
        (
            "fs[f].driver.wrpolicy: immediate",
            FOLDER.format("virtiofs"),
            "folders that are not virtiofs; here type is virtiofs",
        ),
    ],
)
def test_what_a_device_of_this_type_does_not_honour_is_not_done(text: str, devices: str, reason: str) -> None:
    decision = decide(said(text), DRIVERS["qemu"], session=False, root=root(devices=devices))
    assert [f"qemu honours it only on {reason}"] == reasons(decision)


@pytest.mark.parametrize(
    ("text", "devices"),
    [
        ("net[0].bandwidth.inbound.average: 10", BARE),
        ("net[0].driver.queues: 2", BARE),  # the model is libvirt's to choose
        ("net[0].driver.txmode: timer", USER),
        ("disk[0].driver.iothread: 1", "<disk><target dev='vda'/></disk>"),
        ("disk[sda].driver.cache: none", SATA),
        ("controller[0].driver.queues: 4", "<controller type='scsi'/>"),
        ("net[7].driver.queues: 2", USER),  # no such device: merge says so
        ("fs[f].driver.queue: 512", FOLDER.format("virtiofs")),
    ],
)
def test_what_a_device_may_honour_is_done(text: str, devices: str) -> None:
    settings = [*said(text), *said("iothread.count: 1")]
    assert [] == reasons(decide(settings, DRIVERS["qemu"], session=False, root=root(devices=devices)))


def test_where_the_definition_is_not_known_nothing_is_known_of_its_devices() -> None:
    assert [] == reasons(decided("net[0].driver.queues: 2", "qemu"))


# What the host has


def test_r_is_every_cpu_of_the_host() -> None:
    found, problems = on_host(said("cpu.affinity: r\ncpu.vcpu.pin: {0: r}"), HOST)
    assert ({"cpu.affinity": "0-7", "cpu.vcpu.pin[0]": "0-7"}, []) == (names(found), problems)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("cpu.affinity: 0-9", "cpu.affinity 0-9: host CPUs 8-9 are not there: the host has 0-7"),
        ("cpu.vcpu.pin: {1: 9}", "cpu.vcpu.pin[1] 9: host CPU 9 is not there: the host has 0-7"),
        ("memory.numa.nodeset: 2", "memory.numa.nodeset 2: host node 2 is not there: the host has 0-1"),
    ],
)
def test_refuses_cpus_and_nodes_that_the_host_has_not(text: str, reason: str) -> None:
    assert [f"x.yaml:3: {reason}; name others, or leave the line out"] == [
        str(each) for each in on_host(said(text), HOST)[1]
    ]


@pytest.mark.parametrize(
    "text",
    [
        "cpu.affinity: 0-9,^8,^9",
        "cpu.affinity: default",
        "memory.backing.hugepages: [{size: 1 GiB, nodeset: 5}]",  # guest cells
        "cpu.vcpu.sched.policy: {0-99: idle}",
    ],
)
def test_leaves_alone_what_names_nothing_that_the_host_lacks(text: str) -> None:
    assert (said(text), []) == on_host(said(text), HOST)


def test_what_the_driver_does_nothing_with_does_no_harm() -> None:
    assert [1, 0] == [len(on_host(said("cpu.emulator.pin: 99"), HOST, driver)[1]) for driver in ("qemu", "lxc")]


def test_a_host_that_names_no_nodes_lacks_none() -> None:
    assert [] == on_host(said("memory.numa.nodeset: 5"), replace(HOST, nodes=frozenset()))[1]


# What the domain has


@pytest.mark.parametrize(
    ("text", "inside", "reasons"),
    [
        ("cpu.vcpu.pin: {3: 1, 4: 1}", "", ["cpu.vcpu.pin[4]: the domain has no vCPUs 4; it has 0-3"]),
        ("cpu.vcpu.pin: {99999: 1}", "", ["cpu.vcpu.pin[99999]: the domain has no vCPUs 99999; it has 0-3"]),
        (
            "cpu.vcpu.sched.policy: {2-5: idle}",
            "",
            ["cpu.vcpu.sched.policy[2-5]: the domain has no vCPUs 4-5; it has 0-3"],
        ),
        ("cpu.iothread.pin: {1: 1}", "", ["cpu.iothread.pin[1]: the domain has no IOThreads 1; it has none"]),
        ("cpu.iothread.pin: {2: 1}", "<iothreads>2</iothreads>", []),
        ("cpu.iothread.pin: {70000: 1}\niothread.ids: [70000]", "", []),
        ("iothread.count: 1\niothread.poll_grow: {1: 2, 2: 2}", "", [
            "iothread.poll_grow[2]: the domain has no IOThreads 2; it has 1",
        ]),
        ("cpu.vcpu.pin: {9: default}", "", []),
        ("memory.bandwidth.alloc: {3-4: {7: 50}}", "", [
            "memory.bandwidth.alloc[3-4][7]: the domain has no vCPUs 4; it has 0-3",
        ]),
    ],
)  # fmt: skip
def test_says_what_speaks_of_vcpus_and_iothreads_that_are_not_there(text: str, inside: str, reasons: list[str]) -> None:
    assert reasons == [problem.partition(": ")[2] for problem in misplaced(said(text), root(inside))]


@pytest.mark.parametrize(("vcpus", "last"), [("4", 3), (" 2 ", 1), ("x", 0), ("", 0), ("9" * 4999, 16383)])
def test_any_text_of_a_definition_is_some_number_of_vcpus(vcpus: str, last: int) -> None:
    machine = root()
    machine.find("vcpu").text = vcpus  # type: ignore[union-attr]
    assert [[], 1] == [
        misplaced(said(f"cpu.vcpu.pin: {{{last}: 1}}"), machine),
        len(misplaced(said("cpu.vcpu.pin: {70000: 1}"), machine)),
    ]
