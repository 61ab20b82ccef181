"""The page on --json: what each command prints, as tables."""

from __future__ import annotations

from collections.abc import Iterator

from domtune.cli.fields import Record, within
from domtune.cli.group import COMMANDS
from domtune.cli.records import ERROR
from domtune.cli.results import RESULTS
from domtune.docs.markdown import MADE, table

_HEAD = f"""# JSON

{MADE}

`--json`, before or after the command, prints the result as one JSON document on standard output.
Messages for people still go to standard error.
Fields are added within a major version; none changes its meaning or goes away.

`domtune schema COMMAND` prints the JSON Schema of what a command prints; [schema](schema) has all of them."""


def page() -> str:
    """Return the page: the commands in their order, then the records that they are made of."""
    lines = [_HEAD]
    own: set[str] = set()
    for command in COMMANDS:
        result = RESULTS[command]
        lines += ["", f"## {command}", "", result.meaning]
        records = result.type.records
        if [command] == [record.name for record in records]:
            lines += ["", _fields(records[0])]
            own.add(command)
        else:
            lines += [f"It is {result.type.said}."]
    for record in _others(own):
        lines += ["", f"## {record.name}", "", record.meaning, "", _fields(record)]
    return "\n".join(lines) + "\n"


def _others(own: set[str]) -> Iterator[Record]:
    """Give each record that has no table yet, once; the error last."""
    seen = {*own, ERROR.name}
    for command in COMMANDS:
        for record in within(RESULTS[command].type):
            if record.name not in seen:
                seen.add(record.name)
                yield record
    yield ERROR


def _fields(record: Record) -> str:
    rows = ((f"`{field.name}`", field.type.said, field.meaning) for field in record.fields)
    return table(("field", "is", "meaning"), rows)
