"""libvirt: the only module that imports it. Connections and domains as small typed things, errors in our words."""

from __future__ import annotations

import contextlib
import fnmatch
import operator
import os
import threading
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Self, cast

import libvirt

from domtune.errors import Error, Failed, NotFound, Refused, Unreachable
from domtune.vocabulary.drivers import DRIVERS, Driver, by_type

_MISSING = {libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_INVALID_ARG}  # there is none; the text is no UUID
_DENIED = {libvirt.VIR_ERR_ACCESS_DENIED, libvirt.VIR_ERR_OPERATION_DENIED, libvirt.VIR_ERR_AUTH_FAILED}
_loop = threading.Lock()
_looping = False


# Keep libvirt from writing to standard error: what went wrong is in the exception. This must be no function of ours: as
# soon as Python code runs in a call of libvirt, Ctrl-C is raised in it, and comes out as a SystemError.
libvirt.registerErrorHandler(cast("Any", operator.is_), None)


def start_event_loop() -> None:
    """Run libvirt's event loop in a thread of its own, once for a process.

    Keepalive of remote connections and the embedded driver (its QEMU monitors) need it. It must be registered before
    the first connection is opened.
    """
    global _looping  # noqa: PLW0603 - libvirt has one loop for a process
    with _loop:
        if _looping:
            return
        libvirt.virEventRegisterDefaultImpl()
        threading.Thread(target=_run_loop, name="libvirt-events", daemon=True).start()
        _looping = True


def _run_loop() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


@contextlib.contextmanager
def said(doing: str, kind: type[Error] = Failed) -> Iterator[None]:
    """Turn libvirt's errors into ours: what was being done, and what libvirt says of it."""
    try:
        yield
    except libvirt.libvirtError as error:
        message = "; ".join((error.get_error_message() or str(error)).split("\n")).rstrip("; ")
        if error.get_error_code() in _DENIED:
            raise Unreachable(f"{doing}: no rights: {message}; run as root or join the libvirt group") from None
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            raise NotFound(f"{doing}: {message}") from None
        raise kind(f"{doing}: {message}{_way_out(message)}") from None
    except ValueError as error:  # a name that no C string can hold
        raise kind(f"{doing}: {error}") from None


_DAEMONS = """start libvirtd, or where each driver has a daemon of its own virtqemud, virtlxcd or virtxend; \
or say another hypervisor with -c"""
# What libvirt's message leaves out, by what is in it.
_WAYS_OUT = {
    "/libvirt-sock": _DAEMONS,
    **{f"/virt{name}d-sock": _DAEMONS for name in ("qemu", "lxc", "xen", "proxy")},
    "does not include a driver name": "say a URI such as qemu:///system",
    "/virtlogd-sock": 'start virtlogd, or put stdio_handler = "file" into qemu.conf (ROOT/etc/qemu.conf for embed)',
    "hugetlbfs": "mount hugetlbfs and set aside huge pages on the host first",
}


def _way_out(message: str) -> str:
    return next((f"; {way}" for word, way in _WAYS_OUT.items() if word in message), "")


def connect(uri: str | None = None, *, readonly: bool = False) -> Connection:
    """Open a connection to a hypervisor, found as virsh finds it when no URI is given.

    That is: the URI given, LIBVIRT_DEFAULT_URI, uri_default in libvirt.conf, then libvirt's own probing. Use it as a
    context manager or `close` it. Raises `Unreachable` if no driver answers, rights are missing, or the URI is none.
    """
    remote = not _is_local(uri or "")
    if uri is not None and (remote or _is_embedded(uri)):
        start_event_loop()
    asked = uri or os.environ.get("LIBVIRT_DEFAULT_URI") or ""
    doing = f"cannot connect to {asked or 'the default hypervisor'}"
    if reason := _in_vain(asked):
        raise Unreachable(f"{doing}: {reason}")
    with said(doing, Unreachable):
        raw = _open(uri, readonly=readonly)
    if remote:
        with contextlib.suppress(libvirt.libvirtError):  # old daemons and some transports have no keepalive
            raw.setKeepAlive(5, 3)
    return Connection(raw)


