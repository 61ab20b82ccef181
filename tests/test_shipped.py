"""The shipped profiles: each on every driver, and what each of them must be. tests/catalogue/README.md says where."""

import re
from collections.abc import Iterator
from dataclasses import replace
from difflib import unified_diff
from pathlib import Path

import pytest

from domtune import catalogue, profile, tree
from domtune.docs import shipped
from domtune.intents.model import Site
from domtune.kinds import ALL_CPUS
from domtune.lifecycle import Decision
from domtune.profile import Profile
from domtune.tuning import Setting
from domtune.vocabulary.drivers import DRIVERS
from domtune.vocabulary.model import Class
from support import cases

FOLDER = Path(__file__).parent / "catalogue"
NAMES = sorted(path.stem for path in catalogue.SHIPPED.glob("*.yaml"))
ON_A_NODE = profile.read('profile: mine\nwant: {cpu.nodes: "1"}\n', "mine.yaml")


@pytest.fixture(autouse=True)
def _only_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(tmp_path))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("driver", DRIVERS)
def test_what_a_shipped_profile_does_on_a_driver(driver: str, name: str, pytestconfig: pytest.Config) -> None:
    expected = FOLDER / driver / f"{name}.txt"
    found = outcome(driver, catalogue.load(name, judged=True))
    if pytestconfig.getoption("regenerate"):
        expected.write_text(found, encoding="utf-8")
    assert expected.read_text(encoding="utf-8") == found


def outcome(driver: str, profiles: list[Profile]) -> str:
    """Return the plan and the changed lines of the XML, and again for a domain that has a node of its own."""
    text = planned(driver, profiles)
    if any(want.intent.name == "memory.nodes" for each in profiles for want in each.wants):
        text += f"\nwith cpu.nodes: 1\n{planned(driver, [*profiles, ON_A_NODE])}"
    return text


def planned(driver: str, profiles: list[Profile]) -> str:
    here = replace(cases.machine(FOLDER, (FOLDER / "host.xml").read_text(encoding="utf-8")), cgroup=2)
    decision, merged = cases.decided(FOLDER / driver / "definition.xml", profiles, Site(driver, here))
    if refused := [each for each in decision.not_done if each.setting.demanded]:
        return "".join(f"refused: {each}\n" for each in refused)
    return without_defaults(decision) + "".join(f"    {line}\n" for line in changes(driver, merged))


def without_defaults(decision: Decision) -> str:
    """Return the plan without what only takes back what a wider scope says: here no scope does."""
    create = tuple(each for each in decision.create if not each.is_default)
    return cases.plan(replace(decision, create=create))


def changes(driver: str, merged: str) -> Iterator[str]:
    given = tree.serialise(tree.parse((FOLDER / driver / "definition.xml").read_text(encoding="utf-8")))
    for line in unified_diff(given.splitlines(), merged.splitlines(), n=0, lineterm=""):
        if line[0] in "+-" and not line.startswith(("+++", "---")):
            yield line


def test_there_is_nothing_of_profiles_or_drivers_that_are_gone() -> None:
    wanted = {f"{driver}/{name}.txt" for driver in DRIVERS for name in NAMES}
    assert wanted == {f"{path.parent.name}/{path.name}" for path in FOLDER.glob("*/*.txt")}


def test_the_catalogue_has_what_it_promises() -> None:
    promised = {"balanced", "latency", "throughput", "real-time", "vfio-workstation", "database", "build-server"}
    assert promised | {"noisy-neighbour", "quiet-background"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_profile_is_called_as_its_file_and_says_what_it_is_for(name: str) -> None:
    last = catalogue.load(name, judged=True)[-1]
    assert name == last.name
    assert last.summary
    assert not last.summary.endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_profile_inherits_shipped_ones_only(name: str) -> None:
    assert {catalogue.SHIPPED} == {Path(each.source).parent for each in catalogue.load(name)}


@pytest.mark.parametrize("name", NAMES)
def test_the_guest_sees_a_shipped_profile_only_if_its_summary_says_so(name: str) -> None:
    for each in catalogue.load(name):
        seen = [setting.name for setting in settings(each) if setting.param.cls is not Class.TUNING]
        assert not seen or "guest-visible" in each.summary


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_profile_names_nothing_of_one_host(name: str) -> None:
    (*_, own) = catalogue.load(name)
    wants = [
        want.name for block in own.blocks for want in block.wants if want.text.isdecimal() and "nodes" in want.name
    ]
    bound = [each.name for each in settings(own) if each.param.host_bound and each.text != ALL_CPUS]
    assert [] == wants + bound
    assert not any(word == "host" for block in own.when for word, _ in block.conditions)


@pytest.mark.parametrize("name", NAMES)
def test_each_line_of_a_shipped_profile_has_its_reason_and_its_source(name: str) -> None:
    lines = list(shipped.lines_of((catalogue.SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")))
    (*_, own) = catalogue.load(name)
    assert sum(len(block.wants) + len(block.settings) for block in own.blocks) == len(lines)
    for line in lines:
        assert line.reason, line.said


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_profile_is_short(name: str) -> None:
    text = (catalogue.SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 25
    assert max(map(len, text.splitlines())) <= 120


SNIPPET = re.compile(r"`((?:want|set): [^`]*)`|#   ((?:want|set): .*)")
STAND_INS = {"NUMBER": "100", "SIZE": "1 GiB", '"N"': "0"}


def test_what_comments_of_shipped_profiles_say_to_write_can_be_read() -> None:
    text = "\n".join((catalogue.SHIPPED / f"{name}.yaml").read_text(encoding="utf-8") for name in NAMES)
    page = (FOLDER.parents[1] / "docs" / "reference" / "catalogue.md").read_text(encoding="utf-8")
    snippets = [(one or other) for each in (text, page) for one, other in SNIPPET.findall(each)]
    assert len(snippets) >= 2 * text.count("et: {cpu.vcpu.pin")
    for snippet in snippets:
        for word, value in STAND_INS.items():
            snippet = snippet.replace(word, value)  # noqa: PLW2901 - each in turn
        read = profile.read(f"profile: x\n{snippet}\n", "x.yaml", judged=True)
        assert read.wants or read.tuning


def settings(own: Profile) -> list[Setting]:
    return [setting for block in own.blocks for setting in block.settings]
