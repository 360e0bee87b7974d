"""Backup of database and anchor folder in one file, encrypted with age, and its restoration."""

from __future__ import annotations

import errno
import hashlib
import itertools
import json
import os
import re
import secrets
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import IO, Final

import pyrage
from alembic.migration import MigrationContext
from psycopg.conninfo import make_conninfo
from sqlalchemy import inspect
from sqlalchemy.engine import URL, make_url

from app import __version__
from app.container.health import newer_schema, restore_problem_of
from app.container.process import Process
from app.db.engine.row_level_security import WHOLE_DATABASE
from app.db.engine.schema import BEGIN_RESTORE, RESTORING, SchemaState, begin_restore, end_restore, is_empty
from app.db.engine.session import WORK_SCHEMA, keep_private, parameters_of
from app.domain.campus.campus import is_in_hsm
from app.language import gettext as _
from app.services.publishing.status import fingerprint_of
from app.settings import Settings
from sceau_credentials.values import format_timestamp

_MANIFEST: Final = "manifest.json"
_DATABASE: Final = "database"
_WORK: Final = "work"
_FORMAT: Final = 1
_WORK_FOLDER: Final = ".sceau-backup-"
_LOAD_FOLDER: Final = ".sceau-restore-"
_STAGED: Final = ".restored"
_ABANDONED: Final = 86_400
_A_PIECE: Final = 65_536
_ERROR_NUMBER: Final = re.compile(r"\[Errno (\d+)\]")


class BackupUnusable(Exception):
    """The backup cannot be made or restored; the message is in the operator's language."""


@dataclass(frozen=True)
class Manifest:
    """Content of a backup: `files` has the SHA-256 of each."""

    made_at: str
    version: str
    revision: str
    engine: str
    base_url: str
    keks: list[str]
    """Identifiers of the key-encryption keys under which its signing keys are sealed."""
    files: dict[str, str]
    format: int = _FORMAT
    objects: int = 0
    """How many objects its rows rely on, which are not in it."""
    object_store: str = ""
    secret: str = ""
    """A digest of SCEAU_SECRET; empty in older backups."""


@dataclass(frozen=True)
class Loaded:
    manifest: Manifest
    has_loaded_anchors: bool
    has_same_secret: bool


def recipients_of(texts: Sequence[str]) -> list[pyrage.x25519.Recipient]:
    """Raises BackupUnusable where one of them is not an age public key."""
    try:
        return [pyrage.x25519.Recipient.from_str(text.strip()) for text in texts]
    except pyrage.RecipientError as error:
        raise BackupUnusable(
            _(
                "Ce n’est pas une clé publique age (age1…). Faites-en une : age-keygen -o cle-de-sauvegarde.txt"
            )
        ) from error


def make_backup(process: Process, path: Path, recipients: Sequence[pyrage.x25519.Recipient]) -> Manifest:
    """Writes the backup beside `path` and renames it when it is whole; the service goes on meanwhile.

    The anchors are read first: an anchor older than its database is harmless, a database older than its
    anchors would be refused.
    """
    _check_absent(path)
    _remove_abandoned(Path(_roomy(process.settings) or tempfile.gettempdir()), path.parent)
    # Of this process alone: two that were started together would write into one file.
    part = path.with_name(f"{_WORK_FOLDER}{secrets.token_hex(8)}.part")
    # In clear, so never beside the backup, which may be on a disk of another person.
    with tempfile.TemporaryDirectory(prefix=_WORK_FOLDER, dir=_roomy(process.settings)) as work:
        folder = Path(work)
        _copy_anchors(process.anchors.folder, folder / "anchors")
        engine = process.engine.dialect.name
        dump = _dump_postgresql if engine == "postgresql" else _copy_sqlite
        dump(process, folder)
        names = sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())
        manifest = Manifest(
            made_at=format_timestamp(datetime.now(UTC)),
            version=__version__,
            revision=_revision(process),
            engine=engine,
            base_url=process.settings.base_url,
            keks=sorted(_keks_of(process)),
            files={name: _digest(folder / name) for name in names},
            objects=_objects_of(process),
            object_store=process.object_store.place if process.object_store else "",
            secret=fingerprint_of(process.secret),
        )
        (folder / _MANIFEST).write_text(json.dumps(asdict(manifest), indent=1))
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
                _encrypt(folder, [_MANIFEST, *names], target, recipients)
                target.flush()
                os.fsync(target.fileno())
            _check_absent(path)
            part.rename(path)
        finally:
            part.unlink(missing_ok=True)
    return manifest


