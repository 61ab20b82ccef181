"""The JSON Schemas for editors: they take what the readers take, and refuse what can be refused without reading."""

import json
import re
from itertools import product
from pathlib import Path
from textwrap import indent

import pytest
from jsonschema import Draft202012Validator

from domtune import bindings, catalogue, explaining, matrix, profile
from domtune.bindingschema import binding_schema
from domtune.errors import Error, Invalid
from domtune.intents import INTENTS
from domtune.intents.kinds import Either
from domtune.kinds import Enum
from domtune.kindschema import value
from domtune.profileschema import profile_schema
from domtune.vocabulary import PARAMS
from support.editor import faults

CASES = Path(__file__).parents[1] / "cases"
PROFILES = [*CASES.rglob("profile.yaml"), *CASES.rglob("tuning.yaml"), *catalogue.SHIPPED.glob("*.yaml")]
PROFILES += (CASES.parents[1] / "docs" / "examples").glob("*.yaml")
EXAMPLES = [*(matrix.example(param) for param in PARAMS.values())]
WISHES = [explaining.example(intent) for intent in INTENTS.values() if not intent.later]
SCHEMA = Draft202012Validator(profile_schema())
BINDINGS = Draft202012Validator(binding_schema())
# What only a reader sees: YAML itself, names that are said twice, ids that two keys share, what files inherit.
UNSEEN = re.compile(r"keep one|say each once|(anchors|aliases|tags) are not read|inherits: |no such profile")


def problems(text: str, *, judged: bool = True) -> list[str]:
    try:
        profile.read(text, "x.yaml", judged=judged)
    except Invalid as error:
        return list(error.problems)
    return []


def names(files: list[Path]) -> list[str]:
    return [f"{file.parent.parent.name}/{file.parent.name}/{file.name}" for file in files]


def test_the_schemas_are_schemas() -> None:
    for schema in (SCHEMA, BINDINGS):
        Draft202012Validator.check_schema(schema.schema)


@pytest.mark.parametrize("file", sorted(PROFILES), ids=names(sorted(PROFILES)))
def test_profiles_are_taken_or_refused_as_the_reader_does(file: Path) -> None:
    text = file.read_bytes().decode(errors="replace")
    if not problems(text):
        assert [] == faults(text, SCHEMA)
    elif not all(UNSEEN.search(problem) for problem in problems(text, judged=False)):
        assert refused(text)


def refused(text: str) -> bool:
    try:
        return bool(faults(text, SCHEMA))
    except Exception:  # noqa: BLE001 - whatever PyYAML makes of it
        return True


@pytest.mark.parametrize(
    ("block", "line"), [*product(["set"], EXAMPLES), *product(["want"], WISHES)], ids=[*EXAMPLES, *WISHES]
)
def test_every_example_is_taken_in_every_spelling(block: str, line: str) -> None:
    name, _, said = line.partition(": ")
    words = name.split(".")
    lines = [line, f"{name}!: {said}", *(nested(words, cut, said) for cut in range(1, len(words)))]
    if block == "want" or name in PARAMS or name.replace("[*]", "") in PARAMS:
        lines.append(f"{name}: default")
    for each in lines:
        text = f"profile: x\n{block}:\n{indent(each, '  ')}\n"
        assert [] == problems(text, judged=False)
        assert [] == faults(text, SCHEMA)


def nested(words: list[str], cut: int, said: str) -> str:
    return f"{'.'.join(words[:cut])}:\n  {'.'.join(words[cut:])}: {said}"


