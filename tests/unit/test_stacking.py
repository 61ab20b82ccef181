"""What holds of every stack of profiles: wishes and settings, in any scopes, on any driver and host."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from domtune import explaining, lifecycle, pipeline, profile, yamlnodes
from domtune.asking import Question
from domtune.errors import Invalid
from domtune.explaining import Told
from domtune.host import Host
from domtune.intents.model import Site, Want, Way
from domtune.layers import Bound, Scope
from domtune.lifecycle import Decision
from domtune.pipeline import Wanted
from domtune.profile import Profile
from domtune.take import Choice, take
from domtune.tree import Element
from domtune.tuning import Setting, Tuning
from domtune.vocabulary.drivers import DRIVERS
from support.tuning import names, root

WANTS = {
    "cpu.weight": ["2", "0.5", "3000", "default"],
    "cpu.limit": ["150%", "0.001%", "none", "default"],
    "cpu.vcpu_limit": ["50%", "none"],
    "cpu.nodes": ["0", "1", "7", "default"],
    "memory.nodes": ["0", "1", "7", "with-cpus", "default"],
    "memory.movable": ["yes", "no"],
    "memory.pages": ["2 MiB", "1 GiB", "huge", "default"],
    "memory.locked": ["yes", "no"],
    "disk[*].read": ["1 MiB/s", "none"],
    "disk[vda].read": ["2 MiB/s", "default"],
    "disk[1].write": ["3 MiB/s"],
    "net[*].send": ["1 MiB/s", "none", "default"],
}
SETS: dict[str, list[object]] = {
    "cpu.shares": ["512", "default"],
    "cpu.cap": ["50"],
    "cpu.affinity": ["0-3", "r"],
    "cpu.vcpu.pin": [{"all": "4"}, {"0": "1"}, {"1": "r", "all": "2-3"}, "default"],
    "cpu.emulator.pin": ["0", "default"],
    "cpu.vcpu.quota": ["50000", "none"],
    "memory.limit.soft": ["1 GiB", "default"],
    "memory.numa.mode": ["preferred"],
    "blkio.weight": ["300"],
    "iothread.count": ["1", "2"],
    "iothread.ids": [["1", "3"], ["2"]],
    "cpu.iothread.pin": [{"all": "0"}, {"1": "1"}],
    "iothread.poll_grow": [{"all": "2"}],
    "disk[*].iotune.write_iops_sec": ["500"],
    "disk[vda].iotune.write_iops_sec": ["600", "default"],
    "disk[0].iotune.total_bytes_sec": ["700"],
    "net[*].bandwidth.inbound.average": ["1 MiB/s"],
}
CONDITIONS: dict[str, list[object]] = {
    "driver": ["qemu", ["xen", "lxc"]],
    "host": ["north-*", "south"],
    "cgroup": ["1", ["1", "2"]],
}
PREFIXES = ("cpu", "memory", "blkio", "iothread", "disk", "net")
DEVICES = (
    "<disk><source file='/a'/><target dev='vda'/></disk><disk><source file='/b'/><target dev='vdb'/></disk>"
    "<interface type='user'><mac address='52:54:00:00:00:01'/></interface>"
)
DEFINITIONS = (
    "",
    "<iothreads>1</iothreads><cputune><shares>77</shares><vcpupin vcpu='0' cpuset='5'/></cputune>",
    "<numatune><memory mode='strict' nodeset='1'/></numatune><memtune><soft_limit>4</soft_limit></memtune>",
)
CELLS = {0: frozenset(range(4)), 1: frozenset(range(4, 8))}
HOSTS = (
    Host(),
    Host(frozenset(range(8)), frozenset({0, 1}), CELLS, frozenset({4096, 2 << 20}), 1, 2000, "north-1"),
    Host(frozenset(range(8)), frozenset({0, 1}), CELLS, frozenset(), 2, 0, "south"),
)
WIDE = (Scope.SHIPPED, Scope.SITE, Scope.HOST, Scope.HYPERVISOR)
NARROW = (Scope.DOMAIN, Scope.COMMAND)


@st.composite
def said(draw: Callable[[st.SearchStrategy[Any]], Any], pool: dict[str, list[object]]) -> dict[str, object]:
    """Make what stands under `want:` or `set:`, some of it demanded."""
    chosen = draw(st.lists(st.sampled_from(list(pool)), max_size=4, unique=True))
    return {name + "!" * draw(st.booleans()): draw(st.sampled_from(pool[name])) for name in chosen}


@st.composite
def blocks(draw: Callable[[st.SearchStrategy[Any]], Any]) -> dict[str, object]:
    """Make wishes and settings; where they would clash, settings alone."""
    block = {"want": draw(said(WANTS)), "set": draw(said(SETS))}  # type: ignore[arg-type]
    try:
        profile.read(yamlnodes.write({"profile": "x", **block}), "")
    except Invalid:
        del block["want"]
    return block


@st.composite
def profiles(draw: Callable[[st.SearchStrategy[Any]], Any]) -> dict[str, object]:
    """Make a profile with its conditions."""
    document: dict[str, object] = {"profile": "x", "required": "true"} if draw(st.booleans()) else {"profile": "x"}
    said_of = [draw(said(CONDITIONS)) for _ in range(draw(st.integers(0, 2)))]
    conditions = [{word.rstrip("!"): value for word, value in case.items()} for case in said_of if case]
    document |= draw(blocks())
    cases = [case | block for case in conditions if (block := draw(blocks())) and any(block.values())]
    return document | ({"when": cases} if cases else {})


def stacks(scopes: Sequence[Scope]) -> st.SearchStrategy[list[tuple[Scope, list[dict[str, object]]]]]:
    """Make bindings of these scopes, each a list of profiles."""
    return st.lists(st.tuples(st.sampled_from(scopes), st.lists(profiles(), min_size=1, max_size=2)), max_size=3)


def bounds(stack: Sequence[tuple[Scope, list[dict[str, object]]]], source: str = "s") -> list[Bound]:
    return [
        Bound(
            scope,
            f"{source}{number}",
            tuple(
                profile.read(yamlnodes.write(each), f"{source}{number}-{place}.yaml")
                for place, each in enumerate(documents)
            ),
        )
        for number, (scope, documents) in enumerate(stack)
    ]


# A stack is many documents: with as many examples as others have, these tests would take a minute.
few = settings(max_examples=max(1, settings().max_examples // 5))
places = st.tuples(st.sampled_from(list(DRIVERS)), st.sampled_from(HOSTS), st.sampled_from(DEFINITIONS))
Place = tuple[str, Host, str]
Stack = list[tuple[Scope, list[dict[str, object]]]]


def wanted(place: Place, bound: Sequence[Bound], problems: list[str] | None = None) -> tuple[Wanted, Element]:
    driver, host, inside = place
    machine = root(inside, DEVICES, 2)
    stored = take(machine, Choice(), "definition")
    found = pipeline.wanted(machine, stored, bound, Site(driver, host), [] if problems is None else problems)
    return found, machine


def values(found: Wanted) -> dict[str, object]:
    return {each.name: (each.said if each.value is None else each.value) for each in found.tuning}


def demands(found: Wanted) -> dict[str, bool]:
    return {each.name: each.demanded for each in found.tuning}


def unmet(found: Wanted) -> dict[str, bool]:
    """Return the wishes that cannot be met, and whether that refuses a start."""
    names = {each.setting.name for each in found.unmet}
    return {name: any(each.setting.demanded for each in found.unmet if each.setting.name == name) for name in names}


def differ(problems: Sequence[str]) -> bool:
    return any("may not differ" in problem for problem in problems)


# What a file holds


def whole(some: Profile) -> list[object]:
    """Return all that a profile says, with demands, each block apart."""
    return [
        (
            block.conditions,
            [(each.name, each.text, each.demanded) for each in block.wants],
            sorted((each.name, each.text, each.unit or "", each.demanded) for each in block.settings),
        )
        for block in some.blocks
    ]


@given(profiles())
def test_every_wish_condition_and_demand_comes_back_from_its_file(document: dict[str, object]) -> None:
    before = profile.read(yamlnodes.write(document), "x.yaml")
    after = profile.read(profile.write(before), "x.yaml")
    assert (whole(before), before.required) == (whole(after), after.required)


# What holds


@given(places, stacks([Scope.SITE, Scope.DOMAIN]))
@few
@example(
    ("qemu", HOSTS[1], ""),
    [
        (Scope.SITE, [{"profile": "a", "set": {"iothread.ids": ["1"], "cpu.iothread.pin": {"all": "0"}}}]),
        (Scope.SITE, [{"profile": "b", "set": {"iothread.ids": ["3"]}}]),
    ],
)
@example(
    ("qemu", HOSTS[1], ""),
    [
        (Scope.SITE, [{"profile": "a", "want": {"memory.nodes!": "0"}, "set": {"cpu.shares!": "5"}}]),
        (Scope.SITE, [{"profile": "b", "want": {"memory.nodes": "0"}, "set": {"cpu.shares": "5"}}]),
    ],
)
@example(
    ("qemu", HOSTS[1], ""),
    [
        (Scope.SITE, [{"profile": "a", "set": {"cpu.shares": "5"}}]),
        (Scope.SITE, [{"profile": "b", "set": {"cpu.shares": "6"}}]),
        (Scope.DOMAIN, [{"profile": "c", "set": {"cpu.shares": "7"}}]),
    ],
)
def test_the_order_of_bindings_of_one_scope_does_not_matter(place: Place, stack: Stack) -> None:
    one_problems: list[str] = []
    other_problems: list[str] = []
    one, _ = wanted(place, bounds(stack), one_problems)
    other, _ = wanted(place, bounds(stack)[::-1], other_problems)
    assert differ(one_problems) == differ(other_problems)
    if not differ(one_problems):
        assert values(one) == values(other)
        assert demands(one) == demands(other)
        assert unmet(one) == unmet(other)


@given(places, stacks(WIDE), stacks(NARROW))
@few
def test_a_wider_layer_never_changes_what_a_narrower_one_set(place: Place, wide: Stack, narrow: Stack) -> None:
    """But for memory.nodes, which depends on where the vCPUs run and on memory.movable, and for `all` IOThreads."""
    alone, _ = wanted(place, bounds(narrow, "n"))
    problems: list[str] = []
    together, _ = wanted(place, [*bounds(wide, "w"), *bounds(narrow, "n")], problems)
    if differ(problems):
        return
    own = [each for each in alone.tuning if each.source.startswith("n") and not each.by.startswith("memory.nodes ")]
    own = [each for each in own if not each.param.name.startswith(("cpu.iothread.", "iothread."))]
    assert {each.name: each.said for each in own}.items() <= names(together.tuning).items()


@given(places, profiles(), profiles())
@few
def test_the_order_of_layers_matters_only_where_both_set_the_same(
    place: Place, one: dict[str, object], other: dict[str, object]
) -> None:
    found = [
        wanted(place, bounds([(scopes[0], [one]), (scopes[1], [other])]))[0]
        for scopes in ((Scope.SITE, Scope.DOMAIN), (Scope.DOMAIN, Scope.SITE))
    ]
    kept = [{each.address: each for each in result.tuning if each.by[:7] != "memory."} for result in found]
    own = {
        source: {_place(each) for layer in found[0].layers for each in layer.settings if each.source.startswith(source)}
        for source in ("s0", "s1", "definition")
    }
    counted = {"iothread.count", "iothread"}  # how many there are says what `all` means
    if not own["s0"] & own["s1"] and not (own["s0"] | own["s1"]) & own["definition"]:
        apart = {key: each for key, each in kept[0].items() if not counted & {each.param.family, each.param.name}}
        assert apart.items() <= kept[1].items()


def _place(setting: Setting) -> object:
    return setting.family if setting.param.family else setting.address


# What is met


@given(places, stacks([Scope.SITE, Scope.DOMAIN, Scope.COMMAND]))
@few
def test_a_wish_that_cannot_be_met_never_becomes_a_setting(place: Place, stack: Stack) -> None:
    found, _ = wanted(place, bounds(stack))
    unmet = {(each.setting.wish, each.setting.origin) for each in found.unmet if isinstance(each.setting, Want)}
    assert set() == {(each.by, each.origin) for each in found.tuning} & unmet
    assert all(each.reason for each in found.unmet)


@given(places, stacks([Scope.SITE, Scope.DOMAIN, Scope.COMMAND]))
@few
def test_every_wish_that_holds_is_met_or_told(place: Place, stack: Stack) -> None:
    """What nothing narrower speaks over is done, or it is said why not; where there is no way, no is no wish."""
    found, machine = wanted(place, bounds(list(dict(stack).items())))
    site = Site(place[0], root=machine)
    unmet = {each.setting.name for each in found.unmet}
    made = {each.by for layer in found.layers for each in layer.settings}
    narrowest = {want.address: number for number, layer in enumerate(found.layers) for want in layer.block.wants}
    for number, layer in enumerate(found.layers):
        for want in (want for want in layer.block.wants if narrowest[want.address] == number):
            way = want.intent.drivers[place[0]]
            after = {each.param.name for later in found.layers[number:] for each in later.block.settings}
            if isinstance(way, str) and pipeline.replaced(want, number, found.layers, site) is None:
                assert (want.wish in made, want.name in unmet) == (False, want.text not in {"default", "none", "no"})
            elif (
                isinstance(way, Way)
                and way.params
                and not want.keys
                and not want.intent.late
                and not after & set(way.params)
            ):
                assert (want.wish in made) != (want.name in unmet)


# What is explained


def explained(place: Place, stack: Stack) -> tuple[Wanted, Decision, Told]:
    found, machine = wanted(place, bounds(stack))
    decision = lifecycle.decide(found.tuning.settings, DRIVERS[place[0]], session=False, root=machine)
    told = [explaining.explain(Question(word, machine), found, decision, place[0]) for word in PREFIXES]
    every = [each for of_word in told for each in of_word.answers]
    return found, decision, replace(told[0], answers=tuple(every))


@given(places, stacks(list(Scope)))
@few
def test_what_explain_says_holds_is_what_a_start_does(place: Place, stack: Stack) -> None:
    stack = [(scope, each) for scope, each in stack if scope is not Scope.STORED]
    found, decision, told = explained(place, stack)
    open_ = {each.name for each in told.answers if any(entry.conflicts for entry in each.entries)}
    held = [each.winner for each in told.answers if isinstance(each.winner, Setting)]
    settled = [each for each in found.tuning if each.name not in open_]
    assert sorted(names(settled).items()) == sorted(names(held).items())
    assert {each.address: each.origin for each in held} == {each.address: each.origin for each in settled}
    disputed = {each.name for dispute in found.disputes for each in dispute[:2] if isinstance(each, Setting)}
    assert open_ == disputed & {each.name for each in found.tuning}
    done = [*decision.create, *decision.after, *(each.setting for each in decision.not_done)]
    assert {each.name for each in done} <= {each.name for each in held} | open_
    for each in told.answers:
        assert sum(entry.wins for entry in each.entries) == (each.winner is not None)
        assert all(entry.why for entry in each.entries)


@given(places, stacks([Scope.SITE, Scope.DOMAIN]))
@few
def test_what_does_not_hold_is_said_over_or_replaced_with_its_family(place: Place, stack: Stack) -> None:
    for answer in explained(place, stack)[2].answers:
        lost = [entry for entry in answer.entries if not entry.wins and not entry.conflicts]
        if not answer.is_open:
            assert any(words in entry.why for words in ("replaces all of", "along", "says ") for entry in lost)
        for entry in lost:
            reasons = ("replaces all of", "takes it along", "says ", "in one block")
            assert any(words in entry.why for words in reasons)
            assert "replaces all of" not in entry.why or (
                isinstance(entry.setting, Setting) and entry.setting.family[0]
            )


@given(places, stacks([Scope.SITE, Scope.DOMAIN]))
@few
def test_every_wish_is_told_of_once(place: Place, stack: Stack) -> None:
    """It became a setting, or it cannot be met, or nothing comes of it, or another one is in its place."""
    found, machine = wanted(place, bounds(stack))
    decision = lifecycle.decide(found.tuning.settings, DRIVERS[place[0]], session=False, root=machine)
    told = explaining.explain(Question("all", machine), found, decision, place[0])
    each_word = [explaining.explain(Question(word, machine), found, decision, place[0]) for word in PREFIXES]
    entries = [entry for of_word in each_word for answer in of_word.answers for entry in answer.entries]
    unmet = {(each.setting.name, each.setting.origin) for each in told.unmet}
    quiet = {each.partition(": ")[0] for each in told.quiet}
    shown = {(each.setting.by if isinstance(each.setting, Setting) else each.setting.wish) for each in entries}
    for want in (want for layer in found.layers for want in layer.block.wants):
        is_quiet = f"{want.wish} at {want.origin}" in quiet
        assert want.wish in shown or (want.name, want.origin) in unmet or is_quiet


def test_a_stack_of_nothing_is_the_definition() -> None:
    found, _ = wanted(("qemu", HOSTS[0], DEFINITIONS[1]), [])
    assert {"cpu.shares": "77", "cpu.vcpu.pin[0]": "5"} == {
        name: value for name, value in names(found.tuning).items() if not name.startswith("iothread")
    }
    assert Tuning() != found.tuning
