"""Whatever is read, only `Invalid` or `NotFound` comes out, and soon. FUZZ=20000 tries that many new documents."""

import string
from collections.abc import Callable
from functools import cache
from itertools import product
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from domtune import catalogue, explaining, profile, tree, yamlnodes
from domtune.cli.source import read_xml
from domtune.domain import merge, split
from domtune.errors import Invalid, NotFound
from domtune.host import Host
from domtune.intents import INTENTS
from domtune.intents.model import Site
from domtune.lifecycle import decide, misplaced
from domtune.pipeline import wanted
from domtune.take import Choice, take
from domtune.vocabulary import PARAMS
from domtune.vocabulary.drivers import DRIVERS
from support.same import same
from support.tuning import bound, documents, domain

CASES = Path(__file__).parent.parent / "cases"
XML = [
    *["<", ">", "&", "]]>", "<![CDATA[", "<!--", "-->", "<?x?>", "<!DOCTYPE a>", "&#0;", "&#x1F600;", "&amp;", "\0"],
    *["<cputune>", "</cputune>", "<vcpupin/>", "<device/>", "<path>", " vcpu='1'", " unit=''", " xmlns='u'", "domain"],
]
YAML = [
    *["- ", ": ", "? ", "{", "}", "[", "]", "&a ", "*a", "!!int ", "|\n", ">\n", "---\n", "...\n", "%YAML 1.2\n", "#"],
    *["~", "''", '"\\ud800"', '"\\0"', "default", "none", "all", "r", "\t", "\x07", "\x85", "\n", "\n  ", "\ufeff"],
]
VALUES = [
    *["default", "none", "all", "r", "*", "-1", "0", "1 KiB", "0-3,^2", "true", "on", "²", "٣", "/", "0/1", "", " "],
    *["\x1f", "\x85", "9" * 30, "9" * 5000],
]
texts = st.text(max_size=40) | st.sampled_from(VALUES)
with_files = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def faults(call: Callable[[], object]) -> tuple[str, ...]:
    """Return what is wrong; anything but an error of domtune goes on."""
    try:
        call()
    except Invalid as error:
        return error.problems or ("",)
    except NotFound as error:
        return (str(error),)
    return ()


@cache
def domains() -> list[str]:
    return list(documents(40).values())


@cache
def profiles() -> list[str]:
    """Return the good profiles of the cases, and what split makes of the documents."""
    found = [path.read_text(encoding="utf-8") for path in sorted(CASES.glob("[!e]*/*/*.yaml"))]
    tunings = [split(xml, guest_visible=True).tuning for xml in domains()]
    return found + [profile.write(profile.named("x", tuning)) for tuning in tunings if tuning]


def edited(text: str, words: list[str], edits: list[tuple[float, float, str, int]]) -> str:
    """Cut, double, or write into a text, at places between its beginning (0) and its end (1)."""
    for here, there, what, seed in edits:
        at, to = sorted((int(here * len(text)), int(there * len(text))))
        if what == "cut":
            text = text[:at] + text[min(to, at + 30) :]
        elif what == "double":
            text = text[:to] + text[at : at + 60] + text[to:]
        else:
            text = (
                text[:at] + Random(seed).choice(words if what == "word" else [*VALUES, *string.printable]) + text[at:]
            )
    return text


def mutated(sources: Callable[[], list[str]], words: list[str]) -> st.SearchStrategy[str]:
    """Make documents that were good before somebody edited them, and some that never were."""
    edit = st.tuples(
        st.floats(0, 1), st.floats(0, 1), st.sampled_from(["cut", "double", "word", "text"]), st.integers()
    )
    edits = st.lists(edit, min_size=1, max_size=4)
    good = st.builds(lambda n, some: edited(sources()[n % len(sources())], words, some), st.integers(0, 10**6), edits)
    return good | texts | st.lists(st.sampled_from(words), max_size=12).map("".join)


# XML


@given(mutated(domains, XML))
@example("")
@example("\ufeff")
@example("\ud800<domain/>")
@example("<domain>" + "<a>" * 5000)
@example("<domain a='" + "x" * 20_000_000 + "'/>")
@example("<domain>" + "<!-- -->" * 100_000 + "</domain>")
@example("<?xml version='1.0' encoding='utf-16'?><domain/>")
def test_split_takes_any_text_or_says_what_is_wrong(text: str) -> None:
    found = faults(lambda: split(text, guest_visible=True, measurement=True, source="x.xml"))
    assert all(problem.startswith("x.xml:") for problem in found)
    if not found:
        lost = same(text, merge(*split(text, guest_visible=True, measurement=True)))
        # Stray text has no place of its own, and order is free but for elements that hold some.
        assert [] == [each for each in lost if ": text " not in each and ": order " not in each]


encodings = st.sampled_from(["utf-8", "utf-16", "utf-7", "idna", "undefined", "hex", "punycode", "ascii"])
declared = st.builds(
    lambda name, rest: f"<?xml version='1.0' encoding='{name}'?><domain>".encode() + rest, encodings, st.binary()
)


@given(content=st.binary() | declared)
@with_files
def test_a_file_of_any_bytes_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.xml"
    path.write_bytes(content)
    assert all(faults(lambda: tree.parse(read_xml(str(path)))))


# Profiles


