"""From a domain and profiles to what is wanted of it: the pure part that start, merge and explain share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from domtune import wantset
from domtune.expand import canonical, concrete
from domtune.intents.model import NOTHING, Around, CannotMeet, Site, Want, Way, resolve
from domtune.judge import judge
from domtune.layers import ORDER, Bound, Layer, Scope, differing, lies_over, stacked
from domtune.lifecycle import NotDone
from domtune.profile import Block
from domtune.together import clashes
from domtune.tree import Element, tags_of
from domtune.tuning import Place, Setting, Tuning, Verbatim


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a domain, and how that came about."""

    tuning: Tuning
    layers: tuple[Layer, ...] = ()  # wide to narrow
    unmet: tuple[NotDone, ...] = ()  # wishes that this driver or host cannot meet
    caveats: tuple[str, ...] = ()  # of wishes that are met: each begins with the wish
    notes: tuple[str, ...] = ()


def is_portable(bounds: Sequence[Bound]) -> bool:
    """Tell whether profiles hold wishes or conditions, whose meaning depends on driver and host."""
    blocks = (block for each in bounds for profile in each.profiles for block in profile.blocks)
    return any(block.wants or block.conditions for block in blocks)


def wanted(root: Element, stored: Tuning, bounds: Sequence[Bound], site: Site, problems: list[str]) -> Wanted:
    """Return the tuning that is wanted of the domain `root`: its own and that of profiles, scope over scope.

    Wishes are resolved for the site, each in its own layer. Devices are called as split calls them, ``*`` and ``all``
    are written out. Values that nothing would take, bindings that contradict each other, and what speaks of devices
    that the domain has not, are added to `problems`.
    """
    site = replace(site, root=root)
    layers = list(_layers(stored, bounds, site))
    wants = {want.address: want for layer in layers for want in layer.block.wants}
    unmet: list[tuple[int, NotDone]] = []
    among = stacked([replace(layer, settings=layer.block.settings) for layer in layers], [])
    for number, layer in enumerate(layers):
        early = [want for want in layer.block.wants if not want.intent.late]
        met = _met(number, early, Around(site, wants), unmet)
        layers[number] = _with(layer, met, root, among, problems)
    problems += wantset.judge([want for layer in layers for want in layer.block.wants])
    problems += _contradictions(layers, site.driver)
    _resolve_late(layers, Around(site, wants, stacked(layers, [])), unmet, problems)
    settings = tuple(stacked(layers, problems))
    problems += judge(Tuning(tuple(each for each in settings if not each.is_ratio)))
    problems += clashes(settings, root, site.driver, site.host.cgroup, stored=stored)
    left = tuple(each for number, each in unmet if not _is_overridden(each.setting, number, layers, site.driver))
    caveats = tuple(_caveats(layers, settings, site.driver))
    return Wanted(Tuning(settings, _pieces(layers)), tuple(layers), left, caveats, tuple(_unknown(bounds, site)))


def _layers(stored: Tuning, bounds: Sequence[Bound], site: Site) -> Iterator[Layer]:
    """Give the blocks that hold here, wide to narrow, with nothing resolved yet."""
    own = Bound(Scope.STORED, "", ())
    for number, bound in enumerate(sorted((own, *bounds), key=lambda each: ORDER[each.scope])):
        if bound is own:
            block = Block(settings=stored.settings, verbatim=stored.verbatim)
            yield Layer(Scope.STORED, number, "", "", block, stored.settings)
        held = ((profile, block) for profile in bound.profiles for block in profile.blocks if block.holds(site))
        for profile, block in held:
            said = _demanding(block) if bound.required else block
            yield Layer(bound.scope, number, bound.origin, bound.called(profile), said)


def _demanding(block: Block) -> Block:
    wants = tuple(want._replace(demanded=True) for want in block.wants)
    return replace(block, wants=wants, settings=tuple(each._replace(demanded=True) for each in block.settings))


def _met(number: int, wants: Iterable[Want], around: Around, unmet: list[tuple[int, NotDone]]) -> list[Setting]:
    """Return what wishes of one layer become; those that cannot be met are added to `unmet`."""
    found: list[Setting] = []
    for want in wants:
        try:
            found += resolve(want, around)
        except CannotMeet as reason:
            unmet.append((number, NotDone(want, str(reason))))
    return found


def _with(layer: Layer, met: Sequence[Setting], root: Element, among: Sequence[Setting], problems: list[str]) -> Layer:
    """Return the layer with what its wishes became, written out for this domain."""
    if layer.scope is Scope.STORED:
        return layer
    said = canonical(concrete((*layer.block.settings, *met), root, problems, among=among), root)
    lines: dict[tuple[str, tuple[str, ...]], Setting] = {}
    for setting in said:
        other = lines.setdefault(setting.address, setting)
        agree = other == setting and bool(other.by) != bool(setting.by)  # a wish that is what is said exactly
        if other is not setting and not agree:
            problems.append(f"{setting.origin}: {setting.name}: said before at {other.origin}; keep one")
    return replace(layer, settings=tuple(lines.values()))


