"""Why a value is what it is: every layer that speaks of it, which of them wins, and what the driver makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from domtune import matrix
from domtune.devices import EVERY
from domtune.intents import INTENTS
from domtune.intents.model import Intent, Want, Way
from domtune.keys import ALL
from domtune.layers import Layer, Scope, lies_over
from domtune.lifecycle import Decision, NotDone
from domtune.pipeline import Wanted
from domtune.profileset import parted
from domtune.tuning import Setting
from domtune.vocabulary.model import DRIVERS


@dataclass(frozen=True, slots=True)
class Entry:
    """What one layer says of a setting, and what becomes of it."""

    setting: Setting
    layer: Layer
    wins: bool
    why: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One setting: all layers that say it, narrowest first, and when what is wanted can take effect."""

    name: str
    entries: tuple[Entry, ...]
    effect: str

    @property
    def winner(self) -> Setting | None:
        """What is wanted in the end."""
        return next((entry.setting for entry in self.entries if entry.wins), None)


def answers(name: str, found: Wanted, decision: Decision, driver: str) -> list[Answer]:
    """Return an answer for each setting that `name` means: a parameter, the beginning of several, or a wish.

    `decision` is what a start would do with `found`.
    """
    wanted = {each.address: each for each in found.tuning}
    meant: dict[tuple[str, tuple[str, ...]], Setting] = {}
    for setting in (each for layer in found.layers for each in layer.settings):
        if _is_meant(setting, name):
            meant[setting.address] = setting
    return [
        Answer(
            setting.name,
            tuple(_entries(setting, wanted.get(address), found.layers)),
            _effect(wanted.get(address), decision, driver),
        )
        for address, setting in meant.items()
    ]


def unmet(name: str, found: Wanted) -> list[NotDone]:
    """Return the wishes that `name` means and that cannot be met."""
    plain = parted(name)[0]
    return [
        each
        for each in found.unmet
        if _begins(each.setting.name, name)
        or each.setting.param.name == plain
        or (isinstance(each.setting, Want) and name in each.setting.intent.params)
    ]


def caveats(found: Iterable[Answer], wanted: Wanted) -> list[str]:
    """Return what else comes of the wishes that win in these answers."""
    wishes = {answer.winner.by for answer in found if answer.winner is not None and answer.winner.by}
    return [each for each in wanted.caveats if any(each.startswith(f"{wish}: ") for wish in wishes)]


def quiet(name: str, found: Wanted, driver: str) -> list[str]:
    """Say which wishes that `name` means become no setting: they are met by others, or there is nothing to do."""
    made = {setting.by for layer in found.layers for setting in layer.settings}
    unmet = {each.setting.name for each in found.unmet}
    wants = (want for layer in found.layers for want in layer.block.wants)
    return [
        f"{want.wish} at {want.origin}: no setting of its own comes of it on {driver}"
        for want in wants
        if want.wish not in made
        and want.name not in unmet
        and any(_begins(each, name) for each in (want.name, want.param.name))
    ]


def _is_meant(setting: Setting, name: str) -> bool:
    plain, _, selector = parted(name)
    if (intent := INTENTS.get(plain)) and setting.param.name in intent.params:
        return not selector or selector in {EVERY, *setting.keys[:1]}
    wish = setting.by.partition(" ")[0]
    return any(_begins(each, name) for each in (setting.name, setting.param.name, wish) if each)


def _begins(name: str, asked: str) -> bool:
    return name == asked or name.startswith((f"{asked}.", f"{asked}["))


def _entries(asked: Setting, winner: Setting | None, layers: Sequence[Layer]) -> Iterator[Entry]:
    """Give what every layer says of it, narrowest first."""
    said = [(number, each) for number, layer in enumerate(layers) for each in layer.settings]
    here = [(number, each) for number, each in said if each.address == asked.address]
    held = next((number for number, each in reversed(here) if each is winner or _same(each, winner)), None)
    for number, setting in reversed(here):
        if number == held:
            yield Entry(setting, layers[number], wins=True, why=_why_it_wins(number, here, layers))
        else:
            yield Entry(setting, layers[number], wins=False, why=_why_not(number, setting, said, layers))
        for wide in _wider(setting, layers[number]):
            why = f"in one block, what is said of one beats what is said of all: {setting.origin}"
            yield Entry(wide, layers[number], wins=False, why=why)


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


def _why_not(number: int, setting: Setting, said: Iterable[tuple[int, Setting]], layers: Sequence[Layer]) -> str:
    """Say which later layer says it too, or replaces its family."""
    mine = layers[number]
    later = [(layers[each], other) for each, other in said if each > number and lies_over(layers[each], mine)][::-1]
    for layer, other in later:
        if other.address == setting.address and layer.scope is mine.scope:
            return f"a later one of the same scope says it {_at(layer, other)}"
        if other.address == setting.address:
            where = "" if layer.scope is Scope.STORED else f" {_at(layer, other)}"
            return f"a narrower scope, {layer.scope}, says it{where}"
    for layer, other in later:
        if setting.param.family and other.family == setting.family:
            return f"{other.name} {_at(layer, other)} replaces all of {setting.param.family}"
    return "another binding of this scope says the same"


def _at(layer: Layer, setting: Setting) -> str:
    return f"at {setting.origin}" if layer.scope is not Scope.STORED else "in the stored definition"


def _wider(setting: Setting, layer: Layer) -> Iterator[Setting]:
    """Give what the same block says of all, and what a setting of one of them took the place of."""
    for each in layer.block.settings:
        is_wide = EVERY in each.keys or ALL in each.keys
        if is_wide and each.param is setting.param and (each.text, each.origin) != (setting.text, setting.origin):
            yield each
    for want in layer.block.wants:
        if EVERY in want.keys and setting.param.name in want.intent.params and setting.by != want.wish:
            yield want.sets(setting.param.name, want.text, *setting.keys[1:])


def _effect(winner: Setting | None, decision: Decision, driver: str) -> str:
    """Say when it can take effect: at a start, and on the running domain."""
    if winner is None:
        return ""
    if reason := next((each.reason for each in decision.not_done if each.setting == winner), None):
        return f"not done: {reason}"
    if winner.is_default:
        return f"as {driver} has it when nothing is said"
    at = "at creation" if winner in decision.create else "set on the running domain at each start"
    return f"{at}; {driver}: {matrix.sentence(winner.param, driver)}"


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
