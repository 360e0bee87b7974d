"""Which form of a document a request asks for, and whether the client has it already."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from typing import Final

from fastapi.routing import APIRoute
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HTML = "text/html"
# Nobody names more forms than this; a longer header is not worth its parsing.
_LONGEST_HEADER = 2000


def preferred(accept: str, offered: Sequence[str]) -> str | None:
    """The offered media type the client likes best (RFC 9110 §12.5.1), None if it likes none.

    On a tie the one that it names most precisely, then the one that is offered first.
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
    """The quality of the most precise wish that covers `media_type`, and how precise that wish is."""
    ranges = ("*/*", media_type.partition("/")[0] + "/*", media_type)
    for precision in (2, 1, 0):
        found = [quality for name, quality in wishes if name == ranges[precision]]
        if found:
            return max(found), precision
    return 0.0, 0


def wants_page(accept: str) -> bool:
    """Whether somebody looks: a browser names text/html; a program that names nothing gets the document."""
    if HTML not in accept.lower():
        return False
    return (
        any(name == HTML and quality > 0 for name, quality in _wishes(accept))
        and preferred(accept, (HTML, "application/json", "application/vc", "image/png")) == HTML
    )


def etag_of(digest: str, media_type: str) -> str:
    """A strong validator: the same bytes under another media type are another representation (RFC 9110 §8.8.3)."""
    return f'"{digest}/{media_type.partition(";")[0].partition("/")[2]}"'


def has_already(if_none_match: str, etag: str) -> bool:
    """Whether the client's copy is still this one (RFC 9110 §13.1.2: compared weakly)."""
    known = [each.strip().removeprefix("W/") for each in if_none_match[:_LONGEST_HEADER].split(",")]
    return "*" in known or etag in known


class ForPeople(APIRoute):
    """A route that answers only those who want a page; at the same address programs find the document."""

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
    """A page for those who show no cookie of ours that says who they are; the next route has it for the others."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        if match is Match.FULL and not is_stranger(scope):
            return Match.NONE, {}
        return match, child


def is_stranger(scope: Scope) -> bool:
    face = scope["app"].state.face
    cookies = cookie_parser(Headers(scope=scope).get("cookie", ""))
    return face.session_cookie not in cookies and face.learner_cookie not in cookies


class ForPrograms(APIRoute):
    """The other half: a document that leaves its address to the page when somebody looks."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        if match is Match.FULL and wants_page(Headers(scope=scope).get("accept", "")):
            return Match.NONE, {}
        return match, child


class HeadAsGet:
    """ASGI middleware: HEAD is answered as GET is, without the body, at every address (RFC 9110 §9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            # The server takes an answer that is shorter than announced from HEAD alone, and reads this scope to tell.
            scope["method"] = "HEAD"
            await send(message)
            scope["method"] = "GET"

        # The log outside reads the route from this very scope, so it is changed and not copied.
        scope["method"] = "GET"
        await self.app(scope, receive, send_without_body)


_LEVEL: Final = 6
_SMALLEST: Final = 500
"""A shorter page gains nothing that its header would not take."""
_COMPRESSION_LONGEST_HEADER: Final = 300


def takes_gzip(headers: Headers) -> bool:
    for wish in headers.get("accept-encoding", "")[:_COMPRESSION_LONGEST_HEADER].lower().split(","):
        name, _, quality = wish.partition(";")
        if name.strip() == "gzip":
            return quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def gzip_body(answer: Response) -> Response:
    """The same answer, compressed once for all to whom it is given again."""
    answer.body = gzip.compress(bytes(answer.body), _LEVEL, mtime=0)
    answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Content-Length"] = str(len(answer.body))
    return answer


class GzipPages:
    """ASGI middleware: a whole page is compressed where the browser takes it and shows no cookie of ours.

    Without a cookie a page is what anybody gets who asks, so its length tells nobody anything; what is in it of a
    form's secret is masked anew each time. Whoever is signed in gets pages as they are.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

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
    """The body to send instead; `start` is given the headers that tell of it."""
    whole = body.get("body", b"")
    if body.get("more_body") or len(whole) < _SMALLEST:
        return body
    pressed = gzip.compress(whole, _LEVEL, mtime=0)
    headers = MutableHeaders(scope=start)
    headers["Content-Encoding"] = "gzip"
    headers["Content-Length"] = str(len(pressed))
    return {**body, "body": pressed}
