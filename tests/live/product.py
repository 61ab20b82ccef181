"""domtune in the lab: as a library on the lab's hypervisors, and as a command that runs inside."""

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import indent

from domtune import profile, starting
from domtune.connection import Connection, connect
from domtune.run import Started, Wish
from domtune.store import Store
from live.hypervisor import Hypervisor
from live.lab import NOBODY, Lab, kvm_group

PATIENCE = re.compile(r"^\S+: starting\n", re.MULTILINE)  # said where a start takes longer than a second
COMMAND = "from domtune.cli import main; main()"
# The same, with a hole in it: `{hole}` is done in place of `{call}`, which it can call as `real`.
BROKEN = """\
import os, signal, sys, time
from domtune import connection, run, store
from domtune.cli.group import run as command

real = {call}

def hole(*words, **options):
    {hole}

{call} = hole
sys.exit(command(sys.argv[1:]))
"""
# What an ordinary user has, and a right to read: the interpreter may lie where only root may look.
USER_RIGHTS = ("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search")


def document(settings: str, *, required: bool = False) -> str:
    """A profile whose `set:` block this is."""
    demand = "required: true\n" if required else ""
    return f"profile: wish\n{demand}set:\n{indent(settings.strip(), '  ')}\n"


def wish(settings: str = "", *, required: bool = False, **rest: bool) -> Wish:
    text = document(settings, required=required)
    return Wish((profile.read(text, "wish.yaml"),) if settings else (), **rest)


def state(host: Hypervisor) -> Path:
    return host.files / "domtune"


def start(host: Hypervisor, name: str, asked: Wish | None = None) -> Started:
    """Start a stored domain as a library does."""
    with connect(host.uri) as connection, Store(state(host)) as store:
        return starting.start(connection, name, asked or Wish(), store=store)


def start_xml(host: Hypervisor, xml: str, asked: Wish | None = None) -> Started:
    """Start a transient domain as a library does."""
    with connect(host.uri) as connection, Store(state(host)) as store:
        return starting.start_xml(connection, xml, asked or Wish(), source="guest.xml", store=store)


def start_on(connection: Connection, host: Hypervisor, name: str, asked: Wish) -> Started:
    with Store(state(host)) as store:
        return starting.start(connection, name, asked, store=store)


def unfinished(host: Hypervisor, identity: str) -> int:
    """How many records of starts there are that were begun and never ended."""
    with connect(host.uri) as connection, Store(state(host)) as store:
        return len(store.unfinished(connection.host, identity))


def environment(lab: Lab) -> Mapping[str, str]:
    return {"DOMTUNE_STATE_DIR": str(lab.place / "domtune"), "DOMTUNE_CONFIG_DIR": str(lab.place / "none")}


def command(
    lab: Lab, *words: str | Path, code: str = COMMAND, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `domtune WORDS...` in the lab."""
    done = lab.run([sys.executable, "-c", code, *words], env=environment(lab), cwd=cwd, timeout=100)
    done.stderr = PATIENCE.sub("", done.stderr)
    return done


def command_as_user(lab: Lab, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """The same without privileges, as the user whose daemon answers `qemu:///session`."""
    groups = f"--groups={kvm_group()}" if kvm_group() else "--clear-groups"
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", groups, *USER_RIGHTS, "--"]
    done = lab.run([*user, sys.executable, "-c", COMMAND, *words], env=lab.user_environment(), timeout=100)
    done.stderr = PATIENCE.sub("", done.stderr)
    return done


def broken(call: str, hole: str) -> str:
    """Code of the command in which one function does something else."""
    return BROKEN.format(call=call, hole=hole)


def written(host: Hypervisor, settings: str, *, required: bool = False) -> Path:
    """A file with a profile."""
    path = host.files / f"{host.name('wish')}.yaml"
    path.write_text(document(settings, required=required), encoding="utf-8")
    return path


def lines(done: subprocess.CompletedProcess[str]) -> Sequence[str]:
    """What a command said, one way or the other."""
    return [*done.stdout.splitlines(), *done.stderr.splitlines()]
