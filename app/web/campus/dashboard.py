"""The trainer's dashboard: the user's campuses, and current activity in each."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission, may
from app.domain.activities import Activity, has_begun, has_ended
from app.domain.awards.batches import AwardBatch, BatchState, may_be_undone
from app.domain.badges import Badge, BadgeVersion
from app.domain.campus.campus import Campus
from app.domain.people import Role
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import CampusLook, page
from app.http.pages.words import (
    ACTIVITY_KINDS,
    BADGE_KINDS,
    LABEL_CATEGORIES,
    LABEL_STATES,
    ROLES,
    StateLabel,
    day,
    ended_label,
    local,
    moment,
    why_ended,
)
from app.http.request_scope import ReadingServices, process_of, set_cookie, signed_in, write_transaction
from app.http.workplaces import SIGNED_IN, AtWork, at_work, counted, look_of, staff, today_in
from app.language import N_, quoted, translated, translated_plural
from app.services.awards.awards import AwardRecord
from app.services.awards.batches import PlannedBadge
from app.services.campus import LabelView
from app.services.campus.dashboard import Waiting
from app.services.people.people import Workplace
from app.web.badges.rules import picture_of

_EXAMPLES = (
    (Permission.REVIEW, N_("une demande de badge")),
    (Permission.AWARD, N_("un parcours achevé")),
    (Permission.CORRECT, N_("un nom à corriger")),
    (Permission.WORK, N_("un e-mail refusé")),
    (Permission.WORK, N_("une activité finie sans badge")),
    (Permission.DESIGN, N_("un brouillon de badge")),
    (Permission.AUDIT, N_("un journal qui n’est plus tel qu’il a été écrit")),
    (Permission.MANAGE, N_("un label qui se termine")),
)
_LABEL_ENDED = N_("Le label du campus a pris fin le {day}")
_LABEL_ENDS = N_("Le label du campus prend fin le {day}")


@dataclass(frozen=True)
class Task:
    """One pending task: a sentence that is a link, and its context."""

    sentence: str
    hint: str
    href: str
    count: str = ""
    """How many there are, where they are counted."""
    first: str = ""
    """The one that waits longest."""


def tasks_of(work: AtWork, waiting: Waiting) -> list[Task]:
    """The most urgent first; only tasks that the user is permitted to do."""
    tasks = []
    if work.may(Permission.MANAGE):
        tasks += _of_the_campus(work, waiting)
    if work.may(Permission.AUDIT) and waiting.log_is_spoilt:
        sentence = translated("Le journal d’activité n’est plus tel qu’il a été écrit")
        hint = translated(
            "La dernière relecture l’a trouvé. Plus rien n’y est signé avant que ce soit éclairci."
        )
        tasks.append(Task(sentence, hint, f"{work.home}/audit/journal"))
    if work.may(Permission.REVIEW) and waiting.requests:
        sentence = translated_plural("Demande en attente", "Demandes en attente", waiting.requests)
        hint = translated("Des personnes demandent un badge et attendent une décision.")
        here = f"{work.home}/demandes"
        first = f"{here}/{waiting.oldest_request}" if waiting.oldest_request else ""
        tasks.append(Task(sentence, hint, here, counted(waiting.requests), first))
    tasks += _of_pathways(work, waiting)
    tasks += _of_names(work, waiting)
    if work.may(Permission.WORK):
        tasks += _of_activities(work, waiting)
    if work.may(Permission.DESIGN):
        tasks += _of_badges(work, waiting)
    return sorted(tasks, key=lambda task: not task.count)


def other_decisions(services: Services, work: AtWork) -> list[Task]:
    """What waits for a decision of this user and is no request for a badge."""
    today, reader = today_in(services, work.campus), work.who.person.id
    waiting = services.dashboard.decisions(work.campus, today=today, reader=reader)
    invitations = _asked_for(work, waiting) if work.may(Permission.MANAGE) else []
    contributions = _of_contributions(work, waiting) if work.may(Permission.WORK) else []
    return [*_of_pathways(work, waiting), *_of_names(work, waiting), *contributions, *invitations]


def awaited_by(work: AtWork) -> list[str]:
    """Examples of tasks that this user may receive."""
    return [translated(words) for permission, words in _EXAMPLES if work.may(permission)]


def _of_the_campus(work: AtWork, waiting: Waiting) -> list[Task]:
    here, tasks = f"{work.home}/reglages#etat", _asked_for(work, waiting)
    if waiting.lacks_key:
        sentence = translated("Aucune clé de signature n’est en service")
        tasks.append(Task(sentence, translated("Aucun badge ne peut être signé."), here))
    if waiting.old_key is not None:
        sentence = translated("La clé de signature a plus de deux ans")
        hint = translated("Une nouvelle clé signe la suite ; l’ancienne vérifie toujours ce qu’elle a signé.")
        tasks.append(Task(sentence, hint, here))
    if waiting.label is not None and waiting.label.ends_on is not None:
        is_over = waiting.label.ends_on < waiting.today
        sentence = translated(_LABEL_ENDED if is_over else _LABEL_ENDS).format(day=day(waiting.label.ends_on))
        hint = translated("Les pages de vos badges disent ses dates.")
        tasks.append(Task(sentence, hint, here))
    if waiting.improvements:
        sentence = translated_plural(
            "Amélioration proposée par le réseau",
            "Améliorations proposées par le réseau",
            waiting.improvements,
        )
        hint = translated("Vous acceptez ou refusez chaque champ. Les badges signés ne changent pas.")
        tasks.append(Task(sentence, hint, f"{work.home}/definitions", counted(waiting.improvements)))
    return tasks


def _asked_for(work: AtWork, waiting: Waiting) -> list[Task]:
    return [
        Task(
            translated("{campus} vous propose d’organiser ensemble « {title} »").format(
                campus=leader.short_name, title=activity.title
            ),
            translated("Dites oui ou non : d’ici là, votre campus n’y est cité nulle part."),
            f"{work.home}/activites",
        )
        for activity, leader in waiting.asked
    ]


def _of_pathways(work: AtWork, waiting: Waiting) -> list[Task]:
    if not (work.may(Permission.AWARD) and waiting.pathways):
        return []
    sentence = translated_plural("Parcours achevé", "Parcours achevés", waiting.pathways)
    hint = translated("Le badge de l’ensemble est proposé : à vous de l’attribuer, ou non.")
    return [Task(sentence, hint, f"{work.home}/parcours/propositions", counted(waiting.pathways))]


def _of_names(work: AtWork, waiting: Waiting) -> list[Task]:
    if not (work.may(Permission.CORRECT) and waiting.names):
        return []
    sentence = translated_plural("Nom à corriger", "Noms à corriger", waiting.names)
    hint = translated("Des personnes demandent un autre nom dans leurs badges.")
    return [Task(sentence, hint, f"{work.home}/repertoire/noms", counted(waiting.names))]


def _of_contributions(work: AtWork, waiting: Waiting) -> list[Task]:
    if not waiting.contributions:
        return []
    sentence = translated_plural(
        "Contribution à confirmer", "Contributions à confirmer", waiting.contributions
    )
    hint = translated("Des personnes disent ce qu’elles ont fait, et attendent que quelqu’un le confirme.")
    return [Task(sentence, hint, f"{work.home}/contributions", counted(waiting.contributions))]


def _of_activities(work: AtWork, waiting: Waiting) -> list[Task]:
    tasks = _of_contributions(work, waiting)
    if waiting.sentences:
        sentence = translated("Avis à relire")
        hint = translated("Des personnes ont écrit une phrase sur un badge ; elle attend d’être publiée.")
        tasks.append(Task(sentence, hint, f"{work.home}/avis", counted(waiting.sentences)))
    if waiting.refused_letters:
        sentence = translated_plural(
            "E-mail non distribué", "E-mails non distribués", waiting.refused_letters
        )
        hint = translated("L’adresse est peut-être fausse : corrigez-la, ou remettez un bulletin imprimé.")
        tasks.append(Task(sentence, hint, f"{work.home}/lettres", counted(waiting.refused_letters)))
    for activity in waiting.activities:
        sentence = translated("« {title} » est finie, sans badge").format(title=activity.title)
        hint = translated("Des personnes y sont inscrites et n’ont rien reçu.")
        tasks.append(Task(sentence, hint, f"{work.home}/activites/{activity.id}/attribuer"))
    if waiting.unclaimed:
        sentence = translated_plural(
            "Badge qui attend d’être récupéré", "Badges qui attendent d’être récupérés", waiting.unclaimed
        )
        hint = translated("Donnés il y a plus de deux semaines ; la personne n’a pas ouvert le sien.")
        href = f"{work.home}/attributions?etat=valable&recupere=non"
        tasks.append(Task(sentence, hint, href, counted(waiting.unclaimed)))
    return tasks


def _of_badges(work: AtWork, waiting: Waiting) -> list[Task]:
    tasks = [
        Task(
            translated("Le brouillon « {name} » attend d’être publié").format(name=version.name),
            translated("Version {n}.").format(n=version.number),
            f"{work.home}/badges/{badge.id}",
        )
        for badge, version in waiting.drafts
    ]
    if waiting.near is not None:
        (badge, version), (_, other) = waiting.near
        hint = f"{quoted(version.name)}, {quoted(other.name)}"
        tasks.append(
            Task(
                translated("Deux badges se ressemblent"),
                hint,
                f"{work.home}/badges/{badge.id}",
            )
        )
    return tasks


_STATES = {
    BatchState.PLANNED: StateLabel("Prévue", "past"),
    BatchState.RUNNING: StateLabel("Attribution en cours", "past"),
    BatchState.UNDOING: StateLabel("Annulation en cours", "past"),
    BatchState.DONE: StateLabel("Faite", "ok"),
    BatchState.CANCELLED: StateLabel("Annulée", "shut"),
    BatchState.UNDONE: StateLabel("Annulée", "shut"),
}
_WAITING = (BatchState.PLANNED, BatchState.RUNNING, BatchState.UNDOING)
_PLANNED = N_("Pour le {when}. Vous pouvez l’annuler d’ici là.")
_ASKED = N_("Demandée le {when}.")
_STILL_HERE = N_("Le {when}. Aucun message n’est encore parti : vous pouvez tout annuler.")


@dataclass(frozen=True)
class PlannedAward:
    href: str
    badge: str
    when: str
    state: StateLabel
    is_open: bool
    """Whether it can still change, so that it is shown at the top."""
    is_waiting: bool


def planned_in(services: Services, work: AtWork) -> Sequence[PlannedAward]:
    """All scheduled or running batches of the campus; none without permission."""
    return (
        _planned_awards(work, services.award_batches.unfinished(work.campus), services.clock())
        if _may(work)
        else ()
    )


def planned_for(services: Services, work: AtWork, activity_id: uuid.UUID) -> Sequence[PlannedAward]:
    """The latest batches of an activity, whatever their results."""
    if not _may(work):
        return ()
    return _planned_awards(
        work, services.award_batches.of_activity(work.campus, activity_id), services.clock()
    )


def _may(work: AtWork) -> bool:
    return work.may(Permission.AWARD)


def _planned_awards(work: AtWork, planned: Sequence[PlannedBadge], at: datetime) -> Sequence[PlannedAward]:
    return [
        PlannedAward(
            f"{work.home}/resultats/{each.batch.id}",
            each.version.name,
            _when(each.batch, work.campus.time_zone, at),
            _STATES[each.batch.state],
            each.batch.state in _WAITING or may_be_undone(each.batch, at=at),
            each.batch.state in _WAITING,
        )
        for each in planned
    ]


def _when(batch: AwardBatch, zone: str, at: datetime) -> str:
    if batch.state is BatchState.PLANNED and batch.not_before is not None:
        return translated(_PLANNED).format(when=moment(batch.not_before, zone))
    said = _STILL_HERE if may_be_undone(batch, at=at) else _ASKED
    return translated(said).format(when=moment(batch.requested_at, zone))


FEW_AWARDS = 6
LAST_CAMPUS = "campus"
_HALF_A_YEAR = 183 * 24 * 3600
_SHORTCUTS = (
    (Permission.DESIGN, N_("Nouveau badge"), "/badges/nouveau"),
    (Permission.REVIEW, N_("Demandes de badges"), "/demandes"),
    (Permission.PROTECT, N_("Protection des données"), "/donnees"),
    (Permission.AUDIT, N_("Historique du campus"), "/historique"),
    (Permission.AUDIT, N_("Audit du journal"), "/audit/journal"),
)
router = APIRouter()


@dataclass(frozen=True)
class ActivityLine:
    href: str
    title: str
    kind: str
    starts_on: date
    ends_on: date
    place: str
    people: int
    start_time: time | None = None
    end_time: time | None = None

    @staticmethod
    def of(work: AtWork, activity: Activity, people: int) -> ActivityLine:
        return ActivityLine(
            f"{work.home}/activites/{activity.id}",
            activity.title,
            ACTIVITY_KINDS[activity.kind],
            activity.starts_on,
            activity.ends_on,
            activity.place,
            people,
            activity.start_time,
            activity.end_time,
        )


@dataclass(frozen=True)
class TodayCard:
    """An activity of today that is under way, or that ended without a badge; the badge is the one it leads to."""

    line: ActivityLine
    has_ended: bool
    badge: BadgeTile | None
    is_timed: bool
    """Whether its hours or its days show that it is under way."""


@dataclass(frozen=True)
class WeekDay:
    on: date
    is_today: bool
    lines: Sequence[ActivityLine]


@dataclass(frozen=True)
class BadgeTile:
    """A badge in a picker."""

    id: uuid.UUID
    name: str
    kind: str
    picture: str
    number: int
    required_hours: float | None = None
    is_assessed: bool = False
    is_chosen: bool = False
    is_expected: bool = False
    """Whether the activity names it."""

    @staticmethod
    def of(badge: Badge, version: BadgeVersion) -> BadgeTile:
        return BadgeTile(
            badge.id,
            version.name,
            BADGE_KINDS[version.kind],
            picture_of(badge, version),
            version.number,
            version.required_hours,
            version.kind.is_assessed,
        )


def _correction_of(work: AtWork, record: AwardRecord) -> str:
    if record.activity is not None and work.may(Permission.WORK):
        return f"{work.home}/repertoire/participants/{record.activity.id}/{record.person.id}"
    return f"{work.home}/repertoire/{record.person.id}/corriger" if work.may(Permission.CORRECT) else ""


@dataclass(frozen=True)
class AwardLine:
    id: uuid.UUID
    href: str
    person: str
    badge: str
    picture: str
    activity: str
    awarded_at: datetime
    ended: StateLabel | None
    """Whether it was revoked, or undone before delivery."""
    why_ended: str
    correction: str = ""
    """Where name and address of the person are corrected."""
    result: str = ""
    """The bulk award it came with."""

    @staticmethod
    def of(work: AtWork, record: AwardRecord) -> AwardLine:
        return AwardLine(
            record.award.id,
            f"{work.home}/attributions/{record.award.id}",
            record.person.name,
            record.version.name,
            picture_of(record.badge, record.version),
            record.activity.title if record.activity else "",
            record.award.awarded_at,
            ended_label(record.award),
            why_ended(record.award),
            _correction_of(work, record),
            f"{work.home}/resultats/{record.award.batch_id}" if record.award.batch_id else "",
        )


@dataclass(frozen=True)
class LabelLine:
    network: str
    category: str
    state: StateLabel
    starts_on: date | None
    ends_on: date | None
    note: str

    @staticmethod
    def of(view: LabelView) -> LabelLine:
        label = view.label
        return LabelLine(
            view.network.name,
            LABEL_CATEGORIES[label.category],
            LABEL_STATES[view.state],
            label.starts_on,
            label.ends_on,
            label.note,
        )


@dataclass(frozen=True)
class CampusLine:
    """A campus the user works for, with their roles."""

    look: CampusLook
    roles: Sequence[str]
    is_here: bool

    @staticmethod
    def of(place: Workplace, here: Campus | None = None) -> CampusLine:
        roles = [ROLES[role] for role in Role if role in place.roles]
        return CampusLine(look_of(place.campus), roles, here is not None and here.id == place.campus.id)


@router.get("/gestion", dependencies=[SIGNED_IN])
def my_campuses(request: Request, services: ReadingServices, tous: str = "") -> Response:
    """Redirects to the user's only campus, or the last one used in this browser; `tous` lists all."""
    who = signed_in(request, services)
    places = services.people.workplaces(who)
    operates = services.operators.is_operator(who.person.id)
    networks = services.network_team.networks_of(who.person.id)
    last = request.cookies.get(LAST_CAMPUS) if not tous else None
    likely = [place for place in places if len(places) == 1 or place.campus.slug == last]
    if likely and not operates and not networks and likely[0].campus.suspended_at is None:
        return RedirectResponse(f"/gestion/{likely[0].campus.slug}", status_code=303)
    lines = [CampusLine.of(place) for place in places]
    return page(
        request,
        "campus/desk/campuses.html",
        private=True,
        operates=operates,
        campuses=lines,
        networks=networks,
    )


