"""From a domain and profiles to what is wanted of it: the pure part that start and merge share."""

from __future__ import annotations

import re
from collections.abc import Sequence

from domtune.expand import canonical, concrete
from domtune.judge import judge
from domtune.layers import stack
from domtune.tree import Element, tags_of
from domtune.tuning import Place, Tuning, Verbatim


def wanted(root: Element, stored: Tuning, tunings: Sequence[Tuning], problems: list[str]) -> Tuning:
    """Return the tuning that is wanted of the domain `root`: its own, under that of each profile in turn.

    Devices are called as split calls them, ``*`` and ``all`` are written out. Values that nothing would take, and what
    speaks of devices that the domain has not, are added to `problems`.
    """
    among = stack([stored.settings, *(tuning.settings for tuning in tunings)])
    layers = [list(stored.settings)]
    layers += [canonical(concrete(tuning.settings, root, problems, among=among), root) for tuning in tunings]
    settings = tuple(stack(layers))
    problems += judge(Tuning(settings))
    pieces: dict[Verbatim, None] = dict.fromkeys(stored.verbatim)  # each once, though several layers may have it
    for tuning in tunings:
        replaced = _places(tuning)
        pieces = {piece: None for piece in pieces if not _is_of(piece, replaced)}
        pieces |= dict.fromkeys(tuning.verbatim)
    return Tuning(settings, tuple(pieces))


def _places(tuning: Tuning) -> set[tuple[str, ...]]:
    """Return the elements of the families that a layer replaces whole, but for those of single devices."""
    params = {setting.param for setting in tuning if setting.param.family and not setting.param.device}
    return {tuple(step.tag for step in path.steps) for param in params for path in param.paths}


def _is_of(piece: Verbatim, places: set[tuple[str, ...]]) -> bool:
    """Tell whether a piece is one of these elements, or is placed by one."""
    try:
        tags = tags_of(piece.path)[1:]
    except ValueError:  # merge says what is wrong with it
        return False
    own = re.match(r"<([A-Za-z_][\w.-]*)", piece.xml)
    return tags in places or bool(own and (*tags[: len(tags) - (piece.place is Place.AFTER)], own[1]) in places)
