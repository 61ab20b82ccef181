"""How libvirt's embedded QEMU driver behaves: `domtune demo` is built on it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from live import cgroup, embed, guests, kernel
from live.lab import Lab, virt_type

Embedded = Callable[[str], subprocess.CompletedProcess[str]]

STAYING = "domain = connection.createXML({document!r}, 0)\nconnection.close()"
WAITING = "domain = connection.createXML({document!r}, 0)\nprint('up', flush=True)\nsys.stdin.read()"


def failures(embedded: Embedded, *calls: str) -> list[str]:
    """Run each call; for each the error it raised, or an empty text."""
    code = [
        f"try:\n    {call}\n    said.append('')\nexcept Exception as error:\n    said.append(str(error))"
        for call in calls
    ]
    done = embedded("\n".join(["said = []", *code, "print(json.dumps(said))"]))
    said: list[str] = json.loads(done.stdout)
    return said


@pytest.mark.live("embed")
def test_the_embedded_driver_runs_a_tuned_domain(embedded: Embedded) -> None:
    name = guests.unique("embed")
    document = guests.machine(name, virt=virt_type(), body="<cputune><shares>300</shares></cputune>")
    embedded(STAYING.format(document=document))
    found = cgroup.groups(kernel.qemu_pid(name))
    assert cgroup.shares(found) == 300
    assert found.path("cpu").name.startswith("qemu-embed-")


@pytest.mark.live("embed")
def test_domains_outlive_their_process_and_the_next_one_finds_them(embedded: Embedded) -> None:
    name = guests.unique("embed")
    embedded(STAYING.format(document=guests.machine(name, virt=virt_type())))
    pid = kernel.qemu_pid(name)
    done = embedded("print(*(domain.name() for domain in connection.listAllDomains()))")
    assert done.stdout.split() == [name]
    assert kernel.qemu_pid(name) == pid


@pytest.mark.live("embed")
def test_a_domain_found_again_is_whole_once_a_call_has_waited_for_its_job(embedded: Embedded) -> None:
    document = guests.machine(guests.unique("embed"), virt=virt_type())
    embedded(f"print(connection.createXML({document!r}, 0))")
    taking_up = """\
domain, = connection.listAllDomains()
domain.memoryStats()
print(domain.schedulerParameters()["cpu_shares"])
domain.destroy()
"""
    assert int(embedded(taking_up).stdout) > 0
    assert not cgroup.leftovers(guests.value(document, "name") or "")


@pytest.mark.live("embed")
def test_a_process_has_one_root_and_no_other_qemu(embedded: Embedded) -> None:
    same, other, after, system, test = failures(
        embedded,
        "libvirt.open(uri).close()",
        "libvirt.open(uri + '-other')",
        "connection.close(); libvirt.open(uri + '-other')",
        "libvirt.open('qemu:///system')",
        "libvirt.open('test:///default').close()",
    )
    assert same == test == ""
    assert "already open with path" in other
    assert "already open with path" in after
    assert "Missing URI parameter 'root'" in system


@pytest.mark.live("embed")
def test_opening_needs_registered_events(lab: Lab, embed_root: Path) -> None:
    code = f"import libvirt; libvirt.open('qemu:///embed?root={embed_root}')"
    done = lab.run([sys.executable, "-c", code])
    assert "An event loop implementation must be registered" in done.stderr


@pytest.mark.live("embed")
def test_a_second_process_cannot_open_a_root_in_use(lab: Lab, embed_root: Path, embedded: Embedded) -> None:
    code = f"""\
import subprocess
done = subprocess.run([sys.executable, "-c", {embed.OPENING!r}, root], capture_output=True, text=True)
print(done.stderr)
"""
    done = embedded(code)
    assert "driver.pid" in done.stdout


@pytest.mark.live("embed")
def test_ctrl_c_is_heard_after_the_call_that_it_interrupts(embedded: Embedded) -> None:
    """The domain then runs although nothing was returned: it has to be looked for."""
    document = guests.machine(guests.unique("embed"), virt=virt_type())
    code = f"""\
import signal
threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    connection.createXML({document!r}, 0)
    print("returned")
except KeyboardInterrupt:
    print("interrupted")
print(len(connection.listAllDomains()))
"""
    assert embedded(code).stdout.split() == ["interrupted", "1"]
