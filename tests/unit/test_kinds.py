from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domtune.kinds import DEFAULT, NONE, ON_OFF, YES_NO, Duration, Enum, Flag, Ids, Int, Kind, Rate, Size, Text
from domtune.vocabulary import PARAMS

KINDS: list[Kind] = list(dict.fromkeys(kind for row in PARAMS.values() for kind in (row.kind, *row.kinds.values())))
WORDS = sorted({word for kind in KINDS if isinstance(kind, Enum) for word in kind.words})
UNITS = ["KiB", "kb", "MiB", "G", "b", "bytes", "ns", "us", "ms", "s", "parsec"]
SPOKEN = [DEFAULT, NONE, "true", "false", "r", "all", "-1", "~", "null", "", " ", "*", "17592186044415"]
numbers = st.integers(-5, 2**70).map(str)
texts = st.one_of(
    st.sampled_from([*WORDS, *SPOKEN]),
    numbers,
    st.tuples(numbers, st.sampled_from(["", " ", "  "]), st.sampled_from(UNITS), st.sampled_from(["", "/s"])).map(
        "".join
    ),
    st.text(alphabet="0123456789-^, ²٣eEx.kKmMiIbBs/\n", max_size=10),
    st.text(max_size=8),
)
units = st.none() | st.sampled_from(UNITS)


def refused(method: Callable[..., object], *arguments: str | None) -> str:
    """Return why a kind refuses a value, "" if it takes it."""
    try:
        method(*arguments)
    except ValueError as error:
        return str(error)
    return ""


# For every kind of the vocabulary and any text


@given(st.sampled_from(KINDS), texts, units)
@example(Int(unlimited="-1"), "-1", None)
@example(Size("KiB", 1, 2**53 - 1, str(2**53 - 1)), str(2**53 - 1), None)
@example(Rate(1024, unlimited="0"), "0", None)
@example(Text(), "none", None)
def test_what_a_profile_says_is_written_as_it_was(kind: Kind, text: str, unit: str | None) -> None:
    said = kind.said(text, unit)
    assert said is None or (text, unit) == kind.written(said)


@given(st.sampled_from(KINDS), texts, units)
def test_no_value_is_said_in_words_that_mean_something_else(kind: Kind, text: str, unit: str | None) -> None:
    said = kind.said(text, unit)
    assert said != DEFAULT
    assert said != NONE or isinstance(kind, Text | Enum) or text == getattr(kind, "unlimited", None)


@given(st.sampled_from(KINDS), texts)
def test_what_a_profile_may_say_has_a_meaning(kind: Kind, said: str) -> None:
    if not refused(kind.written, said):
        text, unit = kind.written(said)
        assert (text, unit) in {("r", None), (DEFAULT, None)} or "" == refused(kind.parse, text, unit)


@given(st.sampled_from(KINDS), texts, units)
@example(Rate(1024, unlimited="0"), "0", "KiB")
def test_what_is_good_has_a_meaning(kind: Kind, text: str, unit: str | None) -> None:
    if not refused(kind.judge, text, unit):
        assert text == "r" or "" == refused(kind.parse, text, unit)


@given(st.sampled_from(KINDS), texts)
def test_what_a_profile_can_say_is_not_left_to_verbatim(kind: Kind, text: str) -> None:
    if not refused(kind.written, text) and kind.written(text) == (text, None):
        assert kind.said(text, None) is not None or text in {DEFAULT, "r", ""}


# Kind by kind


