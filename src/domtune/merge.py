"""merge: put tuning into a definition; what comes out is a domain that libvirt can start tuned."""

from __future__ import annotations

import re
from collections.abc import Iterator

from domtune import tree
from domtune.devices import select, selectors
from domtune.errors import Invalid
from domtune.expand import concrete
from domtune.kinds import ALL_CPUS, Ids
from domtune.tree import Element
from domtune.tuning import Place, Setting, Tuning, Verbatim
from domtune.vocabulary.path import Form, Leaf, Owner, Path, Step

# Where libvirt writes its own children of <domain>; a new element goes before the first that comes later.
_ORDER = re.findall(
    r"\w+",
    "name uuid genid title description metadata maxMemory memory currentMemory blkiotune memtune memoryBacking vcpu "
    "vcpus iothreads iothreadids defaultiothread cputune numatune resource sysinfo bootloader bootloader_args os idmap "
    "features cpu clock on_poweroff on_reboot on_crash on_lockfailure pm perf devices seclabel keywrap launchSecurity",
)
# Of these, libvirt's schema takes any order as long as they stand together.
_TOGETHER = frozenset(_ORDER[_ORDER.index("maxMemory") : _ORDER.index("sysinfo")])
_RANK = {tag: number for number, tag in enumerate(_ORDER)}


def merge(definition: str, tuning: Tuning, *, source: str = "definition") -> str:
    """Return the domain that has this definition and this tuning.

    Raises `Invalid`, naming everything at once, if the definition is no domain document, a device or element that the
    tuning speaks of is not in it, or a setting stands in no domain XML (such as cpu.cap: only a start can apply it).
    """
    root = tree.parse(definition, source)
    put(root, tuning)
    return tree.serialise(root)


def put(root: Element, tuning: Tuning) -> None:
    """Put tuning into a parsed definition; raise `Invalid` for what has no place in it."""
    build = _Build(root)
    for setting in concrete(tuning.settings, root, build.problems):
        build.set(setting)
    for piece in sorted(tuning.verbatim, key=_turn):
        build.piece(piece)
    if build.problems:
        raise Invalid(build.problems)


class _Build:
    """A definition with tuning on the way into it, and what is in the way."""

    def __init__(self, root: Element) -> None:
        self.root = root
        self.problems: list[str] = []
        self._known: dict[tuple[Element, Step], dict[str, Element]] = {}

    def set(self, setting: Setting) -> None:
        """Write one setting, or take its value away if it says `default`."""
        path = _path(setting)
        if path is None:
            self._refuse(setting, "stands in no domain XML; leave it to start, which applies it to the running domain")
        elif setting.text == ALL_CPUS and isinstance(setting.param.kind_of(setting.keys), Ids):
            self._refuse(setting, "r means every CPU of the host, and the host is not known here; give the list")
        elif setting.is_default:
            self._unset(setting, path)
        elif (element := self._find(setting, path)) is not None:
            _write(element, path.leaf, setting)

    def piece(self, piece: Verbatim) -> None:
        """Put a verbatim piece back in its place."""
        try:
            anchor = tree.at_path(self.root, piece.path)
            node = tree.fragment(piece.xml) if piece.xml else None
        except ValueError as error:
            self.problems.append(f"verbatim: {error}")
            return
        if piece.place is Place.ORDER and anchor is not None:
            self._sort(anchor, piece)
        elif piece.place in {Place.FOLLOWS, Place.PRECEDES}:
            _move_beside(anchor, piece)
        elif anchor is None:
            self.problems.append(f"verbatim: {piece.path}: no such place in this definition; take the piece out")
        elif piece.place is Place.ON:
            for name, value in piece.attributes:
                anchor.set(name, value)
        elif node is None:
            _write_text(anchor, piece)
        else:
            _place(anchor, node, piece.place)

    def _sort(self, first: Element, piece: Verbatim) -> None:
        """Put the elements of one tag into the order of their keys."""
        parent = first.getparent()
        twins = [some for (above, step), some in self._known.items() if above is parent and step.tag == first.tag]
        found = {key: child for some in twins for key, child in some.items()}
        tree.reorder([found[key] for key in piece.keys if key in found])

    def _unset(self, setting: Setting, path: Path) -> None:
        element = self._find(setting, path, make=False)
        if element is None:
            return
        if path.leaf.form is Form.ATTRIBUTE:
            element.attrib.pop(path.leaf.attribute, None)
            if path.leaf.unit:
                element.attrib.pop("unit", None)
        else:
            element.text = None
            element.attrib.pop("unit", None)
        for step in reversed(path.steps):
            above = element.getparent()
            if step.owner not in {Owner.OURS, Owner.SHARED} or not _bare(element, step) or above is None:
                return
            tree.remove(element)
            self._known.pop((above, step), None)
            element = above

    def _find(self, setting: Setting, path: Path, *, make: bool = True) -> Element | None:
        """Return the element that holds the value; on the way make what may be made."""
        element = self.root
        keys = iter(setting.keys)
        for step in path.steps:
            key = next(keys) if step.key else ""
            below = self._children(element, step).get(key) if not step.key.startswith("?") else None
            if below is None and step.key.startswith("?"):
                below = self._device(element, step, key)
            if below is None and make and step.owner is not Owner.REQUIRED:
                below = self._make(element, step, key)
            if below is None:
                if make:
                    self._refuse(setting, _missing(element, step, key))
                return None
            element = below
        return element

    def _children(self, parent: Element, step: Step) -> dict[str, Element]:
        if (parent, step) not in self._known:
            found: dict[str, Element] = {}
            for number, child in enumerate(_twins(parent, step)):
                found.setdefault(_key(child, step, number), child)
            self._known[parent, step] = found
        return self._known[parent, step]

    def _device(self, parent: Element, step: Step, selector: str) -> Element | None:
        found = select(list(parent.iterchildren(step.tag)), selector)
        return found[0] if len(found) == 1 and _passes(found[0], step) else None

    def _make(self, parent: Element, step: Step, key: str) -> Element:
        child = tree.new_child(parent, step.tag, _next(parent, step.tag))
        if step.test and step.test[2]:
            child.set(step.test[0], step.test[1])
        if step.key.startswith("@"):
            names = [name.strip("@*#") for name in step.key.split(",")]
            for name, part in zip(names, key.split("/"), strict=True):
                child.set(name, part)
        elif step.key and step.key != "#":
            tree.new_child(child, step.key).text = key
        self._children(parent, step)[key] = child
        return child

    def _refuse(self, setting: Setting, reason: str) -> None:
        origin = f"{setting.origin}: " if setting.origin else ""
        self.problems.append(f"{origin}{setting.name}: {reason}")


