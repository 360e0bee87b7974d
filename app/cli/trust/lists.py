"""`sceau trust`: the lists of other services' networks that this one trusts."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.terminal import ExitCode, ready_process, say, show_table, stop
from app.container import Process
from app.domain.campus.audit_log import Actor
from app.domain.trust import FollowedList
from app.language import N_
from app.language import gettext as _
from app.services.trust.external_trust_lists import FOLLOWING_TROUBLES

commands = typer.Typer(
    no_args_is_help=True, help=N_("Les listes de campus reconnus que d’autres réseaux publient.")
)
_BY = Actor.command("trust")
Url = Annotated[str, typer.Argument(metavar="ADRESSE", help=N_("L’adresse de la liste signée."))]


@commands.command("follow", help=N_("Suit une liste sous la clé du réseau, et la lit une première fois."))
def follow(
    url: Url,
    key: Annotated[
        str, typer.Option(help=N_("La clé du réseau (« z6Mk… »), reçue de lui par un autre chemin que la liste."))
    ],
) -> None:  # fmt: skip
    process = ready_process()
    with process.unit_of_work() as services:
        row = services.followed_lists.follow(url, key, by=_BY)
    _read(process, row)


@commands.command("refresh", help=N_("Relit maintenant toutes les listes suivies."))
def refresh() -> None:
    process = ready_process()
    with process.unit_of_work(reading=True) as services:
        rows = services.followed_lists.list_all()
    for row in rows:
        _read(process, row)


@commands.command("list", help=N_("Montre les listes suivies, et quand elles ont été lues."))
def list_followed() -> None:
    process = ready_process()
    with process.unit_of_work(reading=True) as services:
        rows = services.followed_lists.list_all()
    show_table(
        [_("Adresse"), _("Réseau"), _("Édition"), _("Lue le"), _("Vaut jusqu’au"), _("État")],
        [
            [
                row.url,
                row.name,
                str(row.sequence),
                row.read_at.isoformat() if row.read_at else "",
                row.valid_until.isoformat() if row.valid_until else "",
                _state(process, row),
            ]
            for row in rows
        ],
    )


@commands.command("unfollow", help=N_("Cesse de suivre une liste ; ce qu’elle disait est oublié."))
def unfollow(url: Url) -> None:
    with ready_process().unit_of_work() as services:
        services.followed_lists.unfollow(url, by=_BY)
    say(N_("Cette liste n’est plus suivie."), style="green")


def _read(process: Process, row: FollowedList) -> None:
    with process.unit_of_work(reading=True) as services:
        fetched = services.followed_lists.fetch(row.id)
    with process.unit_of_work() as services:
        services.followed_lists.note(row.id, fetched)
    if fetched.listed is None:
        stop(f"{row.url} : {_trouble(fetched.trouble)}", code=ExitCode.UNDETERMINED)
    say(
        N_("{network}, édition {sequence} : {count} campus."),
        style="green",
        network=fetched.listed.name,
        sequence=fetched.listed.sequence,
        count=len(fetched.listed.entries),
    )


def _state(process: Process, row: FollowedList) -> str:
    if row.valid_until is not None and row.valid_until <= process.clock():
        return _("plus à jour")
    return _trouble(row.trouble) if row.trouble else _("à jour")


def _trouble(reason: str) -> str:
    return _(FOLLOWING_TROUBLES.get(reason, N_("la liste n’a pas pu être lue."))) + f" ({reason})"
