"""domtune bindings: which profiles hold for which domains, and why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import click

from domtune import bindings
from domtune.binding_store import Entries, Held, Lookup, entries, known_root, profiles_of
from domtune.bindings import Binding
from domtune.cli import complete
from domtune.cli.output import Output, with_output
from domtune.cli.targets import matching
from domtune.connection import Connection, Domain, connect
from domtune.errors import NotFound, Unreachable
from domtune.tree import Element


@click.command("bindings")
@click.argument("domains", metavar="[DOMAIN...]", nargs=-1, shell_complete=complete.domains)
@with_output
def command(output: Output, domains: tuple[str, ...]) -> int:
    """List which profiles hold for which domains, where that is said, and why it holds.

    DOMAIN is a name, glob, UUID or id; all when there is none. Without a hypervisor that answers, what the files say is
    listed alone.
    """
    with ExitStack() as open_:
        try:
            connection = open_.enter_context(connect(output.uri, readonly=True))
        except Unreachable as error:
            if output.uri or domains:
                raise
            output.say(f"{error}; what the files say is listed alone")
            return _entries(output, entries())
        return _held(output, connection, domains)


def _entries(output: Output, written: Entries) -> int:
    """List what the files say."""
    problems = list(written.problems)
    for binding in written.bindings:
        profiles_of(binding, problems)
    if output.json:
        output.result(_result([], written, problems), "")
    else:
        rows = [
            [each.scope, name, each.origin, bindings.describe(each.match), each.policy]
            for each in written.bindings
            for name in each.profiles
        ]
        output.table(["scope", "profile", "origin", "match", "policy"], rows)
    return _told(output, problems)


def _held(output: Output, connection: Connection, names: tuple[str, ...]) -> int:
    """List what holds for domains, and say which bindings hold for none."""
    lookup = Lookup(connection)
    problems = list(lookup.written.problems)
    found = [(domain, held) for domain, root in _domains(connection, names) for held in lookup.holding(root, problems)]
    used = dict.fromkeys(held.binding for _, held in found)
    for binding in used:
        profiles_of(binding, problems)
    if names and not problems:
        problems += [line for uuid in {domain.uuid: None for domain, _ in found} for line in _faults(connection, uuid)]
    if output.json:
        output.result(_result([_holding(*each) for each in found], lookup.written, problems), "")
    else:
        rows = [
            [domain.name, held.binding.scope, name, held.binding.origin, held.why, held.binding.policy]
            for domain, held in found
            for name in held.binding.profiles
        ]
        output.table(["domain", "scope", "profile", "origin", "why", "policy"], rows)
    idle = [each for each in lookup.written.bindings if each not in used and _is_odd(each, connection)]
    if idle and not names:
        said = ", ".join(f"{bindings.describe(each.match)} ({each.origin})" for each in idle)
        output.say(f"no domain of {connection.uri} matches {said}")
    return _told(output, problems)


def _faults(connection: Connection, uuid: str) -> list[str]:
    from domtune.consequences import faults  # noqa: PLC0415 - only for domains that are named

    domain = connection.find(uuid=uuid)
    return faults(connection, domain) if domain else []


def _is_odd(binding: Binding, connection: Connection) -> bool:
    """Tell whether it is a slip, perhaps, that a binding holds for no domain; others are of another place or time."""
    match = binding.match
    is_elsewhere = match.driver and connection.driver.name not in match.driver
    return not (is_elsewhere or match.uuid or match.host) and bool(match.name or match.title)


def _domains(connection: Connection, names: tuple[str, ...]) -> Iterator[tuple[Domain, Element]]:
    """Give the domains of these names and globs, each once, with what is known of them; all when there are none."""
    found = [domain for name in names for domain in matching(connection, name)] if names else connection.domains()
    chosen = {domain.uuid: domain for domain in found}.values()
    for domain in chosen if names else sorted(chosen, key=lambda each: each.name):
        try:
            yield domain, known_root(domain)
        except NotFound:  # it ended meanwhile
            if names:
                raise


def _told(output: Output, problems: list[str]) -> int:
    for problem in dict.fromkeys(problems):
        output.say(problem)
    return 1 if problems else 0


def _result(held: list[dict[str, Any]], written: Entries, problems: list[str]) -> dict[str, Any]:
    return {
        "held": held,
        "entries": [_entry(each) | {"match": bindings.describe(each.match)} for each in written.bindings],
        "problems": list(dict.fromkeys(problems)),
    }


def _holding(domain: Domain, held: Held) -> dict[str, Any]:
    return {"domain": domain.name, "uuid": domain.uuid} | _entry(held.binding) | {"why": held.why}


def _entry(binding: Binding) -> dict[str, Any]:
    return {
        "scope": str(binding.scope),
        "profiles": list(binding.profiles),
        "origin": binding.origin,
        "policy": str(binding.policy),
    }
