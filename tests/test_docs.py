"""What the documents promise: commands print what is shown, examples are good, links lead somewhere, tables are fresh.

A ```console block is run, line for line after ``$ ``, and its output compared; ``...`` stands for any text in a line,
or as a line of its own for any lines. The blocks of a page are run in their order, by one shell, in a directory that
has only `docs` in it. A comment right before a block says where it is not run like that, and why:

    <!-- live qemu: REASON -->   needs that hypervisor: the live tests run the whole page
    <!-- not run: REASON -->     only looked at: the shell must understand it, and `make` know what is to be made
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from lxml import etree

from domtune import bindings, docs, profile
from domtune.bindingschema import binding_schema
from domtune.docs import markdown
from domtune.judge import judge
from domtune.profileschema import profile_schema
from live.lab import SEARCH, Lab, Unavailable, started, virt_type
from support.editor import faults

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINKED = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

FENCE = re.compile(
    r"(?:^<!-- (?P<note>(?:live|not run)\b[^\n]*) -->\n\n?)?^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
COMMAND = re.compile(r"^\$ (?P<command>.*(?:\n> .*)*)\n?(?P<output>(?:(?!\$ ).*\n?)*)", re.MULTILINE)
NOTE = re.compile(r"(?P<what>live (?P<driver>\w+)|not run): .+")
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
PATIENCE = re.compile(r"^\S+: starting\n", re.MULTILINE)  # said where a start takes longer than a second
CLEARING = """
for name in $(virsh list --all --name); do
    virsh destroy $name; virsh undefine --managed-save $name
