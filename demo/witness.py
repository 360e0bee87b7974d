"""The witness of the demo: monitors the log of each campus as another campus would, and cosigns it."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Final

import structlog

from app.container import WITNESS_KEY_UNUSABLE, Process, Services, witness_folder
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.errors import NotFound
from app.services.activity_log.log_monitoring import cosign_log
from app.settings import Settings
from sceau_credentials.errors import DocumentUnavailable
from sceau_credentials.transparency_log.notes import WitnessKey

LABEL: Final = "Témoin de la démonstration"
EVERY_SECONDS: Final = 60
_BY: Final = Actor.command("demo")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _OwnLog:
    """The files of a log as published, read without HTTP."""

    services: Services
    slug: str
    epoch: str

    def read(self, path: str) -> bytes:
        try:
            return self.services.log_publication.file(self.slug, self.epoch + path).document.body
        except NotFound as error:
            raise DocumentUnavailable(path, "not_found") from error


def cosign_logs(process: Process) -> int:
    """Signs and cosigns each log that grew since the last call; returns their number."""
    folder = process.settings.development_dir / "demo-witness"
    key = _key_in(folder)
    with process.unit_of_work(reading=True) as services:
        campuses = services.campuses.list_all()
    return sum(_cosign(process, campus, folder, key) for campus in campuses)


def keep_cosigning(settings: Settings) -> None:
    """Runs beside the server, until it ends."""
    Thread(target=_keep_cosigning, args=(settings,), name="demo-witness", daemon=True).start()


def _keep_cosigning(settings: Settings) -> None:
    process = Process(settings)
    while True:
        time.sleep(EVERY_SECONDS)
        try:
            cosign_logs(process)
        except Exception as error:  # retried a minute later
            _log.warning("the demo's witness saw nothing", why=type(error).__name__)


def _key_in(folder: Path) -> WitnessKey:
    memory = witness_folder(folder)
    try:
        return memory.key()
    except WITNESS_KEY_UNUSABLE:
        return memory.make_key(f"temoin-{secrets.token_hex(4)}.example")


def _cosign(process: Process, campus: Campus, folder: Path, key: WitnessKey) -> bool:
    with process.unit_of_work() as services:
        state = services.log_publication.state(campus.slug)
        if state.current is None and not state.waiting:
            return False
        if state.current is None:
            services.log_watch.sign(campus.id)
            state = services.log_publication.state(campus.slug)
        known = {each.witness.name: each.size or 0 for each in state.witnesses}
        if key.name not in known:
            services.log_watch.name_witness(campus, key.public.to_vkey(), LABEL, by=_BY)
        if state.current is None or known.get(key.name, 0) >= state.current.checkpoint.size:
            return False
        log = state.current.log
        source = _OwnLog(services, campus.slug, "" if log.epoch == 1 else f"{log.epoch}/")
        looked = cosign_log(source, state.current.key, witness_folder(folder), key, at=process.clock())
        services.log_watch.take_cosignature(campus.slug, looked.note.to_text())
        return True
