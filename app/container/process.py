"""Process lifetime; its units of work are transactions."""

from __future__ import annotations

import gc
import time
import uuid
from asyncio import to_thread
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

import structlog
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError
from sqlmodel import Session

from app import telemetry
from app.adapters.accounts import LimitsUnusable, RateLimits, limits_in
from app.adapters.badge_pictures import BadgeArtist
from app.adapters.folders.log_files import FolderAnchors
from app.adapters.folders.recovery_files import RecoveryJournal
from app.adapters.lti import LtiClient
from app.adapters.mail import DkimUnusable, DnsTexts, mailbox_of
from app.adapters.object_store import ObjectStoreUnusable
from app.adapters.openid_connect import ProvidersUnusable
from app.adapters.papers import Papers
from app.adapters.picture_codes import PictureCodes
from app.adapters.secrets import KekUnusable, PasswordHashes
from app.adapters.uploads import Clamd, PillowPhotographs, ScannerUnusable
from app.adapters.web_documents import WebDocuments
from app.container.configured import (
    documents_of_others,
    mailer_of,
    object_store_of,
    providers_of,
    secret_of,
    sender_of,
    signer_of,
    vault_of,
    web_documents,
    webhooks_of,
)
from app.container.services import Services, services_over
from app.container.stores import ProcessContext
from app.db.accounts import DatabaseCounts
from app.db.activity_log.choices import ChoiceWatch
from app.db.awards.signed_bytes import SignedBytesStore
from app.db.engine.changes import ChangeWatch
from app.db.engine.row_level_security import hold_back
from app.db.engine.schema import Migration, SchemaState, is_serving, migrate, schema_state, waiting_migrations
from app.db.engine.session import (
    DatabaseUnusable,
    NotDurable,
    WorkflowDatabase,
    check_durable,
    is_database_at,
    open_engine,
    open_session,
    parameters_of,
    refuse_rows_of,
)
from app.db.publishing import published_store
from app.domain.accounts.rate_limits import Limiter
from app.domain.awards.signed_bytes import InDatabase, ObjectStore
from app.domain.awards.signing_clock import ClockJumped, Counter, Jump, Ticks
from app.domain.campus.audit_log import DEMO, Actor
from app.domain.campus.campus import Campus
from app.domain.campus.integration import WebhookClient
from app.domain.campus.lti import LtiRequests
from app.domain.campus.sender import MailIdentity, MailRecords
from app.domain.core import UNSHARED, Clock, Snapshot, Snapshots, resource_folder
from app.domain.learners.portfolios import Portfolio
from app.domain.learners.ratings import PageViews
from app.domain.messages import Mailer
from app.domain.publishing import Addresses, SignedList
from app.domain.publishing.catalogue import CatalogueQuery
from app.domain.trust.organisations import Endorsement
from app.errors import InvalidInput
from app.services.activities.files import FileIntake
from app.services.activity_log.log_check import (
    RESTORED,
    Behind,
    Older,
    OlderCopy,
    has_only_choices_left,
)
from app.services.activity_log.restoring import ChoicesRestored, Restored
from app.services.awards.signed_bytes import BytesMover
from app.services.badges.wording import read_models
from app.services.campus.webhooks import WebhookSender, WebhookService
from app.services.messages import LetterService, Post
from app.services.publishing import PublicDocuments
from app.services.publishing.facets import CatalogueFacets
from app.services.publishing.status import SecretReplaced
from app.services.verification.issuer_standing import ListShelf
from app.settings import Settings
from app.telemetry import note_moved
from sceau_credentials.values import DocumentSource

log = structlog.get_logger("process")

CANNOT_START = (DatabaseUnusable, DkimUnusable, KekUnusable, LimitsUnusable, NotDurable, ObjectStoreUnusable, ProvidersUnusable, ScannerUnusable,
                SecretReplaced, telemetry.TelemetryUnusable)  # fmt: skip
"""Invalid settings or database at startup; the error message contains the remedy."""
DatabaseUnreachable = OperationalError
AlreadyThere = IntegrityError
"""Two concurrent requests wrote the same row."""

TEMPLATES = resource_folder("badge_templates")


def utc_now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def machine_ticks() -> Ticks:
    """Includes time asleep, which only Linux counts."""
    try:
        return Ticks(_boot(), time.clock_gettime(time.CLOCK_BOOTTIME))
    except (AttributeError, OSError):
        return Ticks("", 0.0)


@cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


