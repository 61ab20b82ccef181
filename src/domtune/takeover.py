"""Take a hand-tuned domain over: its tuning becomes a profile that is bound to it. And give it back as it was.

The profile is written first, then bound, then the definition is stored: what ends the work in between leaves the old
definition, beside a profile that says the same, and the next try goes on from there.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from domtune import binding_store, catalogue, rebinding, tree
from domtune.connection import Domain
from domtune.errors import Error, Failed, Invalid, NotFound, Refused
from domtune.files import read_text, write_atomically
from domtune.judge import judge
from domtune.layers import Bound, Scope
from domtune.storage import Change, replace_stored
from domtune.store import Store, opened
from domtune.take import EVERYTHING, Choice, take
from domtune.tuning import Setting, Tuning

MOST = 20  # lines that are shown of what differs
BY = "split"  # what the backup of a domain that was taken over is called after
_SECRET = re.compile(r"(\bpasswd=)('[^']*'|\"[^\"]*\")")


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the profile of a domain goes, and what it is bound as."""

    path: Path
    called: str  # the name of a profile that is found by it, else its path
    is_named: bool = False  # the user named the file: what is in it may go


@dataclass(frozen=True, slots=True)
class Taking:
    """What is to be taken out of a domain, and where it is kept; bound to the domain unless `shelf` is None."""

    before: str
    definition: str
    tuning: Tuning
    choice: Choice
    text: str = ""  # the profile
    shelf: Shelf | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """Where things are now."""

    backup: Path
    place: str = ""  # where the profile is bound


