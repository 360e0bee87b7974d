"""« Historique du service »: what whoever runs it did to it and to campuses, and nothing of what these hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.request_scope import ReadingServices, process_of
from app.services.campus.history import Event
from app.web.campus.history import Before, who_of
from app.web.campus.history_words import DEEDS, OF_THE_SERVICE, OTHER_DEED
from app.web.campus.operation import OPERATOR

A_PAGE = 50
router = APIRouter(prefix="/exploitation/historique")


@dataclass(frozen=True)
class ServiceLine:
    at: datetime
    what: str
    about: str
    who: str

    @staticmethod
    def of(event: Event) -> ServiceLine:
        key = event.entry.noun, event.entry.deed
        return ServiceLine(
            event.entry.at,
            say(OF_THE_SERVICE.get(key) or DEEDS.get(key, OTHER_DEED)),
            event.subject,
            who_of(event),
        )


@router.get("", dependencies=[OPERATOR])
def show_history(request: Request, services: ReadingServices, avant: Before = None) -> HTMLResponse:
    services.search_everywhere()
    found = services.history.page_of_service(before=avant, limit=A_PAGE + 1)
    shown = found[:A_PAGE]
    return page(
        request,
        "campus/operation/history.html",
        private=True,
        lines=[ServiceLine.of(event) for event in shown],
        is_first=avant is None,
        older=f"?avant={shown[-1].entry.id}" if len(found) > A_PAGE else "",
        zone=process_of(request).settings.time_zone,
    )
