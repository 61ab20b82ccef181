"""Where merge puts what; what it refuses stands in tests/cases/errors."""

import pytest
from lxml import etree

from domtune.domain import merge, split
from domtune.errors import Invalid
from domtune.tuning import Place, Tuning, Verbatim
from support.same import same
from support.schema import validates
from support.tuning import domain, said

EVERY_PLACE = """
cpu: {shares: 512, affinity: 0-3}
memory: {limit.hard: 8 GiB, backing.nosharepages: true, numa.nodeset: 0, current: 2 GiB}
iothread: {count: 2, ids: [1, 2], default.thread_pool_min: 1}
blkio.weight: 500
resource: {appid: web, partition: /machine/a}
perf.cmt: yes
features.pmu: off
"""


def merged(text: str, inside: str = "", devices: str = "") -> etree._Element:
    return etree.fromstring(merge(domain(inside, devices), Tuning(tuple(said(text)))))


def shown(root: etree._Element, path: str) -> str:
    found = root.find(path)
    assert found is not None
    return etree.tostring(found, encoding="unicode", with_tail=False)


# Where new elements go


def test_new_elements_go_where_libvirts_schema_takes_them() -> None:
    assert [] == validates(merge(domain(), Tuning(tuple(said(EVERY_PLACE)))))


@pytest.mark.parametrize(
    "inside",
    [
        "<devices/><name>x</name><os><type>hvm</type></os><vcpu>2</vcpu><memory>1</memory>",
        "<vcpu>2</vcpu><!-- a --><memory>1</memory><!-- b --><os><type>hvm</type></os><name>x</name>",
        "\n\t<name>x</name>\n\t<memory>1</memory>\n\t<vcpu>2</vcpu>\n\t<os><type>hvm</type></os>\n",
    ],
)
def test_they_do_in_definitions_of_any_order(inside: str) -> None:
    definition = f"<domain type='kvm'>{inside}</domain>"
    assert [] == validates(definition)
    assert [] == validates(merge(definition, Tuning(tuple(said(EVERY_PLACE)))))


@pytest.mark.parametrize("names", [("read_x", "write_x"), ("write_x", "read_x")])
def test_reading_and_writing_stand_side_by_side(names: tuple[str, str]) -> None:
    words = [name.replace("x", f"iops_sec{end}") for name in names for end in ("", "_max")]
    text = "\n".join(f"disk[vda].iotune.{word}: 1" for word in ["size_iops_sec", *words])
    disk = "<disk type='file'><source file='/a'/><target dev='vda'/></disk>"
    assert [] == validates(merge(domain(devices=disk), Tuning(tuple(said(text)))))


def test_the_partition_comes_first_in_resource() -> None:
    root = merged("resource: {appid: web, partition: /a}")
    assert '<resource><partition>/a</partition><fibrechannel appid="web"/></resource>' == shown(root, "resource")


# Values over values


@pytest.mark.parametrize(
    ("text", "inside", "path", "found"),
    [
        ("cpu.shares: 512", "<cputune><shares>2</shares></cputune>", "cputune/shares", "<shares>512</shares>"),
        (
            "memory.limit.hard: 8 GiB",
            "<memtune><hard_limit unit='KiB'>5</hard_limit></memtune>",
            "memtune/hard_limit",
            '<hard_limit unit="GiB">8</hard_limit>',
        ),
        (
            "memory.limit.hard: 77",
            "<memtune><hard_limit unit='MiB'>5</hard_limit></memtune>",
            "memtune/hard_limit",
            "<hard_limit>77</hard_limit>",
        ),
        (
            "cpu.vcpu.pin: {1: 5}",
            "<cputune><vcpupin vcpu='1' cpuset='3'/></cputune>",
            "cputune",
            '<cputune><vcpupin vcpu="1" cpuset="5"/></cputune>',
        ),
        (
            "memory.cell.discard: {1: yes}",
            "<cpu><numa><cell memory='1'/><cell memory='2'/></numa></cpu>",
            "cpu/numa/cell[2]",
            '<cell memory="2" discard="yes"/>',
        ),
        (
            "blkio.device.weight: {/dev/b: 500}",
            "<blkiotune><device><path> /dev/b </path></device></blkiotune>",
            "blkiotune",
            "<blkiotune><device><path> /dev/b </path><weight>500</weight></device></blkiotune>",
        ),
    ],
)
def test_a_value_takes_the_place_of_the_one_that_is_there(text: str, inside: str, path: str, found: str) -> None:
    assert found == shown(merged(text, inside), path)


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("cpu.shares: default", "<cputune><shares>2</shares></cputune>"),
        ("cpu.shares: default", ""),
        ("cpu.vcpu.pin: {1: default}", "<cputune><vcpupin vcpu='1' cpuset='3'/></cputune>"),
        ("memory.limit.hard: default", "<memtune><hard_limit unit='KiB'>5</hard_limit></memtune>"),
        ("memory.backing.nosharepages: default", "<memoryBacking><nosharepages/></memoryBacking>"),
        ("memory.numa: {mode: default, nodeset: default}", "<numatune><memory mode='strict' nodeset='0'/></numatune>"),
        ("resource.partition: default", "<resource><partition>/a</partition></resource>"),
        ("features.hyperv.relaxed: default\nfeatures.pmu: default", ""),
    ],
)
def test_default_takes_a_value_away_and_what_it_leaves_empty(text: str, inside: str) -> None:
    assert [] == same(domain(), merge(domain(inside), Tuning(tuple(said(text)))))


