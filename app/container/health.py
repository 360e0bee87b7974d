"""Readiness, and figures of the service."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import gettempdir
from typing import Final

from sqlalchemy.engine import make_url

from app.adapters.folders.log_files import AnchorUnreadable
from app.adapters.secrets import KekUnusable
from app.container.process import Process
from app.db.campus.operations import SignedState, WaitingWork
from app.db.engine.schema import SchemaState, is_empty, is_half_restored
from app.db.engine.session import can_write
from app.domain.awards.signing_clock import ClockJumped
from app.errors import Unavailable
from app.language import gettext as _
from app.language import system_cause
from app.services.activity_log.log_check import SENTENCES, Behind
from app.services.publishing.status import SecretReplaced


@dataclass(frozen=True)
class LastCheck:
    """When everything signed was last verified, and how many faults were found."""

    done_at: datetime
    faults: int


def last_check_of(process: Process) -> LastCheck | None:
    """None before the first check, or where the database does not answer."""
    if not process.is_ready():
        return None
    with process.unit_of_work(reading=True) as services:
        newest = services.integrity.newest()
    return LastCheck(newest.done_at, newest.fault_count) if newest and newest.done_at else None


def waiting_work_of(process: Process) -> WaitingWork | None:
    """None where the database does not answer, or has another schema."""
    if not process.is_ready():
        return None
    with process.unit_of_work(reading=True) as services:
        return services.stores.waiting_work.read(process.clock())


def signed_state_of(process: Process) -> SignedState | None:
    """None where the database does not answer, or has another schema."""
    if not process.is_ready():
        return None
    with process.unit_of_work(reading=True) as services:
        return services.stores.signed_state.read(process.clock())


def kek_written_at(process: Process) -> datetime | None:
    """None where the key-encryption key is in no file."""
    kind, _separator, path = process.settings.kek.partition(":")
    written = Path(path) if kind == "file" else process.settings.development_dir / "kek"
    try:
        return datetime.fromtimestamp(written.stat().st_mtime, UTC) if kind in ("", "file") else None
    except OSError:
        return None


def objects_to_remove(process: Process) -> int:
    """Documents with objects that should be gone; 0 without an object store, or where the database does not answer."""
    if process.object_store is None or not process.is_ready():
        return 0
    return process.bytes_mover(process.object_store).removals()


def free_space_of(process: Process) -> dict[str, int]:
    """Bytes, by what is written there; the database only where it is a file of this machine."""
    folders = {"anchors": process.anchors.folder, "database": database_folder(process)}
    return {
        name: shutil.disk_usage(folder).free for name, folder in folders.items() if folder and folder.exists()
    }


def restore_problem_of(process: Process) -> str:
    """Empty where no restore was interrupted while it loaded a backup."""
    if not is_half_restored(process.engine):
        return ""
    if is_empty(process.engine):
        return _(
            "La restauration de cette base s’est arrêtée avant d’y mettre la sauvegarde. Recommencez : sceau restore --backup."
        )
    return _(
        "La restauration de cette base n’est pas finie : des sessions de la sauvegarde y sont encore ouvertes. Finissez-la : "
        "sceau restore"
    )


def schema_problem_of(process: Process) -> str:
    """Empty where the schema serves this program and the database is restored whole."""
    if problem := restore_problem_of(process):
        return problem
    match process.schema_state():
        case SchemaState.OLDER if is_empty(process.engine) and process.anchors.has_heads():
            return _(
                "La base de données est vide, et le dossier des ancres connaît déjà des campus. Son disque est-il monté, "
                "et SCEAU_DATABASE_URL est-elle la bonne ? Si la base est perdue : sceau restore --backup."
            )
        case SchemaState.OLDER:
            return _("La base de données n’est pas à jour. Lancez d’abord : sceau migrate")
        case SchemaState.NEWER:
            return newer_schema()
        case _:
            return ""


def newer_schema() -> str:
    return _(
        "La base de données appartient à une version plus récente de Sceau. Installez cette version, ou "
        "restaurez la sauvegarde faite avant."
    )


def notes_of(process: Process) -> list[str]:
    """What an operator should know of a process that is ready."""
    notes = (schema_note_of(process), counts_note_of(process), held_note_of(process))
    return [each for each in notes if each]


def schema_note_of(process: Process) -> str:
    """Empty where the schema is the one of this program."""
    if process.schema_state() is SchemaState.SERVING:
        return _("La base de données a été mise à jour pour une version plus récente, qui accepte celle-ci.")
    return ""


def counts_note_of(process: Process) -> str:
    """Empty where the counts for reports are stored, or soon will be."""
    if not process.is_ready():
        return ""
    with process.unit_of_work(reading=True) as services:
        if not services.reports.is_recounting():
            return ""
    return _(
        "Les chiffres des rapports sont recalculés : d’ici là, leurs pages mettent des secondes à s’afficher."
    )


def held_note_of(process: Process) -> str:
    """Empty where no message waits since a restore."""
    if not process.is_ready():
        return ""
    with process.unit_of_work(reading=True) as services:
        held = services.stores.letters.count_held()
    if not held:
        return ""
    return _(
        "E-mails retenus depuis une restauration : {count}. Pour les envoyer : sceau mail release. Pour les annuler : "
        "sceau mail release --cancel."
    ).format(count=held)


def problems_of(process: Process, *, writing: bool = True) -> list[str]:
    """Empty for a process that is ready. `writing`: anchors catch up, and a clock jump stops every process."""
    if problem := schema_problem_of(process):
        return [problem]
    found = []
    if not can_write(process.engine):
        writing = False
        found.append(
            _(
                "La base de données refuse d’écrire : rien ne s’enregistre. Regardez le disque et son système de "
                "fichiers (monté en lecture seule ?), ou si PostgreSQL est en lecture seule."
            )
        )
    if not process.is_working():
        found.append(_("Le travail de fond de ce processus s’est arrêté : redémarrez-le."))
    try:
        process.check_secrets()
    except (KekUnusable, SecretReplaced) as error:
        found.append(str(error))
    silent, jump, damaged = _hsm_problem_of(process), process.observe_clock(writing=writing), list[str]()
    if silent:
        found.append(silent)
    if jump is not None:
        stopped = ClockJumped(jump)
        found.append(_(stopped.sentence).format(**stopped.values))
    elif not silent:
        with process.unit_of_work(reading=True) as services:
            damaged = services.signing.keys_that_do_not_open()
    found += [
        _("La clé de signature {key} est abîmée dans la base : restaurez-la d’une sauvegarde.").format(
            key=key
        )
        for key in damaged
    ]
    behind = _behind_anchors(process, writing=writing)
    if behind:
        found.append(_("La base est plus ancienne que ce qui a été publié : lancez « sceau restore »."))
        found += [_(SENTENCES[each.older]).format(campus=each.slug, where=each.where) for each in behind]
    if failure := process.anchors.failure or process.journal.failure:
        found.append(
            _(
                "Le dossier des ancres ne se laisse pas écrire ({cause}). Rien n’est perdu, mais un retrait fait depuis "
                "ne survivrait pas à une restauration : libérez de la place ou corrigez les droits de SCEAU_LOG_ANCHORS."
            ).format(cause=system_cause(failure))
        )
    return [*found, *_crowded(process)]


def _behind_anchors(process: Process, *, writing: bool) -> Sequence[Behind]:
    try:
        return process.compare_with_anchors(writing=writing)
    except AnchorUnreadable:
        return ()  # `failure` has the reason


_LEAST_FREE: Final = 8 * 1024 * 1024
"""Bytes. With less an award may fail, while a worker's heartbeat is still written."""


