"""`sceau site`: everything public of a campus as files that outlive the service, and their verification."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from app.cli.awards import align_all
from app.cli.terminal import ExitCode, ready_process, say, stop, with_progress
from app.cli.verify import moment
from app.container import FOLDER_UNUSABLE, static_edition, utc_now
from app.domain.campus.audit_log import Actor
from app.domain.core import Snapshot
from app.language import N_, system_cause
from app.language import gettext as _
from app.services.verification.static_export import Finding
from app.web.publishing.static_export import ExportedPages

commands = typer.Typer(
    no_args_is_help=True,
    help=N_("Tout ce qu’un campus montre, en fichiers que tout serveur web sait servir."),
)
_BY = Actor.command("site")
_UNUSABLE = {
    "not_empty": N_(
        "Ce dossier contient autre chose : choisissez-en un vide, ou celui d’une édition précédente."
    ),
    "in_use": N_("Un autre export écrit dans ce dossier : attendez qu’il ait fini."),
    "no_edition": N_("Ce dossier ne contient pas d’édition faite par « sceau site export »."),
}
Folder = Annotated[Path, typer.Argument(file_okay=False, help=N_("Le dossier des fichiers."))]


@commands.command(
    "export",
    help=N_(
        "Écrit les pages, les badges et portfolios ouverts, les recommandations, les clés, les listes et le journal, puis vérifie depuis le dossier seul ce qui est écrit. Dans le dossier d’un export précédent, seul ce qui a changé est refait."
    ),
)
def export(
    slug: Annotated[
        str, typer.Argument(metavar="CAMPUS", help=N_("Le nom court du campus dans les adresses."))
    ],
    folder: Folder,
    final: Annotated[
        bool,
        typer.Option(
            "--final",
            help=N_(
                "Pour un service qui s’arrête : les listes de statut n’ont plus de fin. Un retrait décidé ensuite ne s’y verra jamais."
            ),
        ),
    ] = False,
    anew: Annotated[
        bool,
        typer.Option(
            "--anew", help=N_("Refait aussi les pages que rien n’a changées depuis l’export précédent.")
        ),
    ] = False,
) -> None:
    process = ready_process()
    made_at = process.clock()
    try:
        align_all(process)
        # What pages share, such as keys, lists and the log, is read once for all of them.
        with process.unit_of_work(reading=True, snapshot=Snapshot("site", {})) as services:
            campus = services.campuses.get(slug)
            units = [*ExportedPages(services, campus, made_at).units(final=final)]
            written = static_edition(folder).write(
                services.addresses.host,
                slug,
                units,
                made_at=made_at,
                final=final,
                anew=anew,
                each=lambda changed: with_progress(changed, _("Pages et documents")),
            )
    except OSError as error:
        stop(_("Le dossier ne peut pas être écrit : {cause}.").format(cause=system_cause(error)))
    except FOLDER_UNUSABLE as error:
        stop(_(_UNUSABLE[str(error)]))
    with process.unit_of_work() as services:
        services.kept_site.note(campus, final=final, by=_BY)
    say(
        "Fichiers dans {folder} : {count}. Faits ou refaits : {made} ; retirés : {removed}.",
        count=written.count,
        folder=folder,
        made=len(written.paths),
        removed=written.removed,
    )
    _check(folder, made_at, among=written.paths)


@commands.command(
    "check",
    help=N_(
        "Vérifie, depuis le dossier seul, que rien n’a changé et ce que valent chaque badge et chaque recommandation ; sans service ni réseau."
    ),
)
def check(
    folder: Folder,
    at: Annotated[
        datetime | None,
        typer.Option(
            parser=moment, metavar="DATE", help=N_("Vérifie comme à ce moment (ISO 8601, UTC sans fuseau).")
        ),
    ] = None,
) -> None:
    _check(folder, at or utc_now())


def _check(folder: Path, at: datetime, *, among: Collection[str] | None = None) -> None:
    edition = static_edition(folder)
    try:
        changed = edition.changed(among)
        found = with_progress(edition.signed(among), _("Fichiers vérifiés"))
        findings = [edition.evaluate(path, place, at=at) for path, place in found if place.is_file()]
    except FOLDER_UNUSABLE as error:
        stop(_(_UNUSABLE[str(error)]))
    for path in changed:
        print(path, "changed", sep="\t")
    for finding in findings:
        if finding.is_wrong:
            print(finding.path, finding.verdict.value, *finding.reasons, sep="\t")
    raise typer.Exit(_tell(changed, findings))


def _tell(changed: Sequence[str], findings: Sequence[Finding]) -> ExitCode:
    counts = Counter(finding.standing for finding in findings)
    is_wrong = bool(changed or counts["wrong"])
    say(
        "Fichiers des badges et recommandations. Valables : {good} ; expirés ou retirés : {ended} ; non vérifiables : {unknown} ; faux : {wrong}.",
        style="bold red" if is_wrong else "green",
        **{name: counts[name] for name in ("good", "ended", "unknown", "wrong")},
    )
    if changed:
        say(
            "Fichiers qui manquent ou ne sont plus tels qu’écrits : {count}.",
            style="bold red",
            count=len(changed),
        )
    if counts["elsewhere"]:
        say(
            "Fichiers de recommandations signées ailleurs : {count}. Seul le site de qui les signe en répond.",
            count=counts["elsewhere"],
        )
    if counts["unknown"]:
        say(
            "Les listes de statut d’une édition ordinaire valent sept jours : refaites-la, ou vérifiez à sa date avec --at."
        )
    if is_wrong:
        return ExitCode.REFUSED
    return ExitCode.UNDETERMINED if counts["unknown"] else ExitCode.DONE
