"""Two sides measured in turn: each pair gives a ratio, and the median of the ratios counts.

Load that comes and goes hits both halves of a pair alike, so it moves the ratio less than either time.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median, quantiles

Timed = Callable[[], float]  # does the work once and returns the seconds it took


class CannotRun(Exception):
    """Why a comparison cannot be made on this machine."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison found."""

    what: str
    limit: float | None  # None: only to know
    pairs: tuple[tuple[float, float], ...]  # seconds of ours and of the other side, pair by pair
    unit: str  # what a time is shown for
    count: int = 1  # how many of these one measurement covers

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return median(self._ratios())

    @property
    def is_over(self) -> bool:
        """Whether the limit is passed."""
        return self.limit is not None and self.ratio > self.limit

    def __str__(self) -> str:
        ours, theirs = (_time(median(times) / self.count) for times in zip(*self.pairs, strict=True))
        low, _, high = quantiles(self._ratios(), n=4)
        verdict = "known" if self.limit is None else "OVER" if self.is_over else "good"
        limit = "no limit" if self.limit is None else f"limit {self.limit:.2f}"
        times = f"{ours} / {theirs} {self.unit}"
        spread = f"{len(self.pairs)} pairs, half of them between {low:.2f} and {high:.2f}"
        return f"{verdict:<5} {self.ratio:6.3f}, {limit}: {self.what} ({times}; {spread})"

    def _ratios(self) -> list[float]:
        return [ours / theirs for ours, theirs in self.pairs]


def alternate(ours: Timed, theirs: Timed, rounds: int) -> tuple[tuple[float, float], ...]:
    """Measure the two sides in turn, after one round that does not count."""
    pairs = [(ours(), theirs()) for _ in range(rounds + 1)]
    return tuple(pairs[1:])


def collected(work: Timed) -> Timed:
    """Let no side pay for what the other left: garbage is collected first, the rest is hidden from the collector."""

    def measure() -> float:
        gc.collect()
        gc.freeze()
        try:
            return work()
        finally:
            gc.unfreeze()

    return measure


def every(results: Iterator[Comparison], doing: str) -> Iterator[Comparison | str]:
    """Give the results, and at the end the reason why there are no more."""
    try:
        yield from results
    except CannotRun as reason:
        yield f"{doing}: {reason}"


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} us" if seconds < 1e-3 else f"{seconds * 1e3:.1f} ms"
