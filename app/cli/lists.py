"""`sceau list read`: results of the list reader for a file or a pasted text, without a database."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.terminal import CONFIRM_HELP, ExitCode, aside, show_table
from app.errors import AppError
from app.language import N_, filled
from app.language import gettext as _
from app.services.imports.lists import as_document, read_list_file, reasons_in, sentence_of

commands = typer.Typer(help=N_("Lit des listes de personnes, sans base de données."), no_args_is_help=True)


@commands.callback()
def _group() -> None:
    """A group even while it has one command."""


@commands.command(
    "read", help=N_("Montre les personnes d’une liste : fichier, ou « - » pour un texte collé.")
)
def read(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FICHIER",
            help=N_("CSV, Excel, OpenDocument, Word, page web, PDF ou texte ; « - » pour l’entrée standard."),
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help=N_("Un document JSON."))] = False,
    hours: Annotated[
        float | None, typer.Option("--hours", min=0, help=N_("La durée de l’activité, en heures."))
    ] = None,
    confirm: Annotated[str, typer.Option("--confirm", help=CONFIRM_HELP)] = "",
) -> None:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise typer.BadParameter(_("Ce fichier ne s’ouvre pas : {name}").format(name=file)) from error
    try:
        reading = read_list_file(data, activity_hours=hours, settled=reasons_in(confirm))
    except AppError as error:
        sentence = filled(_(error.sentence), error.values)
        if as_json:
            kind = getattr(error, "kind", "too-large")
            print(json.dumps({"lines": [], "mapping": None, "refused": {"reason": kind, "sentence": sentence}}, ensure_ascii=False, indent=1))  # fmt: skip
        aside().print(sentence, style="bold red", markup=False)
        raise typer.Exit(ExitCode.REFUSED) from None
    if as_json:
        print(json.dumps(as_document(reading), ensure_ascii=False, indent=1))
        return
    show_table(
        [_("Ligne"), _("État"), _("Prénom"), _("Nom"), _("Adresse e-mail"), _("Motif")],
        [
            [str(line.line), line.state.value, line.given_name, line.family_name, line.address, " ".join(map(sentence_of, line.doubts))]
            for line in reading.lines
        ],
    )  # fmt: skip
