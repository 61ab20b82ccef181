"""--json: what every command prints is as its JSON Schema says, whatever comes out."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domtune.cli import fields
from domtune.cli.fields import TEXT, Field, Record, Result
from domtune.cli.group import COMMANDS, run
from domtune.cli.results import RESULTS, result_schema
from domtune.cli.schema import NAMES
from domtune.connection import connect
from support.results import faults, is_error

ROOT = Path(__file__).parents[2]
DOMAIN = """<domain type='test'><name>one</name><memory>1048576</memory><vcpu>2</vcpu><iothreads>1</iothreads>
<cputune><shares>2048</shares><!-- mine --></cputune><os><type>hvm</type></os></domain>"""
PROFILE = """profile: fast
summary: For tests
want: {cpu.weight: 2, memory.locked: yes}
set:
  cpu.vcpu.pin: {0: "0"}
  cpu.cap: 80
"""
TEST = ["-c", "test:///default"]

# Command, exit code, whether the error document comes in place of a result.
OUTCOMES: list[tuple[list[str], int, bool]] = [
    (["split", "one.xml"], 0, False),
    (["split", "one.xml", "--guest-visible", "--tuning", "out.yaml"], 0, False),
    ([*TEST, "split", "test"], 0, False),
    ([*TEST, "split", "test", "--define", "--tuning", "out.yaml"], 0, False),
    ([*TEST, "split", "nobody"], 1, True),
    (["split", "broken.yaml", "--domain", *TEST], 1, True),
    (["split", "./broken.yaml"], 1, True),
    (["-c", "test:///nowhere.xml", "split", "test"], 1, True),
    (["merge", "one.xml", "fast.yaml"], 0, False),
    (["merge", "one.xml", "fast.yaml", "--driver", "lxc"], 0, False),
    ([*TEST, "merge", "test", "plain.yaml"], 0, False),
    (["merge", "one.xml", "broken.yaml"], 1, True),
    ([*TEST, "start", "one.xml"], 0, False),
    ([*TEST, "start", "one.xml", "--minimal"], 0, False),
    ([*TEST, "start", "one.xml", "-p", "fast.yaml"], 0, False),
    ([*TEST, "start", "--all"], 0, False),
    ([*TEST, "start", "nobody", "test", "one.xml"], 1, False),
    ([*TEST, "start", "one.xml", "-p", "nothing"], 1, True),
    ([*TEST, "bind", "test", "plain"], 0, False),
    ([*TEST, "bind", "test", "plain", "--metadata"], 0, False),
    ([*TEST, "bind", "*", "plain"], 0, False),
    ([*TEST, "bind", "nobody", "plain"], 1, True),
    ([*TEST, "bind", "test", "nothing"], 1, True),
    ([*TEST, "unbind", "nobody"], 1, True),
    ([*TEST, "unbind", "bound", "plain"], 1, True),
    ([*TEST, "bindings"], 1, False),
    ([*TEST, "bindings", "test"], 1, False),
    (["-c", "test:///nowhere.xml", "bindings"], 1, True),
    ([*TEST, "bindings", "nobody"], 1, True),
    (["profiles", "plain"], 0, False),
    (["profiles"], 1, False),
    (["profiles", "nothing"], 1, True),
    (["explain", "cpu.vcpu"], 0, False),
    (["explain", "cpu.weight"], 0, False),
    (["explain", "cpu.cpus"], 0, False),
    (["explain", "nothing"], 1, True),
    (["explain", "cpu", "one.xml", "-p", "fast.yaml"], 0, False),
    (["explain", "memory.locked", "one.xml", "-p", "fast.yaml", "--driver", "lxc"], 0, False),
    ([*TEST, "explain", "cpu.weight", "test", "-p", "fast.yaml", "--no-bindings"], 0, False),
    ([*TEST, "explain", "cpu.weight", "nobody"], 1, True),
    (["check", "fast.yaml"], 0, False),
    (["check", "fast.yaml", "broken.yaml", "nothing"], 1, False),
    (["params"], 0, False),
    (["params", "disk.iotune"], 0, False),
    (["params", "cpu.share"], 1, True),
    (["schema"], 0, False),
    *((["schema", name], 0, False) for name in NAMES),
    *((["completion", shell], 0, False) for shell in ("bash", "zsh", "fish")),
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make files to work on, a catalogue with a broken profile in it, and bindings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOMTUNE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(tmp_path / "config"))
    catalogue, bound = tmp_path / "config" / "profiles", tmp_path / "config" / "bindings.d"
    catalogue.mkdir(parents=True)
    bound.mkdir()
    (tmp_path / "one.xml").write_text(DOMAIN)
    (tmp_path / "fast.yaml").write_text(PROFILE)
    (tmp_path / "broken.yaml").write_text("profile: broken\nset: {cpu.shares: many}\n")
    (tmp_path / "plain.yaml").write_text("profile: plain\nset: {cpu.shares: 512}\n")
    (catalogue / "plain.yaml").write_text("profile: plain\nsummary: Half\nset: {cpu.shares: 512}\n")
    (catalogue / "odd.yaml").write_text("profile: [odd]\n")
    (bound / "site.yaml").write_text(
        "- {match: {driver: test}, profiles: plain}\n- {match: {name: t*}, profiles: [odd]}\n"
    )


@pytest.mark.parametrize(("words", "code", "error"), OUTCOMES, ids=[" ".join(each[0]) for each in OUTCOMES])
def test_the_result_is_as_the_schema_says(
    words: list[str], code: int, error: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code == run([*words, "--json"])
    document = json.loads(capsys.readouterr().out)
    assert [] == faults(called(words), document)
    assert error is is_error(document)


@pytest.fixture(autouse=True)
def stopped() -> Iterator[None]:
    """Stop what a test started: test:///default lives on while any connection to it is open."""
    yield
    with connect("test:///default") as connection:
        if left := connection.find(name="one"):
            left.destroy()


