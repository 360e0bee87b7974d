"""The command line `sceau`, in the operator's language."""

from __future__ import annotations

import gc
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from io import TextIOWrapper
from typing import Any, Final

import typer

from app import __version__
from app.cli.terminal import ExitCode, aside, operator_locale, sentences_of
from app.errors import AppError
from app.language import N_, filled, speaking
from app.language import gettext as _

# Typer has no public name for its usage errors; a bad parameter is one of them.
UsageError: Any = typer.BadParameter.__bases__[0]

HELP_NAMES = ["--help", "-h"]


@dataclass(frozen=True)
class Command:
    """Where a command or a group of commands is defined: its module is imported on first use."""

    module: str
    name: str
    help: str = ""
    """For a single command; a group has its own."""
    epilog: str = ""


COMMANDS: Mapping[str, Command] = {
    "serve": Command(
        "app.cli.operations.serve",
        "serve",
        N_("Met le service en route ; avec --demo, tout ce qu’il faut pour l’essayer."),
    ),
    "work": Command(
        "app.cli.operations.serve",
        "work",
        N_("Fait le travail de fond seul, à côté du service : attributions, e-mails, rappels."),
    ),
    "migrate": Command(
        "app.cli.operations.serve",
        "migrate",
        N_("Crée la base de données ou la met à jour."),
        N_(
            "Code de fin de --check : 0 rien n’attend, 1 des migrations pendant lesquelles le service continue, "
            "2 des migrations pour lesquelles il s’arrête, 3 base plus récente que ce programme."
        ),
    ),
    "doctor": Command(
        "app.cli.operations.check",
        "doctor",
        N_(
            "Examine réglages, base, clés, horloge, e-mail, ancres et disque, et dit quoi faire ; ne change rien."
        ),
        N_("Code de fin : 0 rien n’empêche de servir, 1 un défaut, 3 réglages refusés."),
    ),
    "check": Command(
        "app.cli.operations.check",
        "check",
        N_(
            "Revérifie tout ce qui a été signé : badges, listes de statuts, journaux, images ; reprend où elle s’est arrêtée."
        ),
    ),
    "backup": Command(
        "app.cli.operations.restore",
        "backup",
        N_(
            "Sauvegarde la base et le dossier des ancres dans un fichier chiffré, pendant que le service tourne."
        ),
    ),
    "transfer": Command(
        "app.cli.operations.restore",
        "transfer",
        N_("Transfère une base SQLite dans la base PostgreSQL des réglages, qui doit être vide."),
    ),
    "restore": Command(
        "app.cli.operations.restore",
        "restore",
        N_(
            "Après la restauration d’une ancienne sauvegarde : montre ce qui manque et le remet en place, pour qu’aucun "
            "badge retiré ne redevienne valable."
        ),
    ),
    "award": Command(
        "app.cli.awards",
        "award",
        N_("Attribue un badge à une liste de personnes ; recommencer ne change rien."),
    ),
    "verify": Command(
        "app.cli.verify",
        "verify",
        N_("Vérifie des badges : sont-ils authentiques, et encore valables ?"),
        N_(
            "Code de fin : 0 tout est valable, 1 un badge ne l’est pas, 2 un badge n’a pas pu être vérifié, 3 commande mal formée."
        ),
    ),
    "list": Command("app.cli.lists", "commands"),
    "frameworks": Command("app.cli.frameworks", "commands"),
    "report": Command("app.cli.reports", "commands"),
    "demo": Command("demo.commands", "commands"),
    "awards": Command("app.cli.awards", "commands"),
    "token": Command("app.cli.operators", "token_commands"),
    "apps": Command("app.cli.operators", "app_commands"),
    "keys": Command("app.cli.operations.keys", "commands"),
    "storage": Command("app.cli.operations.storage", "commands"),
    "mail": Command("app.cli.operations.mail", "commands"),
    "lti": Command("app.cli.operations.lti", "commands"),
    "clock": Command("app.cli.terminal", "commands"),
    "log": Command("app.cli.activity_log", "log_commands"),
    "witness": Command("app.cli.activity_log", "witness_commands"),
    "site": Command("app.cli.sites", "commands"),
    "campus": Command("app.cli.operators", "campuses"),
    "operator": Command("app.cli.operators", "operators"),
    "network": Command("app.cli.trust", "commands"),
    "organisation": Command("app.cli.trust", "organisations"),
    "trust": Command("app.cli.trust", "trust_commands"),
}


