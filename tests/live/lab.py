"""A libvirt of our own for live tests: no other libvirt sees it, and nothing of it survives.

Its processes have namespaces of their own (mounts, process ids, network). They die with the first one, `inside.sh`,
which ends when its input does: also when the test run is killed. The sockets lie where both sides reach them, so a
test opens `lab.uri("qemu")`, while a command run by `lab.run` finds plain `qemu:///system`, `lxc:///system` and, run by
`lab.run_as_user`, `qemu:///session`.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from live import cgroup, guests, kernel

TOOLS = ("unshare", "nsenter", "setpriv", "bash", "mount", "mountpoint", "libvirtd", "qemu-img")
SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NOBODY = 65534
KVM_GET_API_VERSION = 0xAE00
DAEMON_PID = "/run/libvirt/libvirtd.pid"

QEMU_CONF = """\
user = "root"
group = "root"
security_driver = "none"
stdio_handler = "file"
"""
LIBVIRTD_CONF = """\
unix_sock_dir = "{sockets}"
auth_unix_rw = "none"
auth_unix_ro = "none"
log_level = 3
log_outputs = "3:file:{log}"
"""


class Unavailable(Exception):
    """Why no lab can be started on this machine."""


@dataclass(frozen=True)
class Lab:
    place: Path  # a directory that both sides see
    init: int  # process 1 of the lab, as the outside numbers it

    def uri(self, driver: str) -> str:
        """For this process, outside; in the lab `DRIVER:///system` will do."""
        return f"{driver}+unix:///system?socket={self.place}/sockets/libvirt-sock"

    def session_uri(self) -> str:
        return f"qemu+unix:///session?socket={self.place}/user/libvirt/libvirt-sock"

    def run(
        self,
        words: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the lab as root; its exit code is the caller's to judge."""
        return self.finish(words, {**os.environ, **(env or {})}, cwd, timeout)

    def run_as_user(
        self,
        words: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """The same without privileges, as the user whose daemon answers `qemu:///session`."""
        groups = f"--groups={kvm_group()}" if kvm_group() else "--clear-groups"
        user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", groups, "--inh-caps=-all", "--"]
        return self.finish([*user, *words], {**self.user_environment(), **(env or {})}, cwd, timeout)

    def user_environment(self) -> dict[str, str]:
        home = self.place / "user"
        return {
            "PATH": SEARCH,
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_STATE_HOME": str(home / "state"),
            "LANG": "C.UTF-8",
        }

    def finish(
        self, words: Sequence[str | Path], env: Mapping[str, str], cwd: Path | None, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        enter = ["nsenter", f"--target={self.init}", "--mount", "--pid", "--net", "--"]
        there = ["env", f"--chdir={cwd or self.place}"]
        return subprocess.run(
            [*enter, *there, *words], env=env, timeout=timeout, text=True, capture_output=True, check=False
        )

    def start_daemon(self) -> None:
        """libvirtd with -d returns when its sockets answer."""
        done = self.run(["libvirtd", "-d", "-p", DAEMON_PID])
        if done.returncode:
            raise Unavailable(f"libvirtd does not start: {done.stderr.strip() or self.log()[-500:]}")

    def start_session_daemon(self) -> None:
        done = self.run_as_user(["libvirtd", "-d"])
        if done.returncode:
            raise Unavailable(f"libvirtd does not start for an ordinary user: {done.stderr.strip()}")

    def kill_daemon(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Ends libvirtd only: the guests go on, and `start_daemon` finds them again."""
        script = f"kill -{number.value} $(cat {DAEMON_PID}) && while kill -0 $(cat {DAEMON_PID}); do sleep 0.02; done"
        self.run(["bash", "-c", f"{script} 2>/dev/null"], timeout=20)

    def log(self) -> str:
        path = self.place / "libvirtd.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""


def kvm_group() -> int | None:
    """The group that may use KVM, if one may."""
    try:
        device = Path("/dev/kvm").stat()
    except OSError:
        return None
    return device.st_gid if device.st_mode & 0o060 == 0o060 else None


def virt_type() -> str:
    """`kvm` where its device answers, else `qemu`: the same guests, emulated."""
    try:
        with Path("/dev/kvm").open("rb", buffering=0) as device:
            return "kvm" if fcntl.ioctl(device, KVM_GET_API_VERSION) == 12 else "qemu"
    except OSError:
        return "qemu"


def obstacle() -> str | None:
    """The first reason why a lab cannot be started, as far as it shows before the attempt."""
    if os.geteuid():
        return "not root"
    if missing := [tool for tool in TOOLS if not shutil.which(tool, path=SEARCH)]:
        return f"not installed: {', '.join(missing)}"
    if not cgroup.mounts():
        return "no cgroup hierarchy is mounted"
    return None


@contextmanager
def started() -> Iterator[Lab]:
    if reason := obstacle():
        raise Unavailable(reason)
    with ExitStack() as undo:
        place = Path(tempfile.mkdtemp(prefix="lab-"))
        undo.callback(shutil.rmtree, place, ignore_errors=True)
        furnish(place)
        lab = Lab(place, enter(place, undo))
        lab.start_daemon()
        yield lab


def furnish(place: Path) -> None:
    place.chmod(0o755)
    for name in ("configuration", "sockets", "user"):
        (place / name).mkdir()
    os.chown(place / "user", NOBODY, NOBODY)
    (place / "user").chmod(0o700)
    daemon = LIBVIRTD_CONF.format(sockets=place / "sockets", log=place / "libvirtd.log")
    (place / "configuration" / "libvirtd.conf").write_text(daemon, encoding="utf-8")
    (place / "configuration" / "qemu.conf").write_text(QEMU_CONF, encoding="utf-8")


def enter(place: Path, undo: ExitStack) -> int:
    """Start process 1 and return its number; `undo` ends it and sweeps up its cgroups."""
    namespaces = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child"]
    script = Path(__file__).with_name("inside.sh")
    process = undo.enter_context(
        subprocess.Popen(
            [*namespaces, "bash", script, place],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the test run, which then ends the lab
        )
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    undo.callback(cgroup.sweep)
    answer, _, rest = process.stdout.readline().strip().partition(" ")
    if answer != "ready":
        process.stdin.close()
        raise Unavailable(f"no namespaces of our own: {rest or process.stderr.read().strip()}")
    init = int(rest)
    undo.callback(lambda: end(process, init))
    return init


def end(process: subprocess.Popen[str], init: int) -> None:
    """Close the lab's input, wait for its last process, then remove the cgroups that its domains leave."""
    left = {path for pid in kernel.namespace_members(init) for path in cgroup.domain_paths(pid)}
    assert process.stdin
    process.stdin.close()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()  # and with it, by --kill-child, everything inside
    for path in sorted(left | cgroup.leftovers(guests.RUN)):
        cgroup.remove(path)
