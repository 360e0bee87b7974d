"""Services about people: registration, notifications, badge delivery."""

from __future__ import annotations

import uuid

from app.adapters.passkey_ceremonies import WebAuthnCeremonies
from app.adapters.secrets import EncryptedTokens, SealedForms
from app.container.stores import made_once
from app.container.subjects.campus import CampusServices
from app.services.accounts.invitations import HandedLinks, InvitationService, Memberships
from app.services.accounts.sessions import AccountNotices, PasskeyService, SessionService
from app.services.accounts.sign_in import (
    DraftService,
    FederationService,
    SetAsideService,
    SignInService,
)
from app.services.awards.bulk_revocation import WithdrawalService
from app.services.awards.claim_slips import SlipService
from app.services.awards.delivery import HandingOver
from app.services.campus.campus import HistoryService, OperatorService, TeamService
from app.services.campus.dashboard import DirectoryService
from app.services.learners.contributions import ContributionService
from app.services.learners.my_log import PersonalLog, SelfAwards
from app.services.learners.portfolios import PortfolioDocuments, PortfolioService
from app.services.learners.shared_competencies import SharedCompetencies
from app.services.messages.account import AccountLetters, NameLetters, PersonalLetters
from app.services.messages.endorsements import EndorsementLetters
from app.services.messages.letters import LetterService
from app.services.messages.reminders import ReminderService
from app.services.messages.requests import RequestLetters
from app.services.messages.rights import RightsLetters
from app.services.messages.surveys import SurveyLetters
from app.services.people.people import OwnAddressService, PeopleService
from app.services.people.record_merge import MergingService
from app.services.publishing.status import StatusService


