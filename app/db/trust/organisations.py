"""Partner organisations, their keys, and the places of what they signed in their status lists."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlmodel import Session, SQLModel, col, select

from app.domain.trust.organisations import EndorsementPlace, Organisation, OrganisationKey
from app.errors import NotFound
from app.language import N_


class OrganisationStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, *rows: SQLModel) -> None:
        self.session.add_all(rows)
        self.session.flush()

    def find(self, organisation_id: uuid.UUID) -> Organisation | None:
        return self.session.get(Organisation, organisation_id)

    def get(self, organisation_id: uuid.UUID) -> Organisation:
        found = self.find(organisation_id)
        if found is None:
            raise NotFound(N_("Cette organisation n’existe pas ici."))
        return found

    def find_of(self, domain: str, mailbox: str) -> Organisation | None:
        """Held until the transaction ends: it gets one key, and its places are given one after the other."""
        query = select(Organisation).where(Organisation.domain == domain, Organisation.mailbox == mailbox)
        return self.session.exec(query.with_for_update()).first()

    def find_named(self, named: str) -> Organisation | None:
        """`named`: its number, or its domain where it has one of its own; held until the transaction ends."""
        try:
            return self.session.get(Organisation, uuid.UUID(named), with_for_update=True)
        except ValueError:
            return self.find_of(named, "")

    def keys_of(self, organisation_id: uuid.UUID) -> Sequence[OrganisationKey]:
        query = select(OrganisationKey).where(OrganisationKey.organisation_id == organisation_id)
        return self.session.exec(
            query.order_by(col(OrganisationKey.created_at), col(OrganisationKey.method_id))
        ).all()

    def is_taken(self, organisation_id: uuid.UUID, position: int) -> bool:
        return self.session.get(EndorsementPlace, (organisation_id, position)) is not None

    def raised(self, organisation_id: uuid.UUID) -> Sequence[int]:
        query = select(EndorsementPlace.position).where(
            EndorsementPlace.organisation_id == organisation_id, col(EndorsementPlace.raised_at).is_not(None)
        )
        return self.session.exec(query).all()

    def find_place(self, endorsement_id: uuid.UUID) -> EndorsementPlace | None:
        """Also of an endorsement that was erased."""
        query = select(EndorsementPlace).where(EndorsementPlace.endorsement_id == endorsement_id)
        return self.session.exec(query).first()

    def raise_places(self, endorsement_ids: Collection[uuid.UUID], *, at: datetime) -> None:
        """What was signed in these no longer counts, whoever keeps a copy."""
        query = select(EndorsementPlace).where(
            col(EndorsementPlace.endorsement_id).in_(list(endorsement_ids))
        )
        for place in self.session.exec(query).all():
            place.raised_at = place.raised_at or at
            self.session.add(place)
        self.session.flush()
