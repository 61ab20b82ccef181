import pytest

from domtune import tree
from domtune.expand import canonical, concrete, iothreads
from domtune.intents.model import Site
from domtune.pipeline import wanted
from domtune.put import put
from domtune.tuning import Tuning
from support.tuning import bound, names, root, said

DISKS = "".join(
    f"<disk device='{device}'><target dev='{target}'/>{more}</disk>"
    for device, target, more in (
        ("disk", "vda", ""),
        ("disk", "vdb", "<alias name='ua-data'/>"),
        ("disk", "vdc", "<readonly/>"),
        ("cdrom", "sda", ""),
    )
)
CELLS = "<cpu><numa><cell id='0' cpus='0-1'/><cell id='1' cpus='2-3'/></numa></cpu>"


def written_out(text: str, inside: str = "", devices: str = "") -> dict[str, str]:
    problems: list[str] = []
    found = concrete(said(text), root(inside, devices), problems)
    assert [] == problems
    return names(found)


def test_a_star_means_writable_disks() -> None:
    assert {"disk[vda].driver.io": "native", "disk[vdb].driver.io": "native"} == written_out(
        "disk[*].driver.io: native", devices=DISKS
    )


@pytest.mark.parametrize("selector", ["vdb", "ua-data", "1"])
@pytest.mark.parametrize("first", [True, False])
def test_what_is_said_of_one_device_beats_what_is_said_of_all(selector: str, first: bool) -> None:
    lines = [f"disk[{selector}].driver.io: threads", "disk[*].driver.io: native"]
    text = "\n".join(lines if first else reversed(lines))
    assert {"disk[vda].driver.io": "native", "disk[vdb].driver.io": "threads"} == written_out(text, devices=DISKS)


@pytest.mark.parametrize("text", ["{all: 0-3, 2: 5}", "{2: 5, all: 0-3}"])
def test_what_is_said_of_one_vcpu_beats_what_is_said_of_all(text: str) -> None:
    pins = {"cpu.vcpu.pin[0]": "0-3", "cpu.vcpu.pin[1]": "0-3", "cpu.vcpu.pin[2]": "5", "cpu.vcpu.pin[3]": "0-3"}
    assert pins == written_out(f"cpu.vcpu.pin: {text}")


@pytest.mark.parametrize(
    ("text", "inside", "found"),
    [
        ("cpu.vcpu.sched.policy: {all: idle}", "", ["cpu.vcpu.sched.policy[0-3]"]),
        ("cpu.iothread.pin: {all: 0-1}", "<iothreads>2</iothreads>", ["cpu.iothread.pin[1]", "cpu.iothread.pin[2]"]),
        ("cpu.iothread.sched.policy: {all: idle}", "<iothreads>3</iothreads>", ["cpu.iothread.sched.policy[1-3]"]),
        ("iothread.poll_grow: {all: 2}", "<iothreads>1</iothreads>", ["iothread.poll_grow[1]"]),
        ("iothread.thread_pool_max: {all: 2}", "<iothreads>1</iothreads>", ["iothread.thread_pool_max[1]"]),
        ("memory.numa.cell.mode: {all: strict}", CELLS, ["memory.numa.cell.mode[0]", "memory.numa.cell.mode[1]"]),
        ("memory.cell.discard: {all: yes}", CELLS, ["memory.cell.discard[0]", "memory.cell.discard[1]"]),
        ("cpu.vcpu.pin: default", "", [f"cpu.vcpu.pin[{number}]" for number in range(4)]),
    ],
)
def test_all_is_every_id_that_the_definition_has(text: str, inside: str, found: list[str]) -> None:
    assert found == list(written_out(text, inside))


@pytest.mark.parametrize(
    "text",
    [
        "cpu.iothread.pin: {all: 0-1}",
        "memory.cell.discard: {all: yes}",
        "blkio.device.weight: {all: 500}",
        "clock.timer.present: {all: no}",
        "memory.bandwidth.alloc: {0-1: {all: 50}}",
        "iothread.poll_grow: {all: 2}",
        "disk[all].driver.io: native",
    ],
)
def test_all_of_what_is_not_there_is_a_fault(text: str) -> None:
    problems: list[str] = []
    (setting,) = said(text)
    assert [] == concrete([setting], root("<iothreadids/>"), problems)
    assert [f"x.yaml:3: {setting.name}: this definition has none that all could mean"] == problems


def test_a_star_where_there_is_no_device_means_nothing() -> None:
    assert {} == written_out("disk[*].driver.io: native")


def test_huge_numbers_of_vcpus_and_iothreads_are_not_counted_out() -> None:
    machine = root("<iothreads>4294967295</iothreads>", vcpus=10**30)
    problems: list[str] = []
    pins = said("cpu.iothread.pin: {all: 0-1}\ncpu.vcpu.pin: {all: 0-1}")
    assert 2 * 16384 == len(concrete(pins, machine, problems))


