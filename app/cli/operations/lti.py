"""`sceau lti`: course platforms of a campus, the age of their tokens, and the campus's key for them."""

from __future__ import annotations

import uuid
from typing import Annotated

import typer

from app.cli.terminal import ready_process, say, show_table
from app.domain.campus.audit_log import Actor
from app.domain.campus.lti import LtiRegistration
from app.language import N_
from app.language import gettext as _

commands = typer.Typer(no_args_is_help=True, help=N_("Les plateformes de cours (LTI 1.3)."))
Slug = Annotated[str, typer.Argument(metavar="CAMPUS")]


@commands.command("list", help=N_("Les plateformes d’un campus, et l’âge de leur dernier jeton d’accès."))
def list_platforms(slug: Slug) -> None:
    with ready_process().unit_of_work(reading=True) as services:
        campus = services.campuses.get(slug)
        rows = [
            [
                str(each.id),
                each.label,
                each.issuer,
                each.client_id,
                " ".join(each.deployments),
                each.token_at.isoformat() if each.token_at else "",
                each.trouble,
            ]
            for each in services.lti.platforms(campus)
        ]
        key = services.lti.key_age(campus)
    heading = [_("Numéro"), _("Nom"), _("Émetteur"), _("Client"), _("Déploiements"), _("Jeton"), _("Défaut")]
    show_table(heading, rows)
    if key:
        say("Clé {key}, depuis le {day}.", key=key.key_id, day=key.since.date().isoformat())


@commands.command("add", help=N_("Inscrit une plateforme : ce qu’elle donne après avoir reçu nos adresses."))
def add(
    slug: Slug,
    label: Annotated[str, typer.Option("--label", help=N_("Le nom, écrit devant les résultats importés."))],
    issuer: Annotated[str, typer.Option("--issuer", help=N_("L’identifiant de la plateforme, une adresse."))],
    client_id: Annotated[str, typer.Option("--client-id", help=N_("Son identifiant de client."))],
    keys_url: Annotated[str, typer.Option("--keys-url", help=N_("L’adresse de son jeu de clés."))],
    token_url: Annotated[str, typer.Option("--token-url", help=N_("L’adresse de ses jetons d’accès."))],
    authorization_url: Annotated[
        str, typer.Option("--authorization-url", help=N_("Son adresse d’autorisation."))
    ],
    deployments: Annotated[
        list[str], typer.Option("--deployment", help=N_("Un déploiement ; l’option se répète."))
    ],
) -> None:
    registration = LtiRegistration(
        label, issuer, client_id, tuple(deployments), keys_url, token_url, authorization_url
    )
    with ready_process().unit_of_work() as services:
        campus = services.campuses.get(slug)
        services.lti.register(campus, registration, by=Actor.command("lti add"))
        base = services.addresses.lti(slug)
    say("Plateforme inscrite. Adresse de connexion : {url}.", url=f"{base}/connexion")
    say("Adresse de lancement : {url}.", url=f"{base}/lancement")
    say("Jeu de clés publiques : {url}.", url=f"{base}/cles.json")


@commands.command("remove", help=N_("Retire une plateforme : ses comptes reliés sont déliés."))
def remove(
    slug: Slug,
    platform: Annotated[
        uuid.UUID, typer.Argument(metavar="NUMÉRO", help=N_("Celui que montre « sceau lti list »."))
    ],
) -> None:
    with ready_process().unit_of_work() as services:
        campus = services.campuses.get(slug)
        services.lti.remove(campus, platform, by=Actor.command("lti remove"))
    say("Plateforme retirée.")


@commands.command("new-key", help=N_("Renouvelle la clé du campus ; l’ancienne reste publiée un mois."))
def new_key(slug: Slug) -> None:
    with ready_process().unit_of_work() as services:
        campus = services.campuses.get(slug)
        services.lti.renew_key(campus, by=Actor.command("lti new-key"))
    say("Clé renouvelée.")
