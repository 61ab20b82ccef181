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
from shlex import quote

from domtune import binding_store, catalogue, rebinding, tree
from domtune.bindings import Binding
from domtune.connection import Domain
from domtune.errors import Error, Failed, Invalid, NotFound, Refused
from domtune.files import identity, read_text, write_atomically
from domtune.judge import judge
from domtune.layers import Bound, Scope
from domtune.storage import Change, beside, replace_stored
from domtune.store import Store, opened
from domtune.take import EVERYTHING, Choice, take
from domtune.tuning import Setting, Tuning

MOST = 20  # lines that are shown of what differs
BY = "split"  # what the backup of a domain that was taken over is called after
_EMPTY = "<metadata/>"
_SECRET = re.compile(r"(\bpasswd=)('[^']*'|\"[^\"]*\")")


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the profile of a domain goes, and what it is bound as."""

    path: Path
    called: str  # the name of a profile that is found by it, else its path
    is_named: bool = False  # the user named the file
    copy: Path | None = None  # of what is in it now and will be replaced


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


def shelf(domain: Domain, text: str, out: str | None, *, force: bool = False) -> Shelf:
    """Return where the profile of a domain goes: the file `out`, else one of its own among the profiles by name.

    Raises `Refused` where another profile is found by that name, or something else is there that domtune did not write
    for this domain alone. With `force` a file is replaced, too, that is found by no name and bound to no other.
    """
    directories = catalogue.directories()
    own = directories[-1 if os.geteuid() == 0 else 0] / "profiles" / f"{file_name(domain.name)}.yaml"
    path = Path(os.path.abspath(out or own))  # noqa: PTH100 - as bind writes it
    name = _name_of(path)
    way_out = "name another file" if out else "say with --tuning OUT where the tuning goes"
    with suppress(NotFound):
        if name and identity(there := catalogue.find(name)) != identity(path):
            raise Refused(f"{there}: is the profile {name} already, and {path} would go by the same name; {way_out}")
    called = next((each for each in bound(domain) if _is_at(each, path)), name or str(path))
    said = _said(path)
    if not said.strip() or said == text:
        return Shelf(path.resolve(), called, bool(out))
    if other := _of_others(domain, path):
        raise Refused(f"{path}: is bound in {other}, and says something else; {way_out}")
    copy = _copy(domain, said)
    if copy is None and (name or not force):
        more = "move it away" if name else "give --force"
        raise Refused(f"{path}: is there already, and says something else; {way_out}, or {more}")
    return Shelf(path.resolve(), called, bool(out), copy)


def _said(path: Path) -> str:
    try:
        there = path.exists()
    except OSError:  # what is wrong with it, writing will say
        there = False
    return read_text(path) if there else ""


def _name_of(path: Path) -> str:
    """Return the name by which a file is found, or would be; "" for one that is found by its path only."""
    for each in catalogue.shelved([]):
        if identity(each.path) == identity(path):
            return each.name
    is_placed = identity(path.parent) in {identity(place) for place in catalogue.places()}
    return path.stem if is_placed and path.name.endswith(catalogue.ENDINGS) else ""


def _is_at(name: str, path: Path) -> bool:
    """Tell whether what a domain of its own is bound to is this file."""
    with suppress(NotFound):
        return identity(name if catalogue.is_path(name) else catalogue.find(name)) == identity(path)
    return False


def _of_others(domain: Domain, path: Path) -> str:
    """Say where a file is bound, by itself or inherited, to others than this domain."""
    lookup = binding_store.Lookup(domain.connection)
    others = [each for each in domain.connection.domains() if each.uuid != domain.uuid]
    roots = (binding_store.known_root(each) for each in others)
    carried = [held.binding for root in roots for held in lookup.holding(root, []) if not held.binding.line]
    for binding in (*lookup.written.bindings, *carried):
        is_own = binding.match.uuid == (domain.uuid,)
        if not is_own and identity(path) in _files_of(binding):
            return binding.origin
    return ""


def _files_of(binding: Binding) -> set[str]:
    """Return the files of the profiles of a binding and of those that they inherit."""
    near = Path(binding.source).parent
    paths = {identity(near / name) for name in binding.profiles if catalogue.is_path(name)}  # also of broken ones
    return paths | {identity(profile.source) for profile in binding_store.profiles_of(binding, [])}


def _copy(domain: Domain, text: str) -> Path | None:
    """Return the copy of a profile that was written when this domain was taken over, if it says that."""
    copies = (opened().directory / "backups").glob(f"*-{domain.uuid}-*-{BY}.yaml")
    return next((copy for copy in copies if read_text(copy) == text), None)


def take_over(domain: Domain, taking: Taking, *, store: Store | None = None) -> Taken:
    """Write the profile of a domain, bind it, and store the definition without its tuning: all of it or nothing.

    Raises `Invalid` for tuning that no start would take, `Refused` and `Failed` as writing, binding and storing do.
    """
    if not domain.is_persistent:
        raise Refused(f"{domain.name}: has no stored definition to replace")
    if problems := judge(taking.tuning) if taking.shelf else []:
        way_out = f"mend it with `virsh edit {quote(domain.name)}`, or keep the tuning unbound with --tuning -"
        raise Invalid([*problems, f"{domain.name}: cannot be bound to what it says itself; {way_out}"])

    def check(stored: str) -> None:
        if left := _left(stored, taking.choice):
            raise Failed(f"{domain.name}: libvirt kept {', '.join(setting.name for setting in left)}")

    with ExitStack() as undo:
        place = _bound(domain, taking, undo) if taking.shelf else ""
        change = Change(taking.before, taking.definition, BY, taking.text)
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
    return tuple(name for each in held if each.binding.own for name in each.binding.profiles)


def own(domain: Domain) -> list[Bound]:
    """Return the profiles that are bound to this very domain, by its UUID or by what it carries.

    Raises `Refused` if there are none, `Invalid` if that cannot be known.
    """
    held = [each for each in binding_store.held(domain.connection, domain) if each.binding.own]
    if not held:
        raise Refused(f"{domain.name}: no profile is bound to this very domain; {_way_back(domain)}")
    return [Bound(Scope.DOMAIN, each.binding.origin, each.profiles) for each in held]


def _way_back(domain: Domain) -> str:
    """Say how a domain gets its tuning where none is bound: what was taken out of it is still there."""
    name = quote(domain.name)
    backup = opened().last_backup(domain.uuid, BY)
    if backup is None or not beside(backup).exists():
        return f"name one, or bind one with `domtune bind {name} PROFILE`"
    copy, profile = beside(backup), quote(str(beside(backup)))
    with suppress(Error):
        own = file_name(domain.name)
        profile = own if read_text(catalogue.find(own)) == read_text(copy) else profile
    how = f"`domtune merge {name} {profile} --define` gives back what was taken out of it last"
    return f"{how}, and `virsh define {quote(str(backup))}` all that was there"


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
    """Say, after a domain was given back, whether it is what it was."""
    if not before.path:
        return
    now = domain.stored_xml()
    lines = list(_differences(before.xml, now))
    yield from lines[:MOST]
    if not lines:
        how = "byte for byte" if before.xml.rstrip("\n") == now.rstrip("\n") else f"but for an empty {_EMPTY}"
        yield f"it is what it was before it was taken over, {how}: {before.path}"
    elif len(lines) > MOST:
        yield f"and {len(lines) - MOST} lines more"
    if lines:
        way_back = f"`virsh define {quote(str(before.path))}` restores that"
        yield f"so it differs from what it was before it was taken over; {way_back}"


def still_bound(domain: Domain) -> Iterator[str]:
    """Say which profiles hold for a domain beside what is stored, and what that means for who edits it."""
    if names := ", ".join(dict.fromkeys(bound(domain))):
        yield (
            f"{names} stays bound to it, and what it says lies over later edits of the stored definition; "
            f"`domtune unbind {quote(domain.name)}` takes it off"
        )


def _differences(before: str, now: str) -> Iterator[str]:
    """Give the lines in which a definition differs from what it was, without passwords.

    libvirt leaves an empty element where the last of the metadata was taken out; that is no difference.
    """
    before, now = ("\n".join(line for line in xml.splitlines() if line.strip() != _EMPTY) for xml in (before, now))
    if before == now:
        return
    old, new = (_SECRET.sub(r"\1'...'", xml).splitlines() for xml in (before, now))
    for line in difflib.unified_diff(old, new, n=0, lineterm=""):
        if line[:2] not in {"--", "++", "@@"}:
            yield f"{'was' if line[0] == '-' else 'is'} {line[1:].strip()}"
    if old == new:
        yield "a password is another"
