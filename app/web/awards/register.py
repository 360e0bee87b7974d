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
from app.http.pages.registers import Column, ListQuery
from app.http.pages.typography import translated
from app.http.pages.words import clock, hours_text, moment, why_ended
from app.http.request_scope import ReadingServices
from app.http.workplaces import AtWork, staff, today_in
from app.language import N_
from app.services.campus.registers import AwardFilter, AwardSort, ListedAward, Register, Standing
from app.web.awards.delivery_states import HandingView, handings_of
from app.web.campus.registers import Listing, Row, Shown, on_day, words

STANDINGS = {
    Standing.VALID: N_("Valable"),
    Standing.EXPIRED: N_("Expiré"),
    Standing.SUSPENDED: N_("Suspendu"),
    Standing.WITHDRAWN: N_("Retiré"),
    Standing.UNDONE: N_("Annulé avant d’être remis"),
}
COLUMNS = (
    Column("personne", N_("Personne"), sort="personne", heads=(N_("Nom"), N_("Prénom"))),
    Column("badge", N_("Badge"), sort="badge"),
    Column("activite", N_("Activité"), classes="slim-hide"),
    Column("date", N_("Attribué le"), sort="date", classes="when"),
    Column("remise", N_("Remise")),
    Column("etat", N_("État"), is_usual=False),
    Column("adresse", N_("E-mail"), is_usual=False),
    Column("par", N_("Attribué par"), is_usual=False),
    Column("heures", N_("Heures"), sort="-heures", is_usual=False, classes="n"),
    Column("valable", N_("Valable jusqu’au"), sort="valable", is_usual=False),
    Column("recupere", N_("Récupéré le"), sort="-recupere", is_usual=False),
    Column("retire", N_("Retiré le"), is_usual=False),
    Column("annule", N_("Annulé le"), is_usual=False),
    Column("motif", N_("Motif du retrait"), is_usual=False),
    Column("lien", N_("Page publique"), is_usual=False),
)
router = APIRouter(prefix="/gestion/{slug}/attributions")


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
            services.award_register.addresses_of(work.campus, people),
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

    @property
    def everything(self) -> AwardFilter:
        return AwardFilter(self.at)

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


def _rows(
    services: Services,
    work: AtWork,
    lines: Sequence[ListedAward],
    wanted: AwardFilter,
    shown: frozenset[str],
) -> Iterator[Row]:
    beside = Beside.of(services, work, lines, shown)
    for line in lines:
        values = _values(services, work, wanted.at, line, beside)
        yield Row(line.id, f"{values['personne'].text}, {line.badge}", values)


def _values(
    services: Services, work: AtWork, at: datetime, line: ListedAward, beside: Beside
) -> Mapping[str, Shown]:
    zone, handing = work.campus.time_zone, beside.handings.get(line.id)
    activity = f"{work.home}/activites/{line.activity_id}" if line.activity_id else ""
    return {
        "personne": Shown(
            (line.family_name, line.given_name),
            handing.person if handing else line.name,
            href=f"{work.home}/attributions/{line.id}",
        ),
        "badge": words(line.badge),
        "activite": words(line.activity, href=activity),
        "date": on_day(line.awarded_at, zone, below=lambda: clock(line.awarded_at, zone)),
        "remise": _handed(handing, zone) if handing else words(""),
        "etat": words(translated(STANDINGS[line.standing(at)])),
        "adresse": words(beside.addresses.get(line.person_id)),
        "par": words(line.giver),
        "heures": Shown((line.hours,), lambda: hours_text(line.hours)),
        "valable": on_day(line.valid_until, zone),
        "recupere": on_day(line.claimed_at, zone),
        "retire": on_day(None if line.undone_at else line.revoked_at, zone),
        "annule": on_day(line.undone_at, zone),
        "motif": words(why_ended(line)),
        "lien": words(services.addresses.award(line.id)),
    }


def _handed(handing: HandingView, zone: str) -> Shown:
    text = translated(handing.state.text)
    return Shown(
        (text,),
        text,
        lambda: moment(handing.at, zone) if handing.at else "",
        tag=handing.state.state,
        picture=handing.picture,
        reason=handing.reason,
    )


LISTING = Listing(
    Register.AWARDS,
    "awards/register.html",
    COLUMNS,
    AwardSort,
    lambda services: services.award_register,
    AwardFilters.of,
    _rows,
    (
        (N_("Toutes"), ""),
        (N_("Cette semaine"), "periode=semaine"),
        (N_("Pas encore récupérés"), "etat=valable&recupere=non"),
    ),
    acts=Permission.AWARD,
)


@router.get("", dependencies=[staff(Permission.VIEW)])
def register(request: Request, services: ReadingServices) -> HTMLResponse:
    return LISTING.page(request, services, chosen_badge=request.query_params.get("badge", ""))


@router.get("/attributions.csv", dependencies=[staff(Permission.EXPORT)])
@router.get("/attributions.xlsx", dependencies=[staff(Permission.EXPORT)])
def table(request: Request, services: ReadingServices) -> Response:
    return LISTING.table(request, services)
