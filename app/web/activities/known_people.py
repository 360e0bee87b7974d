"""People the campus knows already, picked instead of typed again: found by name, or from an earlier activity."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.domain.people.people import Person
from app.http.pages.forms import SafeForm, ids_in, text_of, texts_of
from app.http.pages.render import page
from app.http.request_scope import WITH_ORGANISERS, ReadingServices, deed
from app.http.workplaces import AtWork, at_work, staff
from app.services.campus.directory import Start
from app.web.activities.activities import ActivityView

AT_ONCE = 60
ADD = "ajouter"
router = APIRouter(prefix="/gestion/{slug}/activites/{activity_id}/connues", dependencies=[WITH_ORGANISERS])


@dataclass(frozen=True)
class KnownPerson:
    id: uuid.UUID
    name: str
    address: str


@router.get("", dependencies=[staff(Deed.WORK)])
def show_known(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _page(request, services, at_work(request), activity_id)


@router.post("", dependencies=[staff(Deed.WORK)])
def find_or_add(
    activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """Names are searched for in a form and not in an address, which logs would keep."""
    work, picked = at_work(request), ids_in(texts_of(form, "personne"))
    if text_of(form, "geste") != ADD or not picked:
        return _page(request, services, work, activity_id, text_of(form, "mots"), text_of(form, "source"))
    with deed(request) as writing:
        added = writing.participants.add_known(work.campus, activity_id, picked, by=work.actor)
    counts = f"ajoutees={added}&connues={len(set(picked)) - added}"
    return RedirectResponse(f"{work.home}/activites/{activity_id}?{counts}", status_code=303)


def _page(
    request: Request,
    services: Services,
    work: AtWork,
    activity_id: uuid.UUID,
    words: str = "",
    source: str = "",
) -> HTMLResponse:
    activity = services.activities.get(work.campus, activity_id)
    found, more = _found(services, work, words, source)
    there = {person.id for _, person in services.activities.page(work.campus, activity_id).participants}
    addresses = services.directory.addresses_of(found)
    return page(
        request,
        "activities/known.html",
        campus=work.look,
        private=True,
        home=work.home,
        activity=ActivityView.of(work, activity),
        sources=[
            (str(one.id), f"{one.title}, {one.starts_on:%d/%m/%Y}")
            for one, people in services.activities.list_in(work.campus)
            if people and one.id != activity_id
        ],
        words=words,
        source=source,
        people=[
            KnownPerson(person.id, person.name, addresses.get(person.id, ""))
            for person in found
            if person.id not in there
        ],
        more=more,
        asked=bool(words or source),
    )


def _found(services: Services, work: AtWork, words: str, source: str) -> tuple[Sequence[Person], bool]:
    """Those of an earlier activity, all of them, or the first of those found by name; and whether there are more."""
    if chosen := ids_in([source]):
        return [person for _, person in services.activities.page(work.campus, chosen[0]).participants], False
    if not words:
        return [], False
    found = services.directory.find_people(work.campus, words, Start(limit=AT_ONCE))
    return found[:AT_ONCE], len(found) > AT_ONCE
