"""The stores of a transaction, by name; each is created on first use."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

from dishka import Provider, Scope, from_context, make_container, provide_all
from sqlalchemy import Engine
from sqlmodel import Session

from app.container.parts import Parts
from app.db.accounts import (
    DraftStore,
    FederationStore,
    OwnAddressStore,
    PasskeyStore,
    SessionStore,
    SignInStore,
)
from app.db.activities import ActivityFileStore, ActivityStore, CheckInStore, FileStore
from app.db.activities.campus_activities import CampusActivityStore
from app.db.activities.plans import ActivityPlanStore
from app.db.activity_log import ActivityLogStore, LogDisputeStore, LogWatchStore
from app.db.activity_log.choices import ChoiceStore
from app.db.activity_log.integrity import IntegrityStore, RecoveryStore
from app.db.awards import AwardEvidenceStore, AwardStore
from app.db.awards.batches import BatchStore, ClaimCodeStore, HolderStore, SigningClockStore, WaitingStore
from app.db.badges import BadgeStore, ModuleStore, OpeningStore, RuleCountStore
from app.db.badges.shared_definitions import SharedDefinitionStore
from app.db.campus import CampusStore, HistoryStore, SubjectStore, TeamStore
from app.db.campus.directory import DirectoryStore, PeopleRegisterStore, ProgramLists
from app.db.campus.integration import AccessStore, IntegrationStore, LtiStore, WebhookStore
from app.db.campus.operations import OperatorStore, SignedStateStore, WaitingWorkStore
from app.db.campus.people import CampusPeopleStore
from app.db.campus.registers import (
    ActivityRegisterStore,
    AwardRegisterStore,
    RequestRegisterStore,
    SavedViewStore,
)
from app.db.campus.samples import SampleStore
from app.db.engine.session import WorkerStore, open_engine, open_session
from app.db.frameworks import CompetencyStore, FrameworkStore, FullTextIndex
from app.db.frameworks.pathways import PathwayStore
from app.db.imports import ImportStore
from app.db.learners import (
    BroughtBadgeStore,
    ConnectedAppStore,
    ContributionStore,
    PortfolioStore,
    RequestStore,
)
from app.db.learners.wallets import WalletStore
from app.db.messages import LetterStore, ReminderStore
from app.db.people import GuardianStore, MergeStore, NamesakeStore, NameStore, PeopleStore
from app.db.privacy import AccessLogStore, ConsentStore, ErasureStore, PersonalDataStore, RetentionStore
from app.db.publishing import StatusStore
from app.db.publishing.catalogue import CatalogueStore
from app.db.publishing.ratings import PageViewStore, RatingStore
from app.db.reports.counting import ReportCountStore
from app.db.reports.counts import CountStore
from app.db.reports.editions import EditionStore, ReportSharingStore
from app.db.reports.facts import ReportFactsStore, SurveyStore
from app.db.trust import EndorsementStore, NetworkTeamStore, OrganisationStore, PeerStore, RecognitionStore
from app.db.verification import PresentationStore
from app.services.activity_log.log_check import Span, Spans, derive_span
from app.tenancy.scope import TenantScope


class Stores(Parts):
    session: Session
    tenant_scope: TenantScope

    access: AccessStore
    activities: ActivityStore
    activity_files: ActivityFileStore
    activity_log: ActivityLogStore
    activity_plans: ActivityPlanStore
    activity_register: ActivityRegisterStore
    award_evidence: AwardEvidenceStore
    award_register: AwardRegisterStore
    awards: AwardStore
    badges: BadgeStore
    batches: BatchStore
    brought_badges: BroughtBadgeStore
    campuses: CampusStore
    campus_activities: CampusActivityStore
    campus_people: CampusPeopleStore
    catalogue: CatalogueStore
    choices: ChoiceStore
    claim_codes: ClaimCodeStore
    competencies: CompetencyStore
    connected_apps: ConnectedAppStore
    consents: ConsentStore
    contributions: ContributionStore
    directory: DirectoryStore
    drafts: DraftStore
    endorsements: EndorsementStore
    erasures: ErasureStore
    federation: FederationStore
    files: FileStore
    frameworks: FrameworkStore
    full_text: FullTextIndex
    guardians: GuardianStore
    history: HistoryStore
    holders: HolderStore
    imports: ImportStore
    integration: IntegrationStore
    integrity: IntegrityStore
    letters: LetterStore
    log_disputes: LogDisputeStore
    log_watch: LogWatchStore
    lti: LtiStore
    merges: MergeStore
    modules: ModuleStore
    names: NameStore
    namesakes: NamesakeStore
    network_team: NetworkTeamStore
    openings: OpeningStore
    operators: OperatorStore
    organisations: OrganisationStore
    own_addresses: OwnAddressStore
    page_views: PageViewStore
    passkeys: PasskeyStore
    pathways: PathwayStore
    peers: PeerStore
    people: PeopleStore
    people_register: PeopleRegisterStore
    personal_data: PersonalDataStore
    portfolios: PortfolioStore
    presentations: PresentationStore
    private_looks: AccessLogStore
    program_lists: ProgramLists
    ratings: RatingStore
    recognition: RecognitionStore
    recovery: RecoveryStore
    reminders: ReminderStore
    report_counts: ReportCountStore
    stored_counts: CountStore
    report_editions: EditionStore
    report_facts: ReportFactsStore
    report_sharing: ReportSharingStore
    request_register: RequestRegisterStore
    requests: RequestStore
    retention: RetentionStore
    rooms: CheckInStore
    rule_counts: RuleCountStore
    samples: SampleStore
    saved_views: SavedViewStore
    sessions: SessionStore
    shared_definitions: SharedDefinitionStore
    sign_in: SignInStore
    signed_state: SignedStateStore
    signing_clock: SigningClockStore
    statuses: StatusStore
    subjects: SubjectStore
    surveys: SurveyStore
    team: TeamStore
    waiting: WaitingStore
    waiting_work: WaitingWorkStore
    wallets: WalletStore
    webhooks: WebhookStore
    workers: WorkerStore


class StoreProvider(Provider):
    scope = Scope.REQUEST
    session = from_context(Session)
    stores = provide_all(*set(Stores.types().values()) - {Session})


_STORES = make_container(StoreProvider(), lock_factory=None)


@contextmanager
def stores_over(session: Session) -> Iterator[Stores]:
    with _STORES(context={Session: session}) as parts:
        yield Stores(parts)


_WORTH_IT = 2
"""Minimum spans per process, which takes a second to start."""
_engines: list[Engine] = []


def shared_between_processes(database_url: str, processes: int) -> Spans:
    def spans(log_id: uuid.UUID, ranges: Sequence[range]) -> Iterator[Span]:
        if processes < 2 or len(ranges) <= _WORTH_IT:
            _open(database_url)
            for numbers in ranges:
                yield _derive(log_id, numbers)
            _engines.pop().dispose()
            return
        context = get_context("spawn")
        with ProcessPoolExecutor(processes, context, initializer=_open, initargs=(database_url,)) as pool:
            yield from pool.map(_derive, [log_id] * len(ranges), ranges)

    return spans


def _open(database_url: str) -> None:
    _engines.append(open_engine(database_url))


def _derive(log_id: uuid.UUID, numbers: range) -> Span:
    with open_session(_engines[-1], reading=True) as session, session.begin(), stores_over(session) as stores:
        stores.tenant_scope.bypass()  # without a scope payloads are not read, and would pass for erased ones
        return derive_span(stores.activity_log, log_id, numbers)
