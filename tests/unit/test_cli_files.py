"""split, merge and check on files: what goes where, exit codes, nothing half done."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from domtune.cli.group import run
from domtune.domain import split
from support.same import same

DOMAIN = """<domain type='kvm'>
  <name>web</name>
  <memory unit='GiB'>4</memory>
  <vcpu>4</vcpu>
  <cputune>
    <shares>2048</shares>
    <quota>nonsense</quota>
  </cputune>
  <os>
    <type>hvm</type>
  </os>
</domain>
"""
DEFINITION = DOMAIN[: DOMAIN.index("  <cputune>")] + DOMAIN[DOMAIN.index("  <os>") :]
TUNING = """profile: web
summary: Tuning taken out of web.xml
set: {cpu.shares: 2048}
verbatim:
  - {after: /domain/cputune/shares, xml: <quota>nonsense</quota>}
"""


@pytest.fixture(autouse=True)
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a domain and a profile in a directory to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(tmp_path))
    Path("web.xml").write_text(DOMAIN)
    Path("pins.yaml").write_text('profile: pins\nset: {cpu.vcpu.pin: {0: "2"}, cpu.cap: 150}\n')
    Path("bad.yaml").write_text("profile: bad\nset: {cpu.shares: 1, cpu.share: 2}\n")
    return tmp_path


def plain(xml: str) -> str:
    return xml.replace("'", '"').rstrip()


def domtune(*words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command as a process of its own, for what it does with its streams."""
    command = [sys.executable, "-c", "from domtune.cli import main; main()", *words]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False)


# split


def test_split_prints_the_definition_and_says_what_it_leaves_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["split", "web.xml"])
    out, err = capsys.readouterr()
    assert plain(DEFINITION) == out.rstrip()
    assert "2 settings were taken out; --tuning OUT keeps them\n" == err


def test_split_writes_both_parts(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["split", "web.xml", "--definition", "d.xml", "--tuning", "t.yaml"])
    assert ("", "") == capsys.readouterr()
    assert plain(DEFINITION) == Path("d.xml").read_text().rstrip()
    assert TUNING == Path("t.yaml").read_text()


def test_what_split_writes_merges_to_the_domain(capsys: pytest.CaptureFixture[str]) -> None:
    run(["split", "web.xml", "--definition", "d.xml", "--tuning", "t.yaml"])
    assert 0 == run(["merge", "d.xml", "t.yaml"])
    assert [] == same(DOMAIN, capsys.readouterr().out)


def test_options_come_before_and_after(capsys: pytest.CaptureFixture[str]) -> None:
    assert [0, 0] == [run(["split", "--guest-visible", "web.xml"]), run(["split", "web.xml", "--guest-visible"])]
    assert 2 == capsys.readouterr().out.count("<domain")


