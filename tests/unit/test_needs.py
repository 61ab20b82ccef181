"""What must stay in a definition since the domain's devices need it, and what leaves all the same."""

import pytest
from lxml import etree

from domtune.domain import merge, split
from domtune.tuning import Split
from support.same import same
from support.tuning import domain, names

PAGES = "<hugepages><page size='1' unit='GiB'/></hugepages>"
SHARED = "<access mode='shared'/>"
MEMFD = "<source type='memfd'/>"
VHOST_USER = "<interface type='vhostuser'><source type='unix' path='/run/1' mode='client'/></interface>"
VIRTIOFS = "<filesystem type='mount'><driver type='virtiofs'/><source dir='/a'/><target dir='a'/></filesystem>"
SHARING = {
    "vhost-user NIC": VHOST_USER,
    "vhost-user disk": "<disk type='vhostuser'><source type='unix' path='/run/2'/><target dev='vda'/></disk>",
    "virtiofs": VIRTIOFS,
    "vhost-user video": "<video><driver name='vhostuser'/></video>",
}
LOCKING = {
    "hostdev": "<hostdev mode='subsystem' type='pci'/>",
    "NIC by hostdev": "<interface type='hostdev'/>",
    "vDPA NIC": "<interface type='vdpa'><source dev='/dev/vhost-vdpa-0'/></interface>",
    "NVMe disk": "<disk type='nvme'><target dev='vda'/></disk>",
    "vDPA disk": "<disk type='vhostvdpa'><target dev='vda'/></disk>",
}
LIMITS = "<memtune><hard_limit unit='GiB'>5</hard_limit><soft_limit unit='GiB'>4</soft_limit></memtune>"


def backing(definition: str) -> list[str]:
    """Return what the definition says of its memory."""
    root = etree.fromstring(definition)
    found = [child for holder in root.iterfind("memoryBacking") for child in holder]
    return [" ".join([str(child.tag), *map(str, child.attrib.values())]) for child in found]


def parted(inside: str, devices: str, *, guest_visible: bool = False, memlock: bool = False) -> Split:
    """Split a domain, and be sure that nothing of it is lost."""
    xml = domain(inside, devices)
    both = split(xml, guest_visible=guest_visible, memlock=memlock)
    assert [] == same(xml, merge(*both))
    return both


# Locked memory


@pytest.mark.parametrize("device", LOCKING.values(), ids=LOCKING)
def test_what_limits_locked_memory_stays_with_devices_that_lock_it(device: str) -> None:
    both = parted(f"{LIMITS}<memoryBacking><locked/></memoryBacking>", device)
    assert {"memory.limit.soft": "4 GiB"} == names(both.tuning)
    assert ["locked"] == backing(both.definition)


@pytest.mark.parametrize("device", LOCKING.values(), ids=LOCKING)
def test_it_leaves_when_the_user_says_so(device: str) -> None:
    both = parted(f"{LIMITS}<memoryBacking><locked/></memoryBacking>", device, memlock=True)
    assert {"memory.limit.hard", "memory.limit.soft", "memory.backing.locked"} == set(names(both.tuning))
    assert [] == backing(both.definition)


@pytest.mark.parametrize("device", ["<interface type='user'/>", "<disk type='file'><target dev='vda'/></disk>", ""])
def test_it_leaves_where_no_device_locks_memory(device: str) -> None:
    both = parted(f"{LIMITS}<memoryBacking><locked/></memoryBacking>", device)
    assert {"memory.limit.hard", "memory.limit.soft", "memory.backing.locked"} == set(names(both.tuning))


# Shared memory


@pytest.mark.parametrize("device", SHARING.values(), ids=SHARING)
@pytest.mark.parametrize("guest_visible", [False, True])
def test_sharing_stays_with_devices_that_need_it(device: str, guest_visible: bool) -> None:
    both = parted(f"<memoryBacking>{MEMFD}{SHARED}</memoryBacking>", device, guest_visible=guest_visible)
    assert ["source memfd", "access shared"] == backing(both.definition)
    assert {} == names(both.tuning)


@pytest.mark.parametrize("device", SHARING.values(), ids=SHARING)
@pytest.mark.parametrize("guest_visible", [False, True])
def test_huge_pages_stay_where_devices_share_what_only_they_hold(device: str, guest_visible: bool) -> None:
    both = parted(f"<memoryBacking>{PAGES}{SHARED}</memoryBacking>", device, guest_visible=guest_visible)
    assert ["hugepages", "access shared"] == backing(both.definition)
    assert {} == names(both.tuning)


def test_huge_pages_leave_where_a_memfd_holds_what_devices_share() -> None:
    both = parted(f"<memoryBacking>{PAGES}{MEMFD}{SHARED}</memoryBacking>", VHOST_USER)
    assert ["source memfd", "access shared"] == backing(both.definition)
    assert {"memory.backing.hugepages.size[0]": "1 GiB"} == names(both.tuning)


def test_huge_pages_stay_where_what_devices_share_would_lie_in_a_file() -> None:
    both = parted(f"<memoryBacking>{PAGES}<source type='file'/>{SHARED}</memoryBacking>", VIRTIOFS)
    assert ["hugepages", "source file", "access shared"] == backing(both.definition)


