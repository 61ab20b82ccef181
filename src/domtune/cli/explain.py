"""domtune explain: why a value is what it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from domtune import asking, catalogue, explaining, lifecycle, matrix, pipeline, tree
from domtune.asking import EVERYTHING, Question
from domtune.cli import complete, data, source
from domtune.cli.output import Output, with_output
from domtune.errors import Error, Invalid
from domtune.explaining import REFUSED, Answer, Entry, Told
from domtune.intents import INTENTS
from domtune.intents.model import Intent, Site, Want
from domtune.layers import Bound, Scope
from domtune.lifecycle import Decision
from domtune.pipeline import Wanted
from domtune.put import put
from domtune.take import Choice, take
from domtune.tree import Element
from domtune.tuning import Setting, Tuning
from domtune.vocabulary.drivers import DRIVERS, Driver, by_domain

if TYPE_CHECKING:
    from domtune.connection import Connection, Domain
    from domtune.profile import Profile

NOTHING = "no layer says anything of it; what holds is what the hypervisor does by itself"
ALONE = "bindings and the host are not looked at for a file without -c"


@dataclass(frozen=True, slots=True)
class _Given:
    """What was asked for on the command line."""

    name: str
    profiles: tuple[Profile, ...]
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Looked:
    """A domain, what is wanted of it, what a start would do with that, and what keeps it from starting."""

    driver: str
    root: Element
    found: Wanted
    decision: Decision
    problems: list[str]
    notes: tuple[str, ...] = ()


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

    NAME is a parameter, a wish, a setting such as cpu.vcpu.pin[0], or the beginning of several; all is everything that
    a start would set. Without DOMAIN it is shown what drivers make of it. A FILE is looked at as if it were started on
    the hypervisor of -c or LIBVIRT_DEFAULT_URI; without them its bindings and its host are left out.
    """
    if domain is None:
        if options["profiles"] or options["no_bindings"] or name == EVERYTHING:
            what = (
                "all that a start sets is told of" if name == EVERYTHING else "profiles and bindings are looked at for"
            )
            raise click.UsageError(f"{what} a domain; give DOMAIN or FILE, too")
        _known(output, name, options["driver"])
        return 0
    asking.check(name)
    chain = tuple(catalogue.load_all(options["profiles"]))
    with ExitStack() as held:
        if source.is_file(domain, domain=options["is_domain"]):
            looked = _file(output, domain, chain, options, held)
        else:
            looked = _domain(_connected(output, options, held), domain, chain, options)
    question = Question(name, looked.root)
    told = explaining.explain(question, looked.found, looked.decision, looked.driver)
    silent = not (told.answers or told.unmet or told.quiet)
    if fault := question.fault(looked.found.said):
        raise Invalid(fault)
    for problem in looked.problems:
        output.say(problem)
    intent = INTENTS.get(asking.plain(name))
    later = [f"{name}: no profile can say it: {intent.later}"] if silent and intent and intent.later else []
    notes = [*told.quiet, *looked.found.notes, *told.caveats, *looked.notes, *later]
    shown = {"domain": domain, "driver": looked.driver, "answers": [as_data(each) for each in told.answers]}
    shown |= {"not_done": [data.not_done(each) for each in told.unmet], "notes": notes, "problems": looked.problems}
    lines = [] if later or not silent else [f"{name}: {NOTHING}"]
    lines += _lines(told)
    output.result(shown, "\n".join([*lines, *(f"note: {note}" for note in notes)]))
    return 1 if looked.problems else 0


def _connected(output: Output, options: dict[str, Any], held: ExitStack) -> Connection:
    """Return a connection that only reads, to the driver that was asked for."""
    from domtune.connection import connect  # noqa: PLC0415 - files need no libvirt

    connection = held.enter_context(connect(output.uri, readonly=True))
    if options["driver"] not in {None, connection.driver.name}:
        raise Invalid(f"--driver {options['driver']}: {connection.uri} is {connection.driver.name}; leave it out")
    return connection


def _file(output: Output, name: str, profiles: tuple[Profile, ...], options: dict[str, Any], held: ExitStack) -> Looked:
    """Look at a file: on the connection that was asked for, else by itself."""
    root = tree.parse(source.read_xml(name), name)
    if output.uri or (os.environ.get("LIBVIRT_DEFAULT_URI") and not options["driver"]):
        return _on(_connected(output, options, held), root, root, _Given(name, profiles, options))
    own = by_domain(root.get("type") or "")
    if not options["driver"] and own is None:
        raise Invalid(f"{name}: /domain/@type: no driver has domains of this type alone; say --driver")
    driver = DRIVERS[options["driver"] or (own.name if own else "")]
    stored = take(root, Choice(), name)
    problems: list[str] = []
    bound = Bound(Scope.COMMAND, "the command line", profiles)
    found = pipeline.wanted(root, stored, [bound], Site(driver.name), problems)
    problems += [] if problems else lifecycle.misplaced(found.tuning.settings, root, driver.name)
    return _decided(Looked(driver.name, root, found, Decision(), problems, (ALONE,)), driver, stored, session=False)


