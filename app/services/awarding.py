"""From a request to judged lines: who is meant, and what the rules say of each."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db.activities import ActivityStore
from app.db.awards import AwardStore
from app.db.badges import BadgeStore
from app.db.people import PeopleStore
from app.domain.activities import Activity, Participation, complete
from app.domain.awards import ONESELF, Award, Judgement, LineOutcome, check_evidence_text, judge
from app.domain.badges import Badge, BadgeVersion, check_given, check_open
from app.domain.campus import Campus
from app.domain.clock import Clock
from app.domain.history import Actor
from app.domain.participant_lists import ListedPerson, tidy, without_repeats
from app.domain.people import Person, name_key
from app.errors import NotFound
from app.language import N_
from app.services.activities import ActivityService, LineFault, fault_of


@dataclass(frozen=True)
class AwardRequest:
    """A badge for people: those recorded in the activity, those of a list, or both."""

    badge_id: uuid.UUID
    activity_id: uuid.UUID | None = None
    everybody: bool = False
    """All who are recorded in the activity."""
    participation_ids: tuple[uuid.UUID, ...] = ()
    lines: tuple[ListedPerson, ...] = ()
    evidence: str = ""
    idempotency_key: str | None = None

    def digest(self) -> str:
        """What an idempotency key stands for; the key itself is no part of it."""
        said = (
            self.badge_id,
            self.activity_id,
            self.everybody,
            self.participation_ids,
            self.lines,
            self.evidence,
        )
        return hashlib.sha256(repr(said).encode()).hexdigest()


@dataclass(frozen=True)
class JudgedLine:
    """One person of a request and what the rules say; `person` is None until somebody is recorded."""

    line: ListedPerson
    judgement: Judgement
    participation: Participation | None = None
    person: Person | None = None
    held: Award | None = None


@dataclass(frozen=True)
class Preview:
    campus: Campus
    badge: Badge
    version: BadgeVersion
    activity: Activity | None
    lines: Sequence[JudgedLine]

    def with_outcome(self, *outcomes: LineOutcome) -> list[JudgedLine]:
        return [line for line in self.lines if line.judgement.outcome in outcomes]

    @property
    def ready(self) -> list[JudgedLine]:
        return self.with_outcome(LineOutcome.READY)


Someone = tuple[ListedPerson, Participation | None, Person]
"""A line whose person is recorded."""
Found = tuple[ListedPerson, Participation | None, Person | None]
"""A line, with its person if we know them."""


class Judging:
    """Finds the people of a request and judges each alone (I25)."""

    def __init__(
        self,
        people: PeopleStore,
        badges: BadgeStore,
        activities: ActivityStore,
        awards: AwardStore,
        activity_service: ActivityService,
        clock: Clock,
    ) -> None:
        self.people = people
        self.badges = badges
        self.activities = activities
        self.awards = awards
        self.activity_service = activity_service
        self.clock = clock

    def preview(self, campus: Campus, request: AwardRequest, *, by: Actor) -> Preview:
        """What awarding would find now; nothing is written."""
        case = self._case(campus, request, by)
        kept, repeated = without_repeats([tidy(line) for line in request.lines])
        known = self.activity_service.known(case.activity, kept)
        listed = [(line, *known.get(line.line_key, (None, None))) for line in kept]
        found, again = _each_once(self._recorded(case), listed)
        held = self._held(case, [person.id for _, _, person in found if person])
        judged = [self._judged(case, line, part, person, held) for line, part, person in found]
        return case.preview(judged, [*repeated, *again])

    def decide(self, campus: Campus, request: AwardRequest, *, by: Actor) -> Preview:
        """The same, with everybody readable recorded: each line that is ready has its person."""
        case = self._case(campus, request, by)
        kept, repeated = without_repeats([tidy(line) for line in request.lines])
        listed = self._record(case, [line for line in kept if case.fault_of(line) is None])
        found, again = _each_once(self._recorded(case), listed)
        held = self._held(case, [person.id for _, _, person in found if person])
        judged = [self._judged(case, line, part, person, held) for line, part, person in found]
        judged += [self._judged(case, line, None, None, held) for line in kept if case.fault_of(line)]
        return case.preview(judged, [*repeated, *again])

    def _case(self, campus: Campus, request: AwardRequest, by: Actor) -> _Case:
        check_evidence_text(request.evidence)
        badge = self.badges.get(request.badge_id)
        if badge.campus_id != campus.id:
            raise NotFound(N_("Ce badge n’existe pas ici."))
        check_open(badge)
        activity = (
            self.activities.get_in_campus(request.activity_id, campus.id) if request.activity_id else None
        )
        giver = self.people.get(by.person_id) if by.person_id else None
        version = self.badges.current_version(badge.id)
        check_given(version)
        return _Case(campus, badge, version, activity, request, by, giver)

    def _recorded(self, case: _Case) -> list[Someone]:
        request, activity = case.request, case.activity
        if activity is None or not (request.everybody or request.participation_ids):
            return []
        wanted = set(request.participation_ids)
        there = [
            (participation, person)
            for participation, person in self.activities.participants(activity.id)
            if request.everybody or participation.id in wanted
        ]
        addresses = self.people.addresses_of(person.id for _, person in there)
        return [
            (_line_of(participation, person, addresses.get(person.id, "")), participation, person)
            for participation, person in there
        ]

    def _record(self, case: _Case, lines: Sequence[ListedPerson]) -> list[Someone]:
        if case.activity is not None:
            self.activities.lock(case.activity.id)
            kept = self.activity_service.keep(case.activity, lines, by=case.by)
            return [(line, *kept[line.line_key]) for line in lines]
        people = self.activity_service.people_of(lines)
        return [(line, None, people[line.line_key]) for line in lines]

    def _held(self, case: _Case, people: Sequence[uuid.UUID]) -> dict[uuid.UUID, Award]:
        return self.awards.held(case.badge, people, case.activity.id if case.activity else None)

    def _judged(
        self,
        case: _Case,
        line: ListedPerson,
        participation: Participation | None,
        person: Person | None,
        held: dict[uuid.UUID, Award],
    ) -> JudgedLine:
        fault = case.fault_of(line)
        if fault is not None:
            return JudgedLine(line, Judgement(fault.outcome, fault.sentence))
        if case.is_giver_by_name(line):
            return JudgedLine(line, ONESELF, participation, person)
        someone = person or self._new_person(line)
        judgement = judge(
            case.version,
            person=someone,
            giver_id=case.by.person_id,
            activity=case.activity,
            participation=_would_be(line, case.activity, participation, someone, self.clock()),
            evidence=case.request.evidence,
            held=held.get(someone.id),
        )
        return JudgedLine(line, judgement, participation, person, held.get(someone.id))

    def _new_person(self, line: ListedPerson) -> Person:
        return Person(given_name=line.given_name, family_name=line.family_name, created_at=self.clock())


@dataclass(frozen=True)
class _Case:
    """A request with the rows it is about."""

    campus: Campus
    badge: Badge
    version: BadgeVersion
    activity: Activity | None
    request: AwardRequest
    by: Actor
    giver: Person | None

    def is_giver_by_name(self, line: ListedPerson) -> bool:
        """By name alone somebody is a new person each time; only an address tells the giver's namesake apart (T02)."""
        giver = self.giver
        return (
            giver is not None
            and not line.address
            and name_key(line.given_name, line.family_name) == name_key(giver.given_name, giver.family_name)
        )

    def fault_of(self, line: ListedPerson) -> LineFault | None:
        return fault_of(line, needs_address=self.activity is None)

    def preview(self, judged: list[JudgedLine], repeated: Sequence[ListedPerson]) -> Preview:
        lines = judged + [_repeated(line) for line in repeated]
        return Preview(self.campus, self.badge, self.version, self.activity, lines)


