"""The command-line face: `sceau`, in the operator's language."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import typer

from app import __version__
from app.cli import (
    awards,
    check,
    clock,
    keys,
    logs,
    networks,
    operators,
    partner_keys,
    restore,
    serve,
    sites,
    tokens,
    trust,
    verify,
    witness,
)
from app.cli.demo import commands as demo
from app.cli.terminal import ExitCode, aside, operator_locale
from app.errors import AppError
from app.language import N_, speaking
from app.language import gettext as _
from app.wiring import DatabaseUnreachable

# Typer has no public name for its usage errors; a bad parameter is one of them.
UsageError: Any = typer.BadParameter.__bases__[0]

HELP_NAMES = ["--help", "-h"]

app = typer.Typer(
    name="sceau",
    help=N_("Sceau : des badges ouverts signés pour les Campus des métiers et des qualifications."),
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": HELP_NAMES},
)
app.command("serve", help=N_("Met le service en route ; avec --demo, tout ce qu’il faut pour l’essayer."))(
    serve.serve
)
app.command(
    "work", help=N_("Fait le travail de fond seul, à côté du service : attributions, lettres, rappels.")
)(serve.work)
app.command("migrate", help=N_("Crée la base de données ou la met à jour."))(serve.migrate)
app.command(
    "check",
    help=N_(
        "Revérifie tout ce qui a été signé : badges, listes de statuts, journaux, images ; reprend où elle s’est arrêtée."
    ),
)(check.check)
app.command(
    "restore",
    help=N_(
        "Après la restauration d’une ancienne sauvegarde : montre ce qui manque et le remet en place, pour qu’aucun "
        "badge retiré ne redevienne valable."
    ),
)(restore.restore)
app.command("award", help=N_("Attribue un badge à une liste de personnes ; recommencer ne change rien."))(
    awards.award
)
app.command(
    "verify",
    help=N_("Vérifie des badges : sont-ils authentiques, et encore valables ?"),
    epilog=N_(
        "Code de fin : 0 tout est valable, 1 un badge ne l’est pas, 2 un badge n’a pas pu être vérifié, 3 commande mal formée."
    ),
)(verify.verify)
app.add_typer(demo.commands, name="demo")
app.add_typer(tokens.commands, name="token")
app.add_typer(keys.commands, name="keys")
app.add_typer(clock.commands, name="clock")
app.add_typer(logs.commands, name="log")
app.add_typer(witness.commands, name="witness")
app.add_typer(sites.commands, name="site")
app.add_typer(operators.campuses, name="campus")
app.add_typer(operators.operators, name="operator")
app.add_typer(networks.commands, name="network")
app.add_typer(partner_keys.organisations, name="organisation")
app.add_typer(trust.commands, name="trust")


@app.callback(invoke_without_command=True)
def options(
    version: bool = typer.Option(False, "--version", is_eager=True, help=N_("Affiche la version.")),
) -> None:
    if version:
        print(f"sceau {__version__}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> None:
    with speaking(operator_locale(os.environ)):
        sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit code of one command; every failure that has a sentence is told by it."""
    command = typer.main.get_command(app)
    translate(command)
    try:
        return command.main(arguments, prog_name="sceau", standalone_mode=False) or ExitCode.DONE
    except UsageError as error:
        malformed = _("Commande mal formée. {detail}").format(detail=error.format_message())
        aside().print(malformed, style="bold red", markup=False)
        aside().print(_("Pour de l’aide : {command} --help").format(command=_path_of(error)), markup=False)
        return ExitCode.UNUSABLE
    except AppError as error:
        aside().print(_(error.sentence).format(**error.values), style="bold red", markup=False)
        return ExitCode.REFUSED
    except DatabaseUnreachable:
        aside().print(
            _("La base de données ne répond pas. Vérifiez SCEAU_DATABASE_URL."),
            style="bold red",
            markup=False,
        )
        return ExitCode.UNUSABLE
    except typer.Abort:
        return 130


def translate(command: Any) -> None:
    """Help is written in French, and shown in the language of the moment."""
    for name in ("help", "short_help", "epilog"):
        if text := getattr(command, name, None):
            setattr(command, name, _(text))
    help_option = command.get_help_option(typer.Context(command, help_option_names=HELP_NAMES))
    help_option.help = N_("Affiche cette aide.")
    for parameter in (*command.params, help_option):
        if text := getattr(parameter, "help", None):
            parameter.help = _(text)
        is_option = parameter.param_type_name == "option"
        parameter.rich_help_panel = _("Options") if is_option else _("Arguments")
    for inner in getattr(command, "commands", {}).values():
        inner.rich_help_panel = _("Commandes")
        translate(inner)


def _path_of(error: Any) -> str:
    return error.ctx.command_path if error.ctx else "sceau"


if __name__ == "__main__":
    main()
