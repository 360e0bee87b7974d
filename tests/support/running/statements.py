"""Each worker compiles each SQL statement once: an engine's cache of compiled statements outlives its database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import Dialect

from app.db.engine import session

_first: dict[type[Dialect], Engine] = {}


def pytest_configure() -> None:
    """Every test has databases of its own, and so engines of its own, which would compile a quarter of the run."""
    session.create_engine = _create_engine


def _create_engine(url: URL, **options: Any) -> Engine:
    """With dialect and cache of the first engine of its kind that reached a server, since the cache is the dialect's."""
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
