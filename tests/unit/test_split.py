"""What split takes out of one domain; whole documents are in test_split_merge.py and tests/cases/split."""

from itertools import pairwise

import pytest
from lxml import etree

from domtune.domain import merge, split
from domtune.errors import Invalid
from domtune.vocabulary import PARAMS
from domtune.vocabulary.model import Class
from support.places import document
from support.same import same
from support.tuning import domain, names, said

DISK = "<disk type='file'>{}<target dev='vda' bus='virtio'/></disk>"


def test_what_libvirt_adds_by_itself_is_nobodys_wish() -> None:
    xml = domain("<resource><partition>/machine</partition></resource>").replace("<vcpu", "<vcpu placement='static'")
    assert ([], {}) == (same(xml, split(xml).definition), names(split(xml).tuning))


@pytest.mark.parametrize(
    ("inside", "tuning"),
    [
        ("<resource><partition>/machine/a</partition></resource>", {"resource.partition": "/machine/a"}),
        ("<resource><partition>/machine/</partition></resource>", {"resource.partition": "/machine/"}),
        ("<cputune><shares>1024</shares></cputune>", {"cpu.shares": "1024"}),  # a default, but somebody wrote it
    ],
)
def test_what_differs_from_it_is_a_wish(inside: str, tuning: dict[str, str]) -> None:
    assert tuning == names(split(domain(inside)).tuning)


def test_what_the_domain_cannot_be_without_stays() -> None:
    assert ["memory.device.dimm"] == [row.name for row in PARAMS.values() if row.stays]
    xml = etree.tostring(document(said("memory.device[0].dimm: 1 GiB")), encoding="unicode")
    assert "memory.device[0].dimm" not in names(split(xml, guest_visible=True).tuning)


@pytest.mark.parametrize(
    ("options", "classes"),
    [
        ({}, {Class.TUNING}),
        ({"guest_visible": True}, {Class.TUNING, Class.GUEST_VISIBLE}),
        ({"measurement": True}, {Class.TUNING, Class.MEASUREMENT}),
        ({"guest_visible": True, "measurement": True}, {*Class}),
    ],
)
def test_only_the_classes_asked_for_leave(options: dict[str, bool], classes: set[Class]) -> None:
    xml = domain(
        "<currentMemory>1</currentMemory><cputune><shares>2</shares></cputune>"
        "<perf><event name='cmt' enabled='yes'/></perf>"
    )
    guest_visible, measurement = options.get("guest_visible", False), options.get("measurement", False)
    both = split(xml, guest_visible=guest_visible, measurement=measurement)
    assert classes == {setting.param.cls for setting in both.tuning}


def test_monitors_leave_with_the_caches_that_they_watch() -> None:
    monitor = "<cachetune vcpus='0-1'><monitor level='3' vcpus='0'/></cachetune>"
    both = split(domain(f"<cputune>{monitor}</cputune>"))
    assert {"cpu.cache.monitor[0-1][3/0]": "true"} == names(both.tuning)
    assert "cputune" not in both.definition


# What is left behind


@pytest.mark.parametrize(
    ("driver", "left"),
    [
        ("<driver io='native'/>", "<driver/>"),
        ("<driver name='qemu' io='native'/>", '<driver name="qemu"/>'),
        ("<driver><metadata_cache><max_size>5</max_size></metadata_cache></driver>", "<driver/>"),
        ("<driver><metadata_cache a='b'><max_size>5</max_size></metadata_cache></driver>", '<metadata_cache a="b"/>'),
    ],
)
def test_an_element_of_the_definition_stays_when_it_is_emptied(driver: str, left: str) -> None:
    xml = domain(devices=DISK.format(driver))
    both = split(xml)
    assert left in both.definition
    assert [] == same(xml, merge(*both))


@pytest.mark.parametrize(
    "empty", ["<cputune/>", "<memoryBacking/>", "<resource></resource>", "<numatune>\n</numatune>"]
)
def test_an_element_that_was_empty_before_stays(empty: str) -> None:
    xml = domain(empty)
    assert ([], {}) == (same(xml, split(xml).definition), names(split(xml).tuning))


@pytest.mark.parametrize(
    "inside",
    [
        "<cputune><shares>2</shares></cputune>",
        "<memoryBacking><nosharepages/></memoryBacking>",
        "<resource><partition>/a</partition></resource>",
        "<perf><event name='cmt' enabled='yes'/></perf>",
    ],
)
def test_an_element_of_ours_leaves_when_nothing_is_in_it(inside: str) -> None:
    assert [] == same(domain(), split(domain(inside), measurement=True).definition)


def test_elements_that_only_look_like_tuning_stay() -> None:
    xml = domain(
        "<metadata><a:x xmlns:a='urn:a'><cputune><shares>2</shares></cputune></a:x></metadata>"
        "<b:cputune xmlns:b='urn:b'><b:shares>2</b:shares></b:cputune>"
        "<sysinfo><cputune/></sysinfo>"
    )
    assert ([], 0) == (same(xml, split(xml).definition), len(split(xml).tuning))


