"""Whatever is read, only `Invalid` or `NotFound` comes out, and soon. FUZZ=20000 tries that many new documents."""

import string
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from domtune import catalogue, profile, tree, yamlnodes
from domtune.cli.source import read_xml
from domtune.domain import merge, split
from domtune.errors import Error, Invalid, NotFound
from domtune.lifecycle import decide, misplaced
from domtune.pipeline import wanted
from domtune.take import Choice, take
from domtune.tuning import Tuning
from domtune.vocabulary import PARAMS
from domtune.vocabulary.drivers import DRIVERS
from support.same import same
from support.tuning import documents, domain

CASES = Path(__file__).parent.parent / "cases"
MARKUP = ["<", ">", "&", "]]>", "<![CDATA[", "<!--", "-->", "<?x?>", "<!DOCTYPE a>", "&#0;", "&#x1F600;", "&amp;", "\0"]
XML_WORDS = ["<cputune>", "</cputune>", "<vcpupin/>", "<device/>", "<path>", " vcpu='", " unit=''", "xmlns='u'", "domain"]
YAML_WORDS = ["- ", ": ", "? ", "{", "}", "[", "]", "&a ", "*a", "!!int ", "|\n", ">\n", "---\n", "...\n", "%YAML 1.2\n"]
YAML_TEXT = ["~", "''", '"\\ud800"', '"\\0"', "default", "none", "all", "r", "\t", "\x07", "\x85", "#", "\n  ", "\ufeff"]
VALUES = ["default", "none", "all", "r", "*", "-1", "0", "9" * 30, "9" * 5000, "1 KiB", "0-3,^2", "true", "on", "²", "٣", ""]
texts = st.text(max_size=40) | st.sampled_from(VALUES)


@cache
def profiles() -> list[str]:
    """Return the good profiles of the cases, and what split makes of the documents."""
    found = [path.read_text(encoding="utf-8") for path in sorted(CASES.glob("[!e]*/*/*.yaml"))]
    tunings = [split(xml, guest_visible=True).tuning for xml in documents(40).values()]
    return found + [profile.write(profile.named("x", tuning)) for tuning in tunings if tuning]


def mutated(sources: Callable[[], list[str]], words: list[str]) -> st.SearchStrategy[str]:
    """Make documents that were good before somebody cut, doubled, moved or wrote into them."""
    places = st.tuples(st.floats(0, 1), st.floats(0, 1), st.sampled_from(["cut", "copy", "put", "text"]), st.integers())
    edits = st.lists(places, min_size=1, max_size=4)

    def apply(start: int, some: list[tuple[float, float, str, int]]) -> str:
        text = sources()[start % len(sources())]
        for here, there, what, seed in some:
            at, to = sorted((int(here * len(text)), int(there * len(text))))
            random = Random(seed)
            new = random.choice(words) if what == "put" else random.choice(VALUES + list(string.printable))
            text = {
                "cut": text[:at] + text[min(to, at + 30) :],
                "copy": text[:to] + text[at : at + 60] + text[to:],
            }.get(what, text[:at] + new + text[at:])
        return text

    return st.builds(apply, st.integers(0, 10**6), edits)


# XML


@given(mutated(lambda: list(documents(40).values()), MARKUP + XML_WORDS) | texts | st.lists(st.sampled_from(MARKUP)).map("".join))
@example("")
@example("\ufeff")
@example("<domain>" + "<a>" * 5000)
@example("<domain a='" + "x" * 20_000_000 + "'/>")
@example("<domain>" + "<!-- -->" * 100_000 + "</domain>")
@example("<?xml version='1.0' encoding='utf-16'?><domain/>")
@example("\ud800<domain/>")
def test_split_takes_any_text_or_says_what_is_wrong(text: str) -> None:
    try:
        both = split(text, guest_visible=True, measurement=True, source="x.xml")
    except Invalid as error:
        assert all(problem.startswith("x.xml:") for problem in error.problems)
    else:
        # Stray text has no place of its own, and order is free but for such elements.
        assert [] == [each for each in same(text, merge(*both)) if ": text " not in each and ": order " not in each]


