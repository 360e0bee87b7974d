"""Commands about activity logs and their witnesses."""

from __future__ import annotations

import os
import re
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer

from app.cli.operations.keys import STOLEN_SINCE
from app.cli.operations.restore import restore_campuses
from app.cli.terminal import ExitCode, ready_process, say, settings, show_table, stop
from app.container import (
    WITNESS_KEY_UNUSABLE,
    Services,
    hand_in,
    log_at,
    shared_between_processes,
    utc_now,
    witness_folder,
)
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.errors import NotFound, Unavailable
from app.language import N_, filled
from app.language import gettext as _
from app.services.activity_log.evidence import PublicLog
from app.services.activity_log.log_check import FAULTS, Fault
from app.services.activity_log.log_monitoring import WitnessReport, change_key
from app.services.activity_log.log_monitoring import cosign_log as look_at
from app.settings import Settings
from sceau_credentials.errors import CredentialError, DocumentUnavailable
from sceau_credentials.transparency_log.notes import NoteKey, SignatureType, WitnessKey

# --- `sceau log`: checks, exports, proves and signs a campus's activity log, and repairs it after a restore

log_commands = typer.Typer(no_args_is_help=True, help=N_("Le journal d’activité d’un campus."))
_BY = Actor.command("log")
SHOWN_OF_A_KIND: Final = 20
Slug = Annotated[str, typer.Argument(metavar="CAMPUS", help=N_("Le nom court du campus dans les adresses."))]


@log_commands.command(
    "check", help=N_("Recalcule tout le journal depuis ses lignes et nomme ce qui ne correspond plus.")
)
def check(
    slug: Annotated[
        str, typer.Argument(metavar="[CAMPUS]", help=N_("Un campus ; sans rien, tous les journaux."))
    ] = "",
    processes: Annotated[
        int, typer.Option(min=1, max=64, help=N_("Combien de processus se partagent le travail."))
    ] = os.cpu_count() or 1,
    new: Annotated[
        bool,
        typer.Option(
            "--new", help=N_("Seulement les lignes écrites depuis la dernière relecture sans défaut.")
        ),
    ] = False,
    every: Annotated[
        bool,
        typer.Option("--all", help=N_("Nomme chaque défaut, et non les vingt premiers de chaque sorte.")),
    ] = False,
) -> None:
    process = ready_process()
    spans = shared_between_processes(process.settings.database_url, processes)
    wrong = 0
    with process.unit_of_work(reading=True) as services:
        campus = services.campuses.get(slug) if slug else None
        logs = services.log_watch.logs(campus)
    for log in logs:
        with process.unit_of_work(reading=True) as services:
            log = services.log_watch.log(log.id)
            since = services.log_watch.last_intact(log.id) if new else None
            faults = services.log_watch.check(log, spans, since=since)
        with process.unit_of_work() as services:
            services.log_watch.note_review(log, faults, since=since, by=_BY)
        counts = Counter[Fault]()
        for fault in faults:
            counts[fault.fault] += 1
            if every or counts[fault.fault] <= SHOWN_OF_A_KIND:
                sentence = _(FAULTS[fault.fault]).format(where=fault.where)
                print(log.origin, fault.fault.value, fault.where, sentence, sep="\t")
        for kind, count in counts.items() if not every else ():
            if count > SHOWN_OF_A_KIND:
                say(
                    "{kind}, défauts : {count}. Les {most} premiers sont nommés (tous : --all).",
                    kind=kind.value,
                    count=count,
                    most=SHOWN_OF_A_KIND,
                )
        if faults:
            say("{origin}, défauts : {count}.", style="bold red", origin=log.origin, count=len(faults))
        else:
            say(
                N_("{origin} : lignes {since} à {size}, telles qu’écrites.")
                if since
                else N_("{origin}, lignes telles qu’écrites : {size}."),
                style="green",
                origin=log.origin,
                since=since.size if since else 0,
                size=log.size,
            )
        wrong += bool(faults)
    if wrong:
        raise typer.Exit(ExitCode.REFUSED)


