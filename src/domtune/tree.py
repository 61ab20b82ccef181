"""XML: the only module that imports lxml. Reads untrusted text, changes trees tidily, writes text.

What is read is never trusted: no document type, hence no entities and no external files, nothing from the network,
depth and size limited by libxml2 (256 levels, 10 MB for one text).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import TypeAlias

from lxml import etree

from domtune.errors import Invalid

Element: TypeAlias = etree._Element  # noqa: SLF001 - the public name of this type in lxml's own documentation

# Makes an element at the end of another; `indent` gives the white space later, once for all children.
append = etree.SubElement

MAX_SIZE = 16 * 1024 * 1024
# What may stand before a document type; possessive, so that no text makes it try again and again.
_DOCTYPE = re.compile(r"\ufeff?\s*+(?:(?><\?.*?\?>|<!--.*?-->)\s*+)*+<!DOCTYPE", re.DOTALL)
_PARSER = etree.XMLParser(  # lxml locks it while it parses
    encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, strip_cdata=False
)
_STEP = re.compile(r"/((?:\{[^}]*\})?[^/\[{}]+)(?:\[([0-9]{1,18})\])?")


def parse(xml: str, source: str = "XML", root: str = "domain") -> Element:
    """Return the root element of a document whose root is called `root`.

    Raises `Invalid` naming `source` and the line for text that is not well formed, too large or deep, has a document
    type, or is another kind of document.
    """
    if len(xml) > MAX_SIZE:
        raise Invalid(f"{source}: the document has {len(xml)} characters, more than the {MAX_SIZE} that are read")
    if "<!DOCTYPE" in xml and (found := _DOCTYPE.match(xml)):
        line = found[0].count("\n") + 1
        raise Invalid(f"{source}:{line}: <!DOCTYPE: document types and entities are not read; take it out")
    try:
        element = etree.fromstring(xml.removeprefix("\ufeff").encode(), _PARSER)
    except UnicodeEncodeError as error:
        raise Invalid(f"{source}: character {error.start} is no text: {error.reason}") from None
    except etree.XMLSyntaxError as error:
        raise Invalid(f"{source}:{error.lineno or 1}: not well-formed XML: {_reason(error)}") from None
    if element.tag != root:
        raise Invalid(
            f"{source}:{element.sourceline}: /{tag(element)}: not a <{root}> document; give libvirt's {root} XML"
        )
    return element


def serialise(root: Element) -> str:
    """Return the whole document, comments before and after the root included, without an XML declaration."""
    return etree.tostring(root.getroottree(), encoding="unicode")


def outer(node: Element) -> str:
    """Return one element, comment or processing instruction as text, without what follows it."""
    if not is_element(node):
        return etree.tostring(node, encoding="unicode", with_tail=False)
    alone = copy.deepcopy(node)  # without the namespaces that only the document around it declares and uses
    etree.cleanup_namespaces(alone)
    return etree.tostring(alone, encoding="unicode", with_tail=False)


def fragment(xml: str) -> Element:
    """Read what `outer` wrote; raise `ValueError` for anything else."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        holder = etree.fromstring(f"<holder>{xml}</holder>".encode(), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError) as error:
        raise ValueError(f"{xml!r} is not well-formed XML") from error
    if len(holder) != 1 or (holder.text or "").strip() or (holder[0].tail or "").strip():
        raise ValueError(f"{xml!r} is not one element, comment or processing instruction")
    return holder[0]


def is_element(node: Element) -> bool:
    """Tell elements from comments and processing instructions."""
    return isinstance(node.tag, str)


def new_child(parent: Element, tag: str, before: Element | None = None) -> Element:
    """Make an element in `parent`, before one of its children or at the end, indented as its neighbours are."""
    child = etree.Element(tag)
    insert(parent, child, before)
    return child


def indent(parent: Element) -> None:
    """Put each child of an element into a line of its own, if the document is indented."""
    inner = _indent(parent)
    if inner is None:
        return
    parent.text = inner
    for child in parent:
        child.tail = inner
    parent[-1].tail = inner[:-2]


def insert(parent: Element, child: Element, before: Element | None = None) -> None:
    """Put `child` into `parent`, before one of its children or at the end, indented as its neighbours are."""
    child.tail = None
    inner = _indent(parent)
    if before is not None:
        before.addprevious(child)
        child.tail = inner
    elif len(parent):
        last = parent[-1]
        child.tail, last.tail = (last.tail, inner) if _blank(last.tail) else (None, last.tail)
        parent.append(child)
    else:
        if inner is not None and _blank(parent.text):
            parent.text, child.tail = inner, inner[:-2]
        parent.append(child)


