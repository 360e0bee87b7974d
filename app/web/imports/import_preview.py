"""Preview of an import before anything is written, line by line; of calendars and statements, the whole
page."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities import ActivityKind
from app.domain.campus.signed_terms import duration
from app.domain.imports.imports import (
    ImportForm,
    ImportLine,
    ImportLineOutcome,
    ImportRun,
    ImportState,
    form_of,
)
from app.domain.imports.lists.model import REASON_HEADING
from app.domain.imports.tables import HEADINGS, ImportColumn
from app.domain.people.consents import OTHER, Namesake
from app.http.pages.forms import text_of, texts_of
from app.http.pages.render import ProgressView, live_response
from app.http.pages.words import ACTIVITY_KINDS, StateLabel
from app.http.request_scope import ReadingServices, write_transaction
from app.http.workplaces import at_work, staff
from app.language import N_, translated
from app.language import gettext as _
from app.services.imports.calendar_imports import Foreseen
from app.services.imports.import_matching import MatchedRecord
from app.services.imports.imports import Report, StatementDraft
from app.services.imports.lists import blocks_of
from app.web.badges.badges_admin import table_file
from app.web.imports.list_table import seen_words

COLUMNS = {
    ImportColumn.NOTHING: N_("Ne pas lire"),
    ImportColumn.EXTERNAL: N_("Identifiant de la ligne"),
    ImportColumn.ACTIVITY_EXTERNAL: N_("Identifiant de l’activité"),
    ImportColumn.TITLE: N_("Titre de l’activité ou du projet"),
    ImportColumn.KIND: N_("Type d’activité"),
    ImportColumn.STARTS_ON: N_("Date, ou premier jour"),
    ImportColumn.ENDS_ON: N_("Dernier jour"),
    ImportColumn.ACTIVITY_HOURS: N_("Durée de l’activité"),
    ImportColumn.PLACE: N_("Lieu"),
    ImportColumn.FAMILY: N_("Nom de famille"),
    ImportColumn.GIVEN: N_("Prénom"),
    ImportColumn.FAMILY_FIRST: N_("Nom puis prénom"),
    ImportColumn.GIVEN_FIRST: N_("Prénom puis nom"),
    ImportColumn.WHOLE: N_("Nom complet, ordre à deviner"),
    ImportColumn.ADDRESS: N_("Adresse e-mail"),
    ImportColumn.PART: N_("Rôle"),
    ImportColumn.HOURS: N_("Heures de la personne"),
    ImportColumn.CONTRIBUTION: N_("Contribution"),
    ImportColumn.SIZE: N_("Effectif déclaré de l’activité"),
    ImportColumn.AUDIENCES: N_("Publics et nombres"),
    ImportColumn.ORGANISATIONS: N_("Organisations et leur rôle"),
    ImportColumn.ESTABLISHMENTS: N_("Établissements (UAI ou SIRET)"),
    ImportColumn.OBJECTIVE: N_("Axe et objectif"),
    ImportColumn.DEPARTEMENT: N_("Département du lieu"),
    ImportColumn.SECTOR: N_("Secteur (NAF ou ROME)"),
    ImportColumn.SURVEY: N_("Enquête"),
    ImportColumn.INVITED: N_("Personnes invitées"),
}
FORESEEN = {
    ImportLineOutcome.CREATED: StateLabel("À créer", "ok"),
    ImportLineOutcome.CHANGED: StateLabel("À corriger ici", "past"),
    ImportLineOutcome.SAME: StateLabel("Déjà là", "shut"),
    ImportLineOutcome.REFUSED: StateLabel("Refusée", "bad"),
}
TO_SETTLE = StateLabel("À vérifier", "past")
DONE = {
    ImportLineOutcome.WAITING: StateLabel("En attente", "shut"),
    ImportLineOutcome.CREATED: StateLabel("Créée", "ok"),
    ImportLineOutcome.CHANGED: StateLabel("Corrigée", "past"),
    ImportLineOutcome.SAME: StateLabel("Déjà là", "shut"),
    ImportLineOutcome.REFUSED: StateLabel("Refusée", "bad"),
}
FORMS = {
    ImportForm.TABLE: N_("Tableau"),
    ImportForm.API: N_("Programme"),
    ImportForm.XAPI: N_("Énoncés xAPI"),
    ImportForm.CALENDAR: N_("Agenda"),
}
_FACTS = {
    "hours": N_("heures"),
    "part": N_("rôle"),
    "contribution": N_("contribution"),
    "person": N_("personne"),
    "present": N_("présence"),
    "title": N_("titre de l’activité"),
    "kind": N_("type d’activité"),
    "starts_on": N_("premier jour"),
    "ends_on": N_("dernier jour"),
    "place": N_("lieu"),
    "held_on": N_("jour de la séance"),
    "address": N_("adresse e-mail"),
    "no_address": N_("sans la nouvelle adresse e-mail"),
    "effectif": N_("effectif"),
    "publics": N_("publics"),
    "organisations": N_("organisations"),
    "etablissements": N_("établissements"),
    "objectif": N_("objectif"),
    "departement": N_("département"),
    "secteur": N_("secteur"),
    "enquete": N_("enquête"),
    "invites": N_("invités"),
}


def reason_of(sentence: str, values: Mapping[str, Any]) -> str:
    """Reason for the result of a line, in the reader's language."""
    if not sentence:
        return ""
    return translated(sentence).format(**{name: _shown(value) for name, value in values.items()})


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(translated(_FACTS[name]) if name in _FACTS else str(name) for name in value)
    return str(value)


