"""Each folder below cases/ is a case: what goes in, and what must come out. CONTRIBUTING.md says how to add one.

`definition.xml` and `profile.yaml` give `merged.xml` and `plan.txt` on the driver that the folder above is called
after, with the CPUs and nodes of `host.xml` if it is there. `domain.xml` is split into `definition.xml` and
`tuning.yaml`. `profile.yaml` alone is checked. What cannot be done gives `error.txt`.
"""

import re
from pathlib import Path

import libvirt
import pytest

from domtune import profile
from domtune.intents import INTENTS
from domtune.intents.model import Way
from domtune.vocabulary import PARAMS
from domtune.vocabulary.drivers import DRIVERS
from domtune.vocabulary.model import Fact
from support.cases import outcome

CASES = Path(__file__).parent / "cases"
FOLDERS = sorted(folder for folder in CASES.glob("*/*") if folder.is_dir())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_case(folder: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", "/etc/domtune")
    found = outcome(folder)
    outputs = {"definition.xml", "tuning.yaml"} if Path("domain.xml").exists() else {"merged.xml", "plan.txt"}
    files = [Path(name) for name in (*outputs, "error.txt")]
    if pytestconfig.getoption("regenerate"):
        for file in files:
            file.unlink(missing_ok=True)
        for name, text in found.items():
            Path(name).write_text(text, encoding="utf-8")
    assert {file.name: file.read_text(encoding="utf-8") for file in files if file.exists()} == found


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_row_has_a_case_for_each_driver(driver: str) -> None:
    plans = [plan.read_text(encoding="utf-8") for plan in CASES.glob(f"{driver}/*/plan.txt")]
    lines = [line for plan in plans for line in plan.splitlines()]
    done = {said[1] for line in lines if (said := re.match(r"(?:at creation|afterwards): (\S+) (?!default\b)", line))}
    not_done = {said[1] for line in lines if (said := re.match(r"not done: (\S+): ", line))}
    able = {row.name for row in PARAMS.values() if (fact := row.fact(driver)) and can_at_a_start(fact)}
    assert able == {without_keys(name) for name in done}
    assert PARAMS.keys() - able <= {without_keys(name) for name in not_done}


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_wish_has_a_case_for_each_driver(driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", "/etc/domtune")
    wishes = {name: intent for name, intent in INTENTS.items() if not intent.later}
    paths = [plan.with_name("profile.yaml") for plan in CASES.glob(f"{driver}/*/plan.txt")]
    blocks = [block for path in paths for block in profile.read(path.read_text(encoding="utf-8"), "").blocks]
    said = {(want.param.name, want.is_default) for block in blocks for want in block.wants}
    plans = [path.with_name("plan.txt").read_text(encoding="utf-8") for path in paths]
    met = {without_keys(name) for plan in plans for name in re.findall(r", for (\S+) (?!default$)", plan, re.MULTILINE)}
    unmet = {without_keys(name) for plan in plans for name in re.findall(r"^not done: (\S+): ", plan, re.MULTILINE)}
    ways = {name: intent.drivers[driver] for name, intent in wishes.items()}
    assert {(name, default) for name in wishes for default in (False, True)} <= said
    assert {name for name, way in ways.items() if isinstance(way, Way) and way.params} <= met
    assert {name for name, way in ways.items() if not isinstance(way, Way)} <= unmet


def test_libvirt_takes_every_merged_domain() -> None:
    connection, refused = libvirt.open("test:///default"), {}
    merged = sorted(CASES.glob("*/*/merged.xml"))
    assert merged
    for path in merged:
        try:
            connection.defineXML(re.sub("<domain type=.[a-z]+.", "<domain type='test'", path.read_text())).undefine()
        except libvirt.libvirtError as error:
            refused[f"{path.parent.parent.name}/{path.parent.name}"] = str(error)
    assert {} == refused


def can_at_a_start(fact: Fact) -> bool:
    return fact.at_create or (fact.live is not None and fact.live.paused)


def without_keys(name: str) -> str:
    return re.sub(r"\[[^\]]*\]", "", name)
