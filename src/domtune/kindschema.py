"""Kinds of values as JSON Schema: what an editor may take for a value, where YAML makes numbers and truths of texts.

The reader types no value by YAML (see `domtune.yamlnodes`), but an editor does: it sees a string in `0-3`, a number in
`2`, and in `true` a truth. In `yes` it sees a string, by YAML 1.2: to one that reads YAML 1.1 `yes` and `true` are
the same, and only one of them is good. So each kind lists the types it can appear as; `pattern` speaks of
strings only, `minimum` and `maximum` of numbers only.
"""

from __future__ import annotations

import re
from functools import singledispatch
from typing import Any

from domtune.intents.kinds import Either, HostCpus, Ratio
from domtune.kinds import ALL_CPUS, DEFAULT, NONE, Duration, Enum, Flag, Ids, Int, Rate, Size, Text
from domtune.values import MAX_CPUS

Schema = dict[str, Any]

_DIGITS = "[0-9]{1,30}"
_DECIMAL = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
_SCALE = r"(?:[KkMmGgTtPpEe](?:[Ii]?[Bb])?|[Bb]|[Bb][Yy][Tt][Ee][Ss]?)"  # as domtune.values.scale reads it
_BYTES = "(?:[KkMmGgTtPpEe](?:[Ii]?B)?|B|[Bb][Yy][Tt][Ee][Ss]?)"  # the same without what could be bits
_DURATION = "(?:ns|us|ms|s)"
_ID = rf"\s*(?:\^{_DIGITS}|{_DIGITS}(?:-{_DIGITS})?)\s*"
IDS = f"{_ID}(?:,{_ID})*"
_TRUTHS = {"true", "false"}  # of which YAML makes booleans
TEXT: Schema = {"type": ["string", "number", "boolean"]}


@singledispatch
def value(kind: object) -> Schema:
    """Return the schema of a value of this kind, or of `default`."""
    raise TypeError(f"{kind!r}: no schema; register one in domtune.kindschema")


@value.register
def _int(kind: Int) -> Schema:
    return _number(kind.low, kind.high, _DIGITS, *_none(kind.unlimited))


@value.register
def _size(kind: Size) -> Schema:
    return _number(kind.low, kind.high, f"{_DIGITS}(?: ?{_SCALE})?", *_none(kind.unlimited))


@value.register
def _rate(kind: Rate) -> Schema:
    per_second = "(?:/s)?" if kind.per_second else ""
    return _number(kind.low, kind.high, f"{_DIGITS}(?: ?{_BYTES}{per_second})?", *_none(kind.unlimited))


@value.register
def _duration(kind: Duration) -> Schema:
    return _number(kind.low, kind.high, f"{_DIGITS}(?: ?{_DURATION})?", *_none(kind.unlimited))


@value.register
def _ratio(_: Ratio) -> Schema:
    return {"type": ["number", "string"], "exclusiveMinimum": 0, **matching(_DECIMAL, DEFAULT)}


@value.register
def _host_cpus(kind: HostCpus) -> Schema:
    most = {} if kind.most is None else {"maximum": kind.most}
    return {"type": ["number", "string"], "exclusiveMinimum": 0, **most, **matching(f"{_DECIMAL}%?", NONE, DEFAULT)}


@value.register
def _enum(kind: Enum) -> Schema:
    words = list(dict.fromkeys((*kind.words, DEFAULT)))
    numbers = [int(word) for word in kind.words if word.isdecimal()]
    truths = [word == "true" for word in kind.words if word in _TRUTHS]
    return {"enum": [*words, *numbers, *truths]}


@value.register
def _ids(kind: Ids) -> Schema:
    everything = [ALL_CPUS] if kind.everything else []
    bounds = {"minimum": 0, "maximum": MAX_CPUS - 1}
    items = {"type": ["integer", "string"], **bounds, **matching(IDS)}
    types = ["integer", "string", "array"]
    return {"type": types, **bounds, **matching(IDS, *everything, DEFAULT), "items": items, "minItems": 1}


@value.register
def _text(kind: Text) -> Schema:
    return TEXT | ({"minLength": 1} if kind.pattern == ".+" else matching(kind.pattern, DEFAULT))


@value.register
def _flag(_: Flag) -> Schema:
    return {"enum": [True, "true", DEFAULT]}


@value.register
def _either(kind: Either) -> Schema:
    return {"anyOf": [{"enum": list(kind.words)}, value(kind.kind)]}


def closed(properties: Schema) -> Schema:
    """Return the schema of a map that has these keys and no others."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


def matching(*patterns: str) -> Schema:
    """Demand that a string matches one of these patterns as a whole."""
    return {"pattern": f"^(?:{'|'.join(patterns)})$"}


def literal(text: str) -> str:
    """Return the pattern of a name; only what JSON Schema's regular expressions want escaped is."""
    return re.sub(r"[\[\].^$*+?(){}|\\]", r"\\\g<0>", text)


def _number(low: int, high: int | None, *patterns: str) -> Schema:
    most = {} if high is None else {"maximum": high}
    return {"type": ["integer", "string"], "minimum": low, **most, **matching(*patterns, DEFAULT)}


def _none(unlimited: str | None) -> list[str]:
    return [] if unlimited is None else [NONE]
