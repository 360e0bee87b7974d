"""Shared by every command: the operator's language, two streams, exit codes, and access to the process."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer
from rich.console import Console

from app.language import N_, filled, known_locales
from app.language import gettext as _

if TYPE_CHECKING:
    from pydantic import ValidationError

    from app.container import Process
    from app.settings import Settings

# Settings and services are imported where they are used: `sceau --version` needs neither.

T = TypeVar("T")

CONFIRM_HELP = N_("Les motifs à accepter sur toutes les lignes : « order,unusual ».")


class ExitCode(IntEnum):
    DONE = 0
    REFUSED = 1
    """Something was refused, or a badge is not valid."""
    UNDETERMINED = 2
    """A badge could not be fully checked."""
    UNUSABLE = 3
    """The command, the settings or the database are invalid; nothing was done."""
    UNREACHABLE = os.EX_TEMPFAIL
    """The database does not answer, or another operation came between: the same command may work later (sysexits.h)."""


def out() -> Console:
    """Results, for people and for pipes."""
    return Console(highlight=False, soft_wrap=True)


def aside() -> Console:
    """Everything that is not the result."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(sentence: str, *, style: str = "", **values: object) -> None:
    """A sentence beside the result: French, shown in the operator's language."""
    aside().print(filled(_(sentence), values), style=style, markup=False)


def stop(*sentences: str, code: ExitCode = ExitCode.UNUSABLE) -> NoReturn:
    """Prints the errors, already in the operator's language, and exits."""
    for sentence in sentences:
        aside().print(sentence, style="bold red", markup=False)
    raise typer.Exit(code)


def warn_of_another_address(process: Process) -> None:
    from app.container.doctor import campuses_of_another_address

    if strangers := campuses_of_another_address(process):
        say(
            "Attention : cette base a été remplie pour une autre adresse ({did}). Ses badges ne se vérifient pas sur {url}.",
            style="yellow",
            did=strangers[0].did,
            url=process.settings.base_url,
        )


def operator_locale(environment: Mapping[str, str]) -> str:
    """SCEAU_LOCALE, else the language of the terminal, else French."""
    spoken = next(filter(None, map(environment.get, ("SCEAU_LOCALE", "LC_ALL", "LC_MESSAGES", "LANG"))), "")
    language = spoken[:2].lower()
    return language if language in known_locales() else known_locales()[0]


def settings() -> Settings:
    from pydantic import ValidationError

    from app.settings import Settings, unknown_names

    try:
        found = Settings()
    except ValidationError as error:
        unknown = unknown_names(os.environ)
        meant = [
            _("{name} n’existe pas : vouliez-vous {known} ?").format(name=name, known=known)
            for name, known in unknown.items()
            if known
        ]
        stop(*sentences_of(error), *meant)
    if found.locale not in known_locales():
        stop(
            _("SCEAU_LOCALE doit être l’une de ces langues : {locales}.").format(
                locales=", ".join(known_locales())
            )
        )
    return found


def sentences_of(error: ValidationError, option: str = "") -> list[str]:
    """What is refused: of settings by their names, or of one option of a command."""
    from app.settings import SettingRefused

    faults = []
    for fault in error.errors():
        context = fault.get("ctx", {})
        own = context.get("error")
        if isinstance(own, SettingRefused):
            faults.append(filled(_(own.sentence), own.values))
        else:
            names = option or ", ".join(f"SCEAU_{str(name).upper()}" for name in fault["loc"])
            faults.append(_(_REFUSALS.get(fault["type"], _UNFIT)).format(name=names, **context))
    return faults


_REFUSALS = {
    "int_parsing": N_("{name} doit être un nombre entier."),
    "greater_than_equal": N_("{name} doit valoir {ge} ou plus."),
    "less_than_equal": N_("{name} doit valoir {le} ou moins."),
    "bool_parsing": N_("{name} doit valoir on ou off."),
    "string_pattern_mismatch": N_("{name} doit correspondre à {pattern}."),
    "string_too_long": N_("{name} tient en {max_length} signes."),
}
_UNFIT = N_("{name} a une valeur qui ne convient pas.")


def open_process(*, accepts_secret: bool = False) -> Process:
    """The process over a database that answers and is durable, whatever its schema."""
    from app.container import CANNOT_START, DatabaseUnreachable, Process, SecretReplaced, reply_of

    try:
        process = Process(settings())
        with suppress(*[SecretReplaced] if accepts_secret else []):
            process.check()
    except CANNOT_START as error:
        stop(_(str(error)))
    except DatabaseUnreachable as error:
        reply = [_("Elle répond : « {reply} »").format(reply=words)] if (words := reply_of(error)) else []
        stop(
            _("La base de données ne répond pas. Vérifiez SCEAU_DATABASE_URL."),
            *reply,
            code=ExitCode.UNREACHABLE,
        )
    return process


def ready_process(*, accepts_secret: bool = False) -> Process:
    """The process over a database with the schema this program needs."""
    from app.container import schema_problem_of

    process = open_process(accepts_secret=accepts_secret)
    if problem := schema_problem_of(process):
        stop(problem)
    return process


def with_progress(items: Sequence[T], label: str) -> Iterable[T]:
    """The same items; on a terminal a progress bar is shown."""
    from rich.progress import track

    return track(items, label, console=aside(), disable=not aside().is_terminal, transient=True)


def show_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns on a terminal; tab-separated lines in a pipe, without heading."""
    if not out().is_terminal:
        for row in rows:
            print(*row, sep="\t")
        return
    from rich.table import Table

    table = Table(*headings, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*row)
    Console(highlight=False).print(table)


def is_set(name: str) -> bool:
    return bool(os.environ.get(name))


commands = typer.Typer(no_args_is_help=True, help=N_("L’horloge du serveur, qui date ce qui est signé."))


@commands.command("show", help=N_("Dit si l’horloge a sauté et si les signatures sont arrêtées."))
def show() -> None:
    with ready_process().unit_of_work(reading=True) as services:
        at, jump = services.clock(), services.signing_clock.jump()
    say("L’horloge indique {at} (UTC).", at=f"{at:%Y-%m-%d %H:%M:%S}")
    if jump is None:
        say("Elle n’a pas sauté : les signatures suivent leur cours.", style="green")
        return
    say(
        "Elle a sauté : {expected} était attendu. Rien n’est signé avant « sceau clock confirm ».",
        style="red",
        expected=f"{jump.expected:%Y-%m-%d %H:%M:%S}",
    )
    raise typer.Exit(ExitCode.REFUSED)


@commands.command("confirm", help=N_("Reprend les signatures à l’heure que l’horloge indique maintenant."))
def confirm(
    reason: Annotated[str, typer.Option(help=N_("Pourquoi l’heure est bonne ; l’historique le garde."))],
) -> None:
    from app.domain.campus.audit_log import Actor

    with ready_process().unit_of_work() as services:
        jump = services.signing_clock.confirm(reason, by=Actor.command("clock"))
    if jump is None:
        say("L’horloge n’avait pas sauté : rien n’a changé.")
    else:
        say("C’est noté : les signatures reprennent.", style="green")
