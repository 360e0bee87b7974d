"""`sceau award`: a badge for everyone on a list, with a result for every line."""

from __future__ import annotations

import os
import sys
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from app.cli.terminal import CONFIRM_HELP, ExitCode, aside, ready_process, say, stop, with_progress
from app.container import Process, Services
from app.domain.activities.listed_people import ListedPerson, name_key_of
from app.domain.awards import LineOutcome, end_of_last_day, in_words
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import csv_for_excel
from app.domain.imports.lists.model import Line, Reading, Reason, State
from app.domain.people import name_key
from app.errors import NotFound
from app.language import N_, system_cause
from app.language import gettext as _
from app.services.activities.participants import people_of
from app.services.awards.awards import AwardRequest
from app.services.imports.lists import read_list_file, reasons_in, sentence_of

_BY = Actor.command("award")
_ALIGN = Actor.command("align")
commands = typer.Typer(no_args_is_help=True, help=N_("Les attributions déjà signées."))
_AT_ONCE = 50
"""Lines signed in one transaction: the most work that an interruption can lose."""

OUTCOMES = {
    LineOutcome.READY: N_("Prête"),
    LineOutcome.AWARDED: N_("Attribué"),
    LineOutcome.ALREADY_HELD: N_("A déjà ce badge"),
    LineOutcome.INVALID_ADDRESS: N_("Adresse invalide"),
    LineOutcome.MISSING_NAME: N_("Nom à compléter"),
    LineOutcome.MISSING_EVIDENCE: N_("Preuve manquante"),
    LineOutcome.TOO_FEW_HOURS: N_("Participation insuffisante"),
    LineOutcome.ONESELF: N_("Soi-même"),
    LineOutcome.REPEATED_LINE: N_("Ligne en double"),
    LineOutcome.UNREADABLE: N_("Ligne illisible"),
    LineOutcome.NOT_ALLOWED: N_("Non permis"),
    LineOutcome.ABSENT: N_("Absente"),
    LineOutcome.SEVERAL_OF_NAME: N_("Plusieurs personnes de ce nom"),
}


@dataclass(frozen=True)
class AwardReport:
    """The result of one line, in the operator's language."""

    person: str
    address: str
    outcome: LineOutcome
    reason: str = ""
    award: str = ""
    private_link: str = ""

    def cells(self) -> list[str]:
        outcome = _(OUTCOMES[self.outcome])
        return [self.person, self.address, outcome, self.reason, self.award, self.private_link]


def award(
    file: Annotated[
        Path,
        typer.Argument(
            help=N_(
                "La liste : CSV, Excel, OpenDocument, Word, PDF ou texte, comme sur le site ; « - » lit l’entrée standard."
            )
        ),
    ],
    campus: Annotated[str, typer.Option(help=N_("Le campus, par son nom dans les adresses."))],
    badge: Annotated[str, typer.Option(help=N_("Le badge, par son nom dans les adresses."))],
    activity: Annotated[
        uuid.UUID | None, typer.Option(help=N_("L’activité sur laquelle reposent les attributions."))
    ] = None,
    evidence: Annotated[str, typer.Option(help=N_("Ce que chacun a fait, si la liste ne le dit pas."))] = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help=N_("Où écrire le résultat de chaque ligne, en CSV."))
    ] = None,
    others: Annotated[
        bool,
        typer.Option(
            "--others",
            help=N_(
                "Les noms déjà connus à une autre adresse sont d’autres personnes ; sinon, ils sont laissés."
            ),
        ),
    ] = False,
    confirm: Annotated[str, typer.Option("--confirm", help=CONFIRM_HELP)] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=N_("Dit ce qui serait fait, sans rien écrire."))
    ] = False,
) -> None:
    data = _bytes_of(file)
    if not data.strip():
        stop(_("Cette liste est vide."))
    settled = reasons_in(confirm)
    read_list_file(data)
    process = ready_process()
    with process.unit_of_work(reading=True) as services:
        place = services.campuses.get(campus)
        hours = services.activities.get(place, activity).hours if activity else None
        reading = read_list_file(data, activity_hours=hours, settled=settled)
        lines, left = people_of(reading), _left(reading)
        if not lines and not left:
            stop(_("Cette liste est vide."))
        if not others:
            lines, asked = _without_known(services, place, activity, lines)
            left += asked
        request = AwardRequest(_badge_id(services, place, badge), activity, evidence=evidence)
    reports = list(
        _checked(process, place, request, lines) if dry_run else _awarded(process, place, request, lines)
    )
    reports += left
    _write(reports, output)
    _sum_up(reports)
    _name_what_is_no_person(reading)
    if any(line.outcome.is_refused for line in reports):
        raise typer.Exit(ExitCode.REFUSED)


