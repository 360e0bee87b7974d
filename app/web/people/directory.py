"""The people of a campus: listed, taken away as a table, and each with what they took part in and hold."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.domain.campus.campus import Campus
from app.domain.privacy.private_looks import Looked
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.pages.wording import hours_text, short_day
from app.http.pages.words import PARTS, why_ended
from app.http.request_scope import ReadingServices
from app.http.workplaces import at_work, staff
from app.language import N_
from app.services.campus.directory import PeopleOrder, Start
from app.web.campus.desk import AwardLine
from app.web.campus.history import export_noted, streamed_table
from app.web.people.search import person_hit
from app.web.privacy.private_looks import looks_at

A_PAGE = 50
router = APIRouter(prefix="/gestion/{slug}")
_VIEW, _EXPORT = [staff(Deed.VIEW)], [staff(Deed.EXPORT)]
SORTS = {PeopleOrder.NAME: N_("Nom"), PeopleOrder.LATEST: N_("Arrivées les plus récentes d’abord")}


@dataclass(frozen=True)
class ParticipationLine:
    href: str
    title: str
    starts_on: date
    ends_on: date
    part: str
    hours: str
    contribution: str


@router.get("/repertoire", dependencies=_VIEW)
def list_people(
    request: Request,
    services: ReadingServices,
    tri: PeopleOrder = PeopleOrder.NAME,
    apres: uuid.UUID | None = None,
) -> HTMLResponse:
    work = at_work(request)
    found = services.directory.find_people(work.campus, "", Start(apres, A_PAGE), tri)
    shown = found[:A_PAGE]
    addresses = services.directory.addresses_of(shown)
    return page(
        request,
        "people/list.html",
        campus=work.look,
        private=True,
        home=work.home,
        exports=work.may(Deed.EXPORT),
        sorts=[(order.value, say(words)) for order, words in SORTS.items()],
        chosen=tri.value,
        lines=[person_hit(work, person, addresses) for person in shown],
        next=f"?tri={tri.value}&apres={shown[-1].id}" if len(found) > A_PAGE else "",
        is_first=apres is None,
    )


@router.get("/repertoire/repertoire.csv", dependencies=_EXPORT)
def people_table(request: Request) -> Response:
    """Read and sent a block at a time: as long as it may be, it never lies in memory whole."""
    campus = at_work(request).campus
    export_noted(request, "repertoire")

    def rows(services: Services) -> Iterator[Sequence[str]]:
        for person, address in services.directory.all_people(campus):
            yield person.family_name, person.given_name, address

    return streamed_table(request, "repertoire", ("Nom", "Prénom", "Courriel"), rows)


@router.get("/attributions/attributions.csv", dependencies=_EXPORT)
def awards_table(request: Request) -> Response:
    campus = at_work(request).campus
    export_noted(request, "attributions")
    heading = (
        "Nom", "Prénom", "Badge", "Version", "Activité", "Attribué le", "Retiré le", "Annulé le", "Motif", "Adresse",
    )  # fmt: skip

    def rows(services: Services) -> Iterator[Sequence[str]]:
        for line in services.directory.all_awards(campus):
            yield (
                line.family_name,
                line.given_name,
                line.badge,
                str(line.version),
                line.activity or "",
                short_day(line.awarded_at, campus.time_zone),
                _day(None if line.undone_at else line.revoked_at, campus),
                _day(line.undone_at, campus),
                why_ended(line),
                services.addresses.award(line.id),
            )

    return streamed_table(request, "attributions", heading, rows)


def _day(moment: datetime | None, campus: Campus) -> str:
    return short_day(moment, campus.time_zone) if moment else ""


@router.get("/repertoire/{person_id:uuid}", dependencies=_VIEW)
def show_person(
    person_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    work = at_work(request)
    found = services.directory.person(work.campus, person_id)
    looks_at(request, person_id, Looked.RECORD)
    return page(
        request,
        "people/person.html",
        campus=work.look,
        private=True,
        home=work.home,
        zone=work.campus.time_zone,
        id=person_id,
        name=found.person.name,
        corrected=fait == "nom",
        address=found.address,
        participations=[
            ParticipationLine(
                f"{work.home}/activites/{activity.id}",
                activity.title,
                activity.starts_on,
                activity.ends_on,
                PARTS[participation.part],
                hours_text(participation.hours if participation.hours is not None else activity.hours),
                participation.contribution,
            )
            for participation, activity in found.participations
        ],
        awards=[AwardLine.of(work, record) for record in found.awards],
        age_group=found.person.age_group.value if found.person.age_group else "",
        age=f"{work.home}/repertoire/{person_id}/age" if work.may(Deed.WORK) else "",
        archive=f"{work.home}/repertoire/{person_id}/donnees.zip" if work.may(Deed.PROTECT) else "",
        erase=f"{work.home}/repertoire/{person_id}/effacer" if work.may(Deed.PROTECT) else "",
    )
