"""`sceau mail`: messages that came back."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.terminal import ExitCode, ready_process, say, stop
from app.container import DatabaseUnreachable
from app.errors import InvalidInput
from app.language import N_
from app.language import gettext as _

commands = typer.Typer(no_args_is_help=True, help=N_("Les e-mails du service."))

_MOST_BYTES = 20_000_000
_STANDARD_INPUT = Path("-")


@commands.command(
    "bounces",
    help=N_("Lit des avis de non-distribution et note sur la page de chaque badge ce qui n’est pas arrivé."),
    epilog=N_("Code de fin : 0 lu, même sans rapport avec ce service ; 75 à présenter de nouveau plus tard."),
)
def bounces(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="FICHIER…", help=N_("Un avis par fichier ; « - » pour celui de l’entrée standard.")
        ),
    ],
) -> None:
    try:
        process = ready_process()
        noted = unknown = others = 0
        for path in paths:
            report = _read(path)
            try:
                with process.unit_of_work() as services:
                    done = services.letters.note_bounces(report)
            except InvalidInput:
                others += 1
                continue
            noted, unknown = noted + done.letters, unknown + done.unknown
    except (DatabaseUnreachable, typer.Exit) as error:
        if _STANDARD_INPUT not in paths:
            raise
        # The mail server keeps the report and tries again (sysexits.h).
        raise typer.Exit(os.EX_TEMPFAIL) from error
    say(N_("E-mails notés comme non distribués : {count}."), count=noted)
    if unknown:
        say(N_("Avis sur des messages que ce service ne connaît pas : {count}."), count=unknown)
    if others:
        say(N_("Messages qui ne sont pas des avis de non-distribution : {count}."), count=others)


def _read(path: Path) -> bytes:
    if path == _STANDARD_INPUT:
        return sys.stdin.buffer.read(_MOST_BYTES)
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError as error:
        stop(
            _("{path} ne peut pas être lu : {cause}.").format(path=path, cause=error.strerror),
            code=ExitCode.UNUSABLE,
        )