def _in_vain(uri: str) -> str:
    """Say why a URI leads nowhere, where libvirt would say it less well."""
    scheme, separator, rest = uri.partition("://")
    schemes = [each for driver in DRIVERS.values() for each in driver.schemes]
    if separator and scheme.partition("+")[0] not in [*schemes, "remote"]:  # remote: as the daemon there has it
        return f"there is no driver {scheme.partition('+')[0]}; those that domtune knows are {', '.join(schemes)}"
    if scheme == "test" and rest.startswith("/") and rest.partition("?")[0] != "/default":
        from urllib.parse import unquote  # noqa: PLC0415 - only for a file, and slow to load

        path = unquote(rest.partition("?")[0])
        try:
            Path(path).open("rb").close()
        except OSError as error:  # libxml would write to standard error
            return f"{path}: cannot read: {error.strerror}"
    return ""


def _open(uri: str | None, *, readonly: bool) -> libvirt.virConnect:
    """Open a connection in a thread that is waited for: Ctrl-C ends the wait, while nothing ends that of libvirt."""
    opener = libvirt.openReadOnly if readonly else libvirt.open
    if uri and _is_embedded(uri):  # the driver itself, in this process
        return opener(uri)
    done: list[libvirt.virConnect] = []
    failed: list[Exception] = []

    def work() -> None:
        try:
            done.append(opener(uri))
        except Exception as error:  # noqa: BLE001 - raised below
            failed.append(error)

    opening = threading.Thread(target=work, name="libvirt-open", daemon=True)
    opening.start()
    opening.join()
    for error in failed:
        raise error
    return done[0]


def _is_embedded(uri: str) -> bool:
    return uri.partition("://")[2].startswith("/embed")


def _is_local(uri: str) -> bool:
    scheme, _, rest = uri.partition("://")
    return "+" not in scheme and (rest or "/").startswith("/")


class Connection:
    """An open connection to one hypervisor driver on one host."""

    def __init__(self, raw: libvirt.virConnect) -> None:
        self.raw = raw
        with said("asking the hypervisor who it is", Unreachable):
            self.uri: str = raw.getURI()
            type_ = raw.getType()
        driver = by_type(type_)
        if driver is None:
            raise Refused(
                f"{self.uri}: domtune has no facts on libvirt's {type_} driver; see domtune params for those it has"
            )
        self.driver: Driver = driver

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(libvirt.libvirtError):
            self.raw.close()

    @property
    def is_local(self) -> bool:
        """Whether its domains run on the host that this process runs on: no transport and no server in the URI."""
        return _is_local(self.uri)

    @property
    def is_session(self) -> bool:
        """Whether the driver runs without privileges, where there are no cgroups to tune."""
        path = self.uri.partition("://")[2].partition("?")[0].rstrip("/")
        return path.endswith("/session") or (path == "/embed" and os.geteuid() != 0)

    @cached_property
    def host(self) -> str:
        """The host's name: what state on disk is kept by.

        Its UUID would change with each start of the daemon where the firmware has none (seen with libvirt 9.0.0).
        """
        with said("asking for the host's name"):
            return str(self.raw.getHostname())

    def capabilities(self) -> str:
        """Return the host's capabilities as XML."""
        with said("asking for the host's capabilities"):
            return str(self.raw.getCapabilities())

    def host_cpus(self) -> frozenset[int]:
        """Return the ids of the host's CPUs that are online."""
        try:
            cpus = cast("tuple[int, list[bool], int]", self.raw.getCPUMap())[1]
            return frozenset(number for number, online in enumerate(cpus) if online)
        except libvirt.libvirtError:  # Xen's driver has no virNodeGetCPUMap
            with said("asking for the host's CPUs"):
                return frozenset(range(cast("list[int]", self.raw.getInfo())[2]))

    def cpu_mhz(self) -> int:
        """Return how fast the host's CPUs are, in MHz; 0 where the driver does not say."""
        with said("asking for the host's CPUs"):
            return int(cast("list[int]", self.raw.getInfo())[3])

    def domain(self, name: str) -> Domain:
        """Return the domain of this name, UUID or id, in this order: a name may look like an id. Raise `NotFound`."""
        if not name:
            raise NotFound("say which domain: the name is empty")
        is_id = name.isascii() and name.isdecimal() and len(name) < 10
        found = self.find(name=name) or self.find(uuid=name) or (self.find(id_=int(name)) if is_id else None)
        if found is not None:
            return found
        names = ", ".join(sorted(domain.name for domain in self.domains())) or "no domains"
        raise NotFound(f"{name}: no such domain on {self.uri}, which has {names}")

    def domains(self, patterns: tuple[str, ...] = ("*",)) -> list[Domain]:
        """Return the domains whose names match any of these globs."""
        with said("listing the domains"):
            every = [Domain(raw, self) for raw in self.raw.listAllDomains(0)]
        return [domain for domain in every if any(fnmatch.fnmatchcase(domain.name, each) for each in patterns)]

    def find(self, *, name: str = "", uuid: str = "", id_: int = -1) -> Domain | None:
        """Return the domain of this name, UUID or id, whichever is given, if there is one."""
        with said(f"looking for {name or uuid or id_}"):
            try:
                if name:
                    return Domain(self.raw.lookupByName(name), self)
                return Domain(self.raw.lookupByUUIDString(uuid) if uuid else self.raw.lookupByID(id_), self)
            except libvirt.libvirtError as error:
                if error.get_error_code() in _MISSING:
                    return None
                raise

    def create(self, xml: str, name: str, *, paused: bool = False) -> Domain:
        """Create the running domain `name` from XML; a stored definition of the same UUID stays as it is."""
        flags = libvirt.VIR_DOMAIN_START_PAUSED if paused else 0
        with said(f"{name}: cannot start"):
            return Domain(self.raw.createXML(xml, flags), self)

    def define(self, xml: str, name: str) -> Domain:
        """Store the definition of the domain `name`."""
        with said(f"{name}: cannot store the definition"):
            return Domain(self.raw.defineXML(xml), self)


