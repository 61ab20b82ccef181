"""domtune explain: why a value is what it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from domtune import catalogue, explaining, intents, lifecycle, matrix, pipeline, tree
from domtune.cli import complete, data, source
from domtune.cli.output import Output, with_output
from domtune.errors import Invalid
from domtune.explaining import Answer, Entry
from domtune.intents import INTENTS
from domtune.intents.model import Site
from domtune.layers import Bound, Scope
from domtune.lifecycle import Decision, NotDone
from domtune.pipeline import Wanted
from domtune.profileset import parted
from domtune.take import Choice, take
from domtune.vocabulary import PARAMS, nearest
from domtune.vocabulary.drivers import DRIVERS, by_domain

if TYPE_CHECKING:
    from domtune.connection import Connection
    from domtune.profile import Profile


@click.command("explain")
@click.argument("name", metavar="NAME", shell_complete=complete.parameters_and_wishes)
@click.argument("domain", metavar="[DOMAIN|FILE]", required=False, shell_complete=complete.domains_or_files)
@click.option(
    "-p",
    "--profile",
    "profiles",
    metavar="PROFILE",
    multiple=True,
    shell_complete=complete.profiles_or_files,
    help="A profile by path or name; the later wins.",
)
@click.option("--no-bindings", is_flag=True, help="Leave out the profiles that are bound to it.")
@click.option("--driver", type=click.Choice(list(DRIVERS)), help="As this driver would have it.")
@click.option("--domain", "is_domain", is_flag=True, help="The argument is a domain even if a file is called so.")
@with_output
def command(output: Output, name: str, domain: str | None, **options: Any) -> int:  # noqa: ANN401 - click's own form
    """Show every layer that says something of NAME, which of them wins and why, and when it takes effect.

    NAME is a parameter, a wish, a setting such as cpu.vcpu.pin[0], or the beginning of several. Without DOMAIN it is
    shown what drivers make of it.
    """
    if domain is None:
        if options["profiles"] or options["no_bindings"]:
            raise click.UsageError("profiles and bindings are looked at for a domain; give DOMAIN or FILE, too")
        _known(output, name, options["driver"])
        return 0
    problems: list[str] = []
    with ExitStack() as held:
        connection = None
        if not source.is_file(domain, domain=options["is_domain"]):
            from domtune.connection import connect  # noqa: PLC0415 - files need no libvirt

            connection = held.enter_context(connect(output.uri, readonly=True))
        chain = tuple(each for profile in options["profiles"] for each in catalogue.load(profile))
        found, decision, driver = _looked(connection, domain, chain, options, problems)
    answers = explaining.answers(name, found, decision, driver)
    unmet, quiet = explaining.unmet(name, found), explaining.quiet(name, found, driver)
    notes = [*quiet, *found.notes, *explaining.caveats(answers, found)]
    if not answers and not unmet and not _is_name(name):
        raise _no_such(name)
    for problem in problems:
        output.say(problem)
    shown = {"domain": domain, "driver": driver, "answers": [as_data(each) for each in answers]}
    shown |= {"not_done": [data.not_done(each) for each in unmet], "notes": notes, "problems": problems}
    output.result(shown, "\n".join([*_lines(name, answers, unmet, quiet), *(f"note: {note}" for note in notes)]))
    return 1 if problems else 0


def _looked(
    connection: Connection | None,
    name: str,
    profiles: tuple[Profile, ...],
    options: dict[str, Any],
    problems: list[str],
) -> tuple[Wanted, Decision, str]:
    """Return what is wanted of the domain, and what a start would do with it."""
    said = Bound(Scope.COMMAND, "the command line", profiles)
    if connection is None:
        root = tree.parse(source.read_xml(name), name)
        own = by_domain(root.get("type") or "")
        if not options["driver"] and own is None:
            raise Invalid(f"{name}: /domain/@type: no driver has domains of this type alone; say --driver")
        driver, session = DRIVERS[options["driver"] or (own.name if own else "")], False
        found = pipeline.wanted(root, take(root, Choice(), name), [said], Site(driver.name), problems)
    else:
        from domtune import wanting  # noqa: PLC0415 - files need no libvirt
        from domtune.run import Wish  # noqa: PLC0415 - the same

        domain = connection.domain(name)
        root = tree.parse(domain.known_xml(), domain.name)
        driver, session = connection.driver, connection.is_session
        if options["driver"] not in {None, driver.name}:
            raise Invalid(f"--driver {options['driver']}: {connection.uri} is {driver.name}; leave it out")
        bounds = wanting.bound(connection, domain, Wish(profiles, bindings=not options["no_bindings"]))
        stored = take(root, Choice(), domain.name)
        found = wanting.look(connection, root, stored, bounds, problems)
    decision = lifecycle.decide(found.tuning.settings, driver, session=session, root=root)
    return found, replace(decision, not_done=(*found.unmet, *decision.not_done)), driver.name


def _known(output: Output, name: str, driver: str | None) -> None:
    """Show what drivers make of a wish or of parameters."""
    if intent := INTENTS.get(parted(name)[0]):
        shown = {"wish": intent.name, "help": intent.help, "value": intent.kind.describe()}
        ways = {} if intent.later else {each: explaining.becomes(intent, each) for each in DRIVERS}
        output.result(shown | {"drivers": ways, "refused": intent.later}, "\n".join(explaining.page(intent, driver)))
        return
    plain = "".join(part.partition("]")[2] if number else part for number, part in enumerate(name.split("[")))
    params = [param for param in PARAMS.values() if param.name == plain or param.name.startswith(f"{plain}.")]
    if not params:
        raise _no_such(name)
    pages = ["\n".join(matrix.page(param, driver)) for param in params]
    output.result({"parameters": [matrix.as_data(param) for param in params]}, "\n\n".join(pages))


def _is_name(name: str) -> bool:
    plain = "".join(part.partition("]")[2] if number else part for number, part in enumerate(name.split("[")))
    return any(each == plain or each.startswith(f"{plain}.") for each in (*PARAMS, *INTENTS))


def _no_such(name: str) -> Invalid:
    close = intents.nearest(name) or nearest(name)
    return Invalid(f"{name}: no such parameter or wish" + (f"; did you mean {close}?" if close else ""))


def _lines(name: str, answers: list[Answer], unmet: list[NotDone], quiet: list[str]) -> Iterator[str]:
    if not answers and not unmet and not quiet:
        yield f"{name}: no layer says anything of it; what holds is what the hypervisor does by itself"
    for answer in answers:
        yield answer.name
        for entry in answer.entries:
            yield f"  {'wins' if entry.wins else 'loses'}: {_said(entry)}: {entry.why}"
        if answer.effect:
            yield f"  effect: {answer.effect}"
    for each in unmet:
        yield each.setting.name
        yield f"  not done: {each.setting.said} at {each.setting.origin}: {each.reason}"


def _said(entry: Entry) -> str:
    layer, setting = entry.layer, entry.setting
    if layer.scope is Scope.STORED:
        return f"{setting.said} ({layer.scope} {setting.source})"
    by = f" as {setting.by}" if setting.by else ""
    whence = (layer.scope, layer.profile, *([] if layer.scope is Scope.COMMAND else [layer.origin]))
    return f"{setting.said}{by} at {setting.origin} ({'; '.join(whence)})"


def as_data(answer: Answer) -> dict[str, Any]:
    """Return one answer for --json."""
    entries = [
        data.setting(entry.setting)
        | {
            "scope": str(entry.layer.scope),
            "profile": entry.layer.profile,
            "bound": entry.layer.origin,
            "wins": entry.wins,
            "why": entry.why,
        }
        for entry in answer.entries
    ]
    return {"name": answer.name, "layers": entries, "effect": answer.effect}
