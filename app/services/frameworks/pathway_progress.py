"""People on pathways: they join and leave, progress is computed, the badge of the whole is proposed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.db.campus import HistoryStore
from app.db.frameworks.pathways import FollowerFilter, PathwayStore
from app.db.people import PeopleStore
from app.domain.activities.listed_people import ListedPerson
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.frameworks.pathway_progress import PathwayProgress, note_progress, progress_of
from app.domain.frameworks.pathways import (
    ConditionKind,
    Pathway,
    PathwayChange,
    PathwayContent,
    PathwayDecision,
    PathwayEnrolment,
    PathwayVersion,
    ProposalState,
    StageState,
    changes_between,
    check_note,
    decline,
)
from app.domain.people import Person
from app.errors import Conflict, NotAllowed, NotFound

__all__ = ["FollowerFilter", "PathwayFollowers"]

QUIET_AFTER: Final = timedelta(days=60)
"""Without a new stage for so long, a trainer may want to ask."""
AT_ONCE: Final = 200
CHECKED_EVERY: Final = timedelta(days=1)


@dataclass(frozen=True)
class OwnPathway:
    """A person's progress on a pathway, computed now."""

    pathway: Pathway
    version: PathwayVersion
    enrolment: PathwayEnrolment
    content: PathwayContent
    progress: PathwayProgress

    @property
    def newest(self) -> int:
        return self.pathway.number


@dataclass(frozen=True)
class Follower:
    enrolment: PathwayEnrolment
    person: Person
    at: Sequence[tuple[str, datetime]]
    """Keys of needed stages that are possible now, and since when."""
    done: int


@dataclass(frozen=True)
class PathwayOverview:
    content: PathwayContent
    total: int
    by_version: Mapping[int, int]
    by_proposal: Mapping[ProposalState, int]
    states: Mapping[tuple[str, StageState], int]
    quiet: Mapping[str, int]


@dataclass(frozen=True)
class PathwayProposal:
    enrolment: PathwayEnrolment
    person: Person
    pathway: Pathway


def _reached(progress: PathwayProgress) -> list[datetime]:
    return [
        each.since for each in progress.stages if each.state is StageState.DONE and each.since is not None
    ]


