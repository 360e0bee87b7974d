"""A series that changes once it is planned: a session more, one on another day, one that does not take place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from app.domain.activities import Activity
from app.domain.activity_plans import MOST_SESSIONS, ActivitySession
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
    if facts.hours is not None and not 0 < facts.hours <= 24:
        raise InvalidInput(N_("Une séance dure 24 heures au plus."))
    if len(facts.place) > 200:
        raise InvalidInput(N_("Le lieu tient en 200 signes."))
    if any(each is not itself and each.held_on == facts.held_on for each in sessions):
        raise DayTaken(
            N_("Cette série a déjà une séance ce jour-là, peut-être annulée. Choisissez un autre jour.")
        )


def check_takes_place(session: ActivitySession) -> None:
    if session.cancelled_at is not None:
        raise Conflict(N_("Cette séance n’a pas lieu : rétablissez-la pour y noter qui est venu."))


def check_may_add(sessions: Sequence[ActivitySession]) -> None:
    if not sessions:
        raise Conflict(N_("Cette activité n’a lieu qu’une fois : elle n’a pas de séances."))
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
