"""What libvirt does when a domain is started in place of its stored definition, saved, restored, paused or reset.

Proved with libvirt and the kernel alone: the product relies on each of these.
"""

import libvirt
import pytest

from live import cgroup, guests, kernel
from live.hypervisor import FIRST_CPU, Hypervisor, disk_limits, state
from live.lab import Lab

INACTIVE = libvirt.VIR_DOMAIN_XML_INACTIVE
SECURE = libvirt.VIR_DOMAIN_XML_SECURE
LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE
PAUSED = libvirt.VIR_DOMAIN_START_PAUSED
STORED = "<cputune><shares>512</shares></cputune>"
WANTED = "<cputune><shares>300</shares></cputune>"
SHARES = "cputune/shares"
BOTH = [pytest.param(driver, marks=pytest.mark.live(driver)) for driver in ("qemu", "lxc")]


def pid_of(host: Hypervisor, name: str) -> int:
    return kernel.container(name) if host.virt == "lxc" else kernel.qemu_pid(name)


def shares(host: Hypervisor, name: str) -> int:
    return cgroup.shares(cgroup.groups(pid_of(host, name)))


def saved(host: Hypervisor, name: str, **wishes: str) -> libvirt.virDomain:
    """A stored domain with a managed save image of a run whose shares were 700."""
    domain = host.define(host.document(name, body=STORED, **wishes))
    domain.create()
    domain.setSchedulerParametersFlags({"cpu_shares": 700}, LIVE)
    domain.managedSave(0)
    return domain


@pytest.mark.parametrize("driver", BOTH)
def test_create_with_the_uuid_of_a_stored_domain_leaves_its_definition_alone(
    driver: str, request: pytest.FixtureRequest
) -> None:
    host: Hypervisor = request.getfixturevalue(driver)
    name = host.name()
    domain = host.define(host.document(name, body=STORED))
    before = domain.XMLDesc(INACTIVE)

    host.create(host.document(name, body=WANTED))
    assert shares(host, name) == 300
    assert guests.value(domain.XMLDesc(0), SHARES) == "300"
    assert domain.XMLDesc(INACTIVE) == before

    domain.destroy()
    assert domain.isPersistent()
    assert domain.XMLDesc(INACTIVE) == before


@pytest.mark.parametrize("driver", BOTH)
def test_a_create_that_fails_leaves_the_stored_domain_alone(driver: str, request: pytest.FixtureRequest) -> None:
    host: Hypervisor = request.getfixturevalue(driver)
    name = host.name()
    domain = host.define(host.document(name, body=STORED))
    before = domain.XMLDesc(INACTIVE)
    with pytest.raises(libvirt.libvirtError):
        host.create(host.document(name, vcpu="<vcpu cpuset='16000'>2</vcpu>"))
    assert not domain.isActive()
    assert domain.XMLDesc(INACTIVE) == before


@pytest.mark.live("qemu")
def test_create_ignores_a_managed_save_image_and_leaves_it_behind(qemu: Hypervisor) -> None:
    name = qemu.name()
    domain = saved(qemu, name)
    qemu.create(qemu.document(name, body=WANTED))
    assert shares(qemu, name) == 300
    domain.destroy()
    assert domain.hasManagedSaveImage()


@pytest.mark.live("qemu")
def test_a_restored_domain_has_the_tuning_of_the_run_that_was_saved(qemu: Hypervisor) -> None:
    name = qemu.name()
    domain = saved(qemu, name)
    domain.create()
    assert shares(qemu, name) == 700
    assert guests.value(domain.XMLDesc(INACTIVE), SHARES) == "512"
    assert not domain.hasManagedSaveImage()


