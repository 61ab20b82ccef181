"""The `set:` block of a profile: names, selectors, keys and values, into settings and back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Protocol

from domtune.intents import INTENTS
from domtune.keys import ALL
from domtune.kinds import DEFAULT, Flag, Ids
from domtune.tuning import Place, Setting, Verbatim
from domtune.values import IDS_EXAMPLE, parse_ids
from domtune.vocabulary import PARAMS, is_part, nearest
from domtune.vocabulary.model import Param
from domtune.vocabulary.path import Form, Owner
from domtune.yamlnodes import Items, Map, Node, Scalar

_SELECTOR = re.compile(r"^([A-Za-z_.]+)\[([^\[\]]+)\](.*)$")
MISPLACED = "the ! of a demand stands once, behind the name or behind the first words of it"
UNSELECTED = "one selector, such as [vda], stands in brackets behind the first word"
_DIGITS = 30  # more than any id has


@lru_cache(maxsize=1)
def elements() -> dict[str, dict[str, Param]]:
    """Return the elements that repeat without a key: name in a profile, and their fields."""
    found: dict[str, dict[str, Param]] = {}
    for param in PARAMS.values():
        if any(step.key == "#" for path in param.paths for step in path.steps):
            name, _, word = param.name.rpartition(".")
            found.setdefault(name, {})[word] = param
    return found


@lru_cache(maxsize=1)
def _prefixes() -> frozenset[str]:
    names = [name.split(".") for name in PARAMS]
    return frozenset(".".join(words[:n]) for words in names for n in range(1, len(words)))


class Reading:
    """Settings read so far, and what was wrong on the way."""

    def __init__(self, source: str, problems: list[str]) -> None:
        self.source = source
        self.problems = problems
        self.settings: list[Setting] = []
        self.lines: dict[tuple[str, tuple[str, ...]], int] = {}
        self.demanded = False  # by a `!` behind the name, or behind the first words of it

    def block(self, node: Node, prefix: str = "") -> None:
        """Read a map of names, or of the first words of names."""
        if not isinstance(node, Map):
            self._wrong(node.line, prefix or "set", "must be a map of parameters and values")
            return
        for key, value in node.items:
            word, demands = undemanded(key.text)
            wider, self.demanded = self.demanded, self.demanded or demands
            self._entry(f"{prefix}.{word}" if prefix else word, key.line, value)
            self.demanded = wider

    def _entry(self, said: str, line: int, value: Node) -> None:
        name, device, selector = parted(said)
        param = PARAMS.get(name)
        fields = elements().get(name)
        if fields is not None and isinstance(value, Items) and value.items:
            self._elements(fields, value)
        elif param is not None and fields is not None and isinstance(value, Items):
            self._add(param, (), Scalar("true", line))
        elif fields is not None and not (isinstance(value, Scalar) and value.text in {"true", DEFAULT}):
            example = ", ".join(f"{word}: …" for word in fields)
            self._wrong(line, said, f"takes a list of maps such as [{{{example}}}], or true for none of these")
        elif param is None and name in _prefixes():
            self.block(value, said)
        elif param is None:
            self._wrong(line, said, _unknown(name, said))
        elif "#" in param.key_forms:
            self._wrong(line, said, f"goes into a list: {name.rpartition('.')[0]}: [{{{name.rpartition('.')[2]}: …}}]")
        elif reason := wrong_device(param.name, param.device, device):
            self._wrong(line, said, reason + _keyed_so(param, selector, value))
        else:
            self._value(param, (selector,) if device else (), value)

    def _value(self, param: Param, keys: tuple[str, ...], value: Node) -> None:
        """Read what stands under the name: a value, or as many levels of keys as the row has."""
        left = param.key_forms[len(keys) :]
        if not left:
            self._leaf(param, keys, value)
        elif isinstance(value, Scalar) and value.text == DEFAULT:
            for word in [path.part for path in param.paths] if left[0] == "part" else [ALL]:
                self._value(param, (*keys, word), value)
        elif "," in left[0]:
            self._records(param, keys, left[0], value)
        elif isinstance(value, Items) and len(left) == 1 and isinstance(param.kind, Flag):
            for item in value.items:
                self._keyed(param, keys, left[0], item, Scalar("true", item.line))
        elif isinstance(value, Map):
            for key, below in value.items:
                self._keyed(param, keys, left[0], key, below)
        else:
            example = param.example if param.example.startswith(("{", "[")) else "{KEY: value}"
            self._wrong(value.line, param.name, f"takes a map of keys and values such as {example}")

    def _keyed(self, param: Param, keys: tuple[str, ...], form: str, key: Node, value: Node) -> None:
        if not isinstance(key, Scalar):
            self._wrong(key.line, param.name, "a key must be a word or a list of ids")
        elif form == "part" and key.text not in {path.part for path in param.paths}:
            parts = ", ".join(path.part for path in param.paths)
            self._wrong(key.line, f"{param.name} {key.text}", f"no such part; the parts are {parts}")
        elif form.startswith("@") and form != "@name" and key.text != ALL:
            for each in self._ids(param, form, key):
                self._value(param, (*keys, each), value)
        elif not key.text.strip():
            self._wrong(key.line, param.name, "the key is empty")
        else:
            self._value(param, (*keys, key.text), value)

    def _ids(self, param: Param, form: str, key: Scalar) -> list[str]:
        """Return single ids, or the set itself where the row's key is a set."""
        if key.text.isdecimal() and key.text.isascii() and len(key.text) <= _DIGITS:
            return [key.text]
        try:
            ids = parse_ids(key.text)
        except ValueError as error:
            reason = f"key {error}" + ", nor the word all" * str(error).endswith(IDS_EXAMPLE)
            self._wrong(key.line, param.name, reason)
            return []
        if not ids and not form.endswith("*"):
            self._wrong(key.line, param.name, f"key {key.text!r} names no ids")
            return []
        return [key.text] if form.endswith("*") else [str(number) for number in sorted(ids)]

    def _records(self, param: Param, keys: tuple[str, ...], form: str, value: Node) -> None:
        """Read a list of maps in which several fields together are the key."""
        names = [name.strip("@") for name in form.split(",")]
        leaf = param.paths[0].leaf
        fields = names if leaf.form is Form.PRESENCE else [*names, leaf.attribute]
        for item in value.items if isinstance(value, Items) else (value,):
            said = (
                {key.text: node.text for key, node in item.items if isinstance(node, Scalar)}
                if isinstance(item, Map)
                else {}
            )
            if set(said) != set(fields):
                self._wrong(item.line, param.name, f"takes a list of maps with the fields {', '.join(fields)}")
                continue
            if odd := [said[name] for name in names if "/" in said[name]]:
                self._wrong(item.line, param.name, f"{odd[0]!r} holds a /, which none of {', '.join(names)} can")
                continue
            text = "true" if leaf.form is Form.PRESENCE else said[leaf.attribute]
            self._add(param, (*keys, "/".join(said[name] for name in names)), Scalar(text, item.line))

    def _elements(self, fields: dict[str, Param], value: Items) -> None:
        """Read a list of elements that have no key: their position is it."""
        for number, item in enumerate(value.items):
            if not isinstance(item, Map):
                self._wrong(item.line, next(iter(fields.values())).name, f"each must be a map of {', '.join(fields)}")
                continue
            if not item.items:
                self._wrong(item.line, next(iter(fields.values())).name, f"must have one of {', '.join(fields)}")
            for key, node in item.items:
                if key.text in fields:
                    self._leaf(fields[key.text], (str(number),), node)
                else:
                    self._wrong(key.line, key.text, f"no such field; the fields are {', '.join(fields)}")

    def _leaf(self, param: Param, keys: tuple[str, ...], value: Node) -> None:
        if isinstance(value, Items) and isinstance(param.kind_of(keys), Ids):
            texts = [item.text for item in value.items if isinstance(item, Scalar)]
            if texts and len(texts) == len(value.items):
                value = Scalar(",".join(texts), value.line)
        if isinstance(value, Scalar):
            self._add(param, keys, value)
        else:
            self._wrong(value.line, param.name, f"takes one value: {param.kind_of(keys).describe()}")

    def _add(self, param: Param, keys: tuple[str, ...], value: Scalar) -> None:
        try:
            text, unit = (DEFAULT, None) if value.text == DEFAULT else param.kind_of(keys).written(value.text)
        except ValueError as error:
            self._wrong(value.line, Setting(param, keys, "").name, str(error))
            return
        setting = Setting(param, keys, text, unit, self.source, value.line, self.demanded)
        if setting.address in self.lines:
            self._wrong(value.line, setting.name, f"said before in line {self.lines[setting.address]}; keep one")
            return
        self.lines[setting.address] = value.line
        self.settings.append(setting)

    def _wrong(self, line: int, name: str, reason: str) -> None:
        self.problems.append(f"{self.source}:{line}: {name}: {reason}")


