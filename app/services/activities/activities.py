"""Activities and their participants."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db.activities import ActivityFileStore, ActivityStore
from app.db.activity_log import ActivityLogStore, LogDisputeStore
from app.db.campus import CampusStore, HistoryStore
from app.db.campus.people import is_known_at
from app.db.people import PeopleStore
from app.domain.activities import (
    Activity,
    Participation,
    PartKind,
    check_activity,
    check_participation,
    complete,
)
from app.domain.activities.listed_people import (
    ListedPerson,
    MatchCandidate,
    Matches,
    matched_by_key,
    name_key_of,
)
from app.domain.activity_log import ARTEFACT, PARTICIPATION, EntryKind, LogDispute
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock, neighbouring_ids
from app.domain.people import GONE_MEANWHILE, AgeGroup, Person, is_gone
from app.domain.people.consents import NO_ANSWERS, ListAnswers
from app.errors import Conflict
from app.language import N_
from app.services.activities.line_faults import SEVERAL, LineFault, fault_of
from app.services.activity_log import LoggedEvents
from app.services.people.names import AgeBands, GivenAddresses
from app.services.people.record_merge import Namesakes

COMPLETED = N_("Complété depuis une liste.")
"""Reason recorded when a list adds facts to an existing participation."""
PRESENCE = N_("Présence corrigée.")


@dataclass(frozen=True)
class ActivityPage:
    campus: Campus
    activity: Activity
    campuses: Sequence[Campus]
    participants: Sequence[tuple[Participation, Person]]
    addresses: dict[uuid.UUID, str]
    absent: Sequence[tuple[Participation, Person]] = ()
    """Participants recorded as absent."""


@dataclass(frozen=True)
class RecordedList:
    """Result of recording a list: new people, people already recorded, refused lines."""

    added: int
    known: int
    refused: Sequence[tuple[ListedPerson, LineFault]]


@dataclass(frozen=True, eq=False)
class ActivityService:
    activities: ActivityStore
    people: PeopleStore
    campuses: CampusStore
    history: HistoryStore
    logged_events: LoggedEvents
    age_bands: AgeBands
    given_addresses: GivenAddresses
    namesakes: Namesakes
    clock: Clock

    def create(self, activity: Activity, campuses: Sequence[Campus], *, by: Actor) -> Activity:
        """The first campus leads; the others are invited to co-organise."""
        check_activity(activity)
        activity.created_at = self.clock()
        self.activities.create(activity, [campus.id for campus in campuses], at=self.clock())
        for done, campus in zip(("create", *("ask",) * len(campuses)), campuses, strict=False):
            self.history.write(by, done, "activity", activity.id, at=self.clock(), campus_id=campus.id)
        return activity

    def get(self, campus: Campus, activity_id: uuid.UUID) -> Activity:
        return self.activities.get_in_campus(activity_id, campus.id)

    def list_in(self, campus: Campus, *, words: str = "") -> list[tuple[Activity, int]]:
        return self.activities.list_in_campus(campus.id, words=words)

    def page(self, campus: Campus, activity_id: uuid.UUID) -> ActivityPage:
        """All participants of an activity, read-only: there may be thousands."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        listed = self.activities.read_everybody(activity.id)
        participants = [pair for pair in listed if pair[0].is_present]
        return ActivityPage(
            campus,
            activity,
            self.activities.campuses_of(activity.id),
            participants,
            self.people.addresses_of((person.id for _, person in participants), is_known_at(campus.id)),
            [pair for pair in listed if not pair[0].is_present],
        )

    def participation(
        self, campus: Campus, activity_id: uuid.UUID, participation_id: uuid.UUID
    ) -> tuple[Participation, Person]:
        activity = self.activities.get_in_campus(activity_id, campus.id)
        return self.activities.get_participation(participation_id, activity.id)

    def record(
        self,
        campus: Campus,
        activity_id: uuid.UUID,
        lines: Sequence[ListedPerson],
        *,
        by: Actor,
        answers: ListAnswers | None = None,
    ) -> RecordedList:
        """Record every readable line once. Idempotent.

        `answers` resolve names that several people share; a line without an answer is skipped.
        """
        activity = self.activities.get_in_campus(activity_id, campus.id)
        self.activities.lock(activity.id)
        before = len(self.activities.line_keys(activity.id))
        matched = self.namesakes.sort(campus, activity, [line.tidied() for line in lines], answers)
        faults = [(line, fault) for line in matched.lines if (fault := fault_of(line))]
        readable = [line for line in matched.lines if fault_of(line) is None]
        faults += [(line, SEVERAL) for line in readable if matched.is_open(line)]
        good = [line for line in readable if not matched.is_open(line)]
        recorded = self.keep(
            activity,
            good,
            campus_id=campus.id,
            by=by,
            meant={key: who.id for key, (_, who) in matched.meant.items()},
        )
        self.namesakes.remember(activity, answers or NO_ANSWERS, recorded, matched)
        added = len(self.activities.line_keys(activity.id)) - before
        if added:
            self.history.write(
                by, "record", "activity", activity.id, at=self.clock(), campus_id=campus.id, people=added
            )
        return RecordedList(added, len(recorded) - added + len(matched.repeated), faults)

    def known(self, activity: Activity | None, lines: Sequence[ListedPerson]) -> Matches:
        """People already known among the lines of a list."""
        if not lines:
            return Matches({}, {})
        there = self.activities.participants(activity.id, with_absent=True) if activity else []
        matches = self.namesakes.match([line for line in lines if line.person_id is None], there)
        named = {line.line_key: line.person_id for line in lines if line.person_id is not None}
        if not named:
            return matches
        parts = {person.id: part for part, person in there}
        people = {person.id: person for person in self.people.list_by_id(named.values())}
        meant = {key: (parts.get(one), people[one]) for key, one in named.items()}
        return Matches({**matches.meant, **meant}, matches.unclear)

    def _known_of(
        self, activity: Activity, lines: Sequence[ListedPerson], meant: Mapping[str, uuid.UUID]
    ) -> dict[str, MatchCandidate]:
        """As `known`, without loading every participant."""
        named = self.people.list_named_at((line.address, name_key_of(line)) for line in lines if line.address)
        people = {person.id: person for person in self.people.list_by_id(meant.values())}
        there = self.activities.participants_among(
            activity.id,
            person_ids={*people, *(person.id for person in named.values())},
            line_keys={line.line_key for line in lines},
        )
        parts = {person.id: participation for participation, person in there}
        known: dict[str, MatchCandidate] = {
            key: (parts.get(person_id), people[person_id]) for key, person_id in meant.items()
        }
        others = [line for line in lines if line.line_key not in known]
        return matched_by_key(others, there, named) | known

    def keep(
        self,
        activity: Activity,
        lines: Sequence[ListedPerson],
        *,
        campus_id: uuid.UUID,
        by: Actor,
        meant: Mapping[str, uuid.UUID],
        absent_stay: bool = False,
        by_phone: bool = False,
        batch_id: uuid.UUID | None = None,
    ) -> dict[str, tuple[Participation, Person]]:
        """The participation of each readable line, by line key: creates missing ones, fills blanks of others.

        `campus_id`: of who records them, whatever campus leads. `batch_id`: of the bulk award with this list. `by_phone`:
        anybody may have typed the line; it never lowers the protection of a known minor.

        `meant` maps line keys to the people matched over the whole list.
        A list of participants marks those recorded as absent as present, unless `absent_stay`.
        """
        known = self._known_of(activity, lines, meant)
        people = self.people_of([line for line in lines if line.line_key not in known])
        self.hold([*(person for _, person in known.values()), *people.values()])
        kept: dict[str, tuple[Participation, Person]] = {}
        new: dict[uuid.UUID, Participation] = {}
        completed: list[Participation] = []
        numbers = iter(neighbouring_ids(len(lines)))
        # Where attendance is recorded per session, participants who attended none have no hours.
        otherwise = 0.0 if lines and self.activities.counts_attendance(activity.id) else None
        protected = {person.id for _, person in known.values() if by_phone and person.needs_guardian}
        for line in lines:
            participation, person = known.get(line.line_key) or (None, people[line.line_key])
            participation = participation or new.get(person.id)
            if participation is None:
                participation = new[person.id] = self._participation_of(activity, line, person, by, otherwise)
                participation.id, participation.batch_id = next(numbers), batch_id
            elif not participation.is_present and (absent_stay or is_gone(person)):
                pass
            elif complete(participation, hours=line.hours, contribution=line.contribution):
                check_participation(participation)
                self._note_amendments(activity, [participation], by)
                completed.append(participation)
            kept[line.line_key] = (participation, person)
            if participation.line_key.startswith("|") and line.address:
                self.given_addresses.give(person, line.address, campus_id=campus_id)
        self.activities.add_participations(new.values())
        if activity.is_for_pupils:
            people_there = [person for _, person in kept.values()]
            self.age_bands.suppose_pupils(people_there, by=by, campus_id=campus_id)
        for line in lines:
            person = kept[line.line_key][1]
            if line.under_15 or person.id not in protected:
                self.age_bands.note(person, line.under_15, by=by, campus_id=campus_id)
            if line.age_group is AgeGroup.UNDER_15 or (line.age_group and person.id not in protected):
                self.age_bands.declare(person, line.age_group, activity, by=by, campus_id=campus_id)
        self.logged_events.log_participation(activity, [*new.values(), *completed], COMPLETED)
        return kept

    def hold(self, people: Iterable[Person]) -> None:
        """Until the transaction ends, they are not merged, renamed or erased elsewhere, and refuse nothing more."""
        present = [person for person in people if not is_gone(person)]
        if not self.age_bands.lock(present) or any(map(is_gone, present)):
            raise Conflict(GONE_MEANWHILE)

    def hold_participants(self, activity_id: uuid.UUID) -> None:
        """Before the activity gets or loses a campus, which writes who belongs to it. In the order of awards."""
        self.activities.lock(activity_id)
        with self.age_bands.tenant_scope.across_campuses():
            self.people.lock_all(self.activities.person_ids(activity_id))

    def suppose_pupils(
        self,
        activity: Activity,
        *,
        by: Actor,
        was_for_pupils: bool = True,
    ) -> None:
        """In an activity for pupils, treat participants without an age group as minors."""
        if not activity.is_for_pupils:
            return
        people = [person for _, person in self.activities.participants(activity.id, with_absent=True)]
        leads, *_ = self.activities.campuses_of(activity.id)
        with self.logged_events.organisers_of(activity):
            self.age_bands.suppose_pupils(people, by=by, campus_id=leads.id)
        if not was_for_pupils:
            self.age_bands.protect_awards_of(activity, by=by)

    def set_age_group(self, campus: Campus, activity_id: uuid.UUID, group: AgeGroup, *, by: Actor) -> int:
        """Set it for all participants without a known age group that the campus may set; returns how many."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        there = [person for _, person in self.activities.participants(activity.id, with_absent=True)]
        self.hold(there)
        unknown = [
            person for person in there if person.age_group in (None, AgeGroup.PUPIL) and not is_gone(person)
        ]
        return sum(self.age_bands.set_group(person, group, by=by, campus_id=campus.id) for person in unknown)

    def people_of(self, lines: Sequence[ListedPerson]) -> dict[str, Person]:
        """Creates a person for each line that matches none, by line key."""
        at = self.clock()
        asked = [
            (Person(given_name=line.given_name, family_name=line.family_name, created_at=at), line.address)
            for line in lines
        ]
        people = self.people.get_or_add_all(asked)
        return {line.line_key: person for line, person in zip(lines, people, strict=True)}

    def _participation_of(
        self,
        activity: Activity,
        line: ListedPerson,
        person: Person,
        by: Actor,
        otherwise: float | None,
    ) -> Participation:
        participation = Participation(
            activity_id=activity.id,
            person_id=person.id,
            line_key=line.line_key,
            part=line.part,
            hours=otherwise if line.hours is None else line.hours,
            contribution=line.contribution,
            recorded_at=self.clock(),
            recorded_by=by.person_id,
        )
        check_participation(participation)
        return participation

    def set_present(
        self,
        campus: Campus,
        activity_id: uuid.UUID,
        participation_id: uuid.UUID,
        *,
        present: bool,
        by: Actor,
        reason: str = PRESENCE,
    ) -> None:
        """Mark a participant present or absent; awards already given are unchanged."""
        activity = self.activities.lock(self.activities.get_in_campus(activity_id, campus.id).id)
        participation, person = self.activities.get_participation(participation_id, activity.id)
        self.hold([person])
        if participation.is_present == present:
            return
        participation.is_present = present
        self.activities.add_participations([participation])
        self.logged_events.log_participation(activity, [participation], reason)
        self._note_amendments(activity, [participation], by)

    def note_absent(self, activity: Activity, participation: Participation, *, by: Actor) -> None:
        """The person took their presence back. The activity must be locked."""
        if participation.is_present:
            participation.is_present = False
            self.amend_all(activity, [participation], by=by, reason=PRESENCE)

    def note_presences(
        self,
        campus: Campus,
        activity_id: uuid.UUID,
        present: Collection[uuid.UUID],
        *,
        shown: Collection[uuid.UUID],
        by: Actor,
    ) -> int:
        """Mark these present among those `shown`; returns how many changed. Awards are unchanged."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        self.activities.lock(activity.id)
        there = self.activities.participants(activity.id, with_absent=True)
        found = [
            (participation, person)
            for participation, person in there
            if participation.id in shown and participation.is_present != (participation.id in present)
        ]
        self.hold(person for _, person in found)
        changed = [participation for participation, _ in found]
        for participation in changed:
            participation.is_present = participation.id in present
        self.amend_all(activity, changed, by=by, reason=PRESENCE)
        return len(changed)

    def amend(
        self,
        campus: Campus,
        activity_id: uuid.UUID,
        participation_id: uuid.UUID,
        *,
        part: PartKind,
        hours: float | None,
        contribution: str,
        by: Actor,
        reason: str = "",
        present: bool | None = None,
    ) -> Participation:
        """Correct a recorded participation; awards already given are unchanged."""
        activity = self.activities.lock(self.activities.get_in_campus(activity_id, campus.id).id)
        participation, person = self.activities.get_participation(participation_id, activity.id)
        self.hold([person])
        participation.part, participation.hours, participation.contribution = (
            part,
            hours,
            contribution.strip(),
        )
        participation.is_present = participation.is_present if present is None else present
        check_participation(participation)
        self.activities.add_participations([participation])
        self.logged_events.log_participation(activity, [participation], reason.strip())
        self._note_amendments(activity, [participation], by)
        return participation

    def amend_all(
        self,
        activity: Activity,
        changed: Sequence[Participation],
        *,
        by: Actor,
        reason: str,
    ) -> None:
        """Record corrections already applied to the participations: a log entry and a history event each."""
        if not changed:
            return
        for participation in changed:
            check_participation(participation)
        self.activities.add_participations(changed)
        self.logged_events.log_participation(activity, changed, reason)
        self._note_amendments(activity, changed, by)

    def close(
        self, campus: Campus, activity_ids: Sequence[uuid.UUID], *, by: Actor, reopen: bool = False
    ) -> int:
        """Nothing more is to be done there: they wait for no badge. Returns how many changed."""
        at = self.clock()
        rows = [
            row
            for row in self.activities.campus_rows(campus.id, activity_ids)
            if (row.closed_at is None) is not reopen
        ]
        for row in rows:
            row.closed_at = None if reopen else at
        self.activities.save(*rows)
        ids = [row.activity_id for row in rows]
        self.history.write_all(
            by, "reopen" if reopen else "close", "activity", ids, at=at, campus_id=campus.id
        )
        return len(rows)

    def _note_amendments(self, activity: Activity, changed: Sequence[Participation], by: Actor) -> None:
        """In the history of the leading campus."""
        campus, *_ = self.activities.campuses_of(activity.id)
        ids = [participation.id for participation in changed]
        with self.logged_events.organisers_of(activity):
            self.history.write_all(by, "amend", "participation", ids, at=self.clock(), campus_id=campus.id)


