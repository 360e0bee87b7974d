"""Pages go compressed to those who show no cookie of ours: their pages hold no secret that a length could tell (BREACH)."""

from __future__ import annotations

import gzip
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.negotiation import HTML, is_stranger

_LEVEL: Final = 6
_SMALLEST: Final = 500
"""A shorter page gains nothing that its header would not take."""
_LONGEST_HEADER: Final = 300


def takes_gzip(headers: Headers) -> bool:
    for wish in headers.get("accept-encoding", "")[:_LONGEST_HEADER].lower().split(","):
        name, _, quality = wish.partition(";")
        if name.strip() == "gzip":
            return quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def press(answer: Response) -> Response:
    """The same answer, compressed once for all to whom it is given again."""
    answer.body = gzip.compress(bytes(answer.body), _LEVEL, mtime=0)
    answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Content-Length"] = str(len(answer.body))
    return answer


class PressedPages:
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
