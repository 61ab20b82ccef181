"""Hypothesis makes the same examples on every run, unless FUZZ says how many new ones: FUZZ=20000 pytest -k fuzz."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from domtune.connection import Domain, connect
from support.handtuned import TUNED

settings.register_profile("same", derandomize=True, database=None, deadline=None, max_examples=300)
settings.register_profile("new", database=None, deadline=None, max_examples=int(os.environ.get("FUZZ") or 1))
settings.load_profile("new" if os.environ.get("FUZZ") else "same")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of configuration, which is not there yet."""
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("DOMTUNE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "config"


@pytest.fixture
def web(config: Path) -> Iterator[Domain]:
    """A hand-tuned domain."""
    assert not config.exists()
    with connect("test:///default") as connection:
        connection.define(TUNED, "web")
        yield connection.domain("web")
        connection.domain("web").raw.undefine()
