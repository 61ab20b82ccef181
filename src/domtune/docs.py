"""The reference pages, made from the code: `python -m domtune.docs --check` or `--write`, in a checkout.

Two pages are made as a whole; in the others the tables between ``<!-- table: NAME -->`` and ``<!-- end -->`` are.
Everything here returns text; only `main` writes.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from domtune import matrix
from domtune.cli import data, group
from domtune.cli import start as cli_start
from domtune.lifecycle import NotDone
from domtune.profileset import elements
from domtune.run import Mode, Started
from domtune.tuning import Place, Setting, Tuning, Verbatim
from domtune.vocabulary import PARAMS
from domtune.vocabulary.drivers import DRIVERS
from domtune.vocabulary.model import Fact, Gate, Kept, Needs, Param, Source

CHECKOUT = Path(__file__).parents[2]
REFERENCE = Path("docs/reference")
_MADE = "<!-- Made by `make regenerate` from the code. Change the code. -->"
_TABLE = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

_WORDS = {
    "live": "honoured at creation, and can change on a running domain",
    "create": "honoured at creation only: a change waits for the next start",
    "live only": "stands in no domain XML that the driver reads; set on the running domain at each start",
    "stored": "kept and shown, nothing is enforced",
    "ignored": "accepted, kept in the XML, never read: libvirt reports success and nothing happens",
    "rejected": "the driver refuses the document or the start",
    "no API": "there is no way to say it to this driver",
}
_NEEDS = {
    Needs.IOTHREADS: "leaves and comes back together with all IOThreads and what refers to them",
    Needs.MEMLOCK: "stays in the definition while a passed-through, vDPA or NVMe device may need it, unless --memlock",
    Needs.SHARED_ACCESS: "stays in the definition while a vhost-user or virtiofs device needs shared memory",
    Needs.SHARED_SOURCE: "stays in the definition while memory is shared, since it is what shared memory is made of",
    Needs.SHARED_PAGES: "stays in the definition while a vhost-user or virtiofs device needs shared memory made of it",
}
_SAVED = {
    Kept.NO: "lost when a saved domain is restored, and applied again",
    Kept.FIXED: "part of a saved image, in which it cannot change",
}
_KEYS = {
    "part": "one of the words that the parameter names",
    "#": "position in a list",
    "path": "path of a block device of the host",
    "@id": "id of one IOThread, a list of ids, or `all`",
    "@id#": "id of one NUMA cell of the guest, a list of ids, or `all`",
    "@cellid": "id of one NUMA cell of the guest, a list of ids, or `all`",
    "@name": "name of a timer",
}
_SETTING = {
    "parameter": "name of the parameter, without keys",
    "keys": "list of the selector and keys, as text; empty where there are none",
    "name": "name with selector and keys in it: `cpu.vcpu.pin[0]`",
    "value": "the value as a profile says it",
    "text": "the value as the domain XML has it",
    "unit": "the unit beside it in the XML, or null",
    "origin": "file and line that it came from",
}
_NOT_DONE = {"reason": "why this driver, daemon or host cannot do it"}
_PIECE = {
    "place": f"where it belongs, seen from `path`: {', '.join(Place)}",
    "path": "an element of the complete document",
    "xml": "an element, comment or processing instruction",
    "text": "stray text",
    "attributes": "map of attributes",
    "keys": "order of elements, for `order`",
}
_STARTED = {
    "domain": "name",
    "uuid": "UUID",
    "mode": ", ".join(Mode),
    "paused": "whether its CPUs were left stopped",
    "at_creation": "list of settings that stood in the XML",
    "afterwards": "list of settings that were set on the running domain",
    "waited": "whether that was before the guest ran",
    "enforced": "whether the driver acts on values; libvirt's test driver only stores them",
    "not_done": "list of settings that could not be done, each with its reason",
    "pending": "list of settings that cannot change in the saved image, each with its reason",
    "left_out": "list of settings that guard something and that a minimal start left out",
    "notes": "list of sentences",
}
_PARAMETER = {
    "name": "name",
    "class": "tuning, guest-visible or measurement",
    "help": "one sentence",
    "kind": "kind of the value",
    "value": "range and unit in words",
    "example": "a line of a profile",
    "xpath": "list of places in the domain XML; empty where it stands in none",
    "host_bound": "whether the value is true for one host only",
    "protective": "what is no longer guarded against without it; empty where nothing is",
    "drivers": "map of what each driver makes of it",
}
_DRIVER = {
    "word": f"one of {', '.join(_WORDS)}",
    "says": "the same as a sentence",
    "known": "how that is known",
}
_EXITS = {
    group.OK: "done",
    group.FAILED: "refused or failed, also when one of several domains failed",
    group.USAGE: "the command line was not understood",
    group.INTERRUPTED: "interrupted; what had been begun was taken back",
}


def generated(current: Mapping[str, str]) -> dict[str, str]:
    """Return the text of every page by its name, given the present text of those that are written by hand."""
    whole = {"parameters.md": parameters(), "drivers.md": drivers()}
    tables = {
        **_profile_tables(),
        **_json_tables(),
        "help": _help(),
        "exits": _table(("code", "meaning"), _EXITS.items()),
    }
    return whole | {name: filled(text, tables) for name, text in current.items() if name not in whole}


def filled(page: str, tables: Mapping[str, str]) -> str:
    """Return a page with its tables made anew; raise `KeyError` for one that is not known."""
    return _TABLE.sub(lambda match: f"{match[1]}\n{tables[match[2]]}\n\n{match[3]}", page)


def stale(checkout: Path) -> list[str]:
    """Return the pages of a checkout that are not as the code would make them."""
    current = _read(checkout)
    return [f"{REFERENCE / name}: stale" for name, text in generated(current).items() if current.get(name) != text]


def anchor(heading: str) -> str:
    """Return the anchor of a heading, as GitHub and GitLab make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def parameters() -> str:
    """Return the page of all parameters."""
    counts = Counter(param.cls for param in PARAMS.values())
    lines = [
        "# Parameters",
        "",
        _MADE,
        "",
        f"{len(PARAMS)} parameters: " + ", ".join(f"{count} {cls}" for cls, count in counts.items()) + ".",
        "How to write them is in [profile.md](profile.md); all drivers side by side are in [drivers.md](drivers.md).",
        "`domtune params NAME` shows one of them.",
        "",
    ]
    grouped = _grouped()
    for word, rows in grouped.items():
        links = ", ".join(f"[{param.name.removeprefix(f'{word}.')}](#{anchor(param.name)})" for param in rows)
        lines += [f"- [{word}](#{anchor(word)}): {links}"]
    for word, rows in grouped.items():
        lines += ["", f"## {word}"]
        for param in rows:
            lines += ["", f"### {param.name}", "", param.help, "", *_facts(param)]
    return "\n".join(lines) + "\n"


