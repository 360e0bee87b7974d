"""`sceau keys`: the public signing keys, and the key that seals them."""

from __future__ import annotations

import os
from collections import Counter
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from app.cli.terminal import ExitCode, ready_process, say, show_table, stop, with_progress
from app.cli.verify import moment
from app.container import Process, make_kek
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, KeyPurpose, KeyState, SealedKey, is_in_hsm
from app.domain.core import csv_for_excel, lines_for_excel
from app.domain.messages import LetterState
from app.language import N_, system_cause
from app.language import gettext as _
from app.services.awards.reissuing import Fate, KeyReportLine

commands = typer.Typer(no_args_is_help=True, help=N_("Les clés de signature des campus."))

STOLEN_SINCE = typer.Option(
    parser=moment,
    metavar="DATE",
    help=N_("Quelqu’un d’autre a pu l’avoir depuis ce moment (ISO 8601, UTC sans fuseau)."),
)
_PURPOSES = {
    KeyPurpose.CREDENTIAL: N_("badges"),
    KeyPurpose.ACTIVITY_LOG: N_("journal"),
    KeyPurpose.DISCLOSURE: N_("badges montrés en partie"),
}
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
        [_("Campus"), _("Usage"), _("Algorithme"), _("État"), _("Depuis"), _("Où"), _("Identifiant")],
        [
            [
                campus.slug,
                _(_PURPOSES[key.purpose]),
                key.algorithm,
                _(_STATES[key.state]),
                key.created_at.date().isoformat(),
                key.kek_id if is_in_hsm(key.kek_id) else _("base"),
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
    say("Clé retirée, et le retrait est inscrit au journal du campus.")
    if following is not None:
        say("La suivante est en service : {key}", key=following.method_id)


@commands.command(
    "move-to-hsm",
    help=N_(
        "Remplace les clés de campus scellées dans la base par des clés du module de clés (SCEAU_HSM). Interrompue, "
        "la même commande reprend."
    ),
)
def move_to_hsm(
    reason: Annotated[str, typer.Option(help=N_("Pourquoi, en une phrase ; l’historique la garde."))],
) -> None:
    process = ready_process()
    with process.unit_of_work(reading=True) as services:
        sealed = services.signing.keys_for_hsm()
    for key, campus in with_progress(sealed, _("Nouvelles clés")):
        with process.unit_of_work() as services:
            services.campus_keys.retire(campus, key.id, reason=reason, by=Actor.command("keys move-to-hsm"))
    say("Clés remplacées par des clés du module : {count}.", style="green", count=len(sealed))


_FATES = {
    Fate.SIGNED_AGAIN: N_("signé de nouveau"),
    Fate.WITHDRAWN: N_("retiré, donc non signé de nouveau"),
    Fate.EXPIRED: N_("expiré, pas signé de nouveau"),
    Fate.REFUSED: N_("à corriger : son texte ne se signe plus"),
}
_LETTERS = {
    None: N_("aucun : prévenez autrement, ou pas encore annoncé"),
    LetterState.WAITING: N_("en attente"),
    LetterState.SENT: N_("envoyé"),
    LetterState.REFUSED: N_("refusé"),
    LetterState.CANCELLED: N_("annulé"),
}
_HOLDERS_AT_ONCE = 20


@commands.command(
    "stolen",
    help=N_(
        "Après le vol d’une clé : la retire, signe de nouveau ses badges, prévient chaque personne, écrit un rapport. "
        "Interrompue, la même commande reprend."
    ),
    epilog=N_(
        "Code de fin : 0 tout est signé de nouveau, 1 des badges sont à corriger, 3 rien n’a été fait."
    ),
)
def stolen(
    slug: Annotated[str, typer.Argument(metavar="CAMPUS")],
    key: Annotated[
        str, typer.Argument(metavar="IDENTIFIANT", help=N_("Tel que « sceau keys list » le montre."))
    ],
    since: Annotated[datetime, STOLEN_SINCE],
    reason: Annotated[str, typer.Option(help=N_("Pourquoi, en une phrase ; l’historique la garde."))],
    report: Annotated[
        Path,
        typer.Option(
            help=N_("Le rapport à écrire (CSV) : il nomme des personnes, et votre compte seul le lit.")
        ),
    ],
) -> None:
    process, by = ready_process(), Actor.command("keys stolen")
    with process.unit_of_work() as services:
        campus = services.campuses.get(slug)
        found = next((one for one in services.campuses.keys_of(campus) if one.method_id == key), None)
        if found is None:
            stop(_("Ce campus n’a pas de clé de ce nom."))
        if found.purpose is KeyPurpose.ACTIVITY_LOG:
            stop(_("C’est la clé du journal : lancez « sceau keys retire » avec --stolen-since."))
        if found.purpose is KeyPurpose.DISCLOSURE:
            stop(
                _(
                    "Cette clé ne signe que les fichiers des badges montrés en partie, et le service n’en garde aucun : lancez « sceau keys retire » avec --stolen-since. Chaque personne refait le sien."
                )
            )
        if found.state is not KeyState.REVOKED:
            services.campus_keys.retire(campus, found.id, reason=reason, stolen_since=since, by=by)
            say("Clé retirée, et le retrait est inscrit au journal du campus.")
    signed = 0
    for group in with_progress(_groups(process, campus), _("Nouvelle signature")):
        with process.unit_of_work() as services:
            signed += services.stolen_keys.sign_again(campus, found, group, by=by)
    say("Badges signés de nouveau : {count}.", count=signed)
    fates = _write_report(process, campus, found, report)
    say("Rapport écrit : {path}. Badges : {count}.", path=report, count=sum(fates.values()))
    if fates[Fate.REFUSED]:
        stop(
            _("Badges dont le texte ne se signe plus : {count}. Ils sont dans le rapport.").format(
                count=fates[Fate.REFUSED]
            ),
            code=ExitCode.REFUSED,
        )


def _groups(process: Process, campus: Campus) -> list[list[UUID]]:
    """Every badge of the campus, by a few holders in one transaction."""
    with process.unit_of_work(reading=True) as services:
        held = services.stolen_keys.awards_by_holder(campus)
    starts = range(0, len(held), _HOLDERS_AT_ONCE)
    return [list(chain.from_iterable(held[start : start + _HOLDERS_AT_ONCE])) for start in starts]


def _write_report(process: Process, campus: Campus, key: SealedKey, path: Path) -> Counter[Fate]:
    """Renamed when it is whole; readable by its owner only."""
    heading = [
        _("Personne"), _("Adresse"), _("Badge"), _("Page"), _("Attribué le"), _("Après le vol"), _("Badge signé"), _("E-mail"),
    ]  # fmt: skip
    fates, part = Counter[Fate](), path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(csv_for_excel(heading, []))
        for group in _groups(process, campus):  # read again: people may have been merged meanwhile
            with process.unit_of_work(reading=True) as services:
                lines = list(services.stolen_keys.report(campus, key, group))
                url = services.addresses.award
                file.write(lines_for_excel(_cells(each, url(each.record.award.id)) for each in lines))
            fates.update(each.fate for each in lines)
    part.rename(path)
    return fates


def _cells(line: KeyReportLine, url: str) -> list[str]:
    record = line.record
    return [
        record.person.name,
        line.address,
        record.version.name,
        url,
        record.award.awarded_at.date().isoformat(),
        _("oui") if line.was_after else _("non"),
        _(_FATES[line.fate]),
        _(_LETTERS[line.letter]),
    ]


@commands.command(
    "rewrap",
    help=N_("Scelle toutes les clés sous SCEAU_KEK ; celles de SCEAU_OTHER_KEKS ne servent plus ensuite."),
)
def rewrap() -> None:
    process = ready_process()
    with process.unit_of_work() as services:
        count = (
            services.signing.rewrap()
            + services.network_signing.rewrap()
            + services.organisations.rewrap()
            + services.lti.rewrap()
            + services.calendar_subscriptions.rewrap()
        )
    kek = process.settings.kek or f"file:{process.settings.development_dir / 'kek'}"
    say(
        "Toutes les clés sont scellées sous SCEAU_KEK ({kek}). Changées : {count}.",
        style="green",
        kek=kek,
        count=count,
    )


@commands.command(
    "accept-secret",
    help=N_(
        "Accepte le SCEAU_SECRET des réglages à la place du précédent : les liens privés déjà envoyés ne s’ouvrent plus."
    ),
)
def accept_secret(
    reason: Annotated[str, typer.Option(help=N_("Pourquoi, en une phrase ; l’historique la garde."))],
) -> None:
    process, by = ready_process(accepts_secret=True), Actor.command("keys accept-secret")
    with process.unit_of_work() as services:
        is_new = services.signing.accept_secret(process.secret, reason, at=services.clock(), by=by)
    if is_new:
        say("C’est noté. Redémarrez chaque processus avec ce SCEAU_SECRET.", style="green")
    else:
        say("SCEAU_SECRET n’avait pas changé : rien n’a changé.")


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
        stop(_("{path} ne peut pas être écrit : {cause}.").format(path=path, cause=system_cause(error)))
    say(
        "Clé maîtresse écrite. Réglez SCEAU_KEK=file:{path} et gardez-en une copie ailleurs.",
        path=path.resolve(),
    )
