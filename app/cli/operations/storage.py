"""`sceau storage`: old signed bytes go to the object store of the settings, and come back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

import typer
from rich.progress import Progress

from app.cli.terminal import ExitCode, aside, ready_process, say, stop
from app.container import Process
from app.errors import Unavailable
from app.language import N_
from app.language import gettext as _
from app.services.awards.signed_bytes import Batch, BytesMover, Key

commands = typer.Typer(no_args_is_help=True, help=N_("Là où les octets des badges signés sont gardés."))


def _opened() -> tuple[Process, BytesMover]:
    process = ready_process()
    if process.object_store is None:
        stop(_("Aucun magasin d’objets : réglez SCEAU_OBJECT_STORE et SCEAU_OBJECT_STORE_KEYS."))
    return process, process.bytes_mover(process.object_store)


@commands.command(
    "show", help=N_("Dit combien de badges signés sont dans la base et dans le magasin d’objets.")
)
def show() -> None:
    process, mover = _opened()
    counts = mover.counts(process.clock())
    say(
        "Dans la base : {here} ; dans le magasin d’objets : {moved}.",
        here=counts.here,
        moved=counts.moved,
    )
    removals = mover.removals()
    if removals:
        say("Badges dont les objets sont à supprimer du magasin : {count}.", count=removals, style="yellow")


@commands.command(
    "move",
    help=N_("Met les badges signés anciens dans le magasin d’objets ; avec --back, les remet dans la base."),
    epilog=N_("Interrompue, la commande se relance : rien n’est perdu, ni fait deux fois."),
)
def move(
    older_than: Annotated[
        int | None,
        typer.Option(
            min=0,
            help=N_("L’âge en jours à partir duquel ils partent ; sinon SCEAU_OBJECT_STORE_AFTER_DAYS."),
        ),
    ] = None,
    back: Annotated[bool, typer.Option("--back", help=N_("Remet tout dans la base."))] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=N_("Compte seulement, et essaie le magasin."))
    ] = False,
) -> None:
    process, mover = _opened()
    days = older_than if older_than is not None else process.settings.object_store_after_days
    if not back and older_than is None and not days:
        stop(_("Dites à partir de quel âge : --older-than 365 (en jours)."))
    before = process.clock() - timedelta(days=days)
    counts = mover.counts(before)
    total = counts.moved if back else counts.old
    if dry_run:
        _try_out(mover)
        say(
            N_("Badges qui seraient remis dans la base : {count}.")
            if back
            else N_("Badges qui partiraient : {count}."),
            count=total,
        )
        return
    done, size, refused = _run(
        (lambda known: mover.take_back_some(besides=known))
        if back
        else (lambda known: mover.move_some(before, besides=known)),
        total,
    )
    sentence = (
        N_("Badges remis dans la base : {count} ({size} Mo).")
        if back
        else N_("Badges mis dans le magasin d’objets : {count} ({size} Mo).")
    )
    say(sentence, style="green", count=done, size=f"{size / 1e6:.1f}")
    for (award_id, edition), why in refused.items():
        print(award_id, edition, _(_REASONS[why]), sep="\t")
    if refused:
        say(
            "Badges restés où ils étaient : {count}. Lancez : sceau check",
            style="bold red",
            count=len(refused),
        )
        raise typer.Exit(ExitCode.REFUSED)


_REASONS = {
    "too large": N_("trop grand pour le magasin"),
    "differs": N_("ses octets ne sont pas ceux qui ont été signés"),
    "lost": N_("le magasin ne l’a plus"),
}


def _try_out(mover: BytesMover) -> None:
    try:
        mover.objects.try_out()
    except Unavailable as error:
        stop(
            _("Le magasin d’objets ne s’utilise pas : {cause}. Lancez : sceau doctor").format(
                cause=cause_of(error)
            )
        )


def cause_of(error: Unavailable) -> str:
    return str(getattr(error, "cause", "")) or type(error).__name__


def _run(step: Callable[[dict[Key, str]], Batch], total: int) -> tuple[int, int, dict[Key, str]]:
    done, size, refused = 0, 0, dict[Key, str]()
    with Progress(console=aside(), disable=not aside().is_terminal, transient=True) as shown:
        bar = shown.add_task(_("Badges"), total=total)
        while True:
            try:
                batch = step(refused)
            except Unavailable as error:
                stop(
                    _(
                        "Le magasin d’objets ne répond plus ({cause}). Badges déplacés : {count}. Relancez plus tard."
                    ).format(cause=cause_of(error), count=done),
                    code=ExitCode.UNDETERMINED,
                )
            if batch.is_empty:
                return done, size, refused
            done, size = done + batch.documents, size + batch.size
            refused |= batch.refused
            shown.update(bar, completed=done)
