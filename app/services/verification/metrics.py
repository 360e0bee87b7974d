"""Process metrics for the operator: requests, durations, verdicts, chunks of jobs. No personal data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

REGISTRY: Final = CollectorRegistry()
_REQUESTS: Final = Counter(
    "sceau_requests", "Requests by route and answer", ["method", "route", "status"], registry=REGISTRY
)
_SECONDS: Final = Histogram(
    "sceau_request_seconds",
    "Time to the end of the answer",
    ["route"],
    registry=REGISTRY,
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_VERDICTS: Final = Counter(
    "sceau_verdicts", "Badges judged, by verdict and form", ["verdict", "form"], registry=REGISTRY
)
_CHUNKS: Final = Counter(
    "sceau_job_chunks", "Chunks of jobs, by kind and outcome", ["kind", "outcome"], registry=REGISTRY
)
_CHUNK_SECONDS: Final = Histogram(
    "sceau_job_chunk_seconds",
    "Time of a chunk, by kind of job",
    ["kind"],
    registry=REGISTRY,
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60),
)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def note_verdict(verdict: str, form: str | None) -> None:
    _VERDICTS.labels(verdict, form or "unread").inc()


def note_chunk(kind: str, outcome: str, seconds: float) -> None:
    _CHUNKS.labels(kind, outcome).inc()
    _CHUNK_SECONDS.labels(kind).observe(seconds)


def noter_of(method: str, route: str, status: int) -> Callable[[float], None]:
    """`note_request` for repeated use: resolves its counters once."""
    # Clients may invent methods: each one would create a permanent time series.
    counter = _REQUESTS.labels(method if method in _METHODS else "other", route or "none", status)
    seconds = _SECONDS.labels(route or "none")

    def note(took: float) -> None:
        counter.inc()
        seconds.observe(took)

    return note


def note_request(method: str, route: str, status: int, seconds: float) -> None:
    """`route`: its template, never the URL; "" if none matches."""
    noter_of(method, route, status)(seconds)
