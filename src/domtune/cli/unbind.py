"""domtune unbind: take profiles off a domain again."""

from __future__ import annotations

import click

from domtune.cli import complete
from domtune.cli.bind import as_data
from domtune.cli.output import Output, patience, with_output
from domtune.cli.targets import each_matching
from domtune.connection import connect
from domtune.consequences import of_unbind
from domtune.rebinding import Rebound, unbind


@click.command("unbind")
@click.argument("domain", metavar="DOMAIN", shell_complete=complete.domains)
@click.argument("profiles", metavar="[PROFILE...]", nargs=-1, shell_complete=complete.bound)
@click.option("--metadata", is_flag=True, help="Out of the domain's own metadata.")
@with_output
def command(output: Output, domain: str, profiles: tuple[str, ...], *, metadata: bool) -> int:
    """Take profiles off a domain that bind put there; all of them when none is named.

    DOMAIN is a name, UUID, id, or a glob; the UUID also of a domain that is not there any more.
    """
    with connect(output.uri) as connection:

        def act(each: str) -> Rebound:
            with patience("waiting: another domtune may be at work on the bindings"):
                return unbind(connection, each, profiles, metadata=metadata)

        results, failures = each_matching(connection, domain, act)
        warnings = [line for each in results for line in of_unbind(connection, each, metadata=metadata)]
    for result in () if output.json else results:
        output.result(None, _line(result))
    if output.json:
        output.result({"unbound": [as_data(each) for each in results], "failed": failures}, "")
    for line in dict.fromkeys(warnings):
        output.say(f"warning: {line}")
    return 1 if failures else 0


def _line(result: Rebound) -> str:
    left = f"still bound to {', '.join(result.profiles)}" if result.profiles else "nothing is left"
    return f"{result.domain}: no longer bound to {', '.join(result.changed)}; {left} in {result.place}"
