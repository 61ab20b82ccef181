"""The table of wishes: each has a place on every driver, and says only what is there."""

import re

import pytest

from domtune import explaining, profile
from domtune.errors import Invalid
from domtune.host import Host
from domtune.intents import INTENTS
from domtune.intents.kinds import HostCpus, Ratio
from domtune.intents.model import Around, CannotMeet, Intent, Site, Want, Way, resolve
from domtune.vocabulary import PARAMS
from domtune.vocabulary.drivers import DRIVERS

WISHES = [intent for intent in INTENTS.values() if not intent.later]
PLACES = [(intent, driver, intent.drivers[driver]) for intent in WISHES for driver in DRIVERS]
NAME = re.compile(r"\b(?:cpu|memory|blkio|disk|net|iothread|perf|resource)(?:\[…\])?\.[a-z_.]*[a-z_]")


def texts() -> list[tuple[str, str]]:
    """Return all that is said of drivers: reasons and caveats."""
    ways = [way.caveat if isinstance(way, Way) else way for _, _, way in PLACES]
    return [(f"{intent.name} on {driver}", text) for (intent, driver, _), text in zip(PLACES, ways, strict=True)]


def test_every_way_becomes_what_the_driver_honours() -> None:
    wrong = [
        f"{intent.name} on {driver}: {name}"
        for intent, driver, way in PLACES
        if isinstance(way, Way)
        for name in way.params
        if PARAMS[name].fact(driver) is None
    ]
    assert [] == wrong


def test_every_name_that_is_said_is_one() -> None:
    known = (*PARAMS, *INTENTS)
    said = [(where, name.replace("[…]", "")) for where, text in texts() for name in NAME.findall(text)]
    assert len(said) > 10
    assert [] == [each for each in said if not any(name == each[1] or name.startswith(f"{each[1]}.") for name in known)]


def test_what_comes_nearest_is_something_that_the_driver_honours() -> None:
    wrong = []
    for intent, driver, way in PLACES:
        for name in [] if isinstance(way, Way) else NAME.findall(way):
            plain = name.replace("[…]", "")
            rows = [row for row in PARAMS.values() if f"{row.name}.".startswith(f"{plain}.")]
            other = INTENTS.get(plain)
            if not any(row.fact(driver) for row in rows) and not (other and isinstance(other.drivers[driver], Way)):
                wrong.append(f"{intent.name} on {driver}: {name}")
    assert [] == wrong


def test_a_reason_says_what_comes_nearest_or_why_there_is_none() -> None:
    silent = [where for where, text in texts() if text and (text.endswith(".") or "\n" in text)]
    assert [] == silent


@pytest.mark.parametrize("intent", INTENTS.values(), ids=lambda intent: intent.name)
def test_help_is_one_sentence_and_the_example_is_good(intent: Intent) -> None:
    assert re.fullmatch(r"[A-Z][^.]*\.", intent.help.replace("cpu.", "cpu").replace("memory.", "memory"))
    text = f"profile: x\nwant:\n  {explaining.example(intent)}\n"
    if intent.later:
        with pytest.raises(Invalid, match="choosing CPUs is not in this version"):
            profile.read(text, "x.yaml")
        intent.kind.judge(*intent.kind.written(intent.example))
    else:
        (want,) = profile.read(text, "x.yaml", judged=True).wants
        assert (intent.name, intent.example) == (want.param.name, want.said)


@pytest.mark.parametrize(
    ("said", "cpus"), [("150%", "3/2"), ("1.5", "3/2"), ("100%", "1"), ("0.001%", "1/100000"), ("none", "None")]
)
def test_an_amount_of_cpus_is_a_number_or_percents(said: str, cpus: str) -> None:
    assert cpus == str(HostCpus().parse(said))


@pytest.mark.parametrize("said", ["", "0", "0%", "-1", "1e3", "1.", ".5", "٣", "1_0", "100%%", "% 1", "inf", "9" * 10])
def test_what_is_no_number_is_no_amount_and_no_ratio(said: str) -> None:
    for kind in (Ratio(), HostCpus()):
        with pytest.raises(ValueError, match="is not a "):
            kind.parse(said)


# What becomes of one


def met(name: str, said: str, driver: str = "qemu", *, host: Host | None = None) -> dict[str, str] | str:
    """Return the parameters that a wish becomes, or why it does not."""
    try:
        found = resolve(Want(INTENTS[name], (), said), Around(Site(driver, host or Host())))
    except CannotMeet as error:
        return str(error)
    return {each.param.name.rpartition(".")[2]: each.text for each in found}


@pytest.mark.parametrize(
    ("said", "period", "quota"),
    [
        ("150%", "100000", "150000"),
        ("1%", "100000", "1000"),
        ("0.5%", "200000", "1000"),  # at 100 ms the quota would be shorter than 1 ms
        ("0.1%", "1000000", "1000"),
        ("33.333%", "100000", "33333"),
        ("33.3333%", "1000000", "333333"),  # at 100 ms it would be no whole number
        ("0.78125%", "128000", "1000"),
    ],
)
def test_a_limit_is_counted_in_a_period_in_which_it_is_whole(said: str, period: str, quota: str) -> None:
    assert {"period": period, "quota": quota} == met("cpu.limit", said)


@pytest.mark.parametrize(
    ("said", "driver", "reason"),
    [
        ("0.05%", "qemu", "0.05% is less than 0.1% of a host CPU, the least that the kernel counts"),
        ("33.33333%", "lxc", "33.33333% is no multiple of 0.0001% of a host CPU, the smallest part that is counted"),
        ("33.5%", "xen", "33.5% is no multiple of 1% of a host CPU, the smallest part that is counted"),
        (
            "999999999",
            "qemu",
            "999999999 becomes cpu.total.quota 99999999900000, and 99999999900000 is outside 1000 to 17592186044414 us",
        ),
    ],
)
def test_a_limit_that_cannot_be_counted_says_what_can(said: str, driver: str, reason: str) -> None:
    assert reason == met("cpu.limit", said, driver)


@pytest.mark.parametrize("driver", ["qemu", "lxc", "xen", "esx"])
def test_more_cpus_than_the_host_has_are_no_limit(driver: str) -> None:
    two = Host(cpus=frozenset({0, 1}), mhz=2000)
    why = "is more than the host's 2 CPUs, so it would limit nothing"
    assert f"15000% {why}; for percent say 150%" == met("cpu.limit", "150", driver, host=two)
    assert f"201% {why}" == met("cpu.limit", "201%", driver, host=two)
    assert f"300% {why}" == met("cpu.limit", "3", driver, host=two)
    assert isinstance(met("cpu.limit", "2", driver, host=two), dict)
    assert "101% is more than the host's one CPU" in str(met("cpu.limit", "101%", driver, host=Host(frozenset({0}))))


@pytest.mark.parametrize("said", ["1", "1.0", "1.000"])
def test_to_be_as_when_nothing_is_said_is_no_wish_however_it_is_spelled(said: str) -> None:
    assert {} == met("cpu.weight", said, "bhyve") == met("cpu.weight", said, "vz")
    assert "bhyve has no CPU weights" in str(met("cpu.weight", "1.01", "bhyve"))


def test_sizes_of_pages_are_said_in_their_largest_unit() -> None:
    host = Host(pages=frozenset({4096, 2**21, 2**30}))
    assert "the host has no pages of 3 MiB; it has 4 KiB, 2 MiB, 1 GiB" == met("memory.pages", "3 MiB", host=host)
