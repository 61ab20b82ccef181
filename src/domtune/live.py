"""Settings on a running domain: which call of libvirt they become, and how they are read back there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domtune.connection import Domain
from domtune.errors import Failed, Refused
from domtune.intents import cpu_weight
from domtune.kinds import ALL_CPUS, Size
from domtune.tuning import RATIO, Setting
from domtune.values import parse_ids, scale
from domtune.vocabulary.model import Call, Fact, Flags, Live, Read, Type

_NUMBERED = {"iothread", "vcpu"}  # what a call takes as a number


def apply(domain: Domain, settings: Iterable[Setting]) -> None:
    """Set these settings on the running domain: what belongs to one call goes out in one call, in the table's order.

    Raises `Failed` with libvirt's reason at the first call that does not work. A call with several parameters is not
    atomic in libvirt: earlier ones may hold.
    """
    driver = domain.connection.driver.name
    calls: dict[tuple[Call, str, object], list[tuple[Live, Setting]]] = {}
    for way, setting in sorted(((_way(each, driver), each) for each in settings), key=lambda each: each[0].rank):
        calls.setdefault(_batch(way, setting), []).append((way, setting))
    for (call, target, _), group in calls.items():
        _send(domain, call, target, group)


def counted(domain: Domain, setting: Setting) -> Setting:
    """Return a setting with its number, where that is so many times what the running domain has by itself.

    Raises `Failed` if the domain does not tell what it has, or the number is out of range.
    """
    if not setting.is_ratio:
        return setting
    way = _way(setting, domain.connection.driver.name)
    said = domain.read(binding_name(way.call.get or ""), *_target(way.call, ""))
    normal = int(said.get(way.field) or 0)
    least, most = cpu_weight.limits(normal)
    number = cpu_weight.scaled(setting.text.removeprefix(RATIO), normal)
    if not least <= number <= most:
        times = f"{setting.text.removeprefix(RATIO)} times the normal {normal}"
        raise Failed(f"{domain.name}: {setting.by}: {times} is {number}, and it must be {least} to {most}")
    return setting._replace(text=str(number))


def _way(setting: Setting, driver: str) -> Live:
    fact = setting.param.fact(driver)
    if fact is None or fact.live is None:
        raise Refused(f"{setting.name}: {driver} cannot change it on a running domain")
    return fact.live


def _batch(way: Live, setting: Setting) -> tuple[Call, str, object]:
    target = setting.keys[0] if way.call.takes in {"disk", "net", "iothread", "vcpu"} else ""
    return way.call, target, None if way.call.group else setting


def _send(domain: Domain, call: Call, target: str, group: list[tuple[Live, Setting]]) -> None:
    method = binding_name(call.set)
    way, setting = group[0]
    live = way.flags is not Flags.NONE
    if way.type is not Type.PLAIN:
        params = {way.field: typed(way.type, setting) for way, setting in group}
        domain.typed(method, *_target(call, target), params=params, live=live)
    elif method.startswith("pin"):
        cpus = domain.connection.host_cpus() if setting.text == ALL_CPUS else parse_ids(setting.text)
        domain.pin(method, *([int(target)] if target else []), cpus=cpus, live=live)
    elif call.takes == "domain":
        domain.plain(method, _number(setting), live=live)
    else:
        raise Refused(f"{setting.name}: changing it on a running domain is not built yet")


def _target(call: Call, target: str) -> tuple[object, ...]:
    if call.takes in _NUMBERED:
        return (int(target),)
    return (target,) if target else ()


def typed(type_: Type, setting: Setting) -> object:
    """Return the value of a setting as libvirt's typed parameter takes it."""
    if type_ is Type.STRING:
        return setting.text
    if type_ is Type.BOOLEAN:
        return setting.value in {True, "yes", "on"}
    return _number(setting)


def _number(setting: Setting) -> int:
    """Return the number in the unit that libvirt counts in."""
    value, kind = setting.value, setting.param.kind_of(setting.keys)
    if not isinstance(value, int):
        raise Refused(f"{setting.name}: {setting.said} is no number, which the call takes")
    return value // scale(kind.unit) if isinstance(kind, Size) else value


def binding_name(function: str) -> str:
    """Return the method of libvirt-python's virDomain for a function of the C API (generator.py: nameFixup)."""
    name = function.removeprefix("virDomain")
    name = name.removeprefix("Get") if name.startswith("Get") else name
    return name[0].lower() + name[1:]


def read_from(setting: Setting, driver: str) -> Read:
    """Tell where the running domain says what the value is; that there is none, only its XML says."""
    fact = setting.param.fact(driver)
    return Read.XML if fact is None or setting.is_default else fact.read


def read_back(domain: Domain, settings: Iterable[Setting]) -> Iterator[tuple[Setting, str | None]]:
    """Give what the running domain says of settings, by its statistics or its getters."""
    driver = domain.connection.driver.name
    stats: dict[str, object] | None = None
    for setting in settings:
        fact = setting.param.fact(driver)
        way = _way(setting, driver)
        if fact is not None and fact.read is Read.STATS:
            stats = domain.stats() if stats is None else stats
            found = stats.get(_stat(setting, way))
        else:
            found = _getter(domain, fact, way, setting)
        yield setting, None if found is None else str(found)


def _stat(setting: Setting, way: Live) -> str:
    return f"iothread.{setting.keys[0]}.{way.field.replace('_', '-')}"


def _getter(domain: Domain, fact: Fact | None, way: Live, setting: Setting) -> object:
    if fact is None or way.call.get is None or way.type is Type.PLAIN:
        return None
    found = domain.read(binding_name(way.call.get), *_target(way.call, setting.keys[0] if setting.keys else ""))
    return found.get(way.field) if isinstance(found, dict) else None
