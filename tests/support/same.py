"""Whether two domain documents are the same, as split and merge promise it, and if not, where they differ.

White space around text and the order of attributes mean nothing. Order counts among siblings of one tag everywhere,
and among all children of <devices>, of <metadata> and below, of elements in foreign namespaces and of mixed content.
A comment or processing instruction must stand before the same element as it did, or last.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from lxml import etree


@dataclass(frozen=True)
class Form:
    """An element, reduced to what must stay: two elements are the same when their forms are equal."""

    tag: str
    name: str = field(compare=False)  # with the prefix used in this document
    attributes: frozenset[tuple[str, str]]
    text: str
    is_ordered: bool  # all children keep their order, not only those of one tag
    rows: tuple[tuple["Form", ...], ...]  # what keeps its order: all children, or those of each tag
    remarks: frozenset[tuple[str, str]]  # what it says, and what it stands before


def same(first: str, second: str) -> list[str]:
    """Tell the differences between two documents, one a line, with their XPath; none when they are the same."""
    before, after = _document(first), _document(second)
    return list(_differences(before, after, "")) if before != after else []


def _document(xml: str) -> Form:
    parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True)
    root = etree.fromstring(xml.encode(), parser)
    nodes = [*reversed([*root.itersiblings(preceding=True)]), root, *root.itersiblings()]
    return Form("", "", frozenset(), "", True, ((_form(root, is_foreign=False),),), _remarks(nodes))


def _form(element: etree._Element, *, is_foreign: bool) -> Form:
    """Reduce an element; `is_foreign`: it stands in something that only passes through."""
    is_foreign = is_foreign or _is_foreign(element)
    nodes = list(element)
    children = [node for node in nodes if isinstance(node.tag, str)]
    pieces = [(element.text or "").strip(), *((node.tail or "").strip() for node in nodes)]
    is_mixed = bool(children) and any(pieces)
    is_ordered = is_foreign or is_mixed or element.tag == "devices"
    return Form(
        tag=str(element.tag),
        name=_name(element),
        attributes=frozenset((str(name), str(value)) for name, value in element.attrib.items()),
        text="\0".join(pieces) if is_mixed else _text(element, nodes),
        is_ordered=is_ordered,
        rows=_rows([_form(child, is_foreign=is_foreign) for child in children], is_ordered=is_ordered),
        remarks=_remarks(nodes),
    )


def _is_foreign(element: etree._Element) -> bool:
    is_metadata = element.tag == "metadata" and element.getparent() is element.getroottree().getroot()
    return is_metadata or str(element.tag).startswith("{")


def _text(element: etree._Element, nodes: list[etree._Element]) -> str:
    """Join the text of an element without children, around its comments, as libvirt reads it."""
    pieces = [element.text or ""]
    for node in nodes:
        if isinstance(node, etree._Entity):
            pieces.append(node.text or "")
        pieces.append(node.tail or "")
    return "".join(pieces).strip()


def _rows(forms: list[Form], *, is_ordered: bool) -> tuple[tuple[Form, ...], ...]:
    if is_ordered:
        return (tuple(forms),) if forms else ()
    by_tag: dict[str, list[Form]] = {}
    for form in forms:
        by_tag.setdefault(form.tag, []).append(form)
    return tuple(tuple(by_tag[tag]) for tag in sorted(by_tag))


def _remarks(nodes: Iterable[etree._Element]) -> frozenset[tuple[str, str]]:
    """Collect comments and instructions; those before one element are one remark, for their order counts."""
    found: list[tuple[str, str]] = []
    waiting = ""
    seen: Counter[str] = Counter()
    for node in nodes:
        if isinstance(node, etree._Comment):
            waiting += f"<!-- {(node.text or '').strip()} -->"
        elif isinstance(node, etree._ProcessingInstruction):
            waiting += f"<?{node.target} {(node.text or '').strip()}?>"
        elif isinstance(node.tag, str):
            seen[node.tag] += 1
            found.append((waiting, f"before {node.tag}[{seen[node.tag]}]"))
            waiting = ""
    return frozenset((remark, place) for remark, place in [*found, (waiting, "at the end")] if remark)


def _name(element: etree._Element) -> str:
    local = etree.QName(element).localname
    return f"{element.prefix}:{local}" if element.prefix else local


def _differences(before: Form, after: Form, path: str) -> Iterator[str]:
    """Compare two elements that stand in each other's place."""
    if before.tag != after.tag:
        yield f"{path}: became <{after.name}>"
        return
    old, new = dict(before.attributes), dict(after.attributes)
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield f"{path}/@{name}: {_became(old.get(name), new.get(name))}"
    if before.text != after.text:
        yield f"{path}: text {_became(before.text, after.text)}"
    yield from _row_differences(before, after, path)
    for remark, place in sorted(before.remarks - after.remarks):
        yield f"{path or '/'}: lost {remark} {place}"
    for remark, place in sorted(after.remarks - before.remarks):
        yield f"{path or '/'}: gained {remark} {place}"


def _became(old: str | None, new: str | None) -> str:
    words = ["nothing" if value is None else repr(value.replace("\0", " … ")) for value in (old, new)]
    return f"{words[0]} became {words[1]}"


def _row_differences(before: Form, after: Form, path: str) -> Iterator[str]:
    old, new = (_by_key(form, is_ordered=before.is_ordered or after.is_ordered) for form in (before, after))
    for key in sorted(old.keys() | new.keys()):
        yield from _row(old.get(key, ()), new.get(key, ()), path)


def _by_key(form: Form, *, is_ordered: bool) -> dict[str, tuple[Form, ...]]:
    if is_ordered:
        return {"": tuple(child for row in form.rows for child in row)}
    return {row[0].tag: row for row in form.rows}


def _row(before: tuple[Form, ...], after: tuple[Form, ...], path: str) -> Iterator[str]:
    """Compare two lists of children whose order counts."""
    old, new = _places(before), _places(after)
    if before == after:
        return
    if Counter(before) == Counter(after):
        yield f"{path}: order {', '.join(old)} became {', '.join(_moved(before, old, after))}"
        return
    for kind, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        paired = min(j - i, m - k)
        for n in range(paired):
            yield from _differences(before[i + n], after[k + n], f"{path}/{old[i + n]}")
        yield from (f"{path}/{place}: lost" for place in old[i + paired : j])
        yield from (f"{path}/{place}: gained" for place in new[k + paired : m])


def _moved(before: tuple[Form, ...], places: list[str], after: tuple[Form, ...]) -> Iterator[str]:
    """Name the children of `after` by the places that they had before."""
    left = [*zip(before, places, strict=True)]
    for form in after:
        index = next(n for n, (old, _) in enumerate(left) if old == form)
        yield left.pop(index)[1]


def _places(row: tuple[Form, ...]) -> list[str]:
    """Name each child as a step of an XPath: with its number, where there are several of its tag."""
    total = Counter(form.tag for form in row)
    seen: Counter[str] = Counter()
    places = []
    for form in row:
        seen[form.tag] += 1
        places.append(f"{form.name}[{seen[form.tag]}]" if total[form.tag] > 1 else form.name)
    return places
