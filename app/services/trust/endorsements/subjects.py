"""What an endorsement is about: a badge in one version, somebody's award, or a campus."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from app.db.awards.awards import AwardRecord, AwardStore
from app.db.badges.badges import BadgeStore
from app.db.campus.campus import CampusStore
from app.domain.awards.awards import AwardState
from app.domain.badges.badges import Badge, BadgeVersion
from app.domain.campus.campus import Campus
from app.domain.publishing.addresses import Addresses
from app.domain.trust.endorsements import Endorsed, Endorsement, EndorsementRequest
from app.errors import Conflict, NotFound
from app.language import N_


@dataclass(frozen=True)
class Subject:
    """`iri` is what a signature binds the words to: the id that the credential, definition or campus bears."""

    about: Endorsed
    campus: Campus
    iri: str
    badge: Badge | None = None
    version: BadgeVersion | None = None
    record: AwardRecord | None = None

    @property
    def title(self) -> str:
        return self.version.name if self.version else self.campus.name


class EndorsementSubjects:
    def __init__(
        self, awards: AwardStore, badges: BadgeStore, campuses: CampusStore, addresses: Addresses
    ) -> None:
        self.awards = awards
        self.badges = badges
        self.campuses = campuses
        self.addresses = addresses

    def of_campus(self, campus: Campus) -> Subject:
        return Subject(Endorsed.CAMPUS, campus, campus.did)

    def of_award(self, record: AwardRecord) -> Subject:
        """An award that was withdrawn is nothing to recommend any more."""
        if record.award.state is AwardState.REVOKED:
            raise Conflict(N_("Ce badge est retiré : il ne peut plus être recommandé."))
        return self._of_record(record)

    def of_badge(self, campus: Campus, badge_id: uuid.UUID) -> Subject:
        """A badge of the campus, in the newest version that somebody was given."""
        badge = self.badges.get(badge_id)
        number = self.badges.newest_frozen_number(badge_id)
        if badge.campus_id != campus.id:
            raise NotFound(N_("Ce badge n’existe pas ici."))
        if number is None:
            raise Conflict(
                N_("Personne n’a encore reçu ce badge : sa définition peut changer. Attribuez-le d’abord.")
            )
        return self._of_version(campus, self.badges.get_version(badge_id, number))

    def of(self, request: EndorsementRequest) -> Subject:
        """What is asked for, while it can still be given."""
        if request.award_id is not None:
            return self.of_award(self.awards.get_record(request.award_id))
        return self.about(request)

    def about(self, row: EndorsementRequest | Endorsement) -> Subject:
        campus = self.campuses.get_by_id(row.campus_id)
        if row.award_id is not None:
            return self._of_record(self.awards.get_record(row.award_id))
        if row.version_id is not None:
            return self._of_version(campus, self.badges.get_version_by_id(row.version_id))
        return self.of_campus(campus)

    def _of_record(self, record: AwardRecord) -> Subject:
        iri = self.addresses.award(record.award.id)
        return Subject(Endorsed.AWARD, record.campus, iri, record.badge, record.version, record)

    def _of_version(self, campus: Campus, version: BadgeVersion) -> Subject:
        badge = self.badges.get(version.badge_id)
        iri = self.addresses.version(badge.id, version.number)
        return Subject(Endorsed.BADGE, campus, iri, badge, version)
