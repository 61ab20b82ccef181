"""The page of all parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from domtune import matrix
from domtune.docs.keyforms import described
from domtune.docs.markdown import MADE, anchor
from domtune.vocabulary import PARAMS
from domtune.vocabulary.drivers import DRIVERS
from domtune.vocabulary.model import Fact, Gate, Kept, Needs, Param

_NEEDS = {
    Needs.IOTHREADS: "leaves and comes back together with all IOThreads and what refers to them",
    Needs.MEMLOCK: "stays in the definition while a passed-through, vDPA or NVMe device may need it, unless --memlock",
    Needs.SHARED_ACCESS: "stays in the definition while a vhost-user or virtiofs device needs shared memory",
    Needs.SHARED_SOURCE: "stays in the definition while memory is shared, since it is what shared memory is made of",
    Needs.SHARED_PAGES: "stays in the definition while a vhost-user or virtiofs device needs shared memory made of it",
    Needs.ALL_MEMORY: "stays in the definition where it says no more than `<memory>`, since libvirt adds it by itself",
    Needs.VCPU_LIST: "stays in the definition beside `<vcpus>`, off which libvirt reads it again",
    Needs.REMAPPING: "stays in the definition with an IOMMU that remaps interrupts, which libvirt takes only so",
}
_SAVED = {
    Kept.NO: "lost when a saved domain is restored, and applied again",
    Kept.FIXED: "part of a saved image, in which it cannot change",
}


def page() -> str:
    """Return the page of all parameters."""
    counts = Counter(param.cls for param in PARAMS.values())
    lines = [
        "# Parameters",
        "",
        MADE,
        "",
        f"{len(PARAMS)} parameters: " + ", ".join(f"{count} {cls}" for cls, count in counts.items()) + ".",
        "How to write them is in [profile.md](profile.md); all drivers side by side are in [drivers.md](drivers.md).",
        "`domtune params NAME` shows one of them.",
        "",
    ]
    by_word = grouped()
    for word, rows in by_word.items():
        links = ", ".join(f"[{param.name.removeprefix(f'{word}.')}](#{anchor(param.name)})" for param in rows)
        lines += [f"- [{word}](#{anchor(word)}): {links}"]
    for word, rows in by_word.items():
        lines += ["", f"## {word}"]
        for param in rows:
            lines += ["", f"### {param.name}", "", param.help, "", *_facts(param)]
    return "\n".join(lines) + "\n"


def grouped() -> dict[str, list[Param]]:
    """Return the parameters by the first word of their names."""
    found: dict[str, list[Param]] = {}
    for param in PARAMS.values():
        found.setdefault(param.name.partition(".")[0], []).append(param)
    return found


def _facts(param: Param) -> Iterator[str]:
    """Give what is known of one parameter as a list."""
    yield f"- Class: {param.cls}"
    kinds = {part: param.kinds.get(part, param.kind) for part in (path.part for path in param.paths) if part}
    values = [f"`{part}` {kind.describe()}" for part, kind in kinds.items()]
    yield f"- Value: {'; '.join(values) or param.kind.describe()}"
    for form in param.key_forms:
        yield f"- Key: {described(form)}"
    yield f"- Example: `{matrix.example(param)}`"
    yield "- XML: " + (", ".join(f"`{path.xpath}`" for path in param.paths) or "none")
    if param.family:
        yield f"- Family: `{param.family}`, set and replaced as a whole"
    if param.protective:
        yield f"- Guards: without it there is no {param.protective.removeprefix('a ')}"
    if param.host_bound:
        yield "- Host: the value is true for one host only"
    if param.implied:
        yield f"- Implied: libvirt adds {', '.join(param.implied)} by itself, which stays in the definition"
    if param.needs:
        yield f"- Split: {_NEEDS[param.needs]}"
    if param.stays:
        yield f"- Split: stays in the definition: {param.stays}"
    said: dict[str, list[str]] = {}
    for name in DRIVERS:
        said.setdefault(_of_driver(param, name), []).append(name)
    for text, names in said.items():
        yield f"- {', '.join(names)}: {text}"


def _of_driver(param: Param, name: str) -> str:
    """Say what one driver makes of a parameter and how that is known."""
    fact = param.fact(name)
    parts = [f"{matrix.sentence(param, name)} ({matrix.known(param, name)}" + _evidence(fact) + ")"]
    if fact is None or name == "test":
        return parts[0]
    if fact.default is not None:
        parts.append(f"default {fact.default}")
    if fact.gate_at_create is not None:
        parts.append(f"at creation only while {_gate(fact.gate_at_create)}")
    if fact.live is not None and fact.live.gate is not None:
        parts.append(f"on a running domain only while {_gate(fact.live.gate)}")
    if fact.saved in _SAVED:
        parts.append(_SAVED[fact.saved])
    if fact.since:
        parts.append(f"since libvirt {fact.since}")
    return "; ".join(parts)


def _evidence(fact: Fact | None) -> str:
    return f": {fact.evidence}" if fact is not None and fact.evidence else ""


def _gate(gate: Gate) -> str:
    values = " or ".join("not set" if value is None else value for value in gate.values)
    return f"`{gate.param}` is {values}"
