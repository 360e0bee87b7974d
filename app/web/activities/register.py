"""The register of activities: filtered, sorted, as a page and as a table."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from starlette.datastructures import QueryParams

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities.activities import Activity, has_begun, has_ended
from app.domain.core import words_of
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
from app.http.pages.words import ACTIVITY_KINDS, local
from app.http.request_scope import ReadingServices
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_
from app.services.campus.registers import (
    ActivityCounts,
    ActivityFilter,
    ActivitySort,
    Moment,
    Register,
    Start,
)
from app.web.campus.dashboard import ActivityLine

A_PAGE = 50
_VIEW = [staff(Permission.VIEW)]
MOMENTS = {
    Moment.COMING: N_("À venir"),
    Moment.UNDER_WAY: N_("En cours"),
    Moment.OVER: N_("Finies"),
}
COLUMNS = (
    Column("titre", N_("Activité"), sort="titre", heads=(N_("Titre"), N_("Type"))),
    Column("quand", N_("Quand"), sort="date", heads=(N_("Du"), N_("Au"))),
    Column("lieu", N_("Lieu"), sort="lieu", classes="slim-hide"),
    Column("heures", N_("Heures"), is_usual=False, classes="n"),
    Column("public", N_("Public"), is_usual=False),
    Column("venues", N_("Venues"), classes="n"),
    Column("badges", N_("Badges"), classes="n"),
    Column("recuperes", N_("Récupérés"), classes="n"),
    Column("effectif", N_("Effectif déclaré"), is_usual=False, classes="n"),
    Column("rapport", N_("Pour le rapport")),
)
_WITHOUT = "sans"
router = APIRouter(prefix="/gestion/{slug}/activites")


@dataclass(frozen=True)
class ActivityRow:
    id: uuid.UUID
    href: str
    title: str
    kind: str
    moment: str
    starts_on: date
    ends_on: date
    start_time: time | None
    end_time: time | None
    place: str
    hours: float | None
    audience: str
    counts: ActivityCounts
    declared_size: int | None
    missing: str

    @staticmethod
    def of(work: AtWork, activity: Activity, counts: ActivityCounts, now: datetime) -> ActivityRow:
        is_under_way = has_begun(activity, now) and not has_ended(activity, now)
        return ActivityRow(
            activity.id,
            f"{work.home}/activites/{activity.id}",
            activity.title,
            translated(ACTIVITY_KINDS[activity.kind]),
            translated(N_("en cours")) if is_under_way else "",
            activity.starts_on,
            activity.ends_on,
            activity.start_time,
            activity.end_time,
            activity.place,
            activity.hours,
            activity.audience,
            counts,
            activity.declared_size,
            _missing(activity),
        )


def _missing(activity: Activity) -> str:
    """What the yearly report needs and is not there; empty if complete."""
    if not activity.place:
        return translated(N_("Lieu à préciser"))
    return "" if activity.audience else translated(N_("Public à préciser"))


@dataclass(frozen=True)
class ActivityFilters:
    """What the filters offer in this campus."""

    now: datetime
    badges: Sequence[tuple[uuid.UUID, str]]
    team: Sequence[tuple[uuid.UUID, str]]

    @staticmethod
    def of(services: Services, work: AtWork) -> ActivityFilters:
        return ActivityFilters(
            local(services.clock(), work.campus.time_zone).replace(tzinfo=None),
            [(badge.id, version.name) for badge, version in services.badges.list_newest(work.campus)],
            services.award_register.team(work.campus),
        )

    def read(self, params: QueryParams) -> tuple[ListQuery, ActivityFilter]:
        query = ListQuery(params, COLUMNS, sort="-date")
        every = translated(N_("Toutes"))
        words = query.search("q", translated(N_("Mot du titre ou du lieu")))
        days = query.days(translated(N_("Période")), self.now.date())
        moments = [(each.value, translated(label)) for each, label in MOMENTS.items()]
        moment = query.choice("etat", translated(N_("État")), moments, every=every)
        badges = [
            (_WITHOUT, translated(N_("Sans badge"))),
            *((str(each), name) for each, name in self.badges),
        ]
        badge = query.choice("badge", translated(N_("Badge")), badges, every=translated(N_("Tous")))
        everybody = translated(N_("Tout le monde"))
        trainer = query.choice_id("par", translated(N_("Formatrice, formateur")), self.team, every=everybody)
        reports = [("incomplet", translated(N_("À compléter")))]
        report = query.choice("rapport", translated(N_("Pour le rapport")), reports, every=every)
        query.check()
        return query, ActivityFilter(
            now=self.now,
            words=tuple(words_of(words)),
            days=days,
            moment=Moment(moment) if moment else None,
            badge_id=uuid.UUID(badge) if badge and badge != _WITHOUT else None,
            is_without_badges=badge == _WITHOUT,
            trainer_id=trainer,
            is_incomplete=bool(report),
        )


@router.get("", dependencies=_VIEW)
def all_activities(request: Request, services: ReadingServices) -> HTMLResponse:
    work, register = at_work(request), services.activity_register
    filters = ActivityFilters.of(services, work)
    query, wanted = filters.read(request.query_params)
    sort, descending = query.order(ActivitySort)
    found: Sequence[Activity] = ()
    matching = total = 0
    if not query.errors:
        found = register.page(work.campus, wanted, Start(query.after, A_PAGE), sort, descending=descending)
        matching = register.count(work.campus, wanted)
        everything = ActivityFilter(wanted.now)
        total = matching if wanted == everything else register.count(work.campus, everything)
    shown = found[:A_PAGE]
    counts = register.counts(work.campus, shown)
    return page(
        request,
        "activities/register.html",
        campus=work.look,
        private=True,
        wide=True,
        status=422 if query.errors else 200,
        home=work.home,
        lines=[ActivityRow.of(work, activity, counts[activity.id], wanted.now) for activity in shown],
        asked=_asked(services, work),
        register=query.view(
            Register.ACTIVITIES,
            matching=matching,
            total=total,
            next_after=shown[-1].id if len(found) > A_PAGE else None,
            views=_views(services, work, filters, query),
        ),
    )


def _views(services: Services, work: AtWork, filters: ActivityFilters, query: ListQuery) -> list[ViewLink]:
    def count(params: QueryParams) -> int | None:
        asked, wanted = filters.read(params)
        return None if asked.errors else services.activity_register.count(work.campus, wanted, most=COUNTED)

    usual = [
        (translated(N_("Toutes")), ""),
        (translated(N_("Cette semaine")), "periode=semaine"),
        (translated(N_("Finies sans badge")), "etat=finie&badge=sans"),
        (translated(N_("À compléter pour le rapport")), "rapport=incomplet"),
    ]
    saved = services.saved_views.list_of(work.campus, work.who.person.id, Register.ACTIVITIES)
    return view_links(query, usual, saved, count)


@router.get("/activites.csv", dependencies=_VIEW)
@router.get("/activites.xlsx", dependencies=_VIEW)
def activities_table(request: Request, services: ReadingServices) -> Response:
    """Activities and their attendance, without names."""
    work = at_work(request)
    query, wanted = ActivityFilters.of(services, work).read(request.query_params)
    query.raise_errors()
    sort, descending = query.order(ActivitySort)

    def rows(services: Services) -> Iterator[Sequence[Cell]]:
        register = services.activity_register
        for block in register.blocks(work.campus, wanted, sort, descending=descending):
            counts = register.counts(work.campus, block)
            for activity in block:
                row = ActivityRow.of(work, activity, counts[activity.id], wanted.now)
                yield cells(query, COLUMNS, _cells(row))

    return table_file(request, "activites", query.heads(), rows)


def _cells(row: ActivityRow) -> Mapping[str, Sequence[Cell]]:
    return {
        "titre": (row.title, row.kind),
        "quand": (row.starts_on, row.ends_on),
        "lieu": (row.place,),
        "heures": (row.hours,),
        "public": (row.audience,),
        "venues": (row.counts.people,),
        "badges": (row.counts.awards,),
        "recuperes": (row.counts.claimed,),
        "effectif": (row.declared_size,),
        "rapport": (row.missing or translated(N_("Complet")),),
    }


def _asked(services: Services, work: AtWork) -> Sequence[tuple[ActivityLine, str]]:
    """Invitations from other campuses to co-organise an activity, with the campus that invites."""
    return [
        (ActivityLine.of(work, activity, 0), leader.name)
        for activity, leader in services.activity_plans.asked(work.campus)
    ]
