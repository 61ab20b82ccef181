"""Results as data for --json: field names are stable, `docs/reference/json.md` says what they mean."""

from __future__ import annotations

from typing import Any

from domtune.intents.model import Want
from domtune.lifecycle import NotDone
from domtune.tuning import Setting, Tuning


def setting(value: Setting | Want) -> dict[str, Any]:
    """Return a setting, or a wish."""
    return {
        "parameter": value.param.name,
        "keys": list(value.keys),
        "name": value.name,
        "value": value.said,
        "text": value.text,
        "unit": value.unit,
        "origin": value.origin,
        "wish": value.by if isinstance(value, Setting) else "",
        "demanded": value.demanded,
    }


def tuning(value: Tuning) -> dict[str, Any]:
    """Return a tuning."""
    pieces = [
        {
            "place": str(piece.place),
            "path": piece.path,
            "xml": piece.xml,
            "text": piece.text,
            "attributes": dict(piece.attributes),
            "keys": list(piece.keys),
        }
        for piece in value.verbatim
    ]
    return {"settings": [setting(each) for each in value], "verbatim": pieces}


def not_done(value: NotDone) -> dict[str, Any]:
    """Return a setting that could not be met, with the reason."""
    return setting(value.setting) | {"reason": value.reason}
