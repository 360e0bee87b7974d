"""The register of people: filtered, sorted, as a page and as a table."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from starlette.datastructures import QueryParams

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.people.people import Person
from app.http.pages.registers import (
    COUNTED,
    Cell,
    Column,
    ListQuery,
    ViewLink,
    cells,
    table_file,
    view_links,
)
from app.http.pages.render import page
from app.http.pages.typography import translated
from app.http.pages.words import local
from app.http.request_scope import ReadingServices
from app.http.workplaces import AtWork, at_work, staff, today_in
from app.language import N_
from app.services.campus.registers import PeopleFilter, PeopleSort, PersonCounts, Register, Start
from app.web.campus.audit_log import export_noted

A_PAGE = 50
COLUMNS = (
    Column("nom", N_("Personne"), sort="nom", heads=(N_("Nom"), N_("Prénom"))),
    Column("adresse", N_("E-mail"), heads=("Courriel",)),
    Column("activites", N_("Activités"), classes="n"),
    Column("badges", N_("Badges"), classes="n"),
    Column("recuperes", N_("Récupérés"), classes="n"),
    Column("arrivee", N_("Arrivée le"), sort="arrivee", is_usual=False),
)
router = APIRouter(prefix="/gestion/{slug}/repertoire")


@dataclass(frozen=True)
class PersonRow:
    id: uuid.UUID
    href: str
    name: str
    address: str
    counts: PersonCounts
    created_at: datetime


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


@router.get("", dependencies=[staff(Permission.VIEW)])
def list_people(request: Request, services: ReadingServices) -> HTMLResponse:
    work, register = at_work(request), services.people_register
    filters = PeopleFilters.of(services, work)
    query, wanted = filters.read(request.query_params)
    sort, descending = query.order(PeopleSort)
    found: Sequence[Person] = ()
    matching = total = 0
    if not query.errors:
        found = register.page(work.campus, wanted, Start(query.after, A_PAGE), sort, descending=descending)
        matching = register.count(work.campus, wanted)
        everyone = PeopleFilter()
        total = matching if wanted == everyone else register.count(work.campus, everyone)
    shown = found[:A_PAGE]
    addresses, counts = register.addresses_of(shown), register.counts(work.campus, shown)
    return page(
        request,
        "people/list.html",
        campus=work.look,
        private=True,
        wide=True,
        status=422 if query.errors else 200,
        home=work.home,
        zone=work.campus.time_zone,
        exports=work.may(Permission.EXPORT),
        lines=[
            PersonRow(
                person.id,
                f"{work.home}/repertoire/{person.id}",
                person.name,
                addresses.get(person.id, ""),
                counts[person.id],
                person.created_at,
            )
            for person in shown
        ],
        register=query.view(
            Register.PEOPLE,
            matching=matching,
            total=total,
            next_after=shown[-1].id if len(found) > A_PAGE else None,
            views=_views(services, work, filters, query),
        ),
    )


def _views(services: Services, work: AtWork, filters: PeopleFilters, query: ListQuery) -> list[ViewLink]:
    def count(params: QueryParams) -> int | None:
        asked, wanted = filters.read(params)
        return None if asked.errors else services.people_register.count(work.campus, wanted, most=COUNTED)

    usual = [
        (translated(N_("Tout le monde")), ""),
        (translated(N_("Un badge à récupérer")), "recupere=non"),
    ]
    saved = services.saved_views.list_of(work.campus, work.who.person.id, Register.PEOPLE)
    return view_links(query, usual, saved, count)


@router.get("/repertoire.csv", dependencies=[staff(Permission.EXPORT)])
@router.get("/repertoire.xlsx", dependencies=[staff(Permission.EXPORT)])
def people_table(request: Request, services: ReadingServices) -> Response:
    """The lines and columns of the page with the same query."""
    work = at_work(request)
    query, wanted = PeopleFilters.of(services, work).read(request.query_params)
    query.raise_errors()
    sort, descending = query.order(PeopleSort)
    export_noted(request, "repertoire")

    def rows(services: Services) -> Iterator[Sequence[Cell]]:
        register = services.people_register
        for block in register.blocks(work.campus, wanted, sort, descending=descending):
            addresses, counts = register.addresses_of(block), register.counts(work.campus, block)
            for person in block:
                found = _cells(work, person, addresses.get(person.id, ""), counts[person.id])
                yield cells(query, COLUMNS, found)

    return table_file(request, "repertoire", query.heads(), rows)


def _cells(work: AtWork, person: Person, address: str, counts: PersonCounts) -> Mapping[str, Sequence[Cell]]:
    return {
        "nom": (person.family_name, person.given_name),
        "adresse": (address,),
        "activites": (counts.activities,),
        "badges": (counts.awards,),
        "recuperes": (counts.claimed,),
        "arrivee": (local(person.created_at, work.campus.time_zone).date(),),
    }
