"""Portable wishes: each file has one, or one family, and says for every driver what becomes of it."""

from __future__ import annotations

import difflib
from types import MappingProxyType

from domtune.intents.cpu_limit import CPU_LIMIT, CPU_VCPU_LIMIT
from domtune.intents.cpu_nodes import CPU_NODES
from domtune.intents.cpu_weight import CPU_WEIGHT
from domtune.intents.device_limits import DISK_LIMITS, NET_LIMITS
from domtune.intents.later import LATER
from domtune.intents.memory_locked import MEMORY_LOCKED
from domtune.intents.memory_nodes import MEMORY_MOVABLE, MEMORY_NODES
from domtune.intents.memory_pages import MEMORY_PAGES

INTENTS = MappingProxyType(
    {
        intent.name: intent
        for intent in (
            CPU_WEIGHT,
            CPU_LIMIT,
            CPU_VCPU_LIMIT,
            CPU_NODES,
            MEMORY_NODES,
            MEMORY_MOVABLE,
            MEMORY_PAGES,
            MEMORY_LOCKED,
            *DISK_LIMITS,
            *NET_LIMITS,
            *LATER,
        )
    }
)
"""Every wish by its name."""


def nearest(name: str) -> str:
    """Return the wish whose name comes nearest, "" if none does."""
    return next(iter(difflib.get_close_matches(name, INTENTS, 1, 0.6)), "")
