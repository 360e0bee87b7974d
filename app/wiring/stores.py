"""The stores over one transaction; each is made when first asked for."""

from __future__ import annotations

from sqlmodel import Session

from app.db.access import AccessStore
from app.db.activities import ActivityStore
from app.db.activity_files import ActivityFileStore
from app.db.activity_log import ActivityLogStore
from app.db.activity_plans import ActivityPlanStore
from app.db.award_evidence import AwardEvidenceStore
from app.db.awards import AwardStore
from app.db.badges import BadgeStore
from app.db.batches import BatchStore
from app.db.brought_badges import BroughtBadgeStore
from app.db.campus import CampusStore
from app.db.choices import ChoiceStore
from app.db.claim_codes import ClaimCodeStore
from app.db.competencies import CompetencyStore
from app.db.consents import ConsentStore
from app.db.contributions import ContributionStore
from app.db.directory import DirectoryStore
from app.db.endorsements import EndorsementStore
from app.db.erasures import ErasureStore
from app.db.federation import FederationStore
from app.db.files import FileStore
from app.db.guardians import GuardianStore
from app.db.history import HistoryStore
from app.db.imports import ImportStore
from app.db.integrity import IntegrityStore
from app.db.letters import LetterStore
from app.db.log_disputes import LogDisputeStore
from app.db.log_watch import LogWatchStore
from app.db.merging import MergeStore
from app.db.names import NameStore
from app.db.namesakes import NamesakeStore
from app.db.openings import OpeningStore
from app.db.operators import OperatorStore
from app.db.organisations import OrganisationStore
from app.db.own_addresses import OwnAddressStore
from app.db.passkeys import PasskeyStore
from app.db.people import PeopleStore
from app.db.personal_data import PersonalDataStore
from app.db.portfolios import PortfolioStore
from app.db.private_looks import PrivateLookStore
from app.db.reach import Reach
from app.db.recognition import RecognitionStore
from app.db.recovery import RecoveryStore
from app.db.reminders import ReminderStore
from app.db.requests import RequestStore
from app.db.retention import RetentionStore
from app.db.rooms import RoomStore
from app.db.rule_counts import RuleCountStore
from app.db.sessions import SessionStore
from app.db.sign_in import SignInStore
from app.db.signing_clock import SigningClockStore
from app.db.status import StatusStore
from app.db.subjects import SubjectStore
from app.db.team import TeamStore
from app.db.waiting import WaitingStore
from app.db.workers import WorkerStore
from app.wiring.made_once import made_once


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
