"""Which values do not go together, by the rules of the vocabulary.

Two questions. A profile alone is incomplete: what it lacks, a wider or narrower one may say, but what it says against
itself stays wrong (`contradictions`). What a start, or a merge, is going to do is complete (`clashes`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from itertools import combinations
from typing import Any, NamedTuple

from domtune.devices import EVERY
from domtune.expand import iothreads, key_ids, vcpus
from domtune.keys import ALL
from domtune.kinds import Size, Value
from domtune.take import EVERYTHING, take
from domtune.tree import Element
from domtune.tuning import Setting
from domtune.vocabulary import PARAMS
from domtune.vocabulary.drivers import DRIVERS
from domtune.vocabulary.rule import (
    Alike,
    Alone,
    AnyRule,
    Apart,
    Counts,
    InDomain,
    Is,
    Needs,
    Never,
    NotAbove,
    Once,
    Share,
)
from domtune.vocabulary.together import RULES

_DEFINITION = "the definition"
_PERIOD = 100_000  # us: the kernel's own, where none is said
_ENDLESS = float("inf")


class Clash(NamedTuple):
    """A rule that is broken: by one setting, and by what else is said."""

    rule: AnyRule
    setting: Setting
    others: tuple[Setting, ...] = ()

    def __str__(self) -> str:
        said = " and ".join(f"{other.origin} says {other.name} {other.said}" for other in self.others)
        why = f"{self.rule.why}; {said}" if said else self.rule.why
        return f"{self.setting.origin}: {self.setting.name} {self.setting.said}: {why}; {self.rule.way}"


def contradictions(settings: Iterable[Setting]) -> list[str]:
    """Return what one profile says against itself, whatever the driver and whatever else will be said."""
    said = _Said(settings)
    return [str(clash) for clash in _broken(said) if not clash.rule.cgroup and _refuses("", clash)]


def clashes(
    settings: Sequence[Setting], root: Element, driver: str = "", cgroup: int = 0, *, stored: Iterable[Setting] = ()
) -> list[str]:
    """Return what does not go together of all that a start, or a merge, gives to the domain `root`.

    `cgroup` is the version that the host counts CPU and memory by, 0 where that is not known: what only one version
    refuses then passes, as does what `driver` does nothing with. What clashes within `stored`, the stored definition's
    own tuning, is libvirt's to refuse.
    """
    return [str(clash) for clash in broken(settings, root, driver, cgroup, stored=stored)]


def broken(
    settings: Sequence[Setting], root: Element, driver: str = "", cgroup: int = 0, *, stored: Iterable[Setting] = ()
) -> list[Clash]:
    """Return the same with the rules that are broken."""
    threads = bool(iothreads(settings, root))
    definition = [each._replace(source=_DEFINITION, line=0) for each in take(deepcopy(root), EVERYTHING)]
    known = {each.address: each for each in (*definition, *settings)}
    said = _Said((each for each in known.values() if _counts(each, driver, threads=threads)), root)
    own = {(each, each.origin) for each in (*stored, *definition)}
    return [
        clash
        for clash in _broken(said)
        if clash.rule.cgroup in {0, cgroup}
        and _refuses(driver, clash)
        and not all((each, each.origin) in own for each in (clash.setting, *clash.others))
    ]


def _refuses(driver: str, clash: Clash) -> bool:
    """Tell whether a driver refuses what clashes; where none is given, whether every one does that takes it up."""
    if not clash.rule.drivers or driver:
        return not clash.rule.drivers or driver in clash.rule.drivers
    taking = {each.name for each in DRIVERS.values() if each.enforces and clash.setting.param.fact(each.name)}
    return taking <= set(clash.rule.drivers)


def _counts(setting: Setting, driver: str, *, threads: bool) -> bool:
    """Tell whether the driver does something with a setting: one that it ignores does no harm."""
    fact = setting.param.fact(driver) if driver else None
    if setting.is_default or (driver and fact is None):
        return False
    lonely = fact is not None and fact.kernel is not None and fact.kernel.of == "iothread" and not setting.keys
    return not (lonely and not threads) and (fact is None or not fact.accepts or setting.text in fact.accepts)


class _Said:
    """What is said, by parameter and keys; with a definition it is all that is said."""

    def __init__(self, settings: Iterable[Setting], root: Element | None = None) -> None:
        self.root = root
        self.settings = tuple(settings)
        self.all: dict[str, dict[tuple[str, ...], Setting]] = {}
        for setting in self.settings:
            self.all.setdefault(setting.param.name, {})[setting.keys] = setting

    def of(self, name: str) -> list[Setting]:
        """Return what is said of a parameter, each key apart."""
        return [setting for setting in self.all.get(name, {}).values() if not setting.is_default]

    def matching(self, what: Is) -> Iterator[Setting]:
        """Give the settings that are what a rule speaks of."""
        for setting in self.of(what.param):
            if (not what.keys or setting.keys == what.keys) and _matches(what, setting, setting):
                yield setting

    def beside(self, name: str, setting: Setting) -> Setting | None:
        """Return the setting of another row for the same device, key or domain; the first, where that has more keys."""
        forms = PARAMS[name].key_forms
        if len(forms) > len(setting.keys):
            return next((each for each in self.of(name) if each.keys[: len(setting.keys)] == setting.keys), None)
        found = self.all.get(name, {}).get(setting.keys[: len(forms)])
        return None if found is None or found.is_default else found

    def holds(self, what: Is, setting: Setting) -> bool | None:
        """Tell whether something holds beside a setting; None where only another layer could tell."""
        found = self.beside(what.param, setting)
        if found is not None:
            return _matches(what, found, setting)
        return what.or_nothing or (None if self._is_open(what.param, setting) else False)

    def _is_open(self, name: str, setting: Setting) -> bool:
        """Tell whether another layer, or what is said of many, may yet say a row: a family is said as a whole."""
        there = self.all.get(name, {})
        if self.root is not None or setting.keys[: len(PARAMS[name].key_forms)] in there:
            return False
        wide = there and (_is_wide(setting.keys) or any(_is_wide(keys) for keys in there))
        return bool(wide) or not setting.param.family or PARAMS[name].family != setting.param.family


def _matches(what: Is, found: Setting, setting: Setting) -> bool:
    if what.above is not None:
        return _number(found) > what.above
    if what.limiting:
        return _limit(found) < _ENDLESS
    if what.same:
        return found.value == setting.value
    return not what.values or found.text in what.values


def _is_wide(keys: tuple[str, ...]) -> bool:
    return EVERY in keys or ALL in keys


def _number(setting: Setting) -> float:
    """Return the number; what is written for "no limit" is 0 of a disk's limits, as for libvirt."""
    value = setting.value
    return value if isinstance(value, int) else 0


