"""bind and unbind on libvirt's test driver: files of their own, metadata that survives, the side store."""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import libvirt
import pytest

from domtune import bind, catalogue, unbind
from domtune.binding_store import held
from domtune.connection import Connection, Domain, connect
from domtune.errors import Error, Failed, Invalid, NotFound, Refused
from domtune.store import Store

UUID = "6695eb01-f6a4-8304-79aa-97f2502e193f"  # of the domain that test:///default has
INACTIVE = libvirt.VIR_DOMAIN_XML_INACTIVE
FOREIGN = (
    '<site:tier xmlns:site="urn:site" class="gold &amp; more">\n      <!-- by hand -->\n      front\n    </site:tier>'
)
BIND = """
import sys
from domtune import bind, connect
with connect("test:///default") as connection:
    print("ready", flush=True)
    sys.stdin.readline()
    for name in sys.argv[1:]:
        bind(connection, "test", [name])
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the only directory of configuration, with some profiles in it."""
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("DOMTUNE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config" / "profiles").mkdir(parents=True)
    for name in "abc":
        (tmp_path / "config" / "profiles" / f"{name}.yaml").write_text(f"profile: {name}\n")
    return tmp_path / "config"


@pytest.fixture
def connection() -> Iterator[Connection]:
    with connect("test:///default") as opened:
        yield opened


@pytest.fixture
def off(connection: Connection) -> Iterator[Domain]:
    """Give a stored domain that is off and has metadata of somebody else's."""
    domain = connection.define(document("off", f"<metadata>{FOREIGN}</metadata>"), "off")
    yield domain
    domain.raw.undefine()


def document(name: str, inside: str = "") -> str:
    return f"<domain type='test'><name>{name}</name><memory>65536</memory>{inside}<os><type>hvm</type></os></domain>"


def own(config: Path, identity: str = UUID) -> Path:
    return config / "bindings.d" / f"{identity}.yaml"


def names(connection: Connection, name: str) -> list[str]:
    """The profiles that hold for a domain."""
    return [profile.name for each in held(connection, connection.domain(name)) for profile in each.profiles]


def refusal(call: str, connection: Connection, *words: object, **options: bool) -> str:
    """What bind or unbind says when it does not do it."""
    with pytest.raises(Error) as caught:
        {"bind": bind, "unbind": unbind}[call](connection, *words, **options)  # type: ignore[arg-type]
    return f"{type(caught.value).__name__}: {caught.value}"


# A file of the domain's own


def test_bind_writes_a_file_that_says_what_it_is(config: Path, connection: Connection) -> None:
    done = bind(connection, "test", ["a", "b"])
    assert ("test", UUID, ("a", "b"), ("a", "b"), str(own(config))) == (
        done.domain,
        done.uuid,
        done.profiles,
        done.changed,
        done.place,
    )
    assert own(config).read_text() == (
        "# Written by domtune bind for test; once edited by hand, domtune leaves it alone.\n"
        f"- match: {{uuid: {UUID}}}\n"
        "  profiles: [a, b]\n"
    )
    assert 0o644 == stat.S_IMODE(own(config).stat().st_mode)
    assert ["a", "b"] == names(connection, "test")


def test_binding_again_adds_behind_what_is_bound(config: Path, connection: Connection) -> None:
    bind(connection, "test", ["b"])
    done = bind(connection, UUID, ["a", "b", "c"])
    assert (("b", "a", "c"), ("a", "c")) == (done.profiles, done.changed)
    assert ["b", "a", "c"] == names(connection, "test")


def test_binding_what_is_bound_changes_nothing(config: Path, connection: Connection) -> None:
    bind(connection, "test", ["a"])
    before = own(config).stat()
    assert () == bind(connection, "test", ["a"]).changed
    assert before == own(config).stat()


