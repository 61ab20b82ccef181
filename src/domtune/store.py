"""State on disk: runs that are under way, locks, backups of what was stored. Tight modes, atomic writes."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from domtune.errors import Failed, Refused
from domtune.files import below_home, write_atomically

_SCHEMA = """
CREATE TABLE IF NOT EXISTS run (
    id TEXT PRIMARY KEY, host TEXT NOT NULL, domain TEXT NOT NULL, name TEXT NOT NULL, mode TEXT NOT NULL,
    pid INTEGER NOT NULL, started TEXT NOT NULL, began TEXT NOT NULL, image TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS bound (
    host TEXT NOT NULL, domain TEXT NOT NULL, profiles TEXT NOT NULL, PRIMARY KEY (host, domain)
) STRICT
"""


def state_dir() -> Path:
    """Return where state is kept: DOMTUNE_STATE_DIR, /var/lib/domtune for root, else below XDG_STATE_HOME."""
    if given := os.environ.get("DOMTUNE_STATE_DIR"):
        return Path(given)
    if os.geteuid() == 0:
        return Path("/var/lib/domtune")
    home = os.environ.get("XDG_STATE_HOME") or below_home(".local/state")
    if not home:
        raise Failed("HOME is not set, so there is no place for state; set HOME or DOMTUNE_STATE_DIR")
    return Path(home) / "domtune"


@dataclass(frozen=True, slots=True)
class Run:
    """A start that was begun: by which process, on which domain."""

    id: str
    host: str
    domain: str  # UUID
    name: str
    mode: str
    pid: int
    started: str  # of the process, by the kernel's clock: pids are used again
    began: str
    image: str = ""  # the definition that its saved image had before


class Store:
    """The state of one directory."""

    def __init__(self, directory: Path | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.directory = directory or state_dir()
        self.now = now
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for below in ("locks", "backups"):
                (self.directory / below).mkdir(mode=0o700, exist_ok=True)
            self._db = sqlite3.connect(self.directory / "state.db", isolation_level=None, timeout=10)
            (self.directory / "state.db").chmod(0o600)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            for table in _SCHEMA.split(";"):
                self._db.execute(table)
            self._inode = (self.directory / "state.db").stat().st_ino
        except (OSError, sqlite3.Error) as error:
            way_out = "set DOMTUNE_STATE_DIR to a directory that you may write"
            raise Failed(f"{self.directory}: cannot keep state there: {error}; {way_out}") from None

    @property
    def is_there(self) -> bool:
        """Whether the file that was opened is still the one in the directory."""
        try:
            return (self.directory / "state.db").stat().st_ino == self._inode
        except OSError:
            return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def begin(self, *, host: str, domain: str, name: str, mode: str, image: str = "") -> Run:
        """Record, on disk before this returns, that a start begins."""
        pid = os.getpid()
        began = self.now().isoformat(timespec="seconds")
        run = Run(str(uuid.uuid4()), host, domain, name, mode, pid, _process_start(pid), began, image)
        self._execute("PRAGMA synchronous = FULL")
        self._execute("INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", astuple(run))
        self._execute("PRAGMA synchronous = NORMAL")
        return run

    def end(self, run: Run) -> None:
        """Record that a start is over, one way or the other; this need not be on disk before it returns."""
        self._execute("DELETE FROM run WHERE id = ?", (run.id,))

    def unfinished(self, host: str, domain: str) -> list[Run]:
        """Return the starts of a domain that were begun and never ended."""
        rows = self._execute("SELECT * FROM run WHERE host = ? AND domain = ? ORDER BY began", (host, domain))
        return [Run(*row) for row in rows]

    def bound(self, host: str, domain: str) -> tuple[str, ...]:
        """Return the names of the profiles bound to a domain whose driver keeps no metadata."""
        rows = self._execute("SELECT profiles FROM bound WHERE host = ? AND domain = ?", (host, domain))
        return tuple(str(name) for (names,) in rows for name in json.loads(names))

    def bind(self, host: str, domain: str, profiles: Sequence[str]) -> None:
        """Keep the names of the profiles bound to a domain, in place of those it had, on disk before this returns."""
        self._execute("PRAGMA synchronous = FULL")
        if profiles:
            self._execute("INSERT OR REPLACE INTO bound VALUES (?, ?, ?)", (host, domain, json.dumps(list(profiles))))
        else:
            self._execute("DELETE FROM bound WHERE host = ? AND domain = ?", (host, domain))
        self._execute("PRAGMA synchronous = NORMAL")

    def _execute(self, statement: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise Failed(f"{self.directory}: cannot keep state there: {error}") from None

    @contextlib.contextmanager
    def lock(self, host: str, domain: str, name: str) -> Iterator[None]:
        """Hold the domain against other processes that use this state directory; raise `Refused` if it is held."""
        path = self.directory / "locks" / f"{_file_name(host)}-{domain}.lock"
        try:
            held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Failed(f"{path}: cannot lock {name}: {error.strerror}") from None
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(held)
            raise Refused(f"{name}: another domtune is at work on it; wait until it is done") from None
        try:
            yield
        finally:
            os.close(held)

    def backup(self, name: str, domain: str, xml: str, *, by: str) -> Path:
        """Keep a stored definition before the command `by` replaces it, and return the file."""
        stamp = self.now().strftime("%Y%m%dT%H%M%S%fZ")
        path = self.directory / "backups" / f"{_file_name(name)}-{domain}-{stamp}-{by}.xml"
        write_atomically(path, xml, mode=0o600)
        return path

    def last_backup(self, domain: str, by: str) -> Path | None:
        """Return what the command `by` kept last of a domain, whatever the domain was called then."""
        found = (self.directory / "backups").glob(f"*-{domain}-*-{by}.xml")
        return max(found, key=lambda path: path.stem.split("-")[-2], default=None)


_opened: dict[tuple[Path, int, int], Store] = {}


def opened() -> Store:
    """Return the store of this user, opened once for each process and thread: closing SQLite costs more than a start.

    A state directory that was taken away meanwhile is made anew.
    """
    key = (state_dir(), os.getpid(), threading.get_ident())
    store = _opened.get(key)
    if store is None or not store.is_there:
        store = _opened[key] = Store(key[0])
    return store


def _process_start(pid: int) -> str:
    """Return when a process started, in the kernel's clock ticks since boot, "" if there is none (proc(5))."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", text)[:80].lstrip(".") or "_"
