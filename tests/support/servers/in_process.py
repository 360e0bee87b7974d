"""A test client in the same process, with one call into the event loop per request.

Starlette's client makes eight calls, to stream bodies; all responses of the service are finite."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import unquote

import anyio
import httpx
from anyio.from_thread import BlockingPortal
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Message, Scope


async def wait_for_facets() -> None:
    """Facets are loaded during the first requests, on a separate connection."""
    for task in asyncio.all_tasks():
        if task.get_name() == "facets":
            await task


class InProcessClient(TestClient):
    def __init__(
        self, app: ASGIApp, started: Callable[[], BlockingPortal] | None = None, **options: Any
    ) -> None:
        """`started` is called at the first request to start the application, unless `with` already did."""
        raises = options.get("raise_server_exceptions", True)
        address = options.get("client", ("testclient", 50000))
        self._started = started
        self._entered: BlockingPortal | None = None
        super().__init__(app, **options)
        self._transport = _WholeAnswers(app, self._portal_factory, address, raises=raises)

    @property
    def portal(self) -> BlockingPortal | None:  # type: ignore[override]
        return self._entered or (self._started() if self._started else None)

    @portal.setter
    def portal(self, entered: BlockingPortal | None) -> None:
        """Set by `with InProcessClient(…)`, which starts the application."""
        self._entered = entered


class _WholeAnswers(httpx.BaseTransport):
    def __init__(
        self,
        app: ASGIApp,
        portal_of: Callable[[], AbstractContextManager[BlockingPortal]],
        address: tuple[str, int],
        *,
        raises: bool,
    ) -> None:
        self._app, self._portal_of, self._address, self._raises = app, portal_of, address, raises

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "path": unquote(url.path),
            "raw_path": url.raw_path.split(b"?", 1)[0],
            "root_path": "",
            "scheme": url.scheme,
            "query_string": url.query,
            "headers": headers,
            "client": self._address,
            "server": [url.host, url.port or {"http": 80, "https": 443}[url.scheme]],
            "extensions": {},
            "state": {},
        }
        with self._portal_of() as portal:
            sent, fault = portal.call(self._answer, scope, request.read())
        if fault is not None and (self._raises or not sent):
            if self._raises:
                raise fault
            return httpx.Response(500, request=request)
        body = b"" if request.method == "HEAD" else b"".join(each.get("body", b"") for each in sent[1:])
        return httpx.Response(
            sent[0]["status"], headers=sent[0]["headers"], stream=httpx.ByteStream(body), request=request
        )

    async def _answer(self, scope: Scope, body: bytes) -> tuple[list[Message], Exception | None]:
        sent: list[Message] = []
        given = [{"type": "http.request", "body": body, "more_body": False}]

        is_whole = anyio.Event()

        async def receive() -> Message:
            if given:
                return given.pop()
            await is_whole.wait()  # the client stays connected until then
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                is_whole.set()

        try:
            await self._app(scope, receive, send)
        except Exception as fault:
            return sent, fault
        return sent, None
