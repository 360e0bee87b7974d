"""`sceau demo`: the demonstration campuses, and sign-in links for them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from app.cli.terminal import ready_process, say, show_table, with_progress
from app.container import Process
from app.domain.people import Role
from app.language import N_
from app.language import gettext as _
from app.services.campus.registers import AwardFilter
from demo.loader import load_demo
from demo.seeder import CAMPUS, sign_in_link
from demo.witness import cosign_logs

commands = typer.Typer(no_args_is_help=True, help=N_("La démonstration : huit campus et leurs badges."))


class RoleWord(StrEnum):
    TRAINER = "trainer"
    ADMIN = "admin"

    @property
    def role(self) -> Role:
        return Role.TRAINER if self is RoleWord.TRAINER else Role.CAMPUS_ADMIN


@commands.command("load", help=N_("Met la démonstration dans une base vide ; sinon dit ce qui s’y trouve."))
def load() -> None:
    process = ready_process()
    loaded = load_demo(process.settings, progress=lambda events: with_progress(events, _("Démonstration")))
    if loaded:
        cosign_logs(process)
        say("La démonstration est en place.", style="green")
    else:
        say("Il y a déjà des campus dans cette base : rien n’a été ajouté ni changé.")
    _tell_what_is_there(process)


@commands.command("link", help=N_("Affiche un nouveau lien de connexion, qui sert une fois."))
def link(
    role: Annotated[
        RoleWord, typer.Option(help=N_("Pour qui : formation ou administration du campus."))
    ] = RoleWord.TRAINER,
    campus: Annotated[str, typer.Option(help=N_("Le campus, par son nom dans les adresses."))] = CAMPUS,
) -> None:
    with ready_process().unit_of_work() as services:
        print(sign_in_link(services, services.campuses.get(campus), role.role))


def _tell_what_is_there(process: Process) -> None:
    with process.unit_of_work(reading=True) as services:
        desks = [
            (
                services.campuses.desk(campus),
                services.award_register.count(campus, AwardFilter(services.clock())),
            )
            for campus in services.campuses.list_all()
        ]
    show_table(
        [_("Campus"), _("Nom"), _("Badges"), _("Activités"), _("Attributions")],
        [
            [
                desk.campus.slug,
                desk.campus.name,
                str(len(desk.badges)),
                str(len(desk.activities)),
                str(awards),
            ]
            for desk, awards in desks
        ],
    )