# IOThreads


@pytest.mark.parametrize(
    ("text", "inside", "ids"),
    [
        ("", "", set()),
        ("", "<iothreads>3</iothreads>", {1, 2, 3}),
        ("", "<iothreads>3</iothreads><iothreadids><iothread id='2'/><iothread id='9'/></iothreadids>", {1, 2, 9}),
        ("", "<iothreads>x</iothreads><iothreadids><iothread/><iothread id='x'/></iothreadids>", set()),
        ("iothread.count: 2", "", {1, 2}),
        ("iothread.count: 2\niothread.ids: [4]", "", {1, 4}),
        ("iothread.ids: [70000]", "", {70000}),
        ("iothread.thread_pool_max: {5: 8}", "", {5}),
        ("iothread.ids: default", "<iothreads>1</iothreads>", {1}),
        ("iothread.count: default", "<iothreads>1</iothreads>", {1}),
    ],
)
def test_iothreads_are_those_with_ids_and_the_lowest_free_ones(text: str, inside: str, ids: set[int]) -> None:
    assert ids == iothreads(said(text) if text else [], root(inside))


def test_all_iothreads_are_those_of_every_layer() -> None:
    problems: list[str] = []
    stored = Tuning(tuple(said("iothread.count: 2")))
    layers = bound(Tuning(tuple(said("cpu.iothread.pin: {all: 0-1}"))), Tuning(tuple(said("iothread.count: 3"))))
    found = names(wanted(root(), stored, [layers], Site("qemu"), problems).tuning)
    assert ([], ["1", "2", "3"]) == (problems, [name[-2] for name in found if "pin" in name])


# Names


@pytest.mark.parametrize("selector", ["1", "ua-data", "vdb"])
def test_every_device_is_called_as_split_calls_it(selector: str) -> None:
    found = canonical(said(f"disk[{selector}].driver.io: native"), root(devices=DISKS))
    assert {"disk[vdb].driver.io": "native"} == names(found)


def test_a_part_of_what_is_said_of_a_device_stays() -> None:
    nics = "<interface><mac address='52:54:00:00:00:01'/></interface>"
    found = canonical(said("net[0].driver.guest_offloads: {tso4: off, csum: on}"), root(devices=nics))
    name = "net[52:54:00:00:00:01].driver.guest_offloads"
    assert {f"{name}[tso4]": "off", f"{name}[csum]": "on"} == names(found)


def test_a_device_that_is_not_there_keeps_its_name() -> None:
    found = canonical(said("disk[vdz].driver.io: native\ncpu.shares: 512"), root(devices=DISKS))
    assert {"disk[vdz].driver.io": "native", "cpu.shares": "512"} == names(found)


PART = "level: 3, type: both, size: 4 MiB"
CACHE = f"cpu.cache.alloc: {{0-1: [{{id: 0, {PART}}}], 2: [{{id: 0, {PART}}}]}}"


@pytest.mark.parametrize(
    ("base", "text", "left"),
    [
        (CACHE, "cpu.cache.alloc: default", []),
        (CACHE, "cpu.cache.alloc: {0-1: default}", ["cpu.cache.alloc[2][0/3/both]"]),
        ("memory.bandwidth.alloc: {0-1: {0: 50, 1: 60}}", "memory.bandwidth.alloc: default", []),
        ("blkio.device.weight: {/a: 200, /b: 300}", "blkio.device.weight: default", []),
        ("blkio.device.weight: {/a: 200, /b: 300}", "blkio.device.weight: {/a: default}", ["blkio.device.weight[/b]"]),
        ("cpu.shares: 5", "cpu.cache.alloc: default", ["cpu.shares"]),
        ("cpu.shares: 5", "cpu.iothread.pin: default", ["cpu.shares"]),
    ],
)
def test_default_takes_away_what_a_wider_layer_says_under_whatever_key(base: str, text: str, left: list[str]) -> None:
    problems: list[str] = []
    layers = bound(Tuning(tuple(said(base))), Tuning(tuple(said(text))))
    found = wanted(root(), Tuning(), [layers], Site("qemu"), problems).tuning
    assert [] == problems
    assert left == [setting.name for setting in found if not setting.is_default]


def test_default_takes_away_what_the_stored_definition_says_under_whatever_key() -> None:
    stored = Tuning(tuple(said(CACHE)))
    layers = bound(Tuning(tuple(said("cpu.cache.alloc: default"))))
    found = wanted(root(), stored, [layers], Site("qemu"), []).tuning
    assert dict.fromkeys(names(stored), "default") == names(found)
    definition = root()
    before = tree.serialise(definition)
    put(definition, found)
    assert before == tree.serialise(definition)