def _limit(setting: Setting) -> float:
    """Return the number, or infinity where there is no limit."""
    is_endless = setting.text == getattr(setting.param.kind_of(setting.keys), "unlimited", None) or setting.value == -1
    return _ENDLESS if is_endless else _number(setting)


def _needs(rule: Needs, said: _Said) -> Iterator[Clash]:
    for setting in said.matching(rule.what):
        if all(said.holds(other, setting) is False for other in rule.others):
            there = (said.beside(other.param, setting) for other in rule.others)
            yield Clash(rule, setting, tuple(each for each in there if each is not None))


def _never(rule: Never, said: _Said) -> Iterator[Clash]:
    for setting in said.matching(rule.what):
        other = said.beside(rule.beside.param, setting) if rule.beside else None
        if rule.beside and (other is None or not _matches(rule.beside, other, setting) or _limit(other) == _ENDLESS):
            continue
        if _limit(setting) < _ENDLESS and not (rule.unless and said.holds(rule.unless, setting) is not False):
            yield Clash(rule, setting, (other,) if other else ())


def _not_above(rule: NotAbove, said: _Said) -> Iterator[Clash]:
    for high in said.of(rule.high):
        low = said.beside(rule.low, high)
        if low is None and not (rule.endless and said.holds(Is(rule.low), high) is False):
            continue
        if (_limit(low) if low else _ENDLESS) > _limit(high):
            yield Clash(rule, high, (low,) if low else ())


def _share(rule: Share, said: _Said) -> Iterator[Clash]:
    for part in said.of(f"{rule.part}.quota"):
        whole = said.beside(f"{rule.whole}.quota", part)
        if whole is None or _ENDLESS in {_limit(part), _limit(whole)}:
            continue
        if _ratio(part, rule.part, said) > _ratio(whole, rule.whole, said):
            yield Clash(rule, part, (whole,))


def _ratio(quota: Setting, name: str, said: _Said) -> int:
    """Return the part of a CPU as the kernel counts it."""
    period = said.beside(f"{name}.period", quota)
    return (int(_number(quota)) << 20) // max(int(_number(period)) if period else _PERIOD, 1)