_COMPARED_EVERY, _AGAIN = 60.0, 2.0
"""Seconds between two comparisons of the database with its anchors; the second while one is behind."""


class Process:
    """Process lifetime: checked settings, engine, vault and artist.

    `on_enqueue` is called after each commit that enqueued a job; a worker in the same process then polls at
    once. `last_commit` changes after each commit.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock = utc_now,
        beyond: DocumentSource | None = None,
        mailer: Mailer | None = None,
        limiter: Limiter | None = None,
        counter: Counter | None = None,
        mail_records: MailRecords | None = None,
        webhook_client: WebhookClient | None = None,
        object_store: ObjectStore | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.counter = counter or (machine_ticks if clock is utc_now else None)
        self.beyond = beyond or documents_of_others(settings, clock)
        self.addresses = Addresses(settings.base_url)
        self.webhook_client: WebhookClient = webhook_client or webhooks_of(settings, clock)
        self.object_store = object_store or object_store_of(settings)
        """Of old signed bytes; None where the database has all."""
        self._is_demo = False
        signer = signer_of(settings)
        self.mail_records: MailRecords = mail_records or DnsTexts()
        self.mail_identity = MailIdentity(
            mailbox_of(sender_of(settings)).address,
            signer.selector if signer else "",
            signer.record if signer else "",
        )
        self.mailer = mailer or mailer_of(settings, self.is_demo, signer)
        self.secret, self.vault = secret_of(settings), vault_of(settings)
        self.engine = open_engine(settings.database_url)
        if (owner := settings.owner_database_url).startswith("postgresql"):
            parameters_of(make_url(owner), "SCEAU_OWNER_DATABASE_URL")
        telemetry.start(settings.telemetry, self.engine)
        self.anchors = FolderAnchors(settings.log_anchors or settings.development_dir / "anchors")
        self.journal = RecoveryJournal(
            self.anchors.folder / "journal", self.vault, clock, days=settings.recovery_days
        )
        scanner = Clamd(settings.scanner) if settings.scanner else None
        self.intake = FileIntake(PillowPhotographs(), scanner)
        self.shelf = ListShelf()
        self.facets = CatalogueFacets()
        self.codes = PictureCodes()
        self.page_views = PageViews(clock)
        self.on_enqueue: Callable[[], None] = lambda: None
        self.is_working: Callable[[], bool] = lambda: True
        """Whether the worker in this process, if there is one, still polls."""
        self.limiter = limiter or _limiter_of(settings, self.secret, clock)
        self.lti: LtiRequests = LtiClient(
            # Its own client: a slow platform must not delay verifications.
            web_documents(settings, clock) if isinstance(self.beyond, WebDocuments) else None
        )
        self.providers = providers_of(settings, self.addresses, clock)
        self.behind: Mapping[uuid.UUID, Behind] = {}
        self._differs = False
        self._compared_at = float("inf")  # never before the first `check`
        self._lacks_choices = False
        self._chosen = 0
        """The last change of people's choices known to be in the recovery journal."""
        self._commits = count(1)
        self.last_commit = 0
        self._snapshots = Snapshots()
        self.public_documents = PublicDocuments(
            lambda: published_store(self.engine, lambda: self.last_commit),
            self.anchors,
            self.addresses,
            clock,
            self._check_shown,
            self.object_store or InDatabase(),
        )

    @property
    def artist(self) -> BadgeArtist:
        return _artist(TEMPLATES)

    @cached_property
    def passwords(self) -> PasswordHashes:
        return PasswordHashes()

    def migrate(self) -> None:
        user = make_url(self.settings.database_url).username or ""
        migrate(self.owner_url, granted_to=user if self.settings.owner_database_url else "")

    @property
    def owner_url(self) -> str:
        """The database as the owner of its tables, who migrates, backs up and restores."""
        owner = self.settings.owner_database_url
        if owner and not self.is_owned_at(owner):
            raise InvalidInput(
                "SCEAU_OWNER_DATABASE_URL et SCEAU_DATABASE_URL ne désignent pas la même base : rien n’a été fait."
            )
        return owner or self.settings.database_url

    def is_owned_at(self, url: str) -> bool:
        if make_url(url) == make_url(self.settings.database_url):
            return True
        is_postgresql = self.engine.dialect.name == make_url(url).get_backend_name() == "postgresql"
        return is_postgresql and is_database_at(self.engine, url)

    @property
    def bypasses_policies(self) -> bool:
        """Whether RLS is without effect on PostgreSQL: the role owns the tables, or bypasses RLS."""
        return self.engine.dialect.name == "postgresql" and not hold_back(self.engine)

    def check(self, *, writing: bool = True) -> None:
        """Refuses a database that is not durable, or with an unknown schema. `writing`: anchors catch up, and the
        clock is noted."""
        check_durable(self.engine)
        if self.is_ready():
            self.check_secrets()
            self.compare_with_anchors(thorough=True, writing=writing)
            if writing:
                self.observe_clock()

    def is_demo(self) -> bool:
        """Whether the database holds the demo, however the service was started."""
        if not self._is_demo:
            with self.unit_of_work(reading=True) as services:
                self._is_demo = services.campuses.were_created(by=DEMO)
        return self._is_demo

    def check_secrets(self) -> None:
        """Raises KekUnusable or SecretReplaced where this database is used with others."""
        with self.unit_of_work(reading=True) as services:
            services.signing.check_kek()
            services.signing.check_secret(self.secret)

    def compare_with_anchors(self, *, thorough: bool = False, writing: bool = True) -> Sequence[Behind]:
        """Data older here than what was published; rows of those campuses are refused until repaired."""
        self._compared_at = monotonic()
        with self._transaction(reading=True, guarded=False) as services:
            services.stores.tenant_scope.bypass()
            found = services.anchor_check.behind(thorough=thorough or self._differs)
            if not found and writing:
                self._catch_up(services, thorough=thorough)
            elif writing and self._begin_lacking(services, found):
                found = services.anchor_check.behind(thorough=True)
        self._differs = bool(found)
        # A line changed inside the log is not an older copy: the pages of its badges report it, and nothing
        # is appended.
        self.behind = {each.campus_id: each for each in found if each.older is not Older.LOG_OTHER}
        self._lacks_choices = any(each.older is Older.CHOICES for each in found)
        return found

    @staticmethod
    def _begin_lacking(services: Services, found: Sequence[Behind]) -> bool:
        """Where a copy is older and its journal of choices is lost: what was chosen since counts as lacking."""
        try:
            return any(each.older in RESTORED for each in found) and services.choice_journal.begin_lacking()
        except OSError as error:
            log.error("recovery journal not written", kind=type(error).__name__)
            return False

    def _catch_up(self, services: Services, *, thorough: bool) -> None:
        try:
            if thorough or self.anchors.failure or self.journal.failure:
                self.anchors.check_writable()
                services.journal_check.catch_up()
                self._chosen = services.choice_journal.catch_up()
            services.anchor_check.catch_up()
        except OSError as error:
            log.error("anchor not moved", kind=type(error).__name__)

    def check_not_behind(self, campus_id: uuid.UUID) -> None:
        """Raises OlderCopy for a campus with rows from an older copy of the database."""
        if campus_id in self.behind:
            raise OlderCopy

    async def _check_shown(self, award_id: uuid.UUID) -> None:
        """Applies the same check to reads without the ORM."""
        if self.behind:
            await to_thread(self._find_guarded, award_id)

    def _find_guarded(self, award_id: uuid.UUID) -> None:
        with self.visit(reading=True) as services:
            services.stores.awards.find(award_id)

    def observe_clock(self, *, writing: bool = True) -> Jump | None:
        """The clock jump that blocks all signing, stored for every process if `writing`; usually None."""
        with self.unit_of_work(reading=True) as services:
            is_due, jump = services.signing_clock.is_due(), services.signing_clock.jump()
        if not is_due or not writing:
            return jump
        with self.unit_of_work() as services:
            return services.signing_clock.observe()

    @property
    def undo_for(self) -> timedelta:
        return timedelta(minutes=self.settings.undo_minutes)

    def workflow_database(self) -> WorkflowDatabase:
        """Location of the workflow engine's own tables, ready for use."""
        place = WorkflowDatabase.beside(self.settings.database_url, self.settings.work_database_url)
        place.prepare()
        return place

    def is_ready(self) -> bool:
        """Whether the database answers, is restored whole, and has a schema that serves this program."""
        return is_serving(self.engine)

    def schema_state(self) -> SchemaState:
        return schema_state(self.engine)

    def waiting_migrations(self) -> Sequence[Migration]:
        return waiting_migrations(self.engine)

    @contextmanager
    def unit_of_work(self, *, reading: bool = False, snapshot: Snapshot = UNSHARED) -> Iterator[Services]:
        """Services over one transaction: committed at the end, rolled back on any error.

        For workers and commands, which process all campuses. `snapshot`: as in `visit`, its own.
        """
        with self._transaction(reading=reading, snapshot=snapshot) as services:
            services.stores.tenant_scope.bypass()
            yield services

    @contextmanager
    def visit(
        self,
        *,
        reading: bool = False,
        campus_id: uuid.UUID | None = None,
        person_id: uuid.UUID | None = None,
        snapshot: Snapshot = UNSHARED,
    ) -> Iterator[Services]:
        """The same for external requests: until it enters a campus, it reads only public rows.

        With a `snapshot`, data shared by its readers is read once.
        """
        with self._transaction(reading=reading, snapshot=snapshot) as services:
            if campus_id is not None:
                services.enter(campus_id, person_id)
            yield services

    def put_back(self, campus: Campus, reason: str, *, by: Actor) -> Restored:
        """Restores the recovery journal, one transaction per frame; resumable."""
        done = Restored()
        with self.repair() as services:
            services.restoring.begin(campus)
            done.erased = services.restoring.erased_since(campus)
            frames = services.restoring.frames(campus, services.stores.activity_log.find(campus.id))
        for frame in frames:
            with self.repair() as services:
                services.restoring.replay(campus, frame, done, services.restored_erasures, by=by)
        with self.repair() as services:
            services.restoring.finish(campus, reason, done, by=by)
            done.unstated = services.suspensions.state_again(campus, done.suspended, by=by)
        with self.repair() as services:
            services.restoring.erase_due(campus, done, services.restored_erasures, by=by)
        self.restart_feeds()
        if has_only_choices_left(self.compare_with_anchors(thorough=True)):
            done.choices = self.put_back_choices(reason, by=by)
        return done

    def restart_feeds(self) -> None:
        """After a restore, no program continues with a cursor of before, and no move of signed bytes either."""
        with self.repair() as services:
            services.stores.integration.restart_all()
            services.stores.signed_bytes.forget_moves()

    def put_back_choices(self, reason: str, *, by: Actor) -> ChoicesRestored:
        """Once every campus has its awards again: choices are about awards of any of them."""
        with self.repair() as services:
            done = services.restoring.put_back_choices(list(self.behind), reason, by=by)
        self.compare_with_anchors(thorough=True)
        return done

    @contextmanager
    def repair(self, *, reading: bool = False) -> Iterator[Services]:
        """A unit of work over rows of an older copy, which every other unit of work refuses."""
        with self._transaction(reading=reading, guarded=False) as services:
            services.stores.tenant_scope.bypass()
            yield services

    @contextmanager
    def _transaction(
        self, *, reading: bool, guarded: bool = True, snapshot: Snapshot = UNSHARED
    ) -> Iterator[Services]:
        if guarded and monotonic() - self._compared_at > (_AGAIN if self.behind else _COMPARED_EVERY):
            self.compare_with_anchors()
        try:
            with open_session(self.engine, reading=reading) as session, _whole(session, snapshot):
                if guarded and self.behind:
                    people_too = (Portfolio, Endorsement) if self._lacks_choices else ()
                    refuse_rows_of(session, self.behind.keys(), OlderCopy, also=people_too)
                watch = (
                    ChoiceWatch(session, lambda: self._chosen, self._check_choices)
                    if guarded and not reading
                    else None
                )
                if not reading:
                    ChangeWatch(session, self.clock)
                with services_over(session, self._lent, snapshot) as services:
                    yield services
                    is_undone = services.is_undone
                if is_undone:
                    session.rollback()
        except ClockJumped:
            self.observe_clock()
            raise
        if reading or services.is_undone:
            return
        self.last_commit = next(self._commits)
        services.settle()
        if watch is not None and watch.has_noted:
            self._journal_choices()

    def _check_choices(self) -> None:
        if self._lacks_choices:
            raise OlderCopy

    def _journal_choices(self) -> None:
        try:
            with self._transaction(reading=True, guarded=False) as services:
                services.stores.tenant_scope.bypass()
                self._chosen = services.choice_journal.append_after(self._chosen)
        except OSError as error:
            # Committed anyway; the next comparison appends it.
            log.error("recovery journal not written", kind=type(error).__name__)

    async def snapshot(self) -> Snapshot | None:
        """Current snapshot, for a transaction that begins later; None where the database has no version, or
        is an older copy of itself, of which some campuses are refused."""
        version = await self.public_documents.version()
        return None if version is None or self.behind else self._snapshots.of(version, self.clock())

    @property
    def _lent(self) -> ProcessContext:
        return ProcessContext(
            self.settings,
            self.clock,
            self.addresses,
            self.secret,
            self.vault,
            self.anchors,
            self.journal,
            lambda: self.artist,
            lambda: read_models(TEMPLATES),
            lambda: _papers(TEMPLATES),
            self.codes,
            self.beyond,
            self.renew_list,
            self.shelf,
            self.facets,
            self.counter,
            self._label_of_service,
            self.mail_identity,
            self.mail_records,
            self.webhook_client,
            self.object_store or InDatabase(),
        )

    def _label_of_service(self, issuer: str) -> str:
        """For a service no longer configured, its host."""
        labels = {each.issuer: each.label for each in self.providers.values()}
        return labels.get(issuer) or urlsplit(issuer).netloc

    @property
    def post(self) -> Post:
        return Post(self._letter_desk, self.mailer)

    @contextmanager
    def _letter_desk(self, reading: bool) -> Iterator[LetterService]:
        with self.unit_of_work(reading=reading) as services:
            yield services.letters

    @property
    def webhook_sender(self) -> WebhookSender:
        return WebhookSender(self._webhook_desk, self.webhook_client)

    @contextmanager
    def _webhook_desk(self, reading: bool) -> Iterator[WebhookService]:
        with self.unit_of_work(reading=reading) as services:
            yield services.webhooks

    def bytes_mover(self, objects: ObjectStore) -> BytesMover:
        keep_for = timedelta(days=self.settings.recovery_days)
        return BytesMover(self._bytes_desk, objects, self.clock, keep_for, note_moved)

    @contextmanager
    def _bytes_desk(self, reading: bool) -> Iterator[SignedBytesStore]:
        with self.unit_of_work(reading=reading) as services:
            yield services.stores.signed_bytes

    def align_award(self, award_id: uuid.UUID) -> None:
        """Signs an award again with what its holder shows, in its own transaction."""
        with self.unit_of_work() as services:
            services.reissuing.align(award_id, by=Actor.command("align"))

    def write_page_views(self) -> None:
        """Writes what was counted since the last call; counted again later where the database refuses it."""
        counts = self.page_views.take()
        if not counts:
            return
        try:
            with self.unit_of_work() as services:
                services.page_views.add(counts)
        except (IntegrityError, OperationalError) as error:
            self.page_views.put_back(counts)
            log.error("page views not written", kind=type(error).__name__)

    def read_facets(self) -> None:
        """Of the whole catalogue, for the searches of this process; the first search does it where this fails."""
        try:
            with self.unit_of_work(reading=True) as services:
                services.catalogue.search(CatalogueQuery())
        except SQLAlchemyError as error:
            log.error("facets not read", kind=type(error).__name__)

    def renew_list(self, list_id: uuid.UUID) -> SignedList:
        """Signs a status list again, in its own transaction."""
        with self.unit_of_work() as services:
            return services.status.refresh(list_id)


