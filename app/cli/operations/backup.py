"""`sceau backup`, the first step of `sceau restore --backup`, and `sceau transfer`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.terminal import open_process, ready_process, say, settings, stop, with_progress
from app.container.backup import BackupUnusable, load_backup, make_backup, recipients_of
from app.container.transfer import TransferRefused, move_database
from app.language import N_
from app.language import gettext as _

_PRIVATE_KEY = "AGE-SECRET-KEY-"


def backup(
    path: Annotated[Path, typer.Argument(metavar="FICHIER", help=N_("Le fichier à écrire."))],
    recipient: Annotated[
        list[str] | None,
        typer.Option(
            help=N_(
                "La clé publique age (age1…) pour qui la sauvegarde est chiffrée ; l’option peut être répétée."
            )
        ),
    ] = None,
    unencrypted: Annotated[
        bool,
        typer.Option("--unencrypted", help=N_("Sans chiffrer : seulement vers un disque lui-même chiffré.")),
    ] = False,
) -> None:
    if bool(recipient) is unencrypted:
        stop(_("Dites pour qui chiffrer (--recipient age1…), ou bien --unencrypted."))
    try:
        found = recipients_of(recipient or ())
        manifest = make_backup(ready_process(), path, found)
    except BackupUnusable as error:
        stop(str(error))
    except OSError as error:
        stop(_("{path} ne peut pas être écrit : {cause}.").format(path=path, cause=error.strerror))
    say(
        N_("Sauvegarde écrite : {path} ({size} Mo, {files} fichiers)."),
        style="green",
        path=path,
        size=f"{path.stat().st_size / 1e6:.1f}",
        files=len(manifest.files),
    )
    say(
        N_(
            "Elle ne contient ni SCEAU_KEK, ni SCEAU_SECRET, ni la clé age : gardez-les ailleurs. Sans elles, rien ne s’ouvre."
        )
    )


def transfer(
    source: Annotated[
        Path,
        typer.Argument(metavar="FICHIER", help=N_("Le fichier de la base SQLite ; il n’est pas changé.")),
    ],
) -> None:
    try:
        moved = move_database(open_process(), source, lambda tables: with_progress(tables, _("Tables")))
    except TransferRefused as error:
        stop(str(error))
    say(
        N_("Transféré et comparé ligne à ligne. Tables : {tables} ; lignes : {rows}."),
        style="green",
        tables=moved.tables,
        rows=moved.rows,
    )
    say(N_("Gardez SCEAU_LOG_ANCHORS tel quel, relancez le service, puis lancez : sceau check"))


def load(path: Path, identity: Path | None) -> None:
    """Puts the backup into the empty database of the settings, then migrates it."""
    try:
        identities = _identities(identity) if identity else []
        loaded = load_backup(settings(), open_process, path, identities)
    except BackupUnusable as error:
        stop(str(error))
    except OSError as error:
        stop(_("{path} ne se lit pas : {cause}.").format(path=error.filename or path, cause=error.strerror))
    say(N_("Sauvegarde du {moment} remise dans la base."), style="green", moment=loaded.manifest.made_at)
    if loaded.has_loaded_anchors:
        say(
            N_(
                "Le dossier des ancres était vide : il a été repris de la sauvegarde. Ce qui a été retiré depuis n’y est pas. Demandez aux témoins, ou remettez une copie plus récente."
            ),
            style="yellow",
        )
    process = open_process()
    if not process.is_ready():
        process.migrate()
    process.engine.dispose()


def _identities(path: Path) -> list[str]:
    """The private keys in a file as age-keygen writes it; `-` is standard input."""
    text = sys.stdin.read() if str(path) == "-" else path.read_text()
    return [line.strip() for line in text.splitlines() if line.startswith(_PRIVATE_KEY)]
