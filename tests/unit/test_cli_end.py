"""How a command ends: interrupted while it waits, by a signal that comes too late, without its streams."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from domtune.cli.group import run
from domtune.cli.output import problems
from domtune.errors import Failed, Invalid

DOMTUNE = str(Path(sys.executable).parent / "domtune")
# Nothing but libvirt waits in the first, nothing but the exit is left in the second.
WAITING = """
import os, signal, socket, sys, threading
import domtune.connection, libvirt
daemon = socket.socket(socket.AF_UNIX)
daemon.bind(sys.argv[1])
daemon.listen()
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
threading.Timer(0.6, daemon.close).start()
try:
    libvirt.open(f"qemu+unix:///system?socket={sys.argv[1]}")
except KeyboardInterrupt:
    print("interrupted")
"""
LATE = """
import atexit, os, signal, sys
from domtune.cli import main
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    atexit.register(os.kill, os.getpid(), number)
main()
"""


@pytest.fixture
def mute(tmp_path: Path) -> Iterator[tuple[Path, socket.socket]]:
    """Give the socket of a daemon that takes calls and never answers."""
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(str(tmp_path / "mute"))
        daemon.listen()
        yield tmp_path / "mute", daemon


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_wait_for_a_hypervisor_can_be_interrupted(mute: tuple[Path, socket.socket], number: signal.Signals) -> None:
    path, daemon = mute
    words = [DOMTUNE, "-c", f"qemu+unix:///system?socket={path}", "bindings"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    waiting = subprocess.Popen(words, text=True, **pipes)  # type: ignore[call-overload]
    with daemon.accept()[0]:
        time.sleep(0.1)
        waiting.send_signal(number)
        out, err = waiting.communicate(timeout=20)
    assert (130, "", "interrupted") == (waiting.returncode, out, err.strip())


def test_an_interrupt_in_a_call_of_libvirt_is_an_interrupt(tmp_path: Path) -> None:
    words = [sys.executable, "-c", WAITING, str(tmp_path / "mute")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    assert ("interrupted\n", "") == (done.stdout, done.stderr)


@pytest.mark.parametrize(("words", "code"), [(["params", "cpu.shares"], 0), (["params", "nope"], 1)])
def test_a_signal_after_the_work_is_done_changes_nothing(words: list[str], code: int) -> None:
    done = subprocess.run([sys.executable, "-c", LATE, *words], capture_output=True, text=True, check=False)
    assert (code, 1) == (done.returncode, len(done.stderr.splitlines()) + (not code))


@pytest.mark.parametrize(
    ("words", "closed", "code", "err"),
    [
        ("--version", ">&-", 1, "standard output: is closed; send it to /dev/null if you do not want it\n"),
        ("--version", "<&- >&- 2>&-", 1, ""),
        ("--version", "2>&-", 0, ""),
        ("nope", "2>&-", 2, ""),
        ("params nope", "<&- 2>&-", 1, ""),
        ("-c test:///default bindings", "<&-", 0, ""),
    ],
)
def test_closed_streams_crash_nothing(words: str, closed: str, code: int, err: str, tmp_path: Path) -> None:
    script = f"{DOMTUNE} {words} {closed}"
    environment = os.environ | {"DOMTUNE_CONFIG_DIR": str(tmp_path)}
    done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert (code, err) == (done.returncode, done.stderr)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["stat"], "No such command 'stat'; did you mean start?"),
        (["bnid"], "No such command 'bnid'; did you mean bind?"),
        (["xyzzy"], "No such command 'xyzzy'."),
        (["start", "--all", "web"], "--all is every domain that is off; leave it or the names out"),
    ],
)
def test_a_slip_is_told_with_what_may_be_meant(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == run(words)
    assert f"Error: {message}" == capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("foo:///bar", "there is no driver foo; those that domtune knows are qemu, lxc, xen, test, ch, "),
        ("foo+ssh://host/", "there is no driver foo; "),
        ("test:///no%20pe?x=y", "/no pe: cannot read: No such file or directory"),
        ("nonsense", "no connection driver available"),
    ],
)
def test_a_uri_that_leads_nowhere_is_told_as_such(uri: str, reason: str, tmp_path: Path) -> None:
    environment = os.environ | {"DOMTUNE_CONFIG_DIR": str(tmp_path)}
    words = [DOMTUNE, "-c", uri, "bindings"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert done.stderr.startswith(f"cannot connect to {uri}: {reason}")


def test_a_name_forges_no_line() -> None:
    assert [r"a\nb: fine", r"\x1b[2Kc"] == problems(Invalid(["a\nb: fine", "\x1b[2Kc"]))
    failure = Failed("a\nb\rc\x85d\u2028e\u202ef é")
    failure.add_note("g\x00")
    assert ["a", r"b\rc\x85d\u2028e\u202ef é", r"g\x00"] == problems(failure)


def test_the_help_of_completion_holds_no_marks(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["completion", "--help"])
    out = capsys.readouterr().out
    assert not {"\\", "\b"} & set(out)
    assert "\n  zsh   write it to _domtune in a directory of $fpath\n" in out
