"""Pathways, the people on them, and the facts that their progress rests on."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, or_, update
from sqlmodel import SQLModel, col, func, select

from app.db.badges import WITHOUT_PICTURES
from app.db.engine.queries import Store
from app.domain.activities.activities import Activity, ActivityCampus, Participation, hours_of
from app.domain.awards.awards import Award, AwardState
from app.domain.badges.badges import Badge, BadgeCompetency, BadgeVersion
from app.domain.campus.campus import Campus, NetworkMember
from app.domain.core import words_of
from app.domain.frameworks.pathway_progress import (
    AttendedActivity,
    HeldBadge,
    PathwayFacts,
    PathwayProgress,
    StageDecision,
    StageProgress,
)
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
from app.domain.people.people import Person
from app.errors import NotFound
from app.language import N_
from app.tenancy.scope import rows_named

_MISSING = N_("Ce parcours n’existe pas ici.")
_MOST_VALUES = 400
"""Values of one IN list."""


@dataclass(frozen=True)
class FollowerFilter:
    """People on a pathway; `quiet_since`: at a stage that was possible for them before then."""

    stage: str = ""
    state: StageState | None = None
    number: int | None = None
    quiet_since: datetime | None = None
    proposal: ProposalState | None = None
    name: str = ""


@dataclass(frozen=True)
class PickedBadge:
    badge: Badge
    version: BadgeVersion
    campus: Campus


class PathwayStore(Store):
    def add(self, row: SQLModel) -> None:
        self.session.add(row)
        self.session.flush()

    def remove(self, row: SQLModel) -> None:
        self.session.delete(row)
        self.session.flush()

    # --- pathways

    def get_in_campus(self, pathway_id: uuid.UUID, campus_id: uuid.UUID) -> Pathway:
        pathway = self.session.get(Pathway, pathway_id)
        if pathway is None or pathway.campus_id != campus_id:
            raise NotFound(_MISSING)
        return pathway

    def get(self, pathway_id: uuid.UUID) -> Pathway:
        pathway = self.session.get(Pathway, pathway_id)
        if pathway is None:
            raise NotFound(_MISSING)
        return pathway

    def lock(self, pathway_id: uuid.UUID) -> None:
        self.session.exec(select(Pathway.id).where(Pathway.id == pathway_id).with_for_update()).first()

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
            or_(col(Badge.campus_id) == campus_id, col(Badge.campus_id).in_(neighbours)),
            col(Badge.archived_at).is_(None),
            col(Badge.is_sample).is_(False),
        )

    def badges(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, PickedBadge]:
        """Their newest published version."""
        wanted = list(set(ids))
        return {each.badge.id: each for each in self._badges(col(Badge.id).in_(wanted))} if wanted else {}

    def _badges(self, *which: Any) -> list[PickedBadge]:
        newest = (
            select(func.max(BadgeVersion.number))
            .where(BadgeVersion.badge_id == Badge.id, col(BadgeVersion.is_draft).is_(False))
            .correlate(Badge)
            .scalar_subquery()
        )
        with rows_named(self.session):
            rows = self.session.exec(
                select(Badge, BadgeVersion, Campus)
                .join(BadgeVersion, col(BadgeVersion.badge_id) == col(Badge.id))
                .join(Campus, col(Campus.id) == col(Badge.campus_id))
                .where(col(BadgeVersion.number) == newest, *which)
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
            raise NotFound(N_("Cette personne ne suit pas ce parcours."))
        return found

    def enrolments_of(self, person_id: uuid.UUID) -> Sequence[PathwayEnrolment]:
        query = select(PathwayEnrolment).where(PathwayEnrolment.person_id == person_id)
        return self.session.exec(query.order_by(col(PathwayEnrolment.joined_at))).all()

    def lock_enrolments(self, ids: Iterable[uuid.UUID]) -> Sequence[PathwayEnrolment]:
        """In a fixed order; those that are gone are left out."""
        query = select(PathwayEnrolment).where(col(PathwayEnrolment.id).in_(list(ids)))
        locked = query.order_by(col(PathwayEnrolment.id)).with_for_update()
        return self.session.exec(locked.execution_options(populate_existing=True)).all()

    def save_enrolments(self, enrolments: Iterable[PathwayEnrolment]) -> None:
        self.session.add_all(enrolments)
        self.session.flush()

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
                    .with_for_update()
                )
                ids = self.session.exec(some).all()
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

    # --- what progress rests on

    def facts_of(
        self, enrolments: Sequence[PathwayEnrolment], campus_ids: Collection[uuid.UUID]
    ) -> dict[uuid.UUID, PathwayFacts]:
        """By enrolment; activities of these campuses alone."""
        people = sorted({each.person_id for each in enrolments})
        with rows_named(self.session):
            badges, activities = self._held(people), self._attended(people, campus_ids)
        decisions: dict[uuid.UUID, list[StageDecision]] = {}
        query = select(PathwayDecision).where(
            col(PathwayDecision.enrolment_id).in_([each.id for each in enrolments])
        )
        for row in self.session.exec(query):
            decisions.setdefault(row.enrolment_id, []).append(
                StageDecision(row.stage, row.decided_at, row.note)
            )
        return {
            each.id: PathwayFacts(
                badges.get(each.person_id, ()),
                activities.get(each.person_id, ()),
                decisions.get(each.id, ()),
            )
            for each in enrolments
        }

    def _held(self, people: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[HeldBadge]]:
        columns = (
            Award.id, Award.badge_id, Award.version_id, Award.person_id, Award.awarded_at, Award.valid_until,
            Award.state,
        )  # fmt: skip
        query = select(*columns).where(col(Award.person_id).in_(people))  # type: ignore[call-overload]
        awards = self.session.execute(query).all()
        levels: dict[uuid.UUID, dict[uuid.UUID, int]] = {}
        versions = list({row[2] for row in awards})
        links = select(BadgeCompetency).where(col(BadgeCompetency.version_id).in_(versions))
        for link in self.session.exec(links) if versions else ():
            levels.setdefault(link.version_id, {})[link.competency_id] = link.level or 0
        found: dict[uuid.UUID, list[HeldBadge]] = {}
        for award_id, badge_id, version_id, person_id, awarded_at, valid_until, state in awards:
            held = HeldBadge(
                award_id,
                badge_id,
                awarded_at,
                levels.get(version_id, {}),
                valid_until,
                is_revoked=state is AwardState.REVOKED,
            )
            found.setdefault(person_id, []).append(held)
        return found

    def _attended(
        self, people: Sequence[uuid.UUID], campus_ids: Collection[uuid.UUID]
    ) -> dict[uuid.UUID, list[AttendedActivity]]:
        organised = (
            select(ActivityCampus.activity_id)
            .where(
                ActivityCampus.activity_id == Participation.activity_id,
                col(ActivityCampus.campus_id).in_(list(campus_ids)),
                col(ActivityCampus.accepted_at).is_not(None) | (col(ActivityCampus.position) == 0),
            )
            .exists()
        )
        rows = self.session.exec(
            select(Participation, Activity)
            .join(Activity, col(Activity.id) == col(Participation.activity_id))
            .where(col(Participation.person_id).in_(people), col(Participation.is_present), organised)
        )
        found: dict[uuid.UUID, list[AttendedActivity]] = {}
        for part, activity in rows:
            found.setdefault(part.person_id, []).append(
                AttendedActivity(
                    part.id,
                    activity.kind,
                    round((hours_of(part, activity) or 0) * 60),
                    _noon(activity.ends_on),
                    activity.title,
                )
            )
        return found

    # --- overview

    def counts(self, pathway_id: uuid.UUID, stages: Sequence[str]) -> dict[tuple[str, StageState], int]:
        """People by stage and state; alternatives no longer needed are left out."""
        rows = self.session.exec(
            select(PathwayStageState.stage, PathwayStageState.state, func.count())
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
        return {(stage, StageState(state)): count for stage, state, count in rows}

    def quiet(self, pathway_id: uuid.UUID, stages: Sequence[str], *, before: datetime) -> dict[str, int]:
        """People at each stage, possible for them since before then and not reached."""
        rows = self.session.exec(
            select(PathwayStageState.stage, func.count())
            .where(
                PathwayStageState.pathway_id == pathway_id,
                col(PathwayStageState.stage).in_(list(stages)),
                PathwayStageState.state == StageState.OPEN,
                col(PathwayStageState.is_needed),
                PathwayStageState.since < before,
            )
            .group_by(col(PathwayStageState.stage))
        )
        return dict(rows.all())

    def count(self, pathway_id: uuid.UUID) -> dict[tuple[int, ProposalState], int]:
        rows = self.session.exec(
            select(PathwayEnrolment.number, PathwayEnrolment.proposal, func.count())
            .where(PathwayEnrolment.pathway_id == pathway_id)
            .group_by(col(PathwayEnrolment.number), col(PathwayEnrolment.proposal))
        )
        return {(number, ProposalState(proposal)): count for number, proposal, count in rows}

    def followers(
        self, pathway_id: uuid.UUID, wanted: FollowerFilter, *, limit: int, start: int = 0
    ) -> list[tuple[PathwayEnrolment, Person]]:
        """By name: never by progress."""
        query = (
            select(PathwayEnrolment, Person)
            .join(Person, col(Person.id) == col(PathwayEnrolment.person_id))
            .where(PathwayEnrolment.pathway_id == pathway_id)
        )
        if wanted.stage or wanted.state is not None or wanted.quiet_since is not None:
            # Row by row in the order of names, so that a page stops after its first matches.
            at_stage = select(PathwayStageState.enrolment_id).where(
                PathwayStageState.enrolment_id == PathwayEnrolment.id,
                PathwayStageState.state == (wanted.state or StageState.OPEN),
                or_(col(PathwayStageState.is_needed), col(PathwayStageState.state) == StageState.DONE),
            )
            if wanted.stage:
                at_stage = at_stage.where(PathwayStageState.stage == wanted.stage)
            if wanted.quiet_since is not None:
                at_stage = at_stage.where(PathwayStageState.since < wanted.quiet_since)
            query = query.where(at_stage.correlate(PathwayEnrolment).exists())
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

    def find_award(self, badge_id: uuid.UUID, person_id: uuid.UUID) -> Award | None:
        """A valid one."""
        query = select(Award).where(
            Award.badge_id == badge_id, Award.person_id == person_id, Award.state == AwardState.ISSUED
        )
        return self.session.exec(query.limit(1)).first()


def _since(found: StageProgress, enrolment: PathwayEnrolment) -> datetime:
    """A stage is possible from the day that the person joined, at the earliest."""
    if found.state is StageState.DONE and found.since is not None:
        return found.since
    return max(found.since or enrolment.joined_at, enrolment.joined_at)


def _noon(day: date) -> datetime:
    """Of an activity only the day is known."""
    return datetime.combine(day, time(12), ZoneInfo("Europe/Paris"))