def command_line(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """The commands of these names, each with everything it imports."""
    app = typer.Typer(
        name="sceau",
        help=N_("Sceau : des badges ouverts signés pour les Campus des métiers et des qualifications."),
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": HELP_NAMES},
    )
    app.callback(invoke_without_command=True)(options)
    for name in names:
        command = COMMANDS[name]
        found = getattr(import_module(command.module), command.name)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name, help=command.help, epilog=command.epilog or None)(found)
    return app


def options(
    version: bool = typer.Option(False, "--version", is_eager=True, help=N_("Affiche la version.")),
) -> None:
    if version:
        print(f"sceau {__version__}")
        raise typer.Exit


def _called(arguments: Sequence[str]) -> Iterable[str]:
    """The invoked command, none for the version, all where it is ambiguous."""
    first = next(iter(arguments), "")
    if first == "--version":
        return ()
    return (first,) if first in COMMANDS else COMMANDS


_NEW_VALUES: Final = (20_000, 50, 100)
"""New values before garbage is collected, as in the service: Python's own thresholds cost a quarter of a long award."""


def main(arguments: Sequence[str] | None = None) -> None:
    if arguments is None:
        # What modules define is never garbage: collecting during imports and at exit takes two fifths of a start.
        gc.disable()
        for stream in (sys.stdout, sys.stderr):
            # A terminal without « é » or « ✓ » shows « ? » instead.
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="replace")
    with speaking(operator_locale(os.environ)):
        sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit code of one command; prints every error that has a sentence."""
    arguments = sys.argv[1:] if arguments is None else arguments
    command = typer.main.get_command(command_line(_called(arguments)))
    translate(command)
    if len(arguments) < 2 or not set(HELP_NAMES).isdisjoint(arguments):
        _translate_marks()
    if not gc.isenabled():
        gc.freeze()
        gc.set_threshold(*_NEW_VALUES)
        gc.enable()
    try:
        return command.main(arguments, prog_name="sceau", standalone_mode=False) or ExitCode.DONE
    except UsageError as error:
        if detail := _fault_in(error):
            malformed = _("Commande mal formée. {detail}").format(detail=detail)
            _complain(malformed, _("Pour de l’aide : {command} --help").format(command=_path_of(error)))
        return ExitCode.UNUSABLE
    except AppError as error:
        more = _("Pour reprendre : sceau restore") if _is_older_copy(error) else ""
        _complain(filled(_(error.sentence), error.values), more)
        return ExitCode.REFUSED
    except typer.Abort:
        return 130
    except OSError as error:
        from app.container.doctor import closed_path

        if not (sentence := closed_path(error)):
            raise
        _complain(sentence)
        return ExitCode.UNUSABLE
    except Exception as error:
        if _is_deadlock(error):
            _complain(
                _("Une autre opération changeait la même chose au même moment. Relancez la même commande.")
            )
            return ExitCode.UNREACHABLE
        if not _is_database_unreachable(error):
            raise
        setting = next(iter(getattr(error, "__notes__", ())), "SCEAU_DATABASE_URL")
        _complain(_("La base de données ne répond pas. Vérifiez {setting}.").format(setting=setting))
        return ExitCode.UNREACHABLE


def _fault_in(error: Any) -> str:
    """What is wrong with a command; empty where its help has been shown instead. Typer's sentences are in English."""
    words = str(error.format_message())
    if " is not one of " not in words and (refused := getattr(error.__cause__, "errors", None)):
        name = str(error.param.get_error_hint()).strip("'")
        return "\n".join(sentences_of(error.__cause__, name)) if refused() else words
    for pattern, sentence in _FAULTS:
        if found := pattern.search(words):
            values = {
                name: value.replace("', '", ", ").strip("'") for name, value in found.groupdict("").items()
            }
            if near := values.get("near"):
                return f"{filled(_(sentence), values)} {_('Vouliez-vous {near} ?').format(near=near)}"
            return filled(_(sentence), values)
    return words