def _check_absent(path: Path) -> None:
    if path.exists():
        raise BackupUnusable(_("{path} existe déjà et n’a pas été touché.").format(path=path))


def _remove_abandoned(*folders: Path) -> None:
    """What backups and restores left in clear that were killed."""
    names = (f"{_WORK_FOLDER}*", f"{_LOAD_FOLDER}*")
    for left in itertools.chain.from_iterable(each.glob(name) for each in folders for name in names):
        with suppress(FileNotFoundError):
            about = left.stat()
            if about.st_uid == os.geteuid() and time.time() - about.st_mtime > _ABANDONED:
                shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink()


def _encrypt(
    folder: Path, names: Sequence[str], target: IO[bytes], recipients: Sequence[pyrage.x25519.Recipient]
) -> None:
    def write(archive: IO[bytes]) -> None:
        with tarfile.open(fileobj=archive, mode="w|") as tar:
            for name in names:
                tar.add(folder / name, name, recursive=False)

    if not recipients:
        write(target)
        return
    with _piped(write) as source:
        try:
            pyrage.encrypt_io(source, target, list(recipients))
        except pyrage.EncryptError as error:
            # The library has the errors of the file that it writes to as text.
            if number := _ERROR_NUMBER.search(str(error)):
                raise OSError(int(number[1]), os.strerror(int(number[1]))) from error
            raise


@contextmanager
def _piped(write: Callable[[IO[bytes]], None]) -> Iterator[IO[bytes]]:
    """What `write` writes in a thread, to be read here; raises its error."""
    failures: list[BaseException] = []
    reading, writing = os.pipe()

    def run() -> None:
        try:
            with os.fdopen(writing, "wb") as target:
                write(target)
        except BaseException as error:
            failures.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    with os.fdopen(reading, "rb") as source:
        yield source
        while source.read(_A_PIECE):
            pass  # an archive ends before its padding: who still writes it must not meet a closed pipe
    thread.join()
    if failures:
        raise failures[0]


def _copy_anchors(folder: Path, target: Path) -> None:
    if folder.is_dir():
        shutil.copytree(folder, target, ignore=shutil.ignore_patterns("*.part", ".*"))


def _copy_sqlite(process: Process, folder: Path) -> None:
    """A snapshot of each file while others write."""
    places = {_DATABASE: process.settings.database_url, _WORK: process.workflow_database().url}
    for name, url in places.items():
        path = Path(str(make_url(url).database))
        if path.is_file():
            _copy_database(path, folder / name)


def _copy_database(source: Path, target: Path) -> None:
    keep_private(target)
    with closing(sqlite3.connect(source, timeout=30)) as before, closing(sqlite3.connect(target)) as after:
        before.backup(after)


def _dump_postgresql(process: Process, folder: Path) -> None:
    """As the tables' owner where one is set; row-level security applies to that role too.

    Without the workflow engine's tables: they belong to the application's role, and its worker finds every unfinished
    job in ours.
    """
    _run(
        [
            "pg_dump",
            "--format=custom",
            "--no-owner",
            "--enable-row-security",
            f"--exclude-schema={WORK_SCHEMA}",
            f"--file={folder / _DATABASE}",
        ],
        process.owner_url,
    )


