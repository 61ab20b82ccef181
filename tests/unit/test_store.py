import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domtune.errors import Failed, Refused
from domtune.store import Store, state_dir

NOON = datetime(2030, 1, 2, 12, 0, tzinfo=UTC)
HOLD = """
import sys, time
from pathlib import Path
from domtune.store import Store
with Store(Path(sys.argv[1])).lock("host", "uuid", "web"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "state", now=lambda: NOON)


def modes(directory: Path) -> set[int]:
    """Return the modes of a directory and of all that is in it."""
    return {stat.S_IMODE(path.stat().st_mode) for path in (directory, *directory.rglob("*"))}


# Where


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"DOMTUNE_STATE_DIR": "/srv/state", "XDG_STATE_HOME": "/x"}, "/srv/state"),
        ({"XDG_STATE_HOME": "/home/jo/state"}, "/home/jo/state/domtune"),
        ({"HOME": "/home/jo"}, "/home/jo/.local/state/domtune"),
    ],
)
def test_state_has_its_place(given: dict[str, str], found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOMTUNE_STATE_DIR", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    if os.geteuid() == 0 and "DOMTUNE_STATE_DIR" not in given:
        found = "/var/lib/domtune"
    assert Path(found) == state_dir()


def test_state_is_for_its_owner_only(store: Store) -> None:
    mask = os.umask(0)
    try:
        store.backup("web", "uuid", "<domain/>", by="split")
        with store.lock("host", "uuid", "web"):
            assert modes(store.directory) <= {0o700, 0o600}
    finally:
        os.umask(mask)


def test_a_place_that_cannot_be_is_said() -> None:
    with pytest.raises(Failed, match=r"/dev/null/state: cannot keep state there: .*; set DOMTUNE_STATE_DIR to a dir"):
        Store(Path("/dev/null/state"))


# Runs


def test_a_run_is_unfinished_until_it_ends(store: Store) -> None:
    run = store.begin(host="host", domain="uuid", name="web", mode="tuned")
    assert [run] == store.unfinished("host", "uuid")
    store.end(run)
    assert [] == store.unfinished("host", "uuid")


def test_a_run_is_that_of_one_domain_of_one_host(store: Store) -> None:
    store.begin(host="host", domain="uuid", name="web", mode="tuned")
    assert [] == store.unfinished("other", "uuid") + store.unfinished("host", "other")


def test_a_run_outlives_its_process(store: Store) -> None:
    run = store.begin(host="host", domain="uuid", name="web", mode="tuned")
    with Store(store.directory) as again:
        assert [run] == again.unfinished("host", "uuid")


# Profiles bound to domains whose drivers keep no metadata


def test_what_is_bound_is_kept_for_one_domain_of_one_host(store: Store) -> None:
    store.bind("host", "uuid", ["b", "a"])
    with Store(store.directory) as again:
        assert ("b", "a") == again.bound("host", "uuid")
        assert () == again.bound("other", "uuid") + again.bound("host", "other")


def test_what_is_bound_takes_the_place_of_what_was(store: Store) -> None:
    for names in (["a", "b"], ["c, d\n"], []):
        store.bind("host", "uuid", names)
        assert tuple(names) == store.bound("host", "uuid")


def test_a_state_of_before_gets_what_is_new(store: Store) -> None:
    run = store.begin(host="host", domain="uuid", name="web", mode="tuned")
    store._execute("DROP TABLE bound")
    with Store(store.directory) as again:
        again.bind("host", "uuid", ["a"])
        assert ([run], ("a",)) == (again.unfinished("host", "uuid"), again.bound("host", "uuid"))


# Locks and backups


def test_a_domain_is_held_against_other_processes(store: Store) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(store.directory)], stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout
            assert b"held\n" == other.stdout.readline()
            with (
                pytest.raises(Refused, match=r"^web: another domtune is at work on it"),
                store.lock("host", "uuid", "web"),
            ):
                pass
            with store.lock("host", "another", "mail"):
                pass
        finally:
            other.kill()
    with store.lock("host", "uuid", "web"):  # a process that was killed holds nothing
        assert list((store.directory / "locks").iterdir())


def test_a_backup_has_a_name_that_tells_what_it_is(store: Store) -> None:
    path = store.backup("../a b/ä" + "x" * 300, "uuid", "<domain/>", by="split")
    assert store.directory / "backups" == path.parent
    assert path.name.endswith("-uuid-20300102T120000000000Z-split.xml")
    assert "<domain/>\n" == path.read_text()
