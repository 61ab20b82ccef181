"""CPU parameters that stand in no XML: Xen's cap, VMware's reservation and limit, what libvirt cannot reach."""

from __future__ import annotations

from domtune.kinds import Ids, Int, Text
from domtune.vocabulary.calls import GUEST_VCPUS, SCHEDULER
from domtune.vocabulary.cpu import CPUS
from domtune.vocabulary.facts import changed, facts
from domtune.vocabulary.model import Class, Fact, Flags, Kept, Param, Read, Source, Type, When

ESX_ONLY = "no such parameter outside VMware ESX"
XEN_ONLY = "no such parameter outside Xen; the nearest is cpu.total.quota"


def _live_only(field: str, type_: Type, evidence: str, **rest: object) -> Fact:
    return changed(
        SCHEDULER,
        field,
        type_,
        evidence,
        flags=Flags.NONE,
        at_create=False,
        saved=Kept.NO,
        read=Read.GETTER,
        when=When.RUNNING,
        **rest,
    )


_ESX = "esxDomainSetSchedulerParametersFlags"
_NOT_ESX = "qemu lxc xen test ch bhyve vz"

ROWS = (
    Param(
        "cpu.cap",
        None,
        Int(0, None, "0", "percent of one host CPU"),
        "Limit of the whole Xen domain in percent of one host CPU; none for no limit.",
        "150",
        facts(
            {
                "xen": _live_only(
                    "cap",
                    Type.UINT,
                    "libxlDomainSetSchedulerParametersFlags",
                    default="0",
                    unset="0",
                    meaning="the whole domain",
                    caveat="lost at every start and at a reboot from inside the guest; credit and credit2 only",
                )
            },
            no_api="qemu lxc test ch bhyve vz esx",
            why=dict.fromkeys(("qemu", "lxc", "test"), (XEN_ONLY, Source.LIVE))
            | dict.fromkeys(("ch", "bhyve", "vz", "esx"), XEN_ONLY),
        ),
        protective="a limit on CPU time",
    ),
    Param(
        "cpu.reservation",
        None,
        Int(0, None, None, "MHz"),
        "CPU time that VMware guarantees to the domain, in MHz.",
        "500",
        facts(
            {"esx": _live_only("reservation", Type.LLONG, _ESX, caveat="also changes the stored machine")},
            no_api=_NOT_ESX,
            why=dict.fromkeys(_NOT_ESX.split(), ESX_ONLY),
        ),
    ),
    Param(
        "cpu.limit_mhz",
        None,
        Int(0, None, "-1", "MHz"),
        "CPU time that VMware allows the domain, in MHz; none for no limit.",
        "2000",
        facts(
            {"esx": _live_only("limit", Type.LLONG, _ESX, unset="-1", caveat="also changes the stored machine")},
            no_api=_NOT_ESX,
            why=dict.fromkeys(_NOT_ESX.split(), ESX_ONLY),
        ),
        protective="a limit on CPU time",
    ),
    Param(
        "cpu.pool",
        None,
        Text(r"\S+", "the name of a pool"),
        "Xen's CPU pool of the domain.",
        "Pool-0",
        facts(
            {},
            no_api="qemu lxc xen test ch bhyve vz esx",
            why={"xen": "libvirt has neither XML nor a call for Xen's cpupools; use xl cpupool-migrate"},
        ),
        host_bound=True,
    ),
    Param(
        "cpu.vcpu.soft_affinity",
        None,
        CPUS,
        "Host CPUs that Xen's scheduler prefers for a vCPU.",
        "0-3",
        facts(
            {},
            no_api="qemu lxc xen test ch bhyve vz esx",
            why={"xen": "libvirt always gives libxl an empty soft affinity; use xl vcpu-pin"},
        ),
        host_bound=True,
    ),
    Param(
        "cpu.count.guest_online",
        None,
        Ids("guest vCPUs"),
        "vCPUs that the guest's own system keeps online, set through the guest agent.",
        "0-1",
        facts(
            {
                "qemu": changed(
                    GUEST_VCPUS,
                    "",
                    Type.PLAIN,
                    "qemuDomainSetGuestVcpus",
                    at_create=False,
                    paused=False,
                    saved=Kept.NO,
                    read=Read.GETTER,
                    when=When.RUNNING,
                    flags=Flags.NONE,
                    caveat="needs the QEMU guest agent, and is lost when the guest reboots",
                )
            },
            no_api="lxc xen test ch bhyve vz esx",
        ),
        cls=Class.GUEST_VISIBLE,
    ),
)
