"""Compare what was wanted with what is found, by effect: absent, the default and an explicit default are the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from domtune.expand import canonical, iothreads, key_ids
from domtune.kinds import Size
from domtune.tree import Element
from domtune.tuning import Setting

_PAGE = 64 * 1024  # bytes: the largest that any kernel with libvirt counts in


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that does not hold, and what was found instead (None: nothing)."""

    wanted: Setting
    found: str | None

    def __str__(self) -> str:
        there = "nothing" if self.found is None else self.found
        return f"{self.wanted.name}: wanted {self.wanted.said}, found {there}"


def differences(wanted: Sequence[Setting], found: Sequence[Setting], root: Element, driver: str) -> list[Difference]:
    """Return what of `wanted` does not hold in `found`, which was read off the domain `root`."""
    there = {address: setting for setting in found for address in _addresses(setting)}
    threads = iothreads(found, root)
    missing = []
    for setting in canonical(wanted, root):
        if setting.param.name == "iothread.ids" and not setting.is_default:
            if not key_ids(setting.keys[0]) <= threads:
                missing.append(Difference(setting, None))
            continue
        for address in _addresses(setting):
            held = there.get(address)
            if not _holds(setting, held, driver, root):
                missing.append(Difference(setting, None if held is None else held.said))
                break
    return missing


def same(one: Setting, other: Setting) -> bool:
    """Tell whether two settings of one parameter mean the same."""
    return one.value == other.value if one.value is not None else one.text == other.text


def reads(wanted: Setting, said: str | None) -> bool:
    """Tell whether what a getter says is what was wanted; it writes a number where XML has none.

    Of amounts of memory a getter says what the kernel made of them, which is a whole number of pages.
    """
    if said is None:
        return False
    kind, value = wanted.param.kind_of(wanted.keys), wanted.value
    try:
        found = kind.parse(said)
    except ValueError:
        return False
    if isinstance(kind, Size) and isinstance(value, int) and isinstance(found, int):
        return found <= value < found + _PAGE
    return found == value


def _addresses(setting: Setting) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Give what a setting sets; a key that is a set of ids speaks of each id (libvirt splits vcpusched so)."""
    forms = setting.param.key_forms
    spread = [n for n, form in enumerate(forms) if form.endswith("*")]
    if not spread or len(forms) > 1:
        keys = tuple(_same_set(form, key) for form, key in zip(forms, setting.keys, strict=False))
        yield setting.param.name, keys + setting.keys[len(keys) :]
        return
    for number in sorted(key_ids(setting.keys[0])):
        yield setting.param.name, (number,)


def _same_set(form: str, key: str) -> object:
    return key_ids(key) if form.endswith("*") else key


def _holds(wanted: Setting, found: Setting | None, driver: str, root: Element) -> bool:
    values = _nothing(wanted, driver, root)
    if found is None:
        return wanted.is_default or wanted.value in values
    if wanted.is_default:
        return found.value in values
    return wanted.value is not None and found.value == wanted.value


def _nothing(setting: Setting, driver: str, root: Element) -> set[object]:
    """Return the values of a row that mean the same as saying nothing in the domain `root`."""
    fact = setting.param.fact(driver)
    kind = setting.param.kind_of(setting.keys)
    whole = root.find(setting.param.absent) if setting.param.absent else None
    texts: Iterable[tuple[str | None, str | None]] = (
        (fact.default if fact else None, None),
        (fact.unset if fact else None, None),
        (getattr(kind, "unlimited", None), None),
        *((text, None) for text in setting.param.implied),
        (None, None) if whole is None else ((whole.text or "").strip(), whole.get("unit")),
    )
    values: set[object] = set()
    for text, unit in texts:
        if text is not None:
            try:
                values.add(kind.parse(text, unit))
            except ValueError:
                continue
    return values
