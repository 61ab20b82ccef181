"""What the page on profiles says of kinds, keys, lists and families."""

from __future__ import annotations

from domtune import matrix
from domtune.docs.keyforms import described
from domtune.docs.markdown import table
from domtune.profileset import elements
from domtune.vocabulary import PARAMS
from domtune.vocabulary.model import Param


def tables() -> dict[str, str]:
    """Return what the page on profiles says of kinds, keys, lists and families."""
    kinds: dict[str, list[Param]] = {}
    keys: dict[str, list[Param]] = {}
    families: dict[str, list[Param]] = {}
    devices: dict[str, list[Param]] = {}
    for param in PARAMS.values():
        kinds.setdefault(param.kind.name, []).append(param)
        families.setdefault(param.family, []).append(param)
        devices.setdefault(param.device, []).append(param)
        for form in param.key_forms:
            keys.setdefault(described(form), []).append(param)
    del families[""], devices[""]
    examples = (
        (name, len(some), f"`{matrix.example(some[0])}`", some[0].kind.describe()) for name, some in kinds.items()
    )
    keyed = ((key, len(some), f"`{matrix.example(some[0])}`") for key, some in keys.items())
    lists = ((f"`{name}`", ", ".join(f"`{word}`" for word in some)) for name, some in elements().items())
    return {
        "kinds": table(("kind", "parameters", "for example", "which takes"), examples),
        "keys": table(("key", "parameters", "for example"), keyed),
        "devices": table(
            ("word", "element", "parameters"),
            ((f"`{word}[…]`", _element(some[0]), len(some)) for word, some in devices.items()),
        ),
        "lists": table(("list", "fields of each item"), lists),
        "families": table(("family", "parameters"), ((f"`{name}`", len(some)) for name, some in families.items())),
    }


def _element(param: Param) -> str:
    """Return the element of the device that a parameter belongs to."""
    return next(f"`<{step.tag}>`" for step in param.paths[0].steps if step.key.startswith("?"))
