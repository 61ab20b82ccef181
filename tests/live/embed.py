"""libvirt's embedded QEMU driver, which runs inside the process that opens it: so always in a process of its own."""

import subprocess
import sys
from pathlib import Path

from live.lab import QEMU_CONF, Lab

OPENING = """
import json, os, sys, threading
import libvirt

def run_events():
    while True:
        libvirt.virEventRunDefaultImpl()

root = sys.argv[1]
uri = f"qemu:///embed?root={root}"
libvirt.registerErrorHandler(lambda context, error: None, None)
libvirt.virEventRegisterDefaultImpl()
threading.Thread(target=run_events, daemon=True).start()
connection = libvirt.open(uri)
"""
# A domain found again is listed before libvirt has taken it up: until then its scheduler parameters cannot be read, and
# one destroyed then leaves its cgroups behind. memoryStats takes the domain's job, and so waits for that.
CLEARING = """
for domain in connection.listAllDomains():
    domain.memoryStats()
    domain.destroy()
"""


def furnish(root: Path) -> Path:
    """A root directory: without this file libvirt wants virtlogd and runs QEMU as a user who cannot read the root."""
    (root / "etc").mkdir(parents=True)
    (root / "etc" / "qemu.conf").write_text(QEMU_CONF, encoding="utf-8")
    return root


def run(lab: Lab, root: Path, code: str, *, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run Python code in the lab, with `libvirt`, `json`, the open `connection` and its `uri`, `root` at hand."""
    return lab.run([sys.executable, "-c", f"{OPENING}\n{code}", root], timeout=timeout)


def clear(lab: Lab, root: Path) -> None:
    """Domains of the embedded driver outlive their process; the next one to open the same root finds them again."""
    run(lab, root, CLEARING)
