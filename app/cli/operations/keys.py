"""`sceau keys`: the public signing keys, and the key that seals them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from app.cli.terminal import ready_process, say, show_table, stop
from app.cli.verify import moment
from app.container import make_kek
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import KeyPurpose, KeyState
from app.language import N_
from app.language import gettext as _

commands = typer.Typer(no_args_is_help=True, help=N_("Les clés de signature des campus."))

STOLEN_SINCE = typer.Option(
    parser=moment,
    metavar="DATE",
    help=N_("Quelqu’un d’autre a pu l’avoir depuis ce moment (ISO 8601, UTC sans fuseau)."),
)
_PURPOSES = {KeyPurpose.CREDENTIAL: N_("badges"), KeyPurpose.ACTIVITY_LOG: N_("journal")}
_STATES = {
    KeyState.PENDING: N_("en attente"),
    KeyState.ACTIVE: N_("en service"),
    KeyState.VERIFY_ONLY: N_("vérifie seulement"),
    KeyState.REVOKED: N_("retirée"),
}


@commands.command("list", help=N_("Liste les clés publiques de tous les campus ; jamais leur part privée."))
def list_keys() -> None:
    with ready_process().unit_of_work(reading=True) as services:
        keys = services.campuses.keys()
    show_table(
        [_("Campus"), _("Usage"), _("Algorithme"), _("État"), _("Depuis"), _("Identifiant")],
        [
            [
                campus.slug,
                _(_PURPOSES[key.purpose]),
                key.algorithm,
                _(_STATES[key.state]),
                key.created_at.date().isoformat(),
                key.method_id,
            ]
            for key, campus in keys
        ],
    )


@commands.command("retire", help=N_("Retire une clé de signature et met la suivante en service."))
def retire(
    slug: Annotated[str, typer.Argument(metavar="CAMPUS")],
    key: Annotated[
        str, typer.Argument(metavar="IDENTIFIANT", help=N_("Tel que « sceau keys list » le montre."))
    ],
    reason: Annotated[str, typer.Option(help=N_("Pourquoi, en une phrase ; l’historique la garde."))],
    stolen_since: Annotated[datetime | None, STOLEN_SINCE] = None,
) -> None:
    with ready_process().unit_of_work() as services:
        campus = services.campuses.get(slug)
        found = next((one for one in services.campuses.keys_of(campus) if one.method_id == key), None)
        if found is None:
            stop(_("Ce campus n’a pas de clé de ce nom."))
        following = services.campus_keys.retire(
            campus, found.id, reason=reason, stolen_since=stolen_since, by=Actor.command("keys retire")
        )
    say(N_("Clé retirée, et le retrait est inscrit au journal du campus."))
    if following is not None:
        say(N_("La suivante est en service : {key}"), key=following.method_id)


@commands.command(
    "rewrap",
    help=N_("Scelle toutes les clés sous SCEAU_KEK ; celles de SCEAU_OTHER_KEKS ne servent plus ensuite."),
)
def rewrap() -> None:
    with ready_process().unit_of_work() as services:
        count = (
            services.signing.rewrap()
            + services.network_signing.rewrap()
            + services.organisations.rewrap()
            + services.lti.rewrap()
        )
    say(N_("Clés scellées sous la nouvelle clé maîtresse : {count}."), style="green", count=count)


@commands.command("make-kek", help=N_("Crée la clé maîtresse qui scelle les clés de signature."))
def make(
    path: Annotated[Path, typer.Argument(help=N_("Le fichier à créer, loin de la base de données."))],
) -> None:
    if path.exists():
        stop(
            _(
                "{path} existe déjà et n’a pas été touché : une clé maîtresse remplacée rendrait les clés illisibles."
            ).format(path=path)
        )
    try:
        make_kek(path)
    except OSError as error:
        stop(_("{path} ne peut pas être écrit : {cause}.").format(path=path, cause=error.strerror))
    say(
        N_("Clé maîtresse écrite. Réglez SCEAU_KEK=file:{path} et gardez-en une copie ailleurs."),
        path=path.resolve(),
    )