@given(mutated(profiles, YAML))
@example("[" * 100_000)
@example("{a: " * 5000)
@example("- " * 5000)
@example("a" * 5_000_000)
@example("profile: x\nset: {cpu.shares: " + "9" * 5000 + "}")
@example("profile: x\nset: {disk[" + "9" * 5000 + "].driver.io: native}")
@example("profile: x\nset: {cpu.vcpu.pin: {0-16383: 0-16383}}")
@example("profile: x\nset: {cpu.vcpu.pin: {" + "9" * 5000 + ": 0}}")
@example('profile: "\\ud800"')
def test_a_profile_is_read_or_refused_with_its_lines(text: str) -> None:
    found = faults(lambda: profile.read(text, "x.yaml"))
    assert all(problem.startswith("x.yaml:") for problem in found)
    if not found:
        before = profile.read(text, "x.yaml")
        assert before.tuning == profile.read(profile.write(before), "").tuning


def values(levels: int) -> st.SearchStrategy[object]:
    """Make values below as many levels of keys as a row has, and now and then below fewer."""
    found: st.SearchStrategy[object] = texts | st.lists(texts, max_size=3) | st.integers(-5, 20000).map(str)
    for _ in range(levels):
        found = st.dictionaries(texts | st.integers(0, 9).map(str), found, min_size=1, max_size=2) | found
    return found


@st.composite
def blocks(draw: st.DrawFn) -> dict[str, object]:
    """Make `set:` blocks with any values for any parameters."""
    rows = draw(st.lists(st.sampled_from(list(PARAMS.values())), min_size=1, max_size=4, unique=True))
    names = [f"{row.device}[*]{row.name[len(row.device) :]}" if row.device else row.name for row in rows]
    return {name: draw(values(len(row.key_forms) - bool(row.device))) for name, row in zip(names, rows, strict=True)}


@given(blocks())
@example({"iothread.ids": ["all"], "iothread.count": "9" * 5000})
@example({"cpu.vcpu.pin": {"99999": "0", "all": "1"}})
@example({"cpu.cache.alloc": {"0": {"id": "0/", "level": "3", "type": "both", "size": "1"}}})
@example({"resource.partition": "\x1f"})
def test_every_value_of_every_parameter_is_put_in_or_refused(block: dict[str, object]) -> None:
    text = yamlnodes.write({"profile": "x", "set": block})
    found = faults(lambda: profile.read(text, "x.yaml"))
    assert all(problem.startswith("x.yaml:") for problem in found)
    if not found:
        assert all(all_the_way(profile.read(text, "x.yaml")))


WISHES = [each for each in INTENTS.values() if not each.later]
ODD_AMOUNTS = ["150%", "0.5", "33.3333%", "999999999", "0.000000001", "0-3", "with-cpus", "huge", "7 MiB", "1 GiB/s"]
ODD_DOMAINS = [
    *["", "<cputune><vcpupin vcpu='0' cpuset='x'/></cputune>", "<numatune><memory nodeset='x'/></numatune>"],
    *[
        "<memory unit='x'>5</memory>",
        f"<memory>{'9' * 5000}</memory>",
        "<memory>1</memory>",
        "<vcpu cpuset='^'>9</vcpu>",
    ],
]


@st.composite
def wishes(draw: st.DrawFn) -> dict[str, object]:
    """Make `want:` blocks with good values and any values."""
    chosen = draw(st.lists(st.sampled_from(WISHES), min_size=1, max_size=3, unique=True))
    said = (explaining.example(each).partition(": ") for each in chosen)
    return {name: draw(st.just(good) | st.sampled_from(ODD_AMOUNTS) | values(1)) for name, _, good in said}


@given(wishes(), st.sampled_from(ODD_DOMAINS))
@example({"memory.nodes": "0"}, ODD_DOMAINS[1])
@example({"memory.pages": "1 GiB"}, ODD_DOMAINS[4])
@example({"memory.pages": "0"}, "")
@example({"cpu.nodes": "^0", "memory.nodes": "0,^0"}, "")
def test_every_value_of_every_wish_is_met_or_refused(block: dict[str, object], inside: str) -> None:
    text = yamlnodes.write({"profile": "x", "want": block})
    found = faults(lambda: profile.read(text, "x.yaml"))
    assert all(problem.startswith("x.yaml:") for problem in found)
    if not found:
        read = profile.read(text, "x.yaml")
        assert read.wants == profile.read(profile.write(read), "x.yaml").wants
        assert all(all_the_way(read, inside))


CELLS = {0: frozenset({0, 1}), 1: frozenset({2, 3})}
HOSTS = (Host(), Host(frozenset(range(4)), frozenset({0, 1}), CELLS, frozenset({4096}), 2, 2394, "north"))


def all_the_way(read: profile.Profile, inside: str = "<iothreads>2</iothreads>") -> list[str]:
    """Take a profile through all that a start decides before it acts, and return what is wrong with it."""
    root = tree.parse(domain(inside, "<disk><target dev='vda'/></disk>"))
    problems: list[str] = []
    for driver, host in product(DRIVERS.values(), HOSTS):
        found = wanted(root, take(root, Choice()), [bound(read)], Site(driver.name, host), problems).tuning.settings
        decide(found, driver, session=False)
        problems += misplaced(found, root)
    return [*problems, *faults(lambda: merge(domain(devices="<disk><target dev='vda'/></disk>"), read.tuning))]


# The catalogue

NAMES = ["web", "./web.yaml", "/", ".", "..", "-x", "a" * 5000, f"./{'a' * 5000}", "a\0b", "./a\0b", "é/\udc80"]


@given(name=st.sampled_from(NAMES) | st.text(max_size=20).filter(lambda name: name != "-"))
@with_files
def test_whatever_a_profile_inherits_is_read_or_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(tmp_path))
    assert faults(lambda: catalogue.load(name, near=tmp_path))
