"""A definition while tuning is put into it: elements are found or made on the way to each value."""

from __future__ import annotations

import re
from collections.abc import Iterator

from domtune import tree
from domtune.devices import select, selectors
from domtune.kinds import ALL_CPUS, DEFAULT, Ids
from domtune.tree import Element
from domtune.tuning import Setting
from domtune.vocabulary.path import Above, Form, Leaf, Owner, Path, Step

# Where libvirt writes its own children of <domain>; a new element goes before the first that comes later.
_ORDER = re.findall(
    r"\w+",
    "name uuid genid title description metadata maxMemory memory currentMemory blkiotune memtune memoryBacking vcpu "
    "vcpus iothreads iothreadids defaultiothread cputune numatune resource sysinfo bootloader bootloader_args os idmap "
    "features cpu clock on_poweroff on_reboot on_crash on_lockfailure pm perf devices seclabel keywrap launchSecurity",
)
# Of these, libvirt's schema takes any order as long as they stand together.
_TOGETHER = frozenset(_ORDER[_ORDER.index("maxMemory") : _ORDER.index("sysinfo")])
_PAIRS = {"read": "write", "write": "read"}
FIRST = "partition"  # the only element of ours whose place among others the schema fixes: it comes first
_RANK = {tag: number for number, tag in enumerate(_ORDER)}


class Builder:
    """A definition with tuning on the way into it, and what is in the way."""

    def __init__(self, root: Element) -> None:
        self.root = root
        self.problems: list[str] = []
        self._places: dict[tuple[Above, tuple[str, ...]], Element] = {}
        self._children: dict[tuple[Element, Step, str], Element] = {}
        self._looked: set[tuple[Element, Step]] = set()
        self._made: set[Element] = set()
        self._holders: dict[Element, None] = {}  # of these, what values are below, from the outside in
        self._kin: list[Element] | None = None

    def set(self, setting: Setting) -> None:
        """Write one setting, or take its value away if it says `default`."""
        param, _, text, unit, *_ = setting
        path = param.paths[0] if len(param.paths) == 1 else path_of(setting)
        if path is None:
            self._refuse(setting, "stands in no domain XML; leave it to start, which applies it to the running domain")
        elif text == ALL_CPUS and isinstance(param.kind_of(setting.keys), Ids):
            self._refuse(setting, "r means every CPU of the host, and the host is not known here; give the list")
        elif text == DEFAULT and unit is None:
            self._unset(setting, path)
        elif (element := self._find(setting, path)) is None:
            return
        elif path.is_text:
            element.text = text
        else:
            _write(element, path.leaf, setting)

    def indent(self) -> None:
        """Give the elements that were made the white space of their neighbours, once all are there."""
        for element in self._holders:
            if element.tag == "iotune":
                _pair(element)
            if len(element):
                tree.indent(element)

    def reorder(self, first: Element, keys: tuple[str, ...]) -> None:
        """Put the elements of one name into the order of their keys."""
        parent = first.getparent()
        every = self._children.items()
        found = {key: child for (above, step, key), child in every if above is parent and step.tag == first.tag}
        tree.reorder([found[key] for key in keys if key in found])

    def _find(self, setting: Setting, path: Path, *, make: bool = True) -> Element | None:
        """Return the element that holds the value; on the way make what may be made."""
        keys = setting.keys
        depth = path.depth
        place = (path.above, keys[:depth])
        above = self._places.get(place)
        if above is None:
            above = self._walk(setting, path.above.steps, make=make)
            if above is None:
                return None
            self._places[place] = above
        step = path.last
        key = keys[depth] if step.key else ""
        found = self._children.get((above, step, key))
        if found is None and make and above in self._made and step.owner is not Owner.REQUIRED:  # the most common
            found = self._children[above, step, key] = self._make(above, step, key)
        return found if found is not None else self._below(setting, above, step, key, make=make)

    def _walk(self, setting: Setting, steps: tuple[Step, ...], *, make: bool) -> Element | None:
        element: Element | None = self.root
        keys = iter(setting.keys)
        for step in steps:
            if element is not None:
                element = self._below(setting, element, step, next(keys) if step.key else "", make=make)
                if element in self._made:
                    self._holders[element] = None
        return element

    def _below(self, setting: Setting, parent: Element, step: Step, key: str, *, make: bool) -> Element | None:
        """Return the child that a step means; make it if it is not there and may be made."""
        found = self._children.get((parent, step, key))
        if found is None and parent not in self._made:
            found = self._look(parent, step, key)
        if found is None and make:
            if step.owner is Owner.REQUIRED:
                self._refuse(setting, _missing(parent, step, key))
            else:
                found = self._children[parent, step, key] = self._make(parent, step, key)
        return found

    def _look(self, parent: Element, step: Step, key: str) -> Element | None:
        """Look once for all the children that a step can mean."""
        if (parent, step) not in self._looked:
            self._looked.add((parent, step))
            for name, child in _named(parent, step) if step.is_device else _keyed(parent, step):
                self._children.setdefault((parent, step, name), child)
        if step.is_device and (parent, step, key) not in self._children:
            called = select(list(parent.iterchildren(step.tag)), key)
            if len(called) == 1 and _passes(called[0], step):
                self._children[parent, step, key] = called[0]
        return self._children.get((parent, step, key))

    def _make(self, parent: Element, step: Step, key: str) -> Element:
        if parent in self._made and step.tag != FIRST:
            child = tree.append(parent, step.tag)
        elif parent is self.root:
            child = self._make_below_domain(step.tag)
        else:
            child = tree.new_child(parent, step.tag, next_of(parent, step.tag))
        self._made.add(child)
        if step.test and step.test[2]:
            child.set(step.test[0], step.test[1])
        names = step.key_names
        if len(names) == 1:
            child.set(names[0], key)
        elif names:
            for name, part in zip(names, key.split("/"), strict=True):
                child.set(name, part)
        elif step.key and step.key != "#":
            tree.append(child, step.key).text = key
        return child

    def _make_below_domain(self, tag: str) -> Element:
        if self._kin is None:
            self._kin = kin_of(self.root)
        before = next_of(self.root, tag, self._kin)
        child = tree.new_child(self.root, tag, before)
        if tag in _TOGETHER:
            place = next((n for n, kin in enumerate(self._kin) if kin is before), len(self._kin))
            self._kin.insert(place, child)
        return child

    def _unset(self, setting: Setting, path: Path) -> None:
        element = self._find(setting, path, make=False)
        if element is None:
            return
        if path.leaf.form is Form.ATTRIBUTE:
            element.attrib.pop(path.leaf.attribute, None)
        else:
            element.text = None
        if path.leaf.unit:
            element.attrib.pop("unit", None)
        for step in reversed(path.steps):
            above = element.getparent()
            if step.owner not in {Owner.OURS, Owner.SHARED} or not _bare(element, step) or above is None:
                return
            tree.remove(element)
            self._children = {place: child for place, child in self._children.items() if child is not element}
            self._made.discard(element)
            self._places.clear()
            element = above

    def _refuse(self, setting: Setting, reason: str) -> None:
        origin = f"{setting.origin}: " if setting.origin else ""
        self.problems.append(f"{origin}{setting.name}: {reason}")


