"""Replace a stored definition: backup first, read back, put the old one back if it does not hold."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from domtune.connection import Domain
from domtune.errors import Error, Failed, Interrupted, Refused
from domtune.files import write_atomically
from domtune.store import Store, opened


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be stored, and what it was made of."""

    before: str
    after: str
    by: str  # the command, which the backup is called after
    profile: str = ""  # what was written of it, which is kept beside the backup


def replace_stored(domain: Domain, change: Change, check: Callable[[str], None], *, store: Store | None = None) -> Path:
    """Store a definition in place of the one that it was made of; return the backup of what was there.

    `check` is given what libvirt stored and raises `Failed` if that is not what was meant; then the old definition is
    put back. Raises `Refused`, with nothing changed, for a domain that is not stored or was changed meanwhile, or whose
    definition libvirt would not take back.
    """
    connection = domain.connection
    before = change.before
    with ExitStack() as held:
        state = store or opened()
        held.enter_context(state.lock(connection.host, domain.uuid, domain.name))
        if not domain.is_persistent:
            raise Refused(f"{domain.name}: has no stored definition to replace")
        if domain.stored_xml() != before:
            raise Refused(f"{domain.name}: its stored definition was changed meanwhile; try again")
        backup = state.backup(domain.name, domain.uuid, before, by=change.by)
        if change.profile:
            write_atomically(beside(backup), change.profile)
        try:
            _prove(domain, before)
            connection.define(change.after, domain.name)
            check(domain.stored_xml())
        except Refused:
            raise
        except BaseException as error:
            after = _put_back(domain, before, backup)
            if isinstance(error, KeyboardInterrupt):
                raise Interrupted(f"{domain.name}: interrupted; {after}") from None
            if isinstance(error, Error):
                raise Failed(f"{error}\n{domain.name}: {after}") from None
            raise
        return backup


def beside(backup: Path) -> Path:
    """Return where the profile is kept that was made of what a backup holds."""
    return backup.with_suffix(".yaml")


def _prove(domain: Domain, before: str) -> None:
    """Store what is stored once more: libvirt writes some definitions that it does not read."""
    try:
        domain.connection.define(before, domain.name)
    except Failed as error:
        way_out = f"nothing was changed; mend it with `virsh edit {quote(domain.name)}`"
        raise Refused(f"{error}\n{domain.name}: libvirt does not take back its own definition; {way_out}") from None


def _put_back(domain: Domain, before: str, backup: Path) -> str:
    """Store the old definition again, and say how that went."""
    try:
        domain.connection.define(before, domain.name)
        is_same = domain.stored_xml() == before
    except Error as error:
        return f"the old definition could not be put back ({error}); it is in {backup}"
    if not is_same:
        return f"the old definition was put back, and libvirt changed it; it is whole in {backup}"
    return f"the stored definition is as it was (also in {backup})"
