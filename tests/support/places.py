"""Where a path of the vocabulary leads: in libvirt's grammar, and in a document that has a device of each kind."""

from collections.abc import Iterable, Iterator

from lxml import etree

from domtune.tuning import Setting
from domtune.values import parse_ids
from domtune.vocabulary.path import Form, Leaf, Path, Step
from support.grammar import (
    Attribute,
    Choice,
    Data,
    Element,
    Group,
    Interleave,
    Pattern,
    Ref,
    Repeat,
    Text,
    Tokens,
    Value,
)
from support.sampler import domain_grammar

DOMAIN = """
<domain type='test'>
  <name>all</name>
  <maxMemory slots='4' unit='GiB'>8</maxMemory>
  <memory unit='GiB'>4</memory>
  <vcpu>4</vcpu>
  <iothreads>4</iothreads>
  <os><type>hvm</type></os>
  <features><apic/></features>
  <cpu>
    <numa>
      <cell id='0' cpus='0-1' memory='2' unit='GiB'/>
      <cell id='1' cpus='2-3' memory='2' unit='GiB'/>
    </numa>
  </cpu>
  <clock offset='utc'/>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/><source file='/images/a'/><target dev='vda' bus='virtio'/>
    </disk>
    <controller type='scsi' index='0' model='virtio-scsi'/>
    <controller type='xenbus' index='0'/>
    <filesystem type='mount'><driver type='virtiofs'/><source dir='/srv'/><target dir='srv'/></filesystem>
    <interface type='network'><source network='default'/><model type='virtio'/></interface>
    <graphics type='spice'/>
    <memballoon model='virtio'/>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    <memory model='dimm'><target><size unit='MiB'>256</size><node>0</node></target></memory>
    <memory model='virtio-mem'>
      <target><size unit='GiB'>1</size><node>1</node><block unit='MiB'>2</block></target>
    </memory>
  </devices>
</domain>
"""
# What libvirt takes only together with an attribute beside it.
COMPANY = {
    "cpu.vcpu.sched.priority": ("cputune/vcpusched", "scheduler", "fifo"),
    "cpu.iothread.sched.priority": ("cputune/iothreadsched", "scheduler", "fifo"),
    "cpu.emulator.sched.priority": ("cputune/emulatorsched", "scheduler", "fifo"),
    "memory.backing.hugepages.nodeset": ("memoryBacking/hugepages/page", "size", "2048"),
    "memory.numa.mode": ("numatune/memory", "nodeset", "0"),
    "memory.numa.cell.mode": ("numatune/memnode", "nodeset", "0"),
    "memory.numa.cell.nodeset": ("numatune/memnode", "mode", "strict"),
    "net.bandwidth.inbound.peak": ("devices/interface/bandwidth/inbound", "average", "1024"),
    "net.bandwidth.inbound.burst": ("devices/interface/bandwidth/inbound", "average", "1024"),
    "net.bandwidth.outbound.peak": ("devices/interface/bandwidth/outbound", "average", "1024"),
    "net.bandwidth.outbound.burst": ("devices/interface/bandwidth/outbound", "average", "1024"),
    "fs.driver.wrpolicy": ("devices/filesystem/driver", "type", "path"),
    "iothread.thread_pool_min": ("iothreadids/iothread", "thread_pool_max", "2147483647"),
    "iothread.default.thread_pool_min": ("defaultiothread", "thread_pool_max", "2147483647"),
    "rng.rate.period": ("devices/rng/rate", "bytes", "1024"),
    "clock.timer.catchup": ("clock/timer", "tickpolicy", "catchup"),
}


# In the grammar


def missing(path: Path) -> list[str]:
    """Say what of a path libvirt's grammar does not know."""
    where, place = "/domain", [pattern for pattern in _inside(domain_grammar().start) if isinstance(pattern, Element)]
    wrong = []
    for step in path.steps:
        where += f"/{step.tag}"
        place = [child for parent in place for child in elements(parent, step.tag)]
        wrong += [f"{where}: no such element"] if not place else _missing_of(step, where, place)
    names = [path.leaf.attribute] if path.leaf.form is Form.ATTRIBUTE else []
    names += ["unit"] if path.leaf.unit else []
    wrong += [f"{where}/@{name}: no such attribute" for name in names if not any(attributes(e, name) for e in place)]
    if path.leaf.form is Form.TEXT and not any(isinstance(p, _TEXTS) for e in place for p in _inside(e.body)):
        wrong.append(f"{where}: holds no text")
    return wrong


def words(path: Path) -> set[str] | None:
    """Return the words that the grammar lists for a value; None if it takes more than words."""
    place = [pattern for pattern in _inside(domain_grammar().start) if isinstance(pattern, Element)]
    for step in path.steps:
        place = [child for parent in place for child in elements(parent, step.tag)]
    holders: list[Pattern] = [e.body for e in place]
    if path.leaf.form is Form.ATTRIBUTE:
        holders = [found.body for e in place for found in attributes(e, path.leaf.attribute)]
    texts = [pattern for holder in holders for pattern in _inside(holder) if isinstance(pattern, _TEXTS)]
    if not all(isinstance(text, Value) for text in texts):
        return None
    return {text.text for text in texts if isinstance(text, Value)}


