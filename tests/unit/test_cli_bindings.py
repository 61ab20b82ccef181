"""bind, unbind, bindings and profiles as commands: what they print, where, and their exit codes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from domtune import catalogue
from domtune.cli.group import run
from domtune.connection import Connection, connect

UUID = "6695eb01-f6a4-8304-79aa-97f2502e193f"  # of the domain that test:///default has
MORE = ("web-1", "web-2")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the only directory of configuration, with some profiles in it."""
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("DOMTUNE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", "test:///default")
    monkeypatch.setattr(catalogue, "SHIPPED", tmp_path / "shipped")
    for folder in ("profiles", "bindings.d", "shipped"):
        (tmp_path / folder).mkdir()
    for name in "ab":
        (tmp_path / "profiles" / f"{name}.yaml").write_text(f"profile: {name}\nsummary: The letter {name}\n")
    return tmp_path


@pytest.fixture
def connection() -> Iterator[Connection]:
    """Keep the domains of test:///default while commands open it anew, and more than the one that it has."""
    with connect("test:///default") as opened:
        for name in MORE:
            xml = f"<domain type='test'><name>{name}</name><memory>65536</memory><os><type>hvm</type></os></domain>"
            opened.define(xml, name)
        yield opened
        for name in MORE:
            opened.domain(name).raw.undefine()


def put(config: Path, name: str, text: str) -> Path:
    path = config / "bindings.d" / name
    path.write_text(text)
    return path


def table(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.splitlines()]


# bind and unbind


