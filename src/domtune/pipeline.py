"""From a domain and profiles to what is wanted of it: the pure part that start, merge and explain share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from domtune import wantset
from domtune.devices import EVERY
from domtune.expand import called, canonical, concrete, key_ids, tag_of, vcpus
from domtune.intents.model import NOTHING, Around, CannotMeet, Site, Want, Way, resolve
from domtune.judge import judge
from domtune.keys import ALL
from domtune.layers import ORDER, Bound, Cover, Dispute, Layer, Scope, agree, faults, lies_over, stack, stacked
from domtune.lifecycle import NotDone
from domtune.profile import Block
from domtune.together import clashes
from domtune.tree import Element, tags_of
from domtune.tuning import Place, Setting, Tuning, Verbatim
from domtune.vocabulary import PARAMS


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a domain, and how that came about."""

    tuning: Tuning
    layers: tuple[Layer, ...] = ()  # wide to narrow
    unmet: tuple[NotDone, ...] = ()  # wishes that this driver or host cannot meet
    caveats: tuple[str, ...] = ()  # of wishes that are met: each begins with the wish
    notes: tuple[str, ...] = ()
    disputes: tuple[Dispute, ...] = ()  # between bindings of one scope: a start is refused

    @property
    def said(self) -> list[Setting | Want]:
        """All that the layers say, settings and wishes."""
        settings = [each for layer in self.layers for each in layer.settings]
        return [*settings, *(want for layer in self.layers for want in layer.block.wants)]


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
    disputes = list(_contradictions(layers, site))
    _resolve_late(layers, Around(site, wants, stacked(layers, [])), unmet, problems)
    settings = tuple(stacked(layers, disputes))
    problems += faults(disputes)
    problems += unfit(settings, root, site, stored)
    unmet += _lost(layers, settings)
    left = tuple(each for number, each in unmet if _is_wanted(each, number, layers, site))
    caveats, notes = _caveats(layers, settings, site.driver), _unknown(bounds, site)
    tuning = Tuning(settings, _pieces(layers))
    return Wanted(tuning, tuple(layers), left, tuple(caveats), tuple(dict.fromkeys(notes)), tuple(disputes))


def unfit(settings: Sequence[Setting], root: Element, site: Site, stored: Tuning) -> list[str]:
    """Return the values that no start would take, and those that do not go together."""
    counted = Tuning(tuple(each for each in settings if not each.is_ratio))
    return [*judge(counted), *clashes(settings, root, site.driver, site.host.cgroup, stored=stored)]


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
            yield Layer(bound.scope, number, bound.origin, profile.called, said)


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
        if agree:
            lines[setting.address] = other._replace(demanded=other.demanded or setting.demanded)
        elif other is not setting:
            problems.append(f"{setting.origin}: {setting.name}: said before at {other.origin}; keep one")
    return replace(layer, settings=tuple(lines.values()))


def _resolve_late(layers: list[Layer], around: Around, unmet: list[tuple[int, NotDone]], problems: list[str]) -> None:
    """Resolve what depends on where the vCPUs run in the end; of several layers only the narrowest that can be met."""
    assert around.site.root is not None  # noqa: S101 - wanted() put it there
    done: dict[object, Layer] = {}
    for number, layer in reversed(list(enumerate(layers))):
        for want in (each for each in layer.block.wants if each.intent.late):
            if want.address in done and lies_over(done[want.address], layer):
                continue
            before = len(unmet)
            met = _met(number, [want], around, unmet)
            if len(unmet) == before:
                done.setdefault(want.address, layer)
            settings = canonical(concrete(met, around.site.root, problems), around.site.root)
            new = {setting.address for setting in settings}
            kept = (setting for setting in layers[number].settings if setting.address not in new)
            layers[number] = replace(layers[number], settings=(*kept, *settings))


def _contradictions(layers: Sequence[Layer], site: Site) -> Iterator[Dispute]:
    """Give the wishes of one scope that differ between bindings, where the settings that they become do not tell."""
    said: dict[tuple[Scope, str, str], dict[int, tuple[str, Want]]] = {}
    wants = ((n, want) for n, layer in enumerate(layers) for want in sorted(layer.block.wants, key=_is_narrow))
    for number, want in wants:
        way, layer = want.intent.drivers[site.driver], layers[number]
        told = not want.intent.late and isinstance(way, Way) and way.params
        settled = told or replaced(want, number, layers, site) or _goes_with_family(want, number, layers)
        devices = () if settled else meant(want, site.root)
        for device in devices:
            said.setdefault((layer.scope, want.intent.name, device), {})[layer.bound] = layer.origin, want
    for (other_at, first), *others in (list(wants.values()) for wants in said.values()):
        yield from (Dispute(want, first, at, other_at) for at, want in others if want.text != first.text)


def _goes_with_family(want: Want, number: int, layers: Sequence[Layer]) -> bool:
    """Tell whether a narrower layer sets something of the family of what a wish becomes, which goes as a whole."""
    families = {PARAMS[name].family for name in want.intent.params} - {""}
    over = (each for each in layers[number + 1 :] if lies_over(each, layers[number]))
    return any(each.param.family in families and not each.is_default for layer in over for each in layer.block.settings)


def _is_narrow(want: Want) -> bool:
    """Tell whether a wish beats what the same block says of all devices."""
    return EVERY not in want.keys


