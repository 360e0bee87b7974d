"""Which file stands behind a line of the log that a holder shows as a whole."""

from __future__ import annotations

import uuid

from app.domain.artefact_facts import ARTEFACT
from app.domain.award_evidence import Shown
from app.errors import NotFound
from app.language import N_
from app.services.evidence_documents import EvidenceDocuments
from app.services.publication import PublicationService


class ShownFiles:
    def __init__(self, publication: PublicationService, evidence: EvidenceDocuments) -> None:
        self.publication = publication
        self.evidence = evidence

    def find(self, award_id: uuid.UUID, number: int) -> uuid.UUID:
        """Raises where the page is shut, or less than all of that line is shown."""
        self.publication.open_award(award_id)
        row = self.evidence.find(award_id)
        if row is not None and self.evidence.shown(row).get(number) is Shown.ALL:
            for payload in self.evidence.payloads(row):
                if payload.number == number and payload.noun == ARTEFACT and "contentDigest" in payload.facts:
                    return payload.noun_id
        raise NotFound(N_("Ce fichier n’est pas ici, ou n’y est plus."))
