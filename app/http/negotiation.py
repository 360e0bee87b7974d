"""Content negotiation, and conditional requests."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache
from itertools import takewhile
from typing import Final

from fastapi.routing import APIRoute, APIRouter, iter_route_contexts
from starlette._utils import get_route_path
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HTML = "text/html"
# Real clients send fewer media types; a longer header is not worth parsing.
_LONGEST_HEADER = 2000


def preferred(accept: str, offered: Sequence[str]) -> str | None:
    """The offered media type the client prefers (RFC 9110 §12.5.1), None if it accepts none.

    On a tie, the most specific match, then the first one offered.
    """
    wishes = _wishes(accept)
    liked = [(*_liking(media_type, wishes), -place, media_type) for place, media_type in enumerate(offered)]
    quality, _, _, best = max(liked)
    return best if quality > 0 else None


def _wishes(accept: str) -> list[tuple[str, float]]:
    wishes = []
    for item in accept[:_LONGEST_HEADER].split(","):
        name, _, parameters = item.strip().lower().partition(";")
        quality = 1.0
        for parameter in parameters.split(";"):
            key, _, value = parameter.strip().partition("=")
            if key == "q":
                quality = _quality(value)
        if name:
            wishes.append((name.strip(), quality))
    return wishes or [("*/*", 1.0)]


def _quality(value: str) -> float:
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0


def _liking(media_type: str, wishes: Sequence[tuple[str, float]]) -> tuple[float, int]:
    """The quality of the most specific range that matches `media_type`, and how specific that range is."""
    ranges = ("*/*", media_type.partition("/")[0] + "/*", media_type)
    for precision in (2, 1, 0):
        found = [quality for name, quality in wishes if name == ranges[precision]]
        if found:
            return max(found), precision
    return 0.0, 0


def wants_page(accept: str) -> bool:
    """Whether a browser asks: it sends text/html; a program without Accept gets the document."""
    if HTML not in accept.lower():
        return False
    return (
        any(name == HTML and quality > 0 for name, quality in _wishes(accept))
        and preferred(accept, (HTML, "application/json", "application/vc", "image/png")) == HTML
    )


def etag_of(digest: str, media_type: str) -> str:
    """A strong validator: the same bytes under another media type are another representation (RFC 9110
    §8.8.3)."""
    return f'"{digest}/{media_type.partition(";")[0].partition("/")[2]}"'


def has_already(if_none_match: str, etag: str) -> bool:
    """Whether the client's copy is still current (RFC 9110 §13.1.2: weak comparison)."""
    known = [each.strip().removeprefix("W/") for each in if_none_match[:_LONGEST_HEADER].split(",")]
    return "*" in known or etag in known


def is_unchanged(if_modified_since: str, at: datetime) -> bool:
    """Whether the client's copy is not older than `at`; a date that cannot be read asks for the document."""
    try:
        since = parsedate_to_datetime(if_modified_since[:_LONGEST_HEADER])
    except ValueError:
        return False
    return since.tzinfo is not None and at <= since


class ForPeople(APIRoute):
    """A route that matches only requests for a page; at the same URL programs get the document."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        if match is Match.FULL and not wants_page(Headers(scope=scope).get("accept", "")):
            return Match.NONE, {}
        return match, child

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_varied(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).add_vary_header("Accept")
            await send(message)

        await super().handle(scope, receive, send_varied)


class ForStrangers(ForPeople):
    """A page for visitors without our identifying cookies; the next route serves the others."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        if match is Match.FULL and not is_stranger(scope):
            return Match.NONE, {}
        return match, child


def is_stranger(scope: Scope) -> bool:
    cookies = cookie_parser(Headers(scope=scope).get("cookie", ""))
    return cookies.keys().isdisjoint(scope["app"].state.session_cookies)


class ForPrograms(APIRoute):
    """The counterpart: a document route that yields its URL to the page when a browser asks."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        if match is Match.FULL and wants_page(Headers(scope=scope).get("accept", "")):
            return Match.NONE, {}
        return match, child


@dataclass(frozen=True, eq=False)
class HeadAsGet:
    """ASGI middleware: HEAD is answered like GET, without the body, at every URL (RFC 9110 §9.3.2)."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            # The server accepts a body shorter than announced only for HEAD, and reads this scope to know.
            scope["method"] = "HEAD"
            await send(message)
            scope["method"] = "GET"

        # The outer request log reads the route from this very scope: modify it, do not copy it.
        scope["method"] = "GET"
        await self.app(scope, receive, send_without_body)