def drivers() -> str:
    """Return the page of the driver matrix."""
    lines = ["# Drivers", "", _MADE, "", "What each of libvirt's hypervisor drivers makes of each parameter.", ""]
    lines += [_table(("word", "meaning"), _WORDS.items()), "", "The reasons are in [parameters.md](parameters.md)."]
    lines += ["", "## The drivers", "", _driver_table()]
    for word, rows in _grouped().items():
        cells = (
            [f"[{param.name}](parameters.md#{anchor(param.name)})", *(matrix.word(param, name) for name in DRIVERS)]
            for param in rows
        )
        lines += ["", f"## {word}", "", _table(("parameter", *DRIVERS), cells)]
    return "\n".join(lines) + "\n"


def _grouped() -> dict[str, list[Param]]:
    found: dict[str, list[Param]] = {}
    for param in PARAMS.values():
        found.setdefault(param.name.partition(".")[0], []).append(param)
    return found


def _facts(param: Param) -> Iterator[str]:
    """Give what is known of one parameter as a list."""
    yield f"- Class: {param.cls}"
    kinds = {part: param.kinds.get(part, param.kind) for part in (path.part for path in param.paths) if part}
    values = [f"`{part}` {kind.describe()}" for part, kind in kinds.items()]
    yield f"- Value: {'; '.join(values) or param.kind.describe()}"
    for form in param.key_forms:
        yield f"- Key: {_key(form)}"
    yield f"- Example: `{example(param)}`"
    yield "- XML: " + (", ".join(f"`{path.xpath}`" for path in param.paths) or "none")
    if param.family:
        yield f"- Family: `{param.family}`, set and replaced as a whole"
    if param.protective:
        yield f"- Guards: without it there is no {param.protective.removeprefix('a ')}"
    if param.host_bound:
        yield "- Host: the value is true for one host only"
    if param.implied:
        yield f"- Implied: libvirt adds {', '.join(param.implied)} by itself, which stays in the definition"
    if param.needs:
        yield f"- Split: {_NEEDS[param.needs]}"
    if param.stays:
        yield f"- Split: stays in the definition: {param.stays}"
    said: dict[str, list[str]] = {}
    for name in DRIVERS:
        said.setdefault(_of_driver(param, name), []).append(name)
    for text, names in said.items():
        yield f"- {', '.join(names)}: {text}"


