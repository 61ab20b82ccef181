"""What is bound and what of it holds: files of all places, the domain's metadata, the side store."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from domtune import binding_store, catalogue, tree
from domtune.binding_store import entries, held
from domtune.connection import Connection, connect
from domtune.errors import Invalid
from domtune.store import Store

UUID = "6695eb01-f6a4-8304-79aa-97f2502e193f"  # of the domain that test:///default has
CARRIED = '<domtune:bindings xmlns:domtune="urn:domtune:bindings:1">{}</domtune:bindings>'


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the only directory of configuration, with some profiles in it."""
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("DOMTUNE_STATE_DIR", str(tmp_path / "state"))
    for folder in ("profiles", "bindings.d"):
        (tmp_path / folder).mkdir()
    for name in ("base", "latency", "quiet"):
        inherits = "inherits: [base]\n" if name == "latency" else ""
        (tmp_path / "profiles" / f"{name}.yaml").write_text(f"profile: {name}\n{inherits}set: {{cpu.shares: 300}}\n")
    return tmp_path


@pytest.fixture
def connection() -> Iterator[Connection]:
    with connect("test:///default") as opened:
        yield opened


def put(config: Path, name: str, text: str) -> Path:
    path = config / "bindings.d" / name
    path.write_text(text)
    return path


def told(connection: Connection, root: str = "") -> list[tuple[str, str, list[str]]]:
    """What holds for the domain test, or for this XML: origin, reason, profiles."""
    domain = tree.parse(root) if root else connection.domain("test")
    return [
        (Path(each.binding.origin).name, each.why, [profile.name for profile in each.profiles])
        for each in held(connection, domain)
    ]


def problems(connection: Connection, root: str = "") -> list[str]:
    with pytest.raises(Invalid) as caught:
        told(connection, root)
    return list(caught.value.problems)


def document(inside: str = "", name: str = "web") -> str:
    return f"<domain><name>{name}</name><metadata>{inside}</metadata></domain>"


UNKNOWN = "it is not known which profiles hold; mend this, or leave bindings out with --no-bindings"


# Files


def test_files_are_read_in_the_order_of_their_names(config: Path) -> None:
    for name in ("20-b.yaml", "10-a.yml", "9.yaml"):
        put(config, name, f"- profiles: [{name[:2]}]\n")
    assert ["10-a.yml:1", "20-b.yaml:1", "9.yaml:1"] == [Path(each.origin).name for each in entries().bindings]


def test_what_ends_otherwise_or_is_hidden_is_no_file_of_bindings(config: Path) -> None:
    for name in ("README", "a.yaml.bak", ".a.yaml", "a.yaml~"):
        put(config, name, "nonsense")
    assert ((), ()) == ((found := entries()).bindings, found.problems)


def test_no_directory_is_no_binding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(tmp_path / "nothing"))
    assert ((), ()) == ((found := entries()).bindings, found.problems)


def test_the_users_own_come_before_those_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = [tmp_path / "user", tmp_path / "etc"]
    for place in places:
        (place / "bindings.d").mkdir(parents=True)
        (place / "bindings.d" / "a.yaml").write_text(f"- profiles: [{place.name}]\n")
    monkeypatch.setattr(catalogue, "directories", lambda: places)
    assert [("user",), ("etc",)] == [each.profiles for each in entries().bindings]


def test_a_broken_file_does_not_keep_the_others_from_being_read(config: Path) -> None:
    broken = put(config, "1.yaml", "- profile: a\n")
    (config / "bindings.d" / "2.yaml").mkdir()
    os.mkfifo(config / "bindings.d" / "3.yaml")
    (config / "bindings.d" / "4.yaml").symlink_to("nowhere")
    put(config, "5.yaml", "- profiles: [quiet]\n")
    found = entries()
    assert [("quiet",)] == [each.profiles for each in found.bindings]
    place = broken.parent
    assert (
        f"{broken}:1: profile: no word of a binding; the words are scope, match, profiles, policy",
        f"{broken}:1: profiles: missing; name those that hold",
        f"{place}/2.yaml: cannot read: it is no file",
        f"{place}/3.yaml: cannot read: it is no file",
        f"{place}/4.yaml: cannot read: No such file or directory",
    ) == found.problems


