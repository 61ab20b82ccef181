"""What the LXC driver refuses when it is defined, though the facts once said that it ignores it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Refused:
    reason: str
    body: str = ""
    devices: str = ""


HOTPLUG = "memory devices are not supported by this driver"
DIMM = "<memory model='dimm'>{source}<target><size unit='MiB'>32</size><node>0</node></target></memory>"
VIRTIO_MEM = """\
<memory model='virtio-mem'>
  <target>
    <size unit='MiB'>32</size> <node>0</node> <block unit='MiB'>2</block> <requested unit='MiB'>16</requested>
  </target>
</memory>
"""
REFUSED: Mapping[str, Refused] = MappingProxyType(
    {
        "cpu.vcpu.state": Refused(
            "individual CPU state configuration is not supported", "<vcpus><vcpu id='1' enabled='yes'/></vcpus>"
        ),
        "memory.hotplug_max": Refused(
            "<maxMemory> are not supported", "<maxMemory slots='2' unit='MiB'>256</maxMemory>"
        ),
        "memory.device.dimm": Refused(HOTPLUG, devices=DIMM.format(source="")),
        "memory.device.source_nodes": Refused(
            HOTPLUG, devices=DIMM.format(source="<source><nodemask>0</nodemask></source>")
        ),
        "memory.device.pagesize": Refused(
            HOTPLUG, devices=DIMM.format(source="<source><pagesize unit='KiB'>4</pagesize></source>")
        ),
        "memory.device.virtio_mem.requested": Refused(HOTPLUG, devices=VIRTIO_MEM),
    }
)
