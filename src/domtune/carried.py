"""Profiles that a domain carries: their names in its metadata, so that they travel with it.

<metadata>
  <domtune:bindings xmlns:domtune="urn:domtune:bindings:1"><domtune:profile>latency</domtune:profile></...>
</metadata>
"""

from __future__ import annotations

import re

from domtune import tree
from domtune.tree import Element

NAMESPACE = "urn:domtune:bindings:1"
PREFIX = "domtune"
_SAYABLE = re.compile(r"[\w./-]+")  # a name, or a path, which whoever asks refuses with the way out


def get(root: Element, problems: list[str]) -> tuple[str, ...]:
    """Return the names that a domain carries; what else is said there is a problem, after the domain's name."""
    elements = _elements(root)
    names: list[str] = []
    found: list[str] = []
    for element in elements:
        if element.tag != f"{{{NAMESPACE}}}bindings" or element.attrib or _has_text(element):
            found.append("only <bindings> with <profile> in it is known")
        for child in element.iterchildren("*"):  # no comments
            name = (child.text or "").strip()
            if child.tag != f"{{{NAMESPACE}}}profile" or len(child) or child.attrib or not name:
                found.append("only <profile>NAME</profile> is known in <bindings>")
            elif not _SAYABLE.fullmatch(name):
                found.append(f"profile {name!a}: no name of a profile; take it out")
            elif name in names:
                found.append(f"profile {name}: named twice; keep one")
            else:
                names.append(name)
    who = (root.findtext("name") or "").strip()
    problems += [f"{who}: metadata {NAMESPACE}: {each}" for each in dict.fromkeys(found)]
    return tuple(names)


def has_comments(root: Element) -> bool:
    """Tell whether somebody wrote more there than names, which writing them anew would lose."""
    return any(not tree.is_element(node) for element in _elements(root) for node in element.iter())


def element(names: tuple[str, ...]) -> str:
    """Return the element for these names; libvirt gives it and what is in it the namespace."""
    bindings = tree.fragment("<bindings/>")
    for name in names:
        tree.append(bindings, "profile").text = name
    return tree.outer(bindings)


def _elements(root: Element) -> list[Element]:
    return root.findall(f"metadata/{{{NAMESPACE}}}*")


def _has_text(element: Element) -> bool:
    return any(text and text.strip() for text in (element.text, *(child.tail for child in element)))