def test_a_path_is_bound_as_what_it_is_from_everywhere(config: Path, connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    Path("own.yaml").write_text("profile: own\n")
    assert (str(tmp_path / "own.yaml"),) == bind(connection, "test", ["x/../own.yaml"]).profiles
    os.chdir("x")
    assert ["own"] == names(connection, "test")
    assert () == unbind(connection, "test", ["../own.yaml"]).profiles


def test_the_file_keeps_its_mode(config: Path, connection: Connection) -> None:
    bind(connection, "test", ["a"])
    own(config).chmod(0o640)
    bind(connection, "test", ["b"])
    assert 0o640 == stat.S_IMODE(own(config).stat().st_mode)


@pytest.mark.parametrize("name", ["näme 🦊", "a; once edited by hand", "\u2028\x7f\x85b", "#", "x" * 300])
def test_any_name_of_a_domain_can_stand_in_the_file(config: Path, connection: Connection, name: str) -> None:
    domain = connection.define(document(name), name)
    try:
        bind(connection, name, ["a"])
        bind(connection, name, ["b"])
        assert ["a", "b"] == names(connection, domain.uuid)
    finally:
        domain.raw.undefine()


def test_unbind_takes_away_what_is_named(config: Path, connection: Connection) -> None:
    bind(connection, "test", ["a", "b", "c"])
    done = unbind(connection, "test", ["b"])
    assert (("a", "c"), ("b",)) == (done.profiles, done.changed)
    assert ["a", "c"] == names(connection, "test")


def test_unbind_of_all_takes_the_file_away(config: Path, connection: Connection) -> None:
    bind(connection, "test", ["a", "b"])
    done = unbind(connection, "test")
    assert ((), ("a", "b")) == (done.profiles, done.changed)
    assert not own(config).exists()


def test_a_domain_that_is_gone_can_be_unbound_by_its_uuid(config: Path, connection: Connection) -> None:
    identity = UUID.replace("6695", "0000")
    bind(connection, "test", ["a"])
    own(config).rename(own(config, identity))
    own(config, identity).write_text(own(config, identity).read_text().replace(UUID, identity))
    done = unbind(connection, identity.upper())
    assert (identity, ("a",)) == (done.domain, done.changed)
    assert not own(config, identity).exists()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("nobody", ["a"]), "NotFound: nobody: no such domain on test:///default, which has test"),
        (("test", ["gone"]), "NotFound: gone: no such profile in {profiles}; for a file give its path"),
        (("test", ["a", "-"]), "Refused: -: standard input cannot be bound; give a name or a path"),
        (("test", ["a", "b", "a"]), "Invalid: a: named twice; name it once"),
        (("test", ["bad"]), "Invalid: {config}/profiles/bad.yaml:2: cpu.shares: 1 is outside 2 to 262144"),
        (("test", ["./gone.yaml"]), "Invalid: gone.yaml: cannot read: No such file or directory"),
    ],
)
def test_what_cannot_be_bound_is_refused_before_anything_is_written(
    config: Path, connection: Connection, words: tuple[str, list[str]], problem: str
) -> None:
    (config / "profiles" / "bad.yaml").write_text("profile: bad\nset: {cpu.shares: 1}\n")
    places = f"{config}/profiles, {catalogue.SHIPPED}"
    assert problem.format(config=config, profiles=places) == refusal("bind", connection, *words)
    assert not (config / "bindings.d").exists()


def test_what_is_not_bound_cannot_be_unbound(config: Path, connection: Connection) -> None:
    said = "`domtune bindings test` shows what holds for it, and why"
    assert f"NotFound: test: nothing is bound in {own(config)}; {said}" == refusal("unbind", connection, "test")
    bind(connection, "test", ["a", "b"])
    problem = f"NotFound: test: c is not bound in {own(config)}, which has a, b"
    assert problem == refusal("unbind", connection, "test", ["a", "c"])
    assert ["a", "b"] == names(connection, "test")
    assert refusal("unbind", connection, "nobody").startswith("NotFound: nobody: no such domain")
    assert refusal("unbind", connection, UUID.replace("6695", "0000")).startswith("NotFound: 0000eb01")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"\A", "# mine\n"),
        (r"\A.*\n", ""),
        (r"\Z", "  policy: off\n"),
        (r"\Z", "- profiles: [c]\n"),
        (r"\[a, b\]", "[a,  b]"),
        (r"(?s)\A.*\Z", ""),
    ],
)
def test_a_file_that_was_edited_by_hand_is_left_alone(config: Path, connection: Connection, old: str, new: str) -> None:
    bind(connection, "test", ["a", "b"])
    text = re.sub(old, new, own(config).read_text(), count=1)
    own(config).write_text(text)
    way_out = "change it there, or move what it says into a file of another name"
    problem = f"Refused: {own(config)}: was edited by hand, so domtune leaves it alone; {way_out}"
    for words in (("bind", connection, "test", ["c"]), ("unbind", connection, "test")):
        assert problem == refusal(*words)
    assert text == own(config).read_text()


