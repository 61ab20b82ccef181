"""Replace a stored definition: backup first, read back, put the old one back if it does not hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from domtune.connection import Domain
from domtune.errors import Error, Failed, Refused
from domtune.store import Store


def replace_stored(domain: Domain, xml: str, check: Callable[[str], None], *, store: Store | None = None) -> Path:
    """Store `xml` as the domain's definition and return the backup of what was there.

    `check` is given what libvirt stored and raises an `Error` if that is not what was meant; then the old definition is
    put back. Raises `Refused` for a domain that is not stored, `Failed` otherwise.
    """
    connection = domain.connection
    if not domain.is_persistent:
        raise Refused(f"{domain.name}: has no stored definition to replace")
    state = store or Store()
    with state.lock(connection.host, domain.uuid, domain.name):
        before = domain.stored_xml()
        backup = state.backup(domain.name, domain.uuid, before)
        try:
            connection.define(xml)
            check(domain.stored_xml())
        except Error as error:
            connection.define(before)
            raise Failed(f"{error}\n{domain.name}: the stored definition is as it was (also in {backup})") from None
        return backup
