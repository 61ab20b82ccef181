"""What tests of `domtune explain` begin with: a domain, two profiles, and short ways to ask."""

import json
from pathlib import Path
from typing import Any

import pytest

from domtune import catalogue
from domtune.cli.group import run

WEB = """<domain type='{}'>
  <name>web</name>
  <memory unit='GiB'>4</memory>
  <vcpu>2</vcpu>
  <cputune><shares>300</shares><vcpupin vcpu='0' cpuset='5'/></cputune>
  <os><type>hvm</type></os>
  <devices>
    <disk type='file' device='disk'><source file='/a'/><target dev='vda' bus='virtio'/></disk>
    <disk type='file' device='disk'><source file='/b'/><target dev='vdb' bus='virtio'/></disk>
  </devices>
</domain>
"""
NODE = """<node>
  <cpu><active>4</active></cpu>
  <domain type='test'><name>web</name><memory>65536</memory><vcpu>2</vcpu>
    <cputune><shares>300</shares></cputune><os><type>hvm</type></os></domain>
</node>
"""
BASE = "profile: base\nwant:\n  cpu.weight: 4\n  memory.pages: 2 MiB\nset:\n  cpu.vcpu.pin: {all: 0, 1: 2}\n"
TOP = """profile: top
inherits: [base.yaml]
want:
  cpu.weight: 2
  disk[*].read: 5 MiB/s
  disk[vdb].read: 6 MiB/s
set:
  blkio.weight: 300
when:
  - driver: qemu
    set: {memory.limit.soft: 1 GiB}
  - driver: [test, xen]
    set: {memory.limit.soft: 2 GiB}
"""


def furnish(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a domain and two profiles in a directory to work in, and no other configuration."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(place / "config"))
    monkeypatch.setenv("DOMTUNE_STATE_DIR", str(place / "state"))
    monkeypatch.delenv("LIBVIRT_DEFAULT_URI", raising=False)
    monkeypatch.setattr(catalogue, "SHIPPED", place / "shipped")
    Path("web.xml").write_text(WEB.format("kvm"))
    Path("node.xml").write_text(NODE)
    Path("base.yaml").write_text(BASE)
    Path("top.yaml").write_text(TOP)
    return place


ON = ("-c", "test:///default")
ALONE = "bindings and the host are not looked at for a file without -c"


def explained(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> list[str]:
    """Return what is printed, without what is known of the parameter on this driver."""
    assert code == run(["explain", *words])
    lines = capsys.readouterr().out.splitlines()
    return [line for line in lines if not line.startswith(("  effect: ", f"note: {ALONE}"))]


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    assert code == run(["--json", "explain", *words])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def bind(files: Path, **profiles: str) -> None:
    """Bind profiles that say this to the scope that their names begin with."""
    (files / "config" / "bindings.d").mkdir(parents=True, exist_ok=True)
    for name, text in profiles.items():
        Path(f"{name}.yaml").write_text(f"profile: {name}\n{text}\n")
        binding = f"- {{scope: {name.partition('_')[0]}, profiles: [{files / name}.yaml]}}\n"
        (files / "config" / "bindings.d" / f"{name}.yaml").write_text(binding)
