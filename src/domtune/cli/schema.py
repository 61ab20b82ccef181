"""domtune schema: the JSON Schema of what people write, and of what commands print."""

from __future__ import annotations

from typing import Any

import click

from domtune.bindingschema import binding_schema
from domtune.cli.output import Output, as_json, with_output
from domtune.cli.results import RESULTS, result_schema
from domtune.profileschema import profile_schema

_DOCUMENTS = {
    "profile": ("A profile.", profile_schema),
    "binding": ("A file of bindings.", binding_schema),
}
NAMES = {name: meaning for name, (meaning, _) in _DOCUMENTS.items()} | {
    name: result.meaning if name == "error" else f"domtune {name} --json: {result.meaning}"
    for name, result in RESULTS.items()
}


@click.command("schema")
@click.argument("name", metavar="[NAME]", type=click.Choice(list(NAMES)), required=False)
@with_output
def command(output: Output, name: str | None) -> None:
    """Print a JSON Schema: of profiles or files of bindings, for editors, or of what a command prints with --json.

    Without NAME the schemas are listed.
    """
    if name:
        found = schema(name)
        output.result(found, as_json(found))
    elif output.json:
        output.result([{"name": each, "meaning": meaning} for each, meaning in NAMES.items()], "")
    else:
        output.result(None, "\n".join(f"{each}: {meaning}" for each, meaning in NAMES.items()))


def schema(name: str) -> dict[str, Any]:
    """Return one of the schemas."""
    return _DOCUMENTS[name][1]() if name in _DOCUMENTS else result_schema(name)
