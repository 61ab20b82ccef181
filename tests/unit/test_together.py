"""Values that do not go together: every rule is right about libvirt, and is asked only where it can be answered."""

from pathlib import Path

import libvirt
import pytest

from domtune import tree
from domtune.compare import differences
from domtune.put import put
from domtune.take import EVERYTHING, take
from domtune.together import broken, clashes, contradictions
from domtune.tuning import Tuning
from domtune.vocabulary import PARAMS
from domtune.vocabulary.rule import AnyRule, Is
from domtune.vocabulary.together import RULES
from support.trials import DROPS, TRIALS, Trial
from support.tuning import documents, said

CASES = Path(__file__).parents[1] / "cases"
NAMES = sorted(TRIALS)
ON_TEST = [name for name in NAMES if "test" in TRIALS[name].on]
DISKS = "".join(
    f"<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/{name}'/>"
    f"<target dev='{name}' bus='virtio'/></disk>"
    for name in ("vda", "vdb")
)
NET = (
    "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/>"
    "<model type='virtio'/></interface>"
)


def definition(trial: Trial) -> str:
    return (
        "<domain type='test'><name>x</name><memory unit='MiB'>64</memory><vcpu>2</vcpu>"
        f"{trial.body}<os><type>hvm</type></os><devices>{DISKS}{NET}{trial.devices}</devices></domain>"
    )


def rule(name: str) -> AnyRule:
    return next(each for each in RULES if each.name == name.rstrip())


def rules_broken(text: str, trial: Trial, name: str) -> list[str]:
    of_rule = rule(name)
    driver = (*of_rule.drivers, "")[0]
    found = broken(said(text), tree.parse(definition(trial)), driver, of_rule.cgroup)
    return [each.rule.name for each in found]


def refusal(text: str, trial: Trial) -> str:
    """What libvirt says to a definition with these settings in it, or what it drops of them."""
    root = tree.parse(definition(trial))
    settings = said(text)
    put(root, Tuning(tuple(settings)))
    connection = libvirt.open("test:///default")
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    try:
        domain = connection.defineXML(tree.serialise(root))
    except libvirt.libvirtError as error:
        return str(error)
    there = tree.parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
    lost = differences(settings, take(there, EVERYTHING).settings, there, "test")
    domain.undefine()
    return f"dropped: {lost[0]}" if lost else ""


def test_every_rule_has_a_name_and_a_trial_of_its_own() -> None:
    assert sorted({each.name for each in RULES}) == sorted(each.name for each in RULES)
    assert {each.name for each in RULES} == {name.rstrip() for name in TRIALS}


def test_what_libvirt_itself_refuses_is_tried_on_its_test_driver() -> None:
    assert [] == [name for name in NAMES if not rule(name).drivers and TRIALS[name].on != ("test",)]


def test_rules_speak_of_parameters_that_there_are() -> None:
    words = [getattr(each, field) for each in RULES for field in each.__dataclass_fields__]
    options = [word for word in words if isinstance(word, Is)]
    options += [each for word in words if isinstance(word, tuple) for each in word if isinstance(each, Is)]
    assert options
    assert [] == [each.param for each in options if each.param not in PARAMS]
    assert [] == [(each.param, value) for each in options for value in each.values if said_wrongly(each.param, value)]


def said_wrongly(name: str, value: str) -> bool:
    try:
        PARAMS[name].kind.parse(value)
    except ValueError:
        return True
    return False


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_finds_what_it_forbids_and_not_what_it_allows(name: str) -> None:
    trial = TRIALS[name]
    assert name.rstrip() in rules_broken(trial.wrong, trial, name)
    assert name.rstrip() not in rules_broken(trial.right, trial, name)


@pytest.mark.parametrize("name", ON_TEST)
def test_libvirt_refuses_or_drops_what_a_rule_forbids(name: str) -> None:
    trial = TRIALS[name]
    found = refusal(trial.wrong, trial)
    assert trial.refusal in found
    assert (trial.refusal is DROPS) == found.startswith("dropped: ")


@pytest.mark.parametrize("name", ON_TEST)
def test_libvirt_takes_what_a_rule_allows(name: str) -> None:
    assert "" == refusal(TRIALS[name].right, TRIALS[name])


def test_every_rule_has_an_error_case() -> None:
    errors = "".join(path.read_text(encoding="utf-8") for path in CASES.glob("*/*/error.txt"))
    assert [] == [each.name for each in RULES if f": {each.why}; " not in errors]


# What stands in our own documents for the sake of split and merge, and libvirt would not take.
ODD = {
    "qemu/comments.xml": {"group of disks"},
    "qemu/dense.xml": {"group of disks"},
    "qemu/duplicates.xml": {"nodes of a cell that is not there"},
    "qemu/refused.xml": {"mode without nodes", "outbound peak alone"},
    "qemu/spelling-lenient.xml": {"period of random numbers alone", "vcpu real time", "vcpu without real time"},
    "qemu/spelling.xml": {"group of disks"},
}


def test_what_stands_in_real_definitions_breaks_no_rule() -> None:
    wrong = {}
    for name, xml in documents(0).items():
        if not name.startswith("/") or "outdata" in name:  # of libvirt's own, what came out of it
            root = tree.parse(xml, name)
            found = broken(take(root, EVERYTHING).settings, root, cgroup=2)
            wrong[name] = {each.rule.name for each in found}
    assert len(wrong) > 20
    assert {name: found for name, found in wrong.items() if found} == ODD