@given(st.binary(max_size=200) | st.sampled_from(["utf-8", "utf-16", "utf-7", "idna", "undefined", "hex", "punycode", "ascii"]).flatmap(
    lambda name: st.binary(max_size=40).map(f"<?xml version='1.0' encoding='{name}'?><domain>".encode().__add__)
))  # fmt: skip
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_of_any_bytes_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.xml"
    path.write_bytes(content)
    try:
        tree.parse(read_xml(str(path)))
    except Invalid as error:
        assert error.problems


# Profiles


@given(mutated(profiles, YAML_WORDS + YAML_TEXT) | texts | st.lists(st.sampled_from(YAML_WORDS + YAML_TEXT)).map("".join))
@example("a: " * 3)
@example("[" * 100_000)
@example("{a: " * 5000)
@example("- " * 5000)
@example("profile: x\nset: {cpu.shares: " + "9" * 5000 + "}")
@example("profile: x\nset: {disk[" + "9" * 5000 + "].driver.io: native}")
@example("profile: x\nset: {cpu.vcpu.pin: {0-16383: 0-16383}}")
@example("profile: x\nset: {cpu.vcpu.pin: {" + "9" * 5000 + ": 0}}")
@example('profile: "\\ud800"')
def test_a_profile_is_read_or_refused_with_its_lines(text: str) -> None:
    try:
        found = profile.read(text, "x.yaml")
    except Invalid as error:
        assert all(problem.startswith("x.yaml:") for problem in error.problems)
    else:
        assert found.tuning == profile.read(profile.write(found), "").tuning


@given(st.recursive(texts, lambda below: st.lists(below, max_size=3) | st.dictionaries(texts, below, max_size=3), max_leaves=12))
def test_every_document_that_is_written_is_read(document: object) -> None:
    text = yamlnodes.write({"x": document})
    node = yamlnodes.read(text, "x.yaml")
    assert isinstance(node, yamlnodes.Map)


@given(st.data())
def test_every_value_of_every_parameter_is_put_in_or_refused(data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.sampled_from(list(PARAMS.values())), min_size=1, max_size=4, unique=True))
    block = {said_name(row.name, row.device): data.draw(values(len(row.key_forms) - bool(row.device))) for row in rows}
    text = yamlnodes.write({"profile": "x", "set": block})
    try:
        tuning = profile.read(text, "x.yaml").tuning
    except Invalid as error:
        assert all(problem.startswith("x.yaml:") for problem in error.problems)
    else:
        check_that_it_goes_in(tuning)


def said_name(name: str, device: str) -> str:
    return f"{device}[*]{name[len(device) :]}" if device else name


def values(levels: int) -> st.SearchStrategy[object]:
    """Make values below as many levels of keys as a row has, and now and then below more or fewer."""
    plain: st.SearchStrategy[object] = texts | st.lists(texts, max_size=3) | st.integers(-5, 20000).map(str)
    for _ in range(levels):
        plain = st.dictionaries(texts | st.integers(0, 9).map(str), plain, min_size=1, max_size=2) | plain
    return plain


def check_that_it_goes_in(tuning: Tuning) -> None:
    """Take a profile through all that a start decides before it acts."""
    root = tree.parse(domain("<iothreads>2</iothreads>", "<disk><target dev='vda'/></disk>"))
    problems: list[str] = []
    found = wanted(root, take(root, Choice()), [tuning], problems)
    problems += misplaced(found.settings, root)
    for driver in DRIVERS.values():
        decide(found.settings, driver, session=False)
    try:
        merge(domain(devices="<disk><target dev='vda'/></disk>"), tuning)
    except Invalid as error:
        problems += error.problems
    assert all(problems)


# The catalogue

NAMES = ["web", "./web.yaml", "../web.yaml", "/", ".", "..", "-x", "a" * 5000, "./" + "a" * 5000, "a\0b", "./a\0b", "é/\udc80"]


@given(name=st.sampled_from(NAMES) | st.text(max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_profile_inherits_is_read_or_refused(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(tmp_path))
    try:
        catalogue.load(name, near=tmp_path)
    except (Invalid, NotFound) as error:
        assert str(error)


def test_the_errors_of_reading_are_errors_of_domtune() -> None:
    assert issubclass(Invalid, Error)
    assert issubclass(NotFound, Error)
