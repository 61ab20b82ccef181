"""A start from an XML file: a domain that is not stored, or another run of one that is."""

import re

import libvirt
import pytest

from live import cgroup, guests, kernel, product
from live.hypervisor import Hypervisor
from live.lab import Lab

INACTIVE = libvirt.VIR_DOMAIN_XML_INACTIVE
STORED = "<cputune><shares>512</shares></cputune>"


def file(host: Hypervisor, xml: str) -> str:
    path = host.files / f"{guests.unique('guest')}.xml"
    path.write_text(xml, encoding="utf-8")
    return str(path)


def shares(name: str) -> int:
    return cgroup.shares(cgroup.groups(kernel.qemu_pid(name)))


@pytest.mark.live("qemu")
@pytest.mark.parametrize("uuid", [True, False], ids=["uuid", "no-uuid"])
def test_a_file_is_started_and_not_stored(lab: Lab, qemu: Hypervisor, *, uuid: bool) -> None:
    name = qemu.name()
    xml = qemu.document(name, body=STORED)
    if not uuid:
        xml = xml.replace(f"<uuid>{guests.identity(name)}</uuid>", "")
    done = product.command(lab, "start", file(qemu, xml), "-p", product.written(qemu, "cpu.vcpu.quota: 30000"))
    domain = qemu.connection.lookupByName(name)
    qemu.made.append(domain.UUIDString())
    assert done.stdout.splitlines()[0] == f"{name}: started tuned"
    assert not domain.isPersistent()
    assert (domain.UUIDString() == guests.identity(name)) is uuid
    assert shares(name) == 512
    assert cgroup.bandwidth(cgroup.groups(kernel.qemu_pid(name)), "vcpu0").quota == 30000


@pytest.mark.live("lxc")
def test_a_container_can_be_transient_too(lab: Lab, lxc: Hypervisor) -> None:
    name = lxc.name()
    done = product.command(lab, "-c", "lxc:///system", "start", file(lxc, lxc.document(name, body=STORED)), "--minimal")
    found = cgroup.groups(kernel.container(name))
    assert done.stdout == f"{name}: started minimal\n"
    assert cgroup.shares(found) == (1024 if found.version == 1 else 100)
    assert not lxc.connection.lookupByName(name).isPersistent()


@pytest.mark.live("qemu")
def test_a_file_with_name_and_uuid_of_a_stored_domain_runs_in_its_place(lab: Lab, qemu: Hypervisor) -> None:
    name = qemu.name()
    domain = qemu.define(qemu.document(name, body=STORED))
    before = domain.XMLDesc(INACTIVE)
    xml = qemu.document(name, body="<cputune><shares>300</shares></cputune>")
    upper = xml.replace(guests.identity(name), guests.identity(name).upper().replace("-", ""))
    assert product.command(lab, "start", file(qemu, upper)).returncode == 0
    assert shares(name) == 300
    assert domain.isActive()
    assert domain.isPersistent()
    assert domain.XMLDesc(INACTIVE) == before


@pytest.mark.live("qemu")
@pytest.mark.parametrize("same", ["name", "uuid", "name without uuid"])
def test_a_file_that_clashes_with_a_stored_domain_is_refused(lab: Lab, qemu: Hypervisor, same: str) -> None:
    name, other = qemu.name(), qemu.name("other")
    domain = qemu.define(qemu.document(name, body=STORED))
    xml = qemu.document(other)
    if same == "uuid":
        xml = xml.replace(guests.identity(other), guests.identity(name))
    else:
        xml = xml.replace(f"<name>{other}<", f"<name>{name}<")
    if same == "name without uuid":
        xml = xml.replace(f"<uuid>{guests.identity(other)}</uuid>", "")
    path = file(qemu, xml)
    done = product.command(lab, "start", path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{path}: a domain {name} with the UUID {domain.UUIDString()} is stored; ")
    assert not domain.isActive()


@pytest.mark.live("qemu")
def test_one_that_runs_already_is_refused(lab: Lab, qemu: Hypervisor) -> None:
    name = qemu.name()
    path = file(qemu, qemu.document(name))
    assert product.command(lab, "start", path).returncode == 0
    pid = kernel.qemu_pid(name)
    done = product.command(lab, "start", path, "--minimal")
    assert done.returncode == 1
    assert done.stderr.startswith(f"{name}: is running already; shut it down first; ")
    assert kernel.qemu_pid(name) == pid


@pytest.mark.live("qemu")
def test_a_comment_beside_tuning_that_a_profile_takes_away_is_no_obstacle(qemu: Hypervisor) -> None:
    name = qemu.name()
    xml = qemu.document(name, body="<cputune><!-- heavy --><shares>512</shares><quota>40000</quota></cputune>")
    product.start_xml(qemu, xml, product.wish("cpu.shares: default"))
    found = cgroup.groups(kernel.qemu_pid(name))
    assert cgroup.shares(found) == (1024 if found.version == 1 else 100)
    assert cgroup.bandwidth(found, "vcpu0").quota == 40000


@pytest.mark.live("qemu")
@pytest.mark.parametrize(
    ("pattern", "new", "refusal"),
    [
        ("<name>.*</name>", "", "/domain/name: the domain has no name; add one"),
        ("<uuid>.*</uuid>", "<uuid>7</uuid>", "/domain/uuid: '7' is no UUID; leave it out, or make one with uuidgen"),
    ],
    ids=["name", "uuid"],
)
def test_a_file_whose_domain_cannot_be_known_is_refused(
    lab: Lab, qemu: Hypervisor, pattern: str, new: str, refusal: str
) -> None:
    path = file(qemu, re.sub(pattern, new, qemu.document(qemu.name())))
    done = product.command(lab, "start", path)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{path}: {refusal}\n")
