"""domtune merge: put tuning into a definition, in a file or stored on a hypervisor."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from domtune import catalogue, compare, lifecycle, pipeline, profile, tree
from domtune.cli import complete, data, source
from domtune.cli.output import Output, with_output, write_out
from domtune.errors import Failed, Invalid, Refused
from domtune.intents.model import Site
from domtune.layers import Bound, Scope
from domtune.lifecycle import NotDone
from domtune.pipeline import Wanted
from domtune.put import put
from domtune.take import EVERYTHING, Choice, take
from domtune.tuning import Setting, Tuning
from domtune.vocabulary.drivers import DRIVERS, by_domain

if TYPE_CHECKING:
    from domtune.connection import Domain

LIVE_ONLY = "stands in no domain XML; start applies it to the running domain"
COUNTED = "how the host counts it, by cgroup version 1 or 2, is not known; start finds out"


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
    tuning `split --define` took out.
    """
    is_file = source.is_file(definition, domain=bool(options["is_domain"]))
    if options["define"] and is_file:
        raise click.UsageError("--define stores a domain; give a domain, not a file")
    if is_file and not tunings:
        raise click.UsageError("nothing is bound to a file; give a PROFILE, or a domain")
    profiles = [each for name in tunings for each in catalogue.load(name)]
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
    """Return the tuned domain, and what could not be put in; faults are only told."""
    root = tree.parse(found.xml, found.name)
    problems: list[str] = []
    stored = take(root, Choice(), found.name)
    wanted = pipeline.wanted(root, stored, bounds, _site(found, root, bounds, driver), problems)
    for problem in problems:
        output.say(f"warning: {problem}")
    for note in (*wanted.notes, *wanted.caveats):
        output.say(f"note: {note}")
    tuning, outside = _parted(wanted)
    left_out: list[str] | None = None
    if driver:
        decision = lifecycle.decide(tuning.settings, DRIVERS[driver], session=False)
        tuning, outside = Tuning(decision.create, tuning.verbatim), [*outside, *decision.not_done]
        left_out = []
    put(root, tuning, left_out=left_out)
    for piece in left_out or ():
        output.say(f"not done: {piece}")
    return _told(output, tree.serialise(root), outside)


def _define(output: Output, found: source.Source, domain: Domain, bounds: Sequence[Bound]) -> tuple[str, list[NotDone]]:
    """Store the tuned domain; raise `Invalid` for what its next start would not take, before anything is stored.

    What the domain had when it was taken over comes back all the same.
    """
    from domtune import takeover  # noqa: PLC0415 - files need no libvirt
    from domtune.storage import Change, replace_stored  # noqa: PLC0415 - the same
    from domtune.wanting import look  # noqa: PLC0415 - the same

    connection = domain.connection
    root = tree.parse(found.xml, found.name)
    stored = take(root, Choice(), found.name)
    had = takeover.had(domain) if bounds[0].scope is Scope.DOMAIN else takeover.Had()
    problems: list[str] = []
    wanted = look(connection, root, stored, bounds, problems)
    if problems and not had.said(wanted.tuning, stored):
        raise Invalid(problems)
    for problem in problems:
        output.say(f"warning: {problem}")
    tuning, outside = _parted(wanted)
    session = connection.is_session
    decision = lifecycle.decide(tuning.settings, connection.driver, session=session, root=root)
    not_done = [*outside, *decision.not_done]
    if lacking := [each for each in not_done if each.setting.demanded]:
        raise Refused("\n".join(f"{domain.name}: required, but cannot be done: {each}" for each in lacking))
    kept = dict.fromkeys(lifecycle.idle(decision, stored, connection.driver, session=session))
    kept |= dict.fromkeys(each for each in had.settings if each in {none.setting for none in decision.not_done})
    put(root, Tuning((*decision.create, *kept), tuning.verbatim))
    result = _told(output, tree.serialise(root), not_done)
    backup = replace_stored(
        domain,
        Change(found.xml, result[0], "merge"),
        lambda there: _check(there, decision.create, connection.driver.name),
    )
    output.say(f"{domain.name}: stored with its tuning; what was there is in {backup}")
    for line in takeover.given_back(domain, had) if bounds[0].scope is Scope.DOMAIN else ():
        output.say(f"{domain.name}: {line}")
    return result


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


def _parted(wanted: Wanted) -> tuple[Tuning, list[NotDone]]:
    """Part what stands in domain XML from what only a start can do, or nothing can."""
    settings = wanted.tuning.settings
    outside = [NotDone(setting, LIVE_ONLY) for setting in settings if not setting.param.paths]
    outside += [NotDone(setting, COUNTED) for setting in settings if setting.is_ratio]
    inside = (setting for setting in settings if setting.param.paths and not setting.is_ratio)
    return Tuning(tuple(inside), wanted.tuning.verbatim), [*wanted.unmet, *outside]


def _told(output: Output, xml: str, not_done: list[NotDone]) -> tuple[str, list[NotDone]]:
    for each in not_done:
        output.say(f"not done: {each}")
    return xml, not_done


def _check(stored: str, wanted: Sequence[Setting], driver: str) -> None:
    root = tree.parse(stored)
    found = take(root, EVERYTHING)
    if wrong := compare.differences(wanted, found.settings, root, driver):
        raise Failed("\n".join(f"does not hold: {each}" for each in wrong))
