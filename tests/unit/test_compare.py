"""Values are compared by effect: absent, the default and an explicit default are the same."""

import pytest

from domtune.compare import differences, reads, same
from support.tuning import root, said

DISKS = "<disk><target dev='vda'/><alias name='ua-a'/></disk>"


def compared(wanted: str, found: str, driver: str = "qemu", inside: str = "") -> list[str]:
    there = said(found) if found else []
    return [str(each) for each in differences(said(wanted), there, root(inside, DISKS), driver)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("cpu.shares: 512", "cpu.shares: 512"),
        ("cpu.shares: 512", "cpu.shares: 0512"),
        ("memory.limit.hard: 8 GiB", "memory.limit.hard: 8388608"),
        ("cpu.affinity: 0-3,^2", "cpu.affinity: 3,0-1"),
        ("cpu.vcpu.pin: {0: 2, 1: 3}", "cpu.vcpu.pin: {1: 3, 0: 2}"),
        ("memory.backing.hugepages: []", "memory.backing.hugepages: []"),
        ("cpu.vcpu.quota: none", "cpu.vcpu.quota: 17592186044415"),
    ],
)
def test_the_same_in_other_words_holds(wanted: str, found: str) -> None:
    assert [] == compared(wanted, found)
    assert [] == compared(found, wanted)


@pytest.mark.parametrize("wanted", ["cpu.count.current: 4", "memory.current: 4 GiB", "memory.numa.placement: static"])
def test_libvirt_leaves_out_what_the_definition_says_anyway(wanted: str) -> None:
    assert [] == compared(wanted, "")


@pytest.mark.parametrize("wanted", ["cpu.count.current: 3", "memory.current: 3 GiB"])
def test_less_than_the_definition_says_must_be_found(wanted: str) -> None:
    assert 1 == len(compared(wanted, ""))


@pytest.mark.parametrize("selector", ["0", "ua-a", "vda"])
def test_a_device_may_be_called_by_any_of_its_names(selector: str) -> None:
    assert [] == compared(f"disk[{selector}].driver.io: native", "disk[vda].driver.io: native")


@pytest.mark.parametrize(
    "wanted",
    [
        "cpu.shares: 1024",
        "cpu.vcpu.period: 100000",
        "cpu.vcpu.quota: none",
        "memory.limit.hard: none",
        "disk[vda].iotune.read_iops_sec: none",
        "cpu.placement: static",
        "resource.partition: /machine",
        "cpu.emulator.pin: default",
        "blkio.device.weight: {/dev/sda: none}",
        "features.kvm.dirty-ring: {state: default}",
    ],
)
def test_what_holds_anyway_need_not_be_there(wanted: str) -> None:
    assert [] == compared(wanted, "")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("cpu.shares: default", "cpu.shares: 1024"),
        ("cpu.vcpu.quota: default", "cpu.vcpu.quota: none"),
        ("memory.limit.hard: default", "memory.limit.hard: none"),
    ],
)
def test_default_holds_where_the_default_is_found(wanted: str, found: str) -> None:
    assert [] == compared(wanted, found)


def test_what_holds_anyway_differs_from_driver_to_driver() -> None:
    assert [] == compared("cpu.shares: 256", "", "xen")
    assert ["cpu.shares: wanted 256, found nothing"] == compared("cpu.shares: 256", "", "qemu")


@pytest.mark.parametrize(
    ("wanted", "found", "difference"),
    [
        ("cpu.shares: 512", "", "cpu.shares: wanted 512, found nothing"),
        ("cpu.shares: 512", "cpu.shares: 1024", "cpu.shares: wanted 512, found 1024"),
        ("cpu.shares: default", "cpu.shares: 2", "cpu.shares: wanted default, found 2"),
        ("cpu.affinity: 0-3", "cpu.affinity: 0-2", "cpu.affinity: wanted 0-3, found 0-2"),
        ("cpu.vcpu.quota: none", "cpu.vcpu.quota: 50000", "cpu.vcpu.quota: wanted none, found 50000"),
        ("cpu.vcpu.pin: {0: 2, 1: 3}", "cpu.vcpu.pin: {0: 2}", "cpu.vcpu.pin[1]: wanted 3, found nothing"),
        ("memory.limit.hard: 8 GiB", "memory.limit.hard: 8 GB", "memory.limit.hard: wanted 8 GiB, found 8 GB"),
        ("memory.backing.locked: true", "", "memory.backing.locked: wanted true, found nothing"),
        ("disk[vdb].driver.io: native", "", "disk[vdb].driver.io: wanted native, found nothing"),
        (
            "disk[vda].iotune.read_iops_sec: 100",
            "disk[vda].iotune.write_iops_sec: 100",
            "disk[vda].iotune.read_iops_sec: wanted 100, found nothing",
        ),
    ],
)
def test_says_what_does_not_hold(wanted: str, found: str, difference: str) -> None:
    assert [difference] == compared(wanted, found)