def parted(said: str) -> tuple[str, str, str]:
    """Return the name without selector, the word before the selector, and the selector; "" where there is none."""
    match = _SELECTOR.match(said)
    return (match[1] + match[3], match[1], match[2].strip()) if match else (said, "", "")


def undemanded(key: str) -> tuple[str, bool]:
    """Return a key without the ``!`` behind it, and whether it had one."""
    return (key[:-1], True) if key.endswith("!") and key != "!" else (key, False)


def _unknown(name: str, said: str) -> str:
    if "!" in name:
        return MISPLACED
    if "[" in name:
        return UNSELECTED
    if name in INTENTS:
        return f"is a wish; say it under want: {said}: …"
    if "." not in name and is_part(name):
        return f"no such parameter; it is a part of some: see domtune params {name}"
    close = meant(said, PARAMS, nearest(name))
    return "no such parameter" + (f"; did you mean {close}?" if close else "; see domtune params")


class _Row(Protocol):
    @property
    def device(self) -> str:
        """The word of the name that takes a selector."""


def meant(said: str, rows: Mapping[str, _Row], close: str | None) -> str:
    """Return the name that was meant, with its selector: where that was forgotten to be in brackets, else `close`."""
    name, device, selector = parted(said)
    for word in {row.device for row in rows.values() if row.device and name.startswith(f"{row.device}.")}:
        target, _, rest = name[len(word) + 1 :].partition(".")
        if f"{word}.{rest}" in rows and not device and f"{word}.{target}" not in _prefixes():
            return f"{word}[{target}].{rest}"
    if not close or not (word := rows[close].device):
        return close or ""
    return f"{word}[{selector if word == device else '*'}]{close[len(word) :]}"


