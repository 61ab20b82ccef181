"""FILE or DOMAIN: what an argument means, and the XML behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from domtune.errors import Invalid
from domtune.files import read_bytes

if TYPE_CHECKING:
    from domtune.connection import Connection, Domain

_DECLARED = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")


@dataclass(frozen=True, slots=True)
class Source:
    """A domain's XML and where it came from."""

    xml: str
    name: str  # of the file as given, or of the domain
    domain: Domain | None = None


def is_file(name: str, *, domain: bool) -> bool:
    """Tell whether an argument is a file: a path, or the stream ``-``, unless a domain was asked for.

    A directory is never XML: it only has the name of a domain.
    """
    try:
        if domain or not name:
            return False
        there = Path(name)
        if name == "-" or "/" in name:
            return True
        return (there.exists() or name.endswith(".xml")) and not there.is_dir()
    except OSError:  # no right to look, or no name that anything could have: reading it says which
        return True


def read(name: str, connection: Connection | None) -> Source:
    """Return the XML of a file, or the stored definition of a domain on `connection`."""
    if connection is None:
        return Source(read_xml(name), name)
    domain = connection.domain(name)
    return Source(domain.stored_xml(), domain.name, domain)


def read_xml(name: str) -> str:
    """Return the text of an XML file in the encoding that it declares; raise `Invalid`."""
    raw = read_bytes(name)
    declared = _DECLARED.match(raw.removeprefix(b"\xef\xbb\xbf"))
    encoding = "utf-16" if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} else declared[1].decode() if declared else "utf-8"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise Invalid(f"{name}: byte {error.start} is not {encoding}; save the file as UTF-8") from None
    except (LookupError, UnicodeError):
        raise Invalid(f"{name}:1: encoding {encoding}: unknown; save the file as UTF-8") from None
