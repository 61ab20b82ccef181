"""The vocabulary in words: the driver matrix, one parameter's page, one driver's sentence. All read off the table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from domtune.vocabulary.drivers import DRIVERS
from domtune.vocabulary.model import Cannot, Param, Source


def word(param: Param, driver: str) -> str:
    """Return one word: live, create, live only, stored, or why not."""
    fact = param.drivers[driver]
    if isinstance(fact, Cannot):
        return str(fact.how)
    if driver == "test":
        return "stored" if fact.at_create else "live only"
    if fact.live is None:
        return "create"
    return "live" if fact.at_create else "live only"


def sentence(param: Param, driver: str) -> str:
    """Return what one driver makes of a parameter, as a sentence for people."""
    fact = param.drivers[driver]
    if isinstance(fact, Cannot):
        return f"{fact.how}: {fact.why}"
    said = {
        "live": "honoured at creation, and can change on a running domain",
        "create": "honoured at creation only",
        "live only": "cannot be given at creation; set on the running domain at each start",
        "stored": "stored, nothing is enforced",
    }[word(param, driver)]
    if fact.accepts is not None:
        said += f", for {', '.join(fact.accepts)} only"
    if fact.only_on:
        said += f", on {' and '.join(dict.fromkeys(on.what for on in fact.only_on))} only"
    extra = [text for text in (fact.meaning, "" if driver == "test" else fact.caveat) if text]
    return "; ".join([said, *extra])


def known(param: Param, driver: str) -> str:
    """Return how the fact is known: seen live, read in the source, not run."""
    source = param.drivers[driver].source
    if DRIVERS[driver].runs_here:
        return str(source)
    return "read, not run" if source is Source.READ else str(source)


def page(param: Param, driver: str | None = None) -> Iterator[str]:
    """Give all that is known of one parameter, line by line."""
    yield param.name
    yield f"  {param.help}"
    yield f"  class:    {param.cls}"
    yield f"  value:    {param.kind.describe()}"
    yield f"  example:  {example(param)}"
    for path in param.paths:
        yield f"  XML:      {path.xpath}"
    if not param.paths:
        yield "  XML:      none"
    if param.protective:
        yield f"  guards:   without it there is no {param.protective.removeprefix('a ')}"
    if param.host_bound:
        yield "  host:     the value is true for one host only"
    for name in [driver] if driver else DRIVERS:
        yield f"  {name + ':':<9} {sentence(param, name)} ({known(param, name)})"


def example(param: Param) -> str:
    """Return the parameter as a line of a profile's `set:` block."""
    if "#" in param.key_forms:
        element, _, word = param.name.rpartition(".")
        return f"{element}: [{{{word}: {param.example}}}]"
    name = f"{param.device}[*]{param.name[len(param.device) :]}" if param.device else param.name
    return f"{name}: {param.example}"


def as_data(param: Param) -> dict[str, Any]:
    """Return one row for --json."""
    return {
        "name": param.name,
        "class": str(param.cls),
        "help": param.help,
        "kind": param.kind.name,
        "value": param.kind.describe(),
        "example": example(param),
        "xpath": [path.xpath for path in param.paths],
        "host_bound": param.host_bound,
        "protective": param.protective,
        "drivers": {
            name: {"word": word(param, name), "says": sentence(param, name), "known": known(param, name)}
            for name in DRIVERS
        },
    }
