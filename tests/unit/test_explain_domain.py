"""domtune explain: what is asked about in any spelling, files and saved images, and what a start then does."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from domtune import catalogue, connection, explaining, lifecycle, pipeline, profile
from domtune.asking import Question
from domtune.cli.group import run
from domtune.connection import Domain
from domtune.intents.model import Site
from domtune.layers import Scope
from domtune.run import Wish
from domtune.starting import start
from domtune.tuning import Tuning
from domtune.vocabulary.drivers import DRIVERS
from support.explain import ALONE, ON, WEB, bind, explained, furnish, told
from support.tuning import bound, root


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return furnish(tmp_path, monkeypatch)


# Names


DISK_0 = "disk[vda].iotune.read_bytes_sec"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("disk[0]", [DISK_0]),
        ("disk[0].iotune", [DISK_0]),
        ("disk[0].read", [DISK_0]),
        ("disk[*]", [DISK_0, "disk[vdb].iotune.read_bytes_sec"]),
        ("disk[*].iotune.read_bytes_sec", [DISK_0, "disk[vdb].iotune.read_bytes_sec"]),
        ("cpu.vcpu.pin[all]", ["cpu.vcpu.pin[0]", "cpu.vcpu.pin[1]"]),
        ("cpu.vcpu.pin[0-1]", ["cpu.vcpu.pin[0]", "cpu.vcpu.pin[1]"]),
        ("cpu.vcpu.pin[1]", ["cpu.vcpu.pin[1]"]),
        ("blkio.device.weight[/dev/sda]", ["blkio.device.weight[/dev/sda]"]),
    ],
)
def test_every_spelling_of_a_name_is_understood(
    name: str, found: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("dev.yaml").write_text("profile: dev\nset: {blkio.device.weight: {/dev/sda: 200, /dev/sdb: 300}}\n")
    answers = told(capsys, name, "web.xml", "-p", "top.yaml", "-p", "dev.yaml")["answers"]
    assert found == sorted(each["name"] for each in answers)


def test_all_is_everything_that_a_start_would_set(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pin.yaml").write_text("profile: pin\nset: {cpu.vcpu.pin: {1: 3}}\n")
    answers = told(capsys, "all", "web.xml", "-p", "pin.yaml")["answers"]
    assert ["cpu.shares", "cpu.vcpu.pin[1]"] == [each["name"] for each in answers]
    assert 2 == run(["explain", "all"])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("disk[sda].read", "the domain has no disk sda; it has vda, vdb"),
        ("disk[7].iotune", "the domain has no disk 7; it has vda, vdb"),
        ("net[0]", "the domain has no net 0; it has none"),
        ("cpu.vcpu.pin[0-9]", "the domain has no vCPU 2-9; it has 0-1"),
        ("cpu.iothread.pin[1]", "the domain has no IOThread 1; it has none"),
        ("cpu.vcpu.pin[x]", "'x' names no vCPU; say ids such as 0-3, or all"),
        ("cpu.shares[0]", "cpu.shares takes no [0]"),
    ],
)
def test_what_the_domain_has_not_is_an_error_that_says_what_it_has(
    name: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == run(["explain", name, "web.xml"])
    assert ("", f"{name}: {reason}\n") == tuple(capsys.readouterr())


def test_a_wish_of_a_later_version_is_refused_for_a_domain_too(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = explained(capsys, "cpu.cpus", "web.xml")
    assert line.startswith("note: cpu.cpus: no profile can say it: choosing CPUs is not in this version; ")


def test_a_word_with_more_than_one_meaning_lists_wishes_and_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "disk")
    assert {"disk.read", "disk.write_iops"} < {each["wish"] for each in found["wishes"]}
    assert "disk.iotune.read_iops_sec" in {each["name"] for each in found["parameters"]}


# Files


def test_a_file_is_looked_at_on_the_connection_that_is_said(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("web.xml").write_text(WEB.format("kvm").replace("'5'", "'4'"))
    bind(files, site="want: {cpu.weight: 2}")
    alone = told(capsys, "cpu.weight", "web.xml")
    assert (["stored definition"], [ALONE]) == (
        [each["scope"] for each in alone["answers"][0]["layers"]],
        alone["notes"],
    )
    for words in (ON, ()):
        found = told(capsys, "cpu.weight", "web.xml", *words)
        assert ("test", ["stored definition", "site"]) == (
            found["driver"],
            [each["scope"] for each in found["answers"][0]["layers"]],
        )
        monkeypatch.setenv("LIBVIRT_DEFAULT_URI", ON[1])
    assert "xen" == told(capsys, "cpu.weight", "web.xml", "--driver", "xen")["driver"]


def test_a_ratio_whose_scale_is_not_known_takes_effect_when_start_knows_it(capsys: pytest.CaptureFixture[str]) -> None:
    effect = told(capsys, "cpu.weight", "web.xml", "-p", "base.yaml")["answers"][0]["effect"]
    assert effect.startswith("how the host counts it, by cgroup version 1 or 2, is not known; start finds out and sets")


# Saved images


def test_a_domain_with_a_saved_image_is_what_the_image_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    xml = WEB.format("test").replace("300", "400").replace("'5'", "'4'")
    monkeypatch.setattr(Domain, "has_managed_save", property(lambda _: True))
    notes = told(capsys, "cpu.shares", "test", *ON)["notes"]
    assert ["test: has a managed save image"] == [each.partition(",")[0] for each in notes]
    rewriting = replace(DRIVERS["test"], rewrites_saved_image=True)
    monkeypatch.setattr(connection, "by_type", lambda _: rewriting)
    (note,) = told(capsys, "cpu.shares", "test", *ON)["notes"]
    assert note.endswith("; a start restores that image, which may say other values")
    monkeypatch.setattr(Domain, "known_saved_xml", lambda _: xml)
    answer = told(capsys, "cpu.shares", "test", *ON)["answers"][0]
    assert ["400"] == [each["value"] for each in answer["layers"]]


# What a start does


@pytest.mark.parametrize("own", ["", "set: {cpu.vcpu.pin: {1: 0}}", "want: {cpu.weight: default}"])
@pytest.mark.parametrize("site", ["want: {cpu.weight: 2}", "set: {cpu.vcpu.pin: {all: 2}, memory.limit.soft: 1 GiB}"])
def test_what_is_explained_is_what_a_start_does(
    own: str, site: str, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bind(files, site=site, host="want: {memory.nodes: 0}\nset: {memory.limit.soft!: 2 GiB}", domain=own)
    Path("now.yaml").write_text("profile: now\nset: {memory.limit.soft: default, memory.limit.hard: 3 GiB}\n")
    found = told(capsys, "all", "test", *ON, "-p", "now.yaml")
    wins = {each["name"]: layer["value"] for each in found["answers"] for layer in each["layers"] if layer["wins"]}
    with connection.connect(ON[1]) as opened:
        opened.find(name="test").destroy()  # type: ignore[union-attr]
        started = start(opened, "test", Wish(tuple(catalogue.load("now.yaml"))))
    done = {each.name: each.said for each in (*started.at_creation, *started.afterwards)}
    assert done == {name: value for name, value in wins.items() if name in done or value != "default"}
    assert {each["name"] for each in found["not_done"]} == {each.setting.name for each in started.not_done}


# Speed


def test_many_vcpus_are_explained_in_a_moment() -> None:
    machine = root(vcpus=4000)
    wide = profile.read("profile: x\nset: {cpu.vcpu.pin: {all: 0}, cpu.vcpu.sched.policy: {all: fifo}}\n", "x.yaml")
    bounds = [bound(wide, scope=Scope.SITE), bound(wide, scope=Scope.DOMAIN)]
    began = time.process_time()
    found = pipeline.wanted(machine, Tuning(), bounds, Site("qemu"), [])
    decision = lifecycle.decide(found.tuning.settings, DRIVERS["qemu"], session=False, root=machine)
    answers = explaining.explain(Question("cpu.vcpu", machine), found, decision, "qemu").answers
    assert 4001 == len(answers)
    assert time.process_time() - began < 5
