"""The page of the drivers: what each makes of each parameter."""

from __future__ import annotations

from domtune import matrix
from domtune.cli.records import WORDS
from domtune.docs.markdown import MADE, anchor, table
from domtune.docs.parameters import grouped
from domtune.vocabulary.drivers import DRIVERS
from domtune.vocabulary.model import Source


def page() -> str:
    """Return the page of the driver matrix."""
    lines = ["# Drivers", "", MADE, "", "What each of libvirt's hypervisor drivers makes of each parameter.", ""]
    lines += [table(("word", "meaning"), WORDS.items()), "", "The reasons are in [parameters.md](parameters.md)."]
    lines += ["", "## The drivers", "", _driver_table()]
    for word, rows in grouped().items():
        cells = (
            [f"[{param.name}](parameters.md#{anchor(param.name)})", *(matrix.word(param, name) for name in DRIVERS)]
            for param in rows
        )
        lines += ["", f"## {word}", "", table(("parameter", *DRIVERS), cells)]
    return "\n".join(lines) + "\n"


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
    return table(heads, rows)
