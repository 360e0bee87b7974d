"""Job types, and the polls that start them; the first aligns signed documents with what their holders show."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from app.container import IntegrityRun, Process, Services
from app.domain.activities.files import ScannerSilent
from app.domain.campus.audit_log import Actor
from app.services.awards.signed_bytes import Batch
from app.services.people.names import AgeBands

# --- Polls for due rows once a minute, where a sweep every second would cost more than it gains


POLL_INTERVAL: Final = timedelta(minutes=1)


class PollThrottle:
    def __init__(self, due: Callable[[Services], Sequence[uuid.UUID]]) -> None:
        self._due = due
        self._looked_at: dict[int, datetime] = {}

    def due(self, process: Process) -> Sequence[uuid.UUID]:
        now, looked_at = process.clock(), self._looked_at.get(id(process))
        if looked_at is not None and looked_at <= now < looked_at + POLL_INTERVAL:
            return []
        self._looked_at[id(process)] = now
        with process.unit_of_work(reading=True) as services:
            return self._due(services)


@dataclass(frozen=True)
class JobType:
    """One job type.

    `due` returns the pending rows, the oldest first, some hundreds at most. `perform` processes one chunk of
    a row in its own units of work, and returns whether more is left. It must be idempotent, even in two
    workers at once: the row decides.
    """

    name: str
    due: Callable[[Process], Sequence[uuid.UUID]]
    perform: Callable[[Process, uuid.UUID], bool]
    at_once: int = 2
    """Concurrency of the job type in one worker."""


MOST_DUE = 200


# --- Job types; the first aligns signed documents with what their holders show


_BY = Actor.command("align")


def align_some(process: Process, campus_id: uuid.UUID) -> bool:
    """The next chunk of one campus, in its tenant scope; the rows themselves record what is left."""
    with process.visit(campus_id=campus_id) as services:
        return services.award_alignment.align_some(campus_id, by=_BY) > 0


ALIGNMENTS = JobType(
    "align", PollThrottle(lambda services: services.award_alignment.campuses_due()).due, align_some, at_once=1
)


def _looking(due: Callable[[Services], Sequence[uuid.UUID]]) -> Callable[[Process], Sequence[uuid.UUID]]:
    def look(process: Process) -> Sequence[uuid.UUID]:
        with process.unit_of_work(reading=True) as services:
            return due(services)

    return look


def _in_one_transaction(
    piece: Callable[[Services, uuid.UUID], bool],
) -> Callable[[Process, uuid.UUID], bool]:
    def perform(process: Process, row_id: uuid.UUID) -> bool:
        with process.unit_of_work() as services:
            return piece(services, row_id)

    return perform


AWARDS = JobType(
    "award",
    _looking(lambda services: services.bulk_awards.due(limit=MOST_DUE)),
    _in_one_transaction(lambda services, batch: services.bulk_awards.process_chunk(batch).more),
)
UNDOINGS = JobType(
    "undo",
    _looking(lambda services: services.award_batches.due_to_undo(limit=MOST_DUE)),
    _in_one_transaction(lambda services, batch: services.award_batches.undo_chunk(batch)),
)
WITHDRAWALS = JobType(
    "withdraw",
    _looking(lambda services: services.withdrawals.due(limit=MOST_DUE)),
    _in_one_transaction(lambda services, withdrawal: services.withdrawals.process_chunk(withdrawal)),
)
SUSPENSIONS = JobType(
    "suspension",
    PollThrottle(lambda services: services.suspensions.due(limit=MOST_DUE)).due,
    _in_one_transaction(lambda services, award: services.suspensions.end(award)),
    at_once=1,
)
"""Their ends, written into the lists within a minute."""


class _Checking(Protocol):
    def due(self, *, limit: int) -> Sequence[uuid.UUID]: ...
    def evaluate(self, row_id: uuid.UUID, /) -> Any: ...
    def note(self, row_id: uuid.UUID, result: Any, /) -> None: ...


def _checked_elsewhere(name: str, service_in: Callable[[Services], _Checking]) -> JobType:
    """Other services are called outside any transaction, so that no lock is held; one at a time, as they may
    be slow and the result is not urgent."""

    def perform(process: Process, row_id: uuid.UUID) -> bool:
        with process.unit_of_work(reading=True) as services:
            result = service_in(services).evaluate(row_id)
        if result is not None:
            with process.unit_of_work() as services:
                service_in(services).note(row_id, result)
        return False

    due = PollThrottle(lambda services: service_in(services).due(limit=MOST_DUE)).due
    return JobType(name, due, perform, at_once=1)


IMPORTED_BADGES = _checked_elsewhere("brought-badge", lambda services: services.imported_badges)
ENDORSEMENTS = _checked_elsewhere("endorsement", lambda services: services.endorsements_checked_again)


FILE_SCAN_INTERVAL = timedelta(seconds=30)
_FILES_BY = Actor.command("worker")


class _Waiting:
    """Polled twice a minute: an unavailable scanner is not contacted every second."""

    def __init__(self) -> None:
        self._looked_at: dict[int, datetime] = {}

    def due(self, process: Process) -> Sequence[uuid.UUID]:
        now, looked_at = process.clock(), self._looked_at.get(id(process))
        if looked_at is not None and looked_at <= now < looked_at + FILE_SCAN_INTERVAL:
            return []
        self._looked_at[id(process)] = now
        with process.unit_of_work(reading=True) as services:
            return services.files.waiting()


def scan(process: Process, file_id: uuid.UUID) -> bool:
    """The scanner is called between two transactions, so that it never blocks writers."""
    with process.unit_of_work(reading=True) as services:
        content = services.files.to_scan(file_id)
    if content is None:
        return False
    try:
        clean = process.intake.scanner is None or process.intake.scanner.is_clean(content)
    except ScannerSilent:
        return False
    with process.unit_of_work() as services:
        services.files.scanned(file_id, clean=clean, by=_FILES_BY)
    return False


SCANS = JobType("file-scan", _Waiting().due, scan, at_once=1)


FORGETTING_EVERY = timedelta(minutes=15)


class Imports:
    """Imports are polled at each sweep; expired ones are deleted every 15 minutes, since retention is counted
    in hours."""

    def __init__(self) -> None:
        self._looked_at: datetime | None = None

    def due(self, process: Process) -> Sequence[uuid.UUID]:
        now = process.clock()
        if self._looked_at is None or not self._looked_at <= now < self._looked_at + FORGETTING_EVERY:
            self._looked_at = now
            with process.unit_of_work() as services:
                services.imports.forget_old()
                services.form_drafts.forget_old()
                services.wallets.forget_old()
        with process.unit_of_work(reading=True) as services:
            return services.imports.due(limit=MOST_DUE)

    @staticmethod
    def process_chunk(process: Process, run_id: uuid.UUID) -> bool:
        with process.unit_of_work() as services:
            return services.imports.process_chunk(run_id)


_imports = Imports()
IMPORTS = JobType("import", _imports.due, _imports.process_chunk)


_INTEGRITY_BY = Actor.command("worker")
EVERYTHING: Final = uuid.UUID(int=1)


def _integrity_due(services: Services) -> list[uuid.UUID]:
    return [EVERYTHING] if services.integrity.is_due() else []


def check_some(process: Process, _row_id: uuid.UUID) -> bool:
    run = IntegrityRun(process)
    check = run.begin(by=_INTEGRITY_BY)
    return run.one_step(check).done_at is None


INTEGRITY = JobType("integrity", PollThrottle(_integrity_due).due, check_some, at_once=1)


REMINDER_CHECK_INTERVAL = timedelta(minutes=15)


def _send(process: Process, envelope: uuid.UUID) -> bool:
    process.post.send(envelope)
    return False


class Reminders:
    """Polled every 15 minutes: due dates are in days, and a poll reads the e-mails of two months."""

    def __init__(self) -> None:
        self._looked_at: datetime | None = None

    def due(self, process: Process) -> list[uuid.UUID]:
        now = process.clock()
        if process.mailer is None or (
            self._looked_at and self._looked_at <= now < self._looked_at + REMINDER_CHECK_INTERVAL
        ):
            return []
        self._looked_at = now
        with process.unit_of_work(reading=True) as services:
            return services.reminders.campuses_due()

    @staticmethod
    def enqueue(process: Process, campus_id: uuid.UUID) -> bool:
        with process.unit_of_work() as services:
            return services.reminders.enqueue(campus_id)


_reminders = Reminders()
LETTERS = JobType("letter", lambda process: process.post.others(), _send)
AWAITED_LETTERS = JobType("awaited-letter", lambda process: process.post.awaited(), _send)
"""With threads of their own: a slow mail server or a thousand notices do not delay a sign-in."""
REMINDERS = JobType("reminders", _reminders.due, _reminders.enqueue, at_once=1)


SIGNED_EVERY: Final = timedelta(minutes=5)
_LOGS_BY = Actor.command("worker")


def _sign(process: Process, campus_id: uuid.UUID) -> bool:
    with process.unit_of_work() as services:
        services.log_watch.sign(campus_id)
    return False


def _reviews_due(process: Process) -> Sequence[uuid.UUID]:
    with process.unit_of_work(reading=True) as services:
        return services.log_watch.reviews_due()


def _review(process: Process, log_id: uuid.UUID) -> bool:
    """Reading may take a minute or two, outside the writing transaction so that it never blocks writers."""
    with process.unit_of_work(reading=True) as services:
        log, since = services.log_watch.log(log_id), services.log_watch.start_of_review(log_id)
        faults = services.log_watch.check(log, since=since)
    with process.unit_of_work() as services:
        services.log_watch.note_review(log, faults, since=since, by=_LOGS_BY)
    return False


# A minute less than the cadence: a log that cannot be signed is reported once a minute, not every second.
_unsigned = PollThrottle(
    lambda services: services.log_watch.unsigned(for_so_long=SIGNED_EVERY - POLL_INTERVAL)
)
CHECKPOINTS = JobType("checkpoint", _unsigned.due, _sign, at_once=1)
REVIEWS = JobType("log-review", _reviews_due, _review, at_once=1)


REQUEST_CHECK_INTERVAL = timedelta(minutes=15)


class ReviewReminders:
    """Polled every 15 minutes: due dates are in days."""

    def __init__(self) -> None:
        self._looked_at: datetime | None = None

    def due(self, process: Process) -> list[uuid.UUID]:
        now = process.clock()
        if self._looked_at and self._looked_at <= now < self._looked_at + REQUEST_CHECK_INTERVAL:
            return []
        self._looked_at = now
        with process.unit_of_work() as services:
            services.reviewing.forget_unconfirmed()
            services.private_looks.forget_old()
            services.contributions.forget_closed()
        if process.mailer is None:
            return []
        with process.unit_of_work(reading=True) as services:
            return services.reviewing.campuses_due()

    @staticmethod
    def enqueue(process: Process, campus_id: uuid.UUID) -> bool:
        with process.unit_of_work() as services:
            services.reviewing.remind(campus_id)
        return False


_requests_reminders = ReviewReminders()
REVIEW_REMINDERS = JobType(
    "review-reminders", _requests_reminders.due, _requests_reminders.enqueue, at_once=1
)


class ChildrenTexts:
    """Once a day, and once a worker starts: texts about children that no earlier check had searched."""

    def __init__(self) -> None:
        self._searched_at: dict[int, datetime] = {}

    def due(self, process: Process) -> Sequence[uuid.UUID]:
        now, before = process.clock(), self._searched_at.get(id(process))
        if before is not None and before <= now < before + timedelta(days=1):
            return []
        self._searched_at[id(process)] = now
        return [EVERYTHING]

    @staticmethod
    def search(process: Process, _: uuid.UUID) -> bool:
        for search in (AgeBands.search_words, AgeBands.search_portfolios):
            after: uuid.UUID | None = uuid.UUID(int=0)
            while after is not None:
                with process.unit_of_work() as services:
                    after = search(services.age_bands, after=after, by=_TEXTS_BY)
        return False


_TEXTS_BY = Actor.command("worker")
_texts = ChildrenTexts()
CHILDREN_TEXTS = JobType("children-texts", _texts.due, _texts.search, at_once=1)

RETENTION_INTERVAL: Final = timedelta(hours=1)

"""There is one job, for all overdue rows."""


class _Overdue:
    """Polled once an hour: retention is counted in days."""

    def __init__(self) -> None:
        self._looked_at: dict[int, datetime] = {}

    def due(self, process: Process) -> Sequence[uuid.UUID]:
        now, looked_at = process.clock(), self._looked_at.get(id(process))
        if looked_at is not None and looked_at <= now < looked_at + RETENTION_INTERVAL:
            return []
        self._looked_at[id(process)] = now
        with process.unit_of_work(reading=True) as services:
            return [EVERYTHING] if services.retention.is_due() else []


def delete_some(process: Process, _: uuid.UUID) -> bool:
    with process.unit_of_work() as services:
        return services.retention.delete_some()


RETENTION = JobType("retention", _Overdue().due, delete_some, at_once=1)


_calendars = PollThrottle(lambda services: services.calendar_subscriptions.due(limit=MOST_DUE))


def _read_calendar(process: Process, calendar_id: uuid.UUID) -> bool:
    """The other service is asked outside any writing transaction, so that no lock is held."""
    with process.unit_of_work(reading=True) as services:
        fetched = services.calendar_subscriptions.fetch(calendar_id)
    if fetched is not None:
        with process.unit_of_work() as services:
            services.calendar_subscriptions.note(calendar_id, fetched)
    return False


CALENDARS = JobType("calendar", _calendars.due, _read_calendar, at_once=1)
_catalogue = PollThrottle(lambda services: services.catalogue.due())
_own = PollThrottle(lambda services: services.register.due())
_followed = PollThrottle(lambda services: services.followed_lists.due())


def _renew(process: Process, network_id: uuid.UUID) -> bool:
    with process.unit_of_work() as services:
        services.register.renew(network_id)
    return False


def _read(process: Process, list_id: uuid.UUID) -> bool:
    """The other service is called outside any transaction, so that no lock is held."""
    with process.unit_of_work(reading=True) as services:
        fetched = services.followed_lists.fetch(list_id)
    with process.unit_of_work() as services:
        services.followed_lists.note(list_id, fetched)
    return False


OWN_LISTS = JobType("trust-list", _own.due, _renew, at_once=1)
FOLLOWED_LISTS = JobType("followed-list", _followed.due, _read, at_once=1)


def _derive(process: Process, campus_id: uuid.UUID) -> bool:
    with process.unit_of_work() as services:
        services.catalogue.refresh(campus_id)
    return False


_pathways = PollThrottle(lambda services: [EVERYTHING] if services.pathway_followers.due() else [])


def _refresh_pathways(process: Process, _: uuid.UUID) -> bool:
    """Each chunk marks what it computed, so that it ends."""
    with process.unit_of_work() as services:
        due = services.pathway_followers.due()
        services.pathway_followers.refresh(due)
    return bool(due)


WEBHOOKS = JobType(
    "webhook",
    lambda process: process.webhook_sender.due(limit=MOST_DUE) if process.settings.webhooks else [],
    lambda process, webhook_id: process.webhook_sender.send_some(webhook_id),
    at_once=4,
)


_counts = PollThrottle(lambda services: [EVERYTHING] if services.reports.is_recount_due() else [])
COUNTS = JobType(
    "counts",
    _counts.due,
    _in_one_transaction(lambda services, _: services.reports.recount_some()),
    at_once=1,
)
PATHWAYS = JobType("pathways", _pathways.due, _refresh_pathways, at_once=1)
CATALOGUE = JobType("catalogue", _catalogue.due, _derive, at_once=1)


class _OldBytes:
    """Moves old signed bytes to the object store, and removes the objects of what was erased; polled once a minute."""

    def __init__(self) -> None:
        self._looked_at: dict[int, datetime] = {}
        self._refused: dict[tuple[uuid.UUID, int], str] = {}
        """Documents that stay in their rows, known to this worker."""

    def due(self, process: Process) -> Sequence[uuid.UUID]:
        now, looked_at = process.clock(), self._looked_at.get(id(process))
        if process.object_store is None or (
            looked_at is not None and looked_at <= now < looked_at + POLL_INTERVAL
        ):
            return []
        self._looked_at[id(process)] = now
        mover = process.bytes_mover(process.object_store)
        return [EVERYTHING] if mover.is_due(_age_to_move(process), besides=self._refused) else []

    def perform(self, process: Process, _: uuid.UUID) -> bool:
        if process.object_store is None:
            return False
        mover, age = process.bytes_mover(process.object_store), _age_to_move(process)
        removed = mover.remove_some()
        batch = mover.move_some(process.clock() - age, besides=self._refused) if age else Batch()
        self._refused |= batch.refused
        return bool(removed or batch.documents)


def _age_to_move(process: Process) -> timedelta:
    return timedelta(days=process.settings.object_store_after_days)


_old_bytes = _OldBytes()
OLD_BYTES = JobType("old-bytes", _old_bytes.due, _old_bytes.perform, at_once=1)
