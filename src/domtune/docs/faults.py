"""The page on errors: exit codes, kinds of errors, and what each fault of a profile is answered with."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

from domtune.cli.records import ERRORS
from domtune.docs.commands import EXITS
from domtune.docs.markdown import MADE, table

_CASES = Path("tests/cases/errors")
_LINES, _COLUMNS = 30, 200


def page(checkout: Path) -> str:
    """Return the page; the faults are those that the tests of the checkout know."""
    lines = ["# Errors", "", MADE, "", "## Exit codes", "", table(("code", "meaning"), EXITS.items())]
    lines += ["", "## Kinds of errors", "", "With `--json` the kind is the field `error`.", ""]
    kinds = ((f"`{name}`", _sentence(kind)) for name, kind in ERRORS.items())
    lines += [table(("kind", "meaning"), kinds)]
    lines += ["", "## Faults of a profile", ""]
    lines += ["Each is a line `PATH:LINE: NAME: reason; way out`, and all of them are listed at once.", ""]
    lines += ["The profile stands first, then what `domtune check` says of it."]
    against = []
    for case in sorted((checkout / _CASES).iterdir()):
        if not (case / "profile.yaml").exists() or not (case / "error.txt").exists():
            continue
        if (case / "definition.xml").exists():
            against.append(case)
        else:
            lines += _case(case)
    lines += ["", "## Faults of a profile beside a definition", ""]
    lines += ["`merge` and `start` say what is wrong with a profile for this domain and host."]
    for case in against:
        lines += _case(case)
    return "\n".join(lines) + "\n"


def _case(case: Path) -> Iterator[str]:
    """Give the profile and the message; `yml` keeps the tests from taking the profile for a good one."""
    yield from ("", f"### {_title(case)}", "")
    yield from ("```yml", *_shown(case / "profile.yaml"), "```", "")
    yield from ("```text", *_shown(case / "error.txt"), "```")


def _title(case: Path) -> str:
    words = case.name.split("-")
    return " ".join((words[0].upper() if words[0] in {"yaml", "xml"} else words[0].capitalize(), *words[1:]))


def _shown(file: Path) -> Iterator[str]:
    """Give the lines of a file as they are, as far as they can be printed and are no nuisance."""
    lines = file.read_text(encoding="utf-8", errors="backslashreplace").splitlines()
    for line in lines[:_LINES]:
        text = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)
        yield f"{text[:_COLUMNS]} …" if len(text) > _COLUMNS else text
    if len(lines) > _LINES:
        yield f"… and {len(lines) - _LINES} lines more"


def _sentence(kind: type[Exception]) -> str:
    return " ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].split())
