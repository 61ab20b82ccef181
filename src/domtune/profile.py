"""One profile: a document of settings with a name. Read it with lines kept, judge it, write it."""

from __future__ import annotations

from dataclasses import dataclass, field

from domtune import yamlnodes
from domtune.errors import Invalid
from domtune.judge import judge
from domtune.profileset import Reading, document_of, order_hints
from domtune.tuning import Place, Tuning, Verbatim
from domtune.yamlnodes import Items, Map, Node, Scalar

_LATER = {
    "want": "portable wishes are not read yet; say exact parameters under set:",
    "when": "conditions are not read yet; use one profile for each driver or host",
}
_WORDS = ("profile", "summary", "inherits", "required", "set", "verbatim")
_PLACES = {str(place): place for place in Place}
_CONTENTS = ("xml", "text", "attributes", "keys")


@dataclass(frozen=True, slots=True)
class Profile:
    """A named document of tuning."""

    name: str
    summary: str = ""
    inherits: tuple[str, ...] = ()
    required: bool = False  # what cannot be done is an error before anything starts
    tuning: Tuning = field(default_factory=Tuning)
    source: str = ""


def read(text: str, source: str, *, judged: bool = False) -> Profile:
    """Read a profile document; raise `Invalid` with every fault in it, each with its line.

    Values need only have a meaning, so that what split wrote can always be read; `judged` asks `judge` as well.
    """
    node = yamlnodes.read(text, source)
    if not isinstance(node, Map):
        line = 1 if node is None else node.line
        raise Invalid(f"{source}:{line}: not a profile: it must start with `profile: NAME`")
    return _Document(source, node, judged=judged).profile()


def write(profile: Profile) -> str:
    """Return the profile as a document that `read` gives back."""
    document: dict[str, object] = {"profile": profile.name}
    if profile.summary:
        document["summary"] = profile.summary
    if profile.inherits:
        document["inherits"] = list(profile.inherits)
    if profile.required:
        document["required"] = "true"
    if profile.tuning.settings:
        document["set"] = document_of(profile.tuning.settings)
    if pieces := [*order_hints(profile.tuning.settings), *profile.tuning.verbatim]:
        document["verbatim"] = [_piece_out(piece) for piece in pieces]
    return yamlnodes.write(document)


class _Document:
    def __init__(self, source: str, node: Map, *, judged: bool) -> None:
        self.source = source
        self.judged = judged
        self.node = node
        self.problems: list[str] = []
        self.found = {key.text: value for key, value in node.items}

    def profile(self) -> Profile:
        for key, _ in self.node.items:
            if key.text in _LATER:
                self._wrong(key.line, key.text, _LATER[key.text])
            elif key.text not in _WORDS:
                self._wrong(key.line, key.text, f"no word of a profile; the words are {', '.join(_WORDS)}")
        if "profile" not in self.found:
            self._wrong(self.node.line, "profile", "the name is missing; start with `profile: NAME`")
        reading = Reading(self.source, self.problems)
        if "set" in self.found:
            reading.block(self.found["set"])
        profile = Profile(
            self._text("profile"),
            self._text("summary"),
            self._names("inherits"),
            self._truth("required"),
            Tuning(tuple(reading.settings), tuple(self._pieces())),
            self.source,
        )
        if self.judged:
            self.problems += judge(profile.tuning)
        if self.problems:
            raise Invalid(self.problems)
        return profile

    def _text(self, word: str) -> str:
        node = self.found.get(word)
        if node is not None and not isinstance(node, Scalar):
            self._wrong(node.line, word, "must be one line of text")
            return ""
        return "" if node is None else node.text

    def _truth(self, word: str) -> bool:
        text = self._text(word)
        if text not in {"", "true", "false"}:
            self._wrong(self.found[word].line, word, f"{text!r} is neither true nor false")
        return text == "true"

    def _names(self, word: str) -> tuple[str, ...]:
        node = self.found.get(word)
        if node is None:
            return ()
        items = node.items if isinstance(node, Items) else (node,)
        names = tuple(item.text for item in items if isinstance(item, Scalar))
        if isinstance(node, Map) or len(names) != len(items):
            self._wrong(node.line, word, "must be a list of profile names")
        return names

    def _pieces(self) -> list[Verbatim]:
        node = self.found.get("verbatim")
        if node is None:
            return []
        if not isinstance(node, Items):
            self._wrong(node.line, "verbatim", "must be a list of pieces as split wrote them")
            return []
        return [piece for item in node.items if (piece := self._piece(item))]

    def _piece(self, node: Node) -> Verbatim | None:
        words = {key.text: value for key, value in node.items} if isinstance(node, Map) else {}
        places = [word for word in words if word in _PLACES]
        contents = [word for word in words if word in _CONTENTS]
        if len(words) != len(places) + len(contents) or not len(places) == len(contents) == 1:
            said = f"a piece has one of {', '.join(_PLACES)} and one of {', '.join(_CONTENTS)}"
            self._wrong(node.line, "verbatim", said)
            return None
        path, value = words[places[0]], words[contents[0]]
        content = _content(contents[0], value)
        if not isinstance(path, Scalar) or content is None or (places[0] == Place.ORDER) != (contents[0] == "keys"):
            said = "place, xml and text must be text, attributes a map of text, keys a list and for an order only"
            self._wrong(node.line, "verbatim", said)
            return None
        return content._replace(place=_PLACES[places[0]], path=path.text)

    def _wrong(self, line: int, name: str, reason: str) -> None:
        self.problems.append(f"{self.source}:{line}: {name}: {reason}")


def _content(word: str, value: Node) -> Verbatim | None:
    """Return what a verbatim piece holds, in no place yet."""
    nowhere = Verbatim(Place.ON, "")
    if word == "attributes" and isinstance(value, Map):
        pairs = tuple((key.text, each.text) for key, each in value.items if isinstance(each, Scalar))
        return nowhere._replace(attributes=pairs) if len(pairs) == len(value.items) else None
    if word == "keys" and isinstance(value, Items):
        keys = tuple(item.text for item in value.items if isinstance(item, Scalar))
        return nowhere._replace(keys=keys) if len(keys) == len(value.items) else None
    if word in {"xml", "text"} and isinstance(value, Scalar):
        return nowhere._replace(xml=value.text) if word == "xml" else nowhere._replace(text=value.text)
    return None


def _piece_out(piece: Verbatim) -> dict[str, object]:
    content: dict[str, object] = {"attributes": dict(piece.attributes)} if piece.attributes else {}
    content |= {"xml": piece.xml} if piece.xml else {}
    content |= {"text": piece.text} if piece.text else {}
    content |= {"keys": list(piece.keys)} if piece.keys else {}
    return {str(piece.place): piece.path, **content}


def named(name: str, settings: Tuning, *, summary: str = "") -> Profile:
    """Return a profile that holds this tuning."""
    return Profile(name, summary, tuning=settings)
