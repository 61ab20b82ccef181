"""What bind and unbind warn of, and what `bindings DOMAIN` finds wrong, on libvirt's test driver."""

import os
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from domtune import bind, unbind
from domtune.bindings import Binding, Match
from domtune.cli.group import run
from domtune.connection import Connection, Domain, connect
from domtune.consequences import of_unbind
from domtune.errors import NotFound
from domtune.layers import Scope
from domtune.store import Store

UUID = "6695eb01-f6a4-8304-79aa-97f2502e193f"  # of the domain that test:///default has
GONE = UUID.replace("6695", "0000")
TUNED = """\
<domain type='test'><name>web 1</name><memory>65536</memory><vcpu>1</vcpu><cputune><shares>2048</shares></cputune>
<os><type>hvm</type></os></domain>"""


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make profiles that differ, one that no domain of the test driver can meet, and one for what it has not."""
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("DOMTUNE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", "test:///default")
    for folder in ("profiles", "bindings.d"):
        (tmp_path / folder).mkdir()
    texts = {
        "slow": "set: {cpu.shares: 100}",
        "fast": "set: {cpu.shares: 200}",
        "wide": "set: {cpu.vcpu.pin: {99: 0}}",
        "must": "set: {cpu.cap!: 50}",
    }
    for name, text in texts.items():
        (tmp_path / "profiles" / f"{name}.yaml").write_text(f"profile: {name}\n{text}\n")
    return tmp_path


@pytest.fixture
def connection() -> Iterator[Connection]:
    with connect("test:///default") as opened:
        yield opened


@pytest.fixture
def web(connection: Connection) -> Iterator[Domain]:
    domain = connection.define(TUNED, "web 1")
    yield domain
    domain.raw.undefine()


def said(words: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What a command says on standard error."""
    assert code == run(words)
    return capsys.readouterr().err.splitlines()


def test_bind_warns_of_what_no_tuned_start_takes(config: Path, web: Domain, capsys: pytest.CaptureFixture[str]) -> None:
    (config / "bindings.d" / "web.yaml").write_text("- {match: {name: web*}, profiles: slow}\n")
    fault, way_out = said(["bind", "web 1", "fast"], 0, capsys)
    assert fault.startswith(f"warning: {config}/profiles/")
    assert "bindings of one scope may not differ" in fault
    command = "domtune unbind 'web 1' fast"
    end = f"will not start tuned until this is mended; `{command}` takes off what was bound now"
    assert f"warning: web 1: {end}" == way_out
    assert [fault.removeprefix("warning: ")] == said(["bindings", "web 1"], 1, capsys)
    assert [] == said(shlex.split(command)[1:], 0, capsys)
    assert [] == said(["bindings", "web 1"], 0, capsys)


