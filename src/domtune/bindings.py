"""Bindings: which profiles hold for which domains, hypervisors and hosts. Read a file of them, match them.

    - match: {name: web*, driver: qemu}
      profiles: [latency, disks.yaml]

All words of `match` must match, and of a list in one of them any; an entry without `match` holds for every domain.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from domtune import yamlnodes
from domtune.errors import Invalid
from domtune.layers import ORDER, Scope
from domtune.tree import Element
from domtune.vocabulary.drivers import DRIVERS, nearest_driver
from domtune.yamlnodes import Fault, Items, Map, Node, Scalar

WORDS = ("scope", "match", "profiles", "policy")
SCOPES = tuple(scope for scope in Scope if scope not in {Scope.STORED, Scope.COMMAND})
# The words of `match`, and the scope of an entry that does not say one: that of its narrowest word.
MATCH_WORDS = {
    "name": Scope.DOMAIN,
    "uuid": Scope.DOMAIN,
    "title": Scope.DOMAIN,
    "driver": Scope.HYPERVISOR,
    "host": Scope.HOST,
    "metadata": Scope.DOMAIN,
}
METADATA_WORDS = ("namespace", "path", "value")
EVERYTHING = "every domain"
_RANGE = re.compile(r".-.", re.DOTALL)
_PATH = re.compile(r"(?:[^\W\d][\w.-]*(?:/[^\W\d][\w.-]*)*(?:/@[^\W\d][\w.-]*)?|@[^\W\d][\w.-]*)")


class Policy(StrEnum):
    """What a binding asks for. Until something keeps watch over running domains, the first two are the same."""

    ENFORCE = "enforce"
    REPORT = "report"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Metadata:
    """Something in a domain's metadata."""

    namespace: str
    path: str = ""  # below the elements of that namespace; "" is these themselves
    value: str = ""  # a glob; "" takes any


@dataclass(frozen=True, slots=True)
class Match:
    """What a domain and the place it runs in must be; a word that is empty asks for nothing."""

    name: tuple[str, ...] = ()  # globs
    uuid: tuple[str, ...] = ()  # as libvirt spells them
    title: tuple[str, ...] = ()  # globs
    driver: tuple[str, ...] = ()
    host: tuple[str, ...] = ()  # globs for its name, or UUIDs
    metadata: tuple[Metadata, ...] = ()


@dataclass(frozen=True, slots=True)
class Binding:
    """The profiles that hold for whatever matches, in their order: the later wins."""

    scope: Scope
    match: Match
    profiles: tuple[str, ...]
    policy: Policy = Policy.ENFORCE
    source: str = ""
    line: int = 0  # 0 where there are no lines
    why: str = ""  # of what is bound to one domain without a match: where that is

    @property
    def origin(self) -> str:
        """Where it was said."""
        return f"{self.source}:{self.line}" if self.line else self.source

    @property
    def own(self) -> bool:
        """Whether it is of one very domain: what that carries, what is bound beside it, or of its UUID alone."""
        return self.scope is Scope.DOMAIN and (bool(self.why) or len(self.match.uuid) == 1)

    @property
    def asks_for_host_uuid(self) -> bool:
        """Whether the host's UUID must be known to match it."""
        return any(as_uuid(each) for each in self.match.host)


@dataclass(frozen=True, slots=True)
class Subject:
    """A domain, and where it runs."""

    name: str
    uuid: str = ""
    title: str = ""
    driver: str = ""
    host: str = ""
    host_uuid: str = ""
    metadata: Element | None = None


def subject(root: Element, *, driver: str = "", host: str = "", host_uuid: str = "") -> Subject:
    """Return what a domain's XML says of it."""
    name, identity, title = ((root.findtext(word) or "").strip() for word in ("name", "uuid", "title"))
    return Subject(name, as_uuid(identity), title, driver, host, host_uuid, root.find("metadata"))


