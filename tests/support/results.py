"""What commands print with --json, held against their JSON Schemas."""

from __future__ import annotations

from functools import cache

from jsonschema import Draft202012Validator

from domtune.cli.results import result_schema


def faults(command: str, document: object) -> list[str]:
    """Return what of a document its schema does not allow; a field that is not declared is a fault, too."""
    return [f"{error.json_path}: {error.message[:200]}" for error in _validator(command).iter_errors(document)]


def is_error(document: object) -> bool:
    """Tell whether a document is what a command prints in place of its result."""
    return isinstance(document, dict) and not faults("error", document)


@cache
def _validator(command: str) -> Draft202012Validator:
    schema = result_schema(command)
    for record in schema["$defs"].values():
        record["additionalProperties"] = False  # readers must bear new fields, we must declare them
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)