@pytest.mark.parametrize(
    ("profile", "fault"), [("wide", "the domain has no vCPUs 99"), ("must", "required, but cannot")]
)
def test_bind_warns_of_what_is_not_there(
    web: Domain, profile: str, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = said(["bind", "web 1", profile, "--metadata"], 0, capsys)
    assert fault in first
    assert f"`domtune unbind 'web 1' {profile} --metadata`" in second
    assert "`domtune bindings 'web 1'` shows what holds" in said(["bind", "web 1", profile, "--metadata"], 0, capsys)[1]


def test_bind_warns_beside_a_broken_file(config: Path, web: Domain, capsys: pytest.CaptureFixture[str]) -> None:
    broken = config / "bindings.d" / "a.yaml"
    broken.write_text("- profile: a\n")
    assert said(["bind", "web 1", "fast"], 0, capsys)[0].startswith(f"warning: {broken}:1: profile: no word")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "this holds for its UUID {uuid} only; keep that UUID in the XML that it is started from"),
        (["--metadata"], "its metadata ends with it; put it into that XML, too"),
    ],
)
def test_bind_warns_of_a_domain_that_is_not_stored(
    connection: Connection, words: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    domain = connection.create(TUNED, "web 1")
    try:
        found = said(["bind", "web 1", "fast", *words], 0, capsys)
    finally:
        domain.destroy()
    start = f"warning: web 1: is not stored, so {line.format(uuid=domain.uuid)}"
    assert [f"{start}, or bind its name in a file of bindings"] == found


def test_unbind_says_that_nothing_tunes_the_domain_any_more(
    config: Path, web: Domain, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == run(["split", "web 1", "--define"])
    assert 0 == run(["bind", "web 1", "fast"])
    capsys.readouterr()
    assert [] == said(["unbind", "web 1", "fast"], 0, capsys)
    (line,) = said(["unbind", "web 1"], 0, capsys)
    (backup,) = (config / "state" / "backups").glob("*.xml")
    assert line.startswith("warning: web 1: its stored definition has no tuning of its own now, since ")
    assert line.endswith(f" puts it back, and what was there is in {backup}")
    command = "domtune merge 'web 1' web-1 --define"
    assert f"`{command}`" in line
    assert 0 == run(shlex.split(command)[1:])
    assert 0 == run(["bind", "web 1", "fast"])
    capsys.readouterr()
    assert [] == said(["unbind", "web 1"], 0, capsys)


def test_unbind_says_that_a_saved_image_still_carries_it(
    connection: Connection, web: Domain, monkeypatch: pytest.MonkeyPatch
) -> None:
    bind(connection, "web 1", ["fast"], metadata=True)
    saved = web.known_xml()
    monkeypatch.setattr(Domain, "has_managed_save", True)
    monkeypatch.setattr(Domain, "saved_xml", lambda _: saved)
    done = unbind(connection, "web 1", metadata=True)
    until = "and so does the domain that is restored from it until it is shut down"
    assert [f"web 1: its saved image still carries fast, {until}"] == list(of_unbind(connection, done, metadata=True))


def test_what_is_bound_beside_a_domain_that_is_gone_can_be_taken_off(connection: Connection) -> None:
    connection.driver = replace(connection.driver, metadata=False)
    with Store() as store:
        store.bind(connection.host, GONE, ["fast"])
        assert ("fast",) == unbind(connection, GONE, metadata=True, store=store).changed
        with pytest.raises(NotFound, match=r"no such domain"):
            unbind(connection, GONE, metadata=True, store=store)


def test_a_directory_with_the_name_of_a_domain_is_that_domain(
    web: Domain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("web 1", "x.xml"):
        os.mkdir(name)  # noqa: PTH102 - a name as it is given
    assert 0 == run(["split", "web 1"])
    assert "<name>web 1</name>" in capsys.readouterr().out
    assert ["x.xml: no such domain on test:///default, which has test, web 1"] == said(["split", "x.xml"], 1, capsys)
    for command in ("start", "split"):
        assert ["say which domain: the name is empty"] == [
            line.removeprefix(": ") for line in said([command, ""], 1, capsys)
        ]


def test_xml_of_another_hypervisor_is_told_before_libvirt_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ct.xml"
    path.write_text(TUNED.replace("'test'", "'lxc'"))
    reason = "type lxc: this is a domain of lxc, and none of test; say -c lxc:///system"
    assert [f"{path}: /domain/@type: {reason}"] == said(["start", str(path)], 1, capsys)


@pytest.mark.parametrize(
    ("binding", "own"),
    [
        (Binding(Scope.DOMAIN, Match(uuid=(UUID,)), ("a",), line=1), True),
        (Binding(Scope.DOMAIN, Match(uuid=(UUID, GONE)), ("a",), line=1), False),
        (Binding(Scope.SITE, Match(uuid=(UUID,)), ("a",), line=1), False),
        (Binding(Scope.DOMAIN, Match(name=("web",)), ("a",)), False),
        (Binding(Scope.DOMAIN, Match(), ("a",), why="its own metadata"), True),
    ],
)
def test_a_binding_is_of_one_very_domain_or_not(binding: Binding, own: bool) -> None:
    assert own is binding.own
