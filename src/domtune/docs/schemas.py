"""The JSON Schemas as files: of what people write, and of what commands print."""

from __future__ import annotations

import json

from domtune.cli.schema import NAMES, schema


def files() -> dict[str, str]:
    """Return each schema by the name of its file."""
    return {f"{name}.json": json.dumps(schema(name), indent=1, ensure_ascii=False) + "\n" for name in NAMES}
