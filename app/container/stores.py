"""The stores of a transaction, by name; each is created on first use."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from time import monotonic
from typing import TYPE_CHECKING, Any, get_type_hints

from dishka import (
    AnyOf,
    Container,
    Provider,
    Scope,
    alias,
    from_context,
    make_container,
    provide,
    provide_all,
)
from sqlalchemy import Engine
from sqlmodel import Session

from app.adapters.accounts import WebAuthnCeremonies
from app.adapters.badge_pictures import BadgeArtist
from app.adapters.folders.log_files import FolderAnchors
from app.adapters.folders.recovery_files import RecoveryJournal
from app.adapters.papers import Papers
from app.adapters.picture_codes import PictureCodes
from app.adapters.secrets import EncryptedTokens, KeyVault, SealedForms
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
from app.db.awards import AwardEvidenceStore, AwardRecord, AwardStore
from app.db.awards.batches import BatchStore, ClaimCodeStore, HolderStore, SigningClockStore, WaitingStore
from app.db.awards.signed_bytes import SignedBytesStore
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
from app.db.engine.row_level_security import TenantScope
from app.db.engine.session import WorkerStore, open_engine, open_session
from app.db.frameworks import CompetencyStore, FrameworkStore, FullTextIndex
from app.db.frameworks.pathways import PathwayStore
from app.db.imports import ImportStore
from app.db.learners import (
    ConnectedAppStore,
    ContributionStore,
    ImportedBadgeStore,
    PortfolioStore,
    RequestStore,
)
from app.db.learners.wallets import PresentationStore, WalletStore
from app.db.messages import LetterStore, ReminderStore
from app.db.people import GuardianStore, MergeStore, NamesakeStore, NameStore, PeopleStore
from app.db.people.privacy import (
    AccessLogStore,
    ConsentStore,
    ErasureStore,
    PersonalDataStore,
    RetentionStore,
)
from app.db.publishing import StatusStore
from app.db.publishing.catalogue import CatalogueStore
from app.db.publishing.ratings import PageViewStore, RatingStore
from app.db.publishing.site_inputs import SiteInputStore
from app.db.reports.counting import ReportCountStore
from app.db.reports.counts import CountStore
from app.db.reports.facts import EditionStore, ReportFactsStore, ReportSharingStore, SurveyStore
from app.db.trust import EndorsementStore, NetworkTeamStore, OrganisationStore, PeerStore, RecognitionStore
from app.domain.accounts.sign_in import Ceremonies
from app.domain.awards.signed_bytes import InDatabase, SignedBytes
from app.domain.awards.signing_clock import Counter
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.integration import WebhookClient
from app.domain.campus.sender import MailIdentity, MailRecords
from app.domain.core import Clock, ServiceOptions, Snapshot
from app.domain.frameworks import Competency, PublicAlignment
from app.domain.publishing import Addresses, SignedList
from app.services.activity_log import Anchors
from app.services.activity_log.integrity import StoredAnchors
from app.services.activity_log.log_check import AllAnchors, Span, Spans, derive_span
from app.services.activity_log.recovery import Journal
from app.services.awards.award_issuer import SigningClockService
from app.services.awards.papers import AwardPictures
from app.services.badges import BadgeService
from app.services.badges.wording import BadgeModel
from app.services.frameworks.importing import FrameworkCatalogue
from app.services.frameworks.trades import TradeService
from app.services.learners.contributions import SelfAwards
from app.services.learners.portfolios import PortfolioService
from app.services.people.privacy import ErasureService
from app.services.publishing import PicturesOfAwards
from app.services.publishing.facets import CatalogueFacets
from app.services.publishing.status import ListAnchors
from app.services.trust.labels import TrustAnchors
from app.services.verification.issuer_standing import ListShelf
from app.settings import Settings
from sceau_credentials.values import DocumentSource

# --- Attributes that a container builds on first use, from the type hints of constructors


class Parts:
    """Subclasses declare `name: Type`."""

    def __init__(self, container: Container) -> None:
        self.container = container

    @classmethod
    @cache
    def types(cls) -> dict[str, Any]:
        return get_type_hints(cls)

    if not TYPE_CHECKING:  # otherwise mypy accepts any name

        def __getattr__(self, name: str) -> Any:
            try:
                part = self.types()[name]
            except KeyError:
                raise AttributeError(name) from None
            made = self.__dict__[name] = self.container.get(part)
            return made


# --- stores


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
    imported_badges: ImportedBadgeStore
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
    signed_bytes: SignedBytesStore
    signed_state: SignedStateStore
    signing_clock: SigningClockStore
    site_inputs: SiteInputStore
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


class ElsewhereProvider(Provider):
    scope = Scope.REQUEST
    elsewhere = from_context(SignedBytes)


_STORES = make_container(StoreProvider(), ElsewhereProvider(), lock_factory=None)


@contextmanager
def stores_over(session: Session) -> Iterator[Stores]:
    with _STORES(context={Session: session, SignedBytes: InDatabase()}) as parts:
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


# --- Process-wide values, implementations of ports, and late dependencies: what type hints cannot express


@dataclass(frozen=True)
class ProcessContext:
    """Process-lifetime dependencies of every unit of work."""

    settings: Settings
    clock: Clock
    addresses: Addresses
    secret: bytes
    vault: KeyVault
    anchors: FolderAnchors
    journal: RecoveryJournal
    artist: Callable[[], BadgeArtist]
    models: Callable[[], Sequence[BadgeModel]]
    papers: Callable[[], Papers]
    codes: PictureCodes
    beyond: DocumentSource
    """External documents."""
    renew_list: Callable[[uuid.UUID], SignedList]
    shelf: ListShelf
    facets: CatalogueFacets
    counter: Counter | None
    """Monotonic seconds, independent of clock changes; None where the time is given."""
    label_of_service: Callable[[str], str]
    """The name of the sign-in service of an issuer."""
    mail_identity: MailIdentity
    mail_records: MailRecords
    webhook_client: WebhookClient
    elsewhere: SignedBytes
    """Reads signed bytes that are not in their row."""

    def by_type(self) -> dict[Any, Any]:
        """For the container: each object by the type that constructors name."""
        return {ProcessContext: self} | {kind: getattr(self, name) for name, kind in _types_given().items()}


class AfterCommit(list[Callable[[], None]]):
    """What to do once the transaction stands."""


_MADE_ON_FIRST_USE = ("settings", "vault", "artist", "papers")


@cache
def _types_given() -> dict[str, Any]:
    """Of the process-wide objects that are given as they are."""
    return {
        name: kind for name, kind in get_type_hints(ProcessContext).items() if name not in _MADE_ON_FIRST_USE
    }


class ProcessProvider(Provider):
    """The process-wide objects."""

    scope = Scope.REQUEST
    context = from_context(ProcessContext)
    snapshot = from_context(Snapshot)
    anchors = alias(
        FolderAnchors, provides=AnyOf[Anchors, AllAnchors, ListAnchors, StoredAnchors, TrustAnchors]
    )
    journal = alias(RecoveryJournal, provides=Journal)

    def __init__(self) -> None:
        super().__init__()
        for kind in _types_given().values():
            self.from_context(provides=kind)

    @provide
    def options(self, process: ProcessContext) -> ServiceOptions:
        settings = process.settings
        return ServiceOptions(
            settings.session_life,
            settings.session_idle,
            settings.letters_per_minute,
            settings.time_zone,
            settings.vc_api_issue,
            settings.app_registration,
            settings.trusted_wallet_redirects,
        )

    @provide
    def seconds(self) -> Callable[[], float]:
        return monotonic

    @provide
    def vault(self, process: ProcessContext, clock: SigningClockService) -> KeyVault:
        """Opens no key while the clock cannot be trusted."""
        return process.vault.guarded(clock.check)

    @provide
    def artist(self, process: ProcessContext) -> BadgeArtist:
        return process.artist()

    @provide
    def papers(self, process: ProcessContext) -> Papers:
        return process.papers()

    @provide
    def sealed_forms(self, secret: bytes) -> SealedForms:
        return SealedForms(secret)

    @provide
    def encrypted_tokens(self, secret: bytes) -> EncryptedTokens:
        return EncryptedTokens(secret)

    @provide
    def ceremonies(self, addresses: Addresses) -> Ceremonies:
        return WebAuthnCeremonies(addresses.base_url)


class LateProvider(Provider):
    """Services asked for when an event needs them: they need each other, or most requests do without."""

    scope = Scope.REQUEST

    @provide
    def pictures(self, services: Container) -> Callable[[], PicturesOfAwards]:
        return lambda: services.get(AwardPictures)

    @provide
    def end_self_awards(self, services: Container) -> Callable[[uuid.UUID], None]:
        return lambda person_id: services.get(SelfAwards).end_those_of(person_id)

    @provide
    def forget_listed(
        self, services: Container
    ) -> Callable[[Campus, uuid.UUID, uuid.UUID, str, Actor], bool]:
        return lambda campus, person_id, batch_id, reason, by: services.get(ErasureService).forget_listed(
            campus, person_id, batch_id, reason, by=by
        )

    @provide
    def relate(self, services: Container) -> Callable[[Campus, Competency, Iterable[str], Actor], bool]:
        return lambda campus, competency, lines, by: services.get(TradeService).relate(
            campus, competency, lines, by=by
        )

    @provide
    def redraw(self, services: Container) -> Callable[[Campus, Competency], None]:
        return lambda campus, competency: services.get(BadgeService).redraw(campus, competency)

    @provide
    def stamp(self, services: Container) -> Callable[[Sequence[PublicAlignment]], list[PublicAlignment]]:
        return lambda alignments: services.get(FrameworkCatalogue).stamped(alignments)

    @provide
    def shown_in(self, services: Container) -> Callable[[uuid.UUID, str], Sequence[AwardRecord]]:
        return lambda portfolio_id, link: services.get(PortfolioService).shown_on(portfolio_id, link)
