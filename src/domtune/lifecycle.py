"""Which tuning is given at creation, which afterwards, which not at all: read off the table for one driver."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domtune.errors import Refused
from domtune.expand import device_of, iothreads, key_ids, vcpus
from domtune.host import Host
from domtune.intents.model import Want
from domtune.kinds import ALL_CPUS, Ids
from domtune.tree import Element
from domtune.tuning import Setting, Tuning
from domtune.values import format_ids, parse_ids
from domtune.vocabulary.drivers import Driver
from domtune.vocabulary.model import Cannot, Fact, Reason

LIVE_ONLY = "stands in no domain XML; start applies it to the running domain"
UNKNOWN = "stands in no domain XML; start applies it where the driver can"
COUNTED = "how the host counts it, by cgroup version 1 or 2, is not known; start finds out"


@dataclass(frozen=True, slots=True)
class NotDone:
    """A setting, or a wish, that this driver, daemon or host cannot meet, and why."""

    setting: Setting | Want
    reason: str

    def __str__(self) -> str:
        by = self.setting.by if isinstance(self.setting, Setting) else ""
        return f"{self.setting.name}{f', for {by}' if by else ''}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done with each setting at a start."""

    create: tuple[Setting, ...] = ()  # in the XML that the domain is created from
    after: tuple[Setting, ...] = ()  # on the running domain, before its CPUs run where the driver can wait
    not_done: tuple[NotDone, ...] = ()


def decide(settings: Sequence[Setting], driver: Driver, *, session: bool, root: Element | None = None) -> Decision:
    """Return where each setting goes at a start with this driver.

    `session` says that the daemon has no privileges, hence no cgroups. The definition `root`, where it is known, says
    which IOThreads there are to be tuned.
    """
    lonely = root is not None and not iothreads(settings, root)
    create: list[Setting] = []
    after: list[Setting] = []
    not_done: list[NotDone] = []
    for setting in settings:
        fact = setting.param.drivers[driver.name]
        if setting.is_default:
            if setting.param.paths:
                create.append(
                    setting
                )  # nothing may say otherwise; what stands in no XML is as the driver has it anyway
        elif reason := _why_not(setting, fact, settings, driver, root):
            not_done.append(NotDone(setting, reason))
        elif session and (lacking := _lacking_in_session(setting, settings, driver)):
            reason = f"needs {lacking}, and a session daemon has none; use the system daemon"
            not_done.append(NotDone(setting, reason))
        elif lonely and _is_of_iothreads(setting, fact):
            not_done.append(NotDone(setting, "the domain has no IOThread"))
        elif setting.is_ratio:
            after.append(setting)
        elif isinstance(fact, Fact) and fact.at_create and setting.param.paths:
            create.append(setting)
        else:
            after.append(setting)
    return Decision(tuple(create), tuple(after), tuple(not_done))


def refuse_lacking(name: str, not_done: Iterable[NotDone]) -> None:
    """Raise `Refused` if something that is demanded of a domain cannot be done."""
    if lacking := [each for each in not_done if each.setting.demanded]:
        raise Refused("\n".join(f"{name}: required, but cannot be done: {each}" for each in lacking))


def storable(decision: Decision) -> tuple[Setting, ...]:
    """Return what domain XML can say of what the driver honours, be it only on the running domain."""
    return (*decision.create, *in_xml(decision.after))


def left_to_start(decision: Decision) -> list[NotDone]:
    """Return what the driver honours and no domain XML can say."""
    outside = (each for each in decision.after if not _is_in_xml(each))
    return [NotDone(each, COUNTED if each.is_ratio else LIVE_ONLY) for each in outside]


def outside_xml(settings: Sequence[Setting], driver: Driver | None, *, session: bool) -> list[NotDone]:
    """Return what no domain XML can say, and what the driver, where it is known, makes of it."""
    if driver is None:
        unsaid = (each for each in settings if not each.is_default and not _is_in_xml(each))
        return [NotDone(each, COUNTED if each.is_ratio else UNKNOWN) for each in unsaid]
    decision = decide(settings, driver, session=session)
    in_vain = [each for each in decision.not_done if isinstance(each.setting, Setting) and not _is_in_xml(each.setting)]
    return [*left_to_start(decision), *in_vain]


def in_xml(settings: Iterable[Setting]) -> tuple[Setting, ...]:
    """Return the settings that domain XML can say."""
    return tuple(each for each in settings if _is_in_xml(each))


def _is_in_xml(setting: Setting) -> bool:
    return bool(setting.param.paths) and not setting.is_ratio


def idle(
    decision: Decision,
    stored: Tuning,
    driver: Driver,
    *,
    session: bool,
    before: Collection[Setting] = (),
) -> tuple[Setting, ...]:
    """Return what a stored definition says in vain and may go on saying: the driver takes it and does nothing.

    So it may with what it said `before`, which libvirt had then.
    """
    not_done = [each.setting for each in decision.not_done if isinstance(each.setting, Setting)]
    settings = [*decision.create, *decision.after, *not_done]
    own = (each for each in not_done if each in stored.settings and each.param.paths)
    kept = [each for each in own if not session or not _lacking_in_session(each, settings, driver)]
    return tuple(each for each in not_done if each in before or each in kept)


def telling(settings: Iterable[Setting], below: Iterable[Setting]) -> tuple[Setting, ...]:
    """Return the settings without each `default` that took nothing away of what is said `below` it."""
    said = {each.address for each in below if not each.is_default}
    return tuple(each for each in settings if not each.is_default or each.address in said)