def _domain(connection: Connection, name: str, profiles: tuple[Profile, ...], options: dict[str, Any]) -> Looked:
    """Look at a domain as a start would: at what its saved image says, where a start restores that."""
    domain = connection.domain(name)
    given = _Given(domain.name, profiles, options)
    if not domain.has_managed_save:
        return _on(connection, tree.parse(domain.known_xml(), domain.name), domain, given)
    if not connection.driver.rewrites_saved_image:
        from domtune.restore import in_the_way  # noqa: PLC0415 - files need no libvirt

        looked = _on(connection, tree.parse(domain.known_xml(), domain.name), domain, given)
        return replace(looked, notes=(*looked.notes, in_the_way(domain)))
    try:
        root = tree.parse(domain.known_saved_xml(), domain.name)
    except Error as error:
        looked = _on(connection, tree.parse(domain.known_xml(), domain.name), domain, given)
        return replace(
            looked, notes=(*looked.notes, f"{error}; a start restores that image, which may say other values")
        )
    return _on(connection, root, domain, given, saved=True)


def _on(connection: Connection, root: Element, of: Domain | Element, given: _Given, *, saved: bool = False) -> Looked:
    """Look at a definition on a connection; the bindings are those `of` the domain."""
    from domtune import wanting  # noqa: PLC0415 - files need no libvirt
    from domtune.restore import changeable  # noqa: PLC0415 - the same
    from domtune.run import Wish  # noqa: PLC0415 - the same

    problems: list[str] = []
    bounds = wanting.bound(connection, of, Wish(given.profiles, bindings=not given.options["no_bindings"]))
    stored = take(root, Choice(), given.name)
    found = wanting.look(connection, root, stored, bounds, problems)
    looked = Looked(connection.driver.name, root, found, Decision(), problems)
    settings = found.tuning.settings
    if saved:
        changing, pending = changeable(settings, stored, connection.driver.name)
        settings, looked = tuple(changing), replace(looked, decision=Decision(not_done=tuple(pending)))
    return _decided(looked, connection.driver, stored, session=connection.is_session, settings=settings)


def _decided(
    looked: Looked, driver: Driver, stored: Tuning, *, session: bool, settings: tuple[Setting, ...] | None = None
) -> Looked:
    """Return the same with what a start would do, and with what it could not put into the domain."""
    found = looked.found
    wanted = found.tuning.settings if settings is None else settings
    decision = lifecycle.decide(wanted, driver, session=session, root=looked.root)
    kept = lifecycle.idle(decision, stored, driver, session=session)
    try:
        if not looked.problems:
            put(deepcopy(looked.root), Tuning((*decision.create, *kept), found.tuning.verbatim), left_out=[])
    except Invalid as error:
        looked.problems.extend(error.problems)
    not_done = (*found.unmet, *decision.not_done, *looked.decision.not_done)
    return replace(looked, decision=replace(decision, not_done=not_done))


def _known(output: Output, name: str, driver: str | None) -> None:
    """Show what drivers make of a wish, or of all that a name begins."""
    if intent := INTENTS.get(asking.plain(name)):
        output.result(_wish(intent), "\n".join(explaining.page(intent, driver)))
        return
    asking.check(name)
    wishes, params = asking.wishes(name), asking.parameters(name)
    pages = [*(explaining.page(each, driver) for each in wishes), *(matrix.page(each, driver) for each in params)]
    shown = {"wishes": [_wish(each) for each in wishes], "parameters": [matrix.as_data(each) for each in params]}
    output.result(shown, "\n\n".join("\n".join(page) for page in pages))


def _wish(intent: Intent) -> dict[str, Any]:
    shown = {"wish": intent.name, "help": intent.help, "value": intent.kind.describe()}
    ways = {} if intent.later else {each: explaining.becomes(intent, each) for each in DRIVERS}
    return shown | {"drivers": ways, "refused": intent.later}


def _lines(told: Told) -> Iterator[str]:
    for answer in told.answers:
        yield answer.name
        for entry in answer.entries:
            yield f"  {_word(entry)}: {_said(entry)}: {entry.why}"
        if answer.effect:
            yield f"  effect: {answer.effect}"
    for each in told.unmet:
        yield each.setting.name
        demand = f"; {REFUSED}" if each.setting.demanded else ""
        yield f"  not done: {each.setting.said} at {each.setting.origin}: {each.reason}{demand}"


def _word(entry: Entry) -> str:
    return "conflict" if entry.conflicts else "wins" if entry.wins else "loses"


def _said(entry: Entry) -> str:
    layer, setting = entry.layer, entry.setting
    if layer.scope is Scope.STORED:
        return f"{setting.said} ({layer.scope} {setting.source})"
    said = setting.wish if isinstance(setting, Want) else setting.said
    by = f" as {setting.by}" if isinstance(setting, Setting) and setting.by else ""
    demand = ", demanded," if setting.demanded else ""
    whence = (layer.scope, layer.profile, *([] if layer.scope is Scope.COMMAND else [layer.origin]))
    return f"{said}{by}{demand} at {setting.origin} ({'; '.join(whence)})"


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
