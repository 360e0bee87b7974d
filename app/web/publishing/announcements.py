"""The public page of an activity, and its announcement by staff."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.errors import InvalidInput
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.previews import activity_data, preview
from app.http.pages.render import page
from app.http.pages.words import ACTIVITY_KINDS, day, number
from app.http.request_scope import (
    WITH_ORGANISERS,
    ReadingServices,
    public,
    services_at_hand,
    status_for,
    write_transaction,
)
from app.http.workplaces import at_work, look_of, staff
from app.language import translated
from app.web.publishing.catalogue import card_of

router = APIRouter(include_in_schema=False)


@router.get("/activites/{activity_id:uuid}")
@public
def show_activity(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    found = services.catalogue.activity(activity_id)
    campuses = {found.campus.id: found.campus}
    activity = found.activity
    return page(
        request,
        "badges/catalogue/activity.html",
        campus=look_of(found.campus),
        wide=True,
        found=found,
        kind=translated(ACTIVITY_KINDS[activity.kind]),
        days=_days(activity.starts_on, activity.ends_on),
        times=_times(activity.start_time, activity.end_time),
        hours=number(activity.hours) if activity.hours is not None else "",
        badges=[card_of(entry, campuses) for entry in found.badges],
        link_preview=preview(
            services,
            f"/activites/{activity_id}",
            activity.title,
            activity.description or _days(activity.starts_on, activity.ends_on),
            entry=services.catalogue.find(activity_id),
            campus=found.campus,
            structured=activity_data(services, found.campus, activity),
        ),
    )


def _days(first: date, last: date) -> str:
    if first == last:
        return day(first)
    return translated("du {first} au {last}").format(first=day(first), last=day(last))


def _times(start: Any, end: Any) -> str:
    return " – ".join(f"{each:%H:%M}" for each in (start, end) if each)


announcement_router = APIRouter(
    prefix="/gestion/{slug}/activites/{activity_id:uuid}/annonce", dependencies=[WITH_ORGANISERS]
)


@announcement_router.get("", dependencies=[staff(Permission.WORK)])
def show_announcement(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _announcement(request, services, activity_id)


@announcement_router.post("", dependencies=[staff(Permission.WORK)])
def announce(activity_id: uuid.UUID, request: Request, form: SafeForm) -> Response:
    work = at_work(request)
    try:
        with write_transaction(request) as services:
            activity = services.activities.get(work.campus, activity_id)
            if text_of(form, "annoncer") == "non":
                services.catalogue.withdraw_announcement(work.campus, activity, by=work.actor)
            else:
                services.catalogue.announce(
                    work.campus, activity, enrolment=text_of(form, "inscription"), by=work.actor
                )
    except InvalidInput as error:
        with services_at_hand(request) as services:
            return _announcement(
                request, services, activity_id, typed=text_of(form, "inscription"), error=error
            )
    return RedirectResponse(f"{work.home}/activites/{activity_id}/annonce", status_code=303)


def _announcement(
    request: Request,
    services: Services,
    activity_id: uuid.UUID,
    *,
    typed: str | None = None,
    error: InvalidInput | None = None,
) -> HTMLResponse:
    work = at_work(request)
    activity = services.activities.get(work.campus, activity_id)
    standing = services.catalogue.announcement(activity_id)
    enrolment = standing.enrolment.removeprefix("mailto:") if standing else ""
    return page(
        request,
        "badges/catalogue/announcement.html",
        campus=work.look,
        private=True,
        status=status_for(error),
        activity=activity,
        home=f"{work.home}/activites/{activity_id}",
        standing=standing,
        has_passed=activity.ends_on < work.campus.day_of(services.clock()),
        enrolment=enrolment if typed is None else typed,
        contact=work.campus.contact_email,
        error=translated(error.sentence) if error else "",
    )
