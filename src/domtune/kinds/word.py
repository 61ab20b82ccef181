"""Words: one of a few, free text, and what is only there or not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from domtune.kinds.shape import DEFAULT, Value, join

_YES, _NO = ("yes", "true", "on"), ("no", "false", "off")


@dataclass(frozen=True, slots=True)
class Enum:
    """One word of a few."""

    words: tuple[str, ...]
    name: ClassVar[str] = "enum"

    def parse(self, text: str, unit: str | None = None) -> Value:
        """Return the word."""
        if unit is not None or text not in self.words:
            raise ValueError(f"{text!r} is none of {', '.join(self.words)}{self._meant(text)}")
        return text

    def judge(self, text: str, unit: str | None = None) -> None:
        """Refuse other words."""
        self.parse(text, unit)

    def written(self, said: str) -> tuple[str, str | None]:
        """Return the word itself."""
        return str(self.parse(said)), None

    def said(self, text: str, unit: str | None) -> str | None:
        """Say the word, unless the profile's grammar takes it for something else."""
        return text if unit is None and text in self.words and text != DEFAULT else None

    def describe(self) -> str:
        """Return the words."""
        return " | ".join(self.words)

    def _meant(self, text: str) -> str:
        """Say which word means the same, as there are several for yes and no."""
        alike = next((words for words in (_YES, _NO) if text.lower() in words), ())
        return next((f"; say {word}" for word in self.words if word in alike), "")


ON_OFF = Enum(("on", "off"))
YES_NO = Enum(("yes", "no"))


@dataclass(frozen=True, slots=True)
class Text:
    """Free text: a path, a name."""

    pattern: str = r".+"
    what: str = "text"
    name: ClassVar[str] = "text"

    def parse(self, text: str, unit: str | None = None) -> Value:
        """Return the text."""
        if unit is not None:
            raise ValueError(f"{join(text, unit)!r} has a unit")
        return text

    def judge(self, text: str, unit: str | None = None) -> None:
        """Refuse text that is not of this form."""
        if unit is not None or not re.fullmatch(self.pattern, text, re.DOTALL):
            raise ValueError(f"{text!r} is not {self.what}")

    def written(self, said: str) -> tuple[str, str | None]:
        """Return the text itself."""
        return said, None

    def said(self, text: str, unit: str | None) -> str | None:
        """Say the text, unless the profile's grammar takes it for something else."""
        return None if unit is not None or text == DEFAULT or not text else text

    def describe(self) -> str:
        """Return what the text is."""
        return self.what


@dataclass(frozen=True, slots=True)
class Flag:
    """An element that only has to be there."""

    name: ClassVar[str] = "flag"

    def parse(self, text: str, unit: str | None = None) -> Value:
        """Return True: it is there."""
        if unit is not None or text != "true":
            raise ValueError(f"{join(text, unit)!r} is not true")
        return True

    def judge(self, text: str, unit: str | None = None) -> None:
        """Refuse anything but true."""
        self.parse(text, unit)

    def written(self, said: str) -> tuple[str, str | None]:
        """Only `true` can be written; to leave it out, say `default`."""
        if said != "true":
            way_out = "say true" if said.lower() in _YES else "to take it away say default"
            raise ValueError(f"{said!r}: this is there (true) or not; {way_out}")
        return said, None

    def said(self, text: str, unit: str | None) -> str | None:
        """Say true."""
        return text if unit is None and text == "true" else None

    def describe(self) -> str:
        """Return the only value."""
        return "true"
