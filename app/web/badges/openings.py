"""Who may award a badge: every trainer of the campus, or some by name."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.errors import InvalidInput
from app.http.pages.forms import SafeForm, ids_in, text_of, texts_of
from app.http.pages.render import page
from app.http.request_scope import ReadingServices, deed
from app.http.workplaces import at_work, sentence_of, staff

ALL, SOME = "tous", "certains"
router = APIRouter(prefix="/gestion/{slug}/badges/{badge_id:uuid}/formateurs")
_DESIGN = [staff(Deed.DESIGN)]


@router.get("", dependencies=_DESIGN)
def show_openings(badge_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _page(request, services, badge_id)


@router.post("", dependencies=_DESIGN)
def set_openings(
    badge_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work, chosen = at_work(request), text_of(form, "pour")
    ticked = set(ids_in(texts_of(form, "personne")))
    try:
        with deed(request) as writing:
            writing.openings.set_for_badge(
                work.campus, badge_id, everybody=chosen == ALL, people=ticked, by=work.actor
            )
    except InvalidInput as error:
        return _page(request, services, badge_id, chosen=SOME, ticked=ticked, trouble=sentence_of(error))
    return RedirectResponse(f"{work.home}/badges/{badge_id}", status_code=303)


def _page(
    request: Request,
    services: Services,
    badge_id: uuid.UUID,
    *,
    chosen: str = "",
    ticked: set[uuid.UUID] | None = None,
    trouble: str = "",
) -> HTMLResponse:
    work = at_work(request)
    found = services.openings.of_badge(work.campus, badge_id)
    return page(
        request,
        "badges/openings.html",
        campus=work.look,
        private=True,
        status=422 if trouble else 200,
        home=work.home,
        href=f"{work.home}/badges/{badge_id}",
        name=found.version.name,
        chosen=chosen or (ALL if found.badge.for_every_trainer else SOME),
        trainers=[
            (str(person.id), person.name, opened if ticked is None else person.id in ticked)
            for person, opened in found.trainers
        ],
        trouble=trouble,
    )
