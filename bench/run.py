"""domtune compared with what it stands on and with virt-manager's library, side by side in one run.

    python bench/run.py [documents] [starts] [commands]

Prints a line for each comparison: how many times as long domtune takes, and how many times as long it may take.
Exits with 1 if any takes longer than that. What cannot be compared on this machine is named with the reason.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = ("documents", "starts", "commands")


def main(words: list[str]) -> int:
    """Run the parts that are named, or all of them."""
    sys.path[:1] = [str(ROOT), str(ROOT / "tests")]  # in place of bench/, to find it as a package, and the test support
    os.environ.setdefault("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null")  # read when libvirt is loaded
    if unknown := [word for word in words if word not in PARTS]:
        print(f"{unknown[0]}: no such part; the parts are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    measure = import_module("bench.measure")
    over = 0
    for part in words or PARTS:
        for result in measure.every(import_module(f"bench.{part}").compare(), part):
            print(f"not run  {result}" if isinstance(result, str) else result, flush=True)
            over += not isinstance(result, str) and result.is_over
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
