"""cpu.limit and cpu.vcpu_limit: the most CPU time that a domain, or each of its vCPUs, may use."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from domtune.intents.kinds import HostCpus
from domtune.intents.model import Around, CannotMeet, Intent, Resolve, Want, Way
from domtune.kinds import NONE
from domtune.tuning import Setting
from domtune.vocabulary import PARAMS

_PERIOD = 100_000  # us: the kernel's default (Documentation/scheduler/sched-bwc.rst)
_LONGEST = 1_000_000  # us: the longest period that kernel and libvirt take
_LEAST = 1000  # us: the shortest quota that they take
_LOOKS_LIKE_PERCENT = 10  # CPUs: a number from here on that the host has not was hardly meant as CPUs
_WHOLE, _EACH = HostCpus(), HostCpus(most=1)


def _by_quota(name: str, kind: HostCpus) -> Way:
    """Meet it by a quota in each period of 100 ms, or of a longer one where that quota would be too short."""

    def resolve(want: Want, around: Around) -> Iterator[Setting]:
        cpus = _within(want, kind.parse(want.text), around)
        if cpus is None:
            yield want.sets(f"{name}.quota", PARAMS[f"{name}.quota"].kind.written(NONE)[0])
            return
        period = _period(want, cpus)
        yield want.sets(f"{name}.period", str(period))
        yield want.sets(f"{name}.quota", _judged(want, f"{name}.quota", int(cpus * period)))

    return Way((f"{name}.period", f"{name}.quota"), resolve, value=(f"{name}.quota",))


def _whole(want: Want, number: Fraction, step: str) -> int:
    """Return a whole number of what the driver counts in: an amount is never rounded."""
    if number.denominator != 1:
        raise CannotMeet(f"{want.text} is no multiple of {step}, the smallest part that is counted")
    return int(number)


def _period(want: Want, cpus: Fraction) -> int:
    """Return the shortest period, not below the usual one, in which the quota is whole and not too short."""
    if cpus * _LONGEST < _LEAST:
        raise CannotMeet(f"{want.text} is less than 0.1% of a host CPU, the least that the kernel counts")
    least = max(_PERIOD, math.ceil(_LEAST / cpus))
    period = math.ceil(Fraction(least, cpus.denominator)) * cpus.denominator
    if period > _LONGEST:
        _whole(want, cpus * _LONGEST, "0.0001% of a host CPU")
        return _LONGEST
    return period


def _within(want: Want, cpus: Fraction | None, around: Around) -> Fraction | None:
    """Refuse more than the host has, which would limit nothing."""
    most = len(around.site.host.cpus)
    if cpus is None or not most or cpus <= most:
        return cpus
    is_percent = want.text.endswith("%")
    said = want.text if is_percent else f"{float(cpus * 100):.15g}%"
    way_out = "" if is_percent or cpus < _LOOKS_LIKE_PERCENT else f"; for percent say {want.text}%"
    has = "one CPU" if most == 1 else f"{most} CPUs"
    raise CannotMeet(f"{said} is more than the host's {has}, so it would limit nothing{way_out}")


def _judged(want: Want, name: str, number: int) -> str:
    """Return a number that the parameter takes."""
    try:
        PARAMS[name].kind.judge(str(number))
    except ValueError as error:
        raise CannotMeet(f"{want.text} becomes {name} {number}, and {error}") from None
    return str(number)


def _by_cap(want: Want, around: Around) -> Iterator[Setting]:
    cpus = _within(want, _WHOLE.parse(want.text), around)
    yield want.sets("cpu.cap", "0" if cpus is None else str(_whole(want, cpus * 100, "1% of a host CPU")))


def _by_mhz(want: Want, around: Around) -> Iterator[Setting]:
    cpus, mhz = _within(want, _WHOLE.parse(want.text), around), around.site.host.mhz
    if cpus is None:
        yield want.sets("cpu.limit_mhz", "-1")
    elif not mhz:
        raise CannotMeet("how fast the host's CPUs are is not known, and VMware limits in MHz")
    else:
        yield want.sets("cpu.limit_mhz", str(int(cpus * mhz)))


def _of_vcpus() -> dict[str, Way]:
    return dict.fromkeys(("qemu", "ch", "test"), _by_quota("cpu.vcpu", _EACH))


def _one(name: str, resolve: Resolve, caveat: str) -> Way:
    return Way((name,), resolve, caveat)


_REBOOT = "lost at a reboot from inside the guest"

CPU_LIMIT = Intent(
    "cpu.limit",
    _WHOLE,
    "Most CPU time that the whole domain may use, emulator included, in CPUs of the host.",
    "150%",
    {
        **dict.fromkeys(("qemu", "ch", "test"), _by_quota("cpu.total", _WHOLE)),
        "lxc": _by_quota("cpu.vcpu", _WHOLE),  # whose quota is that of the whole container
        "xen": _one("cpu.cap", _by_cap, f"set on the running domain at each start, and {_REBOOT}"),
        "esx": _one("cpu.limit_mhz", _by_mhz, "as many whole MHz as these host CPUs have"),
        "bhyve": "bhyve limits no CPU time; pcpu of rctl(8) on its process comes nearest",
        "vz": "libvirt refuses limits of CPU time for Virtuozzo; prlctl set --cpulimit comes nearest",
    },
)

CPU_VCPU_LIMIT = Intent(
    "cpu.vcpu_limit",
    _EACH,
    "Most CPU time that each vCPU may use, in CPUs of the host.",
    "50%",
    {
        **_of_vcpus(),
        "lxc": "a container has no vCPUs to limit one by one; cpu.limit, of the whole container, comes nearest",
        "xen": "Xen limits whole domains only; cpu.limit comes nearest",
        "esx": "VMware limits whole domains only; cpu.limit comes nearest",
        "bhyve": "bhyve limits no CPU time; pcpu of rctl(8) on its process comes nearest",
        "vz": "libvirt refuses limits of CPU time for Virtuozzo; prlctl set --cpulimit comes nearest",
    },
)
