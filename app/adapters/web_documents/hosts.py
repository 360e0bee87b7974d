"""Who may be asked now: so many fetches at once, so many for one host, none for a host that keeps failing."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition
from typing import Final

from app.adapters.web_documents.limits import Deadline, Limits, Refused, Why

_MOST_REMEMBERED: Final = 1024
_FAILURES: Final = (Why.UNREACHABLE, Why.TIMEOUT)


@dataclass
class _Trouble:
    failures: int = 0
    paused_until: float = 0.0


class Hosts:
    def __init__(self, limits: Limits, monotonic: Callable[[], float]) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._changed = Condition()
        self._busy: Counter[str] = Counter()
        self._troubles: OrderedDict[str, _Trouble] = OrderedDict()

    @contextmanager
    def place(self, host: str, deadline: Deadline) -> Iterator[None]:
        """Wait for a place with this host, and remember how the fetch inside went."""
        self._take(host, deadline)
        try:
            yield
        except Refused as refused:
            self._leave(host, failed=refused.why in _FAILURES)
            raise
        except BaseException:
            self._leave(host, failed=True)
            raise
        self._leave(host, failed=False)

    def _take(self, host: str, deadline: Deadline) -> None:
        with self._changed:
            self._refuse_if_paused(host)
            if not self._changed.wait_for(lambda: self._is_free(host), timeout=deadline.remaining()):
                raise Refused(Why.BUSY)
            # Those who waited may have waited for the failure that closes the host.
            self._refuse_if_paused(host)
            self._busy[host] += 1

    def _is_free(self, host: str) -> bool:
        limits = self._limits
        return self._busy.total() < limits.at_once and self._busy[host] < limits.at_once_per_host

    def _refuse_if_paused(self, host: str) -> None:
        trouble = self._troubles.get(host)
        if trouble is not None and self._monotonic() < trouble.paused_until:
            raise Refused(Why.UNREACHABLE)

    def _leave(self, host: str, *, failed: bool) -> None:
        with self._changed:
            self._busy[host] -= 1
            if not self._busy[host]:
                del self._busy[host]
            if failed:
                self._note_failure(host)
            else:
                self._troubles.pop(host, None)
            self._changed.notify_all()

    def _note_failure(self, host: str) -> None:
        trouble = self._troubles.setdefault(host, _Trouble())
        trouble.failures += 1
        if trouble.failures >= self._limits.failures:
            trouble.paused_until = self._monotonic() + self._limits.pause_seconds
        self._troubles.move_to_end(host)
        if len(self._troubles) > _MOST_REMEMBERED:
            self._troubles.popitem(last=False)
