"""Services about trust: registers of networks, labels as credentials, and the lists of others."""

from __future__ import annotations

import uuid

from app.container.stores import made_once
from app.container.subjects.awards import AwardServices
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.services.activities.files import ActivityFiles, ShownFiles
from app.services.activity_log.integrity import IntegrityService
from app.services.activity_log.log_check import AnchorCheck
from app.services.activity_log.log_monitoring import LogWatch
from app.services.activity_log.recovery import ChoiceJournal, JournalCheck
from app.services.activity_log.restoring import LogReconciliation, RestoreService
from app.services.awards.awards import AwardRegistration
from app.services.campus.samples import SampleService
from app.services.learners.requests import AskingService, ReviewService
from app.services.people.parental_consent import GuardianService
from app.services.privacy import (
    AccessLog,
    ArchiveService,
    ErasureProofs,
    ErasureService,
    RetentionService,
)
from app.services.trust.endorsement_requests import (
    EndorsementAsking,
    EndorsementsCheckedAgain,
    EndorsementsTakenBack,
)
from app.services.trust.endorsements import EndorsementShowing, EndorsementSigning
from app.services.trust.external_trust_lists import FollowedLists
from app.services.trust.labels import LabelService
from app.services.trust.network_register import NetworkRegister
from app.services.trust.organisations import PartnerKeys
from app.services.verification.batches import VcApi
from app.services.verification.static_export import StaticExport


class EndorsementServices(AwardServices):
    @made_once
    def endorsement_asking(self) -> EndorsementAsking:
        return EndorsementAsking(
            self.stores.endorsements,
            self.stores.people,
            self.stores.letters,
            self.stores.history,
            self.clock,
        )

    @made_once
    def endorsement_signing(self) -> EndorsementSigning:
        return EndorsementSigning(
            self.stores.endorsements,
            self.organisations,
            self.endorsement_subjects,
            self.stores.letters,
            self.stores.history,
            self.verification.documents,
            self.addresses,
            self.lent.secret,
            self.clock,
        )

    @made_once
    def endorsements(self) -> EndorsementShowing:
        return EndorsementShowing(
            self.endorsement_documents,
            self.stores.endorsements,
            self.stores.organisations,
            self.endorsement_subjects,
            self.verification.documents,
            self.verification.documents.alone(),
            self.clock,
            self.snapshot,
        )

    @made_once
    def endorsements_checked_again(self) -> EndorsementsCheckedAgain:
        return EndorsementsCheckedAgain(self.stores.endorsements, self.verification.documents, self.clock)

    @made_once
    def endorsements_taken_back(self) -> EndorsementsTakenBack:
        return EndorsementsTakenBack(
            self.stores.endorsements,
            self.stores.organisations,
            self.stores.letters,
            self.stores.history,
            self.lent.secret,
            self.clock,
        )


class RequestServices(EndorsementServices):
    @made_once
    def asking(self) -> AskingService:
        return AskingService(
            self.stores.requests,
            self.stores.badges,
            self.stores.campuses,
            self.stores.people,
            self.stores.own_addresses,
            self.stores.directory,
            self.stores.awards,
            self.stores.files,
            self.stores.letters,
            self.stores.history,
            self.lent.secret,
            self.clock,
        )

    @made_once
    def reviewing(self) -> ReviewService:
        return ReviewService(
            self.stores.requests,
            self.stores.badges,
            self.stores.campuses,
            self.stores.people,
            self.stores.own_addresses,
            self.stores.directory,
            self.awards,
            self.stores.files,
            self.stores.letters,
            self.stores.history,
            self.clock,
        )


