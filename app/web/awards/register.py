"""The register of awards: filtered, sorted, as a page and as a table."""

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
from app.http.pages.words import hours_text, local, why_ended
from app.http.request_scope import ReadingServices
from app.http.workplaces import AtWork, at_work, staff, today_in
from app.language import N_
from app.services.campus.registers import AwardFilter, AwardSort, ListedAward, Register, Standing, Start
from app.web.awards.delivery_states import HandingView, handings_of
from app.web.campus.audit_log import export_noted

A_PAGE = 50
STANDINGS = {
    Standing.VALID: N_("Valable"),
    Standing.EXPIRED: N_("Expiré"),
    Standing.WITHDRAWN: N_("Retiré"),
    Standing.UNDONE: N_("Annulé avant d’être remis"),
}
COLUMNS = (
    Column("personne", N_("Personne"), sort="personne", heads=(N_("Nom"), N_("Prénom"))),
    Column("badge", N_("Badge"), sort="badge"),
    Column("activite", N_("Activité"), classes="slim-hide"),
    Column("date", N_("Attribué le"), sort="date"),
    Column("remise", N_("Remise")),
    Column("etat", N_("État"), is_usual=False),
    Column("adresse", N_("E-mail"), is_usual=False),
    Column("par", N_("Attribué par"), is_usual=False),
    Column("heures", N_("Heures"), is_usual=False, classes="n"),
    Column("valable", N_("Valable jusqu’au"), is_usual=False),
    Column("recupere", N_("Récupéré le"), is_usual=False),
    Column("retire", N_("Retiré le"), is_usual=False),
    Column("annule", N_("Annulé le"), is_usual=False),
    Column("motif", N_("Motif du retrait"), is_usual=False),
    Column("lien", N_("Page publique"), is_usual=False),
)
router = APIRouter(prefix="/gestion/{slug}/attributions")


@dataclass(frozen=True)
class AwardRow:
    id: uuid.UUID
    href: str
    person: str
    badge: str
    activity: str
    activity_href: str
    awarded_at: datetime
    standing: str
    address: str
    giver: str
    hours: str
    valid_until: datetime | None
    claimed_at: datetime | None
    withdrawn_at: datetime | None
    undone_at: datetime | None
    reason: str
    public_href: str


@dataclass(frozen=True)
class Beside:
    """Read for several lines at once, only if shown."""

    addresses: Mapping[uuid.UUID, str]
    handings: Mapping[uuid.UUID, HandingView]

    @staticmethod
    def of(services: Services, work: AtWork, lines: Sequence[ListedAward], shown: frozenset[str]) -> Beside:
        people = {line.person_id for line in lines} if "adresse" in shown else ()
        awards = [line.id for line in lines] if "remise" in shown else []
        return Beside(
            services.award_register.addresses_of(people),
            handings_of(services, work.home, awards, work.campus.id) if awards else {},
        )


@dataclass(frozen=True)
class AwardFilters:
    """What the filters offer in this campus."""

    work: AtWork
    at: datetime
    today: date
    badges: Sequence[tuple[uuid.UUID, str]]
    activities: Sequence[tuple[uuid.UUID, str]]
    team: Sequence[tuple[uuid.UUID, str]]

    @staticmethod
    def of(services: Services, work: AtWork) -> AwardFilters:
        return AwardFilters(
            work,
            services.clock(),
            today_in(services, work.campus),
            [(badge.id, version.name) for badge, version in services.badges.list_newest(work.campus)],
            services.award_register.activities(work.campus),
            services.award_register.team(work.campus),
        )

    def read(self, params: QueryParams) -> tuple[ListQuery, AwardFilter]:
        query = ListQuery(params, COLUMNS, sort="-date")
        every, everybody = translated(N_("Tous")), translated(N_("Tout le monde"))
        standings = [(each.value, translated(words)) for each, words in STANDINGS.items()]
        standing = query.choice("etat", translated(N_("État")), standings, every=every)
        claims = [("oui", translated(N_("Récupérés"))), ("non", translated(N_("Pas encore récupérés")))]
        claimed = query.choice("recupere", translated(N_("Récupéré")), claims, every=every)
        given = query.times(translated(N_("Période")), self.today, self.work.campus.time_zone)
        badge = query.choice_id("badge", translated(N_("Badge")), self.badges, every=every)
        activity = query.choice_id(
            "activite", translated(N_("Activité")), self.activities, every=translated(N_("Toutes"))
        )
        giver = query.choice_id("par", translated(N_("Formatrice, formateur")), self.team, every=everybody)
        query.check()
        return query, AwardFilter(
            at=self.at,
            standing=Standing(standing) if standing else None,
            is_claimed=claimed == "oui" if claimed else None,
            given=given,
            badge_id=badge,
            activity_id=activity,
            giver_id=giver,
        )