done
"""
END = "--- end of a command ---"


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    language: str
    text: str
    note: str

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def driver(self) -> str | None:
        """The hypervisor that it needs."""
        match = NOTE.fullmatch(self.note)
        return match["driver"] if match else None

    @property
    def is_run(self) -> bool:
        return not self.note

    @property
    def commands(self) -> list[tuple[str, str]]:
        """Each command with its output."""
        found = [(match["command"].replace("\n> ", "\n"), match["output"]) for match in COMMAND.finditer(self.text)]
        assert found, f"{self.where}: no line begins with `$ `"
        return found


def blocks(page: Path, language: str) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start("language")) + 1
        found.append(Block(page, line, match["language"], match["text"], match["note"] or ""))
    return [block for block in found if block.language == language]


def every(language: str) -> list[Block]:
    found = [block for page in PAGES for block in blocks(page, language)]
    assert found, f"no {language} block in any page: is the pattern still right?"
    return found


def names(found: Sequence[Block | Path]) -> list[str]:
    return [each.where if isinstance(each, Block) else str(each.relative_to(ROOT)) for each in found]


# Commands


def with_commands(driver: str | None) -> list[Path]:
    """The pages with blocks that need this hypervisor, or none."""
    wanted = [block.page for block in every("console") if (block.driver == driver if driver else block.is_run)]
    return list(dict.fromkeys(wanted))


@pytest.mark.parametrize("page", with_commands(None), ids=lambda page: page.stem)
def test_commands_print_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    shown = [block for block in blocks(page, "console") if block.is_run]
    done = subprocess.run(
        ["bash", "-c", script(shown)],
        cwd=furnished(tmp_path),
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert expected(shown) == printed(shown, done.stdout)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    if virt_type() != "kvm":
        pytest.skip("/dev/kvm does not open, and the examples are for KVM")
    if not {0, 1} <= os.sched_getaffinity(0):
        pytest.skip("the examples are for a host with the CPUs 0 and 1")
    try:
        with started() as running:
            yield running
    except Unavailable as reason:
        pytest.skip(f"no lab: {reason}")


@pytest.mark.live("qemu")
@pytest.mark.parametrize("page", with_commands("qemu"), ids=lambda page: page.stem)
def test_commands_with_virtual_machines_print_what_the_page_shows(page: Path, lab: Lab) -> None:
    shown = [block for block in blocks(page, "console") if block.is_run or block.driver == "qemu"]
    place = lab.place / page.stem
    place.mkdir()
    try:
        done = lab.run(["bash", "-c", script(shown)], env=environment(place), cwd=furnished(place), timeout=200)
    finally:
        lab.run(["bash", "-c", CLEARING])
    assert expected(shown) == printed(shown, done.stdout)


@pytest.mark.parametrize("block", every("console"), ids=names(every("console")))
def test_blocks_that_are_not_run_say_why_and_are_understood(block: Block) -> None:
    assert block.is_run or NOTE.fullmatch(block.note), f"{block.where}: {block.note!r} is no reason"
    assert block.driver in {None, "qemu"}, f"{block.where}: no test runs the commands of {block.driver}"
    for command, _ in block.commands:
        understood = subprocess.run(["bash", "-n", "-c", command], capture_output=True, text=True, check=False)
        assert "" == understood.stderr
        words = shlex.split(command, comments=True)
        if words[0] == "make":
            assert [] == [word for word in words[1:] if f"\n{word}: " not in MAKEFILE]


def script(shown: list[Block]) -> str:
    commands = [command for block in shown for command, _ in block.commands]
    return "exec 2>&1\n" + "".join(f"{command}\ncode=$?; echo '{END}'; (exit $code)\n" for command in commands)


def expected(shown: list[Block]) -> str:
    return "".join(f"$ {command}\n{output}\n" for block in shown for command, output in block.commands)


def printed(shown: list[Block], text: str) -> str:
    """What was printed, in the words of the page where these fit it."""
    outputs = iter(text.split(f"{END}\n"))
    found = []
    for block in shown:
        for command, wanted in block.commands:
            output = PATIENCE.sub("", next(outputs, ""))
            found.append(f"$ {command}\n{wanted if pattern(wanted).fullmatch(output) else output}\n")
    return "".join(found)


def pattern(output: str) -> re.Pattern[str]:
    lines = [
        r"(?:.*\n)*" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n"
        for line in output.strip("\n").splitlines()
    ]
    return re.compile("".join(lines) + r"\n*")


def furnished(place: Path) -> Path:
    """An empty directory that has the examples in it."""
    directory = place / "here"
    directory.mkdir()
    (directory / "docs").symlink_to(ROOT / "docs")
    return directory


def environment(place: Path) -> dict[str, str]:
    return {
        "PATH": f"{Path(sys.executable).parent}:{SEARCH}",
        "HOME": str(place),
        "DOMTUNE_STATE_DIR": str(place / "state"),
        "DOMTUNE_CONFIG_DIR": str(place / "config"),
        "LANG": "C.UTF-8",
        "COLUMNS": "80",
    }


# Examples


def yaml(*, lists: bool) -> list[Block]:
    """The blocks that are lists, which are bindings; or those that are not, which are profiles."""
    found = [block for block in every("yaml") if block.text.startswith("- ") is lists]
    assert found
    return found


@pytest.mark.parametrize("block", yaml(lists=True), ids=names(yaml(lists=True)))
def test_bindings_are_good(block: Block) -> None:
    assert bindings.read(block.text, block.where)
    assert [] == faults(block.text, Draft202012Validator(binding_schema()))


@pytest.mark.parametrize("block", yaml(lists=False), ids=names(yaml(lists=False)))
def test_profiles_are_good(block: Block) -> None:
    read = profile.read(block.text, block.where)
    assert [] == judge(read.tuning)
    assert [] == faults(block.text, Draft202012Validator(profile_schema()))


@pytest.mark.parametrize("block", every("xml"), ids=names(every("xml")))
def test_xml_is_well_formed(block: Block) -> None:
    assert etree.fromstring(block.text) is not None


def test_each_example_of_a_parameter_is_a_line_of_a_profile() -> None:
    page = ROOT / "docs" / "reference" / "parameters.md"
    lines = re.findall(r"^- Example: `(.+)`$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert lines
    for line in lines:
        read = profile.read(f"profile: example\nset:\n  {line}\n", line)
        assert [] == judge(read.tuning)


# Links


@pytest.mark.parametrize("page", LINKED, ids=names(LINKED))
def test_links_lead_somewhere(page: Path) -> None:
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    targets = [target for target in LINK.findall(text) if "://" not in target]
    assert [] == [target for target in targets if not leads(page, target)]


def test_every_page_is_linked() -> None:
    linked = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in LINKED
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in target and not target.startswith("#")
    }
    assert [] == [name for page, name in zip(PAGES[1:], names(PAGES[1:]), strict=True) if page not in linked]


def leads(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    there = page.parent / path if path else page
    if not anchor:
        return there.exists()
    headings = re.findall(r"^#+ (.+)$", CODE.sub("", there.read_text(encoding="utf-8")), re.MULTILINE)
    return there.is_file() and anchor in {markdown.anchor(heading) for heading in headings}


# The generated reference


def test_the_reference_is_fresh() -> None:
    assert [] == docs.stale(ROOT), "run `make regenerate` and read the diff"


MANUAL = sorted((ROOT / "man").glob("*"))
LINTERS = {
    "groff": "-man -ww -z -T utf8",
    "mandoc": "-T lint -W warning",
    "man": "--warnings -E UTF-8 -Tutf8 -Z --local-file",
}


@pytest.mark.parametrize("page", MANUAL, ids=names(MANUAL))
@pytest.mark.parametrize("linter", LINTERS)
def test_manual_pages_are_well_formed(linter: str, page: Path) -> None:
    if shutil.which(linter) is None:
        pytest.skip(f"{linter} is not installed")
    done = subprocess.run(
        [linter, *LINTERS[linter].split(), page], capture_output=True, text=True, check=False, encoding="utf-8"
    )
    said = done.stderr + (done.stdout if linter == "mandoc" else "")
    assert [] == [line for line in said.splitlines() if "missing date" not in line]


def test_manual_pages_are_installed() -> None:
    targets = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    shared = {f"man/{page.name}": f"share/man/man{page.suffix[1:]}/{page.name}" for page in MANUAL}
    assert shared == targets["wheel"]["shared-data"]


@pytest.mark.parametrize(("words", "code"), [(["--check"], 0), ([], 2), (["--help"], 2)])
def test_the_pages_are_looked_at_by_a_command(words: list[str], code: int) -> None:
    done = subprocess.run([sys.executable, "-m", "domtune.docs", *words], capture_output=True, text=True, check=False)
    assert code == done.returncode, done.stderr


def test_what_is_stale_or_left_over_is_named(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    for source in ("cases/errors", "catalogue"):
        shutil.copytree(ROOT / "tests" / source, tmp_path / "tests" / source)
    docs.write(tmp_path)
    assert [] == docs.stale(tmp_path)
    (tmp_path / "man" / "domtune.1").write_text("")
    (tmp_path / "docs" / "reference" / "schema" / "gone.json").write_text("{}")
    said = [f"{Path('man/domtune.1')}: stale", f"{Path('docs/reference/schema/gone.json')}: nothing makes it any more"]
    assert said == docs.stale(tmp_path)
    docs.write(tmp_path)
    assert [] == docs.stale(tmp_path)
