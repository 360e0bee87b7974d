"""`sceau log`: checks, exports, proves and signs a campus's activity log, and repairs it after a restore."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from app.cli.operations.keys import STOLEN_SINCE
from app.cli.operations.restore import restore_campuses
from app.cli.terminal import ExitCode, ready_process, say, show_table, stop
from app.container import Services, shared_between_processes
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.errors import NotFound
from app.language import N_
from app.language import gettext as _
from app.services.activity_log.evidence import PublicLog
from app.services.activity_log.log_check import FAULTS

commands = typer.Typer(no_args_is_help=True, help=N_("Le journal d’activité d’un campus."))
_BY = Actor.command("log")
Slug = Annotated[str, typer.Argument(metavar="CAMPUS", help=N_("Le nom court du campus dans les adresses."))]


@commands.command(
    "check", help=N_("Recalcule tout le journal depuis ses lignes et nomme ce qui ne correspond plus.")
)
def check(
    slug: Annotated[
        str, typer.Argument(metavar="[CAMPUS]", help=N_("Un campus ; sans rien, tous les journaux."))
    ] = "",
    processes: Annotated[
        int, typer.Option(min=1, max=64, help=N_("Combien de processus se partagent le travail."))
    ] = os.cpu_count() or 1,
    new: Annotated[
        bool,
        typer.Option(
            "--new", help=N_("Seulement les lignes écrites depuis la dernière relecture sans défaut.")
        ),
    ] = False,
) -> None:
    process = ready_process()
    spans = shared_between_processes(process.settings.database_url, processes)
    wrong = 0
    with process.unit_of_work(reading=True) as services:
        campus = services.campuses.get(slug) if slug else None
        logs = services.log_watch.logs(campus)
    for log in logs:
        with process.unit_of_work(reading=True) as services:
            log = services.log_watch.log(log.id)
            since = services.log_watch.last_intact(log.id) if new else None
            faults = services.log_watch.check(log, spans, since=since)
        with process.unit_of_work() as services:
            services.log_watch.note_review(log, faults, since=since, by=_BY)
        for fault in faults:
            print(
                log.origin,
                fault.fault.value,
                fault.where,
                _(FAULTS[fault.fault]).format(where=fault.where),
                sep="\t",
            )
        if faults:
            say(N_("{origin} : {count} défauts."), style="bold red", origin=log.origin, count=len(faults))
        else:
            say(
                N_("{origin} : {size} lignes, telles qu’écrites."),
                style="green",
                origin=log.origin,
                size=log.size,
            )
        wrong += bool(faults)
    if wrong:
        raise typer.Exit(ExitCode.REFUSED)


@commands.command(
    "export",
    help=N_("Écrit les fichiers du journal dans un dossier que tout serveur de fichiers peut servir."),
)
def export(
    slug: Slug,
    folder: Annotated[Path, typer.Argument(help=N_("Où écrire ; ce qui s’y trouve déjà n’est pas réécrit."))],
) -> None:
    written = 0
    with ready_process().unit_of_work(reading=True) as services:
        public = _published(services, services.campuses.get(slug))
        for path, content, never_changes in services.log_publication.files(public):
            place = folder / path
            if never_changes and place.is_file() and place.read_bytes() == content:
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            new = place.with_name(f"{place.name}.new")
            new.write_bytes(content)
            new.replace(place)
            written += 1
    say(N_("{count} fichiers écrits dans {folder}."), count=written, folder=folder)


@commands.command("prove", help=N_("Donne la preuve qu’une ligne est dans le journal signé (.tlog-proof)."))
def prove(
    slug: Slug,
    number: Annotated[int, typer.Argument(min=0, help=N_("Le numéro de la ligne, la première étant 0."))],
) -> None:
    with ready_process().unit_of_work(reading=True) as services:
        public = _published(services, services.campuses.get(slug))
        proof = services.log_publication.proof(public, number)
    if proof is None:
        stop(_("Cette ligne n’est pas dans le journal signé."), code=ExitCode.REFUSED)
    print(proof.to_text(), end="")


@commands.command("sign", help=N_("Signe le journal tel qu’il est, sans attendre les cinq minutes."))
def sign(slug: Slug) -> None:
    with ready_process().unit_of_work() as services:
        campus = services.campuses.get(slug)
        checkpoint = services.log_watch.sign(campus.id)
        text = services.activity_log.note_of(checkpoint).to_text()
    print(text, end="")


@commands.command("key", help=N_("Affiche la clé publique du journal, pour qui veut le vérifier."))
def key(slug: Slug) -> None:
    with ready_process().unit_of_work(reading=True) as services:
        public = _published(services, services.campuses.get(slug))
    print(public.key.to_vkey())


@commands.command(
    "rotate-key",
    help=N_("Met une nouvelle clé du journal en service ; ce que la précédente a signé se vérifie toujours."),
)
def rotate_key(
    slug: Slug,
    reason: Annotated[str, typer.Option(help=N_("Pourquoi, en une phrase ; l’historique la garde."))],
    stolen_since: Annotated[datetime | None, STOLEN_SINCE] = None,
) -> None:
    with ready_process().unit_of_work() as services:
        campus = services.campuses.get(slug)
        services.campus_keys.retire_active_of_the_log(
            campus, reason=reason, stolen_since=stolen_since, by=Actor.command("log rotate-key")
        )
        public = _published(services, campus)
    print(public.key.to_vkey())
    if stolen_since is None:
        say(N_("L’ancienne clé a annoncé celle-ci : les témoins suivent d’eux-mêmes."), style="green")
    else:
        say(
            N_(
                "L’ancienne clé n’annonce plus rien : donnez celle-ci à chaque témoin par un autre chemin, pour "
                "« sceau witness change-key »."
            ),
            style="yellow",
        )


@commands.command("reconcile", hidden=True)
def reconcile(
    slug: Slug,
    reason: Annotated[str, typer.Option(help=N_("Ce qui s’est passé ; cela reste dans le journal."))],
) -> None:
    """The former name of `sceau restore` for one campus."""
    restore_campuses(reason, yes=True, only=slug)


@commands.command("name-witness", hidden=True)
@commands.command("add-witness", help=N_("Nomme un témoin du journal, par la clé publique qu’il a donnée."))
def name_witness(
    slug: Slug,
    vkey: Annotated[
        str, typer.Argument(metavar="VKEY", help=N_("Ce que « sceau witness key » affiche chez lui."))
    ],
    label: Annotated[str, typer.Option(help=N_("Qui c’est, en clair : « Campus AGT »."))],
) -> None:
    with ready_process().unit_of_work() as services:
        witness = services.log_watch.name_witness(services.campuses.get(slug), vkey, label, by=_BY)
    say(N_("{label} est témoin du journal, sous le nom {name}."), label=witness.label, name=witness.name)


@commands.command(
    "retire-witness", help=N_("Ne prend plus les signatures d’un témoin ; les anciennes restent.")
)
def retire_witness(slug: Slug, name: Annotated[str, typer.Argument(help=N_("Le nom de sa clé."))]) -> None:
    with ready_process().unit_of_work() as services:
        witness = services.log_watch.retire_witness(services.campuses.get(slug), name, by=_BY)
    say(N_("{label} n’est plus témoin du journal."), label=witness.label)


@commands.command("witnesses", help=N_("Liste les témoins du journal et ce qu’ils ont vu en dernier."))
def witnesses(slug: Slug) -> None:
    with ready_process().unit_of_work(reading=True) as services:
        state = services.log_publication.state(slug)
    show_table(
        [_("Témoin"), _("Clé"), _("Lignes vues"), _("Quand")],
        [
            [
                seen.witness.label,
                seen.witness.name,
                "" if seen.size is None else str(seen.size),
                seen.at.isoformat() if seen.at else "",
            ]
            for seen in state.witnesses
        ],
    )


def _published(services: Services, campus: Campus) -> PublicLog:
    current = services.log_publication.state(campus.slug).current
    if current is None:
        raise NotFound(
            N_("Le journal du campus n’a encore rien signé : « sceau log sign » le signe tout de suite.")
        )
    return current
