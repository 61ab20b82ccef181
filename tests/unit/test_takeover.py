"""Taking a hand-tuned domain over and giving it back: byte for byte, and all of it or nothing."""

import difflib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import libvirt
import pytest

from domtune import catalogue, files, pipeline, profile, rebinding, storage, takeover, tree
from domtune.connection import Connection, Domain
from domtune.domain import split
from domtune.errors import Error, Failed, Interrupted, Refused
from domtune.intents.model import Site
from domtune.judge import judge
from domtune.layers import Bound, Scope
from domtune.put import put
from domtune.store import Store
from domtune.take import Choice, take
from domtune.tuning import Tuning
from support.definable import apart, definable, stored
from support.handtuned import TUNED, state, taking
from support.tuning import documents

SAMPLES = 200
CHOICES = [
    Choice(),
    Choice(guest_visible=True),
    Choice(measurement=True),
    Choice(guest_visible=True, measurement=True, memlock=True),
]
# Byte for byte


def given_back(connection: libvirt.virConnect, xml: str) -> list[str] | None:
    """How a domain differs that was taken over and given back; None for one that libvirt itself does not keep."""
    try:
        before = stored(connection, definable(connection, xml))
        if not is_kept(connection, before):
            return None
        return [line for choice in CHOICES for line in way_and_back(connection, before, choice)]
    finally:
        for domain in connection.listAllDomains():
            domain.undefine()


def is_kept(connection: libvirt.virConnect, before: str) -> bool:
    """Whether libvirt reads what it wrote, and then writes the same: else there is no way back to it."""
    try:
        return stored(connection, before) == before
    except libvirt.libvirtError:
        return False


def way_and_back(connection: libvirt.virConnect, before: str, choice: Choice) -> Iterator[str]:
    """Do what `split --define` and `merge --define` do, and give what is not as it was."""
    parts = split(before, **choice._asdict())
    kept = profile.read(profile.write(profile.named("one", parts.tuning)), "one.yaml")
    root = tree.parse(stored(connection, parts.definition))
    left = split(tree.serialise(root), **choice._asdict()).tuning
    yield from (f"left by {choice}: {setting.name}" for setting in left)
    problems: list[str] = []
    bounds = [Bound(Scope.DOMAIN, "", (kept,))]
    wanted = pipeline.wanted(root, take(root, Choice(), ""), bounds, Site("test"), problems)
    yield from (f"{choice}: {problem}" for problem in problems if not judge(parts.tuning))
    put(root, wanted.tuning)
    after = stored(connection, tree.serialise(root))
    yield from difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")


def test_what_libvirt_stores_comes_back_byte_for_byte() -> None:
    found = apart(given_back, documents(SAMPLES))
    kept = {name: lines for name, lines in found.items() if lines is not None}
    assert len(kept) > 0.9 * len(documents(SAMPLES))
    assert {} == {name: lines for name, lines in kept.items() if lines}


# All of it or nothing


OLD = (True, False, ())
NEW = (False, True, ("web",))


def test_a_domain_that_was_taken_over_has_a_profile_and_is_bound_to_it(web: Domain, config: Path) -> None:
    before = web.stored_xml()
    taken = takeover.take_over(web, taking(web))
    assert state(web) == NEW
    assert before == taken.backup.read_text()
    assert str(config / "bindings.d" / f"{web.uuid}.yaml") == taken.place
    (bound,) = takeover.own(web)
    assert split(before).tuning.settings == bound.profiles[0].tuning.settings


class Interrupting:
    """Raises KeyboardInterrupt at the n-th line that runs in some modules, once."""

    def __init__(self, line: int) -> None:
        self.left = line
        self.files = {module.__file__ for module in (takeover, storage, files)}

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:  # noqa: ANN401 - as sys.settrace has it
        if frame.f_code.co_filename not in self.files:
            return None
        if event == "line":
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt
        return self


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a file that was just being read
def test_ctrl_c_at_any_line_leaves_the_old_state_or_the_new(web: Domain) -> None:
    before, line, found = web.stored_xml(), 0, set()
    is_done = False
    while not is_done:
        line += 1
        asked = taking(web)
        interrupting = Interrupting(line)
        sys.settrace(interrupting)
        try:
            takeover.take_over(web, asked)
            is_done = True
        except (KeyboardInterrupt, Interrupted):
            pass
        finally:
            sys.settrace(None)
        found.add(state(web))
        web.connection.define(before, "web")
        if state(web)[1]:
            (catalogue.places()[0] / "web.yaml").unlink()
            rebinding.unbind(web.connection, "web")
        assert found <= {OLD, NEW}, f"at line {line} of the work"
    assert line > 60
    assert {OLD, NEW} == found


class Broken(Connection):
    """Does not store what it is told at the n-th time."""

    def __init__(self, raw: libvirt.virConnect, failing: int, error: BaseException) -> None:
        super().__init__(raw)
        self.left = failing
        self.error = error

    def define(self, xml: str, name: str) -> Domain:
        self.left -= 1
        if not self.left:
            raise self.error
        return super().define(xml, name)


