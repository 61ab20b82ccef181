"""Words completed by the shell: what click's protocol answers, and what bash, zsh and fish make of it."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.shell_completion import ZshComplete

from domtune.cli.group import COMMANDS, domtune, run
from domtune.cli.shells import NAME, SHELLS, VARIABLE
from domtune.vocabulary import PARAMS
from domtune.vocabulary.drivers import DRIVERS

BIN = Path(sys.executable).parent
ONE = "<domain type='test'><name>{}</name><memory>65536</memory><os><type>hvm</type></os></domain>"
NODE = "<node><cpu><nodes>1</nodes><sockets>1</sockets><cores>1</cores><threads>1</threads></cpu></node>"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a catalogue that has a broken profile, and a hypervisor whose domains have odd names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(tmp_path))
    monkeypatch.delenv("LIBVIRT_DEFAULT_URI", raising=False)
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "site-fast.yaml").write_text("profile: site-fast\n")
    (tmp_path / "profiles" / "broken.yml").write_text("]")
    (tmp_path / "site.yaml").write_text("profile: local\n")
    (tmp_path / "folder").mkdir()
    domains = "".join(map(ONE.format, ("web", "my vm", "a:b")))
    (tmp_path / "host.xml").write_text(f"{NODE[:-7]}{domains}</node>")
    return tmp_path


def asked(line: str, shell: str = "zsh", **environment: str) -> tuple[str, str]:
    """Return what is printed, to either stream, for a line whose last word is to be completed."""
    words = line.split(" ")
    number = str(len(words) - 1) if shell == "zsh" else words[-1]
    protocol = {"_DOMTUNE_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": number}
    done = subprocess.run(
        [BIN / "domtune"], env=os.environ | protocol | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, 1}
    return done.stdout, done.stderr


def completed(line: str) -> list[str]:
    """Return the words, asked for in this process; that the shell is to add files is `FILES`."""
    words = line.split(" ")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMP_WORDS", line)
        patch.setenv("COMP_CWORD", str(len(words) - 1))
        lines = ZshComplete(domtune, {}, NAME, VARIABLE).complete().splitlines()
    kinds = zip(lines[::3], lines[1::3], strict=False)
    return ["FILES" if kind == "file" else value.replace("\\:", ":") for kind, value in kinds]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("domtune s", ["split", "start", "schema"]),
        ("domtune split --def", ["--definition", "--define"]),
        ("domtune -c test:///default split ", ["test", "FILES"]),
        ("domtune split -c test:///default ", ["test", "FILES"]),
        ("domtune --connect test:///default start t", ["test", "FILES"]),
        ("domtune -c test:///default start x", ["FILES"]),
        ("domtune -c test:///default start test ", ["test", "FILES"]),
        ("domtune -c test:///default start folder/", ["FILES"]),
        ("domtune -c test:///default bind t", ["test"]),
        ("domtune -c test:///default bind test site", ["site-fast", "FILES"]),
        ("domtune -c test:///default unbind test bro", ["broken", "FILES"]),
        ("domtune -c test:///default bindings ", ["test"]),
        ("domtune -c test:///default merge t", ["test", "FILES"]),
        ("domtune merge web.xml si", ["site-fast", "FILES"]),
        ("domtune merge web.xml ./l", ["FILES"]),
        ("domtune merge web.xml --driver l", ["lxc"]),
        ("domtune merge --output ", ["FILES"]),
        ("domtune start web -p br", ["broken", "FILES"]),
        ("domtune start web --profile=br", ["broken", "FILES"]),
        ("domtune check site-", ["site-fast", "FILES"]),
        ("domtune profiles site", ["site-fast"]),
        ("domtune params cpu.sh", ["cpu.shares"]),
        (
            "domtune params disk.iotune.read_iops_sec",
            [name for name in PARAMS if name.startswith("disk.iotune.read_iops")],
        ),
        ("domtune params --driver ", list(DRIVERS)),
        ("domtune explain cpu.we", ["cpu.weight"]),
        ("domtune explain memory.lo", ["memory.locked"]),
        ("domtune -c test:///default explain cpu.weight t", ["test", "FILES"]),
        ("domtune schema pro", ["profile", "profiles"]),
        ("domtune completion ", list(SHELLS)),
        ("domtune -c ", ["qemu:///system", "qemu:///session", "lxc:///system", "xen:///system", "test:///default"]),
        ("domtune bind --connect lx", ["lxc:///system"]),
        ("domtune -c qemu:///embed?root=/nowhere split ", ["FILES"]),
        ("domtune -c nosuch:///system split ", ["FILES"]),
    ],
)
def test_words_are_completed(line: str, words: list[str]) -> None:
    assert words == completed(line)


def test_every_command_is_a_word() -> None:
    assert list(COMMANDS) == completed("domtune ")


def test_the_connection_is_found_as_virsh_finds_it(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", f"test://{here}/host.xml")
    assert ["a:b", "my vm", "web"] == completed("domtune bind ")


def test_the_uri_of_the_environment_is_one_of_the_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", "qemu+ssh://far/system")
    assert ["qemu:///system", "qemu:///session", "qemu+ssh://far/system"] == completed("domtune -c q")


def test_unbind_offers_what_is_bound(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "profiles" / "b.yaml").write_text("profile: b\n")
    assert 0 == run(["-c", "test:///default", "bind", "test", "site-fast", "b"])
    assert ["site-fast", "b"] == completed("domtune -c test:///default unbind test ")
    assert ["b"] == completed("domtune -c test:///default unbind test site-fast ")
    assert ["FILES"] == completed("domtune -c test:///default unbind --metadata test x")


@pytest.mark.parametrize("odd", ["a file", "no rights", "nothing"])
def test_a_catalogue_that_cannot_be_read_completes_nothing(
    odd: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = here / "odd"
    if odd == "a file":
        place.mkdir()
        (place / "profiles").write_text("")
    elif odd == "no rights":
        (place / "profiles").mkdir(parents=True)
        (place / "profiles").chmod(0)
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(place))
    found = completed("domtune check ")
    assert "FILES" == found[-1]
    assert "site-fast" not in found


@pytest.mark.parametrize("environment", [{"COMP_WORDS": "domtune 'st"}, {"COMP_CWORD": "x"}, {"COMP_WORDS": "\\"}])
@pytest.mark.parametrize("shell", SHELLS)
def test_nothing_makes_it_complain(shell: str, environment: dict[str, str]) -> None:
    assert not asked("domtune st", shell, **environment)[1]


@pytest.mark.parametrize(
    ("line", "shell", "out"),
    [
        ("domtune sp", "zsh", "plain\nsplit\nPart a domain into its definition and its tuning.\n"),
        ("domtune -c test:///nowhere.xml bind ", "zsh", "\n"),
        ("domtune -c nosuch:///system split ", "bash", "file,\n"),
        ("domtune check 'si", "bash", "plain,site-fast\nfile,si\n"),
        ("domtune st", "tcsh", ""),
    ],
)
def test_the_command_answers_a_shell(line: str, shell: str, out: str) -> None:
    assert (out, "") == asked(line, shell)


@pytest.fixture
def mute(here: Path) -> Iterator[Path]:
    """Give the socket of a daemon that takes calls and never answers."""
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind("mute")
        daemon.listen()
        yield here / "mute"


def test_a_hypervisor_that_does_not_answer_is_not_waited_for(mute: Path) -> None:
    began = time.monotonic()
    assert ["FILES"] == completed(f"domtune -c qemu+unix:///system?socket={mute} split ")
    assert time.monotonic() - began < 4


# Shells


def shell(name: str, code: str) -> list[str]:
    """Return the lines that a shell prints, having read the script of ours."""
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed")
    Path("script").write_text(subprocess.check_output([BIN / "domtune", "completion", name], text=True))
    plain = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"], "fish": ["--no-config"]}[name]
    environment = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(Path.cwd()), "LC_ALL": "C.UTF-8"}
    environment |= {"DOMTUNE_CONFIG_DIR": str(Path.cwd())}
    done = subprocess.run(
        [program, *plain, "-c", code], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert not done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("line", "words", "found"),
    [
        ("domtune sp", "domtune sp", ["split"]),
        ("domtune -c test:///default bind t", "domtune -c test : ///default bind t", ["test"]),
        ("domtune merge --driver=l", "domtune merge --driver = l", ["lxc"]),
        ("domtune start web --profile=si", "domtune start web --profile = si", ["site-fast", "site.yaml"]),
        ("domtune -c test://HERE/host.xml bind m", "domtune -c test : //HERE/host.xml bind m", ["my\\ vm"]),
        ("domtune -c test://HERE/host.xml bind a:", "domtune -c test : //HERE/host.xml bind a : ", ["b"]),
        ("domtune -c test://HERE/host.xml bind a:b", "domtune -c test : //HERE/host.xml bind a : b", ["b"]),
        ("domtune check sit", "domtune check sit", ["site-fast", "site.yaml"]),
        ("domtune check ./si", "domtune check ./si", ["./site.yaml"]),
        ("domtune check site.y'", "domtune check site.y'", []),
    ],
)
def test_bash_completes(line: str, words: str, found: list[str], here: Path) -> None:
    code = f"""
        source ./script
        complete -p domtune > /dev/null
        compopt() {{ :; }}  # outside of a completion it complains
        COMP_LINE={shell_quoted(line.replace("HERE", str(here)))}
        COMP_POINT=${{#COMP_LINE}}
        COMP_WORDS=({" ".join(shell_quoted(word) for word in words.replace("HERE", str(here)).split(" "))})
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _domtune_completion domtune
        for word in "${{COMPREPLY[@]}}"; do echo "$word"; done
    """
    assert found == shell("bash", code)


def shell_quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("domtune sp", ["split"]),
        ("domtune -c test:///default bind t", ["test"]),
        ("domtune -c test:///default start t", ["test", "FILES"]),
        ("domtune params cpu.shar", ["cpu.shares"]),
    ],
)
def test_zsh_completes(words: str, found: list[str]) -> None:
    code = f"""
        compdef() {{ :; }}
        compadd() {{ print -l -- $completions; }}
        _describe() {{ print -l -- ${{completions_with_descriptions%%:*}}; }}
        _path_files() {{ print FILES; }}
        source ./script
        words=({words}); CURRENT=$#words
        _domtune_completion
    """
    assert sorted(found) == sorted(shell("zsh", code))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("domtune sp", ["split"]),
        ("domtune -c test:///default bind t", ["test"]),
        ("domtune check sit", ["site-fast", "site.yaml"]),
        ("domtune params cpu.shar", ["cpu.shares"]),
    ],
)
def test_fish_completes(line: str, found: list[str]) -> None:
    lines = shell("fish", f"source ./script; complete -C '{line}'")
    assert sorted(found) == sorted(each.partition("\t")[0] for each in lines)


def test_fish_shows_all_that_is_said_of_a_word() -> None:
    (line,) = shell("fish", "source ./script; complete -C 'domtune params cpu.total.quota'")
    assert f"cpu.total.quota\t{PARAMS['cpu.total.quota'].help}" == line


def test_no_other_shell_has_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run(["completion", "tcsh"])
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in capsys.readouterr().err