class PeopleServices(CampusServices):
    @made_once
    def sessions(self) -> SessionService:
        return SessionService(
            self.stores.sessions,
            self.stores.people,
            self.stores.passkeys,
            self.stores.own_addresses,
            self.stores.history,
            self.lent.settings.session_life,
            self.lent.settings.session_idle,
            self.clock,
        )

    @made_once
    def sign_in(self) -> SignInService:
        return SignInService(
            self.stores.sign_in,
            self.sessions,
            self.stores.people,
            self.stores.own_addresses,
            self._account_notices,
            self._end_self_awards_of,
            self.stores.history,
            self.lent.secret,
            self.clock,
        )

    @made_once
    def _account_notices(self) -> AccountNotices:
        return AccountNotices(self.stores.own_addresses, self.stores.letters, self.clock)

    @made_once
    def own_addresses(self) -> OwnAddressService:
        return OwnAddressService(
            self.stores.own_addresses,
            self.stores.sign_in,
            self.stores.letters,
            self._account_notices,
            self.merging,
            self._end_self_awards_of,
            self.stores.history,
            self.lent.secret,
            self.clock,
        )

    @made_once
    def merging(self) -> MergingService:
        return MergingService(
            self.stores.merges,
            self.stores.people,
            self.stores.own_addresses,
            self.stores.sign_in,
            self.stores.awards,
            self.stores.campuses,
            self.stores.activities,
            self.logged_deeds,
            self._account_notices,
            self._end_self_awards_of,
            self.stores.history,
            self.clock,
        )

    @made_once
    def form_drafts(self) -> DraftService:
        return DraftService(self.stores.drafts, SealedForms(self.lent.secret), self.clock)

    @made_once
    def set_aside(self) -> SetAsideService:
        return SetAsideService(
            self.stores.sign_in, self.stores.people, SealedForms(self.lent.secret), self.clock
        )

    @made_once
    def federation(self) -> FederationService:
        return FederationService(
            self.stores.federation,
            self.stores.sign_in,
            self.stores.people,
            self.sessions,
            self._account_notices,
            self.stores.history,
            self.lent.label_of_service,
            self.lent.secret,
            self.clock,
        )

    @made_once
    def _memberships(self) -> Memberships:
        return Memberships(self.stores.team, self.stores.history, self.clock)

    @made_once
    def history(self) -> HistoryService:
        return HistoryService(self.stores.history, self.stores.subjects, self.stores.team, self.clock)

    @made_once
    def team(self) -> TeamService:
        return TeamService(
            self.stores.team,
            self.stores.people,
            self.stores.campuses,
            self.stores.sessions,
            self.stores.own_addresses,
            self._memberships,
            self._account_notices,
            self.clock,
        )

    @made_once
    def invitations(self) -> InvitationService:
        return InvitationService(
            self.stores.team,
            self.stores.people,
            self.stores.own_addresses,
            self.stores.campuses,
            self.stores.letters,
            self.stores.history,
            self.sessions,
            self._memberships,
            self.lent.secret,
            self.clock,
        )

    @made_once
    def operators(self) -> OperatorService:
        return OperatorService(
            self.stores.operators,
            self.stores.own_addresses,
            self.stores.campuses,
            self.campuses,
            self.invitations,
            self.stores.history,
            self.clock,
        )

    @made_once
    def handed_links(self) -> HandedLinks:
        return HandedLinks(
            self.stores.operators,
            self.stores.team,
            self.stores.own_addresses,
            self.sign_in,
            self.stores.history,
            self.clock,
        )

    @made_once
    def passkeys(self) -> PasskeyService:
        return PasskeyService(
            self.stores.passkeys,
            self.stores.sign_in,
            self.stores.people,
            self.sessions,
            self._account_notices,
            self.stores.history,
            WebAuthnCeremonies(self.addresses.base_url),
            self.clock,
        )

    @made_once
    def people(self) -> PeopleService:
        return PeopleService(
            self.stores.people,
            self.stores.own_addresses,
            self.stores.access,
            self.sessions,
            self._memberships,
            self.stores.campuses,
            self.stores.awards,
            self.stores.consents,
            self.stores.history,
            self.lent.secret,
            self.clock,
        )

    @made_once
    def personal_log(self) -> PersonalLog:
        return PersonalLog(
            self.stores.activity_log,
            self.stores.log_disputes,
            self.stores.award_evidence,
            self.evidence,
            self.stores.awards,
            self.reissuing,
            self.stores.campuses,
            self.stores.history,
            self.clock,
        )

    @made_once
    def portfolios(self) -> PortfolioService:
        return PortfolioService(
            self.stores.portfolios,
            self.stores.people,
            self.stores.consents,
            self.badges,
            self.reissuing,
            self.lent.secret,
            self.clock,
        )

    @made_once
    def shared_competencies(self) -> SharedCompetencies:
        return SharedCompetencies(self.stores.awards, self.stores.consents, self.portfolios, self.clock)

    @made_once
    def portfolio_documents(self) -> PortfolioDocuments:
        return PortfolioDocuments(self.badges, self.addresses, self.clock)

    @made_once
    def directory(self) -> DirectoryService:
        return DirectoryService(
            self.stores.directory,
            self.stores.people,
            self.stores.badges,
            EncryptedTokens(self.lent.secret),
        )

    @made_once
    def letters(self) -> LetterService:
        return LetterService(
            self.stores.letters,
            self.stores.awards,
            self.stores.batches,
            self.stores.own_addresses,
            self.addresses,
            PersonalLetters(
                self.stores.team,
                self.stores.campuses,
                RequestLetters(
                    self.stores.requests,
                    self.stores.campuses,
                    self.addresses,
                    self.lent.secret,
                    self.clock,
                ),
                RightsLetters(self.stores.awards, self.stores.guardians, self.addresses, self.lent.secret),
                AccountLetters(
                    self.stores.people,
                    self.stores.sign_in,
                    self.addresses,
                    self.lent.secret,
                    self.lent.settings.time_zone,
                    self.clock,
                ),
                EndorsementLetters(
                    self.stores.endorsements,
                    self.stores.organisations,
                    self.endorsement_subjects,
                    self.addresses,
                    self.lent.secret,
                    self.clock,
                ),
                NameLetters(self.stores.names, self.stores.people, self.stores.campuses, self.addresses),
                SurveyLetters(
                    self.stores.surveys,
                    self.stores.activities,
                    self.stores.campuses,
                    self.addresses,
                    self.lent.secret,
                    self.clock,
                ),
                self.addresses,
                self.lent.secret,
                self.clock,
            ),
            self.lent.artist(),
            self.lent.secret,
            self.lent.settings.letters_per_minute,
            self.clock,
        )

    @made_once
    def status(self) -> StatusService:
        return StatusService(
            self.stores.statuses,
            self.stores.campuses,
            self.signing,
            self.lent.anchors,
            self.addresses,
            self.clock,
        )

    @made_once
    def withdrawals(self) -> WithdrawalService:
        return WithdrawalService(
            self.stores.campuses,
            self.stores.batches,
            self.stores.awards,
            self.letters,
            self.stores.history,
            self.status,
            self.logged_deeds,
            self.clock,
        )

    @made_once
    def contributions(self) -> ContributionService:
        return ContributionService(
            self.stores.contributions,
            self.stores.files,
            self.stores.activities,
            self.stores.directory,
            self.stores.people,
            self.stores.own_addresses,
            self.stores.badges,
            self.stores.history,
            self.activity_log,
            self.stores.log_disputes,
            self.clock,
        )

    def _end_self_awards_of(self, person_id: uuid.UUID) -> None:
        """Built when an event needs it: most requests of an account do not."""
        SelfAwards(
            self.stores.own_addresses,
            self.stores.people,
            self.stores.awards,
            self.stores.campuses,
            self.withdrawals,
            self._memberships,
            self.contributions,
            self.clock,
        ).end_those_of(person_id)

    @made_once
    def reminders(self) -> ReminderService:
        return ReminderService(
            self.stores.reminders,
            self.stores.letters,
            self.stores.people,
            self.stores.campuses,
            self.stores.activities,
            self.stores.consents,
            self.stores.history,
            self.lent.secret,
            self.clock,
        )

    @made_once
    def handing_over(self) -> HandingOver:
        return HandingOver(
            self.stores.awards,
            self.stores.letters,
            self.stores.batches,
            self.stores.claim_codes,
            self.stores.people,
            self.people,
            self.stores.activities,
            self.stores.history,
            self.lent.secret,
            self.clock,
        )

    @made_once
    def slips(self) -> SlipService:
        return SlipService(
            self.stores.awards,
            self.stores.badges,
            self.handing_over,
            self.people,
            self.stores.history,
            self.addresses,
            self.lent.papers(),
            self.clock,
        )