SHOWN, SHOWN_REFUSED = 200, 200
_FIGURES = {
    ImportLineOutcome.CREATED: N_("À créer"),
    ImportLineOutcome.CHANGED: N_("À corriger ici"),
    ImportLineOutcome.SAME: N_("Déjà là"),
    ImportLineOutcome.REFUSED: N_("Refusées"),
}
_ORDER = (
    ImportLineOutcome.REFUSED,
    ImportLineOutcome.CHANGED,
    ImportLineOutcome.CREATED,
    ImportLineOutcome.SAME,
)


@dataclass(frozen=True)
class PreviewLineView:
    """`name` with its `hint`, and other details that identify the line."""

    number: int
    name: str
    hint: str
    about: str
    fate: ImportLineOutcome
    reason: str
    choices: Sequence[tuple[str, str, str]] = ()
    """Known people of that name or at that address, and « another person »: value, label, hint."""
    chosen: str = ""
    asks: bool = False
    """A person may confirm it."""
    suggestion: str = ""
    """The address that was probably meant: one tap takes it."""
    choice: str = ""
    """What its tick sends; empty for a line without one."""
    is_ticked: bool = True
    beside: tuple[str, str] | None = None
    """The activity here that it belongs to, or seems to be: its title and address."""

    @property
    def word(self) -> StateLabel:
        return TO_SETTLE if self.is_asked else FORESEEN[self.fate]

    @property
    def is_asked(self) -> bool:
        return self.asks or bool(self.choices) or bool(self.suggestion)

    @staticmethod
    def of(one: MatchedRecord, known: Sequence[Namesake] = (), chosen: str = "") -> PreviewLineView:
        record = one.record
        return PreviewLineView(
            record.number,
            record.person.name,
            record.person.address,
            record.activity.title,
            one.fate,
            reason_of(one.reason, one.values),
            known_choices(known) if known else (),
            chosen,
            record.asks,
            record.suggestion,
        )

    @staticmethod
    def of_meeting(one: Foreseen, home: str, *, declined: bool = False) -> PreviewLineView:
        meeting, here = one.meeting, one.activity or one.alike
        reason = reason_of(one.reason, one.values)
        if one.seems_here and one.writes:
            alike = translated("Une activité du même jour lui ressemble. Cochez si c’en est une autre.")
            reason = f"{reason} {alike}".strip()
        return PreviewLineView(
            meeting.number,
            meeting.title,
            meeting.place,
            _when(meeting.starts_on, meeting.ends_on, meeting.hours),
            one.fate,
            reason,
            choice=one.choice if one.writes else "",
            is_ticked=not one.seems_here and not declined,
            beside=(f"{here.title}, {here.starts_on:%d/%m/%Y}", f"{home}/activites/{here.id}")
            if here
            else None,
        )


def _when(first: date | None, last: date | None, hours: float | None) -> str:
    days = [f"{each:%d/%m/%Y}" for each in (first, last if last != first else None) if each]
    length = [] if hours is None else [duration(round(hours * 60))]
    return ", ".join([" – ".join(days), *length]) if days else ""


def known_choices(people: Sequence[Namesake]) -> list[tuple[str, str, str]]:
    same = translated("La même, {name}, {address}")
    choices = [
        (str(one.person.id), same.format(name=one.person.name, address=one.address), seen_words(one))
        for one in people
    ]
    return [*choices, (OTHER, translated("Une autre personne"), "")]


