"""Reminders of badges that wait: stopped by whoever gets them, or by a campus for everybody."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.domain.accounts.permissions import Deed
from app.domain.privacy.consents import About, wording_of
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.policies import public
from app.http.request_scope import WITH_ORGANISERS, ReadingServices, WritingServices, deed
from app.http.workplaces import at_work, staff

router = APIRouter()


@router.get("/rappels/{wish}")
@public
def show_wish(wish: str, request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    """A page and not yet a deed: programs that follow links in letters stop nothing."""
    person = services.reminders.person_of(wish)
    return page(
        request,
        "awards/handing/my_reminders.html",
        private=True,
        wanted=person.wants_reminders,
        agreement=say(wording_of(About.REMINDERS)),
        here=f"/rappels/{wish}",
        done=bool(fait),
    )


@router.post("/rappels/{wish}")
@public
def stop_at_once(wish: str, services: WritingServices) -> Response:
    """The one click of a mail program (RFC 8058): it has no cookie and no page of ours, and the address is the proof."""
    services.reminders.set_for_person(services.reminders.person_of(wish), False)
    return Response(status_code=204)


@router.post("/rappels/{wish}/choix")
@public
def choose(wish: str, services: WritingServices, form: SafeForm) -> RedirectResponse:
    person = services.reminders.person_of(wish)
    services.reminders.set_for_person(person, text_of(form, "rappels") == "oui")
    return RedirectResponse(f"/rappels/{wish}?fait=oui", status_code=303)


@router.post(
    "/gestion/{slug}/activites/{activity_id}/rappels", dependencies=[WITH_ORGANISERS, staff(Deed.AWARD)]
)
def choose_for_activity(
    activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> RedirectResponse:
    work = at_work(request)
    services.activities.get(work.campus, activity_id)
    with deed(request) as writing:
        wanted = text_of(form, "rappels") == "oui"
        writing.reminders.set_for_activity(work.campus, activity_id, wanted, by=work.actor)
    return RedirectResponse(f"{work.home}/activites/{activity_id}/remise#rappels", status_code=303)


@router.get("/gestion/{slug}/rappels", dependencies=[staff(Deed.MANAGE)])
def of_campus(request: Request, fait: str = "") -> HTMLResponse:
    work = at_work(request)
    return page(
        request,
        "awards/handing/reminders.html",
        campus=work.look,
        private=True,
        home=work.home,
        wanted=work.campus.sends_reminders,
        done=bool(fait),
    )


@router.post("/gestion/{slug}/rappels", dependencies=[staff(Deed.MANAGE)])
def choose_for_campus(request: Request, form: SafeForm) -> RedirectResponse:
    work = at_work(request)
    with deed(request) as services:
        campus = services.campuses.get(work.campus.slug)
        services.reminders.set_for_campus(campus, text_of(form, "rappels") == "oui", by=work.actor)
    return RedirectResponse(f"{work.home}/rappels?fait=oui", status_code=303)
