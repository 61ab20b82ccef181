"""YAML as editors read it before they look at the JSON Schema: with types of its own, by version 1.2 of YAML."""

from __future__ import annotations

import re
from typing import Any

import yaml
from jsonschema import Draft202012Validator

# The core schema of YAML 1.2.2, 10.3.2; PyYAML itself has that of 1.1, in which `yes` is true and 010 is 8.
_CORE = {
    "null": ("~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": ("true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": ("[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    "float": (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
}


_Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc, valid-type]
    """Keys are their texts, as in JSON."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: ARG002
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}


class _Core(_Loader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own class attribute


for name, (pattern, first) in _CORE.items():
    _Core.add_implicit_resolver(f"tag:yaml.org,2002:{name}", re.compile(f"^(?:{pattern})$"), first)


def faults(text: str, validator: Draft202012Validator) -> list[str]:
    """Return what an editor underlines."""
    document = yaml.load(text, Loader=_Core)  # noqa: S506 - a safe loader
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(document)]