def test_a_file_that_is_broken_is_left_alone(config: Path, connection: Connection) -> None:
    bind(connection, "test", ["a"])
    own(config).write_text("- profile: a\n")
    assert refusal("bind", connection, "test", ["b"]).startswith(f"Invalid: {own(config)}:1: profile: no word of")
    assert "- profile: a\n" == own(config).read_text()


def test_a_place_that_cannot_be_written_is_said(config: Path, connection: Connection) -> None:
    (config / "bindings.d").write_text("")
    way_out = "set DOMTUNE_CONFIG_DIR to a directory that you may write"
    problem = f"Failed: {config}/bindings.d: cannot keep bindings there: File exists; {way_out}"
    assert problem == refusal("bind", connection, "test", ["a"])


def test_two_that_bind_at_once_both_have_their_way(config: Path, connection: Connection) -> None:
    groups = ["ab", "c", "ca"]
    command = [sys.executable, "-c", BIND]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    others = [subprocess.Popen([*command, *group], text=True, **pipes) for group in groups]  # type: ignore[call-overload]
    for other in others:
        assert "ready\n" == other.stdout.readline()
    for other in others:
        other.stdin.write("go\n")
        other.stdin.flush()
    assert [0, 0, 0] == [other.wait(60) for other in others]
    for other in others:
        other.communicate()
    assert ["a", "b", "c"] == sorted(names(connection, "test"))


@pytest.mark.parametrize(("user", "place"), [(0, "etc"), (1000, "config")])
def test_root_binds_for_the_machine_and_others_for_themselves(
    config: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch, user: int, place: str
) -> None:
    monkeypatch.setattr(catalogue, "directories", lambda: [config, config.parent / "etc"])
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert str(config.parent / place / "bindings.d" / f"{UUID}.yaml") == bind(connection, "test", ["a"]).place


# Metadata


def test_metadata_goes_into_the_stored_and_the_running_domain(config: Path, connection: Connection) -> None:
    done = bind(connection, "test", ["a", "b"], metadata=True)
    try:
        assert (("a", "b"), "its metadata") == (done.profiles, done.place)
        domain = connection.domain("test")
        expected = (
            '    <domtune:bindings xmlns:domtune="urn:domtune:bindings:1">\n'
            "      <domtune:profile>a</domtune:profile>\n"
            "      <domtune:profile>b</domtune:profile>\n"
            "    </domtune:bindings>\n"
        )
        for xml in (domain.raw.XMLDesc(INACTIVE), domain.live_xml()):
            assert expected in xml
        assert ["a", "b"] == names(connection, "test")
        assert not (config / "bindings.d").exists()
    finally:
        assert ("a", "b") == unbind(connection, "test", metadata=True).changed
    assert "domtune" not in connection.domain("test").live_xml()


def test_metadata_of_others_stays_byte_for_byte(config: Path, connection: Connection, off: Domain) -> None:
    before = off.known_xml()
    theirs = before[before.index("<site:tier") : before.index("</metadata>")].rstrip()
    assert "<!-- by hand -->" in theirs
    bind(connection, "off", ["a"], metadata=True)
    assert theirs in off.known_xml()
    bind(connection, "off", ["b"], metadata=True)
    unbind(connection, "off", ["a"], metadata=True)
    assert theirs in off.known_xml()
    assert ["b"] == names(connection, "off")
    unbind(connection, "off", metadata=True)
    assert before == off.known_xml()


def test_a_run_stamp_stays(config: Path, connection: Connection, off: Domain) -> None:
    stamp = '<domtune:run xmlns:domtune="urn:domtune:run:1" id="x"/>'
    off.raw.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, "<run id='x'/>", "domtune", "urn:domtune:run:1", 2)
    bind(connection, "off", ["a"], metadata=True)
    assert stamp in off.known_xml()
    unbind(connection, "off", metadata=True)
    assert stamp in off.known_xml()


