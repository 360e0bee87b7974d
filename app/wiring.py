"""Hand each service the stores, keys and clock it works with; a unit of work is one transaction."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from app.adapters.badge_pictures import BadgeArtist
from app.adapters.folder_documents import FolderDocuments
from app.adapters.key_vault import Kek, KekUnusable, KeyVault, kek_from, make_secret_file
from app.adapters.log_anchors import FolderAnchors
from app.adapters.mailer import SmtpMailer, TerminalMailer
from app.adapters.password_hashes import PasswordHashes
from app.adapters.rate_limits import LimitsUnusable, RateLimits, limits_in
from app.adapters.sealed_words import SealedWords
from app.adapters.web_documents import Reach, WebDocuments
from app.credentials.documents import DocumentSource, NoDocuments
from app.db.access import AccessStore
from app.db.activities import ActivityStore
from app.db.activity_log import ActivityLogStore
from app.db.awards import AwardStore
from app.db.badges import BadgeStore
from app.db.batches import BatchStore
from app.db.campus import CampusStore
from app.db.claim_codes import ClaimCodeStore
from app.db.competencies import CompetencyStore
from app.db.directory import DirectoryStore
from app.db.history import HistoryStore
from app.db.letters import LetterStore
from app.db.migrations import is_current, upgrade
from app.db.passkeys import PasskeyStore
from app.db.people import PeopleStore
from app.db.published import published_store
from app.db.rates import DatabaseCounts
from app.db.reminders import ReminderStore
from app.db.session import NotDurable, check_durable, open_engine, open_session
from app.db.sessions import SessionStore
from app.db.sign_in import SignInStore
from app.db.status import StatusStore
from app.db.waiting import WaitingStore
from app.db.workers import WorkerStore, WorkflowDatabase
from app.domain.addresses import Addresses
from app.domain.clock import Clock
from app.domain.letters import Mailer
from app.domain.rates import Limiter
from app.domain.status import SignedList
from app.services.activities import ActivityService
from app.services.activity_log import ActivityLog
from app.services.award_batches import AwardBatchService
from app.services.award_keeping import AwardKeeping
from app.services.awarding import Judging
from app.services.awards import AwardService
from app.services.badges import BadgeService
from app.services.bulk_awards import BulkAwardService
from app.services.campuses import CampusService
from app.services.competencies import CompetencyService
from app.services.dashboard import DashboardService
from app.services.directory import DirectoryService
from app.services.handing_over import HandingOver
from app.services.letters import LetterService, Post, ReminderService
from app.services.older_badges import OlderBadges
from app.services.participants import ParticipantService
from app.services.people import PeopleService
from app.services.public_documents import PublicDocuments
from app.services.publication import PublicationService
from app.services.sessions import SessionService
from app.services.sign_in import SignInService
from app.services.signing import Signing
from app.services.status import StatusService
from app.services.verification import VerificationService
from app.services.withdrawals import WithdrawalService
from app.services.workers import WorkerService
from app.settings import Settings

CANNOT_START = (KekUnusable, LimitsUnusable, NotDurable)
"""Settings or a database that nothing may start on; the error's own sentence says what to do."""
DatabaseUnreachable = OperationalError

TEMPLATES = Path(__file__).resolve().parents[1] / "badge_templates"


@dataclass(frozen=True)
class Services:
    sessions: SessionService
    sign_in: SignInService
    people: PeopleService
    campuses: CampusService
    competencies: CompetencyService
    directory: DirectoryService
    dashboard: DashboardService
    badges: BadgeService
    activities: ActivityService
    activity_log: ActivityLog
    participants: ParticipantService
    awards: AwardService
    handing_over: HandingOver
    letters: LetterService
    reminders: ReminderService
    bulk_awards: BulkAwardService
    award_batches: AwardBatchService
    withdrawals: WithdrawalService
    status: StatusService
    publication: PublicationService
    older_badges: OlderBadges
    verification: VerificationService
    workers: WorkerService
    addresses: Addresses
    clock: Clock


def utc_now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