@pytest.mark.parametrize(
    ("kind", "said", "text", "unit"),
    [
        (Int(), "8", "8", None),
        (Int(unlimited="-1"), NONE, "-1", None),
        (Int(unlimited="0"), NONE, "0", None),
        (Size(), "8 GiB", "8", "GiB"),
        (Size(), "8GiB", "8", "GiB"),
        (Size(), "2048", "2048", None),
        (Size(unlimited="9007199254740991"), NONE, "9007199254740991", None),
        (Rate(1024), "100 MiB/s", "102400", None),
        (Rate(1024), "100 MiB", "102400", None),
        (Rate(1024), "1024 B/s", "1", None),
        (Rate(1), "1 kB/s", "1000", None),
        (Rate(1024), "77", "77", None),
        (Rate(1, unlimited="0"), NONE, "0", None),
        (Rate(1, unlimited="0", left_out=True), NONE, DEFAULT, None),
        (Rate(1024), "100M", "102400", None),  # as libvirt reads it
        (Rate(1), "5 GB/s", "5000000000", None),
        (Duration("us", unlimited="-1"), "150 ms", "150000", None),
        (Duration("us", unlimited="-1"), NONE, "-1", None),
        (Duration("us"), "50 ms", "50000", None),
        (Duration("s"), "2000ms", "2", None),
        (Duration("ns"), "1s", "1000000000", None),
        (Ids(), "0-3,^2", "0-3,^2", None),
        (Ids(everything=True), "r", "r", None),
        (ON_OFF, "on", "on", None),
        (Flag(), "true", "true", None),
        (Text(), "a b", "a b", None),
    ],
)
def test_writes_what_a_profile_says(kind: Kind, said: str, text: str, unit: str | None) -> None:
    assert (text, unit) == kind.written(said)


@pytest.mark.parametrize(
    ("kind", "said", "reason"),
    [
        (Rate(1, 9, 1, "0"), "0", "0 is outside 1 to 9 bytes/s; for no limit say none"),
        (Int(1, 9, "0"), "0", "0 is outside 1 to 9; for no limit say none"),
        (Int(1, 9, "-1"), "-1", "-1 is outside 1 to 9; for no limit say none"),
        (Duration("us", unlimited="-1"), "-1", "for no limit say none"),
        (Duration("us"), "1.5 s", "1.5 s is not a whole number; say 1500 ms"),
        (Size(), "0.5 GiB", "0.5 GiB is not a whole number; say 512 MiB"),
        (Size(), "1.0000001 B", "1.0000001 B is not a whole number"),
        (Rate(1), "1.5 MB/s", "1.5 MB/s is not a whole number; say 1500 kB/s"),
        (Rate(1), "1 Gbit/s", "1 Gbit/s: bytes are counted, not bits; 8 bits are a byte: say 125 MB/s"),
        (Rate(1), "100Mb", "100Mb: bytes are counted, not bits; 8 bits are a byte: say 12500 kB/s"),
        (Rate(1), "1 bit/s", "1 bit/s: bytes are counted, not bits"),
        (YES_NO, "true", "'true' is none of yes, no; say yes"),
        (ON_OFF, "false", "'false' is none of on, off; say off"),
        (Flag(), "yes", "'yes': this is there (true) or not; say true"),
        (Flag(), "no", "'no': this is there (true) or not; to take it away say default"),
    ],
)
def test_says_the_way_out_of_what_it_does_not_take(kind: Kind, said: str, reason: str) -> None:
    assert refused(kind.written, said).endswith(reason)


def test_a_number_that_is_no_limit_for_libvirt_may_be_a_limit_too() -> None:
    assert ("0", None) == Int(0, 9, "0").written("0")


@pytest.mark.parametrize(
    ("kind", "text", "unit", "meaning"),
    [
        (Int(), "007", None, 7),
        (Int(unlimited="-1"), "-5", None, -1),
        (Int(unlimited="-1"), "17592186044415", None, 17592186044415),
        (Duration("us", unlimited="-1"), "-5", None, -1),
        (Duration("us", unlimited="-1"), "17592186044415", None, -1),  # what cgroup v2 reports for no limit
        (Duration("us", unlimited="-1"), "17592186044416", None, 17592186044416),
        (Size(), "2", "MiB", 2 * 1024**2),
        (Size(), "2", None, 2048),
        (Size("B"), "2", None, 2),
        (Rate(1024), "5", None, 5),
        (Duration("ms"), "5", None, 5),
        (Ids(), "0-2", None, frozenset({0, 1, 2})),
        (ON_OFF, "off", None, "off"),
        (Flag(), "true", None, True),
    ],
)
def test_gives_texts_their_meaning(kind: Kind, text: str, unit: str | None, meaning: object) -> None:
    assert meaning == kind.parse(text, unit)


