"""Files: read whole as UTF-8, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from domtune.errors import Failed, Invalid

MAX_BYTES = 64 * 1024 * 1024  # of any file: more than the largest document that is taken


def read_bytes(path: Path | str) -> bytes:
    """Return the content of a file, or of standard input for ``-``; raise `Invalid` if it cannot be read.

    Not more than `MAX_BYTES` are read: the readers of documents refuse what is larger.
    """
    try:
        with Path("/dev/stdin" if str(path) == "-" else path).open("rb") as file:
            return file.read(MAX_BYTES)
    except OSError as error:
        raise Invalid(f"{path}: cannot read: {error.strerror}") from None
    except ValueError as error:
        raise Invalid(f"{path!r}: cannot read: {error}") from None


def identity(path: Path | str) -> str:
    """Return what is the same for all spellings of a path."""
    try:
        return str(Path(path).resolve())
    except (OSError, RuntimeError, ValueError):  # what is wrong with it, reading or writing will say
        return str(path)


def read_text(path: Path | str) -> str:
    """Return the text of a file, or of standard input for ``-``; raise `Invalid` if it cannot be read."""
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise Invalid(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from None


def below_home(path: str) -> str:
    """Return a path in the user's home, "" if nobody knows where that is."""
    try:
        return str(Path("~", path).expanduser())
    except RuntimeError:  # neither HOME nor an entry of passwd
        return ""


def write_atomically(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Write a file so that it is there whole or not at all; raise `Failed`."""
    temporary = ""
    try:
        name = f".{path.name}."
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=name, delete=False, encoding="utf-8") as file:
            temporary = file.name
            file.write(text if text.endswith("\n") else text + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException as error:  # Ctrl-C, too
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise Failed(f"{path}: cannot write: {error.strerror}") from None
        raise
