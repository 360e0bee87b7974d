"""Answers given to strangers a moment ago, to be given again while nothing they rest on can have changed."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fastapi import Request, Response

from app.domain.core.clock import Clock

# A page says when it was verified, to the minute; what may change meanwhile without its row saying so are
# keys, labels and lists, and those are promised within minutes.
GOOD_FOR: Final = timedelta(seconds=10)
_MOST_PAGES: Final = 500  # of some 20 kB each


@dataclass(frozen=True)
class _Page:
    body: bytes
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    made_at: datetime

    def response(self) -> Response:
        answer = Response(self.body, status_code=self.status)
        answer.raw_headers = list(self.headers)
        return answer


class RecentPages:
    """Used on the event loop alone; many who ask for the same page at once wait for one making of it."""

    def __init__(self, clock: Clock, *, most: int = _MOST_PAGES) -> None:
        self.clock, self.most = clock, most
        self._pages: OrderedDict[Hashable, _Page] = OrderedDict()
        self._making: dict[Hashable, asyncio.Future[_Page]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[Response]]) -> Response:
        """The page of `key`: a recent one, or what `make` answers now. A page that sets a cookie is nobody else's."""
        page = self._pages.get(key)
        if page is not None and self.clock() - page.made_at < GOOD_FOR:
            self._pages.move_to_end(key)
            return page.response()
        if key in self._making:
            return (await asyncio.shield(self._making[key])).response()
        return await self._make(key, make)

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[Response]]) -> Response:
        made_at, waiting = self.clock(), asyncio.get_running_loop().create_future()
        self._making[key] = waiting
        try:
            answer = await make()
            page = _Page(bytes(answer.body), answer.status_code, tuple(answer.raw_headers), made_at)
            waiting.set_result(page)
        except BaseException as error:
            waiting.set_exception(error)
            waiting.exception()  # looked at: whoever made it raises it, and nobody else need be waiting
            raise
        finally:
            del self._making[key]
        if not any(name == b"set-cookie" for name, _ in page.headers):
            self._keep(key, page)
        return answer

    def _keep(self, key: Hashable, page: _Page) -> None:
        self._pages[key] = page
        self._pages.move_to_end(key)
        while len(self._pages) > self.most:
            self._pages.popitem(last=False)


def recent_pages(request: Request) -> RecentPages:
    pages: RecentPages = request.app.state.recent_pages
    return pages
