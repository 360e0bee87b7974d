"""Checks of everything that was signed: the awards shared between processes, each with a connection of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final

from sqlalchemy import Engine

from app.container.log_spans import shared_between_processes
from app.container.process import Process
from app.container.stores import Stores
from app.db.engine.session import open_engine, open_session
from app.domain.activity_log.integrity import Damage, Found, IntegrityCheck
from app.domain.campus.history import Actor
from app.language import gettext as _
from app.services.activity_log.check import FAULTS
from app.services.activity_log.integrity import AFTER_AWARDS, AwardCheck, Issuers, Result, range_of

_WORTH_IT: Final = 2
"""A process takes a second to start: so many steps it must have to do."""
_ready: list[tuple[Engine, AwardCheck]] = []


class IntegrityRun:
    """One check, from where it stands. Every step is noted in a transaction of its own, so that it can be interrupted."""

    def __init__(self, process: Process, *, processes: int = 1) -> None:
        self.process = process
        self.processes = processes

    def begin(self, *, by: Actor, anew: bool = False) -> IntegrityCheck:
        with self.process.repair() as services:
            return services.integrity.begin(by=by, anew=anew)

    def run(self, check: IntegrityCheck) -> Iterator[IntegrityCheck]:
        """The check after each of its steps."""
        ranges = check.steps - len(AFTER_AWARDS)
        waiting = range(check.done_steps, ranges)
        for step, result in zip(waiting, self._awards(waiting, ranges), strict=True):
            check = self._note(check, step, result)
            yield check
        while check.done_at is None:
            check = self.one_step(check)
            yield check

    def one_step(self, check: IntegrityCheck) -> IntegrityCheck:
        """The next step, in this process."""
        step, ranges = check.done_steps, check.steps - len(AFTER_AWARDS)
        if step < ranges:
            (result,) = self._awards([step], ranges)
        else:
            with self.process.repair(reading=True) as services:
                result = services.integrity.step(check, step, self._logs)
        return self._note(check, step, result)

    def _note(self, check: IntegrityCheck, step: int, result: Result) -> IntegrityCheck:
        with self.process.repair() as services:
            return services.integrity.note(check.id, step, result)

    def _awards(self, steps: Iterable[int], ranges: int) -> Iterator[Result]:
        with self.process.repair(reading=True) as services:
            issuers = services.integrity.issuers()
        url, bounds = self.process.settings.database_url, [(step, ranges) for step in steps]
        if self.processes < 2 or len(bounds) <= _WORTH_IT:
            _open(url, issuers)
            try:
                yield from map(_check, bounds)
            finally:
                _ready.pop()[0].dispose()
            return
        context = get_context("spawn")
        with ProcessPoolExecutor(self.processes, context, initializer=_open, initargs=(url, issuers)) as pool:
            yield from pool.map(_check, bounds)

    def _logs(self) -> Iterator[Found]:
        spans = shared_between_processes(self.process.settings.database_url, self.processes)
        with self.process.repair(reading=True) as services:
            for log in services.log_watch.logs():
                for fault in services.log_watch.check(log, spans):
                    said = _(FAULTS[fault.fault]).format(where=fault.where)
                    yield Found(Damage.LOG, log.origin, said)


def _open(database_url: str, issuers: Issuers) -> None:
    _ready.append((open_engine(database_url), AwardCheck(issuers)))


def _check(bounds: tuple[int, int]) -> Result:
    engine, check = _ready[-1]
    first, last = range_of(*bounds)
    with open_session(engine, reading=True) as session, session.begin():
        stores = Stores(session)
        stores.reach.everywhere()
        return check.check(stores.integrity, first, last)
