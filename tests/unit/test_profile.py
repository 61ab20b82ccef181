"""The grammar of profiles; what is refused, and in what words, stands in tests/cases/errors."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domtune import profile
from domtune.errors import Invalid
from domtune.judge import judge
from domtune.keys import ALL
from domtune.kinds import DEFAULT, Duration, Enum, Flag, Kind, Size
from domtune.tuning import Place, Setting, Tuning, Verbatim
from domtune.values import NAME
from domtune.vocabulary import PARAMS
from domtune.vocabulary.model import Param
from support.tuning import names, said

# Text that YAML, or a careless reader of it, would take for something else.
ODD = [
    *["~", "null", "Null", "NULL", "no", "1:30", "0x1f", "1e3", "*", "&a", "!t", "- a", "a: b", "#", "", " a", "a\nb"],
    *["ä€😀", "{", "'"],
]


def through_file(tuning: Tuning) -> Tuning:
    return profile.read(profile.write(profile.named("x", tuning)), "x.yaml").tuning


# The file holds everything


# What XML cannot hold, no profile can.
NOT_XML = "".join(chr(code) for code in [*range(32), 0xFFFE, 0xFFFF] if chr(code) not in "\t\n\r")
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters=NOT_XML)
words = st.one_of(st.sampled_from(ODD), st.text(CHARACTERS, min_size=1, max_size=12))


PROFILE_NAMES = st.from_regex(NAME, fullmatch=True)


@given(PROFILE_NAMES, words, st.lists(words.filter(lambda word: word != "-"), max_size=3), st.booleans())
def test_every_profile_comes_back_from_its_file(name: str, summary: str, inherits: list[str], required: bool) -> None:
    before = profile.Profile(name, summary, tuple(inherits), required)
    after = profile.read(profile.write(before), "")
    assert before == after


@given(st.lists(st.tuples(st.sampled_from(list(Place)), words, words, words), max_size=4), st.lists(words, max_size=3))
def test_every_verbatim_piece_comes_back_from_its_file(
    pieces: list[tuple[Place, str, str, str]], keys: list[str]
) -> None:
    found: list[Verbatim] = []
    for place, path, text, value in pieces:
        if place is Place.ORDER:
            found += [Verbatim(place, path, keys=tuple(keys))] if keys else []
        elif place is Place.ON:
            found.append(Verbatim(place, path, attributes=((text, value),)))
        else:
            found.append(Verbatim(place, path, text=text) if text else Verbatim(place, path, xml="<a/>"))
    assert Tuning((), tuple(found)) == through_file(Tuning((), tuple(found)))


def keys_of(form: str, row: Param) -> st.SearchStrategy[str]:
    """Make keys of one form, as split may find them."""
    ids = st.integers(0, 20000).map(str)
    if form == "part":
        return st.sampled_from([path.part for path in row.paths])
    if "," in form:
        return st.tuples(*[st.sampled_from(["0", "3", "both", "0-1", "a b"])] * (form.count(",") + 1)).map("/".join)
    if form.endswith("*"):
        return st.sampled_from(["0", "0-3", "0,2-3", "4-7,^5"])
    if form.startswith("@") and form != "@name":
        return ids | st.just("007")
    if form.startswith("?"):
        return st.sampled_from(["vda", "0", "52:54:00:00:00:01", "/srv/a b", "ua-x", "é", "a.b", "*"])
    return words.filter(lambda word: word.strip() and word != ALL) | st.sampled_from(["/dev/sda", "hpet"])


@st.composite
def settings(draw: Callable[[st.SearchStrategy[object]], object]) -> list[Setting]:
    """Make settings of any rows that do not repeat an element by position."""
    found: dict[object, Setting] = {}
    rows = [row for row in PARAMS.values() if row.key_forms[:1] != ("#",)]
    for row in draw(st.lists(st.sampled_from(rows), max_size=6)):  # type: ignore[attr-defined]
        keys = tuple(str(draw(keys_of(form, row))) for form in row.key_forms)
        text, unit = row.kind_of(keys).written(value_of(row.kind_of(keys)))
        found.setdefault((row.name, keys), Setting(row, keys, text, unit))
    return list(found.values())


def value_of(kind: Kind) -> str:
    """Return some value of a kind as a profile says it."""
    match kind:
        case Enum(words):
            return words[-1]
        case Flag():
            return "true"
        case Size():
            return "3 MiB"
        case Duration():
            return "7"
        case _:
            return "5"


@given(settings())
def test_every_setting_comes_back_from_its_file(some: list[Setting]) -> None:
    assert {each.address: (each.text, each.unit) for each in some} == {
        each.address: (each.text, each.unit) for each in through_file(Tuning(tuple(some)))
    }


@pytest.mark.parametrize("name", [row.name for row in PARAMS.values() if not row.key_forms])
def test_default_can_be_said_of_every_parameter(name: str) -> None:
    (setting,) = said(f"{name}: default")
    assert (DEFAULT, True) == (setting.said, setting.is_default)
    assert [setting] == list(through_file(Tuning((setting,))))


def test_a_positional_list_comes_back_from_its_file() -> None:
    pages = said("memory.backing.hugepages: [{size: 1 GiB, nodeset: 0}, {size: 2 MiB}, {nodeset: 2, size: 4 KiB}]")
    assert pages == list(through_file(Tuning(tuple(pages))))


def test_the_order_of_devices_is_kept_where_rows_would_change_it() -> None:
    text = "blkio.device: {weight: {/dev/a: 500}, read_iops_sec: {/dev/b: 5}}"
    (weight, iops) = said(text)
    other = said("blkio.device.weight: {/dev/c: 500}")[0]
    tuning = through_file(Tuning((weight, iops, other)))
    order = Verbatim(Place.ORDER, "/domain/blkiotune/device", keys=("/dev/a", "/dev/b", "/dev/c"))
    assert ((weight, other, iops), (order,)) == (tuning.settings, tuning.verbatim)


# Names and values


@pytest.mark.parametrize(
    "text",
    [
        "cpu.vcpu.sched.policy: {0: idle}",
        "cpu: {vcpu: {sched: {policy: {0: idle}}}}",
        "cpu.vcpu: {sched.policy: {'0': 'idle'}}",
        "cpu:\n  vcpu.sched:\n    policy:\n      0: idle",
    ],
)
def test_a_name_may_be_nested_at_any_dot(text: str) -> None:
    assert {"cpu.vcpu.sched.policy[0]": "idle"} == names(said(text))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("disk[vda].driver.io: native", {"disk[vda].driver.io": "native"}),
        ("disk[vda]: {driver: {io: native}}", {"disk[vda].driver.io": "native"}),
        ("disk[ vda ].driver.io: native", {"disk[vda].driver.io": "native"}),
        ("memory.device[0].pagesize: 2 MiB", {"memory.device[0].pagesize": "2 MiB"}),
        ("memory:\n  device[0]:\n    pagesize: 2 MiB", {"memory.device[0].pagesize": "2 MiB"}),
        ("fs[/srv/a.b].driver.queue: 1024", {"fs[/srv/a.b].driver.queue": "1024"}),
        ("net[52:54:00:00:00:01].sndbuf: 1600", {"net[52:54:00:00:00:01].sndbuf": "1600"}),
    ],
)
def test_a_device_is_chosen_in_brackets(text: str, found: dict[str, str]) -> None:
    assert found == names(said(text))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cpu.vcpu.pin: {'0-2,^1': 4}", {"cpu.vcpu.pin[0]": "4", "cpu.vcpu.pin[2]": "4"}),
        ("cpu.vcpu.pin: {all: 4}", {"cpu.vcpu.pin[all]": "4"}),
        ("cpu.vcpu.pin: default", {"cpu.vcpu.pin[all]": "default"}),
        ("cpu.cache.alloc: default", {"cpu.cache.alloc[all][all]": "default"}),
        ("cpu.cache.alloc: {0-1: default}", {"cpu.cache.alloc[0-1][all]": "default"}),
        ("blkio.device.weight: default", {"blkio.device.weight[all]": "default"}),
        (
            "features.hyperv.stimer: default",
            {"features.hyperv.stimer[state]": "default", "features.hyperv.stimer[direct]": "default"},
        ),
        ("iothread.ids: [1, 4-5]", {"iothread.ids[1]": "true", "iothread.ids[4]": "true", "iothread.ids[5]": "true"}),
        ("cpu.vcpu.sched.policy: {0-2: idle}", {"cpu.vcpu.sched.policy[0-2]": "idle"}),
        ("memory.bandwidth.monitor: {0-1: [0, 1]}", {
            "memory.bandwidth.monitor[0-1][0]": "true", "memory.bandwidth.monitor[0-1][1]": "true",
        }),
        ("cpu.cache.alloc: {0-1: {id: 0, level: 3, type: both, size: 4 MiB}}", {
            "cpu.cache.alloc[0-1][0/3/both]": "4 MiB",
        }),
        ("blkio.device.weight: {/dev/disk/by-id/a: 500}", {"blkio.device.weight[/dev/disk/by-id/a]": "500"}),
        ("clock.timer.catchup: {rtc: {slew: 5}}", {"clock.timer.catchup[rtc][slew]": "5"}),
    ],
)  # fmt: skip
def test_rows_that_repeat_take_keys(text: str, found: dict[str, str]) -> None:
    assert found == names(said(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("cpu.affinity: 010", "010"),  # no octals
        ("cpu.affinity: [0, 2-3, ^3]", "0,2-3,^3"),
        ("perf.cmt: yes", "yes"),  # no booleans
        ("perf.cmt: 'yes'", "yes"),
        ("resource.appid: 1:30", "1:30"),  # no sexagesimals
        ("resource.appid: 2024-11-05", "2024-11-05"),  # no dates
        ("resource.appid: '~'", "~"),
        ("resource.appid: >-\n  two\n  words", "two words"),
    ],
)
def test_every_value_is_its_text(text: str, value: str) -> None:
    assert [value] == list(names(said(text)).values())


@pytest.mark.parametrize("word", ["", "~", "null", "Null", "NULL"])
def test_nothing_is_no_value_unless_it_is_quoted(word: str) -> None:
    with pytest.raises(
        Invalid,
        match=r"^x\.yaml:3: resource\.appid: no value; for the hypervisor's own say default, for no limit none$",
    ):
        said(f"resource.appid: {word}")
    assert [word] == [setting.text for setting in said(f"resource.appid: '{word}'")]


def test_a_value_knows_the_file_and_line_it_came_from() -> None:
    assert ["x.yaml:3", "x.yaml:5"] == [each.origin for each in said("cpu.shares: 2\n# more\nmemory.current: 1")]


def test_all_faults_are_said_at_once_with_their_lines() -> None:
    problems = judge(Tuning(tuple(said("cpu.shares: 1\nblkio.weight: 500\ncpu.vcpu.quota: 1"))))
    assert ["x.yaml:3: cpu.shares: 1", "x.yaml:5: cpu.vcpu.quota: 1"] == [each.split(" is")[0] for each in problems]


PORTABLE = """\
profile: latency
summary: A guest that must answer at once, on cores of its own
want:
  cpu: {weight: 2, limit: none, nodes!: 0}
  memory: {nodes: with-cpus, pages: 1 GiB}
