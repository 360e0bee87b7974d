"""The age group of a person: read from a form, and set on their page by the campus."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from app.domain.accounts.permissions import Deed
from app.domain.people.people import AgeGroup
from app.http.pages.forms import SafeForm, text_of
from app.http.request_scope import AT_ANY_CAMPUS, ReadingServices, deed
from app.http.workplaces import at_work, staff

router = APIRouter(dependencies=[AT_ANY_CAMPUS])


def age_group_in(form: FormData) -> AgeGroup | None:
    return {"moins": AgeGroup.UNDER_15, "plus": AgeGroup.FROM_15, "majeur": AgeGroup.ADULT}.get(
        text_of(form, "age")
    )


@router.post("/gestion/{slug}/repertoire/{person_id:uuid}/age", dependencies=[staff(Deed.WORK)])
def set_age_band(
    person_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm
) -> RedirectResponse:
    work = at_work(request)
    services.directory.person(work.campus, person_id)
    with deed(request) as writing:
        group = age_group_in(form)
        if group is not None:
            writing.guardians.set_age_group(work.campus, person_id, group, by=work.actor)
    return RedirectResponse(f"{work.home}/repertoire/{person_id}#age", status_code=303)
