"""Worker heartbeats, and detection of dead workers."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from app.db.engine.session import WorkerStore
from app.domain.core import Clock, WorkerBeat, is_silent


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
