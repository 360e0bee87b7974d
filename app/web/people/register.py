"""The register of people: filtered, sorted, as a page and as a table."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from starlette.datastructures import QueryParams

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.people.people import Person
from app.http.pages.registers import Column, ListQuery
from app.http.pages.typography import translated
from app.http.request_scope import ReadingServices
from app.http.workplaces import AtWork, staff, today_in
from app.language import N_
from app.services.campus.registers import PeopleFilter, PeopleSort, Register
from app.web.campus.registers import Listing, Row, Shown, figure, on_day, words

COLUMNS = (
    Column("nom", N_("Personne"), sort="nom", heads=(N_("Nom"), N_("Prénom"))),
    Column("adresse", N_("E-mail"), heads=("Courriel",), classes="when"),
    Column("activites", N_("Activités"), sort="-activites", classes="n"),
    Column("badges", N_("Badges"), sort="-badges", classes="n"),
    Column("recuperes", N_("Récupérés"), sort="-recuperes", classes="n"),
    Column("arrivee", N_("Arrivée le"), sort="arrivee", is_usual=False),
)
router = APIRouter(prefix="/gestion/{slug}/repertoire")


@dataclass(frozen=True)
class PeopleFilters:
    """What the filters offer in this campus."""

    today: date
    zone: str
    badges: Sequence[tuple[uuid.UUID, str]]
    activities: Sequence[tuple[uuid.UUID, str]]

    @staticmethod
    def of(services: Services, work: AtWork) -> PeopleFilters:
        return PeopleFilters(
            today_in(services, work.campus),
            work.campus.time_zone,
            [(badge.id, version.name) for badge, version in services.badges.list_newest(work.campus)],
            services.award_register.activities(work.campus),
        )

    @property
    def everything(self) -> PeopleFilter:
        return PeopleFilter()

    def read(self, params: QueryParams) -> tuple[ListQuery, PeopleFilter]:
        query = ListQuery(params, COLUMNS, sort="nom")
        every = translated(N_("Tous"))
        badge = query.choice_id("badge", translated(N_("Badge")), self.badges, every=every)
        activities = translated(N_("Toutes"))
        activity = query.choice_id("activite", translated(N_("Activité")), self.activities, every=activities)
        claims = [("non", translated(N_("Un badge à récupérer"))), ("oui", translated(N_("Tout récupéré")))]
        everyone = translated(N_("Tout le monde"))
        claimed = query.choice("recupere", translated(N_("Récupéré")), claims, every=everyone)
        arrived = query.times(translated(N_("Arrivée")), self.today, self.zone)
        query.check()
        return query, PeopleFilter(badge, activity, arrived, claimed == "non" if claimed else None)


def _rows(
    services: Services,
    work: AtWork,
    people: Sequence[Person],
    wanted: PeopleFilter,  # noqa: ARG001 - a line is the same under each filter
    shown: frozenset[str],  # noqa: ARG001 - counts are read at once
) -> Iterator[Row]:
    register, zone = services.people_register, work.campus.time_zone
    addresses, counts = register.addresses_of(people), register.counts(work.campus, people)
    for person in people:
        counted, name = counts[person.id], (person.family_name, person.given_name)
        yield Row(
            person.id,
            person.name,
            {
                "nom": Shown(name, person.name, href=f"{work.home}/repertoire/{person.id}"),
                "adresse": words(addresses.get(person.id)),
                "activites": figure(counted.activities),
                "badges": figure(counted.awards),
                "recuperes": figure(counted.claimed, is_known=bool(counted.awards)),
                "arrivee": on_day(person.created_at, zone),
            },
        )


LISTING = Listing(
    Register.PEOPLE,
    "people/list.html",
    COLUMNS,
    PeopleSort,
    lambda services: services.people_register,
    PeopleFilters.of,
    _rows,
    ((N_("Tout le monde"), ""), (N_("Un badge à récupérer"), "recupere=non")),
)


@router.get("", dependencies=[staff(Permission.VIEW)])
def list_people(request: Request, services: ReadingServices) -> HTMLResponse:
    return LISTING.page(request, services)


@router.get("/repertoire.csv", dependencies=[staff(Permission.EXPORT)])
@router.get("/repertoire.xlsx", dependencies=[staff(Permission.EXPORT)])
def people_table(request: Request, services: ReadingServices) -> Response:
    return LISTING.table(request, services)
