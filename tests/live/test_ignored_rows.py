"""What a driver takes and does nothing with is never said to be done: a profile that asks for every such parameter
starts, each is named with its reason, and the kernel shows nothing of it.
"""

from collections.abc import Iterator

import pytest

from domtune.domain import split
from domtune.profile import named
from domtune.run import Started, Wish
from domtune.vocabulary import PARAMS
from domtune.vocabulary.model import Cannot, Reason
from live import guests, ignored, kernel, product
from live.conftest import opened
from live.hypervisor import Hypervisor
from live.ignored import IGNORED
from live.lab import Lab
from live.readings import Pair


def rows(driver: str) -> dict[str, Cannot]:
    """What the vocabulary says that the driver ignores."""
    places = ((row.name, row.drivers[driver]) for row in PARAMS.values())
    return {name: place for name, place in places if isinstance(place, Cannot) and place.how is Reason.IGNORED}


# What split leaves beside a device that shares memory, so it is said apart.
SHARING = "memory.backing: {access: shared, source: memfd}\nmemory.cell.access: {0: shared}"
# The same family as pages of a size: the one takes the place of the other.
ANY_PAGES = "memory.backing.hugepages"


@pytest.fixture(scope="module")
def container(lab: Lab, lxc_uri: str) -> Iterator[tuple[Started, Pair]]:
    """A container started with a profile that asks for all of it, and one without."""
    guests.image(lab.place / "ignored.raw")
    for host in opened(lxc_uri, "lxc", lab.place):
        plain, asking = host.name("plain"), host.name("asking")
        host.create(ignored.document(plain, [], lab.place))
        everything = ignored.document(asking, IGNORED.values(), lab.place)
        parts = split(everything, guest_visible=True, measurement=True, memlock=True)
        wish = Wish((named("all", parts.tuning), *product.wish(SHARING).profiles))
        started = product.start_xml(host, parts.definition, wish)
        yield started, Pair(plain, asking)


@pytest.mark.live("lxc")
@pytest.mark.parametrize("name", sorted(set(rows("lxc")) - {ANY_PAGES}))
def test_lxc_does_not_do(name: str, container: tuple[Started, Pair]) -> None:
    started, pair = container
    reasons = {each.reason for each in started.not_done if each.setting.param.name == name}
    reads = IGNORED[name].reads
    assert reasons == {f"lxc: ignored: {rows('lxc')[name].why}"}
    assert pair.plain(reads) == pair.asking(reads)


@pytest.mark.live("lxc")
def test_lxc_does_not_use_huge_pages_of_any_size(lxc: Hypervisor) -> None:
    plain, asking = lxc.name("plain"), lxc.name("asking")
    lxc.create(lxc.document(plain))
    started = product.start_xml(lxc, lxc.document(asking), product.wish(f"{ANY_PAGES}: []"))
    assert [each.setting.name for each in started.not_done] == [ANY_PAGES]
    assert IGNORED[ANY_PAGES].reads(plain) == IGNORED[ANY_PAGES].reads(asking)


@pytest.mark.live("lxc")
def test_nothing_else_is_said_to_be_done(container: tuple[Started, Pair]) -> None:
    """Every wish is accounted for, and what is done is nothing that any container ignores."""
    started, _ = container
    done = {setting.param.name for setting in (*started.at_creation, *started.afterwards)}
    assert done.isdisjoint(IGNORED)


ON_QEMU = {
    "xen.maxGrantFrames": "xen.maxGrantFrames: 64",
    "xen.maxEventChannels": "xen.maxEventChannels: 1023",
    "features.hap": "features.hap: on",
    "features.viridian": "features.viridian: true",
    "clock.timer.catchup": "clock.timer.catchup: {rtc: {threshold: 123, slew: 120, limit: 10000}}",
    "clock.timer.tsc_mode": "clock.timer.tsc_mode: native",
}


@pytest.mark.live("qemu")
@pytest.mark.parametrize("name", sorted(rows("qemu")))
def test_qemu_does_not_do(name: str, qemu: Hypervisor) -> None:
    guest = qemu.name()
    clock = "<clock offset='utc'><timer name='rtc'/><timer name='tsc'/></clock>"
    domain = qemu.define(qemu.document(guest, body=clock))
    product.start(qemu, guest)
    plain = command_line(guest)
    domain.destroy()
    started = product.start(qemu, guest, product.wish(ON_QEMU[name]))
    assert {each.setting.param.name for each in started.not_done} == {name}
    assert {each.reason for each in started.not_done} == {f"qemu: ignored: {rows('qemu')[name].why}"}
    assert command_line(guest) == plain


def command_line(name: str) -> list[str]:
    """Without what is new at every start: file descriptors and the directory, which is numbered."""
    words = kernel.command_line(kernel.qemu_pid(name))
    return [
        word for word in words if not word.startswith(("socket,id=charmonitor", "node-name")) and "domain-" not in word
    ]


@pytest.mark.live("lxc")
def test_every_ignored_parameter_has_its_xml_here() -> None:
    assert set(rows("lxc")) - set(IGNORED) == set()
    assert set(rows("qemu")) == set(ON_QEMU)
