"""Kinds of values: what the text of a parameter means, which texts are good, how a profile says them.

A value is kept as it was written (text, and the unit beside it); a `Kind` gives the text its meaning. Three
questions are kept apart, since they have different answers:

- `parse`: what does this text mean? `ValueError` when it means nothing. Used to compare.
- `judge`: would libvirt and the hypervisor take it? Used by everything that acts, never by split and merge.
- `written` and `said`: the text in the domain XML for the text in a profile, and back.

A module holds the kinds that are alike; `shape` holds what all of them share. A kind of its own is a frozen dataclass
with the methods of `Kind`.
"""

from domtune.kinds.amount import Rate, Size, in_units
from domtune.kinds.duration import Duration
from domtune.kinds.ids import Ids
from domtune.kinds.number import Int
from domtune.kinds.shape import ALL_CPUS, DEFAULT, NONE, Kind, Value
from domtune.kinds.word import ON_OFF, YES_NO, Enum, Flag, Text

__all__ = [
    "ALL_CPUS",
    "DEFAULT",
    "NONE",
    "ON_OFF",
    "YES_NO",
    "Duration",
    "Enum",
    "Flag",
    "Ids",
    "Int",
    "Kind",
    "Rate",
    "Size",
    "Text",
    "Value",
    "in_units",
]
