"""Rate limits with the library `limits`: in memory, in Redis, or in a given storage."""

from __future__ import annotations

import hashlib
import hmac
from math import ceil, floor
from typing import cast

import structlog
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.errors import ConfigurationError, StorageError
from limits.storage import Storage, storage_from_string
from limits.storage.base import SlidingWindowCounterSupport
from limits.strategies import SlidingWindowCounterRateLimiter

from app.domain.accounts.rate_limits import LIMITS, Allowance
from app.errors import TooMany
from app.language import N_

log = structlog.get_logger(__name__)


class LimitsUnusable(Exception):
    """The configured storage of counters is unusable; the message contains the reason."""


class RateLimits:
    """Keys are hashed with a secret: stored keys reveal neither an address nor a network."""

    def __init__(self, storage: Storage, key: bytes) -> None:
        self.limiter = SlidingWindowCounterRateLimiter(storage)
        self.key = key

    def hit(self, name: str, who: str) -> Allowance | None:
        return self._ask(name, who, count=True)

    def check(self, name: str, who: str) -> None:
        self._ask(name, who, count=False)

    def _ask(self, name: str, who: str, *, count: bool) -> Allowance | None:
        item, mark = _item(name), self._mark(who)
        try:
            asked = self.limiter.hit if count else self.limiter.test
            if asked(item, name, mark):
                return self._left(item, name, mark) if count else None
            wait = self._wait(item, name, mark)
        except StorageError as error:
            # Fails open when a counter is unavailable; what it guards has its own protection.
            log.error("rate limits unavailable", kind=type(error.storage_error).__name__)
            return None
        minutes = ceil(wait / 60)
        raise TooMany(
            N_("Trop de demandes en peu de temps. Réessayez dans {minutes} min."),
            retry_after=wait,
            limit=name,
            minutes=minutes,
        )

    def _mark(self, who: str) -> str:
        return hmac.new(self.key, who.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[:32]

    def _left(self, item: RateLimitItem, name: str, mark: str) -> Allowance:
        storage = cast(SlidingWindowCounterSupport, self.limiter.storage)
        expiry = item.get_expiry()
        before, before_ends, now, now_ends = storage.get_sliding_window(item.key_for(name, mark), expiry)
        left = item.amount - now - floor(before * before_ends / expiry)
        if left <= 0:
            return Allowance(name, 0, self._wait(item, name, mark))
        return Allowance(name, left, max(1, ceil(now_ends) - expiry))

    def _wait(self, item: RateLimitItem, name: str, mark: str) -> int:
        """Seconds until the next attempt is allowed: both windows shrink with time."""
        storage = cast(SlidingWindowCounterSupport, self.limiter.storage)
        before, before_ends, now, now_ends = storage.get_sliding_window(
            item.key_for(name, mark), item.get_expiry()
        )
        expiry, room = item.get_expiry(), item.amount - now
        if room > 0 and before:
            return max(1, floor(before_ends - room * expiry / before) + 1)
        return max(1, floor(now_ends - expiry * min(1, item.amount / max(now, 1))) + 1)


class NoLimits:
    """Unlimited, for processes that serve no network."""

    def hit(self, name: str, who: str) -> None:  # noqa: ARG002
        _item(name)

    check = hit


def limits_in(url: str, key: bytes) -> RateLimits:
    """`memory://` or any other URL of the library `limits`, such as `redis://host:6379`."""
    try:
        return RateLimits(cast(Storage, storage_from_string(url, wrap_exceptions=True)), key)
    except (ConfigurationError, ValueError) as error:
        raise LimitsUnusable(f"SCEAU_LIMITS cannot be used: {error}") from error


def _item(name: str) -> RateLimitItem:
    limit = LIMITS[name]
    return RateLimitItemPerSecond(limit.amount, int(limit.per.total_seconds()))
