"""`sceau token`: the access tokens of programs, shown once and stored hashed."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Annotated

import typer

from app.cli.terminal import ready_process, say, show_table
from app.domain.accounts.sessions import ApiToken, Scope
from app.domain.campus.audit_log import Actor
from app.language import N_
from app.language import gettext as _

commands = typer.Typer(no_args_is_help=True, help=N_("Les jetons d’accès des programmes."))
_BY = Actor.command("token")

CampusSlug = Annotated[str, typer.Option(help=N_("Le campus, par son nom dans les adresses."))]


@commands.command("create", help=N_("Crée un jeton et l’affiche, cette seule fois."))
def create(
    campus: CampusSlug,
    label: Annotated[str, typer.Option(help=N_("À quoi sert ce jeton : on le lira dans la liste."))],
    scope: Annotated[list[Scope], typer.Option(help=N_("Un droit ; l’option peut être répétée."))],
    days: Annotated[int, typer.Option(min=1, max=365, help=N_("Sa durée de vie en jours."))] = 90,
) -> None:
    with ready_process().unit_of_work() as services:
        secret = services.people.create_token(
            services.campuses.get(campus),
            label=label,
            scopes=[one.value for one in dict.fromkeys(scope)],
            life=timedelta(days=days),
            by=_BY,
        )
    print(secret)
    say(N_("Gardez ce jeton maintenant : il ne sera plus affiché. Il vaut {days} jours."), days=days)


@commands.command("list", help=N_("Liste les jetons d’un campus, sans leurs secrets."))
def list_tokens(campus: CampusSlug) -> None:
    process = ready_process()
    with process.unit_of_work(reading=True) as services:
        tokens = services.people.list_tokens(services.campuses.get(campus))
    show_table(
        [_("Identifiant"), _("État"), _("Fin"), _("Droits"), _("Usage")],
        [
            [
                str(token.id),
                _state_of(token, process.clock()),
                token.expires_at.date().isoformat(),
                " ".join(token.scopes),
                token.label,
            ]
            for token in tokens
        ],
    )


@commands.command("revoke", help=N_("Retire un jeton : il n’ouvre plus rien, tout de suite."))
def revoke(
    token: Annotated[
        uuid.UUID, typer.Argument(help=N_("L’identifiant du jeton, donné par « sceau token list »."))
    ],
    campus: CampusSlug,
) -> None:
    with ready_process().unit_of_work() as services:
        services.people.revoke_token(services.campuses.get(campus), token, by=_BY)
    say(N_("Le jeton est retiré."), style="green")


def _state_of(token: ApiToken, at: datetime) -> str:
    if token.revoked_at is not None:
        return _("retiré")
    return _("expiré") if at >= token.expires_at else _("valable")
