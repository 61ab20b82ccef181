"""The page of the portable wishes, what each becomes on each driver, and their table for the page on profiles."""

from __future__ import annotations

from domtune import explaining
from domtune.docs.markdown import MADE, anchor, table
from domtune.intents import INTENTS
from domtune.intents.model import Intent, Way
from domtune.vocabulary.drivers import DRIVERS


def page() -> str:
    """Return the page."""
    known = [intent for intent in INTENTS.values() if not intent.later]
    lines = ["# Wishes", "", MADE, "", f"{len(known)} portable wishes, for `want:` in a profile."]
    lines += [
        "What they become depends on the driver and the host; [profile.md](profile.md) says how to write them.",
        "",
    ]
    heads = ("wish", *DRIVERS)
    links = (
        (f"[{intent.name}](#{anchor(intent.name)})", *(_word(intent, name) for name in DRIVERS)) for intent in known
    )
    lines += [table(heads, links)]
    for intent in known:
        lines += ["", f"## {intent.name}", "", intent.help, ""]
        lines += [f"- Value: {intent.kind.describe()}", f"- Example: `{explaining.example(intent)}`"]
        lines += [f"- {name}: {_of_driver(intent, name)}" for name in DRIVERS]
    if later := [intent for intent in INTENTS.values() if intent.later]:
        rows = ((f"`{intent.name}`", intent.help, intent.later) for intent in later)
        lines += ["", "## Not in this version", "", table(("wish", "meaning", "refused, because"), rows)]
    return "\n".join(lines) + "\n"


def tables() -> dict[str, str]:
    """Return what the page on profiles says of wishes."""
    known = (intent for intent in INTENTS.values() if not intent.later)
    rows = (
        (
            f"[{_name(each)}](wishes.md#{anchor(each.name)})",
            each.help,
            each.kind.describe(),
            f"`{explaining.example(each)}`",
        )
        for each in known
    )
    return {"wishes": table(("wish", "meaning", "value", "for example"), rows)}


def _name(intent: Intent) -> str:
    return f"{intent.device}[…]{intent.name[len(intent.device) :]}" if intent.device else intent.name


def _word(intent: Intent, driver: str) -> str:
    return "yes" if isinstance(intent.drivers[driver], Way) else "no"


def _of_driver(intent: Intent, driver: str) -> str:
    way = intent.drivers[driver]
    if not isinstance(way, Way):
        return f"not done: {way}"
    becomes = ", ".join(f"[{name}](parameters.md#{anchor(name)})" for name in way.params)
    return f"{becomes or 'nothing to set'}" + (f"; {way.caveat}" if way.caveat else "")