def path_of(setting: Setting) -> Path | None:
    """Return the path at which a setting stands, None for one that stands in no XML."""
    param = setting.param
    if not param.parts:
        return param.paths[0] if param.paths else None
    return next(path for path in param.paths if path.part == setting.keys[-1])


def next_of(parent: Element, tag: str, kin: list[Element] | None = None) -> Element | None:
    """Return the child before which a new one goes, None for the end.

    `kin` are the children of <domain> that must stand together, in document order, where they are known already.
    """
    if tag == FIRST:
        return next(iter(parent), None)
    if parent.tag == "iotune":
        return _after_its_pair(parent, tag)
    rank = _RANK.get(tag)
    if rank is None or parent.tag != "domain":
        return None
    if tag in _TOGETHER and (kin := kin_of(parent) if kin is None else kin):
        earlier = next((child for child in reversed(kin) if _RANK[tree.tag(child)] <= rank), None)
        return kin[0] if earlier is None else earlier.getnext()
    return next(
        (child for child in parent.iterchildren("{*}*") if _RANK.get(tree.tag(child), len(_ORDER)) > rank), None
    )


def kin_of(root: Element) -> list[Element]:
    """Return the children of <domain> that libvirt's schema takes in any order only while they stand together."""
    return [child for child in root if child.tag in _TOGETHER]


def _pair(iotune: Element) -> None:
    """Put read_x and write_x side by side: libxml2 must see their choice so."""
    limits = {tree.tag(child): child for child in iotune}
    for name, child in limits.items():
        read = limits.get(f"read_{name[6:]}") if name.startswith("write_") else None
        if read is not None and read.getnext() is not child and child.getnext() is not read:
            read.addnext(child)


def _after_its_pair(parent: Element, tag: str) -> Element | None:
    """Return what follows read_x for write_x, and the other way round: libxml2 must see their choice side by side."""
    way, _, what = tag.partition("_")
    pair = parent.find(f"{_PAIRS[way]}_{what}") if way in _PAIRS else None
    return None if pair is None else pair.getnext()


def _write(element: Element, leaf: Leaf, setting: Setting) -> None:
    if leaf.form is Form.ATTRIBUTE:
        element.set(leaf.attribute, setting.text)
    elif leaf.form is Form.TEXT:
        element.text = setting.text
    if leaf.unit:
        if setting.unit is not None:
            element.set("unit", setting.unit)
        else:
            element.attrib.pop("unit", None)


def _named(parent: Element, step: Step) -> Iterator[tuple[str, Element]]:
    """Give the devices with what split would call them."""
    devices = list(parent.iterchildren(step.tag))
    named = zip(selectors(devices), devices, strict=True)
    return ((name, device) for name, device in named if _passes(device, step))


def _keyed(parent: Element, step: Step) -> Iterator[tuple[str, Element]]:
    """Give the elements that are there with their keys."""
    return ((_key(child, step, number), child) for number, child in enumerate(_passing(parent, step)))


def _passing(parent: Element, step: Step) -> Iterator[Element]:
    return (child for child in parent.iterchildren(step.tag) if _passes(child, step))


def _passes(element: Element, step: Step) -> bool:
    return step.test is None or (element.get(step.test[0]) == step.test[1]) is step.test[2]


def _key(child: Element, step: Step, number: int) -> str:
    key = step.key
    if not key:
        return ""
    if key == "#" or (key.endswith("#") and child.get(key[1:-1]) is None):
        return str(number)
    if step.key_names:
        return "/".join(child.get(name) or "" for name in step.key_names)
    return (child.findtext(key) or "").strip()


def _bare(element: Element, step: Step) -> bool:
    return not len(element) and not (element.text or "").strip() and set(element.attrib) <= set(step.key_names)


def _missing(parent: Element, step: Step, key: str) -> str:
    if not step.key:
        return f"this definition has no <{step.tag}> below <{tree.tag(parent)}>; add it there first"
    there = ", ".join(selectors(list(parent.iterchildren(step.tag)))) if step.key.startswith("?") else ""
    return f"this definition has no <{step.tag}> called {key!r}" + (f"; it has {there}" if there else "; it has none")
