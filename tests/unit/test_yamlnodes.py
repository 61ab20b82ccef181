"""YAML: all that is wrong is said at once, in words that say what to write."""

import pytest

from domtune import profile, yamlnodes
from domtune.errors import Invalid
from domtune.tuning import Tuning
from domtune.yamlnodes import Fault, Map, Scalar


def problems(text: str) -> list[str]:
    with pytest.raises(Invalid) as caught:
        profile.read(text, "x.yaml", judged=True)
    return list(caught.value.problems)


def test_what_is_wrong_in_one_place_does_not_hide_the_rest() -> None:
    text = """\
profile: x
summary:
want:
  cpu.weight!:
  cpu: {limit: 5, limit: 6}
set:
  cpu.vcpu.pin: {0: , 1: 3}
  cpu.cap: &a 2
  blkio.weight: *a
  cpu.sheres: 2
  cpu.placement: maybe
when:
  - driver:
    set: {memory.numa.mode: ~}
"""
    nothing = "no value; for the hypervisor's own say default, for no limit none"
    assert [
        "x.yaml:2: summary: no value; give one, or leave the line out",
        f"x.yaml:4: cpu.weight: {nothing}",
        "x.yaml:5: cpu.limit: said before in line 5; keep one",
        f"x.yaml:7: cpu.vcpu.pin[0]: {nothing}",
        "x.yaml:8: cpu.cap: anchor &a: anchors are not read; repeat the value",
        "x.yaml:9: blkio.weight: alias *a: aliases are not read; quote '*…' or repeat the value",
        "x.yaml:13: when: driver: no value; give one, or leave the line out",
        f"x.yaml:14: memory.numa.mode: {nothing}",
        "x.yaml:10: cpu.sheres: no such parameter; did you mean cpu.shares?",
        "x.yaml:11: cpu.placement: 'maybe' is none of static, auto",
    ] == problems(text)


def test_what_is_missing_is_not_told_where_it_may_have_been_left_out_as_a_fault() -> None:
    assert ["x.yaml:1: profile: no value; give one, or leave the line out"] == problems("profile: ~\n")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("want: {disk[*].write: 1}", '2: not YAML: quote the name: {"disk[*].write": …}'),
        (
            "set: {cpu.shares: 2, disk[vda].driver.io: native}",
            '2: not YAML: quote the name: {"disk[vda].driver.io": …}',
        ),
        (
            "set: {\n  net[52:54:00:00:00:01].sndbuf!: 2}",
            '3: not YAML: quote the name: {"net[52:54:00:00:00:01].sndbuf!": …}',
        ),
        ("set:\n\tcpu.shares: 2", "3: not YAML: indent with spaces, not with a tab"),
        ("set:\n  cpu.shares: 2\n \tblkio.weight: 3", "4: not YAML: indent with spaces, not with a tab"),
        (
            "want: {cpu.weight: 2,5}",
            '2: cpu.weight: 2,5 ends at the comma inside {}; quote a list: "2,5"; a number takes a point: 2.5',
        ),
        (
            "set: {cpu.vcpu.pin: {0: 1,3}}",
            '2: cpu.vcpu.pin[0]: 1,3 ends at the comma inside {}; quote a list: "1,3"; a number takes a point: 1.3',
        ),
    ],
)
def test_what_is_often_written_so_has_a_way_out(text: str, reason: str) -> None:
    assert [f"x.yaml:{reason}"] == problems(f"profile: x\n{text}\n")


def test_faults_come_with_what_could_be_read() -> None:
    faults: list[Fault] = []
    node = yamlnodes.read("a: ~\nb: 1\n", "x", faults)
    assert isinstance(node, Map)
    assert ([(Scalar("b", 2), Scalar("1", 2))], [Fault(1, ("a",), yamlnodes.NO_VALUE)]) == (list(node.items), faults)
    with pytest.raises(Invalid, match=r"^x:1: a: no value"):
        yamlnodes.read("a: ~\n", "x")


@pytest.mark.parametrize("name", ["", "a/b", "-", "-a", ".a", "two words", "a\\nb"])
def test_the_name_of_a_profile_is_one_word(name: str) -> None:
    (problem,) = problems(f'profile: "{name}"\n')
    assert problem.startswith("x.yaml:1: profile: ")
    assert "is no name; a name is one word of letters, digits, ., _ and -" in problem


@pytest.mark.parametrize("name", ["a", "web-1.b_2", "münchen", "3"])
def test_a_name_may_have_letters_digits_and_a_few_signs(name: str) -> None:
    assert name == profile.read(f"profile: {name}\n", "x.yaml").name


def test_a_profile_is_called_as_much_like_its_domain_as_a_name_can_be() -> None:
    called = {name: profile.named(name, Tuning()).name for name in ("two words", "../x", "a/b", "///")}
    assert {"two words": "two-words", "../x": "x", "a/b": "a-b", "///": "tuning"} == called


@pytest.mark.parametrize(("said", "way_out"), [("yes", "; say true"), ("off", "; say false"), ("x", "")])
def test_required_is_true_or_false(said: str, way_out: str) -> None:
    assert [f"x.yaml:2: required: {said!r} is neither true nor false{way_out}"] == problems(
        f"profile: x\nrequired: {said}\n"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("want: {'disk[vda].writ': 1}", "disk[vda].writ: no such wish; did you mean disk[vda].write?"),
        ("want: {disk.vda.write: 1}", "disk.vda.write: no such wish; did you mean disk[vda].write?"),
        ("want: {disk.writ: 1}", "disk.writ: no such wish; did you mean disk[*].write?"),
        (
            "set: {disk.vda.iotune.read_iops_sec: 1}",
            "disk.vda.iotune.read_iops_sec: no such parameter; did you mean disk[vda].iotune.read_iops_sec?",
        ),
        ("set: {numatune: 1}", "numatune: no such parameter; it is a part of some: see domtune params numatune"),
        ("set: {hugepages: 1}", "hugepages: no such parameter; it is a part of some: see domtune params hugepages"),
        (
            "when: [{driver: vmware, set: {cpu.shares: 2}}]",
            "when: driver: 'vmware' is none of qemu, lxc, xen, test, ch, bhyve, vz, esx; did you mean esx?",
        ),
        ("set: {cpu.vcpu.pin: {1-0: 2}}", "cpu.vcpu.pin: key '1-0' runs backwards"),
    ],
)
def test_a_slip_has_a_suggestion(text: str, reason: str) -> None:
    assert [f"x.yaml:2: {reason}"] == problems(f"profile: x\n{text}\n")


def test_no_limit_of_a_nic_is_said_by_saying_nothing() -> None:
    text = "profile: x\nset: {'net[*].bandwidth.inbound.average': none}\n"
    assert [True] == [each.is_default for each in profile.read(text, "x.yaml", judged=True).tuning]
