"""The JSON Schema of files of bindings, for editors."""

from __future__ import annotations

from domtune.bindings import METADATA_WORDS, SCOPES, Policy
from domtune.kindschema import TEXT, Schema, closed
from domtune.vocabulary.drivers import DRIVERS

_TEXTS: Schema = {"type": ["string", "number", "boolean", "array"], "items": TEXT | {"minLength": 1}, "minItems": 1}
_UUID = r"^(?:urn:uuid:)?\{?(?:-*[0-9A-Fa-f]){32}-*\}?$"


def binding_schema() -> Schema:
    """Return the JSON Schema of a file below bindings.d."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "domtune bindings",
        "description": "Which profiles hold for which domains, hypervisors and hosts.",
        "type": ["array", "null"],
        "items": closed(
            {
                "scope": _said(
                    "How wide it holds: the narrower wins. Left out, that of the narrowest word of match.",
                    {"enum": [str(scope) for scope in SCOPES]},
                ),
                "match": _said(
                    "All words must match, and of a list any; left out, it holds for every domain.", _match()
                ),
                "profiles": _said("Profiles by name or path: the later wins.", _texts()),
                "policy": _said(
                    "Whether domtune keeps it so, only reports, or neither.",
                    {"enum": [str(policy) for policy in Policy]},
                ),
            }
        )
        | {"required": ["profiles"]},
    }


def _match() -> Schema:
    drivers: Schema = {"enum": list(DRIVERS)}
    return closed(
        {
            "name": _said("Name of the domain, or a glob.", _texts()),
            "uuid": _said("UUID of the domain.", _texts(pattern=_UUID)),
            "title": _said("Title of the domain, or a glob.", _texts()),
            "driver": _said("Driver of the connection.", _some(drivers)),
            "host": _said("Name of the host, or a glob, or its UUID.", _texts()),
            "metadata": _said("Something in the domain's metadata.", _some(_metadata())),
        }
    )


def _metadata() -> Schema:
    said = {
        "namespace": "The URI behind xmlns.",
        "path": "Elements below it, and at last an attribute: flavor/@name.",
        "value": "The text there, or a glob; left out, any.",
    }
    fields = {word: _said(said[word], TEXT | {"minLength": 1}) for word in METADATA_WORDS}
    return closed(fields) | {"required": ["namespace"]}


def _said(meaning: str, schema: Schema) -> Schema:
    return {"description": meaning, **schema}


def _texts(pattern: str = "") -> Schema:
    """Return the schema of a text, or of a list of texts."""
    demand: Schema = {"minLength": 1} | ({"pattern": pattern} if pattern else {})
    return _TEXTS | demand | {"items": TEXT | demand}


def _some(schema: Schema) -> Schema:
    """Return the schema of one, or of a list."""
    return {"anyOf": [schema, {"type": "array", "items": schema, "minItems": 1}]}
