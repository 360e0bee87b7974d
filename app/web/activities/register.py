"""Every activity of a campus: searched, sorted, page by page, and as a table for the yearly report."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.pages.words import ACTIVITY_KINDS
from app.http.request_scope import ReadingServices
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_
from app.services.campus.directory import ActivityOrder, Start
from app.web.campus.desk import ActivityLine
from app.web.campus.history import streamed_table

A_PAGE = 50
SORTS = {
    ActivityOrder.LATEST: N_("Plus récentes d’abord"),
    ActivityOrder.EARLIEST: N_("Plus anciennes d’abord"),
    ActivityOrder.TITLE: N_("Titre"),
}
router = APIRouter(prefix="/gestion/{slug}/activites")
_VIEW = [staff(Deed.VIEW)]


@router.get("", dependencies=_VIEW)
def all_activities(
    request: Request,
    services: ReadingServices,
    q: str = "",
    tri: ActivityOrder = ActivityOrder.LATEST,
    apres: uuid.UUID | None = None,
) -> HTMLResponse:
    work = at_work(request)
    found = services.directory.find_activities(work.campus, q, Start(apres, A_PAGE), tri)
    shown, words = found[:A_PAGE], q.strip()
    people = services.directory.people_in(shown)
    here = "?" + urlencode({"q": words, "tri": tri.value})
    return page(
        request,
        "activities/register.html",
        campus=work.look,
        private=True,
        home=work.home,
        words=words,
        sorts=[(order.value, say(told)) for order, told in SORTS.items()],
        chosen=tri.value,
        lines=[ActivityLine.of(work, activity, people.get(activity.id, 0)) for activity in shown],
        asked=_asked(services, work),
        first=here,
        is_first=apres is None,
        next=f"{here}&apres={shown[-1].id}" if len(found) > A_PAGE else "",
    )


@router.get("/activites.csv", dependencies=_VIEW)
def activities_table(request: Request) -> Response:
    """What took place and how many came: it names nobody."""
    campus = at_work(request).campus
    heading = (
        "Titre",
        "Type",
        "Du",
        "Au",
        "Lieu",
        "Heures",
        "Public",
        "Personnes inscrites",
        "Effectif déclaré",
    )

    def rows(services: Services) -> Iterator[Sequence[str]]:
        for activity, people in services.directory.all_activities(campus):
            yield (
                activity.title,
                say(ACTIVITY_KINDS[activity.kind]),
                f"{activity.starts_on:%d/%m/%Y}",
                f"{activity.ends_on:%d/%m/%Y}",
                activity.place,
                f"{activity.hours:g}".replace(".", ",") if activity.hours else "",
                activity.audience,
                str(people),
                str(activity.declared_size) if activity.declared_size else "",
            )

    return streamed_table(request, "activites", heading, rows)


def _asked(services: Services, work: AtWork) -> Sequence[tuple[ActivityLine, str]]:
    """Activities that other campuses ask this one to organise too, with the campus that asks."""
    return [
        (ActivityLine.of(work, activity, 0), leader.name)
        for activity, leader in services.activity_plans.asked(work.campus)
    ]
