"""domtune bind: say which profiles hold for a domain from now on."""

from __future__ import annotations

from typing import Any

import click

from domtune.cli import complete
from domtune.cli.output import Output, patience, with_output
from domtune.cli.targets import each_matching
from domtune.connection import connect
from domtune.consequences import of_bind
from domtune.rebinding import Rebound, bind, bindable


@click.command("bind")
@click.argument("domain", metavar="DOMAIN", shell_complete=complete.domains)
@click.argument("profiles", metavar="PROFILE...", nargs=-1, required=True, shell_complete=complete.profiles_or_files)
@click.option("--metadata", is_flag=True, help="In the domain's own metadata, so that it travels with the domain.")
@with_output
def command(output: Output, domain: str, profiles: tuple[str, ...], *, metadata: bool) -> int:
    """Bind profiles to a domain: they hold at each start from now on, after those that are bound to it already.

    DOMAIN is a name, UUID, id, or a glob for all that match it now. PROFILE is a path or name; the later wins.
    """
    bindable(profiles, metadata=metadata)
    with connect(output.uri) as connection:

        def act(each: str) -> Rebound:
            with patience("waiting: another domtune may be at work on the bindings"):
                return bind(connection, each, profiles, metadata=metadata)

        results, failures = each_matching(connection, domain, act)
        warnings = [line for each in results for line in of_bind(connection, each, metadata=metadata)]
    for result in () if output.json else results:
        output.result(None, _line(result))
    if output.json:
        output.result({"bound": [as_data(each) for each in results], "failed": failures}, "")
    for line in dict.fromkeys(warnings):
        output.say(f"warning: {line}")
    return 1 if failures else 0


def _line(result: Rebound) -> str:
    if not result.changed:
        return f"{result.domain}: bound to {', '.join(result.profiles)} already, in {result.place}"
    return f"{result.domain}: bound to {', '.join(result.profiles)}, in {result.place}"


def as_data(result: Rebound) -> dict[str, Any]:
    """Return what a domain is bound to after a change, for --json."""
    return {
        "domain": result.domain,
        "uuid": result.uuid,
        "profiles": list(result.profiles),
        "changed": list(result.changed),
        "place": result.place,
    }
