"""Open the survey of an activity, answer it, count the answers, moderate the sentences."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from app.db.activities import ActivityStore
from app.db.campus import CampusStore, HistoryStore
from app.db.messages import LetterStore
from app.db.people import PeopleStore
from app.db.reports.facts import SurveyStore
from app.domain.activities import Activity
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.messages import Occasion, letter_to
from app.domain.people import AgeGroup
from app.domain.reports.surveys import (
    OPEN_FOR,
    AlreadyAnswered,
    Answer,
    NoSuchSurvey,
    SentenceState,
    SurveyAnswer,
    SurveyClosed,
    SurveyLink,
    SurveyResults,
    SurveyTurnout,
    check_answer,
    check_closing_day,
    check_survey_open,
    device_digest,
    is_survey_open,
    most_answers,
    new_survey_code,
    participant_digest,
    participant_mark,
    read_survey_code,
)
from app.errors import NotFound
from app.language import N_

_MINORS = (AgeGroup.UNDER_15, AgeGroup.FROM_15, AgeGroup.PUPIL)
MOST_SUGGESTIONS = 40
_NOT_FOUND = N_("Cette enquête n’existe pas. Lisez le code à nouveau.")


@dataclass(frozen=True)
class SurveyPage:
    """`link` is None until the survey is first opened. `reachable`: participants that can get an e-mail."""

    activity: Activity
    link: SurveyLink | None
    is_open: bool
    results: SurveyResults
    proposed_day: date
    today: date
    sentences: Sequence[SurveyAnswer] = ()
    asks_sentence: bool = True
    reachable: int = 0


@dataclass(frozen=True)
class SurveyAccess:
    """A survey as a device without an account sees it."""

    link: SurveyLink
    activity: Activity
    campus: Campus
    asks_sentence: bool
    has_answered: bool


@dataclass(frozen=True)
class SurveyService:
    store: SurveyStore
    activities: ActivityStore
    campuses: CampusStore
    people: PeopleStore
    letters: LetterStore
    history: HistoryStore
    secret: bytes
    clock: Clock

    def glance(self, campus: Campus, activity_id: uuid.UUID) -> SurveyPage:
        """Counts alone."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        link, today = self.store.find(activity.id), self.today(campus)
        return SurveyPage(
            activity,
            link,
            link is not None and is_survey_open(link, today=today),
            self.store.count(activity.id, present=self._present(activity)),
            link.closes_on if link and link.closes_on >= today else max(activity.ends_on, today) + OPEN_FOR,
            today,
        )

    def page(self, campus: Campus, activity_id: uuid.UUID) -> SurveyPage:
        found = self.glance(campus, activity_id)
        return replace(
            found,
            sentences=self.store.sentences(activity_id),
            asks_sentence=self._asks_sentence(found.activity),
            reachable=len(self._reachable(found.activity)),
        )

    def open(self, campus: Campus, activity_id: uuid.UUID, *, closes_on: date, by: Actor) -> SurveyLink:
        """Open or reopen; if already open, only the closing day changes."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        check_closing_day(closes_on, today=self.today(campus))
        self.activities.lock(activity.id)
        at = self.clock()
        link = self.store.lock(activity.id) or SurveyLink(
            activity_id=activity.id,
            campus_id=campus.id,
            code=self._free_code(),
            opened_at=at,
            closes_on=closes_on,
        )
        link.closes_on, link.closed_at = closes_on, None
        self.store.save(link)
        self._record(campus, activity, by)
        return link

    def close(self, campus: Campus, activity_id: uuid.UUID, *, by: Actor) -> None:
        activity = self.activities.get_in_campus(activity_id, campus.id)
        link = self.store.lock(activity.id)
        if link is None or not is_survey_open(link, today=self.today(campus)):
            return
        link.closed_at = self.clock()
        self.store.save(link)
        self.store.forget_turnout(activity.id)
        self._record(campus, activity, by)

    def send(self, campus: Campus, activity_id: uuid.UUID, *, by: Actor) -> int:
        """Queue one e-mail for each adult present that has an address; once per participant."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        link = self.store.lock(activity.id)
        if link is None:
            raise NotFound(_NOT_FOUND)
        check_survey_open(link, today=self.today(campus))
        if link.mailed_at is not None:
            return 0
        link.mailed_at = at = self.clock()
        letters = [
            letter_to(
                address,
                Occasion.SURVEY,
                activity.id,
                once=str(participation_id),
                campus_id=campus.id,
                person_id=person_id,
                at=at,
            )
            for participation_id, person_id, address in self._reachable(activity)
        ]
        self.letters.promise_many(letters)
        self.store.save(link)
        self._record(campus, activity, by)
        return len(letters)

    def moderate(
        self, campus: Campus, activity_id: uuid.UUID, answer_id: uuid.UUID, *, approved: bool, by: Actor
    ) -> None:
        activity = self.activities.get_in_campus(activity_id, campus.id)
        answer = self.store.find_answer(activity.id, answer_id)
        if answer is None or answer.sentence_state is SentenceState.NONE:
            raise NotFound(N_("Cette phrase n’est pas de cette activité."))
        answer.sentence_state = SentenceState.APPROVED if approved else SentenceState.REJECTED
        self.store.save(answer)
        self._record(campus, activity, by)

    def citable(self, activity_ids: Collection[uuid.UUID]) -> list[str]:
        """The approved sentences of these activities."""
        return self.store.approved(activity_ids, limit=MOST_SUGGESTIONS)

    def access(self, code: str, *, phone: str = "", mark: str = "") -> SurveyAccess:
        link = self.store.find_by_code(read_survey_code(code))
        activity = self.activities.find(link.activity_id) if link else None
        if link is None or activity is None:
            raise NoSuchSurvey(_NOT_FOUND)
        return SurveyAccess(
            link,
            activity,
            self.campuses.get_by_id(link.campus_id),
            self._asks_sentence(activity),
            any(
                self.store.has_answered(activity.id, each)
                for each in self._digests(link, phone=phone, mark=mark)
            ),
        )

    def answer(self, code: str, answer: Answer, *, phone: str, mark: str = "") -> SurveyAccess:
        """Store an answer and, apart from it, that this device and this participant have answered."""
        access = self.access(code, phone=phone, mark=mark)
        link = self.store.lock(access.activity.id)
        if link is None:
            raise NoSuchSurvey(_NOT_FOUND)
        check_survey_open(link, today=self.today(access.campus))
        check_answer(answer, asks_sentence=access.asks_sentence)
        digests = self._digests(link, phone=phone, mark=mark)
        if any(self.store.has_answered(link.activity_id, each) for each in digests):
            raise AlreadyAnswered(N_("Vous avez déjà répondu : votre avis est compté."))
        present = self._present(access.activity)
        if self.store.count(link.activity_id, present=present).answered >= most_answers(present):
            raise SurveyClosed(
                N_("L’enquête a reçu plus de réponses qu’attendu. Dites-le à la personne qui anime.")
            )
        sentence = " ".join(answer.sentence.split())
        self.store.save(
            SurveyAnswer(
                activity_id=link.activity_id,
                rating=answer.rating,
                recommends=answer.recommends,
                sentence=sentence,
                sentence_state=SentenceState.PENDING if sentence else SentenceState.NONE,
            ),
            *(SurveyTurnout(activity_id=link.activity_id, digest=each) for each in digests),
        )
        results = self.store.count(link.activity_id, present=present)
        if results.shows_split:
            self.store.write_counts(link.activity_id, results)
        return replace(access, has_answered=True)

    def _digests(self, link: SurveyLink, *, phone: str, mark: str) -> list[str]:
        """Raises NoSuchSurvey for a mark of no participant."""
        digests = [device_digest(self.secret, link.activity_id, phone)] if phone else []
        if mark:
            ids = self.store.participation_ids(link.activity_id)
            if mark not in {participant_mark(self.secret, link.activity_id, each) for each in ids}:
                raise NoSuchSurvey(_NOT_FOUND)
            digests.append(participant_digest(self.secret, mark))
        return digests

    def _present(self, activity: Activity) -> int:
        return max(activity.declared_size or 0, len(self.store.participation_ids(activity.id)))

    def _asks_sentence(self, activity: Activity) -> bool:
        """Minors are asked for no free text."""
        if activity.is_for_pupils or self.store.has_pupils(activity.id):
            return False
        there = self.activities.participants(activity.id, with_absent=True)
        return not any(person.age_group in _MINORS for _, person in there)

    def _reachable(self, activity: Activity) -> list[tuple[uuid.UUID, uuid.UUID, str]]:
        """Participation, person and address of the adults present."""
        if activity.is_for_pupils:
            return []
        there = [
            (one.id, person.id)
            for one, person in self.activities.participants(activity.id)
            if person.age_group not in _MINORS
        ]
        addresses = self.people.addresses_of(person_id for _, person_id in there)
        return [
            (participation_id, person_id, addresses[person_id])
            for participation_id, person_id in there
            if addresses.get(person_id)
        ]

    def _free_code(self) -> str:
        code = new_survey_code()
        while self.store.find_by_code(code) is not None:
            code = new_survey_code()
        return code

    def today(self, campus: Campus) -> date:
        return self.clock().astimezone(ZoneInfo(campus.time_zone)).date()

    def _record(self, campus: Campus, activity: Activity, by: Actor) -> None:
        self.history.write(
            by, "amend", "activity", activity.id, at=self.clock(), campus_id=campus.id, what="enquete"
        )
