"""A tuned start of a domain whose memory is saved: the image's definition is rewritten, then restored.

Creating the domain from XML would ignore the image and leave it behind, so that a later start would restore stale
memory over a changed disk (seen on QEMU with libvirt 9.0.0).
"""

from __future__ import annotations

from domtune import tree
from domtune.compare import same
from domtune.connection import Domain
from domtune.errors import Error, Failed, Interrupted, Refused
from domtune.lifecycle import Decision, NotDone
from domtune.put import put
from domtune.run import Job, Mode, Started, result, settle
from domtune.tuning import Setting, Tuning
from domtune.vocabulary.model import Kept


def in_the_way(domain: Domain) -> str:
    """Say why a start from XML must not pass over the saved image, and what can be done."""
    discard = f"throw the saved memory away with `virsh managedsave-remove {domain.name}`"
    if domain.connection.driver.rewrites_saved_image:
        discard = f"start it tuned, which restores the image, or {discard}"
    return f"{domain.name}: has a managed save image, whose memory fits its disks only as they are now; {discard}"


def restored(job: Job, domain: Domain, decision: Decision, stored: Tuning, pending: list[NotDone]) -> Started:
    """Put what may change into the image's definition, restore it with its CPUs stopped, and let it run once all holds.

    If something does not hold, the domain is saved again and the image gets the definition it had.
    """
    before = domain.saved_xml()
    run = job.begin(Mode.RESTORED)
    try:
        put(job.root, Tuning(decision.create, stored.verbatim))
        domain.rewrite_saved(tree.serialise(job.root))
        domain.restore(paused=True)
        settle(domain, decision)
        if not job.wish.paused:
            domain.resume()
    except BaseException as error:
        _save_again(domain, before, error)
        raise
    finally:
        job.store.end(run)
    return result(job, decision, Mode.RESTORED, pending)


def _save_again(domain: Domain, before: str, error: BaseException) -> None:
    if domain.is_active:
        domain.save()
    domain.rewrite_saved(before)
    if isinstance(error, KeyboardInterrupt):
        raise Interrupted(f"{domain.name}: interrupted; its saved image is as it was") from None
    if isinstance(error, Error):
        raise Failed(f"{error}\n{domain.name}: not started; its saved image is as it was") from None


def changeable(settings: list[Setting], saved: Tuning, driver: str) -> tuple[list[Setting], list[NotDone]]:
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
        if has is None or not same(setting, has):
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
