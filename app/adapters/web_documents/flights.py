"""The same question asked by several at once is asked of the world only once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

from app.adapters.web_documents.limits import Deadline, Refused, Why

T = TypeVar("T")


class Flights(Generic[T]):
    def __init__(self) -> None:
        self._lock = Lock()
        self._flying: dict[Hashable, Future[T]] = {}

    def join(self, question: Hashable, fly: Callable[[], T], deadline: Deadline) -> T:
        """What `fly` gives or raises; who comes while it is under way gets the same."""
        with self._lock:
            flight = self._flying.get(question)
            if flight is None:
                mine = self._flying[question] = Future[T]()
        if flight is None:
            return self._fly(question, mine, fly)
        try:
            return flight.result(deadline.remaining())
        except TimeoutError:
            raise Refused(Why.TIMEOUT) from None

    def _fly(self, question: Hashable, flight: Future[T], fly: Callable[[], T]) -> T:
        try:
            result = fly()
        except BaseException as error:
            flight.set_exception(error)
            raise
        else:
            flight.set_result(result)
            return result
        finally:
            with self._lock:
                del self._flying[question]
