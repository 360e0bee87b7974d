"""ASGI middleware: the signed file of an open award, read by its number and given as it lies.

Wallets and other programs ask for many awards once each. What decides is one row, so nothing else is asked: no route is
looked for and no service is made. Whatever is not plainly this falls through to the application, which answers the same.
"""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.publishing.public import ONE_MINUTE
from app.errors import AppError
from app.http.negotiation import etag_of
from app.services.publishing.public_documents import PublicDocuments
from app.services.publishing.publication import FORMS
from app.services.verification.metrics import noter_of

ROUTE: Final = "/attributions/{award_id:uuid}.{extension}"
_PATH: Final = re.compile(
    r"/attributions/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.(json|jwt)"
)
_LEFT_TO_THE_APPLICATION: Final = frozenset((b"cookie", b"authorization", b"range", b"if-none-match"))

Headers = list[tuple[bytes, bytes]]
AddHeaders = Callable[[MutableHeaders], None]
"""What every answer of the application says besides."""


@dataclass(frozen=True)
class _Route:
    """For the figures of requests, which read it from the scope."""

    path: str = ROUTE


class AwardFiles:
    def __init__(self, app: ASGIApp, *, documents: PublicDocuments, add_headers: AddHeaders) -> None:
        self.app = app
        self.documents = documents
        self.note: Callable[[float], None] = noter_of("GET", ROUTE, 200)
        self.headers = {form: _headers_of(form, add_headers) for form in ("json", "jwt")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = _asked(scope)
        if found is None:
            await self.app(scope, receive, send)
            return
        started, form = perf_counter(), found[2]
        try:
            document = await self.documents.award(uuid.UUID(found[1]), form)
        except AppError:
            await self.app(scope, receive, send)
            return
        scope["route"] = _Route()
        etag = etag_of(document.digest, FORMS[form]).encode()
        headers = [
            (b"etag", etag),
            (b"content-length", b"%d" % len(document.body)),
            *self.headers[form],
            (b"x-request-id", secrets.token_hex(8).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": document.body})
        self.note(perf_counter() - started)


def _asked(scope: Scope) -> re.Match[str] | None:
    if scope["type"] != "http" or scope["method"] != "GET" or scope["query_string"]:
        return None
    found = _PATH.fullmatch(scope["path"])
    if found is None or any(name in _LEFT_TO_THE_APPLICATION for name, _ in scope["headers"]):
        return None
    return found


def _headers_of(form: str, add: AddHeaders) -> Headers:
    headers = MutableHeaders(
        headers={
            "Cache-Control": ONE_MINUTE,
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Robots-Tag": "noindex",
            "Access-Control-Allow-Origin": "*",
            "Content-Type": FORMS[form],
        }
    )
    add(headers)
    return list(headers.raw)
