import re
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from lxml import etree

from support.grammar import load
from support.reach import held, reachable
from support.regex import strings
from support.same import same
from support.sampler import sample, samples
from support.schema import domain_rng, validates

DOCUMENTS = Path(__file__).parent.parent / "documents"
FILES = sorted(DOCUMENTS.glob("*/*.xml"))
MINIMAL = "<domain type='test'><name>x</name><os><type>hvm</type></os>{}</domain>"

# What two documents differ in, in their <a>; nothing when they are the same.
PAIRS = {
    "attributes in another order": ("<b x='1' y='2'/>", "<b y='2' x='1'/>", []),
    "white space around text": ("<b> 1\n</b><c/>", "\n<b>1</b>\t<c></c> ", []),
    "another spelling": ("<b>&lt;<![CDATA[&]]></b>", "<b>&#60;&amp;</b>", []),
    "another prefix": ("<q:b xmlns:q='urn:u'/>", "<b xmlns='urn:u'/>", []),
    "tags in another order": ("<b/><c/><b i='2'/>", "<c/><b/><b i='2'/>", []),
    "an attribute": ("<b x='1' y='2'/>", "<b x='3' z='2'/>", [
        "/d/a/b/@x: '1' became '3'", "/d/a/b/@y: '2' became nothing", "/d/a/b/@z: nothing became '2'",
    ]),
    "white space in an attribute": ("<b x='1'/>", "<b x=' 1'/>", ["/d/a/b/@x: '1' became ' 1'"]),
    "text": ("<b>1</b>", "<b>2</b>", ["/d/a/b: text '1' became '2'"]),
    "siblings of one tag": ("<b i='1'/><c/><b i='2'/>", "<b i='2'/><c/><b i='1'/>", [
        "/d/a: order b[1], b[2] became b[2], b[1]",
    ]),
    "an element gone": ("<b i='1'/><b i='2'/><b i='3'/>", "<b i='1'/><b i='3'/>", ["/d/a/b[2]: lost"]),
    "an element more": ("<b/>", "<b/><c/>", ["/d/a/c: gained"]),
    "another namespace": ("<b/>", "<b xmlns='urn:u'/>", ["/d/a/b: lost", "/d/a/b: gained"]),
    "devices in another order": ("<devices><b/><c/></devices>", "<devices><c/><b/></devices>", [
        "/d/a/devices: order b, c became c, b",
    ]),
    "inside of devices": ("<devices><b><x/><y/></b></devices>", "<devices><b><y/><x/></b></devices>", []),
    "foreign elements in another order": ("<b xmlns='urn:u'><x/><y/></b>", "<b xmlns='urn:u'><y/><x/></b>", [
        "/d/a/b: order x, y became y, x",
    ]),
    "mixed text": ("<b>x<c/>y</b>", "<b>xy<c/></b>", ["/d/a/b: text 'x … y' became 'xy … '"]),
    "a comment with its element": ("<!-- c --><b/><x/>", "<x/><!--c--><b/>", []),
    "a comment left behind": ("<!-- c --><b/><x/>", "<b/><!-- c --><x/>", [
        "/d/a: lost <!-- c --> before b[1]", "/d/a: gained <!-- c --> before x[1]",
    ]),
    "a comment at the end": ("<b/><!-- c -->", "<!-- c --><b/>", [
        "/d/a: lost <!-- c --> at the end", "/d/a: gained <!-- c --> before b[1]",
    ]),
    "comments in another order": ("<!--1--><!--2--><b/>", "<!--2--><!--1--><b/>", [
        "/d/a: lost <!-- 1 --><!-- 2 --> before b[1]", "/d/a: gained <!-- 2 --><!-- 1 --> before b[1]",
    ]),
    "a comment in text": ("<b>1<!-- c -->2</b>", "<b>12<!-- c --></b>", []),
    "an instruction": ("<?p x?><b/>", "<b/>", ["/d/a: lost <?p x?> before b[1]"]),
}  # fmt: skip


