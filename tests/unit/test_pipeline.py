"""What is wanted of a domain when several layers speak of it."""

import pytest

from domtune import profile, tree
from domtune.host import Host
from domtune.intents.model import Site
from domtune.layers import Scope
from domtune.pipeline import Wanted, wanted
from domtune.put import put
from domtune.take import Choice, take
from domtune.tree import Element
from domtune.tuning import Tuning
from support.tuning import bound, names, root, said

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
    tuning = wanted(root, stored, [bound(stored)], Site("qemu"), []).tuning
    assert ["foo", "shares", "vcpupin", "vcpupin"] == children(root, tuning)


def test_a_family_that_is_replaced_takes_its_verbatim_pieces_with_it() -> None:
    root, stored = parted()
    pin = Tuning(tuple(said("cpu.vcpu.pin: {1: 0}")))
    tuning = wanted(root, stored, [bound(pin)], Site("qemu"), []).tuning
    assert ["foo", "shares", "vcpupin"] == children(root, tuning)


def test_reading_ends_for_any_number_of_comments() -> None:
    assert "domain" == tree.tag(tree.parse("<!---->" * 40 + "<domain><!--<!DOCTYPE--></domain>"))


# Bindings of one scope

DISKS = "<disk><target dev='vda'/></disk><disk><target dev='vdb'/></disk>"
HOST = Host(frozenset(range(8)), frozenset({0, 1}), {0: frozenset(range(4)), 1: frozenset(range(4, 8))})


def stacked(*texts: str, scope: Scope = Scope.SITE, driver: str = "qemu", inside: str = "") -> tuple[Wanted, list[str]]:
    """Return what comes of as many bindings of one scope, each of one profile, and what is wrong with them."""
    bounds = [
        bound(profile.read(f"profile: {name}\n{text}\n", f"{name}.yaml"), scope=scope, origin=name)
        for name, text in zip("abc", texts, strict=False)
    ]
    problems: list[str] = []
    machine = root(inside, DISKS, 2)
    return wanted(machine, take(machine, Choice()), bounds, Site(driver, HOST), problems), problems


WAY_OUT = (
    "and bindings of one scope may not differ; they are bound at a and b; take one out, or bind it to a narrower scope"
)


@pytest.mark.parametrize(
    ("one", "other", "problems"),
    [
        ("set: {cpu.shares: 5}", "set: {cpu.shares: 6}", ["cpu.shares 6: a.yaml:2 says 5"]),
        ("set: {cpu.shares: 5}", "set: {cpu.shares: default}", ["cpu.shares default: a.yaml:2 says 5"]),
        ("want: {cpu.weight: 2}", "want: {cpu.weight: 3}", ["cpu.weight 3: a.yaml:2 says cpu.weight 2"]),
        ("want: {cpu.weight: 2}", "want: {cpu.weight: default}", ["cpu.weight default: a.yaml:2 says cpu.weight 2"]),
        ("want: {cpu.weight: 2}", "set: {cpu.shares: 5}", ["cpu.shares 5: a.yaml:2 says cpu.weight 2"]),
        ("want: {cpu.nodes: 0}", "want: {cpu.nodes: 1}", ["cpu.nodes 1: a.yaml:2 says cpu.nodes 0"]),
        ("want: {memory.nodes: 0}", "want: {memory.nodes: 1}", ["memory.nodes 1: a.yaml:2 says memory.nodes 0"]),
        (
            "want: {memory.nodes: 0, memory.movable: yes}",
            "want: {memory.movable: no}",
            ["memory.movable no: a.yaml:2 says memory.movable yes"],
        ),
        ("set: {cpu.vcpu.pin: {all: 1}}", "set: {cpu.vcpu.pin: {all: 2}}", ["cpu.vcpu.pin[0] 2: a.yaml:2 says 1"]),
        (
            'want: {"disk[*].read": 5 MiB/s}',
            'want: {"disk[vdb].read": 6 MiB/s}',
            ["disk[vdb].read 6 MiB/s: a.yaml:2 says disk[*].read 5 MiB/s"],
        ),
        ('set: {"disk[0].iotune.read_iops_sec": 5}', 'set: {"disk[vda].iotune.read_iops_sec": 5}', []),
        ("set: {cpu.affinity: 0-3}", "set: {cpu.affinity: [0, 1, 2, 3]}", []),
        ("want: {cpu.weight: 2}", "want: {cpu.weight: 2.0}", []),
        ('want: {"disk[vda].read": 5 MiB/s}', 'want: {"disk[vda].write": 5 MiB/s}', []),
        ("set: {cpu.vcpu.pin: {0: 1}}", "set: {cpu.vcpu.pin: {1: 2}}", []),
        (
            "set: {memory.backing.hugepages: [{size: 2 MiB}]}",
            "set: {memory.backing.hugepages: default}",
            ["memory.backing.hugepages default: a.yaml:2 says 2 MiB"],
        ),
    ],
)
def test_bindings_of_one_scope_that_differ_are_an_error_with_both_lines(
    one: str, other: str, problems: list[str]
) -> None:
    expected = [f"b.yaml:2: {problem}, {WAY_OUT}" for problem in problems]
    assert expected == stacked(one, other)[1]
    assert bool(expected) == bool(stacked(other, one)[1])


