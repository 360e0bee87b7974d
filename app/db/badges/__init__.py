"""Badges and their versions."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Float, cast
from sqlalchemy.orm import defer
from sqlmodel import SQLModel, col, delete, func, select
from sqlmodel.sql.expression import SelectOfScalar

from app.db.activities import organised_by
from app.db.engine.queries import RowStore, Store, are_in_force
from app.domain.activities import Activity, ActivityCampus, ActivityCompetency, Participation
from app.domain.activity_log import PictureDigest, picture_digests
from app.domain.awards import Award, AwardState
from app.domain.awards.batches import AwardBatch, BatchState
from app.domain.badges import Badge, BadgeCompetency, BadgeOpening, BadgeVersion, PictureLook
from app.domain.badges.rules import Condition, Measure, Rule
from app.domain.badges.shared_definitions import ModuleCompetency, ModuleSet, TrainingModule
from app.domain.campus.campus import Campus
from app.domain.learners.portfolios import Contribution, ContributionState
from app.domain.people import Person
from app.errors import NotFound

# A picture is about 100 kB: lists of versions defer loading it.
WITHOUT_PICTURES = (
    defer(BadgeVersion.picture_png),  # type: ignore[arg-type]
    defer(BadgeVersion.picture_svg),  # type: ignore[arg-type]
    defer(BadgeVersion.art),  # type: ignore[arg-type]
)


class BadgeStore(RowStore[SQLModel]):
    def add_version(self, version: BadgeVersion, competencies: Sequence[BadgeCompetency]) -> None:
        self.session.add(version)
        self.session.flush()
        self.session.add_all(competencies)
        self.session.flush()

    def get(self, badge_id: uuid.UUID) -> Badge:
        badge = self.session.get(Badge, badge_id)
        if badge is None:
            raise NotFound("Ce badge n’existe pas ici.")
        return badge

    def get_of(self, campus_id: uuid.UUID, badge_id: uuid.UUID) -> Badge:
        badge = self.get(badge_id)
        if badge.campus_id != campus_id:
            raise NotFound("Ce badge n’existe pas ici.")
        return badge

    def lock(self, badge: Badge) -> Badge:
        """Until the end of the transaction, so that two people do not overwrite each other's steps."""
        self.session.refresh(badge, with_for_update=True)
        return badge

    def find(self, campus_id: uuid.UUID, slug: str) -> Badge | None:
        return self.session.exec(
            select(Badge).where(Badge.campus_id == campus_id, Badge.slug == slug)
        ).first()

    def get_version(self, badge_id: uuid.UUID, number: int) -> BadgeVersion:
        query = select(BadgeVersion).where(BadgeVersion.badge_id == badge_id, BadgeVersion.number == number)
        version = self.session.exec(query).first()
        if version is None:
            raise NotFound("Cette version du badge n’existe pas.")
        return version

    def get_version_by_id(self, version_id: uuid.UUID) -> BadgeVersion:
        version = self.session.get(BadgeVersion, version_id)
        if version is None:
            raise NotFound("Cette version du badge n’existe pas.")
        return version

    def add_pictures(self, version: BadgeVersion) -> None:
        """The digests of a version's pictures, which no longer change."""
        self.session.add(PictureDigest(version_id=version.id, **picture_digests(version)))
        self.session.flush()

    def current_version(self, badge_id: uuid.UUID) -> BadgeVersion:
        """The newest version that may be awarded; for a badge with only drafts, the newest draft."""
        query = select(BadgeVersion).where(
            BadgeVersion.badge_id == badge_id, col(BadgeVersion.is_draft).is_(False)
        )
        version = self.session.exec(query.order_by(col(BadgeVersion.number).desc()).limit(1)).first()
        return version or self.newest_version(badge_id)

    def newest_version(self, badge_id: uuid.UUID) -> BadgeVersion:
        """The newest version, drafts included."""
        query = select(BadgeVersion).where(BadgeVersion.badge_id == badge_id)
        version = self.session.exec(query.order_by(col(BadgeVersion.number).desc()).limit(1)).first()
        if version is None:
            raise NotFound("Ce badge n’a pas encore de version.")
        return version

    def versions_of(self, badge_id: uuid.UUID) -> Sequence[BadgeVersion]:
        query = select(BadgeVersion).where(BadgeVersion.badge_id == badge_id)
        return self.session.exec(query.order_by(col(BadgeVersion.number))).all()

    def newest_frozen_number(self, badge_id: uuid.UUID) -> int | None:
        """Runs for every public award: loads no pictures."""
        query = select(func.max(BadgeVersion.number)).where(
            BadgeVersion.badge_id == badge_id, col(BadgeVersion.frozen_at).is_not(None)
        )
        return self.session.exec(query).one()

    def save_version(self, version: BadgeVersion, competencies: Sequence[BadgeCompetency]) -> None:
        """Replaces a version and its attested competencies."""
        for link in self.competencies_of(version.id):
            self.session.delete(link)
        self.session.flush()
        self.add_version(version, competencies)

    def list_newest(self, campus_id: uuid.UUID) -> list[tuple[Badge, BadgeVersion]]:
        """Every badge of a campus with its newest version, drafts too, by name."""
        return self._list(campus_id, select(BadgeVersion))

    def list_current(self, campus_id: uuid.UUID) -> list[tuple[Badge, BadgeVersion]]:
        """Every badge with a version that may be awarded, by name, with the newest such version."""
        return self._list(campus_id, select(BadgeVersion).where(col(BadgeVersion.is_draft).is_(False)))

    def list_published(self, campus_id: uuid.UUID) -> list[tuple[Badge, BadgeVersion]]:
        """Badges in use, by name, with their newest version that was awarded: what is public."""
        listed = self._list(campus_id, select(BadgeVersion).where(col(BadgeVersion.frozen_at).is_not(None)))
        return [(badge, version) for badge, version in listed if badge.archived_at is None]

    def _list(
        self, campus_id: uuid.UUID, counted: SelectOfScalar[BadgeVersion]
    ) -> list[tuple[Badge, BadgeVersion]]:
        newest = (
            counted.with_only_columns(
                col(BadgeVersion.badge_id).label("badge_id"), func.max(BadgeVersion.number).label("number")
            )
            .join(Badge, col(Badge.id) == col(BadgeVersion.badge_id))
            .where(col(Badge.campus_id) == campus_id)
            .group_by(col(BadgeVersion.badge_id))
            .subquery()
        )
        rows = self.session.exec(
            select(Badge, BadgeVersion)
            .join(BadgeVersion, col(BadgeVersion.badge_id) == col(Badge.id))
            .join(
                newest,
                (newest.c.badge_id == col(BadgeVersion.badge_id))
                & (newest.c.number == col(BadgeVersion.number)),
            )
            .where(Badge.campus_id == campus_id)
            .options(*WITHOUT_PICTURES)
            .order_by(col(BadgeVersion.name))
        )
        return [(badge, version) for badge, version in rows]

    def newest_logo(self, campus_id: uuid.UUID) -> bytes:
        """The logo that the campus chose last, for any badge; empty if none."""
        query = (
            select(BadgeVersion.art)
            .join(Badge, col(Badge.id) == col(BadgeVersion.badge_id))
            .where(Badge.campus_id == campus_id, BadgeVersion.look == PictureLook.LOGO.value)
            .where(col(BadgeVersion.art).is_not(None))
            .order_by(col(BadgeVersion.created_at).desc())
        )
        return self.session.exec(query.limit(1)).first() or b""

    def frozen_of(self, campus_id: uuid.UUID) -> Sequence[tuple[uuid.UUID, int]]:
        """Every published version, of archived badges too."""
        query = (
            select(BadgeVersion.badge_id, BadgeVersion.number)
            .join(Badge, col(Badge.id) == col(BadgeVersion.badge_id))
            .where(Badge.campus_id == campus_id, col(BadgeVersion.frozen_at).is_not(None))
        )
        return self.session.exec(query.order_by(col(BadgeVersion.badge_id), col(BadgeVersion.number))).all()

    def is_awaited(self, version_id: uuid.UUID) -> bool:
        """Whether a batch that waits for its hour, or is under way, gives it."""
        waiting = col(AwardBatch.state).in_([BatchState.PLANNED, BatchState.RUNNING])
        query = select(AwardBatch.id).where(AwardBatch.version_id == version_id, waiting)
        return self.session.exec(query.limit(1)).first() is not None

    def release_text(self, version: BadgeVersion) -> None:
        """A version without awards, and that no batch awaits any more, follows its competencies again."""
        if version.definition and version.frozen_at is None and not self.is_awaited(version.id):
            version.definition = b""
            self.add_version(version, [])

    def unfrozen_with(self, competency_id: uuid.UUID) -> Sequence[BadgeVersion]:
        query = (
            select(BadgeVersion)
            .join(BadgeCompetency, col(BadgeCompetency.version_id) == col(BadgeVersion.id))
            .where(BadgeCompetency.competency_id == competency_id, col(BadgeVersion.frozen_at).is_(None))
        )
        return self.session.exec(query).all()

    def competencies_of(self, version_id: uuid.UUID) -> Sequence[BadgeCompetency]:
        query = select(BadgeCompetency).where(BadgeCompetency.version_id == version_id)
        return self.session.exec(query.order_by(col(BadgeCompetency.position))).all()


