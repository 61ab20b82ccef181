"""Bind profiles to one domain, and take them off again: in a file of its own, or in what the domain carries.

The file is `bindings.d/UUID.yaml`. It is written whole or not at all, and never over what somebody wrote by hand.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import NamedTuple, Protocol

from domtune import bindings, carried, catalogue, tree, yamlnodes
from domtune.binding_store import FOLDER, PATH_IS_LOCAL, known_root
from domtune.bindings import as_uuid
from domtune.connection import Connection, Domain
from domtune.errors import Failed, Invalid, NotFound, Refused
from domtune.files import read_text, write_atomically
from domtune.store import Store, opened

_COMMENT = "# Written by domtune bind for {name}; once edited by hand, domtune leaves it alone.\n"
_PATIENCE = 5.0  # seconds that another process may hold a directory of bindings
_NAME = re.compile(re.escape(_COMMENT).replace(re.escape("{name}"), "(.*)"))


@dataclass(frozen=True, slots=True)
class Rebound:
    """What a domain is bound to in one place, after a change."""

    domain: str
    uuid: str
    profiles: tuple[str, ...]
    changed: tuple[str, ...]  # of them those that were not bound there before; or those that are no longer
    place: str


def bind(
    connection: Connection, name: str, profiles: Sequence[str], *, metadata: bool = False, store: Store | None = None
) -> Rebound:
    """Bind profiles to a domain by id, UUID or name, after those it is bound to already, which stay where they are.

    With `metadata` they go into what the domain carries, which takes names only. Before anything is bound, raises
    `NotFound` for a domain or profile that is not there, `Invalid` for a profile with faults, `Refused` for a file that
    was edited by hand.
    """
    domain = connection.domain(name)
    wanted = bindable(profiles, metadata=metadata)
    with _place(connection, _Who(domain.name, domain.uuid, domain), metadata=metadata, store=store) as place:
        bound = place.read()
        new = tuple(each for each in wanted if each not in bound)
        if new:
            place.write((*bound, *new))
        return Rebound(domain.name, domain.uuid, (*bound, *new), new, place.said)


def unbind(
    connection: Connection,
    name: str,
    profiles: Sequence[str] = (),
    *,
    metadata: bool = False,
    store: Store | None = None,
) -> Rebound:
    """Take profiles off a domain, all when none is named; raises as `bind` does, and `NotFound` for what is not bound.

    The domain need not be there any more if its UUID is given.
    """
    who = _who(connection, name, metadata=metadata, store=store)
    with _place(connection, who, metadata=metadata, store=store) as place:
        bound = place.read()
        if not bound:
            way_out = f"`domtune bindings {quote(who.name)}` shows what holds for it, and why"
            raise NotFound(f"{who.name}: nothing is bound in {place.said}; {way_out}")
        gone = tuple(_absolute(each) for each in profiles) or bound
        for each in gone:
            if each not in bound:
                raise NotFound(f"{who.name}: {each} is not bound in {place.said}, which has {', '.join(bound)}")
        left = tuple(each for each in bound if each not in gone)
        place.write(left)
        return Rebound(who.name, who.uuid, left, tuple(dict.fromkeys(gone)), place.said)


def bound(connection: Connection, name: str, *, metadata: bool = False, store: Store | None = None) -> tuple[str, ...]:
    """Return the profiles that `unbind` can take off a domain; raises as it does, and holds no lock."""
    who = _who(connection, name, metadata=metadata, store=store)
    return _kept(connection, who, metadata=metadata, store=store).read()


def bindable(profiles: Sequence[str], *, metadata: bool) -> tuple[str, ...]:
    """Return names and absolute paths of profiles that can be bound; raises as `bind` does."""
    found: list[str] = []
    for name in profiles:
        if name == "-":
            raise Refused("-: standard input cannot be bound; give a name or a path")
        if metadata and catalogue.is_path(name):
            raise Refused(f"{name}: {PATH_IS_LOCAL}: put it into {catalogue.places()[0]} and bind its name")
        if _absolute(name) in found:
            raise Invalid(f"{name}: named twice; name it once")
        catalogue.load(name, judged=True)
        found.append(_absolute(name))
    return tuple(found)


def _absolute(name: str) -> str:
    return os.path.abspath(name) if catalogue.is_path(name) else name  # noqa: PTH100 - Path leaves `..` in


# Places


class _Who(NamedTuple):
    name: str
    uuid: str
    domain: Domain | None  # None if it is not there any more


class _Place(Protocol):
    """Where names of profiles are kept for one domain."""

    @property
    def said(self) -> str:
        """What a message calls it."""

    def read(self) -> tuple[str, ...]:
        """Return the profiles that are bound there."""

    def write(self, profiles: tuple[str, ...]) -> None:
        """Keep these in place of them."""


def _who(connection: Connection, name: str, *, metadata: bool, store: Store | None) -> _Who:
    try:
        domain = connection.domain(name)
    except NotFound:
        identity = as_uuid(name)
        if not identity or not _is_kept(connection, identity, metadata=metadata, store=store):
            raise
        return _Who(identity, identity, None)
    return _Who(domain.name, domain.uuid, domain)


def _is_kept(connection: Connection, identity: str, *, metadata: bool, store: Store | None) -> bool:
    """Tell whether something is bound to a domain in a place that outlives it."""
    if not metadata:
        return _file(identity).exists()
    return not connection.driver.metadata and bool((store or opened()).bound(connection.host, identity))


@contextlib.contextmanager
def _place(connection: Connection, who: _Who, *, metadata: bool, store: Store | None) -> Iterator[_Place]:
    """Give the place in which a domain's profiles are bound, and hold it against others meanwhile."""
    if metadata:
        lock = (store or opened()).lock(connection.host, who.uuid, who.name)
    else:
        lock = _locked(_file(who.uuid).parent)
    with lock:
        yield _kept(connection, who, metadata=metadata, store=store)


