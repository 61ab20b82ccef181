"""One start: create, set what comes afterwards, read all of it back, let the guest run - or take it back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from domtune import compare, live, stamp, tree
from domtune.compare import Difference
from domtune.connection import Connection, Domain
from domtune.errors import Error, Failed, Interrupted, Unknown
from domtune.lifecycle import Decision, NotDone
from domtune.profile import Profile
from domtune.store import Run, Store
from domtune.take import EVERYTHING, take
from domtune.tree import Element
from domtune.tuning import Setting
from domtune.vocabulary.model import Read

_NEVER_RAN = 50_000_000  # nanoseconds: vCPUs that wait use none, firmware alone uses more
_NOT_TAKEN_BACK = "taking it back failed, too; its next start tries again"


class Mode(StrEnum):
    """How a domain was started."""

    MINIMAL = "minimal"
    TUNED = "tuned"
    RESTORED = "restored"  # tuned, from its saved image

    @property
    def done(self) -> str:
        """What was done, in words."""
        return "started tuned from its saved image" if self is Mode.RESTORED else f"started {self}"


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
    enforced: bool = True  # False: the driver only stores what it is given
    not_done: tuple[NotDone, ...] = ()
    pending: tuple[NotDone, ...] = ()  # cannot change in a saved image; holds from the next start on
    unprotected: tuple[Setting, ...] = ()  # guards that a minimal start leaves out
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """How a domain is to be started."""

    profiles: tuple[Profile, ...] = ()  # narrower than all that is bound; the later wins
    minimal: bool = False
    paused: bool = False
    or_minimal: bool = False  # rather minimal than not at all
    bindings: bool = True  # the profiles bound to it hold, too


@dataclass(frozen=True, slots=True)
class Job:
    """One start under way."""

    connection: Connection
    store: Store
    wish: Wish
    root: Element  # the XML that it starts from, while it becomes the XML that it is created from
    name: str
    uuid: str
    source: str  # what origins and faults name: the domain, or the file
    notes: list[str] = field(default_factory=list)
    reached: list[Mode] = field(default_factory=list)  # how it was started; empty until nothing will be taken back

    def begin(self, mode: Mode, image: str = "") -> Run:
        """Put the run on disk and its stamp into the XML, before anything is created."""
        connection = self.connection
        run = self.store.begin(host=connection.host, domain=self.uuid, name=self.name, mode=str(mode), image=image)
        if connection.driver.metadata:
            stamp.put(self.root, run.id)
        return run


def minimal(job: Job, unprotected: Sequence[Setting]) -> Started:
    """Create the domain from its definition alone."""
    _create(job, Mode.MINIMAL, Decision())
    guards = tuple(each for each in unprotected if each.param.protective and not each.is_default)
    return Started(
        job.name,
        job.uuid,
        Mode.MINIMAL,
        paused=job.wish.paused,
        enforced=job.connection.driver.enforces,
        unprotected=guards,
        notes=tuple(job.notes),
    )


def tuned(job: Job, decision: Decision) -> Started:
    """Create the domain, paused where the driver can, and let it run once everything holds."""
    return result(job, _create(job, Mode.TUNED, decision), Mode.TUNED)


def _create(job: Job, mode: Mode, decision: Decision) -> Decision:
    """Create the domain and settle it, or take it back; the record stays until the one or the other is done."""
    waits = job.connection.driver.starts_paused and (mode is Mode.TUNED or job.wish.paused)
    run = job.begin(mode)
    domain: Domain | None = None
    ready = False
    try:
        domain = job.connection.create(tree.serialise(job.root), job.name, paused=waits)
        if mode is Mode.TUNED:
            decision = settle(domain, decision)
        ready = True
        if waits and not job.wish.paused:
            domain.resume()
        job.reached.append(mode)
    except BaseException as error:
        if domain is None or not ready or not is_through(error, job, domain, mode):
            raise_as(error, job.name, _take_back(job, run, made=domain is not None))
            raise
        job.store.end(run)
        raise
    job.store.end(run)
    return decision


def is_through(error: BaseException, job: Job, domain: Domain, mode: Mode) -> bool:
    """Tell whether only an interrupt came, and later than all that was to be done with a domain; then it stays."""
    if not isinstance(error, KeyboardInterrupt):
        return False
    if not job.reached:
        try:
            if not domain.is_active or domain.is_paused is not job.wish.paused:
                return False
        except Error:
            return False
        job.reached.append(mode)
    return True


def result(job: Job, decision: Decision, mode: Mode, pending: Sequence[NotDone] = ()) -> Started:
    """Say what was done."""
    driver = job.connection.driver
    notes = list(job.notes)
    for setting in (*decision.create, *decision.after):
        fact = setting.param.fact(driver.name)
        if fact is not None and fact.read is Read.NOWHERE and not setting.is_default:
            notes.append(f"{setting.name}: was asked for and cannot be read back: {fact.caveat}")
    if not driver.reboot_keeps and (decision.create or decision.after):
        notes.append(
            f"a reboot from inside the guest builds it anew from the stored definition on {driver.title}, without this "
            "tuning; `domtune merge --define` stores the tuning there too"
        )
    if not driver.enforces and (decision.create or decision.after):
        notes.append(f"{driver.title} stores values and enforces nothing")
    return Started(
        job.name,
        job.uuid,
        mode,
        paused=job.wish.paused,
        at_creation=decision.create,
        afterwards=decision.after,
        waited=driver.starts_paused,
        enforced=driver.enforces,
        not_done=decision.not_done,
        pending=tuple(pending),
        notes=tuple(notes),
    )


def settle(domain: Domain, decision: Decision) -> Decision:
    """Set what comes after creation, then read everything back; raise `Failed` if something does not hold.

    Returns the decision with the numbers that were not known before.
    """
    decision = replace(decision, after=tuple(live.counted(domain, each) for each in decision.after))
    live.apply(domain, decision.after)
    driver = domain.connection.driver.name
    root = tree.parse(domain.live_xml(), domain.name)
    found = take(root, EVERYTHING, domain.name)
    wanted = (*decision.create, *decision.after)
    shown = [each for each in wanted if live.read_from(each, driver) is Read.XML]
    wrong = compare.differences(shown, found.settings, root, driver)
    asked = (each for each in wanted if live.read_from(each, driver) in {Read.GETTER, Read.STATS})
    wrong += [Difference(each, said) for each, said in live.read_back(domain, asked) if not compare.reads(each, said)]
    if wrong:
        raise Failed("\n".join(f"{domain.name}: does not hold: {each}" for each in wrong))
    return decision


def _take_back(job: Job, run: Run, *, made: bool) -> str | None:
    """Destroy the domain that this run made, if it made one, and say so; None if that fails, and the record stays.

    Where nothing in the domain says whose it is, only one that was surely made here is destroyed.
    """
    try:
        left = job.connection.find(uuid=job.uuid)
        known = made or job.connection.driver.metadata
        ours = known and left is not None and left.is_active and is_ours(left, run)
        if left is not None and ours:
            left.destroy()
    except Error:
        return None
    job.store.end(run)
    return "it was stopped again" if ours else "it was not started"


def raise_as(error: BaseException, name: str, after: str | None) -> None:
    """Raise what went wrong together with what was done about it; leave alone what is no error of ours."""
    if isinstance(error, KeyboardInterrupt):
        raise Interrupted(f"{name}: interrupted; {after or _NOT_TAKEN_BACK}") from None
    if after is None:
        raise Unknown(f"{error}\n{name}: {_NOT_TAKEN_BACK}") from None
    if isinstance(error, Error):
        raise Failed(f"{error}\n{name}: {after}") from None


def is_ours(domain: Domain, run: Run) -> bool:
    """Tell whether a running domain is the one that this run made."""
    return not domain.connection.driver.metadata or stamp.get(domain.live_xml()) == run.id


def recover(connection: Connection, store: Store, domain: str) -> list[str]:
    """End the starts of a domain that a killed process left behind, and say what was done.

    A domain that still waits with its CPUs stopped and bears the run's stamp is destroyed, if its vCPUs never ran. One
    that runs was past the last step, or its driver cannot wait; it is left. A saved image gets the definition it had.
    The caller holds the domain's lock, so no other process is at work on it.
    """
    notes: list[str] = []
    for run in store.unfinished(connection.host, domain):
        if (left := connection.find(uuid=run.domain)) is not None:
            notes += _end_of(left, run)
        store.end(run)
    return notes


def _end_of(left: Domain, run: Run) -> Iterator[str]:
    runs = left.is_active
    if runs and not is_ours(left, run):
        return
    if runs and not left.is_paused:
        done = (
            "the guest ran" if left.connection.driver.starts_paused else "it was created, perhaps before it was tuned"
        )
        yield f"{run.name}: the {run.mode} start of {run.began} was killed after {done}; it was left running"
    elif run.image:
        if put_back(left, run):
            yield f"{run.name}: the start of {run.began} from its saved image was killed; the image is as it was"
    elif runs and (ran := left.vcpu_time) is not None and ran < _NEVER_RAN:
        left.destroy()
        yield f"{run.name}: took back the {run.mode} start of {run.began}, which was killed before the guest ran"
    elif runs:
        yield f"{run.name}: the {run.mode} start of {run.began} was killed; the guest is paused, but may have run"


def put_back(domain: Domain, run: Run) -> bool:
    """Save a domain that was restored, and give its image the definition it had; tell whether there was anything to do.

    Whether the guest ran when it was saved first, libvirt does not say; it will run when it is restored.
    """
    if domain.is_active:
        domain.save()
    elif not domain.has_managed_save or stamp.get(domain.saved_xml()) != run.id:
        return False
    domain.rewrite_saved(run.image)
    return True
