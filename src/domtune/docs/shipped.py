"""The page of the shipped profiles: each line with its reason, read off the comments, and what it does on each driver.

What it does stands in the cases of the tests, one for each profile and driver.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from domtune import catalogue, profile
from domtune.docs.markdown import MADE, anchor, table
from domtune.vocabulary.drivers import DRIVERS

CASES = Path("tests/catalogue")
_COLUMNS = {"at creation": "at creation", "afterwards": "on the running domain", "not done": "not done"}


@dataclass(frozen=True, slots=True)
class Line:
    """One wish or parameter of a profile."""

    said: str
    reason: str
    where: str = ""  # the condition, where it does not hold everywhere


def page(checkout: Path) -> str:
    """Return the page."""
    profiles = [(path, profile.read(path.read_text(encoding="utf-8"), str(path))) for path in _files()]
    lines = ["# Catalogue", "", MADE, "", f"{len(profiles)} profiles come with domtune; `domtune profiles` lists them."]
    lines += [
        "Take one by its name, `domtune start DOMAIN -p latency`, or write a profile of your own that inherits it:",
        "",
        "```yaml",
        "profile: mine",
        "inherits: [latency, huge-pages]",
        "want:",
        '  cpu.nodes: "0"',
        "```",
        "",
        "None of them names CPUs, nodes or devices of a host, and none changes what the guest sees.",
        "The last table of each says what becomes of it by itself, for a domain with four vCPUs, two disks and a NIC,",
        "on a host with cgroups of version 2.",
        "",
        table(
            ("profile", "what it is for"), ((f"[{one.name}](#{anchor(one.name)})", one.summary) for _, one in profiles)
        ),
    ]
    for path, one in profiles:
        text = path.read_text(encoding="utf-8")
        lines += ["", f"## {one.name}", "", f"{one.summary}.", ""]
        if one.inherits:
            lines += ["Inherits " + ", ".join(f"[{name}](#{anchor(name)})" for name in one.inherits) + ".", ""]
        lines += [table(("line", "holds", "reason and source"), map(_row, lines_of(text)))]
        lines += [line for note in notes(text) for line in ("", note)]
        lines += ["", table(("driver", *_COLUMNS.values()), _drivers(checkout, one.name))]
    return "\n".join(lines) + "\n"


def _files() -> list[Path]:
    return sorted(catalogue.SHIPPED.glob("*.yaml"))


def _row(line: Line) -> tuple[str, str, str]:
    return f"`{line.said}`", line.where or "everywhere", line.reason


def lines_of(text: str) -> Iterator[Line]:
    """Give the lines of `want:`, `set:` and `when:` with the comments above them."""
    reason: list[str] = []
    where = ""
    for line in text.splitlines():
        said = line.strip()
        if said.startswith("#"):
            reason.append(said.lstrip("# "))
        elif said.startswith("- "):
            where = re.sub(r"[][:]", "", said.removeprefix("- "))
        elif line.startswith(" ") and not said.endswith(":"):
            yield Line(said, " ".join(reason), where)
        if not said.startswith("#"):
            reason = []


def notes(text: str) -> list[str]:
    """Return what a profile says at its end, of what it leaves out and what may stand beside it."""
    found: list[str] = []
    for line in text.splitlines():
        said = line.removeprefix("#").removeprefix(" ")
        if not line.startswith("#"):
            continue
        if said.startswith("  "):
            found[-1] += f" `{said.strip()}`"
        elif not found or _ends(found[-1]):
            found.append(said)
        else:
            found[-1] += f" {said}"
    return found


def _ends(text: str) -> bool:
    return text.endswith(".")


def _drivers(checkout: Path, name: str) -> Iterator[tuple[str, ...]]:
    for driver in DRIVERS:
        text = (checkout / CASES / driver / f"{name}.txt").read_text(encoding="utf-8").split("\n\n")[0]
        said: dict[str, list[str]] = {word: [] for word in _COLUMNS}
        for line in text.splitlines():
            word, _, what = line.partition(": ")
            if word == "refused":
                said["not done"].append(f"the start is refused: {what}")
            elif word in said:
                said[word].append(what.partition(", for ")[0])
        if not any(said.values()):
            said["at creation"].append("nothing")
        yield driver, *("<br>".join(some) for some in said.values())
