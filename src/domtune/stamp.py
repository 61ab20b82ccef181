"""A run's stamp in the metadata of the domain it created, so that the next command knows its own."""

from __future__ import annotations

from domtune import tree
from domtune.tree import Element

NAMESPACE = "urn:domtune:run:1"
_TAG = f"{{{NAMESPACE}}}run"


def put(root: Element, run: str) -> None:
    """Stamp the XML that a domain is about to be created from; metadata of others stays as it is."""
    metadata = root.find("metadata")
    if metadata is None:
        first = next(
            (child for child in root if child.tag not in {"name", "uuid", "genid", "title", "description"}), None
        )
        metadata = tree.new_child(root, "metadata", first)
    for old in metadata.findall(_TAG):
        tree.remove(old)
    tree.insert(metadata, tree.fragment(f'<domtune:run xmlns:domtune="{NAMESPACE}" id="{run}"/>'))


def get(xml: str) -> str | None:
    """Return the run that stamped a domain, or None."""
    found = tree.parse(xml).find(f"metadata/{_TAG}")
    return None if found is None else found.get("id")