def _apart(rule: Apart, said: _Said) -> Iterator[Clash]:
    every = [setting for name in rule.params for setting in said.of(name)]
    for one, other in combinations(every, 2):
        if rule.values:
            first, second = _ids(one.value), _ids(other.value)
            is_good = False
        else:
            first, second = key_ids(one.keys[0]), key_ids(other.keys[0])
            is_judged = one.param is other.param and one.keys[1:] == other.keys[1:]  # by `judge`, without a rule
            is_good = first == second or is_judged
        if first & second and not is_good:
            yield Clash(rule, other, (one,))


def _ids(value: Value | None) -> frozenset[int]:
    """Return the ids that a value names."""
    if isinstance(value, frozenset):
        return value
    return frozenset({value}) if isinstance(value, int) else frozenset()


def _alone(rule: Alone, said: _Said) -> Iterator[Clash]:
    for one, other in combinations(said.of(rule.param), 2):
        first, second = (each.keys[-1].split("/") for each in (one, other))
        differ = [n for n, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1]]
        if one.keys[:-1] == other.keys[:-1] and differ == [rule.part] and rule.word in first + second:
            yield Clash(rule, other, (one,))


def _once(rule: Once, said: _Said) -> Iterator[Clash]:
    bare = [setting for setting in said.of(rule.what) if said.beside(rule.without, setting) is None]
    for setting in bare[1:]:
        yield Clash(rule, setting, (bare[0],))


def _counts_all(rule: Counts, said: _Said) -> Iterator[Clash]:
    named = said.of(rule.each)
    for number in said.of(rule.number):
        if _number(number) < len(named):
            yield Clash(rule, number, tuple(named[-1:]))


def _alike(rule: Alike, said: _Said) -> Iterator[Clash]:
    """Compare the families of the devices of one group; a device that says nothing of it takes what another says."""
    family = [name for name, param in PARAMS.items() if param.family == PARAMS[rule.by].family and name != rule.by]
    groups: dict[str, list[tuple[Setting, dict[str, Value | None]]]] = {}
    for setting in said.of(rule.by):
        rest = {name: there.value for name in family if (there := said.beside(name, setting)) and _number(there)}
        groups.setdefault(setting.text, []).append((setting, rest))
    for members in groups.values():
        telling = [(setting, rest) for setting, rest in members if rest]
        if not telling and said.root is not None:
            yield Clash(rule, members[0][0])
        for setting, rest in telling[1:]:
            if rest != telling[0][1]:
                yield Clash(rule, setting, (telling[0][0],))


def _in_domain(rule: InDomain, said: _Said) -> Iterator[Clash]:
    if said.root is None:
        return
    most, there = _most(rule.has, said.root), _there(rule.has, said, said.root)
    for setting in said.of(rule.param):
        ids = key_ids(setting.keys[-1]) if rule.key else _ids(setting.value)
        if _number(setting) > most or (there is not None and not ids <= there):
            yield Clash(rule, setting)


def _most(what: str, root: Element) -> float:
    """Return how much of something the domain has at most."""
    if what == "vCPUs":
        return len(vcpus(root))
    memory = root.find("memory")
    if what != "memory" or memory is None or root.find("cpu/numa/cell") is not None:
        return _ENDLESS  # with cells libvirt adds up their memory
    try:
        return Size().parse((memory.text or "").strip(), memory.get("unit"))
    except ValueError:
        return _ENDLESS


def _there(what: str, said: _Said, root: Element) -> frozenset[int] | None:
    """Return which of something the domain has, None where it is not about numbers of its own."""
    if what == "IOThreads":
        return frozenset(iothreads((each for keys in said.all.values() for each in keys.values()), root))
    return frozenset(range(sum(1 for _ in root.iterfind("cpu/numa/cell")))) if what == "guest NUMA cells" else None


_FIND: dict[type, Callable[[Any, _Said], Iterator[Clash]]] = {
    Counts: _counts_all,
    Needs: _needs,
    Never: _never,
    NotAbove: _not_above,
    Share: _share,
    Apart: _apart,
    Alone: _alone,
    Once: _once,
    Alike: _alike,
    InDomain: _in_domain,
}


def _broken(said: _Said) -> list[Clash]:
    """Return every broken rule, in the order in which the settings are said."""
    found = [clash for rule in RULES for clash in _FIND[type(rule)](rule, said)]
    order = {setting.address: place for place, setting in enumerate(said.settings)}
    return sorted(found, key=lambda clash: order[clash.setting.address])