@pytest.mark.live("qemu")
def test_rewriting_a_saved_image_changes_its_tuning(qemu: Hypervisor) -> None:
    name = qemu.name()
    domain = saved(qemu, name, devices=guests.disk(qemu.image()))
    image = domain.managedSaveGetXMLDesc(libvirt.VIR_DOMAIN_SAVE_IMAGE_XML_SECURE)
    tuning = "<shares>900</shares><quota>30000</quota><vcpupin vcpu='0' cpuset='0'/><emulatorpin cpuset='0'/>"
    limits = "<memtune><soft_limit unit='MiB'>300</soft_limit></memtune><blkiotune><weight>400</weight></blkiotune>"
    throttle = "<iotune><read_iops_sec>77</read_iops_sec></iotune>"
    image = image.replace("<shares>700</shares>", tuning).replace(
        "<cputune>", f"<iothreads>1</iothreads>{limits}<cputune>"
    )
    image = image.replace("bus='virtio'/>", f"bus='virtio'/>{throttle}")
    domain.managedSaveDefineXML(image)
    domain.create()

    pid = kernel.qemu_pid(name)
    found = cgroup.groups(pid)
    assert cgroup.shares(found) == 900
    assert cgroup.bandwidth(found, "vcpu1").quota == 30000
    assert cgroup.memory(found).soft == 300 << 20
    assert cgroup.blkio_weight(found) == 400
    assert kernel.vcpus(pid)[0].cpus == kernel.emulator(pid).cpus == {0}
    assert set(kernel.iothreads(pid)) == {1}
    assert disk_limits(domain, "vda")["read_iops_sec"] == 77


@pytest.mark.live("qemu")
@pytest.mark.parametrize(
    ("old", "new", "refusal"),
    [("<memory unit='KiB'>65536", "<memory unit='KiB'>131072", "max memory"), (">2</vcpu>", ">4</vcpu>", "vCPU max")],
)
def test_rewriting_a_saved_image_cannot_change_the_machine(qemu: Hypervisor, old: str, new: str, refusal: str) -> None:
    domain = saved(qemu, qemu.name())
    image = domain.managedSaveGetXMLDesc(0)
    assert old in image
    with pytest.raises(libvirt.libvirtError, match=refusal):
        domain.managedSaveDefineXML(image.replace(old, new))


@pytest.mark.live("qemu")
def test_iothread_polling_is_lost_when_a_domain_is_saved_and_restored(qemu: Hypervisor) -> None:
    name = qemu.name()
    domain = qemu.define(qemu.document(name, body="<iothreads>1</iothreads>"))
    domain.create()
    before = polling(qemu, domain)
    domain.setIOThreadParams(1, {"poll_max_ns": before + 1000}, LIVE)
    domain.managedSave(0)
    domain.create()
    assert polling(qemu, domain) == before


def polling(host: Hypervisor, domain: libvirt.virDomain) -> int:
    ((_, stats),) = host.connection.domainListGetStats([domain], libvirt.VIR_DOMAIN_STATS_IOTHREAD)
    return int(stats["iothread.1.poll-max-ns"])


@pytest.mark.live("lxc")
def test_lxc_cannot_start_paused(lxc: Hypervisor) -> None:
    with pytest.raises(libvirt.libvirtError, match="unsupported flags") as refusal:
        lxc.create(lxc.document(lxc.name()), PAUSED)
    assert refusal.value.get_error_code() == libvirt.VIR_ERR_INVALID_ARG


@pytest.mark.live("qemu")
def test_a_paused_domain_takes_cpu_tuning(qemu: Hypervisor) -> None:
    name = qemu.name()
    domain = qemu.create(qemu.document(name, body="<iothreads>1</iothreads>"), PAUSED)
    quotas = {"vcpu_quota": 30000, "global_quota": 150000, "emulator_quota": 40000, "iothread_quota": 20000}
    domain.setSchedulerParametersFlags({"cpu_shares": 222, **quotas}, LIVE)
    domain.pinVcpuFlags(0, FIRST_CPU, LIVE)
    domain.pinIOThread(1, FIRST_CPU, LIVE)
    domain.pinEmulator(FIRST_CPU, LIVE)
    domain.setIOThreadParams(1, {"poll_max_ns": 50000}, LIVE)
    domain.addIOThread(2, LIVE)

    pid = kernel.qemu_pid(name)
    found = cgroup.groups(pid)
    assert state(domain) == libvirt.VIR_DOMAIN_PAUSED
    assert cgroup.shares(found) == 222
    parts = {part: cgroup.bandwidth(found, part).quota for part in ("", "vcpu1", "emulator", "iothread1", "iothread2")}
    assert parts == {"": 150000, "vcpu1": 30000, "emulator": 40000, "iothread1": 20000, "iothread2": 20000}
    assert kernel.vcpus(pid)[0].cpus == kernel.iothreads(pid)[1].cpus == kernel.emulator(pid).cpus == {0}
    assert polling(qemu, domain) == 50000
    domain.resume()
    assert state(domain) == libvirt.VIR_DOMAIN_RUNNING