@log_commands.command(
    "export",
    help=N_("Écrit les fichiers du journal dans un dossier que tout serveur de fichiers peut servir."),
)
def export(
    slug: Slug,
    folder: Annotated[Path, typer.Argument(help=N_("Où écrire ; ce qui s’y trouve déjà n’est pas réécrit."))],
) -> None:
    written = 0
    with ready_process().unit_of_work(reading=True) as services:
        public = _published(services, services.campuses.get(slug))
        for path, body, never_changes in services.log_publication.files(public):
            place, content = folder / path, body()
            if never_changes and place.is_file() and place.read_bytes() == content:
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            new = place.with_name(f"{place.name}.new")
            new.write_bytes(content)
            new.replace(place)
            written += 1
    say("Fichiers écrits dans {folder} : {count}.", count=written, folder=folder)


@log_commands.command(
    "prove", help=N_("Donne la preuve qu’une ligne est dans le journal signé (.tlog-proof).")
)
def prove(
    slug: Slug,
    number: Annotated[int, typer.Argument(min=0, help=N_("Le numéro de la ligne, la première étant 0."))],
) -> None:
    with ready_process().unit_of_work(reading=True) as services:
        public = _published(services, services.campuses.get(slug))
        proof = services.log_publication.proof(public, number)
    if proof is None:
        stop(_("Cette ligne n’est pas dans le journal signé."), code=ExitCode.REFUSED)
    print(proof.to_text(), end="")


@log_commands.command("sign", help=N_("Signe le journal tel qu’il est, sans attendre les cinq minutes."))
def sign(slug: Slug) -> None:
    with ready_process().unit_of_work() as services:
        campus = services.campuses.get(slug)
        checkpoint = services.log_watch.sign(campus.id)
        text = services.activity_log.note_of(checkpoint).to_text()
    print(text, end="")


@log_commands.command("key", help=N_("Affiche la clé publique du journal, pour qui veut le vérifier."))
def key(slug: Slug) -> None:
    with ready_process().unit_of_work(reading=True) as services:
        public = _published(services, services.campuses.get(slug))
    print(public.key.to_vkey())


@log_commands.command(
    "rotate-key",
    help=N_("Met une nouvelle clé du journal en service ; ce que la précédente a signé se vérifie toujours."),
)
def rotate_key(
    slug: Slug,
    reason: Annotated[str, typer.Option(help=N_("Pourquoi, en une phrase ; l’historique la garde."))],
    stolen_since: Annotated[datetime | None, STOLEN_SINCE] = None,
) -> None:
    with ready_process().unit_of_work() as services:
        campus = services.campuses.get(slug)
        services.campus_keys.retire_active_of_the_log(
            campus, reason=reason, stolen_since=stolen_since, by=Actor.command("log rotate-key")
        )
        public = _published(services, campus)
    print(public.key.to_vkey())
    if stolen_since is None:
        say("L’ancienne clé a annoncé celle-ci : les témoins suivent d’eux-mêmes.", style="green")
    else:
        say(
            "L’ancienne clé n’annonce plus rien : donnez celle-ci à chaque témoin par un autre chemin, pour "
            "« sceau witness change-key ».",
            style="yellow",
        )


@log_commands.command("reconcile", hidden=True)
def reconcile(
    slug: Slug,
    reason: Annotated[str, typer.Option(help=N_("Ce qui s’est passé ; cela reste dans le journal."))],
) -> None:
    """The former name of `sceau restore` for one campus."""
    restore_campuses(reason, yes=True, only=slug)


@log_commands.command("name-witness", hidden=True)
@log_commands.command(
    "add-witness", help=N_("Nomme un témoin du journal, par la clé publique qu’il a donnée.")
)
def name_witness(
    slug: Slug,
    vkey: Annotated[
        str, typer.Argument(metavar="VKEY", help=N_("Ce que « sceau witness key » affiche chez lui."))
    ],
    label: Annotated[str, typer.Option(help=N_("Qui c’est, en clair : « Campus AGT »."))],
) -> None:
    with ready_process().unit_of_work() as services:
        witness = services.log_watch.name_witness(services.campuses.get(slug), vkey, label, by=_BY)
    say("{label} est témoin du journal, sous le nom {name}.", label=witness.label, name=witness.name)


