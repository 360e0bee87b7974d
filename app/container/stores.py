"""The stores over one transaction; each is made when first asked for."""

from __future__ import annotations

from sqlmodel import Session

from app.container.made_once import made_once
from app.db.accounts.access import AccessStore
from app.db.accounts.federation import FederationStore
from app.db.accounts.operators import OperatorStore
from app.db.accounts.own_addresses import OwnAddressStore
from app.db.accounts.passkeys import PasskeyStore
from app.db.accounts.sessions import SessionStore
from app.db.accounts.sign_in import SignInStore
from app.db.activities.activities import ActivityStore
from app.db.activities.activity_files import ActivityFileStore
from app.db.activities.files import FileStore
from app.db.activities.plans import ActivityPlanStore
from app.db.activities.rooms import RoomStore
from app.db.activity_log.activity_log import ActivityLogStore
from app.db.activity_log.choices import ChoiceStore
from app.db.activity_log.disputes import LogDisputeStore
from app.db.activity_log.integrity import IntegrityStore
from app.db.activity_log.recovery import RecoveryStore
from app.db.activity_log.watch import LogWatchStore
from app.db.awards.awards import AwardStore
from app.db.awards.batches import BatchStore
from app.db.awards.claim_codes import ClaimCodeStore
from app.db.awards.evidence import AwardEvidenceStore
from app.db.awards.signing_clock import SigningClockStore
from app.db.awards.waiting import WaitingStore
from app.db.badges.badges import BadgeStore
from app.db.badges.openings import OpeningStore
from app.db.badges.rule_counts import RuleCountStore
from app.db.campus.campus import CampusStore
from app.db.campus.directory import DirectoryStore
from app.db.campus.history import HistoryStore
from app.db.campus.subjects import SubjectStore
from app.db.campus.team import TeamStore
from app.db.engine.workers import WorkerStore
from app.db.frameworks.competencies import CompetencyStore
from app.db.imports.imports import ImportStore
from app.db.learners.brought_badges import BroughtBadgeStore
from app.db.learners.contributions import ContributionStore
from app.db.learners.portfolios import PortfolioStore
from app.db.learners.requests import RequestStore
from app.db.messages.letters import LetterStore
from app.db.messages.reminders import ReminderStore
from app.db.people.guardians import GuardianStore
from app.db.people.merging import MergeStore
from app.db.people.names import NameStore
from app.db.people.namesakes import NamesakeStore
from app.db.people.people import PeopleStore
from app.db.privacy.consents import ConsentStore
from app.db.privacy.erasures import ErasureStore
from app.db.privacy.personal_data import PersonalDataStore
from app.db.privacy.private_looks import PrivateLookStore
from app.db.privacy.retention import RetentionStore
from app.db.publishing.status import StatusStore
from app.db.trust.endorsements import EndorsementStore
from app.db.trust.organisations import OrganisationStore
from app.db.trust.recognition import RecognitionStore
from app.tenancy.scope import Reach