def test_sharing_of_one_guest_cell_stays_with_devices_that_need_it() -> None:
    cells = "<cpu><numa><cell id='0' cpus='0-3' memory='4' unit='GiB' memAccess='shared'/></numa></cpu>"
    both = parted(f"<memoryBacking>{PAGES}</memoryBacking>{cells}", VHOST_USER, guest_visible=True)
    assert ["hugepages"] == backing(both.definition)
    assert {} == names(both.tuning)


def test_a_memfd_takes_the_place_of_huge_pages_under_memory_that_stays_shared() -> None:
    both = parted(f"<memoryBacking>{PAGES}{SHARED}</memoryBacking>", "")
    assert ["access shared", "source memfd"] == backing(both.definition)
    assert {"memory.backing.hugepages.size[0]": "1 GiB", "memory.backing.source": "default"} == names(both.tuning)


def test_a_memfd_takes_the_place_of_huge_pages_under_a_shared_cell() -> None:
    cells = "<cpu><numa><cell id='0' cpus='0-3' memory='4' unit='GiB' memAccess='shared'/></numa></cpu>"
    both = parted(f"<memoryBacking>{PAGES}</memoryBacking>{cells}", "")
    assert ["source memfd"] == backing(both.definition)


def test_a_memfd_takes_the_place_of_a_file_that_huge_pages_made_unused() -> None:
    both = parted(f"<memoryBacking>{PAGES}<source type='file'/>{SHARED}</memoryBacking>", "")
    assert ["access shared", "source memfd"] == backing(both.definition)
    assert "file" == names(both.tuning)["memory.backing.source"]


def test_what_shared_memory_is_made_of_stays_with_it() -> None:
    both = parted(f"<memoryBacking><source type='file'/>{SHARED}</memoryBacking>", "")
    assert ["source file", "access shared"] == backing(both.definition)


def test_sharing_and_what_it_needs_leave_together() -> None:
    both = parted(f"<memoryBacking>{PAGES}{MEMFD}{SHARED}</memoryBacking>", "", guest_visible=True)
    assert [] == backing(both.definition)
    assert {"memory.backing.hugepages.size[0]", "memory.backing.source", "memory.backing.access"} == set(
        names(both.tuning)
    )


def test_private_memory_needs_nothing() -> None:
    both = parted(f"<memoryBacking>{PAGES}{MEMFD}<access mode='private'/></memoryBacking>", "")
    assert ["access private"] == backing(both.definition)


# IOThreads


def test_references_to_iothreads_leave_with_the_iothreads() -> None:
    disk = "<disk type='file'><driver name='qemu' type='raw' iothread='2'/><target dev='vda' bus='virtio'/></disk>"
    controller = "<controller type='scsi' index='0' model='virtio-scsi'><driver iothread='1'/></controller>"
    pins = "<cputune><iothreadpin iothread='1' cpuset='0'/><iothreadsched iothreads='1' scheduler='idle'/></cputune>"
    both = parted(f"<iothreads>2</iothreads><iothreadids><iothread id='1'/></iothreadids>{pins}", disk + controller)
    assert "iothread" not in both.definition
    assert {
        "iothread.count": "2",
        "iothread.ids[1]": "true",
        "cpu.iothread.pin[1]": "0",
        "cpu.iothread.sched.policy[1]": "idle",
        "disk[vda].driver.iothread": "2",
        "controller[0].driver.iothread": "1",
    } == names(both.tuning)


# What libvirt adds by itself, or needs beside something else


@pytest.mark.parametrize(
    ("current", "leaves"),
    [("<currentMemory unit='GiB'>4</currentMemory>", False), ("<currentMemory unit='GiB'>3</currentMemory>", True)],
)
def test_current_memory_that_is_all_of_it_is_nobodys_wish(current: str, leaves: bool) -> None:
    both = parted(current, "", guest_visible=True)
    assert leaves == ("memory.current" in names(both.tuning))
    assert leaves != ("currentMemory" in both.definition)


def test_how_many_vcpus_are_on_stays_beside_the_list_that_says_so() -> None:
    listed = "<vcpus><vcpu id='0' enabled='yes'/><vcpu id='1' enabled='no'/></vcpus>"
    for vcpus, leaves in (("", True), (listed, False)):
        xml = domain(vcpus).replace("<vcpu>4</vcpu>", "<vcpu current='1'>2</vcpu>")
        both = split(xml, guest_visible=True)
        assert [] == same(xml, merge(*both))
        assert leaves == ("cpu.count.current" in names(both.tuning))


@pytest.mark.parametrize(("driver", "leaves"), [("<driver intremap='on'/>", False), ("<driver eim='off'/>", True)])
def test_the_interrupt_controller_stays_with_an_iommu_that_needs_it(driver: str, leaves: bool) -> None:
    iommu = f"<iommu model='intel'>{driver}</iommu>"
    both = parted("<features><ioapic driver='qemu'/></features>", iommu, guest_visible=True)
    assert leaves == ("features.ioapic" in names(both.tuning))
