"""Keys of elements that repeat: how they are read off an element, and which of them a profile can say."""

from __future__ import annotations

from collections.abc import Callable

from domtune.tree import Element, twins_before
from domtune.values import parse_ids

ALL = "all"
Reader = Callable[[Element], str | None]


def sayable(key: str | None, form: str) -> str | None:
    """Return a key as it stands in the XML if a profile can say it under a row of this form, else None."""
    if key is None or not key.strip() or key == ALL:
        return None
    if form.endswith("*"):
        try:
            parse_ids(key)
        except ValueError:
            return None
    elif form.startswith("@") and "," not in form and form != "@name" and not (key.isascii() and key.isdecimal()):
        return None
    return key


def reader(form: str) -> Reader:
    """Return what reads the key of this form (see `domtune.vocabulary.path`) off an element, None if it has none.

    Selectors of devices are no matter of one element: `domtune.devices` finds them.
    """
    if form == "#":
        return lambda child: str(twins_before(child))
    if not form.startswith("@"):
        return lambda child: sayable(_whole(child.findtext(form)), form)
    names = [name.strip("@*#") for name in form.split(",")]
    if len(names) > 1:
        return lambda child: _joined([child.get(name) for name in names], form)
    name = names[0]
    if form.endswith("#"):
        return lambda child: str(twins_before(child)) if child.get(name) is None else sayable(child.get(name), form)
    if form == "@name" or form.endswith("*"):
        return lambda child: sayable(child.get(name), form)
    return lambda child: key if (key := child.get(name)) and key.isdecimal() and key.isascii() else None


def _whole(text: str | None) -> str | None:
    """Return a text, None where white space around it is part of what libvirt reads, which no key can say."""
    return text if text is not None and text == text.strip() else None


def _joined(parts: list[str | None], form: str) -> str | None:
    return (
        None
        if None in parts or any("/" in (part or "") for part in parts)
        else sayable("/".join(map(str, parts)), form)
    )
