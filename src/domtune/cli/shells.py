"""How shells ask for words: click's own protocol, and its scripts, except for bash and a word of that for fish.

Bash parts the line at ``:`` and ``=`` into words, so that `-c qemu:///system` is three of them, and click's script
drops names as soon as files could stand there too. So bash gets a script of ours.
"""

from __future__ import annotations

import os
import re

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    add_completion_class,
    get_completion_class,
    shell_complete,
    split_arg_string,
)

NAME = "domtune"
VARIABLE = "_DOMTUNE_COMPLETE"
SHELLS = ("bash", "zsh", "fish")
_SPECIAL = re.compile(r"[^\w@%+=:,./-]")

# COMP_WORDS is the line up to the cursor, COMP_CWORD the last word of it as bash parts words.
_BASH = r"""%(complete_func)s() {
    local response type value word=${COMP_WORDS[COMP_CWORD]}
    response=$(env COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_CWORD="$word" \
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
    while IFS=, read -r type value; do
        case $type in
            plain) COMPREPLY+=("$value") ;;
            file)
                compopt -o filenames
                mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
                ;;
        esac
    done <<< "$response"
}

complete -F %(complete_func)s %(prog_name)s
"""


class Bash(BashComplete):
    """Bash, with the line as it was typed."""

    source_template = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one that is completed, and that one."""
        line = os.environ["COMP_WORDS"]
        words = split_arg_string(line)
        incomplete = words.pop() if words and not line[-1].isspace() else ""
        return words[1:], incomplete

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Return what completes bash's own last word, which may be but the end of ours."""
        found = super().get_completions(args, incomplete)
        word = os.environ["COMP_CWORD"]
        before = incomplete.removesuffix(word) if incomplete.endswith(word) else ""
        quoted = word[:1] in {"'", '"'} or any(item.type == "file" for item in found)  # then bash quotes itself
        for item in found:
            if item.type == "plain":
                rest = str(item.value).removeprefix(before)
                item.value = rest if quoted else _SPECIAL.sub(r"\\\g<0>", rest)
        return found


class Fish(FishComplete):
    """Fish, with what is said of a word also behind a comma in it."""

    source_template = FishComplete.source_template.replace('string split ","', 'string split --max 1 ","')


add_completion_class(Bash)
add_completion_class(Fish)


def script(command: click.Command, shell: str) -> str:
    """Return what a shell must read to complete words of this command."""
    shell_class = get_completion_class(shell)
    if shell_class is None:
        raise ValueError(f"{shell}: no such shell; they are {', '.join(SHELLS)}")
    return ShellComplete.source(shell_class(command, {}, NAME, VARIABLE))  # not BashComplete's, which runs bash


def answer(command: click.Command, instruction: str) -> int:
    """Print what a shell asks for; what fails prints nothing, since nobody wants messages amid a command line."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libraries of libvirt write there, too
    try:
        return shell_complete(command, {}, NAME, VARIABLE, instruction)
    except Exception:  # noqa: BLE001 - the same
        return 1
