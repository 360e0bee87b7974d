"""`sceau network`: recognitions and labels of a network; keys beside campuses; `sceau trust`: lists followed."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from app.cli.operations.keys import STOLEN_SINCE
from app.cli.terminal import ExitCode, ready_process, say, show_table, stop
from app.container import Process
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import LabelCategory, Network
from app.domain.trust import FollowedList, NetworkKey
from app.domain.trust.organisations import OrganisationKey
from app.language import N_, labelled, system_cause
from app.language import gettext as _
from app.services.trust.labels import FOLLOWING_TROUBLES
from app.services.trust.network_register import Named, export_register, import_register
from sceau_credentials.keys import VerificationKey
from sceau_credentials.trust import Standing

commands = typer.Typer(
    no_args_is_help=True,
    help=N_("Le registre d’un réseau : les campus qu’il reconnaît, et les labels qu’il donne."),
)
_BY = Actor.command("network")

Slug = Annotated[str, typer.Argument(metavar="RESEAU", help=N_("Le réseau, par son nom dans les adresses."))]
Issuer = Annotated[
    str,
    typer.Argument(
        metavar="EMETTEUR",
        help=N_("Comment ses badges le nomment : un nom de campus de ce service, « did:web:… » ou « https://… »."),
    ),
]  # fmt: skip
Reason = Annotated[str, typer.Option(help=N_("Pourquoi, en une phrase ; la page du réseau la montre."))]
STANDINGS = {
    Standing.RECOGNISED: N_("reconnu"),
    Standing.SUSPENDED: N_("suspendu"),
    Standing.ENDED: N_("terminé"),
}


def day(text: str) -> date:
    try:
        return datetime.fromisoformat(text).date()
    except ValueError as error:
        raise typer.BadParameter(_("« {text} » n’est pas une date ISO 8601.").format(text=text)) from error


Day = Annotated[date | None, typer.Option(parser=day, metavar="DATE", help=N_("AAAA-MM-JJ"))]


@commands.command("create", help=N_("Crée un réseau, avec les campus de ce service qui en sont membres."))
def create(
    slug: Slug,
    name: Annotated[str, typer.Option(help=N_("Son nom entier."))],
    campus: Annotated[
        list[str] | None, typer.Option(help=N_("Un campus membre, par son nom dans les adresses."))
    ] = None,
) -> None:
    with ready_process().unit_of_work() as services:
        members = [services.campuses.get(each) for each in campus or ()]
        services.campuses.create_network(Network(slug=slug, name=name), members, by=_BY)
    say("Le réseau est créé. « sceau network recognise » y inscrit un premier campus.", style="green")


@commands.command(
    "appoint", help=N_("Confie un réseau à une personne : elle partage ses définitions avec les campus.")
)
def appoint(
    slug: Slug,
    given: Annotated[str, typer.Option(help=N_("Son prénom."))],
    family: Annotated[str, typer.Option(help=N_("Son nom."))],
    address: Annotated[str, typer.Option(help=N_("Son adresse e-mail."))],
) -> None:
    with ready_process().unit_of_work() as services:
        services.network_team.appoint(services.register.network(slug), given, family, address, by=_BY)
    say(
        "C’est fait. Cette personne se connecte avec son adresse, puis ouvre « /reseau/{slug}/gestion ».",
        style="green",
        slug=slug,
    )


@commands.command("administrators", help=N_("Liste les personnes qui administrent un réseau."))
def administrators(slug: Slug) -> None:
    with ready_process().unit_of_work(reading=True) as services:
        found = services.network_team.members(services.register.network(slug))
    show_table([_("Identifiant"), _("Nom")], [[str(person.id), person.name] for person in found])


@commands.command("dismiss", help=N_("Reprend le réseau à une personne, tout de suite."))
def dismiss(
    slug: Slug,
    person: Annotated[
        uuid.UUID, typer.Argument(help=N_("Son identifiant, donné par « sceau network administrators »."))
    ],
) -> None:
    with ready_process().unit_of_work() as services:
        services.network_team.dismiss(services.register.network(slug), person, by=_BY)
    say("Cette personne n’administre plus ce réseau.", style="green")


@commands.command("list", help=N_("Liste les réseaux, leur dernière édition et leur clé publique."))
def list_networks() -> None:
    with ready_process().unit_of_work(reading=True) as services:
        pages = [services.register.page(each.slug) for each in services.register.networks()]
    show_table(
        [_("Réseau"), _("Campus"), _("Édition"), _("Vaut jusqu’au"), _("Clé"), _("Nom")],
        [
            [
                page.network.slug,
                str(len(page.entries)),
                str(page.edition.sequence) if page.edition else "",
                page.edition.valid_until.date().isoformat() if page.edition else "",
                page.key,
                page.network.name,
            ]
            for page in pages
        ],
    )


@commands.command("show", help=N_("Montre le registre d’un réseau, campus et labels."))
def show(slug: Slug) -> None:
    with ready_process().unit_of_work(reading=True) as services:
        page = services.register.page(slug)
    rows = []
    for row in page.entries:
        rows.append([row.issuer, _(STANDINGS[row.standing]), row.name, "", ""])
        rows += [
            [row.issuer, _("label retiré") if label.withdrawn_at else _("label"), label.category.value,
             f"{label.starts_on or ''}…{label.ends_on or ''}", str(label.id)]
            for label in page.labels.get(row.issuer, ())
        ]  # fmt: skip
    show_table([_("Émetteur"), _("État"), _("Nom"), _("Dates"), _("Label")], rows)


@commands.command(
    "recognise", help=N_("Inscrit un campus, ou corrige ce que le registre en dit ; la liste est signée aussitôt.")
)  # fmt: skip
def recognise(
    slug: Slug,
    issuer: Issuer,
    name: Annotated[str, typer.Option(help=N_("Son nom entier ; celui du campus s’il est de ce service."))] = "",
    short_name: Annotated[str, typer.Option(help=N_("Son nom court."))] = "",
    domain: Annotated[str, typer.Option(help=N_("Son site officiel, sans « https:// »."))] = "",
    key: Annotated[
        list[str] | None,
        typer.Option(
            help=N_("L’empreinte d’une clé qui parle seule pour lui (ce qui suit le « # ») ; peut être répétée.")
        ),
    ] = None,
) -> None:  # fmt: skip
    with ready_process().unit_of_work() as services:
        network, campus = services.register.network(slug), services.campuses.find(issuer)
        named = Named(
            campus.did if campus else issuer,
            name or (campus.name if campus else ""),
            short_name or (campus.short_name if campus else ""),
            domain,
            tuple(key or ()),
        )
        services.register.write(network, named, by=_BY)
    say("Inscrit, et la nouvelle édition de la liste est signée.", style="green")


@commands.command("suspend", help=N_("Suspend la reconnaissance d’un campus ; ses labels avec elle."))
def suspend(slug: Slug, issuer: Issuer, reason: Reason = "") -> None:
    _move(slug, issuer, Standing.SUSPENDED, reason)


@commands.command("resume", help=N_("Reconnaît de nouveau un campus suspendu, ou qui ne l’était plus."))
def resume(slug: Slug, issuer: Issuer) -> None:
    _move(slug, issuer, Standing.RECOGNISED, "")


@commands.command("end", help=N_("Met fin à la reconnaissance d’un campus ; la liste continue de le dire."))
def end(slug: Slug, issuer: Issuer, reason: Reason = "") -> None:
    _move(slug, issuer, Standing.ENDED, reason)


def _move(slug: str, issuer: str, standing: Standing, reason: str) -> None:
    with ready_process().unit_of_work() as services:
        network, campus = services.register.network(slug), services.campuses.find(issuer)
        services.register.move(network, campus.did if campus else issuer, standing, reason, by=_BY)
    say("C’est fait, et la nouvelle édition de la liste est signée.", style="green")


@commands.command("label", help=N_("Donne un label à un campus du registre, signé par le réseau."))
def label(
    slug: Slug,
    issuer: Issuer,
    category: Annotated[LabelCategory, typer.Option(help=N_("La catégorie du label."))],
    since: Day = None,
    until: Day = None,
    note: Annotated[str, typer.Option(help=N_("Ce qu’il y a à ajouter, en une phrase."))] = "",
) -> None:
    with ready_process().unit_of_work() as services:
        network, campus = services.register.network(slug), services.campuses.find(issuer)
        given = services.register.give_label(
            network,
            campus.did if campus else issuer,
            category,
            starts_on=since,
            ends_on=until,
            note=note,
            by=_BY,
        )
        print(services.addresses.label(given.id))


@commands.command("withdraw-label", help=N_("Retire un label : son adresse et la liste le disent aussitôt."))
def withdraw_label(
    label_id: Annotated[
        uuid.UUID, typer.Argument(metavar="LABEL", help=N_("Son identifiant, donné par « sceau network show »."))
    ],
) -> None:  # fmt: skip
    with ready_process().unit_of_work() as services:
        services.register.withdraw_label(label_id, by=_BY)
    say("C’est fait, et la nouvelle édition de la liste est signée.", style="green")


@commands.command("export", help=N_("Écrit le registre en JSON, tel que « sceau network import » le relit."))
def export(slug: Slug) -> None:
    with ready_process().unit_of_work(reading=True) as services:
        print(export_register(services.register, slug), end="")


@commands.command("import", help=N_("Lit un registre en JSON ; le lire de nouveau ne change rien."))
def read(
    slug: Slug,
    file: Annotated[
        Path, typer.Argument(metavar="FICHIER", help=N_("Le fichier, « - » pour l’entrée standard."))
    ],
) -> None:
    try:
        text = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        stop(_("{path} ne peut pas être lu : {cause}.").format(path=file, cause=system_cause(error)))
    with ready_process().unit_of_work() as services:
        count = import_register(services.register, services.register.network(slug), text, by=_BY)
    say("La liste est signée. Campus lus : {count}.", style="green", count=count)


# --- `sceau network keys`, `sceau organisation keys` and their retirement: keys that belong to no campus

organisations = typer.Typer(no_args_is_help=True, help=N_("Les clés des organisations qui recommandent."))
NamedOrganisation = Annotated[
    str,
    typer.Argument(metavar="ORGANISATION", help=N_("Son domaine, ou le numéro de sa page /organisations/…")),
]
RetirementReason = Annotated[str, typer.Option(help=N_("Pourquoi, en une phrase ; l’historique la garde."))]
Key = Annotated[
    str,
    typer.Option("--key", help=N_("La clé à retirer, par son nom ; sans elle, celle qui est en service.")),
]


@commands.command("keys", help=N_("Liste les clés du réseau, celles d’avant aussi."))
def keys_of_network(slug: Slug) -> None:
    with ready_process().unit_of_work(reading=True) as services:
        rows = services.network_signing.keys_of(services.register.network(slug))
    _show(rows)


@commands.command(
    "rotate-key",
    help=N_("Met une nouvelle clé du réseau en service ; la liste est signée aussitôt avec elle."),
)
def rotate_of_network(
    slug: Slug,
    reason: RetirementReason,
    stolen_since: Annotated[datetime | None, STOLEN_SINCE] = None,
    key: Key = "",
) -> None:
    with ready_process().unit_of_work() as services:
        row = services.partner_keys.retire_of_network(
            services.register.network(slug),
            reason=reason,
            method_id=key,
            stolen_since=stolen_since,
            by=Actor.command("network rotate-key"),
        )
    print(_public(row))
    if stolen_since is None:
        say(
            "Pendant 90 jours l’ancienne clé signe aussi la liste : qui la suit passe à celle-ci de lui-même.",
            style="green",
        )
    else:
        say(
            "Les labels sont signés de nouveau. Donnez cette clé, par un autre chemin que la liste, à ceux qui la "
            "suivent : « sceau trust unfollow », puis « sceau trust follow ».",
            style="yellow",
        )


@organisations.command("keys", help=N_("Liste les clés d’une organisation, celles d’avant aussi."))
def keys_of_organisation(named: NamedOrganisation) -> None:
    with ready_process().unit_of_work(reading=True) as services:
        rows = services.organisations.keys_of(services.organisations.known_as(named))
    _show(rows)


@organisations.command("rotate-key", help=N_("Met une nouvelle clé d’une organisation en service."))
def rotate_of_organisation(
    named: NamedOrganisation,
    reason: RetirementReason,
    stolen_since: Annotated[datetime | None, STOLEN_SINCE] = None,
    key: Key = "",
) -> None:
    with ready_process().unit_of_work() as services:
        # Its endorsements are about several campuses.
        services.search_everywhere()
        row = services.partner_keys.retire_of_organisation(
            services.organisations.known_as(named),
            reason=reason,
            method_id=key,
            stolen_since=stolen_since,
            by=Actor.command("organisation rotate-key"),
        )
    print(row.method_id)
    if stolen_since is not None:
        say("Ses recommandations gardées ici sont signées de nouveau ; les copies d’avant ne valent plus.")


def _show(rows: Sequence[NetworkKey] | Sequence[OrganisationKey]) -> None:
    show_table(
        [_("Depuis"), _("État"), _("Clé"), _("Identifiant")],
        [[row.created_at.date().isoformat(), _state(row), _public(row), row.method_id] for row in rows],
    )


def _state(row: NetworkKey | OrganisationKey) -> str:
    if row.revoked_at is not None:
        return _("volée depuis le {day}").format(day=row.revoked_at.date().isoformat())
    if row.retired_at is not None:
        return _("a cédé sa place le {day}").format(day=row.retired_at.date().isoformat())
    return _("en service")


def _public(row: NetworkKey | OrganisationKey) -> str:
    return VerificationKey.from_jwk(row.public_jwk).to_multikey()


# --- `sceau trust`: the lists of other services' networks that this one trusts


trust_commands = typer.Typer(
    no_args_is_help=True, help=N_("Les listes de campus reconnus que d’autres réseaux publient.")
)
_TRUST_BY = Actor.command("trust")
Url = Annotated[str, typer.Argument(metavar="ADRESSE", help=N_("L’adresse de la liste signée."))]


@trust_commands.command(
    "follow", help=N_("Suit une liste sous la clé du réseau, et la lit une première fois.")
)
def follow(
    url: Url,
    key: Annotated[
        str, typer.Option(help=N_("La clé du réseau (« z6Mk… »), reçue de lui par un autre chemin que la liste."))
    ],
) -> None:  # fmt: skip
    process = ready_process()
    with process.unit_of_work() as services:
        row = services.followed_lists.follow(url, key, by=_TRUST_BY)
    _read(process, row)


@trust_commands.command("refresh", help=N_("Relit maintenant toutes les listes suivies."))
def refresh() -> None:
    process = ready_process()
    with process.unit_of_work(reading=True) as services:
        rows = services.followed_lists.list_all()
    for row in rows:
        _read(process, row)


@trust_commands.command("list", help=N_("Montre les listes suivies, et quand elles ont été lues."))
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
                _state_of_list(process, row),
            ]
            for row in rows
        ],
    )


@trust_commands.command("unfollow", help=N_("Cesse de suivre une liste ; ce qu’elle disait est oublié."))
def unfollow(url: Url) -> None:
    with ready_process().unit_of_work() as services:
        services.followed_lists.unfollow(url, by=_TRUST_BY)
    say("Cette liste n’est plus suivie.", style="green")


def _read(process: Process, row: FollowedList) -> None:
    with process.unit_of_work(reading=True) as services:
        fetched = services.followed_lists.fetch(row.id)
    with process.unit_of_work() as services:
        services.followed_lists.note(row.id, fetched)
    if fetched.listed is None:
        stop(labelled(row.url, _trouble(fetched.trouble)), code=ExitCode.UNDETERMINED)
    say(
        "{network}, édition {sequence}. Campus : {count}.",
        style="green",
        network=fetched.listed.name,
        sequence=fetched.listed.sequence,
        count=len(fetched.listed.entries),
    )


def _state_of_list(process: Process, row: FollowedList) -> str:
    if row.valid_until is not None and row.valid_until <= process.clock():
        return _("plus à jour")
    return _trouble(row.trouble) if row.trouble else _("à jour")


def _trouble(reason: str) -> str:
    return _(FOLLOWING_TROUBLES.get(reason, N_("la liste n’a pas pu être lue."))) + f" ({reason})"