def _load_postgresql(process: Process, folder: Path) -> None:
    begin_restore(process.owner_url)
    _run(
        [
            "pg_restore",
            "--no-owner",
            "--exit-on-error",
            "--single-transaction",
            "--enable-row-security",
            f"--exclude-schema={WORK_SCHEMA}",
            str(folder / _DATABASE),
        ],
        process.owner_url,
    )


def program_version(name: str) -> str:
    """As the program prints it; empty where it is absent or prints none."""
    try:
        done = subprocess.run([name, "--version"], capture_output=True, text=True, check=False, timeout=10)  # noqa: S603 - fixed commands
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def _run(command: Sequence[str], url: str) -> None:
    """A program of PostgreSQL; its password is in the environment, where other users do not see it."""
    given = parameters_of(make_url(url))
    environment = dict(os.environ)
    if password := given.pop("password", ""):
        environment["PGPASSWORD"] = password
    given["options"] = f"{given.get('options', '')} -c {WHOLE_DATABASE}".strip()
    whole = [command[0], f"--dbname={make_conninfo(**given)}", *command[1:]]
    try:
        done = subprocess.run(whole, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - fixed commands
    except FileNotFoundError as error:
        raise BackupUnusable(
            _("{program} manque sur cette machine : installez le client de PostgreSQL.").format(
                program=command[0]
            )
        ) from error
    if done.returncode:
        if os.strerror(errno.ENOSPC) in done.stderr:
            raise BackupUnusable(_no_room(Path(tempfile.gettempdir())))
        raise BackupUnusable(
            _(
                "{program} a échoué : {cause} Réglez SCEAU_OWNER_DATABASE_URL sur le rôle propriétaire."
            ).format(program=command[0], cause=next(iter(done.stderr.splitlines()), ""))
        )


def _no_room(folder: Path) -> str:
    return _("La place manque dans {folder} : libérez-en, ou réglez TMPDIR sur un disque plus grand.").format(
        folder=folder.parent if folder.name.startswith(".sceau-") else folder
    )


def load_backup(
    settings: Settings, open_process: Callable[[], Process], path: Path, identities: Sequence[str]
) -> Loaded:
    """Puts a backup into an empty database. An anchor folder that holds anything stays as it is: it knows what
    was withdrawn since."""
    _remove_abandoned(Path(_roomy(settings) or tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=_LOAD_FOLDER, dir=_roomy(settings)) as work:
        folder = Path(work)
        manifest = _unpack(path, folder, identities)
        process = open_process()
        _check_fits(process, manifest)
        has_staged = _stage_anchors(folder / "anchors", process.anchors.folder)
        if manifest.engine == "postgresql":
            _load_postgresql(process, folder)
        else:
            _load_sqlite(process, folder)
        process.engine.dispose()
    return Loaded(manifest, has_staged, manifest.secret in ("", fingerprint_of(process.secret)))


def _stage_anchors(loaded: Path, anchors: Path) -> bool:
    """Into a folder inside an empty anchor folder, to be moved once the database is loaded; False where there are anchors."""
    staged = anchors / _STAGED
    shutil.rmtree(staged, ignore_errors=True)  # of a restore that was interrupted before
    if not loaded.is_dir() or (anchors.is_dir() and any(anchors.iterdir())):
        return False
    anchors.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copytree(loaded, staged)
    return True


def finish_load(process: Process) -> None:
    """What follows once the backup is in the database: the secrets of the copy end, then programs may start.

    Interrupted, it can be done again.
    """
    if is_empty(process.engine):
        raise BackupUnusable(restore_problem_of(process))
    staged = process.anchors.folder / _STAGED
    if staged.is_dir():
        for each in staged.iterdir():
            each.rename(process.anchors.folder / each.name)
        staged.rmdir()
    state = process.schema_state()
    if state is SchemaState.NEWER:
        raise BackupUnusable(newer_schema())
    if state is not SchemaState.SERVING:
        process.migrate()  # also where nothing waits: the application's role gets its grants
    process.restart_feeds()
    with process.repair() as services:
        services.stores.choices.end_sessions()
    end_restore(process.owner_url)


def _unpack(path: Path, folder: Path, identities: Sequence[str]) -> Manifest:
    try:
        keys = [pyrage.x25519.Identity.from_str(text) for text in identities]
    except pyrage.IdentityError as error:
        raise BackupUnusable(_("Ce n’est pas une clé privée age (AGE-SECRET-KEY-1…).")) from error
    try:
        with path.open("rb") as source:
            if keys:
                with _piped(lambda target: pyrage.decrypt_io(source, target, keys)) as archive:
                    _extract(archive, folder)
            else:
                _extract(source, folder)
        manifest = Manifest(**json.loads((folder / _MANIFEST).read_text()))
    except (pyrage.DecryptError, tarfile.TarError, EOFError, ValueError, TypeError, OSError) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BackupUnusable(_no_room(folder)) from error
        if isinstance(error, OSError) and error.filename == str(path):
            raise
        raise BackupUnusable(
            _("{path} ne s’ouvre pas : ce n’est pas une sauvegarde de Sceau, ou pas avec cette clé.").format(
                path=path
            )
        ) from error
    damaged = [
        name
        for name, digest in manifest.files.items()
        if not (folder / name).is_file() or _digest(folder / name) != digest
    ]
    if damaged:
        raise BackupUnusable(_("La sauvegarde est abîmée : {name}.").format(name=damaged[0]))
    return manifest


def _extract(archive: IO[bytes], folder: Path) -> None:
    with tarfile.open(fileobj=archive, mode="r|") as tar:
        tar.extractall(folder, filter="data")


def _check_fits(process: Process, manifest: Manifest) -> None:
    engine = process.engine.dialect.name
    if manifest.engine != engine:
        raise BackupUnusable(
            _("Cette sauvegarde vient de {there}, et SCEAU_DATABASE_URL désigne {here}.").format(
                there=manifest.engine, here=engine
            )
        )
    # Keys in a token are not in the backup; which token they need is checked when the service starts.
    if not process.vault.kek_ids >= set(itertools.filterfalse(is_in_hsm, manifest.keks)):
        raise BackupUnusable(
            _("SCEAU_KEK n’est pas la clé maîtresse de cette sauvegarde : ses clés ne s’ouvriraient pas.")
        )
    tables = set(inspect(process.engine).get_table_names())
    if RESTORING in tables and not is_empty(process.engine):
        raise BackupUnusable(restore_problem_of(process))
    if tables - {RESTORING}:
        raise BackupUnusable(
            _(
                "La base n’est pas vide : rien n’a été changé. Mettez-la de côté, puis restaurez dans une base vide."
            )
        )


def _load_sqlite(process: Process, folder: Path) -> None:
    places = {_DATABASE: process.settings.database_url, _WORK: process.workflow_database().url}
    process.engine.dispose()
    with closing(sqlite3.connect(folder / _DATABASE)) as loaded:
        loaded.execute(BEGIN_RESTORE)
    for name, url in reversed(places.items()):
        if (folder / name).is_file():
            _copy_database(folder / name, Path(str(make_url(url).database)))


def _revision(process: Process) -> str:
    with process.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() or ""


def _keks_of(process: Process) -> set[str]:
    with process.unit_of_work(reading=True) as services:
        return services.stores.campuses.sealed_under()


def _objects_of(process: Process) -> int:
    with process.unit_of_work(reading=True) as services:
        return sum(1 for _ in services.stores.signed_bytes.moved_objects())


def _roomy(settings: Settings) -> Path | None:
    """Beside a SQLite database; else the system's folder for temporary files."""
    url: URL = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite":
        return None
    folder = Path(str(url.database)).resolve().parent
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
