"""What is wanted of a domain when several layers speak of it."""

from domtune import tree
from domtune.pipeline import wanted
from domtune.put import put
from domtune.take import Choice, take
from domtune.tree import Element
from domtune.tuning import Tuning
from support.tuning import said

TWINS = (
    "<domain><name>a</name><vcpu>2</vcpu><cputune><vcpupin vcpu='0' cpuset='1'/><vcpupin vcpu='0' cpuset='2'/>"
    "<shares>5</shares><foo/></cputune></domain>"
)


def parted() -> tuple[Element, Tuning]:
    root = tree.parse(TWINS)
    return root, take(root, Choice())


def children(root: Element, tuning: Tuning) -> list[str]:
    put(root, tuning)
    return sorted(tree.tag(child) for child in root.iterfind("cputune/*"))


def test_what_two_layers_say_verbatim_comes_back_once() -> None:
    root, stored = parted()
    tuning = wanted(root, stored, [stored], [])
    assert ["foo", "shares", "vcpupin", "vcpupin"] == children(root, tuning)


def test_a_family_that_is_replaced_takes_its_verbatim_pieces_with_it() -> None:
    root, stored = parted()
    tuning = wanted(root, stored, [Tuning(tuple(said("cpu.vcpu.pin: {1: 0}")))], [])
    assert ["foo", "shares", "vcpupin"] == children(root, tuning)


def test_reading_ends_for_any_number_of_comments() -> None:
    assert "domain" == tree.tag(tree.parse("<!---->" * 40 + "<domain><!--<!DOCTYPE--></domain>"))