def _of_driver(param: Param, name: str) -> str:
    """Say what one driver makes of a parameter and how that is known."""
    fact = param.fact(name)
    parts = [f"{matrix.sentence(param, name)} ({matrix.known(param, name)}" + _evidence(fact) + ")"]
    if fact is None or name == "test":
        return parts[0]
    if fact.default is not None:
        parts.append(f"default {fact.default}")
    if fact.gate_at_create is not None:
        parts.append(f"at creation only while {_gate(fact.gate_at_create)}")
    if fact.live is not None and fact.live.gate is not None:
        parts.append(f"on a running domain only while {_gate(fact.live.gate)}")
    if fact.saved in _SAVED:
        parts.append(_SAVED[fact.saved])
    if fact.since:
        parts.append(f"since libvirt {fact.since}")
    return "; ".join(parts)


def _evidence(fact: Fact | None) -> str:
    return f": {fact.evidence}" if fact is not None and fact.evidence else ""


def _gate(gate: Gate) -> str:
    values = " or ".join("not set" if value is None else value for value in gate.values)
    return f"`{gate.param}` is {values}"


def _driver_table() -> str:
    heads = (
        "driver",
        "of",
        "URIs",
        "can start paused",
        "a saved image at a start from XML",
        "its definition",
        "reboot from inside the guest",
        "how known",
    )
    rows = (
        (
            driver.name,
            driver.title,
            ", ".join(f"`{scheme}://`" for scheme in driver.schemes),
            "yes" if driver.starts_paused else "no",
            str(driver.saved_image),
            "can be rewritten" if driver.rewrites_saved_image else "-",
            "keeps the tuning" if driver.reboot_keeps else "loses the tuning",
            f"{'read, not run' if driver.source is Source.READ else driver.source}: {driver.evidence}",
        )
        for driver in DRIVERS.values()
    )
    return _table(heads, rows)


def _help() -> str:
    """Return the help of all commands and of each, as it is on a terminal of 80 columns."""
    above = click.Context(group.domtune, info_name="domtune", terminal_width=78, **group.domtune.context_settings)
    lines = ["```console", "$ domtune --help", above.get_help(), "```"]
    for name in group.COMMANDS:
        command = group.domtune.get_command(above, name)
        if command:
            shown = click.Context(command, info_name=name, parent=above).get_help()
            lines += ["", f"## {name}", "", "```console", f"$ domtune {name} --help", shown, "```"]
    return "\n".join(lines)


