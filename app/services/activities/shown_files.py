"""Which file stands behind a line of the log that a holder shows as a whole."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from app.db.awards.awards import AwardRecord
from app.domain.activities.files import StoredFile
from app.domain.activity_log.artefact_facts import ARTEFACT
from app.domain.activity_log.facts import PARTICIPATION
from app.domain.awards.evidence import Shown
from app.errors import NotFound
from app.language import N_
from app.services.activities.activity_files import ActivityFiles
from app.services.activity_log.evidence_documents import EvidenceDocuments
from app.services.publishing.publication import PublicationService


class ShownFiles:
    def __init__(
        self, publication: PublicationService, evidence: EvidenceDocuments, activity_files: ActivityFiles
    ) -> None:
        self.publication = publication
        self.evidence = evidence
        self.activity_files = activity_files

    def find(self, award_id: uuid.UUID, number: int) -> uuid.UUID:
        """Raises where the page is shut, or less than all of that line is shown."""
        self.publication.open_award(award_id)
        row = self.evidence.find(award_id)
        if row is not None and self.evidence.shown(row).get(number) is Shown.ALL:
            for payload in self.evidence.payloads(row):
                if payload.number == number and payload.noun == ARTEFACT and "contentDigest" in payload.facts:
                    return payload.noun_id
        raise NotFound(N_("Ce fichier n’est pas ici, ou n’y est plus."))

    def shows_the_activity(self, record: AwardRecord) -> bool:
        """Whether the holder shows all of what is noted of their part in it."""
        row = self.evidence.find(record.award.id)
        if row is None or record.activity is None:
            return False
        shown = self.evidence.shown(row)
        return any(
            each.noun == PARTICIPATION and shown[each.number] is Shown.ALL
            for each in self.evidence.payloads(row)
        )

    def photos(self, record: AwardRecord) -> Sequence[StoredFile]:
        """Photos of the activity that everybody may see, as all who can be recognised there agreed."""
        if record.activity is None:
            return ()
        return [each for each in self.activity_files.shown_to_all(record.activity.id) if each.is_picture]

    def check_photo(self, record: AwardRecord, file_id: uuid.UUID) -> None:
        if not self.shows_the_activity(record) or file_id not in {each.id for each in self.photos(record)}:
            raise NotFound(N_("Ce fichier n’est pas ici, ou n’y est plus."))