def _crowded(process: Process) -> list[str]:
    """Which folders that every commit needs are nearly full: SQLite sorts in the temporary one."""
    try:
        temporary = Path(gettempdir())
    except FileNotFoundError:
        # Python tries each by writing to it: all are full, read-only or absent.
        return [
            _(
                "Aucun dossier temporaire ne se laisse écrire (TMPDIR, /tmp) : libérez de la place ou montez-le en "
                "écriture, sinon des envois échouent."
            )
        ]
    folders = {
        _(
            "Le dossier de la base n’a presque plus de place : libérez-en, sinon rien ne s’enregistre."
        ): database_folder(process),
        _(
            "Le dossier temporaire (TMPDIR) n’a presque plus de place : libérez-en, sinon des envois échouent."
        ): temporary,
    }
    return [
        sentence
        for sentence, folder in folders.items()
        if folder is not None and folder.exists() and shutil.disk_usage(folder).free < _LEAST_FREE
    ]


def _hsm_problem_of(process: Process) -> str:
    """Empty where there is no token, or it signs."""
    try:
        if process.vault.hsm is not None:
            process.vault.hsm.check()
    except Unavailable as error:
        return _(error.sentence).format(**error.values)
    return ""


def database_folder(process: Process) -> Path | None:
    url = make_url(process.settings.database_url)
    return Path(str(url.database)).resolve().parent if url.get_backend_name() == "sqlite" else None