_FAULTS: Final = tuple(
    (re.compile(pattern, re.DOTALL), sentence)
    for pattern, sentence in (
        (r"^Missing \w+ '?(?P<name>[^ ']+)'?\.", N_("Il manque {name}.")),
        (r"^Missing command\.", N_("Il manque le nom de la commande.")),
        (
            r"^No such command (?P<name>'[^']*')(?:.* mean (?P<near>.+)\?)?",
            N_("La commande « {name} » n’existe pas."),
        ),
        (
            r"^No such option: (?P<name>\S+)(?: \(Possible options: (?P<near>.+)\))?",
            N_("L’option {name} n’existe pas."),
        ),
        (r"^Option '(?P<name>[^']+)' requires ", N_("L’option {name} attend une valeur.")),
        (r"^Option '(?P<name>[^']+)' does not take a value", N_("L’option {name} n’a pas de valeur.")),
        (r"^Got unexpected extra argument\(s\) \((?P<name>.+)\)", N_("Ceci est en trop : {name}.")),
        (
            r"^Invalid value for (?P<name>\S+): (?:Value error, )?(?P<text>.+) is not one of (?P<known>.+)\.",
            N_("« {text} » ne convient pas à {name}, qui est l’un de : {known}."),
        ),
        (
            r"^Invalid value for (?P<name>\S+): \w+ (?P<path>.+) does not exist\.",
            N_("{name} : {path} n’existe pas."),
        ),
        (
            r"^Invalid value for (?P<name>\S+): \w+ (?P<path>.+) is a file\.",
            N_("{name} : {path} n’est pas un dossier."),
        ),
        (
            r"^Invalid value for (?P<name>\S+): \w+ (?P<path>.+) is a directory\.",
            N_("{name} : {path} est un dossier."),
        ),
        (
            r"^Invalid value for (?P<name>\S+): \w+ (?P<path>.+) is not (?:read|writ)able\.",
            N_("{name} : le système n’ouvre pas {path}."),
        ),
        (r"^Invalid value(?: for (?P<name>\S+))?: (?P<text>.+)", "{text}"),
    )
)


def _complain(sentence: str, more: str = "") -> None:
    aside().print(sentence, style="bold red", markup=False)
    if more:
        aside().print(more, markup=False)


def _is_database_unreachable(error: Exception) -> bool:
    if "app.container" not in sys.modules:
        return False
    from app.container import DatabaseUnreachable

    if not isinstance(error, DatabaseUnreachable):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return state.startswith(_OF_CONNECTIONS) if state else not _OF_STATEMENTS.search(str(error.orig))


def _is_deadlock(error: Exception) -> bool:
    if "app.container" not in sys.modules:
        return False
    from app.container import is_deadlock

    return is_deadlock(error)


_OF_CONNECTIONS: Final = ("08", "28", "3D", "53", "57P")
"""Classes of SQLSTATE; others, as of a migration that fails, are faults of a statement."""
_OF_STATEMENTS: Final = re.compile(r"no such (?:table|column)|duplicate column|already exists|syntax error")
"""What SQLite reports by the same exception as a file that it cannot open."""


def _is_older_copy(error: Exception) -> bool:
    if "app.services.activity_log.log_check" not in sys.modules:
        return False
    from app.services.activity_log.log_check import OlderCopy

    return isinstance(error, OlderCopy)


def translate(command: Any) -> None:
    """Help is written in French, and shown in the current language."""
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


def _translate_marks() -> None:
    """The marks that Typer adds to help. Imported for help alone: it takes as long as the rest of Typer."""
    from typer import rich_utils

    rich_utils.REQUIRED_LONG_STRING = f"[{_('obligatoire')}]"
    rich_utils.DEFAULT_STRING = f"[{_('par défaut : {value}').format(value='{}')}]"


def _path_of(error: Any) -> str:
    return error.ctx.command_path if error.ctx else "sceau"


if __name__ == "__main__":
    main()
