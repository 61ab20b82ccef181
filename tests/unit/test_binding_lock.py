"""Two that bind at once: the second waits a while, says so, and gives up."""

import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from domtune import rebinding
from domtune.cli.group import run


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Hold the directory of bindings as another process does."""
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("DOMTUNE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", "test:///default")
    for folder in ("profiles", "bindings.d"):
        (tmp_path / folder).mkdir()
    (tmp_path / "profiles" / "a.yaml").write_text("profile: a\n")
    number = os.open(tmp_path / "bindings.d" / ".lock", os.O_CREAT | os.O_RDONLY)
    fcntl.flock(number, fcntl.LOCK_EX)
    yield number
    os.close(number)


@pytest.mark.usefixtures("lock")
def test_a_lock_that_stays_is_told_and_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rebinding, "_PATIENCE", 1.3)
    assert 1 == run(["bind", "test", "a"])
    refusal = "another domtune is at work on the bindings there; wait until it is done"
    assert ["waiting: another domtune may be at work on the bindings", f"{tmp_path}/bindings.d: {refusal}"] == (
        capsys.readouterr().err.splitlines()
    )


def test_a_lock_that_is_let_go_is_waited_for(lock: int, capsys: pytest.CaptureFixture[str]) -> None:
    threading.Timer(0.2, fcntl.flock, (lock, fcntl.LOCK_UN)).start()
    assert 0 == run(["bind", "test", "a"])
    assert "" == capsys.readouterr().err


def test_a_refusal_lets_go(lock: int) -> None:
    fcntl.flock(lock, fcntl.LOCK_UN)
    assert 1 == run(["unbind", "test"])
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
