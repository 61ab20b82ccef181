"""A connection to one driver in the lab that knows what was made over it and takes it all away again."""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import libvirt

from live import guests
from live.lab import Unavailable

FIRST_CPU: Any = (True,)  # the binding takes booleans, its hints say bytes


@dataclass
class Hypervisor:
    uri: str
    connection: libvirt.virConnect
    files: Path  # for disk images; both sides of the lab see it
    virt: str = "lxc"  # the domain type: kvm, qemu or lxc
    made: list[str] = field(default_factory=list)

    def name(self, prefix: str = "guest") -> str:
        """For a domain that the test or a command makes; it is cleared away too."""
        name = guests.unique(prefix)
        self.made.append(guests.identity(name))
        return name

    def document(self, name: str, *, body: str = "", devices: str = "", vcpu: str = guests.VCPU) -> str:
        if self.virt == "lxc":
            return guests.container(name, body=body, devices=devices, vcpu=vcpu)
        return guests.machine(name, virt=self.virt, body=body, devices=devices, vcpu=vcpu)

    def define(self, document: str) -> libvirt.virDomain:
        return self.connection.defineXML(document)

    def create(self, document: str, flags: int = 0) -> libvirt.virDomain:
        return self.connection.createXML(document, flags)

    def image(self, suffix: str = ".raw") -> Path:
        return guests.image(self.files / f"{guests.unique('disk')}{suffix}")

    def reconnect(self) -> None:
        """After the daemon was restarted."""
        self.connection = libvirt.open(self.uri)

    def clear(self) -> None:
        for identity in self.made:
            with suppress(libvirt.libvirtError):
                discard(self.connection.lookupByUUIDString(identity))
        self.made.clear()


def trial(uri: str, document: str) -> None:
    """Whether a plain domain starts at all: else the machine lacks something, and the daemon says what."""
    connection = libvirt.open(uri)
    try:
        connection.createXML(document, 0).destroy()
    except libvirt.libvirtError as error:
        raise Unavailable(f"a plain domain does not start: {error}") from error
    finally:
        connection.close()


def discard(domain: libvirt.virDomain) -> None:
    """Whatever is left of a domain: run, saved state, definition. Each may be missing."""
    with suppress(libvirt.libvirtError):
        domain.destroy()
    with suppress(libvirt.libvirtError):
        domain.managedSaveRemove()
    with suppress(libvirt.libvirtError):
        domain.undefine()


def state(domain: libvirt.virDomain) -> int:
    """One of VIR_DOMAIN_RUNNING, _PAUSED and so on; the hints of the binding are wrong here too."""
    code, _ = cast("tuple[int, int]", domain.state())
    return code


def disk_limits(domain: libvirt.virDomain, target: str) -> dict[str, int]:
    return cast("dict[str, int]", domain.blockIoTune(target))


def memory_in_use(domain: libvirt.virDomain) -> int:
    """KiB, as the balloon has it."""
    return cast("dict[str, int]", domain.memoryStats())["actual"]
