"""The rows: each is whole, and what it says of libvirt is what libvirt's own files say."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache

import libvirt
import pytest
from lxml import etree

from domtune import profile
from domtune.judge import judge
from domtune.kinds import Duration, Enum, Int, Rate, Size
from domtune.tuning import Setting
from domtune.values import scale
from domtune.vocabulary import _MODULES, PARAMS, nearest
from domtune.vocabulary.calls import SCHEDULER
from domtune.vocabulary.model import DRIVERS, Call, Cannot, Class, Fact, Live, Param, Read, Source, Type, When
from support.places import document, found, missing, words
from support.schema import domain_rng, validates_tree

ROWS = sorted(PARAMS.values(), key=lambda row: row.name)
row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)

# Typed parameters by the start of their macro, which is one for each call.
MACROS = {
    "scheduler": "VIR_DOMAIN_SCHEDULER_",
    "memory": "VIR_DOMAIN_MEMORY_",
    "blkio": "VIR_DOMAIN_BLKIO_",
    "numa": "VIR_DOMAIN_NUMA_",
    "perf": "VIR_PERF_PARAM_",
    "iotune": "VIR_DOMAIN_BLOCK_IOTUNE_",
    "bandwidth": "VIR_DOMAIN_BANDWIDTH_",
    "iothread": "VIR_DOMAIN_IOTHREAD_",
}
OLDEST = (9, 0, 0)  # what a newer libvirt adds is no fault of the table


# The table as a whole


def test_no_row_is_lost() -> None:
    assert Counter({Class.TUNING: 112, Class.GUEST_VISIBLE: 63, Class.MEASUREMENT: 24}) == Counter(
        row.cls for row in ROWS
    )


def test_names_are_unique() -> None:
    assert dict.fromkeys(PARAMS, 1) == Counter(row.name for module in _MODULES for row in module.ROWS)


def test_no_two_rows_speak_of_one_place() -> None:
    places = Counter((path.steps, path.leaf) for row in ROWS for path in row.paths)
    assert {} == {place: number for place, number in places.items() if number > 1}


def test_a_family_is_more_than_one_value() -> None:
    sizes = Counter(row.family for row in ROWS for _ in range(1 + bool(row.key_forms)))
    assert [] == [family for family, size in sizes.items() if size < 2]


def test_one_row_holds_shared_memory() -> None:
    assert ["memory.backing.source"] == [row.name for row in ROWS if row.needs == "shared-source"]


def test_nothing_heavy_is_loaded_with_the_table() -> None:
    heavy = "{'lxml', 'yaml', 'libvirt', 'click', 'rich', 'difflib', 'sqlite3'}"
    code = f"import sys, domtune.vocabulary; print(sorted(sys.modules.keys() & {heavy}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]\n" == run.stdout


@pytest.mark.parametrize(("typed", "meant"), [("cpu.share", "cpu.shares"), ("memory.hard_limit", "memory.limit.hard")])
def test_a_mistyped_name_has_a_neighbour(typed: str, meant: str) -> None:
    assert meant == nearest(typed)


def test_a_name_that_is_nothing_like_one_has_none() -> None:
    assert nearest("qqqqqqqqqq") is None


# Each row by itself


@row
def test_a_name_is_words_with_dots(row: Param) -> None:
    assert re.fullmatch(r"[a-z]+(\.[a-z][A-Za-z_-]*)+", row.name)


@row
def test_help_is_one_sentence(row: Param) -> None:
    assert re.fullmatch(r"(vCPU|[A-Z])[^.\n]*[^ .]\.", row.help.replace("Xen's", "").strip())
    assert len(row.help) <= 100


@row
def test_what_people_read_is_no_sentence_of_its_own(row: Param) -> None:
    facts = [place for place in row.drivers.values() if isinstance(place, Fact)]
    texts = [row.protective, row.stays, *(text for fact in facts for text in (fact.caveat, fact.meaning))]
    texts += [place.why for place in row.drivers.values() if isinstance(place, Cannot)]
    assert [] == [text for text in texts if text.endswith((".", " ", ";")) or text.startswith(" ") or "  " in text]


@row
def test_a_profile_can_say_the_example(row: Param) -> None:
    settings = example(row)
    assert settings
    assert [] == judge(profile.named("x", profile.read(document_for(row), "example").tuning).tuning)


@row
def test_every_driver_has_its_place(row: Param) -> None:
    assert set(DRIVERS) == set(row.drivers)


@row
def test_what_was_not_run_is_not_called_seen(row: Param) -> None:
    places = {driver: row.drivers[driver] for driver in ("ch", "bhyve", "vz", "esx")}
    assert {} == {driver: place.source for driver, place in places.items() if place.source is not Source.READ}


@row
def test_a_driver_that_cannot_says_why(row: Param) -> None:
    assert [] == [name for name, place in row.drivers.items() if isinstance(place, Cannot) and not place.why]


@row
def test_a_fact_does_something_and_says_where_it_was_found(row: Param) -> None:
    facts = {driver: place for driver, place in row.drivers.items() if isinstance(place, Fact)}
    assert [] == [driver for driver, fact in facts.items() if not fact.at_create and fact.live is None]
    assert [] == [driver for driver, fact in facts.items() if not fact.evidence]


@row
def test_what_stands_in_no_xml_is_not_honoured_at_creation(row: Param) -> None:
    facts = [place for place in row.drivers.values() if isinstance(place, Fact)]
    assert row.path is not None or not any(fact.at_create for fact in facts)
    assert row.path is None or not row.keyed


@row
def test_values_of_the_facts_are_values_of_the_kind(row: Param) -> None:
    facts = [place for place in row.drivers.values() if isinstance(place, Fact)]
    values = [text for fact in facts for text in (fact.default, fact.unset, *(fact.accepts or ())) if text is not None]
    for text in {*values, *row.implied}:
        row.kind.judge(text)
    assert not (row.parts and values)


@row
def test_gates_name_values_of_rows(row: Param) -> None:
    facts = [place for place in row.drivers.values() if isinstance(place, Fact)]
    gates = [gate for fact in facts for gate in (fact.gate_at_create, fact.live and fact.live.gate) if gate]
    for gate in gates:
        for value in gate.values:
            assert value is None or PARAMS[gate.param].kind.parse(value)


@row
def test_what_a_getter_reads_has_a_getter(row: Param) -> None:
    reading = [(d, f) for d, f in row.drivers.items() if isinstance(f, Fact) and f.read is Read.GETTER]
    assert [] == [driver for driver, fact in reading if fact.live is None or not fact.live.call.get]


@row
def test_scheduler_parameters_of_containers_are_read_only_while_they_run(row: Param) -> None:
    fact = row.fact("lxc")
    assert fact is None or fact.live is None or fact.live.call is not SCHEDULER or fact.when is When.RUNNING


@row
def test_the_selector_is_the_beginning_of_the_name(row: Param) -> None:
    assert not row.device or row.name.startswith(f"{row.device}.")


@row
def test_parts_have_names_and_only_they_have_kinds_of_their_own(row: Param) -> None:
    names = [path.part for path in row.paths if path.part]
    assert len(row.parts) == len(set(names))
    assert set(row.kinds) <= set(names)


# What libvirt's schema says


@row
def test_the_schema_knows_the_path(row: Param) -> None:
    assert [] == [wrong for path in row.paths for wrong in missing(path)]


@row
def test_words_are_those_of_the_schema(row: Param) -> None:
    for path in row.paths:
        kind = row.kind_of((path.part,))
        if isinstance(kind, Enum):
            known = words(path)
            assert known is not None
            other = {"kvm", "vfio", "xen"} if row.name == "net.driver.name" else set()  # of passed-through NICs
            assert set(kind.words) == known - other


@row
def test_the_example_makes_a_valid_domain(row: Param) -> None:
    assert [] == validates_tree(document(example(row)) if row.path else document([]))


def test_a_domain_that_libvirt_read_still_holds_every_example() -> None:
    connection = libvirt.open("test:///default")
    lost = {}
    for row in ROWS:
        settings = example(row) if row.path else []
        back = defined(connection, document(settings))
        for setting in settings:
            kind, held = row.kind_of(setting.keys), found(back, setting)
            if held is None or kind.parse(*held) != kind.parse(setting.text, setting.unit):
                lost[setting.name] = held
    assert {} == lost


def test_a_number_without_a_unit_is_in_the_unit_that_libvirt_takes_it_for() -> None:
    connection, wrong = libvirt.open("test:///default"), {}
    sizes = [(row, row.kind) for row in ROWS if isinstance(row.kind, Size)]
    for setting, kind in ((setting, kind) for row, kind in sizes for setting in example(row)):
        bare = setting._replace(text=str(kind.parse(setting.text, setting.unit) // scale(kind.unit)), unit=None)
        held = found(defined(connection, document([bare])), bare)
        if held is None or kind.parse(*held) != bare.value:
            wrong[setting.name] = held
    assert {} == wrong


def test_libvirt_keeps_the_ends_of_each_range_or_has_them_anyway() -> None:
    connection, wrong = libvirt.open("test:///default"), {}
    for setting, others in ends():
        root = document([*others, setting])
        if setting.text in defaults(setting.param):
            continue  # libvirt leaves it out
        held = found(defined(connection, root), setting)
        if validates_tree(root) or held is None or setting.value != setting._replace(text=held[0], unit=held[1]).value:
            wrong[f"{setting.name} = {setting.text}"] = held
    assert {} == wrong


# What libvirt's API says


@cache
def api() -> etree._Element:
    return etree.parse(domain_rng().parents[1] / "api" / "libvirt-api.xml").getroot()


@cache
def macros() -> dict[str, etree._Element]:
    return {macro.get("name", ""): macro for macro in api().iter("macro") if macro.get("string")}


def macro_of(live: Live) -> etree._Element | None:
    start = MACROS[live.call.group]
    return next((m for n, m in macros().items() if n.startswith(start) and m.get("string") == live.field), None)


@row
def test_fields_are_typed_parameters_of_their_call(row: Param) -> None:
    for live in typed(row):
        macro = macro_of(live)
        assert macro is not None, live.field
        assert live.field == getattr(libvirt, macro.get("name", ""))


@row
def test_types_are_those_of_the_typed_parameters(row: Param) -> None:
    for live in typed(row):
        macro = macro_of(live)
        said = type_in((macro.findtext("info") or "") if macro is not None else "")
        if live.call.group == "perf" or live.field.startswith("poll_"):  # these are typed in the code only
            assert said is None
        else:
            assert said is live.type


def test_perf_events_are_read_as_booleans() -> None:
    domain = libvirt.open("test:///default").lookupByName("test")
    assert {f"perf.{name}": bool for name in domain.perfEvents()} == {
        row.name: bool for row in ROWS if any(live.type is Type.BOOLEAN for live in typed(row))
    }


def test_no_typed_parameter_is_forgotten() -> None:
    said = {(live.call.group, live.field) for row in ROWS for live in typed(row)}
    known = {
        (group, macro.get("string"))
        for name, macro in macros().items()
        for group, start in MACROS.items()
        if name.startswith(start) and version(macro) <= OLDEST
    }
    assert known == said


@pytest.mark.parametrize(
    "call", {f.live.call for r in ROWS for f in r.drivers.values() if isinstance(f, Fact) and f.live}
)
def test_calls_are_functions_of_libvirt_and_methods_of_its_binding(call: Call) -> None:
    functions = {function.get("name") for function in api().iter("function")}
    for name in filter(None, (call.set, call.get, call.remove)):
        assert name in functions
        assert {method(name), method(name.replace("Get", "", 1))} & set(dir(libvirt.virDomain))


# What the tests above look at


def document_for(row: Param) -> str:
    """Return a profile that says the example."""
    name = f"{row.device}[0]{row.name[len(row.device) :]}" if row.device else row.name
    value = row.example
    if row.key_forms[:1] == ("#",):  # elements without a key are a list of maps
        name, _, field = row.name.rpartition(".")
        value = f"[{{{field}: {row.example}}}]"
    return f"profile: example\nset:\n  {name}: {value}\n"


def example(row: Param) -> list[Setting]:
    return list(profile.read(document_for(row), "example").tuning.settings)


def defined(connection: libvirt.virConnect, root: etree._Element) -> etree._Element:
    domain = connection.defineXML(etree.tostring(root, encoding="unicode"))
    xml = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    domain.undefine()
    return etree.fromstring(xml)


def ends() -> Iterator[tuple[Setting, list[Setting]]]:
    """Give each setting of the examples with an end of its range in place of its value, and those beside it."""
    for row in ROWS:
        settings = example(row) if row.path else []
        for setting in settings:
            kind = row.kind_of(setting.keys)
            if isinstance(kind, Int | Size | Rate | Duration):
                texts = {str(end) for end in (kind.low, kind.high) if end is not None}
                others = [other for other in settings if other is not setting]
                yield from ((setting._replace(text=text, unit=None), others) for text in texts)


def defaults(row: Param) -> set[str | None]:
    return {place.default for place in row.drivers.values() if isinstance(place, Fact)}


def typed(row: Param) -> Iterator[Live]:
    for place in row.drivers.values():
        if isinstance(place, Fact) and place.live and place.live.field:
            yield place.live


def type_in(text: str) -> Type | None:
    match = re.search(r"\b(ullong|llong|uint|int|boolean|string)\b|VIR_TYPED_PARAM_(\w+)", text)
    return Type[(match[1] or match[2]).upper()] if match else None


def version(macro: etree._Element) -> tuple[int, ...]:
    return tuple(int(part) for part in macro.get("version", "0").split("."))


def method(function: str) -> str:
    name = function.removeprefix("virDomain")
    return name[0].lower() + name[1:] if not name.startswith("IO") else "io" + name[2:]
