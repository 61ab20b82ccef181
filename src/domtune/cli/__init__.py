"""The command line: a face. It reads arguments, calls the public functions, prints what they return."""

from __future__ import annotations


def main() -> None:
    """Run the command `domtune` and exit with its code."""
    try:
        from domtune.cli.group import leave, run  # noqa: PLC0415 - importing domtune.cli must cost nothing

        leave(run())
    except KeyboardInterrupt:  # while modules are loaded
        raise SystemExit(130) from None