class Domain:
    """One domain on one connection."""

    def __init__(self, raw: libvirt.virDomain, connection: Connection) -> None:
        self.raw = raw
        self.connection = connection
        self.name: str = raw.name()
        self.uuid: str = raw.UUIDString()

    @property
    def is_active(self) -> bool:
        """Whether it runs, paused or not."""
        with said(f"{self.name}: asking for its state"):
            return bool(self.raw.isActive())

    @property
    def is_paused(self) -> bool:
        """Whether its CPUs are stopped."""
        with said(f"{self.name}: asking for its state"):
            return bool(cast("list[int]", self.raw.state())[0] == libvirt.VIR_DOMAIN_PAUSED)

    @property
    def vcpu_time(self) -> int | None:
        """How long its vCPUs have run, in nanoseconds; None if libvirt does not say (Xen)."""
        try:
            vcpus = cast("tuple[list[tuple[int, int, int, int]], object]", self.raw.vcpus())[0]
        except libvirt.libvirtError:
            return None
        return sum(vcpu[2] for vcpu in vcpus)

    @property
    def is_persistent(self) -> bool:
        """Whether it has a stored definition."""
        with said(f"{self.name}: asking whether it is stored"):
            return bool(self.raw.isPersistent())

    @property
    def has_managed_save(self) -> bool:
        """Whether a saved image of it waits to be restored."""
        with contextlib.suppress(libvirt.libvirtError):  # drivers without managed save do not have the call
            return bool(self.raw.hasManagedSaveImage(0))
        return False

    def stored_xml(self) -> str:
        """Return the stored definition with its secrets, which a run without them would lose."""
        flags = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
        with said(f"{self.name}: reading its definition"):
            return str(self.raw.XMLDesc(flags))

    def known_xml(self) -> str:
        """Return the stored definition, or that of the running domain where none is stored, without secrets."""
        with said(f"{self.name}: reading its definition"):
            return str(self.raw.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE if self.is_persistent else 0))

    def live_xml(self) -> str:
        """Return the XML of the running domain, without secrets."""
        with said(f"{self.name}: reading it back"):
            return str(self.raw.XMLDesc(0))

    def saved_xml(self) -> str:
        """Return the definition inside the managed save image, with its secrets."""
        with said(f"{self.name}: reading its saved image"):
            return str(self.raw.managedSaveGetXMLDesc(libvirt.VIR_DOMAIN_SAVE_IMAGE_XML_SECURE))

    def known_saved_xml(self) -> str:
        """Return the same without secrets, for which a connection that only reads may ask."""
        with said(f"{self.name}: reading its saved image"):
            return str(self.raw.managedSaveGetXMLDesc(0))

    def set_metadata(self, namespace: str, prefix: str, xml: str | None) -> None:
        """Put an element into the metadata, stored and running, in place of what is there of its namespace.

        None takes that out. The element and what is in it get the namespace from libvirt, so `xml` has none.
        """
        flags = libvirt.VIR_DOMAIN_AFFECT_CONFIG if self.is_persistent else 0
        flags |= libvirt.VIR_DOMAIN_AFFECT_LIVE if self.is_active else 0
        with said(f"{self.name}: setting its metadata"):
            self.raw.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, cast("str", xml), prefix, namespace, flags)

    def rewrite_saved(self, xml: str) -> None:
        """Replace the definition inside the managed save image."""
        with said(f"{self.name}: rewriting its saved image"):
            self.raw.managedSaveDefineXML(xml, 0)

    def restore(self, *, paused: bool) -> None:
        """Start from the managed save image."""
        with said(f"{self.name}: cannot restore"):
            self.raw.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED if paused else 0)

    def save(self) -> None:
        """Save its memory and stop it, so that the next start goes on where it was, and runs."""
        with said(f"{self.name}: cannot save"):
            self.raw.managedSave(libvirt.VIR_DOMAIN_SAVE_RUNNING)

    def resume(self) -> None:
        """Let its CPUs run."""
        with said(f"{self.name}: cannot resume"):
            self.raw.resume()

    def destroy(self) -> None:
        """Stop it at once, if it still runs."""
        with said(f"{self.name}: cannot stop"):
            try:
                self.raw.destroy()
            except libvirt.libvirtError as error:
                if error.get_error_code() not in {libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID}:
                    raise

    def typed(self, method: str, *target: object, params: Mapping[str, object], live: bool) -> None:
        """Call one of libvirt's setters of typed parameters, by the name of the binding's method."""
        flags = libvirt.VIR_DOMAIN_AFFECT_LIVE if live else 0
        with said(f"{self.name}: {method}"):
            getattr(self.raw, method)(*target, dict(params), flags)

    def plain(self, method: str, value: int, *, live: bool) -> None:
        """Call one of libvirt's setters of a single number."""
        flags = libvirt.VIR_DOMAIN_AFFECT_LIVE if live else 0
        with said(f"{self.name}: {method}"):
            getattr(self.raw, method)(value, flags)

    def pin(self, method: str, *target: int, cpus: frozenset[int], live: bool) -> None:
        """Call one of libvirt's setters of affinity."""
        size = max(*cpus, *self.connection.host_cpus()) + 1
        mask = tuple(number in cpus for number in range(size))
        flags = libvirt.VIR_DOMAIN_AFFECT_LIVE if live else 0
        with said(f"{self.name}: {method}"):
            getattr(self.raw, method)(*target, mask, flags)

    def read(self, method: str, *target: object) -> Any:  # noqa: ANN401 - each getter has a shape of its own
        """Call one of libvirt's getters on the running domain."""
        with said(f"{self.name}: {method}"):
            return getattr(self.raw, method)(*target, 0)

    def stats(self) -> dict[str, object]:
        """Return its bulk statistics, IOThreads included."""
        with said(f"{self.name}: reading its statistics"):
            found = self.connection.raw.domainListGetStats([self.raw], libvirt.VIR_DOMAIN_STATS_IOTHREAD, 0)
        return dict(found[0][1]) if found else {}
