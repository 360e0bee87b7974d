"""Contributions: what somebody says they did, with pieces to show for it, until a trainer has confirmed it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlmodel import CheckConstraint, Field, Index, SQLModel

from app.domain.activities.activities import Activity, PartKind
from app.domain.core.columns import moment, new_id, points_to, word_of, words
from app.domain.learners.requests import read_links
from app.errors import Conflict, InvalidInput, NotAllowed
from app.language import N_

LONGEST_TITLE, LONGEST_TELLING, LONGEST_ANSWER = 200, 1000, 1000
SHORTEST_TELLING, SHORTEST_ANSWER = 20, 5
LATE_AFTER = timedelta(days=7)
MOST_OPEN = 20
"""Of one person in one campus: more than that is no list that anybody reads."""


class ContributionState(StrEnum):
    WAITING = "waiting"
    MORE = "more"
    """A trainer asked for more; it is the person's turn."""
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"

    @property
    def is_open(self) -> bool:
        return self in (ContributionState.WAITING, ContributionState.MORE)


class Contribution(SQLModel, table=True):
    """`answer` is what the campus said last; `badge_id` a badge that it counts for, as the trainer sees it."""

    __tablename__ = "contribution"
    __table_args__ = (
        Index("contributions_of_campus", "campus_id", "state", "waiting_since"),
        CheckConstraint("hours IS NULL OR hours > 0", name="contribution_hours_are_positive"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=points_to("campus", index=False))
    person_id: uuid.UUID = Field(sa_column=points_to("person"))
    activity_id: uuid.UUID | None = Field(
        default=None, sa_column=points_to("activity", nullable=True, index=False)
    )
    badge_id: uuid.UUID | None = Field(default=None, sa_column=points_to("badge", nullable=True, index=False))
    title: str = Field(max_length=LONGEST_TITLE)
    telling: str = Field(max_length=LONGEST_TELLING)
    part: PartKind = Field(sa_column=word_of(PartKind, name="contribution_part"))
    done_on: date
    hours: float | None = None
    links: list[str] = Field(default_factory=list, sa_column=words())
    state: ContributionState = Field(
        default=ContributionState.WAITING, sa_column=word_of(ContributionState, name="contribution_state")
    )
    created_at: datetime = Field(sa_column=moment())
    waiting_since: datetime = Field(sa_column=moment())
    answer: str = Field(default="", max_length=LONGEST_ANSWER)
    decided_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    decided_by: uuid.UUID | None = Field(
        default=None, sa_column=points_to("person", nullable=True, index=False)
    )


@dataclass(frozen=True)
class Told:
    """What the form of a contribution holds, as it was read."""

    title: str
    telling: str
    part: PartKind
    done_on: date
    hours: float | None = None
    links: str = ""


def write(contribution: Contribution, told: Told, activity: Activity | None, *, today: date) -> None:
    """Raises InvalidInput for what cannot be; nothing is written then."""
    if not told.title.strip():
        raise InvalidInput(N_("Donnez un titre à ce que vous avez fait."))
    if len(told.title) > LONGEST_TITLE:
        raise InvalidInput(N_("Le titre tient en {most} signes."), most=LONGEST_TITLE)
    if len(told.telling.strip()) < SHORTEST_TELLING:
        raise InvalidInput(N_("Racontez ce que vous avez fait : au moins une phrase."))
    if len(told.telling) > LONGEST_TELLING:
        raise InvalidInput(N_("Le récit tient en {most} signes."), most=LONGEST_TELLING)
    if told.done_on > today:
        raise InvalidInput(N_("Ce jour n’est pas encore venu."))
    check_hours(told.hours)
    links = read_links(told.links)
    contribution.title, contribution.telling = told.title.strip(), told.telling.strip()
    contribution.part, contribution.done_on, contribution.hours = told.part, told.done_on, told.hours
    contribution.links = links
    contribution.activity_id = activity.id if activity else None


def check_hours(hours: float | None) -> None:
    if hours is not None and not 0 < hours <= 1000:
        raise InvalidInput(N_("Le nombre d’heures est compris entre 0 et 1 000."))


def check_may_complete(contribution: Contribution) -> None:
    if not contribution.state.is_open:
        raise Conflict(N_("Cette contribution est décidée : elle ne change plus."))


def completed(contribution: Contribution, *, at: datetime) -> None:
    if contribution.state is ContributionState.MORE:
        contribution.state, contribution.waiting_since = ContributionState.WAITING, at


def withdraw(contribution: Contribution, *, at: datetime) -> None:
    """Doing it again changes nothing."""
    if contribution.state is ContributionState.WITHDRAWN:
        return
    check_may_complete(contribution)
    contribution.state, contribution.decided_at = ContributionState.WITHDRAWN, at


# --- by the campus


def check_may_decide(contribution: Contribution, trainer_id: uuid.UUID | None) -> None:
    if trainer_id is None:
        raise NotAllowed(N_("Une contribution est confirmée par une personne."))
    if contribution.person_id == trainer_id:
        raise NotAllowed(N_("C’est votre propre contribution : une autre personne la confirme."))


def decide(
    contribution: Contribution,
    state: ContributionState,
    answer: str,
    *,
    trainer_id: uuid.UUID | None,
    at: datetime,
) -> None:
    """Confirmed, declined or sent back with a question; each with words for the person, a confirmation without."""
    check_may_decide(contribution, trainer_id)
    check_may_complete(contribution)
    if contribution.state is ContributionState.MORE and state is ContributionState.MORE:
        raise Conflict(N_("La personne a été invitée à compléter : attendez sa réponse."))
    if state is not ContributionState.CONFIRMED:
        check_answer(answer)
    elif len(answer) > LONGEST_ANSWER:
        raise InvalidInput(N_("La réponse tient en {most} signes."), most=LONGEST_ANSWER)
    contribution.state, contribution.answer, contribution.waiting_since = state, answer.strip(), at
    if not state.is_open:
        contribution.decided_at, contribution.decided_by = at, trainer_id


def check_answer(answer: str) -> None:
    if len(answer.strip()) < SHORTEST_ANSWER:
        raise InvalidInput(N_("Dites pourquoi, en une phrase : la personne la lira."))
    if len(answer) > LONGEST_ANSWER:
        raise InvalidInput(N_("La réponse tient en {most} signes."), most=LONGEST_ANSWER)


def check_may_correct(contribution: Contribution, trainer_id: uuid.UUID | None) -> None:
    check_may_decide(contribution, trainer_id)
    if contribution.state is not ContributionState.CONFIRMED:
        raise Conflict(N_("Seule une contribution confirmée se corrige : les autres ne sont pas au journal."))


def reopen(contribution: Contribution, *, at: datetime) -> None:
    """For another person to decide, as if nobody had."""
    contribution.state, contribution.waiting_since = ContributionState.WAITING, at
    contribution.decided_at = contribution.decided_by = None


def counts_for(contribution: Contribution, *, activity_id: uuid.UUID | None, badge_id: uuid.UUID) -> bool:
    """Whether an award of that badge, given for that activity, rests on it."""
    return contribution.state is ContributionState.CONFIRMED and (
        contribution.badge_id == badge_id
        or (contribution.activity_id is not None and contribution.activity_id == activity_id)
    )


def open_ones(contributions: Sequence[Contribution]) -> int:
    return sum(1 for each in contributions if each.state.is_open)
