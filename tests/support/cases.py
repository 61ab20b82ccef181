"""What comes out of a case: run through the public functions, in the case's own folder."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from domtune import catalogue, host, lifecycle, pipeline, profile, tree
from domtune.cli.source import read_xml
from domtune.compare import differences
from domtune.domain import split
from domtune.errors import Error, Invalid
from domtune.intents.model import Site
from domtune.layers import Bound, Scope
from domtune.lifecycle import Decision
from domtune.profile import Profile
from domtune.put import put
from domtune.take import EVERYTHING, Choice, take
from domtune.tree import Element
from domtune.tuning import Setting, Tuning
from domtune.vocabulary.drivers import DRIVERS
from support.schema import validates


def outcome(folder: Path) -> dict[str, str]:
    """Return the files that come out, by name."""
    try:
        if Path("domain.xml").exists():
            return parted(folder.name)
        if Path("definition.xml").exists():
            return merged(folder, folder.parent.name if folder.parent.name in DRIVERS else "qemu")
        catalogue.load("profile.yaml", judged=True)
        raise AssertionError("the profile is good")
    except Error as error:
        return {"error.txt": f"{error}\n".replace(str(catalogue.SHIPPED), "SHIPPED")}


def parted(name: str) -> dict[str, str]:
    """Split `domain.xml`; words of the folder's name are options."""
    chosen = {option: option.replace("_", "-") in name for option in ("guest_visible", "measurement", "memlock")}
    parts = split(read_xml("domain.xml"), source="domain.xml", **chosen)
    text = profile.write(profile.named(name, parts.tuning))
    return {"definition.xml": f"{parts.definition}\n", "tuning.yaml": text}


def merged(folder: Path, driver: str) -> dict[str, str]:
    """Put what the driver honours at creation into `definition.xml`."""
    here = machine(folder, read_xml("host.xml")) if Path("host.xml").exists() else host.Host()
    decision, xml = decided(Path("definition.xml"), catalogue.load("profile.yaml"), Site(driver, here))
    return {"merged.xml": f"{xml}\n", "plan.txt": plan(decision)}


def decided(definition: Path, profiles: Sequence[Profile], site: Site) -> tuple[Decision, str]:
    """Return what is done with each setting, and the domain with what is given at creation."""
    root = tree.parse(read_xml(str(definition)), definition.name)
    problems: list[str] = []
    bounds = [Bound(Scope.COMMAND, "the command line", tuple(profiles))]
    wanted = pipeline.wanted(root, take(root, Choice(), definition.name), bounds, site, problems)
    settings = list(wanted.tuning.settings)
    if not problems:
        settings, lacking = lifecycle.on_host(settings, site.host, site.driver)
        problems = [str(each) for each in lacking]
    if problems := problems or lifecycle.misplaced(settings, root):
        raise Invalid(problems)
    decision = lifecycle.decide(settings, DRIVERS[site.driver], session=False, root=root)
    decision = replace(decision, not_done=(*wanted.unmet, *decision.not_done))
    put(root, Tuning(decision.create, wanted.tuning.verbatim))
    xml = tree.serialise(root)
    assert [] == validates(xml)
    assert [] == lost(decision, xml, site.driver)
    return decision, xml


def machine(folder: Path, capabilities: str) -> host.Host:
    """Return the host of `host.xml`, with CPUs of 2 GHz; a folder's name can say its version of cgroups."""
    cpus = tree.parse(capabilities, "host.xml", root="capabilities").iterfind("host/topology/cells/cell/cpus/cpu")
    online = frozenset(int(cpu.get("id", "")) for cpu in cpus)
    version = next((number for number in (1, 2) if f"cgroup-{number}" in folder.name), host.UNKNOWN)
    return host.read(capabilities, online, cgroup=version, mhz=2000, name="north-1")


def lost(decision: Decision, xml: str, driver: str) -> list[str]:
    """Say what is to be given at creation and does not read back from the domain."""
    root: Element = tree.parse(xml)
    found = take(root, EVERYTHING).settings
    return [str(each) for each in differences(decision.create, found, root, driver) if not each.wanted.param.stays]


def plan(decision: Decision) -> str:
    lines = [f"at creation: {said(each)}" for each in decision.create]
    lines += [f"afterwards: {said(each)}" for each in decision.after]
    lines += [f"not done: {each}" for each in decision.not_done]
    return "".join(f"{line}\n" for line in lines)


def said(setting: Setting) -> str:
    return f"{setting.name} {setting.said}" + (f", for {setting.by}" if setting.by else "")
