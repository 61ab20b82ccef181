"""Which tuning the grammar knows, and which of it random documents really held."""

from collections.abc import Iterator
from time import perf_counter

from lxml import etree

from support.areas import inside, leads_inside
from support.grammar import Attribute, Choice, Element, Group, Interleave, Pattern, Ref, Repeat
from support.sampler import domain_grammar, sample
from support.schema import validates


def reachable() -> set[str]:
    """Name every element and attribute (as PATH/@NAME) of the tuning areas that the grammar knows."""
    return {path for path in _paths(domain_grammar().start, "") if inside(path)}


def held(root: etree._Element) -> set[str]:
    """Name every element and attribute of the tuning areas that a document holds."""
    found = set()
    for element in root.iter(etree.Element):
        path = "".join(f"/{step.tag!s}" for step in [*reversed([*element.iterancestors()]), element])
        found |= {path, *(f"{path}/@{name}" for name in element.attrib)}
    return {path for path in found if inside(path)}


def _paths(pattern: Pattern, path: str) -> Iterator[str]:
    """Walk the grammar along the ways that lead into the areas; they are no loops, so this ends."""
    match pattern:
        case Element(name, body) if leads_inside(here := f"{path}/{name}"):
            yield here
            yield from _paths(body, here)
        case Attribute(name):
            yield f"{path}/@{name}"
        case Ref(name):
            yield from _paths(domain_grammar().defines[name], path)
        case Group(parts) | Interleave(parts) | Choice(parts):
            for part in parts:
                yield from _paths(part, path)
        case Repeat(body):
            yield from _paths(body, path)


def main(arguments: list[str]) -> int:
    """Print what a number of random documents are like."""
    count = int(arguments[0]) if arguments else 500
    began = perf_counter()
    documents = [sample(seed) for seed in range(count)]
    milliseconds = 1000 * (perf_counter() - began) / count
    trees = [etree.fromstring(xml) for xml in documents if not validates(xml)]
    elements = sum(1 for tree in trees for _ in tree.iter(etree.Element))
    known = reachable()
    missing = known - set[str]().union(*map(held, trees))
    print(f"{count} documents, {milliseconds:.1f} ms each")
    print(f"valid: {len(trees)}, of {elements / len(trees):.0f} elements")
    print(f"never held: {len(missing)} of the {len(known)} elements and attributes in tuning areas")
    for path in sorted(missing):
        print(f"  {path}")
    return 0
