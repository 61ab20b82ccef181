"""domtune parts a libvirt domain's tuning from its definition, and starts the domain minimal or tuned.

    domain XML ── split ──┬── definition ────────────────┐
                          └── tuning ──┐                 ├── start ── read back
    profiles ── check ── stack ────────┴── lifecycle ────┘
                                 (in the XML, or on the running domain)

`split` and `merge` need no hypervisor. `connect` opens one, `start` starts a domain on it as a `Wish` says, with the
profiles that `load` finds, and returns what was done:

    with domtune.connect("qemu:///system") as connection:
        started = domtune.start(connection, "web", domtune.Wish(tuple(domtune.load("latency.yaml"))))

`bind` says which profiles hold for a domain whenever it starts, `unbind` takes them off.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domtune.catalogue import load
    from domtune.connection import connect
    from domtune.domain import merge, split
    from domtune.errors import Error
    from domtune.rebinding import bind, unbind
    from domtune.run import Wish
    from domtune.starting import start
    from domtune.tuning import Split, Tuning

__all__ = ["Error", "Split", "Tuning", "Wish", "bind", "connect", "load", "merge", "split", "start", "unbind"]

_HOME = {
    "Error": "errors",
    "Split": "tuning",
    "Tuning": "tuning",
    "Wish": "run",
    "bind": "rebinding",
    "connect": "connection",
    "load": "catalogue",
    "merge": "domain",
    "split": "domain",
    "start": "starting",
    "unbind": "rebinding",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used: importing domtune loads neither libvirt nor lxml."""
    if name in _HOME:
        value: object = getattr(import_module(f"domtune.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'domtune' has no attribute {name!r}")
