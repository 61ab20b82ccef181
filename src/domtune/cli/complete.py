"""What completes a word on the command line: domains, profiles, parameters, files.

Whatever fails while a word is completed - no hypervisor, a directory that cannot be read - completes nothing. All that
is slow to load is loaded when it is asked for.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from domtune.errors import Error

if TYPE_CHECKING:
    from domtune.connection import Connection

_SECONDS = 1.5  # as long as somebody who pressed a key may wait
Items = list[CompletionItem]


def files(_context: click.Context, _param: click.Parameter, incomplete: str) -> Items:
    """Complete a path; the shell does it."""
    return [CompletionItem(incomplete, type="file")]


def uris(_context: click.Context, _param: click.Parameter, incomplete: str) -> Items:
    """Complete the URI of a hypervisor: the usual ones of this host, and the one that is taken anyway."""
    from domtune.vocabulary.drivers import DRIVERS  # noqa: PLC0415 - slow to load

    usual = [uri for driver in DRIVERS.values() if driver.runs_here for uri in driver.uris]
    return _matching(dict.fromkeys([*usual, *filter(None, [os.environ.get("LIBVIRT_DEFAULT_URI")])]), incomplete)


def bound(context: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Complete what is bound to the domain that was said before; any profile where that is not known."""
    names = _answered(lambda connection: _bound(connection, context.params), _uri(context))
    chosen = context.params.get("profiles") or ()
    if not names:
        return profiles_or_files(context, param, incomplete)
    return _matching(dict.fromkeys(each for each in names if each not in chosen), incomplete)


def domains(context: click.Context, _param: click.Parameter, incomplete: str) -> Items:
    """Complete the name of a domain of the connection that -c says."""
    return _matching(dict.fromkeys(_domains(_uri(context))), incomplete)


def domains_or_files(context: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Complete the name of a domain, or a path."""
    known = [] if "/" in incomplete else domains(context, param, incomplete)
    return [*known, *files(context, param, incomplete)]


def profiles(_context: click.Context, _param: click.Parameter, incomplete: str) -> Items:
    """Complete the name of a profile."""
    from domtune import catalogue  # noqa: PLC0415 - slow to load

    return _matching(dict.fromkeys(each.name for each in catalogue.shelved([])), incomplete)


def profiles_or_files(context: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Complete the name of a profile, or a path."""
    known = [] if "/" in incomplete else profiles(context, param, incomplete)
    return [*known, *files(context, param, incomplete)]


def parameters(_context: click.Context, _param: click.Parameter, incomplete: str) -> Items:
    """Complete the name of a parameter."""
    from domtune.vocabulary import PARAMS  # noqa: PLC0415 - slow to load

    return _matching({name: param.help for name, param in PARAMS.items()}, incomplete)


def parameters_and_wishes(context: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Complete the name of a parameter or of a portable wish."""
    from domtune.intents import INTENTS  # noqa: PLC0415 - slow to load

    wishes = {name: intent.help for name, intent in INTENTS.items() if not intent.later}
    return [*_matching(wishes, incomplete), *parameters(context, param, incomplete)]


def _matching(known: Mapping[str, str | None], incomplete: str) -> Items:
    return [CompletionItem(name, help=help_) for name, help_ in known.items() if name.startswith(incomplete)]


def _uri(context: click.Context) -> str | None:
    """Return what -c says, before or after the command."""
    above: click.Context | None = context
    while above:
        if uri := above.params.get("uri"):
            return str(uri)
        above = above.parent
    return os.environ.get("LIBVIRT_DEFAULT_URI")


def _domains(uri: str | None) -> Iterable[str]:
    """Return the names of all domains."""
    return sorted(_answered(lambda connection: (domain.name for domain in connection.domains()), uri))


def _bound(connection: Connection, said: Mapping[str, Any]) -> Iterable[str]:
    """Return what `unbind` can take off the domain that was said."""
    from domtune.rebinding import bound  # noqa: PLC0415 - slow to load

    return bound(connection, str(said.get("domain")), metadata=bool(said.get("metadata")))


def _answered(ask: Callable[[Connection], Iterable[str]], uri: str | None) -> list[str]:
    """Return what a hypervisor answers; nothing if it does not do so soon."""
    if uri and "/embed" in uri:  # would start a driver of its own, for a key
        return []
    found: list[str] = []

    def work() -> None:
        with contextlib.suppress(Error):
            from domtune.connection import connect  # noqa: PLC0415 - slow to load

            with connect(_silent(uri), readonly=True) as connection:
                found.extend(ask(connection))

    asking = threading.Thread(target=work, daemon=True)
    asking.start()
    asking.join(_SECONDS)
    return found


def _silent(uri: str | None) -> str | None:
    """Keep ssh from asking for a password in the middle of a command line."""
    if uri is None or "+ssh:" not in uri:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}no_tty=1"
