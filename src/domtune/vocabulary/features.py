"""Features and clocks: mostly what the guest reads at boot, meant to make it fast."""

from __future__ import annotations

from domtune.kinds import ON_OFF, YES_NO, Enum, Flag, Int, Size, Text
from domtune.vocabulary.facts import STORED, Why, created, facts, qemu_only
from domtune.vocabulary.model import Class, Fact, Kept, Needs, Param, Reason, Source

_HYPERV_WHY: dict[str, Why] = {"xen": "Xen has one switch for all of them, which libvirt does not set"}
_NO_EFFECT = "QEMU gets the same command line with and without it"


def _seen(evidence: str, caveat: str = "") -> Fact:
    return created(evidence, source=Source.LIVE, saved=Kept.FIXED, caveat=caveat)


def _hyperv(word: str, help_: str, caveat: str = "", **rest: object) -> Param:
    if "parts" not in rest:
        rest = {"example": "on", **rest}
    example = str(rest.pop("example"))
    place = f"features/+hyperv/!{word}" + ("" if "parts" in rest else "/@state")
    return Param(
        f"features.hyperv.{word}",
        place,
        ON_OFF,
        help_,
        example,
        qemu_only(_seen("qemuBuildCpuHypervCommandLine", caveat), vz=Reason.REJECTED, why=_HYPERV_WHY),
        cls=Class.GUEST_VISIBLE,
        **rest,  # type: ignore[arg-type]
    )


HYPERV = (
    Param(
        "features.hyperv.mode",
        "features/+hyperv/@mode",
        Enum(("custom", "passthrough")),
        "Whether a Windows guest is given the features named, or all that the host has.",
        "custom",
        qemu_only(
            _seen("virDomainFeaturesHyperVDefParse", "passthrough leaves the choice to the host"), why=_HYPERV_WHY
        ),
        cls=Class.GUEST_VISIBLE,
    ),
    _hyperv("relaxed", "Tells Windows that its timers may be late."),
    _hyperv("vapic", "Gives Windows a virtual interrupt controller that needs fewer exits."),
    _hyperv(
        "spinlocks",
        "Tells Windows after how many tries on a lock it should give way.",
        "state on must come with retries",
        parts=("@state", "@retries"),
        kinds={"retries": Int(4095, 2**31 - 1)},
        example="{state: on, retries: 8191}",
    ),
    _hyperv("vpindex", "Gives Windows the number of its vCPUs."),
    _hyperv("runtime", "Tells Windows how long its vCPUs ran."),
    _hyperv("synic", "Gives Windows a controller for synthetic interrupts.", "needs vpindex"),
    _hyperv(
        "stimer",
        "Gives Windows timers of its own, which spare it the old ones.",
        "needs vpindex and synic",
        parts=("@state", "!direct/@state"),
        example="{state: on, direct: on}",
    ),
    _hyperv("reset", "Lets Windows reset its machine through Hyper-V."),
    _hyperv(
        "vendor_id",
        "Name of the hypervisor that Windows sees.",
        "state on must come with a value",
        parts=("@state", "@value"),
        kinds={"value": Text(r"[^,]{1,12}", "at most 12 characters without a comma")},
        example="{state: on, value: domtune}",
    ),
    _hyperv("frequencies", "Tells Windows the frequencies of its clocks."),
    _hyperv("reenlightenment", "Tells Windows when its clock's frequency changed, as after a migration."),
    _hyperv("tlbflush", "Lets Windows flush address caches of other vCPUs by one call.", "needs vpindex"),
    _hyperv("ipi", "Lets Windows interrupt many vCPUs by one call.", "needs vpindex"),
    _hyperv("evmcs", "Speeds up virtual machines inside a Windows guest on Intel hosts."),
    _hyperv("avic", "Lets Windows keep the synthetic controller beside hardware interrupts."),
)


def _kvm(word: str, help_: str, fact: Fact, **rest: object) -> Param:
    return Param(
        f"features.kvm.{word}",
        f"features/+kvm/!{word}" + ("" if "parts" in rest else "/@state"),
        ON_OFF,
        help_,
        str(rest.pop("example", "on")),
        qemu_only(fact),
        **rest,  # type: ignore[arg-type]
    )


_CPUID = "qemuBuildCpuFeature"

KVM = (
    _kvm("hint-dedicated", "Tells the guest that its vCPUs never wait.", _seen(_CPUID), cls=Class.GUEST_VISIBLE),
    _kvm(
        "poll-control",
        "Lets the guest poll when it is idle instead of the host.",
        _seen(_CPUID),
        cls=Class.GUEST_VISIBLE,
    ),
    _kvm(
        "pv-ipi",
        "Lets the guest interrupt many vCPUs by one call.",
        _seen(_CPUID, "QEMU has it on by itself; only off makes a difference"),
        cls=Class.GUEST_VISIBLE,
        example="off",
    ),
    _kvm(
        "dirty-ring",
        "Lets KVM note changed memory in rings instead of one large map.",
        created("qemuBuildAccelCommandLine", source=Source.LIVE, caveat="state on must come with a size"),
        parts=("@state", "@size"),
        kinds={"size": Int(1024, 65536, power_of_two=True)},
        example="{state: on, size: 4096}",
    ),
)

