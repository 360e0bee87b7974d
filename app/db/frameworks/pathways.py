"""Pathways, the people on them, and the facts that their progress rests on."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, case, delete, insert, or_, update
from sqlmodel import SQLModel, col, func, select

from app.db.badges import WITHOUT_PICTURES
from app.db.engine.queries import RowStore, locked
from app.db.engine.row_level_security import rows_named
from app.db.frameworks import facts_of
from app.domain.badges import Badge, BadgeVersion
from app.domain.campus.campus import Campus, NetworkMember
from app.domain.core import words_of
from app.domain.frameworks.pathway_progress import PathwayFacts, PathwayProgress, StageProgress
from app.domain.frameworks.pathways import (
    Pathway,
    PathwayContent,
    PathwayDecision,
    PathwayEnrolment,
    PathwayStageState,
    PathwaySubject,
    PathwayVersion,
    ProposalState,
    StageState,
)
from app.domain.people import Person
from app.errors import NotFound
from app.language import N_

_MISSING = N_("Ce parcours n’existe pas ici.")
_MOST_VALUES = 400
"""Values of one IN list."""
_AWARDABLE = col(BadgeVersion.is_draft).is_(False)


def _newest(counted: ColumnElement[bool]) -> ScalarSelect[Any]:
    """The number of the newest version of a badge that counts."""
    newest = select(func.max(BadgeVersion.number)).where(BadgeVersion.badge_id == Badge.id, counted)
    return newest.correlate(Badge).scalar_subquery()


@dataclass(frozen=True)
class FollowerFilter:
    """People on a pathway; `quiet_since`: at a stage that was possible for them before then."""

    stage: str = ""
    state: StageState | None = None
    number: int | None = None
    quiet_since: datetime | None = None
    proposal: ProposalState | None = None
    name: str = ""

    @property
    def reads_stages(self) -> bool:
        return bool(self.stage) or self.state is not None or self.quiet_since is not None


@dataclass(frozen=True)
class PickedBadge:
    badge: Badge
    version: BadgeVersion
    campus: Campus


class PathwayStore(RowStore[SQLModel]):
    # --- pathways

    def find_in_campus(self, pathway_id: uuid.UUID, campus_id: uuid.UUID) -> Pathway | None:
        pathway = self.session.get(Pathway, pathway_id)
        return pathway if pathway is not None and pathway.campus_id == campus_id else None

    def get_in_campus(self, pathway_id: uuid.UUID, campus_id: uuid.UUID) -> Pathway:
        pathway = self.find_in_campus(pathway_id, campus_id)
        if pathway is None:
            raise NotFound(_MISSING)
        return pathway

    def get(self, pathway_id: uuid.UUID) -> Pathway:
        pathway = self.session.get(Pathway, pathway_id)
        if pathway is None:
            raise NotFound(_MISSING)
        return pathway

    def lock(self, pathway_id: uuid.UUID) -> None:
        self.session.exec(locked(select(Pathway.id).where(Pathway.id == pathway_id))).first()

    def list_of(self, campus_id: uuid.UUID) -> Sequence[Pathway]:
        query = select(Pathway).where(Pathway.campus_id == campus_id)
        return self.session.exec(query.order_by(col(Pathway.title), col(Pathway.id))).all()

    def published(self, campus_id: uuid.UUID | None = None) -> list[tuple[Pathway, PathwayVersion, Campus]]:
        rows = self.session.exec(
            select(Pathway, PathwayVersion, Campus)
            .join(
                PathwayVersion,
                (col(PathwayVersion.pathway_id) == col(Pathway.id))
                & (col(PathwayVersion.number) == col(Pathway.number)),
            )
            .join(Campus, col(Campus.id) == col(Pathway.campus_id))
            .where(
                col(Pathway.archived_at).is_(None),
                col(Campus.suspended_at).is_(None),
                *([] if campus_id is None else [Pathway.campus_id == campus_id]),
            )
            .order_by(col(Pathway.title), col(Pathway.id))
        )
        return [(pathway, version, campus) for pathway, version, campus in rows]

    def whole_badges(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
        """By pathway, of its newest version."""
        rows = self.session.exec(
            select(PathwayVersion)
            .join(Pathway, col(Pathway.id) == col(PathwayVersion.pathway_id))
            .where(col(Pathway.id).in_(list(ids)), col(PathwayVersion.number) == col(Pathway.number))
        )
        contents = {row.pathway_id: PathwayContent.from_document(row.content) for row in rows}
        return {number: each.badge.id for number, each in contents.items() if each.badge is not None}

    def version(self, pathway_id: uuid.UUID, number: int) -> PathwayVersion:
        found = self.session.get(PathwayVersion, (pathway_id, number))
        if found is None:
            raise NotFound(_MISSING)
        return found

    def versions(
        self, wanted: Iterable[tuple[uuid.UUID, int]]
    ) -> dict[tuple[uuid.UUID, int], PathwayVersion]:
        return {key: self.version(*key) for key in dict.fromkeys(wanted)}

    def save_subjects(self, pathway_id: uuid.UUID, subjects: Iterable[uuid.UUID]) -> None:
        """Replaces those of an earlier version."""
        self.session.execute(delete(PathwaySubject).where(col(PathwaySubject.pathway_id) == pathway_id))
        rows = [{"pathway_id": pathway_id, "subject_id": each} for each in sorted(subjects)]
        if rows:
            self.session.execute(insert(PathwaySubject), rows)

    def versions_of(self, pathway_id: uuid.UUID) -> Sequence[PathwayVersion]:
        query = select(PathwayVersion).where(PathwayVersion.pathway_id == pathway_id)
        return self.session.exec(query.order_by(col(PathwayVersion.number))).all()

    def badges_to_pick(self, campus_id: uuid.UUID) -> list[PickedBadge]:
        """Published badges of the campus and of those in one of its networks."""
        networks = select(NetworkMember.network_id).where(NetworkMember.campus_id == campus_id)
        neighbours = select(NetworkMember.campus_id).where(col(NetworkMember.network_id).in_(networks))
        return self._badges(
            _newest(_AWARDABLE),
            or_(col(Badge.campus_id) == campus_id, col(Badge.campus_id).in_(neighbours)),
            col(Badge.archived_at).is_(None),
            col(Badge.is_sample).is_(False),
        )

    def badges(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, PickedBadge]:
        """Their newest version that was awarded; before, the newest that may be."""
        wanted = list(set(ids))
        if not wanted:
            return {}
        public = func.coalesce(_newest(col(BadgeVersion.frozen_at).is_not(None)), _newest(_AWARDABLE))
        return {each.badge.id: each for each in self._badges(public, col(Badge.id).in_(wanted))}

    def _badges(self, number: Any, *which: Any) -> list[PickedBadge]:
        with rows_named(self.session):
            rows = self.session.exec(
                select(Badge, BadgeVersion, Campus)
                .join(BadgeVersion, col(BadgeVersion.badge_id) == col(Badge.id))
                .join(Campus, col(Campus.id) == col(Badge.campus_id))
                .where(col(BadgeVersion.number) == number, *which)
                .options(*WITHOUT_PICTURES)
                .order_by(col(Campus.short_name), col(BadgeVersion.name), col(Badge.id))
            ).all()
        return [PickedBadge(badge, version, campus) for badge, version, campus in rows]

    # --- people on them

    def find_enrolment(self, pathway_id: uuid.UUID, person_id: uuid.UUID) -> PathwayEnrolment | None:
        query = select(PathwayEnrolment).where(
            PathwayEnrolment.person_id == person_id, PathwayEnrolment.pathway_id == pathway_id
        )
        return self.session.exec(query).first()

    def get_enrolment(self, enrolment_id: uuid.UUID, pathway_id: uuid.UUID) -> PathwayEnrolment:
        found = self.session.get(PathwayEnrolment, enrolment_id)
        if found is None or found.pathway_id != pathway_id:
            raise NotFound("Cette personne ne suit pas ce parcours.")
        return found

    def followed(
        self, person_id: uuid.UUID, pathway_id: uuid.UUID | None = None
    ) -> list[tuple[PathwayEnrolment, Pathway, PathwayVersion]]:
        """With the version that the person follows."""
        query = (
            select(PathwayEnrolment, Pathway, PathwayVersion)
            .join(Pathway, col(Pathway.id) == col(PathwayEnrolment.pathway_id))
            .join(
                PathwayVersion,
                (col(PathwayVersion.pathway_id) == col(PathwayEnrolment.pathway_id))
                & (col(PathwayVersion.number) == col(PathwayEnrolment.number)),
            )
            .where(PathwayEnrolment.person_id == person_id)
        )
        if pathway_id is not None:
            query = query.where(PathwayEnrolment.pathway_id == pathway_id)
        rows = self.session.exec(query.order_by(col(PathwayEnrolment.joined_at), col(PathwayEnrolment.id)))
        return [(enrolment, pathway, version) for enrolment, pathway, version in rows]

    def lock_enrolments(self, ids: Iterable[uuid.UUID]) -> Sequence[PathwayEnrolment]:
        """In a fixed order; those that are gone are left out."""
        query = select(PathwayEnrolment).where(col(PathwayEnrolment.id).in_(list(ids)))
        return self.session.exec(locked(query.order_by(col(PathwayEnrolment.id)))).all()

    def mark_stale(self, person_ids: Iterable[uuid.UUID], *, at: datetime) -> None:
        """At every campus: a pathway may count badges of several."""
        wanted = sorted(set(person_ids))
        if not wanted:
            return
        self.session.flush()
        with rows_named(self.session):
            for start in range(0, len(wanted), _MOST_VALUES):
                some = (
                    select(PathwayEnrolment.id)
                    .where(
                        col(PathwayEnrolment.person_id).in_(wanted[start : start + _MOST_VALUES]),
                        col(PathwayEnrolment.stale_at).is_(None),
                    )
                    .order_by(col(PathwayEnrolment.id))
                )
                ids = self.session.exec(locked(some)).all()
                if ids:
                    self.session.execute(
                        update(PathwayEnrolment)
                        .where(col(PathwayEnrolment.id).in_(ids))
                        .values(stale_at=at)
                        .execution_options(synchronize_session=False)
                    )

    def stale(self, *, limit: int) -> Sequence[uuid.UUID]:
        query = select(PathwayEnrolment.id).where(col(PathwayEnrolment.stale_at).is_not(None))
        return self.session.exec(query.order_by(col(PathwayEnrolment.stale_at)).limit(limit)).all()

    def unchecked(self, *, before: datetime, limit: int) -> Sequence[uuid.UUID]:
        query = select(PathwayEnrolment.id).where(col(PathwayEnrolment.checked_at) < before)
        return self.session.exec(query.order_by(col(PathwayEnrolment.checked_at)).limit(limit)).all()

    def remove_enrolment(self, enrolment: PathwayEnrolment) -> None:
        self.session.execute(
            delete(PathwayStageState).where(col(PathwayStageState.enrolment_id) == enrolment.id)
        )
        self.session.execute(delete(PathwayDecision).where(col(PathwayDecision.enrolment_id) == enrolment.id))
        self.remove(enrolment)

    def states_of(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[PathwayStageState]]:
        found: dict[uuid.UUID, list[PathwayStageState]] = {}
        wanted = list(ids)
        query = select(PathwayStageState).where(col(PathwayStageState.enrolment_id).in_(wanted))
        for row in self.session.exec(query) if wanted else ():
            found.setdefault(row.enrolment_id, []).append(row)
        return found

    def where_they_are(
        self, ids: Iterable[uuid.UUID]
    ) -> dict[uuid.UUID, tuple[int, list[tuple[str, datetime]]]]:
        """By enrolment: how many stages are done, and the needed ones that are possible, with since when."""
        wanted = list(ids)
        columns = (
            PathwayStageState.enrolment_id, PathwayStageState.stage, PathwayStageState.state,
            PathwayStageState.is_needed, PathwayStageState.since,
        )  # fmt: skip
        query = select(*columns).where(  # type: ignore[call-overload]
            col(PathwayStageState.enrolment_id).in_(wanted), PathwayStageState.state != StageState.LATER
        )
        done: Counter[uuid.UUID] = Counter()
        possible: dict[uuid.UUID, list[tuple[str, datetime]]] = {each: [] for each in wanted}
        for number, stage, state, is_needed, since in self.session.execute(query) if wanted else ():
            if state is StageState.DONE:
                done[number] += 1
            elif is_needed:
                possible[number].append((stage, since))
        return {
            each: (done[each], sorted(at, key=lambda one: (len(one[0]), one[0])))
            for each, at in possible.items()
        }

    def save_states(self, computed: Sequence[tuple[PathwayEnrolment, PathwayProgress]]) -> set[uuid.UUID]:
        """Writes what differs; returns the enrolments of which anything did."""
        before = self.states_of(enrolment.id for enrolment, _ in computed)
        new: list[dict[str, Any]] = []
        changed = set[uuid.UUID]()
        for enrolment, progress in computed:
            known = {row.stage: row for row in before.get(enrolment.id, ())}
            for each in progress.stages:
                row = known.pop(each.stage.key, None)
                values = {"state": each.state, "is_needed": each.is_needed, "since": _since(each, enrolment)}
                if row is None:
                    new.append({
                        "enrolment_id": enrolment.id, "stage": each.stage.key,
                        "pathway_id": enrolment.pathway_id, "campus_id": enrolment.campus_id, **values,
                    })  # fmt: skip
                elif any(getattr(row, name) != value for name, value in values.items()):
                    for name, value in values.items():
                        setattr(row, name, value)
                else:
                    continue
                changed.add(enrolment.id)
            for row in known.values():
                self.session.delete(row)
                changed.add(enrolment.id)
        if new:
            self.session.execute(insert(PathwayStageState), new)
        self.session.flush()
        return changed

    def decisions_of(self, enrolment_id: uuid.UUID) -> list[tuple[PathwayDecision, Person | None]]:
        rows = self.session.exec(
            select(PathwayDecision, Person)
            .join(Person, col(Person.id) == col(PathwayDecision.decided_by), isouter=True)
            .where(PathwayDecision.enrolment_id == enrolment_id)
            .order_by(col(PathwayDecision.decided_at))
        )
        return [(decision, person) for decision, person in rows]

    def facts_of(
        self, followed: Sequence[tuple[PathwayEnrolment, PathwayContent]]
    ) -> dict[uuid.UUID, PathwayFacts]:
        """By enrolment: what its progress rests on."""
        return facts_of(self.session, followed)

    # --- merged records

    def join_people(self, kept: uuid.UUID, gone: uuid.UUID) -> list[dict[str, Any]]:
        """Where both follow a pathway, `kept` alone does, with the decisions of both; returns what to part again."""
        joined = []
        for enrolment in self.session.exec(
            select(PathwayEnrolment)
            .where(PathwayEnrolment.person_id == gone)
            .order_by(col(PathwayEnrolment.id))
        ).all():
            own = self.find_enrolment(enrolment.pathway_id, kept)
            if own is None:
                continue
            decided = {each.stage for each, _ in self.decisions_of(own.id)}
            moved = [each for each, _ in self.decisions_of(enrolment.id) if each.stage not in decided]
            for decision in moved:
                decision.enrolment_id = own.id
            self.session.add_all(moved)
            self.session.flush()
            joined.append(
                {
                    "id": str(enrolment.id),
                    "pathway": str(enrolment.pathway_id),
                    "campus": str(enrolment.campus_id),
                    "number": enrolment.number,
                    "joined_at": enrolment.joined_at.isoformat(),
                    "decisions": [str(each.id) for each in moved],
                }
            )
            self.remove_enrolment(enrolment)
        return joined

    def part_people(self, gone: uuid.UUID, joined: Iterable[Mapping[str, Any]], *, at: datetime) -> None:
        """Undoes `join_people`; stages are computed again."""
        for each in joined:
            pathway_id, joined_at = uuid.UUID(each["pathway"]), datetime.fromisoformat(each["joined_at"])
            if self.session.get(Pathway, pathway_id) is None or self.find_enrolment(pathway_id, gone):
                continue
            enrolment = PathwayEnrolment(
                id=uuid.UUID(each["id"]),
                pathway_id=pathway_id,
                campus_id=uuid.UUID(each["campus"]),
                person_id=gone,
                number=each["number"],
                joined_at=joined_at,
                changed_at=joined_at,
                checked_at=at,
                stale_at=at,
            )
            self.add(enrolment)
            decisions = select(PathwayDecision).where(
                col(PathwayDecision.id).in_([uuid.UUID(one) for one in each["decisions"]])
            )
            for decision in self.session.exec(decisions).all():
                decision.enrolment_id = enrolment.id
                self.session.add(decision)
        self.session.flush()

    # --- overview

    def counts(
        self, pathway_id: uuid.UUID, stages: Sequence[str], *, quiet_before: datetime
    ) -> dict[tuple[str, StageState], tuple[int, int]]:
        """People by stage and state, alternatives no longer needed left out; and of those, for how many it
        was so before then."""
        was_so = case((col(PathwayStageState.since) < quiet_before, 1), else_=0)
        rows = self.session.execute(
            select(PathwayStageState.stage, PathwayStageState.state, func.count(), func.sum(was_so))
            .where(
                PathwayStageState.pathway_id == pathway_id,
                col(PathwayStageState.stage).in_(list(stages)),
                or_(
                    col(PathwayStageState.is_needed),
                    col(PathwayStageState.state) == StageState.DONE,
                ),
            )
            .group_by(col(PathwayStageState.stage), col(PathwayStageState.state))
        )
        return {(stage, StageState(state)): (count, int(quiet)) for stage, state, count, quiet in rows}

    def count(self, pathway_id: uuid.UUID) -> dict[tuple[int, ProposalState], int]:
        rows = self.session.exec(
            select(PathwayEnrolment.number, PathwayEnrolment.proposal, func.count())
            .where(PathwayEnrolment.pathway_id == pathway_id)
            .group_by(col(PathwayEnrolment.number), col(PathwayEnrolment.proposal))
        )
        return {(number, ProposalState(proposal)): count for number, proposal, count in rows}

    def followers(
        self,
        pathway_id: uuid.UUID,
        wanted: FollowerFilter,
        *,
        stages: Collection[str] = (),
        limit: int,
        start: int = 0,
    ) -> list[tuple[PathwayEnrolment, Person]]:
        """By name: never by progress. `stages`: keys in every version, for a filter that names none."""
        query = (
            select(PathwayEnrolment, Person)
            .join(Person, col(Person.id) == col(PathwayEnrolment.person_id))
            .where(PathwayEnrolment.pathway_id == pathway_id)
        )
        if wanted.reads_stages:
            query = query.where(self._at_stage(pathway_id, wanted, stages))
        if wanted.number is not None:
            query = query.where(PathwayEnrolment.number == wanted.number)
        if wanted.proposal is not None:
            query = query.where(PathwayEnrolment.proposal == wanted.proposal)
        if wanted.name:
            for word in words_of(wanted.name):
                query = query.where(col(PathwayEnrolment.listed_as).contains(word, autoescape=True))
        order = (col(PathwayEnrolment.listed_as), col(PathwayEnrolment.id))
        rows = self.session.exec(query.order_by(*order).limit(limit).offset(start))
        return [(enrolment, person) for enrolment, person in rows]

    def _at_stage(
        self, pathway_id: uuid.UUID, wanted: FollowerFilter, stages: Collection[str]
    ) -> ColumnElement[bool]:
        """Few people are listed at once; among many, a page by name stops after its first matches."""
        state = wanted.state or StageState.OPEN
        at_stage = select(PathwayStageState.enrolment_id).where(
            PathwayStageState.state == state,
            *([] if state is StageState.DONE else [col(PathwayStageState.is_needed)]),
            *([] if wanted.quiet_since is None else [PathwayStageState.since < wanted.quiet_since]),
        )
        some = at_stage.where(
            PathwayStageState.pathway_id == pathway_id,
            col(PathwayStageState.stage).in_([wanted.stage] if wanted.stage else sorted(stages)),
        )
        few = set(self.session.exec(some.limit(_MOST_VALUES + 1)))
        if len(few) < _MOST_VALUES:
            return col(PathwayEnrolment.id).in_(sorted(few))
        one = at_stage.where(PathwayStageState.enrolment_id == PathwayEnrolment.id)
        if wanted.stage:
            one = one.where(PathwayStageState.stage == wanted.stage)
        return one.correlate(PathwayEnrolment).exists()

    def in_turn(
        self, pathway_id: uuid.UUID, *, after: uuid.UUID | None, limit: int
    ) -> list[tuple[PathwayEnrolment, Person]]:
        query = (
            select(PathwayEnrolment, Person)
            .join(Person, col(Person.id) == col(PathwayEnrolment.person_id))
            .where(PathwayEnrolment.pathway_id == pathway_id)
        )
        if after is not None:
            query = query.where(col(PathwayEnrolment.id) > after)
        rows = self.session.exec(query.order_by(col(PathwayEnrolment.id)).limit(limit))
        return [(enrolment, person) for enrolment, person in rows]

    def proposals(
        self, campus_id: uuid.UUID, *, limit: int
    ) -> list[tuple[PathwayEnrolment, Person, Pathway]]:
        """The one that waits longest first."""
        rows = self.session.exec(
            select(PathwayEnrolment, Person, Pathway)
            .join(Person, col(Person.id) == col(PathwayEnrolment.person_id))
            .join(Pathway, col(Pathway.id) == col(PathwayEnrolment.pathway_id))
            .where(
                PathwayEnrolment.campus_id == campus_id, PathwayEnrolment.proposal == ProposalState.WAITING
            )
            .order_by(col(PathwayEnrolment.proposed_at), col(PathwayEnrolment.id))
            .limit(limit)
        )
        return [(enrolment, person, pathway) for enrolment, person, pathway in rows]

    def count_proposals(self, campus_id: uuid.UUID, *, limit: int) -> int:
        few = (
            select(PathwayEnrolment.id)
            .where(
                PathwayEnrolment.campus_id == campus_id, PathwayEnrolment.proposal == ProposalState.WAITING
            )
            .limit(limit)
        )
        return self.session.exec(select(func.count()).select_from(few.subquery())).one()


def _since(found: StageProgress, enrolment: PathwayEnrolment) -> datetime:
    """A stage is possible from the day that the person joined, at the earliest."""
    if found.state is StageState.DONE and found.since is not None:
        return found.since
    return max(found.since or enrolment.joined_at, enrolment.joined_at)