@pytest.mark.live("qemu")
def test_a_paused_domain_takes_memory_and_disk_tuning(qemu: Hypervisor) -> None:
    name = qemu.name()
    domain = qemu.create(qemu.document(name, devices=guests.disk(qemu.image())), PAUSED)
    domain.setMemoryParameters({"soft_limit": 200 << 10, "hard_limit": 600 << 10}, LIVE)
    domain.setBlkioParameters({"weight": 200}, LIVE)
    domain.setBlockIoTune("vda", {"read_iops_sec": 100}, LIVE)
    domain.setMemoryStatsPeriod(5, LIVE)
    domain.setNumaParameters({"numa_nodeset": "0"}, LIVE)

    found = cgroup.groups(kernel.qemu_pid(name))
    assert cgroup.memory(found) == cgroup.MemoryLimits(600 << 20, 200 << 20, cgroup.memory(found).swap)
    assert cgroup.blkio_weight(found) == 200
    assert disk_limits(domain, "vda")["read_iops_sec"] == 100
    assert state(domain) == libvirt.VIR_DOMAIN_PAUSED


@pytest.mark.live("qemu")
def test_a_dump_without_the_secure_flag_loses_the_password(qemu: Hypervisor) -> None:
    graphics = "<graphics type='vnc' passwd='sesame'/>"
    domain = qemu.define(qemu.document(qemu.name(), devices=graphics))
    assert "sesame" not in domain.XMLDesc(INACTIVE)
    assert "sesame" in domain.XMLDesc(INACTIVE | SECURE)


@pytest.mark.live("qemu")
def test_a_hard_limit_at_creation_needs_the_right_to_raise_memory_locks(qemu: Hypervisor) -> None:
    name = qemu.name()
    document = qemu.document(name, body="<memtune><hard_limit unit='MiB'>500</hard_limit></memtune>")
    if kernel.may_raise_limits():
        qemu.create(document)
        assert cgroup.memory(cgroup.groups(kernel.qemu_pid(name))).hard == 500 << 20
        assert kernel.memlock(kernel.qemu_pid(name)) == kernel.Limit(500 << 20, 500 << 20)
    else:
        with pytest.raises(libvirt.libvirtError, match="cannot limit locked memory of process"):
            qemu.create(document)


@pytest.mark.live("qemu")
def test_a_hard_limit_set_live_is_in_the_saved_image_and_may_keep_it_from_being_restored(qemu: Hypervisor) -> None:
    domain = qemu.define(qemu.document(qemu.name()))
    domain.create()
    domain.setMemoryParameters({"hard_limit": 900 << 10}, LIVE)
    domain.managedSave(0)
    assert guests.value(domain.managedSaveGetXMLDesc(0), "memtune/hard_limit") == str(900 << 10)
    if kernel.may_raise_limits():
        domain.create()
        return
    with pytest.raises(libvirt.libvirtError, match="cannot limit locked memory of process"):
        domain.create()
    assert domain.hasManagedSaveImage()


@pytest.mark.live("qemu")
def test_a_reboot_by_the_guest_keeps_the_tuned_run(lab: Lab, qemu: Hypervisor) -> None:
    name = qemu.name()
    disk = guests.disk(guests.rebooting_image(qemu.files / f"{name}.raw"))
    qemu.define(qemu.document(name, body=STORED, devices=disk))
    tuning = "<cputune><shares>300</shares><vcpupin vcpu='1' cpuset='0'/></cputune>"
    qemu.create(qemu.document(name, body=tuning, devices=disk))
    pid = kernel.qemu_pid(name)
    seen = lab.run(["virsh", "event", "--domain", name, "--event", "reboot", "--timeout", "20"])
    assert "events received: 1" in seen.stdout
    assert kernel.qemu_pid(name) == pid
    assert shares(qemu, name) == 300
    assert kernel.vcpus(pid)[1].cpus == {0}


@pytest.mark.live("qemu")
def test_a_reset_keeps_the_tuned_run(qemu: Hypervisor) -> None:
    name = qemu.name()
    domain = qemu.define(qemu.document(name, body=STORED))
    qemu.create(qemu.document(name, body=WANTED))
    pid = kernel.qemu_pid(name)
    domain.reset()
    assert kernel.qemu_pid(name) == pid
    assert shares(qemu, name) == 300
