"""Profiles by name: where they are looked for, and one profile with all it inherits."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

from domtune.errors import Invalid, NotFound
from domtune.files import identity, read_text
from domtune.profile import Profile, read

SHIPPED = Path(__file__).parent / "profiles"
ENDINGS = (".yaml", ".yml")
MAX_DEPTH = 32
Chain: TypeAlias = dict[str, Profile]


def places() -> list[Path]:
    """Return the directories of profiles, the user's own first: what is found first counts."""
    if given := os.environ.get("DOMTUNE_CONFIG_DIR"):
        return [Path(given) / "profiles", SHIPPED]
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
    return [home / "domtune" / "profiles", Path("/etc/domtune/profiles"), SHIPPED]


def is_path(name: str) -> bool:
    """Tell a path from a name: it holds a slash, or ends as a YAML file does, or is the stream ``-``."""
    return name == "-" or "/" in name or name.endswith(ENDINGS)


def load(name: str, *, near: Path | None = None, judged: bool = False) -> list[Profile]:
    """Return a profile, by path or name, after those it inherits: wide to narrow.

    `judged` also refuses values that nothing would take. `near` is the directory of the profile that asks: a name is
    looked for there first, and a path starts there. Raises `NotFound`, and `Invalid` for faults in any of them and for
    circles of `inherits`.
    """
    return list(_Shelf(judged=judged).chain(name, near, ()).values())


class _Shelf:
    """The profiles read so far: one that is inherited more than once is read once."""

    def __init__(self, *, judged: bool) -> None:
        self.judged = judged
        self.known: dict[str, Chain] = {}

    def chain(self, name: str, near: Path | None, above: tuple[str, ...]) -> Chain:
        """Return a profile after those it inherits, by path; each lies where it comes last."""
        path = (near if near and name != "-" else Path()) / name if is_path(name) else _find(name, near)
        key = "-" if name == "-" else identity(path)
        if key in above:
            circle = " inherits ".join(Path(each).name for each in (*above[above.index(key) :], key))
            raise Invalid(f"{path}: inherits: a circle: {circle}; take one inherits out")
        if len(above) > MAX_DEPTH:
            raise Invalid(f"{path}: inherits: more than {MAX_DEPTH} profiles, one below the other")
        if key not in self.known:
            profile = read(read_text(path), str(path), judged=self.judged)
            chain: Chain = {}
            for inherited in profile.inherits:
                for each, found in self.chain(inherited, path.parent, (*above, key)).items():
                    chain.pop(each, None)
                    chain[each] = found
            self.known[key] = chain | {key: profile}
        return self.known[key]


def _find(name: str, near: Path | None) -> Path:
    looked = ([near] if near else []) + places()
    for place in looked:
        for ending in ENDINGS:
            path = place / f"{name}{ending}"
            if _is_file(path):
                return path
    raise NotFound(f"{name}: no such profile in {', '.join(str(place) for place in looked)}; for a file give its path")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False
