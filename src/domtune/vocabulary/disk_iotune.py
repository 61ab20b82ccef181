"""Limits on one disk of the guest: bytes and requests, reads and writes, bursts."""

from __future__ import annotations

from collections.abc import Iterator

from domtune.kinds import Duration, Int, Kind, Rate, Text
from domtune.vocabulary.calls import IOTUNE
from domtune.vocabulary.facts import changed, qemu_only, simulated
from domtune.vocabulary.model import Param, Reason, Source, Type

_MAX = 10**15  # QEMU_BLOCK_IOTUNE_MAX
_BYTES, _REQUESTS = Rate(1, _MAX, 1, "0"), Int(1, _MAX, "0", "requests/s")
_WHOLE = "setting one field of a group of fields clears the others, so all are sent together"
_WHAT = {"total": "read and write together", "read": "read", "write": "write"}


def _row(word: str, kind: Kind, help_: str, example: str, *, text: bool = False) -> Param:
    type_, none = (Type.STRING, None) if text else (Type.ULLONG, "0")
    plain = word.endswith("_sec") and not word.startswith("size")
    caveats = {
        "group_name": "a group cannot be joined with no limit at all; a limit changed on one disk holds for the group",
        "size_iops_sec": "",
    }
    fact = changed(
        IOTUNE,
        word,
        type_,
        "qemuDomainSetBlockIoTune; qemuProcessSetupDiskThrottling",
        source=Source.LIVE,
        default=none,
        unset=none,
        caveat=caveats.get(word, _WHOLE),
    )
    vz = Reason.REJECTED if plain else Reason.IGNORED  # vzCheckDiskUnsupportedParams looks at the plain limits only
    return Param(
        f"disk.iotune.{word}",
        f"devices/=disk[?disk]/!iotune/!{word}/text()",
        kind,
        help_,
        example,
        qemu_only(
            fact,
            vz=vz,
            test=simulated(IOTUNE, word, type_, default=none, unset=none),
        ),
        family="disk.iotune",
        protective="a limit on disk I/O" if plain else "",
    )


def _limits() -> Iterator[Param]:
    for whose, what in _WHAT.items():
        yield _row(f"{whose}_bytes_sec", _BYTES, f"Most bytes that the guest may {what} on the disk.", "100 MiB/s")
        yield _row(f"{whose}_iops_sec", _REQUESTS, f"Most requests with which it may {what} on the disk.", "1000")
        burst, length = "during a burst", "Longest burst of"
        yield _row(f"{whose}_bytes_sec_max", _BYTES, f"Most bytes that it may {what} {burst}.", "200 MiB/s")
        yield _row(f"{whose}_iops_sec_max", _REQUESTS, f"Most requests with which it may {what} {burst}.", "2000")
        kind = Duration("s", 0, _MAX)
        noun = {"total": "reading and writing", "read": "reading", "write": "writing"}[whose]
        yield _row(f"{whose}_bytes_sec_max_length", kind, f"{length} {noun}, counted in bytes.", "10 s")
        yield _row(f"{whose}_iops_sec_max_length", kind, f"{length} {noun}, counted in requests.", "10 s")


ROWS = (
    *_limits(),
    _row(
        "size_iops_sec",
        Rate(1, _MAX, per_second=False),
        "Size up to which a request to the disk counts as one; larger ones count as several.",
        "4 KiB",
    ),
    _row("group_name", Text(what="a name"), "Group of disks that share one set of limits.", "database", text=True),
)
