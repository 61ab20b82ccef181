"""Profiles by name: where they are looked for, and one profile with all it inherits."""

from __future__ import annotations

import difflib
import errno
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from domtune.errors import Invalid, NotFound
from domtune.files import below_home, identity, read_text
from domtune.profile import Profile, parse

SHIPPED = Path(__file__).parent / "profiles"
ENDINGS = (".yaml", ".yml")
MAX_DEPTH = 32
Chain: TypeAlias = dict[str, Profile]


def directories() -> list[Path]:
    """Return the directories of configuration, the user's own first: DOMTUNE_CONFIG_DIR replaces them all."""
    if given := os.environ.get("DOMTUNE_CONFIG_DIR"):
        return [Path(given)]
    home = os.environ.get("XDG_CONFIG_HOME") or below_home(".config")
    return [*([Path(home) / "domtune"] if home else []), Path("/etc/domtune")]


def places() -> list[Path]:
    """Return the directories of profiles, the user's own first: what is found first counts."""
    return [*(directory / "profiles" for directory in directories()), SHIPPED]


def is_path(name: str) -> bool:
    """Tell a path from a name: it holds a slash, or ends as a YAML file does, or is the stream ``-``."""
    return name == "-" or "/" in name or name.endswith(ENDINGS)


def load(name: str, *, near: Path | None = None, judged: bool = False) -> list[Profile]:
    """Return a profile, by path or name, after those it inherits: wide to narrow.

    `judged` also refuses values that nothing would take. `near` is the directory of the profile that asks: a name is
    looked for there first, and a path starts there. Raises `NotFound`, and `Invalid` with every fault in any of them,
    circles of `inherits` included.
    """
    shelf = _Shelf(judged=judged)
    chain = shelf.chain(name, near, ())
    if shelf.problems:
        raise Invalid(list(dict.fromkeys(shelf.problems)))
    return list(chain.values())


def load_all(names: Iterable[str]) -> list[Profile]:
    """Return several profiles, each after those it inherits; raise what is wrong with any of them at once."""
    found: list[Profile] = []
    errors: list[Invalid | NotFound] = []
    for name in names:
        try:
            found += load(name)
        except (Invalid, NotFound) as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        told = (each.problems if isinstance(each, Invalid) else (str(each),) for each in errors)
        raise Invalid(list(dict.fromkeys(problem for each in told for problem in each)))
    return found


def misnamed(profile: Profile) -> str:
    """Say that a profile is called otherwise than its file, by which alone it is found; "" if it is not."""
    path = Path(profile.source)
    if path.suffix not in ENDINGS or path.stem == profile.name:
        return ""
    return f"{path}: called {profile.name} inside, but its name for -p, inherits and bindings is that of the file"


@dataclass(frozen=True, slots=True)
class Shelved:
    """A profile that can be named, or could be if another did not hide it."""

    name: str
    path: Path
    hidden_by: Path | None = None


def shelved(problems: list[str]) -> list[Shelved]:
    """Return the profiles of all places by name, and below each those it hides; what cannot be read is a problem."""
    first: dict[str, Path] = {}
    found: list[Shelved] = []
    for place in places():
        for ending in ENDINGS:
            for path in _files(place, ending, problems):
                name = path.name.removesuffix(ending)
                found.append(Shelved(name, path, first.get(name)))
                first.setdefault(name, path)
    return sorted(found, key=lambda each: each.name)


def _files(place: Path, ending: str, problems: list[str]) -> list[Path]:
    try:
        paths = [path for path in place.iterdir() if path.name.endswith(ending) and not path.name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as error:
        problems.append(f"{place}: cannot read: {error.strerror}")
        return []
    found = []
    for path in sorted(paths):
        try:
            found += [path] if _is_file(path) else []
        except Invalid as error:
            problems += error.problems
    return found


class _Shelf:
    """The profiles read so far: one that is inherited more than once is read once."""

    def __init__(self, *, judged: bool) -> None:
        self.judged = judged
        self.known: dict[str, Chain] = {}
        self.problems: list[str] = []

    def chain(self, name: str, near: Path | None, above: tuple[str, ...]) -> Chain:
        """Return a profile after those it inherits, by path; each lies where it comes last."""
        path = (near if near and name != "-" else Path()) / name if is_path(name) else find(name, near)
        key = "-" if name == "-" else identity(path)
        if key in above:
            circle = " inherits ".join(Path(each).name for each in (*above[above.index(key) :], key))
            raise Invalid(f"{path}: inherits: a circle: {circle}; take one inherits out")
        if len(above) > MAX_DEPTH:
            raise Invalid(f"{path}: inherits: more than {MAX_DEPTH} profiles, one below the other")
        if near is not None and is_path(name):
            _is_file(path)
        if key not in self.known:
            profile = parse(read_text(path), str(path), self.problems, judged=self.judged)
            chain: Chain = {}
            for inherited, line in zip(profile.inherits, profile.inherits_lines, strict=True):
                for each, found in self._inherited(inherited, line, path, (*above, key)).items():
                    chain.pop(each, None)
                    chain[each] = replace(found, through=(*found.through, profile.name))
            self.known[key] = chain | {key: profile}
        return self.known[key]

    def _inherited(self, name: str, line: int, heir: Path, above: tuple[str, ...]) -> Chain:
        """Return the chain of an inherited profile; what keeps it from being read is one fault among others."""
        try:
            return self.chain(name, heir.parent, above)
        except Invalid as error:
            self.problems += error.problems
        except NotFound as error:
            self.problems.append(f"{heir}:{line}: inherits: {error}")
        return {}


def find(name: str, near: Path | None = None) -> Path:
    """Return the file of the profile of this name; `near` is looked into first. Raises `NotFound`."""
    looked = ([near] if near else []) + places()
    for place in looked:
        for ending in ENDINGS:
            path = place / f"{name}{ending}"
            if _is_file(path):
                return path
    close = difflib.get_close_matches(name, {each.name for each in shelved([])}, 1)
    way_out = f"did you mean {close[0]}?" if close else "for a file give its path"
    raise NotFound(f"{name}: no such profile in {', '.join(dict.fromkeys(map(str, looked)))}; {way_out}")


def _is_file(path: Path) -> bool:
    """Tell whether a file is there; raise `Invalid` if that cannot be told, or if it is neither file nor directory."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise Invalid(f"{path}: a link to {path.readlink()}, which is not there; mend it or take it away") from None
        return False
    except ValueError:  # no path can hold this name
        return False
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise Invalid(f"{path}: cannot read: {error.strerror}") from None
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise Invalid(f"{path}: no regular file; only a path on the command line may be a pipe or a device")
    return stat.S_ISREG(mode)
