import pytest
from hypothesis import given
from hypothesis import strategies as st

from domtune.values import MAX_CPUS, format_ids, parse_ids, scale

numbers = st.integers(0, MAX_CPUS - 1)
sets = st.frozensets(numbers, max_size=40)
parts = st.one_of(
    numbers.map(str),
    numbers.map("^{}".format),
    st.tuples(numbers, st.integers(0, 9)).map(lambda run: f"{run[0]}-{min(run[0] + run[1], MAX_CPUS - 1)}"),
)


def plainly(text: str) -> frozenset[int]:
    """Read a list of ids in the plainest way there is."""
    found: set[int] = set()
    for part in text.split(","):
        if part.startswith("^"):
            found -= {int(part[1:])}
        elif "-" in part:
            first, last = part.split("-")
            found |= set(range(int(first), int(last) + 1))
        else:
            found |= {int(part)}
    return frozenset(found)


@given(st.lists(parts, min_size=1, max_size=12).map(",".join))
def test_reads_every_list_of_ids_as_a_plain_reader_does(text: str) -> None:
    assert plainly(text) == parse_ids(text)


@given(sets.filter(bool))
def test_writes_ids_so_that_they_read_back(ids: frozenset[int]) -> None:
    text = format_ids(ids)
    assert ids == parse_ids(text)
    assert text == format_ids(parse_ids(text))


@given(st.text(alphabet="0123456789-^, \n²٣abr", max_size=12))
def test_any_text_is_a_list_of_ids_or_no_value(text: str) -> None:
    try:
        found = parse_ids(text)
    except ValueError:
        return
    assert found <= set(range(MAX_CPUS))


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("0-3,^2", {0, 1, 3}),
        ("^2,0-3", {0, 1, 2, 3}),  # from left to right: what is taken out early comes in again
        (" 0 , 2-3 ", {0, 2, 3}),
        ("007", {7}),
        ("5,5,4-6", {4, 5, 6}),
        ("0,^0", set()),
        ("16383", {16383}),
    ],
)
def test_reads_lists_from_left_to_right(text: str, ids: set[int]) -> None:
    assert ids == parse_ids(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "'' is not a list of ids such as 0-3,^2"),
        ("0-3,", "'0-3,' is not a list of ids such as 0-3,^2"),
        ("^0-3", "'^0-3' is not a list of ids such as 0-3,^2"),
        ("0 1", "'0 1' is not a list of ids such as 0-3,^2"),
        ("-1", "'-1' is not a list of ids such as 0-3,^2"),
        ("٣", "'٣' is not a list of ids such as 0-3,^2"),
        ("7-4", "'7-4' runs backwards"),
        ("0,16384", "16384 in '0,16384' is above 16383, the highest id libvirt takes"),
        ("0-99999999999", "99999999999 in '0-99999999999' is above 16383, the highest id libvirt takes"),
    ],
)
def test_refuses_what_is_no_list_of_ids(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^.") as caught:
        parse_ids(text)
    assert reason == str(caught.value)


@pytest.mark.parametrize(("ids", "text"), [([], ""), ([3], "3"), ([5, 1, 0, 2], "0-2,5"), ([1, 2, 4, 5], "1-2,4-5")])
def test_writes_ids_as_libvirt_does(ids: list[int], text: str) -> None:
    assert text == format_ids(ids)


@pytest.mark.parametrize(
    ("unit", "bytes_"),
    [
        *[("b", 1), ("B", 1), ("byte", 1), ("bytes", 1)],
        *[("k", 1024), ("K", 1024), ("KiB", 1024), ("kib", 1024), ("KB", 1000), ("kB", 1000)],
        *[("M", 1024**2), ("MiB", 1024**2), ("MB", 10**6), ("g", 1024**3), ("GB", 10**9)],
        *[("TiB", 1024**4), ("PiB", 1024**5), ("E", 1024**6), ("EB", 10**18)],
    ],
)
def test_counts_units_as_libvirt_does(unit: str, bytes_: int) -> None:
    assert bytes_ == scale(unit)


@pytest.mark.parametrize("unit", ["", "i", "iB", "KiBs", "Gi", "ZiB", "kb/s", "Gbit"])
def test_refuses_other_units(unit: str) -> None:
    with pytest.raises(ValueError, match="is no unit of size; use B, KiB, MiB"):
        scale(unit)
