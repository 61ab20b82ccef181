"""Values that do not go together: what QEMU, the container or the kernel refuses at the start, and what it takes."""

import re

import libvirt
import pytest

from domtune import tree
from domtune.put import put
from domtune.tuning import Tuning
from live import cgroup, guests
from live.hypervisor import Hypervisor
from support.trials import TRIALS, Trial
from support.tuning import said

RULES_OF_V1 = ("above total", "memory above memory and swap", "swap limit alone")


def names(driver: str) -> list[str]:
    return sorted(name for name, trial in TRIALS.items() if driver in trial.on)


def document(host: Hypervisor, trial: Trial, text: str, disks: str) -> str:
    plain = host.document(host.name(), body=trial.body, devices=disks + trial.devices)
    root = tree.parse(plain)
    put(root, Tuning(tuple(said(text))))
    return tree.serialise(root)


def disks(host: Hypervisor) -> str:
    return guests.disk(host.image(), target="vda") + guests.disk(host.image(), target="vdb")


def skip_unless_v1(name: str) -> None:
    if any(rule in name for rule in RULES_OF_V1) and not has_v1():
        pytest.skip("cgroup v1 has this rule, and the host counts by v2")


def has_v1() -> bool:
    return any("cpu" in re.split(r"[,/]", str(each)) for each in cgroup.mounts())


def refusal(host: Hypervisor, xml: str) -> str:
    try:
        host.create(xml, libvirt.VIR_DOMAIN_START_PAUSED if host.virt != "lxc" else 0).destroy()
    except libvirt.libvirtError as error:
        return str(error)
    return ""


@pytest.mark.live("qemu")
@pytest.mark.parametrize("name", names("qemu"))
def test_qemu_refuses_what_a_rule_forbids_and_takes_what_it_allows(name: str, qemu: Hypervisor) -> None:
    skip_unless_v1(name)
    trial, devices = TRIALS[name], disks(qemu)
    assert trial.refusal in refusal(qemu, document(qemu, trial, trial.wrong, devices))
    assert "" == refusal(qemu, document(qemu, trial, trial.right, devices))


@pytest.mark.live("lxc")
@pytest.mark.parametrize("name", names("lxc"))
def test_lxc_refuses_what_a_rule_forbids_and_takes_what_it_allows(name: str, lxc: Hypervisor) -> None:
    skip_unless_v1(name)
    trial = TRIALS[name]
    assert trial.refusal in refusal(lxc, document(lxc, trial, trial.wrong, ""))
    assert "" == refusal(lxc, document(lxc, trial, trial.right, ""))
