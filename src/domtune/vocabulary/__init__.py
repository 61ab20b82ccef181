"""The vocabulary: every parameter that libvirt has for tuning a domain, once, as data."""

from __future__ import annotations

import copyreg
import re
from collections.abc import Mapping
from types import MappingProxyType

from domtune.vocabulary import (
    blkio,
    cpu,
    cpu_outside_xml,
    device,
    disk,
    disk_iotune,
    features,
    iothread,
    memory,
    memory_backing,
    net,
    numa,
    perf,
    quota,
    resource,
)
from domtune.vocabulary.model import Param

# In the order in which people read: CPU, memory, storage, network, the rest.
_MODULES = (
    cpu,
    quota,
    cpu_outside_xml,
    iothread,
    memory,
    memory_backing,
    numa,
    resource,
    blkio,
    disk_iotune,
    disk,
    net,
    device,
    features,
    perf,
)

PARAMS: Mapping[str, Param] = MappingProxyType({row.name: row for module in _MODULES for row in module.ROWS})


def row(name: str) -> Param:
    """Return the row of this name; a pickle holds no more of a row than that."""
    return PARAMS[name]


copyreg.pickle(Param, lambda param: (row, (param.name,)))


def is_part(word: str) -> bool:
    """Tell whether a word is a part of the names of parameters, or an element of the XML that they stand in."""
    return any(word in re.split(r"[._]", row.name) or is_element(row, word) for row in PARAMS.values())


def is_element(param: Param, word: str) -> bool:
    """Tell whether a parameter stands in an element that is called so."""
    return any(word == step.tag for path in param.paths for step in path.steps)


def nearest(name: str) -> str | None:
    """Return the parameter whose name is most like this one, or None if none is."""
    import difflib  # noqa: PLC0415 - only when somebody mistyped

    words = set(re.split(r"[._]", name))
    close = difflib.get_close_matches(name, PARAMS, n=5)  # the best first; one with the same words is better still
    return max(close, key=lambda found: len(words & set(re.split(r"[._]", found))), default=None)
