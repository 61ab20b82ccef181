"""Profiles in a domain's metadata, on hypervisors that run domains: stored and running, over a restart and a move."""

import re
from pathlib import Path

import libvirt
import pytest

import domtune
from domtune.binding_store import held
from domtune.store import Store
from live import product
from live.hypervisor import Hypervisor
from live.lab import Lab

INACTIVE = libvirt.VIR_DOMAIN_XML_INACTIVE
FOREIGN = (
    "<metadata><site:tier xmlns:site='urn:site' class='a &amp; b'><!-- by hand --><site:x/></site:tier></metadata>"
)
CARRIED = """\
    <domtune:bindings xmlns:domtune="urn:domtune:bindings:1">
      <domtune:profile>one</domtune:profile>
      <domtune:profile>two</domtune:profile>
    </domtune:bindings>
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a directory of configuration with two profiles in it."""
    monkeypatch.setenv("DOMTUNE_CONFIG_DIR", str(tmp_path))
    (tmp_path / "profiles").mkdir()
    for name in ("one", "two"):
        (tmp_path / "profiles" / f"{name}.yaml").write_text(f"profile: {name}\n")
    return tmp_path


def bind(host: Hypervisor, name: str, *profiles: str) -> tuple[str, ...]:
    with domtune.connect(host.uri) as connection, Store(product.state(host)) as store:
        return domtune.bind(connection, name, profiles, metadata=True, store=store).profiles


def unbind(host: Hypervisor, name: str, *profiles: str) -> tuple[str, ...]:
    with domtune.connect(host.uri) as connection, Store(product.state(host)) as store:
        return domtune.unbind(connection, name, profiles, metadata=True, store=store).profiles


def holding(host: Hypervisor, name: str) -> list[str]:
    """The profiles that hold for a domain."""
    with domtune.connect(host.uri) as connection:
        return [each.name for found in held(connection, connection.domain(name)) for each in found.profiles]


def foreign(xml: str) -> str:
    """What others have in the metadata."""
    return xml[xml.index("<site:tier") : xml.index("</site:tier>")]


def both(domain: libvirt.virDomain) -> tuple[str, str]:
    return domain.XMLDesc(INACTIVE), domain.XMLDesc(0)


def check_bound_while_it_runs(host: Hypervisor) -> None:
    """Bind a stored domain that domtune started, and take it off; stamp and foreign metadata stay as they were."""
    name = host.name()
    domain = host.define(host.document(name, body=FOREIGN))
    stored = domain.XMLDesc(INACTIVE)
    product.start(host, name)
    running = domain.XMLDesc(0)
    assert bind(host, name, "one", "two") == ("one", "two")
    for before, after in zip((stored, running), both(domain), strict=True):
        assert CARRIED in after
        assert foreign(before) == foreign(after)
    assert "urn:domtune:run:1" in domain.XMLDesc(0)
    assert holding(host, name) == ["one", "two"]
    assert unbind(host, name, "one") == ("two",)
    assert [re.findall(r"<domtune:profile>(.*)<", xml) for xml in both(domain)] == [["two"], ["two"]]
    unbind(host, name)
    assert both(domain) == (stored, running)


@pytest.mark.live("qemu")
def test_a_machine_carries_its_profiles_stored_and_running(qemu: Hypervisor, config: Path) -> None:
    check_bound_while_it_runs(qemu)


@pytest.mark.live("lxc")
def test_a_container_carries_its_profiles_stored_and_running(lxc: Hypervisor, config: Path) -> None:
    check_bound_while_it_runs(lxc)


def check_moved(host: Hypervisor) -> None:
    """What is bound to a domain that is off goes where its XML goes."""
    name = host.name()
    domain = host.define(host.document(name, body=FOREIGN))
    bind(host, name, "one", "two")
    xml = domain.XMLDesc(INACTIVE)
    domain.undefine()
    moved = host.define(xml)
    assert moved.XMLDesc(INACTIVE) == xml
    assert CARRIED in xml
    assert holding(host, name) == ["one", "two"]


@pytest.mark.live("qemu")
def test_a_machine_that_moves_takes_its_profiles_along(qemu: Hypervisor, config: Path) -> None:
    check_moved(qemu)


@pytest.mark.live("lxc")
def test_a_container_that_moves_takes_its_profiles_along(lxc: Hypervisor, config: Path) -> None:
    check_moved(lxc)


@pytest.mark.live("qemu")
def test_what_a_transient_machine_carries_lasts_as_long_as_it(qemu: Hypervisor, config: Path) -> None:
    name = qemu.name()
    domain = qemu.create(qemu.document(name))
    bind(qemu, name, "one", "two")
    assert CARRIED in domain.XMLDesc(0)
    assert holding(qemu, name) == ["one", "two"]


def check_restart(lab: Lab, host: Hypervisor) -> None:
    name = host.name()
    host.define(host.document(name)).create()
    bind(host, name, "one", "two")
    lab.kill_daemon()
    lab.start_daemon()
    host.reconnect()
    assert all(CARRIED in xml for xml in both(host.connection.lookupByName(name)))
    assert holding(host, name) == ["one", "two"]


@pytest.mark.live("qemu")
def test_a_machine_carries_its_profiles_over_a_restart_of_the_daemon(lab: Lab, qemu: Hypervisor, config: Path) -> None:
    check_restart(lab, qemu)


@pytest.mark.live("lxc")
def test_a_container_carries_its_profiles_over_a_restart_of_the_daemon(lab: Lab, lxc: Hypervisor, config: Path) -> None:
    check_restart(lab, lxc)


@pytest.mark.live("qemu")
def test_a_host_is_matched_by_the_uuid_of_its_capabilities(qemu: Hypervisor, config: Path) -> None:
    name = qemu.name()
    qemu.define(qemu.document(name))
    found = re.search(r"<uuid>(.*)</uuid>", qemu.connection.getCapabilities())
    assert found
    (config / "bindings.d").mkdir()
    entry = f"- {{match: {{host: {found[1].upper()}, name: {name}}}, profiles: [one]}}\n"
    (config / "bindings.d" / "host.yaml").write_text(entry)
    assert holding(qemu, name) == ["one"]


@pytest.mark.live("qemu")
def test_who_may_only_read_may_ask_what_holds(lab: Lab, qemu: Hypervisor, config: Path) -> None:
    name = qemu.name()
    qemu.define(qemu.document(name))
    bind(qemu, name, "one", "two")
    with domtune.connect(qemu.uri, readonly=True) as connection:
        (found,) = held(connection, connection.domain(name))
    assert (found.binding.origin, [each.name for each in found.profiles]) == (f"metadata of {name}", ["one", "two"])


@pytest.mark.live("qemu")
def test_an_ordinary_user_binds_for_himself(lab: Lab, session: Hypervisor) -> None:
    name = session.name()
    identity = session.define(session.document(name)).UUIDString()
    profile = product.written(session, "cpu.shares: 300")
    done = product.command_as_user(lab, "-c", "qemu:///session", "bind", name, profile)
    path = lab.place / "user" / "config" / "domtune" / "bindings.d" / f"{identity}.yaml"
    assert (done.stderr, done.stdout) == ("", f"{name}: bound to {profile}, in {path}\n")
    listed = product.command_as_user(lab, "-c", "qemu:///session", "bindings", name)
    expected = [name, "domain", str(profile), f"{path}:2", f"UUID is {identity}", "enforce"]
    assert listed.stdout.splitlines()[1].split("\t") == expected
    product.command_as_user(lab, "-c", "qemu:///session", "unbind", name)
    assert not path.exists()
