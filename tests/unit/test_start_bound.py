"""What is bound to a domain at its start, on libvirt's test driver."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domtune.catalogue import load
from domtune.connection import Connection, connect
from domtune.errors import Invalid, Refused
from domtune.run import Started, Wish
from domtune.starting import start_xml
from support.tuning import domain

DISK = "<disk type='file'><source file='/a'/><target dev='vda'/></disk>"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("DOMTUNE_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "profiles").mkdir()
    (tmp_path / "bindings.d").mkdir()
    profile(tmp_path, "site", "cpu.shares: 512\n  memory.limit.soft: 1 GiB")
    profile(tmp_path, "own", "cpu.shares: 2048\n  disk[vda].iotune.read_iops_sec: 100")
    bind(tmp_path, "- profiles: [site]\n- match: {name: x}\n  profiles: [own]\n")
    return tmp_path


@pytest.fixture
def connection() -> Iterator[Connection]:
    with connect("test:///default") as opened:
        yield opened


def profile(config: Path, name: str, lines: str, head: str = "") -> str:
    path = config / "profiles" / f"{name}.yaml"
    path.write_text(f"profile: {name}\n{head}set:\n  {lines}\n")
    return str(path)


def bind(config: Path, text: str) -> None:
    (config / "bindings.d" / "all.yaml").write_text(text)


def started(connection: Connection, wish: Wish, inside: str = "") -> Started:
    try:
        return start_xml(connection, domain(inside, DISK), wish)
    finally:
        if left := connection.find(name="x"):
            left.destroy()


def done(result: Started) -> dict[str, str]:
    return {setting.name: setting.said for setting in result.at_creation}


def test_what_is_bound_holds_scope_over_scope(config: Path, connection: Connection) -> None:
    inside = "<cputune><shares>1024</shares></cputune><memtune><soft_limit>5</soft_limit></memtune>"
    expected = {"cpu.shares": "2048", "memory.limit.soft": "5", "disk[vda].iotune.read_iops_sec": "100"}
    assert expected == done(started(connection, Wish(), inside))


def test_the_command_line_lies_over_what_is_bound(config: Path, connection: Connection) -> None:
    wish = Wish(tuple(load(profile(config, "now", "cpu.shares: 4096"))))
    expected = {"cpu.shares": "4096", "memory.limit.soft": "1 GiB", "disk[vda].iotune.read_iops_sec": "100"}
    assert expected == done(started(connection, wish))


def test_bindings_can_be_left_out(config: Path, connection: Connection) -> None:
    assert {} == done(started(connection, Wish(bindings=False)))


def test_a_minimal_start_names_the_guards_that_are_bound_and_left_out(config: Path, connection: Connection) -> None:
    result = started(connection, Wish(minimal=True))
    assert ["disk[vda].iotune.read_iops_sec"] == [setting.name for setting in result.unprotected]


def test_a_minimal_start_works_where_nobody_can_tell_what_is_bound(config: Path, connection: Connection) -> None:
    bind(config, "- profiles: [nowhere]\n")
    result = started(connection, Wish(minimal=True))
    assert (1, "what else is left out is not known: ") == (len(result.notes), result.notes[0][:36])


def test_a_tuned_start_refuses_where_nobody_can_tell_what_is_bound(config: Path, connection: Connection) -> None:
    bind(config, "- profiles: [nowhere]\n")
    with pytest.raises(Invalid, match="not known which profiles hold"):
        started(connection, Wish())


def test_bindings_of_one_scope_that_differ_are_refused_with_both_lines(config: Path, connection: Connection) -> None:
    profile(config, "other", "cpu.shares: 513")
    bind(config, "- profiles: [site]\n- profiles: [other]\n")
    with pytest.raises(Invalid) as caught:
        started(connection, Wish())
    differ = "bindings of one scope may not differ; take one out, or bind it to a narrower scope"
    other = f"{config}/profiles/site.yaml:3 says 512"
    assert (f"{config}/profiles/other.yaml:3: cpu.shares 513: {other}, and {differ}",) == caught.value.problems


def test_what_is_demanded_of_one_binding_is_not_demanded_of_another(config: Path, connection: Connection) -> None:
    profile(config, "site", "cpu.cap: 50")
    profile(config, "own", "cpu.shares: 2048", head="required: true\n")
    result = started(connection, Wish())
    assert ["cpu.cap"] == [each.setting.name for each in result.not_done]


def test_a_demand_that_cannot_be_met_is_refused(config: Path, connection: Connection) -> None:
    profile(config, "own", "cpu.cap!: 50")
    with pytest.raises(Refused, match=r"x: required, but cannot be done: cpu.cap: "):
        started(connection, Wish())
