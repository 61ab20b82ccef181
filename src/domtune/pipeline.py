"""From a domain and profiles to what is wanted of it: the pure part that start and merge share."""

from __future__ import annotations

from collections.abc import Sequence

from domtune.expand import canonical, concrete
from domtune.layers import stack
from domtune.profile import judge
from domtune.tree import Element
from domtune.tuning import Tuning


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
    return Tuning(settings, (*stored.verbatim, *(piece for tuning in tunings for piece in tuning.verbatim)))
