from pathlib import Path

import pytest

from domtune import catalogue, files
from domtune.errors import Invalid, NotFound


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
    assert [
        f"{shelf}/web.yaml:3: cpu.shares: 1 is outside 2 to 262144",
        f"{shelf}/base.yaml:3: cpu.shares: 300000 is outside 2 to 262144",
        f"{shelf}/web.yaml: inherits: gone: no such profile in {shelf}, {catalogue.SHIPPED}; for a file give its path",
        f"{shelf}/torn.yaml:2: not YAML: did not find expected node content",
    ] == [problem.replace(f"{shelf}, {shelf}, ", f"{shelf}, ") for problem in caught.value.problems]


# Files


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    assert files.MAX_BYTES == len(files.read_text(Path("/dev/zero")))


def test_a_directory_is_no_profile(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r": cannot read: Is a directory$"):
        files.read_text(tmp_path)


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