class Process:
    """What lives as long as the process: checked settings, engine, vault and artist.

    `on_promise` is called once something is promised and committed; a worker in the same process then looks at once.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock = utc_now,
        beyond: DocumentSource | None = None,
        mailer: Mailer | None = None,
        limiter: Limiter | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.beyond = beyond or _documents_of_others(settings, clock)
        self.addresses = Addresses(settings.base_url)
        self.mailer = mailer or _mailer_of(settings)
        self.secret, self.vault = _secret_of(settings), KeyVault(_kek_of(settings))
        self.engine = open_engine(settings.database_url)
        self.anchors = FolderAnchors(settings.log_anchors or settings.development_dir / "anchors")
        self.on_promise: Callable[[], None] = lambda: None
        self.limiter = limiter or _limiter_of(settings, self.secret, clock)
        self.public_documents = PublicDocuments(published_store(self.engine), self.addresses, clock)

    @property
    def artist(self) -> BadgeArtist:
        return _artist(TEMPLATES)

    @cached_property
    def passwords(self) -> PasswordHashes:
        return PasswordHashes()

    def migrate(self) -> None:
        upgrade(self.settings.database_url)

    def check(self) -> None:
        """Refuse to work on a database that may forget, or that this program does not know."""
        check_durable(self.engine)

    @property
    def undo_for(self) -> timedelta:
        return timedelta(minutes=self.settings.undo_minutes)

    def workflow_database(self) -> WorkflowDatabase:
        """Where the worker's engine keeps its own tables, ready for use."""
        place = WorkflowDatabase.beside(self.settings.database_url, self.settings.work_database_url)
        place.prepare()
        return place

    def is_ready(self) -> bool:
        """Whether the database answers and stands at the schema this program needs."""
        return is_current(self.engine)

    @contextmanager
    def unit_of_work(self, *, reading: bool = False) -> Iterator[Services]:
        """Services over one transaction: committed at the end, rolled back on any error."""
        with open_session(self.engine, reading=reading) as session, session.begin():
            people, access, campuses = PeopleStore(session), AccessStore(session), CampusStore(session)
            competencies, badges, activities = (
                CompetencyStore(session),
                BadgeStore(session),
                ActivityStore(session),
            )
            awards, statuses, history = AwardStore(session), StatusStore(session), HistoryStore(session)
            letters = LetterStore(session)
            clock, addresses = self.clock, self.addresses
            signing = Signing(campuses, self.vault)
            activity_log = ActivityLog(
                ActivityLogStore(session), campuses, signing, self.anchors, addresses, clock
            )
            status = StatusService(statuses, campuses, signing, addresses, clock)
            publication = PublicationService(
                campuses, badges, awards, status, signing, addresses, self.renew_list
            )
            older_badges = OlderBadges(publication, addresses)
            badge_service = BadgeService(badges, competencies, history, self.artist, addresses, clock)
            activity_service = ActivityService(activities, people, campuses, history, clock)
            judging = Judging(people, badges, activities, awards, activity_service, clock)
            life, idle = self.settings.session_life, self.settings.session_idle
            sessions = SessionService(
                SessionStore(session), people, PasskeyStore(session), history, life, idle, clock
            )
            people_service = PeopleService(
                people, access, sessions, campuses, awards, history, self.secret, clock
            )
            letter_service = LetterService(
                letters,
                awards,
                addresses,
                self.artist,
                self.secret,
                self.settings.letters_per_minute,
                clock,
            )
            batches = BatchStore(session)
            keeping = AwardKeeping(awards, letters, history, badge_service, status, signing, addresses, clock)
            bulk = BulkAwardService(campuses, batches, letters, history, judging, keeping, clock)
            batch_service = AwardBatchService(
                campuses, batches, badges, activities, awards, letters, history, status, clock
            )
            withdrawals = WithdrawalService(campuses, batches, awards, letter_service, history, status, clock)
            yield Services(
                sessions=sessions,
                sign_in=SignInService(SignInStore(session), sessions, people, history, self.secret, clock),
                people=people_service,
                campuses=CampusService(
                    campuses, badges, competencies, activities, awards, history, signing, addresses, clock
                ),
                competencies=CompetencyService(competencies, history, clock),
                dashboard=DashboardService(WaitingStore(session), campuses, badges, clock),
                directory=DirectoryService(DirectoryStore(session), people, badges, SealedWords(self.secret)),
                badges=badge_service,
                activities=activity_service,
                activity_log=activity_log,
                participants=ParticipantService(activity_service),
                awards=AwardService(
                    campuses, awards, history, judging, bulk, batch_service, withdrawals, clock
                ),
                bulk_awards=bulk,
                award_batches=batch_service,
                withdrawals=withdrawals,
                handing_over=HandingOver(
                    awards,
                    letters,
                    ClaimCodeStore(session),
                    people,
                    people_service,
                    history,
                    self.secret,
                    clock,
                ),
                letters=letter_service,
                reminders=ReminderService(
                    ReminderStore(session), letters, people, campuses, history, self.secret, clock
                ),
                status=status,
                publication=publication,
                older_badges=older_badges,
                verification=VerificationService(
                    awards, campuses, publication, older_badges, addresses, self.beyond, clock
                ),
                workers=WorkerService(WorkerStore(session), clock),
                addresses=addresses,
                clock=clock,
            )
        activity_log.settle()

    @property
    def post(self) -> Post:
        return Post(self._letter_desk, self.mailer)

    @contextmanager
    def _letter_desk(self, reading: bool) -> Iterator[LetterService]:
        with self.unit_of_work(reading=reading) as services:
            yield services.letters

    def renew_list(self, list_id: uuid.UUID) -> SignedList:
        """Sign a status list again, in a transaction of its own."""
        with self.unit_of_work() as services:
            return services.status.refresh(list_id)


