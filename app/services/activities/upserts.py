"""Activities and participants as a campus's own system names them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from app.db.campus.people import is_known_at
from app.domain.activities import Activity, Participation, adds_to
from app.domain.activities.listed_people import ListedPerson, MatchCandidate, free_homonym, name_key_of
from app.domain.awards import LineOutcome
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.integration import (
    NAMED_OTHERWISE,
    TWICE,
    ExternalIdTaken,
    LineRefused,
    NamedKind,
    Receipt,
    UpsertOutcome,
    check_external_id,
    named_otherwise,
)
from app.domain.people import Person
from app.domain.people.consents import NO_ANSWERS
from app.errors import AppError, InvalidInput
from app.language import N_
from app.services.activities.activities import ActivityService
from app.services.activities.line_faults import ALREADY_KNOWN, SEVERAL, fault_of
from app.services.activities.participants import Entry, ParticipantService
from app.services.activities.plans import ActivityPlans
from app.services.people.upserts import ExternalIds

CORRECTED = N_("Corrigé par le système d’information du campus.")
_FIELDS = (
    "kind", "title", "description", "starts_on", "ends_on", "place", "hours", "audience", "declared_size",
    "start_time", "end_time",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class ActivityUpserts:
    activities: ActivityService
    plans: ActivityPlans
    external_ids: ExternalIds

    def upsert_all(
        self, campus: Campus, lines: Sequence[tuple[str, Activity]], *, by: Actor
    ) -> list[Receipt]:
        return self.external_ids.receipts(
            lines, lambda line: line[0], lambda line: self.upsert(campus, *line, by=by)
        )

    def upsert(self, campus: Campus, external_id: str, wanted: Activity, *, by: Actor) -> Receipt:
        """Idempotent: the same facts again change nothing."""
        known = self.external_ids.find(campus, NamedKind.ACTIVITY, check_external_id(external_id))
        if known is None:
            # Of two equal requests at once, one creates.
            self.activities.campuses.lock(campus.id)
            known = self.external_ids.find(campus, NamedKind.ACTIVITY, external_id)
        if known is None:
            made = self.activities.create(wanted, [campus], by=by)
            self.external_ids.give(campus, NamedKind.ACTIVITY, external_id, made.id)
            return Receipt(0, external_id, UpsertOutcome.CREATED, made.id)
        changes = self.replace(campus, known, wanted, by=by)
        return Receipt(
            0, external_id, UpsertOutcome.CHANGED if changes else UpsertOutcome.SAME, known, changes
        )

    def replace(self, campus: Campus, activity_id: uuid.UUID, wanted: Activity, *, by: Actor) -> list[str]:
        """All facts of an activity that the campus leads; returns the names of those that differ."""
        activity = self.activities.get(campus, activity_id)
        changes = [name for name in _FIELDS if getattr(activity, name) != getattr(wanted, name)]
        if changes:
            activity.declared_size = wanted.declared_size
            self.plans.amend(campus, activity_id, wanted, None, by=by)
        return changes


@dataclass(frozen=True)
class ParticipantReceipt:
    receipt: Receipt
    participation_id: uuid.UUID | None = None


@dataclass
class _Line:
    listed: ListedPerson
    external_id: str
    receipt: ParticipantReceipt | None = None

    def answer(
        self,
        outcome: UpsertOutcome,
        found: tuple[Participation, Person] | None = None,
        *,
        changes: Sequence[str] = (),
        fault: AppError | None = None,
    ) -> None:
        self.receipt = ParticipantReceipt(
            Receipt(
                self.listed.line,
                self.external_id,
                outcome,
                found[1].id if found else None,
                changes,
                fault,
            ),
            found[0].id if found else None,
        )

    def refuse(self, fault: AppError) -> None:
        self.answer(UpsertOutcome.REFUSED, fault=fault)


@dataclass(frozen=True, eq=False)
class ParticipantUpserts:
    activities: ActivityService
    participants: ParticipantService
    external_ids: ExternalIds

    def upsert_all(
        self,
        campus: Campus,
        activity_id: uuid.UUID,
        lines: Sequence[tuple[str, ListedPerson]],
        answers: Mapping[int, bool],
        *,
        by: Actor,
        may_replace: Callable[[str], bool] | None = None,
    ) -> list[ParticipantReceipt]:
        """A person with a known identifier is that person, whatever the name, and the line's hours, part and
        contribution replace those recorded. Other people are matched by name and address, as in any list.

        `may_replace`: for lines that the listed people can write themselves. A match by name alone is asked
        about; of a recorded participation only the contribution changes, where it is empty or `may_replace`
        allows it.
        """
        activity = self.activities.get(campus, activity_id)
        self.activities.activities.lock(activity.id)
        waiting = [_Line(listed, external_id) for external_id, listed in lines]
        named = self.external_ids.named(campus, NamedKind.PERSON, [each.external_id for each in waiting])
        self._refuse_repeated(waiting)
        known = [each for each in waiting if each.receipt is None and each.external_id in named]
        self._upsert_known(campus, activity, known, named, by, may_replace)
        others = [each for each in waiting if each.receipt is None]
        if may_replace is None:
            self._record(campus, activity, others, answers, by)
        else:
            self._record_asking(campus, activity, others, answers, by)
        return [each.receipt for each in waiting if each.receipt is not None]

    @staticmethod
    def _refuse_repeated(waiting: Sequence[_Line]) -> None:
        seen: set[str] = set()
        for each in waiting:
            if not each.external_id:
                continue
            try:
                check_external_id(each.external_id)
            except InvalidInput as error:
                each.refuse(error)
            if each.external_id in seen:
                each.refuse(ExternalIdTaken(TWICE, value=each.external_id))
            seen.add(each.external_id)

    def _upsert_known(
        self,
        campus: Campus,
        activity: Activity,
        lines: Sequence[_Line],
        named: Mapping[str, uuid.UUID],
        by: Actor,
        may_replace: Callable[[str], bool] | None,
    ) -> None:
        people = {person.id: person for person in self.activities.people.list_by_id(named.values())}
        self.activities.hold(people.values())
        there = {
            person.id: part
            for part, person in self.activities.activities.participants_among(
                activity.id, person_ids=set(people)
            )
        }
        addresses = self.activities.people.addresses_of(people, is_known_at(campus.id))
        touched, new, meant = list[Participation](), dict[str, _Line](), dict[str, uuid.UUID]()
        for each in lines:
            person = people[named[each.external_id]]
            part = there.get(person.id)
            if part is not None:
                changes = _changed(part, each.listed, may_replace)
                outcome = UpsertOutcome.CHANGED if changes else UpsertOutcome.SAME
                each.answer(outcome, (part, person), changes=changes)
                touched += [part] if changes else []
                continue
            listed = replace(
                each.listed,
                given_name=person.given_name,
                family_name=person.family_name,
                address=addresses.get(person.id, ""),
                homonym=1,
            )
            while listed.line_key in new or self._is_taken(activity, listed):
                listed = replace(listed, homonym=listed.homonym + 1, address="")
            each.listed = listed
            new[listed.line_key], meant[listed.line_key] = each, person.id
        self.activities.amend_all(activity, touched, by=by, reason=CORRECTED)
        kept = self.activities.keep(
            activity,
            [each.listed for each in new.values()],
            campus_id=campus.id,
            by=by,
            meant=meant,
        )
        for key, each in new.items():
            each.answer(UpsertOutcome.CREATED, kept[key])
        self._note(activity, len(new), by)

    def _is_taken(self, activity: Activity, listed: ListedPerson) -> bool:
        return not listed.address and bool(
            self.activities.activities.participants_among(activity.id, line_keys=[listed.line_key])
        )

    def _record(
        self,
        campus: Campus,
        activity: Activity,
        lines: Sequence[_Line],
        answers: Mapping[int, bool],
        by: Actor,
    ) -> None:
        settled = self.participants.with_known(campus, activity.id, [each.listed for each in lines], answers)
        by_number = {each.listed.line: each for each in lines}
        checked = self.participants.check(campus, activity.id, settled, NO_ANSWERS)
        good, entries = list[ListedPerson](), dict[int, Entry]()
        for one in checked:
            each, entries[one.line.line] = by_number[one.line.line], one.entry
            fault = fault_of(one.line)
            if one.entry is Entry.REFUSED:
                kind = fault.outcome if fault else LineOutcome.UNREADABLE
                each.refuse(LineRefused(one.sentence, kind=kind.value))
            elif one.entry is Entry.UNCLEAR:
                each.refuse(LineRefused(SEVERAL.sentence, kind=SEVERAL.outcome.value))
            elif fault is not None:
                # A repetition of a line that was refused.
                each.refuse(LineRefused(fault.sentence, kind=fault.outcome.value))
            else:
                good.append(one.line)
        self._refuse_named_otherwise(good, self.activities.known(activity, good).meant, campus, by_number)
        good = [line for line in good if by_number[line.line].receipt is None]
        self.activities.record(campus, activity.id, good, by=by)
        found = self.activities.known(activity, good).meant
        for line in good:
            each, (part, person) = by_number[line.line], found[line.line_key]
            assert part is not None, "it was recorded a moment ago"
            if each.external_id:
                self.external_ids.give(campus, NamedKind.PERSON, each.external_id, person.id)
            outcome = _OUTCOMES[entries[line.line]]
            each.answer(outcome, (part, person))

    def _record_asking(
        self,
        campus: Campus,
        activity: Activity,
        lines: Sequence[_Line],
        answers: Mapping[int, bool],
        by: Actor,
    ) -> None:
        """A match by name alone binds no address and no identifier without an answer."""
        by_number = {each.listed.line: each for each in lines}
        listed = _numbered([each.listed for each in lines])
        settled = self.participants.with_known(campus, activity.id, listed, answers)
        good = list[ListedPerson]()
        for line in settled:
            fault = fault_of(line)
            if fault is None:
                good.append(line)
            else:
                by_number[line.line].refuse(LineRefused(fault.sentence, kind=fault.outcome.value))
        good, meant = self._settled_by_answer(activity, good, answers, by_number)
        self._refuse_named_otherwise(good, meant, campus, by_number)
        first = dict[str, ListedPerson]()
        for line in good:
            each = by_number[line.line]
            if each.receipt is None and first.setdefault(line.line_key, line) is not line:
                known = by_number[first[line.line_key].line].external_id
                each.refuse(ExternalIdTaken(NAMED_OTHERWISE, value=each.external_id, known=known))
        good = [line for line in good if by_number[line.line].receipt is None]
        outcomes = {line.line: _outcome(line, meant.get(line.line_key)) for line in good}
        ids = {line.line_key: meant[line.line_key][1].id for line in good if line.line_key in meant}
        kept = self.activities.keep(activity, good, campus_id=campus.id, by=by, meant=ids, absent_stay=True)
        for line in good:
            each, pair = by_number[line.line], kept[line.line_key]
            self.external_ids.give(campus, NamedKind.PERSON, each.external_id, pair[1].id)
            each.answer(outcomes[line.line], pair)
        self._note(activity, sum(one is UpsertOutcome.CREATED for one in outcomes.values()), by)

    def _settled_by_answer(
        self,
        activity: Activity,
        lines: Sequence[ListedPerson],
        answers: Mapping[int, bool],
        by_number: Mapping[int, _Line],
    ) -> tuple[list[ListedPerson], dict[str, MatchCandidate]]:
        """The lines to record and whom they mean; refuses those that need an answer."""
        found = self.activities.known(activity, lines)
        named = self.activities.people.list_named_at(
            (line.address, name_key_of(line)) for line in lines if line.address
        )
        taken = {*self.activities.activities.line_keys(activity.id), *(line.line_key for line in lines)}
        good, meant = list[ListedPerson](), dict[str, MatchCandidate]()
        for line in lines:
            pair, answer = found.meant.get(line.line_key), answers.get(line.line)
            is_sure = (line.address, name_key_of(line)) in named or (
                bool(line.address) and pair is not None and pair[0] is not None
                and pair[0].line_key == line.line_key
            )  # fmt: skip
            if pair is not None and (is_sure or answer):
                meant[line.line_key] = pair
            elif (pair is not None or line.line_key in found.unclear) and answer is None:
                fault = ALREADY_KNOWN if pair is not None else SEVERAL
                by_number[line.line].refuse(LineRefused(fault.sentence, kind=fault.outcome.value))
                continue
            elif line.line_key in found.unclear and answer:
                by_number[line.line].refuse(LineRefused(SEVERAL.sentence, kind=SEVERAL.outcome.value))
                continue
            elif not line.address and (pair is not None or line.line_key in found.unclear):
                line = replace(line, homonym=free_homonym(line, taken))
                taken.add(line.line_key)
            good.append(line)
        return good, meant

    def _refuse_named_otherwise(
        self,
        good: Sequence[ListedPerson],
        meant: Mapping[str, MatchCandidate],
        campus: Campus,
        by_number: Mapping[int, _Line],
    ) -> None:
        """A person has one identifier: another one would be another person, or a mistake."""
        ids = [found[1].id for found in meant.values()]
        names = self.external_ids.names_of(campus, NamedKind.PERSON, ids)
        for line in good:
            each, person = by_number[line.line], meant.get(line.line_key, (None, None))[1]
            known = names.get(person.id, ()) if person else ()
            other = named_otherwise(each.external_id, known) if each.external_id else ""
            if other:
                each.refuse(ExternalIdTaken(NAMED_OTHERWISE, value=each.external_id, known=other))

    def _note(self, activity: Activity, people: int, by: Actor) -> None:
        if not people:
            return
        campus, *_ = self.activities.activities.campuses_of(activity.id)
        at = self.activities.clock()
        with self.activities.logged_events.organisers_of(activity):
            self.activities.history.write(
                by, "record", "activity", activity.id, at=at, campus_id=campus.id, people=people
            )


_OUTCOMES = {
    Entry.NEW: UpsertOutcome.CREATED,
    Entry.THERE: UpsertOutcome.SAME,
    Entry.REPEATED: UpsertOutcome.SAME,
    Entry.COMPLETED: UpsertOutcome.CHANGED,
}


def _numbered(lines: Sequence[ListedPerson]) -> list[ListedPerson]:
    """Two users of one name without addresses are two people."""
    taken, numbered = set[str](), list[ListedPerson]()
    for line in lines:
        if not line.address and line.line_key in taken:
            line = replace(line, homonym=free_homonym(line, taken))
        taken.add(line.line_key)
        numbered.append(line)
    return numbered


def _outcome(line: ListedPerson, pair: MatchCandidate | None) -> UpsertOutcome:
    part = pair[0] if pair else None
    if part is None:
        return UpsertOutcome.CREATED
    adds = part.is_present and adds_to(part, hours=line.hours, contribution=line.contribution)
    return UpsertOutcome.CHANGED if adds else UpsertOutcome.SAME


def _changed(
    part: Participation, listed: ListedPerson, may_replace: Callable[[str], bool] | None = None
) -> list[str]:
    """Writes the line's values; what it leaves out stays. With `may_replace`, what staff recorded stays."""
    wanted: dict[str, object] = {
        "part": listed.part,
        "hours": part.hours if listed.hours is None else listed.hours,
        "contribution": listed.contribution or part.contribution,
        "is_present": True,
    }
    if may_replace is not None:
        if not part.is_present or (part.contribution and not may_replace(part.contribution)):
            return []
        wanted = {"contribution": wanted["contribution"]}
    changes = [name for name, value in wanted.items() if getattr(part, name) != value]
    for name in changes:
        setattr(part, name, wanted[name])
    return ["present" if name == "is_present" else name for name in changes]
