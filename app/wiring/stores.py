"""The stores over one transaction; each is made when first asked for."""

from __future__ import annotations

from functools import cached_property

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


class Stores:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.reach = Reach(session)

    @cached_property
    def access(self) -> AccessStore:
        return AccessStore(self.session)

    @cached_property
    def activities(self) -> ActivityStore:
        return ActivityStore(self.session)

    @cached_property
    def activity_files(self) -> ActivityFileStore:
        return ActivityFileStore(self.session)

    @cached_property
    def activity_log(self) -> ActivityLogStore:
        return ActivityLogStore(self.session)

    @cached_property
    def award_evidence(self) -> AwardEvidenceStore:
        return AwardEvidenceStore(self.session)

    @cached_property
    def integrity(self) -> IntegrityStore:
        return IntegrityStore(self.session)

    @cached_property
    def choices(self) -> ChoiceStore:
        return ChoiceStore(self.session)

    @cached_property
    def recovery(self) -> RecoveryStore:
        return RecoveryStore(self.session)

    @cached_property
    def rule_counts(self) -> RuleCountStore:
        return RuleCountStore(self.session)

    @cached_property
    def activity_plans(self) -> ActivityPlanStore:
        return ActivityPlanStore(self.session)

    @cached_property
    def awards(self) -> AwardStore:
        return AwardStore(self.session)

    @cached_property
    def badges(self) -> BadgeStore:
        return BadgeStore(self.session)

    @cached_property
    def batches(self) -> BatchStore:
        return BatchStore(self.session)

    @cached_property
    def brought_badges(self) -> BroughtBadgeStore:
        return BroughtBadgeStore(self.session)

    @cached_property
    def campuses(self) -> CampusStore:
        return CampusStore(self.session)

    @cached_property
    def claim_codes(self) -> ClaimCodeStore:
        return ClaimCodeStore(self.session)

    @cached_property
    def competencies(self) -> CompetencyStore:
        return CompetencyStore(self.session)

    @cached_property
    def contributions(self) -> ContributionStore:
        return ContributionStore(self.session)

    @cached_property
    def directory(self) -> DirectoryStore:
        return DirectoryStore(self.session)

    @cached_property
    def files(self) -> FileStore:
        return FileStore(self.session)

    @cached_property
    def consents(self) -> ConsentStore:
        return ConsentStore(self.session)

    @cached_property
    def guardians(self) -> GuardianStore:
        return GuardianStore(self.session)

    @cached_property
    def retention(self) -> RetentionStore:
        return RetentionStore(self.session)

    @cached_property
    def erasures(self) -> ErasureStore:
        return ErasureStore(self.session)

    @cached_property
    def personal_data(self) -> PersonalDataStore:
        return PersonalDataStore(self.session)

    @cached_property
    def federation(self) -> FederationStore:
        return FederationStore(self.session)

    @cached_property
    def history(self) -> HistoryStore:
        return HistoryStore(self.session)

    @cached_property
    def imports(self) -> ImportStore:
        return ImportStore(self.session)

    @cached_property
    def letters(self) -> LetterStore:
        return LetterStore(self.session)

    @cached_property
    def openings(self) -> OpeningStore:
        return OpeningStore(self.session)

    @cached_property
    def log_disputes(self) -> LogDisputeStore:
        return LogDisputeStore(self.session)

    @cached_property
    def log_watch(self) -> LogWatchStore:
        return LogWatchStore(self.session)

    @cached_property
    def operators(self) -> OperatorStore:
        return OperatorStore(self.session)

    @cached_property
    def passkeys(self) -> PasskeyStore:
        return PasskeyStore(self.session)

    @cached_property
    def merges(self) -> MergeStore:
        return MergeStore(self.session)

    @cached_property
    def names(self) -> NameStore:
        return NameStore(self.session)

    @cached_property
    def own_addresses(self) -> OwnAddressStore:
        return OwnAddressStore(self.session, self.people)

    @cached_property
    def people(self) -> PeopleStore:
        return PeopleStore(self.session)

    @cached_property
    def portfolios(self) -> PortfolioStore:
        return PortfolioStore(self.session)

    @cached_property
    def private_looks(self) -> PrivateLookStore:
        return PrivateLookStore(self.session)

    @cached_property
    def recognition(self) -> RecognitionStore:
        return RecognitionStore(self.session)

    @cached_property
    def reminders(self) -> ReminderStore:
        return ReminderStore(self.session)

    @cached_property
    def namesakes(self) -> NamesakeStore:
        return NamesakeStore(self.session)

    @cached_property
    def rooms(self) -> RoomStore:
        return RoomStore(self.session)

    @cached_property
    def requests(self) -> RequestStore:
        return RequestStore(self.session)

    @cached_property
    def sessions(self) -> SessionStore:
        return SessionStore(self.session)

    @cached_property
    def sign_in(self) -> SignInStore:
        return SignInStore(self.session)

    @cached_property
    def statuses(self) -> StatusStore:
        return StatusStore(self.session)

    @cached_property
    def subjects(self) -> SubjectStore:
        return SubjectStore(self.session)

    @cached_property
    def team(self) -> TeamStore:
        return TeamStore(self.session)

    @cached_property
    def waiting(self) -> WaitingStore:
        return WaitingStore(self.session)

    @cached_property
    def signing_clock(self) -> SigningClockStore:
        return SigningClockStore(self.session)

    @cached_property
    def workers(self) -> WorkerStore:
        return WorkerStore(self.session)

    @cached_property
    def endorsements(self) -> EndorsementStore:
        return EndorsementStore(self.session)

    @cached_property
    def organisations(self) -> OrganisationStore:
        return OrganisationStore(self.session)
