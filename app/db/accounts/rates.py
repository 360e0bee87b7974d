"""Counts of the rate limits in the database, where several workers share them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from math import floor
from typing import Any

from limits.storage import Storage
from limits.storage.base import SlidingWindowCounterSupport
from sqlalchemy import Connection, Engine, delete, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from app.domain.accounts.rates import RateCount
from app.domain.core.clock import Clock

_TABLE: Any = RateCount.__table__  # type: ignore[attr-defined]


class DatabaseCounts(Storage, SlidingWindowCounterSupport):
    """A storage of `limits`: the last two windows of each key, weighted as its sliding counter asks."""

    STORAGE_SCHEME = ("sceau-database",)  # type: ignore[assignment]

    def __init__(self, engine: Engine, clock: Clock) -> None:
        super().__init__(wrap_exceptions=True)
        self.engine = engine
        self.clock = clock

    @property
    def base_exceptions(self) -> type[Exception]:
        return SQLAlchemyError

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        with self.engine.begin() as connection:
            self._lock(connection, key)
            before, before_ends, now, _ = self._windows(connection, key, expiry)
            if floor(before * before_ends / expiry) + now + amount > limit:
                return False
            self._add(connection, key, expiry, amount)
            return True

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        with self.engine.execution_options(reading=True).connect() as connection:
            return self._windows(connection, key, expiry)

    def clear_sliding_window(self, key: str, expiry: int) -> None:  # noqa: ARG002
        self.clear(key)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        with self.engine.begin() as connection:
            self._lock(connection, key)
            self._add(connection, key, expiry, amount)
            return self._windows(connection, key, expiry)[2]

    def get(self, key: str) -> int:
        with self.engine.connect() as connection:
            counts = connection.execute(select(_TABLE.c.count).where(_TABLE.c.key == key)).scalars()
            return sum(counts)

    def get_expiry(self, key: str) -> float:
        with self.engine.connect() as connection:
            ends = connection.execute(select(_TABLE.c.expires_at).where(_TABLE.c.key == key)).scalars().all()
        return max((end.timestamp() for end in ends), default=self.clock().timestamp())

    def check(self) -> bool:
        with self.engine.connect() as connection:
            return bool(connection.execute(text("SELECT 1")).scalar_one())

    def reset(self) -> int | None:
        with self.engine.begin() as connection:
            return connection.execute(delete(_TABLE)).rowcount

    def clear(self, key: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(delete(_TABLE).where(_TABLE.c.key == key))

    def _lock(self, connection: Connection, key: str) -> None:
        # SQLite has one writer; on PostgreSQL two workers must not both take the last place.
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:key))"), {"key": key})

    def _windows(self, connection: Connection, key: str, expiry: int) -> tuple[int, float, int, float]:
        at = self.clock().timestamp()
        window, into = divmod(at, expiry)
        rows = connection.execute(
            select(_TABLE.c.window, _TABLE.c.count).where(
                _TABLE.c.key == key, _TABLE.c.window.in_([int(window) - 1, int(window)])
            )
        )
        counts: dict[int, int] = {each.window: int(each[1]) for each in rows}
        left = expiry - into
        return counts.get(int(window) - 1, 0), left, counts.get(int(window), 0), left + expiry

    def _add(self, connection: Connection, key: str, expiry: int, amount: int) -> None:
        at = self.clock()
        connection.execute(delete(_TABLE).where(_TABLE.c.expires_at <= at))
        insert: Callable[..., Any] = (
            postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        )
        kept = insert(_TABLE).values(
            key=key,
            window=int(at.timestamp() // expiry),
            count=amount,
            expires_at=at + timedelta(seconds=2 * expiry),
        )
        connection.execute(
            kept.on_conflict_do_update(
                index_elements=["key", "window"], set_={"count": _TABLE.c.count + kept.excluded.count}
            )
        )
