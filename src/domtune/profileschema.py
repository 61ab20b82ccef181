"""The JSON Schema of profiles, for editors: made of the vocabulary and of the portable wishes.

`a: {b: x}` and `a.b: x` are one name, so each beginning of names has a schema of its own among `$defs`: of `set` with
every name in it, of `set.cpu` with the rest of those that begin so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from domtune import matrix, yamlnodes
from domtune.intents import INTENTS
from domtune.intents.model import Intent, Way
from domtune.keys import ALL
from domtune.kinds import DEFAULT, Flag
from domtune.kindschema import IDS, TEXT, Schema, closed, literal, matching, value
from domtune.profileset import elements
from domtune.tuning import Place
from domtune.vocabulary import PARAMS
from domtune.vocabulary.drivers import DRIVERS
from domtune.vocabulary.model import Param
from domtune.vocabulary.path import Form
from domtune.yamlnodes import Items, Map, Node, Scalar

_SELECTOR = r"\[[^\[\]]+\]"
_NAME = r"(?![.-])[^\x00-,/:-@\[-\^`{-\x7f\ufffd]+"  # letters of any script, which have no short word there
_SELECTED = "[]"  # behind the word of a device, while names are put together
_EACH = {"type": ["integer", "string"]}


class _Row(NamedTuple):
    """A name that a block takes, and what stands behind it."""

    name: str
    device: str
    schema: Schema

    @property
    def words(self) -> list[str]:
        """The words of the name; that of the device is marked."""
        if not self.device:
            return self.name.split(".")
        *above, word = self.device.split(".")
        return [*above, word + _SELECTED, *self.name.removeprefix(f"{self.device}.").split(".")]


def profile_schema() -> Schema:
    """Return the JSON Schema of a profile."""
    block = {"want": {"$ref": "#/$defs/want"}, "set": {"$ref": "#/$defs/set"}}
    names = {"type": ["string", "number", "boolean", "array"], "items": TEXT}
    properties = {
        "profile": {"description": "The name of the profile.", **TEXT, **matching(_NAME)},
        "summary": {"description": "One line for people.", **TEXT},
        "inherits": {"description": "Profiles that lie under this one; the later lies over the earlier.", **names},
        "required": {
            "description": "Whether what cannot be done is an error before anything starts.",
            "enum": [True, False, "true", "false"],
        },
        **block,
        "when": {"description": "What holds on some drivers or hosts only.", "type": "array", "items": _case(block)},
        "verbatim": {
            "description": "Pieces of XML that no parameter can say, as split wrote them.",
            "type": "array",
            "items": _piece(),
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "domtune profile",
        "description": "How domains should run, apart from what they are.",
        **closed(properties),
        "required": ["profile"],
        "$defs": {
            **_block("want", "Portable wishes.", _wishes()),
            **_block("set", "Exact parameters of libvirt.", _settings()),
        },
    }


def _block(block: str, meaning: str, rows: Iterable[_Row]) -> dict[str, Schema]:
    """Return a schema for each name, and one for each beginning of names."""
    groups: dict[tuple[str, ...], dict[str, str]] = {}
    leaves = {}
    for row in rows:
        words = row.words
        leaves[_called(block, words)] = row.schema
        for start in range(len(words)):
            group = groups.setdefault(tuple(words[:start]), {})
            for end in range(start + 1, len(words) + 1):
                group[".".join(words[start:end])] = _called(block, words[:end])
    said = {group: f"{meaning[:-1]} below {'.'.join(group)}." if group else meaning for group in groups}
    return {_called(block, group): _names(said[group], names) for group, names in groups.items()} | leaves


def _called(block: str, words: Iterable[str]) -> str:
    return ".".join((block, *words)).replace(_SELECTED, "")


def _names(meaning: str, names: dict[str, str]) -> Schema:
    """Return the schema of a map of names; each may have a ``!`` behind it, a device has its selector."""
    properties: Schema = {}
    patterns: Schema = {}
    for name, target in names.items():
        schema = {"$ref": f"#/$defs/{target}"}
        if _SELECTED not in name:
            properties[name] = schema
            patterns[f"^{literal(name)}!$"] = schema
            continue
        word, _, rest = name.partition(_SELECTED)
        patterns[f"^{literal(word)}{_SELECTOR}{literal(rest)}!?$"] = schema
        if not rest:
            properties[f"{word}[*]"] = schema  # for the editor to offer
    return {"description": meaning, **closed(properties), "patternProperties": patterns}


# Exact parameters


def _settings() -> Iterator[_Row]:
    for param in PARAMS.values():
        if param.name in elements():
            yield _Row(param.name, param.device, _said(param) | _elements(elements()[param.name]))
        elif "#" not in param.key_forms:
            forms = param.key_forms[1:] if param.device else param.key_forms
            yield _Row(param.name, param.device, _said(param) | _below(param, forms))


def _said(param: Param) -> Schema:
    """Return what an editor shows of a parameter."""
    drivers = ", ".join(f"{name} {matrix.word(param, name)}" for name in DRIVERS)
    description = f"{param.help}\n\nValue: {param.kind.describe()}.\nDrivers: {drivers}."
    return {"title": param.name, "description": description, "examples": [_plain(param.example)]}


def _below(param: Param, forms: tuple[str, ...]) -> Schema:
    """Return the schema of what stands under a name: a value, or as many levels of keys as the row has.

    At each level `default` alone takes away what all below it have.
    """
    if not forms:
        return value(param.kind)
    form, *rest = forms
    if form == "part":
        return _or_default(closed({path.part: value(param.kinds.get(path.part, param.kind)) for path in param.paths}))
    if "," in form:
        record = _record(param, form)
        return _or_default(record, listed=record)
    keys = matching(r"(?!\s*$)[\s\S]*") if form in {"path", "@name"} else matching(ALL, IDS)
    found = {"patternProperties": {keys["pattern"]: _below(param, tuple(rest))}, "additionalProperties": False}
    return _or_default(found, listed=_EACH | keys if not rest and isinstance(param.kind, Flag) else None)


def _or_default(schema: Schema, *, listed: Schema | None = None) -> Schema:
    """Return the schema of a map, or of `default`; or of a list of what is `listed`."""
    if listed is None:
        return {**schema, "type": ["object", "string"], **matching(DEFAULT)}
    return {**schema, "type": ["object", "string", "array"], **matching(DEFAULT), "items": listed}


def _record(param: Param, form: str) -> Schema:
    """Return the schema of a map in which several fields together are the key."""
    leaf = param.paths[0].leaf
    fields: Schema = {name.strip("@"): TEXT | {"pattern": "^[^/]*$"} for name in form.split(",")}
    if leaf.form is not Form.PRESENCE:
        fields[leaf.attribute] = value(param.kind)
    return closed(fields) | {"required": list(fields)}


def _elements(fields: dict[str, Param]) -> Schema:
    """Return the schema of elements that have no key: a list of maps, or true for one with nothing in it."""
    item = closed({word: _said(param) | value(param.kind) for word, param in fields.items()}) | {"minProperties": 1}
    return {
        "type": ["array", "boolean", "string"],
        "items": item,
        "not": {"const": False},
        **matching("true", DEFAULT),
    }


# Portable wishes


def _wishes() -> Iterator[_Row]:
    for intent in INTENTS.values():
        if not intent.later:
            yield _Row(intent.name, intent.device, _wished(intent) | value(intent.kind))


def _wished(intent: Intent) -> Schema:
    """Return what an editor shows of a wish."""
    drivers = ", ".join(
        f"{name} {', '.join(way.params)}" for name, way in intent.drivers.items() if isinstance(way, Way)
    )
    description = f"{intent.help}\n\nValue: {intent.kind.describe()}.\nBecomes: {drivers or 'nothing'}."
    return {"title": intent.name, "description": description, "examples": [_plain(intent.example)]}


# The rest of a profile


def _case(block: Schema) -> Schema:
    texts = {"type": ["string", "number", "boolean", "array"], "items": TEXT, "minItems": 1}
    conditions = {
        "driver": {"description": "The driver is one of these.", **_one_or_more(list(DRIVERS))},
        "host": {"description": "The name of the host matches one of these.", **texts},
        "cgroup": {"description": "The host has this version of cgroups.", **_one_or_more(["1", "2", 1, 2])},
    }
    needs = [{"anyOf": _having(words)} for words in (conditions, block)]
    return closed(conditions | block) | {"allOf": needs}


def _one_or_more(words: list[str | int]) -> Schema:
    return {"anyOf": [{"enum": words}, {"type": "array", "items": {"enum": words}, "minItems": 1}]}


def _piece() -> Schema:
    contents: Schema = {
        "xml": TEXT,
        "text": TEXT,
        "attributes": {"type": "object", "additionalProperties": TEXT},
        "keys": {"type": "array", "items": TEXT},
    }
    places = [str(place) for place in Place]
    others = [place for place in places if place != Place.ORDER]
    needs = [{"oneOf": _having(words)} for words in (places, contents)]
    keys = {"if": {"required": ["keys"]}, "then": {"required": ["order"]}, "else": {"anyOf": _having(others)}}
    return closed(dict.fromkeys(places, TEXT) | contents) | {"allOf": [*needs, keys]}


def _having(words: Iterable[str]) -> list[Schema]:
    return [{"required": [word]} for word in words]


def _plain(example: str) -> object:
    """Return an example as an editor would read it."""
    node = yamlnodes.read(example, "example")
    return None if node is None else _read(node)


def _read(node: Node) -> object:
    match node:
        case Scalar(text):
            return int(text) if text.isdecimal() else text == "true" if text in {"true", "false"} else text
        case Items(items):
            return [_read(item) for item in items]
        case Map(items):
            return {key.text: _read(item) for key, item in items}
