"""The services of a unit of work, by name; a request builds those that it uses."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from dishka import AnyOf, Provider, Scope, decorate, from_context, make_container, provide, provide_all
from sqlmodel import Session

from app.adapters.secrets import KeyVault
from app.container.stores import (
    AfterCommit,
    LateProvider,
    Parts,
    ProcessContext,
    ProcessProvider,
    StoreProvider,
    Stores,
)
from app.db.engine.session import WorkerStore
from app.db.engine.writes import take_turns
from app.domain.core import Clock, Snapshot, WorkerBeat, is_silent
from app.domain.publishing import Addresses, ServiceDocuments
from app.services.accounts.invitations import HandedLinks, InvitationService, Memberships
from app.services.accounts.sessions import AccountNotices, PasskeyService, SessionService
from app.services.accounts.sign_in import DraftService, FederationService, SetAsideService, SignInService
from app.services.activities.activities import ActivityJournal, ActivityService
from app.services.activities.check_in import CheckInService, CheckInSignatures
from app.services.activities.files import ActivityFiles, FileService, ShownFiles
from app.services.activities.participants import AttendanceSheets, ParticipantService
from app.services.activities.plans import ActivityPlans, ActivitySessions, SeriesService
from app.services.activities.upserts import ActivityUpserts, ParticipantUpserts
from app.services.activity_log import ActivityLog, LoggedEvents
from app.services.activity_log.evidence import EvidenceDocuments, LogKeyHistory, LogPublication
from app.services.activity_log.integrity import IntegrityService
from app.services.activity_log.log_check import AnchorCheck
from app.services.activity_log.log_monitoring import LogWatch
from app.services.activity_log.personal_log import PersonalLog
from app.services.activity_log.recovery import ChoiceJournal, ErasureJournal, JournalCheck
from app.services.activity_log.restoring import LogReconciliation, RestoreService
from app.services.awards.award_context import AwardCounting
from app.services.awards.award_evidence import AwardEvidenceService, ContributedLines
from app.services.awards.award_issuer import AwardIssuer, SigningClockService
from app.services.awards.awards import AwardRegistration, AwardService, SuspensionService
from app.services.awards.batches import AwardBatchService, BulkAwardService, ListAdditionService
from app.services.awards.bulk_revocation import AwardSelection, WithdrawalService
from app.services.awards.delivery import DeliveryService, HolderService
from app.services.awards.eligibility import AwardChoices, EligibilityService
from app.services.awards.papers import AwardPictures, PaperService, SlipService
from app.services.awards.reissuing import AwardAlignment, ReissueService, StolenKeys
from app.services.awards.rule_ledger import RuleLedger
from app.services.badges import BadgeService
from app.services.badges.adoptions import Adoptions
from app.services.badges.modules import ModuleService
from app.services.badges.openings import OpeningService
from app.services.badges.shared_definitions import SharedDefinitions
from app.services.campus import CampusPictures, CampusService, HistoryService, OperatorService, TeamService
from app.services.campus.dashboard import DashboardService, DirectoryService, SampleService
from app.services.campus.keys import CampusKeys
from app.services.campus.lti import LtiService
from app.services.campus.registers import (
    ActivityRegister,
    AwardRegister,
    PeopleRegister,
    RequestRegister,
    SavedViews,
)
from app.services.campus.sender import SenderService
from app.services.campus.webhooks import FeedService, ProgramListService, WebhookService
from app.services.frameworks import CompetencyService, FrameworkSearch
from app.services.frameworks.importing import FrameworkCatalogue, FrameworkImportService
from app.services.frameworks.pathway_progress import PathwayFollowers
from app.services.frameworks.pathways import PathwayService
from app.services.frameworks.trades import TradeService
from app.services.imports.calendar_imports import CalendarImports, CalendarMatching, CalendarWriting
from app.services.imports.calendar_subscriptions import CalendarSubscriptions
from app.services.imports.import_matching import ImportMatching
from app.services.imports.imports import ImportService, ListMappings, StatementImports
from app.services.imports.writing import ImportWriting
from app.services.learners.connected_apps import ConnectedApps
from app.services.learners.contributions import ContributionService, LogDisputes, SelfAwards
from app.services.learners.imported_badges import ImportedBadgeService
from app.services.learners.portfolio_files import PortfolioDocuments
from app.services.learners.portfolios import PortfolioService, SharedCompetencies
from app.services.learners.requests import AskingService
from app.services.learners.reviews import ReviewService
from app.services.learners.wallet_authorization import SelectiveDisclosure, WalletConsents, WalletMetadata
from app.services.learners.wallets import WalletService
from app.services.messages import LetterService, ReminderService
from app.services.messages.account import AccountLetters, NameLetters, PersonalLetters
from app.services.messages.endorsements import EndorsementLetters
from app.services.messages.requests import RequestLetters, RightsLetters, SurveyLetters
from app.services.people.corrections import CorrectionService
from app.services.people.names import AgeBands, GivenAddresses, NameService
from app.services.people.parental_consent import GuardianService
from app.services.people.people import OwnAddressService, PeopleService, PrivateLinks
from app.services.people.privacy import (
    AccessLog,
    ArchiveService,
    ErasureProofs,
    ErasureService,
    RetentionService,
)
from app.services.people.record_merge import MergingService, Namesakes
from app.services.people.restored_erasures import RestoredErasures
from app.services.people.upserts import ApiAnswers, ExternalIds, PeopleUpserts
from app.services.publishing import OlderBadges, PublicationService
from app.services.publishing.catalogue import CatalogueService
from app.services.publishing.ratings import PageViewService, RatingService
from app.services.publishing.status import Signing, StatusService
from app.services.reports import NetworkReports, PartnerReports, ReportService
from app.services.reports.editions import EditionService
from app.services.reports.renewal import RenewalService
from app.services.reports.surveys import ReportFactsService, SurveyService
from app.services.trust.endorsement_requests import (
    EndorsementAsking,
    EndorsementsCheckedAgain,
    EndorsementsTakenBack,
)
from app.services.trust.endorsements import (
    EndorsementDocuments,
    EndorsementShowing,
    EndorsementSigning,
    EndorsementSubjects,
)
from app.services.trust.labels import FollowedLists, LabelService, NetworkSigning
from app.services.trust.network_register import NetworkDocuments, NetworkRegister, NetworkTeam
from app.services.trust.organisations import OrganisationService, PartnerKeys
from app.services.trust.peers import PeerRecommendations
from app.services.verification.batches import BatchVerification, VcApi
from app.services.verification.issuer_standing import IssuerStandings
from app.services.verification.presentations import PresentationService
from app.services.verification.site_inputs import SiteInputs
from app.services.verification.static_export import StaticExport
from app.services.verification.verification import OwnDocuments, VerificationService

# --- Worker heartbeats, and detection of dead workers


@dataclass(frozen=True)
class WorkerName:
    """One worker process: unique, though host and pid may be reused."""

    id: str
    host: str
    pid: int
    started_at: datetime


@dataclass(frozen=True, eq=False)
class WorkerService:
    workers: WorkerStore
    clock: Clock

    def beat(self, me: WorkerName) -> None:
        self.workers.keep(
            WorkerBeat(id=me.id, host=me.host, pid=me.pid, started_at=me.started_at, seen_at=self.clock())
        )

    def alive(self, me: WorkerName, is_running: Callable[[int], bool]) -> set[str]:
        """Live workers, including `me`: neither silent, nor known by this host as ended."""
        at = self.clock()
        return {me.id} | {
            beat.id
            for beat in self.workers.list_all()
            if not is_silent(beat, at=at) and not self._ended_here(beat, me, is_running)
        }

    @staticmethod
    def _ended_here(beat: WorkerBeat, me: WorkerName, is_running: Callable[[int], bool]) -> bool:
        return beat.host == me.host and (beat.pid == me.pid or not is_running(beat.pid))

    def forget_all_but(self, alive: Collection[str]) -> None:
        for beat in self.workers.list_all():
            if beat.id not in alive:
                self.workers.remove(beat.id)

    def forget(self, worker_id: str) -> None:
        self.workers.remove(worker_id)


# --- services


class Services(Parts):
    stores: Stores
    after_commit: AfterCommit
    clock: Clock
    snapshot: Snapshot
    addresses: Addresses

    activities: ActivityService
    activity_files: ActivityFiles
    activity_journal: ActivityJournal
    activity_log: ActivityLog
    activity_plans: ActivityPlans
    activity_register: ActivityRegister
    activity_sessions: ActivitySessions
    activity_upserts: ActivityUpserts
    adoptions: Adoptions
    age_bands: AgeBands
    anchor_check: AnchorCheck
    api_answers: ApiAnswers
    archive: ArchiveService
    asking: AskingService
    attendance_sheets: AttendanceSheets
    award_alignment: AwardAlignment
    award_batches: AwardBatchService
    award_choices: AwardChoices
    award_pictures: AwardPictures
    award_register: AwardRegister
    award_selection: AwardSelection
    awards: AwardService
    presentations: PresentationService
    badges: BadgeService
    batch_verification: BatchVerification
    imported_badges: ImportedBadgeService
    bulk_awards: BulkAwardService
    calendar_imports: CalendarImports
    calendar_subscriptions: CalendarSubscriptions
    campus_keys: CampusKeys
    campus_pictures: CampusPictures
    campuses: CampusService
    catalogue: CatalogueService
    choice_journal: ChoiceJournal
    competencies: CompetencyService
    connected_apps: ConnectedApps
    contributions: ContributionService
    corrections: CorrectionService
    dashboard: DashboardService
    directory: DirectoryService
    endorsement_asking: EndorsementAsking
    endorsement_signing: EndorsementSigning
    endorsement_subjects: EndorsementSubjects
    endorsements: EndorsementShowing
    endorsements_checked_again: EndorsementsCheckedAgain
    endorsements_taken_back: EndorsementsTakenBack
    erasure_proofs: ErasureProofs
    erasures: ErasureService
    evidence: EvidenceDocuments
    external_ids: ExternalIds
    federation: FederationService
    feed: FeedService
    files: FileService
    followed_lists: FollowedLists
    form_drafts: DraftService
    framework_imports: FrameworkImportService
    framework_search: FrameworkSearch
    frameworks: FrameworkCatalogue
    guardians: GuardianService
    handed_links: HandedLinks
    delivery: DeliveryService
    history: HistoryService
    holders: HolderService
    imports: ImportService
    integrity: IntegrityService
    invitations: InvitationService
    journal_check: JournalCheck
    kept_site: StaticExport
    site_inputs: SiteInputs
    labels: LabelService
    letters: LetterService
    list_mappings: ListMappings
    log_disputes: LogDisputes
    log_keys: LogKeyHistory
    log_publication: LogPublication
    log_reconciliation: LogReconciliation
    log_watch: LogWatch
    logged_events: LoggedEvents
    lti: LtiService
    merging: MergingService
    modules: ModuleService
    names: NameService
    namesakes: Namesakes
    network_documents: NetworkDocuments
    network_reports: NetworkReports
    network_signing: NetworkSigning
    network_team: NetworkTeam
    older_badges: OlderBadges
    openings: OpeningService
    operators: OperatorService
    organisations: OrganisationService
    own_addresses: OwnAddressService
    page_views: PageViewService
    papers: PaperService
    participant_upserts: ParticipantUpserts
    participants: ParticipantService
    partner_keys: PartnerKeys
    partner_reports: PartnerReports
    passkeys: PasskeyService
    pathway_followers: PathwayFollowers
    pathways: PathwayService
    peer_recommendations: PeerRecommendations
    people: PeopleService
    people_register: PeopleRegister
    people_upserts: PeopleUpserts
    personal_log: PersonalLog
    portfolio_documents: PortfolioDocuments
    portfolios: PortfolioService
    private_looks: AccessLog
    program_lists: ProgramListService
    publication: PublicationService
    ratings: RatingService
    register: NetworkRegister
    registration: AwardRegistration
    reissuing: ReissueService
    reminders: ReminderService
    report_editions: EditionService
    report_facts: ReportFactsService
    report_renewals: RenewalService
    reports: ReportService
    request_register: RequestRegister
    restored_erasures: RestoredErasures
    restoring: RestoreService
    retention: RetentionService
    reviewing: ReviewService
    room_signatures: CheckInSignatures
    rooms: CheckInService
    rule_ledger: RuleLedger
    samples: SampleService
    senders: SenderService
    saved_views: SavedViews
    series: SeriesService
    sessions: SessionService
    set_aside: SetAsideService
    shared_competencies: SharedCompetencies
    shared_definitions: SharedDefinitions
    selective_disclosure: SelectiveDisclosure
    shown_files: ShownFiles
    sign_in: SignInService
    signing: Signing
    signing_clock: SigningClockService
    slips: SlipService
    standings: IssuerStandings
    statement_imports: StatementImports
    status: StatusService
    stolen_keys: StolenKeys
    surveys: SurveyService
    team: TeamService
    trades: TradeService
    vault: KeyVault
    vc_api: VcApi
    verification: VerificationService
    wallet_consents: WalletConsents
    wallet_metadata: WalletMetadata
    wallets: WalletService
    webhooks: WebhookService
    suspensions: SuspensionService
    withdrawals: WithdrawalService
    workers: WorkerService

    def enter(self, campus_id: uuid.UUID, person_id: uuid.UUID | None = None) -> None:
        """Restricts the scope to rows of this campus, for that person."""
        self.stores.tenant_scope.enter(campus_id, person_id)

    def enter_campus_of(self, award_id: uuid.UUID) -> None:
        award = self.stores.awards.find(award_id)
        if award is not None:
            self.enter(award.campus_id)

    @contextmanager
    def beside(self, award_id: uuid.UUID) -> Iterator[None]:
        """For part of a public page: rows of the award's campus that are not public."""
        with self.stores.tenant_scope.restored():
            self.enter_campus_of(award_id)
            yield

    @contextmanager
    def across_campuses(self) -> Iterator[None]:
        """For a person's own page: rows about them at every campus."""
        with self.stores.tenant_scope.across_campuses():
            yield

    def join_organisers(self, campus_id: uuid.UUID, activity_id: uuid.UUID) -> bool:
        """Bypasses RLS if this campus organises the activity together with others; returns whether it
        does."""
        is_shared = self.stores.activity_plans.is_shared(activity_id, campus_id)
        if is_shared:
            self.stores.tenant_scope.bypass()
        return is_shared

    def take_turns(self, row_ids: Iterable[uuid.UUID]) -> None:
        """Waits until no other transaction holds the turn of one of these rows, and holds them until its end."""
        take_turns(self.stores.session, row_ids)

    def search_everywhere(self) -> None:
        """To find a campus by a secret that identifies it, and a person's memberships elsewhere."""
        self.stores.tenant_scope.bypass()

    def undo_at_the_end(self) -> None:
        """For a dry run: everything is rolled back instead of committed."""
        self.is_undone = True

    is_undone = False

    def settle(self) -> None:
        """Runs after commit."""
        for action in self.after_commit:
            action()


