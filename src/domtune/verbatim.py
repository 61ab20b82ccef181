"""Which verbatim pieces are tuning's to put back: a tuning file must not change what a machine is."""

from __future__ import annotations

from functools import lru_cache

from domtune import tree
from domtune.trie import Node, trie
from domtune.tuning import Place, Verbatim
from domtune.vocabulary.path import Owner

_OURS = {Owner.OURS, Owner.SHARED}
_NEIGHBOURS = {Place.AFTER, Place.BEFORE}  # the path names a neighbour, not the parent


def belongs(piece: Verbatim, tag: str = "") -> bool:
    """Tell whether a piece stands in an element of ours, or is one: `tag` is that of its XML, if that is an element.

    Raises `ValueError` for a path that is none.
    """
    tags = tree.tags_of(piece.path)
    if piece.place in {Place.FOLLOWS, Place.PRECEDES, Place.ORDER}:
        return _is_ours(tags)
    above = tags[:-1] if piece.place in _NEIGHBOURS else tags
    if _is_ours(above):
        return True
    if piece.place is Place.ON:
        names = {name for node in _nodes(above) for name in (*node.attributes, *node.key_names)} | {"unit"}
        return {name for name, _ in piece.attributes} <= names
    return bool(tag) and _is_ours((*above, tag))


def _is_ours(tags: tuple[str, ...]) -> bool:
    """Tell whether an element is tuning's, or within one that wholly is."""
    below = any(node.owner is Owner.OURS for end in range(2, len(tags)) for node in _nodes(tags[:end]))
    return below or any(node.owner in _OURS for node in _nodes(tags))


@lru_cache(maxsize=256)
def _nodes(tags: tuple[str, ...]) -> tuple[Node, ...]:
    """Return what the vocabulary knows of an element, by the names on the way to it."""
    found: tuple[Node, ...] = (trie(guest_visible=True, measurement=True),) if tags[:1] == ("domain",) else ()
    for tag in tags[1:]:
        found = tuple(below for node in found for below in node.children.get(tag, ()))
    return found
