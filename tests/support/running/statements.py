"""Shares the cache of compiled SQL statements between engines: each worker compiles a statement once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import Dialect

from app.db.engine import session

_first: dict[type[Dialect], Engine] = {}


def pytest_configure() -> None:
    """Each test has its own engines; without sharing, compiling would take a quarter of the run."""
    session.create_engine = _create_engine


def _create_engine(url: URL, **options: Any) -> Engine:
    """Reuses dialect and cache of the first engine of this kind that connected: the cache is keyed by dialect."""
    kind = url.get_dialect()
    first = _first.get(kind)
    if first is None:
        engine = create_engine(url, **options)
        event.listen(engine.pool, "connect", lambda *_: _first.setdefault(kind, engine))
        return engine
    engine = create_engine(url, _initialize=False, **options)
    engine.dialect = first.dialect
    engine._compiled_cache = first._compiled_cache
    return engine