def _resolve_late(layers: list[Layer], around: Around, unmet: list[tuple[int, NotDone]], problems: list[str]) -> None:
    """Resolve what depends on where the vCPUs run in the end; of several layers only the narrowest that can be met."""
    assert around.site.root is not None  # noqa: S101 - wanted() put it there
    done: set[object] = set()
    for number, layer in reversed(list(enumerate(layers))):
        for want in (each for each in layer.block.wants if each.intent.late and each.address not in done):
            before = len(unmet)
            met = _met(number, [want], around, unmet)
            done |= {want.address} if len(unmet) == before else set()
            settings = canonical(concrete(met, around.site.root, problems), around.site.root)
            new = {setting.address for setting in settings}
            kept = (setting for setting in layers[number].settings if setting.address not in new)
            layers[number] = replace(layers[number], settings=(*kept, *settings))


def _contradictions(layers: Sequence[Layer], driver: str) -> Iterator[str]:
    """Give the wishes of one scope that differ between bindings, where the settings that they become do not tell."""
    said: dict[tuple[Scope, object], dict[int, Want]] = {}
    for layer in layers:
        for want in layer.block.wants:
            way = want.intent.drivers[driver]
            if want.intent.late or not isinstance(way, Way) or not way.params:
                said.setdefault((layer.scope, want.address), {})[layer.bound] = want
    for first, *others in (list(wants.values()) for wants in said.values()):
        yield from (differing(want, first) for want in others if want.text != first.text)


def _is_overridden(want: Setting | Want, number: int, layers: Sequence[Layer], driver: str) -> bool:
    """Tell whether a layer over that of a wish says something else in place of it."""
    if isinstance(want, Setting):
        return False
    for layer in (each for each in layers[number + 1 :] if lies_over(each, layers[number])):
        if any(each.address == want.address for each in layer.block.wants):
            return True
        if any(_says_the_same(each, want, driver) for each in layer.block.settings):
            return True
    return False


def _says_the_same(setting: Setting, want: Want, driver: str) -> bool:
    way = want.intent.drivers[driver]
    params = way.params if isinstance(way, Way) else ()
    return setting.param.name in params and setting.keys[: len(want.keys)] == want.keys


def _caveats(layers: Sequence[Layer], settings: Sequence[Setting], driver: str) -> Iterator[str]:
    """Say what else comes of a wish that was met on this driver."""
    met = {(setting.by, setting.origin) for setting in settings if setting.by}
    for want in (want for layer in layers for want in layer.block.wants if want.text not in NOTHING):
        way = want.intent.drivers[driver] if driver else None
        if isinstance(way, Way) and way.caveat and (want.wish, want.origin) in met:
            yield f"{want.wish}: {way.caveat}"


def _unknown(bounds: Sequence[Bound], site: Site) -> Iterator[str]:
    """Say which blocks do not hold only because nobody knows the host's version of cgroups."""
    for profile in (profile for bound in bounds for profile in bound.profiles):
        for block in profile.when:
            if block.unmet(site) == ["cgroup"] and not site.host.cgroup:
                where = f"{profile.source}:{block.line}"
                yield f"{where}: when: the host's version of cgroups is not known, so this does not hold"


def _pieces(layers: Sequence[Layer]) -> tuple[Verbatim, ...]:
    """Return what no parameter can say, each once, without that of families which a narrower layer replaces."""
    pieces: dict[Verbatim, None] = {}
    for layer in layers:
        replaced = _places(layer.settings)
        pieces = {piece: None for piece in pieces if not _is_of(piece, replaced)}
        pieces |= dict.fromkeys(layer.block.verbatim)
    return tuple(pieces)


def _places(settings: Sequence[Setting]) -> set[tuple[str, ...]]:
    """Return the elements of the families that a layer replaces whole, but for those of single devices."""
    params = {setting.param for setting in settings if setting.param.family and not setting.param.device}
    return {tuple(step.tag for step in path.steps) for param in params for path in param.paths}


def _is_of(piece: Verbatim, places: set[tuple[str, ...]]) -> bool:
    """Tell whether a piece is one of these elements, or is placed by one."""
    try:
        tags = tags_of(piece.path)[1:]
    except ValueError:  # merge says what is wrong with it
        return False
    own = re.match(r"<([A-Za-z_][\w.-]*)", piece.xml)
    return tags in places or bool(own and (*tags[: len(tags) - (piece.place is Place.AFTER)], own[1]) in places)
