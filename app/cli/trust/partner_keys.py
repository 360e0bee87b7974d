"""`sceau network keys`, `sceau organisation keys` and their retirement: keys that belong to no campus."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from app.cli.operations.keys import STOLEN_SINCE
from app.cli.terminal import ready_process, say, show_table
from app.cli.trust.networks import Slug
from app.cli.trust.networks import commands as networks
from app.domain.campus.audit_log import Actor
from app.domain.trust.organisations import OrganisationKey
from app.domain.trust.trust_registry import NetworkKey
from app.language import N_
from app.language import gettext as _
from sceau_credentials.keys import VerificationKey

organisations = typer.Typer(no_args_is_help=True, help=N_("Les clés des organisations qui recommandent."))
Named = Annotated[
    str,
    typer.Argument(metavar="ORGANISATION", help=N_("Son domaine, ou le numéro de sa page /organisations/…")),
]
Reason = Annotated[str, typer.Option(help=N_("Pourquoi, en une phrase ; l’historique la garde."))]
Key = Annotated[
    str,
    typer.Option("--key", help=N_("La clé à retirer, par son nom ; sans elle, celle qui est en service.")),
]


@networks.command("keys", help=N_("Liste les clés du réseau, celles d’avant aussi."))
def keys_of_network(slug: Slug) -> None:
    with ready_process().unit_of_work(reading=True) as services:
        rows = services.network_signing.keys_of(services.register.network(slug))
    _show(rows)


@networks.command(
    "rotate-key",
    help=N_("Met une nouvelle clé du réseau en service ; la liste est signée aussitôt avec elle."),
)
def rotate_of_network(
    slug: Slug,
    reason: Reason,
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
            N_(
                "Pendant 90 jours l’ancienne clé signe aussi la liste : qui la suit passe à celle-ci de lui-même."
            ),
            style="green",
        )
    else:
        say(
            N_(
                "Les labels sont signés de nouveau. Donnez cette clé, par un autre chemin que la liste, à ceux qui la "
                "suivent : « sceau trust unfollow », puis « sceau trust follow »."
            ),
            style="yellow",
        )


@organisations.command("keys", help=N_("Liste les clés d’une organisation, celles d’avant aussi."))
def keys_of_organisation(named: Named) -> None:
    with ready_process().unit_of_work(reading=True) as services:
        rows = services.organisations.keys_of(services.organisations.known_as(named))
    _show(rows)


@organisations.command("rotate-key", help=N_("Met une nouvelle clé d’une organisation en service."))
def rotate_of_organisation(
    named: Named,
    reason: Reason,
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
        say(
            N_("Ses recommandations gardées ici sont signées de nouveau ; les copies d’avant ne valent plus.")
        )


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
