"""« Réunir deux dossiers »: records at one's own proved addresses, brought together and put apart again."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.errors import Conflict, NotAllowed
from app.http.pages.forms import SafeForm
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.request_scope import (
    AT_ANY_CAMPUS,
    ReadingServices,
    close_session_in,
    deed,
    process_of,
    signed_in,
)
from app.http.workplaces import SIGNED_IN, SURELY_SIGNED_IN, sentence_of
from app.language import N_
from app.services.people.merging import Other

router = APIRouter(prefix="/compte/reunir", dependencies=[AT_ANY_CAMPUS])
_DONE = {
    "confirmee": N_("L’adresse est confirmée. D’autres badges y ont été donnés : dites s’ils sont à vous."),
    "reunis": N_("C’est fait : tous ces badges sont dans votre compte."),
    "separes": N_("Les deux dossiers sont de nouveau séparés."),
}


@dataclass(frozen=True)
class RecordShown:
    id: uuid.UUID
    name: str
    works: bool
    badges: Sequence[tuple[str, str, datetime]]
    """Of each badge: its title, its campus, and when it was given."""
    campuses: Sequence[str]

    @staticmethod
    def of(other: Other) -> RecordShown:
        return RecordShown(
            other.person.id,
            other.person.name,
            other.works,
            [(each.version.name, each.campus.short_name, each.award.awarded_at) for each in other.awards],
            [campus.short_name for campus in other.campuses],
        )


@router.get("", dependencies=[SIGNED_IN])
def show(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _page(request, services, done=say(_DONE[fait]) if fait in _DONE else "")


@router.post("/{other_id:uuid}", dependencies=[SURELY_SIGNED_IN])
def merge(
    other_id: uuid.UUID,
    request: Request,
    form: SafeForm,  # noqa: ARG001 - its check is the point
    services: ReadingServices,
) -> Response:
    try:
        with deed(request) as writing:
            who = signed_in(request, writing)
            mine, kept = who.person.id, writing.merging.merge_mine(who, other_id).id
    except (Conflict, NotAllowed) as error:
        return _page(request, services, trouble=sentence_of(error))
    process_of(request).on_promise()
    if kept == mine:
        return _back("reunis")
    # The other record, which has roles in a campus, is the one that stays: it is entered by its own means.
    answer = RedirectResponse("/connexion", status_code=303)
    close_session_in(answer, request)
    return answer


@router.post("/{merge_id:uuid}/defaire", dependencies=[SURELY_SIGNED_IN])
def undo(
    merge_id: uuid.UUID,
    request: Request,
    form: SafeForm,  # noqa: ARG001 - its check is the point
    services: ReadingServices,
) -> Response:
    try:
        with deed(request) as writing:
            writing.merging.undo_mine(signed_in(request, writing), merge_id)
    except Conflict as error:
        return _page(request, services, trouble=sentence_of(error))
    return _back("separes")


def _page(request: Request, services: Services, *, done: str = "", trouble: str = "") -> HTMLResponse:
    who = signed_in(request, services)
    return page(
        request,
        "people/my_merging.html",
        private=True,
        status=422 if trouble else 200,
        name=who.person.name,
        offered=[RecordShown.of(each) for each in services.merging.offered_to(who.person)],
        merged=[(each.id, each.name, each.at) for each in services.merging.mine(who.person.id)],
        zone=process_of(request).settings.time_zone,
        trouble=trouble,
        done=done,
    )


def _back(done: str) -> RedirectResponse:
    return RedirectResponse(f"/compte/reunir?fait={done}", status_code=303)
