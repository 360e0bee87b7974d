"""Sessions that are used live on: noted after the answer, at most once a minute, outside of any page's transaction."""

from __future__ import annotations

import uuid

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from app.container import DatabaseUnreachable, Process

log = structlog.get_logger(__name__)


class SessionSightings:
    """ASGI middleware: `request.state.seen_session` names the session to note."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)
        seen = scope.get("state", {}).get("seen_session") if scope["type"] == "http" else None
        if seen is not None:
            await run_in_threadpool(_note, scope["app"].state.process, seen)


def _note(process: Process, session_id: uuid.UUID) -> None:
    try:
        with process.visit() as services:
            services.sessions.see(session_id)
    except DatabaseUnreachable as error:
        # The page was answered; the session will be seen at the next one.
        log.warning("session not noted", kind=type(error).__name__)