set:
  disk[vda].iotune.read_iops_sec: 5000
  iothread.count: 2
  cpu.vcpu.quota: none
when:
  - driver: xen
    set: {cpu.cap: none}
"""


def test_wishes_parameters_and_conditions_stand_side_by_side() -> None:
    """On LXC cpu.limit becomes cpu.vcpu.quota: both say none, so that they do not clash."""
    found = profile.read(PORTABLE, "x.yaml", judged=True)
    main, xen = found.blocks
    assert {"cpu.weight": "2", "cpu.limit": "none", "cpu.nodes": "0"}.items() <= names(main.wants).items()
    assert ["cpu.nodes"] == [want.name for want in main.wants if want.demanded]
    assert ((("driver", ("xen",)),), {"cpu.cap": "none"}) == (xen.conditions, names(xen.settings))


def test_default_is_good_whatever_the_kind() -> None:
    plain = [row.name for row in PARAMS.values() if not row.key_forms]
    assert [] == judge(Tuning(tuple(said("\n".join(f"{name}: default" for name in plain)))))


def test_sets_of_ids_that_share_some_are_judged_wrong() -> None:
    text = "profile: p\nset:\n  cpu.vcpu.sched.policy: {0-1: batch, 1: idle, 2: idle}\n"
    reason = "p.yaml:3: cpu.vcpu.sched.policy[1]: shares ids with 0-1; say each once"
    assert [reason] == judge(profile.read(text, "p.yaml").tuning)
