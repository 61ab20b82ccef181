import pytest
from lxml import etree

from domtune.devices import select, selectors

DISKS = [
    "<disk><target dev='vda'/></disk>",
    "<disk device='disk'><target dev='vdb'/><alias name='ua-data'/></disk>",
    "<disk device='disk'><target dev='vdc'/><readonly/></disk>",
    "<disk device='cdrom'><target dev='sda'/><alias name='sata0-0-0'/></disk>",
    "<disk device='lun'><target dev='sdb'/></disk>",
]
NICS = [
    "<interface><mac address='52:54:00:AB:CD:01'/><alias name='ua-lan'/></interface>",
    "<interface><alias name='ua-wan'/></interface>",
    "<interface><alias name='net2'/></interface>",
]


def devices(*xml: str) -> list[etree._Element]:
    return list(etree.fromstring(f"<devices>{''.join(xml)}</devices>"))


def called(chosen: list[etree._Element], among: list[etree._Element]) -> list[int]:
    """Return the positions of the chosen ones."""
    return [among.index(each) for each in chosen]


# What a device is called


@pytest.mark.parametrize(
    ("found", "names"),
    [
        (DISKS, ["vda", "vdb", "vdc", "sda", "sdb"]),
        (NICS, ["52:54:00:ab:cd:01", "ua-wan", "2"]),
        (["<filesystem><target dir='/srv'/></filesystem>", "<filesystem/>"], ["/srv", "1"]),
        (["<controller><alias name='ua-scsi'/></controller>", "<controller/>"], ["ua-scsi", "1"]),
        (["<controller><target dev='a'/><mac address='b'/></controller>"], ["0"]),
        (["<disk><target dev='vda'/></disk>", "<disk><target dev='vda'/></disk>"], ["0", "1"]),
        (["<disk><target dev='7'/></disk>", "<disk><target dev='*'/></disk>"], ["0", "1"]),
        (["<disk><target dev='a[b]'/></disk>", "<disk><target dev=' a'/></disk>", "<disk/>"], ["0", "1", "2"]),
        ([], []),
    ],
)
def test_a_device_is_called_by_what_users_know_it_by_or_its_position(found: list[str], names: list[str]) -> None:
    assert names == selectors(devices(*found))


# What a selector means


@pytest.mark.parametrize(
    ("selector", "positions"),
    [
        ("vda", [0]),
        ("ua-data", [1]),
        ("sata0-0-0", [3]),
        ("4", [4]),
        ("5", []),
        ("vdz", []),
        ("VDA", []),
        ("", []),
        ("9" * 5000, []),
        ("*", [0, 1]),  # writable disks of device='disk' only
    ],
)
def test_a_disk_is_chosen_by_target_alias_or_position(selector: str, positions: list[int]) -> None:
    disks = devices(*DISKS)
    assert positions == called(select(disks, selector), disks)


@pytest.mark.parametrize(
    ("selector", "positions"),
    [("52:54:00:ab:cd:01", [0]), ("52:54:00:AB:CD:01", [0]), ("ua-lan", [0]), ("net2", [2]), ("*", [0, 1, 2])],
)
def test_a_nic_is_chosen_by_mac_or_alias(selector: str, positions: list[int]) -> None:
    nics = devices(*NICS)
    assert positions == called(select(nics, selector), nics)


def test_a_name_of_two_devices_means_neither() -> None:
    assert [] == select(devices("<disk><target dev='vda'/></disk>", "<disk><target dev='vda'/></disk>"), "vda")


def test_a_target_comes_before_an_alias() -> None:
    disks = devices("<disk><alias name='vdb'/></disk>", "<disk><target dev='vdb'/></disk>")
    assert [1] == called(select(disks, "vdb"), disks)


def test_every_device_is_chosen_by_what_it_is_called() -> None:
    for found in (devices(*DISKS), devices(*NICS)):
        assert [[each] for each in found] == [select(found, name) for name in selectors(found)]