_OUTCOMES_OF_DOUBTS = {
    Reason.ADDRESS_INVALID: LineOutcome.INVALID_ADDRESS,
    Reason.NO_NAME: LineOutcome.MISSING_NAME,
    Reason.ONE_WORD: LineOutcome.MISSING_NAME,
    Reason.INITIAL: LineOutcome.MISSING_NAME,
    Reason.ABSENT: LineOutcome.ABSENT,
    Reason.EXCUSED: LineOutcome.ABSENT,
    Reason.UNTICKED: LineOutcome.ABSENT,
}


def _left(reading: Reading) -> list[AwardReport]:
    """Lines to be corrected in the list itself: nothing is awarded for them."""
    return [_report_of_doubt(line) for line in reading.in_state(State.ASK)]


def _without_known(
    services: Services, campus: Campus, activity_id: uuid.UUID | None, lines: Sequence[ListedPerson]
) -> tuple[list[ListedPerson], list[AwardReport]]:
    """A known name at another address or none: left aside until the operator decides."""
    named = [(line.given_name, line.family_name, line.address) for line in lines]
    known = services.participants.known_beside(campus, activity_id, named)
    asked = []
    for index, people in known.items():
        line = lines[index]
        own = [
            one
            for one in people
            if name_key_of(line) == name_key(one.person.given_name, one.person.family_name)
        ]
        if own:
            addresses = ", ".join(one.address for one in own)
            words = _("Ce nom est connu avec {addresses} : écrivez cette adresse, ou ajoutez « --others ».")
        else:
            addresses = ", ".join(one.person.name for one in people)
            words = _("Cette adresse est celle de {addresses} : écrivez ce nom, ou ajoutez « --others ».")
        reason = _line(line, words.format(addresses=addresses))
        asked.append(AwardReport(line.name, line.address, LineOutcome.SEVERAL_OF_NAME, reason))
    return [line for index, line in enumerate(lines) if index not in known], asked


def _line(line: Line | ListedPerson, words: str) -> str:
    return _("Ligne {number} : {words}").format(number=line.line, words=words)


def _report_of_doubt(line: Line) -> AwardReport:
    outcomes = [_OUTCOMES_OF_DOUBTS[one.reason] for one in line.doubts if one.reason in _OUTCOMES_OF_DOUBTS]
    return AwardReport(
        line.name or line.text[:120],
        line.address,
        outcomes[0] if outcomes else LineOutcome.UNREADABLE,
        _line(line, " ".join(map(sentence_of, line.doubts))),
    )


def _name_what_is_no_person(reading: Reading) -> None:
    for line in reading.in_state(State.REFUSED):
        if line.doubts[0].reason is not Reason.HEADING:
            aside().print(_line(line, f"{line.text[:120]} ({sentence_of(line.doubts[0])})"), markup=False)


