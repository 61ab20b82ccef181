"""What completes a word on the command line: domains, profiles, parameters, files.

Whatever fails while a word is completed - no hypervisor, a directory that cannot be read - completes nothing. All that
is slow to load is loaded when it is asked for.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable, Mapping

import click
from click.shell_completion import CompletionItem

from domtune.errors import Error

_SECONDS = 1.5  # as long as somebody who pressed a key may wait
Items = list[CompletionItem]


def files(_context: click.Context, _param: click.Parameter, incomplete: str) -> Items:
    """Complete a path; the shell does it."""
    return [CompletionItem(incomplete, type="file")]


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
    """Return the names of all domains, none if the hypervisor does not answer soon."""
    if uri and "/embed" in uri:  # would start a driver of its own, for a key
        return []
    found: list[str] = []

    def ask() -> None:
        with contextlib.suppress(Error):
            from domtune.connection import connect  # noqa: PLC0415 - slow to load

            with connect(_silent(uri), readonly=True) as connection:
                found.extend(domain.name for domain in connection.domains())

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_SECONDS)
    return sorted(found)


def _silent(uri: str | None) -> str | None:
    """Keep ssh from asking for a password in the middle of a command line."""
    if uri is None or "+ssh:" not in uri:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}no_tty=1"