def _keyed_so(param: Param, key: str, value: Node) -> str:
    """Say where a key stands that was taken for a selector."""
    if param.device or not key or not param.key_forms:
        return ""
    return f"; say {param.name}: {{{key}: {value.text if isinstance(value, Scalar) else '…'}}}"


def wrong_device(name: str, device: str, said: str) -> str:
    """Say what is wrong with the device that a name is said of, "" if nothing is."""
    if said == device:
        return ""
    if not device:
        return f"{name} takes no [selector]"
    return f"say which {device}: {device}[*]{name[len(device) :]} for all, or a target, alias, MAC or number in the []"


def document_of(settings: Sequence[Setting]) -> dict[str, object]:
    """Return settings as the `set:` block that reads back as the same settings."""
    block: dict[str, object] = {}
    for setting in settings:
        name, *below = _way(setting)
        _put(block, [name, *below], setting)
    return block


def order_hints(settings: Sequence[Setting]) -> list[Verbatim]:
    """Return the order of elements that the `set:` block, which goes row by row, does not keep.

    Three blkio devices, of which the second has no weight, would come back with the second last.
    """
    rows: dict[Param, list[Setting]] = {}
    for setting in settings:
        rows.setdefault(setting.param, []).append(setting)
    written = _element_keys(settings)
    read_back = _element_keys([setting for row in rows.values() for setting in row])
    return [
        Verbatim(Place.ORDER, path, keys=tuple(keys))
        for path, keys in written.items()
        if list(read_back[path]) != list(keys)
    ]


def _element_keys(settings: Sequence[Setting]) -> dict[str, dict[str, None]]:
    """Return the keys of the elements that are wholly ours, in the order in which settings make them."""
    found: dict[str, dict[str, None]] = {}
    for setting in settings:
        steps = setting.param.paths[0].steps if setting.param.paths and not setting.param.device else ()
        for number, step in enumerate(steps[:2]):
            if step.key and step.owner is Owner.OURS and step.key != "#":
                path = "/".join(("/domain", *(each.tag for each in steps[: number + 1])))
                found.setdefault(path, {})[setting.keys[0]] = None
    return found


def _way(setting: Setting) -> Iterator[str]:
    param, keys = setting.param, list(setting.keys)
    demand = "!" * setting.demanded
    if param.device:
        yield f"{param.device}[{keys.pop(0)}]{param.name[len(param.device) :]}{demand}"
    elif param.key_forms[:1] == ("#",):
        yield param.name.rpartition(".")[0] + demand
    else:
        yield param.name + demand
    yield from keys


def _put(block: dict[str, object], way: list[str], setting: Setting) -> None:
    param = setting.param
    forms = param.key_forms
    *above, last = way
    record = bool(forms) and (forms[-1] == "#" or "," in forms[-1])
    listed = bool(forms) and len(above) > 0 and isinstance(param.kind, Flag) and forms[-1].startswith("@")
    holder: dict[str, object] = block
    for step in above[: -1 if record or listed else None]:
        holder = holder.setdefault(step, {})  # type: ignore[assignment]
    if record:
        items: list[dict[str, object]] = holder.setdefault(above[-1], [])  # type: ignore[assignment]
        _put_record(items, forms[-1], last, setting)
    elif listed:
        holder.setdefault(above[-1], []).append(last)  # type: ignore[attr-defined]
    elif param.name in elements() and not setting.is_default:
        holder[last] = []
    else:
        holder[last] = setting.said


def _put_record(items: list[dict[str, object]], form: str, key: str, setting: Setting) -> None:
    if form == "#":
        while len(items) <= int(key):
            items.append({})
        items[int(key)][setting.param.name.rpartition(".")[2]] = setting.said
        return
    names = [name.strip("@") for name in form.split(",")]
    leaf = setting.param.paths[0].leaf
    fields: dict[str, object] = dict(zip(names, key.split("/"), strict=True))
    items.append(fields if leaf.form is Form.PRESENCE else fields | {leaf.attribute: setting.said})