@pytest.mark.parametrize("failing", [1, 2])
@pytest.mark.parametrize("error", [Failed("no"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_what_libvirt_does_not_store_leaves_nothing_behind(web: Domain, failing: int, error: BaseException) -> None:
    broken = Broken(web.connection.raw, failing, error)
    with pytest.raises((Refused, Failed, Interrupted)):
        takeover.take_over(broken.domain("web"), taking(web))
    assert state(web) == OLD


def test_a_definition_that_libvirt_does_not_take_back_is_left_alone(web: Domain) -> None:
    broken = Broken(web.connection.raw, 1, Failed("web: cannot store the definition: retries: -1"))
    with pytest.raises(Refused) as raised:
        takeover.take_over(broken.domain("web"), taking(web))
    assert [
        "web: cannot store the definition: retries: -1",
        "web: libvirt does not take back its own definition; nothing was changed; mend it with `virsh edit web`",
    ] == str(raised.value).splitlines()


def test_what_was_in_the_file_is_there_again_when_it_fails(web: Domain, tmp_path: Path) -> None:
    (tmp_path / "out.yaml").write_text("profile: old\n")
    broken = Broken(web.connection.raw, 2, Failed("no"))
    with pytest.raises(Failed):
        takeover.take_over(broken.domain("web"), taking(web, "out.yaml", force=True))
    assert "profile: old\n" == (tmp_path / "out.yaml").read_text()
    assert state(web) == OLD


def test_a_binding_that_was_edited_by_hand_keeps_the_domain_as_it_is(web: Domain, config: Path) -> None:
    (config / "bindings.d").mkdir(parents=True)
    file = config / "bindings.d" / f"{web.uuid}.yaml"
    file.write_text(f"# mine\n- match: {{uuid: {web.uuid}}}\n  profiles: [quiet]\n")
    with pytest.raises(Refused, match="was edited by hand"):
        takeover.take_over(web, taking(web))
    assert state(web) == (True, False, ("quiet",))


def test_a_profile_that_cannot_be_written_keeps_the_domain_as_it_is(web: Domain, config: Path) -> None:
    config.mkdir()
    (config / "profiles").write_text("")
    with pytest.raises(Error, match="cannot keep profiles there"):
        takeover.take_over(web, taking(web))
    assert "<shares>" in web.stored_xml()
    assert () == takeover.bound(web)


def test_a_second_try_goes_on_where_a_killed_one_was(web: Domain) -> None:
    asked = taking(web)
    assert asked.shelf
    asked.shelf.path.parent.mkdir(parents=True)
    asked.shelf.path.write_text(asked.text)
    rebinding.bind(web.connection, "web", ["web"])
    takeover.take_over(web, taking(web))
    assert state(web) == NEW


def test_values_that_no_start_would_take_are_not_bound(web: Domain) -> None:
    web.connection.define(
        web.stored_xml().replace("<cputune>", "<memtune><hard_limit>0</hard_limit></memtune><cputune>"), "web"
    )
    with pytest.raises(Error) as raised:
        takeover.take_over(web, taking(web))
    assert "memory.limit.hard: 0 is outside 1 to" in str(raised.value)
    assert state(web) == OLD


# Back again


def test_what_differs_from_what_was_there_is_told_without_passwords(web: Domain) -> None:
    takeover.take_over(web, taking(web))
    had = takeover.had(web)
    changed = had.xml.replace("sesame", "open").replace(">65536<", ">131072<")
    web.connection.define(changed, "web")
    lines = list(takeover.given_back(web, had))
    assert [
        "was <memory unit='KiB'>65536</memory>",
        "was <currentMemory unit='KiB'>65536</currentMemory>",
        "is <memory unit='KiB'>131072</memory>",
        "is <currentMemory unit='KiB'>131072</currentMemory>",
    ] == lines[:-1]
    assert "sesame" not in "".join(lines)


def test_a_password_that_differs_is_told(web: Domain) -> None:
    takeover.take_over(web, taking(web))
    had = takeover.had(web)
    web.connection.define(had.xml.replace("sesame", "open"), "web")
    assert "a password is another" == next(takeover.given_back(web, had))


def test_the_last_backup_of_a_takeover_counts(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        assert store.last_backup("uuid", "split") is None
        store.backup("web", "uuid", "<one/>", by="split")
        last = store.backup("a-name", "uuid", "<two/>", by="split")
        store.backup("web", "uuid", "<three/>", by="merge")
        store.backup("web", "other", "<four/>", by="split")
        assert last == store.last_backup("uuid", "split")


def test_only_what_the_domain_had_comes_back_whatever_is_wrong_with_it() -> None:
    one, other = split(TUNED).tuning.settings[:2]
    had = takeover.Had(settings=frozenset({one}))
    assert had.said(Tuning((one,)), Tuning())
    assert had.said(Tuning((one, other)), Tuning((other,)))
    assert not had.said(Tuning((one, other)), Tuning())
