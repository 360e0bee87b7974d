"""Two releases work on one PostgreSQL database while one replaces the other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import select

from app.db.engine.schema import SchemaState
from app.domain.activity_log import EntryKind, LogEntry
from app.domain.awards import Award, SignedDocument
from app.domain.awards.batches import BatchState
from app.domain.campus.audit_log import Actor
from app.domain.core import WorkerBeat
from app.services.awards.awards import AwardRequest
from tests.app.jobs.next_release import scripts_of_next_release
from tests.support.app import App, build_app, listed
from tests.support.databases.engines import as_owner

pytestmark = pytest.mark.postgres
THIS = ["-m", "app.cli"]
LONG_ENOUGH = 120.0


@pytest.fixture
def app(postgres_url: str, tmp_path: Path) -> Iterator[App]:
    # A clock of today, as the workers have.
    built = build_app(postgres_url, tmp_path, base_url="http://localhost:8765", at=datetime.now(UTC))
    yield built
    built.close()


def later(folder: Path) -> list[str]:
    return ["-m", "tests.app.jobs.next_release", str(scripts_of_next_release(folder))]


def environment(app: App) -> dict[str, str]:
    settings = app.process.settings
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("SCEAU_")},
        "SCEAU_BASE_URL": settings.base_url,
        "SCEAU_DATABASE_URL": settings.database_url,
        "SCEAU_OWNER_DATABASE_URL": as_owner(settings.database_url),
        "SCEAU_DEVELOPMENT_DIR": str(settings.development_dir),
        "SCEAU_FETCH": "off",
        "SCEAU_LOCALE": "en",
    }


def run(app: App, release: list[str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *release, *command], env=environment(app), capture_output=True, text=True, timeout=LONG_ENOUGH
    )  # fmt: skip


@contextmanager
def worker(app: App, release: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Of that release, alive; stopped in good order."""
    process = subprocess.Popen([sys.executable, *release, "work"], env=environment(app))
    try:
        until(lambda: process.pid in beats(app))
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(LONG_ENOUGH)


def beats(app: App) -> list[int]:
    with app.unit_of_work(reading=True) as services:
        return list(services.stores.session.exec(select(WorkerBeat.pid)).all())


def until(holds: Callable[[], bool]) -> None:
    deadline, pause = monotonic() + LONG_ENOUGH, threading.Event()
    while not holds():
        assert monotonic() < deadline, "it did not come about"
        pause.wait(0.05)


def request_awards(app: App, name: str, count: int) -> UUID:
    people = [f"{name}{number} Prénom;{name.lower()}{number}@exemple.fr" for number in range(count)]
    request = AwardRequest(app.presence.badge.id, app.activity.id, lines=listed(*people))
    with app.unit_of_work() as services:
        return services.bulk_awards.enqueue(
            app.campus, request, by=Actor(app.trainer.id), undo_for=timedelta()
        ).id


def is_done(app: App, batch_id: UUID) -> bool:
    with app.unit_of_work(reading=True) as services:
        return services.award_batches.overview(app.campus, batch_id).batch.state is BatchState.DONE


def test_workers_of_two_releases_share_the_work_and_lose_nothing(app: App, tmp_path: Path):
    next_release = later(tmp_path)
    with worker(app, THIS):
        before = request_awards(app, "Avant", 60)
        # In the middle of its work, perhaps: the migration waits for its transactions, and they for it.
        migrated = run(app, next_release, "migrate")
        assert migrated.returncode == 0, migrated.stderr
        assert app.process.schema_state() is SchemaState.SERVING
        alone = request_awards(app, "Ancien", 15)
        until(lambda: is_done(app, before) and is_done(app, alone))
        with worker(app, next_release):
            both = [request_awards(app, f"Ensemble{letter}", 15) for letter in "abc"]
            until(lambda: all(is_done(app, each) for each in both))
    with worker(app, next_release):
        after = request_awards(app, "Nouveau", 5)
        until(lambda: is_done(app, after))
    with app.unit_of_work(reading=True) as services:
        session = services.stores.session
        people = Counter(session.exec(select(Award.person_id)).all())
        logged = session.exec(select(LogEntry.number).where(LogEntry.kind == EntryKind.AWARD)).all()
        signed = session.exec(select(SignedDocument.award_id)).all()
    count = 60 + 15 + 3 * 15 + 5
    assert (len(people), set(people.values())) == (count, {1})
    assert len(logged) == count
    assert len(set(signed)) == count


def test_a_migration_gives_way_to_a_long_transaction_and_tries_again(app: App, tmp_path: Path):
    """Requests that queue behind it are answered meanwhile."""
    scripts = later(tmp_path)
    with app.owner.connect() as reader:
        reader.execute(text("SELECT count(*) FROM award"))
        migrating = subprocess.Popen(
            [sys.executable, *scripts, "migrate"], env=environment(app), stderr=subprocess.PIPE, text=True
        )
        until(lambda: waits_for_a_lock(app))
        until(lambda: not waits_for_a_lock(app))
        assert migrating.poll() is None
        assert app.process.schema_state() is SchemaState.CURRENT
    assert migrating.communicate(timeout=LONG_ENOUGH)[1].strip() == "The database is ready."
    assert app.process.schema_state() is SchemaState.SERVING


def waits_for_a_lock(app: App) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with app.owner.connect() as connection:
        return bool(connection.execute(text(query)).scalar_one())