@router.get("", dependencies=[staff(Permission.VIEW)])
def register(request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    filters = AwardFilters.of(services, work)
    query, wanted = filters.read(request.query_params)
    sort, descending = query.order(AwardSort)
    found: Sequence[ListedAward] = ()
    matching = total = 0
    if not query.errors:
        found = services.award_register.page(
            work.campus, wanted, Start(query.after, A_PAGE), sort, descending=descending
        )
        matching = services.award_register.count(work.campus, wanted)
        everything = AwardFilter(wanted.at)
        total = matching if wanted == everything else services.award_register.count(work.campus, everything)
    shown = found[:A_PAGE]
    beside = Beside.of(services, work, shown, query.shown)
    return page(
        request,
        "awards/register.html",
        campus=work.look,
        private=True,
        wide=True,
        status=422 if query.errors else 200,
        home=work.home,
        zone=work.campus.time_zone,
        exports=work.may(Permission.EXPORT),
        chosen_badge=str(wanted.badge_id or ""),
        lines=[_row(services, work, wanted.at, line, beside) for line in shown],
        handed=beside.handings,
        register=query.view(
            Register.AWARDS,
            matching=matching,
            total=total,
            next_after=shown[-1].id if len(found) > A_PAGE else None,
            views=_views(services, work, filters, query),
        ),
    )


def _views(services: Services, work: AtWork, filters: AwardFilters, query: ListQuery) -> list[ViewLink]:
    def count(params: QueryParams) -> int | None:
        asked, wanted = filters.read(params)
        if asked.errors:
            return None
        return services.award_register.count(work.campus, wanted, most=COUNTED)

    usual = [
        (translated(N_("Toutes")), ""),
        (translated(N_("Cette semaine")), "periode=semaine"),
        (translated(N_("Pas encore récupérés")), "etat=valable&recupere=non"),
    ]
    saved = services.saved_views.list_of(work.campus, work.who.person.id, Register.AWARDS)
    return view_links(query, usual, saved, count)


def _row(services: Services, work: AtWork, at: datetime, line: ListedAward, beside: Beside) -> AwardRow:
    handing = beside.handings.get(line.id)
    return AwardRow(
        id=line.id,
        href=f"{work.home}/attributions/{line.id}",
        person=handing.person if handing else line.name,
        badge=line.badge,
        activity=line.activity or "",
        activity_href=f"{work.home}/activites/{line.activity_id}" if line.activity_id else "",
        awarded_at=line.awarded_at,
        standing=translated(STANDINGS[line.standing(at)]),
        address=beside.addresses.get(line.person_id, ""),
        giver=line.giver,
        hours=hours_text(line.hours),
        valid_until=line.valid_until,
        claimed_at=line.claimed_at,
        withdrawn_at=None if line.undone_at else line.revoked_at,
        undone_at=line.undone_at,
        reason=why_ended(line),
        public_href=services.addresses.award(line.id),
    )


@router.get("/attributions.csv", dependencies=[staff(Permission.EXPORT)])
@router.get("/attributions.xlsx", dependencies=[staff(Permission.EXPORT)])
def table(request: Request, services: ReadingServices) -> Response:
    """The lines and columns of the page with the same query, as CSV or workbook."""
    work = at_work(request)
    query, wanted = AwardFilters.of(services, work).read(request.query_params)
    query.raise_errors()
    sort, descending = query.order(AwardSort)
    export_noted(request, "attributions")

    def rows(services: Services) -> Iterator[Sequence[Cell]]:
        register = services.award_register
        for block in register.blocks(work.campus, wanted, sort, descending=descending):
            beside = Beside.of(services, work, block, query.shown)
            for line in block:
                yield cells(query, COLUMNS, _cells(services, work, wanted.at, line, beside))

    return table_file(request, "attributions", query.heads(), rows)


def _cells(
    services: Services, work: AtWork, at: datetime, line: ListedAward, beside: Beside
) -> Mapping[str, Sequence[Cell]]:
    zone = work.campus.time_zone
    handing = beside.handings.get(line.id)
    return {
        "personne": (line.family_name, line.given_name),
        "badge": (line.badge,),
        "activite": (line.activity,),
        "date": (_day(line.awarded_at, zone),),
        "remise": (translated(handing.state.text) if handing else "",),
        "etat": (translated(STANDINGS[line.standing(at)]),),
        "adresse": (beside.addresses.get(line.person_id, ""),),
        "par": (line.giver,),
        "heures": (line.hours,),
        "valable": (_day(line.valid_until, zone),),
        "recupere": (_day(line.claimed_at, zone),),
        "retire": (None if line.undone_at else _day(line.revoked_at, zone),),
        "annule": (_day(line.undone_at, zone),),
        "motif": (why_ended(line),),
        "lien": (services.addresses.award(line.id),),
    }


def _day(moment: datetime | None, zone: str) -> date | None:
    return local(moment, zone).date() if moment else None
