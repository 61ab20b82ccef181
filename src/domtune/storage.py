"""Replace a stored definition: backup first, read back, put the old one back if it does not hold."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from domtune.connection import Domain
from domtune.errors import Error, Failed, Interrupted, Refused
from domtune.store import Store, opened


def replace_stored(
    domain: Domain, before: str, xml: str, check: Callable[[str], None], *, store: Store | None = None
) -> Path:
    """Store `xml`, which was made of the stored definition `before`, in its place; return the backup of what was there.

    `check` is given what libvirt stored and raises an `Error` if that is not what was meant; then the old definition is
    put back. Raises `Refused` for a domain that is not stored or was changed meanwhile, `Failed` otherwise.
    """
    connection = domain.connection
    with ExitStack() as held:
        state = store or opened()
        held.enter_context(state.lock(connection.host, domain.uuid, domain.name))
        if not domain.is_persistent:
            raise Refused(f"{domain.name}: has no stored definition to replace")
        if domain.stored_xml() != before:
            raise Refused(f"{domain.name}: its stored definition was changed meanwhile; try again")
        backup = state.backup(domain.name, domain.uuid, before)
        try:
            connection.define(xml, domain.name)
            check(domain.stored_xml())
        except BaseException as error:
            after = _put_back(domain, before, backup)
            if isinstance(error, KeyboardInterrupt):
                raise Interrupted(f"{domain.name}: interrupted; {after}") from None
            if isinstance(error, Error):
                raise Failed(f"{error}\n{domain.name}: {after}") from None
            raise
        return backup


def _put_back(domain: Domain, before: str, backup: Path) -> str:
    """Store the old definition again, and say how that went."""
    try:
        domain.connection.define(before, domain.name)
    except Error as error:
        return f"the old definition could not be put back ({error}); it is in {backup}"
    return f"the stored definition is as it was (also in {backup})"
