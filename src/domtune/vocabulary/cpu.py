"""CPU shares, placement and scheduling of the domain, its vCPUs and its emulator threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from domtune.kinds import Enum, Ids, Int
from domtune.vocabulary.calls import PIN_EMULATOR, PIN_IOTHREAD, PIN_VCPU, SCHEDULER, VCPUS
from domtune.vocabulary.facts import STORED, changed, created, facts, simulated
from domtune.vocabulary.model import Cannot, Class, Fact, Flags, Kept, Kernel, Needs, Param, Read, Source, Type, When

CPUS = Ids("host CPUs", everything=True)

_SHARES = changed(
    SCHEDULER,
    "cpu_shares",
    Type.ULLONG,
    "qemuDomainSetSchedulerParametersFlags; virDomainCgroupSetupCpuCgroup",
    source=Source.LIVE,
    default="1024",
    unset="1024",
    kernel=Kernel("cpu.shares", "cpu.weight"),
    meaning="cgroup v1 counts from 1024, cgroup v2 from 100; libvirt does not convert",
    caveat="holds among the domains of one partition, not against the rest of the host",
)

SHARES = Param(
    "cpu.shares",
    "!cputune/!shares/text()",
    Int(2, 262144),
    "Weight of the domain against its neighbours when CPUs are short, in the back end's own scale.",
    "2048",
    facts(
        {
            "qemu": _SHARES,
            "lxc": replace(
                _SHARES,
                when=When.RUNNING,
                evidence="lxcDomainSetSchedulerParametersFlags; virLXCCgroupSetupCpuTune",
                caveat="asking for it while the container is off kills libvirtd 9.0.0",
            ),
            "xen": changed(
                SCHEDULER,
                "weight",
                Type.UINT,
                "libxlMakeDomBuildInfo; libxlDomainSetSchedulerParametersFlags",
                flags=Flags.NONE,
                saved=Kept.NO,
                read=Read.GETTER,
                when=When.RUNNING,
                default="256",
                unset="256",
                meaning="weight of Xen's credit schedulers, which count from 256",
                caveat="a live change is in no XML, and a reboot from inside the guest drops it",
            ),
            "ch": created("virCHProcessStart", kernel=Kernel("cpu.shares", "cpu.weight")),
            "esx": changed(
                SCHEDULER,
                "shares",
                Type.INT,
                "esxDomainSetSchedulerParametersFlags; virVMXFormatConfig",
                flags=Flags.NONE,
                read=Read.GETTER,
                meaning="VMware's shares, which count 1000 for each vCPU",
                caveat="a live change also changes the stored machine",
            ),
            "test": STORED,
        },
        ignored="bhyve",
        rejected="vz",
    ),
)


AFFINITY = (
    Param(
        "cpu.affinity",
        "=vcpu/@cpuset",
        CPUS,
        "Host CPUs on which threads of the domain run that have no pin of their own.",
        "0-3",
        facts(
            {
                "qemu": created("qemuProcessInitCpuAffinity", source=Source.LIVE, kernel=Kernel(thread="affinity")),
                "lxc": created(
                    "virLXCControllerSetupCpuAffinity; virLXCCgroupSetupCpusetTune",
                    source=Source.LIVE,
                    kernel=Kernel("cpuset.cpus", "cpuset.cpus"),
                    caveat="the only placement of CPUs that lxc honours",
                ),
                "ch": created("virCHProcessInitCpuAffinity"),
                "vz": created("prlsdkSetCpuCount: PrlVmCfg_SetCpuMask"),
                "esx": created("virVMXFormatConfig", caveat="must name at least as many CPUs as the domain has vCPUs"),
                "test": STORED,
            },
            ignored="xen bhyve",
            why={"xen": ("xen reads only the pin of each vCPU, cpu.vcpu.pin", Source.LIVE)},
        ),
        host_bound=True,
    ),
    Param(
        "cpu.placement",
        "=vcpu/@placement",
        Enum(("static", "auto")),
        "Whether the host's numad chooses the CPUs at start.",
        "auto",
        facts(
            {
                "qemu": created(
                    "qemuProcessPrepareDomainNUMAPlacement", source=Source.LIVE, caveat="auto needs numad on the host"
                ),
                "lxc": created("virLXCControllerGetNumadAdvice", caveat="auto needs numad on the host"),
                "test": STORED,
            },
            ignored="xen ch bhyve esx",
            rejected="vz",
        ),
        implied=("static",),
    ),
    Param(
        "cpu.vcpu.pin",
        "!cputune/!vcpupin[@vcpu]/@cpuset",
        CPUS,
        "Host CPUs on which one vCPU may run.",
        '{0: "2", 1: 3-4}',
        facts(
            {
                "qemu": changed(
                    PIN_VCPU,
                    "",
                    Type.PLAIN,
                    "qemuDomainPinVcpuFlags",
                    source=Source.LIVE,
                    unset="r",
                    kernel=Kernel("cpuset.cpus", "cpuset.cpus", of="vcpu", thread="affinity"),
                    caveat="a pin for a vCPU that the domain has not is dropped when libvirt reads the XML",
                ),
                "xen": changed(
                    PIN_VCPU,
                    "",
                    Type.PLAIN,
                    "libxlDomainPinVcpuFlags",
                    source=Source.LIVE,
                    unset="r",
                    caveat="moves no memory, which follows the pins at creation; not through libvirt's Python binding",
                ),
                "ch": changed(PIN_VCPU, "", Type.PLAIN, "chDomainPinVcpuFlags", flags=Flags.LIVE_ONLY, unset="r"),
                "test": simulated(PIN_VCPU, "", Type.PLAIN, flags=Flags.NONE, source=Source.LIVE, when=When.RUNNING),
            },
            ignored="lxc bhyve esx",
            rejected="vz",
            why={
                "lxc": "a container has no vCPU threads; use cpu.affinity",
                "vz": "vz refuses pins that differ from cpu.affinity",
            },
        ),
        family="cpu.vcpu.pin",
        host_bound=True,
    ),
    Param(
        "cpu.emulator.pin",
        "!cputune/!emulatorpin/@cpuset",
        CPUS,
        "Host CPUs on which the emulator's own threads run.",
        "0-1",
        facts(
            {
                "qemu": changed(
                    PIN_EMULATOR,
                    "",
                    Type.PLAIN,
                    "qemuDomainPinEmulator",
                    source=Source.LIVE,
                    unset="r",
                    kernel=Kernel("cpuset.cpus", "cpuset.cpus", of="emulator", thread="affinity"),
                ),
                "ch": changed(PIN_EMULATOR, "", Type.PLAIN, "chDomainPinEmulator", flags=Flags.LIVE_ONLY, unset="r"),
                "test": simulated(PIN_EMULATOR, "", Type.PLAIN),
            },
            ignored="lxc xen bhyve vz esx",
            why={"lxc": "a container has no emulator threads; use cpu.affinity"},
        ),
        host_bound=True,
    ),
    Param(
        "cpu.iothread.pin",
        "!cputune/!iothreadpin[@iothread]/@cpuset",
        CPUS,
        "Host CPUs on which one IOThread may run.",
        '{1: "1"}',
        facts(
            {
                "qemu": changed(
                    PIN_IOTHREAD,
                    "",
                    Type.PLAIN,
                    "qemuDomainPinIOThread",
                    source=Source.LIVE,
                    rank=60,
                    unset="r",
                    kernel=Kernel("cpuset.cpus", "cpuset.cpus", of="iothread", thread="affinity"),
                ),
                "test": simulated(PIN_IOTHREAD, "", Type.PLAIN),
            },
            ignored="lxc xen ch bhyve vz esx",
        ),
        family="cpu.iothread.pin",
        needs=Needs.IOTHREADS,
        host_bound=True,
    ),
)


_WHOSE = {"vcpu": "vCPUs", "iothread": "IOThreads", "emulator": "emulator's threads"}


def _sched(who: str, place: str, keys: str = "", *, ch: bool, needs: Needs | None = None) -> tuple[Param, Param]:
    why = {"lxc": "a container has no such threads"}

    def drivers(prop: str, caveat: str) -> Mapping[str, Fact | Cannot]:
        qemu = created(
            "qemuProcessSetupPid",
            source=Source.LIVE,
            kernel=Kernel(of=who, thread=prop),
            caveat=caveat,
        )
        found = {"qemu": qemu, "test": STORED} | ({"ch": created("virCHProcessSetupPid")} if ch else {})
        return facts(found, ignored="lxc xen bhyve vz esx" + ("" if ch else " ch"), why=why)

    main_only = "; only the main thread gets it" if who == "emulator" else ""
    family = f"cpu.{who}.sched"
    return (
        Param(
            f"cpu.{who}.sched.policy",
            f"!cputune/{place}/@scheduler",
            Enum(("batch", "idle", "fifo", "rr")),
            f"Scheduling policy of the {_WHOSE[who]}.",
            f"{{{keys}: batch}}" if keys else "batch",
            drivers("policy", f"fifo and rr need CAP_SYS_NICE{main_only}"),
            family=family,
            needs=needs,
        ),
        Param(
            f"cpu.{who}.sched.priority",
            f"!cputune/{place}/@priority",
            Int(1, 99),
            f"Real-time priority of the {_WHOSE[who]}, for the policies fifo and rr.",
            f"{{{keys}: 1}}" if keys else "1",
            drivers("priority", "libvirt drops it beside batch and idle"),
            family=family,
            needs=needs,
        ),
    )


COUNT = Param(
    "cpu.count.current",
    "=vcpu/@current",
    Int(1),
    "How many of its vCPUs the domain has now; the guest sees them come and go.",
    "2",
    facts(
        {
            "qemu": changed(
                VCPUS,
                "",
                Type.PLAIN,
                "qemuDomainSetVcpusFlags",
                source=Source.LIVE,
                saved=Kept.FIXED,
                paused=False,
                caveat="growing works at once; shrinking needs a guest that answers ACPI",
            ),
            "xen": changed(VCPUS, "", Type.PLAIN, "libxlDomainSetVcpusFlags", flags=Flags.EXPLICIT),
            "ch": created("virCHMonitorBuildCPUJson"),
            "bhyve": created("bhyveBuildCommandLine"),
            "test": simulated(VCPUS, "", Type.PLAIN),
            "vz": changed(VCPUS, "", Type.PLAIN, "vzDomainSetVcpusFlags", flags=Flags.EXPLICIT, at_create=False),
            "esx": changed(VCPUS, "", Type.PLAIN, "esxDomainSetVcpusFlags", flags=Flags.LIVE_ONLY, at_create=False),
        },
        ignored="lxc",
        why={"lxc": "a container has no vCPUs to take away"},
    ),
    cls=Class.GUEST_VISIBLE,
    needs=Needs.VCPU_LIST,
    absent="vcpu",
)

ROWS = (
    SHARES,
    *AFFINITY,
    *_sched("vcpu", "!vcpusched[@vcpus*]", "0-1", ch=True),
    *_sched("iothread", "!iothreadsched[@iothreads*]", "1-2", ch=False, needs=Needs.IOTHREADS),
    *_sched("emulator", "!emulatorsched", ch=False),
    COUNT,
)