LATEST = 200


@dataclass(frozen=True)
class JournalLine:
    """`replaced`: a later line corrects this one; `who` is empty if the person was erased.

    `participation_id` is None for a line about a photo or a file.
    """

    number: int
    kind: EntryKind
    at: datetime
    participation_id: uuid.UUID | None
    who: str
    facts: Mapping[str, object]
    replaced: bool
    disputes: Sequence[LogDispute]


@dataclass(frozen=True)
class Journal:
    lines: Sequence[JournalLine]
    total: int

    @property
    def open_disputes(self) -> list[tuple[JournalLine, LogDispute]]:
        return [(line, each) for line in self.lines for each in line.disputes if each.answered_at is None]

    @property
    def version(self) -> str:
        """Changes whenever the rendered journal changes."""
        answered = sum(1 for line in self.lines for each in line.disputes if each.answered_at)
        return f"{self.total}-{sum(len(line.disputes) for line in self.lines)}-{answered}"


@dataclass(frozen=True, eq=False)
class ActivityJournal:
    store: ActivityLogStore
    disputes: LogDisputeStore
    activities: ActivityStore
    pieces: ActivityFileStore

    def of(self, campus: Campus, activity_id: uuid.UUID) -> Journal:
        activity = self.activities.get_in_campus(activity_id, campus.id)
        log = self.store.find(campus.id)
        if log is None:
            return Journal((), 0)
        there = self.activities.participants(activity.id, with_absent=True)
        names = {participation.id: person.name for participation, person in there}
        facts = [
            *self.store.payloads_of(PARTICIPATION, list(names)),
            *self.store.payloads_of(ARTEFACT, self.pieces.ever_of(activity.id)),
        ]
        payloads = [each for each in facts if each.log_id == log.id]
        latest = sorted(payloads, key=lambda each: each.number, reverse=True)
        # Disputed lines are shown whatever their age.
        said = self.disputes.about(log.id, [each.number for each in latest])
        disputed = {each.number for each in said}
        chosen = [each for at, each in enumerate(latest) if at < LATEST or each.number in disputed]
        newest: dict[uuid.UUID, int] = {}
        for each in payloads:
            newest[each.noun_id] = max(newest.get(each.noun_id, -1), each.number)
        entries = {
            entry.number: entry for entry in self.store.numbered(log.id, [each.number for each in chosen])
        }
        lines = [
            JournalLine(
                each.number,
                entries[each.number].kind,
                entries[each.number].at,
                each.noun_id if each.noun == PARTICIPATION else None,
                names.get(each.noun_id, ""),
                each.facts,
                newest[each.noun_id] != each.number,
                [one for one in said if one.number == each.number],
            )
            for each in chosen
        ]
        return Journal(lines, len(payloads))
