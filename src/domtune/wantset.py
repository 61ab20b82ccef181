"""The `want:` block of a profile: portable wishes, by the names that `domtune.intents` has."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from domtune.intents import INTENTS, model, nearest
from domtune.intents.model import Around, CannotMeet, Intent, Site, Want, Way, resolve
from domtune.kinds import DEFAULT, Ids
from domtune.profileset import MISPLACED, UNSELECTED, meant, parted, undemanded, wrong_device
from domtune.tuning import Setting
from domtune.vocabulary import PARAMS
from domtune.yamlnodes import Items, Map, Node, Scalar


@lru_cache(maxsize=1)
def _prefixes() -> frozenset[str]:
    names = [name.split(".") for name in INTENTS]
    return frozenset(".".join(words[:n]) for words in names for n in range(1, len(words)))


class WantReading:
    """Wishes read so far, and what was wrong on the way."""

    def __init__(self, source: str, problems: list[str]) -> None:
        self.source = source
        self.problems = problems
        self.wants: list[Want] = []
        self.lines: dict[tuple[str, tuple[str, ...]], int] = {}

    def block(self, node: Node, prefix: str = "", *, demanded: bool = False) -> None:
        """Read a map of names, or of the first words of names."""
        if not isinstance(node, Map):
            self._wrong(node.line, prefix or "want", "must be a map of wishes and values")
            return
        for key, value in node.items:
            word, demands = undemanded(key.text)
            said = f"{prefix}.{word}" if prefix else word
            self._entry(said, key.line, value, demanded=demanded or demands)

    def _entry(self, said: str, line: int, value: Node, *, demanded: bool) -> None:
        name, device, selector = parted(said)
        intent = INTENTS.get(name)
        if intent is None and name in _prefixes():
            self.block(value, said, demanded=demanded)
        elif intent is None:
            self._wrong(line, said, _unknown(name, said))
        elif intent.later:
            self._wrong(line, said, intent.later)
        elif reason := wrong_device(intent.name, intent.device, device):
            self._wrong(line, said, reason)
        else:
            self._leaf(intent, (selector,) if device else (), value, demanded=demanded)

    def _leaf(self, intent: Intent, keys: tuple[str, ...], value: Node, *, demanded: bool) -> None:
        name = Want(intent, keys, "").name
        is_set = intent.kind.name == Ids.name and isinstance(value, Items) and bool(value.items)
        if is_set and isinstance(value, Items) and all(isinstance(item, Scalar) for item in value.items):
            value = Scalar(",".join(item.text for item in value.items if isinstance(item, Scalar)), value.line)
        if not isinstance(value, Scalar):
            self._wrong(value.line, name, f"takes one value: {intent.kind.describe()}")
            return
        try:
            if value.text != DEFAULT:
                intent.kind.written(value.text)
        except ValueError as error:
            self._wrong(value.line, name, str(error))
            return
        want = Want(intent, keys, value.text, self.source, value.line, demanded)
        if want.address in self.lines:
            self._wrong(value.line, name, f"said before in line {self.lines[want.address]}; keep one")
            return
        self.lines[want.address] = value.line
        self.wants.append(want)

    def _wrong(self, line: int, name: str, reason: str) -> None:
        self.problems.append(f"{self.source}:{line}: {name}: {reason}")


def clashes(wants: Sequence[Want], settings: Sequence[Setting]) -> list[str]:
    """Return where a wish and a setting of one block say the same on some driver, each with both lines."""
    problems = []
    for want in wants:
        for setting in settings:
            if drivers := [name for name in want.intent.drivers if _clash(want, setting, name)]:
                how = f"{want.name} in line {want.line} becomes it on {', '.join(drivers)}"
                problems.append(f"{setting.origin}: {setting.name}: {how}; keep one, or say one under when:")
    return problems


def _clash(want: Want, setting: Setting, driver: str) -> bool:
    """Tell whether a wish becomes the same parameter on a driver, and not surely with the same value."""
    way = want.intent.drivers[driver]
    if not isinstance(way, Way) or setting.param.name not in way.params or setting.keys[: len(want.keys)] != want.keys:
        return False
    try:
        return setting not in resolve(want, Around(Site(driver)))
    except CannotMeet:
        return True


def judge(wants: Sequence[Want]) -> list[str]:
    """Return what is wrong with values that are good words, but that no driver would take."""
    problems = []
    for want in wants:
        try:
            if not want.is_default:
                model.judge(want)
        except ValueError as error:
            problems.append(f"{want.origin}: {want.name}: {error}")
    return problems


def document_of(wants: Sequence[Want]) -> dict[str, object]:
    """Return wishes as the `want:` block that reads back as the same wishes."""
    return {want.name + "!" * want.demanded: want.text for want in wants}


def _unknown(name: str, said: str) -> str:
    if "!" in name:
        return MISPLACED
    if "[" in name:
        return UNSELECTED
    if name in PARAMS:
        return f"is an exact parameter; say it under set: {said}: …"
    if any(param.startswith(f"{name}.") for param in PARAMS):
        return f"begins the names of exact parameters; say them under set: {said}: …"
    close = meant(said, INTENTS, nearest(name))
    known = ", ".join(each for each, intent in INTENTS.items() if not intent.later)
    return "no such wish" + (f"; did you mean {close}?" if close else f"; the wishes are {known}")
