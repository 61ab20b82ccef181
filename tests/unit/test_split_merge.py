"""What split and merge promise, over the documents of tests/documents and hundreds made by libvirt's own grammar."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from random import Random

import pytest
from lxml import etree

from domtune import profile
from domtune.domain import merge, split
from domtune.tuning import Setting, Split, Tuning
from support.same import same
from support.schema import validates
from support.tuning import documents

SAMPLES = 450
EVERYTHING = [False, True]
HOLDERS = ("blkiotune", "cputune", "memtune", "numatune")
LOCKING = "devices/hostdev | devices/interface[@type='hostdev' or @type='vdpa'] | devices/disk[@type='nvme']"
everything = pytest.mark.parametrize("everything", EVERYTHING, ids=["tuning", "everything"])


@cache
def parts(*, everything: bool) -> dict[str, tuple[str, Split]]:
    """Return each document and its two parts: plain tuning, or all that can be taken out."""
    return {
        name: (xml, split(xml, guest_visible=everything, measurement=everything, source="x.xml"))
        for name, xml in documents(SAMPLES).items()
    }


@cache
def valid() -> frozenset[str]:
    return frozenset(name for name, xml in documents(SAMPLES).items() if not validates(xml))


def wrong(check: Callable[[str, Split], list[str]], *, everything: bool) -> dict[str, list[str]]:
    """Say what a check finds, by document."""
    found = {name: check(xml, both) for name, (xml, both) in parts(everything=everything).items()}
    assert len(found) > SAMPLES
    return {name: problems for name, problems in found.items() if problems}


# Nothing is lost


@everything
def test_merge_gives_back_what_split_parted(everything: bool) -> None:
    assert {} == wrong(lambda xml, both: same(xml, merge(*both)), everything=everything)


@everything
def test_a_tuning_comes_back_through_its_file(everything: bool) -> None:
    assert {} == wrong(
        lambda xml, both: same(xml, merge(both.definition, through_file(both.tuning))), everything=everything
    )


@everything
def test_a_file_keeps_each_setting_as_it_is(everything: bool) -> None:
    def lost(_xml: str, both: Split) -> list[str]:
        return [str(each) for each in Counter(both.tuning) - Counter(through_file(both.tuning))]

    assert {} == wrong(lost, everything=everything)


@everything
def test_values_are_kept_as_written_with_their_line(everything: bool) -> None:
    def changed(xml: str, both: Split) -> list[str]:
        lines = written(xml)
        return [str(each) for each in both.tuning if not each.is_default and not stands_in(each, lines)]

    assert {} == wrong(changed, everything=everything)


# Nothing is left


@everything
def test_a_definition_has_nothing_to_split(everything: bool) -> None:
    def left(_xml: str, both: Split) -> list[str]:
        again = split(both.definition, guest_visible=everything, measurement=everything)
        return [*map(str, again.tuning), *map(str, again.tuning.verbatim), *same(both.definition, again.definition)]

    assert {} == wrong(left, everything=everything)


def test_nothing_is_below_the_elements_that_hold_tuning() -> None:
    assert {} == wrong(lambda _xml, both: list(held(both.definition)), everything=False)


# What comes out is valid


@everything
def test_definitions_are_valid_where_the_domain_was(everything: bool) -> None:
    results = parts(everything=everything)
    assert {} == {name: faults for name in valid() if (faults := validates(results[name][1].definition))}


@everything
def test_what_merge_makes_is_valid_where_the_domain_was(everything: bool) -> None:
    results = parts(everything=everything)
    assert {} == {name: faults for name in valid() if (faults := validates(merge(*results[name][1])))}


def test_settings_may_come_in_any_order() -> None:
    random = Random(0)
    results = {
        name: both for name, (_, both) in parts(everything=True).items() if name in valid() and free(both.tuning)
    }
    assert len(results) > 100
    faults = {}
    for name, both in results.items():
        merged = merge(both.definition, Tuning(tuple(random.sample(both.tuning.settings, len(both.tuning.settings)))))
        again = split(merged, guest_visible=True, measurement=True).tuning
        faults[name] = validates(merged) or sorted(each.name for each in Counter(again) - Counter(both.tuning))
    assert {} == {name: found for name, found in faults.items() if found}


# What the tests above look at


def through_file(tuning: Tuning) -> Tuning:
    return profile.read(profile.write(profile.named("x", tuning)), "x.yaml").tuning


def free(tuning: Tuning) -> bool:
    """Tell whether no order is part of what is said: no verbatim pieces, and no elements that are told by position."""
    return not tuning.verbatim and not any(form.endswith("#") for each in tuning for form in each.param.key_forms)


def written(xml: str) -> dict[int, set[tuple[str, str | None]]]:
    """Return what stands in each line: texts and values, each with the unit beside it."""
    found: dict[int, set[tuple[str, str | None]]] = {}
    for element in etree.fromstring(xml.encode(), etree.XMLParser(encoding="utf-8")).iter(etree.Element):
        texts = [(element.text or "").strip(), *map(str, element.attrib.values())]
        units = {None, element.get("unit")}
        found.setdefault(element.sourceline or 0, set()).update((text, unit) for text in texts for unit in units)
    return found


def stands_in(setting: Setting, lines: dict[int, set[tuple[str, str | None]]]) -> bool:
    line = int(setting.origin.removeprefix("x.xml:"))
    text = "" if setting.param.kind.name == "flag" else setting.text
    return (text, setting.unit) in lines[line]


def held(definition: str) -> Iterator[str]:
    """Give what is in elements that should be empty: a limit may stay that passed-through devices need."""
    root = etree.fromstring(definition.encode(), etree.XMLParser(encoding="utf-8"))
    limits = {"hard_limit"} if root.xpath(LOCKING) else set()
    for holder in HOLDERS:
        for element in root.iterfind(holder):
            said = element.iterchildren("*") if limits else element  # a comment may stay beside such a limit
            yield from (f"{holder}/{child.tag!s}" for child in said if child.tag not in limits)
            yield from (f"{holder}/@{name!s}" for name in element.attrib)
