"""A hand-tuned domain of QEMU is taken over and given back byte for byte, or left as it is."""

import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import libvirt
import pytest

from live import guests, product
from live.hypervisor import Hypervisor
from live.lab import Lab

ROOT = Path(__file__).parents[2]
INACTIVE = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
HAND_TUNED = [
    ROOT / "docs" / "examples" / "gaming.xml",
    ROOT / "docs" / "examples" / "nfv.xml",
    *sorted((ROOT / "tests" / "documents" / "qemu").glob("taken-over-*.xml")),
]
CHOICES = [(), ("--guest-visible",), ("--measurement",), ("--guest-visible", "--measurement", "--memlock")]
TUNED = "<cputune><shares>512</shares><vcpupin vcpu='1' cpuset='0'/></cputune>"
STAYS = (
    "{0} stays bound to it, and what it says lies over later edits of the stored definition; "
    "`domtune unbind {0}` takes it off"
)


@dataclass(frozen=True)
class Guest:
    lab: Lab
    name: str
    domain: libvirt.virDomain
    before: str
    config: Path  # the directory of configuration, its own

    @property
    def stored(self) -> str:
        return self.domain.XMLDesc(INACTIVE)

    @property
    def profile(self) -> Path:
        return self.config / "profiles" / f"{self.name}.yaml"

    @property
    def binding(self) -> Path:
        return self.config / "bindings.d" / f"{self.domain.UUIDString()}.yaml"

    @property
    def backups(self) -> list[Path]:
        return sorted((self.lab.place / "domtune" / "backups").glob(f"*-{self.domain.UUIDString()}-*.xml"))

    def domtune(self, *words: str | Path, code: str = product.COMMAND) -> subprocess.CompletedProcess[str]:
        return product.command(
            self.lab, *words, code=f"import os\nos.environ['DOMTUNE_CONFIG_DIR'] = {str(self.config)!r}\n{code}"
        )

    def is_as_it_was(self) -> bool:
        return self.stored == self.before and not self.profile.exists() and not self.binding.exists()


@pytest.fixture
def guest(lab: Lab, qemu: Hypervisor) -> Guest:
    """A small hand-tuned machine, which could start."""
    name = qemu.name()
    domain = qemu.define(qemu.document(name, body=TUNED, devices="<graphics type='vnc' passwd='sesame'/>"))
    return Guest(lab, name, domain, domain.XMLDesc(INACTIVE), lab.place / f"config-{name}")


@pytest.mark.live("qemu")
@pytest.mark.parametrize("document", HAND_TUNED, ids=lambda path: path.stem)
def test_a_hand_tuned_domain_comes_back_byte_for_byte(lab: Lab, qemu: Hypervisor, document: Path) -> None:
    domain = qemu.define(document.read_text(encoding="utf-8").replace("type='kvm'", f"type='{qemu.virt}'"))
    guest = Guest(lab, domain.name(), domain, domain.XMLDesc(INACTIVE), lab.place / f"config-{domain.name()}")
    try:
        for choice in CHOICES:
            tuning = lab.place / f"{guest.name}{''.join(choice)}.yaml"
            done = guest.domtune("split", guest.name, "--define", "--tuning", tuning, *choice)
            assert done.returncode == 0, done.stderr
            again = guest.domtune("split", guest.name, *choice)
            assert again.stderr == ""
            done = guest.domtune("merge", guest.name, "--define")
            assert done.returncode == 0, done.stderr
            assert guest.stored == guest.before
            assert "it is what it was before it was taken over, byte for byte" in done.stderr
            assert guest.domtune("unbind", guest.name).returncode == 0
    finally:
        domain.undefine()


@pytest.mark.live("qemu")
def test_a_domain_is_taken_over_with_one_word_and_given_back_with_another(guest: Guest) -> None:
    done = guest.domtune("split", guest.name, "--define")
    (backup,) = guest.backups
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        f"{guest.name}: the stored definition has no tuning now; what was there is in {backup}",
        f"{guest.name}: its tuning is in {guest.profile}, bound to it in {guest.binding}",
        f"{guest.name}: `domtune merge {guest.name} --define` gives it back",
    ]
    assert "cputune" not in guest.stored
    done = guest.domtune("split", guest.name, "--define")
    assert (done.returncode, done.stderr) == (
        0,
        f"{guest.name}: has no tuning to take out, and is bound to {guest.name} already; nothing was changed\n",
    )
    assert guest.backups == [backup]
    assert "<shares>512</shares>" in guest.domtune("merge", guest.name).stdout

    done = guest.domtune("merge", guest.name, "--define")
    assert done.stderr.splitlines() == [
        f"{guest.name}: stored with its tuning; what was there is in {guest.backups[-1]}",
        f"{guest.name}: it is what it was before it was taken over, byte for byte: {backup}",
        f"{guest.name}: {STAYS.format(guest.name)}",
    ]
    assert guest.stored == guest.before
    assert guest.binding.exists()


