"""`sceau operator` and `sceau campus`: operators of this service, and its campuses."""

from __future__ import annotations

import uuid
from typing import Annotated

import typer

from app.cli.terminal import ready_process, say, show_table
from app.container import Services
from app.domain.campus.audit_log import Actor
from app.domain.campus.team import Invitation
from app.language import N_
from app.language import gettext as _

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
        N_("C’est fait. Cette personne se connecte avec son adresse, puis ouvre « /exploitation »."),
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
    say(N_("Cette personne n’exploite plus ce service."), style="green")


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
    say(N_("Pour {name}, et personne d’autre."), name=person.name)
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
    say(N_("Le campus est suspendu."), style="green")


@campuses.command("resume", help=N_("Rouvre un campus suspendu."))
def resume(slug: Slug) -> None:
    with ready_process().unit_of_work() as services:
        services.operators.resume(slug, by=_BY_CAMPUS)
    say(N_("Le campus est de nouveau ouvert."), style="green")


def _show(services: Services, invitation: Invitation) -> None:
    print(services.addresses.invitation(services.invitations.token_of(invitation)))
    say(
        N_(
            "L’e-mail est envoyé aussi, si ce service envoie des e-mails. Ce lien sert une fois ; ne le donnez qu’à cette personne."
        )
    )
