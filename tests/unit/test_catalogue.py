import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from domtune import catalogue, files
from domtune.errors import Failed, Invalid, NotFound
from domtune.store import state_dir


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the only directory in which profiles are looked for."""
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(tmp_path))
    (tmp_path / "profiles").mkdir()
    return tmp_path / "profiles"


def put(folder: Path, name: str, *inherits: str, shares: int | None = None) -> None:
    lines = [f"profile: {Path(name).stem}", f"inherits: [{', '.join(inherits)}]"]
    lines += [f"set: {{cpu.shares: {shares}}}"] if shares else []
    (folder / name).write_text("\n".join(lines) + "\n")


def chain(name: str) -> list[str]:
    return [profile.name for profile in catalogue.load(name)]


# Names and paths


@pytest.mark.parametrize("name", ["-", "./web", "/etc/web", "web.yaml", "web.yml", "shared/web"])
def test_a_path_holds_a_slash_or_ends_as_yaml_does(name: str) -> None:
    assert catalogue.is_path(name)


@pytest.mark.parametrize("name", ["web", "web.xml", "web-3", "yaml"])
def test_anything_else_is_a_name(name: str) -> None:
    assert not catalogue.is_path(name)


@pytest.mark.parametrize("ending", ["yaml", "yml"])
def test_a_name_is_found_with_either_ending(shelf: Path, ending: str) -> None:
    put(shelf, f"web.{ending}")
    assert ["web"] == chain("web")


def test_a_name_that_is_nowhere_says_where_it_was_looked_for(shelf: Path) -> None:
    with pytest.raises(NotFound) as caught:
        catalogue.load("web")
    where = f"{shelf}, {catalogue.SHIPPED}"
    assert f"web: no such profile in {where}; for a file give its path" == str(caught.value)


def test_the_users_own_profiles_come_before_those_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOMTUNE_CONFIG_DIR", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", "/home/jo/config")
    assert [
        Path("/home/jo/config/domtune/profiles"),
        Path("/etc/domtune/profiles"),
        catalogue.SHIPPED,
    ] == catalogue.places()


def test_whoever_has_no_home_has_the_places_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOMTUNE_CONFIG_DIR", "XDG_CONFIG_HOME", "HOME", "DOMTUNE_STATE_DIR", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert [Path("/etc/domtune/profiles"), catalogue.SHIPPED] == catalogue.places()
    with pytest.raises(Failed, match=r"^HOME is not set, .*; set HOME or DOMTUNE_STATE_DIR$"):
        state_dir()


def test_without_a_directory_of_its_own_the_users_is_dot_config(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOMTUNE_CONFIG_DIR", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/jo")
    assert Path("/home/jo/.config/domtune/profiles") == catalogue.places()[0]


# What a profile inherits


def test_what_is_inherited_comes_before(shelf: Path) -> None:
    put(shelf, "base.yaml")
    put(shelf, "disks.yaml", "base")
    put(shelf, "latency.yaml")
    put(shelf, "web.yaml", "disks", "latency")
    assert ["base", "disks", "latency", "web"] == chain("web")


def test_what_is_inherited_is_looked_for_beside_the_profile_first(shelf: Path, tmp_path: Path) -> None:
    put(shelf, "base.yaml", shares=512)
    put(tmp_path, "base.yaml", shares=1024)
    put(tmp_path, "web.yaml", "base")
    (base, _) = catalogue.load(str(tmp_path / "web.yaml"))
    assert str(tmp_path / "base.yaml") == base.source


def test_a_profile_that_is_inherited_twice_lies_where_it_comes_last(shelf: Path) -> None:
    put(shelf, "base.yaml")
    put(shelf, "left.yaml", "base")
    put(shelf, "right.yaml", "base")
    put(shelf, "web.yaml", "left", "right")
    assert ["left", "base", "right", "web"] == chain("web")


def test_inheriting_twice_at_every_step_is_no_bomb(shelf: Path) -> None:
    for step in range(30):
        put(shelf, f"p{step}.yaml", *[f"p{step + 1}"] * 2)
    put(shelf, "p30.yaml")
    assert [f"p{step}" for step in range(30, -1, -1)] == chain("p0")


def test_inheriting_has_an_end(shelf: Path) -> None:
    for step in range(34):
        put(shelf, f"p{step}.yaml", f"p{step + 1}")
    put(shelf, "p34.yaml")
    assert 33 == len(chain("p2"))
    with pytest.raises(Invalid, match=r"inherits: more than 32 profiles, one below the other$"):
        catalogue.load("p0")


def test_a_circle_is_found_whatever_the_spelling_of_its_paths(shelf: Path) -> None:
    put(shelf, "web.yaml", "base")
    put(shelf, "base.yaml", "../profiles/web.yaml")
    with pytest.raises(Invalid, match=r"a circle: web.yaml inherits base.yaml inherits web.yaml; take one"):
        catalogue.load("web")


def test_faults_of_all_that_is_inherited_are_said_at_once(shelf: Path) -> None:
    put(shelf, "web.yaml", "base", "gone", "torn", shares=1)
    put(shelf, "base.yaml", shares=300000)
    (shelf / "torn.yaml").write_text("profile: [")
    with pytest.raises(Invalid) as caught:
        catalogue.load("web", judged=True)
    places = f"{shelf}, {catalogue.SHIPPED}"
    assert [
        f"{shelf}/web.yaml:3: cpu.shares: 1 is outside 2 to 262144",
        f"{shelf}/base.yaml:3: cpu.shares: 300000 is outside 2 to 262144",
        f"{shelf}/web.yaml:2: inherits: gone: no such profile in {places}; for a file give its path",
        f"{shelf}/torn.yaml:2: not YAML: did not find expected node content",
    ] == list(caught.value.problems)


# Files


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    assert files.MAX_BYTES == len(files.read_text(Path("/dev/zero")))


def test_a_directory_is_no_profile(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r": cannot read: Is a directory$"):
        files.read_text(tmp_path)


# What is there, but is no profile


def test_what_cannot_be_looked_at_hides_nothing_silently(shelf: Path) -> None:
    (shelf / "latency.yaml").symlink_to("latency.yaml")
    (shelf / "database.yaml").symlink_to("gone.yaml")
    with pytest.raises(Invalid, match=r"latency\.yaml: cannot read: Too many levels of symbolic links$"):
        catalogue.load("latency")
    with pytest.raises(Invalid, match=r"database\.yaml: a link to gone\.yaml, which is not there; mend it or take"):
        catalogue.load("database")
    problems: list[str] = []
    catalogue.shelved(problems)
    assert ["database.yaml", "latency.yaml"] == [Path(problem.split(": ")[0]).name for problem in problems]


def test_a_file_where_a_directory_should_be_has_no_profiles(shelf: Path) -> None:
    shelf.rmdir()
    shelf.touch()
    assert "latency" == catalogue.load("latency")[-1].name


def test_a_pipe_is_read_only_where_the_command_line_names_it(shelf: Path) -> None:
    os.mkfifo(shelf / "pipe.yaml")
    put(shelf, "web.yaml", "./pipe.yaml")
    put(shelf, "db.yaml", "pipe")
    for name in ("pipe", "web", "db"):
        with pytest.raises(Invalid, match=r"pipe\.yaml: no regular file; only a path on the command line may be"):
            catalogue.load(name)
    put(shelf, "all.yaml", "'-'")
    with pytest.raises(Invalid, match=r"all\.yaml:2: inherits: standard input cannot be inherited; give a name"):
        catalogue.load("all")


# Slips


def test_a_name_that_is_nowhere_suggests_one_that_is_near(shelf: Path) -> None:
    put(shelf, "web.yaml", "databases")
    with pytest.raises(NotFound, match=r"^latancy: no such profile in .*; did you mean latency\?$"):
        catalogue.load("latancy")
    with pytest.raises(
        Invalid, match=r"web\.yaml:2: inherits: databases: no such profile in .*; did you mean database\?$"
    ):
        catalogue.load("web")


def test_what_is_wrong_with_several_profiles_is_said_at_once(shelf: Path) -> None:
    put(shelf, "torn.yaml", "-x")
    with pytest.raises(Invalid) as caught:
        catalogue.load_all(["nope", "latency", "torn", "databases"])
    assert ["nope", f"{shelf}/torn.yaml:2", "databases"] == [each.split(": ")[0] for each in caught.value.problems]
    with pytest.raises(NotFound):
        catalogue.load_all(["latency", "nope"])
    assert ["latency", "database"] == [each.name for each in catalogue.load_all(["latency", "database"])]


def test_a_profile_that_is_called_otherwise_than_its_file_is_noted(shelf: Path) -> None:
    put(shelf, "web.yaml")
    (shelf / "web.yaml").rename(shelf / "db.yaml")
    note = f"{shelf}/db.yaml: called web inside, but its name for -p, inherits and bindings is that of the file"
    assert [note, ""] == [catalogue.misnamed(catalogue.load(name)[-1]) for name in ("db", "latency")]


def test_what_is_written_is_utf8_whatever_the_locale(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    code = "import sys; from pathlib import Path; from domtune import files; "
    code += "files.write_atomically(Path(sys.argv[1]), 'gr\\xfcn')"
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run([sys.executable, "-c", code, str(path)], env=os.environ | plain, check=True)
    assert "gr\xfcn\n".encode() == path.read_bytes()


# All that can be named


def test_what_can_be_named_is_listed_with_what_it_hides(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = shelf.parent / "shipped"
    shipped.mkdir()
    monkeypatch.setattr(catalogue, "SHIPPED", shipped)
    for folder, name in ((shelf, "web.yml"), (shelf, "web.yaml"), (shipped, "web.yaml"), (shipped, "base.yml")):
        put(folder, name)
    for other in (".hidden.yaml", "README", "old.yaml.bak"):
        (shelf / other).write_text("")
    (shelf / "folder.yaml").mkdir()
    problems: list[str] = []
    assert [
        catalogue.Shelved("base", shipped / "base.yml"),
        catalogue.Shelved("web", shelf / "web.yaml"),
        catalogue.Shelved("web", shelf / "web.yml", shelf / "web.yaml"),
        catalogue.Shelved("web", shipped / "web.yaml", shelf / "web.yaml"),
    ] == catalogue.shelved(problems)
    assert [] == problems
    assert shelf / "web.yaml" == catalogue.find("web")


def test_places_that_are_not_there_have_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(tmp_path))
    monkeypatch.setattr(catalogue, "SHIPPED", tmp_path / "shipped")
    problems: list[str] = []
    assert ([], []) == (catalogue.shelved(problems), problems)
