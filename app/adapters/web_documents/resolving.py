"""From the name of a host to addresses, in bounded time."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import BoundedSemaphore, Thread
from typing import Final

from app.adapters.web_documents.limits import Deadline, Refused, Why

Resolve = Callable[[str, int], Sequence[str]]
"""The numeric addresses of a host name; OSError where it has none."""

_LOOKUPS_AT_ONCE: Final = 32


def system_resolve(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


class TimedResolver:
    """Asks in a thread of its own: the system's resolver knows no time limit, and cannot be stopped."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._places = BoundedSemaphore(_LOOKUPS_AT_ONCE)

    def addresses(self, host: str, port: int, deadline: Deadline) -> Sequence[str]:
        if not self._places.acquire(timeout=deadline.remaining()):
            raise Refused(Why.UNREACHABLE)
        answer: Future[Sequence[str]] = Future()
        Thread(target=self._look_up, args=(host, port, answer), name="resolver", daemon=True).start()
        try:
            return answer.result(deadline.remaining())
        except (OSError, UnicodeError) as error:  # TimeoutError is an OSError
            raise Refused(Why.UNREACHABLE, error) from error

    def _look_up(self, host: str, port: int, answer: Future[Sequence[str]]) -> None:
        try:
            answer.set_result(self._resolve(host, port))
        except Exception as error:
            answer.set_exception(error)
        finally:
            self._places.release()