def called(words: list[str]) -> str:
    return next(word for word in words if word in COMMANDS)


def test_what_a_domain_is_bound_to_and_freed_from(capsys: pytest.CaptureFixture[str]) -> None:
    Path("config/bindings.d/site.yaml").unlink()
    for words in (["bind", "test", "plain"], ["explain", "cpu.shares", "test"], ["bindings"], ["unbind", "test"]):
        run([*TEST, *words, "--json"])
        document = json.loads(capsys.readouterr().out)
        assert [] == faults(words[0], document)
        assert not is_error(document)


def test_every_command_has_a_schema_and_an_outcome() -> None:
    assert {*COMMANDS, "error"} == set(RESULTS)
    tried = {called(words) for words, _, _ in OUTCOMES}
    assert {"demo"} == set(COMMANDS) - tried  # it needs a hypervisor: tests/live/test_demo.py


@pytest.mark.parametrize(
    ("command", "document"),
    [
        ("check", [{"profile": "a"}]),
        ("check", [{"profile": "a", "problems": "none"}]),
        ("check", [{"profile": "a", "problems": [], "extra": 1}]),
        ("check", {"profile": "a", "problems": []}),
        ("start", {"started": [{}], "failed": []}),
        ("error", {"error": "Odd", "problems": []}),
        ("merge", None),
    ],
)
def test_another_document_is_no_result(command: str, document: Any) -> None:  # noqa: ANN401 - any JSON
    assert faults(command, document)


def test_records_inside_of_records_are_declared_once() -> None:
    inner = Record("inner", "Below.", (Field("a", TEXT, "a"),))
    outer = Record("outer", "Above.", (Field("b", inner.type, "b"), Field("c", fields.many(inner.type), "c")))
    error = Record("error", "Wrong.", ())
    schema = fields.as_schema("x", Result("x", outer.type), error)
    assert ["outer", "inner", "error"] == list(schema["$defs"])
    assert {"description": "b", "$ref": "#/$defs/inner"} == schema["$defs"]["outer"]["properties"]["b"]


# domtune schema


def test_schema_lists_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["schema"])
    assert list(NAMES) == [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()]


def test_schema_prints_what_the_reference_holds(capsys: pytest.CaptureFixture[str]) -> None:
    for name in NAMES:
        assert 0 == run(["schema", name])
        file = ROOT / "docs" / "reference" / "schema" / f"{name}.json"
        assert json.loads(file.read_text(encoding="utf-8")) == json.loads(capsys.readouterr().out)


def test_schema_of_what_has_none_is_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run(["schema", "plan"])
    assert "'plan' is not one of 'profile', 'binding'" in capsys.readouterr().err


def test_the_schema_of_a_command_takes_its_error_too() -> None:
    error = {"$ref": "#/$defs/error"}
    assert [] == [name for name in COMMANDS if error not in result_schema(name)["anyOf"]]
