"""A domain's XML as text: split into definition and tuning, and merged again."""

from __future__ import annotations

from domtune import tree
from domtune.put import put
from domtune.take import Choice, take
from domtune.tuning import Split, Tuning


def split(
    xml: str, *, guest_visible: bool = False, measurement: bool = False, memlock: bool = False, source: str = "XML"
) -> Split:
    """Return the definition without tuning, and the tuning as it was written.

    `guest_visible` also takes out what is meant for speed but seen by the guest; `measurement` perf events; `memlock`
    the hard limit and locking of memory even where a passed-through device may need them. `source` is the name of the
    document in errors and origins. Values are never judged. Raises `Invalid` if `xml` is no domain document.
    """
    root = tree.parse(xml, source)
    tuning = take(root, Choice(guest_visible, measurement, memlock), source)
    return Split(tree.serialise(root), tuning)


def merge(definition: str, tuning: Tuning, *, source: str = "definition") -> str:
    """Return the domain that has this definition and this tuning.

    Raises `Invalid`, naming everything at once, if the definition is no domain document, a device or element that the
    tuning speaks of is not in it, or a setting stands in no domain XML (such as cpu.cap: only a start can apply it).
    """
    root = tree.parse(definition, source)
    put(root, tuning)
    return tree.serialise(root)
