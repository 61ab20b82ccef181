"""Fixtures of the live tests. Where the lab cannot be started each of them skips, and says why."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import libvirt
import pytest

from live import embed, guests, ignored
from live.hypervisor import Hypervisor, trial
from live.lab import Lab, Unavailable, kvm_group, started, virt_type
from live.readings import Pair

Embedded = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    libvirt.registerErrorHandler(lambda _context, _error: None, None)  # a test looks at the exception
    try:
        with started() as running:
            yield running
    except Unavailable as reason:
        pytest.skip(f"no lab: {reason}")


@pytest.fixture(scope="session")
def qemu_uri(lab: Lab) -> str:
    return tried(lab.uri("qemu"), guests.machine(guests.unique("trial"), virt=virt_type()))


@pytest.fixture(scope="session")
def lxc_uri(lab: Lab) -> str:
    return tried(lab.uri("lxc"), guests.container(guests.unique("trial")))


@pytest.fixture(scope="session")
def session_uri(lab: Lab) -> str:
    """The daemon of a user without privileges."""
    try:
        lab.start_session_daemon()
    except Unavailable as reason:
        pytest.skip(str(reason))
    return tried(lab.session_uri(), guests.machine(guests.unique("trial"), virt=session_type()))


def session_type() -> str:
    return virt_type() if kvm_group() else "qemu"


def tried(uri: str, document: str) -> str:
    try:
        trial(uri, document)
    except Unavailable as reason:
        pytest.skip(str(reason))
    return uri


@pytest.fixture(scope="session")
def embed_root(lab: Lab, qemu_uri: str) -> Path:
    """For `qemu:///embed?root=DIR`; shared, since libvirt probes QEMU once for each root."""
    return embed.furnish(lab.place / "embed")


@pytest.fixture
def embedded(lab: Lab, embed_root: Path) -> Iterator[Embedded]:
    """Runs Python code that finds an open `connection`, in a process of its own; see `embed.run`."""
    yield lambda code: embed.run(lab, embed_root, code)
    embed.clear(lab, embed_root)


def opened(uri: str, virt: str, files: Path) -> Iterator[Hypervisor]:
    connection = libvirt.open(uri)
    hypervisor = Hypervisor(uri, connection, files, virt)
    yield hypervisor
    hypervisor.clear()
    connection.close()


@pytest.fixture
def qemu(lab: Lab, qemu_uri: str) -> Iterator[Hypervisor]:
    yield from opened(qemu_uri, virt_type(), lab.place)


@pytest.fixture
def lxc(lab: Lab, lxc_uri: str) -> Iterator[Hypervisor]:
    yield from opened(lxc_uri, "lxc", lab.place)


@pytest.fixture
def session(lab: Lab, session_uri: str) -> Iterator[Hypervisor]:
    """QEMU without privileges."""
    yield from opened(session_uri, session_type(), lab.place / "user")


@pytest.fixture(scope="session")
def ignoring(lab: Lab, lxc_uri: str) -> Iterator[Pair]:
    """Two containers with the same devices: one asks for everything in `ignored.IGNORED`, the other for nothing."""
    guests.image(lab.place / "ignored.raw")
    for host in opened(lxc_uri, "lxc", lab.place):
        plain, asking = host.name("plain"), host.name("asking")
        host.create(ignored.document(plain, [], lab.place))
        host.create(ignored.document(asking, ignored.IGNORED.values(), lab.place))
        yield Pair(plain, asking)