def _whole(session: Session, snapshot: Snapshot) -> AbstractContextManager[object]:
    """Committed at the end; a snapshot only reads, so it has nothing left to commit when the session
    closes."""
    return nullcontext() if snapshot.is_shared else session.begin()


@cache
def _artist(templates: Path) -> BadgeArtist:
    # Parsing the typefaces takes a quarter of a second: once per process.
    return BadgeArtist(templates)


@cache
def _papers(templates: Path) -> Papers:
    return Papers(templates)


def _limiter_of(settings: Settings, key: bytes, clock: Clock) -> Limiter:
    """Shared by all workers: in the database, unless the operator configures another store."""
    where = settings.limits or ("database" if settings.workers > 1 else "memory")
    if where == "database":
        # Its own connections: a request that already holds a connection never waits for a second one here.
        return RateLimits(DatabaseCounts(open_engine(settings.database_url), clock), key)
    return limits_in("memory://" if where == "memory" else where, key)


_NEW_VALUES: Final = 20_000
"""Python's own 700 cost a quarter of the time that awarding to thousands takes; 200,000 took 200 ms of one request in twenty."""
_YOUNG_ROUNDS: Final = 50
_OLD_ROUNDS: Final = 100


def collect_rarely() -> None:
    """GC tuning for the whole process. Existing objects are treated as permanent, and not scanned again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_VALUES, _YOUNG_ROUNDS, _OLD_ROUNDS)
