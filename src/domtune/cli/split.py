"""domtune split: part a domain, in a file or on a hypervisor, into its definition and its tuning."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from domtune.cli import source
from domtune.cli.output import Output, with_output, write_out
from domtune.domain import split
from domtune.errors import Failed
from domtune.files import identity
from domtune.tuning import Split

if TYPE_CHECKING:
    from domtune.connection import Domain


@click.command("split")
@click.argument("domain", metavar="FILE|DOMAIN")
@click.option("--definition", metavar="OUT", help="Write the definition there; - is standard output, the default.")
@click.option("--tuning", metavar="OUT", help="Write the tuning there, as a profile.")
@click.option("--guest-visible", is_flag=True, help="Take out also what the guest sees, such as queues and Hyper-V.")
@click.option("--measurement", is_flag=True, help="Take out also perf events.")
@click.option("--memlock", is_flag=True, help="Take out hard_limit and locked also beside passed-through devices.")
@click.option("--define", is_flag=True, help="Store the definition in libvirt, with a backup of what was there.")
@click.option("--domain", "is_domain", is_flag=True, help="The argument is a domain even if a file is called so.")
@with_output
def command(output: Output, domain: str, is_domain: bool, define: bool, **options: str | bool | None) -> None:  # noqa: FBT001
    """Part a domain into its definition (what it is) and its tuning (how it should run).

    Without --definition the definition goes to standard output. The tuning that --tuning writes is a profile: give it
    to `start -p` or to `merge`.
    """
    definition, tuning = options["definition"], options["tuning"]
    is_file = source.is_file(domain, domain=is_domain)
    _files(domain if is_file else "-", definition=definition, tuning=tuning)
    _usage(define=define, is_file=is_file, as_json=output.json, definition=definition, tuning=tuning)
    chosen = {word: bool(options[word]) for word in ("guest_visible", "measurement", "memlock")}
    with ExitStack() as held:
        connection = None
        if not is_file:
            from domtune.connection import connect  # noqa: PLC0415 - files need no libvirt

            connection = held.enter_context(connect(output.uri))
        found = source.read(domain, connection)
        parts = split(found.xml, source=found.name, **chosen)
        if tuning and not (output.json and tuning == "-"):
            write_out(str(tuning), _profile(found.name, parts))
        if define and found.domain:
            output.say(_define(found.domain, found.xml, parts, chosen))
        _show(output, parts, definition=definition, tuning=tuning, define=define)


def _files(name: str, *, definition: object, tuning: object) -> None:
    """Refuse to write over what is not written anywhere else."""
    outs = [identity(str(out)) for out in (definition, tuning) if out and out != "-"]
    source_file = [] if name == "-" else [identity(name)]
    if len(set(outs)) < len(outs):
        raise click.UsageError("definition and tuning cannot go into one file; give --tuning another")
    if set(outs) & set(source_file) and not (definition and tuning and identity(str(tuning)) not in source_file):
        raise click.UsageError(f"{name}: would be replaced and its tuning lost; give --definition and --tuning files")


def _usage(*, define: bool, is_file: bool, as_json: bool, definition: object, tuning: object) -> None:
    if define and is_file:
        raise click.UsageError("--define stores the definition of a domain; give a domain, not a file")
    if define and not tuning:
        raise click.UsageError("--define takes the tuning out of libvirt; say with --tuning OUT where it goes")
    if tuning == "-" and definition in {None, "-"} and not define and not as_json:
        raise click.UsageError("definition and tuning cannot both go to standard output; give --definition OUT")


def _show(output: Output, parts: Split, *, definition: object, tuning: object, define: bool) -> None:
    if definition and (definition != "-" or not output.json):
        write_out(str(definition), parts.definition)
    if output.json:
        from domtune.cli import data  # noqa: PLC0415 - only when it was asked for

        output.result({"definition": parts.definition, "tuning": data.tuning(parts.tuning)}, "")
    elif not definition and not define:
        output.result(None, parts.definition)
    if not tuning and len(parts.tuning):
        output.say(f"{len(parts.tuning)} settings were taken out; --tuning OUT keeps them")


def _define(domain: Domain, before: str, parts: Split, chosen: dict[str, bool]) -> str:
    """Store the definition; if libvirt makes tuning of its own of it, or refuses, put back what was there."""
    from domtune.storage import replace_stored  # noqa: PLC0415 - files need no libvirt

    def check(stored: str) -> None:
        if left := split(stored, source=domain.name, **chosen).tuning.settings:
            names = ", ".join(setting.name for setting in left)
            raise Failed(f"{domain.name}: libvirt kept {names}")

    backup = replace_stored(domain, before, parts.definition, check)
    return f"{domain.name}: the stored definition has no tuning now; what was there is in {backup}"


def _profile(name: str, parts: Split) -> str:
    """Return the tuning as a profile."""
    from domtune import profile  # noqa: PLC0415 - YAML is slow to load

    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name.rsplit("/", 1)[-1].removesuffix(".xml")).strip("-.")
    return profile.write(profile.named(stem or "tuning", parts.tuning, summary=f"Tuning taken out of {name}"))
