"""A series that changes once it is planned: a session more, one on another day, one that does not take place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from app.domain.activities.activities import Activity, Participation, check_day
from app.domain.activities.plans import MOST_SESSIONS, ActivitySession, Attendance
from app.errors import Conflict, InvalidInput
from app.language import N_


@dataclass(frozen=True)
class SessionFacts:
    """What one says of a session. `place` is empty where it is the activity's."""

    held_on: date
    hours: float | None = None
    place: str = ""


class DayTaken(Conflict): ...


def check_session(
    facts: SessionFacts, sessions: Sequence[ActivitySession], itself: ActivitySession | None = None
) -> None:
    """`itself` is the session that is changed, where none is added."""
    check_day(facts.held_on)
    if facts.hours is not None and not 0 < facts.hours <= 24:
        raise InvalidInput(N_("Une séance dure 24 heures au plus."))
    if len(facts.place) > 200:
        raise InvalidInput(N_("Le lieu tient en 200 signes."))
    if any(each is not itself and each.held_on == facts.held_on for each in sessions):
        raise DayTaken(
            N_("Cette série a déjà une séance ce jour-là, peut-être annulée. Choisissez un autre jour.")
        )


def free_days(wanted: Sequence[SessionFacts], sessions: Sequence[ActivitySession]) -> list[SessionFacts]:
    """Raises DayTaken where every day has its session; planned together, some may."""
    taken = {each.held_on for each in sessions}
    free = [facts for facts in wanted if facts.held_on not in taken]
    if not free:
        check_session(wanted[0], sessions)
    return free


def check_takes_place(session: ActivitySession) -> None:
    if session.cancelled_at is not None:
        raise Conflict(N_("Cette séance n’a pas lieu : rétablissez-la pour y noter qui est venu."))


class SeveralDays(Conflict): ...


def first_session(activity: Activity) -> ActivitySession:
    """What was planned as a single meeting, as the first session of the series that it becomes."""
    if activity.starts_on != activity.ends_on:
        raise SeveralDays(
            N_(
                "Une séance tient en un jour, et cette activité en dure plusieurs. Modifiez d’abord ses dates : celles "
                "de la première séance."
            )
        )
    return ActivitySession(activity_id=activity.id, held_on=activity.starts_on, hours=activity.hours)


def attendances_of(
    first: ActivitySession, activity: Activity, participations: Iterable[Participation]
) -> list[Attendance]:
    """Whoever was noted present came to the first session, for the hours that were noted of them."""
    return [
        Attendance(
            session_id=first.id,
            participation_id=each.id,
            noted_at=each.recorded_at,
            hours=each.hours if each.hours != activity.hours else None,
        )
        for each in participations
    ]


def check_may_add(sessions: Sequence[ActivitySession]) -> None:
    if len(sessions) >= MOST_SESSIONS:
        raise Conflict(N_("Une série a de 1 à 60 séances."))


def change(session: ActivitySession, facts: SessionFacts) -> bool:
    """Whether anything changed."""
    if (session.held_on, session.hours, session.place) == (facts.held_on, facts.hours, facts.place):
        return False
    if session.held_on != facts.held_on:
        first = session.planned_for or session.held_on
        session.planned_for = None if first == facts.held_on else first
    session.held_on, session.hours, session.place = facts.held_on, facts.hours, facts.place
    return True


def cancel(session: ActivitySession, sessions: Sequence[ActivitySession], *, at: datetime) -> bool:
    if session.cancelled_at is not None:
        return False
    if not any(each.cancelled_at is None for each in sessions if each is not session):
        raise Conflict(
            N_("C’est la seule séance qui reste : changez sa date, ou ajoutez-en une avant de l’annuler.")
        )
    session.cancelled_at = at
    return True


def restore(session: ActivitySession) -> bool:
    if session.cancelled_at is None:
        return False
    session.cancelled_at = None
    return True


def settle(activity: Activity, sessions: Sequence[ActivitySession]) -> None:
    """The dates and the hours of a series are those of the sessions that take place; unknown hours stay unknown."""
    held = [each for each in sessions if each.cancelled_at is None]
    if held:
        activity.starts_on = min(each.held_on for each in held)
        activity.ends_on = max(each.held_on for each in held)
        activity.hours = sum(each.hours or 0.0 for each in held) or None