@pytest.mark.parametrize(
    "inside",
    [
        "<memtune>a<hard_limit>5</hard_limit></memtune>",
        "<memtune>a<!-- c -->b<hard_limit>5</hard_limit>c</memtune>",
        "<memtune><hard_limit>5</hard_limit>c<!-- x -->d<soft_limit>4</soft_limit></memtune>",
        "<memtune><hard_limit>5</hard_limit><!-- x -->d<!-- y --><soft_limit>4</soft_limit></memtune>",
        "<cputune>a<vcpupin vcpu='0' cpuset='1'/>b<vcpupin vcpu='1' cpuset='1'/>c<vcpupin vcpu='0'/></cputune>",
        "<cputune>a<x/>b<shares>2</shares>c<y/>d</cputune>",
        "<cputune><!--1--><!--2--><shares>2</shares><!--3--><!--4--></cputune>",
        "<!--1--><!--2--><cputune><shares>2</shares></cputune><!--3--><title>t</title>",
        "<blkiotune>z<device>a<path>/dev/sda</path>b<weight>500</weight>c</device>d</blkiotune>",
    ],
)
def test_text_and_comments_between_what_leaves_come_back(inside: str) -> None:
    both = split(domain(inside))
    assert both.tuning.settings
    assert [] == same(domain(inside), merge(*both))


# Order and origin


def test_settings_come_in_the_order_of_the_document() -> None:
    disk = DISK.format("<driver io='native'/>")
    xml = domain(
        "<cputune><quota>5000</quota><shares>2</shares></cputune><memtune><hard_limit>5</hard_limit></memtune>", disk
    )
    assert ["cpu.vcpu.quota", "cpu.shares", "memory.limit.hard", "disk[vda].driver.io"] == list(
        names(split(xml).tuning)
    )


def test_settings_know_the_document_and_line_they_came_from() -> None:
    xml = "<domain>\n<cputune>\n<shares>2</shares>\n\n<quota>5000</quota></cputune>\n</domain>"
    assert ["web.xml:3", "web.xml:5"] == [setting.origin for setting in split(xml, source="web.xml").tuning]


def test_an_error_names_the_document() -> None:
    with pytest.raises(Invalid, match=r"^web\.xml:1: /network: not a <domain> document"):
        split("<network/>", source="web.xml")


# Text


@pytest.mark.parametrize("declaration", ["<?xml version='1.0'?>", "<?xml version='1.0' encoding='UTF-8'?>\n", "\ufeff"])
def test_a_declaration_is_read_and_not_written(declaration: str) -> None:
    both = split(declaration + domain("<title>Grüße 日本</title>"))
    assert both.definition.startswith("<domain")
    assert "<title>Grüße 日本</title>" in both.definition


def test_a_declared_encoding_means_nothing_for_text() -> None:
    xml = "<?xml version='1.0' encoding='ISO-8859-1'?>" + domain("<title>ä</title>")
    assert "<title>ä</title>" in split(xml).definition


def test_white_space_is_taken_out_with_what_it_indents() -> None:
    xml = "<domain>\n  <cputune>\n    <shares>2</shares>\n  </cputune>\n  <title>x</title>\n</domain>"
    assert "<domain>\n  <title>x</title>\n</domain>" == split(xml).definition


def test_what_merge_puts_back_is_indented_as_its_neighbours() -> None:
    definition = "<domain>\n  <name>x</name>\n  <vcpu>1</vcpu>\n</domain>"
    lines = merge(
        definition, split(domain("<cputune><shares>2</shares><quota>-1</quota></cputune>")).tuning
    ).splitlines()
    assert ["  <cputune>", "    <shares>2</shares>", "    <quota>-1</quota>", "  </cputune>"] == lines[3:7]


def test_split_parts_a_thousand_devices_in_order() -> None:
    disks = "".join(
        f"<disk><driver io='native'/><target dev='vd{number}' bus='virtio'/></disk>" for number in range(1000)
    )
    settings = split(domain(devices=disks)).tuning.settings
    assert 1000 == len(settings)
    assert all(int(a.keys[0][2:]) + 1 == int(b.keys[0][2:]) for a, b in pairwise(settings))


def test_a_second_list_of_devices_comes_back_too() -> None:
    limit = "<bandwidth><inbound average='5'/></bandwidth>"
    nic = f"<interface type='user'><mac address='52:54:00:00:00:01'/>{limit}</interface>"
    xml = f"<domain><name>x</name><devices>{nic}</devices><devices>{nic}</devices></domain>"
    parts = split(xml)
    assert "bandwidth" not in parts.definition
    assert [] == same(xml, merge(*parts))
