"""Starting a domain: minimal, from its definition alone, or tuned, with the tuning that profiles ask for.

A domain is created from XML that holds what its driver honours at creation; the rest is set on the running domain,
before its CPUs run where the driver can wait. Everything is read back, and a domain in which something does not hold
is not left so. The stored definition is never changed: creating from XML with the UUID of an inactive persistent
domain gives the run a definition of its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from domtune import binding_store, lifecycle, run, tree, wanting
from domtune.connection import Connection, Domain
from domtune.errors import Error, Failed, Interrupted, Invalid, Refused
from domtune.lifecycle import Decision, Lacking, NotDone
from domtune.pipeline import Wanted
from domtune.put import put
from domtune.restore import changeable, refuse, restored
from domtune.run import Job, Mode, Started, Wish
from domtune.store import Store, opened
from domtune.take import Choice, take
from domtune.tree import Element
from domtune.tuning import Setting, Tuning
from domtune.vocabulary.drivers import stranger

TUNED = Wish()


def start(connection: Connection, name: str, wish: Wish = TUNED, *, store: Store | None = None) -> Started:
    """Start a stored domain by id, UUID or name, tuned unless `wish.minimal`.

    Raises `NotFound`; `Refused` if it runs already, another domtune is at work on it, or a saved image is in the way;
    `Invalid` with every fault of the tuning, before anything is started; `Failed` if it could not be started or a value
    does not read back, and then says what was done about it.
    """
    domain = connection.domain(name)
    _refuse_pause(connection, wish)
    with _reaching(domain.name) as reached, ExitStack() as held:
        state = store or opened()
        held.enter_context(state.lock(connection.host, domain.uuid, domain.name))
        notes = held.enter_context(_telling(run.recover(connection, state, domain.uuid)))
        _refuse_running(domain)
        if not domain.is_persistent:
            raise Refused(f"{domain.name}: has no stored definition to start from")
        saved = domain.has_managed_save and not wish.minimal and connection.driver.rewrites_saved_image
        if not saved:
            refuse(domain)
        xml = domain.saved_xml() if saved else domain.stored_xml()
        root = tree.parse(xml, domain.name)
        job = Job(connection, state, wish, root, domain.name, domain.uuid, domain.name, notes, reached)
        return _restore(job, domain) if saved else _create(job)


def start_xml(
    connection: Connection, xml: str, wish: Wish = TUNED, *, source: str = "XML", store: Store | None = None
) -> Started:
    """Start a domain from XML that is not stored (a transient domain); raises as `start` does."""
    root = tree.parse(xml, source)
    name = (root.findtext("name") or "").strip()
    if not name:
        raise Invalid(f"{source}: /domain/name: the domain has no name; add one")
    if reason := stranger(root.get("type") or "", connection.driver):
        raise Invalid(f"{source}: /domain/@type: {reason}")
    given = _uuid(root, source)
    _refuse_pause(connection, wish)
    with _reaching(name) as reached, ExitStack() as held:
        state = store or opened()
        there = None if given else connection.find(name=name)  # perhaps the half-started one of a killed process
        identity = given or (there.uuid if there else str(uuid.uuid4()))
        held.enter_context(state.lock(connection.host, identity, name))
        notes = held.enter_context(_telling(run.recover(connection, state, identity)))
        for there in (connection.find(uuid=identity), connection.find(name=name)):
            if there is not None:
                _refuse_running(there)
                _refuse_clash(there, name, given, source)
                refuse(there)
        _set_uuid(root, identity)
        return _create(Job(connection, state, wish, root, name, identity, source, notes, reached))


@contextmanager
def _reaching(name: str) -> Iterator[list[Mode]]:
    """Let an interrupt say that the domain is started, where it came too late to keep it from that."""
    reached: list[Mode] = []
    try:
        yield reached
    except KeyboardInterrupt:
        if not reached:
            raise
        raise Interrupted(f"{name}: interrupted; by then it was {reached[-1].done}, and it stays so") from None


@contextmanager
def _telling(notes: list[str]) -> Iterator[list[str]]:
    """Let an error say, too, what was done before it."""
    try:
        yield notes
    except Error as error:
        for note in notes:
            error.add_note(note)
        raise


def _create(job: Job) -> Started:
    """Create the domain of this job from its XML, minimal or tuned."""
    stored = take(job.root, Choice(), job.source)
    if job.wish.minimal:
        return run.minimal(job, _left_out(job, stored))
    plain = tree.serialise(job.root)
    bounds = wanting.bound(job.connection, job.root, job.wish, store=job.store)
    problems: list[str] = []
    found = wanting.look(job.connection, job.root, stored, bounds, problems)
    lacking = _lacking(job, found, problems) if problems else []
    decision = decided(job, found.tuning.settings, found.unmet)
    if lacking:
        reason = "; ".join(each.fault for each in lacking)
        return _rather_minimal(job, plain, decision, f"the host has not all that is asked for: {reason}")
    kept = lifecycle.idle(decision, stored, job.connection.driver, session=job.connection.is_session)
    homeless: list[str] = []
    try:
        put(job.root, Tuning((*decision.create, *kept), found.tuning.verbatim), left_out=homeless)
        job.notes.extend(homeless)
        return _told(run.tuned(job, decision), found)
    except Failed as error:
        if not job.wish.or_minimal:
            raise
        lines = [line.removeprefix(f"{job.name}: ") for line in str(error).splitlines()]
        reason = "; ".join(lines[:-1] or lines)  # the last says what was done about it
        return _rather_minimal(job, plain, decision, f"the tuned start did not work: {reason}")


def _lacking(job: Job, found: Wanted, problems: list[str]) -> list[Lacking]:
    """Return what the host lacks, if that is all that is wrong and a minimal start will do; else raise `Invalid`."""
    lacking = wanting.lacking(job.connection, found) if job.wish.or_minimal else []
    if problems != [str(each) for each in lacking] or any(each.setting.demanded for each in lacking):
        raise Invalid(problems)
    return lacking


def _rather_minimal(job: Job, plain: str, decision: Decision, reason: str) -> Started:
    settings = (*decision.create, *decision.after)
    started = run.minimal(replace(job, root=tree.parse(plain, job.name)), settings)
    return replace(started, notes=(*started.notes, f"started minimal, since {reason}"))


def _told(started: Started, found: Wanted) -> Started:
    """Return a start with what is known of its wishes, and without what was only not to be said."""
    said = (setting for layer in found.layers for setting in layer.settings)
    notes = (*found.notes, *found.caveats, *started.notes)
    return replace(started, at_creation=lifecycle.telling(started.at_creation, said), notes=notes)


def _left_out(job: Job, stored: Tuning) -> tuple[Setting, ...]:
    """Return what a tuned start would have set; a minimal one works also where nobody can tell what is bound."""
    try:
        bounds = wanting.bound(job.connection, job.root, job.wish, store=job.store)
        if not any(each.profiles for each in bounds):
            return stored.settings
        found = wanting.look(job.connection, job.root, stored, bounds, [])
    except Invalid as error:
        job.notes.append(f"what else is left out is not known: {error.problems[0]}")
        return stored.settings
    driver = job.connection.driver.name
    return tuple(each for each in found.tuning if not each.is_default and each.param.fact(driver) is not None)


def _restore(job: Job, domain: Domain) -> Started:
    """Start the domain from its saved image, with the tuning that can still change."""
    saved = take(job.root, Choice(), job.source)
    root = binding_store.known_root(domain)  # the metadata in the image may be older
    bounds = wanting.bound(job.connection, root, job.wish, store=job.store)
    found = wanting.wanted(job.connection, job.root, saved, bounds)
    tuning = found.tuning
    settings, pending = changeable(tuning.settings, saved, job.connection.driver.name)
    decision = decided(job, settings, found.unmet, pending)
    kept = lifecycle.idle(decision, saved, job.connection.driver, session=job.connection.is_session)
    started = restored(job, domain, decision, Tuning((*decision.create, *kept), tuning.verbatim), pending)
    return _told(started, found)


def decided(
    job: Job, settings: Sequence[Setting], unmet: Sequence[NotDone], pending: Sequence[NotDone] = ()
) -> Decision:
    """Return where each setting goes; raise `Refused` if something that is demanded cannot be done, or not now."""
    connection = job.connection
    decision = lifecycle.decide(settings, connection.driver, session=connection.is_session, root=job.root)
    decision = replace(decision, not_done=(*unmet, *decision.not_done))
    lifecycle.refuse_lacking(job.name, (*decision.not_done, *pending))
    return decision


def _refuse_running(domain: Domain) -> None:
    if domain.is_active:
        way_out = "shut it down first; `domtune apply`, which tunes a running domain, is not in this version yet"
        raise Refused(f"{domain.name}: is running already; {way_out}")


def _refuse_clash(there: Domain, name: str, given: str, source: str) -> None:
    """Refuse XML that names another domain than the stored one which it would run in place of."""
    if there.name == name and there.uuid == given:
        return
    way_out = f"give it <uuid>{there.uuid}</uuid> and the name {there.name} to run it in place of that, or others"
    raise Refused(f"{source}: a domain {there.name} with the UUID {there.uuid} is stored; {way_out}")


def _uuid(root: Element, source: str) -> str:
    """Return the UUID of a document as libvirt writes it, "" if it has none."""
    given = (root.findtext("uuid") or "").strip()
    try:
        return str(uuid.UUID(given)) if given else ""
    except ValueError:
        raise Invalid(f"{source}: /domain/uuid: {given!r} is no UUID; leave it out, or make one with uuidgen") from None


def _refuse_pause(connection: Connection, wish: Wish) -> None:
    if wish.paused and not connection.driver.starts_paused:
        raise Refused(f"{connection.driver.title} cannot start a domain paused; leave --paused out")


def _set_uuid(root: Element, identity: str) -> None:
    element = root.find("uuid")
    if element is None:
        name = root.find("name")
        element = tree.new_child(root, "uuid", None if name is None else name.getnext())
    element.text = identity
