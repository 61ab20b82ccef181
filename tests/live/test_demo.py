"""domtune demo tells the truth and leaves nothing: no process, no directory, no cgroup, also when it is interrupted."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from live import cgroup, kernel, product
from live.lab import NOBODY, Lab, kvm_group, virt_type
from support.results import faults

DOMAIN = "domtune-demo"
HIDE = 'mount --bind /dev/zero /dev/kvm && exec "$@"'


@pytest.fixture
def place(lab: Lab) -> Iterator[Path]:
    """Where the demo makes its directory: short, since sockets lie in it. At the end nothing is there or elsewhere."""
    path = lab.place / "d"
    path.mkdir(exist_ok=True)
    path.chmod(0o777)
    before = cgroup.leftovers(DOMAIN)
    yield path
    assert list(path.iterdir()) == []
    assert [pid for pid in kernel.namespace_members(lab.init) if DOMAIN in " ".join(kernel.command_line(pid))] == []
    assert remaining(before) == set()


def remaining(before: set[Path]) -> set[Path]:
    """What stays of new cgroups; another demo on this host may just be taking its own away."""
    found = cgroup.leftovers(DOMAIN) - before
    for _ in range(40):
        if not found:
            break
        time.sleep(0.05)
        found = cgroup.leftovers(DOMAIN) - before
    return found


def demo(lab: Lab, place: Path, *before: str, code: str = product.COMMAND) -> subprocess.CompletedProcess[str]:
    words: Sequence[str] = [*before, sys.executable, "-c", code, "demo"]
    return lab.run(words, env={**product.environment(lab), "TMPDIR": str(place)}, timeout=100)


def assert_whole(story: str, machine: str) -> None:
    lines = story.splitlines()
    assert lines[0].startswith(machine)
    assert [line[:2] for line in lines if line[:1].isdigit()] == ["1.", "2.", "3.", "4."]
    assert sum(line.startswith("     kernel: vCPU ") for line in lines) == 6
    assert lines[-1] == "Stopped and cleaned up; nothing is left behind."


@pytest.mark.live("embed")
def test_the_story_is_told_with_proof_from_the_kernel(lab: Lab, place: Path) -> None:
    done = demo(lab, place)
    assert (done.returncode, done.stderr) == (0, "")
    assert_whole(done.stdout, "KVM is here." if virt_type() == "kvm" else "No /dev/kvm for us")
    shares = [line.split()[-1] for line in done.stdout.splitlines() if " of its cgroup is " in line]
    assert shares[1:] == ["2048", "2048"]
    assert shares[0] in {"1024", "100"}


@pytest.mark.live("embed")
def test_without_kvm_the_cpu_is_emulated(lab: Lab, place: Path) -> None:
    done = demo(lab, place, "unshare", "--mount", "bash", "-c", HIDE, "-")
    assert (done.returncode, done.stderr) == (0, "")
    assert_whole(done.stdout, "No /dev/kvm for us: QEMU emulates the CPU (TCG)")


@pytest.mark.live("embed")
def test_an_ordinary_user_sees_it_without_shares(lab: Lab, place: Path) -> None:
    groups = f"--groups={kvm_group()}" if kvm_group() else "--clear-groups"
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", groups, *product.USER_RIGHTS, "--"]
    state = {**lab.user_environment(), "DOMTUNE_STATE_DIR": "", "TMPDIR": str(place)}
    done = lab.run([*user, sys.executable, "-c", product.COMMAND, "--json", "demo"], env=state, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")
    assert [] == faults("demo", json.loads(done.stdout))
    story = "\n".join(json.loads(done.stdout)["story"])
    assert_whole(story, "KVM is here." if kvm_group() and virt_type() == "kvm" else "No /dev/kvm for us")
    assert "Not root, hence no cgroups" in story
    assert "cpu.shares" not in story


INTERRUPTED = """\
import os, signal, time
from domtune import connection, demo, live
from domtune.cli import main

real = {call}

def hole(*words, **options):
    {now}os.kill(os.getpid(), signal.{signal})
    return real(*words, **options)

{call} = hole
main()
"""


@pytest.mark.live("embed")
@pytest.mark.parametrize(
    ("call", "now"),
    [
        ("demo._machine", ""),  # before anything is there
        ("demo._prove", ""),  # the minimal domain runs
        ("live.apply", "real(*words, **options); "),  # it is tuned
        ("connection.Domain.resume", ""),  # the tuned one waits
    ],
)
def test_ctrl_c_leaves_nothing(lab: Lab, place: Path, call: str, now: str) -> None:
    done = demo(lab, place, code=INTERRUPTED.format(call=call, now=now, signal="SIGINT"))
    assert done.returncode == 128 + signal.SIGINT
    assert "interrupted" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.live("embed")
@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP"])
def test_other_signals_leave_nothing_either(lab: Lab, place: Path, number: str) -> None:
    done = demo(lab, place, code=INTERRUPTED.format(call="demo._prove", now="", signal=number))
    assert done.returncode == 128 + signal.SIGINT


@pytest.mark.live("embed")
def test_it_fails_when_the_kernel_disagrees(lab: Lab, place: Path) -> None:
    """The demo's proof is one: without the pins of step 3 it must not go on."""
    code = "from domtune import live\nlive.apply = lambda *_: None\nfrom domtune.cli import main\nmain()"
    done = demo(lab, place, code=code)
    assert done.returncode == 1
    assert re.fullmatch(r"the kernel says \S+ of (emulator|vCPU \d), not \S+", done.stderr.splitlines()[-1])