@pytest.mark.parametrize(("first", "second", "expected"), PAIRS.values(), ids=PAIRS)
def test_tells_differences(first: str, second: str, expected: list[str]) -> None:
    assert expected == same(f"<d><a>{first}</a></d>", f"<d><a>{second}</a></d>")


def test_compares_what_stands_around_the_root() -> None:
    first = "<?xml version='1.0' encoding='ISO-8859-1'?><!-- ä --><d/><?end?>"
    assert ["/: lost <!-- ä --> before d[1]", "/: lost <?end ?> at the end"] == same(first, "<d/>")


def test_metadata_keeps_its_order_and_only_below_the_root() -> None:
    first, second = "<metadata><b/><c/></metadata>", "<metadata><c/><b/></metadata>"
    assert ["/d/metadata: order b, c became c, b"] == same(f"<d>{first}</d>", f"<d>{second}</d>")
    assert [] == same(f"<d><a>{first}</a></d>", f"<d><a>{second}</a></d>")


def test_every_sample_is_the_same_as_itself_only() -> None:
    documents = list(samples(40))
    assert [[]] * 40 == [same(xml, xml) for xml in documents]
    assert all(same(first, second) for first, second in pairwise(documents))


def test_schema_accepts_a_domain_and_says_what_is_wrong_with_another() -> None:
    assert [] == validates(MINIMAL.format("<vcpu>1</vcpu>"))
    assert validates(MINIMAL.format("<vcpu/>"))


def test_sampler_repeats_itself() -> None:
    assert [sample(seed) for seed in range(50)] == [sample(seed) for seed in range(50)]
    assert list(samples(5, seed=1)) != list(samples(5, seed=2))


def test_nearly_every_sample_is_valid() -> None:
    assert sum(1 for seed in range(500) if not validates(sample(seed))) > 475


def test_samples_hold_nearly_all_tuning_and_every_kind_of_domain() -> None:
    trees = [etree.fromstring(xml) for xml in samples(600)]
    kinds = {str(kind) for kind in etree.parse(domain_rng().with_name("domaincommon.rng")).xpath(
        "//*[local-name()='define'][@name='hvs']//*[local-name()='value']/text()",
    )}  # fmt: skip
    assert len(kinds) > 10
    assert kinds == {tree.get("type") for tree in trees}
    assert len(reachable() - set[str]().union(*map(held, trees))) < 10


def test_reads_the_whole_grammar() -> None:
    assert {"cputune", "diskIoTune", "numatune"} < load(domain_rng()).defines.keys()


def test_strings_match_every_pattern_of_the_grammar() -> None:
    data = "//*[local-name()='param'][@name='pattern']/text()"
    patterns = {str(text) for path in domain_rng().parent.glob("*.rng") for text in etree.parse(path).xpath(data)}
    assert len(patterns) > 50
    random = Random(0)
    # XML Schema's patterns are whole and know no anchors: `$` is a dollar.
    wrong = [p for p in patterns for _ in range(20) if not re.fullmatch(p.replace("$", r"\$"), strings(p)(random))]
    assert [] == wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_document_is_valid_unless_its_name_says_lenient(path: Path) -> None:
    assert path.stem.endswith("-lenient") == bool(validates(path.read_text()))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_document_survives_another_layout(path: Path) -> None:
    root = etree.fromstring(path.read_bytes())
    for element in root.iter(etree.Element):
        attributes = dict(reversed(element.attrib.items()))
        element.attrib.clear()
        element.attrib.update(attributes)
    etree.indent(root, "\t")
    assert [] == same(path.read_text(), etree.tostring(root.getroottree(), encoding="unicode"))


def test_readme_lists_every_document() -> None:
    section, listed = "", set()
    for line in (DOCUMENTS / "README.md").read_text().splitlines():
        section = line[3:] if line.startswith("## ") else section
        if row := re.match(r"\| `(?:(\w+)/)?([\w-]+\.xml)` \|", line):
            listed.add(DOCUMENTS / (row[1] or section) / row[2])
    assert set(FILES) == listed