def test_only_the_last_of_a_list_counts_against_another_binding() -> None:
    first = profile.read("profile: a\nwant: {memory.nodes: 0}\n", "a.yaml")
    last = profile.read("profile: b\nwant: {memory.nodes: 1}\n", "b.yaml")
    other = profile.read("profile: c\nwant: {memory.nodes: 1}\n", "c.yaml")
    problems: list[str] = []
    machine = root()
    bounds = [bound(first, last, scope=Scope.SITE), bound(other, scope=Scope.SITE, origin="other")]
    wanted(machine, Tuning(), bounds, Site("qemu", HOST), problems)
    assert [] == problems


@pytest.mark.parametrize(
    ("one", "other", "narrow", "differ"),
    [
        ("set: {cpu.shares: 5}", "set: {cpu.shares: 6}", "set: {cpu.shares: 7}", False),
        ("set: {cpu.shares: 5}", "set: {cpu.shares: 6}", "set: {cpu.shares: default}", False),
        ("set: {cpu.shares: 5}", "set: {cpu.shares: 6}", "want: {cpu.weight: 2}", False),
        ("set: {cpu.shares: 5}", "set: {cpu.shares: 6}", "set: {blkio.weight: 500}", True),
        ("set: {cpu.vcpu.pin: {0: 1}}", "set: {cpu.vcpu.pin: {0: 2}}", "set: {cpu.vcpu.pin: {1: 2}}", False),
        ("set: {cpu.vcpu.pin: {0: 1}}", "set: {cpu.vcpu.pin: {0: 2}}", "set: {cpu.vcpu.pin: {1: default}}", True),
        ("want: {memory.nodes: 0}", "want: {memory.nodes: 1}", "want: {memory.nodes: with-cpus, cpu.nodes: 1}", False),
        ("want: {memory.nodes: 0}", "want: {memory.nodes: 1}", "set: {memory.numa.mode: preferred}", False),
        ("want: {memory.movable: yes}", "want: {memory.movable: no}", "want: {memory.movable: no}", False),
    ],
)
def test_what_a_narrower_scope_settles_bindings_may_differ_about(
    one: str, other: str, narrow: str, differ: bool
) -> None:
    texts = {"a": (one, Scope.SITE), "b": (other, Scope.SITE), "c": (narrow, Scope.COMMAND)}
    found = [
        bound(profile.read(f"profile: {name}\n{text}\n", f"{name}.yaml"), scope=scope, origin=name)
        for name, (text, scope) in texts.items()
    ]
    results = []
    for bounds in (found, [found[1], found[0], found[2]]):
        problems: list[str] = []
        results.append(names(wanted(root(vcpus=2), Tuning(), bounds, Site("qemu", HOST), problems).tuning))
        assert differ == any("may not differ" in each for each in problems)
    assert differ or results[0] == results[1]


@pytest.mark.parametrize("name", ["set: {{cpu.shares{}: 2048}}", "want: {{memory.nodes{}: 0}}"])
def test_what_one_of_two_bindings_demands_is_demanded(name: str) -> None:
    for texts in ((name.format(""), name.format("!")), (name.format("!"), name.format(""))):
        found, problems = stacked(*texts)
        assert ([], {True}) == (problems, {each.demanded for each in found.tuning})


def test_what_a_wish_and_a_setting_of_one_block_say_is_demanded_if_either_is() -> None:
    for want, said_ in (("!", ""), ("", "!")):
        text = f'want: {{"disk[vda].read{want}": 1 MiB/s}}\nset: {{"disk[vda].iotune.read_bytes_sec{said_}": 1 MiB/s}}'
        found, problems = stacked(text)
        assert ([], [True]) == (problems, [each.demanded for each in found.tuning])


