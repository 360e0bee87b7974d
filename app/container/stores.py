"""The stores over one transaction; each is created on first use."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context
from typing import Any, Self, TypeVar, overload

from sqlalchemy import Engine
from sqlmodel import Session

from app.adapters.badge_pictures import BadgeArtist
from app.adapters.folders.log_files import FolderAnchors
from app.adapters.folders.recovery_files import RecoveryJournal
from app.adapters.papers import Papers
from app.adapters.picture_codes import PictureCodes
from app.adapters.secrets import KeyVault
from app.db.accounts import (
    AccessStore,
    DraftStore,
    FederationStore,
    OperatorStore,
    OwnAddressStore,
    PasskeyStore,
    SessionStore,
    SignInStore,
)
from app.db.activities.activities import ActivityFileStore, ActivityStore, FileStore
from app.db.activities.check_in import CheckInStore
from app.db.activities.plans import ActivityPlanStore
from app.db.activity_log.activity_log import ActivityLogStore, LogDisputeStore, LogWatchStore
from app.db.activity_log.choices import ChoiceStore
from app.db.activity_log.integrity import IntegrityStore, RecoveryStore
from app.db.awards.awards import AwardEvidenceStore, AwardStore
from app.db.awards.batches import BatchStore, ClaimCodeStore, SigningClockStore, WaitingStore
from app.db.badges import BadgeStore, OpeningStore, RuleCountStore
from app.db.campus.campus import CampusStore, HistoryStore, SubjectStore, TeamStore
from app.db.campus.directory import DirectoryStore
from app.db.campus.operations import WaitingWorkStore
from app.db.campus.registers import (
    ActivityRegisterStore,
    AwardRegisterStore,
    PeopleRegisterStore,
    RequestRegisterStore,
    SavedViewStore,
)
from app.db.campus.samples import SampleStore
from app.db.engine.session import WorkerStore, open_engine, open_session
from app.db.frameworks import CompetencyStore, FrameworkStore
from app.db.frameworks.full_text import FullTextIndex
from app.db.frameworks.pathways import PathwayStore
from app.db.imports import ImportStore
from app.db.learners import BroughtBadgeStore, ContributionStore, PortfolioStore, RequestStore
from app.db.messages import LetterStore, ReminderStore
from app.db.modules import ModuleStore
from app.db.people import GuardianStore, MergeStore, NamesakeStore, NameStore, PeopleStore
from app.db.privacy import (
    AccessLogStore,
    ConsentStore,
    ErasureStore,
    PersonalDataStore,
    RetentionStore,
)
from app.db.publishing import StatusStore
from app.db.publishing.catalogue import CatalogueStore
from app.db.publishing.ratings import RatingStore
from app.db.reports.counting import ReportCountStore
from app.db.reports.editions import EditionStore
from app.db.reports.facts import ReportFactsStore
from app.db.reports.network import ReportSharingStore
from app.db.reports.surveys import SurveyStore
from app.db.trust import EndorsementStore, OrganisationStore, RecognitionStore
from app.domain.awards.signing_clock import Counter
from app.domain.core import UNSHARED, Clock, Snapshot
from app.domain.publishing import Addresses, SignedList
from app.services.activity_log.log_check import Span, Spans, derive_span
from app.services.awards.award_issuer import SigningClockService
from app.services.badges.models import BadgeModel
from app.services.verification.issuer_standing import ListShelf
from app.settings import Settings
from app.tenancy.scope import TenantScope
from sceau_credentials.values.documents import DocumentSource

_Made = TypeVar("_Made")


class made_once(cached_property[_Made]):
    """`cached_property` without its lock: one transaction is used by one thread, and a page asks for forty
    parts."""

    @overload
    def __get__(self, instance: None, owner: type[Any] | None = None) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None) -> _Made: ...

    def __get__(self, instance: object, owner: type[Any] | None = None) -> Self | _Made:
        if instance is None:
            return self
        assert self.attrname is not None
        made = instance.__dict__[self.attrname] = self.func(instance)
        return made


class Stores:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.tenant_scope = TenantScope(session)

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
    def report_counts(self) -> ReportCountStore:
        return ReportCountStore(self.session)

    @made_once
    def report_editions(self) -> EditionStore:
        return EditionStore(self.session)

    @made_once
    def report_facts(self) -> ReportFactsStore:
        return ReportFactsStore(self.session)

    @made_once
    def report_sharing(self) -> ReportSharingStore:
        return ReportSharingStore(self.session)

    @made_once
    def surveys(self) -> SurveyStore:
        return SurveyStore(self.session)

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
    def catalogue(self) -> CatalogueStore:
        return CatalogueStore(self.session)

    @made_once
    def claim_codes(self) -> ClaimCodeStore:
        return ClaimCodeStore(self.session)

    @made_once
    def competencies(self) -> CompetencyStore:
        return CompetencyStore(self.session)

    @made_once
    def frameworks(self) -> FrameworkStore:
        return FrameworkStore(self.session)

    @made_once
    def pathways(self) -> PathwayStore:
        return PathwayStore(self.session)

    @made_once
    def modules(self) -> ModuleStore:
        return ModuleStore(self.session)

    @made_once
    def full_text(self) -> FullTextIndex:
        return FullTextIndex(self.session)

    @made_once
    def contributions(self) -> ContributionStore:
        return ContributionStore(self.session)

    @made_once
    def ratings(self) -> RatingStore:
        return RatingStore(self.session)

    @made_once
    def activity_register(self) -> ActivityRegisterStore:
        return ActivityRegisterStore(self.session)

    @made_once
    def people_register(self) -> PeopleRegisterStore:
        return PeopleRegisterStore(self.session)

    @made_once
    def saved_views(self) -> SavedViewStore:
        return SavedViewStore(self.session)

    @made_once
    def request_register(self) -> RequestRegisterStore:
        return RequestRegisterStore(self.session)

    @made_once
    def award_register(self) -> AwardRegisterStore:
        return AwardRegisterStore(self.session)

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
    def private_looks(self) -> AccessLogStore:
        return AccessLogStore(self.session)

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
    def samples(self) -> SampleStore:
        return SampleStore(self.session)

    @made_once
    def rooms(self) -> CheckInStore:
        return CheckInStore(self.session)

    @made_once
    def requests(self) -> RequestStore:
        return RequestStore(self.session)

    @made_once
    def sessions(self) -> SessionStore:
        return SessionStore(self.session)

    @made_once
    def drafts(self) -> DraftStore:
        return DraftStore(self.session)

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
    def waiting_work(self) -> WaitingWorkStore:
        return WaitingWorkStore(self.session)

    @made_once
    def workers(self) -> WorkerStore:
        return WorkerStore(self.session)

    @made_once
    def endorsements(self) -> EndorsementStore:
        return EndorsementStore(self.session)

    @made_once
    def organisations(self) -> OrganisationStore:
        return OrganisationStore(self.session)


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
    counter: Counter | None
    """Monotonic seconds, independent of clock changes; None where the time is given."""
    label_of_service: Callable[[str], str]
    """The name of the sign-in service of an issuer."""


class Container:
    def __init__(self, stores: Stores, lent: ProcessContext, snapshot: Snapshot = UNSHARED) -> None:
        self.stores = stores
        self.snapshot = snapshot
        self.lent = lent
        self.clock = lent.clock
        self.addresses = lent.addresses

    @made_once
    def signing_clock(self) -> SigningClockService:
        return SigningClockService(
            self.stores.signing_clock, self.stores.history, self.lent.counter, self.clock
        )

    @made_once
    def vault(self) -> KeyVault:
        """Opens no key while the clock cannot be trusted."""
        return self.lent.vault.guarded(self.signing_clock.check)


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
    with open_session(_engines[-1], reading=True) as session, session.begin():
        stores = Stores(session)
        stores.tenant_scope.bypass()  # without a scope payloads are not read, and would pass for erased ones
        return derive_span(stores.activity_log, log_id, numbers)
