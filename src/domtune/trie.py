"""The rows of the vocabulary as one tree of their paths, so that a document is walked once.

A node stands for an element; below it are the rows whose value it holds and the elements that may follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from domtune.keys import reader
from domtune.tree import Element
from domtune.vocabulary import PARAMS
from domtune.vocabulary.model import Class, Needs, Param
from domtune.vocabulary.path import Form, Leaf, Owner, Path, Step


class Row:
    """One parameter at the end of one of its paths."""

    __slots__ = ("leaf", "param", "part", "said")

    def __init__(self, param: Param, path: Path) -> None:
        self.param: Param = param
        self.leaf: Leaf = path.leaf
        self.part: tuple[str, ...] = (path.part,) if path.part else ()
        self.said = param.kind_of(self.part).said


class Node:
    """One element of the paths: who owns it, which rows have their value in it, what may be below."""

    __slots__ = (
        "attributes",
        "children",
        "device",
        "key",
        "key_names",
        "leaf",
        "may_stay",
        "owner",
        "passage",
        "plain",
        "presence",
        "read_key",
        "step",
        "test",
        "text",
    )

    def __init__(self, step: Step | None) -> None:
        self.step = step
        self.owner = step.owner if step else Owner.REQUIRED
        self.test = step.test if step else None
        self.key = step.key if step else ""
        self.read_key = None if not self.key or self.key.startswith("?") else reader(self.key)
        self.key_names = step.key_names if step else ()
        self.attributes: dict[str, Row] = {}
        self.text: Row | None = None
        self.presence: Row | None = None
        self.children: dict[str, list[Node]] = {}
        self.may_stay = False
        self.leaf = False  # ours, and nothing below it
        self.plain: Row | None = None  # the row of a leaf that holds its text and nothing else
        self.passage = False  # the definition's, and not repeating: only to go through
        self.device = self.key.startswith("?")

    def rows(self) -> Iterator[Row]:
        """Give the rows whose value this element itself holds."""
        yield from self.attributes.values()
        yield from (row for row in (self.text, self.presence) if row)

    def matches(self, element: Element) -> bool:
        """Tell whether the row's test on this element holds."""
        if self.test is None:
            return True
        name, value, equal = self.test
        return (element.get(name) == value) is equal

    def settle(self) -> None:
        """Note, once the tree is grown, which elements are leaves of ours: most of what is taken out."""
        self.leaf = self.owner is Owner.OURS and not self.children and not self.may_stay
        alone = self.leaf and not (self.key or self.test or self.attributes or self.presence)
        self.plain = self.text if alone else None
        self.passage = self.owner in {Owner.DEFINITION, Owner.REQUIRED} and not self.key
        for nodes in self.children.values():
            for node in nodes:
                node.settle()


@lru_cache(maxsize=4)
def trie(*, guest_visible: bool, measurement: bool) -> Node:
    """Return the tree of the rows that are asked for.

    Rows of another class are in it all the same where they stand in an element that is wholly tuning's: what is below
    cputune leaves, its monitors too.
    """
    classes = {Class.TUNING} | ({Class.GUEST_VISIBLE} if guest_visible else set())
    classes |= {Class.MEASUREMENT} if measurement else set()
    leaving = [param for param in PARAMS.values() if not param.stays]
    asked = [(param, path) for param in leaving if param.cls in classes for path in param.paths]
    ours = {path.steps[0].tag for _, path in asked if path.steps[0].owner is Owner.OURS}
    along = [
        (param, path)
        for param in leaving
        if param.cls not in classes
        for path in param.paths
        if path.steps[0].owner is Owner.OURS and path.steps[0].tag in ours
    ]
    return grow([*asked, *along])


def grow(rows: Iterable[tuple[Param, Path]]) -> Node:
    """Return the tree of these rows; raise `ValueError` when two rows claim one place."""
    root = Node(None)
    for param, path in rows:
        node = root
        stays = param.needs not in {None, Needs.IOTHREADS} or bool(param.implied)
        for step in path.steps:
            node = _below(node, step)
            node.may_stay |= stays
        _hang(node, Row(param, path))
    root.settle()
    return root


def _below(node: Node, step: Step) -> Node:
    siblings = node.children.setdefault(step.tag, [])
    for sibling in siblings:
        if (sibling.key, sibling.test) == (step.key, step.test):
            return sibling
    siblings.append(Node(step))
    return siblings[-1]


def _hang(node: Node, row: Row) -> None:
    form = row.leaf.form
    if form is Form.ATTRIBUTE:
        taken = node.attributes.setdefault(row.leaf.attribute, row)
    elif form is Form.TEXT:
        taken = node.text = node.text or row
    else:
        taken = node.presence = node.presence or row
    if taken is not row:
        raise ValueError(f"{row.param.name} and {taken.param.name} stand in one place")
