"""The attendance sheet of one session: everybody of the series, ticked where they came."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.domain.accounts.permissions import Deed
from app.domain.activities.activities import told_apart
from app.http.pages.forms import SafeForm, ids_in, text_of, texts_of
from app.http.pages.render import page
from app.http.request_scope import ReadingServices, deed
from app.http.workplaces import at_work, staff
from app.web.activities.activities import ActivityView

router = APIRouter(prefix="/gestion/{slug}/activites/{activity_id}/seances/{session_id}")


@router.get("", dependencies=[staff(Deed.WORK)])
def show_sheet(
    activity_id: uuid.UUID,
    session_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    note: str = "",
    fait: str = "",
    ajoutees: int = 1,
    deja: int = 0,
) -> HTMLResponse:
    work = at_work(request)
    found = services.activity_sessions.sheet(work.campus, activity_id, session_id)
    return page(
        request,
        "activities/session.html",
        campus=work.look,
        private=True,
        home=work.home,
        activity=ActivityView.of(work, found.activity),
        session=found.session,
        others=[each for each in found.sessions if each.id != found.session.id],
        people=[
            (participation.id, told_apart(participation, person.name), participation.id in found.came)
            for participation, person in found.participants
        ],
        came=len(found.came),
        noted=note == "oui",
        done=fait,
        added=ajoutees,
        kept=deja,
        leads=services.activity_plans.planned(work.campus, activity_id).leads,
        sessions_held=sum(1 for each in found.sessions if each.cancelled_at is None),
    )


@router.post("", dependencies=[staff(Deed.WORK)])
def note_sheet(activity_id: uuid.UUID, session_id: uuid.UUID, request: Request, form: SafeForm) -> Response:
    work = at_work(request)
    shown = ids_in(text_of(form, "montrees").split())
    came = shown if text_of(form, "geste") == "tous" else ids_in(texts_of(form, "present"))
    with deed(request) as writing:
        writing.activity_sessions.note(work.campus, activity_id, session_id, came, shown=shown, by=work.actor)
    here = f"{work.home}/activites/{activity_id}/seances/{session_id}"
    return RedirectResponse(f"{here}?note=oui", status_code=303)
