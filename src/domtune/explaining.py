"""Why a value is what it is: every layer that speaks of it, which of them wins, and what the driver makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domtune import matrix
from domtune.asking import Question
from domtune.devices import EVERY
from domtune.expand import called, tag_of
from domtune.intents.model import Intent, Site, Want, Way
from domtune.keys import ALL
from domtune.layers import Address, Cover, Dispute, Layer, Scope, lies_over
from domtune.lifecycle import COUNTED, Decision, NotDone
from domtune.pipeline import Wanted, meant, replaced
from domtune.tuning import Setting
from domtune.vocabulary import PARAMS
from domtune.vocabulary.model import DRIVERS

REFUSED = "demanded, so a start is refused"


@dataclass(frozen=True, slots=True)
class Entry:
    """What one layer says of a setting, and what becomes of it."""

    setting: Setting | Want  # a wish where it became nothing, since another is in its place
    layer: Layer
    wins: bool
    why: str
    conflicts: bool = False  # with another binding of its scope: neither wins


@dataclass(frozen=True, slots=True)
class Answer:
    """One setting: all layers that say it, narrowest first, and when what is wanted can take effect."""

    name: str
    entries: tuple[Entry, ...]
    effect: str

    @property
    def winner(self) -> Setting | Want | None:
        """What is wanted in the end."""
        return next((entry.setting for entry in self.entries if entry.wins), None)

    @property
    def is_open(self) -> bool:
        """Whether it comes to something, or bindings differ about it."""
        return any(entry.wins or entry.conflicts for entry in self.entries)


@dataclass(frozen=True, slots=True)
class Told:
    """All that is told of what a name means."""

    answers: tuple[Answer, ...]
    unmet: tuple[NotDone, ...]  # wishes that cannot be met
    quiet: tuple[str, ...]  # wishes that become no setting
    caveats: tuple[str, ...]  # what else comes of the wishes that win


def explain(question: Question, found: Wanted, decision: Decision, driver: str) -> Told:
    """Return what is to be told. `decision` is what a start would do with `found`."""
    said = _Said(question, found, driver)
    answers = list(_answers(said, _Outcome(found, decision, driver)))
    if question.is_all:
        answers = [each for each in answers if each.is_open]
    unmet = tuple(
        each for each in found.unmet if isinstance(each.setting, Setting) or question.means_wish(each.setting)
    )
    by = {answer.winner.by for answer in answers if isinstance(answer.winner, Setting)}
    caveats = [each for each in found.caveats if any(each.startswith(f"{wish}: ") for wish in by if wish)]
    return Told(tuple(answers), unmet, tuple(_quiet(said)), tuple(caveats))


class _Said:
    """What the layers say of what is asked, each layer looked through once."""

    def __init__(self, question: Question, found: Wanted, driver: str) -> None:
        self.question = question
        self.layers = found.layers
        self.driver = driver
        self.covers = [Cover(layer.settings) for layer in self.layers]
        self.at: dict[Address, list[tuple[int, Setting]]] = {}
        for number, layer in enumerate(self.layers):
            for setting in layer.settings:
                if question.means(setting):
                    self.at.setdefault(setting.address, []).append((number, setting))
        self.wide = [_wide(layer) for layer in self.layers]
        self.disputes: dict[Address, list[Dispute]] = {}
        for each in found.disputes:
            for address in {each.one.address, each.other.address}:
                self.disputes.setdefault(address, []).append(each)
        self.unmet = {id(each.setting) for each in found.unmet}
        self.idle = list(self._idle())

    def _idle(self) -> Iterator[tuple[int, Want, tuple[Layer, Setting | Want] | None]]:
        """Give the wishes that became nothing in their layer, and what is said in place of them."""
        site = Site(self.driver, root=self.question.root)
        for number, layer in enumerate(self.layers):
            made = {(setting.by, setting.origin) for setting in layer.settings if setting.by}
            for want in layer.block.wants:
                if (want.wish, want.origin) not in made and not self._is_said_of_each(want, layer):
                    yield number, want, replaced(want, number, self.layers, site)

    def _is_said_of_each(self, want: Want, layer: Layer) -> bool:
        """Tell whether a block says of each device by itself what it says of all."""
        if EVERY not in want.keys:
            return False
        root = self.question.root
        ones = [each for each in layer.block.wants if each.intent is want.intent and each is not want]
        left = meant(want, root).difference(*(meant(each, root) for each in ones))
        return not left

    def over(self, number: int, setting: Setting) -> tuple[Layer, Setting] | None:
        """Return what takes the place of what a layer says: the narrowest that says it, or replaces its family."""
        after = range(len(self.layers) - 1, number, -1)
        later = [each for each in after if lies_over(self.layers[each], self.layers[number])]
        for each in later:
            if other := self.covers[each].said.get(setting.address):
                return self.layers[each], other
        for each in later:
            if other := self.covers[each].of_family(setting):
                return self.layers[each], other
        return None


class _Outcome:
    """What is wanted in the end, and what a start does with it."""

    def __init__(self, found: Wanted, decision: Decision, driver: str) -> None:
        self.wanted = {each.address: each for each in found.tuning}
        self.create = set(decision.create)
        self.reasons = {each.setting: each.reason for each in reversed(decision.not_done)}
        self.driver = driver

    def effect(self, winner: Setting) -> str:
        """Say when it can take effect: at a start, and on the running domain."""
        if reason := self.reasons.get(winner):
            return f"not done: {reason}" + (f"; {REFUSED}" if winner.demanded else "")
        if winner.is_default:
            return f"as {self.driver} has it when nothing is said"
        at = "at creation" if winner in self.create else "set on the running domain at each start"
        if winner.is_ratio:
            at = f"{COUNTED} and sets it on the running domain"
        return f"{at}; {self.driver}: {matrix.sentence(winner.param, self.driver)}"


def _answers(said: _Said, outcome: _Outcome) -> Iterator[Answer]:
    """Give an answer for each setting that is asked about, and for each wish that left no trace in any."""
    shown: set[int] = set()
    for address, here in said.at.items():
        found = [*_entries(here, outcome.wanted.get(address), said), *_gone(here[-1][1], said, shown)]
        found.sort(key=lambda each: -each[0])
        entries = tuple(entry for _, entry in found)
        held = outcome.wanted.get(address) if any(entry.wins for entry in entries) else None
        yield Answer(here[-1][1].name, entries, outcome.effect(held) if held else "")
    for number, want, other in said.idle:
        if other and id(want) not in shown and said.question.means_wish(want):
            entry = Entry(want, said.layers[number], wins=False, why=_why_not(said.layers[number], want, *other))
            yield Answer(want.name, (entry,), "")


def _entries(here: Sequence[tuple[int, Setting]], winner: Setting | None, said: _Said) -> Iterator[tuple[int, Entry]]:
    """Give what every layer says of one setting, narrowest first."""
    over = {number: said.over(number, setting) for number, setting in here}
    left = [(number, setting) for number, setting in here if over[number] is None]
    disputes = said.disputes.get(here[0][1].address, ()) if left else ()
    held = next((number for number, each in left if _same(each, winner)), -1)
    for number, setting in reversed(here):
        layer, other = said.layers[number], over[number]
        if other is not None:
            yield number, Entry(setting, layer, wins=False, why=_why_not(layer, setting, *other))
        elif disputes:
            why = _why_open(setting, disputes)
            yield number, Entry(setting, layer, wins=False, why=why, conflicts=True)
        elif number == held:
            yield number, Entry(setting, layer, wins=True, why=_why_it_wins(number, here, said.layers))
        else:
            yield number, Entry(setting, layer, wins=False, why="another binding of this scope says the same")
        for wide in _wider(setting, said.wide[number], said.question):
            why = f"in one block, what is said of one beats what is said of all: {setting.origin}"
            yield number, Entry(wide, layer, wins=False, why=why)


def _gone(setting: Setting, said: _Said, shown: set[int]) -> Iterator[tuple[int, Entry]]:
    """Give the wishes that would have become this setting, and that another one is in the place of."""
    for number, want, other in said.idle:
        way = want.intent.drivers[said.driver]
        names = way.params if isinstance(way, Way) else ()
        if other and setting.param.name in names and meant(setting, None) <= meant(want, said.question.root):
            shown.add(id(want))
            layer = said.layers[number]
            yield number, Entry(want, layer, wins=False, why=_why_not(layer, want, *other))


def _same(one: Setting, other: Setting | None) -> bool:
    """Tell whether this is the setting that holds: `r` may have been written out for the host since."""
    return other is not None and (one.origin, one.by) == (other.origin, other.by)


def _why_it_wins(number: int, here: Sequence[tuple[int, Setting]], layers: Sequence[Layer]) -> str:
    others = {each for each, _ in here} - {number}
    if not others:
        return "nothing else says it"
    if all(layers[each].scope is layers[number].scope for each in others):
        if all(layers[each].bound == layers[number].bound for each in others):
            return "the last of one list that says it"
        return "the bindings of this scope agree on it"
    return "the narrowest scope that says it"


def _why_not(mine: Layer, said: Setting | Want, layer: Layer, other: Setting | Want) -> str:
    """Say which later layer says it, too, or replaces its family."""
    at = "in the stored definition" if layer.scope is Scope.STORED else f"at {other.origin}"
    if isinstance(said, Setting) and isinstance(other, Setting) and other.address != said.address:
        if other.is_default:
            return f"{other.name} default {at} takes it along"
        return f"{other.name} {at} replaces all of {said.param.family}"
    what = "says it" if other.address == said.address else f"says {other.name}"
    if layer.scope is mine.scope:
        return f"a later one of the same scope {what} {at}"
    where = "" if layer.scope is Scope.STORED else f" {at}"
    return f"a narrower scope, {layer.scope}, {what}{where}"


def _why_open(setting: Setting, disputes: Sequence[Dispute]) -> str:
    """Say which other binding of the scope says something else."""
    others = [each.other for each in disputes if each.one == setting and each.one.origin == setting.origin]
    other = (others or [disputes[0].one])[0]
    name = "" if other.address == setting.address else f"{other.name} "
    return f"another binding of this scope says {name}{other.said} at {other.origin}, so a start is refused"


def _wide(layer: Layer) -> tuple[dict[str, list[Setting]], list[Want]]:
    """Return what a block says of all: the settings by parameter, and the wishes."""
    settings: dict[str, list[Setting]] = {}
    for each in layer.block.settings:
        if EVERY in each.keys or ALL in each.keys:
            settings.setdefault(each.param.name, []).append(each)
    return settings, [want for want in layer.block.wants if EVERY in want.keys]


def _wider(
    setting: Setting, wide: tuple[dict[str, list[Setting]], list[Want]], question: Question
) -> Iterator[Setting]:
    """Give what the same block says of all, and what a setting of one of them took the place of."""
    settings, wants = wide
    for each in settings.get(setting.param.name, ()):
        if (each.text, each.origin) != (setting.text, setting.origin):
            yield each
    for want in wants:
        is_of = setting.param.name in want.intent.params and setting.by != want.wish
        if is_of and setting.keys[0] in meant(want, question.root):
            yield want.sets(setting.param.name, want.text, *setting.keys[1:])


def _quiet(said: _Said) -> Iterator[str]:
    """Say what becomes no setting: it is met by others, there is nothing to do, or no such device."""
    for _, want, other in said.idle:
        if other is None and id(want) not in said.unmet and said.question.means_wish(want):
            lacks = bool(want.keys) and _is_of_none(want, said.question)
            why = "the domain has no such device" if lacks else f"no setting of its own comes of it on {said.driver}"
            yield f"{want.wish} at {want.origin}: {why}"
    for settings in (each for wide, _ in said.wide for each in wide.values()):
        for each in settings:
            if each.param.device and _is_of_none(each, said.question) and said.question.means(each):
                yield f"{each.name} {each.said} at {each.origin}: the domain has no such device"


def _is_of_none(said: Setting | Want, question: Question) -> bool:
    row = said.param if isinstance(said, Setting) else PARAMS[min(said.intent.params)]
    return not called(tag_of(row), said.keys[0], question.root)


def page(intent: Intent, driver: str | None = None) -> Iterator[str]:
    """Give all that is known of one wish, line by line."""
    yield intent.name
    yield f"  {intent.help}"
    yield f"  value:    {intent.kind.describe()}"
    yield f"  example:  {example(intent)}"
    if intent.later:
        yield f"  refused:  {intent.later}"
        return
    for name in [driver] if driver else DRIVERS:
        yield f"  {name + ':':<9} {becomes(intent, name)}"


def becomes(intent: Intent, driver: str) -> str:
    """Say what a wish becomes on one driver, or why it cannot be met there."""
    way = intent.drivers[driver]
    if not isinstance(way, Way):
        return f"not done: {way}"
    return "; ".join(filter(None, [", ".join(way.params) or "nothing of its own", way.caveat]))


def example(intent: Intent) -> str:
    """Return the wish as a line of a profile's `want:` block."""
    name = f"{intent.device}[*]{intent.name[len(intent.device) :]}" if intent.device else intent.name
    return f"{name}: {intent.example}"
