"""Services about what people may ask of the data about them: to be forgotten, with a proof."""

from __future__ import annotations

from app.container.stores import made_once
from app.container.subjects.activity_log import LogServices
from app.services.people.parental_consent import GuardianService
from app.services.privacy import ArchiveService, ErasureProofs, ErasureService, RetentionService


class RightsServices(LogServices):
    @made_once
    def erasures(self) -> ErasureService:
        return ErasureService(
            self.stores.personal_data,
            self.stores.erasures,
            self.stores.people,
            self.stores.awards,
            self.stores.campuses,
            self.stores.letters,
            self.stores.imports,
            self.stores.history,
            self.status,
            self.endorsements_taken_back,
            self.logged_deeds,
            self.activity_log,
            self.lent.secret,
            self.clock,
        )

    @made_once
    def archive(self) -> ArchiveService:
        return ArchiveService(
            self.stores.personal_data,
            self.stores.people,
            self.stores.awards,
            self.stores.campuses,
            self.stores.consents,
            self.stores.activity_log,
            self.personal_log,
            self.log_publication,
            self.publication,
            self.stores.letters,
            self.lent.secret,
            self.clock,
        )

    @made_once
    def guardians(self) -> GuardianService:
        return GuardianService(
            self.stores.guardians,
            self.stores.awards,
            self.stores.people,
            self.stores.letters,
            self.stores.consents,
            self.stores.history,
            self.age_bands,
            self.lent.secret,
            self.clock,
        )

    @made_once
    def retention(self) -> RetentionService:
        return RetentionService(self.stores.retention, self.clock)

    @made_once
    def erasure_proofs(self) -> ErasureProofs:
        return ErasureProofs(
            self.stores.erasures,
            self.stores.campuses,
            self.activity_log,
            self.log_publication,
        )
