"""DOMAIN: which domains an argument means, and what is told of those with which something failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from domtune.cli.output import complain, problems
from domtune.errors import Error, NotFound

if TYPE_CHECKING:
    from domtune.connection import Connection, Domain

Result = TypeVar("Result")


class Failure(NamedTuple):
    """A domain with which it was not done, and why."""

    domain: str
    error: str
    problems: list[str]


def failed(name: str, error: Error) -> Failure:
    """Tell what went wrong with a domain, and return it as a result."""
    complain(error, json=False)
    return Failure(name, type(error).__name__, problems(error))


def matching(connection: Connection, name: str) -> list[Domain]:
    """Return the domain of this name, UUID or id, or those that match this glob; raise `NotFound`."""
    if not set("*?[") & set(name) or connection.find(name=name):
        return [connection.domain(name)]
    if found := connection.domains((name,)):
        return found
    raise NotFound(f"{name}: no domain of {connection.uri} matches")


def each_matching(
    connection: Connection, name: str, act: Callable[[str], Result]
) -> tuple[list[Result], list[dict[str, Any]]]:
    """Do something with each domain that a name or glob means; what fails is told, and does not stop the others.

    What is no domain is given to `act` as it is: that says so, or knows what to do with it.
    """
    try:
        found = {domain.uuid: domain.name for domain in matching(connection, name)}
    except NotFound:
        if set("*?[") & set(name):
            raise
        found = {name: name}
    if len(found) == 1:
        return [act(each) for each in found], []
    results: list[Result] = []
    failures: list[dict[str, Any]] = []
    for identity, known in found.items():
        try:
            results.append(act(identity))
        except Error as error:
            failures.append(failed(known, error)._asdict())
    return results, failures
