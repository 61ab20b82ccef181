"""Which profiles are bound, and which of them hold for a domain: bindings of files, of metadata, of the side store."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from domtune import bindings, carried, catalogue, tree
from domtune.bindings import Binding, Match, Policy, as_uuid, matches
from domtune.catalogue import ENDINGS
from domtune.connection import Connection, Domain
from domtune.errors import Error, Invalid
from domtune.files import read_text
from domtune.layers import ORDER, Scope
from domtune.profile import Profile
from domtune.store import Store, opened
from domtune.tree import Element

FOLDER = "bindings.d"
PATH_IS_LOCAL = "a path is true for one host, and metadata travels; give the name of a profile"
_SETTLED = 2_000_000_000  # nanoseconds: a file that changed later may change again without its times showing it


@dataclass(frozen=True, slots=True)
class Entries:
    """All that is written in files, and what keeps some of them from being read."""

    bindings: tuple[Binding, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """A binding that holds for a domain, why, and its profiles after those they inherit."""

    binding: Binding
    why: str
    profiles: tuple[Profile, ...] = ()


def held(connection: Connection, domain: Domain | Element, *, store: Store | None = None) -> list[Held]:
    """Return the bindings that hold for a domain, or for the root of its XML, with their profiles; wide to narrow.

    Raises `Invalid` if a file of bindings, what the domain carries, or a profile cannot be read: then it is not known
    what holds.
    """
    lookup = Lookup(connection, store=store)
    problems = list(lookup.written.problems)
    root = known_root(domain) if isinstance(domain, Domain) else domain
    on = [each for each in lookup.holding(root, problems) if each.binding.policy is not Policy.OFF]
    found = [replace(each, profiles=profiles_of(each.binding, problems)) for each in on]
    if problems:
        way_out = "mend this, or leave bindings out with --no-bindings"
        raise Invalid([*dict.fromkeys(problems), f"{_name(root)}: it is not known which profiles hold; {way_out}"])
    return found


def known_root(domain: Domain) -> Element:
    """Return the root of the XML of a domain in which its bindings are looked for."""
    return tree.parse(domain.known_xml(), domain.name)


class Lookup:
    """What is bound, to be asked for many domains of one connection."""

    def __init__(self, connection: Connection, *, store: Store | None = None) -> None:
        self.connection = connection
        self.store = store
        self.written = entries()

    def holding(self, root: Element, problems: list[str]) -> list[Held]:
        """Return the bindings that match the root of a domain's XML, wide to narrow, those that are off too.

        Their profiles are not loaded. What the domain carries and cannot be read is added to `problems`.
        """
        host, driver = self.connection.host, self.connection.driver.name
        subject = bindings.subject(root, driver=driver, host=host, host_uuid=self._host_uuid)
        every = [*self.written.bindings, *self._own(root, subject.uuid, problems)]
        found = [Held(each, why) for each in every if (why := matches(each, subject))]
        return sorted(found, key=lambda each: ORDER[each.binding.scope])

    def _own(self, root: Element, identity: str, problems: list[str]) -> Iterator[Binding]:
        """Give what is bound to the domain itself: by its metadata, or beside it where its driver keeps none."""
        if names := carried.get(root, problems):
            source = f"metadata of {_name(root)}"
            problems += [f"{source}: {name}: {PATH_IS_LOCAL}" for name in names if catalogue.is_path(name)]
            named = tuple(name for name in names if not catalogue.is_path(name))
            yield Binding(Scope.DOMAIN, Match(), named, source=source, why="its own metadata")
        if not self.connection.driver.metadata and identity:
            store = self.store or opened()
            if names := store.bound(self.connection.host, identity):
                source = f"{store.directory} for {_name(root)}"
                yield Binding(Scope.DOMAIN, Match(), names, source=source, why="bound beside it")

    @cached_property
    def _host_uuid(self) -> str:
        """The host's UUID if a binding asks for it, "" where the driver does not know one (test, esx)."""
        if not any(binding.asks_for_host_uuid for binding in self.written.bindings):
            return ""
        capabilities = tree.parse(self.connection.capabilities(), "capabilities", root="capabilities")
        return as_uuid((capabilities.findtext("host/uuid") or "").strip())


def _name(root: Element) -> str:
    return (root.findtext("name") or "").strip()


def profiles_of(binding: Binding, problems: list[str]) -> tuple[Profile, ...]:
    """Return the profiles of a binding, each after those it inherits; why one cannot be read is added to `problems`."""
    found: list[Profile] = []
    for name in binding.profiles:
        try:
            found += loaded(binding, name)
        except Error as error:
            problems += error.problems if isinstance(error, Invalid) else (str(error),)
            problems.append(f"{binding.origin}: profiles: {name} cannot be used")
    return tuple(found)


def loaded(binding: Binding, name: str) -> list[Profile]:
    """Return a profile of a binding after those it inherits: a path starts at the binding's file."""
    return catalogue.load(name, near=Path(binding.source).parent if catalogue.is_path(name) else None)


# Files


def entries() -> Entries:
    """Read the bindings of all files, the user's own first; a file that is broken does not keep others from it."""
    found: list[Binding] = []
    problems: list[str] = []
    for directory in catalogue.directories():
        for path in _files(directory / FOLDER, problems):
            try:
                found += _read(path)
            except Invalid as error:
                problems += error.problems
    return Entries(tuple(found), tuple(problems))


def _files(directory: Path, problems: list[str]) -> list[Path]:
    try:
        names = sorted(path.name for path in directory.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        problems.append(f"{directory}: cannot read: {error.strerror}")
        return []
    return [directory / name for name in names if name.endswith(ENDINGS) and not name.startswith(".")]


# What was read of files that have not changed since, for a process that asks for many domains.
_known: dict[Path, tuple[tuple[int, ...], list[Binding]]] = {}


def _read(path: Path) -> list[Binding]:
    try:
        found = path.stat()
    except OSError as error:
        raise Invalid(f"{path}: cannot read: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode) and not stat.S_ISCHR(found.st_mode):  # a pipe would be waited for
        raise Invalid(f"{path}: cannot read: it is no file")
    state = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    if path in _known and _known[path][0] == state:
        return _known[path][1]
    read = bindings.read(read_text(path), str(path))
    if time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) > _SETTLED:
        _known[path] = (state, read)
    return read
