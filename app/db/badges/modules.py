"""Sets of training modules, and who holds the badges of their modules."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlmodel import SQLModel, col, delete, select

from app.db.engine.queries import Store, are_in_force
from app.domain.awards import Award, AwardState
from app.domain.badges.shared_definitions import ModuleCompetency, ModuleSet, TrainingModule
from app.domain.campus.campus import Campus
from app.domain.people import Person


class ModuleStore(Store):
    def add(self, row: SQLModel) -> None:
        self.session.add(row)
        self.session.flush()

    def sets_of(self, campus_id: uuid.UUID) -> Sequence[ModuleSet]:
        query = select(ModuleSet).where(ModuleSet.campus_id == campus_id)
        return self.session.exec(query.order_by(col(ModuleSet.title), col(ModuleSet.id))).all()

    def get_set(self, set_id: uuid.UUID) -> ModuleSet | None:
        return self.session.get(ModuleSet, set_id)

    def get_module(self, module_id: uuid.UUID) -> TrainingModule | None:
        return self.session.get(TrainingModule, module_id)

    def modules_of(self, set_id: uuid.UUID) -> Sequence[TrainingModule]:
        query = select(TrainingModule).where(TrainingModule.set_id == set_id)
        return self.session.exec(query.order_by(col(TrainingModule.position), col(TrainingModule.id))).all()

    def attested_by(self, module_ids: Iterable[uuid.UUID]) -> Sequence[ModuleCompetency]:
        query = select(ModuleCompetency).where(col(ModuleCompetency.module_id).in_(list(module_ids)))
        return self.session.exec(query).all()

    def replace_attested(self, module_id: uuid.UUID, rows: Sequence[ModuleCompetency]) -> None:
        self.session.exec(delete(ModuleCompetency).where(col(ModuleCompetency.module_id) == module_id))
        self.session.add_all(rows)
        self.session.flush()

    def remove_module(self, module: TrainingModule) -> None:
        self.replace_attested(module.id, [])
        self.session.delete(module)
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
                    .where(Award.person_id == person_id, *are_in_force(now))
                ),
                col(Campus.suspended_at).is_(None),
            )
            .order_by(col(Campus.short_name), col(ModuleSet.title), col(ModuleSet.id))
        )
        return [(found, campus) for found, campus in rows]

    def people(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Person]:
        query = select(Person).where(col(Person.id).in_(list(ids)))
        return {person.id: person for person in self.session.exec(query)}
