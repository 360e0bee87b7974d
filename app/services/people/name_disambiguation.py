"""Lines with an ambiguous name: candidates, and stored answers for the same list."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from app.db.activities import ActivityStore
from app.db.campus.people import is_known_at
from app.db.people import NamesakeStore, PeopleStore
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
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.people import Person, is_gone, name_key
from app.domain.people.parental_consent import (
    NO_ANSWERS,
    OTHER,
    ListAnswer,
    ListAnswers,
    Namesake,
    Question,
    VisibleName,
)


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
        for person, key, address, seen in self.store.addressed(
            campus.id, wanted, asked if at_address else ()
        ):
            if not is_gone(person):
                known.add((key, address))
                of_name.setdefault(key, []).append(Namesake(person, None, address, seen))
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
    told = []
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
        told.append(line)
    return told
