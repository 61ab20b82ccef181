"""What is wrong with values, without knowing host or domain: each by itself, and those that do not go together."""

from __future__ import annotations

from domtune.keys import ALL
from domtune.tuning import Tuning
from domtune.values import parse_ids


def judge(settings: Tuning) -> list[str]:
    """Return what is wrong with the values, one line each, without knowing host or domain."""
    problems = []
    for setting in settings:
        if setting.is_default:
            continue
        try:
            setting.param.kind_of(setting.keys).judge(setting.text, setting.unit)
        except ValueError as error:
            problems.append(f"{setting.origin}: {setting.name}: {error}")
    return problems + _overlaps(settings)


def _overlaps(settings: Tuning) -> list[str]:
    """Return the keys that are sets of ids and share some: libvirt refuses them."""
    problems = []
    owners: dict[tuple[object, ...], dict[int, str]] = {}
    for setting in settings:
        form = setting.param.key_forms[:1]
        if not form or not form[0].endswith("*") or setting.is_default or setting.keys[0] == ALL:
            continue
        key, ids = setting.keys[0], sorted(parse_ids(setting.keys[0]))
        twins = owners.setdefault((setting.param, *setting.keys[1:]), {})
        others = dict.fromkeys(twins[each] for each in ids if twins.get(each, key) != key)
        problems += [f"{setting.origin}: {setting.name}: shares ids with {other}; say each once" for other in others]
        twins |= dict.fromkeys(ids, key)
    return problems
