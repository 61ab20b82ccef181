"""cpu.weight: how much of the CPUs a domain gets when they are short, as a ratio to a normal domain."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from domtune.expand import vcpus
from domtune.intents.kinds import Ratio
from domtune.intents.model import Around, CannotMeet, Intent, Resolve, Want, Way
from domtune.tuning import RATIO, Setting

# What a normal domain has, and the least and most that are taken, by the version of cgroups that libvirt uses:
# VIR_CGROUP_CPU_SHARES_MIN and _MAX, VIR_CGROUPV2_WEIGHT_MIN and _MAX (vircgroup.h, vircgroupv2.c).
_CGROUPS = {1: (1024, 2, 262144), 2: (100, 2, 10000)}
_XEN = (256, 2, 65535)  # credit schedulers: xen/include/public/domctl.h counts the weight in 16 bits
_ESX = (1000, 2, 262144)  # for each vCPU: VMware's "normal" shares
_RATIO = Ratio()


def _by_cgroup(want: Want, around: Around) -> Iterator[Setting]:
    """Count as the host's cgroups do; where their version is not known, the running domain will tell."""
    scale = _CGROUPS.get(around.site.host.cgroup)
    ratio = f"{RATIO}{_RATIO.written(want.text)[0]}"
    yield want.sets("cpu.shares", ratio if scale is None else _number(want, *scale))


def _by(normal: int, least: int, most: int) -> Resolve:
    def resolve(want: Want, _: Around) -> Iterator[Setting]:
        yield want.sets("cpu.shares", _number(want, normal, least, most))

    return resolve


def _by_vcpus(want: Want, around: Around) -> Iterator[Setting]:
    normal, least, most = _ESX
    if around.site.root is None:
        raise CannotMeet("how many vCPUs the domain has is not known, and VMware counts its shares by them")
    yield want.sets("cpu.shares", _number(want, normal * len(vcpus(around.site.root)), least, most))


def _number(want: Want, normal: int, least: int, most: int) -> str:
    """Return the whole number that comes nearest to the ratio."""
    number = scaled(want.text, normal)
    if not least <= number <= most:
        raise CannotMeet(f"{want.text} times the normal {normal} is {number}, and it must be {least} to {most}")
    return str(number)


def scaled(ratio: str, normal: int) -> int:
    """Return so many times the normal, to the nearest whole number."""
    return int(_RATIO.parse(ratio) * normal + Fraction(1, 2))


def limits(normal: int) -> tuple[int, int]:
    """Return the least and most shares on a host on which a domain has `normal` of them when nothing is said."""
    return next(((least, most) for default, least, most in _CGROUPS.values() if default == normal), (1, 2**31))


_CGROUP = Way(("cpu.shares",), _by_cgroup)

CPU_WEIGHT = Intent(
    "cpu.weight",
    _RATIO,
    "How much CPU time the domain gets against its neighbours when CPUs are short, as a ratio to a normal domain.",
    "2",
    {
        "qemu": _CGROUP,
        "lxc": _CGROUP,
        "ch": _CGROUP,
        "xen": Way(("cpu.shares",), _by(*_XEN)),
        "esx": Way(("cpu.shares",), _by_vcpus, "VMware counts 1000 for each vCPU"),
        "test": Way(("cpu.shares",), _by(*_CGROUPS[1]), "stored as cgroup version 1 counts; nothing is enforced"),
        "bhyve": "bhyve has no CPU weights; nice(1) on its process comes nearest",
        "vz": "libvirt refuses weights for Virtuozzo; prlctl set --cpuunits comes nearest",
    },
    normal="1",
)
