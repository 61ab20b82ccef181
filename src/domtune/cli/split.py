"""domtune split: part a domain, in a file or on a hypervisor, into its definition and its tuning."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from shlex import quote

import click

from domtune.cli import complete, source
from domtune.cli.output import Output, with_output, write_out
from domtune.domain import split
from domtune.errors import Refused
from domtune.files import identity
from domtune.take import Choice
from domtune.tuning import Split


@click.command("split")
@click.argument("domain", metavar="FILE|DOMAIN", shell_complete=complete.domains_or_files)
@click.option(
    "--definition",
    metavar="OUT",
    shell_complete=complete.files,
    help="Write the definition there; - is standard output, the default.",
)
@click.option("--tuning", metavar="OUT", shell_complete=complete.files, help="Write the tuning there, as a profile.")
@click.option("--guest-visible", is_flag=True, help="Take out also what the guest sees, such as queues and Hyper-V.")
@click.option("--measurement", is_flag=True, help="Take out also perf events.")
@click.option("--memlock", is_flag=True, help="Take out hard_limit and locked also beside passed-through devices.")
@click.option("--define", is_flag=True, help="Store the definition in libvirt and bind the tuning.")
@click.option("--force", is_flag=True, help="Write over files that are there and say something else.")
@click.option("--domain", "is_domain", is_flag=True, help="The argument is a domain even if a file is called so.")
@with_output
def command(output: Output, domain: str, is_domain: bool, define: bool, **options: str | bool | None) -> None:  # noqa: FBT001
    """Part a domain into its definition (what it is) and its tuning (how it should run).

    Without --definition the definition goes to standard output. The tuning that --tuning writes is a profile: give it
    to `start -p` or to `merge`. With --define the profile is bound to the domain, so that each `start` uses it; without
    --tuning it goes among the profiles that are found by name, called as the domain is.
    """
    definition, tuning, force = options["definition"], options["tuning"], bool(options["force"])
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
        if not force and not (is_file and identity(str(definition)) == identity(domain)):
            _keep(definition, parts.definition)
        shelf = None
        if define and found.domain:
            shelf = _define(output, found, parts, Choice(**chosen), options)
        elif tuning and not (output.json and tuning == "-"):
            text = _profile(found.name, parts)
            if not force:
                _keep(tuning, text)
            write_out(str(tuning), text)
        _show(output, parts, definition=definition, tuning=tuning, shelf=shelf, define=define)


def _files(name: str, *, definition: object, tuning: object) -> None:
    """Refuse to write over what is not written anywhere else."""
    outs = [identity(str(out)) for out in (definition, tuning) if out and out != "-"]
    source_file = [] if name == "-" else [identity(name)]
    if len(set(outs)) < len(outs):
        raise click.UsageError("definition and tuning cannot go into one file; give --tuning another")
    if set(outs) & set(source_file) and not (definition and tuning and identity(str(tuning)) not in source_file):
        raise click.UsageError(f"{name}: would be replaced and its tuning lost; give --definition and --tuning files")


def _keep(out: object, text: str) -> None:
    """Refuse to write over a file that says something else: domtune does not know who needs it."""
    if not out or out == "-":
        return
    try:
        said = Path(str(out)).read_bytes().decode(errors="replace") if Path(str(out)).is_file() else ""
    except OSError:  # what is wrong with it, writing will say
        return
    if said.strip() and said.rstrip("\n") != text.rstrip("\n"):
        raise Refused(f"{out}: is there already, and says something else; name another file, or give --force")


def _usage(*, define: bool, is_file: bool, as_json: bool, definition: object, tuning: object) -> None:
    if define and is_file:
        raise click.UsageError("--define stores the definition of a domain; give a domain, not a file")
    if tuning == "-" and definition in {None, "-"} and not define and not as_json:
        raise click.UsageError("definition and tuning cannot both go to standard output; give --definition OUT")


def _show(output: Output, parts: Split, **options: object) -> None:
    definition, tuning, define = options["definition"], options["tuning"], options["define"]
    if definition and (definition != "-" or not output.json):
        write_out(str(definition), parts.definition)
    if output.json:
        from domtune.cli import data  # noqa: PLC0415 - only when it was asked for

        bound = options["shelf"] and str(options["shelf"])
        output.result({"definition": parts.definition, "tuning": data.tuning(parts.tuning), "bound": bound}, "")
    elif not definition and not define:
        output.result(None, parts.definition)
    if not tuning and not define and len(parts.tuning):
        output.say(f"{len(parts.tuning)} settings were taken out; --tuning OUT keeps them")


def _define(
    output: Output, found: source.Source, parts: Split, choice: Choice, options: Mapping[str, str | bool | None]
) -> Path | None:
    """Store the definition and bind the tuning, all of it or nothing; return the file of the profile that is bound."""
    from domtune import takeover  # noqa: PLC0415 - files need no libvirt

    domain = found.domain
    assert domain  # noqa: S101 - files were refused
    if not len(parts.tuning):
        names = takeover.bound(domain)
        already = f", and is bound to {', '.join(names)} already" if names else ""
        output.say(f"{domain.name}: has no tuning to take out{already}; nothing was changed")
        return None
    text = _profile(found.name, parts, takeover.file_name(domain.name))
    tuning = options["tuning"]
    out = str(tuning) if tuning else None
    shelf = takeover.shelf(domain, text, out, force=bool(options["force"])) if _is_kept(tuning) else None
    if shelf is None and not (output.json and tuning == "-"):
        write_out(str(tuning), text)
    taking = takeover.Taking(found.xml, parts.definition, parts.tuning, choice, text, shelf)
    taken = takeover.take_over(domain, taking)
    output.say(f"{domain.name}: the stored definition has no tuning now; what was there is in {taken.backup}")
    if shelf is None:
        output.say(f"{domain.name}: its tuning is bound to nothing, since {tuning} is no file")
        return None
    output.say(f"{domain.name}: its tuning is in {shelf.path}, bound to it in {taken.place}")
    if shelf.copy:
        output.say(f"{domain.name}: what {shelf.path} said before is in {shelf.copy}")
    word = " --domain" if source.is_file(domain.name, domain=False) else ""
    output.say(f"{domain.name}: `domtune merge {quote(domain.name)} --define{word}` gives it back")
    return shelf.path


def _is_kept(tuning: object) -> bool:
    """Tell whether what is written there can be read again: a file, not standard output or a pipe."""
    if not tuning or tuning == "-":
        return not tuning
    try:
        return Path(str(tuning)).is_file() or not Path(str(tuning)).exists()
    except OSError:  # what is wrong with it, writing will say
        return True


def _profile(name: str, parts: Split, called: str = "") -> str:
    """Return the tuning as a profile."""
    from domtune import profile  # noqa: PLC0415 - YAML is slow to load

    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name.rsplit("/", 1)[-1].removesuffix(".xml")).strip("-.")
    return profile.write(profile.named(called or stem or "tuning", parts.tuning, summary=f"Tuning taken out of {name}"))
