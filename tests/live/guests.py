"""Documents of small domains: a virtual machine that idles in its firmware, and a container that sleeps."""

import secrets
import subprocess
import uuid
import xml.etree.ElementTree as ET
from pathlib import Path

RUN = secrets.token_hex(3)  # in every name, so that what a run leaves behind is known
SPACE = uuid.UUID("5f0c7c5e-8f0e-4f5e-9d0f-6c1d2f1e3a77")
VCPU = "<vcpu>2</vcpu>"
SLEEP = "trap exit TERM; sleep 1000000 &amp; wait"  # the first process of a container ignores what it does not trap


def unique(prefix: str) -> str:
    """A name that no other test and no other run of the tests has."""
    return f"{prefix}-{RUN}-{secrets.token_hex(3)}"


def identity(name: str) -> str:
    """The UUID of the domain of that name, in every document: each can be started in place of another."""
    return str(uuid.uuid5(SPACE, name))


def machine(name: str, *, virt: str, body: str = "", devices: str = "", vcpu: str = VCPU) -> str:
    """A virtual machine of 64 MiB. `body` goes below <domain>, `devices` below <devices>; `virt` is kvm or qemu."""
    return f"""\
<domain type='{virt}'>
  <name>{name}</name>
  <uuid>{identity(name)}</uuid>
  <memory unit='MiB'>64</memory>
  {vcpu}
  {body}
  <os><type>hvm</type></os>
  <features><acpi/></features>
  <devices><controller type='usb' model='none'/>{devices}</devices>
</domain>
"""


def container(name: str, *, body: str = "", devices: str = "", vcpu: str = VCPU) -> str:
    """A container of 64 MiB that sees the lab's own files: nothing has to be installed for it."""
    return f"""\
<domain type='lxc'>
  <name>{name}</name>
  <uuid>{identity(name)}</uuid>
  <memory unit='MiB'>64</memory>
  {vcpu}
  {body}
  <os><type>exe</type><init>/bin/sh</init><initarg>-c</initarg><initarg>{SLEEP}</initarg></os>
  <devices><console type='pty'/>{devices}</devices>
</domain>
"""


def disk(path: Path, *, target: str = "vda", driver: str = "", inside: str = "") -> str:
    """A virtio disk. `driver` holds attributes of <driver>, `inside` elements such as <iotune>."""
    kind = "qcow2" if path.suffix == ".qcow2" else "raw"
    return f"""\
<disk type='file' device='disk'>
  <driver name='qemu' type='{kind}' {driver}/>
  <source file='{path}'/>
  <target dev='{target}' bus='virtio'/>
  {inside}
</disk>
"""


def image(path: Path, *, mebibytes: int = 16) -> Path:
    """An empty disk image: qcow2 if its name ends so, else raw."""
    kind = "qcow2" if path.suffix == ".qcow2" else "raw"
    subprocess.run(["qemu-img", "create", "-q", "-f", kind, path, f"{mebibytes}M"], check=True, timeout=30)
    return path


def rebooting_image(path: Path) -> Path:
    """A disk whose boot sector asks the keyboard controller for a reset: the guest reboots itself again and again."""
    reset = bytes([0xB0, 0xFE, 0xE6, 0x64, 0xF4, 0xEB, 0xFD])  # mov al, 0xfe; out 0x64, al; hlt; jmp back to hlt
    path.write_bytes((reset.ljust(510, b"\0") + b"\x55\xaa").ljust(1 << 20, b"\0"))
    return path


def value(document: str, path: str) -> str | None:
    """The text of one element of a domain's document."""
    return ET.fromstring(document).findtext(path)  # noqa: S314  libvirt's own answer