def remove(node: Element) -> None:
    """Take a node out with the white space that was its own; text that follows it stays."""
    parent, before = node.getparent(), node.getprevious()
    if parent is None:
        return
    tail = node.tail
    last = node.getnext() is None
    parent.remove(node)
    if not _blank(tail):
        if before is None:
            parent.text = (parent.text or "") + (tail or "")
        else:
            before.tail = (before.tail or "") + (tail or "")
    elif before is None:
        if last and _blank(parent.text):
            parent.text = None
    elif last and _blank(before.tail):
        before.tail = tail


def reorder(children: list[Element]) -> None:
    """Let elements of one parent change places among themselves so that they stand in this order."""
    parent = children[0].getparent() if children else None
    if parent is None:
        return
    places = sorted(parent.index(child) for child in children)
    tails = [parent[place].tail for place in places]
    stand_ins = [etree.Comment("") for _ in places]
    for place, stand_in in zip(places, stand_ins, strict=True):
        parent.replace(parent[place], stand_in)
    for stand_in, child, tail in zip(stand_ins, children, tails, strict=True):
        parent.replace(stand_in, child)
        child.tail = tail


def move(element: Element, beside: Element, *, after: bool) -> None:
    """Take an element from its place to the one right before or after a neighbour."""
    parent = element.getparent()
    if parent is None or (beside.getnext() if after else beside.getprevious()) is element:
        return
    remove(element)
    insert(parent, element, beside.getnext() if after else beside)


def is_empty(element: Element) -> bool:
    """Tell whether nothing is left in an element."""
    return not len(element) and not element.attrib and _blank(element.text)


def tag(element: Element) -> str:
    """Return an element's name."""
    return str(element.tag)


def twins_before(element: Element) -> int:
    """Count the elements of the same name before an element."""
    return sum(1 for _ in element.itersiblings(tag(element), preceding=True))


def devices(root: Element, *tags: str) -> list[Element]:
    """Return the devices of a domain that have one of these tags."""
    return [device for holder in root.iterchildren("devices") for device in holder.iterchildren(*tags)]


def path_of(element: Element) -> str:
    """Return the place of an element as XPath; a step without a number is the first of its name."""
    steps = []
    node: Element | None = element
    while node is not None:
        number = 1 + twins_before(node)
        steps.append(tag(node) if number == 1 else f"{tag(node)}[{number}]")
        node = node.getparent()
    return "/" + "/".join(reversed(steps))


def tags_of(path: str) -> tuple[str, ...]:
    """Return the names of the elements on a path that `path_of` gave; raise `ValueError` if it is no such path."""
    return tuple(name for name, _ in _steps(path))


def at_path(root: Element, path: str) -> Element | None:
    """Return the element at a place that `path_of` gave, or None; raise `ValueError` if it is no such place."""
    steps = _steps(path)
    node: Element | None = root if steps[0][0] == root.tag else None
    for tag, number in steps[1:]:
        if node is None:
            return None
        node = _nth(node.iterchildren(tag), int(number or 1))
    return node


def _steps(path: str) -> list[tuple[str, str]]:
    steps: list[tuple[str, str]] = _STEP.findall(path)
    if not steps or "".join(f"/{name}[{n}]" if n else f"/{name}" for name, n in steps) != path:
        raise ValueError(f"{path!r} is not a place such as /domain/cputune/vcpupin[2]")
    return steps


def _nth(children: Iterator[Element], number: int) -> Element | None:
    return next((child for n, child in enumerate(children, 1) if n == number), None)


def _indent(parent: Element) -> str | None:
    """Return the white space before a child of `parent`: a line break and spaces, or None in unindented documents."""
    if len(parent) and parent.text and _blank(parent.text):
        return parent.text
    before, above = parent.getprevious(), parent.getparent()
    if before is None and above is None and len(parent):
        return None
    own = before.tail if before is not None else above.text if above is not None else "\n"
    return own + "  " if own and "\n" in own and _blank(own) else None


def _blank(text: str | None) -> bool:
    return text is None or not text.strip()


def _reason(error: etree.XMLSyntaxError) -> str:
    return re.sub(r", line [0-9]+, column [0-9]+.*$", "", error.msg or "the document is empty", flags=re.DOTALL)
