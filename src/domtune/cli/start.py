"""domtune start: start domains, minimal or tuned, and say what was done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import click

from domtune import catalogue
from domtune.cli import complete, data, source
from domtune.cli.output import Output, patience, with_output
from domtune.cli.targets import Failure, failed, matching
from domtune.connection import Connection, connect
from domtune.errors import Error, Interrupted
from domtune.run import Mode, Started, Wish
from domtune.starting import start, start_xml
from domtune.tuning import Setting


@click.command("start")
@click.argument("domains", metavar="DOMAIN|FILE...", nargs=-1, shell_complete=complete.domains_or_files)
@click.option(
    "--minimal/--tuned", "minimal", default=False, help="From the definition alone; or with tuning (default)."
)
@click.option(
    "-p",
    "--profile",
    "profiles",
    metavar="PROFILE",
    multiple=True,
    shell_complete=complete.profiles_or_files,
    help="A profile by path or name; the later wins.",
)
@click.option("--paused", is_flag=True, help="Leave the domain with its CPUs stopped.")
@click.option(
    "--or-minimal", is_flag=True, help="Start it minimal if creating it tuned fails, or its host lacks CPUs or nodes."
)
@click.option("--no-bindings", is_flag=True, help="Leave out the profiles that are bound to it.")
@click.option("--all", "everything", is_flag=True, help="Every domain that is off.")
@click.option("--domain", "is_domain", is_flag=True, help="The arguments are domains even if files are called so.")
@with_output
def command(output: Output, domains: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 - click's own form
    """Start domains: tuned unless --minimal. DOMAIN is a name, glob, UUID or id; FILE is XML of a transient domain.

    The stored definition is never changed.
    """
    if options["minimal"] and options["profiles"]:
        raise click.UsageError("a minimal start takes no profile; leave --minimal or -p out")
    if domains and options["everything"]:
        raise click.UsageError("--all is every domain that is off; leave it or the names out")
    if not domains and not options["everything"]:
        raise click.UsageError("say which domains to start, or --all")
    chain = tuple(catalogue.load_all(options["profiles"]))
    wish = Wish(
        chain,
        minimal=options["minimal"],
        paused=options["paused"],
        or_minimal=options["or_minimal"],
        bindings=not options["no_bindings"],
    )
    with connect(output.uri) as connection:
        results = [_start(output, connection, target, wish) for target in _targets(connection, domains, options)]
    if not results:
        output.say("no domain is off")
    failures = [result for result in results if isinstance(result, Failure)]
    if output.json:
        started = [as_data(result) for result in results if isinstance(result, Started)]
        output.result({"started": started, "failed": [each._asdict() for each in failures]}, "")
    return 1 if failures else 0


class Target(NamedTuple):
    """What is to be started: a stored domain, or an XML file."""

    name: str  # as it was given, or as the hypervisor calls it
    uuid: str = ""  # "" for a file


def _targets(connection: Connection, names: tuple[str, ...], options: dict[str, Any]) -> Iterator[Target | Failure]:
    """Give what is to be started, each once; what is not there is told when its turn comes."""
    if options["everything"]:
        yield from (Target(domain.name, domain.uuid) for domain in connection.domains() if not domain.is_active)
        return
    seen = set()
    for name in names:
        if source.is_file(name, domain=options["is_domain"]):
            yield Target(name)
            continue
        try:
            found = matching(connection, name)
        except Error as error:
            yield failed(name, error)
            continue
        for domain in found:
            if domain.uuid not in seen:
                yield Target(domain.name, domain.uuid)
            seen.add(domain.uuid)


def _start(output: Output, connection: Connection, target: Target | Failure, wish: Wish) -> Started | Failure:
    """Start one domain and say how it went; what fails does not keep the others from starting."""
    if isinstance(target, Failure):
        return target
    try:
        with patience(f"{target.name}: starting"):
            if target.uuid:
                started = start(connection, target.uuid, wish)
            else:
                started = start_xml(connection, source.read_xml(target.name), wish, source=target.name)
    except Interrupted:
        raise
    except Error as error:
        return failed(target.name, error)
    try:
        if not output.json:
            output.result(None, "\n".join(lines(started)))
    except KeyboardInterrupt:
        raise Interrupted(f"{started.name}: interrupted; by then it was {started.mode.done}, and it stays so") from None
    return started


def lines(started: Started) -> Iterator[str]:
    """Give what was done and not done, one line each."""
    yield f"{started.name}: {started.mode.done}" + (", paused" if started.paused else "")
    done = "done" if started.enforced else "stored"
    first = "in its saved image" if started.mode is Mode.RESTORED else "at creation"
    for setting in started.at_creation:
        yield f"  {done}: {setting.name} {setting.said} ({first}{_for(setting)})"
    for setting in started.afterwards:
        when = "before the guest ran" if started.waited else "right after creation"
        yield f"  {done}: {setting.name} {setting.said} ({when}{_for(setting)})"
    for each in started.not_done:
        yield f"  not done: {each}"
    for each in started.pending:
        yield f"  pending: {each}"
    for setting in started.unprotected:
        yield f"  left out: {setting.name} {setting.said}, so there is no {setting.param.protective.removeprefix('a ')}"
    if started.mode is not Mode.MINIMAL and not _has_tuning(started):
        yield "  note: nothing to tune: its definition has no tuning, and no profile that holds for it says anything"
    for note in started.notes:
        yield f"  note: {note}"


def _has_tuning(started: Started) -> bool:
    return any((started.at_creation, started.afterwards, started.not_done, started.pending))


def _for(setting: Setting) -> str:
    """Name the wish that became this setting."""
    return f", for {setting.by}" if setting.by else ""


def as_data(started: Started) -> dict[str, Any]:
    """Return the result of one start for --json."""
    return {
        "domain": started.name,
        "uuid": started.uuid,
        "mode": str(started.mode),
        "paused": started.paused,
        "at_creation": [data.setting(each) for each in started.at_creation],
        "afterwards": [data.setting(each) for each in started.afterwards],
        "waited": started.waited,
        "enforced": started.enforced,
        "not_done": [data.not_done(each) for each in started.not_done],
        "pending": [data.not_done(each) for each in started.pending],
        "left_out": [data.setting(each) for each in started.unprotected],
        "notes": list(started.notes),
    }
