"""Where the profile of a domain that is taken over goes, what is never lost, and what the commands say."""

import re
import shlex
import uuid
from pathlib import Path

import pytest

from domtune import catalogue, rebinding, storage, takeover
from domtune.cli.group import run
from domtune.connection import Domain
from domtune.errors import Refused
from support.handtuned import taking

# Where the profile goes


@pytest.mark.parametrize(
    ("domain", "name"),
    [("web", "web"), ("a b/c", "a-b-c"), ("win10.yaml", "win10-yaml"), ("..", "domain"), ("ä", "domain")],
)
def test_a_file_has_a_name_that_is_no_path(domain: str, name: str) -> None:
    assert name == takeover.file_name(domain)
    assert not catalogue.is_path(name)


def test_another_profile_is_neither_replaced_nor_hidden(
    web: Domain, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (config / "profiles").mkdir(parents=True)
    (config / "profiles" / "web.yaml").write_text("profile: other\n")
    with pytest.raises(Refused, match=r"web.yaml: is there already, and says something else; say with --tuning OUT"):
        takeover.shelf(web, "profile: web\n", None)
    (config / "profiles" / "web.yaml").rename(config / "profiles" / "web.yml")
    with pytest.raises(Refused, match=r"web.yml: is the profile web already"):
        takeover.shelf(web, "profile: web\n", None)
    monkeypatch.setattr(catalogue, "SHIPPED", config / "profiles")
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(config / "another"))
    with pytest.raises(Refused, match=r"web.yml: is the profile web already"):
        takeover.shelf(web, "profile: web\n", None)


def test_a_file_that_is_bound_to_another_domain_is_not_replaced(web: Domain, tmp_path: Path) -> None:
    (tmp_path / "out.yaml").write_text("profile: other\n")
    rebinding.bind(web.connection, "test", ["out.yaml"])
    with pytest.raises(Refused, match=r"out.yaml: is bound in .*, and says something else; name another file$"):
        taking(web, "out.yaml", force=True)


def test_a_file_that_a_bound_profile_inherits_is_not_replaced(web: Domain, tmp_path: Path) -> None:
    (tmp_path / "out.yaml").write_text("profile: other\n")
    (tmp_path / "top.yaml").write_text("profile: top\ninherits: [./out.yaml]\n")
    rebinding.bind(web.connection, "test", ["top.yaml"])
    with pytest.raises(Refused, match=r"out.yaml: is bound in .*, and says something else; name another file$"):
        taking(web, "out.yaml", force=True)


@pytest.mark.parametrize("force", [True, False])
def test_a_profile_that_is_found_by_a_name_is_not_replaced(web: Domain, config: Path, *, force: bool) -> None:
    (config / "profiles").mkdir(parents=True)
    shared = config / "profiles" / "shared.yaml"
    shared.write_text("profile: shared\n")
    (config / "link.yaml").symlink_to(shared)
    for out in (shared, config / "link.yaml"):
        with pytest.raises(Refused, match=r"is there already, and says something else; name another file, or move it"):
            taking(web, str(out), force=force)
    bindings = config / "bindings.d" / "all.yaml"
    bindings.parent.mkdir()
    bindings.write_text("- profiles: [shared]\n")
    with pytest.raises(Refused, match=r"shared.yaml: is bound in \S+all.yaml:1, and says something else; name another"):
        taking(web, str(shared), force=force)
    assert "profile: shared\n" == shared.read_text()


def test_a_profile_that_another_domain_carries_is_not_replaced(web: Domain, config: Path) -> None:
    (config / "profiles").mkdir(parents=True)
    (config / "profiles" / "shared.yaml").write_text("profile: shared\n")
    rebinding.bind(web.connection, "test", ["shared"], metadata=True)
    try:
        with pytest.raises(Refused, match=r"shared.yaml: is bound in metadata of test, and says something else"):
            taking(web, str(config / "profiles" / "shared.yaml"))
    finally:
        rebinding.unbind(web.connection, "test", ["shared"], metadata=True)


def test_a_file_that_is_found_by_a_name_is_bound_by_it_and_once(web: Domain, config: Path) -> None:
    (config / "profiles").mkdir(parents=True)
    out = config / "profiles" / "own.yaml"
    asked = taking(web, str(out))
    assert asked.shelf
    out.write_text(asked.text)
    rebinding.bind(web.connection, "web", ["own"])
    assert "own" == asked.shelf.called
    takeover.take_over(web, taking(web, str(out)))
    assert ("own",) == takeover.bound(web)


def test_a_file_stays_bound_by_the_path_that_it_is_bound_by(web: Domain, config: Path) -> None:
    (config / "profiles").mkdir(parents=True)
    out = config / "profiles" / "own.yaml"
    out.write_text(taking(web).text)
    rebinding.bind(web.connection, "web", [str(out)])
    takeover.take_over(web, taking(web, str(out)))
    assert (str(out),) == takeover.bound(web)


def test_what_somebody_wrote_goes_only_by_force(web: Domain, tmp_path: Path) -> None:
    (tmp_path / "out.yaml").write_text("profile: other\n")
    with pytest.raises(Refused, match=r"says something else; name another file, or give --force$"):
        taking(web, "out.yaml")
    takeover.take_over(web, taking(web, "out.yaml", force=True))
    assert taking(web, "out.yaml").shelf


# Again