class LogServices(RequestServices):
    @made_once
    def activity_files(self) -> ActivityFiles:
        return ActivityFiles(
            self.stores.activity_files,
            self.stores.files,
            self.stores.activities,
            self.stores.activity_plans,
            self.stores.history,
            self.activity_log,
            self.clock,
        )

    @made_once
    def shown_files(self) -> ShownFiles:
        return ShownFiles(self.publication, self.evidence, self.activity_files)

    @made_once
    def private_looks(self) -> AccessLog:
        return AccessLog(self.stores.private_looks, self.clock)

    @made_once
    def kept_site(self) -> StaticExport:
        return StaticExport(
            self.stores.campuses,
            self.stores.badges,
            self.stores.awards,
            self.stores.statuses,
            self.stores.history,
            self.publication,
            self.older_badges,
            self.evidence,
            self.network_documents,
            self.endorsements,
            self.organisations,
            self.log_publication,
            self.status,
            self.verification,
            self.clock,
        )

    @made_once
    def log_watch(self) -> LogWatch:
        return LogWatch(
            self.stores.activity_log,
            self.stores.log_watch,
            self.stores.campuses,
            self.activity_log,
            self.log_keys,
            self.lent.anchors,
            self.stores.history,
            self.clock,
        )

    @made_once
    def anchor_check(self) -> AnchorCheck:
        return AnchorCheck(
            self.activity_log,
            self.log_keys,
            self.stores.statuses,
            self.stores.campuses,
            self.lent.anchors,
            self.choice_journal,
            self.addresses,
        )

    @made_once
    def choice_journal(self) -> ChoiceJournal:
        return ChoiceJournal(self.stores.choices, self.lent.journal, self.clock)

    @made_once
    def log_reconciliation(self) -> LogReconciliation:
        return LogReconciliation(
            self.stores.activity_log,
            self.activity_log,
            self.campus_keys,
            self.lent.anchors,
            self.stores.history,
            self.clock,
        )

    @made_once
    def restoring(self) -> RestoreService:
        return RestoreService(
            self.stores.recovery,
            self.activity_log,
            self.stores.statuses,
            self.status,
            self.log_reconciliation,
            self.lent.anchors,
            self.lent.journal,
            self.choice_journal,
            self._account_notices,
            self.stores.history,
            self.clock,
        )

    @made_once
    def journal_check(self) -> JournalCheck:
        return JournalCheck(self.stores.activity_log, self.stores.recovery, self.lent.journal, self.clock)

    @made_once
    def integrity(self) -> IntegrityService:
        return IntegrityService(
            self.stores.integrity,
            self.stores.statuses,
            self.stores.campuses,
            self.lent.anchors,
            self.addresses,
            self.clock,
        )

    @made_once
    def registration(self) -> AwardRegistration:
        return AwardRegistration(
            self.stores.recovery,
            self.stores.statuses,
            self.stores.campuses,
            self.stores.badges,
            self.activity_log,
            self.signing,
            self.stores.history,
            self.addresses,
            self.clock,
        )


class RightsServices(LogServices):
    @made_once
    def samples(self) -> SampleService:
        return SampleService(
            self.stores.samples,
            self.stores.campuses,
            self.stores.people,
            self.activities,
            self.activity_plans,
            self.badges,
            self.erasures,
            self.logged_deeds,
            self.clock,
        )

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
            self.stores.batches,
            self.stores.history,
            self.status,
            self.endorsements_taken_back,
            self.logged_deeds,
            self.activity_log,
            self.lent.secret,
            self.clock,
        )

    def _forget_listed(
        self, campus: Campus, person_id: uuid.UUID, batch_id: uuid.UUID, reason: str, by: Actor
    ) -> bool:
        return self.erasures.forget_listed(campus, person_id, batch_id, reason, by=by)

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


class TrustServices(RightsServices):
    @made_once
    def labels(self) -> LabelService:
        return LabelService(
            self.stores.recognition,
            self.stores.campuses,
            self.network_signing,
            self.stores.history,
            self.addresses,
            self.verification.documents,
            self.clock,
        )

    @made_once
    def register(self) -> NetworkRegister:
        return NetworkRegister(
            self.stores.recognition,
            self.labels,
            self.network_signing,
            self.stores.history,
            self.addresses,
            self.clock,
        )

    @made_once
    def partner_keys(self) -> PartnerKeys:
        return PartnerKeys(
            self.network_signing,
            self.register,
            self.labels,
            self.organisations,
            self.stores.endorsements,
            self.stores.history,
            self.clock,
        )

    @made_once
    def followed_lists(self) -> FollowedLists:
        return FollowedLists(self.stores.recognition, self.stores.history, self.lent.beyond, self.clock)

    @made_once
    def vc_api(self) -> VcApi:
        return VcApi(
            self.verification.documents,
            self.signing,
            self.stores.history,
            self.clock,
            may_issue=self.lent.settings.vc_api_issue,
        )
