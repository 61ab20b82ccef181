from collections.abc import Iterator

import pytest
from lxml import etree

from domtune import tree
from domtune.errors import Invalid
from support.tuning import documents


def shown(root: etree._Element) -> str:
    return etree.tostring(root, encoding="unicode")


# Reading


def test_no_more_than_a_limit_is_read() -> None:
    full = "<domain>" + "<!--" + " " * (tree.MAX_SIZE // 2) + "-->"
    full += " " * (tree.MAX_SIZE - len(full) - len("</domain>")) + "</domain>"
    assert "domain" == tree.parse(full).tag
    with pytest.raises(Invalid, match="the document has 16777217 characters, more than the 16777216 that are read"):
        tree.parse(full + " ")


def test_no_deeper_than_a_limit_is_read() -> None:
    assert "a" == tree.parse("<a>" * 200 + "</a>" * 200, root="a").tag
    for depth in (300, 100_000):
        with pytest.raises(Invalid, match="not well-formed XML: Excessive depth in document"):
            tree.parse("<a>" * depth + "</a>" * depth, root="a")


@pytest.mark.parametrize("before", ["", "\ufeff", "<?xml version='1.0'?>", "<!-- <domain/> -->\n", "<?a?><!----> "])
def test_no_document_type_is_read_whatever_stands_before_it(before: str) -> None:
    with pytest.raises(Invalid, match=r"<!DOCTYPE: document types and entities are not read; take it out$"):
        tree.parse(f"{before}<!DOCTYPE domain><domain/>")


def test_a_document_type_in_a_comment_is_none() -> None:
    assert "domain" == tree.parse("<!-- <!DOCTYPE a> --><domain><!-- <!DOCTYPE a> --></domain>").tag


def test_what_is_around_the_root_is_written_too() -> None:
    assert "<!--a--><domain/><?b?>" == tree.serialise(tree.parse("<!--a--><domain/><?b?>"))


# Places


def elements() -> Iterator[etree._Element]:
    for xml in documents(20).values():
        yield from etree.fromstring(xml.encode(), etree.XMLParser(encoding="utf-8")).iter(etree.Element)


def test_every_element_is_found_at_its_path() -> None:
    found = [tree.at_path(each.getroottree().getroot(), tree.path_of(each)) is each for each in elements()]
    assert len(found) > 1000
    assert all(found)


@pytest.mark.parametrize("path", ["/domain/a", "/domain/b[3]", "/domain/c/d", "/network", "/domain/b[9999999999999]"])
def test_nothing_is_found_where_nothing_is(path: str) -> None:
    assert tree.at_path(etree.fromstring("<domain><b/><b/></domain>"), path) is None


@pytest.mark.parametrize("path", ["", "domain", "/domain/", "//b", "/domain/b[0x1]", "/domain/b[last()]"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is not a place such as /domain/cputune/vcpupin"):
        tree.at_path(etree.fromstring("<domain><b/></domain>"), path)


# Fragments


def test_what_is_taken_out_can_be_read_again() -> None:
    for each in elements():
        again = tree.fragment(tree.outer(each))
        assert tree.outer(each) == tree.outer(again)


@pytest.mark.parametrize("xml", ["<!-- a -->", "<?a b?>", "<a b='c'>d</a>", "<x:a xmlns:x='u'/>"])
def test_a_fragment_is_one_node(xml: str) -> None:
    assert xml.replace("'", '"') == tree.outer(tree.fragment(xml))


@pytest.mark.parametrize(
    "xml", ["", "text", "<a/><b/>", "<a/>text", "text<a/>", "<a>", "&a;", "<!DOCTYPE a><a/>", "</holder><holder>", "\0"]
)
def test_anything_else_is_refused(xml: str) -> None:
    with pytest.raises(ValueError, match=r"is not|are not read"):
        tree.fragment(xml)


# White space


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<a>\n  <b/>\n</a>", "<a>\n  <b/>\n  <c/>\n</a>"),
        ("<a><b/></a>", "<a><b/><c/></a>"),
        ("<a>\n  <b/></a>", "<a>\n  <b/>\n  <c/></a>"),
        ("<a>\n  text\n</a>", "<a>\n  text\n<c/></a>"),
        ("<a>\n\t<b/>\n</a>", "<a>\n\t<b/>\n\t<c/>\n</a>"),
        ("<a>\n  <b/>\n  <!-- d -->\n</a>", "<a>\n  <b/>\n  <!-- d -->\n  <c/>\n</a>"),
    ],
)
def test_a_new_element_is_indented_as_its_neighbours(before: str, after: str) -> None:
    root = etree.fromstring(before)
    tree.new_child(root, "c")
    assert after == shown(root)


def test_a_new_element_in_an_empty_one_is_indented_one_step_more() -> None:
    root = etree.fromstring("<a>\n  <b/>\n</a>")
    tree.new_child(root[0], "c")
    assert "<a>\n  <b>\n    <c/>\n  </b>\n</a>" == shown(root)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<a>\n  <b/>\n  <c/>\n</a>", "<a>\n  <b/>\n</a>"),
        ("<a>\n  <c/>\n  <b/>\n</a>", "<a>\n  <b/>\n</a>"),
        ("<a>\n  <c/>\n</a>", "<a/>"),
        ("<a>text<c/>more</a>", "<a>textmore</a>"),
        ("<a><b/><c/>more</a>", "<a><b/>more</a>"),
        ("<a><c/></a>", "<a/>"),
    ],
)
def test_an_element_takes_its_white_space_with_it_and_leaves_text(before: str, after: str) -> None:
    root = etree.fromstring(before)
    element = root.find("c")
    assert element is not None
    tree.remove(element)
    assert after == shown(root)


def test_elements_change_places_among_themselves() -> None:
    root = etree.fromstring("<a>\n  <b i='1'/> <x/>\n  <b i='2'/>\n  <b i='3'/>\n</a>")
    one, two, three = root.iterfind("b")
    tree.reorder([three, one, two])
    assert '<a>\n  <b i="3"/> <x/>\n  <b i="1"/>\n  <b i="2"/>\n</a>' == shown(root)


def test_taking_out_and_putting_back_keeps_every_line() -> None:
    root = etree.fromstring("<a>\n  <b/>\n  <c/>\n  <d/>\n</a>")
    before, element = shown(root), root[1]
    tree.remove(element)
    tree.insert(root, element, root.find("d"))
    assert before == shown(root)
