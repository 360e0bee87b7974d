"""Which form of a document a request asks for, and whether the client has it already."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi.routing import APIRoute
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
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
