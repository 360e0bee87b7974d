"""`sceau clock`: whether the clock of the server may date what is signed."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.terminal import ExitCode, ready_process, say
from app.domain.campus.history import Actor
from app.language import N_

commands = typer.Typer(no_args_is_help=True, help=N_("L’horloge du serveur, qui date ce qui est signé."))


@commands.command("show", help=N_("Dit si l’horloge a sauté et si les signatures sont arrêtées."))
def show() -> None:
    with ready_process().unit_of_work(reading=True) as services:
        at, jump = services.clock(), services.signing_clock.jump()
    say(N_("L’horloge indique {at} (UTC)."), at=f"{at:%Y-%m-%d %H:%M:%S}")
    if jump is None:
        say(N_("Elle n’a pas sauté : les signatures suivent leur cours."), style="green")
        return
    say(
        N_("Elle a sauté : {expected} était attendu. Rien n’est signé avant « sceau clock confirm »."),
        style="red",
        expected=f"{jump.expected:%Y-%m-%d %H:%M:%S}",
    )
    raise typer.Exit(ExitCode.REFUSED)


@commands.command("confirm", help=N_("Reprend les signatures à l’heure que l’horloge indique maintenant."))
def confirm(
    reason: Annotated[str, typer.Option(help=N_("Pourquoi l’heure est bonne ; l’historique le garde."))],
) -> None:
    with ready_process().unit_of_work() as services:
        jump = services.signing_clock.confirm(reason, by=Actor.command("clock"))
    if jump is None:
        say(N_("L’horloge n’avait pas sauté : rien n’a changé."))
    else:
        say(N_("C’est noté : les signatures reprennent."), style="green")