class Stores:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.reach = Reach(session)

    @made_once
    def access(self) -> AccessStore:
        return AccessStore(self.session)

    @made_once
    def activities(self) -> ActivityStore:
        return ActivityStore(self.session)

    @made_once
    def activity_files(self) -> ActivityFileStore:
        return ActivityFileStore(self.session)

    @made_once
    def activity_log(self) -> ActivityLogStore:
        return ActivityLogStore(self.session)

    @made_once
    def award_evidence(self) -> AwardEvidenceStore:
        return AwardEvidenceStore(self.session)

    @made_once
    def integrity(self) -> IntegrityStore:
        return IntegrityStore(self.session)

    @made_once
    def choices(self) -> ChoiceStore:
        return ChoiceStore(self.session)

    @made_once
    def recovery(self) -> RecoveryStore:
        return RecoveryStore(self.session)

    @made_once
    def rule_counts(self) -> RuleCountStore:
        return RuleCountStore(self.session)

    @made_once
    def activity_plans(self) -> ActivityPlanStore:
        return ActivityPlanStore(self.session)

    @made_once
    def awards(self) -> AwardStore:
        return AwardStore(self.session)

    @made_once
    def badges(self) -> BadgeStore:
        return BadgeStore(self.session)

    @made_once
    def batches(self) -> BatchStore:
        return BatchStore(self.session)

    @made_once
    def brought_badges(self) -> BroughtBadgeStore:
        return BroughtBadgeStore(self.session)

    @made_once
    def campuses(self) -> CampusStore:
        return CampusStore(self.session)

    @made_once
    def claim_codes(self) -> ClaimCodeStore:
        return ClaimCodeStore(self.session)

    @made_once
    def competencies(self) -> CompetencyStore:
        return CompetencyStore(self.session)

    @made_once
    def contributions(self) -> ContributionStore:
        return ContributionStore(self.session)

    @made_once
    def directory(self) -> DirectoryStore:
        return DirectoryStore(self.session)

    @made_once
    def files(self) -> FileStore:
        return FileStore(self.session)

    @made_once
    def consents(self) -> ConsentStore:
        return ConsentStore(self.session)

    @made_once
    def guardians(self) -> GuardianStore:
        return GuardianStore(self.session)

    @made_once
    def retention(self) -> RetentionStore:
        return RetentionStore(self.session)

    @made_once
    def erasures(self) -> ErasureStore:
        return ErasureStore(self.session)

    @made_once
    def personal_data(self) -> PersonalDataStore:
        return PersonalDataStore(self.session)

    @made_once
    def federation(self) -> FederationStore:
        return FederationStore(self.session)

    @made_once
    def history(self) -> HistoryStore:
        return HistoryStore(self.session)

    @made_once
    def imports(self) -> ImportStore:
        return ImportStore(self.session)

    @made_once
    def letters(self) -> LetterStore:
        return LetterStore(self.session)

    @made_once
    def openings(self) -> OpeningStore:
        return OpeningStore(self.session)

    @made_once
    def log_disputes(self) -> LogDisputeStore:
        return LogDisputeStore(self.session)

    @made_once
    def log_watch(self) -> LogWatchStore:
        return LogWatchStore(self.session)

    @made_once
    def operators(self) -> OperatorStore:
        return OperatorStore(self.session)

    @made_once
    def passkeys(self) -> PasskeyStore:
        return PasskeyStore(self.session)

    @made_once
    def merges(self) -> MergeStore:
        return MergeStore(self.session)

    @made_once
    def names(self) -> NameStore:
        return NameStore(self.session)

    @made_once
    def own_addresses(self) -> OwnAddressStore:
        return OwnAddressStore(self.session, self.people)

    @made_once
    def people(self) -> PeopleStore:
        return PeopleStore(self.session)

    @made_once
    def portfolios(self) -> PortfolioStore:
        return PortfolioStore(self.session)

    @made_once
    def private_looks(self) -> PrivateLookStore:
        return PrivateLookStore(self.session)

    @made_once
    def recognition(self) -> RecognitionStore:
        return RecognitionStore(self.session)

    @made_once
    def reminders(self) -> ReminderStore:
        return ReminderStore(self.session)

    @made_once
    def namesakes(self) -> NamesakeStore:
        return NamesakeStore(self.session)

    @made_once
    def rooms(self) -> RoomStore:
        return RoomStore(self.session)

    @made_once
    def requests(self) -> RequestStore:
        return RequestStore(self.session)

    @made_once
    def sessions(self) -> SessionStore:
        return SessionStore(self.session)

    @made_once
    def sign_in(self) -> SignInStore:
        return SignInStore(self.session)

    @made_once
    def statuses(self) -> StatusStore:
        return StatusStore(self.session)

    @made_once
    def subjects(self) -> SubjectStore:
        return SubjectStore(self.session)

    @made_once
    def team(self) -> TeamStore:
        return TeamStore(self.session)

    @made_once
    def waiting(self) -> WaitingStore:
        return WaitingStore(self.session)

    @made_once
    def signing_clock(self) -> SigningClockStore:
        return SigningClockStore(self.session)

    @made_once
    def workers(self) -> WorkerStore:
        return WorkerStore(self.session)

    @made_once
    def endorsements(self) -> EndorsementStore:
        return EndorsementStore(self.session)

    @made_once
    def organisations(self) -> OrganisationStore:
        return OrganisationStore(self.session)