@dataclass(frozen=True)
class PathwayFollowers:
    pathways: PathwayStore
    people: PeopleStore
    history: HistoryStore
    clock: Clock

    # --- by the person

    def join(self, pathway_id: uuid.UUID, person: Person, *, by: Actor) -> PathwayEnrolment:
        """Idempotent."""
        known = self.pathways.find_enrolment(pathway_id, person.id)
        if known is not None:
            return known
        pathway = self.pathways.get(pathway_id)
        if not pathway.number or pathway.archived_at is not None:
            raise Conflict("Ce parcours n’accueille plus de nouvelles personnes.")
        at = self.clock()
        enrolment = PathwayEnrolment(
            pathway_id=pathway.id,
            campus_id=pathway.campus_id,
            person_id=person.id,
            listed_as=person.listed_as,
            number=pathway.number,
            joined_at=at,
            changed_at=at,
            checked_at=at,
        )
        self.pathways.add(enrolment)
        self.refresh([enrolment.id])
        self._write(by, "join", enrolment)
        return enrolment

    def leave(self, pathway_id: uuid.UUID, person: Person, *, by: Actor) -> None:
        """Deletes everything about the person on this pathway; badges stay. Idempotent."""
        enrolment = self.pathways.find_enrolment(pathway_id, person.id)
        if enrolment is not None:
            self._write(by, "leave", enrolment)
            self.pathways.remove_enrolment(enrolment)

    def mine(self, person_id: uuid.UUID) -> list[OwnPathway]:
        return self._computed(self.pathways.followed(person_id))

    def own(self, pathway_id: uuid.UUID, person_id: uuid.UUID) -> OwnPathway | None:
        return next(iter(self._computed(self.pathways.followed(person_id, pathway_id))), None)

    def follows(self, pathway_id: uuid.UUID, person_id: uuid.UUID) -> bool:
        return self.pathways.find_enrolment(pathway_id, person_id) is not None

    def foreseen(self, own: OwnPathway) -> tuple[list[PathwayChange], OwnPathway]:
        """What moving to the newest version would change, before it is done."""
        version = self.pathways.version(own.pathway.id, own.newest)
        [then] = self._computed([(own.enrolment, own.pathway, version)])
        return changes_between(own.content, then.content), then

    def move(self, pathway_id: uuid.UUID, person: Person, number: int, *, by: Actor) -> None:
        """To the version that the person has read about: it must still be the newest."""
        enrolment = self.pathways.find_enrolment(pathway_id, person.id)
        if enrolment is None:
            raise NotFound("Vous ne suivez pas ce parcours.")
        if number != self.pathways.get(pathway_id).number:
            raise Conflict("Une version plus récente vient de paraître : lisez d’abord ce qu’elle change.")
        if enrolment.number == number:
            return
        enrolment.number = number
        self.pathways.add(enrolment)
        self.refresh([enrolment.id])
        self._write(by, "move", enrolment)

    # --- computing

    def _computed(
        self, followed: Sequence[tuple[PathwayEnrolment, Pathway, PathwayVersion]]
    ) -> list[OwnPathway]:
        read = [(*each, PathwayContent.from_document(each[2].content)) for each in followed]
        facts = self.pathways.facts_of([(enrolment, content) for enrolment, _, _, content in read])
        return [
            OwnPathway(
                pathway,
                version,
                enrolment,
                content,
                progress_of(content, facts[enrolment.id], at=self.clock()),
            )
            for enrolment, pathway, version, content in read
        ]

    def _content(self, pathway_id: uuid.UUID, number: int) -> PathwayContent:
        return PathwayContent.from_document(self.pathways.version(pathway_id, number).content)

    def refresh(self, ids: Sequence[uuid.UUID]) -> int:
        """Computes and stores the stages of these enrolments; returns how many differed. Idempotent."""
        at = self.clock()
        # Locked before reading: an award under way marks them again, or is seen here.
        locked = self.pathways.lock_enrolments(ids)
        names = {
            each.id: each.listed_as for each in self.people.list_by_id({each.person_id for each in locked})
        }
        versions = {(each.pathway_id, each.number) for each in locked}
        contents = {version: self._content(*version) for version in sorted(versions)}
        followed = [(each, contents[each.pathway_id, each.number]) for each in locked]
        facts = self.pathways.facts_of(followed)
        computed: list[tuple[PathwayEnrolment, PathwayProgress]] = []
        for enrolment, content in followed:
            known = facts[enrolment.id]
            progress = progress_of(content, known, at=at)
            holds = content.badge is not None and any(
                held.badge_id == content.badge.id and held.counts(at) for held in known.badges
            )
            note_progress(enrolment, progress, holds_badge=holds, at=at)
            enrolment.stale_at, enrolment.checked_at = None, at
            enrolment.listed_as = names.get(enrolment.person_id, "")
            computed.append((enrolment, progress))
        changed = self.pathways.save_states(computed)
        for enrolment, progress in computed:
            if enrolment.id in changed:
                enrolment.changed_at = max([enrolment.joined_at, *_reached(progress)])
        self.pathways.save(*(enrolment for enrolment, _ in computed))
        return len(changed)

    def due(self) -> list[uuid.UUID]:
        """Marked by an award, a withdrawal or a participation; and each once a day, should a mark be lost."""
        found = [*self.pathways.stale(limit=AT_ONCE)]
        if len(found) < AT_ONCE:
            before = self.clock() - CHECKED_EVERY
            found += self.pathways.unchecked(before=before, limit=AT_ONCE - len(found))
        return [*dict.fromkeys(found)]

    # --- by trainers

    def overview(self, campus: Campus, pathway_id: uuid.UUID) -> PathwayOverview:
        """Counts by stage of the newest version."""
        pathway = self.pathways.get_in_campus(pathway_id, campus.id)
        if not pathway.number:
            raise NotFound("Ce parcours n’est pas encore publié.")
        content = self._content(pathway.id, pathway.number)
        keys = [each.key for each in content.stages]
        counts = self.pathways.count(pathway.id)
        states = self.pathways.counts(pathway.id, keys, quiet_before=self.clock() - QUIET_AFTER)
        by_version: dict[int, int] = {}
        by_proposal: dict[ProposalState, int] = {}
        for (number, proposal), count in counts.items():
            by_version[number] = by_version.get(number, 0) + count
            by_proposal[proposal] = by_proposal.get(proposal, 0) + count
        return PathwayOverview(
            content,
            sum(by_version.values()),
            by_version,
            by_proposal,
            {key: count for key, (count, _) in states.items()},
            {stage: quiet for (stage, state), (_, quiet) in states.items() if state is StageState.OPEN},
        )

    def followers(
        self, campus: Campus, pathway_id: uuid.UUID, wanted: FollowerFilter, *, limit: int, start: int = 0
    ) -> list[Follower]:
        self.pathways.get_in_campus(pathway_id, campus.id)
        stages: set[str] = set()
        if wanted.reads_stages and not wanted.stage:
            versions = self.pathways.versions_of(pathway_id)
            contents = (PathwayContent.from_document(each.content) for each in versions)
            stages = {each.key for content in contents for each in content.stages}
        found = self.pathways.followers(pathway_id, wanted, stages=stages, limit=limit, start=start)
        return self._followers(found)

    def in_turn(
        self, campus: Campus, pathway_id: uuid.UUID, *, after: uuid.UUID | None, limit: int
    ) -> list[Follower]:
        """By number of the enrolment, for programs."""
        self.pathways.get_in_campus(pathway_id, campus.id)
        return self._followers(self.pathways.in_turn(pathway_id, after=after, limit=limit))

    def _followers(self, found: Sequence[tuple[PathwayEnrolment, Person]]) -> list[Follower]:
        at = self.pathways.where_they_are(enrolment.id for enrolment, _ in found)
        return [
            Follower(enrolment, person, possible, done)
            for enrolment, person in found
            for done, possible in [at[enrolment.id]]
        ]

    def every_follower(
        self, campus: Campus, pathway_id: uuid.UUID, wanted: FollowerFilter
    ) -> Iterator[Follower]:
        start = 0
        while some := self.followers(campus, pathway_id, wanted, limit=AT_ONCE, start=start):
            yield from some
            start += AT_ONCE

    def follower(self, campus: Campus, pathway_id: uuid.UUID, enrolment_id: uuid.UUID) -> OwnPathway:
        pathway = self.pathways.get_in_campus(pathway_id, campus.id)
        enrolment = self.pathways.get_enrolment(enrolment_id, pathway_id)
        version = self.pathways.version(pathway_id, enrolment.number)
        [own] = self._computed([(enrolment, pathway, version)])
        return own

    def decisions(self, own: OwnPathway) -> list[tuple[PathwayDecision, Person | None]]:
        return self.pathways.decisions_of(own.enrolment.id)

    def decide(
        self,
        campus: Campus,
        pathway_id: uuid.UUID,
        enrolment_id: uuid.UUID,
        stage: str,
        note: str,
        *,
        by: Actor,
    ) -> None:
        """The stage's decision is taken, `note`: what was seen."""
        own = self.follower(campus, pathway_id, enrolment_id)
        found = own.content.stage(stage)
        if found is None or all(each.kind is not ConditionKind.DECISION for each in found.conditions):
            raise NotFound("Cette étape n’attend pas de décision.")
        self._check_not_own(own, by)
        check_note(note)
        if any(each.stage == stage for each, _ in self.decisions(own)):
            raise Conflict("Cette décision est déjà prise.")
        self.pathways.add(
            PathwayDecision(
                enrolment_id=enrolment_id,
                stage=stage,
                decided_by=by.person_id,
                decided_at=self.clock(),
                note=note.strip(),
            )
        )
        self.refresh([enrolment_id])
        self._write(by, "decide", own.enrolment)

    def undecide(
        self, campus: Campus, pathway_id: uuid.UUID, enrolment_id: uuid.UUID, stage: str, *, by: Actor
    ) -> None:
        """Idempotent."""
        own = self.follower(campus, pathway_id, enrolment_id)
        self._check_not_own(own, by)
        for decision, _ in self.decisions(own):
            if decision.stage == stage:
                self.pathways.remove(decision)
                self.refresh([enrolment_id])
                self._write(by, "undecide", own.enrolment)

    # --- the badge of the whole

    def proposals(self, campus: Campus, *, limit: int = 200) -> list[PathwayProposal]:
        return [PathwayProposal(*row) for row in self.pathways.proposals(campus.id, limit=limit)]

    def person_of(self, own: OwnPathway) -> Person:
        return self.people.get(own.enrolment.person_id)

    def line_of(self, own: OwnPathway) -> ListedPerson:
        """As in a trainer's list: the ordinary award finds the person by name and address."""
        person = self.person_of(own)
        address = self.people.addresses_of([person.id]).get(person.id, "")
        return ListedPerson(1, person.given_name, person.family_name, address, is_chosen=True)

    def check_may_award(self, own: OwnPathway, *, by: Actor) -> None:
        """Before the award itself, which has rules of its own."""
        self._check_not_own(own, by)
        if not own.progress.is_complete:
            raise Conflict("Le parcours n’est pas achevé : il manque une étape.")

    def decline(
        self, campus: Campus, pathway_id: uuid.UUID, enrolment_id: uuid.UUID, reason: str, *, by: Actor
    ) -> None:
        own = self.follower(campus, pathway_id, enrolment_id)
        self._check_not_own(own, by)
        decline(own.enrolment, reason, by=by.person_id)
        self.pathways.add(own.enrolment)
        self._write(by, "decline", own.enrolment)

    def reopen(self, campus: Campus, pathway_id: uuid.UUID, enrolment_id: uuid.UUID, *, by: Actor) -> None:
        """A declined proposal waits for a decision again. Idempotent."""
        own = self.follower(campus, pathway_id, enrolment_id)
        if own.enrolment.proposal is ProposalState.DECLINED:
            own.enrolment.proposal, own.enrolment.reason = ProposalState.NONE, ""
            self.pathways.add(own.enrolment)
            self.refresh([enrolment_id])
            self._write(by, "reopen", own.enrolment)

    @staticmethod
    def _check_not_own(own: OwnPathway, by: Actor) -> None:
        if by.person_id is None or by.person_id == own.enrolment.person_id:
            raise NotAllowed("C’est votre propre parcours : une autre personne décide.")

    def _write(self, by: Actor, done: str, enrolment: PathwayEnrolment) -> None:
        self.history.write(
            by,
            done,
            "pathway",
            enrolment.pathway_id,
            at=self.clock(),
            campus_id=enrolment.campus_id,
            enrolment=str(enrolment.id),
        )
