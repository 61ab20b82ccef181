"""domtune merge: put tuning into a definition, in a file or stored on a hypervisor."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from domtune import catalogue, compare, lifecycle, pipeline, profile, tree
from domtune.cli import complete, data, source
from domtune.cli.output import Output, with_output, write_out
from domtune.errors import Failed, Invalid
from domtune.intents.model import Site
from domtune.layers import Bound, Scope
from domtune.lifecycle import NotDone
from domtune.put import put
from domtune.take import EVERYTHING, Choice, take
from domtune.tuning import Setting, Tuning
from domtune.vocabulary.drivers import DRIVERS, Driver, by_domain

if TYPE_CHECKING:
    from domtune.connection import Domain


@click.command("merge")
@click.argument("definition", metavar="FILE|DOMAIN", shell_complete=complete.domains_or_files)
@click.argument("tunings", metavar="[PROFILE...]", nargs=-1, shell_complete=complete.profiles_or_files)
@click.option(
    "-o",
    "--output",
    "out",
    metavar="OUT",
    shell_complete=complete.files,
    help="Write the domain there; - is standard output, the default.",
)
@click.option("--driver", type=click.Choice(list(DRIVERS)), help="Leave out what this driver does not honour.")
@click.option("--define", is_flag=True, help="Store the domain in libvirt, with a backup of what was there.")
@click.option("--domain", "is_domain", is_flag=True, help="The first argument is a domain even if a file is called so.")
@with_output
def command(output: Output, definition: str, tunings: tuple[str, ...], **options: str | bool | None) -> None:
    """Put the tuning of profiles into a definition. The tuning that it holds already lies under theirs.

    Without PROFILE it is the profiles that are bound to this very domain: with --define they give back a domain whose
    tuning `split --define` took out. Demands that it cannot hold are errors, and nothing is written; values that no
    start would take are errors with --define, and warnings without.
    """
    is_file = source.is_file(definition, domain=bool(options["is_domain"]))
    if options["define"] and is_file:
        raise click.UsageError("--define stores a domain; give a domain, not a file")
    if is_file and not tunings:
        raise click.UsageError("nothing is bound to a file; give a PROFILE, or a domain")
    profiles = catalogue.load_all(tunings)
    with ExitStack() as held:
        connection = None
        if not is_file:
            from domtune.connection import connect  # noqa: PLC0415 - files need no libvirt

            connection = held.enter_context(connect(output.uri))
        found = source.read(definition, connection)
        if found.domain and options["define"]:
            xml, not_done = _define(output, found, found.domain, _bounds(found, profiles))
        else:
            xml, not_done = _merged(output, found, _bounds(found, profiles), str(options["driver"] or ""))
        if options["out"] and not (output.json and options["out"] == "-"):
            write_out(str(options["out"]), xml)
        if output.json:
            output.result({"domain": xml, "not_done": [data.not_done(each) for each in not_done]}, "")
        elif not options["out"] and not options["define"]:
            output.result(None, xml)


def _bounds(found: source.Source, profiles: list[profile.Profile]) -> list[Bound]:
    """Return the profiles that were named, else those that are bound to this very domain."""
    if profiles or found.domain is None:
        return [Bound(Scope.COMMAND, "the command line", tuple(profiles))]
    from domtune import takeover  # noqa: PLC0415 - files need no libvirt

    return takeover.own(found.domain)


def _merged(output: Output, found: source.Source, bounds: Sequence[Bound], driver: str) -> tuple[str, list[NotDone]]:
    """Return the tuned domain, and what could not be put in; raise `Invalid` for faults, `Refused` for demands.

    Values that no start would take are only told: split keeps them, so merge gives them back.
    """
    root = tree.parse(found.xml, found.name)
    problems: list[str] = []
    stored = take(root, Choice(), found.name)
    site = _site(found, root, bounds, driver)
    wanted = pipeline.wanted(root, stored, bounds, site, problems)
    unfit = pipeline.unfit(wanted.tuning.settings, root, site, stored)  # what split took out comes back as it was
    if faults := [each for each in problems if each not in unfit]:
        raise Invalid(faults)
    for problem in unfit:
        output.say(f"warning: {problem}")
    for note in (*wanted.notes, *wanted.caveats):
        output.say(f"note: {note}")
    settings, verbatim = wanted.tuning.settings, wanted.tuning.verbatim
    left_out: list[str] | None = None
    if driver:
        decision = lifecycle.decide(settings, DRIVERS[driver], session=False)
        not_done = [*wanted.unmet, *lifecycle.left_to_start(decision), *decision.not_done]
        settings, left_out = lifecycle.storable(decision), []
    else:
        known, session = _driver(found, root)
        not_done = [*wanted.unmet, *lifecycle.outside_xml(settings, known, session=session)]
        settings = lifecycle.in_xml(settings)
    lifecycle.refuse_lacking(found.name, not_done)
    put(root, Tuning(settings, verbatim), left_out=left_out)
    for piece in left_out or ():
        output.say(f"not done: {piece}")
    return _told(output, tree.serialise(root), not_done)


def _define(output: Output, found: source.Source, domain: Domain, bounds: Sequence[Bound]) -> tuple[str, list[NotDone]]:
    """Store the tuned domain; raise `Invalid` for what its next start would not take, before anything is stored.

    What the domain had when it was taken over comes back all the same.
    """
    from domtune import takeover  # noqa: PLC0415 - files need no libvirt
    from domtune.storage import Change, replace_stored  # noqa: PLC0415 - the same
    from domtune.wanting import look  # noqa: PLC0415 - the same

    driver, session = domain.connection.driver, domain.connection.is_session
    root = tree.parse(found.xml, found.name)
    there = tree.serialise(root)
    stored = take(root, Choice(), found.name)
    had = takeover.had(domain)
    problems: list[str] = []
    wanted = look(domain.connection, root, stored, bounds, problems)
    if problems and not had.said(wanted.tuning, stored):
        raise Invalid(problems)
    for problem in problems:
        output.say(f"warning: {problem}")
    decision = lifecycle.decide(wanted.tuning.settings, driver, session=session, root=root)
    not_done = [*wanted.unmet, *lifecycle.left_to_start(decision), *decision.not_done]
    lifecycle.refuse_lacking(domain.name, not_done)
    kept = lifecycle.idle(decision, stored, driver, session=session, before=had.settings)
    put(root, Tuning((*lifecycle.storable(decision), *kept), wanted.tuning.verbatim))
    result = _told(output, tree.serialise(root), not_done)
    if result[0] == there:
        output.say(f"{domain.name}: its stored definition says all that already; nothing was changed")
    else:
        change = Change(found.xml, result[0], "merge")
        backup = replace_stored(domain, change, lambda new: _check(new, decision.create, driver.name))
        output.say(f"{domain.name}: stored with its tuning; what was there is in {backup}")
    given_back = takeover.given_back(domain, had) if bounds[0].scope is Scope.DOMAIN else ()
    for line in (*given_back, *takeover.still_bound(domain)):
        output.say(f"{domain.name}: {line}")
    return result


def _driver(found: source.Source, root: tree.Element) -> tuple[Driver | None, bool]:
    """Return the driver that the domain is for, None if that is not known, and whether it has no privileges."""
    if found.domain:
        return found.domain.connection.driver, found.domain.connection.is_session
    return by_domain(root.get("type") or ""), False


def _site(found: source.Source, root: tree.Element, bounds: Sequence[Bound], driver: str) -> Site:
    """Return for which driver and host wishes are resolved: those of the connection, else as the domain's type says."""
    if not pipeline.is_portable(bounds):
        return Site(driver)
    if found.domain and driver in {"", found.domain.connection.driver.name}:
        from domtune.machine import host_of  # noqa: PLC0415 - files need no libvirt

        return Site(found.domain.connection.driver.name, host_of(found.domain.connection))
    own = by_domain(root.get("type") or "")
    if not driver and own is None:
        raise Invalid(f"{found.name}: /domain/@type: no driver has domains of this type alone; say --driver")
    return Site(driver or (own.name if own else ""))


def _told(output: Output, xml: str, not_done: list[NotDone]) -> tuple[str, list[NotDone]]:
    for each in not_done:
        output.say(f"not done: {each}")
    return xml, not_done


def _check(stored: str, wanted: Sequence[Setting], driver: str) -> None:
    root = tree.parse(stored)
    found = take(root, EVERYTHING)
    if wrong := compare.differences(wanted, found.settings, root, driver):
        raise Failed("\n".join(f"does not hold: {each}" for each in wrong))
