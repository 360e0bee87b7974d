"""The findings of `sceau doctor`, each with its remedy."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import make_url

from app.adapters.accounts import RateLimits
from app.adapters.folders.log_files import FolderAnchors
from app.adapters.mail import SmtpMailer
from app.container.backup import program_version
from app.container.health import (
    counts_note_of,
    database_folder,
    held_note_of,
    last_check_of,
    problems_of,
    schema_note_of,
    schema_problem_of,
    waiting_work_of,
)
from app.container.process import CANNOT_START, DatabaseUnreachable, Process
from app.db.engine.writes import reply_of
from app.domain.activities.files import ScannerSilent
from app.domain.awards.signed_bytes import BytesUnavailable
from app.domain.campus.campus import Campus
from app.domain.campus.sender import RecordState, dkim_record
from app.domain.messages import LetterNotSent
from app.language import N_, filled, system_cause
from app.language import gettext as _
from app.settings import Settings, unknown_names
from sceau_credentials.dids import did_web

_LEAST_FREE: Final = 1_000_000_000
_CLOCK_APART: Final = 5.0
_CHECKED_WITHIN: Final = timedelta(days=8)
_BEGUN_WITHIN: Final = timedelta(days=1)
_SILENT_AFTER: Final = timedelta(minutes=5)


class State(StrEnum):
    GOOD = "good"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True)
class Finding:
    subject: str
    state: State
    sentence: str
    remedy: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """One finding for each subject, whatever the others found; nothing is changed."""
    yield _addresses(settings)
    if found := _names():
        yield found
    try:
        process = Process(settings)
        process.check(writing=False)
    except CANNOT_START as error:
        yield Finding(_("Démarrage"), State.FAULT, _(str(error)))
        return
    except OSError as error:
        if not (sentence := closed_path(error)):
            raise
        yield Finding(_("Démarrage"), State.FAULT, sentence)
        return
    except DatabaseUnreachable as error:
        yield _unreachable(_("Base de données"), error)
        return
    if process.is_ready():
        for subject, look in _LOOKS.items():
            yield look(process, _(subject))
    else:
        yield Finding(_("Base de données"), State.FAULT, schema_problem_of(process))
    process.engine.dispose()


def _unreachable(subject: str, error: DatabaseUnreachable) -> Finding:
    if reply := reply_of(error):
        return _fault(
            subject,
            N_("Elle répond : « {reply} »"),
            N_(
                "Vérifiez nom de la base, rôle et mot de passe dans SCEAU_DATABASE_URL ; @ et % s’y écrivent %40 et %25."
            ),
            reply=reply,
        )
    return _fault(
        subject,
        N_("Elle ne répond pas."),
        N_("Vérifiez que le serveur est en route, et machine et port dans SCEAU_DATABASE_URL."),
    )


_CLOSED: Final = (
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EIO, errno.ESTALE,
)  # fmt: skip


def closed_path(error: OSError) -> str:
    """A sentence about a file or folder that this user may not use; empty for any other error."""
    if error.errno not in _CLOSED or not error.filename:
        return ""
    sentence = _(
        "{path} ne se laisse pas lire ou écrire ({cause}) : corrigez son propriétaire ou ses droits."
    )
    return sentence.format(path=error.filename, cause=system_cause(error))


def _good(subject: str, sentence: str, **values: object) -> Finding:
    return Finding(subject, State.GOOD, filled(_(sentence), values))


def _warning(subject: str, sentence: str, remedy: str, **values: object) -> Finding:
    return Finding(subject, State.WARNING, filled(_(sentence), values), filled(_(remedy), values))


def _fault(subject: str, sentence: str, remedy: str, **values: object) -> Finding:
    return Finding(subject, State.FAULT, filled(_(sentence), values), filled(_(remedy), values))


def _addresses(settings: Settings) -> Finding:
    subject = _("Adresse")
    if settings.is_local:
        return _warning(
            subject,
            N_("{url} est une adresse de développement : secrets faits sur place, http accepté."),
            N_("En production, réglez SCEAU_BASE_URL, SCEAU_SECRET et SCEAU_KEK."),
            url=settings.base_url,
        )
    if not settings.forwarded_allow_ips:
        return _warning(
            subject,
            N_("{url} ; aucun serveur mandataire n’est cru, toutes les visites semblent venir de lui."),
            N_("Réglez SCEAU_TRUSTED_PROXIES sur son adresse."),
            url=settings.base_url,
        )
    return _good(subject, N_("{url}, avec des secrets propres."), url=settings.base_url)


def _names() -> Finding | None:
    """Misspelt settings have no effect."""
    unknown = unknown_names(os.environ)
    if not unknown:
        return None
    likely = [name for name in unknown.values() if name]
    remedy = N_("Corrigez ou retirez : docs/operate/settings.md.")
    if likely:
        remedy = N_("Vouliez-vous dire {names} ? Sinon, retirez : docs/operate/settings.md.")
    return _warning(
        _("Réglages"),
        N_("Ces variables n’existent pas et n’ont aucun effet : {unknown}."),
        remedy,
        unknown=", ".join(unknown),
        names=", ".join(likely),
    )


def _database(process: Process, subject: str) -> Finding:
    if note := schema_note_of(process):
        return Finding(
            subject, State.WARNING, note, _("Remplacez ce programme par cette version, ici aussi.")
        )
    return _good(
        subject, N_("{engine}, durable, au schéma de ce programme."), engine=process.engine.dialect.name
    )


def _service(process: Process, subject: str) -> Finding:
    """Keys, clock jumps and anchors, as readiness reports them."""
    found = problems_of(process, writing=False)
    if found:
        return Finding(subject, State.FAULT, " ".join(found))
    return _good(subject, N_("Les clés s’ouvrent, l’horloge et les ancres concordent avec la base."))


def campuses_of_another_address(process: Process) -> list[Campus]:
    """Badges contain the URL they were signed for: under another one they cannot be verified."""
    base_url = process.settings.base_url
    with process.unit_of_work(reading=True) as services:
        campuses = services.campuses.list_all()
    return [each for each in campuses if each.did != did_web(base_url, "campus", each.slug)]


def _signed_addresses(process: Process, subject: str) -> Finding:
    if strangers := campuses_of_another_address(process):
        return _fault(
            subject,
            N_(
                "Cette base a été remplie pour une autre adresse ({did}) : ses badges ne se vérifient pas ici."
            ),
            N_("Remettez SCEAU_BASE_URL à l’adresse sous laquelle les badges ont été signés."),
            did=strangers[0].did,
        )
    return _good(subject, N_("Les badges sont signés pour cette adresse."))


def _role(process: Process, subject: str) -> Finding:
    if process.engine.dialect.name != "postgresql":
        return _good(subject, N_("SQLite : un seul utilisateur, le fichier n’est lisible que par lui."))
    if fault := _owner(process, subject):
        return fault
    if process.bypasses_policies:
        return _warning(
            subject,
            N_(
                "Le rôle de l’application possède les tables, est superutilisateur ou a BYPASSRLS : PostgreSQL ne "
                "sépare pas les campus."
            ),
            N_("Un rôle à part : docs/tenant-isolation.md."),
        )
    return _good(subject, N_("Un rôle à part : PostgreSQL sépare lui-même les campus."))


def _owner(process: Process, subject: str) -> Finding | None:
    owner = process.settings.owner_database_url
    try:
        if not owner or process.is_owned_at(owner):
            return None
    except DatabaseUnreachable as error:
        refused = N_("Le rôle de SCEAU_OWNER_DATABASE_URL ne se connecte pas : « {reply} »")
        silent = N_("Le serveur de SCEAU_OWNER_DATABASE_URL ne répond pas.")
        return _fault(
            subject,
            refused if reply_of(error) else silent,
            N_(
                "Corrigez SCEAU_OWNER_DATABASE_URL, ou videz-le là où ni « migrate » ni « backup » ne tourne."
            ),
            reply=reply_of(error),
        )
    return _fault(
        subject,
        N_("SCEAU_OWNER_DATABASE_URL désigne une autre base."),
        N_("Donnez-lui la base de SCEAU_DATABASE_URL, avec le rôle qui possède ses tables."),
    )


def _clock(process: Process, subject: str) -> Finding:
    if process.engine.dialect.name != "postgresql":
        return _good(subject, N_("Une seule machine, une seule horloge."))
    with process.engine.connect() as connection:
        there: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    apart = abs((datetime.now(UTC) - there).total_seconds())
    if apart > _CLOCK_APART:
        return _fault(
            subject,
            N_("Cette machine et la base ont {seconds} s d’écart."),
            N_("Mettez les deux à l’heure (chrony, systemd-timesyncd)."),
            seconds=round(apart),
        )
    return _good(subject, N_("Cette machine et la base ont la même heure."))


def _mail(process: Process, subject: str) -> Finding:
    if not isinstance(process.mailer, SmtpMailer):
        return _warning(
            subject,
            N_("Aucun e-mail ne part : SCEAU_SMTP_URL est vide."),
            N_("Réglez SCEAU_SMTP_URL=smtp://utilisateur:motdepasse@serveur:587"),
        )
    try:
        process.mailer.check()
    except LetterNotSent as error:
        return _fault(
            subject,
            N_("Le serveur d’e-mails ne répond pas ou ne nous accepte pas : {cause}."),
            N_("Vérifiez SCEAU_SMTP_URL : machine, port, nom et mot de passe."),
            cause=error.server_said or error.reason.value,
        )
    return _mail_records(process, subject)


def _mail_records(process: Process, subject: str) -> Finding:
    identity = process.mail_identity
    if not identity.signs:
        return _good(
            subject,
            N_(
                "Le serveur d’e-mails nous accepte. Aucun message n’a été envoyé. Ce service ne les signe pas "
                "lui-même (SCEAU_DKIM_KEY)."
            ),
        )
    with process.unit_of_work(reading=True) as services:
        used = {sender.domain for sender, _campus in services.senders.list_all() if sender.in_use_since}
    records = [dkim_record(identity, each, process.mail_records) for each in (identity.domain, *sorted(used))]
    absent = [each.name for each in records if each.state is not RecordState.FOUND]
    if absent:
        return _warning(
            subject,
            N_("Le serveur d’e-mails nous accepte, mais DKIM ne se vérifie pas : {names}."),
            N_("Publiez ce que montre : sceau mail dns"),
            names=", ".join(absent),
        )
    return _good(subject, N_("Le serveur d’e-mails nous accepte, et DKIM se vérifie. Rien n’a été envoyé."))


def _anchors(process: Process, subject: str) -> Finding:
    folder = process.anchors.folder
    try:
        _check_writable(process.anchors)
    except OSError as error:
        return _fault(
            subject,
            N_("{folder} ne se laisse pas écrire : {cause}."),
            N_("Corrigez les droits, libérez de la place, ou changez SCEAU_LOG_ANCHORS."),
            folder=folder,
            cause=system_cause(error),
        )
    if since := anchors_anew_since(process):
        return _warning(
            subject,
            N_(
                "{folder} n’existe que depuis le {day}, les campus depuis plus longtemps : ce qui a été retiré avant ne "
                "survivrait pas à une restauration."
            ),
            N_("Vérifiez que son disque est monté ; s’il est perdu, faites une sauvegarde maintenant."),
            folder=folder,
            day=since.date(),
        )
    database = database_folder(process)
    if database is not None and _existing(folder).stat().st_dev == database.stat().st_dev:
        return _warning(
            subject,
            N_("{folder} est sur le disque de la base : une seule panne prendrait les deux."),
            N_("SCEAU_LOG_ANCHORS sur un autre disque ou une autre machine."),
            folder=folder,
        )
    return _good(subject, N_("{folder} se laisse écrire."), folder=folder)


def _check_writable(anchors: FolderAnchors) -> None:
    """Makes no folder: made by another user, it would be closed to the service."""
    above = _existing(anchors.folder)
    if above == anchors.folder.absolute():
        anchors.check_writable()
    elif not above.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(above))
    elif not os.access(above, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(above))


def anchors_anew_since(process: Process) -> datetime | None:
    """When a lost or unmounted anchor folder was begun again, for as long as older backups may be used.

    Now, where it has no anchor yet: this command may be the first to use it.
    """
    begun = process.anchors.begun_at() or (None if process.anchors.has_heads() else process.clock())
    if begun is None or process.clock() - begun > timedelta(days=process.settings.recovery_days):
        return None
    with process.unit_of_work(reading=True) as services:
        opened = [each.created_at for each in services.campuses.list_all()]
    return begun if opened and begun - min(opened) > _BEGUN_WITHIN else None


def _disk(process: Process, subject: str) -> Finding:
    folders = [
        _existing(process.anchors.folder),
        database_folder(process) or _existing(process.anchors.folder),
    ]
    free, folder = min((shutil.disk_usage(each).free, each) for each in folders)
    if free < _LEAST_FREE:
        return _fault(
            subject,
            N_("Il reste {size} Mo sous {folder}."),
            N_("Libérez de la place : un disque plein arrête les attributions."),
            size=free // 1_000_000,
            folder=folder,
        )
    return _good(subject, N_("Il reste {size} Go."), size=free // 1_000_000_000)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())


def _files(process: Process, subject: str) -> Finding:
    """Secrets and the SQLite file are readable by their owner alone."""
    settings = process.settings
    paths = [settings.development_dir / name for name in ("secret", "kek")] if settings.is_local else []
    folder = database_folder(process)
    if folder is not None:
        paths.append(Path(str(make_url(settings.database_url).database)))
    for path in paths:
        if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            return _fault(
                subject, N_("{path} est lisible par d’autres."), N_("Lancez : chmod 600 {path}"), path=path
            )
    if os.geteuid() == 0:
        return _warning(
            subject,
            N_("Cette commande tourne en root."),
            N_("Faites tourner le service sous un utilisateur à lui."),
        )
    return _good(subject, N_("Fermés aux autres utilisateurs."))


def _work(process: Process, subject: str) -> Finding:
    work = waiting_work_of(process)
    if work is None:
        return _fault(subject, N_("La base ne répond plus."), N_("Recommencez."))
    if note := held_note_of(process):
        return Finding(subject, State.WARNING, note)
    if work.last_beat is None or process.clock() - work.last_beat > _SILENT_AFTER:
        return _warning(
            subject,
            N_(
                "Aucun travail de fond ne tourne. E-mails en attente : {messages} ; listes en attente : {batches}."
            ),
            N_("Lancez le service, ou à part : sceau work"),
            messages=work.messages,
            batches=work.batches,
        )
    return _good(
        subject,
        N_("En route. E-mails en attente : {messages} ; listes en attente : {batches}."),
        messages=work.messages,
        batches=work.batches,
    )


def _counts(process: Process, subject: str) -> Finding:
    if note := counts_note_of(process):
        return Finding(subject, State.WARNING, note, _("Le travail de fond s’en charge : laissez-le finir."))
    return _good(subject, N_("Leurs chiffres sont calculés d’avance."))


def _last_check(process: Process, subject: str) -> Finding:
    last = last_check_of(process)
    if last is None:
        return _warning(
            subject, N_("Ce qui est signé n’a jamais été revérifié en entier."), N_("Lancez : sceau check")
        )
    if process.clock() - last.done_at > _CHECKED_WITHIN:
        return _warning(
            subject,
            N_("Ce qui est signé n’a pas été revérifié depuis huit jours."),
            N_("Lancez : sceau check"),
        )
    if last.faults:
        return _fault(
            subject,
            N_("Défauts trouvés par la dernière vérification : {count}."),
            N_("Lancez : sceau check"),
            count=last.faults,
        )
    return _good(subject, N_("Tout a été revérifié le {day}."), day=last.done_at.date())


def _scanner(process: Process, subject: str) -> Finding:
    scanner = process.intake.scanner
    if scanner is None:
        return _warning(
            subject, N_("Les fichiers remis ne sont pas examinés."), N_("Réglez SCEAU_SCANNER (clamd).")
        )
    try:
        scanner.is_clean(b"")
    except ScannerSilent:
        return _fault(
            subject,
            N_("L’antivirus ne répond pas : les fichiers remis attendent."),
            N_("Vérifiez SCEAU_SCANNER."),
        )
    return _good(subject, N_("L’antivirus répond."))


def _object_store(process: Process, subject: str) -> Finding:
    """Writes, reads and removes one object of its own."""
    objects = process.object_store
    if objects is None:
        with process.unit_of_work(reading=True) as services:
            has_moved = services.stores.signed_bytes.has_moved()
        if has_moved:
            return _fault(
                subject,
                N_(
                    "Des badges signés y sont, et SCEAU_OBJECT_STORE est vide : leurs pages ne répondent pas."
                ),
                N_("Réglez SCEAU_OBJECT_STORE et SCEAU_OBJECT_STORE_KEYS comme avant."),
            )
        return _good(subject, N_("Aucun : tous les badges signés sont dans la base."))
    try:
        objects.try_out()
    except BytesUnavailable as error:
        code = error.cause.rpartition(" ")[2]
        return _fault(
            subject,
            N_("{place} ne se laisse pas écrire, lire et effacer : {cause}."),
            _STORE_REMEDIES.get(code, N_("Vérifiez que {place} répond, depuis cette machine.")),
            place=objects.place,
            cause=error.cause or type(error).__name__,
        )
    return _good(subject, N_("{place} se laisse écrire, lire et effacer."), place=objects.place)


def _limits(process: Process, subject: str) -> Finding:
    limiter = process.limiter
    if not isinstance(limiter, RateLimits) or limiter.is_answering():
        return _good(subject, N_("Elles sont comptées."))
    return _fault(
        subject,
        N_("Là où SCEAU_LIMITS les compte, rien ne répond : aucune limite ne s’applique."),
        N_("Vérifiez ce serveur, son adresse et son mot de passe, ou réglez SCEAU_LIMITS=database."),
    )


_MAJOR: Final = 10_000


def _backup(process: Process, subject: str) -> Finding:
    if process.engine.dialect.name != "postgresql":
        return _good(subject, N_("SQLite : « sceau backup » n’a besoin d’aucun autre programme."))
    with process.engine.connect() as connection:
        server = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // _MAJOR
    found = re.search(r"\d+", program_version("pg_dump"))
    if found is None:
        return _warning(
            subject,
            N_("pg_dump manque sur cette machine : « sceau backup » n’y fait rien."),
            N_("Installez le client de PostgreSQL {version} là où tourne la sauvegarde."),
            version=server,
        )
    if int(found[0]) < server:
        return _warning(
            subject,
            N_("pg_dump {here} refuse un serveur plus récent ({version}) : « sceau backup » échouerait."),
            N_("Installez le client de PostgreSQL {version} là où tourne la sauvegarde."),
            here=found[0],
            version=server,
        )
    return _good(subject, N_("pg_dump {here} lit ce serveur ({version})."), here=found[0], version=server)


_STORE_REMEDIES: Final = {
    "InvalidAccessKeyId": N_("Vérifiez SCEAU_OBJECT_STORE_KEYS : le magasin ne connaît pas cet identifiant."),
    "SignatureDoesNotMatch": N_(
        "Vérifiez SCEAU_OBJECT_STORE_KEYS (le secret) et SCEAU_OBJECT_STORE_REGION, et l’heure de cette machine."
    ),
    "AuthorizationHeaderMalformed": N_("Vérifiez SCEAU_OBJECT_STORE_REGION."),
    "RequestTimeTooSkewed": N_("Mettez cette machine à l’heure (chrony, systemd-timesyncd)."),
    "AccessDenied": N_(
        "Donnez à cette clé s3:GetObject, s3:PutObject, s3:DeleteObject et s3:ListBucket sur {place}."
    ),
    "NoSuchBucket": N_("Créez ce compartiment, ou corrigez SCEAU_OBJECT_STORE."),
    "PermanentRedirect": N_("Ce compartiment est dans une autre région : corrigez SCEAU_OBJECT_STORE."),
}


_LOOKS: Final[dict[str, Callable[[Process, str], Finding]]] = {
    N_("Base de données"): _database,
    N_("Clés, horloge et ancres"): _service,
    N_("Adresse des badges"): _signed_addresses,
    N_("Rôle"): _role,
    N_("Heure"): _clock,
    N_("E-mail"): _mail,
    N_("Dossier des ancres"): _anchors,
    N_("Disque"): _disk,
    N_("Fichiers"): _files,
    N_("Travail de fond"): _work,
    N_("Rapports"): _counts,
    N_("Dernière vérification"): _last_check,
    N_("Antivirus"): _scanner,
    N_("Magasin d’objets"): _object_store,
    N_("Limites de débit"): _limits,
    N_("Programme de sauvegarde"): _backup,
}
