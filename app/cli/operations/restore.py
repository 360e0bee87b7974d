"""`sceau backup`, `sceau restore` (shows and repairs what an older copy of the database lacks) and `sceau transfer`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.terminal import ExitCode, open_process, out, ready_process, say, settings, stop, with_progress
from app.container import Process, restore_problem_of
from app.container.backup import (
    BackupUnusable,
    finish_load,
    load_backup,
    make_backup,
    recipients_of,
)
from app.container.doctor import anchors_anew_since
from app.container.transfer import TransferRefused, move_database
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.errors import AppError, Unavailable
from app.language import N_, filled, system_cause
from app.language import gettext as _
from app.services.activity_log.log_check import SENTENCES, Older, has_only_choices_left
from app.services.activity_log.restoring import (
    ChoicesRestored,
    Missing,
    Reconciled,
    Restored,
    check_restore_reason,
)

_BY = Actor.command("restore")


def restore(
    reason: Annotated[
        str, typer.Option(help=N_("Ce qui s’est passé, en une phrase ; cela reste dans le journal."))
    ] = "",
    file: Annotated[
        list[Path] | None,
        typer.Option(
            help=N_(
                "Le badge signé (JSON, image ou PDF) d’une personne, pour enregistrer de nouveau une attribution que rien "
                "d’autre ne garde ; l’option peut être répétée."
            )
        ),
    ] = None,
    backup: Annotated[
        Path | None,
        typer.Option(help=N_("Une sauvegarde à mettre d’abord dans la base, qui doit être vide.")),
    ] = None,
    identity: Annotated[
        Path | None,
        typer.Option(help=N_("Le fichier de la clé privée age qui ouvre la sauvegarde.")),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help=N_("Remet tout en place sans poser de question."))
    ] = False,
) -> None:
    if backup is not None:
        load(backup, identity)
    unfinished = open_process()
    if restore_problem_of(unfinished):
        try:
            finish_load(unfinished)
        except BackupUnusable as error:
            stop(str(error))
        check_objects(ready_process())
    unfinished.engine.dispose()
    if file:
        _register(ready_process(), file)
        return
    restore_campuses(reason, yes=yes)


_NAMED = 20


def check_objects(process: Process) -> None:
    """Prints the awards of the restored database without an object in the store: their badges cannot be shown."""
    with process.repair(reading=True) as services:
        has_moved = services.stores.signed_bytes.has_moved()
    if not has_moved:
        return
    if process.object_store is None:
        say(
            "Des badges de cette sauvegarde sont dans un magasin d’objets : réglez SCEAU_OBJECT_STORE et "
            "SCEAU_OBJECT_STORE_KEYS avant de relancer le service.",
            style="bold red",
        )
        return
    try:
        presence = process.bytes_mover(process.object_store).presence()
    except Unavailable:
        say(
            "Le magasin d’objets ne répond pas : ses badges n’ont pas été comparés. Lancez ensuite : sceau check",
            style="bold red",
        )
        return
    if not presence.lost:
        say(
            "Le magasin a tous les objets dont la base dépend : {count}. Leur contenu : sceau check",
            style="green",
            count=presence.objects,
        )
        return
    say(
        "Badges dont les objets manquent au magasin : {count}. Reprenez ces objets d’une copie. Les premiers badges :",
        style="bold red",
        count=len(presence.lost),
    )
    for award_id in presence.lost[:_NAMED]:
        print(award_id)


def restore_campuses(reason: str, *, yes: bool, only: str = "") -> None:
    """Every campus with rows from an older copy, or the one of this slug."""
    process = ready_process()
    behind = process.compare_with_anchors(thorough=True)
    if not behind:
        process.restart_feeds()
        _tell_nothing_lacks(process)
        return
    for each in behind:
        print(_(SENTENCES[each.older]).format(campus=each.slug, where=each.where))
    if any(each.older is Older.ANCHOR_DAMAGED for each in behind):
        stop(
            _(
                "Remettez d’abord ces fichiers du dossier des ancres d’une copie. Sans copie, vérifiez que la base "
                "n’est pas plus ancienne, puis supprimez-les. Ils seront écrits de nouveau."
            )
        )
    if any(each.older is Older.ANCHORS_OF_OTHERS for each in behind):
        stop(
            _(
                "Réglez SCEAU_LOG_ANCHORS sur le dossier des ancres de ce service, puis recommencez. S’il est perdu, "
                "donnez-lui un dossier vide."
            )
        )
    campuses = [each for each in _campuses(process) if only in ("", each.slug)]
    for campus in campuses:
        with process.repair(reading=True) as services:
            _tell(campus, services.restoring.missing(campus))
    if not yes and not (sys.stdin.isatty() and typer.confirm(_("Remettre en place maintenant ?"))):
        say("Rien n’a été changé. Pour remettre en place : sceau restore --yes --reason « … »")
        raise typer.Exit(ExitCode.REFUSED)
    if not reason.strip() and sys.stdin.isatty():
        reason = typer.prompt(_("Que s’est-il passé, en une phrase ?"))
    check_restore_reason(reason)
    choices = None
    for campus in campuses:
        done = process.put_back(campus, reason, by=_BY)
        _tell_done(campus, done)
        choices = done.choices or choices
    if choices is None and has_only_choices_left(process.behind.values()):
        choices = process.put_back_choices(reason, by=_BY)
    if choices is not None:
        _tell_choices(choices)
    left = process.compare_with_anchors(thorough=True)
    if left:
        stop(
            *(_(SENTENCES[each.older]).format(campus=each.slug, where=each.where) for each in left),
            code=ExitCode.REFUSED,
        )
    say("La base est de nouveau celle qui a été publiée. Le service reprend de lui-même.", style="green")


def _tell_nothing_lacks(process: Process) -> None:
    """An anchor folder that was lost, or is not mounted, knows nothing that a copy could lack."""
    since = anchors_anew_since(process)
    if since is None:
        say(
            "La base n’est pas plus ancienne que ce qui a été publié : rien n’est à reprendre.", style="green"
        )
        return
    say(
        "Dans {folder}, rien n’est à reprendre. Mais ce dossier n’existe que depuis le {day} et ne connaît aucun retrait "
        "d’avant : un badge retiré depuis cette copie est de nouveau valable. Montez le disque des ancres, ou remettez-en "
        "une copie, puis recommencez. S’il est perdu, demandez aux témoins et retirez ces badges de nouveau.",
        style="bold yellow",
        folder=process.anchors.folder,
        day=since.date(),
    )
    # About badges that may be withdrawn since, to addresses that may be corrected since.
    with process.repair() as services:
        held = services.stores.letters.hold_waiting()
    _tell_held(held)


def _register(process: Process, files: list[Path]) -> None:
    refused = 0
    for path in files:
        try:
            content = path.read_bytes()
            with process.unit_of_work() as services:
                award = services.registration.register(content, by=_BY)
        except OSError as error:
            stop(_("{path} ne se lit pas : {cause}.").format(path=path, cause=system_cause(error)))
        except AppError as error:
            print(path, filled(_(error.sentence), error.values), sep="\t")
            refused += 1
            continue
        say("{path} : attribution {award} enregistrée de nouveau.", path=path, award=award.id)
    if refused:
        raise typer.Exit(ExitCode.REFUSED)


def _campuses(process: Process) -> list[Campus]:
    with process.repair(reading=True) as services:
        lacking = [each.campus_id for each in process.behind.values() if each.older is not Older.CHOICES]
        return [services.stores.campuses.get_by_id(each) for each in lacking]


def _tell(campus: Campus, missing: Missing) -> None:
    out().print(f"{campus.short_name} ({campus.slug})", style="bold", markup=False)
    for count, sentence in (
        (missing.lines, N_("Lignes du journal manquantes : {count}.")),
        (
            missing.unjournaled,
            N_("Parmi elles, introuvables : {count}. Le journal sera clos, et un nouveau ouvert."),
        ),
        (missing.withdrawals, N_("Retraits manquants : {count}.")),
        (missing.suspensions, N_("Suspensions manquantes : {count}.")),
        (missing.awards, N_("Attributions manquantes : {count}.")),
        (missing.keys, N_("Clés de signature manquantes : {count}.")),
        (
            missing.unlisted,
            N_(
                "Listes de statuts absentes du dossier des ancres : {count}. Des retraits sont peut-être perdus, et "
                "ces badges de nouveau valables. Remettez d’abord une copie du dossier ; sans copie, retirez-les de nouveau."
            ),
        ),
        (missing.erasures, N_("Personnes effacées depuis, de nouveau dans la base : {count}.")),
    ):
        if count:
            print("  " + _(sentence).format(count=count))


def _tell_choices(choices: ChoicesRestored) -> None:
    say(
        "Choix de personnes remis en place : {count}. Tout le monde est déconnecté.",
        count=choices.choices,
    )
    say(
        "Sont aussi terminés : applications connectées, codes des bulletins, offres pour portefeuilles, visites depuis un "
        "cours. Les bulletins sont à imprimer de nouveau."
    )
    if not choices.is_whole:
        say(
            "D’autres choix sont perdus. Toutes les pages publiques et les portfolios sont fermés. Personnes prévenues "
            "par un message : {count}. Les jetons d’accès sont révoqués, les recommandations mises de côté. Les webhooks et les "
            "calendriers suivis sont en pause. Vérifiez les équipes, les campus suspendus et les applications enregistrées.",
            count=choices.people_shut,
            style="yellow",
        )
    _tell_held(choices.held)


def _tell_held(count: int) -> None:
    if count:
        say(
            "E-mails de cette copie, retenus : {count}. Leurs adresses ont pu changer, leurs badges être retirés. "
            "Pour les envoyer : sceau mail release. Pour les annuler : sceau mail release --cancel.",
            count=count,
            style="yellow",
        )


def _tell_done(campus: Campus, done: Restored) -> None:
    say(
        "{campus}, remis en place. Lignes : {lines} ; attributions : {awards} ; retraits : {withdrawals}.",
        campus=campus.short_name,
        lines=done.lines,
        awards=done.awards,
        withdrawals=done.withdrawals,
    )
    if done.reconciled is not None:
        _tell_reconciled(campus, done.reconciled)
    if done.unregistered:
        say(
            "{campus}, attributions non remises en place, car leur badge n’est plus connu : {count}. "
            "Leur place dans la liste de statuts reste prise.",
            campus=campus.short_name,
            count=len(done.unregistered),
            style="yellow",
        )
    if done.unstated:
        say(
            "{campus}, badges suspendus dans la liste seulement : {count}. Leur fichier ne se signe plus.",
            campus=campus.short_name,
            count=len(done.unstated),
            style="yellow",
        )


def _tell_reconciled(campus: Campus, done: Reconciled) -> None:
    if done.key_renewed:
        say(
            "La clé du journal avait changé depuis cette copie : une nouvelle a été faite, l’ancienne ne signe "
            "plus. Si elle avait été volée, dites-le encore : « sceau keys retire … --stolen-since ».",
            style="yellow",
        )
    say(
        "{campus} : le journal {closed} est clos. Lignes : {kept} ; lignes signées : {signed}. Le suivant est "
        "ouvert. Prévenez les témoins.",
        campus=campus.short_name,
        closed=done.closed.origin,
        kept=done.kept,
        signed=done.signed.size if done.signed else done.kept,
        style="yellow",
    )


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
        stop(_("{path} ne peut pas être écrit : {cause}.").format(path=path, cause=system_cause(error)))
    say(
        "Sauvegarde écrite : {path} ({size} Mo). Fichiers : {files}.",
        style="green",
        path=path,
        size=f"{path.stat().st_size / 1e6:.1f}",
        files=len(manifest.files),
    )
    if manifest.objects:
        say(
            "Elle ne contient pas les objets de {place} ({count}) : le magasin a ses propres copies.",
            style="yellow",
            count=manifest.objects,
            place=manifest.object_store or "SCEAU_OBJECT_STORE",
        )
    say(
        "Elle ne contient ni SCEAU_KEK, ni SCEAU_SECRET, ni la clé age : gardez-les ailleurs. Sans elles, rien ne s’ouvre."
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
        "Transféré et comparé ligne à ligne. Tables : {tables} ; lignes : {rows}.",
        style="green",
        tables=moved.tables,
        rows=moved.rows,
    )
    say("Gardez SCEAU_LOG_ANCHORS tel quel, relancez le service, puis lancez : sceau check")


def load(path: Path, identity: Path | None) -> None:
    """Puts the backup into the empty database of the settings."""
    try:
        identities = _identities(identity) if identity else []
        loaded = load_backup(settings(), open_process, path, identities)
    except BackupUnusable as error:
        stop(str(error))
    except OSError as error:
        stop(
            _("{path} ne se lit pas : {cause}.").format(
                path=error.filename or path, cause=system_cause(error)
            )
        )
    say("Sauvegarde du {moment} remise dans la base.", style="green", moment=loaded.manifest.made_at)
    if loaded.has_loaded_anchors:
        say(
            "Le dossier des ancres était vide : il a été repris de la sauvegarde. Ce qui a été retiré depuis n’y est pas. Demandez aux témoins, ou remettez une copie plus récente.",
            style="yellow",
        )
    if (there := loaded.manifest.base_url) != settings().base_url:
        say(
            "Attention : cette sauvegarde est celle de {there}, et SCEAU_BASE_URL est {here}. Les badges signés mènent à {there} et ne se vérifient pas ici.",
            style="yellow",
            there=there,
            here=settings().base_url,
        )
    if not loaded.has_same_secret:
        say(
            "Attention : SCEAU_SECRET n’est pas celui de cette sauvegarde. Remettez l’ancien avant d’ouvrir le service : sans lui, les liens privés déjà envoyés, les secrets des webhooks et les identifiants importés ne sont plus reconnus.",
            style="yellow",
        )


def _identities(path: Path) -> list[str]:
    """The private keys in a file as age-keygen writes it; `-` is standard input."""
    text = sys.stdin.read() if str(path) == "-" else path.read_text()
    return [line.strip() for line in text.splitlines() if line.startswith(_PRIVATE_KEY)]
