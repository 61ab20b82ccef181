"""Take the tuning out of a parsed domain; what is left is the definition.

One walk down the document beside the tree of the vocabulary's paths. The walk only reads: it notes settings, verbatim
pieces with their places in the complete document, and what to take out; the taking out comes last.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from domtune import needs, tree
from domtune.devices import selectors
from domtune.kinds import DEFAULT
from domtune.tree import Element
from domtune.trie import Node, Row, trie
from domtune.tuning import Place, Setting, Tuning, Verbatim
from domtune.vocabulary import PARAMS
from domtune.vocabulary.model import Needs
from domtune.vocabulary.path import Form, Owner, Step


class Choice(NamedTuple):
    """What besides plain tuning is taken out."""

    guest_visible: bool = False
    measurement: bool = False
    memlock: bool = False  # hard_limit and locked also where a passed-through device may need them


EVERYTHING = Choice(guest_visible=True, measurement=True, memlock=True)


def take(root: Element, choice: Choice, source: str = "XML") -> Tuning:
    """Take the tuning out of a parsed domain, which is changed into its definition, and return it."""
    walk = _Walk(root, choice, source)
    paths = trie(guest_visible=choice.guest_visible, measurement=choice.measurement)
    walk.visit(root, paths, ())
    walk.clear()
    if walk.stay is not None and walk.stay.memfd:
        _leave_memfd(root, walk)
    walk.prune()
    return Tuning(tuple(walk.settings), tuple(walk.verbatim))


Seen = set[Node | tuple[Node, str | None]]  # what was said before below one element


class _Walk:
    """What one walk has noted so far."""

    def __init__(self, root: Element, choice: Choice, source: str) -> None:
        self.root = root
        self.choice = choice
        self.source = source
        self.stay: needs.Stay | None = None  # found out when the first row asks
        self.settings: list[Setting] = []
        self.verbatim: list[Verbatim] = []
        self.attributes: list[tuple[Element, str]] = []  # to take out
        self.elements: list[Element] = []  # to take out
        self.shared: list[tuple[Element, Verbatim | None]] = []  # to take out if nothing is left in them
        self.anchors: set[Element] = set()  # where verbatim pieces will hang: must stay
        self.called: dict[Element, str] = {}  # selectors of devices

    def visit(self, element: Element, node: Node, keys: tuple[str, ...], *, twin: bool = False) -> None:
        """Note what the rows at and below `node` find in an element of the definition.

        `twin`: an earlier element said the same, so all of it is kept verbatim.
        """
        if node.attributes:
            self._attributes(element, node, keys, twin=twin)
        children = node.children
        if not children:
            return
        seen: Seen = set()
        for child in element:
            for below in children.get(child.tag, ()):  # type: ignore[arg-type] # comments have no name
                if below.test is not None and not below.matches(child):
                    continue
                if below.passage and below not in seen:
                    seen.add(below)
                    self.visit(child, below, keys, twin=twin)
                elif below.device:
                    self._device(child, below, twin=twin)
                else:
                    self._child(child, below, keys, seen, twin=twin)

    def _inside(self, element: Element, node: Node, keys: tuple[str, ...]) -> None:
        """Note what rows find in an element of ours, and keep verbatim what none can say: all of it leaves."""
        self._values(element, node, keys)
        if not len(element):
            return
        seen: Seen = set()
        children = node.children
        for child in element:
            known: Sequence[Node] = children.get(child.tag, ())  # type: ignore[arg-type] # comments have no name
            if known and (known[0].test is not None or len(known) > 1):
                known = [below for below in known if below.matches(child)]
            for below in known:
                if not (below.leaf and self._leaf(child, below, keys, seen)):
                    self._nested(child, below, keys, seen)
            tail = child.tail
            if not known or (tail and not tail.isspace()):
                self._around(child, element, node, known=bool(known))

    def _around(self, child: Element, element: Element, node: Node, *, known: bool) -> None:
        """Keep a child that no row knows, and stray text behind any."""
        if not known:
            self._unknown(child, node)
        tail = child.tail
        if tail and not tail.isspace():
            self.verbatim.append(_stray(child.getnext(), element, tail))

    def _leaf(self, child: Element, node: Node, keys: tuple[str, ...], seen: Seen) -> bool:
        """Note the most common element at once: a leaf of which rows can say all. Tell whether it was that."""
        if node.plain and node not in seen and not len(child) and not child.keys():
            if self._say(child, node.plain, keys, (child.text or "").strip(), None):
                seen.add(node)
                return True
            return False
        key = node.read_key(child) if node.read_key else ""
        mark = (node, key) if key else node
        if key is None or mark in seen or len(child):
            return False
        below = (*keys, key) if key else keys
        settings = len(self.settings)
        names = child.keys()
        left = len(names) - len(node.key_names) - (node.test is not None)  # attributes that rows must say
        unit = child.get("unit") if "unit" in names else None
        text = child.text
        said = not node.presence or self._say(child, node.presence, below, "true", None)
        for name in names:
            row = node.attributes.get(name)
            if row is not None:
                said = said and self._say(child, row, below, child.get(name, ""), unit if row.leaf.unit else None)
                left -= 1 + (row.leaf.unit and unit is not None)
        if node.text:
            said = said and self._say(
                child, node.text, below, (text or "").strip(), unit if node.text.leaf.unit else None
            )
            left -= node.text.leaf.unit and unit is not None
        elif text and not text.isspace():
            said = False
        if said and not left and len(self.settings) > settings:
            seen.add(mark)
            return True
        del self.settings[settings:]
        return False

    def _unknown(self, child: Element, node: Node) -> None:
        """Keep what no row knows; of a child that is the key, which comes back with it, only what hangs on it."""
        if child.tag != node.key:
            self.verbatim.append(_piece(child))
            return
        if child.attrib:
            names = [str(name) for name in child.attrib]
            self.verbatim.append(Verbatim(Place.ON, tree.path_of(child), attributes=_items(child, names)))
        self.verbatim.extend(_piece(below) for below in child)

    def _child(self, child: Element, node: Node, keys: tuple[str, ...], seen: Seen, *, twin: bool) -> None:
        """Note an element that repeats or may leave."""
        key, again = _key(child, node, seen)
        remains = self._remains(child, node) if node.may_stay else ""
        if remains == "whole":
            return
        again = again or twin
        below = (*keys, key) if key else keys
        if (node.owner is Owner.OURS or (again and node.owner is Owner.SHARED)) and not remains:
            self._leaving(child, node, None if again or key is None else below)
        elif key is not None:
            settings = len(self.settings)
            self.visit(child, node, below, twin=again)
            if node.owner in _REMOVABLE and len(self.settings) > settings:
                self.shared.append((child, _beside(child)))

    def _nested(self, child: Element, node: Node, keys: tuple[str, ...], seen: Seen) -> None:
        """Note an element within one that leaves."""
        key, again = _key(child, node, seen)
        if again or key is None or not self._said(child, node, (*keys, key) if key else keys):
            self.verbatim.append(_piece(child))

    def _leaving(self, child: Element, node: Node, keys: tuple[str, ...] | None) -> None:
        """Note an element that leaves as a whole: as settings what rows can say, verbatim the rest."""
        said = keys is not None and self._said(child, node, keys)
        if not said and tree.is_empty(child) and node.children and node.presence is None:
            return
        if not said:
            self.verbatim.append(_piece(child))
        self.elements.append(child)
        self._remember(_beside(child) if said else None)

    def _said(self, child: Element, node: Node, keys: tuple[str, ...]) -> bool:
        """Note what rows say of an element of ours; tell whether they said anything."""
        settings, verbatim = len(self.settings), len(self.verbatim)
        self._inside(child, node, keys)
        if len(self.settings) > settings:
            return True
        del self.verbatim[verbatim:]
        return False

    def _device(self, device: Element, node: Node, *, twin: bool) -> None:
        """Note what is said of one device; only then ask what it is called."""
        settings = len(self.settings)
        self.visit(device, node, ("",), twin=twin)
        if len(self.settings) > settings:
            name = (self._selector(device),)
            self.settings[settings:] = [_renamed(setting, name) for setting in self.settings[settings:]]

    def _attributes(self, element: Element, node: Node, keys: tuple[str, ...], *, twin: bool) -> None:
        """Note values in attributes of an element of the definition."""
        rows = node.attributes
        for name in element.keys():  # noqa: SIM118 - an element is no mapping
            row = rows.get(name)
            if row is None or (node.may_stay and self._stays(row, element.get(name, ""))):
                continue
            unit = element.get("unit") if row.leaf.unit else None
            names = [name] if unit is None else [name, "unit"]
            if twin or not self._say(element, row, keys, element.get(name, ""), unit):
                self.verbatim.append(Verbatim(Place.ON, tree.path_of(element), attributes=_items(element, names)))
                self.anchors.add(element)
            self.attributes.extend((element, each) for each in names)

    def _values(self, element: Element, node: Node, keys: tuple[str, ...]) -> None:
        """Note the values that an element of ours itself holds, and keep what stands beside them."""
        used = set(_key_attributes(node.step)) if node.step else set()
        if node.presence and not (node.children and len(element)):
            self._say(element, node.presence, keys, "true", None)
        for name, row in node.attributes.items():
            text = element.get(name)
            unit = element.get("unit") if row.leaf.unit else None
            if text is not None and self._say(element, row, keys, text, unit):
                used.update((name,) if unit is None else (name, "unit"))
        self._text(element, node, keys, used)
        self._strays(element, node, used)

    def _text(self, element: Element, node: Node, keys: tuple[str, ...], used: set[str]) -> None:
        if node.text and not len(element):  # libvirt reads 20<!-- -->48 as 2048: such text stays as it is
            unit = element.get("unit") if node.text.leaf.unit else None
            if self._say(element, node.text, keys, (element.text or "").strip(), unit) and unit is not None:
                used.add("unit")

    def _strays(self, element: Element, node: Node, used: set[str]) -> None:
        """Keep attributes and text that no row can say."""
        if others := [name for name in element.keys() if name not in used]:  # noqa: SIM118 - an element is no mapping
            self.verbatim.append(Verbatim(Place.ON, tree.path_of(element), attributes=_items(element, others)))
        if not node.text and (text := element.text) and not text.isspace():
            self.verbatim.append(_stray(element[0] if len(element) else None, element, text))

    def _say(self, element: Element, row: Row, keys: tuple[str, ...], text: str, unit: str | None) -> bool:
        """Note a setting, if a profile can say it."""
        param = row.param
        below = keys + row.part if row.part else keys
        if row.said(text, unit) is None:
            return False
        # What Setting(…) does, without the call in between: this line runs once for each value of a document.
        self.settings.append(
            tuple.__new__(Setting, (param, below, text, unit, self.source, element.sourceline, False, ""))
        )
        return True

    def _stays(self, row: Row, text: str) -> bool:
        param = row.param
        if param.needs is None:
            return text in param.implied
        if self.stay is None:
            choice = self.choice
            self.stay = needs.what_stays(self.root, guest_visible=choice.guest_visible, memlock=choice.memlock)
        return param.needs in self.stay.needs

    def _remains(self, element: Element, node: Node) -> str:
        """Tell whether the "whole" of an element stays in the definition, a "part" of it, or "" nothing."""
        for row in node.rows():
            form = row.leaf.form
            text = element.get(row.leaf.attribute) if form is Form.ATTRIBUTE else (element.text or "").strip()
            if text is not None and self._stays(row, text) and node.owner is Owner.OURS:
                return "whole"
        below = (
            (child, other) for child in element for other in node.children.get(tree.tag(child), ()) if other.may_stay
        )
        return "part" if any(self._remains(child, other) for child, other in below) else ""

    def _selector(self, device: Element) -> str:
        if device not in self.called:
            parent = device.getparent()
            devices = [] if parent is None else list(parent.iterchildren(tree.tag(device)))
            self.called.update(zip(devices, selectors(devices), strict=True))
        return self.called[device]

    def clear(self) -> None:
        """Take out the values and elements that were noted."""
        for element, name in self.attributes:
            element.attrib.pop(name, None)
        for element in self.elements:
            tree.remove(element)

    def prune(self) -> None:
        """Take out elements of ours that are empty now."""
        for element, beside in self.shared:
            if tree.is_empty(element) and element not in self.anchors:
                tree.remove(element)
                self._remember(beside)

    def _remember(self, beside: Verbatim | None) -> None:
        if beside is not None:
            self.verbatim.append(beside)


_REMOVABLE = {Owner.SHARED, Owner.OURS}


def _leave_memfd(root: Element, walk: _Walk) -> None:
    """Let a memfd hold the memory that stays shared while its huge pages leave; merge takes it away again."""
    source = next(param for param in PARAMS.values() if param.needs is Needs.SHARED_SOURCE)
    backing = root.find("memoryBacking")
    if backing is None:
        return
    tree.new_child(backing, source.paths[0].steps[-1].tag).set("type", needs.MEMFD)
    if all(setting.param is not source for setting in walk.settings):
        walk.settings.append(Setting(source, (), DEFAULT, None, walk.source, backing.sourceline))


def _renamed(setting: Setting, name: tuple[str]) -> Setting:
    """Put the device's name where the first key is."""
    param, keys, *rest = setting
    return tuple.__new__(Setting, (param, name + keys[1:] if len(keys) > 1 else name, *rest))


