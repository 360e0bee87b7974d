"""`sceau report check`: verifies a signed yearly report and counts it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from app.cli.terminal import ExitCode, ready_process, say, stop
from app.domain.reports.editions import document_of
from app.errors import AppError
from app.language import N_, filled
from app.language import gettext as _

commands = typer.Typer(no_args_is_help=True, help=N_("Les rapports annuels signés par un campus."))


@commands.callback()
def group() -> None:
    """Keeps `check` a command of its own."""


@commands.command(
    help=N_("Vérifie la signature d’un rapport, recompte ses chiffres et nomme ceux qui ont changé depuis."),
    epilog=N_("Code de fin : 0 tout est comme signé, 1 un chiffre a changé ou la signature est fausse."),
)
def check(
    campus: Annotated[str, typer.Argument(metavar="CAMPUS", help=N_("Le nom court du campus, comme itip."))],
    file: Annotated[
        Path,
        typer.Argument(metavar="FICHIER", exists=True, help=N_("Le rapport en JSON, ou son jeton signé.")),
    ],
) -> None:
    token = _token_in(file.read_text("utf-8"))
    try:
        with ready_process().unit_of_work(reading=True) as services:
            found = services.campuses.get(campus)
            changed = services.report_editions.check(found, token)
    except AppError as error:
        stop(filled(_(error.sentence), error.values), code=ExitCode.REFUSED)
    document = document_of(token)
    say("Signé par le campus, à l’entrée {size} du journal.", size=document["log"]["entries"])
    for name, signed, now in changed:
        print(name, signed, now, sep="\t")
    if changed:
        say("Chiffres changés depuis : {count}.", count=len(changed), style="bold red")
        raise typer.Exit(ExitCode.REFUSED)
    say("Tous les chiffres se recomptent à l’identique.", style="green")


def _token_in(text: str) -> str:
    try:
        found = json.loads(text)
    except ValueError:
        return text.strip()
    return str(found.get("token", "")) if isinstance(found, dict) else ""