def test_what_was_not_asked_for_is_no_difference() -> None:
    assert [] == compared("cpu.shares: 512", "cpu.shares: 512\nmemory.limit.hard: 8 GiB")


# Keys that are sets


@pytest.mark.parametrize(
    ("found", "difference"),
    [
        ("{0: fifo, 1: fifo, 2-3: fifo}", []),
        ("{0-2: fifo, 3: fifo}", []),
        ("{0-3: idle}", ["cpu.vcpu.sched.policy[0-3]: wanted fifo, found idle"]),
        ("{0-2: fifo}", ["cpu.vcpu.sched.policy[0-3]: wanted fifo, found nothing"]),
        ("{0-2: fifo, 3: rr}", ["cpu.vcpu.sched.policy[0-3]: wanted fifo, found rr"]),
    ],
)
def test_a_scheduler_may_come_back_split_by_vcpu(found: str, difference: list[str]) -> None:
    assert difference == compared("cpu.vcpu.sched.policy: {0-3: fifo}", f"cpu.vcpu.sched.policy: {found}")


def test_a_cache_part_is_one_of_a_set_of_vcpus() -> None:
    part = "[{id: 0, level: 3, type: both, size: 4 MiB}]"
    assert [] == compared(f"cpu.cache.alloc: {{0-2: {part}}}", f"cpu.cache.alloc: {{'0,1,2': {part}}}")
    assert ["cpu.cache.alloc[0-1][0/3/both]: wanted 4 MiB, found nothing"] == compared(
        f"cpu.cache.alloc: {{0-1: {part}}}", f"cpu.cache.alloc: {{0-2: {part}}}"
    )


# IOThreads


@pytest.mark.parametrize(
    ("wanted", "found", "difference"),
    [
        ("iothread.ids: [1, 2]", "iothread.count: 2", []),
        ("iothread.ids: [1, 4]", "iothread.ids: [1, 4]\niothread.count: 2", []),
        ("iothread.ids: [1, 4]", "iothread.count: 2", ["iothread.ids[4]: wanted true, found nothing"]),
        ("iothread.ids: [70000]", "iothread.ids: [70000]", []),
    ],
)
def test_iothreads_are_there_by_number_or_by_count(wanted: str, found: str, difference: list[str]) -> None:
    assert difference == compared(wanted, found)


# One value


def test_two_settings_are_the_same_when_they_mean_the_same() -> None:
    (size,), (other,), (third,) = (said(f"memory.limit.hard: {text}") for text in ("8 GiB", "8388608 KiB", "8 GB"))
    assert same(size, other)
    assert not same(size, third)


@pytest.mark.parametrize(
    ("wanted", "text", "holds"),
    [
        ("cpu.cap: 150", "150", True),
        ("cpu.cap: 150", "151", False),
        ("cpu.cap: 150", None, False),
        ("cpu.cap: 150", "much", False),
        ("cpu.limit_mhz: none", "-1", True),
        ("iothread.poll_max_ns: {1: 50 us}", "50000", True),
        ("iothread.poll_max_ns: {1: 50 us}", "", False),
        ("memory.limit.hard: 1001 KiB", "1000", True),  # the kernel rounds down to whole pages
        ("memory.limit.hard: 1001 KiB", "1001", True),
        ("memory.limit.hard: 1001 KiB", "1002", False),
        ("memory.limit.hard: 1001 KiB", "900", False),
    ],
)
def test_a_getter_writes_numbers_where_xml_has_none(wanted: str, text: str | None, holds: bool) -> None:
    (setting,) = said(wanted)
    assert holds is reads(setting, text)