def as_uuid(text: str) -> str:
    """Return a UUID as libvirt spells it, "" if it is none."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return ""


# Matching


def matches(binding: Binding, subject: Subject) -> str:
    """Return why a binding holds for a domain, in words; "" if it does not. The policy plays no part."""
    match = binding.match
    asked: list[tuple[Sequence[object], Iterator[str]]] = [
        (match.name, (_like("name", subject.name, each) for each in match.name)),
        (match.uuid, (_same("UUID", subject.uuid, each) for each in match.uuid)),
        (match.title, (_like("title", subject.title, each) for each in match.title)),
        (match.driver, (_same("driver", subject.driver, each) for each in match.driver)),
        (match.host, (_runs_on(subject, each) for each in match.host)),
        (match.metadata, (_carries(subject.metadata, each) for each in match.metadata)),
    ]
    reasons = [next(filter(None, found), "") for wanted, found in asked if wanted]
    if not all(reasons):
        return ""
    return ", ".join(reasons) or binding.why or EVERYTHING


def describe(match: Match) -> str:
    """Return what a binding asks for in words."""
    metadata = (
        f"metadata {' '.join(filter(None, (each.namespace, each.path, each.value)))}" for each in match.metadata
    )
    words = [
        f"{word} {' or '.join(found)}"
        for word in ("name", "uuid", "title", "driver", "host")
        if (found := getattr(match, word))
    ]
    return ", ".join([*words, *filter(None, [" or ".join(metadata)])]) or EVERYTHING


def _same(what: str, found: str, wanted: str) -> str:
    return f"{what} is {found}" if found == wanted else ""


def _like(what: str, found: str, pattern: str) -> str:
    if not fnmatchcase(found, pattern):
        return ""
    return f"{what} {found} matches {pattern}" if set("*?[") & set(pattern) else f"{what} is {found}"


def _runs_on(subject: Subject, wanted: str) -> str:
    """Match a host by UUID or name; names of hosts are the same in any case (RFC 4343)."""
    if identity := as_uuid(wanted):
        return _same("host UUID", subject.host_uuid, identity)
    return _like("host", subject.host.lower(), wanted.lower())


def _carries(metadata: Element | None, wanted: Metadata) -> str:
    what = " ".join(filter(None, ("metadata", wanted.namespace, wanted.path)))
    for value in _values(metadata, wanted):
        if not wanted.value:
            return f"{what} is there"
        if why := _like(what, value, wanted.value):
            return why
    return ""


def _values(metadata: Element | None, wanted: Metadata) -> Iterator[str]:
    """Give the texts and attributes at a path; elements on it may be of any namespace."""
    *steps, last = wanted.path.split("/")
    attribute = last[1:] if last.startswith("@") else ""
    path = "/".join(f"{{*}}{step}" for step in (steps if attribute else [*steps, last]) if step)
    for top in () if metadata is None else metadata.iterchildren("*"):
        if str(top.tag).rpartition("}")[0] != f"{{{wanted.namespace}":  # in a pattern of lxml * is any namespace
            continue
        for element in top.iterfind(path) if path else (top,):
            value = element.get(attribute) if attribute else element.text or ""
            if value is not None:
                yield value.strip()


# Reading


def read(text: str, source: str) -> list[Binding]:
    """Read a file of bindings; raise `Invalid` with every fault in it, each with its line."""
    faults: list[Fault] = []
    node = yamlnodes.read(text, source, faults)
    reading = _Reading(source, [fault.said(source) for fault in faults])
    if node is None and not faults:  # nothing, or nothing but comments
        return []
    if not isinstance(node, Items):
        line = 1 if node is None else node.line
        reason = f"{source}:{line}: not bindings: it must be a list; begin each entry with `- `"
        raise Invalid(reading.problems or [reason])
    found = [reading.binding(item) for item in node.items]
    if reading.problems:
        raise Invalid(reading.problems)
    return found


class _Reading:
    def __init__(self, source: str, problems: list[str]) -> None:
        self.source = source
        self.problems = problems
        self.is_torn = bool(problems)  # what is missing may have been left out as a fault of YAML

    def binding(self, node: Node) -> Binding:
        found = self._map(node, "a binding", WORDS)
        match, said = self._match(found["match"]) if "match" in found else (Match(), [])
        scope = self._scope(found["scope"]) if "scope" in found else None
        policy = self._policy(found["policy"]) if "policy" in found else Policy.ENFORCE
        profiles: tuple[str, ...] = ()
        if "profiles" in found:
            profiles = self._profiles(found["profiles"])
        elif isinstance(node, Map) and not self.is_torn:
            self._wrong(node.line, "profiles", "missing; name those that hold")
        return Binding(scope or _scope_of(said), match, profiles, policy, self.source, node.line)

    def _scope(self, node: Node) -> Scope | None:
        text = node.text if isinstance(node, Scalar) else ""
        if text in SCOPES:
            return Scope(text)
        if text in (Scope.STORED, Scope.COMMAND):
            self._wrong(node.line, "scope", f"nothing can be bound to the {text}; say one of {', '.join(SCOPES)}")
        else:
            self._wrong(node.line, "scope", f"{_shown(node)} is none of {', '.join(SCOPES)}")
        return None

    def _policy(self, node: Node) -> Policy:
        text = node.text if isinstance(node, Scalar) else ""
        if text not in list(Policy):
            self._wrong(node.line, "policy", f"{_shown(node)} is none of {', '.join(Policy)}")
            return Policy.ENFORCE
        return Policy(text)

    def _profiles(self, node: Node) -> tuple[str, ...]:
        names: list[str] = []
        for each in self._texts(node, "profiles", "must be a list of names and paths of profiles"):
            if each.text == "-":
                self._wrong(each.line, "profiles", "standard input cannot be bound; give a name or a path")
            elif each.text in names:
                self._wrong(each.line, "profiles", f"{each.text}: named twice; keep one")
            names.append(each.text)
        return tuple(names)

    def _match(self, node: Node) -> tuple[Match, list[str]]:
        """Return what must match, and the words that were said."""
        found = self._map(node, "match", tuple(MATCH_WORDS))
        texts = {word: self._patterns(word, value) for word, value in found.items() if word != "metadata"}
        metadata = self._metadata(found["metadata"]) if "metadata" in found else ()
        return Match(**texts, metadata=metadata), list(found)

    def _patterns(self, word: str, node: Node) -> tuple[str, ...]:
        texts = self._texts(node, f"match.{word}", "must be a text, or a list of texts of which any may match")
        if word == "uuid":
            return tuple(self._uuid(each) for each in texts)
        if word == "driver":
            return tuple(self._driver(each) for each in texts)
        for each in texts:
            self._glob(f"match.{word}", each)
        return tuple(as_uuid(each.text) or each.text for each in texts) if word == "host" else _plain(texts)

    def _glob(self, name: str, node: Scalar) -> None:
        if reason := _wrong_glob(node.text):
            self._wrong(node.line, name, f"{node.text!r} {reason}")

    def _uuid(self, node: Scalar) -> str:
        if not as_uuid(node.text):
            self._wrong(node.line, "match.uuid", f"{node.text!r} is no UUID; `virsh domuuid NAME` prints it")
        return as_uuid(node.text)

    def _driver(self, node: Scalar) -> str:
        if node.text not in DRIVERS:
            close = nearest_driver(node.text)
            way_out = f"did you mean {close}?" if close else f"the drivers are {', '.join(DRIVERS)}"
            self._wrong(node.line, "match.driver", f"{node.text!r} is no driver; {way_out}")
        return node.text

    def _metadata(self, node: Node) -> tuple[Metadata, ...]:
        items = node.items if isinstance(node, Items) else (node,)
        if not items:
            self._wrong(node.line, "match.metadata", "the list is empty and matches nothing; leave it out or fill it")
        return tuple(self._one_metadata(each) for each in items)

    def _one_metadata(self, node: Node) -> Metadata:
        found = self._map(node, "match.metadata", METADATA_WORDS)
        said = {}
        for word, value in found.items():
            said[word] = value.text if isinstance(value, Scalar) else ""
            if not said[word]:
                self._wrong(value.line, f"match.metadata.{word}", "must be a text")
        if isinstance(node, Map) and "namespace" not in found and not self.is_torn:
            reason = "the namespace is missing; give the URI behind xmlns"
            self._wrong(node.line, "match.metadata", reason)
        if any(letter in said.get("namespace", "") for letter in "{}"):
            reason = f"{said['namespace']!r} is no URI; give it as xmlns does, without braces"
            self._wrong(found["namespace"].line, "match.metadata.namespace", reason)
        if isinstance(glob := found.get("value"), Scalar):
            self._glob("match.metadata.value", glob)
        path = said.get("path", "")
        if path and not _PATH.fullmatch(path):
            reason = f"{path!r} is no path; name elements and at last an attribute, as in flavor/@name"
            self._wrong(found["path"].line, "match.metadata.path", reason)
        return Metadata(said.get("namespace", ""), path, said.get("value", ""))

    def _map(self, node: Node, what: str, words: Sequence[str]) -> dict[str, Node]:
        """Return the values of a map by its words; others are faults."""
        if not isinstance(node, Map):
            self._wrong(node.line, what, f"must be a map of {', '.join(words)}")
            return {}
        prefix = f"{what}." if what.startswith("match") else ""
        for key, _ in node.items:
            if key.text not in words:
                reason = f"no word of {what}; the words are {', '.join(words)}"
                self._wrong(key.line, f"{prefix}{key.text}", reason)
        return {key.text: value for key, value in node.items if key.text in words}

    def _texts(self, node: Node, name: str, rule: str) -> list[Scalar]:
        """Return the texts of a list, or the one text that stands in place of it."""
        items = node.items if isinstance(node, Items) else (node,)
        if not items:
            self._wrong(node.line, name, "the list is empty and matches nothing; leave it out or fill it")
        for item in items:
            if not isinstance(item, Scalar) or not item.text:
                self._wrong(item.line, name, rule)
        return [item for item in items if isinstance(item, Scalar) and item.text]

    def _wrong(self, line: int, name: str, reason: str) -> None:
        self.problems.append(f"{self.source}:{line}: {name}: {reason}")


def _scope_of(words: Sequence[str]) -> Scope:
    """Return the scope of an entry that does not say one."""
    scopes = [MATCH_WORDS[word] for word in words]
    return max(scopes, key=ORDER.__getitem__, default=Scope.SITE)


def _wrong_glob(pattern: str) -> str:
    """Say what is wrong with a glob, "" if nothing is: fnmatch takes everything, and matches nothing by it."""
    at = pattern.find("[")
    while at >= 0:
        end = pattern.find("]", at + 3 if pattern[at + 1 : at + 2] == "!" else at + 2)
        if end < 0:
            return "has a [ without a ]; for the letter itself say [[]"
        if odd := next((pair for pair in _RANGE.findall(pattern, at + 1, end) if pair[0] > pair[2]), ""):
            return f"has {odd}, which runs backwards"
        at = pattern.find("[", end)
    return ""


def _shown(node: Node) -> str:
    return repr(node.text) if isinstance(node, Scalar) else "what is no text"


def _plain(texts: Sequence[Scalar]) -> tuple[str, ...]:
    return tuple(each.text for each in texts)
