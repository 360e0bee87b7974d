"""A log's entries derived again by several processes, each with a connection of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from sqlalchemy import Engine

from app.container.stores import Stores
from app.db.engine.session import open_engine, open_session
from app.services.activity_log.check import Span, Spans, derive_span

_WORTH_IT = 2
"""A process takes a second to start: so many spans it must have to do."""
_engines: list[Engine] = []


def shared_between_processes(database_url: str, processes: int) -> Spans:
    def spans(log_id: uuid.UUID, ranges: Sequence[range]) -> Iterator[Span]:
        if processes < 2 or len(ranges) <= _WORTH_IT:
            _open(database_url)
            for numbers in ranges:
                yield _derive(log_id, numbers)
            _engines.pop().dispose()
            return
        context = get_context("spawn")
        with ProcessPoolExecutor(processes, context, initializer=_open, initargs=(database_url,)) as pool:
            yield from pool.map(_derive, [log_id] * len(ranges), ranges)

    return spans


def _open(database_url: str) -> None:
    _engines.append(open_engine(database_url))


def _derive(log_id: uuid.UUID, numbers: range) -> Span:
    with open_session(_engines[-1], reading=True) as session, session.begin():
        stores = Stores(session)
        stores.reach.everywhere()  # without a scope payloads are not read, and would pass for erased ones
        return derive_span(stores.activity_log, log_id, numbers)
