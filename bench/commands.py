"""The command line against a Python process that only imports the libraries it stands on."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Comparison, Timed, alternate

DOMTUNE = Path(sys.executable).with_name("domtune")
IMPORTS = (sys.executable, "-c", "import libvirt, lxml.etree, yaml, click")
DOCUMENT = Path(__file__).parents[1] / "tests" / "documents" / "qemu" / "linux-server.xml"
ROUNDS = 40
LIMIT = 1.5


def compare() -> Iterator[Comparison]:
    """Give a comparison for each command."""
    for words in (("--version",), ("split", str(DOCUMENT))):
        what = f"domtune {words[0]} / Python that imports libvirt, lxml, yaml and click"
        yield Comparison(what, LIMIT, alternate(_seconds(DOMTUNE, *words), _seconds(*IMPORTS), ROUNDS), "a process")


def _seconds(*words: str | Path) -> Timed:
    def measure() -> float:
        begin = time.perf_counter()
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL, capture_output=True)
        return time.perf_counter() - begin

    return measure
