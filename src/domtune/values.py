"""The notations that values are made of: sets of ids such as ``0-3,^2``, units of size, names of profiles."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

IDS_EXAMPLE = "such as 0-3,^2"
MAX_CPUS = 16384  # VIR_DOMAIN_CPUMASK_LEN of libvirt

# Powers as virScaleInteger reads them: a bare letter or "iB" counts in 1024, "B" after the letter in 1000.
_SCALE = re.compile(r"([kmgtpe])(ib|b)?|b|bytes?", re.IGNORECASE)
NAME = re.compile(r"\w[\w.-]*")  # of a profile
_PART = re.compile(r"\s*(\^?)([0-9]{1,30})(?:-([0-9]{1,30}))?\s*")


def scale(unit: str) -> int:
    """Return how many bytes the unit stands for: ``KiB`` 1024, ``kB`` 1000, ``k`` 1024 (libvirt's virScaleInteger)."""
    match = _SCALE.fullmatch(unit)
    if not match:
        raise ValueError(f"{unit!r} is no unit of size; use B, KiB, MiB, GiB, TiB, kB, MB or GB")
    letter, ending = match.groups()
    if not letter:
        return 1
    base = 1000 if (ending or "").lower() == "b" else 1024
    return int(base ** ("kmgtpe".index(letter.lower()) + 1))


@lru_cache(maxsize=1024)
def parse_ids(text: str, what: str = "ids") -> frozenset[int]:
    """Return the numbers of a list such as ``0-3,^2``, read from left to right (virBitmapParse).

    Raises `ValueError` for anything else, and for ids from 16384 on, which libvirt does not take.
    """
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if not match or (match[1] and match[3]):
            raise ValueError(f"{text!r} is not a list of {what} {IDS_EXAMPLE}")
        first, last = int(match[2]), int(match[3] or match[2])
        if last < first:
            whole = "" if part.strip() == text else f" in {text!r}"
            raise ValueError(f"{part.strip()!r}{whole} runs backwards")
        if last >= MAX_CPUS:
            raise ValueError(f"{last} in {text!r} is above {MAX_CPUS - 1}, the highest id libvirt takes")
        if match[1]:
            found.discard(first)
        else:
            found.update(range(first, last + 1))
    return frozenset(found)


def format_ids(ids: Iterable[int]) -> str:
    """Return sorted ids the way libvirt writes them: ``0-2,5``."""
    runs: list[list[int]] = []
    for number in sorted(ids):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
