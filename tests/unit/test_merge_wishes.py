"""merge with portable wishes: for which driver they are resolved, and what a file alone cannot tell."""

from pathlib import Path

import pytest

from domtune import catalogue, lifecycle
from domtune.cli.group import run
from domtune.domain import split
from support.tuning import names

WEB = """<domain type='{}'>
  <name>web</name>
  <memory unit='GiB'>4</memory>
  <vcpu>2</vcpu>
  <os><type>hvm</type></os>
</domain>
"""
LIMIT = "profile: limit\nwant: {cpu.limit: 150%}\n"
QUOTA = {"cpu.total.period": "100000", "cpu.total.quota": "150000"}
WHOLE = {"cpu.vcpu.period": "100000", "cpu.vcpu.quota": "150000"}


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a directory to work in, and no other configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", "test:///default")
    monkeypatch.setattr(catalogue, "SHIPPED", tmp_path / "shipped")
    return tmp_path


def merged(
    capsys: pytest.CaptureFixture[str], profile: str, *words: str, type_: str = "kvm"
) -> tuple[dict[str, str], list[str]]:
    """Return the tuning of the merged domain, and what is said beside it."""
    Path("web.xml").write_text(WEB.format(type_))
    Path("profile.yaml").write_text(profile)
    assert 0 == run(["merge", "web.xml", "profile.yaml", *words])
    out, err = capsys.readouterr()
    return names(split(out).tuning), err.splitlines()


@pytest.mark.parametrize(("type_", "found"), [("kvm", QUOTA), ("qemu", QUOTA), ("lxc", WHOLE), ("test", QUOTA)])
def test_the_type_of_the_domain_says_the_driver(
    type_: str, found: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert (found, []) == merged(capsys, LIMIT, type_=type_)


def test_what_stands_in_no_xml_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    found, said = merged(capsys, LIMIT, type_="xen")
    assert {} == found
    told = "stands in no domain XML; start applies it to the running domain"
    assert f"not done: cpu.cap, for cpu.limit 150%: {told}" in said


def test_an_option_says_another_driver(capsys: pytest.CaptureFixture[str]) -> None:
    assert (WHOLE, []) == merged(capsys, LIMIT, "--driver", "lxc")
    assert (QUOTA, []) == merged(capsys, LIMIT, "--driver", "ch", type_="uml")


def test_a_type_that_no_driver_has_alone_is_refused_only_where_it_matters(capsys: pytest.CaptureFixture[str]) -> None:
    assert {"cpu.shares": "5"} == merged(capsys, "profile: plain\nset: {cpu.shares: 5}\n", type_="uml")[0]
    for text in (LIMIT, "profile: when\nwhen: [{driver: qemu, set: {cpu.shares: 5}}]\n"):
        Path("profile.yaml").write_text(text)
        assert 1 == run(["merge", "web.xml", "profile.yaml"])
        assert ("", "web.xml: /domain/@type: no driver has domains of this type alone; say --driver\n") == (
            capsys.readouterr()
        )


def test_what_only_the_host_knows_is_not_done(capsys: pytest.CaptureFixture[str]) -> None:
    text = "profile: host\nwant: {cpu.weight: 2, cpu.nodes: 0, memory.nodes: 0, memory.pages: 2 MiB}\n"
    found, said = merged(capsys, text)
    assert {"memory.numa.mode", "memory.numa.nodeset", "memory.backing.hugepages.size[0]"} == set(found)
    assert [
        "not done: cpu.nodes: which CPUs a node has is not known here; name the CPUs in set: cpu.vcpu.pin",
        "not done: cpu.shares, for cpu.weight 2: " + lifecycle.COUNTED,
    ] == [line for line in said if line.startswith("not done")]


def test_conditions_hold_for_the_driver(capsys: pytest.CaptureFixture[str]) -> None:
    text = "profile: when\nwhen:\n  - {driver: lxc, set: {cpu.shares: 5}}\n  - {driver: xen, set: {cpu.shares: 6}}\n"
    assert ["5", "6", None] == [merged(capsys, text, type_=each)[0].get("cpu.shares") for each in ("lxc", "xen", "kvm")]


def test_a_condition_on_the_version_of_cgroups_is_told_where_nobody_knows_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found, said = merged(capsys, "profile: when\nwhen:\n  - {cgroup: 2, set: {cpu.shares: 200}}\n")
    assert {} == found
    unknown = "profile.yaml:3: when: the host's version of cgroups is not known, so this does not hold"
    assert [f"note: {unknown}"] == said


def test_a_wish_that_the_driver_cannot_meet_is_told_with_what_comes_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    found, said = merged(capsys, "profile: x\nwant: {cpu.vcpu_limit: 50%, memory.locked: yes}\n", type_="lxc")
    assert {} == found
    assert ["not done: cpu.vcpu_limit: lxc", "not done: memory.locked: lxc"] == [
        ":".join(line.split(":")[:3]) for line in said
    ]


def test_a_domain_of_a_connection_is_resolved_for_its_host(capsys: pytest.CaptureFixture[str]) -> None:
    Path("profile.yaml").write_text("profile: x\nwant: {cpu.weight: 2, cpu.nodes: 0, memory.nodes: with-cpus}\n")
    assert 0 == run(["merge", "test", "profile.yaml"])
    out, err = capsys.readouterr()
    found = names(split(out).tuning)
    assert ("2048", "0,2,4", "0") == (found["cpu.shares"], found["cpu.vcpu.pin[1]"], found["memory.numa.nodeset"])
    assert "not done" not in err


def test_check_finds_what_is_wrong_with_wishes(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.yaml").write_text(
        "profile: bad\nwant: {cpu.weight: 0, cpu.cpus: shared, memory.pages: 0}\nwhen:\n  - {cgroup: 3, set: {}}\n"
    )
    assert 1 == run(["check", "bad.yaml"])
    lines = [line.split(": ")[:2] for line in "".join(capsys.readouterr()).splitlines()]
    assert [["bad.yaml:2", "cpu.weight"], ["bad.yaml:2", "cpu.cpus"]] == lines[:2]
    assert {"bad.yaml:4"} == {line[0] for line in lines[2:] if line[1] == "when"}


def test_one_device_called_by_two_names_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    disk = "<devices><disk type='file'><target dev='vda'/></disk></devices></domain>"
    Path("web.xml").write_text(WEB.format("kvm").replace("</domain>", disk))
    lines = "disk[0].iotune.read_iops_sec: 5\n  disk[vda].iotune.read_iops_sec: 6"
    Path("twice.yaml").write_text(f"profile: twice\nset:\n  {lines}\n")
    assert 1 == run(["merge", "web.xml", "twice.yaml", "-o", "out.xml"])
    said = "disk[vda].iotune.read_iops_sec: said before at twice.yaml:3; keep one"
    assert ("", f"twice.yaml:4: {said}\n") == capsys.readouterr()
    assert not Path("out.xml").exists()
