"""Where a parameter stands in the domain XML: a small notation for the rows, read once into steps.

    !cputune/!vcpupin[@vcpu]/@cpuset        an attribute; the elements are ours
    +memoryBacking/!nosharepages/.          mere presence
    !memtune/!hard_limit/text()&unit        text with a unit attribute beside it
    devices/disk[?disk]/driver/@io          `?disk`: chosen by the selector of the name, disk[vda]

Before the tag stands who may make and remove the element:

- ``!`` ours with all that is in it: gone after split, and what no row can say of it is kept verbatim
- ``+`` ours when nothing else is in it: made when missing, removed when split emptied it
- nothing: the definition's; made when missing, never removed
- ``=`` the definition's; must be there

Keys: ``[@a]`` an attribute, ``[@a,@b]`` several, ``[path]`` the text of a child, ``[#]`` the position,
``[?word]`` a selector, ``[@id#]`` an attribute or, without it, the position, ``[@vcpus*]`` an attribute that is a
set of ids, kept as it is written.
``{type=spice}`` and ``{type!=hostdev}`` tell two meanings of one path apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import cache

_STEP = re.compile(
    r"(?P<mark>[!+=]?)(?P<tag>[A-Za-z_][\w-]*)(?:\[(?P<key>[^\]]+)\])?(?:\{(?P<a>\w+)(?P<op>!?=)(?P<v>[^}]+)\})?"
)
_LEAF = re.compile(r"(?P<form>@|text\(\)|\.)(?P<attr>[\w-]*)(?P<unit>&unit)?")


class Owner(Enum):
    """Who may make and remove an element."""

    OURS = "!"
    SHARED = "+"
    DEFINITION = ""
    REQUIRED = "="


class Form(Enum):
    """What of an element is the value."""

    ATTRIBUTE = "@"
    TEXT = "text()"
    PRESENCE = "."


@dataclass(frozen=True, slots=True, eq=False)  # equal notation is one step: a step is its own key
class Step:
    """One element on the way."""

    tag: str
    owner: Owner
    key: str = ""
    test: tuple[str, str, bool] | None = None  # attribute, value, whether it must be equal
    key_names: tuple[str, ...] = ()  # the attributes that are the key
    is_device: bool = False  # chosen by a selector


@dataclass(frozen=True, slots=True)
class Leaf:
    """Where the value is in the last element."""

    form: Form
    attribute: str = ""
    unit: bool = False


@dataclass(frozen=True, slots=True, eq=False)  # one object for all paths that share the steps: its own key
class Above:
    """The steps to the element that the last step is below."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """The way from the domain element to a value."""

    steps: tuple[Step, ...]
    leaf: Leaf
    above: Above  # all steps but the last
    last: Step
    depth: int  # how many steps above the last take a key
    is_text: bool  # the value is the element's text and nothing beside it
    part: str = ""  # the fixed last key, for rows with parts

    @classmethod
    def read(cls, text: str, part: str = "") -> Path:
        """Read the notation."""
        whole = f"{text}/{part}" if part else text
        *steps, leaf = whole.split("/")
        name = re.sub(r"^[@!+=]*", "", part).split("/")[0] if part else ""
        found = tuple(_step(step) for step in steps)
        depth = sum(1 for step in found[:-1] if step.key)
        is_text = leaf == Form.TEXT.value
        return cls(found, _leaf(leaf), _above(found[:-1]), found[-1], depth, is_text, name)

    @property
    def key_steps(self) -> tuple[Step, ...]:
        """The steps that repeat, in order: each takes one key."""
        return tuple(step for step in self.steps if step.key)

    @property
    def xpath(self) -> str:
        """The path as people write it, for messages and the reference."""
        steps = "".join(f"/{step.tag}" + _xpath_key(step) for step in self.steps)
        last = {Form.ATTRIBUTE: f"/@{self.leaf.attribute}", Form.TEXT: "", Form.PRESENCE: ""}[self.leaf.form]
        return f"/domain{steps}{last}"


@cache
def _above(steps: tuple[Step, ...]) -> Above:
    return Above(steps)


@cache
def _step(text: str) -> Step:
    match = _STEP.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is no step of a path")
    test = (match["a"], match["v"], match["op"] == "=") if match["a"] else None
    key = match["key"] or ""
    names = tuple(name.strip("@*#") for name in key.split(",")) if key.startswith("@") else ()
    return Step(match["tag"], Owner(match["mark"]), key, test, names, key.startswith("?"))


def _leaf(text: str) -> Leaf:
    match = _LEAF.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is no leaf of a path")
    return Leaf(Form(match["form"]), match["attr"], bool(match["unit"]))


def _xpath_key(step: Step) -> str:
    key = f"[{step.key.rstrip('#*')}]" if step.key and step.key[0] not in "?#" else ""
    if step.test:
        name, value, equal = step.test
        key += f"[@{name}{'=' if equal else '!='}'{value}']"
    return key
