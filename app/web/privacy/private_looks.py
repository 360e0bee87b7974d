"""Pages of a campus on which somebody's own things are seen: noted after the answer, in a transaction of its own."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import structlog
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from app.container import AlreadyThere, DatabaseUnreachable, Process
from app.domain.privacy.private_looks import Looked
from app.http.workplaces import at_work

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Look:
    campus_id: uuid.UUID
    person_id: uuid.UUID
    viewer_id: uuid.UUID
    looked_at: Looked


def looks_at(request: Request, person_id: uuid.UUID | None, looked_at: Looked) -> None:
    """To be called by the handler of such a page; None for somebody who is not known yet."""
    if person_id is not None:
        work = at_work(request)
        request.state.looked = Look(work.campus.id, person_id, work.who.person.id, looked_at)


class PrivateLooksNoted:
    """ASGI middleware: `request.state.looked` is what to note."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)
        look = scope.get("state", {}).get("looked") if scope["type"] == "http" else None
        if isinstance(look, Look):
            await run_in_threadpool(_note, scope["app"].state.process, look)


def _note(process: Process, look: Look) -> None:
    try:
        with process.visit(campus_id=look.campus_id) as services:
            services.private_looks.note(look.campus_id, look.person_id, look.viewer_id, look.looked_at)
    except AlreadyThere:
        pass
    except DatabaseUnreachable as error:
        log.warning("look not noted", kind=type(error).__name__)
