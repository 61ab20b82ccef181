"""A wish of which narrower layers leave nothing is told, and refused where it is a demand."""

import pytest

from domtune import profile
from domtune.host import Host
from domtune.intents.model import Site
from domtune.layers import Scope
from domtune.pipeline import Wanted, wanted
from domtune.tuning import Tuning
from support.tuning import bound, names, root

CELLS = {0: frozenset({0, 1}), 1: frozenset({2, 3})}
HOST = Host(frozenset(range(4)), frozenset(CELLS), CELLS, frozenset({2 << 20}), cgroup=1)
HUGE, SIZE = "want: {memory.pages: huge}", "want: {memory.pages: 2 MiB}"


def read(name: str, text: str) -> profile.Profile:
    return profile.read(f"profile: {name}\n{text}\n", f"{name}.yaml")


def stacked(driver: str, *texts: str) -> Wanted:
    """Return what is wanted of two vCPUs by a profile of the site and one of the domain over it."""
    scopes = (Scope.SITE, Scope.DOMAIN)
    bounds = [bound(read(str(scope), text), scope=scope) for scope, text in zip(scopes, texts, strict=True)]
    problems: list[str] = []
    found = wanted(root(vcpus=2), Tuning(()), bounds, Site(driver, HOST), problems)
    assert [] == problems
    return found


@pytest.mark.parametrize(
    ("driver", "wide", "narrow", "told"),
    [
        ("qemu", "want: {cpu.limit!: 900%}", "set: {cpu.total.period: 50000}", {"cpu.limit": True}),
        ("qemu", "want: {cpu.limit!: 50%}", "set: {cpu.total.period: 50000}", {"cpu.limit": True}),
        ("qemu", "want: {cpu.limit!: 900%}", "set: {cpu.total.quota: 50000}", {}),
        ("qemu", "want: {cpu.nodes!: 7}", 'set: {cpu.vcpu.pin: {0: "0"}}', {"cpu.nodes": True}),
        ("qemu", "want: {cpu.nodes!: 7}", 'set: {cpu.vcpu.pin: {0: "0", 1: "1"}}', {}),
        ("qemu", "want: {cpu.nodes: 0}", 'set: {cpu.vcpu.pin: {0: "0"}}', {}),
        ("xen", "want: {memory.nodes!: 0}", "set: {cpu.vcpu.pin: {all: default}}", {"memory.nodes": True}),
        ("xen", "set: {cpu.vcpu.pin: {all: default}}", "want: {memory.nodes!: 0}", {}),
        ("qemu", HUGE, SIZE, {}),
    ],
)
def test_what_a_narrower_layer_leaves_nothing_of_is_told(
    driver: str, wide: str, narrow: str, told: dict[str, bool]
) -> None:
    assert told == {each.setting.name: each.setting.demanded for each in stacked(driver, wide, narrow).unmet}


def test_the_line_that_takes_it_away_is_named() -> None:
    found = stacked("qemu", "want: {cpu.limit: 50%}", "set: {cpu.total.period: 50000}")
    over = "cpu.total.period 50000 at domain.yaml:2"
    assert [f"cpu.limit: {over} takes away what it becomes; say it again beside that"] == list(map(str, found.unmet))
    assert {"cpu.total.period": "50000"} == names(found.tuning)


@pytest.mark.parametrize(("one", "other"), [(HUGE, SIZE), (SIZE, HUGE)])
def test_bindings_of_one_scope_may_not_differ_in_a_whole_and_its_parts(one: str, other: str) -> None:
    problems: list[str] = []
    bounds = [bound(read(name, text), origin=name) for name, text in (("one", one), ("other", other))]
    wanted(root(), Tuning(()), bounds, Site("qemu", HOST), problems)
    assert 1 == len(problems)
    assert all(said in problems[0] for said in ("one.yaml:2", "other.yaml:2", "bindings of one scope may not differ"))
