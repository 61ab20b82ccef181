"""domtune explain: every layer that speaks of a value, which of them wins and why, on domains and on files."""

from pathlib import Path

import pytest

from domtune.cli.group import run
from domtune.intents import INTENTS
from domtune.vocabulary.drivers import DRIVERS
from support.explain import ON, TOP, WEB, bind, explained, furnish, told


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return furnish(tmp_path, monkeypatch)


# Layers


def test_the_whole_stack_is_shown_narrowest_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert [
        "cpu.shares",
        (
            "  wins: 2 times the normal as cpu.weight 2 at top.yaml:4 (command line; top): "
            "the narrowest scope that says it"
        ),
        (
            "  loses: 4 times the normal as cpu.weight 4 at base.yaml:3 (command line; base, inherited by top): "
            "a later one of the same scope says it at top.yaml:4"
        ),
        "  loses: 300 (stored definition web.xml): a narrower scope, command line, says it at top.yaml:4",
    ] == [line.replace("web.xml:6", "web.xml") for line in explained(capsys, "cpu.weight", "web.xml", "-p", "top.yaml")]


def test_a_profile_is_called_with_those_that_inherit_it_whatever_their_files_are_called(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("a.yaml").write_text("profile: low\nset: {cpu.shares: 5}\n")
    Path("b.yaml").write_text("profile: mid\ninherits: [./a.yaml]\n")
    Path("low.yaml").write_text("profile: top\ninherits: [b.yaml]\n")
    layers = told(capsys, "cpu.shares", "web.xml", "-p", "low.yaml")["answers"][0]["layers"]
    assert ["low, inherited by mid, inherited by top", ""] == [each["profile"] for each in layers]


def test_a_family_that_is_replaced_says_by_what(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pin.yaml").write_text("profile: pin\nset: {cpu.vcpu.pin: {1: 3}}\n")
    assert [
        "cpu.vcpu.pin[0]",
        "  loses: 5 (stored definition web.xml): cpu.vcpu.pin[1] at pin.yaml:2 replaces all of cpu.vcpu.pin",
    ] == explained(capsys, "cpu.vcpu.pin[0]", "web.xml", "-p", "pin.yaml")


def test_what_is_said_of_all_loses_within_one_block(capsys: pytest.CaptureFixture[str]) -> None:
    pins = explained(capsys, "cpu.vcpu.pin[1]", "web.xml", "-p", "base.yaml")
    assert [
        "cpu.vcpu.pin[1]",
        "  wins: 2 at base.yaml:6 (command line; base): nothing else says it",
        (
            "  loses: 0 at base.yaml:6 (command line; base): "
            "in one block, what is said of one beats what is said of all: base.yaml:6"
        ),
    ] == pins
    (limit, *lost) = explained(capsys, "disk[vdb].read", "web.xml", "-p", "top.yaml")[1:]
    assert limit.startswith("  wins: 6291456 as disk[vdb].read 6 MiB/s at top.yaml:6 ")
    assert [line.partition(" (")[0] for line in lost] == ["  loses: 5 MiB/s as disk[*].read 5 MiB/s at top.yaml:5"]


def test_a_wish_with_a_selector_means_that_device(capsys: pytest.CaptureFixture[str]) -> None:
    for words, devices in (
        ("disk[vda].read", ["vda"]),
        ("disk[*].read", ["vda", "vdb"]),
        ("disk.read", ["vda", "vdb"]),
    ):
        names = [each["name"] for each in told(capsys, words, "web.xml", "-p", "top.yaml")["answers"]]
        assert [f"disk[{device}].iotune.read_bytes_sec" for device in devices] == sorted(names)


@pytest.mark.parametrize(("driver", "value"), [("qemu", "1 GiB"), ("xen", "2 GiB"), ("lxc", None)])
def test_conditions_hold_for_the_driver_that_is_asked_about(
    driver: str, value: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = told(capsys, "memory.limit.soft", "web.xml", "-p", "top.yaml", "--driver", driver)["answers"]
    assert [value] * (value is not None) == [each["value"] for answer in answers for each in answer["layers"]]


def test_two_bindings_of_one_scope_that_agree_say_so(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bind(files, site_one="set: {cpu.shares: 77}", site_two="set: {cpu.shares: 77}")
    name, *lines = explained(capsys, "cpu.shares", "test", *ON)
    assert name == "cpu.shares"
    assert {
        "wins": "the bindings of this scope agree on it",
        "loses": "another binding of this scope says the same",
    } == {line.split(":")[0].strip(): line.rpartition(": ")[2] for line in lines}


def test_two_bindings_of_one_scope_that_differ_have_no_winner(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bind(files, site_one="set: {cpu.shares: 77}", site_two="set: {cpu.shares: 78}", shipped="set: {cpu.shares: 79}")
    lines = explained(capsys, "cpu.shares", "test", *ON, code=1)[1:]
    assert ["  conflict", "  conflict", "  loses"] == [line.split(":")[0] for line in lines]
    said = [line.rpartition("): ")[2] for line in lines]
    where = [f"{files}/site_{number}.yaml:2" for number in ("one", "two")]
    assert [
        f"another binding of this scope says 77 at {where[0]}, so a start is refused",
        f"another binding of this scope says 78 at {where[1]}, so a start is refused",
    ] == said[:2]
    answer = told(capsys, "cpu.shares", "test", *ON, code=1)["answers"][0]
    assert ([False] * 3, "") == ([each["wins"] for each in answer["layers"]], answer["effect"])


def test_a_narrower_layer_settles_what_bindings_differ_about(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bind(files, site_one="set: {cpu.shares: 77}", site_two="set: {cpu.shares: 78}")
    Path("now.yaml").write_text("profile: now\nset: {cpu.shares: 80}\n")
    lines = explained(capsys, "cpu.shares", "test", *ON, "-p", "now.yaml")[1:]
    assert ["wins", "loses", "loses"] == [line.split(":")[0].strip() for line in lines]


def test_a_late_wish_of_a_wider_layer_says_what_is_in_its_place(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bind(files, site="want: {memory.nodes: 1}")
    Path("now.yaml").write_text("profile: now\nwant: {memory.nodes: 0}\n")
    for name in ("memory.nodes", "memory.numa.nodeset"):
        lines = explained(capsys, name, "test", *ON, "-p", "now.yaml")
        lost = f"  loses: memory.nodes 1 at {files}/site.yaml:2 (site; site; {files}/config/bindings.d/site.yaml:1): "
        assert f"{lost}a narrower scope, command line, says it at now.yaml:2" in lines
        assert not any(line.startswith("note: ") for line in lines)


def test_a_wish_that_no_layer_can_meet_is_shown_where_it_was_replaced(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("wide.yaml").write_text('profile: wide\nwant: {"disk[0].read": 5 MiB/s}\n')
    Path("off.yaml").write_text('profile: off\nwant: {"disk[*].read": none}\n')
    words = ("disk.read", "web.xml", "--driver", "lxc", "-p", "wide.yaml", "-p", "off.yaml")
    assert [
        "disk[0].read",
        (
            "  loses: disk[0].read 5 MiB/s at wide.yaml:2 (command line; wide): "
            "a later one of the same scope says disk[*].read at off.yaml:2"
        ),
        "note: disk[*].read none at off.yaml:2: no setting of its own comes of it on lxc",
    ] == explained(capsys, *words)


def test_bindings_are_shown_with_their_scope_and_where_they_are_said(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "config" / "bindings.d").mkdir(parents=True)
    path = files / "config" / "bindings.d" / "all.yaml"
    path.write_text(f"- {{scope: hypervisor, match: {{driver: test}}, profiles: [{files}/base.yaml]}}\n")
    Path("top.yaml").write_text(TOP.replace("vdb", "vda"))
    shown = told(capsys, "cpu.weight", "test", *ON, "-p", "top.yaml")["answers"][0]["layers"]
    assert [("command line", "the command line", True), ("command line", "the command line", False), (
        "hypervisor", f"{path}:1", False,
    )] == [(each["scope"], each["bound"], each["wins"]) for each in shown]  # fmt: skip
    bare = told(capsys, "cpu.weight", "test", *ON, "-p", "top.yaml", "--no-bindings")["answers"][0]["layers"]
    assert {"command line"} == {each["scope"] for each in bare}


def test_the_stored_definition_is_a_layer_above_the_hypervisor(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / "config" / "bindings.d").mkdir(parents=True)
    text = f"- {{scope: hypervisor, match: {{driver: test}}, profiles: [{files}/base.yaml]}}\n"
    (files / "config" / "bindings.d" / "all.yaml").write_text(text)
    lines = explained(capsys, "-c", f"test://{files}/node.xml", "cpu.shares", "web")
    assert [
        "cpu.shares",
        "  wins: 300 (stored definition web): the narrowest scope that says it",
        (
            f"  loses: 4096 as cpu.weight 4 at {files}/base.yaml:3 (hypervisor; base; "
            f"{files}/config/bindings.d/all.yaml:1): a narrower scope, stored definition, says it"
        ),
    ] == [line for line in lines if not line.startswith("note: ")]


# What cannot be done


def test_a_wish_that_is_not_met_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    lines = explained(capsys, "memory.pages", "web.xml", "-p", "top.yaml", "--driver", "lxc")
    assert [
        "memory.pages",
        (
            "  not done: 2 MiB at base.yaml:4: lxc: a container's processes choose their pages themselves; "
            "transparent huge pages come nearest"
        ),
    ] == lines
    parameter = told(capsys, "memory.numa.nodeset", "web.xml", "-p", "top.yaml", "--driver", "lxc")
    assert ([], []) == (parameter["answers"], parameter["not_done"])


def test_the_wish_behind_a_parameter_that_nobody_says_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("near.yaml").write_text("profile: near\nwant: {memory.nodes: with-cpus}\n")
    found = told(capsys, "memory.numa.nodeset", "test", *ON, "-p", "near.yaml")
    assert ["memory.nodes"] == [each["name"] for each in found["not_done"]]


def test_a_setting_that_the_driver_ignores_wins_and_is_not_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["explain", "blkio.weight", "web.xml", "-p", "top.yaml", "--driver", "xen"])
    wins, effect, _ = capsys.readouterr().out.splitlines()[1:]
    assert (wins.split(":")[0], effect.split(": ")[:3]) == ("  wins", ["  effect", "not done", "xen"])


def test_what_no_layer_says_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    silent = "cpu.affinity: no layer says anything of it; what holds is what the hypervisor does by itself"
    assert [silent] == explained(capsys, "cpu.affinity", "web.xml", "-p", "top.yaml")


@pytest.mark.parametrize(
    ("wish", "driver"),
    [("memory.movable: yes", "qemu"), ("memory.locked: yes", "xen"), ("cpu.limit: none", "bhyve")],
)
def test_a_wish_that_becomes_no_setting_is_shown_all_the_same(
    wish: str, driver: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("quiet.yaml").write_text(f"profile: quiet\nwant:\n  {wish}\n  memory.nodes: 0\n")
    said = wish.replace(":", "")
    assert [f"note: {said} at quiet.yaml:3: no setting of its own comes of it on {driver}"] == explained(
        capsys, wish.partition(":")[0], "web.xml", "-p", "quiet.yaml", "--driver", driver
    )


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["cpu.weightt", "web.xml"], "cpu.weightt: no such parameter or wish; did you mean cpu.weight?"),
        (["cpu.weightt"], "cpu.weightt: no such parameter or wish; did you mean cpu.weight?"),
        (["cpu.lim", "web.xml"], "cpu.lim: no such parameter or wish; did you mean cpu.limit or cpu.limit_mhz?"),
        (["zzzz", "test", *ON], "zzzz: no such parameter or wish"),
        (["cpu", "other.xml"], "other.xml: /domain/@type: no driver has domains of this type alone; say --driver"),
        (["cpu", "test", *ON, "--driver", "xen"], "--driver xen: test:///default is test; leave it out"),
        (["cpu", "nobody", *ON], "nobody: no such domain on test:///default"),
    ],
)
def test_what_cannot_be_explained_says_why(words: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("other.xml").write_text(WEB.format("uml"))
    assert 1 == run(["explain", *words])
    out, err = capsys.readouterr()
    assert ("", reason) == (out, err.strip()[: len(reason)])


def test_faults_are_told_beside_the_explanation(capsys: pytest.CaptureFixture[str]) -> None:
    Path("low.yaml").write_text("profile: low\nset: {cpu.shares: 1}\n")
    lines = explained(capsys, "cpu.shares", "web.xml", "-p", "low.yaml", code=1)
    assert lines[1].startswith("  wins: 1 at low.yaml:2 ")


def test_profiles_need_a_domain(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run(["explain", "cpu.weight", "-p", "top.yaml"])
    assert "give DOMAIN or FILE, too" in capsys.readouterr().err


def test_demands_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    Path("hard.yaml").write_text("profile: hard\nwant: {cpu.weight!: 2, memory.pages!: huge}\nset: {cpu.cap!: 50}\n")
    words = ("web.xml", "-p", "hard.yaml", "--driver")
    assert explained(capsys, "cpu.weight", *words, "xen")[1].startswith(
        "  wins: 512 as cpu.weight 2, demanded, at hard.yaml:2 (command line; hard): "
    )
    assert [True, False] == [
        each["demanded"] for each in told(capsys, "cpu.weight", *words, "xen")["answers"][0]["layers"]
    ]
    assert explained(capsys, "memory.pages", *words, "xen")[1].endswith("; demanded, so a start is refused")
    effect = told(capsys, "cpu.cap", *words, "qemu")["answers"][0]["effect"]
    assert effect.startswith("not done: ")
    assert effect.endswith("; demanded, so a start is refused")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            'set: {"disk[sda].iotune.read_iops_sec": 5}',
            "disk[sda].iotune.read_iops_sec: this definition has no <disk> called 'sda'; it has vda, vdb",
        ),
        ("set: {cpu.vcpu.pin: {7: 1}}", "cpu.vcpu.pin[7]: the domain has no vCPUs 7; it has 0-1"),
    ],
)
def test_what_a_start_would_refuse_is_told(text: str, problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.yaml").write_text(f"profile: bad\n{text}\n")
    assert 1 == run(["explain", "all", "web.xml", "-p", "bad.yaml"])
    out, err = capsys.readouterr()
    assert ("  wins: " in out, err) == (True, f"bad.yaml:2: {problem}\n")


def test_a_wish_for_devices_that_the_domain_has_not_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    text = 'want: {"net[*].send": 1 MiB/s}\nset: {"net[*].bandwidth.outbound.peak": 1 MiB/s}'
    Path("nics.yaml").write_text(f"profile: nics\n{text}\n")
    assert [
        "note: net[*].send 1 MiB/s at nics.yaml:2: the domain has no such device",
        "note: net[*].bandwidth.outbound.peak 1024 at nics.yaml:3: the domain has no such device",
    ] == explained(capsys, "net", "web.xml", "--driver", "xen", "-p", "nics.yaml")


# Without a domain


@pytest.mark.parametrize("name", INTENTS)
def test_every_wish_says_what_becomes_of_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, name)
    assert (name, set() if INTENTS[name].later else set(DRIVERS)) == (found["wish"], set(found["drivers"]))
    lines = explained(capsys, name, "--driver", "xen")
    assert lines[0] == name
    assert 1 == sum(line.startswith(("  xen: ", "  refused: ")) for line in lines)


def test_a_note_is_shown_with_the_wish_that_it_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    Path("top.yaml").write_text(TOP.replace("vdb", "vda"))
    note = "cpu.weight 2: stored as cgroup version 1 counts; nothing is enforced"
    assert [note] == told(capsys, "cpu.shares", "test", *ON, "-p", "top.yaml")["notes"]
    assert [] == told(capsys, "disk", "test", *ON, "-p", "top.yaml")["notes"]
