"""split and merge against reading and writing the same documents: with lxml, and with virt-manager's virtinst.

What counts is the time of the CPU, since nothing here waits.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.measure import CannotRun, Comparison, Timed, alternate, collected
from lxml import etree

from domtune.domain import merge, split
from support.sampler import samples

DOCUMENTS = Path(__file__).parents[1] / "tests" / "documents"
DENSE = DOCUMENTS / "qemu" / "dense.xml"
SAMPLES, SEED = 300, 1
ROUNDS = 15
LXML_LIMIT, DENSE_LIMIT, VIRTINST_LIMIT = 2.0, 5.0, 0.2

DEBIAN_PYTHON = "/usr/bin/python3"  # virtinst is a Debian package, for Debian's Python
VIRTINST_SIDE = Path(__file__).with_name("virtinst_side.py")


def compare() -> Iterator[Comparison]:
    """Give the comparisons; raise `CannotRun` where virtinst is missing."""
    full = full_of_tuning()
    few = of_libvirts_kind()
    dense = [DENSE.read_text(encoding="utf-8")] * 20
    yield _compare("split and merge / lxml twice, {} documents, one in eight tuned", LXML_LIMIT, few, _lxml(few))
    yield _compare("split and merge / lxml twice, {} documents full of tuning", None, full, _lxml(full))
    yield _compare("split and merge / lxml twice, {} times the dense document", DENSE_LIMIT, dense, _lxml(dense))
    for documents, which, limit in ((few, "one in eight tuned", VIRTINST_LIMIT), (full, "full of tuning", None)):
        with _virtinst(documents) as (readable, theirs):
            what = f"split and merge / virtinst once, {{}} documents that virtinst reads, {which}"
            yield _compare(what, limit, readable, theirs)


def full_of_tuning() -> list[str]:
    """Return all our documents, and made-up ones: nearly a third of their elements are tuning.

    No limit is set on them: they show what a value costs, not what documents are like.
    """
    return [*(path.read_text(encoding="utf-8") for path in sorted(DOCUMENTS.rglob("*.xml"))), *samples(SAMPLES, SEED)]


def of_libvirts_kind() -> list[str]:
    """Return a few hundred documents of which one in eight holds tuning.

    Of the first hundred documents in libvirt's tests/qemuxml2argvdata seven have names that speak of tuning. Those that
    hold it are whole machines as people write them; the others are their definitions, and made-up ones.
    """
    tuned = [path.read_text(encoding="utf-8") for path in sorted(DOCUMENTS.rglob("*.xml")) if _is_ordinary(path)]
    plain = [split(xml).definition for xml in tuned]
    made_up = [split(xml).definition for xml in samples(SAMPLES, SEED)]
    return [*tuned, *plain * 2, *made_up][: 8 * len(tuned)]


def _is_ordinary(path: Path) -> bool:
    """Tell whether a document is of the usual kind: valid, and not made to be as dense or odd as can be."""
    return not path.stem.endswith("-lenient") and path.stem not in {"dense", "duplicates", "refused"}


def _compare(what: str, limit: float | None, documents: list[str], theirs: Timed) -> Comparison:
    ours = collected(lambda: _cpu_seconds(documents, _split_and_merge))
    pairs = alternate(ours, theirs, ROUNDS)
    return Comparison(what.format(len(documents)), limit, pairs, "a document", len(documents))


def _split_and_merge(xml: str) -> None:
    parts = split(xml)
    merge(parts.definition, parts.tuning)


def _lxml(documents: list[str]) -> Timed:
    return collected(lambda: _cpu_seconds(documents, _read_and_write_twice))


def _read_and_write_twice(xml: str) -> None:
    for _ in range(2):
        etree.tostring(etree.fromstring(xml.encode()), encoding="unicode")


def _cpu_seconds(documents: list[str], work: Callable[[str], None]) -> float:
    begin = time.process_time()
    for xml in documents:
        work(xml)
    return time.process_time() - begin


@contextmanager
def _virtinst(documents: list[str]) -> Iterator[tuple[list[str], Timed]]:
    """Start the other side; give the documents that it can read, and what makes it read and write them once more."""
    if not Path(DEBIAN_PYTHON).exists():
        raise CannotRun(f"{DEBIAN_PYTHON} is not there; virtinst is compared with on Debian only")
    with subprocess.Popen(
        [DEBIAN_PYTHON, VIRTINST_SIDE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            numbers = json.loads(_ask(process, json.dumps(documents)))
            yield [documents[number] for number in numbers], lambda: float(_ask(process, "again"))
        finally:
            process.kill()


def _ask(process: subprocess.Popen[str], line: str) -> str:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise TypeError("not opened with pipes")
    with suppress(BrokenPipeError):
        print(line, file=process.stdin, flush=True)
        if answer := process.stdout.readline():
            return answer
    last = "".join(process.stderr.read().strip().splitlines()[-1:])
    raise CannotRun(f"virtinst does not work ({last}); `scripts/setup.sh bench` installs it")