def _line_of(participation: Participation, person: Person, address: str) -> ListedPerson:
    return ListedPerson(
        line=0,
        given_name=person.given_name,
        family_name=person.family_name,
        address=address,
        hours=participation.hours,
        part=participation.part,
        contribution=participation.contribution,
    )


def _would_be(
    line: ListedPerson,
    activity: Activity | None,
    participation: Participation | None,
    person: Person,
    at: datetime,
) -> Participation | None:
    """The participation as recording the line would leave it, for judging it beforehand."""
    if activity is None:
        return None
    if participation is not None:
        copy = Participation(**participation.model_dump())
        complete(copy, hours=line.hours, contribution=line.contribution)
        return copy
    return Participation(
        activity_id=activity.id,
        person_id=person.id,
        line_key=line.line_key,
        part=line.part,
        hours=line.hours,
        contribution=line.contribution,
        recorded_at=at,
    )


def _each_once(
    recorded: Sequence[Someone], listed: Sequence[Found]
) -> tuple[list[Found], list[ListedPerson]]:
    """Everybody once, and the lines that say somebody again. Of somebody recorded, the list says more."""
    named = {person.id for _, _, person in listed if person}
    once: list[Found] = [someone for someone in recorded if someone[2].id not in named]
    again: list[ListedPerson] = []
    seen: set[uuid.UUID] = set()
    for line, participation, person in listed:
        if person is not None and person.id in seen:
            again.append(line)
            continue
        once.append((line, participation, person))
        if person is not None:
            seen.add(person.id)
    return once, again


def _repeated(line: ListedPerson) -> JudgedLine:
    return JudgedLine(
        line, Judgement(LineOutcome.REPEATED_LINE, N_("Cette personne est déjà plus haut dans la liste."))
    )
