"""Words signed elsewhere, checked again each week with what their signers publish: pages never wait for that."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from app.db.trust.endorsements import EndorsementStore
from app.domain.core.clock import Clock
from app.domain.trust.endorsements import AGAIN, SOON
from sceau_credentials.errors import MalformedInput
from sceau_credentials.values.documents import DocumentSource
from sceau_credentials.verification.ladder import verify_endorsement
from sceau_credentials.verification.report import EndorsementAnswer, Outcome


class EndorsementsCheckedAgain:
    def __init__(self, endorsements: EndorsementStore, documents: DocumentSource, clock: Clock) -> None:
        self.endorsements = endorsements
        self.documents = documents
        self.clock = clock

    def due(self, *, limit: int) -> Sequence[uuid.UUID]:
        return self.endorsements.due(at=self.clock(), limit=limit)

    def judge(self, endorsement_id: uuid.UUID) -> EndorsementAnswer | None:
        """What is so now; it may take a while, and writes nothing. None where it was taken back meanwhile."""
        row = self.endorsements.find(endorsement_id)
        if row is None or not row.written:
            return None
        try:
            return verify_endorsement(
                row.written, documents=self.documents, at=self.clock(), about=row.subject
            )
        except MalformedInput:
            return None

    def note(self, endorsement_id: uuid.UUID, answer: EndorsementAnswer) -> None:
        """Where nobody answered, what was found before stands with its day."""
        row = self.endorsements.find(endorsement_id)
        if row is None or not row.written:
            return
        at = self.clock()
        is_open = answer.outcome not in (Outcome.PASSED, Outcome.FAILED)
        row.check_again_at = at + (SOON if is_open else AGAIN)
        if not is_open:
            row.comment, row.checked_at = answer.comment, at
            row.changes += 1
        self.endorsements.save(row)
