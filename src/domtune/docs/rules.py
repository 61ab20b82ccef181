"""What the page on profiles says of values that do not go together."""

from __future__ import annotations

from domtune.docs.markdown import table
from domtune.vocabulary.rule import Alike, AnyRule, Counts, Needs, Never, NotAbove, Once, Share
from domtune.vocabulary.together import RULES

_NAMED = 3  # of more parameters only the first stands in the table


def tables() -> dict[str, str]:
    """Return the table of rules: of those that differ in the parameter alone, one line."""
    lines: dict[tuple[str, str], list[str]] = {}
    for rule in RULES:
        lines.setdefault((rule.why, _who(rule)), []).extend(_names(rule))
    rows = ((_listed(names), why, who) for (why, who), names in lines.items())
    return {"together": table(("parameter", "is refused because", "by"), rows)}


def _names(rule: AnyRule) -> tuple[str, ...]:
    """Return the parameters at whose line a rule is told."""
    match rule:
        case Needs() | Never():
            return (rule.what.param,)
        case NotAbove():
            return (rule.high,)
        case Share():
            return (f"{rule.part}.quota",)
        case Once():
            return (rule.what,)
        case Alike():
            return (rule.by,)
        case Counts():
            return (rule.number,)
        case _:
            return rule.params if hasattr(rule, "params") else (rule.param,)


def _who(rule: AnyRule) -> str:
    who = ", ".join(rule.drivers) if rule.drivers else "libvirt"
    return f"{who}, with cgroup version {rule.cgroup}" if rule.cgroup else who


def _listed(names: list[str]) -> str:
    unique = list(dict.fromkeys(names))
    if len(unique) <= _NAMED + 1:
        return ", ".join(f"`{name}`" for name in unique)
    return f"`{unique[0]}` and {len(unique) - 1} like it"