_BESIDE = {
    GivenAddresses,
    PrivateLinks,
    AccountLetters,
    AccountNotices,
    AwardCounting,
    AwardEvidenceService,
    AwardIssuer,
    ListAdditionService,
    CalendarMatching,
    CalendarWriting,
    ContributedLines,
    EligibilityService,
    EndorsementLetters,
    ImportMatching,
    ImportWriting,
    Memberships,
    NameLetters,
    PersonalLetters,
    RequestLetters,
    RightsLetters,
    SelfAwards,
    SurveyLetters,
    EndorsementDocuments,
    ErasureJournal,
}
"""Needed by services alone."""
_GIVEN = {Stores, AfterCommit, Clock, Snapshot, Addresses, KeyVault}
_BUILT = (set(Services.types().values()) | _BESIDE) - _GIVEN


class ServiceProvider(Provider):
    scope = Scope.REQUEST
    after_commit = from_context(AfterCommit)
    stores = provide(Stores)
    services = provide_all(*_BUILT)
    own_documents = provide(OwnDocuments, provides=AnyOf[OwnDocuments, ServiceDocuments])

    @decorate
    def settle_lists(self, status: StatusService, after: AfterCommit) -> StatusService:
        after.append(lambda: status.settle())
        return status

    @decorate
    def settle_log(self, log: ActivityLog, after: AfterCommit) -> ActivityLog:
        after.append(lambda: log.settle())
        return log


_SERVICES = make_container(
    StoreProvider(), ProcessProvider(), LateProvider(), ServiceProvider(), lock_factory=None
)


@contextmanager
def services_over(session: Session, process: ProcessContext, snapshot: Snapshot) -> Iterator[Services]:
    after = AfterCommit()
    context = process.by_type() | {Session: session, Snapshot: snapshot, AfterCommit: after}
    with _SERVICES(context=context) as parts:
        services = Services(parts)
        services.after_commit = after  # it outlives the container, which forgets what it made
        yield services
