"""How results are declared: records of fields with types and meanings. JSON Schemas are made of them here, and tables
of the reference in `domtune.docs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

DRAFT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class Type:
    """What a value is."""

    schema: Mapping[str, Any]
    said: str  # in words, as Markdown
    records: tuple[Record, ...] = ()  # that it is made of


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a record."""

    name: str
    type: Type
    meaning: str


@dataclass(frozen=True, slots=True)
class Record:
    """A JSON object: all its fields are always there."""

    name: str
    meaning: str
    fields: tuple[Field, ...]

    @property
    def type(self) -> Type:
        """A value that is this record."""
        return Type({"$ref": f"#/$defs/{self.name}"}, f"[{self.name}](#{self.name})", (self,))


@dataclass(frozen=True, slots=True)
class Result:
    """What a command prints when it could do its work."""

    meaning: str
    type: Type


TEXT = Type({"type": "string"}, "text")
TEXT_OR_NULL = Type({"type": ["string", "null"]}, "text or null")
TRUTH = Type({"type": "boolean"}, "true or false")
JSON_SCHEMA = Type({"$ref": DRAFT}, "a [JSON Schema](https://json-schema.org)")


def one_of(words: Iterable[str]) -> Type:
    """Return the type of a text that is one of a few words."""
    known = [str(word) for word in words]
    return Type({"type": "string", "enum": known}, ", ".join(f"`{word}`" for word in known))


def either(*types: Type) -> Type:
    """Return the type of a value that is of one of these."""
    records = tuple(record for each in types for record in each.records)
    return Type({"anyOf": [each.schema for each in types]}, ", or ".join(each.said for each in types), records)


def many(of: Type) -> Type:
    """Return the type of a list."""
    return Type({"type": "array", "items": of.schema}, f"list of {of.said}", of.records)


def table(key: Type, of: Type) -> Type:
    """Return the type of a map whose keys are not known before."""
    schema = {"type": "object", "propertyNames": key.schema, "additionalProperties": of.schema}
    return Type(schema, f"map of {key.said} to {of.said}", of.records)


def as_schema(title: str, result: Result, error: Record) -> dict[str, Any]:
    """Return the JSON Schema of what a command prints: its result, or the error document in place of it."""
    kinds = [result.type] if error in result.type.records else [result.type, error.type]
    return {
        "$schema": DRAFT,
        "title": title,
        "description": result.meaning,
        "anyOf": [each.schema for each in kinds],
        "$defs": {record.name: _of_record(record) for each in kinds for record in within(each)},
    }


def within(of: Type) -> Iterator[Record]:
    """Give the records that a type is made of, and those that these are made of."""
    for record in of.records:
        yield record
        for field in record.fields:
            yield from within(field.type)


def _of_record(record: Record) -> dict[str, Any]:
    return {
        "description": record.meaning,
        "type": "object",
        "properties": {field.name: {"description": field.meaning, **field.type.schema} for field in record.fields},
        "required": [field.name for field in record.fields],
    }