_VIRIDIAN: dict[str, Why] = {
    "qemu": (_NO_EFFECT, Source.LIVE),
    "xen": "libvirt converts it to and from Xen's own files, and does not set it at the start",
}

OTHERS = (
    Param(
        "features.pvspinlock",
        "features/!pvspinlock/@state",
        ON_OFF,
        "Lets a vCPU that waits for a lock sleep until it is free.",
        "on",
        qemu_only(_seen("qemuValidateDomainDefFeatures; kvm-pv-unhalt")),
        cls=Class.GUEST_VISIBLE,
    ),
    Param(
        "features.pmu",
        "features/!pmu/@state",
        ON_OFF,
        "Whether the guest has counters to measure its performance.",
        "off",
        qemu_only(_seen(_CPUID)),
        cls=Class.GUEST_VISIBLE,
    ),
    Param(
        "features.hap",
        "features/!hap/@state",
        ON_OFF,
        "Whether Xen lets the hardware translate the guest's addresses.",
        "on",
        facts(
            {"xen": created("libxlMakeDomCreateInfo", saved=Kept.FIXED), "test": STORED},
            ignored="qemu lxc ch bhyve vz esx",
            why={"qemu": (_NO_EFFECT, Source.LIVE)},
        ),
    ),
    Param(
        "features.viridian",
        "features/!viridian/.",
        Flag(),
        "Gives a Windows guest on Xen the interfaces of Hyper-V.",
        "true",
        facts({"test": STORED}, ignored="qemu lxc xen ch bhyve vz esx", why=_VIRIDIAN),
        cls=Class.GUEST_VISIBLE,
    ),
    Param(
        "features.ioapic",
        "features/!ioapic/@driver",
        Enum(("kvm", "qemu")),
        "Whether KVM or QEMU plays the guest's I/O interrupt controller.",
        "kvm",
        qemu_only(_seen("qemuBuildMachineCommandLine: kernel_irqchip")),
        cls=Class.GUEST_VISIBLE,
        needs=Needs.REMAPPING,
    ),
    Param(
        "features.apic_eoi",
        "features/=apic/@eoi",
        ON_OFF,
        "Whether the guest may end an interrupt without leaving to the host.",
        "on",
        qemu_only(_seen(f"{_CPUID}: kvm-pv-eoi")),
        cls=Class.GUEST_VISIBLE,
    ),
    Param(
        "features.tcg.tb_cache",
        "features/+tcg/!tb-cache/text()&unit",
        Size("KiB", 1),
        "Host memory for the translated code of an emulated guest.",
        "128 MiB",
        qemu_only(created("qemuBuildAccelCommandLine: tb-size", source=Source.LIVE, caveat="not with KVM")),
    ),
)

_TIMERS = "qemuBuildClockCommandLine; qemuBuildCpuFeature"
_XEN_TIMERS = "Xen takes the timers tsc and hpet, which have none, and refuses the others"

CLOCK = (
    Param(
        "clock.timer.present",
        "clock/timer[@name]/@present",
        YES_NO,
        "Whether the guest has one of its timers.",
        "{hpet: no}",
        facts(
            {
                "qemu": _seen(_TIMERS),
                "xen": created(
                    "libxlMakeDomBuildInfo", saved=Kept.FIXED, caveat="hpet only, not for PV; no other timer"
                ),
                "test": STORED,
            },
            ignored="lxc ch bhyve vz esx",
        ),
        cls=Class.GUEST_VISIBLE,
    ),
    Param(
        "clock.timer.tickpolicy",
        "clock/timer[@name]/@tickpolicy",
        Enum(("delay", "catchup", "merge", "discard")),
        "What a timer does about ticks that the guest missed.",
        "{rtc: catchup}",
        facts(
            {"qemu": _seen(_TIMERS, "catchup for rtc; delay and discard for pit"), "test": STORED},
            ignored="lxc ch bhyve vz esx",
            rejected="xen",
            why={"xen": _XEN_TIMERS},
        ),
        cls=Class.GUEST_VISIBLE,
    ),
    Param(
        "clock.timer.catchup",
        "clock/timer[@name]/!catchup",
        Int(1, 2**32 - 1),
        "How fast a timer makes up for missed ticks.",
        "{rtc: {threshold: 123, slew: 120, limit: 10000}}",
        facts(
            {"test": STORED},
            ignored="qemu lxc ch bhyve vz esx",
            rejected="xen",
            why={"qemu": (_NO_EFFECT, Source.LIVE), "xen": _XEN_TIMERS},
        ),
        parts=("@threshold", "@slew", "@limit"),
        cls=Class.GUEST_VISIBLE,
    ),
    Param(
        "clock.timer.tsc_mode",
        "clock/timer{name=tsc}/@mode",
        Enum(("auto", "native", "emulate", "paravirt", "smpsafe")),
        "How Xen plays the guest's time stamp counter.",
        "native",
        facts(
            {"xen": created("libxlMakeDomBuildInfo", saved=Kept.FIXED), "test": STORED},
            ignored="qemu lxc ch bhyve vz esx",
            why={"qemu": (_NO_EFFECT, Source.LIVE)},
        ),
        cls=Class.GUEST_VISIBLE,
    ),
)

ROWS = (*HYPERV, *KVM, *OTHERS, *CLOCK)
