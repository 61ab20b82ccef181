"""A tuned start of a domain whose memory is saved: the image's definition is rewritten, then restored.

Creating the domain from XML would ignore the image and leave it behind, so that a later start would restore stale
memory over a changed disk (seen on QEMU with libvirt 9.0.0).
"""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from domtune import tree
from domtune.compare import same
from domtune.connection import Domain
from domtune.errors import Error, Refused
from domtune.lifecycle import Decision, NotDone
from domtune.put import put
from domtune.run import Job, Mode, Started, is_ours, is_through, put_back, raise_as, result, settle
from domtune.store import Run
from domtune.tuning import Setting, Tuning
from domtune.vocabulary.model import Kept


def in_the_way(domain: Domain) -> str:
    """Say why a start from XML must not pass over the saved image, and what can be done."""
    discard = f"throw the saved memory away with `virsh managedsave-remove {quote(domain.name)}`"
    if domain.connection.driver.rewrites_saved_image:
        discard = f"start it tuned, which restores the image, or {discard}"
    return f"{domain.name}: has a managed save image, whose memory fits its disks only as they are now; {discard}"


def restored(job: Job, domain: Domain, decision: Decision, inside: Tuning, pending: list[NotDone]) -> Started:
    """Put what may change into the image's definition, restore it with its CPUs stopped, and let it run once all holds.

    `inside` is what the image's definition gets. If something does not hold, the domain is saved again and the image
    gets the definition it had.
    """
    homeless: list[str] = []
    put(job.root, inside, left_out=homeless)
    job.notes.extend(homeless)
    run = job.begin(Mode.RESTORED, domain.saved_xml())
    ready = False
    try:
        domain.rewrite_saved(tree.serialise(job.root))
        domain.restore(paused=True)
        decision = settle(domain, decision)
        ready = True
        if not job.wish.paused:
            domain.resume()
        job.reached.append(Mode.RESTORED)
    except BaseException as error:
        if not ready or not is_through(error, job, domain, Mode.RESTORED):
            raise_as(error, job.name, _save_again(job, domain, run))
            raise
        job.store.end(run)
        raise
    job.store.end(run)
    return result(job, decision, Mode.RESTORED, pending)


def _save_again(job: Job, domain: Domain, run: Run) -> str | None:
    """Make the image what it was, and say so; None if that fails, and the record stays."""
    try:
        if not domain.is_active or is_ours(domain, run):
            put_back(domain, run)
    except Error:
        return None
    job.store.end(run)
    return "it was not started; its saved image is as it was"


def changeable(settings: Sequence[Setting], saved: Tuning, driver: str) -> tuple[list[Setting], list[NotDone]]:
    """Part what may change in a saved image from what is pending until a start without one.

    What is part of the saved machine stays as the image has it.
    """
    held = {setting.address: setting for setting in saved}
    found: list[Setting] = []
    pending: list[NotDone] = []
    for setting in settings:
        fact = setting.param.fact(driver)
        if fact is None or fact.saved is not Kept.FIXED:
            found.append(setting)
            continue
        has = held.get(setting.address)
        if (has is None or not same(setting, has)) and not (has is None and setting.is_default):
            reason = (
                "it is part of the saved machine, which cannot change; it holds from the next start without an image"
            )
            pending.append(NotDone(setting, reason))
    fixed = (each for each in saved if (fact := each.param.fact(driver)) is not None and fact.saved is Kept.FIXED)
    return [*found, *fixed], pending


def refuse(domain: Domain) -> None:
    """Raise `Refused` if a saved image is in the way of a start from XML."""
    if domain.has_managed_save:
        raise Refused(in_the_way(domain))
