"""One profile: a document of wishes and settings with a name. Read it with lines kept, judge it, write it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from domtune import wantset, yamlnodes
from domtune.errors import Invalid
from domtune.intents.model import Site, Want
from domtune.judge import judge
from domtune.profileset import Reading, document_of, order_hints
from domtune.together import contradictions
from domtune.tuning import Place, Setting, Tuning, Verbatim
from domtune.values import NAME
from domtune.vocabulary import PARAMS
from domtune.vocabulary.drivers import nearest_driver
from domtune.vocabulary.model import DRIVERS
from domtune.wantset import WantReading
from domtune.yamlnodes import Fault, Items, Map, Node, Scalar

_WORDS = ("profile", "summary", "inherits", "required", "want", "set", "when", "verbatim")
_BLOCKS = ("want", "set")
_CONDITIONS = ("driver", "host", "cgroup")
_PLACES = {str(place): place for place in Place}
_NO_VALUE = "no value; for the hypervisor's own say default, for no limit none"
_CONTENTS = ("xml", "text", "attributes", "keys")


@dataclass(frozen=True, slots=True)
class Block:
    """Wishes and settings that hold together, where the conditions are met."""

    wants: tuple[Want, ...] = ()
    settings: tuple[Setting, ...] = ()
    conditions: tuple[tuple[str, tuple[str, ...]], ...] = ()  # driver, host, cgroup: any of the values; all must be met
    line: int = 0
    verbatim: tuple[Verbatim, ...] = ()

    def holds(self, site: Site) -> bool:
        """Tell whether the conditions are met; one on what is not known is not."""
        return not self.unmet(site)

    def unmet(self, site: Site) -> list[str]:
        """Return the conditions that are not met, or on what is not known."""
        there = {"driver": site.driver, "host": site.host.name, "cgroup": str(site.host.cgroup or "")}
        return [word for word, values in self.conditions if not _any(word, values, there[word])]


@dataclass(frozen=True, slots=True)
class Profile:
    """A named document of tuning."""

    name: str
    summary: str = ""
    inherits: tuple[str, ...] = ()
    required: bool = False  # what cannot be done is an error before anything starts
    tuning: Tuning = field(default_factory=Tuning)  # what it says exactly, whatever the driver and host
    source: str = ""
    wants: tuple[Want, ...] = ()
    when: tuple[Block, ...] = ()
    inherits_lines: tuple[int, ...] = field(default=(), compare=False)
    through: tuple[str, ...] = field(default=(), compare=False)  # the names of those that inherit it, nearest first

    @property
    def called(self) -> str:
        """Its name, with the names of those through which it was inherited."""
        return ", inherited by ".join((self.name, *self.through))

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All it says, in order: the later lies over the earlier."""
        return (Block(self.wants, self.tuning.settings, verbatim=self.tuning.verbatim), *self.when)


def _any(word: str, values: tuple[str, ...], there: str) -> bool:
    """Tell whether a value is what is there; the name of a host may be a pattern."""
    return any(
        fnmatchcase(there.casefold(), value.casefold()) if word == "host" and there else there == value
        for value in values
    )


def read(text: str, source: str, *, judged: bool = False) -> Profile:
    """Read a profile document; raise `Invalid` with every fault in it, each with its line.

    Values need only have a meaning, so that what split wrote can always be read; `judged` asks `judge` as well.
    """
    problems: list[str] = []
    profile = parse(text, source, problems, judged=judged)
    if problems:
        raise Invalid(problems)
    return profile


def parse(text: str, source: str, problems: list[str], *, judged: bool = False) -> Profile:
    """Return what can be read of a profile, and add its faults to `problems`; raise `Invalid` if it is no document."""
    faults: list[Fault] = []
    node = yamlnodes.read(text, source, faults)
    torn = [_in_words(fault).said(source) for fault in faults]
    if not isinstance(node, Map):
        line = 1 if node is None else node.line
        raise Invalid(torn or [f"{source}:{line}: not a profile: it must start with `profile: NAME`"])
    problems += torn
    return _Document(source, node, problems, is_torn=bool(torn)).profile(judged=judged)


