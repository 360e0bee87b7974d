"""The register of activities: filtered, sorted, as a page and as a table."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData, QueryParams

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities import Activity, has_begun, has_ended
from app.domain.core import mark_of, words_of
from app.http.pages.forms import Count, SafeForm
from app.http.pages.registers import Column, ListQuery
from app.http.pages.words import ACTIVITY_KINDS, days, local
from app.http.request_scope import ReadingServices, write_transaction
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, time_of_day, translated
from app.services.activities.plans import invitation_facts
from app.services.campus.registers import ActivityCounts, ActivityFilter, ActivitySort, Moment, Register
from app.web.campus.dashboard import ActivityLine
from app.web.campus.registers import Choice, Listing, Row, Shown, figure, words

_VIEW = [staff(Permission.VIEW)]
MOMENTS = {
    Moment.COMING: N_("À venir"),
    Moment.UNDER_WAY: N_("En cours"),
    Moment.OVER: N_("Finies"),
}
COLUMNS = (
    Column("titre", N_("Activité"), sort="titre", heads=(N_("Titre"), N_("Type"))),
    Column("quand", N_("Quand"), sort="date", classes="when", heads=(N_("Du"), N_("Au"))),
    Column("lieu", N_("Lieu"), sort="lieu", classes="slim-hide"),
    Column("heures", N_("Heures"), sort="-heures", is_usual=False, classes="n"),
    Column("public", N_("Public"), is_usual=False),
    Column("venues", N_("Inscrites"), sort="-venues", classes="n"),
    Column("badges", N_("Badges"), sort="-badges", classes="n"),
    Column("recuperes", N_("Récupérés"), sort="-recuperes", classes="n"),
    Column("effectif", N_("Effectif déclaré"), sort="-effectif", is_usual=False, classes="n"),
    Column("rapport", N_("Pour le rapport")),
)
_WITHOUT, _CLOSED = "sans", "classee"
router = APIRouter(prefix="/gestion/{slug}/activites")


def _missing(activity: Activity) -> str:
    """What the yearly report needs and is not there; empty if complete."""
    if not activity.place:
        return translated("Lieu à préciser")
    return "" if activity.audience else translated("Public à préciser")


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

    @property
    def everything(self) -> ActivityFilter:
        return ActivityFilter(self.now)

    def read(self, params: QueryParams) -> tuple[ListQuery, ActivityFilter]:
        query = ListQuery(params, COLUMNS, sort="-date")
        every = translated("Toutes")
        words = query.search("q", translated("Mot du titre ou du lieu"))
        days = query.days(translated("Période"), self.now.date())
        moments = [(each.value, translated(label)) for each, label in MOMENTS.items()]
        moments.append((_CLOSED, translated("Closes")))
        moment = query.choice("etat", translated("État"), moments, every=every)
        badges = [
            (_WITHOUT, translated("Sans badge")),
            *((str(each), name) for each, name in self.badges),
        ]
        badge = query.choice("badge", translated("Badge"), badges, every=translated("Tous"))
        everybody = translated("Tout le monde")
        trainer = query.choice_id("par", translated("Formatrice, formateur"), self.team, every=everybody)
        reports = [("incomplet", translated("À compléter"))]
        report = query.choice("rapport", translated("Pour le rapport"), reports, every=every)
        query.check()
        return query, ActivityFilter(
            now=self.now,
            words=tuple(words_of(words)),
            days=days,
            moment=Moment(moment) if moment and moment != _CLOSED else None,
            badge_id=uuid.UUID(badge) if badge and badge != _WITHOUT else None,
            is_without_badges=badge == _WITHOUT,
            trainer_id=trainer,
            is_incomplete=bool(report),
            is_closed=True if moment == _CLOSED else False if badge == _WITHOUT else None,
        )


def _rows(
    services: Services,
    work: AtWork,
    activities: Sequence[Activity],
    wanted: ActivityFilter,
    shown: frozenset[str],  # noqa: ARG001 - counts are read at once
) -> Iterator[Row]:
    counts = services.activity_register.counts(work.campus, activities)
    for activity in activities:
        yield Row(activity.id, activity.title, _values(work, activity, counts[activity.id], wanted.now))


def _values(work: AtWork, activity: Activity, counts: ActivityCounts, now: datetime) -> Mapping[str, Shown]:
    href = f"{work.home}/activites/{activity.id}"
    kind = translated(ACTIVITY_KINDS[activity.kind])
    is_under_way = has_begun(activity, now) and not has_ended(activity, now)
    notes = [kind]
    if counts.is_closed:
        notes.append(translated("close"))
    elif is_under_way:
        is_timed = activity.end_time is not None or activity.starts_on != activity.ends_on
        notes.append(translated(N_("en cours") if is_timed else N_("aujourd’hui")))
    hours = [time_of_day(each) for each in (activity.start_time, activity.end_time) if each]
    missing, edit = _missing(activity), f"{href}/modifier" if work.may(Permission.WORK) else ""
    complete = translated("Complet")
    return {
        "titre": Shown((activity.title, kind), activity.title, ", ".join(notes), href),
        "quand": Shown(
            (activity.starts_on, activity.ends_on),
            lambda: days(activity.starts_on, activity.ends_on),
            " – ".join(hours),
        ),
        "lieu": words(activity.place),
        "heures": figure(activity.hours or None),
        "public": words(activity.audience),
        "venues": figure(counts.people),
        "badges": figure(counts.awards),
        "recuperes": figure(counts.claimed, is_known=bool(counts.awards)),
        "effectif": figure(activity.declared_size),
        "rapport": Shown(
            (missing or complete,),
            missing or complete,
            href=edit if missing else "",
            hidden=activity.title if missing else "",
            classes="" if missing else "whole",
        ),
    }


LISTING = Listing(
    Register.ACTIVITIES,
    "activities/register.html",
    COLUMNS,
    ActivitySort,
    lambda services: services.activity_register,
    ActivityFilters.of,
    _rows,
    (
        (N_("Toutes"), ""),
        (N_("Cette semaine"), "periode=semaine"),
        (N_("Finies sans badge"), "etat=finie&badge=sans"),
        (N_("À compléter pour le rapport"), "rapport=incomplet"),
    ),
    exports=Permission.VIEW,
    acts=Permission.WORK,
    beside=lambda services, work, _: {"asked": _asked(services, work)},
)
"""Its tables have no names."""


@router.get("", dependencies=_VIEW)
def all_activities(request: Request, services: ReadingServices) -> HTMLResponse:
    return LISTING.page(request, services)


@router.get("/activites.csv", dependencies=_VIEW)
@router.get("/activites.xlsx", dependencies=_VIEW)
def activities_table(request: Request, services: ReadingServices) -> Response:
    return LISTING.table(request, services)


class ActivityAction(StrEnum):
    CLOSE = "classer"
    REOPEN = "rouvrir"


MOST_CHOSEN, MOST_SHEETS = 500, 30
_SHEETS = "feuilles"


@router.post("/choix", dependencies=[staff(Permission.WORK)])
def choose_activities(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """Closing is asked first; tables and attendance sheets of the chosen ones are files."""
    special = {_SHEETS: partial(_print_sheets, request, services, form)}
    return LISTING.choose(request, services, form, ActivityAction, most=MOST_CHOSEN, special=special)


def _print_sheets(request: Request, services: Services, form: FormData) -> Response:
    work = at_work(request)
    ids = LISTING.chosen(services, work, form, most=MOST_SHEETS)
    sheets = [
        services.attendance_sheets.prepare(work.campus, each, days=days, hour=time_of_day) for each in ids
    ]
    return Response(
        services.attendance_sheets.printed_together(sheets),
        media_type="application/pdf",
        headers={
            "Content-Disposition": 'inline; filename="emargements.pdf"',
            "Cache-Control": "no-store",
        },
    )


@router.get("/choix/{draft_id:uuid}", dependencies=[staff(Permission.WORK)])
def ask_about_activities(
    draft_id: uuid.UUID, request: Request, services: ReadingServices, changees: Count = -1
) -> HTMLResponse:
    work = at_work(request)
    choice = Choice.of(request, services, draft_id, Register.ACTIVITIES)
    found = [services.activities.get(work.campus, each) for each in choice.ids]
    counts = services.activity_register.counts(work.campus, found)
    closes = choice.action == ActivityAction.CLOSE
    return work.page(
        request,
        "activities/selection.html",
        here=f"{work.home}/activites/choix/{draft_id}",
        closes=closes,
        ready=[
            (each.title, f"{work.home}/activites/{each.id}", each.starts_on, each.ends_on)
            for each in found
            if counts[each.id].is_closed is not closes
        ],
        total=len(found),
        changed=changees,
    )


@router.post("/choix/{draft_id:uuid}", dependencies=[staff(Permission.WORK)])
def close_activities(
    draft_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    form: SafeForm,  # noqa: ARG001 - its check is the point
) -> Response:
    work = at_work(request)
    choice = Choice.of(request, services, draft_id, Register.ACTIVITIES)
    with write_transaction(request) as writing:
        count = writing.activities.close(
            work.campus, choice.ids, by=work.actor, reopen=choice.action == ActivityAction.REOPEN
        )
    return RedirectResponse(f"{work.home}/activites/choix/{draft_id}?changees={count}", status_code=303)


def _asked(services: Services, work: AtWork) -> Sequence[tuple[ActivityLine, str, str]]:
    """Invitations from other campuses to co-organise an activity, with the campus that invites, and a mark of both."""
    return [
        (ActivityLine.of(work, activity, 0), leader.name, mark_of(*invitation_facts(activity, leader)))
        for activity, leader in services.activity_plans.asked(work.campus)
    ]
