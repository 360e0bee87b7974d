"""Who works in a campus, and who is invited to."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session as Transaction
from sqlmodel import col, func, select

from app.domain.accounts.passkeys import Passkey
from app.domain.accounts.sessions import Session
from app.domain.campus.history import HistoryEntry
from app.domain.campus.team import Invitation
from app.domain.people.people import Membership, Person, Role


class TeamStore:
    def __init__(self, session: Transaction) -> None:
        self.session = session

    def add(self, row: Membership | Invitation) -> None:
        self.session.add(row)
        self.session.flush()

    def members(self, campus_id: uuid.UUID, *, at: datetime) -> list[tuple[Membership, Person]]:
        """Every role that somebody has there today, by name."""
        rows = self.session.exec(
            select(Membership, Person)
            .join(Person, col(Person.id) == col(Membership.person_id))
            .where(
                Membership.campus_id == campus_id,
                col(Membership.since) <= at,
                (col(Membership.until).is_(None)) | (col(Membership.until) > at),
            )
            .order_by(col(Person.family_name), col(Person.given_name), col(Person.id))
        )
        return [(membership, person) for membership, person in rows]

    def ever(self, campus_id: uuid.UUID) -> Sequence[Person]:
        """Whoever has or had a role there, by name."""
        had = select(Membership.person_id).where(Membership.campus_id == campus_id)
        query = select(Person).where(col(Person.id).in_(had))
        return self.session.exec(
            query.order_by(col(Person.family_name), col(Person.given_name), col(Person.id))
        ).all()

    def memberships(self, campus_id: uuid.UUID, person_id: uuid.UUID) -> Sequence[Membership]:
        """All roles that one person has or had there."""
        return self.session.exec(
            select(Membership).where(Membership.campus_id == campus_id, Membership.person_id == person_id)
        ).all()

    def administrators(self, campus_id: uuid.UUID, *, at: datetime) -> set[uuid.UUID]:
        return {
            person.id
            for membership, person in self.members(campus_id, at=at)
            if membership.role is Role.CAMPUS_ADMIN
        }

    def works_anywhere(self, person_id: uuid.UUID, *, at: datetime) -> bool:
        query = select(Membership.id).where(
            Membership.person_id == person_id,
            col(Membership.since) <= at,
            (col(Membership.until).is_(None)) | (col(Membership.until) > at),
        )
        return self.session.exec(query.limit(1)).first() is not None

    def last_seen(self, people: Sequence[uuid.UUID]) -> dict[uuid.UUID, datetime]:
        """When each signed in or was seen last: sessions are forgotten once over, their beginnings are not."""
        seen: dict[uuid.UUID, datetime] = {}
        living = (
            select(Session.person_id, func.max(Session.seen_at))
            .where(col(Session.person_id).in_(people), col(Session.award_id).is_(None))
            .group_by(col(Session.person_id))
        )
        begun = (
            select(HistoryEntry.actor_id, func.max(HistoryEntry.at))
            .where(col(HistoryEntry.actor_id).in_(people), HistoryEntry.noun == "session")
            .group_by(col(HistoryEntry.actor_id))
        )
        for query in (living, begun):
            for person_id, moment in self.session.exec(query):
                if person_id is not None:
                    seen[person_id] = max(moment, seen.get(person_id, moment))
        return seen

    def with_passkey(self, people: Sequence[uuid.UUID]) -> set[uuid.UUID]:
        return set(self.session.exec(select(Passkey.person_id).where(col(Passkey.person_id).in_(people))))

    # --- invitations

    def find_invitation(self, invitation_id: uuid.UUID) -> Invitation | None:
        return self.session.get(Invitation, invitation_id)

    def lock_invitation(self, invitation_id: uuid.UUID) -> Invitation | None:
        """Until the transaction ends: an invitation is answered once."""
        return self.session.exec(
            select(Invitation)
            .where(Invitation.id == invitation_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).first()

    def unanswered(self, campus_id: uuid.UUID) -> Sequence[Invitation]:
        """Those that wait and those that ran out, the newest first."""
        return self.session.exec(
            select(Invitation)
            .where(
                Invitation.campus_id == campus_id,
                col(Invitation.accepted_at).is_(None),
                col(Invitation.withdrawn_at).is_(None),
            )
            .order_by(col(Invitation.created_at).desc(), col(Invitation.id))
        ).all()
