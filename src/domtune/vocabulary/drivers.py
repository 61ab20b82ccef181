"""The hypervisor drivers: what each can do at a start, whatever the parameter. Capabilities are asked here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domtune.vocabulary.model import Source


class SavedImage(StrEnum):
    """What a driver does with a managed save image when a domain is created from XML."""

    LEFT_BEHIND = "left behind"  # ignores it and leaves it: a later start would restore stale memory
    RESTORED = "restored"  # restores it and throws the given XML away
    NONE = "none"  # has no managed save


@dataclass(frozen=True, slots=True)
class Driver:
    """One of libvirt's hypervisor drivers."""

    name: str
    title: str
    types: tuple[str, ...]  # what virConnectGetType answers
    schemes: tuple[str, ...]  # of its URIs
    starts_paused: bool  # takes VIR_DOMAIN_START_PAUSED
    saved_image: SavedImage
    rewrites_saved_image: bool  # has virDomainManagedSaveDefineXML
    reboot_keeps: bool  # a reboot from inside the guest keeps what the domain was created with
    metadata: bool  # keeps <metadata> of the XML it is given
    runs_here: bool  # facts were seen on a running one; otherwise read in the source
    source: Source
    evidence: str
    domains: tuple[str, ...] = ()  # types of <domain> that are its own, whatever the host
    uris: tuple[str, ...] = ()  # of the host itself, the usual one first
    enforces: bool = True  # False: it stores what it is given and does nothing


DRIVERS = {
    driver.name: driver
    for driver in (
        Driver(
            "qemu",
            "QEMU and KVM",
            ("QEMU",),
            ("qemu",),
            starts_paused=True,
            saved_image=SavedImage.LEFT_BEHIND,
            rewrites_saved_image=True,
            reboot_keeps=True,
            metadata=True,
            runs_here=True,
            source=Source.LIVE,
            evidence="libvirt 9.0.0 with QEMU 7.2: createXML over a managed save, managedSaveDefineXML, guest reset",
            domains=("qemu", "kvm", "hvf"),
            uris=("qemu:///system", "qemu:///session"),
        ),
        Driver(
            "lxc",
            "LXC containers",
            ("LXC",),
            ("lxc",),
            starts_paused=False,
            saved_image=SavedImage.NONE,
            rewrites_saved_image=False,
            reboot_keeps=True,
            metadata=True,
            runs_here=True,
            source=Source.LIVE,
            evidence="libvirt 9.0.0: VIR_DOMAIN_START_PAUSED is refused with unsupported flags",
            domains=("lxc",),
            uris=("lxc:///system",),
        ),
        Driver(
            "xen",
            "Xen (libxl)",
            ("Xen",),
            ("xen",),
            starts_paused=True,
            saved_image=SavedImage.RESTORED,
            rewrites_saved_image=False,
            reboot_keeps=False,
            metadata=True,
            runs_here=True,
            source=Source.LIVE,
            evidence="libvirt 9.0.0 with Xen 4.17; libxlDomainShutdownHandleRestart builds from the stored definition",
            domains=("xen",),
            uris=("xen:///system",),
        ),
        Driver(
            "test",
            "libvirt's test driver",
            ("TEST", "Test"),
            ("test",),
            starts_paused=False,
            saved_image=SavedImage.LEFT_BEHIND,
            rewrites_saved_image=False,
            reboot_keeps=True,
            metadata=True,
            runs_here=True,
            source=Source.LIVE,
            evidence="libvirt 9.0.0: testDomainCreateXML",
            enforces=False,
            domains=("test",),
            uris=("test:///default",),
        ),
        Driver(
            "ch",
            "Cloud Hypervisor",
            ("CH",),
            ("ch",),
            starts_paused=False,
            saved_image=SavedImage.NONE,
            rewrites_saved_image=False,
            reboot_keeps=True,
            metadata=False,
            runs_here=False,
            source=Source.READ,
            evidence="ch_driver.c:chDomainCreateXML",
            uris=("ch:///system",),
        ),
        Driver(
            "bhyve",
            "FreeBSD bhyve",
            ("BHYVE", "bhyve"),
            ("bhyve",),
            starts_paused=False,
            saved_image=SavedImage.NONE,
            rewrites_saved_image=False,
            reboot_keeps=True,
            metadata=True,
            runs_here=False,
            source=Source.READ,
            evidence="bhyve_driver.c:bhyveDomainCreateXML",
            domains=("bhyve",),
            uris=("bhyve:///system",),
        ),
        Driver(
            "vz",
            "Virtuozzo",
            ("vz", "Parallels"),
            ("vz", "parallels"),
            starts_paused=False,
            saved_image=SavedImage.RESTORED,
            rewrites_saved_image=False,
            reboot_keeps=True,
            metadata=False,
            runs_here=False,
            source=Source.READ,
            evidence="vz_driver.c",
            domains=("vz", "parallels"),
            uris=("vz:///system",),
        ),
        Driver(
            "esx",
            "VMware ESX",
            ("ESX", "VMware", "VPX", "GSX"),
            ("esx", "vpx", "vmwareplayer", "vmwarews", "vmwarefusion"),
            starts_paused=False,
            saved_image=SavedImage.NONE,
            rewrites_saved_image=False,
            reboot_keeps=True,
            metadata=False,
            runs_here=False,
            source=Source.READ,
            evidence="esx_driver.c has no domainCreateXML: machines are defined, then started",
            domains=("vmware",),
        ),
    )
}


def by_type(type_: str) -> Driver | None:
    """Return the driver that virConnectGetType calls so."""
    return next((driver for driver in DRIVERS.values() if type_ in driver.types), None)


def by_domain(type_: str) -> Driver | None:
    """Return the driver whose domains are of this type; None for one that is not known, or runs under several."""
    return next((driver for driver in DRIVERS.values() if type_ in driver.domains), None)


def nearest_driver(said: str) -> str:
    """Return the name of the driver that was meant: by a type of domains, a scheme of URIs, or a slip; "" if none."""
    word = said.lower()
    for driver in DRIVERS.values():
        if word in {*driver.domains, *driver.schemes, *(each.lower() for each in driver.types)}:
            return driver.name
    import difflib  # noqa: PLC0415 - only when somebody mistyped

    return next(iter(difflib.get_close_matches(word, DRIVERS, 1)), "")


def stranger(type_: str, driver: Driver) -> str:
    """Say whose a domain of this type is, if surely not this driver's; "" if it may be."""
    other = by_domain(type_)
    if other is None or other is driver or not driver.domains:
        return ""
    uri = f"say -c {other.uris[0]}" if other.uris else "say where that is with -c"
    return f"type {type_}: this is a domain of {other.name}, and none of {driver.name}; {uri}"