@log_commands.command(
    "retire-witness", help=N_("Ne prend plus les signatures d’un témoin ; les anciennes restent.")
)
def retire_witness(slug: Slug, name: Annotated[str, typer.Argument(help=N_("Le nom de sa clé."))]) -> None:
    with ready_process().unit_of_work() as services:
        witness = services.log_watch.retire_witness(services.campuses.get(slug), name, by=_BY)
    say("{label} n’est plus témoin du journal.", label=witness.label)


@log_commands.command("witnesses", help=N_("Liste les témoins du journal et ce qu’ils ont vu en dernier."))
def witnesses(slug: Slug) -> None:
    with ready_process().unit_of_work(reading=True) as services:
        state = services.log_publication.state(slug)
    show_table(
        [_("Témoin"), _("Clé"), _("Lignes vues"), _("Quand")],
        [
            [
                seen.witness.label,
                seen.witness.name,
                "" if seen.size is None else str(seen.size),
                seen.at.isoformat() if seen.at else "",
            ]
            for seen in state.witnesses
        ],
    )


def _published(services: Services, campus: Campus) -> PublicLog:
    current = services.log_publication.state(campus.slug).current
    if current is None:
        raise NotFound(
            "Le journal du campus n’a encore rien signé : « sceau log sign » le signe tout de suite."
        )
    return current


# --- `sceau witness`: monitors another campus's activity log, and cosigns its checkpoints

witness_commands = typer.Typer(no_args_is_help=True, help=N_("Être témoin du journal d’un autre campus."))
State = Annotated[
    Path,
    typer.Option("--state", help=N_("Le dossier du témoin : sa clé, et ce qu’il a vu de chaque journal.")),
]
_FOLDER = Path("sceau-witness")
_ORIGIN = re.compile(r"(?P<host>[^/]+)/campus/(?P<slug>[a-z0-9-]{1,60})/journal(?:/[0-9]+)?")
_TROUBLE = {
    "no_key": N_("Il n’y a pas de clé de témoin dans {folder} : « sceau witness make-key » en fait une."),
    "readable_by_others": N_("La clé de témoin dans {folder} est lisible par d’autres : chmod 600."),
}


@witness_commands.command(
    "make-key", help=N_("Crée la clé d’un témoin et affiche sa part publique, à donner au campus.")
)
def make_key(
    name: Annotated[str, typer.Option(help=N_("Le nom de la clé, sans espace : temoin.exemple.fr"))],
    state: State = _FOLDER,
) -> None:
    try:
        key = witness_folder(state).make_key(name)
    except FileExistsError:
        stop(_("{folder} a déjà une clé, et elle n’a pas été touchée.").format(folder=state))
    except ValueError:
        stop(_("Le nom d’une clé n’a ni espace ni signe plus."))
    print(key.public.to_vkey())


@witness_commands.command("key", help=N_("Affiche la clé publique du témoin."))
def show_key(state: State = _FOLDER) -> None:
    print(_key_in(state).public.to_vkey())


