"""Memory: how much the domain has now, limits on it, the balloon."""

from __future__ import annotations

from domtune.kinds import ON_OFF, Duration, Size
from domtune.vocabulary.calls import BALLOON, MEMORY, STATS_PERIOD
from domtune.vocabulary.facts import STORED, changed, created, facts, qemu_only, simulated
from domtune.vocabulary.model import Class, Fact, Flags, Kept, Kernel, Needs, Param, Read, Source, Type

_MAX = "9007199254740991"  # VIR_DOMAIN_MEMORY_PARAM_UNLIMITED
_LIMIT = Size("KiB", 1, int(_MAX), _MAX)
_LOCKED = (
    "at creation also the limit on locked memory, which needs CAP_SYS_RESOURCE; a change on a running domain does not "
    "touch that, but then a saved image may not restore"
)
_PAGES = "the kernel rounds down to whole pages"

CURRENT = Param(
    "memory.current",
    "!currentMemory/text()&unit",
    Size("KiB", 1),
    "Memory that the domain has now; the rest of its memory is kept back by the balloon.",
    "2 GiB",
    facts(
        {
            "qemu": changed(
                BALLOON,
                "",
                Type.PLAIN,
                "qemuDomainSetMemoryFlags; qemuProcessSetupBalloon",
                saved=Kept.FIXED,
                read=Read.NOWHERE,  # the live XML says what the guest has come to, and it does so after it has booted
                source=Source.LIVE,
                caveat="needs a balloon device and the guest's driver; succeeds even if the guest never reacts",
            ),
            "lxc": changed(
                BALLOON,
                "",
                Type.PLAIN,
                "lxcDomainSetMemoryFlags",
                at_create=False,
                source=Source.LIVE,
                kernel=Kernel("memory.limit_in_bytes", "memory.max"),
                meaning="a hard limit of the container",
                caveat="a container starts with all its memory; the call overwrites memory.limit.hard",
            ),
            "xen": changed(
                BALLOON,
                "",
                Type.PLAIN,
                "libxlMakeDomBuildInfo; libxlDomainSetMemoryFlags",
                saved=Kept.FIXED,
                caveat="rounded to whole MiB; needs the guest's balloon driver",
            ),
            "vz": changed(
                BALLOON,
                "",
                Type.PLAIN,
                "vzDomainSetMemoryFlags",
                at_create=False,
                flags=Flags.EXPLICIT,
                meaning="the size of the domain's memory itself",
                caveat="in the XML it must equal the memory",
            ),
            "esx": changed(
                BALLOON,
                "",
                Type.PLAIN,
                "esxDomainSetMemoryFlags; virVMXFormatConfig: sched.mem.max",
                flags=Flags.NONE,
                meaning="VMware's limit on host memory",
            ),
            "test": simulated(BALLOON, "", Type.PLAIN, source=Source.LIVE),
        },
        ignored="ch bhyve",
    ),
    cls=Class.GUEST_VISIBLE,
    absent="memory",
    needs=Needs.ALL_MEMORY,
)


def _limit(word: str, help_: str, files: tuple[str, str], caveats: tuple[str, str], **rest: object) -> Param:
    """Declare one limit of memtune; `caveats` are QEMU's and LXC's."""
    field, kernel = f"{word}_limit", Kernel(*files)

    def cgroup(evidence: str, caveat: str, unset: str | None) -> Fact:
        return changed(
            MEMORY,
            field,
            Type.ULLONG,
            evidence,
            source=Source.LIVE,
            default=unset,
            unset=unset,
            kernel=kernel,
            read=Read.XML if unset else Read.GETTER,
            caveat=caveat,
        )

    # A container without hard_limit is still held to its memory: no number means "as if nothing had been said".
    lxc_unset = None if word == "hard" else _MAX
    return Param(
        f"memory.limit.{word}",
        f"!memtune/!{field}/text()&unit",
        _LIMIT,
        help_,
        "8 GiB",
        facts(
            {
                "qemu": cgroup("qemuDomainSetMemoryParameters; virDomainCgroupSetupMemtune", caveats[0], _MAX),
                "lxc": cgroup("lxcDomainSetMemoryParameters; virLXCCgroupSetupMemTune", caveats[1], lxc_unset),
                "ch": created("virDomainCgroupSetupMemtune", kernel=kernel),
                "test": simulated(MEMORY, field, Type.ULLONG, source=Source.LIVE),
            },
            ignored="xen bhyve esx",
            rejected="vz",
        ),
        family="memory.limit",
        **rest,  # type: ignore[arg-type]
    )