def _in_words(fault: Fault) -> Fault:
    """Return a fault of YAML as a profile names its place, and with the words that a profile has."""
    words = [word.removesuffix("!") for word in fault.path]
    in_case = words[:1] == ["when"] and len(words) > 1
    if in_case:
        words = words[1:]
    if words[:1] not in (["want"], ["set"]) or len(words) == 1:
        return fault._replace(path=("when: " * in_case + ".".join(words),))
    ends = (end for end in range(len(words), 1, -1) if ".".join(words[1:end]) in PARAMS)
    end = next(ends, len(words))
    name = ".".join(words[1:end]) + "".join(f"[{key}]" for key in words[end:])
    return fault._replace(path=(name,), reason=_NO_VALUE if fault.reason == yamlnodes.NO_VALUE else fault.reason)


def write(profile: Profile) -> str:
    """Return the profile as a document that `read` gives back."""
    document: dict[str, object] = {"profile": profile.name}
    if profile.summary:
        document["summary"] = profile.summary
    if profile.inherits:
        document["inherits"] = list(profile.inherits)
    if profile.required:
        document["required"] = "true"
    document |= _block_out(profile.wants, profile.tuning.settings)
    if profile.when:
        document["when"] = [_case_out(block) for block in profile.when]
    if pieces := [*order_hints(profile.tuning.settings), *profile.tuning.verbatim]:
        document["verbatim"] = [_piece_out(piece) for piece in pieces]
    return yamlnodes.write(document)


def _block_out(wants: Sequence[Want], settings: Sequence[Setting]) -> dict[str, object]:
    said: dict[str, object] = {"want": wantset.document_of(wants)} if wants else {}
    return said | ({"set": document_of(settings)} if settings else {})


def _case_out(block: Block) -> dict[str, object]:
    conditions = {word: values[0] if len(values) == 1 else list(values) for word, values in block.conditions}
    return {**conditions, **_block_out(block.wants, block.settings)}