def test_default_leaves_what_something_else_is_in() -> None:
    root = merged("cpu.shares: default", "<cputune><shares>2</shares><quota>-1</quota></cputune>")
    assert "<cputune><quota>-1</quota></cputune>" == shown(root, "cputune")


def test_default_leaves_an_element_of_the_definition() -> None:
    disk = "<disk><driver io='native'/><target dev='vda'/></disk>"
    assert "<driver/>" == shown(merged("disk[vda].driver.io: default", devices=disk), "devices/disk/driver")


# Several at once


def test_a_star_is_written_out() -> None:
    disks = "".join(f"<disk><target dev='{dev}'/></disk>" for dev in ("vda", "vdb"))
    root = merged("disk[*].driver.io: native", devices=disks)
    assert ["native", "native"] == [driver.get("io") for driver in root.iterfind("devices/disk/driver")]


def test_everything_wrong_is_said_at_once() -> None:
    text = "cpu.cap: 5\ndisk[vda].driver.io: native\ncpu.affinity: r\ncpu.iothread.pin: {all: 0}"
    with pytest.raises(Invalid) as caught:
        merge(domain(), Tuning(tuple(said(text)), (Verbatim(Place.ON, "/domain/x", attributes=(("a", "b"),)),)))
    assert [
        "x.yaml:6: cpu.iothread.pin[all]: this definition has none that all could mean",
        "x.yaml:3: cpu.cap: stands in no domain XML; leave it to start, which applies it to the running domain",
        "x.yaml:4: disk[vda].driver.io: this definition has no <disk> called 'vda'; it has none",
        "x.yaml:5: cpu.affinity: r means every CPU of the host, and the host is not known here; give the list",
        "verbatim: /domain/x: no such place in this definition; take the piece out",
    ] == list(caught.value.problems)


def test_merging_twice_changes_nothing() -> None:
    tuning = Tuning(tuple(said(EVERY_PLACE)))
    once = merge(domain(), tuning)
    assert once == merge(once, tuning)


def test_what_was_merged_can_be_split_again() -> None:
    tuning = Tuning(tuple(said(EVERY_PLACE)))
    both = split(merge(domain(), tuning), guest_visible=True, measurement=True)
    assert ([], {*tuning}) == (same(domain("<features/>"), both.definition), {*both.tuning})


@pytest.mark.parametrize(
    "piece",
    [
        Verbatim(Place.FIRST, "/domain", xml="<uuid>00000000-0000-0000-0000-000000000001</uuid>"),
        Verbatim(Place.LAST, "/domain/name", text="evil"),
        Verbatim(Place.ON, "/domain", attributes=(("type", "test"),)),
        Verbatim(Place.AFTER, "/domain/devices", xml="<devices/>"),
    ],
)
def test_a_tuning_cannot_change_what_a_machine_is(piece: Verbatim) -> None:
    with pytest.raises(Invalid, match="the piece is no tuning; put it into the definition"):
        merge(domain(), Tuning((), (piece,)))
