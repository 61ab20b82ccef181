"""What is bound to a domain at its start, on libvirt's test driver."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from domtune.catalogue import load
from domtune.cli.start import lines
from domtune.connection import Connection, Domain, connect
from domtune.errors import Failed, Interrupted, Invalid, Refused
from domtune.run import Mode, Started, Wish
from domtune.starting import start_xml
from domtune.store import Store
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
    where = f"they are bound at {config}/bindings.d/all.yaml:1 and {config}/bindings.d/all.yaml:2"
    differ = f"bindings of one scope may not differ; {where}; take one out, or bind it to a narrower scope"
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


# What is only not to be said


def test_a_default_is_told_where_it_took_something_away(config: Path, connection: Connection) -> None:
    profile(config, "own", "cpu.shares: default\n  blkio.weight: default\n  cpu.emulator.period: default")
    result = started(connection, Wish(), "<blkiotune><weight>300</weight></blkiotune>")
    expected = {"cpu.shares": "default", "memory.limit.soft": "1 GiB", "blkio.weight": "default"}
    assert expected == done(result)


def test_a_default_is_never_left_out(config: Path, connection: Connection) -> None:
    text = "disk[vda].iotune.read_iops_sec: 5\n  memory.limit.hard: default\n  cpu.vcpu.pin: {0: 4000}"
    profile(config, "own", text)
    result = started(connection, Wish(or_minimal=True))
    assert ["disk[vda].iotune.read_iops_sec"] == [setting.name for setting in result.unprotected]


def test_a_start_with_nothing_to_tune_says_so(config: Path, connection: Connection) -> None:
    profile(config, "own", "cpu.shares: default")
    nothing = "  note: nothing to tune: its definition has no tuning, and no profile that holds for it says anything"
    bind(config, "- profiles: [own]\n")
    assert nothing in list(lines(started(connection, Wish())))
    assert nothing not in list(lines(started(connection, Wish(minimal=True))))
    profile(config, "own", "cpu.shares: 5")
    assert nothing not in list(lines(started(connection, Wish())))


# Rather minimal than not at all


def test_what_the_host_lacks_need_not_keep_a_domain_from_running(config: Path, connection: Connection) -> None:
    path = profile(config, "own", "cpu.vcpu.pin: {0: 4000}")
    with pytest.raises(Invalid, match=r"host CPUs? 4000"):
        started(connection, Wish())
    result = started(connection, Wish(or_minimal=True))
    assert Mode.MINIMAL is result.mode
    (note,) = result.notes
    assert note.startswith(f"started minimal, since the host has not all that is asked for: {path}:3: cpu.vcpu.pin[0] ")
    assert "name others" not in note


@pytest.mark.parametrize("text", ["cpu.vcpu.pin!: {0: 4000}", "cpu.vcpu.pin: {0: 4000}\n  cpu.shares: 1"])
def test_a_demand_or_another_fault_does(config: Path, connection: Connection, text: str) -> None:
    profile(config, "own", text)
    with pytest.raises(Invalid):
        started(connection, Wish(or_minimal=True))


def test_why_it_did_not_start_tuned_is_one_sentence(
    config: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = [Failed("x: cannot start: no luck")]
    real = Connection.create

    def create(self: Connection, xml: str, name: str, *, paused: bool = False) -> Domain:
        for fault in faults:
            faults.clear()
            raise fault
        return real(self, xml, name, paused=paused)

    monkeypatch.setattr(Connection, "create", create)
    result = started(connection, Wish(or_minimal=True))
    assert ("started minimal, since the tuned start did not work: cannot start: no luck",) == result.notes


# Interrupted late


@pytest.mark.parametrize("mode", [Mode.TUNED, Mode.MINIMAL])
@pytest.mark.parametrize("call", ["store.Store.end", "run.Started"])
def test_an_interrupt_after_the_last_step_says_that_the_domain_is_started(
    config: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch, call: str, mode: Mode
) -> None:
    module, *names = call.split(".")
    owner: Any = import_module(f"domtune.{module}")
    for name in names[:-1]:
        owner = getattr(owner, name)
    real = getattr(owner, names[-1])
    interrupts = [KeyboardInterrupt()]

    def late(*words: object, **options: object) -> object:
        found = real(*words, **options)
        for interrupt in interrupts:
            interrupts.clear()
            raise interrupt
        return found

    monkeypatch.setattr(owner, names[-1], late)
    with pytest.raises(Interrupted) as raised:
        start_xml(connection, domain("", DISK), Wish(minimal=mode is Mode.MINIMAL))
    left = connection.find(name="x")
    assert left
    assert left.is_active
    left.destroy()
    assert f"x: interrupted; by then it was started {mode}, and it stays so" == str(raised.value)
    with Store() as store:
        assert [] == store.unfinished(connection.host, left.uuid)
