"""What libvirt's test driver makes of a document: all of it that can be defined, put together piece by piece.

libvirt 9.0.0 crashes over some documents that its own grammar allows, so each of them is for a process of its own kind:
`apart` gives documents to one until it dies, and goes on in the next.
"""

import copy
import faulthandler
import multiprocessing
import os
import resource
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.connection import Connection
from typing import TypeVar

import libvirt
from lxml import etree

INACTIVE = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
BASE = """\
<domain type='test'><name>one</name><memory>4194304</memory><vcpu>8</vcpu><os><type>hvm</type></os></domain>"""
FIXED = {"name", "uuid", "memory", "os", "vcpu"}
MANY = 3  # digits
MEMORY = 1 << 30  # bytes: for some ids libvirt makes room up to them

Result = TypeVar("Result")


def stored(connection: libvirt.virConnect, xml: str) -> str:
    """What libvirt has after it was told to store this."""
    return str(connection.defineXML(xml).XMLDesc(INACTIVE))


def definable(connection: libvirt.virConnect, xml: str) -> str:
    """As much of a document as can be defined together with what stands before it."""
    parser = etree.XMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    root = etree.fromstring(BASE)
    given = etree.fromstring(xml.encode(), parser)
    for vcpu in given.iterfind("vcpu"):
        if not _is_many(vcpu):
            _replaced(connection, root, copy.deepcopy(vcpu))
    for child in given.iterchildren("{*}*"):
        is_out = child.tag in FIXED or (child.tag == "iothreads" and _is_many(child))
        if not is_out and not _added(connection, root, copy.deepcopy(child)):
            _in_part(connection, root, child)
    return etree.tostring(root, encoding="unicode")


def _is_many(element: etree._Element) -> bool:
    """Whether it is a number of threads with which libvirt would be busy for minutes."""
    return len((element.text or "").strip()) >= MANY


def _replaced(connection: libvirt.virConnect, root: etree._Element, new: etree._Element) -> None:
    old = root.find("vcpu")
    assert old is not None
    root.replace(old, new)
    if not _is_taken(connection, root):
        root.replace(new, old)


def _in_part(connection: libvirt.virConnect, root: etree._Element, child: etree._Element) -> None:
    """Add what can be of an element whose children do not all go."""
    holder = etree.Element(child.tag, {str(name): str(value) for name, value in child.attrib.items()})
    if not _added(connection, root, holder):
        return
    for below in child.iterchildren("{*}*"):
        _added(connection, holder, copy.deepcopy(below))
    if not len(holder):
        root.remove(holder)


def _added(connection: libvirt.virConnect, parent: etree._Element, child: etree._Element) -> bool:
    parent.append(child)
    if _is_taken(connection, parent.getroottree().getroot()):
        return True
    parent.remove(child)
    return False


def _is_taken(connection: libvirt.virConnect, root: etree._Element) -> bool:
    try:
        connection.defineXML(etree.tostring(root, encoding="unicode")).undefine()
    except libvirt.libvirtError:
        return False
    return True


def apart(work: Callable[[libvirt.virConnect, str], Result], documents: Mapping[str, str]) -> dict[str, Result]:
    """What some work gives for each document, without those over which libvirt dies."""
    found: dict[str, Result] = {}
    left = list(documents.items())
    while left:
        done = list(_until_it_dies(work, left))
        found.update((name, result) for (name, _), result in zip(left, done, strict=False))
        left = left[len(done) + 1 :]
    return found


def _until_it_dies(
    work: Callable[[libvirt.virConnect, str], Result], documents: list[tuple[str, str]]
) -> Iterator[Result]:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_worker, args=(work, documents, theirs))
    process.start()
    theirs.close()
    try:
        for _ in documents:
            yield ours.recv()
    except EOFError:
        pass
    finally:
        process.join()


def _worker(
    work: Callable[[libvirt.virConnect, str], Result], documents: list[tuple[str, str]], results: Connection
) -> None:
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    faulthandler.disable()  # pytest's writes elsewhere
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    connection = libvirt.open("test:///default")
    for _, xml in documents:
        results.send(work(connection, xml))