def elements(parent: Element, tag: str) -> list[Element]:
    return [pattern for pattern in _inside(parent.body) if isinstance(pattern, Element) and pattern.name == tag]


def attributes(parent: Element, name: str) -> list[Attribute]:
    return [pattern for pattern in _inside(parent.body) if isinstance(pattern, Attribute) and pattern.name == name]


_TEXTS = (Data, Value, Text, Tokens)


def _inside(pattern: Pattern) -> Iterator[Pattern]:
    """Give what stands directly in an element or attribute, however it is grouped."""
    match pattern:
        case Ref(name):
            yield from _inside(domain_grammar().defines[name])
        case Group(parts) | Interleave(parts) | Choice(parts):
            for part in parts:
                yield from _inside(part)
        case Repeat(body):
            yield from _inside(body)
        case _:
            yield pattern


def _missing_of(step: Step, where: str, place: list[Element]) -> list[str]:
    names = [name.strip("@#*") for name in step.key.split(",") if name.startswith("@")]
    wrong = [f"{where}/@{name}: no such key" for name in names if not any(attributes(e, name) for e in place)]
    if step.key and step.key[0] not in "@#?" and not any(elements(e, step.key) for e in place):
        wrong.append(f"{where}/{step.key}: no such key")
    if step.test:
        name, value, _ = step.test
        bodies = [found.body for e in place for found in attributes(e, name)]
        if value not in {p.text for body in bodies for p in _inside(body) if isinstance(p, Value)}:
            wrong.append(f"{where}[@{name}={value}]: no such value")
    return wrong


# In a document


def document(settings: Iterable[Setting]) -> etree._Element:
    """Return a domain with these settings in it, and what libvirt wants beside them."""
    root = etree.fromstring(DOMAIN, etree.XMLParser(remove_blank_text=True))
    for setting in settings:
        _put(root, setting)
        if setting.param.name in COMPANY:
            path, name, value = COMPANY[setting.param.name]
            for element in root.iterfind(path):
                element.set(name, value)
    return root


def found(root: etree._Element, setting: Setting) -> tuple[str, str | None] | None:
    """Return text and unit of this setting in a document."""
    path, keys = path_of(setting), list(setting.keys)
    element: etree._Element | None = root
    for step in path.steps:
        assert element is not None
        element = _child(element, step, keys.pop(0) if step.key else "")
        if element is None:
            return None
    assert element is not None
    text = _text(element, path.leaf)
    return None if text is None else (text, element.get("unit") if path.leaf.unit else None)


def path_of(setting: Setting) -> Path:
    """Return the path of the part that the last key names, or the only path."""
    paths = setting.param.paths
    return next(path for path in paths if not path.part or path.part == setting.keys[-1])


def _text(element: etree._Element, leaf: Leaf) -> str | None:
    if leaf.form is Form.ATTRIBUTE:
        return element.get(leaf.attribute)
    return element.text if leaf.form is Form.TEXT else "true"


def _put(root: etree._Element, setting: Setting) -> None:
    path, keys, element = path_of(setting), list(setting.keys), root
    for step in path.steps:
        key = keys.pop(0) if step.key else ""
        child = _child(element, step, key)
        element = _made(element, step, key) if child is None else child
    if path.leaf.form is Form.ATTRIBUTE:
        element.set(path.leaf.attribute, setting.text)
    elif path.leaf.form is Form.TEXT:
        element.text = setting.text
    if path.leaf.unit:
        element.attrib.pop("unit", None)
    if setting.unit:
        element.set("unit", setting.unit)


def _child(parent: etree._Element, step: Step, key: str) -> etree._Element | None:
    children = [child for child in parent.iterchildren(step.tag) if _passes(child, step)]
    if step.key.startswith(("?", "#")) or step.key.endswith("#"):
        return children[int(key)] if int(key) < len(children) else None
    return next((child for child in children if _has_key(child, step, key)), None)


def _passes(child: etree._Element, step: Step) -> bool:
    return step.test is None or (child.get(step.test[0]) == step.test[1]) is step.test[2]


def _has_key(child: etree._Element, step: Step, key: str) -> bool:
    if step.key.endswith("*"):  # libvirt may write one set as several
        return bool(parse_ids(child.get(step.key.strip("@*"), "")) & parse_ids(key))
    if step.key.startswith("@"):
        return key == "/".join(child.get(name.strip("@"), "") for name in step.key.split(","))
    return not step.key or child.findtext(step.key) == key


def _made(parent: etree._Element, step: Step, key: str) -> etree._Element:
    child = etree.SubElement(parent, step.tag)
    if step.test and step.test[2]:
        child.set(step.test[0], step.test[1])
    if step.key.startswith("@"):
        for name, value in zip(step.key.split(","), key.split("/"), strict=True):
            child.set(name.strip("@*#"), value)
    elif step.key and step.key[0] not in "?#":
        etree.SubElement(child, step.key).text = key
    return child