@pytest.mark.parametrize(
    ("kind", "text", "unit", "reason"),
    [
        (Int(2, 9), "1", None, "1 is outside 2 to 9"),
        (Int(2, 9), "9", None, ""),
        (Int(2, 9), "10", None, "10 is outside 2 to 9"),
        (Int(1, None, "-1", "MHz"), "0", None, "0 is outside 1 and up MHz"),
        (Int(1, None, "-1", "MHz"), "-1", None, ""),
        (Int(0, 9), "-1", None, "-1 is outside 0 to 9"),
        (Duration("us", 1000, 9999, "-1"), "999", None, "999 is outside 1000 to 9999 us"),
        (Duration("us", 1000, 9999, "-1"), "99999999999999999", None, "99999999999999999 is outside 1000 to 9999 us"),
        (Duration("us", 1000, 9999, "-1"), "17592186044415", None, ""),  # as a domain says it
        (Duration("us", 1000, 9999, "-1"), "-1", None, ""),
        (Int(1, 64, power_of_two=True), "24", None, "24 is no power of two"),
        (Int(1, 64, power_of_two=True), "32", None, ""),
        (Size("KiB", 1, 100, "100"), "100", None, ""),
        (Size("KiB", 1, 99), "1", "MiB", "1024 is outside 1 to 99 KiB"),
        (Size("KiB"), "1500", "b", "1500 b is not a whole number of KiB, in which libvirt counts it"),
        (Rate(1024, 10), "11", None, "11 is outside 0 to 10 KiB/s"),
        (Rate(1, 10, per_second=False), "11", None, "11 is outside 0 to 10 bytes"),
        (Duration("ms", 1), "0", None, "0 is outside 1 and up ms"),
        (Ids(), "1,^1", None, "'1,^1' names no host CPUs"),
        (Ids("host nodes"), "1", None, ""),
        (ON_OFF, "yes", None, "'yes' is none of on, off; say on"),
        (Text("[a-z]+", "small letters"), "A", None, "'A' is not small letters"),
        (Text("[a-z]+", "small letters"), "a", None, ""),
    ],
)
def test_judges_whether_anything_would_take_a_value(kind: Kind, text: str, unit: str | None, reason: str) -> None:
    assert reason == refused(kind.judge, text, unit)


@pytest.mark.parametrize(
    ("kind", "text", "unit"),
    [
        (Int(unlimited="-1"), "-5", None),  # no limit too, but written otherwise
        (Duration("us", unlimited="-1"), "-5", None),
        (Rate(1, unlimited="0", left_out=True), "0", None),  # none leaves it out
        (Int(), "1", "KiB"),
        (Size(), "1", "parsec"),
        (Size(), "1.5", "GiB"),
        (Ids(), "r", None),
        (Enum(("default", "none")), "default", None),
        (Text(), "default", None),
        (Text(), "", None),
        (Flag(), "", None),
    ],
)
def test_leaves_to_verbatim_what_a_profile_has_no_words_for(kind: Kind, text: str, unit: str | None) -> None:
    assert kind.said(text, unit) is None


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Int(1, 9), "1 to 9"),
        (Int(1, None, "-1", "us"), "1 and up us, or none"),
        (Int(1, 64, power_of_two=True), "1 to 64, a power of two"),
        (Size("KiB", 1), "1 and up KiB"),
        (Rate(1024, 5, unlimited="0"), "0 to 5 KiB/s, or none"),
        (Duration("ms", 1, 5), "1 to 5 ms"),
        (Duration("us", 1, 5, "-1"), "1 to 5 us, or none"),
        (Enum(("a", "b")), "a | b"),
        (Ids(), "list of host CPUs, e.g. 0-3,^2"),
        (Ids(everything=True), "list of host CPUs, e.g. 0-3,^2, or r for all"),
        (Text(what="a path"), "a path"),
        (Flag(), "true"),
    ],
)
def test_describes_itself(kind: Kind, words: str) -> None:
    assert words == kind.describe()