def _key(child: Element, node: Node, seen: Seen) -> tuple[str | None, bool]:
    """Return the key of an element, None if it has none that can be said, and whether it was seen before."""
    key = node.read_key(child) if node.read_key else ""
    mark = (node, key) if key else node
    again = mark in seen
    seen.add(mark)
    return key, again


@cache
def _key_attributes(step: Step) -> set[str]:
    return {*step.key_names, *([step.test[0]] if step.test and step.test[2] else [])}


def _items(element: Element, names: list[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(element.get(name))) for name in names)


def _piece(node: Element) -> Verbatim:
    """Keep an element in its order among those of its name, a comment before what it speaks of."""
    parent = node.getparent()
    holder = "" if parent is None else tree.path_of(parent)
    if not tree.is_element(node):
        after = next((each for each in node.itersiblings() if tree.is_element(each)), None)
        if after is None:
            return Verbatim(Place.LAST, holder, tree.outer(node))
        return Verbatim(Place.BEFORE, tree.path_of(after), tree.outer(node))
    before = next(node.itersiblings(tree.tag(node), preceding=True), None)
    if before is None and next(node.itersiblings(tree.tag(node)), None) is None:
        before = next((each for each in node.itersiblings(preceding=True) if tree.is_element(each)), None)
    if before is None:
        return Verbatim(Place.FIRST, holder, tree.outer(node))
    return Verbatim(Place.AFTER, tree.path_of(before), tree.outer(node))


def _beside(node: Element) -> Verbatim | None:
    """Note the comment that an element which leaves stands beside: where it comes back is free but for that."""
    for place, next_to in ((Place.FOLLOWS, node.getprevious()), (Place.PRECEDES, node.getnext())):
        if next_to is not None and not tree.is_element(next_to):
            return Verbatim(place, tree.path_of(node), tree.outer(next_to))
    return None


def _stray(following: Element | None, parent: Element, text: str) -> Verbatim:
    while following is not None and not tree.is_element(following):
        following = following.getnext()
    if following is None:
        return Verbatim(Place.LAST, tree.path_of(parent), text=text.strip())
    return Verbatim(Place.BEFORE, tree.path_of(following), text=text.strip())
