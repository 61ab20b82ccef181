"""The generated pages, made from the code: `python -m domtune.docs --check` or `--write`, in a checkout.

Some are made as a whole; in those that people write, what stands between ``<!-- table: NAME -->`` and ``<!-- end -->``
is. Each module here has one subject and returns text; only `write` writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from domtune.docs import (
    commands,
    drivers,
    faults,
    manual,
    parameters,
    profiles,
    results,
    rules,
    schemas,
    shipped,
    wishes,
)
from domtune.docs.markdown import filled

CHECKOUT = Path(__file__).parents[3]
REFERENCE = Path("docs/reference")
MANUAL = Path("man")
_OURS = {REFERENCE / "schema": "*.json", MANUAL: "*.[1-8]"}  # where nothing stands that is not generated


def generated(checkout: Path) -> dict[Path, str]:
    """Return the text of every generated page by its path below the checkout."""
    whole = {
        REFERENCE / "parameters.md": parameters.page(),
        REFERENCE / "wishes.md": wishes.page(),
        REFERENCE / "catalogue.md": shipped.page(checkout),
        REFERENCE / "drivers.md": drivers.page(),
        REFERENCE / "json.md": results.page(),
        REFERENCE / "errors.md": faults.page(checkout),
        **{REFERENCE / "schema" / name: text for name, text in schemas.files().items()},
    }
    tables = {**profiles.tables(), **rules.tables(), **commands.tables(), **wishes.tables()}
    others = [path.relative_to(checkout) for path in sorted((checkout / REFERENCE).glob("*.md"))]
    by_hand = {path: filled(_read(checkout / path), tables) for path in others if path not in whole}
    written = by_hand | whole
    pages = {path.name: text for path, text in written.items()}
    return written | {MANUAL / name: text for name, text in manual.files(pages).items()}


def stale(checkout: Path) -> list[str]:
    """Return the pages of a checkout that are not as the code would make them."""
    wanted = generated(checkout)
    changed = [f"{path}: stale" for path, text in wanted.items() if _read(checkout / path) != text]
    return changed + [f"{path}: nothing makes it any more" for path in _there(checkout) if path not in wanted]


def write(checkout: Path) -> None:
    """Write every generated page, and remove those that nothing makes any more."""
    wanted = generated(checkout)
    for path in _there(checkout):
        if path not in wanted:
            (checkout / path).unlink()
    for path, text in wanted.items():
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).write_text(text, encoding="utf-8")


def _there(checkout: Path) -> Iterator[Path]:
    for place, pattern in _OURS.items():
        yield from (path.relative_to(checkout) for path in sorted((checkout / place).glob(pattern)))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