@pytest.mark.live("qemu")
def test_a_definition_that_was_edited_since_still_takes_its_tuning_back(guest: Guest, qemu: Hypervisor) -> None:
    assert guest.domtune("split", guest.name, "--define").returncode == 0
    disk = guests.disk(qemu.image())
    qemu.define(guest.stored.replace("<controller", f"{disk}<controller", 1))
    done = guest.domtune("merge", guest.name, "--define")
    assert done.returncode == 0, done.stderr
    assert TUNED.replace("><", ">\n    <").replace("\n    </cputune", "\n  </cputune") in guest.stored
    assert "<target dev='vda' bus='virtio'/>" in guest.stored
    assert f"{guest.name}: is <target dev='vda' bus='virtio'/>" in done.stderr.splitlines()
    assert f"`virsh define {guest.backups[0]}` restores that" in done.stderr


@pytest.mark.live("qemu")
def test_a_domain_that_was_taken_over_starts_tuned(guest: Guest) -> None:
    assert guest.domtune("split", guest.name, "--define").returncode == 0
    done = guest.domtune("start", guest.name)
    assert done.returncode == 0, done.stderr
    assert "<shares>512</shares>" in guest.domain.XMLDesc()
    assert "<shares>" not in guest.stored


@pytest.mark.live("qemu")
def test_what_goes_to_standard_output_is_not_bound(guest: Guest) -> None:
    done = guest.domtune("split", guest.name, "--define", "--tuning", "-")
    assert done.returncode == 0
    assert "cpu.shares: 512" in done.stdout
    assert done.stderr.endswith(f"{guest.name}: its tuning is bound to nothing, since - is no file\n")
    assert not guest.config.exists()


@pytest.mark.live("qemu")
def test_another_profile_of_that_name_is_left_alone(guest: Guest) -> None:
    guest.profile.parent.mkdir(parents=True)
    guest.profile.write_text("profile: mine\n")
    done = guest.domtune("split", guest.name, "--define")
    assert done.returncode == 1
    assert done.stderr.startswith(f"{guest.profile}: is there already, and says something else; say with --tuning OUT")
    assert (guest.stored, guest.profile.read_text()) == (guest.before, "profile: mine\n")
    assert not guest.binding.exists()


@pytest.mark.live("qemu")
@pytest.mark.parametrize(
    ("call", "hole"),
    [
        ("storage.replace_stored", "os.kill(os.getpid(), signal.SIGINT); time.sleep(5)"),
        ("connection.Connection.define", "os.kill(os.getpid(), signal.SIGINT); time.sleep(5)"),
        ("takeover._left", "os.kill(os.getpid(), signal.SIGINT); time.sleep(5)"),
    ],
)
def test_ctrl_c_leaves_a_domain_as_it_was(guest: Guest, call: str, hole: str) -> None:
    code = product.broken(call, f"{call} = real; {hole}").replace(
        "import connection,", "import storage, takeover, connection,"
    )
    if call == "storage.replace_stored":
        code = code.replace(f"\n{call} = hole", "\ntakeover.replace_stored = hole").replace(
            f"{call} = real", "takeover.replace_stored = real"
        )
    done = guest.domtune("split", guest.name, "--define", code=code)
    assert done.returncode == 128 + signal.SIGINT, done.stderr
    assert guest.is_as_it_was()


@pytest.mark.live("qemu")
def test_a_killed_takeover_is_finished_by_the_next(guest: Guest) -> None:
    kill = "os.kill(os.getpid(), signal.SIGKILL)"
    done = guest.domtune("split", guest.name, "--define", code=product.broken("store.Store.backup", kill))
    assert done.returncode != 0
    assert guest.stored == guest.before
    assert guest.profile.exists()
    assert guest.domtune("split", guest.name, "--define").returncode == 0
    assert guest.domtune("merge", guest.name, "--define").returncode == 0
    assert guest.stored == guest.before


@pytest.mark.live("qemu")
def test_a_domain_is_taken_over_again_after_it_was_changed(guest: Guest, qemu: Hypervisor) -> None:
    for number in (512, 600, 700):
        qemu.define(guest.before.replace("<shares>512<", f"<shares>{number}<"))
        done = guest.domtune("split", guest.name, "--define")
        assert done.returncode == 0, done.stderr
        assert f"cpu.shares: {number}" in guest.profile.read_text()
        assert (f"what {guest.profile} said before is in " in done.stderr) is (number > 512)
        assert guest.domtune("merge", guest.name, "--define").returncode == 0
        assert f"<shares>{number}</shares>" in guest.stored
    assert "nothing was changed" in guest.domtune("merge", guest.name, "--define").stderr


@pytest.mark.live("lxc")
def test_a_container_comes_back_with_what_its_driver_ignores(lab: Lab, lxc: Hypervisor) -> None:
    name = lxc.name()
    domain = lxc.define(lxc.document(name, body=f"{TUNED}<memtune><soft_limit unit='MiB'>60</soft_limit></memtune>"))
    guest = Guest(lab, name, domain, domain.XMLDesc(INACTIVE), lab.place / f"config-{name}")
    assert guest.domtune("-c", "lxc:///system", "split", name, "--define").returncode == 0
    done = guest.domtune("-c", "lxc:///system", "merge", name, "--define")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("not done: cpu.vcpu.pin[1]: lxc: ignored")
    assert guest.stored == guest.before
