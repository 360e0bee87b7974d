"""`sceau apps`: applications that learners may connect through the Open Badges API."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Annotated

import typer

from app.cli.terminal import ready_process, say, show_table, stop
from app.domain.learners.connected_apps import RegistrationRefused
from app.language import N_
from app.language import gettext as _
from sceau_credentials.errors import MalformedInput
from sceau_credentials.values import parse_json_object

commands = typer.Typer(no_args_is_help=True, help=N_("Les applications que les personnes connectent."))


@commands.command(
    "register", help=N_("Inscrit une application et affiche son identifiant et son secret, une seule fois.")
)
def register(
    description: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help=N_("Le fichier JSON de son inscription, tel que le décrit la RFC 7591."),
        ),
    ],
) -> None:
    try:
        sent = parse_json_object(description.read_bytes())
        with ready_process().unit_of_work() as services:
            answer = services.connected_apps.register(sent, by_operator=True)
    except MalformedInput:
        stop(_("Ce fichier n’est pas du JSON."))
    except RegistrationRefused as refused:
        stop(_("Inscription refusée : {expected}").format(expected=refused.expected))
    print(json.dumps(answer, indent=2, ensure_ascii=False))


@commands.command("list", help=N_("Liste les applications inscrites, sans leurs secrets."))
def list_apps() -> None:
    with ready_process().unit_of_work(reading=True) as services:
        apps = services.connected_apps.list_all()
    show_table(
        [_("Identifiant"), _("Nom"), _("Adresse"), _("Inscrite le")],
        [[str(app.id), app.name, app.host, app.registered_at.date().isoformat()] for app in apps],
    )


@commands.command("remove", help=N_("Retire une application : elle est déconnectée partout, tout de suite."))
def remove(
    app_id: Annotated[uuid.UUID, typer.Argument(help=N_("L’identifiant donné par « sceau apps list »."))],
) -> None:
    with ready_process().unit_of_work() as services:
        services.connected_apps.remove(app_id)
    say(N_("L’application est retirée."), style="green")