_LEVEL: Final = 6
_SMALLEST: Final = 500
"""Smaller pages gain less than the header costs."""
_COMPRESSION_LONGEST_HEADER: Final = 300


def takes_gzip(headers: Headers) -> bool:
    for wish in headers.get("accept-encoding", "")[:_COMPRESSION_LONGEST_HEADER].lower().split(","):
        name, _, quality = wish.partition(";")
        if name.strip() == "gzip":
            return quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def gzip_body(answer: Response) -> Response:
    """The same response, compressed once for all its recipients."""
    answer.body = gzip.compress(bytes(answer.body), _LEVEL, mtime=0)
    answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Content-Length"] = str(len(answer.body))
    return answer


@dataclass(frozen=True, eq=False)
class GzipPages:
    """ASGI middleware: compresses a whole page where the browser accepts it and sends no cookie of ours.

    Without a cookie a page is public, so its length reveals nothing; its form token is masked anew each time.
    Pages for signed-in users are never compressed (BREACH).
    """

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        wanted = takes_gzip(Headers(scope=scope)) and is_stranger(scope)
        held: list[Message] = []

        async def send_pressed(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message):
                MutableHeaders(scope=message).add_vary_header("Accept-Encoding")
                if wanted and not _is_somebodys(message):
                    held.append(message)
                    return
            if held:
                start = held.pop()
                message = _pressed(start, message)
                await send(start)
            await send(message)

        await self.app(scope, receive, send_pressed)


def _is_page(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    return headers.get("content-type", "").startswith(HTML)


def _is_somebodys(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    return "set-cookie" in headers or "content-encoding" in headers


def _pressed(start: Message, body: Message) -> Message:
    """The body to send instead; `start` gets the matching headers."""
    whole = body.get("body", b"")
    if body.get("more_body") or len(whole) < _SMALLEST:
        return body
    pressed = gzip.compress(whole, _LEVEL, mtime=0)
    headers = MutableHeaders(scope=start)
    headers["Content-Encoding"] = "gzip"
    headers["Content-Length"] = str(len(pressed))
    return {**body, "body": pressed}


class RoutesBySegment:
    """Compares a request with the routes that its path can mean, in their order: of hundreds, a dozen remain.

    Routes differ by the first and third segment, as in `/gestion/{slug}/activites`, where these are
    literal.
    """

    def __init__(self, router: APIRouter) -> None:
        self._router = router
        self._narrowed: dict[_Segments, APIRouter] = {}
        self._segments: list[_Segments] = []
        self._known: tuple[set[str | None], set[str | None]] = (set(), set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._router.app(scope, receive, send)
            return
        scope.setdefault("router", self._router)
        await self._routes_for(get_route_path(scope)).app(scope, receive, send)

    def _routes_for(self, path: str) -> APIRouter:
        routes = self._router.routes
        if len(routes) != len(self._segments):
            self._segments, self._narrowed = [_segments_of(route) for route in routes], {}
            self._known = {first for first, _ in self._segments}, {third for _, third in self._segments}
        # A pattern also matches before a final line feed.
        asked = path.removesuffix("\n").split("/")
        first, third = (
            asked[at] if at < len(asked) and asked[at] in known else None
            for at, known in zip(_TELLING, self._known, strict=True)
        )
        narrowed = self._narrowed.get((first, third))
        if narrowed is None:
            narrowed = copy(self._router)
            narrowed.routes = [
                route
                for route, own in zip(routes, self._segments, strict=True)
                if own[0] in (None, first) and own[1] in (None, third)
            ]
            self._narrowed[first, third] = narrowed
        return narrowed


_Segments = tuple[str | None, str | None]
_TELLING = (1, 3)


def _segments_of(route: BaseRoute) -> _Segments:
    """The literal first and third segment; None where anything may stand."""
    if isinstance(route, Route):
        return _literals(route.path)
    contexts = [*iter_route_contexts([route])]
    if not all(isinstance(each.original_route, Route) for each in contexts):
        return None, None
    firsts, thirds = zip(*(_literals(each.path or "") for each in contexts), strict=True)
    return firsts[0] if len({*firsts}) == 1 else None, thirds[0] if len({*thirds}) == 1 else None


@cache
def _literals(path: str) -> _Segments:
    whole = list(takewhile(lambda part: ":path}" not in part, path.split("/")))
    first, third = (whole[at] if at < len(whole) and "{" not in whole[at] else None for at in _TELLING)
    return first, third
