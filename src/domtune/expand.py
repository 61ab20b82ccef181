"""Settings that speak of many at once: disk[*], and keys `all`. Written out for one definition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domtune.devices import EVERY, select, selectors
from domtune.keys import ALL
from domtune.tree import Element
from domtune.tuning import Setting
from domtune.values import MAX_CPUS, format_ids, parse_ids
from domtune.vocabulary.model import Param

_VCPUS = {"@vcpu", "@vcpus*"}  # forms of keys whose ids the definition tells
_THREADS = {"@iothread", "@iothreads*", "iothread@id"}
_CELLS = {"@cellid", "@id#"}


def concrete(
    settings: Sequence[Setting], root: Element, problems: list[str], *, among: Sequence[Setting] = ()
) -> list[Setting]:
    """Return the settings with every ``*`` and ``all`` written out for this definition.

    What is said of one device or id beats what is said of all, whatever the order. What cannot be written out is
    added to `problems`. `among` are the settings of all layers, where these are one of several: they tell which
    IOThreads there are.
    """
    if not any(EVERY in setting.keys or ALL in setting.keys for setting in settings):
        return list(settings)
    by_name = canonical(settings, root)
    said = {setting.address for setting in by_name}
    found: list[Setting] = []
    for setting in by_name:
        wide = EVERY in setting.keys or ALL in setting.keys
        if wide and setting.is_default and not setting.param.device:
            every = [*_said_below(setting, among or settings), *_written_out(setting, among or settings, root, [])]
            kept = [setting] if not every and _replaces_the_unlisted(setting) else []
            found.extend(one for one in dict.fromkeys([*every, *kept]) if one.address not in said or one in kept)
        elif wide:
            each = _written_out(setting, among or settings, root, problems)
            found.extend(one for one in each if one.address not in said)
        else:
            found.append(setting)
    return found


def canonical(settings: Iterable[Setting], root: Element) -> list[Setting]:
    """Return the settings with every device called by the name that split would give it: disk[0] becomes disk[vda]."""
    names: dict[str, tuple[list[Element], list[str]]] = {}
    found = []
    for setting in settings:
        tag = tag_of(setting.param)
        if tag and tag not in names:
            devices = list(root.iterfind(f"devices/{tag}"))
            names[tag] = (devices, selectors(devices))
        if tag and setting.keys[0] != EVERY:
            devices, known = names[tag]
            chosen = select(devices, setting.keys[0])
            key = known[devices.index(chosen[0])] if chosen else setting.keys[0]
            found.append(setting._replace(keys=(key, *setting.keys[1:])) if key != setting.keys[0] else setting)
        else:
            found.append(setting)
    return found


def _replaces_the_unlisted(setting: Setting) -> bool:
    """Tell whether a default replaces a family whose keys only other layers know, so that it must stay to do so."""
    param = setting.param
    wide = [place for place, key in enumerate(setting.keys) if key == ALL]
    return bool(param.family) and any(_form(param, place) not in _VCPUS | _THREADS | _CELLS for place in wide)


def _said_below(setting: Setting, settings: Iterable[Setting]) -> Iterable[Setting]:
    """Give the default of everything that any layer says of a row, whatever its keys."""
    for other in settings:
        is_meant = all(own in {ALL, key} for own, key in zip(setting.keys, other.keys, strict=False))
        if other.param is setting.param and is_meant and ALL not in other.keys:
            yield setting._replace(keys=other.keys)


def device_of(setting: Setting, root: Element) -> Element | None:
    """Return the device of the definition that a setting speaks of, if it speaks of one that is there."""
    steps = setting.param.paths[0].steps if setting.param.paths else ()
    if len(steps) < 2 or steps[0].tag != "devices":
        return None
    devices = list(root.iterfind(f"devices/{steps[1].tag}"))
    found = select(devices, setting.keys[0]) if steps[1].is_device else devices
    return found[0] if len(found) == 1 else None


def _written_out(
    setting: Setting, settings: Sequence[Setting], root: Element, problems: list[str]
) -> Iterable[Setting]:
    steps = setting.param.paths[0].key_steps if setting.param.paths else ()
    some = [setting]
    for place, form in enumerate(setting.param.key_forms):
        tag = steps[place].tag if place < len(steps) else ""
        if setting.keys[place] == EVERY and form.startswith("?"):
            keys = called(tag, EVERY, root)
        elif setting.keys[place] == ALL:
            keys = _ids(_form(setting.param, place), settings, root)
        else:
            continue
        if not keys and setting.keys[place] == ALL and not setting.by:  # a wish means as many as there are
            problems.append(f"{setting.origin}: {setting.name}: this definition has none that all could mean")
        some = [one._replace(keys=(*one.keys[:place], key, *one.keys[place + 1 :])) for one in some for key in keys]
    return some


def called(tag: str, selector: str, root: Element) -> list[str]:
    """Return what split calls the devices of a tag that a selector means."""
    devices = list(root.iterfind(f"devices/{tag}"))
    chosen = select(devices, selector)
    return [name for device, name in zip(devices, selectors(devices), strict=True) if device in chosen]


def tag_of(param: Param) -> str:
    """Return the tag of the devices that a row is about, "" if it is about none."""
    steps = param.paths[0].steps if param.paths else ()
    return next((step.tag for step in steps if step.key.startswith("?")), "")


def ids_there(
    param: Param, place: int, settings: Iterable[Setting], root: Element
) -> tuple[str, frozenset[int]] | None:
    """Return what the ids of a key are called, and those that the domain has; None where a key is no such id."""
    form = _form(param, place)
    if form in _VCPUS:
        return "vCPU", frozenset(vcpus(root))
    if form in _THREADS:
        return "IOThread", frozenset(iothreads(settings, root))
    return ("guest node", frozenset(_cells(root))) if form in _CELLS else None


def _form(param: Param, place: int) -> str:
    """Return the form of a key; with the element before it where that says what the ids are of."""
    steps = param.paths[0].key_steps if param.paths else ()
    form = param.key_forms[place]
    return f"{steps[place].tag}{form}" if form == "@id" else form


def _ids(key: str, settings: Sequence[Setting], root: Element) -> list[str]:
    """Return every id that a key of this form can have in the definition."""
    if key in _VCPUS:
        ids = vcpus(root)
    elif key in _THREADS:
        return _set_or_each(key, sorted(iothreads(settings, root)))
    elif key in _CELLS:
        ids = _cells(root)
    else:
        return []
    return _set_or_each(key, ids)


def _cells(root: Element) -> range:
    return range(sum(1 for _ in root.iterfind("cpu/numa/cell")))


def vcpus(root: Element) -> range:
    """Return the ids of the vCPUs that a domain has at most."""
    return range(_number(root.findtext("vcpu")) or 1)


def iothreads(settings: Iterable[Setting], root: Element) -> set[int]:
    """Return the ids of the IOThreads that a domain has, by its definition and its tuning."""
    ids = {number for each in root.iterfind("iothreadids/iothread") for number in key_ids(each.get("id") or "")}
    count = _number(root.findtext("iothreads"))
    for setting in settings:
        if setting.param.name == "iothread.count":
            count = max(count, _number(setting.text))
        elif setting.param.family == "iothread" and not setting.is_default:
            ids |= key_ids(setting.keys[0])
    number = 1
    while len(ids) < count:  # libvirt fills up with the lowest ids that are free
        ids.add(number)
        number += 1
    return ids


def key_ids(key: str) -> frozenset[int]:
    """Return the ids that a key means: one number, or a list; none for anything else."""
    if _is_number(key):
        return frozenset({int(key)})
    try:
        return parse_ids(key)
    except ValueError:
        return frozenset()


def _set_or_each(key: str, ids: Iterable[int]) -> list[str]:
    return [format_ids(ids)] if key.endswith("*") else [str(number) for number in ids]


def _number(text: str | None) -> int:
    """Return how many there are; ids from `MAX_CPUS` on cannot be listed, so that no more are counted."""
    digits = (text or "").strip()[:20]
    return min(int(digits), MAX_CPUS) if _is_number(digits) else 0


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 20