def test_two_bindings_of_one_scope_are_put_together() -> None:
    found, problems = stacked("set: {cpu.vcpu.pin: {0: 1}}", 'want: {"disk[*].read": 5 MiB/s}')
    assert [] == problems
    assert {"cpu.vcpu.pin[0]", "disk[vda].iotune.read_bytes_sec", "disk[vdb].iotune.read_bytes_sec"} == names(
        found.tuning
    ).keys()


def test_all_iothreads_are_those_of_every_binding() -> None:
    pins = "set: {iothread.ids: [1], cpu.iothread.pin: {all: 0}}"
    for texts in ((pins, "set: {iothread.ids: [3]}"), ("set: {iothread.ids: [3]}", pins)):
        found, _ = stacked(*texts)
        assert {"cpu.iothread.pin[1]", "cpu.iothread.pin[3]"} <= names(found.tuning).keys()


# Wishes


def test_where_the_narrowest_wish_cannot_be_met_the_wider_holds() -> None:
    for name, params in (("memory.nodes", ["memory.numa.mode", "memory.numa.nodeset"]), ("cpu.limit", ["cpu.total"])):
        good, bad = ("0", "7") if name == "memory.nodes" else ("150%", "0.05%")
        texts = [profile.read(f"profile: x\nwant: {{{name}: {value}}}\n", f"{value}.yaml") for value in (good, bad)]
        machine = root()
        bounds = [bound(texts[0], scope=Scope.SITE), bound(texts[1], scope=Scope.DOMAIN)]
        found = wanted(machine, Tuning(), bounds, Site("qemu", HOST), [])
        assert [f"{name} {bad}"] == [f"{each.setting.name} {each.setting.said}" for each in found.unmet]
        assert all(any(each.startswith(param) for each in names(found.tuning)) for param in params)


def test_a_wish_that_a_narrower_one_takes_the_place_of_is_not_told() -> None:
    for narrow in ("want: {cpu.nodes: 1}", "set: {cpu.vcpu.pin: {all: 2}}"):
        wide = profile.read("profile: x\nwant: {cpu.nodes!: 7}\n", "wide.yaml")
        over = profile.read(f"profile: x\n{narrow}\n", "narrow.yaml")
        bounds = [bound(wide, scope=Scope.SITE), bound(over, scope=Scope.DOMAIN)]
        assert () == wanted(root(), Tuning(), bounds, Site("qemu", HOST), []).unmet


@pytest.mark.parametrize(
    ("wide", "narrow", "left"),
    [
        ("disk[vda]", ["disk[*]"], 0),
        ("disk[0]", ["disk[vda]"], 0),
        ("disk[*]", ["disk[vda]", "disk[1]"], 0),
        ("disk[*]", ["disk[vda]"], 1),
        ("disk[vda]", ["disk[vdb]"], 1),
    ],
)
def test_wishes_are_compared_by_the_devices_that_they_select(wide: str, narrow: list[str], left: int) -> None:
    lines = "".join(f'  "{device}.read": none\n' for device in narrow)
    bounds = [
        bound(profile.read(f'profile: x\nwant: {{"{wide}.read!": 5 MiB/s}}\n', "wide.yaml"), scope=Scope.SITE),
        bound(profile.read(f"profile: x\nwant:\n{lines}", "narrow.yaml"), scope=Scope.DOMAIN),
    ]
    assert left == len(wanted(root("", DISKS), Tuning(), bounds, Site("lxc", HOST), []).unmet)


def test_default_of_a_wish_leaves_what_else_is_said_of_the_family() -> None:
    wide = profile.read('profile: x\nset: {"disk[*].iotune": {read_bytes_sec: 5, write_iops_sec: 6}}\n', "wide.yaml")
    over = profile.read('profile: x\nwant: {"disk[vda].read": default}\n', "narrow.yaml")
    bounds = [bound(wide, scope=Scope.SITE), bound(over, scope=Scope.DOMAIN)]
    found = names(wanted(root("", DISKS), Tuning(), bounds, Site("qemu", HOST), []).tuning)
    assert ("default", "6") == tuple(found[f"disk[vda].iotune.{row}"] for row in ("read_bytes_sec", "write_iops_sec"))


