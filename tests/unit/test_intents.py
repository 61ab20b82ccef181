"""The table of wishes: each has a place on every driver, and says only what is there."""

import re

import pytest

from domtune import explaining, profile
from domtune.errors import Invalid
from domtune.intents import INTENTS
from domtune.intents.kinds import HostCpus, Ratio
from domtune.intents.model import Intent, Way
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
