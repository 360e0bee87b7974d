"""Services about awards: eligibility, signing, storage, revocation, publication and checks."""

from __future__ import annotations

import uuid
from functools import partial

from app.container.stores import made_once
from app.container.subjects.people import PeopleServices
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.services.awards.award_context import AwardCounting
from app.services.awards.award_issuer import AwardIssuer
from app.services.awards.award_selection import AwardSelection
from app.services.awards.awards import AwardService
from app.services.awards.batches import AwardBatchService, BulkAwardService
from app.services.awards.brought import BroughtByLists
from app.services.awards.delivery import HolderService
from app.services.awards.eligibility import AwardChoices, EligibilityService
from app.services.awards.papers import AwardPictures, PaperService, is_sealed
from app.services.awards.rule_ledger import RuleLedger
from app.services.campus.keys import CampusKeys
from app.services.learners.imported_badges import BroughtBadges
from app.services.people.corrections import CorrectionService
from app.services.people.names import NameService
from app.services.publishing.publication import OlderBadges, PublicationService
from app.services.trust.endorsements import EndorsementDocuments
from app.services.verification.batches import BatchVerification
from app.services.verification.verification import VerificationService


class AwardServices(PeopleServices):
    @made_once
    def publication(self) -> PublicationService:
        return PublicationService(
            self.stores.campuses,
            self.stores.badges,
            self.stores.awards,
            lambda: self.award_pictures,
            self.status,
            self.signing,
            self.addresses,
            self.lent.renew_list,
            self.snapshot,
        )

    @made_once
    def award_pictures(self) -> AwardPictures:
        return AwardPictures(self.badges, self.lent.artist(), self.addresses)

    @made_once
    def holders(self) -> HolderService:
        return HolderService(
            self.stores.awards,
            self.stores.people,
            self.publication,
            self.stores.history,
            self.addresses,
            self.lent.secret,
            self.clock,
        )

    @made_once
    def brought_badges(self) -> BroughtBadges:
        return BroughtBadges(self.stores.brought_badges, self.stores.people, self.verification, self.clock)

    @made_once
    def award_selection(self) -> AwardSelection:
        return AwardSelection(
            self.handing_over,
            self.stores.awards,
            self.stores.reminders,
            self.stores.letters,
            self.stores.campuses,
            self.stores.history,
            self.clock,
        )

    @made_once
    def papers(self) -> PaperService:
        return PaperService(
            self.publication,
            self.award_pictures,
            self.lent.papers(),
            self.addresses,
            self.lent.secret,
            self.clock,
        )

    @made_once
    def older_badges(self) -> OlderBadges:
        return OlderBadges(self.publication, self.addresses)

    @made_once
    def _judging(self) -> EligibilityService:
        return EligibilityService(
            self.stores.people,
            self.stores.badges,
            self.stores.activities,
            self.stores.awards,
            self.activities,
            self.openings,
            self.stores.own_addresses,
            AwardCounting(self.rule_ledger, self.stores.activities),
            lambda version, activity: self.badges.practice_of(version, activity),
            self.clock,
        )

    @made_once
    def campus_keys(self) -> CampusKeys:
        return CampusKeys(
            self.stores.campuses,
            self.signing,
            self.status,
            self.logged_deeds,
            self.log_keys,
            self.stores.history,
            self.clock,
        )

    @made_once
    def award_choices(self) -> AwardChoices:
        return AwardChoices(self.rule_ledger, self.stores.activities)

    @made_once
    def rule_ledger(self) -> RuleLedger:
        return RuleLedger(
            self.stores.activity_log,
            self.stores.activities,
            self.stores.badges,
            self.stores.awards,
            self.stores.people,
            self.stores.rule_counts,
            self.clock,
        )

    @made_once
    def names(self) -> NameService:
        return NameService(
            self.stores.names,
            self.stores.people,
            self.stores.own_addresses,
            self.stores.merges,
            self.stores.campuses,
            self.reissuing,
            self.stores.letters,
            self.stores.history,
            self.clock,
        )

    @made_once
    def corrections(self) -> CorrectionService:
        return CorrectionService(
            self.names,
            self.stores.people,
            self.stores.own_addresses,
            self.stores.sign_in,
            self.stores.activities,
            self.stores.activity_plans,
            self.stores.awards,
            self.stores.batches,
            self.stores.claim_codes,
            self.stores.letters,
            self.sessions,
            self.stores.history,
            self.clock,
        )

    @made_once
    def _keeping(self) -> AwardIssuer:
        return AwardIssuer(
            self.stores.awards,
            self.stores.letters,
            self.stores.history,
            self.badges,
            self.status,
            self.logged_deeds,
            self._grounds,
            self.signing,
            self.addresses,
            self.clock,
        )

    @made_once
    def bulk_awards(self) -> BulkAwardService:
        return BulkAwardService(
            self.stores.campuses,
            self.stores.batches,
            self.stores.history,
            self._judging,
            self._keeping,
            self.clock,
        )

    @made_once
    def award_batches(self) -> AwardBatchService:
        return AwardBatchService(
            self.stores.campuses,
            self.stores.batches,
            self.stores.badges,
            self.stores.activities,
            self.stores.awards,
            self.stores.letters,
            self.stores.history,
            self.status,
            self.logged_deeds,
            BroughtByLists(
                self.stores.batches,
                self.stores.activities,
                self.logged_deeds,
                self._forget_listed,
                self.stores.tenant_scope,
            ),
            self.clock,
        )

    def _forget_listed(
        self, campus: Campus, person_id: uuid.UUID, batch_id: uuid.UUID, reason: str, by: Actor
    ) -> bool:
        raise NotImplementedError

    @made_once
    def awards(self) -> AwardService:
        return AwardService(
            self.stores.campuses,
            self.stores.awards,
            self.stores.history,
            self._judging,
            self.bulk_awards,
            self.award_batches,
            self.withdrawals,
            self.stores.consents,
            self.stores.guardians,
            self.reissuing,
            self.clock,
        )

    @made_once
    def batch_verification(self) -> BatchVerification:
        return BatchVerification(
            self.verification, self.stores.awards, self.portfolios.shown_on, self.addresses
        )

    @made_once
    def endorsement_documents(self) -> EndorsementDocuments:
        return EndorsementDocuments(self.stores.endorsements, self.stores.organisations, self.stores.awards)

    @made_once
    def verification(self) -> VerificationService:
        return VerificationService(
            self.stores.awards,
            self.stores.campuses,
            self.publication,
            self.older_badges,
            self.evidence,
            self.log_publication,
            self.network_documents,
            self.standings,
            self.organisations,
            self.endorsement_documents,
            self.addresses,
            self.lent.beyond,
            self.lent.codes.inspect,
            partial(is_sealed, secret=self.lent.secret),
            self.stores.log_watch.keys_of_witnesses,
            self.clock,
            self.snapshot,
        )