@pytest.mark.parametrize(
    "line",
    [
        "cpu.affinity: [0, 1-2, ^1]",
        "cpu.affinity: 3",
        "cpu.affinity: r",
        "cpu.vcpu.pin: {all: 0, 0-3: [0, 2], 4: default}",
        "cpu.vcpu.pin: default",
        "cpu.vcpu.quota: none",
        "cpu.vcpu.quota: 50 ms",
        "iothread.ids: {1: true, 3: true}",
        "iothread.ids: [1, 3-4, all]",
        "memory.backing.hugepages: []",
        "memory.backing.hugepages: true",
        "memory.backing.hugepages: default",
        "memory.limit.hard: 8388608",
        "memory.limit.hard: 8gib",
        "cpu.cache.alloc: {0-1: {id: 0, level: 3, type: both, size: 4 MiB}}",
        "clock.timer.present: {hpet: no, rtc: default}",
        "disk[0].driver.io: native",
        'disk["a b"].iotune: {}',
        "disk[vda]!: {iotune!: {read_iops_sec!: 5000}}",
        'memory: {"device[*]": {dimm: 1 GiB}, "device[0].dimm": 2 GiB}',
        "blkio: {device.weight: {/dev/sda: 500}}",
        "resource.partition: /machine/production",
        "cpu: {}",
    ],
)
def test_other_ways_to_say_it_are_taken(line: str) -> None:
    text = f"profile: x\nset:\n  {line}\n"
    assert [] == problems(text)
    assert [] == faults(text, SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        "summary: no name",
        "profile: [x]",
        "profile: x\ntitle: y",
        "profile: x\nrequired: perhaps",
        "profile: x\ninherits: {base: true}",
        "profile: x\nset: [cpu.shares]",
        "profile: x\nset: {cpu.share: 512}",
        "profile: x\nset: {cpu: 2}",
        "profile: x\nset: {cpu: {vcpu: {pins: {0: 1}}}}",
        "profile: x\nset: {cpu.shares: many}",
        "profile: x\nset: {cpu.shares: [512]}",
        "profile: x\nset: {cpu.shares: 1}",
        "profile: x\nset: {cpu.shares: none}",
        "profile: x\nset: {cpu.shares: 1.5}",
        "profile: x\nset: {cpu.shares: }",
        "profile: x\nset: {cpu.placement: automatic}",
        "profile: x\nset: {cpu.vcpu.pin: 0-3}",
        "profile: x\nset: {cpu.vcpu.pin: {first: 1}}",
        "profile: x\nset: {cpu.vcpu.quota: -1}",
        "profile: x\nset: {cpu.vcpu.quota: 17592186044416}",
        "profile: x\nset: {memory.backing.locked: yes}",
        "profile: x\nwant: {memory.locked: true}",
        "profile: x\nwant: {cpu.limit: 0}",
        "profile: x\nwant:\n  disk[*].write: 0",
        "profile: x\nwant:\n  disk[*].write: 100 Mbit/s",
        "profile: two words",
        "profile: x\nset: {cpu.vcpu.period: 100 m}",
        "profile: x\nset:\n  cpu[0].shares: 512",
        "profile: x\nset: {disk.iotune.read_iops_sec: 5}",
        "profile: x\nset: {disk: {iotune.read_iops_sec: 5}}",
        "profile: x\nset: {memory.limit.hard: 8 gigs}",
        "profile: x\nset: {memory.limit.hard: 8 GB/s}",
        "profile: x\nset: {memory.backing.hugepages: false}",
        "profile: x\nset: {memory.backing.hugepages.size: 1 GiB}",
        "profile: x\nset: {memory.backing.hugepages: [{}]}",
        "profile: x\nset: {memory.numa.nodeset: r}",
        "profile: x\nset: {features.hyperv.spinlocks: {tries: 1}}",
        "profile: x\nset: {cpu.cache.alloc: {0: [{id: 0, level: 3, size: 4 MiB}]}}",
        "profile: x\nset: {cpu.cache.alloc: [default]}",
        "profile: x\nset: {features.hyperv.spinlocks: on}",
        "profile: x\nwant: {cpu.shares: 512}",
        "profile: x\nwant: {cpu.weight: 0}",
        "profile: x\nwant: {cpu.weight: none}",
        "profile: x\nwant: {cpu.limit: 150 %}",
        "profile: x\nwant: {cpu.vcpu_limit: 2}",
        "profile: x\nwant: {cpu.cpus: dedicated}",
        "profile: x\nwant: {disk.read: 1 MiB/s}",
        "profile: x\nwhen: {driver: xen, set: {cpu.cap: 80}}",
        "profile: x\nwhen: [{set: {cpu.cap: 80}}]",
        "profile: x\nwhen: [{driver: xen}]",
        "profile: x\nwhen: [{driver: vmware, set: {cpu.cap: 80}}]",
        "profile: x\nwhen: [{driver: [], set: {cpu.cap: 80}}]",
        "profile: x\nwhen: [{cgroup: 3, set: {cpu.cap: 80}}]",
        "profile: x\nverbatim: cputune",
        "profile: x\nverbatim: [{after: /domain}]",
        "profile: x\nverbatim: [{after: /domain, xml: <a/>, text: b}]",
        "profile: x\nverbatim: [{order: /domain, xml: <a/>}]",
        "profile: x\nverbatim: [{after: /domain, keys: [a]}]",
    ],
)
def test_what_the_reader_refuses_is_refused(text: str) -> None:
    assert problems(text)
    assert faults(text, SCHEMA)


