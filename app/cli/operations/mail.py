"""`sceau mail`: messages that came back, the key that signs, and the addresses messages leave from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.terminal import ExitCode, ready_process, say, show_table, stop
from app.container import LONGEST_REPORT, DatabaseUnreachable, make_dkim_key
from app.domain.campus.audit_log import Actor
from app.domain.campus.sender import RecordState, dkim_record
from app.errors import InvalidInput
from app.language import N_, system_cause
from app.language import gettext as _

commands = typer.Typer(no_args_is_help=True, help=N_("Les e-mails du service."))

_STANDARD_INPUT = Path("-")


@commands.command(
    "bounces",
    help=N_("Lit des avis de non-distribution et note sur la page de chaque badge ce qui n’est pas arrivé."),
    epilog=N_("Code de fin : 0 lu, même sans rapport avec ce service ; 75 à présenter de nouveau plus tard."),
)
def bounces(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="FICHIER…", help=N_("Un avis par fichier ; « - » pour celui de l’entrée standard.")
        ),
    ],
) -> None:
    try:
        process = ready_process()
        noted = unknown = others = 0
        for path in paths:
            report = _read(path)
            try:
                with process.unit_of_work() as services:
                    done = services.letters.note_bounces(report)
            except InvalidInput:
                others += 1
                continue
            noted, unknown = noted + done.letters, unknown + done.unknown
    except (DatabaseUnreachable, typer.Exit) as error:
        if _STANDARD_INPUT not in paths:
            raise
        # The mail server keeps the report and tries again (sysexits.h).
        raise typer.Exit(ExitCode.UNREACHABLE) from error
    say("E-mails notés comme non distribués : {count}.", count=noted)
    if unknown:
        say("Avis sur des messages que ce service ne connaît pas : {count}.", count=unknown)
    if others:
        say("Messages qui ne sont pas des avis de non-distribution : {count}.", count=others)


@commands.command(
    "release", help=N_("Laisse partir les e-mails qu’une restauration a retenus ; avec --cancel, les annule.")
)
def release(
    cancel: Annotated[bool, typer.Option("--cancel", help=N_("Aucun ne part."))] = False,
) -> None:
    process = ready_process()
    with process.unit_of_work() as services:
        letters = services.stores.letters
        count = letters.cancel_held() if cancel else letters.release_held()
    if cancel:
        say("E-mails annulés : {count}.", count=count)
    else:
        say("E-mails qui partent de nouveau : {count}.", count=count)


@commands.command("make-key", help=N_("Crée la clé qui signe les e-mails (DKIM)."))
def make_key(path: Annotated[Path, typer.Argument(help=N_("Le fichier à créer."))]) -> None:
    try:
        make_dkim_key(path)
    except OSError as error:
        stop(_("{path} ne peut pas être écrit : {cause}.").format(path=path, cause=system_cause(error)))
    say(
        "Clé écrite. Réglez SCEAU_DKIM_KEY=file:{path}, puis publiez ce que montre « sceau mail dns ».",
        path=path.resolve(),
    )


@commands.command(
    "dns",
    help=N_("Montre les enregistrements DKIM à publier, pour le service et chaque campus, et s’ils le sont."),
)
def dns() -> None:
    process = ready_process()
    identity = process.mail_identity
    if not identity.signs:
        stop(_("Ce service ne signe pas ses e-mails : réglez SCEAU_DKIM_KEY (sceau mail make-key)."))
    with process.unit_of_work(reading=True) as services:
        found = services.senders.list_all()
    domains = {identity.domain: ""} | {sender.domain: campus.slug for sender, campus in found}
    records = [
        (dkim_record(identity, domain, process.mail_records), slug) for domain, slug in domains.items()
    ]
    show_table(
        [_("Campus"), _("Nom"), _("Type"), _("Valeur"), _("État")],
        [[slug, record.name, "TXT", record.value, record.state.value] for record, slug in records],
    )
    if any(record.state is not RecordState.FOUND for record, _slug in records):
        raise typer.Exit(ExitCode.REFUSED)


@commands.command(
    "sender",
    help=N_("Attribue à un campus l’adresse d’où partent ses e-mails : votre serveur doit signer pour elle."),
)
def sender(
    slug: Annotated[str, typer.Argument(metavar="CAMPUS")],
    address: Annotated[str, typer.Argument(metavar="ADRESSE", help=N_("Vide : celle du service."))] = "",
) -> None:
    by = Actor.command("mail sender")
    with ready_process().unit_of_work() as services:
        campus = services.campuses.get(slug)
        if address:
            services.senders.assign(campus, address, by=by)
        else:
            services.senders.remove(campus, by=by)
        chosen = services.senders.find(campus)
    say(
        "Les e-mails du campus {campus} partent de {address}.",
        campus=slug,
        address=chosen.address if chosen else _("l’adresse du service"),
    )


def _read(path: Path) -> bytes:
    if path == _STANDARD_INPUT:
        return sys.stdin.buffer.read(LONGEST_REPORT)
    try:
        with path.open("rb") as file:
            return file.read(LONGEST_REPORT)
    except OSError as error:
        stop(
            _("{path} ne peut pas être lu : {cause}.").format(path=path, cause=system_cause(error)),
            code=ExitCode.UNUSABLE,
        )