def test_metadata_survives_what_a_migration_does(config: Path, connection: Connection, off: Domain) -> None:
    bind(connection, "off", ["a", "b"], metadata=True)
    xml = off.raw.XMLDesc(INACTIVE)
    off.raw.undefine()
    connection.define(xml, "off")
    assert (["a", "b"], xml) == (names(connection, "off"), connection.domain("off").known_xml())
    transient = connection.create(xml.replace("<name>off", "<name>moved").replace(off.uuid, UUID[:-1] + "0"), "moved")
    try:
        assert ["a", "b"] == names(connection, "moved")
        assert ("c",) == bind(connection, "moved", ["c"], metadata=True).changed
        assert ["a", "b", "c"] == names(connection, "moved")
    finally:
        transient.destroy()


def test_a_path_is_not_put_into_metadata(config: Path, connection: Connection, off: Domain) -> None:
    Path("own.yaml").write_text("profile: own\n")
    reason = "a path is true for one host, and metadata travels; give the name of a profile"
    problem = f"Refused: own.yaml: {reason}: put it into {config}/profiles and bind its name"
    assert problem == refusal("bind", connection, "off", ["own.yaml"], metadata=True)
    assert "domtune" not in off.known_xml()


def test_what_is_not_in_the_metadata_cannot_be_taken_out(config: Path, connection: Connection, off: Domain) -> None:
    bind(connection, "off", ["a"])
    assert refusal("unbind", connection, "off", metadata=True).startswith(
        "NotFound: off: nothing is bound in its metadata; "
    )
    bind(connection, "off", ["b"], metadata=True)
    assert "NotFound: off: a is not bound in its metadata, which has b" == refusal(
        "unbind", connection, "off", ["a"], metadata=True
    )


@pytest.mark.parametrize(
    ("inside", "problem"),
    [
        ("<policy>off</policy>", "Invalid: off: metadata urn:domtune:bindings:1: only <profile>NAME</profile> is"),
        ("<!-- mine --><profile>a</profile>", "Refused: off: a comment stands between the profiles in its metadata; "),
    ],
)
def test_metadata_that_says_more_is_left_alone(
    config: Path, connection: Connection, off: Domain, inside: str, problem: str
) -> None:
    off.set_metadata("urn:domtune:bindings:1", "domtune", f"<bindings>{inside}</bindings>")
    before = off.known_xml()
    for call in ("bind", "unbind"):
        words = (["b"],) if call == "bind" else ()
        assert refusal(call, connection, "off", *words, metadata=True).startswith(problem)
    assert before == off.known_xml()


def test_metadata_that_libvirt_drops_is_a_failure(
    config: Path, connection: Connection, off: Domain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Domain, "set_metadata", lambda *_: None)
    with pytest.raises(Failed, match=r"^off: libvirt took its new metadata and does not give it back$"):
        bind(connection, "off", ["a"], metadata=True)


def test_metadata_is_not_changed_while_another_is_at_work_on_the_domain(
    config: Path, connection: Connection, off: Domain
) -> None:
    with (
        Store() as store,
        store.lock(connection.host, off.uuid, "off"),
        pytest.raises(Refused, match=r"another domtune"),
    ):
        bind(connection, "off", ["a"], metadata=True)
    assert "domtune" not in off.known_xml()


# The side store


def test_a_driver_without_metadata_has_a_place_beside_it(config: Path, connection: Connection, off: Domain) -> None:
    connection.driver = replace(connection.driver, title="VMware ESX", metadata=False)
    with Store() as store:
        done = bind(connection, "off", ["a", "b"], metadata=True, store=store)
        assert f"{store.directory}, since VMware ESX keeps no metadata" == done.place
        assert ["a", "b"] == names(connection, "off")
        assert ("b",) == unbind(connection, "off", ["a"], metadata=True, store=store).profiles
        assert ["b"] == names(connection, "off")
        unbind(connection, "off", metadata=True, store=store)
        with pytest.raises(NotFound, match=r"^off: nothing is bound in .*state, since VMware ESX keeps no metadata; "):
            unbind(connection, "off", metadata=True, store=store)
    assert "domtune" not in off.known_xml()


def test_faults_of_a_profile_are_those_of_what_it_inherits_too(config: Path, connection: Connection) -> None:
    (config / "profiles" / "a.yaml").write_text("profile: a\nset: {cpu.share: 1}\n")
    (config / "profiles" / "b.yaml").write_text("profile: b\ninherits: [a]\n")
    with pytest.raises(Invalid, match=r"a\.yaml:2: cpu\.share: no such parameter; did you mean cpu\.shares\?$"):
        bind(connection, "test", ["b"])