def test_the_rest_of_a_profile_is_taken() -> None:
    text = (
        "profile: 7\nsummary: yes\ninherits: [base, ./more.yaml]\nrequired: true\nwant!: {cpu: {weight!: 0.5}}\n"
        "when:\n- {driver: [xen, esx], host: node*, cgroup: 2, want: {cpu.limit: 150%}}\n"
        "verbatim:\n- {on: /domain/vcpu, attributes: {a: 1}}\n- {order: /domain/cputune/vcpupin, keys: [1, 0]}\n"
    ).replace("want!:", "want:")
    assert [] == problems(text)
    assert [] == faults(text, SCHEMA)


def test_every_kind_has_a_schema_and_every_word_is_taken() -> None:
    kinds = [kind for param in PARAMS.values() for kind in (param.kind, *param.kinds.values())]
    for kind in [*kinds, *(intent.kind for intent in INTENTS.values())]:
        words = kind.words if isinstance(kind, Enum | Either) else ()
        assert [] == [word for word in words if not Draft202012Validator(value(kind)).is_valid(word)]


def test_an_unknown_kind_is_not_passed_over() -> None:
    with pytest.raises(TypeError, match="no schema"):
        value(object())


def test_the_schema_is_small_enough_for_an_editor() -> None:
    assert len(json.dumps(SCHEMA.schema)) < 400_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- profiles: base",
        "- {scope: site, match: {name: web*, driver: [qemu, lxc]}, profiles: [a, ./b.yaml], policy: report}",
        "- {match: {uuid: 6695eb01-f6a4-8304-79aa-97f2502e193f, host: [a, b*]}, profiles: a}",
        "- {match: {metadata: {namespace: 'http://x', path: flavor/@name, value: m1.*}}, profiles: a}",
        "- {match: {metadata: [{namespace: 'http://x'}], title: 7}, profiles: a}",
    ],
)
def test_bindings_are_taken(text: str) -> None:
    bindings.read(text, "x.yaml")
    assert [] == faults(text, BINDINGS)


@pytest.mark.parametrize(
    "text",
    [
        "profiles: base",
        "- base",
        "- {match: {name: web}}",
        "- {profiles: []}",
        "- {profiles: [[a]]}",
        "- {profiles: a, scope: command line}",
        "- {profiles: a, policy: always}",
        "- {profiles: a, match: {names: web}}",
        "- {profiles: a, match: {name: []}}",
        "- {profiles: a, match: {uuid: web}}",
        "- {profiles: a, match: {driver: vmware}}",
        "- {profiles: a, match: {metadata: {path: flavor}}}",
        "- {profiles: a, match: {metadata: []}}",
        "- {profiles: a, extra: b}",
    ],
)
def test_bindings_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(Error):
        bindings.read(text, "x.yaml")
    assert faults(text, BINDINGS)