def test_one_part_may_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["split", "web.xml", "--definition", "d.xml", "--tuning", "-"])
    assert TUNING == capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--tuning", "-"], "definition and tuning cannot both go to standard output; give --definition OUT"),
        (["--define", "--tuning", "t"], "--define stores the definition of a domain; give a domain, not a file"),
        (["--guest"], "Try 'domtune split --help' for help."),
    ],
)
def test_split_refuses_what_makes_no_sense(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run(["split", "web.xml", *words])
    out, err = capsys.readouterr()
    assert "" == out
    assert message in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--definition", "x", "--tuning", "./x"], "definition and tuning cannot go into one file"),
        (["--definition", "web.xml"], "web.xml: would be replaced and its tuning lost"),
        (["--tuning", "web.xml"], "web.xml: would be replaced and its tuning lost"),
        (["--definition", "d.xml", "--tuning", "web.xml"], "web.xml: would be replaced and its tuning lost"),
    ],
)
def test_split_writes_over_nothing_that_would_be_lost(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == run(["split", "web.xml", *words])
    assert message in capsys.readouterr().err
    assert DOMAIN == Path("web.xml").read_text()


def test_split_leaves_files_alone_that_say_something_else(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["split", "web.xml", "--definition", "d.xml", "--tuning", "t.yaml"]
    assert [0, 0] == [run(words), run(words)]
    for name in ("d.xml", "t.yaml"):
        good = Path(name).read_text()
        Path(name).write_text("mine\n")
        assert 1 == run(words)
        reason = "is there already, and says something else; name another file, or give --force"
        assert ("", f"{name}: {reason}\n") == capsys.readouterr()
        assert "mine\n" == Path(name).read_text()
        assert 0 == run([*words, "--force"])
        assert good == Path(name).read_text()


def test_split_may_replace_the_domain_when_it_keeps_the_tuning() -> None:
    assert 0 == run(["split", "web.xml", "--definition", "web.xml", "--tuning", "t.yaml"])
    assert plain(DEFINITION) == Path("web.xml").read_text().rstrip()
    assert TUNING == Path("t.yaml").read_text()


def test_streams_are_read_and_written() -> None:
    done = domtune("split", "-", "--tuning", "t.yaml", given=DOMAIN)
    assert (0, plain(DEFINITION)) == (done.returncode, done.stdout.rstrip())
    merged = domtune("merge", "-", "t.yaml", "-o", "-", given=done.stdout)
    assert (0, []) == (merged.returncode, same(DOMAIN, merged.stdout))


def test_a_profile_may_come_from_a_stream() -> None:
    done = domtune("merge", "web.xml", "-", given="profile: x\nset: {cpu.shares: 5}")
    assert (0, True) == (done.returncode, "<shares>5</shares>" in done.stdout)


def test_a_file_in_another_encoding_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    for encoding in ("iso-8859-1", "utf-16", "utf-8-sig"):
        text = f"<?xml version='1.0' encoding='{encoding.removesuffix('-sig')}'?>" + DOMAIN.replace("web", "Grüße")
        Path("web.xml").write_text(text, encoding=encoding)
        assert 0 == run(["split", "web.xml"])
        assert "<name>Grüße</name>" in capsys.readouterr().out


# merge


def test_merge_puts_a_profile_over_what_the_definition_has(capsys: pytest.CaptureFixture[str]) -> None:
    Path("over.yaml").write_text("profile: over\nset: {cpu.shares: 512}\n")
    assert 0 == run(["merge", "web.xml", "pins.yaml", "over.yaml"])
    out, err = capsys.readouterr()
    assert {"cpu.vcpu.pin[0]": "2", "cpu.shares": "512"} == {each.name: each.said for each in split(out).tuning}
    assert "not done: cpu.cap: qemu: no such parameter outside Xen; the nearest is cpu.total.quota\n" == err


def test_merge_leaves_out_what_a_driver_does_not_honour(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["merge", "web.xml", "pins.yaml", "--driver", "lxc"])
    out, err = capsys.readouterr()
    assert "vcpupin" not in out
    assert "not done: cpu.vcpu.pin[0]: lxc: ignored: a container has no vCPU threads; use cpu.affinity\n" in err


def test_merge_warns_of_values_that_nothing_would_take(capsys: pytest.CaptureFixture[str]) -> None:
    Path("low.yaml").write_text("profile: low\nset: {cpu.shares: 1}\n")
    assert 0 == run(["merge", "web.xml", "low.yaml"])
    out, err = capsys.readouterr()
    assert "<shares>1</shares>" in out
    assert "warning: low.yaml:2: cpu.shares: 1 is outside 2 to 262144\n" == err


@pytest.mark.parametrize(("type_", "driver"), [("kvm", []), ("xen", []), ("kvm", ["--driver", "lxc"]), ("uml", [])])
def test_merge_refuses_what_is_demanded_and_cannot_be_put_in(
    type_: str, driver: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("web.xml").write_text(DOMAIN.replace("kvm", type_))
    Path("cap.yaml").write_text("profile: cap\nset: {cpu.cap!: 150}\n")
    assert 1 == run(["merge", "web.xml", "cap.yaml", "-o", "out.xml", *driver])
    assert capsys.readouterr().err.startswith("web.xml: required, but cannot be done: cpu.cap: ")
    assert not Path("out.xml").exists()


def test_merge_says_of_what_stands_in_no_xml_what_becomes_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for type_ in ("kvm", "xen", "uml"):
        Path("web.xml").write_text(DOMAIN.replace("kvm", type_))
        assert 0 == run(["merge", "web.xml", "pins.yaml"])
        said.append(capsys.readouterr().err.removeprefix("not done: cpu.cap: "))
    assert [
        "qemu: no such parameter outside Xen; the nearest is cpu.total.quota\n",
        "stands in no domain XML; start applies it to the running domain\n",
        "stands in no domain XML; start applies it where the driver can\n",
    ] == said


def test_merge_finds_profiles_by_name(web: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (web / "profiles").mkdir()
    (web / "profiles" / "quiet.yaml").write_text("profile: quiet\nset: {cpu.shares: 3}\n")
    assert 0 == run(["merge", "web.xml", "quiet"])
    assert "<shares>3</shares>" in capsys.readouterr().out


def test_merge_needs_a_domain_to_store(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run(["merge", "web.xml", "pins.yaml", "--define"])
    assert "--define stores a domain; give a domain, not a file" in capsys.readouterr().err


# check


def test_check_lists_every_fault_of_every_profile(capsys: pytest.CaptureFixture[str]) -> None:
    Path("low.yaml").write_text("profile: low\nset: {cpu.shares: 1}\n")
    assert 1 == run(["check", "bad.yaml", "pins.yaml", "low.yaml", "none"])
    out, err = capsys.readouterr()
    assert "" == err
    assert [
        "bad.yaml:2: cpu.share: no such parameter; did you mean cpu.shares?",
        "bad.yaml:2: cpu.shares: 1 is outside 2 to 262144",
        "pins.yaml: good, 2 settings",
        "low.yaml:2: cpu.shares: 1 is outside 2 to 262144",
    ] == out.splitlines()[:4]
    assert out.splitlines()[4].startswith("none: no such profile in ")


def test_check_says_of_a_name_that_is_too_long_that_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == run(["check", "x" * 5000, "./" + "x" * 5000])
    out, err = capsys.readouterr()
    assert (2, "") == (len(out.splitlines()), err)


def test_check_finds_what_a_profile_says_against_what_it_inherits(capsys: pytest.CaptureFixture[str]) -> None:
    Path("base.yaml").write_text("profile: base\nset: {cpu.affinity: 0-3}\n")
    Path("auto.yaml").write_text("profile: auto\ninherits: [base]\nset: {cpu.placement: auto}\n")
    assert 1 == run(["check", "auto.yaml"])
    reason = "numad chooses the CPUs, and libvirt drops the list; auto.yaml:3 says cpu.placement auto"
    way_out = "take one of the two out, or say default for it"
    assert f"base.yaml:2: cpu.affinity 0-3: {reason}; {way_out}\n" == capsys.readouterr().out


def test_check_counts_what_holds_in_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    Path("top.yaml").write_text("profile: top\ninherits: [pins]\nset: {cpu.cap: 200, cpu.shares: 5}\n")
    assert 0 == run(["check", "top.yaml"])
    assert "top.yaml: good, 3 settings\n" == capsys.readouterr().out


def test_check_counts_wishes_and_conditions_too(capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty.yaml").write_text("profile: empty\n")
    Path("wishes.yaml").write_text(
        "profile: wishes\nwant: {cpu.limit: 2, memory.locked: yes}\nset: {cpu.shares: 200}\n"
        "when: [{driver: xen, want: {cpu.weight: 3}}]\n"
    )
    assert 0 == run(["check", "wishes.yaml", "empty.yaml"])
    said = "wishes.yaml: good, 2 wishes, 1 setting, 1 condition\nempty.yaml: good, and says nothing\n"
    assert said == capsys.readouterr().out


# JSON


def test_split_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["split", "web.xml", "--json", "--tuning", "-"])
    found = json.loads(capsys.readouterr().out)
    assert {"definition", "tuning", "bound"} == set(found)
    assert found["bound"] is None
    assert plain(DEFINITION) == found["definition"]
    assert {
        "parameter": "cpu.shares",
        "keys": [],
        "name": "cpu.shares",
        "value": "2048",
        "text": "2048",
        "unit": None,
        "origin": "web.xml:6",
        "wish": "",
        "demanded": False,
    } == found["tuning"]["settings"][0]
    assert {
        "place": "after",
        "path": "/domain/cputune/shares",
        "xml": "<quota>nonsense</quota>",
        "text": "",
        "attributes": {},
        "keys": [],
    } == found["tuning"]["verbatim"][0]


def test_merge_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["--json", "merge", "web.xml", "pins.yaml", "-o", "-"])
    found = json.loads(capsys.readouterr().out)
    assert {"domain", "not_done"} == set(found)
    assert [("cpu.cap", "150")] == [(each["name"], each["value"]) for each in found["not_done"]]
    assert found["not_done"][0]["reason"].startswith("qemu: no such parameter outside Xen")


def test_check_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == run(["check", "pins.yaml", "bad.yaml", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [("pins.yaml", 0), ("bad.yaml", 2)] == [(each["profile"], len(each["problems"])) for each in found]


def test_errors_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == run(["merge", "web.xml", "bad.yaml", "--json"])
    out, err = capsys.readouterr()
    problem = "bad.yaml:2: cpu.share: no such parameter; did you mean cpu.shares?"
    assert {"error": "Invalid", "problems": [problem]} == json.loads(out)
    assert f"{problem}\n" == err


@pytest.mark.parametrize("words", [["--json", "check", "pins.yaml"], ["check", "--json", "pins.yaml"]])
def test_json_is_asked_for_before_or_after_the_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(words)
    assert [{"profile": "pins.yaml", "problems": []}] == json.loads(capsys.readouterr().out)


# Files


def test_what_is_written_is_for_the_owner_only() -> None:
    mask = os.umask(0)
    try:
        run(["split", "web.xml", "--definition", "d.xml", "--tuning", "t.yaml"])
    finally:
        os.umask(mask)
    assert [0o600, 0o600] == [stat.S_IMODE(Path(name).stat().st_mode) for name in ("d.xml", "t.yaml")]


def test_a_file_that_is_there_keeps_its_mode() -> None:
    Path("d.xml").touch()
    Path("d.xml").chmod(0o640)
    run(["split", "web.xml", "--definition", "d.xml"])
    assert 0o640 == stat.S_IMODE(Path("d.xml").stat().st_mode)


@pytest.mark.parametrize(
    "words",
    [
        ["split", "bad.yaml", "--definition", "out", "--tuning", "out2"],
        ["merge", "web.xml", "bad.yaml", "-o", "out"],
        ["merge", "web.xml", "none.yaml", "-o", "out"],
        ["merge", "pins.yaml", "pins.yaml", "-o", "out"],
        ["split", "web.xml", "--definition", "nowhere/out"],
        ["split", "web.xml", "--definition", "."],
        ["split", "web.xml", "--definition", "x" * 5000],
        ["split", "web.xml", "--definition", "loop"],
        ["split", "loop", "--definition", "out"],
        ["merge", "web.xml", "x" * 5000, "-o", "out"],
        ["split", "x" * 5000 + "/y", "--definition", "out"],
    ],
)
def test_an_error_is_a_line_and_leaves_nothing_behind(
    words: list[str], web: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("loop").symlink_to("loop")
    before = {path: path.read_bytes() for path in web.glob("*.*")}
    assert 1 == run(words)
    out, err = capsys.readouterr()
    assert "" == out
    assert "" != err
    assert before == {path: path.read_bytes() for path in web.glob("*.*")}
    assert not {"out", "out2"} & {path.name for path in web.iterdir()}


def test_a_whole_file_takes_the_place_of_the_old_one() -> None:
    Path("d.xml").write_text("x" * 100_000)
    run(["split", "web.xml", "--definition", "d.xml", "--force"])
    assert plain(DEFINITION) == Path("d.xml").read_text().rstrip()
    assert [] == list(Path().glob(".d.xml*"))


def test_nobody_has_to_read_to_the_end() -> None:
    Path("web.xml").write_text(DOMAIN.replace("</name>", "</name><!--" + "x" * 1_000_000 + "-->"))
    command = [sys.executable, "-c", "from domtune.cli import main; main()", "split", "web.xml"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert "" == process.stderr.read().replace("2 settings were taken out; --tuning OUT keeps them\n", "")
    assert 1 == process.returncode
