"""Shorthand for the rows: what many drivers say of many parameters in the same words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from domtune.vocabulary.model import DRIVERS, Call, Cannot, Fact, Flags, Live, Reason, Source, Type

_WHY = {
    Reason.IGNORED: "the element is kept in the XML and never read",
    Reason.REJECTED: "the driver refuses the document",
    Reason.NO_API: "the driver has neither XML nor a call for it",
}
_VZ_OPEN = "vz does not honour it; whether it refuses the document was not checked"

# Where the usual source of a reason is not that it was read: each of these was tried on a container.
_SEEN = {("lxc", Reason.IGNORED): Source.LIVE}

Why = str | tuple[str, Source]  # a reason of its own, and how it is known where that is not usual

STORED = Fact(caveat="stored, nothing is enforced", source=Source.LIVE, evidence="test_driver.c keeps the parsed XML")
"""What the test driver makes of every element that libvirt's parser knows."""


def created(evidence: str, **rest: object) -> Fact:
    """Return the fact of a parameter that is honoured at creation and cannot change on a running domain."""
    return Fact(evidence=evidence, **rest)  # type: ignore[arg-type]


def changed(call: Call, field: str, type_: Type, evidence: str, **rest: object) -> Fact:
    """Return the fact of a parameter that is honoured at creation and can change live.

    Keywords of `Live` (flags, rank, gate, paused) and of `Fact` may be mixed.
    """
    of_live = {name: rest.pop(name) for name in ("flags", "rank", "gate", "paused") if name in rest}
    live = Live(call, field, type_, **of_live)  # type: ignore[arg-type]
    return Fact(live=live, evidence=evidence, **rest)  # type: ignore[arg-type]


def simulated(call: Call, field: str, type_: Type, **rest: object) -> Fact:
    """Return the fact of a parameter whose setter the test driver has: it stores the value and enforces nothing."""
    rest.setdefault("flags", Flags.LIVE)
    return changed(call, field, type_, "test_driver.c", caveat=STORED.caveat, **rest)


def like(fact: Fact, stored: Fact = STORED) -> Fact:
    """Return what the test driver makes of a row that the parser, or QEMU, takes on some devices only."""
    return replace(stored, only_on=fact.only_on) if fact.only_on else stored


def facts(
    honoured: Mapping[str, Fact],
    *,
    ignored: str = "",
    rejected: str = "",
    no_api: str = "",
    why: Mapping[str, Why] | None = None,
) -> Mapping[str, Fact | Cannot]:
    """Give every driver its place: a fact, or the reason why it cannot.

    `ignored`, `rejected` and `no_api` are lists of drivers in words; `why` gives a driver's reason where the usual
    sentence does not do. Raises `ValueError` when a driver has no place or two.
    """
    found: dict[str, Fact | Cannot] = dict(honoured)
    for how, names in ((Reason.IGNORED, ignored), (Reason.REJECTED, rejected), (Reason.NO_API, no_api)):
        for driver in names.split():
            if driver in found:
                raise ValueError(f"{driver} has two places")
            found[driver] = _cannot(how, (why or {}).get(driver) or _WHY[how], _SEEN.get((driver, how), Source.READ))
    if set(found) != set(DRIVERS):
        raise ValueError(f"drivers without a place, or unknown: {set(found) ^ set(DRIVERS)}")
    return found


@cache
def _cannot(how: Reason, why: Why, source: Source) -> Cannot:
    return Cannot(how, *why) if isinstance(why, tuple) else Cannot(how, why, source)


def qemu_only(
    fact: Fact, *, vz: Reason | None = None, test: Fact = STORED, why: Mapping[str, Why] | None = None
) -> Mapping[str, Fact | Cannot]:
    """Return the places of an element that only QEMU honours and the test driver stores.

    `vz` is what the vz driver is known to do; where nobody looked, its place says so.
    """
    honoured = {"qemu": fact, "test": like(fact, test)}
    if vz is Reason.REJECTED:
        return facts(honoured, ignored="lxc xen ch bhyve esx", rejected="vz", why=why)
    reasons = {"vz": _VZ_OPEN} if vz is None else {}
    return facts(honoured, ignored="lxc xen ch bhyve vz esx", why=reasons | dict(why or {}))
