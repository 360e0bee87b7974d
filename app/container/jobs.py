"""Integrity checks of everything signed: awards are split between processes, each with its own connection."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Engine

from app.adapters.folders.exported_sites import ExportFolder, FolderUnusable
from app.adapters.folders.log_files import FolderLog, WebLog, WitnessFolder, WitnessKeyUnusable
from app.adapters.folders.recovery_files import FolderDocuments
from app.adapters.picture_codes import PictureCodes, ReadCode
from app.adapters.secrets import make_secret_file
from app.adapters.web_documents import WebDocuments
from app.adapters.web_documents.url_policy import NetworkScope
from app.container.configured import object_store_of
from app.container.process import Process, utc_now
from app.container.stores import shared_between_processes, stores_over
from app.db.engine.session import open_engine, open_session
from app.domain.activity_log import Damage, FoundLeaf, IntegrityCheck
from app.domain.awards.signed_bytes import InDatabase, ObjectStore
from app.domain.campus.audit_log import Actor
from app.language import gettext as _
from app.services.activity_log.integrity import AFTER_AWARDS, AwardCheck, Issuers, Result, range_of
from app.services.activity_log.log_check import FAULTS
from app.services.activity_log.log_monitoring import LogSource
from app.services.verification.static_export import StaticEdition
from app.settings import Settings
from sceau_credentials.transparency_log.notes import Note
from sceau_credentials.values import DocumentSource

_WORTH_IT: Final = 2
"""Minimum steps per process, which takes a second to start."""
_ready: list[tuple[Engine, AwardCheck]] = []


class IntegrityRun:
    """One resumable check. Every step is recorded in its own transaction, so that it can be interrupted."""

    def __init__(self, process: Process, *, processes: int = 1) -> None:
        self.process = process
        self.processes = processes

    def begin(self, *, by: Actor, anew: bool = False) -> IntegrityCheck:
        with self.process.repair() as services:
            return services.integrity.begin(by=by, anew=anew)

    def run(self, check: IntegrityCheck) -> Iterator[IntegrityCheck]:
        """Yields the check after each of its steps."""
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
        settings, bounds = self.process.settings, [(step, ranges) for step in steps]
        if self.processes < 2 or len(bounds) <= _WORTH_IT:
            _open(settings, issuers, self.process.object_store)
            try:
                yield from map(_check, bounds)
            finally:
                _ready.pop()[0].dispose()
            return
        context = get_context("spawn")
        with ProcessPoolExecutor(
            self.processes, context, initializer=_open, initargs=(settings, issuers)
        ) as pool:
            yield from pool.map(_check, bounds)

    def _logs(self) -> Iterator[FoundLeaf]:
        spans = shared_between_processes(self.process.settings.database_url, self.processes)
        with self.process.repair(reading=True) as services:
            for log in services.log_watch.logs():
                for fault in services.log_watch.check(log, spans):
                    said = _(FAULTS[fault.fault]).format(where=fault.where)
                    yield FoundLeaf(Damage.LOG, log.origin, said)


def _open(settings: Settings, issuers: Issuers, objects: ObjectStore | None = None) -> None:
    elsewhere = objects or object_store_of(settings) or InDatabase()
    _ready.append((open_engine(settings.database_url), AwardCheck(issuers, elsewhere)))


def _check(bounds: tuple[int, int]) -> Result:
    engine, check = _ready[-1]
    first, last = range_of(*bounds)
    with open_session(engine, reading=True) as session, session.begin(), stores_over(session) as stores:
        stores.tenant_scope.bypass()
        return check.check(stores.integrity, first, last)


WITNESS_KEY_UNUSABLE = WitnessKeyUnusable
FOLDER_UNUSABLE = FolderUnusable


def documents_in(folder: Path) -> DocumentSource:
    """Key documents and status lists stored as files, for offline verification."""
    return FolderDocuments(folder)


def seen_in_pages(file: bytes) -> ReadCode:
    """The visible text of a PDF, pages separated by form feeds; extracted in a separate process."""
    return PictureCodes().inspect(file)


def static_edition(folder: Path) -> StaticEdition:
    return StaticEdition(ExportFolder(folder))


def make_kek(path: Path) -> None:
    """Writes a new key-encryption key to its own file; an existing file is unchanged."""
    make_secret_file(path)


def witness_folder(folder: Path) -> WitnessFolder:
    return WitnessFolder(folder)


def log_at(where: str, settings: Settings) -> LogSource:
    """An external activity log: a URL, or a folder with its files."""
    return WebLog(_documents(settings), where) if "://" in where else FolderLog(Path(where))


def hand_in(where: str, slug: str, note: Note, settings: Settings) -> int:
    """The HTTP status of the campus's service for a cosigned checkpoint."""
    parts = urlsplit(where)
    url = f"{parts.scheme}://{parts.netloc}/api/v1/campuses/{slug}/log/cosignatures"
    body = json.dumps({"checkpoint": note.to_text()}).encode()
    return _documents(settings).post(url, body).status


def _documents(settings: Settings) -> WebDocuments:
    reach = NetworkScope(settings.ports_to_fetch_from, settings.local_ports_to_fetch_from)
    return WebDocuments(clock=utc_now, reach=reach)