class _Document:
    def __init__(self, source: str, node: Map, problems: list[str], *, is_torn: bool) -> None:
        self.source = source
        self.is_torn = is_torn  # what is missing may have been left out as a fault of YAML
        self.node = node
        self.problems = problems
        self.found = {key.text: value for key, value in node.items}

    def profile(self, *, judged: bool) -> Profile:
        for key, _ in self.node.items:
            if key.text not in _WORDS:
                self._wrong(key.line, key.text, f"no word of a profile; the words are {', '.join(_WORDS)}")
        if "profile" not in self.found and not self.is_torn:
            self._wrong(self.node.line, "profile", "the name is missing; start with `profile: NAME`")
        main = self._block(self.found)
        profile = Profile(
            self._name(),
            self._text("summary"),
            self._names("inherits"),
            self._truth("required"),
            Tuning(main.settings, tuple(self._pieces())),
            self.source,
            main.wants,
            tuple(self._cases()),
            self._lines("inherits"),
        )
        whole = not self.problems  # else what is missing may only have been said wrongly
        if judged:
            for block in profile.blocks:
                self.problems += [*wantset.judge(block.wants), *judge(Tuning(block.settings))]
                self.problems += contradictions(block.settings) if whole else ()
        return profile

    def _block(self, found: Mapping[str, Node]) -> Block:
        """Read `want` and `set` of the document or of one case."""
        wants, settings = WantReading(self.source, self.problems), Reading(self.source, self.problems)
        if "want" in found:
            wants.block(found["want"])
        if "set" in found:
            settings.block(found["set"])
        self.problems += wantset.clashes(wants.wants, settings.settings)
        return Block(tuple(wants.wants), tuple(settings.settings))

    def _cases(self) -> Iterator[Block]:
        node = self.found.get("when")
        if node is None:
            return
        if not isinstance(node, Items):
            self._wrong(node.line, "when", "must be a list of maps such as - {driver: xen, set: {…}}")
            return
        for item in node.items:
            if isinstance(item, Map):
                yield self._case(item)
            else:
                self._wrong(item.line, "when", "must be a map of conditions and of what holds then")

    def _case(self, node: Map) -> Block:
        found = {key.text: value for key, value in node.items}
        for key, _ in node.items:
            if key.text not in (*_CONDITIONS, *_BLOCKS):
                words = ", ".join((*_CONDITIONS, *_BLOCKS))
                self._wrong(key.line, f"when: {key.text}", f"no word of a condition; the words are {words}")
        if not found.keys() & set(_CONDITIONS) and not self.is_torn:
            self._wrong(node.line, "when", f"has no condition; say one of {', '.join(_CONDITIONS)}")
        conditions = tuple((word, self._values(word, found[word])) for word in _CONDITIONS if word in found)
        faults = len(self.problems)
        block = self._block(found)
        if not block.wants and not block.settings and len(self.problems) == faults and not self.is_torn:
            self._wrong(node.line, "when", "says nothing of what holds then; add want: or set:")
        return replace(block, conditions=conditions, line=node.line)

    def _values(self, word: str, node: Node) -> tuple[str, ...]:
        """Read the value of a condition, or a list of which any will do."""
        items = node.items if isinstance(node, Items) else (node,)
        values = tuple(item.text for item in items if isinstance(item, Scalar))
        known = {"driver": tuple(DRIVERS), "cgroup": ("1", "2")}.get(word)
        if isinstance(node, Map) or len(values) != len(items) or not values:
            self._wrong(node.line, f"when: {word}", "must be a value or a list of values")
        for value in values:
            if known and value not in known:
                close = nearest_driver(value) if word == "driver" else ""
                way_out = f"; did you mean {close}?" if close else ""
                self._wrong(node.line, f"when: {word}", f"{value!r} is none of {', '.join(known)}{way_out}")
        return values

    def _text(self, word: str) -> str:
        node = self.found.get(word)
        if node is not None and not isinstance(node, Scalar):
            self._wrong(node.line, word, "must be one line of text")
            return ""
        return "" if node is None else node.text

    def _truth(self, word: str) -> bool:
        text = self._text(word)
        if text not in {"", "true", "false"}:
            meant = {"yes": "; say true", "on": "; say true", "no": "; say false", "off": "; say false"}
            self._wrong(self.found[word].line, word, f"{text!r} is neither true nor false{meant.get(text.lower(), '')}")
        return text == "true"

    def _name(self) -> str:
        text = self._text("profile")
        if isinstance(node := self.found.get("profile"), Scalar) and not NAME.fullmatch(text):
            reason = "is no name; a name is one word of letters, digits, ., _ and -, and begins with none of . and -"
            self._wrong(node.line, "profile", f"{text!r} {reason}")
        return text

    def _names(self, word: str) -> tuple[str, ...]:
        node = self.found.get(word)
        if node is None:
            return ()
        items = node.items if isinstance(node, Items) else (node,)
        names = tuple(item.text for item in items if isinstance(item, Scalar))
        if isinstance(node, Map) or len(names) != len(items):
            self._wrong(node.line, word, "must be a list of profile names")
        for item in items:
            if isinstance(item, Scalar) and item.text == "-":
                self._wrong(item.line, word, "standard input cannot be inherited; give a name or a path")
        return names

    def _lines(self, word: str) -> tuple[int, ...]:
        node = self.found.get(word)
        items = node.items if isinstance(node, Items) else (node,)
        return tuple(item.line for item in items if isinstance(item, Scalar))

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
    """Return a profile that holds this tuning, called as much like this as a name can be."""
    fitting = re.sub(r"[^\w.-]+", "-", name).lstrip("-.").rstrip("-")
    return Profile(fitting or "tuning", summary, tuning=settings)