def _why_not(
    setting: Setting, fact: Fact | Cannot, settings: Sequence[Setting], driver: Driver, root: Element | None
) -> str:
    if isinstance(fact, Cannot):
        how = "" if fact.how is Reason.NO_API else f"{fact.how}: "
        return f"{driver.name}: {how}{fact.why}"
    if not fact.at_create and fact.live is not None and not fact.live.paused:
        return f"{driver.name} takes it only from a guest that is up: {fact.caveat}"
    if fact.accepts is not None and setting.text not in fact.accepts:
        return f"{driver.name} honours only {', '.join(fact.accepts)}" + (f": {fact.caveat}" if fact.caveat else "")
    if root is not None and (elsewhere := _elsewhere(setting, fact, root)):
        return f"{driver.name} honours it only on {elsewhere}"
    gate = fact.gate_at_create
    if gate is not None:
        said = (other for other in settings if other.param.name == gate.param and not other.is_default)
        held = next((other.text for other in said), None)
        if held not in gate.values:
            words = ", ".join(value or "nothing" for value in gate.values)
            return f"{driver.name} honours it only while {gate.param} is one of {words}"
    if setting.is_ratio and fact.live is None:
        return "how this host counts it, by cgroup version 1 or 2, is not known; start it on its own host"
    return ""


def _elsewhere(setting: Setting, fact: Fact, root: Element) -> str:
    """Say on which devices a row is honoured, if this one is none of them."""
    device = device_of(setting, root) if fact.only_on else None
    if device is None:
        return ""
    for on in fact.only_on:
        said = _said(device, on.path)
        if said not in on.words and (said or not on.unsaid):
            word = on.path.rpartition("@")[2] if on.path != "model/@type" else "model"
            return f"{on.what}; here {word} is {said or 'not said'}"
    return ""


def _said(device: Element, path: str) -> str:
    """Return what a device says in an attribute; of an element alone whether it is there."""
    place, is_attribute, attribute = path.rpartition("@")
    element = device.find(place.rstrip("/") or ".") if is_attribute else device.find(path)
    if not is_attribute:
        return "no" if element is None else "yes"
    return "" if element is None else element.get(attribute) or ""


def _lacking_in_session(setting: Setting, settings: Sequence[Setting], driver: Driver) -> str:
    """Say what a daemon without privileges lacks for a setting or another of its family: half a family is refused."""
    kin = (each for each in settings if setting.param.family and each.family == setting.family)
    for each in (setting, *kin):
        fact = each.param.fact(driver.name)
        if fact is not None and fact.privileged:
            return "privileges"
        if fact is not None and _needs_cgroup(each, fact, settings):
            return "a cgroup"
    return ""


def _needs_cgroup(setting: Setting, fact: Fact, settings: Sequence[Setting]) -> bool:
    """Tell whether only a cgroup can meet a setting; of some rows another one decides."""
    if fact.cgroup_while is None:
        return not fact.in_session
    said = (each for each in settings if each.param.name == fact.cgroup_while.param and not each.is_default)
    return any(each.text in fact.cgroup_while.values for each in said if each.keys == setting.keys)


def _is_of_iothreads(setting: Setting, fact: Fact | Cannot) -> bool:
    """Tell whether a setting speaks of all IOThreads together, however many there are."""
    kernel = fact.kernel if isinstance(fact, Fact) else None
    return kernel is not None and kernel.of == "iothread" and not setting.keys


class Lacking(NamedTuple):
    """A setting that names CPUs or nodes which the host has not."""

    setting: Setting
    reason: str

    @property
    def fault(self) -> str:
        """What is wrong, with its place and without a way out."""
        return f"{self.setting.origin}: {self.setting.name} {self.setting.text}: {self.reason}"

    def __str__(self) -> str:
        return f"{self.fault}; name others, or leave the line out"


def on_host(settings: Iterable[Setting], host: Host, driver: str = "") -> tuple[list[Setting], list[Lacking]]:
    """Return the settings with `r` written out, and those that name CPUs or nodes which the host has not.

    What `driver` does nothing with does no harm.
    """
    found: list[Setting] = []
    absent: list[Lacking] = []
    for setting in settings:
        kind = setting.param.kind_of(setting.keys)
        if setting.is_default or not setting.param.host_bound or not isinstance(kind, Ids):
            found.append(setting)
            continue
        text = format_ids(host.cpus) if setting.text == ALL_CPUS else setting.text
        found.append(setting._replace(text=text))
        is_idle = bool(driver) and setting.param.fact(driver) is None
        if not is_idle and (reason := host.lacks(kind.what, parse_ids(text))):
            absent.append(Lacking(found[-1], reason))
    return found, absent


def misplaced(settings: Sequence[Setting], root: Element, driver: str = "") -> list[str]:
    """Return what is said of vCPUs and IOThreads that the domain has not: libvirt drops or refuses it.

    What `driver` does nothing with does no harm.
    """
    threads = frozenset(iothreads(settings, root))
    there = {"@vcpu": (frozenset(vcpus(root)), "vCPUs"), "@iothread": (threads, "IOThreads")}
    problems = []
    for setting in (each for each in settings if not driver or each.param.fact(driver) is not None):
        for form, key in zip(setting.param.key_forms, setting.keys, strict=False):
            has, what = there.get(form.rstrip("s*"), (None, ""))
            if has is not None and not setting.is_default and (missing := key_ids(key) - has):
                problems.append(
                    f"{setting.origin}: {setting.name}: the domain has no {what} {format_ids(missing)}; it has "
                    + (format_ids(has) or "none")
                )
    return problems
