"""A person's competencies for a campus's programs, once the person has consented."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app.db.awards.awards import AwardStore
from app.db.privacy import ConsentStore
from app.domain.awards.awards import AwardState
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.people.parental_consent import needs_parent
from app.domain.people.people import Person
from app.domain.privacy.consents import About, consent
from app.errors import NotAllowed, NotFound
from app.language import N_
from app.services.frameworks import Mastered
from app.services.learners.portfolios import PortfolioService


@dataclass(frozen=True)
class SharedCompetencies:
    awards: AwardStore
    consents: ConsentStore
    portfolios: PortfolioService
    clock: Clock

    def is_allowed(self, person_id: uuid.UUID, campus_id: uuid.UUID) -> bool:
        """The newest answer counts."""
        for each in self.consents.of_person(person_id):
            if each.about is About.COMPETENCIES and each.campus_id == campus_id:
                return each.given
        return False

    def allow(self, person: Person, campus: Campus, *, allowed: bool, by: Actor) -> None:
        """Idempotent. `by` is the person themself, in a session that may speak for all their badges."""
        if allowed and needs_parent(person):
            raise NotAllowed(N_("Avant 15 ans, aucun logiciel ne lit tes compétences."))
        if by.person_id not in (None, person.id):
            raise NotAllowed(N_("Seule la personne peut donner cet accord."))
        if self.is_allowed(person.id, campus.id) is not allowed:
            self.consents.add(
                consent(About.COMPETENCIES, person.id, given=allowed, at=self.clock(), campus_id=campus.id)
            )

    def read(self, campus: Campus, person_id: uuid.UUID) -> Sequence[Mastered]:
        """From the campus's valid awards alone. A person it does not know is NotFound, before any consent."""
        now = self.clock()
        records = [each for each in self.awards.list_of_person(person_id) if each.campus.id == campus.id]
        if not records:
            raise NotFound(N_("Cette personne n’a aucun badge de ce campus."))
        if needs_parent(records[0].person) or not self.is_allowed(person_id, campus.id):
            raise NotAllowed(
                N_("Cette personne n’a pas accepté que les logiciels du campus lisent ses compétences.")
            )
        return self.portfolios.overview(
            each
            for each in records
            if each.award.state is AwardState.ISSUED
            and (each.award.valid_until is None or each.award.valid_until > now)
        )