def changed(domain: Domain) -> None:
    """Give a domain back and change its tuning, as `merge --define` and `virsh edit` do."""
    domain.connection.define(takeover.had(domain).xml.replace("2048", "512"), domain.name)


@pytest.mark.parametrize("out", [None, "out.yaml"])
def test_a_domain_can_be_taken_over_again_after_its_tuning_was_changed(web: Domain, out: str | None) -> None:
    first = taking(web, out)
    taken = takeover.take_over(web, first)
    changed(web)
    again = taking(web, out)
    assert again.shelf
    assert storage.beside(taken.backup) == again.shelf.copy
    takeover.take_over(web, again)
    assert again.text == again.shelf.path.read_text()
    assert first.text == again.shelf.copy.read_text()
    assert 1 == len(takeover.bound(web))
    assert "<shares>" not in web.stored_xml()


def test_a_profile_that_was_edited_since_is_left_alone(web: Domain) -> None:
    asked = taking(web)
    takeover.take_over(web, asked)
    assert asked.shelf
    asked.shelf.path.write_text(asked.text.replace("2048", "1024"))
    changed(web)
    with pytest.raises(Refused, match="is there already, and says something else; say with --tuning OUT"):
        taking(web)


def test_a_profile_that_others_are_bound_to_by_now_is_left_alone(web: Domain) -> None:
    takeover.take_over(web, taking(web))
    rebinding.bind(web.connection, "test", ["web"])
    changed(web)
    with pytest.raises(Refused, match=r"is bound in .*, and says something else; say with --tuning OUT"):
        taking(web)


# The command


def test_merge_without_a_profile_needs_a_domain(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run(["merge", "web.xml"])
    assert "nothing is bound to a file; give a PROFILE, or a domain" in capsys.readouterr().err


def test_merge_says_how_to_get_back_what_is_not_bound_any_more(
    web: Domain, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup = takeover.take_over(web, taking(web)).backup
    rebinding.unbind(web.connection, "web")
    words = ["-c", "test:///default", "merge", "web", "--define"]
    said = (
        "web: no profile is bound to this very domain; `domtune merge web {} --define` gives back what was taken out "
    )
    said += f"of it last, and `virsh define {backup}` all that was there\n"
    assert 1 == run(words)
    assert said.format("web") == capsys.readouterr().err
    (config / "profiles" / "web.yaml").write_text("profile: another\n")
    assert 1 == run(words)
    assert said.format(storage.beside(backup)) == capsys.readouterr().err
    assert 0 == run([*words[:4], str(storage.beside(backup)), "--define"])
    assert backup.read_text() == web.stored_xml()


@pytest.mark.usefixtures("config")
def test_merge_changes_nothing_where_there_is_nothing_to_change(
    web: Domain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    takeover.take_over(web, taking(web))
    words = ["-c", "test:///default", "merge", "web", "--define"]
    assert 0 == run(words)
    capsys.readouterr()
    backups = sorted((tmp_path / "state" / "backups").iterdir())
    assert 0 == run(words)
    lines = capsys.readouterr().err.splitlines()
    assert "web: its stored definition says all that already; nothing was changed" == lines[0]
    assert (
        "web: web stays bound to it, and what it says lies over later edits of the stored definition; "
        "`domtune unbind web` takes it off"
    ) == lines[-1]
    assert backups == sorted((tmp_path / "state" / "backups").iterdir())


@pytest.mark.usefixtures("config")
def test_the_commands_that_are_told_can_be_pasted(web: Domain, capsys: pytest.CaptureFixture[str]) -> None:
    name = "web & 'co'"
    xml = web.stored_xml().replace("<name>web<", "<name>web &amp; 'co'<").replace(web.uuid, str(uuid.uuid4()))
    raw = web.connection.define(xml, name)
    try:
        words = ["-c", "test:///default"]
        assert [0, 0] == [run([*words, "split", name, "--define"]), run([*words, "merge", name, "--define"])]
    finally:
        raw.raw.undefine()
    commands = re.findall("`(.*?)`", capsys.readouterr().err)
    assert [["domtune", "merge", name, "--define"], ["domtune", "unbind", name]] == [shlex.split(x) for x in commands]


def test_an_empty_element_that_libvirt_leaves_is_no_difference(web: Domain) -> None:
    takeover.take_over(web, taking(web))
    had = takeover.had(web)
    web.connection.define(had.xml.replace("</name>", "</name><metadata/>"), "web")
    if "<metadata/>" not in web.stored_xml():  # an empty one is not read, only left
        web.set_metadata("urn:x", "x", "<a/>")
        web.set_metadata("urn:x", "x", None)
    assert "<metadata/>" in web.stored_xml()
    (line,) = takeover.given_back(web, had)
    assert f"it is what it was before it was taken over, but for an empty <metadata/>: {had.path}" == line


@pytest.mark.usefixtures("config")
def test_merge_without_a_profile_needs_one_that_is_bound(capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == run(["-c", "test:///default", "merge", "test"])
    way_out = "name one, or bind one with `domtune bind test PROFILE`"
    assert f"test: no profile is bound to this very domain; {way_out}\n" == capsys.readouterr().err


def test_a_domain_without_tuning_is_left_alone(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["-c", "test:///default", "split", "test", "--define", "--tuning", "out.yaml"])
    assert ("", "test: has no tuning to take out; nothing was changed\n") == capsys.readouterr()
    assert not Path("out.yaml").exists()
    assert not config.exists()
