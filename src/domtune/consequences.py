"""What comes of binding a profile or taking it off, as far as it is known without starting the domain."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import join, quote

from domtune import binding_store, carried, lifecycle, takeover, tree, wanting
from domtune.connection import Connection, Domain
from domtune.errors import Error, Invalid
from domtune.rebinding import Rebound
from domtune.run import Wish
from domtune.store import opened
from domtune.take import Choice, take


def faults(connection: Connection, domain: Domain) -> list[str]:
    """Return what keeps a domain from a tuned start: what holds contradicts itself, or cannot be met."""
    problems: list[str] = []
    try:
        root = binding_store.known_root(domain)
        bounds = wanting.bound(connection, root, Wish())
        found = wanting.look(connection, root, take(root, Choice(), domain.name), bounds, problems)
        if problems:
            return problems
        session = connection.is_session
        decision = lifecycle.decide(found.tuning.settings, connection.driver, session=session, root=root)
        lacking = [each for each in (*found.unmet, *decision.not_done) if each.setting.demanded]
        return [f"{domain.name}: required, but cannot be done: {each}" for each in lacking]
    except Invalid as error:
        return list(error.problems)
    except Error as error:  # it ended meanwhile
        return [str(error)]


def of_bind(connection: Connection, done: Rebound, *, metadata: bool) -> Iterator[str]:
    """Say what somebody who bound a profile to a domain may not expect."""
    domain = connection.find(uuid=done.uuid)
    if domain is None:
        return
    if not domain.is_persistent:
        lost = "its metadata ends with it" if metadata else f"this holds for its UUID {domain.uuid} only"
        way_out = "keep that UUID in the XML that it is started from" if not metadata else "put it into that XML, too"
        yield f"{domain.name}: is not stored, so {lost}; {way_out}, or bind its name in a file of bindings"
    if wrong := faults(connection, domain):
        yield from wrong
        option = " --metadata" if metadata else ""
        way_out = f"`domtune bindings {quote(domain.name)}` shows what holds"
        if done.changed:
            way_out = f"`domtune unbind {quote(domain.name)} {join(done.changed)}{option}` takes off what was bound now"
        yield f"{domain.name}: will not start tuned until this is mended; {way_out}"


def of_unbind(connection: Connection, done: Rebound, *, metadata: bool) -> Iterator[str]:
    """Say what is not as somebody who took a profile off a domain may expect."""
    domain = connection.find(uuid=done.uuid)
    if domain is None:
        return
    if metadata and domain.has_managed_save and (names := [each for each in done.changed if each in _saved(domain)]):
        until = "and so does the domain that is restored from it until it is shut down"
        yield f"{domain.name}: its saved image still carries {', '.join(names)}, {until}"
    backup = opened().last_backup(domain.uuid, takeover.BY)
    if backup and domain.is_persistent and not takeover.bound(domain) and not _has_tuning(domain):
        command = f"domtune merge {quote(domain.name)} {join(done.changed)} --define"
        lost = "its stored definition has no tuning of its own now, since `domtune split --define` took it out"
        yield f"{domain.name}: {lost}: `{command}` puts it back, and what was there is in {quote(str(backup))}"


def _saved(domain: Domain) -> tuple[str, ...]:
    """Return the profiles that a saved image carries, as far as it can be read."""
    try:
        return carried.get(tree.parse(domain.saved_xml(), domain.name), [])
    except Error:
        return ()


def _has_tuning(domain: Domain) -> bool:
    return bool(len(take(binding_store.known_root(domain), Choice(), domain.name)))
