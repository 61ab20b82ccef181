"""What comes out of a case: run through the public functions, in the case's own folder."""

from pathlib import Path

from domtune import catalogue, host, lifecycle, pipeline, profile, tree
from domtune.cli.source import read_xml
from domtune.compare import differences
from domtune.domain import split
from domtune.errors import Error, Invalid
from domtune.judge import judge
from domtune.lifecycle import Decision
from domtune.put import put
from domtune.take import EVERYTHING, Choice, take
from domtune.tree import Element
from domtune.tuning import Tuning
from domtune.vocabulary.drivers import DRIVERS
from support.schema import validates


def outcome(folder: Path) -> dict[str, str]:
    """Return the files that come out, by name."""
    try:
        if Path("domain.xml").exists():
            return parted(folder.name)
        if Path("definition.xml").exists():
            return merged(folder.parent.name if folder.parent.name in DRIVERS else "qemu")
        problems = [problem for each in catalogue.load("profile.yaml") for problem in judge(each.tuning)]
        assert problems, "the profile is good"
        raise Invalid(problems)
    except Error as error:
        return {"error.txt": f"{error}\n".replace(str(catalogue.SHIPPED), "SHIPPED")}


def parted(name: str) -> dict[str, str]:
    """Split `domain.xml`; words of the folder's name are options."""
    chosen = {option: option.replace("_", "-") in name for option in ("guest_visible", "measurement", "memlock")}
    parts = split(read_xml("domain.xml"), source="domain.xml", **chosen)
    text = profile.write(profile.named(name, parts.tuning))
    return {"definition.xml": f"{parts.definition}\n", "tuning.yaml": text}


def merged(driver: str) -> dict[str, str]:
    """Put what the driver honours at creation into `definition.xml`."""
    root = tree.parse(read_xml("definition.xml"), "definition.xml")
    problems: list[str] = []
    layers = [each.tuning for each in catalogue.load("profile.yaml")]
    wanted = pipeline.wanted(root, take(root, Choice(), "definition.xml"), layers, problems)
    settings = list(wanted.settings)
    if Path("host.xml").exists() and not problems:
        settings, problems = lifecycle.on_host(settings, machine(read_xml("host.xml")), driver)
    if problems := problems or lifecycle.misplaced(settings, root):
        raise Invalid(problems)
    decision = lifecycle.decide(settings, DRIVERS[driver], session=False, root=root)
    put(root, Tuning(decision.create, wanted.verbatim))
    xml = tree.serialise(root)
    assert [] == validates(xml)
    assert [] == lost(decision, xml, driver)
    return {"merged.xml": f"{xml}\n", "plan.txt": plan(decision)}


def machine(capabilities: str) -> host.Host:
    cpus = tree.parse(capabilities, "host.xml", root="capabilities").iterfind("host/topology/cells/cell/cpus/cpu")
    return host.read(capabilities, frozenset(int(cpu.get("id", "")) for cpu in cpus))


def lost(decision: Decision, xml: str, driver: str) -> list[str]:
    """Say what is to be given at creation and does not read back from the domain."""
    root: Element = tree.parse(xml)
    found = take(root, EVERYTHING).settings
    return [str(each) for each in differences(decision.create, found, root, driver) if not each.wanted.param.stays]


def plan(decision: Decision) -> str:
    lines = [f"at creation: {each.name} {each.said}" for each in decision.create]
    lines += [f"afterwards: {each.name} {each.said}" for each in decision.after]
    lines += [f"not done: {each}" for each in decision.not_done]
    return "".join(f"{line}\n" for line in lines)
