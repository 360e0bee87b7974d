"""`sceau operator` and `sceau campus`: operators of this service, and its campuses."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from app.cli.terminal import ready_process, say, show_table, stop
from app.container import Services
from app.domain.accounts.sessions import ApiToken, Scope
from app.domain.campus.audit_log import Actor
from app.domain.campus.team import Invitation
from app.domain.learners.connected_apps import RegistrationRefused
from app.language import N_
from app.language import gettext as _
from sceau_credentials.errors import MalformedInput
from sceau_credentials.values import parse_json_object

operators = typer.Typer(no_args_is_help=True, help=N_("Les personnes qui ouvrent des campus sur ce service."))
campuses = typer.Typer(no_args_is_help=True, help=N_("Les campus : ouverts, suspendus, confiés à quelqu’un."))
_BY_OPERATOR, _BY_CAMPUS = Actor.command("operator"), Actor.command("campus")

_HAND_IT = N_(
    "Le lien vaut dix minutes et sert une fois. Donnez-le de vive voix ou en main propre : l’historique dit qu’il a été fait."
)

Slug = Annotated[str, typer.Argument(help=N_("Le campus, par son nom dans les adresses."))]
Address = Annotated[str, typer.Option(help=N_("Son adresse e-mail."))]


@operators.command(
    "add",
    help=N_("Laisse une personne ouvrir et suspendre des campus, sans rien voir de ce qu’ils contiennent."),
)
def add(
    given: Annotated[str, typer.Option(help=N_("Son prénom."))],
    family: Annotated[str, typer.Option(help=N_("Son nom."))],
    address: Address,
) -> None:
    with ready_process().unit_of_work() as services:
        services.operators.add(given, family, address, by=_BY_OPERATOR)
    say(
        "C’est fait. Cette personne se connecte avec son adresse, puis ouvre « /exploitation ».",
        style="green",
    )


@operators.command("list", help=N_("Liste ces personnes."))
def list_operators() -> None:
    with ready_process().unit_of_work(reading=True) as services:
        found = services.operators.operators.list_all()
    show_table([_("Identifiant"), _("Nom")], [[str(person.id), person.name] for person in found])


@operators.command(
    "link",
    help=N_(
        "Affiche un lien qui connecte cette personne une fois, en dix minutes, quand aucun e-mail n’arrive."
    ),
)
def operator_link(
    person: Annotated[
        uuid.UUID, typer.Argument(help=N_("Son identifiant, donné par « sceau operator list »."))
    ],
) -> None:
    with ready_process().unit_of_work() as services:
        print(services.addresses.sign_in_link(services.handed_links.of_operator(person, by=_BY_OPERATOR)))
    say(_HAND_IT)


@operators.command("remove", help=N_("Lui reprend ce droit, tout de suite."))
def remove(
    person: Annotated[
        uuid.UUID, typer.Argument(help=N_("Son identifiant, donné par « sceau operator list »."))
    ],
) -> None:
    with ready_process().unit_of_work() as services:
        services.operators.remove(person, by=_BY_OPERATOR)
    say("Cette personne n’exploite plus ce service.", style="green")


@campuses.command(
    "create", help=N_("Ouvre un campus et affiche le lien qui invite la personne qui l’administrera.")
)
def create(
    slug: Slug,
    name: Annotated[str, typer.Option(help=N_("Son nom entier."))],
    short_name: Annotated[str, typer.Option(help=N_("Son nom court, dessiné sur les badges."))],
    administrator: Annotated[str, typer.Option(help=N_("L’adresse de la personne qui l’administrera."))],
) -> None:
    with ready_process().unit_of_work() as services:
        _, invitation = services.operators.open_campus(
            slug=slug, name=name, short_name=short_name, administrator=administrator, by=_BY_CAMPUS
        )
        _show(services, invitation)


@campuses.command("invite", help=N_("Invite une personne à administrer un campus, et affiche le lien."))
def invite(slug: Slug, address: Address) -> None:
    with ready_process().unit_of_work() as services:
        _show(services, services.operators.invite(services.campuses.get(slug), address, by=_BY_CAMPUS))


@campuses.command(
    "link",
    help=N_(
        "Affiche un lien qui connecte une fois, en dix minutes, une personne qui administre le campus, quand aucun e-mail n’arrive."
    ),
)
def administrator_link(
    slug: Slug,
    address: Annotated[
        str, typer.Option(help=N_("Son adresse, si plusieurs personnes administrent le campus."))
    ] = "",
) -> None:
    with ready_process().unit_of_work() as services:
        campus = services.campuses.get(slug)
        person, secret = services.handed_links.of_administrator(campus, address, by=_BY_CAMPUS)
        print(services.addresses.sign_in_link(secret))
    say("Pour {name}, et personne d’autre.", name=person.name)
    say(_HAND_IT)


@campuses.command("list", help=N_("Liste les campus."))
def list_campuses() -> None:
    with ready_process().unit_of_work(reading=True) as services:
        found = services.campuses.list_all()
    show_table(
        [_("Campus"), _("État"), _("Nom")],
        [[each.slug, _("suspendu") if each.suspended_at else _("ouvert"), each.name] for each in found],
    )


@campuses.command(
    "suspend", help=N_("Suspend un campus : personne n’y travaille plus, ses badges se vérifient toujours.")
)
def suspend(slug: Slug) -> None:
    with ready_process().unit_of_work() as services:
        services.operators.suspend(slug, by=_BY_CAMPUS)
    say("Le campus est suspendu.", style="green")


@campuses.command("resume", help=N_("Rouvre un campus suspendu."))
def resume(slug: Slug) -> None:
    with ready_process().unit_of_work() as services:
        services.operators.resume(slug, by=_BY_CAMPUS)
    say("Le campus est de nouveau ouvert.", style="green")


def _show(services: Services, invitation: Invitation) -> None:
    print(services.addresses.invitation(services.invitations.token_of(invitation)))
    say(
        "L’e-mail est envoyé aussi, si ce service envoie des e-mails. Ce lien sert une fois ; ne le donnez qu’à cette personne."
    )


# --- `sceau token`: the access tokens of programs, shown once and stored hashed

token_commands = typer.Typer(no_args_is_help=True, help=N_("Les jetons d’accès des programmes."))
_BY = Actor.command("token")

CampusSlug = Annotated[str, typer.Option(help=N_("Le campus, par son nom dans les adresses."))]


@token_commands.command("create", help=N_("Crée un jeton et l’affiche, cette seule fois."))
def create_token(
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
    say("Gardez ce jeton maintenant : il ne sera plus affiché. Durée en jours : {days}.", days=days)


@token_commands.command("list", help=N_("Liste les jetons d’un campus, sans leurs secrets."))
def list_tokens(campus: CampusSlug) -> None:
    process = ready_process()
    with process.unit_of_work(reading=True) as services:
        found = services.campuses.get(campus)
        tokens = services.people.list_tokens_made(found, services.team.administrators(found))
    show_table(
        [_("Identifiant"), _("État"), _("Fin"), _("Droits"), _("Usage"), _("Créé par")],
        [
            [
                str(made.token.id),
                _state_of(made.token, process.clock()),
                made.token.expires_at.date().isoformat(),
                " ".join(made.token.scopes),
                made.token.label,
                made.person.name if made.person else made.label,
            ]
            for made in tokens
        ],
    )


@token_commands.command("revoke", help=N_("Retire un jeton : il n’ouvre plus rien, tout de suite."))
def revoke(
    token: Annotated[
        uuid.UUID, typer.Argument(help=N_("L’identifiant du jeton, donné par « sceau token list »."))
    ],
    campus: CampusSlug,
) -> None:
    with ready_process().unit_of_work() as services:
        services.people.revoke_token(services.campuses.get(campus), token, by=_BY)
    say("Le jeton est retiré.", style="green")


def _state_of(token: ApiToken, at: datetime) -> str:
    if token.revoked_at is not None:
        return _("retiré")
    return _("expiré") if at >= token.expires_at else _("valable")


# --- `sceau apps`: applications that learners may connect through the Open Badges API

app_commands = typer.Typer(no_args_is_help=True, help=N_("Les applications que les personnes connectent."))


@app_commands.command(
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


@app_commands.command("list", help=N_("Liste les applications inscrites, sans leurs secrets."))
def list_apps() -> None:
    with ready_process().unit_of_work(reading=True) as services:
        apps = services.connected_apps.list_all()
    show_table(
        [_("Identifiant"), _("Nom"), _("Adresse"), _("Inscrite le")],
        [[str(app.id), app.name, app.host, app.registered_at.date().isoformat()] for app in apps],
    )


@app_commands.command(
    "remove", help=N_("Retire une application : elle est déconnectée partout, tout de suite.")
)
def remove_app(
    app_id: Annotated[uuid.UUID, typer.Argument(help=N_("L’identifiant donné par « sceau apps list »."))],
) -> None:
    with ready_process().unit_of_work() as services:
        services.connected_apps.remove(app_id)
    say("L’application est retirée.", style="green")
