"""domtune merge: put tuning into a definition, in a file or stored on a hypervisor."""

from __future__ import annotations

from contextlib import ExitStack

import click

from domtune import catalogue, compare, lifecycle, pipeline, profile, tree
from domtune.cli import data, source
from domtune.cli.output import Output, with_output, write_out
from domtune.errors import Failed, Invalid
from domtune.lifecycle import NotDone
from domtune.put import put
from domtune.take import EVERYTHING, Choice, take
from domtune.tree import Element
from domtune.tuning import Tuning
from domtune.vocabulary.drivers import DRIVERS

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
        driver = connection.driver.name if connection and options["define"] else options["driver"]
        root = tree.parse(found.xml, found.name)
        wanted, not_done = _put(root, profiles, str(driver) if driver else None, judged=bool(options["define"]))
        xml = tree.serialise(root)
        for each in not_done:
            output.say(f"not done: {each}")
        if found.domain and options["define"]:
            from domtune.storage import replace_stored  # noqa: PLC0415 - files need no libvirt

            backup = replace_stored(found.domain, xml, lambda stored: _check(stored, wanted, str(driver)))
            output.say(f"{found.domain.name}: stored with its tuning; what was there is in {backup}")
        if options["out"] and not (output.json and options["out"] == "-"):
            write_out(str(options["out"]), xml)
        if output.json:
            output.result({"domain": xml, "not_done": [data.not_done(each) for each in not_done]}, "")
        elif not options["out"] and not options["define"]:
            output.result(None, xml)


def _put(
    root: Element, profiles: list[profile.Profile], driver: str | None, *, judged: bool
) -> tuple[Tuning, list[NotDone]]:
    """Change the domain `root` into the tuned one; return what was put in and what could not be."""
    problems: list[str] = []
    stored = take(root, Choice())
    wanted = pipeline.wanted(root, stored, [each.tuning for each in profiles], problems)
    if problems and judged:
        raise Invalid(problems)
    for problem in problems:
        click.echo(f"warning: {problem}", err=True)
    outside = [NotDone(setting, LIVE_ONLY) for setting in wanted if not setting.param.paths]
    inside = tuple(setting for setting in wanted if setting.param.paths)
    if driver:
        decision = lifecycle.decide(inside, DRIVERS[driver], session=False)
        inside, outside = decision.create, [*outside, *decision.not_done]
    tuning = Tuning(inside, wanted.verbatim)
    put(root, tuning)
    return tuning, outside


def _check(stored: str, wanted: Tuning, driver: str) -> None:
    root = tree.parse(stored)
    found = take(root, EVERYTHING)
    if wrong := compare.differences(wanted.settings, found.settings, root, driver):
        raise Failed("\n".join(f"does not hold: {each}" for each in wrong))
