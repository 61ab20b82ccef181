"""libvirt's own RELAX NG grammar of a domain, as installed on this machine."""

import subprocess
from functools import cache
from pathlib import Path

from lxml import etree


@cache
def domain_rng() -> Path:
    """Where libvirt installed domain.rng; its pkg-config file only tells the data directory."""
    asked = subprocess.run(
        ["pkg-config", "--variable=datarootdir", "libvirt"],
        capture_output=True,
        text=True,
        check=False,
    )
    root = Path(asked.stdout.strip() or "/usr/share")
    return root / "libvirt" / "schemas" / "domain.rng"


@cache
def _compiled() -> etree.RelaxNG:
    return etree.RelaxNG(etree.parse(domain_rng()))


def validates(xml: str) -> list[str]:
    """Say why a document is no domain by libvirt's grammar: one line for each error, none when it is valid."""
    return validates_tree(etree.fromstring(xml.encode(), etree.XMLParser(encoding="utf-8", resolve_entities=False)))


def validates_tree(root: etree._Element) -> list[str]:
    grammar = _compiled()
    if grammar.validate(root):
        return []
    return [f"line {error.line}: {error.message}" for error in grammar.error_log]
