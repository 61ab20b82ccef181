"""A tuned start against a bare createXML of the tuned document and one look at the result, on one connection.

The hypervisors are those of the live tests: a libvirt of its own, for which one must be root. Without it QEMU is
measured on libvirt's embedded driver, and containers are not measured.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.measure import CannotRun, Comparison, alternate, collected
from libvirt import virDomain

from domtune.connection import Connection, connect
from domtune.domain import merge
from domtune.errors import Error
from domtune.profile import Profile, read
from domtune.run import Wish
from domtune.starting import start
from domtune.tuning import Tuning
from live import embed, guests
from live.lab import Unavailable, started, virt_type

NAME = guests.unique("bench")
MACHINE = """\
profile: machine
set:
  cpu.vcpu.pin: {{0: "{first}", 1: "{last}"}}
  cpu.emulator.pin: "{first}"
  iothread.count: 2
  cpu.iothread.pin: {{1: "{first}", 2: "{last}"}}
"""
CONTAINER = """\
profile: container
set:
  cpu.affinity: "{first},{last}"
"""
WISHES = """\
profile: wishes
want:
  cpu.weight: 2
  cpu.limit: 150%
  cpu.nodes: "{node}"
  memory.nodes: with-cpus
"""
BINDING = """\
- match: {driver: qemu}
  profiles: [wishes]
"""
BY_CGROUP = """\
  cpu.shares: 2048
  memory.limit.soft: 1 GiB
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A hypervisor, the domain that is started there again and again, and how it is tuned."""

    title: str
    uri: str
    definition: str
    profile: str
    limit: float
    rounds: int


def compare() -> Iterator[Comparison]:
    """Give the comparisons; raise `CannotRun` where there is no hypervisor."""
    machine = guests.machine(NAME, virt=virt_type())
    title = "KVM" if virt_type() == "kvm" else "QEMU without KVM"
    with ExitStack() as held:
        directory = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        os.environ["DOMTUNE_STATE_DIR"] = str(directory / "state")
        os.environ["DOMTUNE_CONFIG_DIR"] = str(directory / "config")
        try:
            lab = held.enter_context(started())
        except Unavailable as reason:
            uri = f"qemu:///embed?root={embed.furnish(directory / 'embed')}"
            yield _compare(Place(f"{title} on the embedded driver", uri, machine, MACHINE, 1.10, 40))
            raise CannotRun(f"LXC: {reason}") from None
        yield _compare(Place(title, lab.uri("qemu"), machine, MACHINE + BY_CGROUP, 1.10, 40))
        yield _compare(Place(f"{title}, by bound wishes", lab.uri("qemu"), machine, _bound(directory), 1.15, 40))
        (directory / "config" / "bindings.d" / "all.yaml").unlink()
        yield _compare(Place("LXC", lab.uri("lxc"), guests.container(NAME), CONTAINER + BY_CGROUP, 1.25, 60))


def _bound(directory: Path) -> str:
    """Bind a profile of wishes to every domain of QEMU; return the profile that is said besides: nothing."""
    for below, name, text in (("profiles", "wishes", WISHES.format(node=0)), ("bindings.d", "all", BINDING)):
        (directory / "config" / below).mkdir(parents=True)
        (directory / "config" / below / f"{name}.yaml").write_text(text, encoding="utf-8")
    return "profile: nothing\n"


def _compare(place: Place) -> Comparison:
    try:
        with connect(place.uri) as connection:
            cpus = sorted(connection.host_cpus())
            profile = read(place.profile.format(first=cpus[0], last=cpus[-1]), "bench.yaml")
            return _alternating(connection, place, profile)
    except Error as error:
        raise CannotRun(f"{place.title}: {error}") from None


def _seconds_since(begin: float, domain: virDomain) -> float:
    """Take the time, then stop the domain: a container soon after its start only once its shell listens to signals."""
    seconds = time.perf_counter() - begin
    time.sleep(0.05)
    domain.destroy()
    return seconds


def _alternating(connection: Connection, place: Place, profile: Profile) -> Comparison:
    domain = connection.raw.defineXML(place.definition)
    tuned = merge(place.definition, Tuning(start(connection, NAME, Wish((profile,))).at_creation))
    domain.destroy()

    def ours() -> float:
        begin = time.perf_counter()
        start(connection, NAME, Wish((profile,)))
        return _seconds_since(begin, domain)

    def theirs() -> float:
        begin = time.perf_counter()
        connection.raw.createXML(tuned, 0).XMLDesc(0)
        return _seconds_since(begin, domain)

    try:
        pairs = alternate(collected(ours), collected(theirs), place.rounds)
    finally:
        if domain.isActive():
            domain.destroy()
        domain.undefine()
    return Comparison(f"tuned start / createXML and XMLDesc, {place.title}", place.limit, pairs, "a start")
