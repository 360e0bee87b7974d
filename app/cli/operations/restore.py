"""`sceau restore`: shows and repairs what is missing after an older copy of the database was restored."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.operations.backup import load
from app.cli.terminal import ExitCode, out, ready_process, say, stop
from app.container import Process
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.errors import AppError
from app.language import N_, filled
from app.language import gettext as _
from app.services.activity_log.log_check import SENTENCES, Older
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
        ready_process().restart_feeds()
    if file:
        _register(ready_process(), file)
        return
    restore_campuses(reason, yes=yes)


def restore_campuses(reason: str, *, yes: bool, only: str = "") -> None:
    """Every campus with rows from an older copy, or the one of this slug."""
    process = ready_process()
    behind = process.compare_with_anchors(thorough=True)
    if not behind:
        process.restart_feeds()
        say(
            N_("La base n’est pas plus ancienne que ce qui a été publié : rien n’est à reprendre."),
            style="green",
        )
        return
    for each in behind:
        print(_(SENTENCES[each.older]).format(campus=each.slug, where=each.where))
    if any(each.older is Older.ANCHOR_DAMAGED for each in behind):
        stop(
            _(
                "Remettez d’abord ces fichiers du dossier des ancres d’une copie. Sans copie, et si vous êtes sûr que la "
                "base n’est pas plus ancienne, supprimez-les : ils seront écrits de nouveau."
            )
        )
    campuses = [each for each in _campuses(process) if only in ("", each.slug)]
    for campus in campuses:
        with process.repair(reading=True) as services:
            _tell(campus, services.restoring.missing(campus))
    if not yes and not (sys.stdin.isatty() and typer.confirm(_("Remettre en place maintenant ?"))):
        say(N_("Rien n’a été changé. Pour remettre en place : sceau restore --yes --reason « … »"))
        raise typer.Exit(ExitCode.REFUSED)
    if not reason.strip() and sys.stdin.isatty():
        reason = typer.prompt(_("Que s’est-il passé, en une phrase ?"))
    check_restore_reason(reason)
    choices = None
    for campus in campuses:
        done = process.put_back(campus, reason, by=_BY)
        _tell_done(campus, done)
        choices = done.choices or choices
    if choices is None and all(each.older is Older.CHOICES for each in process.behind.values()):
        choices = process.put_back_choices(reason, by=_BY)
    if choices is not None:
        _tell_choices(choices)
    left = process.compare_with_anchors(thorough=True)
    if left:
        stop(
            *(_(SENTENCES[each.older]).format(campus=each.slug, where=each.where) for each in left),
            code=ExitCode.REFUSED,
        )
    say(N_("La base est de nouveau celle qui a été publiée. Le service reprend de lui-même."), style="green")


def _register(process: Process, files: list[Path]) -> None:
    refused = 0
    for path in files:
        try:
            content = path.read_bytes()
            with process.unit_of_work() as services:
                award = services.registration.register(content, by=_BY)
        except OSError as error:
            stop(_("{path} ne se lit pas : {cause}.").format(path=path, cause=error.strerror))
        except AppError as error:
            print(path, filled(_(error.sentence), error.values), sep="\t")
            refused += 1
            continue
        say(N_("{path} : attribution {award} enregistrée de nouveau."), path=path, award=award.id)
    if refused:
        raise typer.Exit(ExitCode.REFUSED)


def _campuses(process: Process) -> list[Campus]:
    with process.repair(reading=True) as services:
        lacking = [each.campus_id for each in process.behind.values() if each.older is not Older.CHOICES]
        return [services.stores.campuses.get_by_id(each) for each in lacking]


def _tell(campus: Campus, missing: Missing) -> None:
    out().print(f"{campus.short_name} ({campus.slug})", style="bold", markup=False)
    for count, sentence in (
        (missing.lines, N_("{count} lignes du journal manquent.")),
        (
            missing.unjournaled,
            N_("dont {count} ne sont nulle part : le journal sera clos, et un nouveau ouvert."),
        ),
        (missing.withdrawals, N_("{count} retraits manquent.")),
        (missing.awards, N_("{count} attributions manquent.")),
        (missing.keys, N_("{count} clés de signature manquent.")),
        (missing.erasures, N_("{count} personnes effacées depuis sont de nouveau dans la base.")),
    ):
        if count:
            print("  " + _(sentence).format(count=count))


def _tell_choices(choices: ChoicesRestored) -> None:
    say(
        N_("{count} choix de personnes sont remis en place ; tout le monde est déconnecté."),
        count=choices.choices,
    )
    if not choices.is_whole:
        say(
            N_(
                "D’autres choix sont perdus : toutes les pages publiques et les portfolios sont fermés ({count} personnes "
                "reçoivent un message), les jetons d’accès révoqués, les recommandations mises de côté. Vérifiez les équipes."
            ),
            count=choices.people_shut,
            style="yellow",
        )


def _tell_done(campus: Campus, done: Restored) -> None:
    say(
        N_("{campus} : {lines} lignes, {awards} attributions et {withdrawals} retraits remis en place."),
        campus=campus.short_name,
        lines=done.lines,
        awards=done.awards,
        withdrawals=done.withdrawals,
    )
    if done.reconciled is not None:
        _tell_reconciled(campus, done.reconciled)
    if done.unregistered:
        say(
            N_(
                "{campus} : {count} attributions dont le badge n’est plus connu n’ont pas pu être remises en place. "
                "Leur place dans la liste de statuts reste prise."
            ),
            campus=campus.short_name,
            count=len(done.unregistered),
            style="yellow",
        )


def _tell_reconciled(campus: Campus, done: Reconciled) -> None:
    if done.key_renewed:
        say(
            N_(
                "La clé du journal avait changé depuis cette copie : une nouvelle a été faite, l’ancienne ne signe "
                "plus. Si elle avait été volée, dites-le encore : « sceau keys retire … --stolen-since »."
            ),
            style="yellow",
        )
    say(
        N_(
            "{campus} : le journal {closed} est clos, avec {kept} lignes sur {signed} signées. Le suivant est "
            "ouvert. Prévenez les témoins."
        ),
        campus=campus.short_name,
        closed=done.closed.origin,
        kept=done.kept,
        signed=done.signed.size if done.signed else done.kept,
        style="yellow",
    )
