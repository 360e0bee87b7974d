"""Merge two records of one person: by the person, with both addresses verified, or by the campus of both."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from app.db.accounts import OwnAddressStore, SignInStore
from app.db.activities import ActivityStore
from app.db.awards import AwardRecord, AwardStore
from app.db.campus import CampusStore, HistoryStore
from app.db.campus.people import addresses_hidden_from, is_known_at
from app.db.frameworks.pathways import PathwayStore
from app.db.learners import ConnectedAppStore
from app.db.people import MergeStore, NamesakeStore, PeopleStore
from app.domain.accounts.sign_in import Changed, SignInRequest
from app.domain.activities import Activity, Participation, homonym_of
from app.domain.activities.listed_people import (
    ListedPerson,
    MatchCandidate,
    Matches,
    There,
    free_homonym,
    is_bare,
    is_by_name,
    matched,
    name_key_of,
    without_repeats,
)
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.people import (
    NAMELESS,
    AgeGroup,
    Person,
    PersonMerge,
    Standing,
    check_campus_may_merge,
    check_may_undo,
    check_merge_reason,
    is_gone,
    kept_and_gone,
    name_key,
)
from app.domain.people.consents import (
    NO_ANSWERS,
    OTHER,
    ListAnswer,
    ListAnswers,
    Namesake,
    Question,
    VisibleName,
)
from app.errors import Conflict, NotAllowed, NotFound
from app.language import N_
from app.services.accounts.sessions import AccountNotices, SignedIn
from app.services.activity_log import LoggedEvents
from app.services.people.names import AgeBands

_BOTH_PROVED = "both addresses proved"
_NOT_OFFERED = N_("Cette fiche n’est pas à l’une de vos adresses confirmées.")


@dataclass(frozen=True)
class Other:
    """A record at an address that the person verified, and its content."""

    person: Person
    works: bool
    awards: Sequence[AwardRecord]
    campuses: Sequence[Campus]


@dataclass(frozen=True, eq=False)
class MergingService:
    merges: MergeStore
    people: PeopleStore
    own: OwnAddressStore
    challenges: SignInStore
    awards: AwardStore
    campuses: CampusStore
    activities: ActivityStore
    logged_events: LoggedEvents
    pathways: PathwayStore
    apps: ConnectedAppStore
    age_bands: AgeBands
    notices: AccountNotices
    end_self_awards_of: Callable[[uuid.UUID], None]
    history: HistoryStore
    clock: Clock

    # --- for the person

    def offered_to(self, person: Person) -> list[Other]:
        """Records with mail at an address that `person` verified, if a link sent there would open them."""
        found: dict[uuid.UUID, Person] = {}
        for address in self._proved(person):
            for other, _ in self.own.people_at(address):
                if other.id != person.id and self.own.may_enter(other, address):
                    found[other.id] = other
        return [self._other(other) for other in found.values()]

    def _proved(self, person: Person) -> list[str]:
        rows = [row.address for row in self.own.list_of(person.id) if row.verified_at is not None]
        shown = self.challenges.challenges_of(person.id, SignInRequest.ADDRESS, at=self.clock())
        return [*rows, *(str(each.facts["address"]) for each in shown if each.facts.get("proved"))]

    def _other(self, person: Person) -> Other:
        standing = self._standing(person.id)
        return Other(
            person,
            standing.works,
            self.awards.list_of_person(person.id),
            [self.campuses.get_by_id(campus_id) for campus_id in sorted(standing.campuses)],
        )

    def twin_at(self, person: Person, address: str) -> Person | None:
        """Another record with the same name at that address."""
        twin = self.people.find_named_at(address, name_key(person.given_name, person.family_name))
        return twin if twin is not None and twin.id != person.id else None

    def is_nobody_else_s(self, person: Person) -> bool:
        """Whether no one ever authenticated as that person: only name and address are known."""
        return not self.own.has_account(person.id) and self.own.is_plain(person.id)

    def absorb(self, who: SignedIn, twin: Person) -> None:
        """Merge a record with the same name at an address verified just now: by rule the same person."""
        self._lock(who.person.id, twin.id)
        self._merge(who.person.id, twin.id, campus=None, by=who.actor, reason=_BOTH_PROVED)

    def merge_mine(self, who: SignedIn, other_id: uuid.UUID) -> Person:
        """Returns the remaining record; if it is the other one, the requester is signed out."""
        self._lock(who.person.id, other_id)
        if other_id not in {other.person.id for other in self.offered_to(who.person)}:
            raise NotFound(_NOT_OFFERED)
        kept, gone = kept_and_gone(self._standing(who.person.id), self._standing(other_id))
        self._merge(kept.person_id, gone.person_id, campus=None, by=who.actor, reason=_BOTH_PROVED)
        person = self.people.get(kept.person_id)
        for address in self._proved(person):
            self.people.add_address(person, address)
            self.own.verify(person, address, at=self.clock())
        return person

    # --- for the campus

    def merge_in_campus(
        self, campus: Campus, kept_id: uuid.UUID, gone_id: uuid.UUID, reason: str, *, by: Actor
    ) -> PersonMerge:
        check_merge_reason(reason)
        self._lock(kept_id, gone_id)
        kept, gone = self._known_in(campus, kept_id), self._known_in(campus, gone_id)
        check_campus_may_merge(campus.id, kept, gone)
        self._check_addresses(campus, kept, gone)
        return self._merge(kept_id, gone_id, campus=campus, by=by, reason=reason.strip())

    def _check_addresses(self, campus: Campus, kept: Standing, gone: Standing) -> None:
        """The addresses of the gone record become ways into the surviving one."""
        if kept.has_account or kept.works or not kept.others_than(campus.id):
            return
        if set(self.people.all_addresses(gone.person_id)) - set(self.people.all_addresses(kept.person_id)):
            raise NotAllowed(
                "Un autre campus connaît aussi la fiche gardée, et l’autre fiche a une autre adresse. Seule la personne "
                "peut les fusionner, depuis « Mon compte »."
            )

    def _known_in(self, campus: Campus, person_id: uuid.UUID) -> Standing:
        """Raises NotFound for a person unknown to the campus (T01)."""
        with self.own.tenant_scope.across_campuses():
            standing = self._standing(person_id)
        if campus.id not in standing.campuses:
            raise NotFound("Cette personne n’existe pas ici.")
        return standing

    def merged_into(self, campus: Campus, person_id: uuid.UUID) -> list[PersonMerge]:
        return [merge for merge in self.merges.list_of(person_id) if merge.campus_id == campus.id]

    def mine(self, person_id: uuid.UUID) -> list[PersonMerge]:
        return self.merges.list_of(person_id)

    # --- undo

    def undo_in_campus(self, campus: Campus, merge_id: uuid.UUID, *, by: Actor) -> PersonMerge:
        merge = self.merges.get(merge_id)
        if merge.campus_id != campus.id:
            raise NotFound("Cette fusion de fiches n’existe pas ici.")
        return self._undo(merge, by=by)

    def undo_mine(self, who: SignedIn, merge_id: uuid.UUID) -> PersonMerge:
        merge = self.merges.get(merge_id)
        if merge.kept_id != who.person.id:
            raise NotFound("Cette fusion de fiches n’existe pas ici.")
        return self._undo(merge, by=who.actor)

    def _undo(self, merge: PersonMerge, *, by: Actor) -> PersonMerge:
        self._lock(merge.kept_id, merge.gone_id)
        merge = self.merges.get(merge.id)
        check_may_undo(merge, at=self.clock())
        return self.part(merge, by=by)

    def part(self, merge: PersonMerge, *, by: Actor) -> PersonMerge:
        """However old the merge is; the caller locks both records where others may change them."""
        at = self.clock()
        self.merges.hand_back(merge)
        self.pathways.part_people(merge.gone_id, merge.moved.get("pathways", ()), at=at)
        self.logged_events.mark_pathways([merge.kept_id, merge.gone_id])
        gone = self.people.get(merge.gone_id)
        gone.given_name, gone.family_name = merge.given_name, merge.family_name
        self.people.save(gone)
        self._part_ages(merge)
        merge.undone_at, merge.given_name, merge.family_name = at, "", ""
        self.merges.add(merge)
        self._note("unmerge", merge, by)
        return merge

    def _part_ages(self, merge: PersonMerge) -> None:
        """The age that the merge raised, unless it was noted anew since."""
        kept = self.people.get(merge.kept_id)
        before, joined = merge.moved.get("age", (None, None))
        if joined is not None and _age_of(kept) == joined:
            group, day = before
            kept.age_group = AgeGroup(group) if group else None
            kept.under_15_on = date.fromisoformat(day) if day else None
            self.people.save(kept)

    # --- merge

    def _lock(self, *person_ids: uuid.UUID) -> None:
        """Before it is judged whether they may be merged or parted: of two requests at once, the second sees what the
        first did, and no campus awards a badge to either meanwhile."""
        with self.own.tenant_scope.across_campuses():
            standings = [self._standing(person_id) for person_id in person_ids]
            self.campuses.lock_all({campus_id for each in standings for campus_id in each.campuses})
            self.people.lock_all(person_ids)

    def _merge(
        self, kept_id: uuid.UUID, gone_id: uuid.UUID, *, campus: Campus | None, by: Actor, reason: str
    ) -> PersonMerge:
        """Moves awards, activities, log entries, requests and e-mails; signed documents are unchanged."""
        gone = self.people.get(gone_id)
        if is_gone(gone) or is_gone(self.people.get(kept_id)):
            raise Conflict("Une de ces fiches vient d’être fusionnée. Rechargez la page.")
        merge = PersonMerge(
            kept_id=kept_id,
            gone_id=gone_id,
            given_name=gone.given_name,
            family_name=gone.family_name,
            campus_id=campus.id if campus else None,
            merged_by=by.person_id,
            reason=reason,
            at=self.clock(),
        )
        self._join_parts(kept_id, gone_id)
        self.apps.end_all_of(gone_id)
        joined = self.pathways.join_people(kept_id, gone_id)
        merge.moved = self.merges.hand_over(kept_id, gone_id) | ({"pathways": joined} if joined else {})
        self.logged_events.mark_pathways([kept_id])
        self.merges.one_main(kept_id)
        gone = self.people.get(gone_id)
        merge.moved = {**merge.moved, **self._join_choices(self.people.get(kept_id), gone, by)}
        gone.given_name, gone.family_name = "", NAMELESS
        self.people.save(gone)
        self.merges.add(merge)
        self._note("merge", merge, by)
        self.end_self_awards_of(kept_id)
        self.notices.tell(self.people.get(kept_id), Changed.MERGED)
        return merge

    def _join_choices(self, kept: Person, gone: Person, by: Actor) -> dict[str, Any]:
        """What either record refused, and the more protected age; returns the age of before, where it was raised."""
        kept.accepts_links &= gone.accepts_links
        kept.allows_name &= gone.allows_name
        kept.wants_reminders &= gone.wants_reminders
        before = _age_of(kept)
        self.age_bands.join(kept, gone, by=by)
        self.people.save(kept)
        return {"age": [before, _age_of(kept)]} if _age_of(kept) != before else {}

    def _join_parts(self, kept_id: uuid.UUID, gone_id: uuid.UUID) -> None:
        """Two participations in one activity become one, with the longer hours; logged as a correction."""
        for mine, theirs in self.merges.shared_activities(kept_id, gone_id):
            if not theirs.is_present:
                continue
            mine.hours = max(filter(None, (mine.hours, theirs.hours)), default=mine.hours)
            mine.contribution = mine.contribution or theirs.contribution
            mine.is_present = True
            theirs.is_present = False
            self.activities.add_participations([mine, theirs])
            activity = self.activities.find(mine.activity_id)
            assert activity is not None, "a part belongs to an activity"
            self.logged_events.log_participation(
                activity, [mine, theirs], "Deux dossiers de la même personne sont réunis."
            )

    def _standing(self, person_id: uuid.UUID) -> Standing:
        return self.merges.standing(
            person_id,
            has_account=self.own.has_account(person_id),
            works=not self.own.is_plain(person_id),
        )

    def _note(self, action: str, merge: PersonMerge, by: Actor) -> None:
        """In the history of each campus that knows the person, without a name."""
        concerned = self._standing(merge.kept_id).campuses | self._standing(merge.gone_id).campuses
        places: list[uuid.UUID | None] = [*sorted(concerned)]
        facts = {"merge": str(merge.id), "other": str(merge.gone_id)}
        for campus_id in places or [None]:
            self.history.write(
                by, action, "person", merge.kept_id, at=self.clock(), campus_id=campus_id, **facts
            )


def _age_of(person: Person) -> list[str]:
    """As JSON."""
    day = person.under_15_on
    return [person.age_group.value if person.age_group else "", day.isoformat() if day else ""]


# --- Lines with an ambiguous name: candidates, and stored answers for the same list


@dataclass(frozen=True)
class SortedLines:
    """The lines of a list with their matched people; `questions`: the ambiguous lines."""

    lines: Sequence[ListedPerson]
    repeated: Sequence[ListedPerson]
    meant: Mapping[str, MatchCandidate]
    questions: Mapping[int, Question]
    """By line number."""

    @property
    def settled(self) -> list[ListedPerson]:
        return [line for line in self.lines if not self.is_open(line)]

    def is_open(self, line: ListedPerson) -> bool:
        question = self.questions.get(line.line)
        return question is not None and question.is_open


@dataclass(frozen=True, eq=False)
class Namesakes:
    store: NamesakeStore
    activities: ActivityStore
    people: PeopleStore
    clock: Clock

    def match(
        self,
        lines: Sequence[ListedPerson],
        there: Sequence[There],
        *,
        open_to_name: Sequence[Participation] | None = None,
    ) -> Matches:
        """Matches among the activity's participants, and among people known by name and address."""
        pairs = {(line.address, name_key_of(line)) for line in lines if line.address}
        names = {key for _, key in pairs}
        by_name = [
            person.id
            for part, person in there
            if is_by_name((part, person)) and name_key(person.given_name, person.family_name) in names
        ]
        return matched(
            lines,
            there,
            self.people.list_named_at(pairs),
            with_address=self.people.addresses_of(by_name).keys() if by_name else (),
            open_to_name=open_to_name,
        )

    def sort(
        self,
        campus: Campus,
        activity: Activity,
        lines: Sequence[ListedPerson],
        answers: ListAnswers | None = None,
        *,
        asks: bool = False,
    ) -> SortedLines:
        """`asks`: the submitter can still answer, so other activities' candidates are offered too; otherwise
        only answered candidates are considered.
        """
        there = self.activities.participants(activity.id, with_absent=True)
        before = self._answered_before(activity, answers or NO_ANSWERS, there)
        numbered = [_as_answered(line, before.get(line.line)) for line in lines]
        kept, repeated = without_repeats(numbered)
        matches = self.match(kept, there)
        meant = dict(matches.meant)
        unclear = {
            line.line: matches.unclear[line.line_key] for line in kept if line.line_key in matches.unclear
        }
        for line in kept:
            if line.line in unclear and line.line in before:
                del unclear[line.line]
                meant[line.line_key] = before[line.line]
        questions = {
            number: Question(namesakes, must_be_answered=True)
            for number, namesakes in self._of_the_activity(campus, activity, unclear).items()
        }
        if answers is not None:
            new = [
                line
                for line in kept
                if is_bare(line)
                and line.line_key not in meant
                and line.line not in questions
                and (asks or line.line in answers.by_line)
            ]
            questions.update(self._of_the_campus(campus, new))
            kept = _take_answers(kept, questions, answers, meant, {part.line_key for part, _ in there})
        return SortedLines(kept, repeated, meant, questions)

    def remember(
        self,
        activity: Activity,
        answers: ListAnswers,
        kept: Mapping[str, tuple[Participation, Person]],
        sorted_lines: SortedLines,
    ) -> None:
        """Store answers about names shared in the activity: the same list then matches the same people."""
        if not answers.list_digest:
            return
        of_name: dict[str, int] = {}
        for _, person in self.activities.participants(activity.id, with_absent=True):
            key = name_key(person.given_name, person.family_name)
            of_name[key] = of_name.get(key, 0) + 1
        self.store.keep(
            ListAnswer(
                activity_id=activity.id,
                list_digest=answers.list_digest,
                line=line.line,
                participation_id=kept[line.line_key][0].id,
                answered_at=self.clock(),
            )
            for line in sorted_lines.lines
            if line.line_key in kept and of_name.get(name_key_of(line), 0) > 1
        )

    def known_beside(
        self,
        campus: Campus,
        activity: Activity | None,
        lines: Sequence[tuple[str, str, str]],
        *,
        at_address: bool = False,
    ) -> dict[int, tuple[Namesake, ...]]:
        """By index of (given name, family name, address): people of that name at other addresses only; with
        `at_address`, also people of other names at that address.

        A name without address that the activity already has is matched there, and not asked about.
        """
        keys = [name_key(given, family) if given and family else "" for given, family, _ in lines]
        wanted = {key for key in keys if key}
        if not wanted:
            return {}
        asked = {address for key, (_, _, address) in zip(keys, lines, strict=True) if key and address}
        of_name: dict[str, list[Namesake]] = {}
        of_address: dict[str, list[Namesake]] = {}
        known: set[tuple[str, str]] = set()
        rows = self.store.addressed(campus.id, wanted, asked if at_address else ())
        ids = {person.id for person, *_ in rows}
        readable = self.people.addresses_of(ids, is_known_at(campus.id))
        hidden = addresses_hidden_from(self.people.session, campus.id, ids)
        for person, key, address, seen in rows:
            if is_gone(person):
                continue
            known.add((key, address))
            is_hidden = (person.id, address) in hidden
            shown = readable.get(person.id, "") if is_hidden else address
            of_name.setdefault(key, []).append(Namesake(person, None, shown, seen))
            if not is_hidden:
                of_address.setdefault(address, []).append(Namesake(person, None, address, seen))
        participants = self.activities.participants(activity.id, with_absent=True) if activity else ()
        there = {name_key(person.given_name, person.family_name) for _, person in participants}
        found: dict[int, tuple[Namesake, ...]] = {}
        for index, (key, (_, _, address)) in enumerate(zip(keys, lines, strict=True)):
            if not key or (key, address) in known or (not address and key in there):
                continue
            candidates = [*of_name.get(key, ()), *(of_address.get(address, ()) if at_address else ())]
            if people := {one.person.id: one for one in reversed(candidates)}:
                found[index] = tuple(reversed(people.values()))
        return found

    def of_line(self, campus: Campus, activity: Activity, line: ListedPerson) -> Question | None:
        """For a single line: the question if it is ambiguous, including people of other activities."""
        sorted_lines = self.sort(campus, activity, [line], NO_ANSWERS, asks=True)
        question = sorted_lines.questions.get(line.line)
        if question is None and line.line_key not in sorted_lines.meant:
            question = self._at_another_address(campus, activity, line)
        return question if question and (question.must_be_answered or len(question.namesakes) > 1) else None

    def may_mean(self, campus: Campus, activity: Activity, line: ListedPerson) -> Question:
        """For a line that was ambiguous: the remaining candidates, possibly one or none."""
        sorted_lines = self.sort(campus, activity, [line], NO_ANSWERS, asks=True)
        if (question := sorted_lines.questions.get(line.line)) is not None:
            return question
        participation, person = sorted_lines.meant.get(line.line_key, (None, None))
        if person is None:
            other = self._at_another_address(campus, activity, line)
            return other or Question((), must_be_answered=True)
        address = self.people.addresses_of([person.id], is_known_at(campus.id)).get(person.id, "")
        return Question((Namesake(person, participation, address),), must_be_answered=True)

    def _at_another_address(self, campus: Campus, activity: Activity, line: ListedPerson) -> Question | None:
        """A person of that name, known to the campus at other addresses only."""
        if not line.address:
            return None
        beside = self.known_beside(campus, activity, [(line.given_name, line.family_name, line.address)])
        return Question(beside[0], must_be_answered=True) if 0 in beside else None

    def _answered_before(
        self, activity: Activity, answers: ListAnswers, there: Sequence[There]
    ) -> dict[int, There]:
        if not answers.list_digest:
            return {}
        # The record may have been merged into another since: match the name again.
        by_id = {
            participation.id: (participation, person)
            for participation, person in there
            if not is_gone(person)
        }
        return {
            answer.line: by_id[answer.participation_id]
            for answer in self.store.answers(activity.id, answers.list_digest)
            if answer.participation_id in by_id
        }

    def _of_the_activity(
        self, campus: Campus, activity: Activity, unclear: Mapping[int, Sequence[There]]
    ) -> dict[int, tuple[Namesake, ...]]:
        ids = {person.id for pairs in unclear.values() for _, person in pairs}
        if not ids:
            return {}
        addresses = self.people.addresses_of(ids, is_known_at(campus.id))
        seen = self.store.seen_elsewhere(campus.id, ids, but=activity.id)
        return {
            number: tuple(
                Namesake(person, participation, addresses.get(person.id, ""), seen.get(person.id))
                for participation, person in pairs
            )
            for number, pairs in unclear.items()
        }

    def _of_the_campus(self, campus: Campus, lines: Sequence[ListedPerson]) -> dict[int, Question]:
        keys = {name_key_of(line) for line in lines}
        if not keys:
            return {}
        found: dict[str, dict[uuid.UUID, tuple[Person, VisibleName]]] = {}
        for person, key, seen in self.store.seen_in(campus.id, keys):
            found.setdefault(key, {}).setdefault(person.id, (person, seen))
        ids = {id_ for people in found.values() for id_ in people}
        addresses = self.people.addresses_of(ids, is_known_at(campus.id))
        return {
            line.line: Question(
                tuple(
                    Namesake(person, None, addresses.get(person.id, ""), seen)
                    for person, seen in found[name_key_of(line)].values()
                ),
                must_be_answered=False,
            )
            for line in lines
            if name_key_of(line) in found
        }


def _as_answered(line: ListedPerson, before: There | None) -> ListedPerson:
    if before is None or line.address:
        return line
    return replace(line, homonym=homonym_of(before[0]))


def _take_answers(
    lines: Iterable[ListedPerson],
    questions: dict[int, Question],
    answers: ListAnswers,
    meant: dict[str, MatchCandidate],
    taken: set[str],
) -> list[ListedPerson]:
    """The lines after applying answers; lines without a valid answer remain questions."""
    answered = []
    for line in lines:
        question, answer = questions.get(line.line), answers.by_line.get(line.line, "")
        if question is not None:
            namesake = question.meant(answer)
            if namesake is not None:
                meant[line.line_key] = (namesake.participation, namesake.person)
            elif answer != OTHER:
                answer = ""
            elif question.must_be_answered and not line.address:
                line = replace(line, homonym=free_homonym(line, taken))
            questions[line.line] = replace(question, answer=answer)
        taken.add(line.line_key)
        answered.append(line)
    return answered