@witness_commands.command("look", hidden=True)
@witness_commands.command(
    "cosign",
    help=N_("Regarde un journal, vérifie qu’il n’a fait que grandir depuis la dernière fois, et le signe."),
    epilog=N_(
        "Code de fin : 0 signé, 1 refusé (le journal se contredit), 2 n’a pas pu être lu, 3 commande mal formée."
    ),
)
def cosign(
    where: Annotated[
        str,
        typer.Argument(metavar="JOURNAL", help=N_("L’adresse du journal, ou un dossier avec ses fichiers.")),
    ],
    key: Annotated[
        str, typer.Option("--key", help=N_("La clé publique du journal, telle que le campus l’a donnée."))
    ],
    submit: Annotated[bool, typer.Option("--submit", help=N_("Remet aussi la signature au campus."))] = False,
    state: State = _FOLDER,
) -> None:
    witness, log = _key_in(state), _log_key(key)
    _check_address(where, log)
    configured = settings()
    try:
        looked = look_at(log_at(where, configured), log, witness_folder(state), witness, at=utc_now())
    except Unavailable as error:
        stop(filled(_(error.sentence), error.values), code=ExitCode.UNDETERMINED)
    if looked.before is None:
        say(
            "Premier regard sur {origin}. Lignes : {size}.",
            origin=looked.head.origin,
            size=looked.head.size,
        )
    else:
        say(
            "{origin} n’a fait que grandir. Lignes : {old} avant, {size} maintenant.",
            style="green",
            origin=looked.head.origin,
            old=looked.before.size,
            size=looked.head.size,
        )
    for each in looked.followed:
        say("La clé du journal a changé, annoncée par la précédente : {key}", key=each.to_vkey())
    print(looked.note.to_text(), end="")
    if submit:
        _hand_in(where, looked, configured)


@witness_commands.command(
    "change-key",
    help=N_(
        "Suit la nouvelle clé d’un journal que l’ancienne n’a pas annoncée, parce que le campus l’a confirmée."
    ),
    epilog=N_(
        "Demandez-la au campus par un autre chemin que le journal : téléphone, courrier, de vive voix."
    ),
)
def change(
    key: Annotated[
        str, typer.Option("--key", help=N_("La clé publique du journal, telle que le campus l’a donnée."))
    ],
    state: State = _FOLDER,
) -> None:
    log = _log_key(key)
    change_key(witness_folder(state), log)
    say("La clé de {origin} est désormais celle-là, et aucune d’avant.", origin=log.name)


def _check_address(where: str, log: NoteKey) -> None:
    """Under another host's key, a witness would cosign a log in that host's name."""
    host = urlsplit(where).netloc.rpartition("@")[2].lower()
    named = log.name.partition("/")[0].lower()
    if "://" in where and host != named:
        stop(
            _(
                "La clé est celle du journal de {named}, et l’adresse est à {host}. Demandez les deux au campus, par un "
                "autre chemin que le journal."
            ).format(named=named, host=host),
            code=ExitCode.REFUSED,
        )


def _log_key(text: str) -> NoteKey:
    try:
        log = NoteKey.from_vkey(text)
    except CredentialError:
        stop(_("Ce n’est pas la clé d’un journal : attendu nom+identifiant+clé."))
    if log.type is not SignatureType.ED25519:
        stop(_("Cette clé est celle d’un témoin, pas celle d’un journal."))
    return log


def _hand_in(where: str, looked: WitnessReport, configured: Settings) -> None:
    found = _ORIGIN.fullmatch(looked.head.origin)
    if found is None:
        stop(_("Ce journal n’est pas celui d’un campus de Sceau : remettez la signature vous-même."))
    address = where if "://" in where else f"https://{found['host']}"
    try:
        status = hand_in(address, found["slug"], looked.note, configured)
    except DocumentUnavailable as error:
        stop(
            _("La signature n’a pas pu être remise ({why}). Elle est ci-dessus.").format(why=error.reason),
            code=ExitCode.UNDETERMINED,
        )
    if status == 200:
        say("Signature remise au campus.", style="green")
    elif status == 403:
        stop(_("Le campus ne vous a pas encore nommé témoin : donnez-lui votre clé."), code=ExitCode.REFUSED)
    else:
        stop(
            _("Le campus a refusé la signature (réponse {status}).").format(status=status),
            code=ExitCode.REFUSED,
        )


def _key_in(folder: Path) -> WitnessKey:
    try:
        return witness_folder(folder).key()
    except WITNESS_KEY_UNUSABLE as error:
        stop(_(_TROUBLE[str(error)]).format(folder=folder))
    except CredentialError:
        stop(_("La clé de témoin dans {folder} ne se lit pas.").format(folder=folder))