@cache
def _artist(templates: Path) -> BadgeArtist:
    # Reading the typefaces takes a quarter of a second: once for the process is enough.
    return BadgeArtist(templates)


def _documents_of_others(settings: Settings, clock: Clock) -> DocumentSource:
    if not settings.fetch:
        return NoDocuments()
    reach = Reach(settings.ports_to_fetch_from, settings.local_ports_to_fetch_from)
    return WebDocuments(clock=clock, reach=reach)


def _mailer_of(settings: Settings) -> Mailer | None:
    """None where no letter can leave: pages then say so."""
    host = urlsplit(settings.base_url).hostname
    if settings.smtp_url:
        sender = settings.mail_from or f"sceau@{host}"
        return SmtpMailer(settings.smtp_url, sender=sender, ca_file=settings.smtp_ca_file)
    return TerminalMailer() if settings.is_local else None


def _limiter_of(settings: Settings, key: bytes, clock: Clock) -> Limiter:
    """Several workers count together: in the database, unless the operator names another place."""
    where = settings.limits or ("database" if settings.workers > 1 else "memory")
    if where == "database":
        # Connections of its own: a request that holds one of the others never waits here for a second.
        return RateLimits(DatabaseCounts(open_engine(settings.database_url), clock), key)
    return limits_in("memory://" if where == "memory" else where, key)


def _secret_of(settings: Settings) -> bytes:
    if settings.secret:
        return settings.secret.encode()
    path = settings.development_dir / "secret"
    make_secret_file(path)
    return base64.b64decode(path.read_text())


def _kek_of(settings: Settings) -> Kek:
    database = make_url(settings.database_url)
    is_file = database.get_backend_name() == "sqlite" and database.database not in (None, "", ":memory:")
    folder = Path(str(database.database)).resolve().parent if is_file else None
    if settings.kek:
        return kek_from(settings.kek, database_folder=folder)
    path = settings.development_dir / "kek"
    make_secret_file(path)
    return kek_from(f"file:{path}", database_folder=folder)


def documents_in(folder: Path) -> DocumentSource:
    """Key documents and status lists kept as files, for verifying without a network."""
    return FolderDocuments(folder)


def make_kek(path: Path) -> None:
    """A new key-encryption key in a file of its own; an existing file stays as it is."""
    make_secret_file(path)
