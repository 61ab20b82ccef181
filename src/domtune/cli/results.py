"""What each command prints with --json, declared once: `domtune schema`, the reference and the tests read it here.

A new command gets its line in `RESULTS`; the records that it is made of are in `domtune.cli.records`.
"""

from __future__ import annotations

from typing import Any

from domtune.cli.fields import (
    JSON_SCHEMA,
    TEXT,
    TEXT_OR_NULL,
    Field,
    Record,
    Result,
    as_schema,
    either,
    many,
)
from domtune.cli.records import (
    BOUND,
    ENTRY,
    ERROR,
    EXPLAINED,
    FAILURE,
    HELD,
    MEANT,
    NOT_DONE,
    PARAMETER,
    STARTED,
    TUNING,
    WISH,
)

SPLIT = Record(
    "split",
    "A domain in its two parts.",
    (
        Field("definition", TEXT, "the definition, as XML"),
        Field("tuning", TUNING.type, "what was taken out of it"),
        Field("bound", TEXT_OR_NULL, "with `--define` the file of the profile that is bound to the domain now"),
    ),
)
MERGE = Record(
    "merge",
    "A domain with its tuning.",
    (
        Field("domain", TEXT, "the domain, as XML"),
        Field("not_done", many(NOT_DONE.type), "what stands in no XML, or what the driver does not honour"),
    ),
)
START = Record(
    "start",
    "How each start went.",
    (
        Field("started", many(STARTED.type), "the domains that were started"),
        Field("failed", many(FAILURE.type), "the domains that were not"),
    ),
)
BIND = Record(
    "bind",
    "How it went with each domain.",
    (
        Field("bound", many(BOUND.type), "the domains that are bound"),
        Field("failed", many(FAILURE.type), "the domains that could not be"),
    ),
)
UNBIND = Record(
    "unbind",
    "How it went with each domain.",
    (
        Field("unbound", many(BOUND.type), "the domains that profiles were taken off"),
        Field("failed", many(FAILURE.type), "the domains with which that could not be done"),
    ),
)
BINDINGS = Record(
    "bindings",
    "Which profiles hold for which domains.",
    (
        Field("held", many(HELD.type), "what holds for domains; empty when no hypervisor answered"),
        Field("entries", many(ENTRY.type), "all that files say, whether it holds for any domain or not"),
        Field("problems", many(TEXT), "faults of files and profiles, one line each"),
    ),
)
PROFILE = Record(
    "profiles",
    "One profile that can be named.",
    (
        Field("profile", TEXT, "what it is called"),
        Field("summary", TEXT, "its summary"),
        Field("place", TEXT, "`shipped`, or the directory that it is in"),
        Field("path", TEXT, "its file"),
        Field("hidden_by", TEXT, "the file of the same name that is taken instead; empty where none is"),
        Field("text", TEXT, "the whole document"),
    ),
)
CHECK = Record(
    "check",
    "One profile.",
    (
        Field("profile", TEXT, "the profile as it was given"),
        Field("problems", many(TEXT), "its faults, one line each; empty for a good profile"),
    ),
)
DEMO = Record("demo", "The story.", (Field("story", many(TEXT), "its lines"),))
DOCUMENT = Record(
    "document",
    "A document that has a schema.",
    (
        Field("name", TEXT, "what to call it in `domtune schema NAME`"),
        Field("meaning", TEXT, "what the document is"),
    ),
)
COMPLETION = Record(
    "completion",
    "A script for a shell.",
    (Field("shell", TEXT, "the shell"), Field("script", TEXT, "what it is to read")),
)

RESULTS = {
    "split": Result("The definition and the tuning of a domain.", SPLIT.type),
    "merge": Result("The domain, and what of the tuning is not in it.", MERGE.type),
    "start": Result("What was done for each domain.", START.type),
    "bind": Result("What each domain is bound to now.", BIND.type),
    "unbind": Result("What each domain is bound to now.", UNBIND.type),
    "bindings": Result("What holds for which domains, and what files say.", BINDINGS.type),
    "profiles": Result("One item for each profile.", many(PROFILE.type)),
    "explain": Result(
        "What holds for a domain, and why; without a domain, what drivers make of the name.",
        either(EXPLAINED.type, WISH.type, MEANT.type),
    ),
    "check": Result("One item for each profile.", many(CHECK.type)),
    "params": Result("One item for each parameter.", many(PARAMETER.type)),
    "schema": Result("The schemas there are; or with a NAME that one.", either(many(DOCUMENT.type), JSON_SCHEMA)),
    "completion": Result("The script for one shell.", COMPLETION.type),
    "demo": Result("What the demo said.", DEMO.type),
    "error": Result("What any command prints when it could not do its work.", ERROR.type),
}


def result_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of what a command prints with --json; of ``error``, of what any prints in place of it."""
    title = "the error of any command of domtune" if name == "error" else f"domtune {name} --json"
    return as_schema(title, RESULTS[name], ERROR)