@pytest.mark.parametrize(
    "text",
    [
        "disk[vda].driver.io: native",  # the cache may stand in the definition
        "disk[vda].driver.io: native\ndisk[*].driver.cache: none",
        "cpu.vcpu.sched.policy: {0-3: fifo}\ncpu.vcpu.sched.priority: {all: 1}",
        "memory.numa.mode: strict",  # another layer may let numad choose
        "memory.limit: {hard: 2 GiB, swap_hard: 1 GiB}",  # of swap alone on cgroup v2
        "cpu: {total.quota: 10000, vcpu.quota: 20000}",
        "disk[vda].iotune.group_name: slow",  # the limits may be said for another disk
        "cpu.count.current: 1000",
        "disk[vda].iotune: {total_iops_sec: none, read_iops_sec: 10}",
        "cpu.affinity: default\ncpu.placement: auto",
        "net[0].driver: {rx_queue_size: 256, tx_queue_size: 512}",  # only Cloud Hypervisor refuses it
    ],
)
def test_a_profile_alone_may_lack_what_another_layer_says(text: str) -> None:
    assert [] == contradictions(said(text))


@pytest.mark.parametrize(
    "text",
    [
        "disk[vda].driver: {io: native, cache: writeback}",
        "disk[vda].driver: {io: native}\ndisk[vda].driver.cache: default",
        "cpu.vcpu.sched.policy: {all: fifo}",  # a family is said as a whole
        "disk[*].iotune: {total_iops_sec: 5, read_iops_sec: 5}",
        "disk[vda].iotune.read_iops_sec_max: 10",
        "net[*].bandwidth.inbound.peak: 5",
        "cpu.affinity: '0'\ncpu.placement: auto",
    ],
)
def test_a_profile_that_says_something_against_itself_is_wrong(text: str) -> None:
    assert 1 == len(contradictions(said(text)))


NATIVE = "disk[vda].driver.io: native"


def test_what_the_definition_says_counts() -> None:
    plain = definition(Trial("", "", ""))
    assert [] == clashes(said(NATIVE), tree.parse(plain.replace("type='raw'", "type='raw' cache='none'")), "qemu")
    wrong = clashes(said(NATIVE), tree.parse(plain.replace("type='raw'", "type='raw' cache='unsafe'")), "qemu")
    reason = "needs a disk that bypasses the host's cache; the definition says disk[vda].driver.cache unsafe"
    way_out = "add disk.driver.cache, none or directsync, or say threads or io_uring"
    assert [f"x.yaml:3: {NATIVE.replace(':', '')}: {reason}; {way_out}"] == wrong


def test_default_takes_away_what_the_definition_says() -> None:
    root = tree.parse(definition(Trial("", "", "")).replace("type='raw'", "type='raw' cache='none'"))
    assert 1 == len(clashes(said(f"{NATIVE}\ndisk[vda].driver.cache: default"), root, "qemu"))


@pytest.mark.parametrize("driver", ["lxc", "xen", "ch", "bhyve", "vz", "esx"])
def test_what_a_driver_does_nothing_with_does_no_harm(driver: str) -> None:
    root = tree.parse(definition(Trial("", "", "")))
    text = f"{NATIVE}\ndisk[vda].iotune: {{total_iops_sec: 5, read_iops_sec: 5}}"
    assert [] == clashes(said(text), root, driver)


def test_a_value_that_a_driver_does_not_honour_does_no_harm() -> None:
    root = tree.parse(definition(Trial("", "", "")))
    assert [] == clashes(said("memory.numa.mode: strict"), root, "lxc")
    assert 1 == len(clashes(said("memory.numa.mode: interleave"), root, "lxc"))


def test_a_limit_of_iothreads_that_are_not_there_does_no_harm() -> None:
    root = tree.parse(definition(Trial("", "", "")))
    text = "cpu: {total.quota: 10000, iothread.quota: 20000}"
    assert [] == clashes(said(text), root, "qemu", 1)
    assert 1 == len(clashes(said(f"{text}\niothread.count: 1"), root, "qemu", 1))


@pytest.mark.parametrize(("cgroup", "count"), [(0, 0), (1, 1), (2, 0)])
def test_what_one_version_of_cgroups_refuses_passes_on_the_other(cgroup: int, count: int) -> None:
    root = tree.parse(definition(Trial("", "", "")))
    assert count == len(clashes(said("cpu: {total.quota: 10000, vcpu.quota: 20000}"), root, "qemu", cgroup))


def test_what_clashes_within_the_stored_definition_is_left_to_libvirt() -> None:
    root = tree.parse(definition(Trial("", "", "")))
    stored = said("iothread.count: 1\niothread.thread_pool_min: {1: 4}")
    added = said("disk[vda].driver.iothread: 2")
    assert [] == clashes(stored, root, "qemu", stored=stored)
    assert ["disk on an IOThread that is not there"] == [
        each.rule.name for each in broken([*stored, *added], root, "qemu", stored=stored)
    ]


def test_clashes_are_told_in_the_order_in_which_they_are_said() -> None:
    text = "iothread.default.thread_pool_min: 1\ncpu.vcpu.sched.policy: {0: rr}"
    assert ["x.yaml:3", "x.yaml:4"] == [each.split(": ")[0] for each in contradictions(said(text))]
