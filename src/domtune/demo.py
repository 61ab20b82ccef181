"""The whole story on a machine of its own: libvirt's embedded QEMU driver, no daemon, proof from the kernel.

A domain that idles in its firmware is started minimal, tuned while it runs, stopped, and started tuned. Everything
lies in a temporary directory; the domain and the directory are gone at the end, also after Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from domtune import kernel, live, profile
from domtune.connection import Connection, Domain, connect
from domtune.domain import merge, split
from domtune.errors import Error, Failed, Unreachable
from domtune.run import Wish
from domtune.starting import start_xml
from domtune.store import Store
from domtune.tuning import Tuning
from domtune.values import format_ids, parse_ids

Say = Callable[[str], None]

_DEFINITION = """\
<domain type="{type}">
  <name>domtune-demo</name>
  <memory unit="MiB">64</memory>
  <vcpu>2</vcpu>
  <os>
    <type arch="x86_64" machine="pc">hvm</type>
  </os>
  <features>
    <acpi/>
  </features>
  <devices>
    <emulator>{emulator}</emulator>
    <controller type="usb" model="none"/>
    <memballoon model="none"/>
    <serial type="null"/>
  </devices>
</domain>
"""
_PROFILE = """\
profile: demo
summary: A heavy neighbour on CPUs of its own, as far as this host has them
set:
  cpu.shares: 2048
  cpu.vcpu.quota: 50000
  cpu.vcpu.pin: {{0: "{last}", 1: "{first}"}}
  cpu.emulator.pin: "{first}"
  iothread.count: 1
  iothread.poll_max_ns: {{1: 50000}}
"""
# Without privileges there are no cgroups, and then no shares and quotas.
_AFFINITY_ONLY = ("cpu.vcpu.pin", "cpu.emulator.pin", "iothread.count", "iothread.poll_max_ns")
_PINS = {"vCPU 0": ("cpu.vcpu.pin", "0"), "vCPU 1": ("cpu.vcpu.pin", "1"), "emulator": ("cpu.emulator.pin",)}
_QEMU_CONF = 'security_driver = "none"\nstdio_handler = "file"\n'
_AS_ROOT = 'user = "root"\ngroup = "root"\n'


def demo(say: Say) -> None:
    """Run the story and say each step; raise `Error` if anything does not hold."""
    emulator = shutil.which("qemu-system-x86_64")
    if emulator is None:
        raise Unreachable(
            "qemu-system-x86_64: not installed; `make setup` installs it, or apt-get install qemu-system-x86"
        )
    has_kvm = kernel.has_kvm()
    say(
        "KVM is here."
        if has_kvm
        else "No /dev/kvm for us: QEMU emulates the CPU (TCG), which is slower but tunes alike."
    )
    with _machine(say) as (connection, store):
        definition = _DEFINITION.format(type="kvm" if has_kvm else "qemu", emulator=emulator)
        cpus = sorted(connection.host_cpus())
        tuning = profile.read(_PROFILE.format(first=cpus[0], last=cpus[-1]), "demo.yaml")
        if os.geteuid() != 0:
            say("Not root, hence no cgroups: shares and quota are left out of the demo.")
            kept = tuple(each for each in tuning.tuning if each.param.name in _AFFINITY_ONLY)
            tuning = profile.named("demo", Tuning(kept))
        _tell(say, connection, store, definition, tuning)


def _tell(say: Say, connection: Connection, store: Store, definition: str, tuning: profile.Profile) -> None:
    in_xml = Tuning(tuple(each for each in tuning.tuning if each.param.paths))
    parts = split(merge(definition, in_xml))
    say(f"\n1. A domain's XML was split: {len(parts.tuning)} settings apart from the definition.")
    for setting in parts.tuning:
        say(f"     {setting.name}: {setting.said}")
    for setting in (each for each in tuning.tuning if not each.param.paths):
        say(f"   Its profile has one more that stands in no XML: {setting.name}: {setting.said}")

    say("\n2. Minimal start: from the definition alone.")
    started = start_xml(connection, parts.definition, Wish(minimal=True), store=store)
    domain = connection.domain(started.uuid)
    _prove(say, domain, Tuning())

    say("\n3. Tuning the running domain.")
    now = [each for each in tuning.tuning if each.param.name.startswith("cpu.")]
    live.apply(domain, now)
    _prove(say, domain, tuning.tuning)
    domain.destroy()

    say("\n4. Tuned start: what must be there at creation is in the XML, the rest is set before the guest runs.")
    started = start_xml(connection, parts.definition, Wish((tuning,)), store=store)
    for setting in started.at_creation:
        say(f"     done: {setting.name} {setting.said} (at creation)")
    for setting in started.afterwards:
        say(f"     done: {setting.name} {setting.said} (before the guest ran)")
    for each in started.not_done:
        say(f"     not done: {each}")
    _prove(say, connection.domain(started.uuid), tuning.tuning)
    connection.domain(started.uuid).destroy()
    say("\nStopped and cleaned up; nothing is left behind.")


def _prove(say: Say, domain: Domain, tuned: Tuning) -> None:
    """Say what the kernel says of the domain; raise `Failed` if that is not what this tuning makes of it."""
    pid = kernel.qemu_process(domain.uuid)
    if pid is None:
        raise Failed(f"{domain.name}: its QEMU process is not to be found below /proc")
    everywhere = domain.connection.host_cpus()
    for thread in kernel.threads(pid):
        say(f"     kernel: {thread.name} may run on CPUs {thread.cpus}")
        pin = tuned.get(*_PINS.get(thread.name, ("",)))
        _expect(thread.name, format_ids(parse_ids(thread.cpus)), format_ids(parse_ids(pin.text) if pin else everywhere))
    if domain.connection.is_session:  # it is in the cgroup of whoever called
        return
    shares = tuned.get("cpu.shares")
    if found := kernel.cgroup_value(pid, "cpu.shares", "cpu.weight"):
        say(f"     kernel: {found[0]} of its cgroup is {found[1]}")
        if shares:
            _expect(found[0], found[1], shares.text)


def _expect(what: str, found: str, wanted: str) -> None:
    if found != wanted:
        raise Failed(f"the kernel says {found} of {what}, not {wanted}")


@contextlib.contextmanager
def _machine(say: Say) -> Iterator[tuple[Connection, Store]]:
    """Open an embedded driver in a directory of its own, and leave nothing of it."""
    root = Path(tempfile.mkdtemp(prefix="domtune-demo-"))
    try:
        (root / "etc").mkdir()
        conf = _QEMU_CONF + (_AS_ROOT if os.geteuid() == 0 else "")
        (root / "etc" / "qemu.conf").write_text(conf, encoding="utf-8")
        say("Opening libvirt's embedded QEMU driver; it asks QEMU what it can do, which takes some seconds.")
        with connect(f"qemu:///embed?root={root}") as connection, Store(root / "domtune") as store:
            try:
                yield connection, store
            finally:
                _stop_all(connection)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _stop_all(connection: Connection) -> None:
    with contextlib.suppress(Error):
        for domain in connection.domains():
            domain.destroy()
