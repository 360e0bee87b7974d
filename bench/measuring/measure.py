"""Interleaved timing: every contender has a turn in every round, so that a slow minute affects all of
them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

Turn = Callable[[int], float]
"""Repeats the work so many times, and returns microseconds for each."""

_ROUNDS = 7
_TURN_SECONDS = 0.15


@dataclass(frozen=True)
class Row:
    """One line of the report. `ratio` is the peer's time divided by ours for the same work."""

    name: str
    median: float
    spread: float
    """Interquartile range, in the same unit."""
    unit: str
    peer: str | None = None
    ratio: float | None = None
    ratio_spread: float | None = None
    """Interquartile range of the ratios, each of one round."""

    def to_document(self) -> dict[str, Any]:
        return asdict(self)


def repeating(work: Callable[[], Any]) -> Turn:
    """A turn for work done in this process."""

    def turn(times: int) -> float:
        begun = time.perf_counter_ns()
        for _ in range(times):
            work()
        return (time.perf_counter_ns() - begun) / 1000 / times

    return turn


def interleaved(contenders: Mapping[str, Turn], *, rounds: int = _ROUNDS) -> dict[str, list[float]]:
    """Microseconds per operation, one figure for each round; the first turn of each is a warm-up."""
    times = {name: _times_for(turn) for name, turn in contenders.items()}
    measured: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, turn in contenders.items():
            measured[name].append(turn(times[name]))
    return measured


def rows(task: str, measured: Mapping[str, list[float]], *, ours: str, unit: str = "µs") -> list[Row]:
    """Our figure against each peer's, or alone where there is no peer."""
    median, spread = summary(measured[ours])
    peers = [name for name in measured if name != ours]
    if not peers:
        return [Row(task, median, spread, unit)]
    return [
        Row(task, median, spread, unit, peer, *ratio_of(measured[peer], measured[ours])) for peer in peers
    ]


def ratio_of(theirs: list[float], ours: list[float]) -> tuple[float, float]:
    """Ratio of the medians; its spread is that of the rounds."""
    by_round = [each / own for each, own in zip(theirs, ours, strict=True)]
    first, _, third = statistics.quantiles(by_round, n=4, method="inclusive")
    return round(statistics.median(theirs) / statistics.median(ours), 3), round(third - first, 3)


def _times_for(turn: Turn) -> int:
    turn(2)
    return max(2, int(_TURN_SECONDS * 1_000_000 / max(turn(3), 1.0)))


def summary(figures: list[float]) -> tuple[float, float]:
    first, median, third = statistics.quantiles(figures, n=4, method="inclusive")
    return round(median, 1), round(third - first, 1)