class OpeningStore(Store):
    def of_badge(self, badge_id: uuid.UUID) -> set[uuid.UUID]:
        """The trainers the badge is open to."""
        return set(self.session.exec(select(BadgeOpening.person_id).where(BadgeOpening.badge_id == badge_id)))

    def of_person(self, campus_id: uuid.UUID, person_id: uuid.UUID) -> set[uuid.UUID]:
        """The badges of one campus that are open to the person."""
        query = (
            select(BadgeOpening.badge_id)
            .join(Badge, col(Badge.id) == col(BadgeOpening.badge_id))
            .where(BadgeOpening.person_id == person_id, Badge.campus_id == campus_id)
        )
        return set(self.session.exec(query))

    def open(self, badge_id: uuid.UUID, person_id: uuid.UUID, *, at: datetime) -> None:
        self.session.add(BadgeOpening(badge_id=badge_id, person_id=person_id, since=at))
        self.session.flush()

    def shut(self, badge_id: uuid.UUID, person_id: uuid.UUID) -> None:
        self.session.exec(
            delete(BadgeOpening).where(
                col(BadgeOpening.badge_id) == badge_id, col(BadgeOpening.person_id) == person_id
            )
        )


class RuleCountStore(Store):
    def counts(
        self, campus_id: uuid.UUID, condition: Condition, rule: Rule, today: date
    ) -> dict[uuid.UUID, int]:
        """Activities, minutes or contributions by person; people without any are omitted."""
        first, last = rule.period.begins(today), rule.period.last
        if condition.measure is Measure.CONTRIBUTIONS:
            query = self._contributions(campus_id, condition, first, last)
        else:
            query = self._activities(campus_id, condition, first, last)
        return {person_id: round(count) for person_id, count in self.session.execute(query) if count}

    def holders(self, badge_id: uuid.UUID) -> set[uuid.UUID]:
        """Current holders, even if the badge may be awarded again."""
        query = select(Award.person_id).where(Award.badge_id == badge_id, Award.state == AwardState.ISSUED)
        return set(self.session.exec(query.distinct()))

    @staticmethod
    def _activities(campus_id: uuid.UUID, condition: Condition, first: date | None, last: date | None) -> Any:
        hours = func.coalesce(Participation.hours, Activity.hours, 0.0)
        amount = func.sum(cast(hours, Float) * 60) if condition.measure is Measure.HOURS else func.count()
        query = (
            select(Participation.person_id, amount)
            .join(Activity, col(Activity.id) == col(Participation.activity_id))
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(organised_by(campus_id), col(Participation.is_present).is_(True))
            .group_by(col(Participation.person_id))
        )
        if condition.kinds:
            query = query.where(col(Activity.kind).in_(condition.kinds))
        if condition.part is not None:
            query = query.where(Participation.part == condition.part)
        if condition.practised is not None:
            there = select(ActivityCompetency.activity_id).where(
                ActivityCompetency.competency_id == condition.practised.id
            )
            query = query.where(col(Activity.id).in_(there))
        if first is not None:
            query = query.where(col(Activity.starts_on) >= first)
        if last is not None:
            query = query.where(col(Activity.ends_on) <= last)
        return query

    @staticmethod
    def _contributions(
        campus_id: uuid.UUID, condition: Condition, first: date | None, last: date | None
    ) -> Any:
        query = (
            select(Contribution.person_id, func.count())
            .where(Contribution.campus_id == campus_id, Contribution.state == ContributionState.CONFIRMED)
            .group_by(col(Contribution.person_id))
        )
        if condition.kinds:
            kinds = select(Activity.id).where(col(Activity.kind).in_(condition.kinds))
            query = query.where(col(Contribution.activity_id).in_(kinds))
        if condition.part is not None:
            query = query.where(Contribution.part == condition.part)
        if first is not None:
            query = query.where(col(Contribution.done_on) >= first)
        if last is not None:
            query = query.where(col(Contribution.done_on) <= last)
        return query


