"""Rows that only some devices honour: what libvirt does with them on another, and that the product says so."""

import libvirt
import pytest

from domtune import tree
from domtune.put import put
from domtune.tuning import Tuning
from live import guests, kernel, product
from live.hypervisor import Hypervisor
from support.tuning import said

USER = "<interface type='user'><mac address='52:54:00:00:00:01'/><model type='{}'/></interface>"
SATA = (
    "<disk type='file' device='{}'><driver name='qemu' type='raw'/><source file='{}'/>"
    "<target dev='{}' bus='sata'/></disk>"
)
SCSI = "<controller type='scsi' index='0' model='lsilogic'><alias name='ua-scsi'/></controller>"
REFUSED = {
    "net[0].coalesce.rx_max_frames: 5": "coalesce settings on interface type user are not supported",
    "net[0].driver.queues: 2": "multiqueue is not supported for network interfaces of type user",
    "net[0].bandwidth.inbound: {average: 10, floor: 5}": "floor attribute is not supported",
    "disk[sda].driver.iothread: 1\niothread.count: 1": "IOThreads not available for bus sata",
    "disk[sda].driver.ioeventfd: on": "only for virtio bus",
    "disk[sda].driver.queues: 2": "only supported by virtio-blk",
    "disk[sda].driver.event_idx: on": "only for virtio bus",
    "disk[sda].driver.packed: on": "only supported for virtio devices",
    "disk[sda].driver.page_per_vq: on": "only supported for virtio devices",
    "disk[sda].driver.metadata_cache: 8 MiB": "only with qcow2 images",
    "disk[sdb].driver.copy_on_read: on": "copy_on_read is not compatible with read-only disk",
    "disk[vdc].driver.copy_on_read: on": "copy_on_read is not compatible with read-only disk",
    "controller[ua-scsi].driver.queues: 2": "'queues' is only supported by virtio-scsi",
    "controller[ua-scsi].driver.cmd_per_lun: 2": "'cmd_per_lun' is only supported by virtio-scsi",
    "controller[ua-scsi].driver.max_sectors: 2": "'max_sectors' is only supported by virtio-scsi",
    "controller[ua-scsi].driver.ioeventfd: on": "'ioeventfd' is only supported by virtio-scsi",
    "controller[ua-scsi].driver.iothread: 1\niothread.count: 1": "'iothread' attribute only supported for virtio scsi",
}
DROPPED = [
    "rx_queue_size: 512",
    "txmode: timer",
    "event_idx: off",
    "ioeventfd: on",
    "host_offloads: {tso4: off}",
    "rss: on",
]


def devices(host: Hypervisor, model: str = "virtio") -> str:
    plain, drive = SATA.format("disk", host.image(), "sda"), SATA.format("cdrom", host.image(), "sdb")
    locked = guests.disk(host.image(), target="vdc", inside="<readonly/>")
    return USER.format(model) + plain + drive + locked + SCSI


def forced(host: Hypervisor, text: str, model: str = "virtio") -> str:
    """A document that says it all the same."""
    root = tree.parse(host.document(host.name(), devices=devices(host, model)))
    put(root, Tuning(tuple(said(text))))
    return tree.serialise(root)


@pytest.mark.live("qemu")
@pytest.mark.parametrize("text", REFUSED)
def test_libvirt_refuses_it_on_other_devices_and_the_product_leaves_it_out(text: str, qemu: Hypervisor) -> None:
    with pytest.raises(libvirt.libvirtError, match=REFUSED[text].replace("'", ".")):
        qemu.create(forced(qemu, text), libvirt.VIR_DOMAIN_START_PAUSED)
    name = qemu.name()
    qemu.define(qemu.document(name, devices=devices(qemu)))
    started = product.start(qemu, name, product.wish(text))
    assert any("honours it only on" in each.reason for each in started.not_done)


@pytest.mark.live("qemu")
@pytest.mark.parametrize("text", DROPPED)
def test_libvirt_drops_what_another_model_of_nic_has_not(text: str, qemu: Hypervisor) -> None:
    xml = qemu.define(forced(qemu, f"net[0].driver: {{{text}}}", "e1000")).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    assert tree.parse(xml).find("devices/interface/driver") is None


@pytest.mark.live("qemu")
def test_what_a_user_nic_takes_and_does_nothing_with_is_not_done(qemu: Hypervisor) -> None:
    text = "net[0].bandwidth.outbound.average: 100\nnet[0].driver.name: vhost\nnet[0].sndbuf: 1600"
    domain = qemu.create(forced(qemu, text), libvirt.VIR_DOMAIN_START_PAUSED)
    running = tree.parse(domain.XMLDesc(0))
    assert running.find("devices/interface/bandwidth/outbound") is not None
    assert running.find("devices/interface/driver[@name='vhost']") is not None
    command = kernel.command_line(kernel.qemu_pid(domain.name()))
    assert not [word for word in command if "vhost" in word or "sndbuf" in word]
    assert running.find("devices/interface/target") is None  # nothing on the host to limit
    name = qemu.name()
    qemu.define(qemu.document(name, devices=devices(qemu)))
    started = product.start(qemu, name, product.wish(text))
    assert {each.setting.name.partition(".")[2] for each in started.not_done} == {
        "bandwidth.outbound.average",
        "driver.name",
        "sndbuf",
    }
