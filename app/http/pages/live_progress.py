"""How far something long has come, told as it happens, until it is settled."""

from __future__ import annotations

import json
from asyncio import sleep, to_thread
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass

from fastapi import Request
from fastapi.responses import StreamingResponse

from app.container import Services
from app.errors import NotAllowed, NotFound, NotSignedIn
from app.http.pages.typography import say
from app.http.pages.wording import number
from app.http.request_scope import staff_of, visit
from app.language import N_, current_locale, speaking

LOOK_EVERY = 0.5
_DONE = N_("Lignes traitées : {done} sur {total}")


@dataclass(frozen=True)
class ProgressView:
    done: int
    total: int
    heading: str

    @staticmethod
    def of(done: int, total: int) -> ProgressView:
        return ProgressView(done, total, say(_DONE).format(done=number(done), total=number(total)))


Look = Callable[[Services], tuple[ProgressView, bool]]
"""How far it is, and whether it is settled."""


def told_live(request: Request, look: Look) -> StreamingResponse:
    """To somebody at work in a campus: an event each time it has got further, and a last one when it is settled."""
    return StreamingResponse(
        _steps(request, look, current_locale()),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _steps(request: Request, look: Look, language: str) -> AsyncIterator[str]:
    told: ProgressView | None = None
    while True:
        try:
            step, settled = await to_thread(_step, request, look, language)
        except (NotSignedIn, NotFound, NotAllowed):
            # The page that asks again says why: who looked on has signed out, or works here no more, or nobody does.
            yield "event: fin\ndata: {}\n\n"
            return
        if step != told:
            yield f"event: pas\ndata: {json.dumps(asdict(step))}\n\n"
            told = step
        if settled:
            yield "event: fin\ndata: {}\n\n"
            return
        await sleep(LOOK_EVERY)


def _step(request: Request, look: Look, language: str) -> tuple[ProgressView, bool]:
    with visit(request, reading=True) as services, speaking(language):
        staff_of(request, services, request.path_params["slug"])
        return look(services)
