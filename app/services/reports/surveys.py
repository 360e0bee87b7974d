"""Open the survey of an activity, answer it, count the answers, moderate the sentences."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from app.db.activities import ActivityStore
from app.db.activities.plans import ActivityPlanStore
from app.db.campus import CampusStore, HistoryStore
from app.db.messages import LetterStore
from app.db.people import PeopleStore
from app.db.reports.facts import ReportFactsStore, SurveyStore
from app.domain.activities import Activity, check_leads
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.messages import Occasion, letter_to
from app.domain.people import AgeGroup
from app.domain.reports.facts import (
    ReportFacts,
    ReportObjective,
    cells_of,
    check_facts,
    objectives_in,
    with_cells,
)
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
from app.errors import InvalidInput, NotFound
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
        link, today = self.store.find(activity.id), campus.day_of(self.clock())
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
        check_closing_day(closes_on, today=campus.day_of(self.clock()))
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
        if link is None or not is_survey_open(link, today=campus.day_of(self.clock())):
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
        check_survey_open(link, today=campus.day_of(self.clock()))
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
        self.letters.enqueue_many(letters)
        self.store.save(link)
        self._record(campus, activity, by)
        return len(letters)

    def moderate(
        self, campus: Campus, activity_id: uuid.UUID, answer_id: uuid.UUID, *, approved: bool, by: Actor
    ) -> None:
        activity = self.activities.get_in_campus(activity_id, campus.id)
        answer = self.store.find_answer(activity.id, answer_id)
        if answer is None or answer.sentence_state is SentenceState.NONE:
            raise NotFound("Cette phrase n’est pas de cette activité.")
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
        check_survey_open(link, today=access.campus.day_of(self.clock()))
        check_answer(answer, asks_sentence=access.asks_sentence)
        digests = self._digests(link, phone=phone, mark=mark)
        if any(self.store.has_answered(link.activity_id, each) for each in digests):
            raise AlreadyAnswered(N_("Vous avez déjà répondu : votre avis est compté."))
        present = self._present(access.activity)
        if self.store.count(link.activity_id, present=present).received >= most_answers(present):
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
        if results.are_five_waiting:
            self.store.count_waiting(link.activity_id)
            self.store.write_counts(link.activity_id, self.store.count(link.activity_id, present=present))
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

    def _record(self, campus: Campus, activity: Activity, by: Actor) -> None:
        self.history.write(
            by, "amend", "activity", activity.id, at=self.clock(), campus_id=campus.id, what="enquete"
        )


# --- Read, write and complete the facts of activities that reports need


@dataclass(frozen=True)
class FactsOfActivity:
    """`like`: the earlier activity from which `facts` were proposed, None if they are recorded."""

    activity: Activity
    facts: ReportFacts
    leads: bool
    like: Activity | None = None


@dataclass(frozen=True)
class ReportFactsService:
    store: ReportFactsStore
    activities: ActivityStore
    plans: ActivityPlanStore
    history: HistoryStore
    clock: Clock

    def of(self, campus: Campus, activity_id: uuid.UUID) -> FactsOfActivity:
        activity = self.activities.get_in_campus(activity_id, campus.id)
        return FactsOfActivity(activity, self._facts(campus, activity), self._leads(campus, activity))

    def proposed(self, campus: Campus, activity_id: uuid.UUID) -> FactsOfActivity:
        """As `of`; objective, sector and département of a similar activity where none are recorded."""
        found = self.of(campus, activity_id)
        facts = found.facts
        if facts.departement or facts.sector or facts.objectives or not found.leads:
            return found
        like = self.store.like(campus.id, found.activity)
        if like is None:
            return found
        earlier = self._facts(campus, like)
        filled = replace(
            facts,
            departement=earlier.departement if like.place == found.activity.place else "",
            sector=earlier.sector,
            objectives=earlier.objectives,
        )
        return replace(found, facts=filled, like=None if filled == facts else like)

    def leaders(self, activity_ids: Collection[uuid.UUID], *, beside: Campus) -> dict[uuid.UUID, str]:
        """Short names of the campuses that lead these activities, where that is another one."""
        leads = {each: self.activities.campuses_of(each)[0] for each in activity_ids}
        return {each: lead.short_name for each, lead in leads.items() if lead.id != beside.id}

    def cells_of_many(
        self, campus: Campus, activities: Collection[Activity]
    ) -> dict[uuid.UUID, dict[str, str]]:
        found = self.store.of_many(activities, campus.id) if activities else {}
        return {activity_id: cells_of(facts) for activity_id, facts in found.items()}

    def write(self, campus: Campus, activity_id: uuid.UUID, facts: ReportFacts, *, by: Actor) -> bool:
        """Returns whether anything changed. A campus that does not lead writes its objectives alone."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        before = self._facts(campus, activity)
        # Counts collected by the survey itself may exceed the people present; only changed ones are checked.
        check_facts(replace(facts, survey=None) if facts.survey == before.survey else facts)
        if facts == before:
            return False
        if replace(facts, objectives=()) != replace(before, objectives=()):
            place = self.plans.place_of(activity.id, campus.id)
            if place is not None:
                check_leads(place)
            self.store.write(activity, facts, at=self.clock())
        if facts.objectives != before.objectives:
            self.store.write_objectives(activity.id, campus.id, self._objective_ids(campus, facts.objectives))
        changed = _changed(before, facts)
        self.history.write(
            by, "amend", "activity", activity.id, at=self.clock(), campus_id=campus.id, what=changed
        )
        return True

    def correct(self, campus: Campus, activity_id: uuid.UUID, cells: Mapping[str, str], *, by: Actor) -> bool:
        """Write the facts of these cells and leave the others."""
        facts = self._facts(campus, self.activities.get_in_campus(activity_id, campus.id))
        return self.write(campus, activity_id, with_cells(facts, cells), by=by)

    def to_complete(
        self,
        campus: Campus,
        days: tuple[date, date],
        *,
        incomplete: bool = True,
        start: int = 0,
        limit: int = 20,
    ) -> list[FactsOfActivity]:
        """One more than the limit if there is a next page."""
        found = self.store.activities_in(campus.id, days, incomplete=incomplete, start=start, limit=limit + 1)
        facts = self.store.of_many(found, campus.id)
        return [FactsOfActivity(each, facts[each.id], self._leads(campus, each)) for each in found]

    def objectives(self, campus: Campus) -> Sequence[ReportObjective]:
        return self.store.objectives_of(campus.id)

    def write_objectives(self, campus: Campus, typed: str, *, by: Actor) -> None:
        """One objective per line, « 2.3 Promouvoir les métiers »; those left out are removed."""
        wanted = objectives_in(typed)
        known = {each.code: each for each in self.store.objectives_of(campus.id)}
        self.store.delete_objectives([each.id for code, each in known.items() if code not in wanted])
        changed = []
        for code, title in wanted.items():
            row = known.get(code) or ReportObjective(campus_id=campus.id, code=code, title="")
            if row.title != title:
                row.title = title
                changed.append(row)
        self.store.save(*changed)
        self.history.write(by, "objectives", "report", campus.id, at=self.clock(), campus_id=campus.id)

    def _objective_ids(self, campus: Campus, codes: Sequence[str]) -> list[uuid.UUID]:
        known = {each.code: each.id for each in self.store.objectives_of(campus.id)}
        for code in codes:
            if code not in known:
                raise InvalidInput(
                    "L’objectif {word} n’est pas dans la feuille de route du campus.", word=code
                )
        return [known[code] for code in codes]

    def _facts(self, campus: Campus, activity: Activity) -> ReportFacts:
        return self.store.of_many([activity], campus.id)[activity.id]

    def _leads(self, campus: Campus, activity: Activity) -> bool:
        place = self.plans.place_of(activity.id, campus.id)
        return place is not None and place.position == 0


def _changed(before: ReportFacts, now: ReportFacts) -> str:
    earlier, cells = cells_of(before), cells_of(now)
    return ",".join(name for name, cell in cells.items() if earlier[name] != cell)