def file_name(domain: str) -> str:
    """Return a name for a domain's profile that is good for a file, and is no path."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", domain).strip("-.")[:80]
    return name.replace(".", "-") if name.endswith(catalogue.ENDINGS) else name or "domain"


def shelf(domain: str, text: str, out: str | None) -> Shelf:
    """Return where the profile of a domain goes: the file `out`, else one of its own among the profiles by name.

    Raises `Refused` where another profile is there, or is found by that name.
    """
    if out is not None:
        return _named(out, text)
    directories = catalogue.directories()
    name = file_name(domain)
    path = directories[-1 if os.geteuid() == 0 else 0] / "profiles" / f"{name}.yaml"
    way_out = "say with --tuning OUT where the tuning goes"
    with suppress(NotFound):
        there = catalogue.find(name)
        if there != path:
            raise Refused(f"{there}: is the profile {name} already, and {path} would go by the same name; {way_out}")
        if read_text(there) != text:
            raise Refused(f"{there}: is there already and says something else; {way_out}, or move it away")
    return Shelf(path, name)


def _named(out: str, text: str) -> Shelf:
    called = os.path.abspath(out)  # noqa: PTH100 - as bind writes it
    if Path(out).exists() and read_text(out) != text:
        for binding in binding_store.entries().bindings:
            if called in binding.profiles:
                raise Refused(f"{out}: says something else, and is bound in {binding.origin}; name another file")
    return Shelf(Path(out).resolve(), called, is_named=True)


def take_over(domain: Domain, taking: Taking, *, store: Store | None = None) -> Taken:
    """Write the profile of a domain, bind it, and store the definition without its tuning: all of it or nothing.

    Raises `Invalid` for tuning that no start would take, `Refused` and `Failed` as writing, binding and storing do.
    """
    if not domain.is_persistent:
        raise Refused(f"{domain.name}: has no stored definition to replace")
    if problems := judge(taking.tuning) if taking.shelf else []:
        way_out = f"mend it with `virsh edit {domain.name}`, or keep the tuning unbound with --tuning -"
        raise Invalid([*problems, f"{domain.name}: cannot be bound to what it says itself; {way_out}"])

    def check(stored: str) -> None:
        if left := _left(stored, taking.choice):
            raise Failed(f"{domain.name}: libvirt kept {', '.join(setting.name for setting in left)}")

    with ExitStack() as undo:
        place = _bound(domain, taking, undo) if taking.shelf else ""
        change = Change(taking.before, taking.definition, BY)
        backup = replace_stored(domain, change, check, store=store)
        undo.pop_all()
    return Taken(backup, place)


def _left(stored: str, choice: Choice) -> tuple[Setting, ...]:
    return take(tree.parse(stored), choice).settings


def _bound(domain: Domain, taking: Taking, undo: ExitStack) -> str:
    """Write the profile and bind it; `undo` takes both back, unless the domain has been taken over by then."""
    assert taking.shelf  # noqa: S101 - the caller looked
    path, called = taking.shelf.path, taking.shelf.called
    there = path.exists()
    old = read_text(path) if there else None
    is_bound = called in bound(domain)
    undo.callback(_take_back, domain, taking, old)
    if old != taking.text:
        if not taking.shelf.is_named:
            _make(path.parent)
        new = 0o600 if taking.shelf.is_named else 0o644  # others must read what is bound for all
        write_atomically(path, taking.text, mode=path.stat().st_mode & 0o777 if there else new)
    if not is_bound:
        undo.callback(_unbind, domain, taking)
    return rebinding.bind(domain.connection, domain.uuid, [called]).place


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        way_out = "say with --tuning OUT where the tuning goes, or set DOMTUNE_CONFIG_DIR"
        raise Failed(f"{directory}: cannot keep profiles there: {error.strerror}; {way_out}") from None


def _is_taken(domain: Domain, choice: Choice) -> bool:
    """Tell whether the stored definition is without tuning; where that cannot be known nothing is taken away."""
    try:
        return not _left(domain.stored_xml(), choice)
    except Error:
        return True


def _take_back(domain: Domain, taking: Taking, old: str | None) -> None:
    assert taking.shelf  # noqa: S101 - only what was written is taken back
    path = taking.shelf.path
    if _is_taken(domain, taking.choice) or not path.exists():
        return
    if old is None:
        path.unlink()
    elif old != taking.text:
        write_atomically(path, old, mode=path.stat().st_mode & 0o777)


def _unbind(domain: Domain, taking: Taking) -> None:
    assert taking.shelf  # noqa: S101 - as above
    if not _is_taken(domain, taking.choice):
        with suppress(NotFound):
            rebinding.unbind(domain.connection, domain.uuid, [taking.shelf.called])


# Back again


def bound(domain: Domain) -> tuple[str, ...]:
    """Return the names of the profiles that are bound to this very domain, as far as that can be read."""
    held = binding_store.Lookup(domain.connection).holding(binding_store.known_root(domain), [])
    return tuple(name for each in held if _is_own(each) for name in each.binding.profiles)


def own(domain: Domain) -> list[Bound]:
    """Return the profiles that are bound to this very domain, by its UUID or by what it carries.

    Raises `Refused` if there are none, `Invalid` if that cannot be known.
    """
    held = [each for each in binding_store.held(domain.connection, domain) if _is_own(each)]
    if not held:
        way_out = f"name one, or bind one with `domtune bind {domain.name} PROFILE`"
        raise Refused(f"{domain.name}: no profile is bound to this very domain; {way_out}")
    return [Bound(Scope.DOMAIN, each.binding.origin, each.profiles) for each in held]


def _is_own(held: binding_store.Held) -> bool:
    match = held.binding.match
    carried = held.binding.line == 0
    return held.binding.scope is Scope.DOMAIN and (carried or (bool(match.uuid) and not (match.name or match.title)))


@dataclass(frozen=True, slots=True)
class Had:
    """What a domain was before it was taken over."""

    xml: str = ""
    path: Path | None = None  # of the backup; None if it never was, or the backup is gone
    settings: frozenset[Setting] = frozenset()

    def said(self, wanted: Tuning, stored: Tuning) -> bool:
        """Tell whether libvirt had all that is wanted, so that storing it makes nothing worse."""
        return all(each in self.settings or each in stored.settings or each.is_default for each in wanted)


def had(domain: Domain, *, store: Store | None = None) -> Had:
    """Return what a domain was when its tuning was taken out last."""
    path = (store or opened()).last_backup(domain.uuid, BY)
    if path is None:
        return Had()
    xml = read_text(path)
    return Had(xml, path, frozenset(take(tree.parse(xml, str(path)), EVERYTHING).settings))


def given_back(domain: Domain, before: Had) -> Iterator[str]:
    """Say, after a domain was given back, whether it is what it was, and what holds for it from now on."""
    if before.path:
        lines = list(_differences(before.xml, domain.stored_xml()))
        yield from lines[:MOST]
        if not lines:
            yield f"it is what it was before it was taken over, byte for byte: {before.path}"
        elif len(lines) > MOST:
            yield f"and {len(lines) - MOST} lines more"
        if lines:
            yield f"so it differs from what it was before it was taken over; `virsh define {before.path}` restores that"
    names = ", ".join(dict.fromkeys(bound(domain)))
    yield f"{names} stays bound to it; `domtune unbind {domain.name}` takes that off"


def _differences(before: str, now: str) -> Iterator[str]:
    """Give the lines in which a definition differs from what it was, without passwords."""
    if before.rstrip("\n") == now.rstrip("\n"):
        return
    old, new = (_SECRET.sub(r"\1'...'", xml).splitlines() for xml in (before, now))
    for line in difflib.unified_diff(old, new, n=0, lineterm=""):
        if line[:2] not in {"--", "++", "@@"}:
            yield f"{'was' if line[0] == '-' else 'is'} {line[1:].strip()}"
    if old == new:
        yield "a password is another"
