"""LXC accepts almost everything and acts on little: one container asks for all that it ignores, another for nothing."""

import shutil

import libvirt
import pytest

from live import guests
from live.hypervisor import Hypervisor
from live.ignored import IGNORED
from live.readings import Pair
from live.refused import REFUSED


@pytest.mark.live("lxc")
@pytest.mark.parametrize("parameter", sorted(IGNORED))
def test_lxc_ignores(parameter: str, ignoring: Pair) -> None:
    reads = IGNORED[parameter].reads
    assert ignoring.plain(reads) == ignoring.asking(reads)


@pytest.mark.live("lxc")
@pytest.mark.parametrize("parameter", sorted(REFUSED))
def test_lxc_refuses(parameter: str, lxc: Hypervisor) -> None:
    wish = REFUSED[parameter]
    with pytest.raises(libvirt.libvirtError, match=wish.reason):
        lxc.define(lxc.document(lxc.name(), body=wish.body, devices=wish.devices))


@pytest.mark.live("lxc")
@pytest.mark.skipif(bool(shutil.which("numad")), reason="numad is installed, and would be asked")
@pytest.mark.parametrize(
    ("vcpu", "body"),
    [(guests.VCPU, "<numatune><memory placement='auto'/></numatune>"), ("<vcpu placement='auto'>2</vcpu>", "")],
)
def test_lxc_asks_numad_for_automatic_placement(lxc: Hypervisor, vcpu: str, body: str) -> None:
    with pytest.raises(libvirt.libvirtError, match="Failed to query numad"):
        lxc.create(lxc.document(lxc.name(), vcpu=vcpu, body=body))


@pytest.mark.live("lxc")
def test_lxc_looks_at_timers_only_when_the_clock_is_local(lxc: Hypervisor) -> None:
    timer = "<timer name='pit' present='yes'/>"
    lxc.create(lxc.document(lxc.name(), body=f"<clock offset='utc'>{timer}</clock>"))
    with pytest.raises(libvirt.libvirtError, match="unsupported timer type"):
        lxc.create(lxc.document(lxc.name(), body=f"<clock offset='localtime'>{timer}</clock>"))
