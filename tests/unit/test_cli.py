"""The command itself, and params: what it lists, how it fails."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from domtune.cli.group import COMMANDS, run
from domtune.vocabulary import PARAMS
from domtune.vocabulary.drivers import DRIVERS


def loaded(code: str, *names: str) -> list[str]:
    """Return which of these modules are loaded after some code ran in a new process."""
    end = f"\nimport sys; print(sorted(sys.modules.keys() & {set(names)}), file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", code + end], capture_output=True, text=True, check=True)
    found: list[str] = json.loads(run.stderr.splitlines()[-1].replace("'", '"'))
    return found


# The command


@pytest.mark.parametrize("words", [["--help"], ["-h"]])
def test_help_lists_every_command_in_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(words)
    lines = capsys.readouterr().out.splitlines()
    assert [f"{name} {help_}" for name, help_ in COMMANDS.items()] == [
        " ".join(line.split()) for line in lines[lines.index("Commands:") + 1 :]
    ]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run([name, "--help"])
    assert f"Usage: domtune {name} " in capsys.readouterr().out


def test_it_knows_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["--version"])
    assert f"domtune {version('domtune')}\n" == capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Usage: domtune [OPTIONS] COMMAND"),
        (["tune"], "No such command 'tune'"),
        (["--nope"], "--nope"),
        (["split"], "Missing argument 'FILE|DOMAIN'"),
        (["merge", "x.xml"], "nothing is bound to a file; give a PROFILE, or a domain"),
        (["check"], "Missing argument 'PROFILE...'"),
        (["start"], "say which domains to start, or --all"),
        (["start", "web", "--minimal", "-p", "x"], "a minimal start takes no profile; leave --minimal or -p out"),
        (["params", "--driver", "vmware"], "'vmware' is not one of 'qemu', 'lxc', 'xen', 'test'"),
    ],
)
def test_what_is_no_command_is_usage(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run(words)
    out, err = capsys.readouterr()
    assert message in out + err


def test_help_loads_nothing_heavy() -> None:
    heavy = ("lxml", "libvirt", "yaml", "rich", "sqlite3", "domtune.domain", "domtune.vocabulary")
    assert [] == loaded("from domtune.cli.group import run; run(['--help'])", *heavy)


def test_files_need_no_libvirt() -> None:
    code = "from domtune.cli.group import run; run(['split', '/dev/null']); run(['check', '/dev/null'])"
    assert ["lxml", "yaml"] == loaded(code, "libvirt", "sqlite3", "rich", "lxml", "yaml")


# params


def test_params_lists_every_parameter_with_every_driver(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["params"])
    header, *rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert ["parameter", *DRIVERS] == header
    assert list(PARAMS) == [row[0] for row in rows]
    assert {
        "live", "live only", "create", "stored", "ignored", "rejected", "no API",
    } == {word for row in rows for word in row[1:]}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        (["cpu.vcpu"], [name for name in PARAMS if name.startswith("cpu.vcpu.")]),
        (["cpu.vcpu."], [name for name in PARAMS if name.startswith("cpu.vcpu.")]),
        (["cpu.shares", "cpu.cap"], ["cpu.shares", "cpu.cap"]),
        (["memory.backing.hugepages"], [name for name in PARAMS if name.startswith("memory.backing.hugepages")]),
    ],
)
def test_params_takes_names_and_their_beginnings(
    words: list[str], rows: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == run(["params", *words])
    assert rows == [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()[1:]]


@pytest.mark.parametrize(
    ("word", "rows"),
    [
        ("stats", ["memory.balloon.stats_period"]),
        ("vcpu.pin", ["cpu.vcpu.pin"]),
        ("SWAP", ["memory.limit.swap_hard"]),
        ("iotune.group_name", ["disk.iotune.group_name"]),
        ("thread_pool", [name for name in PARAMS if "thread_pool" in name]),
        ("numad", ["cpu.placement", "memory.numa.placement"]),
        ("huge pages", [name for name in PARAMS if name.startswith("memory.backing.hugepages")]),
        ("disk crash", ["disk.driver.cache"]),
    ],
)
def test_params_looks_for_parts_of_names_and_words_of_what_they_do(
    word: str, rows: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == run(["params", word, "--json"])
    assert rows == [row["name"] for row in json.loads(capsys.readouterr().out)]


@pytest.mark.parametrize("word", ["cpu.share", "nothing-like-it", "", ".", "..."])
def test_params_finds_nothing_that_is_not_there(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == run(["params", word])
    assert f"{word}: no such parameter" in capsys.readouterr().err


def test_params_shows_all_that_is_known_of_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["params", "memory.limit.hard"])
    lines = capsys.readouterr().out.splitlines()
    assert "memory.limit.hard" == lines[0]
    assert [f"{name}:" for name in DRIVERS] == [line.split()[0] for line in lines[-len(DRIVERS) :]]
    assert "  XML:      /domain/memtune/hard_limit" in lines
    assert "  guards:   without it there is no limit on host memory" in lines


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["cpu.cap", "--driver", "xen"], "  xen:      cannot be given at creation; set on the running domain"),
        (["cpu.cap", "--driver", "esx"], "  esx:      no API: no such parameter outside Xen"),
        (["cpu", "--driver", "bhyve"], "cpu.shares: ignored: the element is kept in the XML and never read"),
        (["disk.driver", "--driver", "esx"], "disk.driver.cache: honoured at creation only, for writethrough only"),
    ],
)  # fmt: skip
def test_params_of_one_driver_says_why(words: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["params", *words])
    assert any(each.startswith(line) for each in capsys.readouterr().out.splitlines())


def test_params_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["params", "disk.driver.io", "--json"])
    (row,) = json.loads(capsys.readouterr().out)
    assert set(DRIVERS) == set(row.pop("drivers"))
    assert {
        "name": "disk.driver.io",
        "class": "tuning",
        "help": "How QEMU asks the host for the disk's I/O.",
        "kind": "enum",
        "value": "threads | native | io_uring",
        "example": "disk[*].driver.io: native",
        "xpath": ["/domain/devices/disk/driver/@io"],
        "host_bound": False,
        "protective": "",
    } == row


def test_params_names_the_neighbour_of_a_mistyped_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == run(["params", "cpu.share"])
    assert ("", "cpu.share: no such parameter; did you mean cpu.shares?\n") == capsys.readouterr()


def test_params_is_wide_enough_on_a_terminal_to_cut_nothing() -> None:
    code = "import sys; sys.stdout.isatty = lambda: True; from domtune.cli.group import run; run(['params', 'disk'])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "disk.iotune.write_bytes_sec_max_length" in out
    assert "…" not in out


# A hypervisor


@pytest.mark.parametrize(
    "words",
    [
        ["-c", "test:///default", "split", "test"],
        ["split", "-c", "test:///default", "test"],
        ["split", "test", "--connect", "test:///default"],
    ],
)
def test_the_hypervisor_is_said_before_or_after_the_command(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == run(words)
    assert "<name>test</name>" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["-c", "test:///default", "split", "nobody"], "NotFound"),
        (["-c", "test:///nowhere.xml", "split", "test"], "Unreachable"),
        (["-c", "nosuch:///system", "split", "test"], "Unreachable"),
        (["-c", "test:///default", "start", "test"], "Refused"),
    ],
)
def test_what_fails_there_is_a_line(
    words: list[str], error: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOMTUNE_STATE_DIR", str(tmp_path))
    assert 1 == run([*words, "--json"])
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert error == (found["failed"][0] if "failed" in found else found)["error"]
    assert 1 == len(err.splitlines())


def test_params_says_of_a_wish_that_it_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == run(["params", "cpu.weight"])
    assert "cpu.weight: is a wish, not a parameter; see domtune explain cpu.weight\n" == capsys.readouterr().err
    assert 0 == run(["params", "numatune"])
    assert "memory.numa.mode" in capsys.readouterr().out