def test_a_place_that_is_no_directory_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(tmp_path))
    (tmp_path / "bindings.d").write_text("")
    assert (f"{tmp_path}/bindings.d: cannot read: Not a directory",) == entries().problems


def test_a_file_that_nobody_changed_is_read_once(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(config, "a.yaml", "- profiles: [quiet]\n")
    monkeypatch.setattr(binding_store, "_SETTLED", 0)
    first = entries().bindings
    assert first[0] is entries().bindings[0]
    path.write_text("- profiles: [other]\n")
    assert [("other",)] == [each.profiles for each in entries().bindings]


def test_a_file_that_was_changed_just_now_is_read_again(config: Path) -> None:
    path = put(config, "a.yaml", "- profiles: [quiet]\n")
    before = path.stat()
    assert [("quiet",)] == [each.profiles for each in entries().bindings]
    path.write_text("- profiles: [loud_]\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [("loud_",)] == [each.profiles for each in entries().bindings]


# What holds


def test_what_matches_holds_with_its_profiles_wide_to_narrow(config: Path, connection: Connection) -> None:
    text = f"""\
- {{match: {{uuid: {UUID}}}, profiles: [quiet, latency]}}
- {{match: {{driver: test}}, profiles: [quiet]}}
- {{match: {{name: other}}, profiles: [quiet]}}
- {{match: {{name: test}}, profiles: [quiet], policy: off}}
- {{profiles: [base], policy: report}}
"""
    put(config, "a.yaml", text)
    assert [
        ("a.yaml:5", "every domain", ["base"]),
        ("a.yaml:2", "driver is test", ["quiet"]),
        ("a.yaml:1", f"UUID is {UUID}", ["quiet", "base", "latency"]),
    ] == told(connection)


def test_the_host_is_matched_by_its_name(config: Path, connection: Connection) -> None:
    put(config, "a.yaml", f"- {{match: {{host: {connection.host}}}, profiles: [quiet]}}\n")
    assert [("a.yaml:1", f"host is {connection.host.lower()}", ["quiet"])] == told(connection)


def test_a_uuid_of_a_host_is_asked_of_the_driver(
    config: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(config, "a.yaml", f"- {{match: {{host: {UUID}}}, profiles: [quiet]}}\n")
    assert [] == told(connection)  # the test driver has none
    xml = f"<capabilities><host><uuid>{UUID}</uuid></host></capabilities>"
    monkeypatch.setattr(Connection, "capabilities", lambda _: xml)
    assert [("a.yaml:1", f"host UUID is {UUID}", ["quiet"])] == told(connection)


def test_a_domain_of_a_file_is_matched_by_what_its_xml_says(config: Path, connection: Connection) -> None:
    put(config, "a.yaml", "- {match: {metadata: {namespace: 'urn:site'}, name: w*}, profiles: [quiet]}\n")
    xml = document('<a:tier xmlns:a="urn:site"/>' + CARRIED.format("<domtune:profile>latency</domtune:profile>"))
    assert [
        ("a.yaml:1", "name web matches w*, metadata urn:site is there", ["quiet"]),
        ("metadata of web", "its own metadata", ["base", "latency"]),
    ] == told(connection, xml)


def test_a_path_starts_at_the_file_of_the_binding(config: Path, connection: Connection) -> None:
    (config / "own.yaml").write_text("profile: own\n")
    put(config, "a.yaml", "- profiles: [../own.yaml]\n")
    assert [("a.yaml:1", "every domain", ["own"])] == told(connection)


def test_a_name_is_no_file_of_bindings(config: Path, connection: Connection) -> None:
    put(config, "quiet.yaml", "- profiles: [quiet]\n")
    assert [("quiet.yaml:1", "every domain", ["quiet"])] == told(connection)


def test_a_broken_file_makes_it_unknown_what_holds(config: Path, connection: Connection) -> None:
    put(config, "a.yaml", "- profiles: [quiet]\n")
    path = put(config, "b.yaml", "- {}\n")
    assert [
        f"{path}:1: profiles: missing; name those that hold",
        f"test: {UNKNOWN}",
    ] == problems(connection)


def test_a_profile_that_is_not_there_is_named_with_its_binding(config: Path, connection: Connection) -> None:
    (config / "profiles" / "bad.yaml").write_text("profile: bad\nset: {cpu.share: 2}\n")
    path = put(config, "a.yaml", "- profiles: [quiet]\n- profiles: [gone, bad]\n- {profiles: [lost], policy: off}\n")
    looked = f"{config}/profiles, {catalogue.SHIPPED}"
    assert [
        f"gone: no such profile in {looked}; for a file give its path",
        f"{path}:2: profiles: gone cannot be used",
        f"{config}/profiles/bad.yaml:2: cpu.share: no such parameter; did you mean cpu.shares?",
        f"{path}:2: profiles: bad cannot be used",
        f"test: {UNKNOWN}",
    ] == problems(connection)


# Metadata and the side store


@pytest.mark.parametrize(
    ("inside", "problem"),
    [
        ("<domtune:profile/>", "only <profile>NAME</profile> is known in <bindings>"),
        ("<domtune:profile a='b'>x</domtune:profile>", "only <profile>NAME</profile> is known in <bindings>"),
        ("<domtune:policy>off</domtune:policy>", "only <profile>NAME</profile> is known in <bindings>"),
        ("<profile>quiet</profile>", "only <profile>NAME</profile> is known in <bindings>"),
        ("quiet", "only <bindings> with <profile> in it is known"),
        ("<domtune:profile>a\nb: done</domtune:profile>", "profile 'a\\nb: done': no name of a profile; take it out"),
        ("<domtune:profile>two words</domtune:profile>", "profile 'two words': no name of a profile; take it out"),
        ("<domtune:profile>x</domtune:profile>" * 2, "profile x: named twice; keep one"),
    ],
)
def test_what_is_not_known_in_the_metadata_is_an_error(
    config: Path, connection: Connection, inside: str, problem: str
) -> None:
    found = problems(connection, document(CARRIED.format(inside)))
    assert (f"web: metadata urn:domtune:bindings:1: {problem}", f"web: {UNKNOWN}") == (found[0], found[-1])


def test_a_comment_in_the_metadata_is_no_name(config: Path, connection: Connection) -> None:
    inside = "<!-- <domtune:profile>gone</domtune:profile> --> <domtune:profile> quiet </domtune:profile>"
    assert [("metadata of web", "its own metadata", ["quiet"])] == told(connection, document(CARRIED.format(inside)))


def test_another_element_of_the_namespace_is_an_error(config: Path, connection: Connection) -> None:
    found = problems(connection, document('<x xmlns="urn:domtune:bindings:1"/>'))
    assert "web: metadata urn:domtune:bindings:1: only <bindings> with <profile> in it is known" == found[0]


@pytest.mark.parametrize("path", ["./own.yaml", "/etc/passwd", "own.yaml", "-"])
def test_a_path_in_the_metadata_is_not_read(config: Path, connection: Connection, path: str) -> None:
    found = problems(connection, document(CARRIED.format(f"<domtune:profile>{path}</domtune:profile>")))
    reason = "a path is true for one host, and metadata travels; give the name of a profile"
    assert [f"metadata of web: {path}: {reason}", f"web: {UNKNOWN}"] == found


def test_a_run_stamp_beside_it_is_no_binding(config: Path, connection: Connection) -> None:
    stamp = '<domtune:run xmlns:domtune="urn:domtune:run:1" id="x"/>'
    assert [] == told(connection, document(stamp))


def test_a_driver_without_metadata_has_its_profiles_beside_it(config: Path, connection: Connection) -> None:
    connection.driver = replace(connection.driver, metadata=False)
    with Store() as store:
        store.bind(connection.host, UUID, ["latency"])
        store.bind("other", UUID, ["quiet"])
    assert [("state for test", "bound beside it", ["base", "latency"])] == told(connection)
    connection.driver = replace(connection.driver, metadata=True)
    assert [] == told(connection)


def test_a_domain_without_uuid_has_nothing_beside_it(config: Path, connection: Connection) -> None:
    connection.driver = replace(connection.driver, metadata=False)
    assert [] == told(connection, document())