LIMITS = (
    _limit(
        "hard",
        "Most host memory that the domain may take, the emulator's own included; more kills it.",
        ("memory.limit_in_bytes", "memory.max"),
        (
            f"{_LOCKED}; {_PAGES}",
            "memory.current overwrites it; without it the container is held to its memory",
        ),
        needs=Needs.MEMLOCK,
        protective="a limit on host memory",
    ),
    _limit(
        "soft",
        "Host memory above which the domain is the first to give some back.",
        ("memory.soft_limit_in_bytes", "memory.high"),
        (f"a hint on cgroup v1, but on v2 the domain is slowed down above it; {_PAGES}",) * 2,
    ),
    _limit(
        "swap_hard",
        "Most memory and swap that the domain may take together; on cgroup v2 swap alone.",
        ("memory.memsw.limit_in_bytes", "memory.swap.max"),
        (f"may not be below memory.limit.hard, on cgroup v2 neither; {_PAGES}",) * 2,
        protective="a limit on swap",
    ),
)

GUARANTEE = Param(
    "memory.guarantee",
    "!memtune/!min_guarantee/text()&unit",
    Size("KiB", 0, int(_MAX)),
    "Host memory that VMware reserves for the domain.",
    "2 GiB",
    facts(
        {
            "esx": changed(
                MEMORY,
                "min_guarantee",
                Type.ULLONG,
                "esxDomainSetMemoryParameters; virVMXFormatConfig: sched.mem.minsize",
                flags=Flags.NONE,
                default="0",
                unset="0",
                caveat="rounded up to whole MiB",
            ),
            "test": STORED,
        },
        ignored="lxc xen ch bhyve",
        rejected="qemu vz",
        why={
            "qemu": ("QEMU has no guaranteed memory; libvirt refuses to define the domain", Source.LIVE),
        },
    ),
    protective="host memory reserved for the domain",
)

BALLOON_ROWS = (
    Param(
        "memory.balloon.stats_period",
        "devices/=memballoon/+stats/@period",
        Duration("s", 0, 2**31 - 1),
        "How often the balloon asks the guest for its memory statistics; 0 is never.",
        "10",
        qemu_only(
            changed(
                STATS_PERIOD,
                "",
                Type.PLAIN,
                "qemuDomainSetMemoryStatsPeriod; qemuProcessSetupBalloon",
                source=Source.LIVE,
                default="0",
                unset="0",
                caveat="needs a balloon device",
            ),
            test=simulated(STATS_PERIOD, "", Type.PLAIN, source=Source.LIVE, default="0", unset="0"),
        ),
    ),
    Param(
        "memory.balloon.autodeflate",
        "devices/=memballoon/@autodeflate",
        ON_OFF,
        "Whether the guest takes memory back from the balloon before it kills a process.",
        "on",
        qemu_only(
            created("qemuBuildMemballoonCommandLine", source=Source.LIVE, saved=Kept.FIXED, default="off"),
        ),
        cls=Class.GUEST_VISIBLE,
    ),
    Param(
        "memory.balloon.free_page_reporting",
        "devices/=memballoon/@freePageReporting",
        ON_OFF,
        "Whether the guest tells the host which of its pages are free.",
        "on",
        qemu_only(
            created("qemuBuildMemballoonCommandLine", source=Source.LIVE, saved=Kept.FIXED, default="off"),
        ),
        cls=Class.GUEST_VISIBLE,
    ),
)

ROWS = (CURRENT, *LIMITS, GUARANTEE, *BALLOON_ROWS)
