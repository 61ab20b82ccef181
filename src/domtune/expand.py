"""Settings that speak of many at once: disk[*], and keys `all`. Written out for one definition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from domtune.devices import EVERY, select, selectors
from domtune.tree import Element
from domtune.tuning import Setting
from domtune.values import format_ids, parse_ids

ALL = "all"


def sayable(key: str, form: str) -> str | None:
    """Return a key as it stands in the XML if a profile can say it under a row of this form, else None."""
    if not key.strip() or key == ALL:
        return None
    if form.endswith("*"):
        try:
            parse_ids(key)
        except ValueError:
            return None
    elif form.startswith("@") and "," not in form and form != "@name" and not key.isdecimal():
        return None
    return key


def concrete(settings: Sequence[Setting], root: Element, problems: list[str]) -> list[Setting]:
    """Return the settings with every ``*`` and ``all`` written out for this definition.

    What is said of one device or id beats what is said of all, whatever the order. What cannot be written out is
    added to `problems`.
    """
    if not any(EVERY in setting.keys or ALL in setting.keys for setting in settings):
        return list(settings)
    said = {setting.address for setting in settings}
    found: list[Setting] = []
    for setting in settings:
        wide = EVERY in setting.keys or ALL in setting.keys
        if wide:
            each = _written_out(setting, settings, root, problems)
            found.extend(one for one in each if one.address not in said)
        else:
            found.append(setting)
    return found


def canonical(settings: Iterable[Setting], root: Element) -> list[Setting]:
    """Return the settings with every device called by the name that split would give it: disk[0] becomes disk[vda]."""
    names: dict[str, tuple[list[Element], list[str]]] = {}
    found = []
    for setting in settings:
        steps = setting.param.paths[0].steps if setting.param.paths else ()
        tag = next((step.tag for step in steps if step.key.startswith("?")), "")
        if tag and tag not in names:
            devices = list(root.iterfind(f"devices/{tag}"))
            names[tag] = (devices, selectors(devices))
        if tag and setting.keys[0] != EVERY:
            devices, called = names[tag]
            chosen = select(devices, setting.keys[0])
            key = called[devices.index(chosen[0])] if chosen else setting.keys[0]
            found.append(replace(setting, keys=(key, *setting.keys[1:])) if key != setting.keys[0] else setting)
        else:
            found.append(setting)
    return found


def _written_out(
    setting: Setting, settings: Sequence[Setting], root: Element, problems: list[str]
) -> Iterable[Setting]:
    path = setting.param.paths[0]
    some = [setting]
    for place, step in enumerate(path.key_steps):
        if setting.keys[place] == EVERY and step.key.startswith("?"):
            devices = list(root.iterfind(f"devices/{step.tag}"))
            chosen = select(devices, EVERY)
            keys = [name for device, name in zip(devices, selectors(devices), strict=True) if device in chosen]
        elif setting.keys[place] == ALL:
            keys = _ids(step.key, settings, root)
        else:
            continue
        if not keys and setting.keys[place] == ALL:
            problems.append(f"{setting.origin}: {setting.name}: this definition has none that all could mean")
        some = [replace(one, keys=(*one.keys[:place], key, *one.keys[place + 1 :])) for one in some for key in keys]
    return some


def _ids(key: str, settings: Sequence[Setting], root: Element) -> list[str]:
    """Return every id that a key of this form can have in the definition."""
    if key in {"@vcpu", "@vcpus*"}:
        ids = range(_number(root.findtext("vcpu")) or 1)
    elif key in {"@iothread", "@iothreads*"} or (key == "@id" and root.find("iothreads") is not None):
        return _set_or_each(key, sorted(iothreads(settings, root)))
    elif key in {"@cellid", "@id#"}:
        ids = range(sum(1 for _ in root.iterfind("cpu/numa/cell")))
    else:
        return []
    return _set_or_each(key, ids)


def iothreads(settings: Iterable[Setting], root: Element) -> set[int]:
    """Return the ids of the IOThreads that a domain has, by its definition and its tuning."""
    ids = {int(text) for each in root.iterfind("iothreadids/iothread") if (text := each.get("id") or "").isdecimal()}
    count = _number(root.findtext("iothreads"))
    for setting in settings:
        if setting.param.name == "iothread.ids":
            ids |= parse_ids(setting.keys[0]) if setting.keys else set()
        elif setting.param.name == "iothread.count" and setting.text.isdecimal():
            count = max(count, int(setting.text))
    number = 1
    while len(ids) < count:  # libvirt fills up with the lowest ids that are free
        ids.add(number)
        number += 1
    return ids


def _set_or_each(key: str, ids: Iterable[int]) -> list[str]:
    return [format_ids(ids)] if key.endswith("*") else [str(number) for number in ids]


def _number(text: str | None) -> int:
    return int(text) if text and text.strip().isdecimal() else 0
