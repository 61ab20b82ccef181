"""Short ways to say what tests are about: settings as a profile says them, a domain with little in it."""

import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from textwrap import dedent, indent

from lxml import etree

from domtune import profile
from domtune.intents.model import Want
from domtune.layers import Bound, Scope
from domtune.profile import Profile
from domtune.tuning import Setting, Tuning
from support.sampler import samples

DOCUMENTS = Path(__file__).parent.parent / "documents"


def said(text: str) -> list[Setting]:
    """Return what a profile says whose `set:` block this is."""
    return list(profile.read(f"profile: x\nset:\n{indent(dedent(text).strip(), '  ')}\n", "x.yaml").tuning.settings)


def bound(*layers: Tuning | Profile, scope: Scope = Scope.COMMAND, origin: str = "-p") -> Bound:
    """Return what one binding brings in: each of these as a profile, the later over the earlier."""
    profiles = (each if isinstance(each, Profile) else Profile("x", tuning=each) for each in layers)
    return Bound(scope, origin, tuple(profiles))


def names(tuning: Tuning | Sequence[Setting | Want]) -> dict[str, str]:
    """Return settings as a dict that prints well."""
    return {setting.name: setting.said for setting in tuning}


def domain(inside: str = "", devices: str = "", vcpus: int = 4) -> str:
    """Return a domain that holds this, and these devices."""
    return (
        f"<domain type='test'><name>x</name><memory>4194304</memory><vcpu>{vcpus}</vcpu>{inside}"
        f"<os><type>hvm</type></os><devices>{devices}</devices></domain>"
    )


def root(inside: str = "", devices: str = "", vcpus: int = 4) -> etree._Element:
    return etree.fromstring(domain(inside, devices, vcpus))


@cache
def documents(sampled: int) -> dict[str, str]:
    """Return the documents of tests/documents, as many random ones, and those of LIBVIRT_SRC if it is set."""
    found = {f"{path.parent.name}/{path.name}": path.read_text(encoding="utf-8") for path in DOCUMENTS.glob("*/*.xml")}
    found |= {f"sample {number}": xml for number, xml in enumerate(samples(sampled, seed=20231))}
    return found | dict(_of_libvirt())


def _of_libvirt() -> Iterator[tuple[str, str]]:
    """Give libvirt's own test documents that are whole domains; they are read where they are, never copied."""
    source = os.environ.get("LIBVIRT_SRC")
    for path in sorted(Path(source, "tests").rglob("*.xml")) if source else ():
        text = path.read_text(encoding="utf-8", errors="replace")
        if text.lstrip().startswith("<domain ") and "<!DOCTYPE" not in text:
            yield str(path), text