def lines_context(lines: Sequence[PreviewLineView]) -> dict[str, Any]:
    """The lines of a page by expected result, those that need a person first."""
    counts = {fate: sum(one.fate is fate for one in lines) for fate in _FIGURES}
    asked = [one for one in lines if one.is_asked]
    waiting = sum(one.fate is ImportLineOutcome.REFUSED for one in asked)
    groups = {fate: [one for one in lines if one.fate is fate and not one.is_asked] for fate in _FIGURES}
    return {
        "figures": [
            *(
                (translated(words), counts[fate] - (waiting if fate is ImportLineOutcome.REFUSED else 0), "")
                for fate, words in _FIGURES.items()
            ),
            *([(translated(TO_SETTLE.text), waiting, "")] if waiting else []),
        ],
        "asked": asked[:SHOWN_REFUSED],
        "asked_count": len(asked),
        "groups": [
            (
                fate.value,
                translated(_FIGURES[fate]),
                len(groups[fate]),
                groups[fate][: SHOWN_REFUSED if fate is ImportLineOutcome.REFUSED else SHOWN],
            )
            for fate in _ORDER
        ],
        "writes": counts[ImportLineOutcome.CREATED] + counts[ImportLineOutcome.CHANGED],
        "likely": sum(not one.is_ticked for one in lines if one.choice),
    }


def dropped(request: Request, reading: Services, source: str, data: bytes, pasted: str) -> ImportRun:
    """Parses an uploaded file of any kind and stores it until it is confirmed.

    Parsed before the writing transaction: a calendar or a workbook can take seconds, and SQLite has one writer.
    """
    work, form = at_work(request), form_of(data)
    if form is ImportForm.CALENDAR:
        read = reading.calendar_imports.read(work.campus, data)
        with write_transaction(request) as writing:
            return writing.calendar_imports.drop(work.campus, source, data, by=work.actor, read=read)
    if form is ImportForm.XAPI:
        text = reading.statement_imports.checked(work.campus, data)
        with write_transaction(request) as writing:
            return writing.statement_imports.drop(work.campus, source, data, by=work.actor, text=text)
    given = pasted if pasted and data == pasted.encode() else data
    blocks = blocks_of(given)
    with write_transaction(request) as writing:
        return writing.imports.drop(work.campus, source, given, by=work.actor, blocks=blocks)


def confirmed(request: Request, reading: Services, run: ImportRun, form: FormData) -> None:
    """The file is parsed before the writing transaction begins."""
    work = at_work(request)
    if run.form is ImportForm.CALENDAR:
        kind = text_of(form, "type-sinon")
        chosen = ActivityKind(kind) if kind in set(ActivityKind) else ActivityKind.WORKSHOP
        seen = reading.calendar_imports.draft(work.campus, run.id)
        doubles = seen.declined | {one.choice for one in seen.lines if one.seems_here}
        without = (doubles | set(texts_of(form, "montree"))) - set(texts_of(form, "importer"))
        with write_transaction(request) as writing:
            writing.calendar_imports.confirm(
                work.campus, run.id, chosen, by=work.actor, without=without, read=seen.read
            )
    else:
        read = reading.statement_imports.parsed(work.campus, run.id)
        with write_transaction(request) as writing:
            writing.statement_imports.confirm(work.campus, run.id, by=work.actor, read=read)


def foreseen_page(request: Request, services: Services, run: ImportRun) -> HTMLResponse | None:
    """For a file with no open question about its columns."""
    work, is_calendar = at_work(request), run.form is ImportForm.CALENDAR
    if run.form is ImportForm.TABLE:
        return None
    if is_calendar:
        meetings = services.calendar_imports.draft(work.campus, run.id)
        before, lines = (
            meetings.before,
            [
                PreviewLineView.of_meeting(one, work.home, declined=one.choice in meetings.declined)
                for one in meetings.lines
            ],
        )
    else:
        parsed = services.statement_imports.parsed(work.campus, run.id)
        with write_transaction(request) as trying:
            statements = trying.statement_imports.draft(work.campus, run.id, parsed)
        before, lines = statements.before, [_statement_view(one, statements) for one in statements.matched]
    return work.page(
        request,
        "imports/foreseen.html",
        here=f"{work.home}/reprises/{run.id}",
        zone=work.campus.time_zone,
        source=run.source,
        before=before.asked_at if before else None,
        total=len(lines),
        is_calendar=is_calendar,
        all_kinds=[(kind.value, translated(words)) for kind, words in ACTIVITY_KINDS.items()],
        kind=ActivityKind.WORKSHOP.value,
        **lines_context(lines),
    )


