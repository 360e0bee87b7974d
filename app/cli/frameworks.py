"""`sceau frameworks`: registers and other frameworks, imported from files and listed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from app.cli.terminal import ExitCode, aside, ready_process, say, show_table, stop
from app.container import Process
from app.domain.campus.audit_log import Actor
from app.domain.frameworks.releases import CHANGE_LABELS, ChangeKind, Difference, Source, sample_of
from app.errors import AppError
from app.language import N_, filled, labelled
from app.language import gettext as _
from app.services.frameworks.own_files import read_case, read_table, uploaded_table
from app.services.frameworks.readers import open_tables, read_esco, read_rncp, read_rome

commands = typer.Typer(
    no_args_is_help=True,
    help=N_("Les référentiels : ROME, RNCP, ESCO, et ceux d’un réseau ou d’un campus."),
)
imports = typer.Typer(
    no_args_is_help=True,
    help=N_("Importe un référentiel depuis ses fichiers, sans réseau ; recommencer ne change rien."),
)
commands.add_typer(imports, name="import")
_BY = Actor.command("frameworks")
_SHOWN = 20

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FICHIER…", exists=True, help=N_("L’archive publiée, un dossier ou des fichiers CSV.")
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help=N_("Montre ce qui changerait, sans rien enregistrer."))
]
Version = Annotated[str, typer.Option("--version", help=N_("La version, si les fichiers ne la disent pas."))]
Day = Annotated[
    str, typer.Option("--date", metavar="AAAA-MM-JJ", help=N_("La date de publication, si les fichiers ne la disent pas."))
]  # fmt: skip
Whole = Annotated[
    bool, typer.Option("--all", help=N_("Montre tous les changements, pas les vingt premiers de chaque sorte."))
]  # fmt: skip
CampusName = Annotated[str, typer.Option("--campus", help=N_("Le campus à qui appartient le référentiel."))]
NetworkName = Annotated[str, typer.Option("--network", help=N_("Le réseau à qui appartient le référentiel."))]


@imports.command("rome", help=N_("Le ROME, de France Travail : RefRomeCsv.zip ou ses fichiers CSV."))
def import_rome(files: Files, version: Version = "", day: Day = "", dry_run: DryRun = False, whole: Whole = False) -> None:  # fmt: skip
    _import(lambda: _read(files, lambda tables: read_rome(tables, version, _day(day))), dry_run, whole)


@imports.command("rncp", help=N_("Le RNCP et le RS, de France compétences : export-fiches-csv-….zip."))
def import_rncp(files: Files, version: Version = "", day: Day = "", dry_run: DryRun = False, whole: Whole = False) -> None:  # fmt: skip
    _import(lambda: _read(files, lambda tables: read_rncp(tables, version, _day(day))), dry_run, whole)


@imports.command("esco", help=N_("ESCO en français : l’archive CSV officielle ou ses fichiers."))
def import_esco(files: Files, version: Version = "", day: Day = "", dry_run: DryRun = False, whole: Whole = False) -> None:  # fmt: skip
    _import(lambda: _read(files, lambda tables: read_esco(tables, version, _day(day))), dry_run, whole)


@imports.command("csv", hidden=True)
@imports.command("xlsx", hidden=True)
@imports.command("table", help=N_("Un tableau CSV ou Excel ; --column dit quelle colonne est laquelle."))
def import_table(
    file: Annotated[Path, typer.Argument(metavar="FICHIER", exists=True, dir_okay=False)],
    code: Annotated[str, typer.Option("--code", help=N_("Le code du référentiel, court et stable."))],
    name: Annotated[str, typer.Option("--name", help=N_("Le nom du référentiel."))],
    column: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="CHAMP=TITRE", help=N_("Par exemple label=Intitulé ; à répéter.")),
    ] = None,
    campus: CampusName = "",
    network: NetworkName = "",
    version: Version = "",
    day: Day = "",
    dry_run: DryRun = False,
    whole: Whole = False,
) -> None:
    mapping = dict(each.split("=", 1) for each in column or () if "=" in each)

    def read() -> list[Source]:
        table = uploaded_table(file.name, file.read_bytes())
        return [read_table([table], code=code, name=name, mapping=mapping, version=version, day=_day(day))]

    _import(read, dry_run, whole, campus=campus, network=network)


@imports.command("case", help=N_("Un paquet CASE 1.0 ou 1.1, en JSON, sans rien en perdre."))
def import_case(
    file: Annotated[Path, typer.Argument(metavar="FICHIER", exists=True, dir_okay=False)],
    code: Annotated[str, typer.Option("--code", help=N_("Le code du référentiel, court et stable."))] = "",
    campus: CampusName = "",
    network: NetworkName = "",
    dry_run: DryRun = False,
    whole: Whole = False,
) -> None:
    _import(lambda: read_case(file, code), dry_run, whole, campus=campus, network=network)


@commands.command("export", help=N_("Écrit un référentiel : paquet CASE 1.1, ou SKOS en JSON-LD."))
def export(
    code: Annotated[str, typer.Argument(metavar="CODE", help=N_("Le code du référentiel, court et stable."))],
    campus: CampusName = "",
    network: NetworkName = "",
    skos: Annotated[bool, typer.Option("--skos", help=N_("SKOS au lieu de CASE."))] = False,
) -> None:
    try:
        with ready_process().unit_of_work(reading=True) as services:
            writer = services.frameworks.writer(code, services.frameworks.owner(campus, network))
            document = writer.skos() if skos else writer.package()
    except AppError as error:
        stop(filled(_(error.sentence), error.values), code=ExitCode.REFUSED)
    print(json.dumps(document, ensure_ascii=False, indent=1))


@commands.command("list", help=N_("Montre les référentiels, leur version et leur taille."))
def list_frameworks() -> None:
    with ready_process().unit_of_work(reading=True) as services:
        rows = services.frameworks.overview()
    show_table(
        [_("Code"), _("Nom"), _("Version"), _("Date"), _("Éléments")],
        [
            [each.code, each.name, each.version, each.published_on.isoformat() if each.published_on else "", str(count)]
            for each, count in rows
        ],
    )  # fmt: skip


def _read(files: Sequence[Path], read: Callable[..., list[Source]]) -> list[Source]:
    with open_tables(files) as tables:
        return read(tables)


def _day(value: str) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise typer.BadParameter(_("Une date s’écrit 2026-06-15.")) from None


def _import(
    read: Callable[[], list[Source]],
    dry_run: bool,
    whole: bool,
    *,
    campus: str = "",
    network: str = "",
) -> None:
    process = ready_process()
    try:
        sources = read()
        differences = _apply(process, sources, dry_run, campus, network)
    except AppError as error:
        aside().print(filled(_(error.sentence), error.values), style="bold red", markup=False)
        say("Rien n’a été enregistré.")
        raise typer.Exit(ExitCode.REFUSED) from None
    for difference in differences:
        _show(difference, _SHOWN if not whole else len(difference.changes))
    if dry_run:
        say("Essai : rien n’a été enregistré.")


def _apply(
    process: Process, sources: Sequence[Source], dry_run: bool, campus: str, network: str
) -> list[Difference]:
    """Compared first, then written in transactions of a few thousand items: run again after an interruption,
    it continues."""
    from rich.progress import Progress

    with process.unit_of_work(reading=True) as services:
        owner = services.frameworks.owner(campus, network)
        previews = [services.framework_imports.preview(source, owner) for source in sources]
    if dry_run:
        return previews
    with Progress(console=aside(), disable=not aside().is_terminal, transient=True) as bar:
        for source in sources:
            task = bar.add_task(source.title, total=None)
            with process.unit_of_work() as services:
                plan = services.framework_imports.begin(source, owner)
            while not plan.is_written:
                with process.unit_of_work() as services:
                    services.framework_imports.write_chunk(plan)
                bar.update(task, completed=plan.done, total=len(plan.ordered))
            with process.unit_of_work() as services:
                services.framework_imports.finish(plan, owner, by=_BY)
    return previews


def _show(difference: Difference, most: int) -> None:
    source = difference.source
    if difference.is_empty:
        say("{framework} : rien n’a changé.", framework=source.title)
        return
    say("{framework}, éléments lus : {count}.", framework=source.title, count=len(source.entries))
    for kind in ChangeKind:
        count = difference.counts.get(kind.value, 0)
        if not count:
            continue
        say(labelled(_(CHANGE_LABELS[kind]), count), style="bold")
        for change in sample_of(difference.changes, kind, most):
            print(change.code, change.before, change.after if change.after != change.before else "", sep="\t")
        if count > most:
            say("Non montrés ici : {count}. Avec --all, tous le sont.", count=count - most)
    if difference.new_links or difference.gone_links:
        say(
            "Liens nouveaux : {new}. Liens retirés : {gone}.",
            new=len(difference.new_links),
            gone=len(difference.gone_links),
        )
