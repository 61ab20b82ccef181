"""Starting a domain: minimal, from its definition alone, or tuned, with the tuning that profiles ask for.

A domain is created from XML that holds what its driver honours at creation; the rest is set on the running domain,
before its CPUs run where the driver can wait. Everything is read back, and a domain in which something does not hold
is not left so. The stored definition is never changed: creating from XML with the UUID of an inactive persistent
domain gives the run a definition of its own.
"""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from dataclasses import replace

from domtune import host, lifecycle, pipeline, run, tree
from domtune.connection import Connection, Domain
from domtune.errors import Failed, Invalid, Refused
from domtune.lifecycle import Decision
from domtune.put import put
from domtune.restore import changeable, refuse, restored
from domtune.run import Job, Started, Wish
from domtune.store import Store
from domtune.take import Choice, take
from domtune.tree import Element
from domtune.tuning import Setting, Tuning, Verbatim

TUNED = Wish()


def start(connection: Connection, name: str, wish: Wish = TUNED, *, store: Store | None = None) -> Started:
    """Start a stored domain by id, UUID or name, tuned unless `wish.minimal`.

    Raises `NotFound`; `Refused` if it runs already, another domtune is at work on it, or a saved image is in the way;
    `Invalid` with every fault of the tuning, before anything is started; `Failed` if it could not be started or a value
    does not read back, and then says what was done about it.
    """
    domain = connection.domain(name)
    with ExitStack() as held:
        state = store or held.enter_context(Store())
        held.enter_context(state.lock(connection.host, domain.uuid, domain.name))
        notes = run.recover(connection, state, domain.uuid)
        _refuse_running(domain)
        _refuse_pause(connection, wish)
        if not domain.is_persistent:
            raise Refused(f"{domain.name}: has no stored definition to start from")
        saved = domain.has_managed_save and not wish.minimal and connection.driver.rewrites_saved_image
        if not saved:
            refuse(domain)
        xml = domain.saved_xml() if saved else domain.stored_xml()
        job = Job(connection, state, wish, tree.parse(xml, domain.name), domain.name, domain.uuid, notes)
        return _restore(job, domain) if saved else _create(job)


def start_xml(
    connection: Connection, xml: str, wish: Wish = TUNED, *, source: str = "XML", store: Store | None = None
) -> Started:
    """Start a domain from XML that is not stored (a transient domain); raises as `start` does."""
    root = tree.parse(xml, source)
    name = (root.findtext("name") or "").strip()
    if not name:
        raise Invalid(f"{source}: /domain/name: the domain has no name; add one")
    given = (root.findtext("uuid") or "").strip() or None
    with ExitStack() as held:
        state = store or held.enter_context(Store())
        there = connection.find(given, name)
        identity = there.uuid if there else given or str(uuid.uuid4())
        held.enter_context(state.lock(connection.host, identity, name))
        notes = run.recover(connection, state, identity)
        _refuse_pause(connection, wish)
        if there := connection.find(given, name):
            _refuse_running(there)
            refuse(there)
        _set_uuid(root, identity)
        return _create(Job(connection, state, wish, root, name, identity, notes))


def _create(job: Job) -> Started:
    """Create the domain of this job from its XML, minimal or tuned."""
    stored = take(job.root, Choice(), job.name)
    if job.wish.minimal:
        return run.minimal(job, stored.settings)
    plain = tree.serialise(job.root)
    settings, pieces = _wanted(job, stored)
    decision = _decide(job, settings)
    kept = [each.setting for each in decision.not_done if each.setting in stored.settings and each.setting.param.paths]
    try:
        put(job.root, Tuning((*decision.create, *kept), pieces))
        return run.tuned(job, decision)
    except Failed as error:
        if not job.wish.or_minimal:
            raise
        job.notes.append(f"started minimal, since the tuned start did not work: {error}")
        return run.minimal(replace(job, root=tree.parse(plain, job.name)), stored.settings)


def _restore(job: Job, domain: Domain) -> Started:
    """Start the domain from its saved image, with the tuning that can still change."""
    saved = take(job.root, Choice(), job.name)
    settings, _ = _wanted(job, saved)
    settings, pending = changeable(settings, saved, job.connection.driver.name)
    decision = _decide(job, settings)
    return restored(job, domain, decision, saved, pending)


def _wanted(job: Job, stored: Tuning) -> tuple[list[Setting], tuple[Verbatim, ...]]:
    """Return what is wanted of this run: the stored definition's own tuning, under the profiles."""
    problems: list[str] = []
    tuning = pipeline.wanted(job.root, stored, [profile.tuning for profile in job.wish.profiles], problems)
    settings = list(tuning.settings)
    if not problems and any(setting.param.host_bound for setting in settings):
        here = host.read(job.connection.capabilities(), job.connection.host_cpus())
        settings, lacking = lifecycle.on_host(settings, here)
        problems += lacking
    if not problems:
        problems = lifecycle.misplaced(settings, job.root)
    if problems:
        raise Invalid(problems)
    return settings, tuning.verbatim


def _decide(job: Job, settings: list[Setting]) -> Decision:
    decision = lifecycle.decide(settings, job.connection.driver, session=job.connection.is_session)
    if job.wish.required and decision.not_done:
        raise Refused("\n".join(f"{job.name}: required, but cannot be done: {each}" for each in decision.not_done))
    return decision


def _refuse_running(domain: Domain) -> None:
    if domain.is_active:
        way_out = "shut it down first; `domtune apply`, which tunes a running domain, is not in this version yet"
        raise Refused(f"{domain.name}: is running already; {way_out}")


def _refuse_pause(connection: Connection, wish: Wish) -> None:
    if wish.paused and not connection.driver.starts_paused:
        raise Refused(f"{connection.driver.title} cannot start a domain paused; leave --paused out")


def _set_uuid(root: Element, identity: str) -> None:
    element = root.find("uuid")
    if element is None:
        name = root.find("name")
        element = tree.new_child(root, "uuid", None if name is None else name.getnext())
    element.text = identity