def _kept(connection: Connection, who: _Who, *, metadata: bool, store: Store | None) -> _Place:
    """Give the place in which a domain's profiles are bound."""
    if not metadata:
        return _File(_file(who.uuid), who)
    domain = who.domain if connection.driver.metadata else None
    return _InMetadata(domain) if domain else _Beside(store or opened(), connection, who.uuid)


def _file(identity: str) -> Path:
    """Return the file of a domain's bindings: the machine's for root, else the user's own."""
    directories = catalogue.directories()
    return directories[-1 if os.geteuid() == 0 else 0] / FOLDER / f"{identity}.yaml"


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Hold a directory of bindings, which is made if it is not there, against other processes that bind.

    The lock is a hidden file in it, whose object lets go of it however it ends: a number could be lost to Ctrl-C.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        held = open(directory / ".lock", "rb", opener=_made)  # noqa: SIM115 - Path.open has no opener
    except OSError as error:
        way_out = "set DOMTUNE_CONFIG_DIR to a directory that you may write"
        raise Failed(f"{directory}: cannot keep bindings there: {error.strerror}; {way_out}") from None
    with held:
        until = time.monotonic() + _PATIENCE
        while not _is_ours(held.fileno()):
            if time.monotonic() > until:
                raise Refused(f"{directory}: another domtune is at work on the bindings there; wait until it is done")
            time.sleep(0.05)
        yield


def _made(path: str, _flags: int) -> int:
    return os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _is_ours(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class _File:
    """A file of the domain's own."""

    def __init__(self, path: Path, who: _Who) -> None:
        self.path = path
        self.who = who
        self.said = str(path)

    def read(self) -> tuple[str, ...]:
        if not self.path.exists():
            return ()
        text = read_text(self.path)
        found = bindings.read(text, str(self.path))
        name = _NAME.match(text)
        if not found or not name or text != self._text(name[1], found[0].profiles):
            way_out = "change it there, or move what it says into a file of another name"
            raise Refused(f"{self.path}: was edited by hand, so domtune leaves it alone; {way_out}")
        return found[0].profiles

    def write(self, profiles: tuple[str, ...]) -> None:
        if not profiles:
            self._remove()
            return
        mode = self.path.stat().st_mode & 0o777 if self.path.exists() else 0o644
        name = "".join(each if each.isprintable() else "?" for each in self.who.name)
        write_atomically(self.path.resolve(), self._text(name, profiles), mode=mode)

    def _text(self, name: str, profiles: tuple[str, ...]) -> str:
        entry = {"match": {"uuid": self.who.uuid}, "profiles": list(profiles)}
        return _COMMENT.format(name=name) + yamlnodes.write([entry])

    def _remove(self) -> None:
        try:
            self.path.unlink()
        except OSError as error:
            raise Failed(f"{self.path}: cannot take it away: {error.strerror}") from None


class _InMetadata:
    """What the domain carries itself."""

    said = "its metadata"

    def __init__(self, domain: Domain) -> None:
        self.domain = domain

    def read(self) -> tuple[str, ...]:
        if carried.has_comments(known_root(self.domain)):
            command = f"virsh metadata --edit {quote(self.domain.name)} {carried.NAMESPACE}"
            way_out = f"take it out, or change them with `{command}`"
            raise Refused(f"{self.domain.name}: a comment stands between the profiles in its metadata; {way_out}")
        return self._read(self.domain.known_xml())

    def write(self, profiles: tuple[str, ...]) -> None:
        xml = carried.element(profiles) if profiles else None
        self.domain.set_metadata(carried.NAMESPACE, carried.PREFIX, xml)
        documents = [self.domain.known_xml(), *([self.domain.live_xml()] if self.domain.is_active else [])]
        if any(self._read(document) != profiles for document in documents):
            raise Failed(f"{self.domain.name}: libvirt took its new metadata and does not give it back")

    def _read(self, xml: str) -> tuple[str, ...]:
        problems: list[str] = []
        names = carried.get(tree.parse(xml, self.domain.name), problems)
        if problems:
            raise Invalid(problems)
        return names


class _Beside:
    """The state of this user, for a driver that keeps no metadata."""

    def __init__(self, store: Store, connection: Connection, identity: str) -> None:
        self.store = store
        self.host = connection.host
        self.identity = identity
        self.said = f"{store.directory}, since {connection.driver.title} keeps no metadata"

    def read(self) -> tuple[str, ...]:
        return self.store.bound(self.host, self.identity)

    def write(self, profiles: tuple[str, ...]) -> None:
        self.store.bind(self.host, self.identity, profiles)
