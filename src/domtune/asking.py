"""What is asked about: a name of parameters or wishes, with selectors and keys in any spelling that a profile has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from domtune import intents
from domtune.devices import EVERY, selectors
from domtune.errors import Invalid
from domtune.expand import called, ids_there, key_ids, tag_of
from domtune.intents import INTENTS
from domtune.intents.model import Intent, Want
from domtune.keys import ALL
from domtune.pipeline import meant
from domtune.profileset import parted
from domtune.tree import Element
from domtune.tuning import Setting
from domtune.values import format_ids
from domtune.vocabulary import PARAMS, nearest
from domtune.vocabulary.model import Param

EVERYTHING = "all"
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_HINTS = 5


class Question:
    """A name, what stands in brackets in it, and the domain that it is asked of."""

    def __init__(self, name: str, root: Element) -> None:
        """Read a name."""
        self.name = name
        self.root = root
        self.plain = plain(name)
        self.keys = tuple(each.strip() for each in _BRACKETS.findall(name))
        self.is_all = name == EVERYTHING
        self._devices: dict[str, frozenset[str]] = {}

    def means(self, setting: Setting) -> bool:
        """Tell whether a setting of the domain is asked about, by its own name or that of a wish."""
        return self.is_all or (self._is_named(setting) and self._is_keyed(setting))

    def means_wish(self, want: Want) -> bool:
        """Tell whether a wish is asked about, by its own name or that of a parameter that it may become."""
        names = (want.intent.name, *want.intent.params)
        if not self.is_all and not any(begins(each, self.plain) for each in names):
            return False
        if not self.keys or not want.intent.device:
            return True
        row = PARAMS[min(want.intent.params)]
        return self.keys[0] == EVERY or bool(meant(want, self.root) & self._called(row))

    def fault(self, said: Sequence[Setting | Want]) -> str:
        """Say which selector or id neither the domain has nor any layer names, "" if there is none."""
        rows = [*parameters(self.name), *(PARAMS[min(each.params)] for each in wishes(self.name) if each.device)]
        keyed = [row for row in rows if len(row.key_forms) >= len(self.keys)]
        if self.keys and not keyed:
            return f"{self.name}: {self.plain} takes no [{self.keys[-1]}]"
        for place, key in enumerate(self.keys):
            reasons = [self._lacking(row, place, key, said) for row in keyed]
            if all(reasons):
                return f"{self.name}: {reasons[0]}"
        return ""

    def _lacking(self, row: Param, place: int, key: str, said: Sequence[Setting | Want]) -> str:
        if key in {EVERY, ALL}:
            return ""
        named = {each.keys[place] for each in said if each.param.device == row.device and len(each.keys) > place}
        if row.key_forms[place].startswith("?"):
            if key in named or called(tag_of(row), key, self.root):
                return ""
            known = ", ".join(selectors(list(self.root.iterfind(f"devices/{tag_of(row)}")))) or "none"
            return f"the domain has no {row.device} {key}; it has {known}"
        settings = [each for each in said if isinstance(each, Setting)]
        if (there := ids_there(row, place, settings, self.root)) is None:
            return ""
        what, has = there
        if not (ids := key_ids(key)):
            return f"{key!r} names no {what}; say ids such as 0-3, or all"
        own = (each.keys[place] for each in settings if each.param is row)
        missing = ids - has.union(*(key_ids(each) for each in own))
        return f"the domain has no {what} {format_ids(missing)}; it has {format_ids(has) or 'none'}" if missing else ""

    def _is_named(self, setting: Setting) -> bool:
        intent = INTENTS.get(self.plain)
        if intent is not None and setting.param.name in intent.params:
            return True
        return begins(setting.param.name, self.plain) or begins(_name_of(setting.by), self.plain)

    def _is_keyed(self, setting: Setting) -> bool:
        if len(self.keys) > len(setting.keys):
            return False
        asked = enumerate(zip(self.keys, setting.keys, strict=False))
        return all(self._is_same(setting.param, place, said, key) for place, (said, key) in asked)

    def _is_same(self, row: Param, place: int, said: str, key: str) -> bool:
        if said in {EVERY, ALL, key}:
            return True
        form = row.key_forms[place]
        if form.startswith("?"):
            return key in self._called(row)
        return form.startswith("@") and "," not in form and form != "@name" and bool(key_ids(said) & key_ids(key))

    def _called(self, row: Param) -> frozenset[str]:
        """Return the devices that the selector means, as they are called; itself where there are none."""
        if row.name not in self._devices:
            found = called(tag_of(row), self.keys[0], self.root)
            self._devices[row.name] = frozenset(found or self.keys[:1])
        return self._devices[row.name]


def check(name: str) -> None:
    """Raise `Invalid` if nothing is called so."""
    if name != EVERYTHING and not [*parameters(name), *wishes(name)]:
        raise Invalid(_no_such(name))


def plain(name: str) -> str:
    """Return a name without what stands in brackets."""
    return _BRACKETS.sub("", name)


def begins(name: str, asked: str) -> bool:
    """Tell whether a name is what was asked for, or begins with its words."""
    return name == asked or name.startswith(f"{asked}.")


def parameters(name: str) -> list[Param]:
    """Return the parameters that a name means, or whose first words it is."""
    return [param for param in PARAMS.values() if begins(param.name, plain(name))]


def wishes(name: str) -> list[Intent]:
    """Return the wishes that a name means, or whose first words it is."""
    return [intent for intent in INTENTS.values() if begins(intent.name, plain(name))]


def _no_such(name: str) -> str:
    """Say that nothing is called so, and what is."""
    asked = plain(name)
    close = [each for each in (*INTENTS, *PARAMS) if asked and each.startswith(asked)][:_HINTS]
    close = close or [each for each in (intents.nearest(asked) or nearest(asked),) if each]
    return f"{name}: no such parameter or wish" + (f"; did you mean {' or '.join(close)}?" if close else "")


@lru_cache(maxsize=1024)
def _name_of(wish: str) -> str:
    """Return the name in a wish as a setting remembers it: "disk[*].read 5 MiB/s"."""
    return parted(wish.partition(" ")[0])[0]
