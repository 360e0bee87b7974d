"""Short codes that were handed out, found by their digest."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, delete, select

from app.db.engine.bulk import IN_ONE_QUERY, insert_rows
from app.domain.awards.claim_codes import ClaimCode


class ClaimCodeStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def owners(self, digests: Sequence[str]) -> dict[str, uuid.UUID]:
        """Whose codes these are, of those that are handed out."""
        found: dict[str, uuid.UUID] = {}
        for start in range(0, len(digests), IN_ONE_QUERY):
            query = select(ClaimCode).where(col(ClaimCode.digest).in_(digests[start : start + IN_ONE_QUERY]))
            found.update({code.digest: code.award_id for code in self.session.exec(query)})
        return found

    def find(self, digest: str) -> ClaimCode | None:
        """Locked until the transaction ends: a code is used once, whoever is quicker."""
        query = select(ClaimCode).where(ClaimCode.digest == digest).with_for_update()
        return self.session.exec(query).first()

    def keep(self, codes: Sequence[ClaimCode]) -> None:
        self.forget([code.award_id for code in codes])
        insert_rows(self.session, codes)

    def forget(self, award_ids: Sequence[uuid.UUID]) -> None:
        for start in range(0, len(award_ids), IN_ONE_QUERY):
            ids = award_ids[start : start + IN_ONE_QUERY]
            self.session.exec(delete(ClaimCode).where(col(ClaimCode.award_id).in_(ids)))

    def sweep(self, at: datetime) -> None:
        """Forget what has lapsed."""
        self.session.exec(delete(ClaimCode).where(col(ClaimCode.expires_at) <= at))
