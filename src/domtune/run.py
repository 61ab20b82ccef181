"""One start: create, set what comes afterwards, read all of it back, let the guest run - or take it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from domtune import compare, live, stamp, tree
from domtune.compare import Difference
from domtune.connection import Connection, Domain
from domtune.errors import Error, Failed, Interrupted, Refused
from domtune.lifecycle import Decision, NotDone
from domtune.profile import Profile
from domtune.store import Run, Store
from domtune.take import EVERYTHING, take
from domtune.tree import Element
from domtune.tuning import Setting


class Mode(StrEnum):
    """How a domain was started."""

    MINIMAL = "minimal"
    TUNED = "tuned"
    RESTORED = "restored"  # tuned, from its saved image


@dataclass(frozen=True, slots=True)
class Started:
    """What a start did, and what it could not do."""

    name: str
    uuid: str
    mode: Mode
    paused: bool
    at_creation: tuple[Setting, ...] = ()
    afterwards: tuple[Setting, ...] = ()  # set on the running domain
    waited: bool = False  # what came afterwards was set before the guest ran
    not_done: tuple[NotDone, ...] = ()
    pending: tuple[NotDone, ...] = ()  # cannot change in a saved image; holds from the next start on
    unprotected: tuple[Setting, ...] = ()  # guards that a minimal start leaves out
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """How a domain is to be started."""

    profiles: tuple[Profile, ...] = ()  # of domain scope, wide to narrow
    minimal: bool = False
    paused: bool = False
    or_minimal: bool = False  # rather minimal than not at all

    @property
    def required(self) -> bool:
        """Whether any profile demands all it says."""
        return any(profile.required for profile in self.profiles)


@dataclass(frozen=True, slots=True)
class Job:
    """One start under way."""

    connection: Connection
    store: Store
    wish: Wish
    root: Element  # the XML that it starts from, while it becomes the XML that it is created from
    name: str
    uuid: str
    notes: list[str] = field(default_factory=list)

    def begin(self, mode: Mode) -> Run:
        """Put the run on disk and its stamp into the XML, before anything is created."""
        connection = self.connection
        run = self.store.begin(
            host=connection.host, uri=connection.uri, domain=self.uuid, name=self.name, mode=str(mode)
        )
        if connection.driver.metadata:
            stamp.put(self.root, run.id)
        return run


def minimal(job: Job, unprotected: Sequence[Setting]) -> Started:
    """Create the domain from its definition alone."""
    domain = job.connection.create(tree.serialise(job.root), paused=job.wish.paused)
    guards = tuple(setting for setting in unprotected if setting.param.protective)
    return Started(
        job.name, domain.uuid, Mode.MINIMAL, paused=job.wish.paused, unprotected=guards, notes=tuple(job.notes)
    )


def tuned(job: Job, decision: Decision) -> Started:
    """Create the domain, paused where the driver can, and let it run once everything holds."""
    waits = job.connection.driver.starts_paused
    run = job.begin(Mode.TUNED)
    try:
        domain = job.connection.create(tree.serialise(job.root), paused=waits)
        settle(domain, decision)
        if waits and not job.wish.paused:
            domain.resume()
    except BaseException as error:
        _take_back(job, run, error)
        raise
    finally:
        job.store.end(run)
    return result(job, decision, Mode.TUNED)


def result(job: Job, decision: Decision, mode: Mode, pending: Sequence[NotDone] = ()) -> Started:
    """Say what was done."""
    driver = job.connection.driver
    notes = list(job.notes)
    if not driver.reboot_keeps and (decision.create or decision.after):
        notes.append(
            f"a reboot from inside the guest builds it anew from the stored definition on {driver.title}, without this "
            "tuning; `domtune merge --define` stores the tuning there too"
        )
    return Started(
        job.name,
        job.uuid,
        mode,
        paused=job.wish.paused,
        at_creation=decision.create,
        afterwards=decision.after,
        waited=driver.starts_paused,
        not_done=decision.not_done,
        pending=tuple(pending),
        notes=tuple(notes),
    )


def settle(domain: Domain, decision: Decision) -> None:
    """Set what comes after creation, then read everything back; raise `Failed` if something does not hold."""
    live.apply(domain, decision.after)
    driver = domain.connection.driver.name
    root = tree.parse(domain.live_xml(), domain.name)
    found = take(root, EVERYTHING, domain.name)
    wrong = compare.differences(decision.create, found.settings, root, driver)
    for setting, said in live.read_back(domain, decision.after):
        if not compare.reads(setting, said):
            wrong.append(Difference(setting, said))
    if wrong:
        raise Failed("\n".join(f"{domain.name}: does not hold: {each}" for each in wrong))


def _take_back(job: Job, run: Run, error: BaseException) -> None:
    """Destroy the domain that this run made, if it made one, and say so."""
    left = job.connection.find(job.uuid, None)
    ours = left is not None and left.is_active and is_ours(left, run)
    if left is not None and ours:
        left.destroy()
    after = "it was stopped again" if ours else "it was not started"
    if isinstance(error, KeyboardInterrupt):
        raise Interrupted(f"{job.name}: interrupted; {after}") from None
    if isinstance(error, Error):
        raise Failed(f"{error}\n{job.name}: {after}") from None


def is_ours(domain: Domain, run: Run) -> bool:
    """Tell whether a running domain is the one that this run made."""
    return not domain.connection.driver.metadata or stamp.get(domain.live_xml()) == run.id


def recover(connection: Connection, store: Store, domain: str) -> list[str]:
    """End the starts of a domain that a killed process left behind, and say what was done.

    A domain that still waits with its CPUs stopped and bears the run's stamp is destroyed: it never ran. One that runs
    was past the last step, or its driver cannot wait; it is left. Raises `Refused` if the process is still at work.
    """
    notes = []
    for run in store.unfinished(connection.host, domain):
        if run.is_alive:
            raise Refused(
                f"{run.name}: process {run.pid} has been starting it since {run.began}; wait until it is done"
            )
        left = connection.find(run.domain, None)
        if left is not None and left.is_active and is_ours(left, run):
            notes.append(_end_of(left, run))
        store.end(run)
    return notes


def _end_of(left: Domain, run: Run) -> str:
    if not left.is_paused:
        return f"{run.name}: the {run.mode} start of {run.began} was killed after the guest ran; it was left running"
    if run.mode == Mode.RESTORED:
        left.save()
        return f"{run.name}: the start of {run.began} from its saved image was killed early; it was saved again"
    left.destroy()
    return f"{run.name}: took back the {run.mode} start of {run.began}, which was killed before the guest ran"