@router.get("/gestion/{slug}", dependencies=[staff(Permission.VIEW)])
def desk(request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    found = services.campuses.desk(work.campus)
    today = today_in(services, work.campus)
    board = services.dashboard.of(work.campus, today=today, reader=work.who.person.id)
    first = services.samples.first_use(work.campus, came_at=_came_at(work))
    lines = [(activity, ActivityLine.of(work, activity, people)) for activity, people in found.activities]
    cards, later = _today(services, work, lines, today, {each.id for each in board.waiting.activities})
    coming = [line for activity, line in reversed(lines) if activity.starts_on > today]
    answer = work.page(
        request,
        "campus/desk/desk.html",
        wide=True,
        zone=work.campus.time_zone,
        today=today,
        first=first if first.is_shown else None,
        cards=cards,
        later=later,
        next=coming[0] if coming and not cards and not later else None,
        days=_week(lines, today),
        has_activities=bool(lines),
        week=board.week,
        tasks=tasks_of(work, board.waiting),
        awaited=awaited_by(work),
        shortcuts=_shortcuts_of(work),
        planned=planned_in(services, work),
        awards=[
            AwardLine.of(work, record) for record in services.awards.list_in(work.campus, limit=FEW_AWARDS)
        ],
        place=next(
            CampusLine.of(place, work.campus)
            for place in services.people.workplaces(work.who)
            if place.campus.id == work.campus.id
        ),
    )
    _remember(answer, request, work)
    return answer


def _came_at(work: AtWork) -> datetime | None:
    """Since when the reader may create activities here; None where they may not."""
    since = [
        membership.since
        for membership, campus in work.who.memberships
        if campus.id == work.campus.id and may({membership.role}, Permission.WORK)
    ]
    return min(since, default=None)


@router.post("/gestion/{slug}/exemple", dependencies=[staff(Permission.WORK)])
def prepare_or_discard_sample(request: Request, form: SafeForm) -> Response:
    work = at_work(request)
    with write_transaction(request) as writing:
        if text_of(form, "geste") == "jeter":
            writing.samples.discard(work.campus, by=work.actor)
            return RedirectResponse(work.home, status_code=303)
        activity_id = writing.samples.prepare(work.campus, by=work.actor)
    return RedirectResponse(f"{work.home}/activites/{activity_id}", status_code=303)


def _today(
    services: Services,
    work: AtWork,
    lines: Sequence[tuple[Activity, ActivityLine]],
    today: date,
    without_badge: set[uuid.UUID],
) -> tuple[list[TodayCard], list[tuple[ActivityLine, bool]]]:
    """The cards, those under way first, and the lines of what begins later today or has ended."""
    now = local(services.clock(), work.campus.time_zone).replace(tzinfo=None)
    cards, others = list[TodayCard](), list[tuple[ActivityLine, bool]]()
    for activity, line in lines:
        if not activity.starts_on <= today <= activity.ends_on:
            continue
        ended = has_ended(activity, now)
        if not has_begun(activity, now) or (ended and activity.id not in without_badge):
            others.append((line, ended))
            continue
        found = services.activity_plans.badge_of(work.campus, activity.id)
        badge = BadgeTile.of(*found) if found else None
        is_timed = activity.end_time is not None or activity.starts_on != activity.ends_on
        cards.append(TodayCard(line, ended, badge, is_timed))
    cards.sort(key=lambda card: (card.has_ended, card.line.start_time or time.min))
    return cards, sorted(others, key=lambda each: each[0].start_time or time.min)


def _week(lines: Sequence[tuple[Activity, ActivityLine]], today: date) -> list[WeekDay]:
    """From Monday to Friday, and the days of the weekend on which something is held."""
    monday = today - timedelta(days=today.weekday())
    days = []
    for on in (monday + timedelta(days=ahead) for ahead in range(7)):
        held = [line for activity, line in lines if activity.starts_on <= on <= activity.ends_on]
        if held or on.weekday() < 5 or on == today:
            held.sort(key=lambda line: line.start_time or time.min)
            days.append(WeekDay(on, on == today, held))
    return days


def _shortcuts_of(work: AtWork) -> list[tuple[str, str]]:
    """Start pages for users who do not run activities; one role may have two."""
    if work.may(Permission.WORK):
        return []
    return [
        (translated(words), work.home + path)
        for permission, words, path in _SHORTCUTS
        if work.may(permission)
    ]


def _remember(answer: Response, request: Request, work: AtWork) -> None:
    """Default campus of this browser; grants no permission."""
    set_cookie(answer, process_of(request), LAST_CAMPUS, work.campus.slug, _HALF_A_YEAR, path="/gestion")
