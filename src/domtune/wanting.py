"""What is wanted of a domain on a connection: what is bound to it, what its definition says, what its host has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from domtune import binding_store, lifecycle, pipeline
from domtune.connection import Connection, Domain
from domtune.errors import Invalid
from domtune.host import Host
from domtune.intents.model import Site
from domtune.layers import Bound, Scope
from domtune.lifecycle import Lacking
from domtune.machine import cgroup_of, host_of
from domtune.pipeline import Wanted
from domtune.run import Wish
from domtune.store import Store
from domtune.tree import Element
from domtune.tuning import Tuning


def bound(connection: Connection, domain: Domain | Element, wish: Wish, *, store: Store | None = None) -> list[Bound]:
    """Return the profiles that hold for a domain: those that are bound to it, and those of the wish.

    Raises `Invalid` if it is not known what is bound.
    """
    found = binding_store.held(connection, domain, store=store) if wish.bindings else []
    bounds = [Bound(each.binding.scope, each.binding.origin, each.profiles) for each in found]
    return [*bounds, Bound(Scope.COMMAND, "the command line", wish.profiles)]


def wanted(connection: Connection, root: Element, stored: Tuning, bounds: Sequence[Bound]) -> Wanted:
    """Return what is wanted of the domain `root`: its stored tuning and the profiles that are bound to it.

    Raises `Invalid` with every fault that is known without starting it, host and domain included.
    """
    problems: list[str] = []
    found = look(connection, root, stored, bounds, problems)
    if problems:
        raise Invalid(problems)
    return found


def look(connection: Connection, root: Element, stored: Tuning, bounds: Sequence[Bound], problems: list[str]) -> Wanted:
    """Return the same, with its faults added to `problems`."""
    driver = connection.driver.name
    known = host_of(connection) if _asks_for_host(stored, bounds) else Host(cgroup=cgroup_of(connection))
    here = Site(driver, known)
    found = pipeline.wanted(root, stored, bounds, here, problems)
    settings, absent = lifecycle.on_host(found.tuning.settings, here.host, driver)
    if not problems:
        problems += [str(each) for each in absent] or lifecycle.misplaced(settings, root, driver)
    return replace(found, tuning=Tuning(tuple(settings), found.tuning.verbatim))


def lacking(connection: Connection, found: Wanted) -> list[Lacking]:
    """Return what of all that is wanted names CPUs or nodes which the host has not."""
    return lifecycle.on_host(found.tuning.settings, host_of(connection), connection.driver.name)[1]


def _asks_for_host(stored: Tuning, bounds: Sequence[Bound]) -> bool:
    """Tell whether anything depends on what the host has: asking libvirt takes a while."""
    blocks = [block for each in bounds for profile in each.profiles for block in profile.blocks]
    settings = (*stored.settings, *(setting for block in blocks for setting in block.settings))
    return pipeline.is_portable(bounds) or any(setting.param.host_bound for setting in settings)
