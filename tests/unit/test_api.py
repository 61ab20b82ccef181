"""What `import domtune` gives, and what it costs."""

import copy
import pickle
import subprocess
import sys

import pytest

import domtune
from support.tuning import domain


def test_public_names_are_few_and_there() -> None:
    assert sorted(domtune.__all__) == domtune.__all__
    assert len(domtune.__all__) <= 12
    assert [] == [name for name in domtune.__all__ if getattr(domtune, name, None) is None]


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'domtune' has no attribute 'tune'"):
        domtune.tune  # noqa: B018


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        ("import domtune", "[]"),
        ("import domtune; domtune.Error", "[]"),
        ("import domtune; domtune.split", "['lxml']"),
        ("import domtune; domtune.load", "['lxml', 'yaml']"),
        ("import domtune; domtune.connect", "['libvirt']"),
    ],
)
def test_importing_loads_only_what_is_used(code: str, heavy: str) -> None:
    end = "import sys; print(sorted(sys.modules.keys() & {'lxml', 'yaml', 'libvirt', 'click', 'rich', 'sqlite3'}))"
    done = subprocess.run([sys.executable, "-c", f"{code}; {end}"], capture_output=True, text=True, check=True)
    assert heavy == done.stdout.strip()


def test_the_two_parts_make_the_whole() -> None:
    xml = domain("<cputune><shares>2</shares></cputune>")
    parts = domtune.split(xml)
    assert isinstance(parts, domtune.Split)
    assert isinstance(parts.tuning, domtune.Tuning)
    assert xml.replace("'", '"').partition("<cputune>")[0] in domtune.merge(parts.definition, parts.tuning)


def test_what_goes_wrong_is_one_kind_of_error() -> None:
    for wrong in ("", "<network/>"):
        with pytest.raises(domtune.Error):
            domtune.split(wrong)


def test_a_tuning_compares_by_value_and_is_false_when_empty() -> None:
    one, other = (domtune.split(domain("<cputune><shares>2</shares></cputune>"), source=name).tuning for name in "ab")
    assert one == other
    assert (True, False) == (bool(one), bool(domtune.split(domain()).tuning))


def test_a_setting_is_found_by_name_and_keys() -> None:
    tuning = domtune.split(domain("<cputune><vcpupin vcpu='1' cpuset='3'/></cputune>")).tuning
    found = tuning.get("cpu.vcpu.pin", "1")
    assert found is not None
    assert ("3", None) == (found.said, tuning.get("cpu.vcpu.pin", "0"))


def test_copies_of_a_tuning_are_equal_to_it() -> None:
    tuning = domtune.split("<domain><name>a</name><cputune><shares>2</shares></cputune></domain>").tuning
    assert [tuning, tuning] == [copy.deepcopy(tuning), pickle.loads(pickle.dumps(tuning))]  # noqa: S301 - our own