# --- Sets of training modules, and who holds the badges of their modules


class ModuleStore(RowStore[SQLModel]):
    def sets_of(self, campus_id: uuid.UUID) -> Sequence[ModuleSet]:
        query = select(ModuleSet).where(ModuleSet.campus_id == campus_id)
        return self.session.exec(query.order_by(col(ModuleSet.title), col(ModuleSet.id))).all()

    def get_set(self, set_id: uuid.UUID) -> ModuleSet | None:
        return self.session.get(ModuleSet, set_id)

    def get_module(self, module_id: uuid.UUID) -> TrainingModule | None:
        return self.session.get(TrainingModule, module_id)

    def modules_of(self, set_id: uuid.UUID) -> Sequence[TrainingModule]:
        return self._modules(set_id, col(TrainingModule.removed_at).is_(None))

    def removed_from(self, set_id: uuid.UUID) -> Sequence[TrainingModule]:
        return self._modules(set_id, col(TrainingModule.removed_at).is_not(None))

    def _modules(self, set_id: uuid.UUID, condition: ColumnElement[bool]) -> Sequence[TrainingModule]:
        query = select(TrainingModule).where(TrainingModule.set_id == set_id, condition)
        return self.session.exec(query.order_by(col(TrainingModule.position), col(TrainingModule.id))).all()

    def attested_by(self, module_ids: Iterable[uuid.UUID]) -> Sequence[ModuleCompetency]:
        query = select(ModuleCompetency).where(col(ModuleCompetency.module_id).in_(list(module_ids)))
        return self.session.exec(query).all()

    def replace_attested(self, module_id: uuid.UUID, rows: Sequence[ModuleCompetency]) -> None:
        self.session.exec(delete(ModuleCompetency).where(col(ModuleCompetency.module_id) == module_id))
        self.session.add_all(rows)
        self.session.flush()

    def held(
        self, badge_ids: Sequence[uuid.UUID], now: datetime, person_id: uuid.UUID | None = None
    ) -> list[tuple[uuid.UUID, uuid.UUID, datetime]]:
        """Person, badge and day of each valid award of these badges."""
        query = select(Award.person_id, Award.badge_id, Award.awarded_at).where(
            col(Award.badge_id).in_(badge_ids), *are_in_force(now)
        )
        if person_id is not None:
            query = query.where(Award.person_id == person_id)
        return [(person, badge, at) for person, badge, at in self.session.exec(query)]

    def suspended_among(self, badge_id: uuid.UUID, now: datetime) -> set[uuid.UUID]:
        """People with a suspended award of this badge: they hold it, though it does not count."""
        query = select(Award.person_id).where(
            Award.badge_id == badge_id, Award.state == AwardState.ISSUED, col(Award.suspended_until) > now
        )
        return set(self.session.exec(query))

    def hours_of(
        self, badge_ids: Sequence[uuid.UUID], person_id: uuid.UUID, now: datetime
    ) -> dict[uuid.UUID, float]:
        """Hours that valid awards of these badges record, by badge."""
        query = select(Award.badge_id, Award.hours).where(
            col(Award.badge_id).in_(badge_ids), Award.person_id == person_id, *are_in_force(now)
        )
        return {badge: hours for badge, hours in self.session.exec(query) if hours}

    def sets_begun_by(self, person_id: uuid.UUID, now: datetime) -> Sequence[tuple[ModuleSet, Campus]]:
        """Sets of which the person holds the badge of a module, of every campus; archived ones too."""
        rows = self.session.exec(
            select(ModuleSet, Campus)
            .join(Campus, col(Campus.id) == col(ModuleSet.campus_id))
            .where(
                col(ModuleSet.id).in_(
                    select(TrainingModule.set_id)
                    .join(Award, col(Award.badge_id) == col(TrainingModule.badge_id))
                    .where(
                        Award.person_id == person_id,
                        col(TrainingModule.removed_at).is_(None),
                        *are_in_force(now),
                    )
                ),
                col(Campus.suspended_at).is_(None),
            )
            .order_by(col(Campus.short_name), col(ModuleSet.title), col(ModuleSet.id))
        )
        return [(found, campus) for found, campus in rows]

    def people(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Person]:
        query = select(Person).where(col(Person.id).in_(list(ids)))
        return {person.id: person for person in self.session.exec(query)}
