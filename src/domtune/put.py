"""Put tuning into a parsed definition: settings first, then what is verbatim, each in its place."""

from __future__ import annotations

from domtune import tree
from domtune.build import Builder, next_of
from domtune.errors import Invalid
from domtune.expand import concrete
from domtune.tree import Element
from domtune.tuning import Place, Tuning, Verbatim
from domtune.verbatim import belongs


def put(root: Element, tuning: Tuning, *, left_out: list[str] | None = None) -> None:
    """Put tuning into a parsed definition; raise `Invalid` for what has no place in it.

    Where settings were left out on purpose, the verbatim pieces that hang on them are named in `left_out` instead.
    """
    build = Builder(root)
    for setting in concrete(tuning.settings, root, build.problems):
        build.set(setting)
    build.indent()
    for piece in sorted(tuning.verbatim, key=_turn):
        _put_back(piece, build, left_out)
    if build.problems:
        raise Invalid(build.problems)


def _put_back(piece: Verbatim, build: Builder, left_out: list[str] | None) -> None:
    """Put a verbatim piece back in its place."""
    try:
        anchor = tree.at_path(build.root, piece.path)
        node = tree.fragment(piece.xml) if piece.xml else None
        foreign = not belongs(piece, tree.tag(node) if node is not None and tree.is_element(node) else "")
        if piece.place is Place.ON and anchor is not None and not foreign:
            for name, value in piece.attributes:
                anchor.set(name, value)
            return
    except ValueError as error:
        build.problems.append(f"verbatim: {error}")
        return
    if foreign and anchor is not None:
        build.problems.append(f"verbatim: {piece.path}: the piece is no tuning; put it into the definition")
        return
    if piece.place is Place.ORDER and anchor is not None:
        build.reorder(anchor, piece.keys)
    elif piece.place in {Place.FOLLOWS, Place.PRECEDES}:
        _move_beside(anchor, piece)
    elif anchor is None:
        homeless = f"verbatim: {piece.path}: no such place in this definition"
        if left_out is None:
            build.problems.append(f"{homeless}; take the piece out")
        else:
            left_out.append(homeless)
    elif node is None:
        _write_text(anchor, piece)
    else:
        _place(anchor, node, piece.place)


def _turn(piece: Verbatim) -> int:
    """Order first, then elements: comments find their place by the elements around them."""
    return {Place.ORDER: 0, Place.BEFORE: 2, Place.LAST: 2, Place.FOLLOWS: 3, Place.PRECEDES: 3}.get(piece.place, 1)


def _place(anchor: Element, node: Element, place: Place) -> None:
    parent = anchor.getparent()
    if place is Place.FIRST:
        tree.insert(anchor, node, next((each for each in anchor if tree.is_element(each)), None))
    elif place is Place.LAST or parent is None:
        tree.insert(anchor, node)
    elif place is Place.BEFORE:
        tree.insert(parent, node, anchor)
    elif anchor.tag != node.tag and parent.tag == "domain":
        tree.insert(parent, node, next_of(parent, tree.tag(node)))
    else:
        following = next((each for each in anchor.itersiblings() if tree.is_element(each)), None)
        tree.insert(parent, node, following)


def _move_beside(element: Element | None, piece: Verbatim) -> None:
    """Put an element that came back beside the comment it stood at, if the comment is still there."""
    parent = None if element is None else element.getparent()
    if element is None or parent is None:
        return
    comments = (each for each in parent if not tree.is_element(each) and tree.outer(each) == piece.xml)
    comment = next(comments, None)
    if comment is not None:
        tree.move(element, comment, after=piece.place is Place.FOLLOWS)


def _write_text(anchor: Element, piece: Verbatim) -> None:
    before = anchor.getprevious() if piece.place is Place.BEFORE else (anchor[-1] if len(anchor) else None)
    holder = anchor.getparent() if piece.place is Place.BEFORE else anchor
    if before is not None:
        before.tail = piece.text + (before.tail or "")
    elif holder is not None:
        holder.text = piece.text + (holder.text or "")
