"""`sceau witness`: monitors another campus's activity log, and cosigns its checkpoints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from app.cli.terminal import ExitCode, say, settings, stop
from app.container import WITNESS_KEY_UNUSABLE, hand_in, log_at, utc_now, witness_folder
from app.errors import Unavailable
from app.language import N_, filled
from app.language import gettext as _
from app.services.activity_log.log_monitoring import WitnessReport, change_key
from app.services.activity_log.log_monitoring import cosign_log as look_at
from app.settings import Settings
from sceau_credentials.errors import CredentialError, DocumentUnavailable
from sceau_credentials.transparency_log.notes import NoteKey, SignatureType, WitnessKey

commands = typer.Typer(no_args_is_help=True, help=N_("Être témoin du journal d’un autre campus."))
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


@commands.command(
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


@commands.command("key", help=N_("Affiche la clé publique du témoin."))
def show_key(state: State = _FOLDER) -> None:
    print(_key_in(state).public.to_vkey())


@commands.command("look", hidden=True)
@commands.command(
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
    told = settings()
    try:
        looked = look_at(log_at(where, told), log, witness_folder(state), witness, at=utc_now())
    except Unavailable as error:
        stop(filled(_(error.sentence), error.values), code=ExitCode.UNDETERMINED)
    if looked.before is None:
        say(
            N_("Premier regard sur {origin} : {size} lignes."),
            origin=looked.head.origin,
            size=looked.head.size,
        )
    else:
        say(
            N_("{origin} n’a fait que grandir : de {old} à {size} lignes."),
            style="green",
            origin=looked.head.origin,
            old=looked.before.size,
            size=looked.head.size,
        )
    for each in looked.followed:
        say(N_("La clé du journal a changé, annoncée par la précédente : {key}"), key=each.to_vkey())
    print(looked.note.to_text(), end="")
    if submit:
        _hand_in(where, looked, told)


@commands.command(
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
    say(N_("La clé de {origin} est désormais celle-là, et aucune d’avant."), origin=log.name)


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


def _hand_in(where: str, looked: WitnessReport, told: Settings) -> None:
    found = _ORIGIN.fullmatch(looked.head.origin)
    if found is None:
        stop(_("Ce journal n’est pas celui d’un campus de Sceau : remettez la signature vous-même."))
    address = where if "://" in where else f"https://{found['host']}"
    try:
        status = hand_in(address, found["slug"], looked.note, told)
    except DocumentUnavailable as error:
        stop(
            _("La signature n’a pas pu être remise ({why}). Elle est ci-dessus.").format(why=error.reason),
            code=ExitCode.UNDETERMINED,
        )
    if status == 200:
        say(N_("Signature remise au campus."), style="green")
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