def test_bind_and_unbind_say_what_they_did(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = config / "bindings.d" / f"{UUID}.yaml"
    for words, line in [
        (["bind", "test", "a"], f"test: bound to a, in {path}"),
        (["bind", "1", "a"], f"test: bound to a already, in {path}"),
        (["bind", UUID, "b"], f"test: bound to a, b, in {path}"),
        (["unbind", "test", "a"], f"test: no longer bound to a; still bound to b in {path}"),
        (["unbind", "test"], f"test: no longer bound to b; nothing is left in {path}"),
    ]:
        assert (0, (f"{line}\n", "")) == (run(words), capsys.readouterr())


def test_bind_can_let_the_domain_carry_it(
    config: Path, connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == run(["bind", "web-1", "a", "--metadata"])
    assert ("web-1: bound to a, in its metadata\n", "") == capsys.readouterr()
    assert "<domtune:profile>a</domtune:profile>" in connection.domain("web-1").known_xml()
    assert 0 == run(["unbind", "web-1", "--metadata"])
    assert ("web-1: no longer bound to a; nothing is left in its metadata\n", "") == capsys.readouterr()


def test_a_glob_binds_all_that_match_now(
    config: Path, connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == run(["bind", "web-*", "a", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (["web-1", "web-2"], []) == (sorted(each["domain"] for each in found["bound"]), found["failed"])
    assert {connection.domain(name).uuid for name in MORE} == {
        path.stem for path in (config / "bindings.d").glob("[!.]*")
    }


def test_one_that_fails_does_not_stop_the_others(
    config: Path, connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    path = put(config, f"{connection.domain('web-1').uuid}.yaml", "# mine\n- profiles: [a]\n")
    assert 1 == run(["bind", "web-*", "a", "--json"])
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (["web-2"], ["web-1"]) == tuple([each["domain"] for each in found[key]] for key in ("bound", "failed"))
    assert ("Refused", [err.rstrip()]) == (found["failed"][0]["error"], found["failed"][0]["problems"])
    assert err.startswith(f"{path}: was edited by hand")


def test_what_is_wrong_with_a_profile_is_said_once(
    config: Path, connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == run(["bind", "web-*", "c"])
    assert 1 == len(capsys.readouterr().err.splitlines())


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["bind", "test"], 2, "Missing argument 'PROFILE...'"),
        (["bind"], 2, "Missing argument 'DOMAIN'"),
        (["unbind"], 2, "Missing argument 'DOMAIN'"),
        (["bind", "db*", "a"], 1, "db*: no domain of test:///default matches\n"),
        (["bind", "nobody", "a"], 1, "nobody: no such domain on test:///default, which has test\n"),
        (["bind", "test", "./a.yaml", "--metadata"], 1, "./a.yaml: a path is true for one host, and metadata travels"),
        (["unbind", "test"], 1, "test: nothing is bound in "),
        (["unbind", "db*"], 1, "db*: no domain of test:///default matches\n"),
        (["bindings", "nobody"], 1, "nobody: no such domain on test:///default, which has test\n"),
    ],
)
def test_what_cannot_be_done_is_a_line(
    config: Path, words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code == run(words)
    out, err = capsys.readouterr()
    assert ("", True) == (out, message in err)


# bindings


def test_bindings_lists_what_holds_for_which_domain_and_why(
    config: Path, connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    path = put(
        config,
        "site.yaml",
        """\
- {match: {name: web*}, profiles: [a, b]}

- {profiles: [b], policy: off}
- {match: {name: db}, profiles: a}
- {match: {name: ct, driver: lxc}, profiles: a}
- {match: {uuid: 00000000-0000-4000-8000-000000000000}, profiles: a}
- {match: {host: other}, profiles: a}
""",
    )
    run(["bind", "web-1", "b", "--metadata"])
    capsys.readouterr()
    assert 0 == run(["bindings"])
    out, err = capsys.readouterr()
    web = [
        [[name, "site", "b", f"{path}:3", "every domain", "off"]]
        + [[name, "domain", each, f"{path}:1", f"name {name} matches web*", "enforce"] for each in "ab"]
        for name in MORE
    ]
    assert [
        ["domain", "scope", "profile", "origin", "why", "policy"],
        ["test", "site", "b", f"{path}:3", "every domain", "off"],
        *web[0],
        ["web-1", "domain", "b", "metadata of web-1", "its own metadata", "enforce"],
        *web[1],
    ] == table(out)
    assert f"no domain of test:///default matches name db ({path}:4)\n" == err


def test_bindings_of_some_domains_are_silent_about_the_rest(
    config: Path, connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    put(config, "site.yaml", "- {match: {name: web*}, profiles: a}\n- {match: {name: db}, profiles: a}\n")
    assert 0 == run(["bindings", "web-2", "web*"])
    out, err = capsys.readouterr()
    assert (["web-2", "web-1"], "") == ([row[0] for row in table(out)[1:]], err)


def test_bindings_tells_what_is_broken_and_lists_the_rest(
    config: Path, connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = put(config, "1.yaml", "- profile: a\n")
    path = put(config, "2.yaml", "- profiles: [a, gone]\n")
    connection.domain("web-1").set_metadata("urn:domtune:bindings:1", "domtune", "<bindings>x</bindings>")
    assert 1 == run(["bindings"])
    out, err = capsys.readouterr()
    assert 7 == len(table(out))
    assert [
        f"{broken}:1: profile: no word of a binding; the words are scope, match, profiles, policy",
        f"{broken}:1: profiles: missing; name those that hold",
        "web-1: metadata urn:domtune:bindings:1: only <bindings> with <profile> in it is known",
        f"gone: no such profile in {config}/profiles, {config}/shipped; for a file give its path",
        f"{path}:1: profiles: gone cannot be used",
    ] == err.splitlines()


def test_bindings_on_a_terminal_are_in_columns_and_whole(
    config: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(config, "site.yaml", "- {match: {name: 'web-[0-9]'}, profiles: [a]}\n")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert 0 == run(["bindings"])
    out = capsys.readouterr().out
    assert "name web-1 matches web-[0-9]" in out
    assert "\t" not in out


def test_bindings_as_json(config: Path, connection: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(
        config, "site.yaml", "- {match: {name: web-1}, profiles: [a]}\n- {match: {name: db}, profiles: [gone]}\n"
    )
    assert 0 == run(["bindings", "--json"])
    entry = {"scope": "domain", "profiles": ["a"], "origin": f"{path}:1", "policy": "enforce"}
    uuid = connection.domain("web-1").uuid
    assert {
        "held": [{"domain": "web-1", "uuid": uuid, **entry, "why": "name is web-1"}],
        "entries": [
            {**entry, "match": "name web-1"},
            {**entry, "profiles": ["gone"], "origin": f"{path}:2", "match": "name db"},
        ],
        "problems": [],
    } == json.loads(capsys.readouterr().out)


def test_without_a_hypervisor_the_entries_are_listed_alone(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", "test:///nowhere.xml")
    path = put(config, "site.yaml", "- {match: {name: [web, db*]}, profiles: [a, gone]}\n- {profiles: b}\n")
    assert 1 == run(["bindings"])
    out, err = capsys.readouterr()
    assert [
        ["scope", "profile", "origin", "match", "policy"],
        ["domain", "a", f"{path}:1", "name web or db*", "enforce"],
        ["domain", "gone", f"{path}:1", "name web or db*", "enforce"],
        ["site", "b", f"{path}:2", "every domain", "enforce"],
    ] == table(out)
    first, *rest = err.splitlines()
    assert first.startswith("cannot connect to test:///nowhere.xml: ")
    assert first.endswith("; what the files say is listed alone")
    assert f"{path}:1: profiles: gone cannot be used" == rest[-1]
    assert 1 == run(["bindings", "--json"])
    assert [] == json.loads(capsys.readouterr().out)["held"]


@pytest.mark.parametrize("words", [["bindings", "web"], ["-c", "test:///nowhere.xml", "bindings"]])
def test_a_hypervisor_that_was_asked_for_must_answer(
    config: Path, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", "test:///nowhere.xml")
    assert 1 == run(words)
    assert "" == capsys.readouterr().out


# profiles


def test_profiles_lists_those_that_can_be_named(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config / "shipped" / "b.yaml").write_text("profile: b\nsummary: A letter\n")
    (config / "shipped" / "c.yml").write_text("profile: c\n")
    assert 0 == run(["profiles"])
    assert [
        ["profile", "place", "summary", "hidden by"],
        ["a", f"{config}/profiles", "The letter a", ""],
        ["b", f"{config}/profiles", "The letter b", ""],
        ["b", "shipped", "A letter", f"{config}/profiles/b.yaml"],
        ["c", "shipped", "", ""],
    ] == table(capsys.readouterr().out)


def test_profiles_prints_the_document_of_a_name(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "# why\nprofile: a  # and wherefore\n"
    (config / "profiles" / "a.yaml").write_text(text)
    assert 0 == run(["profiles", "a"])
    assert f"# {config}/profiles/a.yaml\n{text}" == capsys.readouterr().out
    assert 0 == run(["profiles", "a", "b"])
    assert ["# ", "# why", "profile: a  # and wherefore", "", "# ", "profile: b", "summary: The letter b"] == [
        line.partition(str(config))[0] for line in capsys.readouterr().out.splitlines()
    ]


def test_a_broken_profile_is_told_and_the_others_are_served(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config / "profiles" / "1.yaml").write_text("profile: [x]\nset: {cpu.shares: 1}\n")
    (config / "profiles" / "2.yaml").write_text("profile: 2\ninherits: [1]\n")
    assert 1 == run(["profiles"])
    out, err = capsys.readouterr()
    assert [
        ["1", "broken; see domtune check 1"],
        ["2", "broken; see domtune check 2"],
        ["a", "The letter a"],
        ["b", "The letter b"],
    ] == [[row[0], row[2]] for row in table(out)[1:]]
    assert [
        f"{config}/profiles/{each}.yaml: broken; `domtune check {each}` lists its faults" for each in "12"
    ] == err.splitlines()


def test_a_broken_profile_that_is_named_is_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config / "profiles" / "bad.yaml").write_text("profile: bad\nset: {cpu.shares: 1}\n")
    assert 1 == run(["profiles", "bad"])
    assert ("", f"{config}/profiles/bad.yaml:2: cpu.shares: 1 is outside 2 to 262144\n") == capsys.readouterr()


def test_a_profile_that_is_not_there_is_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == run(["profiles", "gone"])
    assert (
        "",
        f"gone: no such profile in {config}/profiles, {config}/shipped; for a file give its path\n",
    ) == capsys.readouterr()


def test_a_directory_that_cannot_be_read_is_told(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (config / "shipped").rmdir()
    (config / "shipped").write_text("")
    assert 1 == run(["profiles"])
    out, err = capsys.readouterr()
    assert (3, f"{config}/shipped: cannot read: Not a directory\n") == (len(table(out)), err)


def test_profiles_as_json(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["profiles", "a", "--json"])
    assert [
        {
            "profile": "a",
            "summary": "The letter a",
            "place": f"{config}/profiles",
            "path": f"{config}/profiles/a.yaml",
            "hidden_by": "",
            "text": "profile: a\nsummary: The letter a\n",
        }
    ] == json.loads(capsys.readouterr().out)


# check


def test_check_judges_a_file_of_bindings(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(config, "site.yaml", "- profiles: [a, b]\n- {match: {name: web}, profiles: [./c.yaml, a]}\n")
    (config / "bindings.d" / "c.yaml").write_text("profile: c\n")
    assert 0 == run(["check", str(path)])
    assert f"{path}: good, 2 bindings, 3 profiles\n" == capsys.readouterr().out
    (config / "bindings.d" / "c.yaml").write_text("profile: c\nset: {cpu.shares: 1}\n")
    assert 1 == run(["check", str(path)])
    assert [
        f"{config}/bindings.d/c.yaml:2: cpu.shares: 1 is outside 2 to 262144",
        f"{path}:2: profiles: ./c.yaml cannot be used",
    ] == capsys.readouterr().out.splitlines()
    path.write_text("- {match: {name: web}, profile: a}\n")
    assert 1 == run(["check", str(path)])
    assert f"{path}:1: profile: no word of a binding" in capsys.readouterr().out
