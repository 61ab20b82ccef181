from hypothesis import given
from hypothesis import strategies as st

from domtune.layers import stack
from domtune.tuning import Setting
from support.tuning import names, said

LINES = [
    *(f"cpu.shares: {number}" for number in (512, 1024)),
    *(f"cpu.vcpu.pin: {{{key}: {cpus}}}" for key in (0, 1) for cpus in (2, 3)),
    *(f"disk[{disk}].iotune.{word}: 1" for disk in ("vda", "vdb") for word in ("read_iops_sec", "write_iops_sec")),
    *(f"blkio.device.weight: {{{device}: 500}}" for device in ("/dev/sda", "/dev/sdb")),
    "memory.limit.hard: default",
    "memory.limit.hard: 2 GiB",
    "memory.limit.soft: 1 GiB",
]
layers = st.lists(st.sampled_from(LINES), max_size=5).map(lambda lines: [each for line in lines for each in said(line)])


def test_the_later_layer_wins() -> None:
    assert {"cpu.shares": "1024", "blkio.weight": "500"} == names(
        stack([said("cpu.shares: 512\nblkio.weight: 500"), said("cpu.shares: 1024")])
    )


def test_a_family_is_replaced_whole() -> None:
    below = said("cpu.vcpu.pin: {0: 2, 1: 3}\ncpu.emulator.pin: 0-1")
    assert {"cpu.emulator.pin": "0-1", "cpu.vcpu.pin[1]": "5"} == names(stack([below, said("cpu.vcpu.pin: {1: 5}")]))


def test_the_family_of_one_disk_is_not_that_of_another() -> None:
    below = said("disk[vda].iotune: {read_iops_sec: 1, size_iops_sec: 4}\ndisk[vdb].iotune.read_iops_sec: 2")
    above = said("disk[vda].iotune.total_iops_sec: 3")
    assert {"disk[vdb].iotune.read_iops_sec": "2", "disk[vda].iotune.total_iops_sec": "3"} == names(
        stack([below, above])
    )


def test_what_has_no_family_is_replaced_key_by_key() -> None:
    below = said("blkio.device.weight: {/dev/sda: 200, /dev/sdb: 300}")
    assert {"blkio.device.weight[/dev/sda]": "200", "blkio.device.weight[/dev/sdb]": "400"} == names(
        stack([below, said("blkio.device.weight: {/dev/sdb: 400}")])
    )


def test_default_takes_away_its_own_row_alone_and_stays() -> None:
    assert {"memory.limit.hard": "8 GiB", "memory.limit.soft": "default"} == names(
        stack([said("memory.limit: {hard: 8 GiB, soft: 4 GiB}"), said("memory.limit.soft: default")])
    )
    assert {"cpu.vcpu.pin[0]": "2", "cpu.vcpu.pin[1]": "default"} == names(
        stack([said("cpu.vcpu.pin: {0: 2, 1: 3}"), said("cpu.vcpu.pin: {1: default}")])
    )


def test_a_layer_that_sets_something_replaces_the_family_also_where_it_says_default() -> None:
    assert {"memory.limit.swap_hard": "9 GiB", "memory.limit.soft": "default"} == names(
        stack(
            [said("memory.limit.hard: 8 GiB"), said("memory.limit: {swap_hard: 9 GiB, soft: default}")],
        )
    )


def test_without_huge_pages_there_are_no_sizes_of_them() -> None:
    sizes = said("memory.backing.hugepages: [{size: 2 MiB, nodeset: 0}]")
    assert {"memory.backing.hugepages": "default"} == names(stack([sizes, said("memory.backing.hugepages: default")]))


def test_a_value_above_default_holds() -> None:
    assert {"cpu.shares": "512"} == names(stack([said("cpu.shares: default"), said("cpu.shares: 512")]))


@given(layers)
def test_one_layer_stays_as_it_is(layer: list[Setting]) -> None:
    assert {setting.address: setting for setting in layer} == {each.address: each for each in stack([layer])}


@given(layers, layers)
def test_a_layer_wins_over_the_one_below(below: list[Setting], above: list[Setting]) -> None:
    found = names(stack([below, above]))
    assert names(stack([above])).items() <= found.items()


@given(layers, layers)
def test_nothing_is_made_up(below: list[Setting], above: list[Setting]) -> None:
    assert set(stack([below, above])) <= {*below, *above}


@given(layers, layers)
def test_the_order_of_layers_matters_only_where_both_set_the_same(one: list[Setting], other: list[Setting]) -> None:
    def places(layer: list[Setting]) -> set[object]:
        return {setting.family if setting.param.family else setting.address for setting in layer}

    if not places(one) & places(other):
        assert set(stack([one, other])) == set(stack([other, one]))


defaults = st.lists(st.sampled_from(LINES), max_size=5).map(
    lambda lines: [each._replace(text="default", unit=None) for line in lines for each in said(line)]
)


@given(layers, defaults)
def test_default_takes_nothing_away_but_what_it_names(below: list[Setting], above: list[Setting]) -> None:
    named = {each.address for each in above}
    kept = {each.name: each.said for each in below if each.address not in named}
    assert kept == {name: value for name, value in names(stack([below, above])).items() if name not in names(above)}


@given(layers, layers, layers)
def test_layers_may_be_stacked_in_steps(one: list[Setting], two: list[Setting], three: list[Setting]) -> None:
    assert names(stack([one, two, three])) == names(stack([stack([one, two]), three]))
