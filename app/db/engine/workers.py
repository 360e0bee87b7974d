"""Workers' signs of life, and where the workflow engine keeps its own tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlmodel import Session, select

from app.db.engine.session import keep_private
from app.domain.core.workers import WorkerBeat

WORK_SCHEMA = "sceau_work"


class WorkerStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def keep(self, beat: WorkerBeat) -> None:
        self.session.merge(beat)
        self.session.flush()

    def list_all(self) -> Sequence[WorkerBeat]:
        return self.session.exec(select(WorkerBeat)).all()

    def remove(self, worker_id: str) -> None:
        beat = self.session.get(WorkerBeat, worker_id)
        if beat is not None:
            self.session.delete(beat)
            self.session.flush()


@dataclass(frozen=True)
class WorkflowDatabase:
    """On SQLite a file beside the application's; on PostgreSQL a schema of its own in the same database."""

    url: str
    schema: str = WORK_SCHEMA

    @staticmethod
    def beside(database_url: str, chosen: str = "") -> WorkflowDatabase:
        """`chosen` is another place that the operator prefers."""
        url = make_url(chosen or database_url)
        if url.get_backend_name() == "sqlite" and not chosen:
            path = Path(str(url.database))
            url = url.set(database=str(path.with_name(f"{path.stem}-work{path.suffix or '.sqlite'}")))
        return WorkflowDatabase(url.render_as_string(hide_password=False))

    def prepare(self) -> None:
        """Readers of a SQLite file must not wait for its writers."""
        url = make_url(self.url)
        if url.get_backend_name() != "sqlite":
            return
        keep_private(Path(str(url.database)))
        connection = sqlite3.connect(str(url.database), timeout=30)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        finally:
            connection.close()