PINS = "<cputune><vcpupin vcpu='0' cpuset='1'/><vcpupin vcpu='3' cpuset='1'/></cputune>"
QUOTA = "<cputune><global_period>5000</global_period><global_quota>6000</global_quota></cputune>"
NODES = "<numatune><memory mode='strict' nodeset='1'/></numatune>"
PAGES = "<memoryBacking><hugepages><page size='2048'/></hugepages></memoryBacking>"


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        (PINS, "set: {cpu.vcpu.pin: default}"),
        (QUOTA, "want: {cpu.limit: default}"),
        (NODES, "want: {memory.nodes: default}"),
        (NODES.replace("nodeset='1'", "placement='auto'"), "want: {memory.nodes: default}"),
        (NODES, "set: {memory.numa: {mode: default, nodeset: default}}"),
        (PAGES, "want: {memory.pages: default}"),
        (PAGES, "set: {memory.backing.hugepages: default}"),
    ],
)
def test_default_of_the_whole_leaves_nothing_of_the_definition(inside: str, text: str) -> None:
    machine = root(inside)
    stored = take(machine, Choice())
    over = profile.read(f"profile: x\n{text}\n", "narrow.yaml")
    problems: list[str] = []
    found = wanted(machine, stored, [bound(over)], Site("qemu", HOST), problems)
    put(machine, found.tuning)
    left = [tree.tag(each) for each in machine if tree.tag(each) in {"cputune", "numatune", "memoryBacking"}]
    assert ([], []) == (problems, [each for each in left if machine.find(f"{each}/*") is not None])


def test_what_another_driver_would_make_of_a_wish_takes_the_place_of_nothing() -> None:
    """On LXC the wish becomes cpu.affinity, on QEMU pins."""
    wide = profile.read("profile: x\nwant: {cpu.nodes!: 7}\n", "wide.yaml")
    over = profile.read("profile: x\nset: {cpu.affinity: 0-3}\n", "narrow.yaml")
    bounds = [bound(wide, scope=Scope.SITE), bound(over, scope=Scope.DOMAIN)]
    found = {driver: wanted(root(), Tuning(), bounds, Site(driver, HOST), []).unmet for driver in ("qemu", "lxc")}
    assert {"qemu": 1, "lxc": 0} == {driver: len(unmet) for driver, unmet in found.items()}


def test_a_required_profile_demands_all_it_says_and_inherits() -> None:
    base = profile.read("profile: base\nwant: {cpu.nodes: 7}\n", "base.yaml")
    top = profile.read("profile: top\nrequired: true\ninherits: [base]\nset: {cpu.shares: 5}\n", "top.yaml")
    found = wanted(root(), Tuning(), [bound(base, top)], Site("qemu", HOST), [])
    assert [True, True] == [*(each.setting.demanded for each in found.unmet), *(each.demanded for each in found.tuning)]


def test_a_demand_counts_only_where_it_wins() -> None:
    wide = profile.read("profile: x\nset: {cpu.shares!: 5, blkio.weight!: 300}\n", "wide.yaml")
    over = profile.read("profile: x\nset: {cpu.shares: 6}\n", "narrow.yaml")
    bounds = [bound(wide, scope=Scope.SITE), bound(over, scope=Scope.DOMAIN)]
    found = wanted(root(), Tuning(), bounds, Site("qemu", HOST), [])
    assert {"cpu.shares": False, "blkio.weight": True} == {each.name: each.demanded for each in found.tuning}


def test_values_that_nothing_would_take_are_faults_and_no_settings() -> None:
    found, problems = stacked("want: {memory.pages: 0, cpu.nodes: ^0}")
    assert [
        "a.yaml:2: memory.pages: 0 is outside 1 and up KiB",
        "a.yaml:2: cpu.nodes: '^0' names no host nodes",
    ] == problems
    assert Tuning() == found.tuning


def test_conditions_on_what_nobody_knows_do_not_hold_and_are_told() -> None:
    text = (
        "when:\n  - {cgroup: 1, set: {cpu.shares: 5}}\n  - {driver: xen, cgroup: 2, set: {cpu.shares: 6}}\n"
        "  - {host: north, set: {cpu.shares: 7}}\n  - {host: north, cgroup: 2, set: {cpu.shares: 8}}"
    )
    found, _ = stacked(text)
    assert Tuning() == found.tuning
    assert (
        "a.yaml:3: when: the host's version of cgroups is not known, so this does not hold",
        "a.yaml:5: when: the host's name is not known, so this does not hold",
        "a.yaml:6: when: the host's name and version of cgroups are not known, so this does not hold",
    ) == found.notes
