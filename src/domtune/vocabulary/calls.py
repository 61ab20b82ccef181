"""The setters of libvirt that tuning goes through, and the getters beside them."""

from __future__ import annotations

from domtune.vocabulary.model import Call

SCHEDULER = Call("virDomainSetSchedulerParametersFlags", "virDomainGetSchedulerParametersFlags", group="scheduler")
MEMORY = Call("virDomainSetMemoryParameters", "virDomainGetMemoryParameters", group="memory")
BLKIO = Call("virDomainSetBlkioParameters", "virDomainGetBlkioParameters", group="blkio")
NUMA = Call("virDomainSetNumaParameters", "virDomainGetNumaParameters", group="numa")
PERF = Call("virDomainSetPerfEvents", "virDomainGetPerfEvents", group="perf")
IOTUNE = Call("virDomainSetBlockIoTune", "virDomainGetBlockIoTune", takes="disk", group="iotune")
INTERFACE = Call("virDomainSetInterfaceParameters", "virDomainGetInterfaceParameters", takes="net", group="bandwidth")
PIN_VCPU = Call("virDomainPinVcpuFlags", "virDomainGetVcpuPinInfo", takes="vcpu")
PIN_EMULATOR = Call("virDomainPinEmulator", "virDomainGetEmulatorPinInfo")
PIN_IOTHREAD = Call("virDomainPinIOThread", "virDomainGetIOThreadInfo", takes="iothread")
ADD_IOTHREAD = Call("virDomainAddIOThread", "virDomainGetIOThreadInfo", takes="iothread", remove="virDomainDelIOThread")
IOTHREAD = Call("virDomainSetIOThreadParams", None, takes="iothread", group="iothread")
VCPUS = Call("virDomainSetVcpusFlags", "virDomainGetVcpusFlags")
BALLOON = Call("virDomainSetMemoryFlags", None)
STATS_PERIOD = Call("virDomainSetMemoryStatsPeriod", None)
UPDATE_DEVICE = Call("virDomainUpdateDeviceFlags", None, takes="device")
GUEST_VCPUS = Call("virDomainSetGuestVcpus", "virDomainGetGuestVcpus")
