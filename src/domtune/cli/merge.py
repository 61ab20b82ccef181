"""domtune merge: put tuning into a definition, in a file or stored on a hypervisor."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from domtune import catalogue, compare, lifecycle, pipeline, profile, tree
from domtune.cli import data, source
from domtune.cli.output import Output, with_output, write_out
from domtune.errors import Failed, Refused
from domtune.lifecycle import NotDone
from domtune.put import put
from domtune.take import EVERYTHING, Choice, take
from domtune.tuning import Setting, Tuning
from domtune.vocabulary.drivers import DRIVERS

if TYPE_CHECKING:
    from domtune.connection import Domain

LIVE_ONLY = "stands in no domain XML; start applies it to the running domain"


@click.command("merge")
@click.argument("definition", metavar="FILE|DOMAIN")
@click.argument("tunings", metavar="PROFILE...", nargs=-1, required=True)
@click.option("-o", "--output", "out", metavar="OUT", help="Write the domain there; - is standard output, the default.")
@click.option("--driver", type=click.Choice(list(DRIVERS)), help="Leave out what this driver does not honour.")
@click.option("--define", is_flag=True, help="Store the domain in libvirt, with a backup of what was there.")
@click.option("--domain", "is_domain", is_flag=True, help="The first argument is a domain even if a file is called so.")
@with_output
def command(output: Output, definition: str, tunings: tuple[str, ...], **options: str | bool | None) -> None:
    """Put the tuning of profiles into a definition. The tuning that it holds already lies under theirs."""
    is_file = source.is_file(definition, domain=bool(options["is_domain"]))
    if options["define"] and is_file:
        raise click.UsageError("--define stores a domain; give a domain, not a file")
    profiles = [each for name in tunings for each in catalogue.load(name)]
    with ExitStack() as held:
        connection = None
        if not is_file:
            from domtune.connection import connect  # noqa: PLC0415 - files need no libvirt

            connection = held.enter_context(connect(output.uri))
        found = source.read(definition, connection)
        if found.domain and options["define"]:
            xml, not_done = _define(output, found, found.domain, profiles)
        else:
            xml, not_done = _merged(output, found, profiles, str(options["driver"] or ""))
        if options["out"] and not (output.json and options["out"] == "-"):
            write_out(str(options["out"]), xml)
        if output.json:
            output.result({"domain": xml, "not_done": [data.not_done(each) for each in not_done]}, "")
        elif not options["out"] and not options["define"]:
            output.result(None, xml)


def _merged(
    output: Output, found: source.Source, profiles: list[profile.Profile], driver: str
) -> tuple[str, list[NotDone]]:
    """Return the tuned domain, and what could not be put in; faults are only told."""
    root = tree.parse(found.xml, found.name)
    problems: list[str] = []
    stored = take(root, Choice(), found.name)
    wanted = pipeline.wanted(root, stored, [each.tuning for each in profiles], problems)
    for problem in problems:
        output.say(f"warning: {problem}")
    tuning, outside = _parted(wanted)
    left_out: list[str] | None = None
    if driver:
        decision = lifecycle.decide(tuning.settings, DRIVERS[driver], session=False)
        tuning, outside = Tuning(decision.create, wanted.verbatim), [*outside, *decision.not_done]
        left_out = []
    put(root, tuning, left_out=left_out)
    for piece in left_out or ():
        output.say(f"not done: {piece}")
    return _told(output, tree.serialise(root), outside)


def _define(
    output: Output, found: source.Source, domain: Domain, profiles: list[profile.Profile]
) -> tuple[str, list[NotDone]]:
    """Store the tuned domain; raise `Invalid` for what its next start would not take, before anything is stored."""
    from domtune.starting import wanted as wanted_of  # noqa: PLC0415 - files need no libvirt
    from domtune.storage import replace_stored  # noqa: PLC0415 - the same

    connection = domain.connection
    root = tree.parse(found.xml, found.name)
    stored = take(root, Choice(), found.name)
    wanted = wanted_of(connection, root, stored, profiles)
    tuning, outside = _parted(wanted)
    session = connection.is_session
    decision = lifecycle.decide(tuning.settings, connection.driver, session=session, root=root)
    not_done = [*outside, *decision.not_done]
    if not_done and any(each.required for each in profiles):
        raise Refused("\n".join(f"{domain.name}: required, but cannot be done: {each}" for each in not_done))
    kept = lifecycle.idle(decision, stored, connection.driver, session=session)
    tuning = Tuning((*decision.create, *kept), wanted.verbatim)
    put(root, tuning)
    result = _told(output, tree.serialise(root), not_done)
    backup = replace_stored(
        domain, found.xml, result[0], lambda there: _check(there, decision.create, connection.driver.name)
    )
    output.say(f"{domain.name}: stored with its tuning; what was there is in {backup}")
    return result


def _parted(wanted: Tuning) -> tuple[Tuning, list[NotDone]]:
    """Part what stands in domain XML from what only a start can do."""
    outside = [NotDone(setting, LIVE_ONLY) for setting in wanted if not setting.param.paths]
    return Tuning(tuple(setting for setting in wanted if setting.param.paths), wanted.verbatim), outside


def _told(output: Output, xml: str, not_done: list[NotDone]) -> tuple[str, list[NotDone]]:
    for each in not_done:
        output.say(f"not done: {each}")
    return xml, not_done


def _check(stored: str, wanted: Sequence[Setting], driver: str) -> None:
    root = tree.parse(stored)
    found = take(root, EVERYTHING)
    if wrong := compare.differences(wanted, found.settings, root, driver):
        raise Failed("\n".join(f"does not hold: {each}" for each in wrong))