def _lost(layers: Sequence[Layer], settings: Sequence[Setting]) -> Iterator[tuple[int, NotDone]]:
    """Give the wishes of which nothing is left, since a narrower layer replaces what they become."""
    held = {setting.address: setting for setting in settings}
    for number, layer in enumerate(layers):
        made: dict[tuple[str, str], list[Setting]] = {}
        for setting in (each for each in layer.settings if each.by and not each.is_default):
            made.setdefault((setting.by, setting.origin), []).append(setting)
        for want in layer.block.wants:
            own = made.get((want.wish, want.origin), [])
            over = _taken_by(own, held, (each for each in layers[number + 1 :] if lies_over(each, layer)))
            if over is not None:
                by = f"{over.name} {over.said} at {over.origin}"
                yield number, NotDone(want, f"{by} takes away what it becomes; say it again beside that")


def _taken_by(
    own: Sequence[Setting], held: Mapping[tuple[str, tuple[str, ...]], Setting], narrower: Iterable[Layer]
) -> Setting | None:
    """Return what took away all that a wish became; None while something of it holds, or bindings merely differ."""
    if not own or any((there := held.get(each.address)) and agree(there, each) for each in own):
        return None
    return next(filter(None, (Cover(each.settings).over(own[0]) for each in narrower)), None)


def _is_wanted(each: NotDone, number: int, layers: Sequence[Layer], site: Site) -> bool:
    """Tell whether a wish that cannot be met is still wanted by the narrowest layer that speaks of it."""
    return not isinstance(each.setting, Want) or replaced(each.setting, number, layers, site) is None


def replaced(want: Want, number: int, layers: Sequence[Layer], site: Site) -> tuple[Layer, Setting | Want] | None:
    """Return what a layer over that of a wish says in place of it, the narrowest; None while something of it stays."""
    left = meant(want, site.root)
    ids: set[int] = set()
    narrowest: tuple[Layer, Setting | Want] | None = None
    for layer in (each for each in reversed(layers[number + 1 :]) if lies_over(each, layers[number])):
        said: list[Setting | Want] = [*layer.block.wants, *layer.block.settings]
        for other in said:
            same = _says_the_same(other, want, site.driver) and _says_all(other, ids, site.root)
            if same and (both := left & meant(other, site.root)):
                narrowest = narrowest or (layer, other)
                left -= both
    return None if left else narrowest


def _says_the_same(other: Setting | Want, want: Want, driver: str) -> bool:
    if isinstance(other, Want):
        return other.intent is want.intent
    way = want.intent.drivers[driver]
    return isinstance(way, Way) and other.param.name in way.replaced_by


def _says_all(said: Setting | Want, ids: set[int], root: Element | None) -> bool:
    """Tell whether this, with the `ids` that were said before, speaks of every vCPU, where it speaks of them."""
    if said.param.name != "cpu.vcpu.pin" or root is None or ALL in said.keys:
        return True
    ids |= key_ids(said.keys[0])
    return ids >= set(vcpus(root))


def meant(said: Setting | Want, root: Element | None) -> set[str]:
    """Return the devices that are meant, as split calls them; as they are called where there are none."""
    param = said.param if isinstance(said, Setting) else PARAMS[min(said.intent.params, default="cpu.shares")]
    if not param.device:
        return {""}
    found = [] if root is None else called(tag_of(param), said.keys[0], root)
    return set(found) or {said.keys[0]}


def _caveats(layers: Sequence[Layer], settings: Sequence[Setting], driver: str) -> Iterator[str]:
    """Say what else comes of a wish that was met on this driver."""
    met = {(setting.by, setting.origin) for setting in settings if setting.by}
    for want in (want for layer in layers for want in layer.block.wants if want.text not in NOTHING):
        way = want.intent.drivers[driver] if driver else None
        if isinstance(way, Way) and way.caveat and (want.wish, want.origin) in met:
            yield f"{want.wish}: {way.caveat}"


def _unknown(bounds: Sequence[Bound], site: Site) -> Iterator[str]:
    """Say which blocks do not hold only because something is not known of the host."""
    unknown = {"host": "" if site.host.name else "name", "cgroup": "" if site.host.cgroup else "version of cgroups"}
    for profile in (profile for bound in bounds for profile in bound.profiles):
        for block in profile.when:
            what = [unknown.get(word, "") for word in block.unmet(site)]
            if what and all(what):
                is_ = "are" if len(what) > 1 else "is"
                said = f"the host's {' and '.join(what)} {is_} not known, so this does not hold"
                yield f"{profile.source}:{block.line}: when: {said}"


def _pieces(layers: Sequence[Layer]) -> tuple[Verbatim, ...]:
    """Return what no parameter can say, each once, without that of families which a narrower layer replaces."""
    pieces: dict[Verbatim, None] = {}
    for number, layer in enumerate(layers):
        gone = _places(layers[: number + 1]) if pieces else set()
        pieces = {piece: None for piece in pieces if not _is_of(piece, gone)}
        pieces |= dict.fromkeys(layer.block.verbatim)
    return tuple(pieces)


def _places(layers: Sequence[Layer]) -> set[tuple[str, ...]]:
    """Return the elements of the families that the last of these layers replaces whole, or leaves nothing of.

    Those of single devices are not among them.
    """
    kin = [each for each in layers[-1].settings if each.param.family and not each.param.device]
    held = {each.family for each in stack(layer.settings for layer in layers) if not each.is_default}
    params = {each.param for each in kin if not each.is_default or each.family not in held}
    return {tuple(step.tag for step in path.steps) for param in params for path in param.paths}


def _is_of(piece: Verbatim, places: set[tuple[str, ...]]) -> bool:
    """Tell whether a piece is one of these elements, or is placed by one."""
    try:
        tags = tags_of(piece.path)[1:]
    except ValueError:  # merge says what is wrong with it
        return False
    own = re.match(r"<([A-Za-z_][\w.-]*)", piece.xml)
    return tags in places or bool(own and (*tags[: len(tags) - (piece.place is Place.AFTER)], own[1]) in places)