def _profile_tables() -> dict[str, str]:
    """Return what the page on profiles says of kinds, keys, lists and families."""
    kinds: dict[str, list[Param]] = {}
    keys: dict[str, list[Param]] = {}
    families: dict[str, list[Param]] = {}
    devices: dict[str, list[Param]] = {}
    for param in PARAMS.values():
        kinds.setdefault(param.kind.name, []).append(param)
        families.setdefault(param.family, []).append(param)
        devices.setdefault(param.device, []).append(param)
        for form in param.key_forms:
            keys.setdefault(_key(form), []).append(param)
    del families[""], devices[""]
    examples = ((name, len(some), f"`{example(some[0])}`", some[0].kind.describe()) for name, some in kinds.items())
    keyed = ((key, len(some), f"`{example(some[0])}`") for key, some in keys.items())
    lists = ((f"`{name}`", ", ".join(f"`{word}`" for word in some)) for name, some in elements().items())
    return {
        "kinds": _table(("kind", "parameters", "for example", "which takes"), examples),
        "keys": _table(("key", "parameters", "for example"), keyed),
        "devices": _table(
            ("word", "element", "parameters"),
            ((f"`{word}[…]`", _element(some[0]), len(some)) for word, some in devices.items()),
        ),
        "lists": _table(("list", "fields of each item"), lists),
        "families": _table(("family", "parameters"), ((f"`{name}`", len(some)) for name, some in families.items())),
    }


def example(param: Param) -> str:
    """Return a parameter as a line of a profile; a field of a list stands in its list."""
    if "#" not in param.key_forms:
        return matrix.example(param)
    above, _, word = param.name.rpartition(".")
    return f"{above}: [{{{word}: {param.example}}}]"


def _element(param: Param) -> str:
    """Return the element of the device that a parameter belongs to."""
    return next(f"`<{step.tag}>`" for step in param.paths[0].steps if step.key.startswith("?"))


def _key(form: str) -> str:
    """Say what a key of this form is."""
    if form.startswith("?"):
        return "selector of a device"
    if form in _KEYS:
        return _KEYS[form]
    names = [name.strip("@*#") for name in form.split(",")]
    if len(names) > 1:
        return f"the fields {', '.join(f'`{name}`' for name in names)} of an item of a list"
    of = {"vcpu": "vCPU", "vcpus": "vCPUs", "iothread": "IOThread", "iothreads": "IOThreads"}.get(names[0], "")
    return f"set of {of}, kept as a set, or `all`" if form.endswith("*") else f"id of one {of}, a list of ids, or `all`"


def _json_tables() -> dict[str, str]:
    """Return the fields of what --json prints, taken from the results of the functions that make it."""
    setting = Setting(PARAMS["cpu.vcpu.pin"], ("0",), "2")
    piece = Verbatim(Place.ON, "/domain/cputune")
    started = Started("web", "", Mode.TUNED, paused=False)
    row = matrix.as_data(setting.param)
    return {
        "setting": _fields(data.setting(setting), _SETTING),
        "not-done": _fields(data.not_done(NotDone(setting, "")), _SETTING | _NOT_DONE),
        "piece": _fields(data.tuning(Tuning(verbatim=(piece,)))["verbatim"][0], _PIECE),
        "started": _fields(cli_start.as_data(started), _STARTED),
        "parameter": _fields(row, _PARAMETER),
        "driver": _fields(row["drivers"]["qemu"], _DRIVER),
    }


def _fields(found: Mapping[str, Any], meanings: Mapping[str, str]) -> str:
    """Return a table of fields; raise `ValueError` when one is without meaning, or a meaning without field."""
    if set(found) != set(meanings):
        raise ValueError(f"fields and meanings differ: {sorted(set(found) ^ set(meanings))}")
    return _table(("field", "meaning"), ((f"`{name}`", meanings[name]) for name in found))


def _table(heads: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table; a bar inside a cell is written so that it stays inside."""
    lines = [[str(cell).replace("|", "\\|") for cell in row] for row in (heads, *rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _read(checkout: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted((checkout / REFERENCE).glob("*.md"))}


def main(words: list[str]) -> int:
    """Look whether the pages of this checkout are fresh, or write them."""
    if words == ["--write"]:
        for name, text in generated(_read(CHECKOUT)).items():
            (CHECKOUT / REFERENCE / name).write_text(text, encoding="utf-8")
        return 0
    if words != ["--check"]:
        click.echo("usage: python -m domtune.docs --check | --write", err=True)
        return 2
    found = stale(CHECKOUT)
    for each in found:
        click.echo(f"{each}; run `make regenerate` and read the diff", err=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