def _bytes_of(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        stop(_("{path} ne peut pas être lu : {cause}.").format(path=file, cause=system_cause(error)))


def _badge_id(services: Services, campus: Campus, slug: str) -> uuid.UUID:
    for badge, _version in services.badges.list_current(campus):
        if badge.slug == slug:
            return badge.id
    raise NotFound("Le campus {campus} n’a pas de badge « {slug} ».", campus=campus.slug, slug=slug)


def _checked(
    process: Process, campus: Campus, request: AwardRequest, lines: Sequence[ListedPerson]
) -> Iterator[AwardReport]:
    with process.unit_of_work(reading=True) as services:
        preview = services.awards.preview(campus, _with(request, lines), by=_BY)
    for checked in preview.lines:
        said = checked.eligibility
        reason = _(said.sentence).format(**in_words(said.values)) if said.sentence else ""
        yield AwardReport(checked.line.name, checked.line.address, said.outcome, reason)


def _awarded(
    process: Process, campus: Campus, request: AwardRequest, lines: Sequence[ListedPerson]
) -> Iterator[AwardReport]:
    """In chunks, each committed before the next. Idempotent."""
    portions = [lines[start : start + _AT_ONCE] for start in range(0, len(lines), _AT_ONCE)]
    for portion in with_progress(portions, _("Attribution")):
        with process.unit_of_work() as services:
            given = services.awards.award(campus, _with(request, portion), by=_BY)
            result = services.award_batches.result(campus, given.batch.id)
            links = services.people.links_to_hand([line.award_id for line in result.lines if line.award_id])
            for line in result.lines:
                link = award_url = ""
                if line.award_id is not None:
                    award_url = services.addresses.award(line.award_id)
                    token = links.get(line.award_id)
                    link = services.addresses.private_link(token) if token else _("Dans son compte")
                reason = _(line.reason).format(**in_words(line.reason_values)) if line.reason else ""
                name = f"{line.given_name} {line.family_name}".strip()
                yield AwardReport(name, line.address, line.outcome, reason, award_url, link)


def _with(request: AwardRequest, lines: Sequence[ListedPerson]) -> AwardRequest:
    return AwardRequest(request.badge_id, request.activity_id, lines=tuple(lines), evidence=request.evidence)


def _write(reports: Sequence[AwardReport], output: Path | None) -> None:
    headings = [_("Prénom et nom"), _("Adresse"), _("Résultat"), _("Motif"), _("Badge"), _("Lien privé")]
    table = csv_for_excel(headings, [line.cells() for line in reports])
    if output is None:
        sys.stdout.buffer.write(table)
        sys.stdout.buffer.flush()
    else:
        # Names, addresses and private links.
        with open(output, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(table)


def _sum_up(reports: Sequence[AwardReport]) -> None:
    for outcome, count in Counter(line.outcome for line in reports).most_common():
        style = "red" if outcome.is_refused else "green"
        aside().print(f"{count} × {_(OUTCOMES[outcome])}", style=style, markup=False)


@commands.command(
    "align",
    help=N_(
        "Signe de nouveau les badges ouverts, et ceux des mineurs, dont le fichier montre autre chose que ce que leur "
        "titulaire a choisi ; reprend où elle s’est arrêtée."
    ),
)
def align(
    everything: Annotated[
        bool,
        typer.Option("--all", help=N_("Compare aussi ceux qui l’ont déjà été.")),
    ] = False,
) -> None:
    process = ready_process()
    if everything:
        with process.unit_of_work() as services:
            for campus in services.campuses.list_all():
                services.award_alignment.mark_all(campus.id)
    count = align_all(process)
    with process.unit_of_work(reading=True) as services:
        left = services.award_alignment.count_waiting()
    say("Attributions comparées avec ce que leur titulaire montre : {count}.", count=count)
    if left:
        say(
            "Attributions qui ne se signent plus, donc non publiées : {count}.",
            style="bold red",
            count=left,
        )
        raise typer.Exit(ExitCode.REFUSED)


AwardId = Annotated[uuid.UUID, typer.Argument(help=N_("L’identifiant de l’attribution."))]
CampusName = Annotated[str, typer.Option("--campus", help=N_("Le campus, par son nom dans les adresses."))]


@commands.command("suspend", help=N_("Suspend un badge jusqu’à une date ; il redevient valable ensuite."))
def suspend(
    award_id: AwardId,
    campus: CampusName,
    until: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help=N_("Le dernier jour de la suspension."))
    ],
    reason: Annotated[str, typer.Option(help=N_("Pourquoi : la personne le lira."))],
) -> None:
    process = ready_process()
    with process.unit_of_work() as services:
        place = services.campuses.get(campus)
        end = end_of_last_day(until.date(), place.time_zone)
        services.suspensions.suspend(place, award_id, reason, until=end, by=_BY)
    say("Le badge est suspendu.", style="green")


@commands.command("lift", help=N_("Lève la suspension d’un badge avant sa fin."))
def lift(award_id: AwardId, campus: CampusName) -> None:
    process = ready_process()
    with process.unit_of_work() as services:
        services.suspensions.lift(services.campuses.get(campus), award_id, by=_BY)
    say("La suspension est levée.", style="green")


def align_all(process: Process) -> int:
    """All due awards, one chunk per transaction; returns the number of awards compared."""
    with process.unit_of_work(reading=True) as services:
        due = services.award_alignment.campuses_due()
    count = 0
    for campus_id in due:
        while done := _align_some(process, campus_id):
            count += done
    return count


def _align_some(process: Process, campus_id: uuid.UUID) -> int:
    with process.visit(campus_id=campus_id) as services:
        return services.award_alignment.align_some(campus_id, by=_ALIGN)