def _statement_view(one: MatchedRecord, draft: StatementDraft) -> PreviewLineView:
    number = one.record.number
    return PreviewLineView.of(one, draft.questions.get(number, ()), draft.answers.known.get(number, ""))


MOST_SHOWN = 200
router = APIRouter(prefix="/gestion/{slug}/reprises/{run_id:uuid}")
_REPORT_FIGURES = {
    ImportLineOutcome.CREATED: N_("Créées"),
    ImportLineOutcome.CHANGED: N_("Corrigées"),
    ImportLineOutcome.SAME: N_("Déjà là"),
    ImportLineOutcome.REFUSED: N_("Refusées"),
}


@dataclass(frozen=True)
class ReportLineView:
    number: int
    text: str
    word: StateLabel
    reason: str

    @staticmethod
    def of(line: ImportLine) -> ReportLineView:
        text = " · ".join(cell for cell in line.cells if cell)
        return ReportLineView(
            line.number, text[:160], DONE[line.fate], reason_of(line.reason, line.reason_values)
        )


def report_page(request: Request, services: Services, report: Report) -> HTMLResponse:
    work, run = at_work(request), report.run
    refused = services.imports.lines(work.campus, run.id, [ImportLineOutcome.REFUSED], limit=MOST_SHOWN)
    changed = services.imports.lines(work.campus, run.id, [ImportLineOutcome.CHANGED], limit=MOST_SHOWN)
    return work.page(
        request,
        "imports/report.html",
        here=f"{work.home}/reprises/{run.id}",
        zone=work.campus.time_zone,
        source=run.source,
        form=translated(FORMS[run.form]),
        digest=run.digest,
        size=run.size,
        asked_at=run.asked_at,
        done_at=run.done_at,
        by=_who(services, report),
        running=run.state is ImportState.RUNNING,
        progress=_progress_of(report),
        total=report.total,
        figures=[
            (translated(words), report.counts.get(fate, 0), "") for fate, words in _REPORT_FIGURES.items()
        ],
        refused_count=report.counts.get(ImportLineOutcome.REFUSED, 0),
        changed_count=report.counts.get(ImportLineOutcome.CHANGED, 0),
        refused=[ReportLineView.of(line) for line in refused],
        changed=[ReportLineView.of(line) for line in changed],
        forgotten=run.forgotten,
    )


def _who(services: Services, report: Report) -> str:
    if report.run.asked_by is None:
        return translated("Un programme")
    people = services.people.people.list_by_id([report.run.asked_by])
    return people[0].name if people else ""


@router.get("/avancement", dependencies=[staff(Permission.WORK)])
def watch(run_id: uuid.UUID, request: Request, services: ReadingServices) -> StreamingResponse:
    """SSE stream of the progress, until it is done."""
    campus = at_work(request).campus
    services.imports.report(campus, run_id)

    def look(services: Services) -> tuple[ProgressView, bool]:
        report = services.imports.report(campus, run_id)
        return _progress_of(report), report.run.state is not ImportState.RUNNING

    return live_response(request, look)


def _progress_of(report: Report) -> ProgressView:
    return ProgressView.of(report.answered, report.total)


@router.get("/compte-rendu.csv", dependencies=[staff(Permission.WORK)])
def report_table(run_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    """The result of each line by its number, without names."""
    lines = services.imports.lines(at_work(request).campus, run_id)
    rows = [
        (str(line.number), translated(DONE[line.fate].text), reason_of(line.reason, line.reason_values))
        for line in lines
    ]
    return table_file("compte-rendu", (_("Ligne"), _("Résultat"), _("Motif")), rows)


@router.get("/refus.csv", dependencies=[staff(Permission.WORK)])
def refused_table(run_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    """The refused lines unchanged, with the reason: once corrected, the file can be uploaded again."""
    work = at_work(request)
    run = services.imports.report(work.campus, run_id).run
    lines = services.imports.lines(work.campus, run_id, [ImportLineOutcome.REFUSED])
    with write_transaction(request) as writing:
        writing.history.note_export(work.campus, "refus", by=work.actor)
    heading = _heading(run.form, run.mapping.get("heading", ()))
    rows = [
        (*_filled(line.cells, len(heading)), reason_of(line.reason, line.reason_values)) for line in lines
    ]
    return table_file("refus", (*heading, REASON_HEADING), rows)


def _heading(form: ImportForm, heading: Sequence[str]) -> Sequence[str]:
    return heading if form is ImportForm.TABLE else tuple(HEADINGS.values())


def _filled(cells: Sequence[str], width: int) -> Sequence[str]:
    return (*cells, *("",) * (width - len(cells)))[:width]
