"""Who was there, of an activity that is held once: everybody on the list, ticked unless they were absent."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.domain.accounts.permissions import Deed
from app.domain.activities.activities import told_apart
from app.http.pages.forms import SafeForm, ids_in, text_of, texts_of
from app.http.pages.render import page
from app.http.request_scope import WITH_ORGANISERS, ReadingServices, deed
from app.http.workplaces import at_work, staff
from app.web.activities.activities import ActivityView

router = APIRouter(prefix="/gestion/{slug}/activites/{activity_id}/presences", dependencies=[WITH_ORGANISERS])


@router.get("", dependencies=[staff(Deed.WORK)])
def show_presences(
    activity_id: uuid.UUID, request: Request, services: ReadingServices, note: str = ""
) -> HTMLResponse:
    work = at_work(request)
    found = services.activities.page(work.campus, activity_id)
    sessions, _ = services.activity_sessions.list_of(work.campus, activity_id)
    return page(
        request,
        "activities/presences.html",
        campus=work.look,
        private=True,
        home=work.home,
        activity=ActivityView.of(work, found.activity),
        people=[
            (participation.id, told_apart(participation, person.name), participation.is_present)
            for participation, person in sorted(
                (*found.participants, *found.absent),
                key=lambda pair: (pair[1].family_name, pair[1].given_name, pair[1].id),
            )
        ],
        present=len(found.participants),
        absent=len(found.absent),
        sessions=sessions,
        noted=note == "oui",
    )


@router.post("", dependencies=[staff(Deed.WORK)])
def note_presences(activity_id: uuid.UUID, request: Request, form: SafeForm) -> Response:
    """Whoever was added while the page lay open stays as they are."""
    work, shown = at_work(request), ids_in(text_of(form, "montrees").split())
    present = ids_in(texts_of(form, "present"))
    with deed(request) as writing:
        writing.activities.note_presences(work.campus, activity_id, present, shown=shown, by=work.actor)
    return RedirectResponse(f"{work.home}/activites/{activity_id}/presences?note=oui", status_code=303)
