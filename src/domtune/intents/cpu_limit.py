"""cpu.limit and cpu.vcpu_limit: the most CPU time that a domain, or each of its vCPUs, may use."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from domtune.intents.kinds import HostCpus
from domtune.intents.model import Around, CannotMeet, Intent, Resolve, Want, Way
from domtune.kinds import NONE
from domtune.tuning import Setting
from domtune.vocabulary import PARAMS

_PERIOD = 100_000  # us: the kernel's default (Documentation/scheduler/sched-bwc.rst)
_LEAST = 1000  # us: the shortest quota that kernel and libvirt take
_WHOLE, _EACH = HostCpus(), HostCpus(most=1)


def _by_quota(name: str, kind: HostCpus) -> Way:
    """Meet it by a quota in each period of 100 ms."""

    def resolve(want: Want, _: Around) -> Iterator[Setting]:
        cpus = kind.parse(want.text)
        if cpus is None:
            yield want.sets(f"{name}.quota", PARAMS[f"{name}.quota"].kind.written(NONE)[0])
            return
        quota = _whole(want, cpus * _PERIOD, "0.001% of a host CPU")
        if quota < _LEAST:
            raise CannotMeet(
                f"{want.text} is less than {_percent(_LEAST)} of a host CPU, the least that the kernel takes"
            )
        yield want.sets(f"{name}.period", str(_PERIOD))
        yield want.sets(f"{name}.quota", str(quota))

    return Way((f"{name}.period", f"{name}.quota"), resolve)


def _whole(want: Want, number: Fraction, step: str) -> int:
    """Return a whole number of what the driver counts in: an amount is never rounded."""
    if number.denominator != 1:
        raise CannotMeet(f"{want.text} is no multiple of {step}, the smallest part that is counted")
    return int(number)


def _percent(microseconds: int) -> str:
    return f"{microseconds * 100 // _PERIOD}%"


def _by_cap(want: Want, _: Around) -> Iterator[Setting]:
    cpus = _WHOLE.parse(want.text)
    yield want.sets("cpu.cap", "0" if cpus is None else str(_whole(want, cpus * 100, "1% of a host CPU")))


def _by_mhz(want: Want, around: Around) -> Iterator[Setting]:
    cpus, mhz = _WHOLE.parse(want.text), around.site.host.mhz
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