def _turn(piece: Verbatim) -> int:
    """Order first, then elements: comments find their place by the elements around them."""
    return {Place.ORDER: 0, Place.BEFORE: 2, Place.LAST: 2, Place.FOLLOWS: 3, Place.PRECEDES: 3}.get(piece.place, 1)


def _path(setting: Setting) -> Path | None:
    paths = setting.param.paths
    return next((path for path in paths if not path.part or path.part == setting.keys[-1]), None)


def _write(element: Element, leaf: Leaf, setting: Setting) -> None:
    if leaf.form is Form.ATTRIBUTE:
        element.set(leaf.attribute, setting.text)
    elif leaf.form is Form.TEXT:
        element.text = setting.text
    if leaf.unit:
        element.attrib.pop("unit", None)
        if setting.unit is not None:
            element.set("unit", setting.unit)


def _place(anchor: Element, node: Element, place: Place) -> None:
    parent = anchor.getparent()
    if place is Place.FIRST:
        tree.insert(anchor, node, next((each for each in anchor if tree.is_element(each)), None))
    elif place is Place.LAST or parent is None:
        tree.insert(anchor, node)
    elif place is Place.BEFORE:
        tree.insert(parent, node, anchor)
    elif anchor.tag != node.tag and parent.tag == "domain":
        tree.insert(parent, node, _next(parent, tree.tag(node)))
    else:
        following = next((each for each in anchor.itersiblings() if tree.is_element(each)), None)
        tree.insert(parent, node, following)


def _move_beside(element: Element | None, piece: Verbatim) -> None:
    """Put an element that came back beside the comment it stood at, if the comment is still there."""
    parent = None if element is None else element.getparent()
    if element is None or parent is None:
        return
    comments = (each for each in parent if not tree.is_element(each) and tree.outer(each) == piece.xml)
    comment = next(comments, None)
    if comment is not None:
        tree.move(element, comment, after=piece.place is Place.FOLLOWS)


def _write_text(anchor: Element, piece: Verbatim) -> None:
    before = anchor.getprevious() if piece.place is Place.BEFORE else (anchor[-1] if len(anchor) else None)
    holder = anchor.getparent() if piece.place is Place.BEFORE else anchor
    if before is not None:
        before.tail = piece.text + (before.tail or "")
    elif holder is not None:
        holder.text = piece.text + (holder.text or "")


def _twins(parent: Element, step: Step) -> Iterator[Element]:
    return (child for child in parent.iterchildren(step.tag) if _passes(child, step))


def _passes(element: Element, step: Step) -> bool:
    return step.test is None or (element.get(step.test[0]) == step.test[1]) is step.test[2]


def _key(child: Element, step: Step, number: int) -> str:
    key = step.key
    if not key:
        return ""
    if key == "#" or (key.endswith("#") and child.get(key[1:-1]) is None):
        return str(number)
    if key.startswith("@"):
        return "/".join(child.get(name.strip("@*#")) or "" for name in key.split(","))
    return (child.findtext(key) or "").strip()


def _next(parent: Element, tag: str) -> Element | None:
    """Return the child before which a new one goes, None for the end."""
    if tag == "partition":
        return next(iter(parent), None)  # the only element of ours whose place among others the schema fixes
    if parent.tag != "domain" or tag not in _RANK:
        return None
    ranks = [(_RANK.get(tree.tag(child), len(_ORDER)), child) for child in parent if tree.is_element(child)]
    if tag in _TOGETHER and (kin := [(rank, child) for rank, child in ranks if child.tag in _TOGETHER]):
        earlier = [child for rank, child in kin if rank <= _RANK[tag]]
        return earlier[-1].getnext() if earlier else kin[0][1]
    return next((child for rank, child in ranks if rank > _RANK[tag]), None)


def _bare(element: Element, step: Step) -> bool:
    keys = {name.strip("@*#") for name in step.key.split(",") if name.startswith("@")}
    return not len(element) and not (element.text or "").strip() and set(element.attrib) <= keys


def _missing(parent: Element, step: Step, key: str) -> str:
    if not step.key:
        return f"this definition has no <{step.tag}> below <{tree.tag(parent)}>; add it there first"
    there = ", ".join(selectors(list(parent.iterchildren(step.tag)))) if step.key.startswith("?") else ""
    return f"this definition has no <{step.tag}> called {key!r}" + (f"; it has {there}" if there else "; it has none")
