"""What domtune raises: one base class, one subclass for each thing a caller does differently."""

from __future__ import annotations

from collections.abc import Sequence


class Error(Exception):
    """Something was asked that cannot be done; the text says what, where, why, and the way out."""


class Invalid(Error):
    """What was given is wrong: XML, YAML, names, values.

    `problems` has one line for each fault, each of the form ``PLACE: NAME: reason; way out``, so that
    everything wrong with a document is said at once.
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class Refused(Error):
    """The request is well formed, but doing it now would lose or break something; nothing was changed."""


class NotFound(Error):
    """There is no such domain, profile, device or backup."""


class Unreachable(Error):
    """libvirt, the daemon or the host could not be reached, or rights are missing."""


class Failed(Error):
    """It was tried and did not work; the text says what state the domain was left in."""


class Unknown(Error):
    """It did not work, and taking it back did not either; the text says what the next command will try."""


class Interrupted(Error):
    """Ctrl-C or a signal ended the work; what had been begun was taken back."""
