"""Participants of an activity: a list is parsed, previewed and recorded; corrections; table and attendance sheet."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities import PartKind, longest_participation
from app.domain.core import plain_text
from app.domain.imports.lists.vocabulary.hours import hours_fault, hours_in
from app.domain.people import Person
from app.domain.people.consents import Question
from app.errors import InvalidInput
from app.http.pages.forms import (
    DRAFT_NOTE,
    Count,
    SafeForm,
    bytes_of,
    draft_form,
    hours_typed,
    ids_in,
    is_in_doubt,
    save_draft,
    text_of,
    texts_of,
)
from app.http.pages.registers import Cell, table_file
from app.http.pages.words import PARTS, StateLabel, days, hours_text, number
from app.http.request_scope import (
    WITH_ORGANISERS,
    ReadingServices,
    sentence_of,
    status_for,
    write_transaction,
)
from app.http.workplaces import AtWork, at_work, staff
from app.language import gettext as _
from app.language import time_of_day, translated
from app.services.activities.line_faults import SEVERAL
from app.services.activities.participants import CheckedLine, Entry
from app.services.campus.dashboard import Start
from app.web.activities import ActivityView, Adding, activity_page
from app.web.campus.audit_log import export_noted
from app.web.imports.list_table import STEP, changed_row, left_as_text
from app.web.people.directory import GivenList, given_list, keep_mapping, list_setting, settling_page
from app.web.people.record_merge import QuestionView

SHOWN_REFUSED, SHOWN_GOOD, SHOWN_KNOWN = 200, 60, 1_000
ENTRIES = {
    Entry.NEW: StateLabel("Prête", "ok"),
    Entry.THERE: StateLabel("Déjà inscrite", "shut"),
    Entry.COMPLETED: StateLabel("Déjà inscrite, à compléter", "ok"),
    Entry.REPEATED: StateLabel("Déjà plus haut", "shut"),
    Entry.REFUSED: StateLabel("À corriger", "past"),
    Entry.UNCLEAR: StateLabel("À préciser", "past"),
}


@dataclass(frozen=True)
class LineView:
    number: int
    given_name: str
    family_name: str
    address: str
    more: str
    word: StateLabel
    reason: str
    may_differ: bool
    """Whether it may be another person with the same name, for a line without an address."""


@dataclass(frozen=True)
class ReviewView:
    refused: Sequence[LineView]
    good: Sequence[LineView]
    figures: Sequence[tuple[str, int, str]]
    ready: int
    refused_count: int
    good_count: int
    questions: Sequence[QuestionView]
    """Questions about names that several people have."""
    offers: Sequence[QuestionView]
    """Questions about names of one known person: unless confirmed as the same, a new person is recorded."""
    unclear_count: int
    asked_count: int

    @staticmethod
    def of(checked: Sequence[CheckedLine]) -> ReviewView:
        counts = {entry: sum(one.entry is entry for one in checked) for entry in Entry}
        refused = [_line(one) for one in checked if one.entry is Entry.REFUSED]
        good = [_line(one) for one in checked if one.entry not in (Entry.REFUSED, Entry.UNCLEAR)]
        asked = [(one, one.question) for one in checked if one.question]
        offers = [QuestionView.of(*_asked(one), it) for one, it in asked if is_offer(it)]
        questions = [QuestionView.of(*_asked(one), it) for one, it in asked if not is_offer(it)]
        return ReviewView(
            refused[:SHOWN_REFUSED],
            good[:SHOWN_GOOD],
            [
                (translated("Prêtes"), counts[Entry.NEW], ""),
                (translated("Déjà inscrites"), counts[Entry.THERE] + counts[Entry.COMPLETED], ""),
                (translated("Répétées"), counts[Entry.REPEATED], ""),
                *([(translated("À préciser"), counts[Entry.UNCLEAR], "")] if counts[Entry.UNCLEAR] else []),
                (translated("À corriger"), counts[Entry.REFUSED], ""),
            ],
            counts[Entry.NEW],
            len(refused),
            len(good),
            questions[:SHOWN_REFUSED],
            offers[:SHOWN_KNOWN],
            counts[Entry.UNCLEAR],
            len(questions),
        )


def is_offer(question: Question) -> bool:
    return not question.must_be_answered and len(question.namesakes) == 1


def _asked(one: CheckedLine) -> tuple[int, str]:
    return one.line.line, one.line.name


def _line(one: CheckedLine) -> LineView:
    line = one.line
    more = [
        translated("{hours} h").format(hours=number(line.hours)) if line.hours is not None else "",
        translated(PARTS[line.part]) if line.part.value == "ressource" else "",
        line.contribution[:80],
    ]
    return LineView(
        line.line,
        line.given_name,
        line.family_name + line.number,
        line.address,
        ", ".join(word for word in more if word),
        ENTRIES[one.entry],
        translated(one.sentence) if one.sentence else "",
        not line.address
        and (line.homonym > 1 or one.entry in (Entry.THERE, Entry.COMPLETED, Entry.REPEATED)),
    )


RECORD, CHANGE, SAME = "inscrire", "changer", "memes"
_PRESENT, _ABSENT = "oui", "non"
router = APIRouter(
    prefix="/gestion/{slug}/activites/{activity_id}/participants", dependencies=[WITH_ORGANISERS]
)


@dataclass(frozen=True)
class Correction:
    """The form that corrects one participation."""

    part: str
    hours: str
    contribution: str
    reason: str = ""
    presence: str = _PRESENT
    errors: dict[str, str] = field(default_factory=dict)


def _here(work: AtWork, activity_id: uuid.UUID) -> str:
    return f"{work.home}/activites/{activity_id}/participants"


@router.get("/liste/{draft_id:uuid}", dependencies=[staff(Permission.WORK)])
def show_list(
    activity_id: uuid.UUID,
    draft_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    ajoutees: Count = -1,
    connues: Count = 0,
    completees: Count = 0,
) -> HTMLResponse:
    """The list as it was read, to settle or to record; or the form again with what is wrong. With counts: what
    is left of a list that was recorded."""
    work = at_work(request)
    here = _here(work, activity_id)
    found = services.activities.get(work.campus, activity_id)
    activity = ActivityView.of(work, found)
    form = draft_form(request, services, draft_id, f"{here}/liste")
    if note := text_of(form, DRAFT_NOTE):
        faults = [(line, name, translated(sentence)) for line, name, sentence in json.loads(note)]
        rest = Adding(text_of(form, "liste"), "", faults, max(ajoutees, 0), connues, completees, answers=True)
        return activity_page(request, services, work, activity_id, rest)
    given, step = given_list(form, list_setting(services, work, found)), text_of(form, "geste")
    if table := settling_page(request, work, form, given, (activity.title, activity.href), action=here):
        return table
    changing = CHANGE in (step, text_of(form, STEP))
    if not given.lines or changing:
        empty = "" if given.lines or changing else translated("La liste est vide : une personne par ligne.")
        field = "fichier" if bytes_of(form, "fichier") else "liste"
        back = Adding(text=given.source, trouble=given.trouble or empty, field=field)
        return activity_page(request, services, work, activity_id, back, status=status_for(back.trouble))
    seen = f"lu {given.marked_others}".strip()
    held_back = step == RECORD and text_of(form, "vu") not in ("", seen)
    return _review_page(
        request,
        services,
        work,
        activity_id,
        given,
        seen,
        held_back=held_back,
        same=step == SAME,
        added=ajoutees,
    )


@router.post("", dependencies=[staff(Permission.WORK)])
def read_or_record(
    activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """Leads to the parsed list; once that was seen, records every readable line and returns the others."""
    work = at_work(request)
    setting = list_setting(services, work, services.activities.get(work.campus, activity_id))
    keep_mapping(request, work, form, setting)
    given, step = given_list(form, setting), text_of(form, "geste")
    seen = f"lu {given.marked_others}".strip()
    is_settled = bool(given.lines) and given.to_settle is None and not given.trouble
    if (
        not is_settled
        or step != RECORD
        or text_of(form, STEP) == CHANGE
        or text_of(form, "vu") not in ("", seen)
    ):
        return save_draft(request, form, f"{_here(work, activity_id)}/liste", at=changed_row(form))
    with write_transaction(request) as writing:
        checked = writing.participants.check(work.campus, activity_id, given.lines, given.answers)
        completed = sum(one.entry is Entry.COMPLETED for one in checked)
        recorded = writing.activities.record(
            work.campus, activity_id, given.lines, by=work.actor, answers=given.answers
        )
    counts = f"ajoutees={recorded.added}&connues={recorded.known - completed}"
    counts += f"&completees={completed}" if completed else ""
    if not recorded.refused:
        return RedirectResponse(f"{work.home}/activites/{activity_id}?{counts}", status_code=303)
    note = ""
    if any(fault is SEVERAL for _, fault in recorded.refused):
        # The whole list, not only the remaining lines: answers are matched by the content of the list.
        left = [(name, value) for name, value in form.multi_items() if name != "geste"]
    else:
        faults = [(line.line, line.name, fault.sentence) for line, fault in recorded.refused]
        text = given.only([number for number, _, _ in faults])
        left, note = [("liste", text)], json.dumps(faults)
    shown = save_draft(request, FormData(left), f"{_here(work, activity_id)}/liste", note=note)
    return RedirectResponse(f"{shown.headers['location']}?{counts}", status_code=303)


def _review_page(
    request: Request,
    services: Services,
    work: AtWork,
    activity_id: uuid.UUID,
    given: GivenList,
    seen: str,
    *,
    held_back: bool,
    same: bool,
    added: int,
) -> HTMLResponse:
    checked = services.participants.check(work.campus, activity_id, given.lines, given.answers)
    return work.page(
        request,
        "activities/review.html",
        activity=ActivityView.of(work, services.activities.get(work.campus, activity_id)),
        review=ReviewView.of(checked),
        total=len(given.lines),
        carried=given.carried,
        rereading=given.rereading,
        source=given.source,
        left=given.left,
        left_text=left_as_text(given.left),
        seen=seen,
        others=given.others,
        trouble=given.trouble,
        held_back=held_back,
        same=same,
        added=added,
    )


@router.get("/{participation_id}", dependencies=[staff(Permission.WORK)])
def show_participation(
    activity_id: uuid.UUID,
    participation_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
) -> HTMLResponse:
    work = at_work(request)
    participation, person = services.activities.participation(work.campus, activity_id, participation_id)
    noted = Correction(
        participation.part.value,
        hours_text(participation.hours),
        participation.contribution,
        presence=_PRESENT if participation.is_present else _ABSENT,
    )
    return _correction_page(request, services, work, activity_id, person, noted)


@router.post("/{participation_id}", dependencies=[staff(Permission.WORK)])
def amend_participation(
    activity_id: uuid.UUID,
    participation_id: uuid.UUID,
    request: Request,
    form: SafeForm,
    services: ReadingServices,
) -> Response:
    work = at_work(request)
    participation, person = services.activities.participation(work.campus, activity_id, participation_id)
    activity = services.activities.get(work.campus, activity_id)
    most = longest_participation(activity)
    typed = Correction(
        text_of(form, "role"),
        hours_typed(request, form, most, present=hours_text(participation.hours)),
        text_of(form, "contribution"),
        text_of(form, "motif"),
        presence=text_of(form, "presence") or _PRESENT,
    )
    hours, readable = hours_in(typed.hours)
    if is_in_doubt(request):
        return _correction_page(request, services, work, activity_id, person, typed)
    try:
        if not readable:
            raise InvalidInput(hours_fault(typed.hours))
        if len(typed.reason) < 3:
            raise InvalidInput("Dites pourquoi vous corrigez : le motif reste au journal.")
        with write_transaction(request) as writing:
            writing.activities.amend(
                work.campus,
                activity_id,
                participation_id,
                part=PartKind.RESOURCE if typed.part == PartKind.RESOURCE.value else PartKind.LEARNER,
                hours=hours,
                contribution=typed.contribution,
                by=work.actor,
                reason=typed.reason,
                present=typed.presence != _ABSENT,
            )
    except InvalidInput as error:
        place = (
            "heures" if not readable or (hours is not None and not 0 <= hours <= 10_000) else "contribution"
        )
        if readable and len(typed.reason) < 3:
            place = "motif"
        typed.errors[place] = sentence_of(error)
        return _correction_page(request, services, work, activity_id, person, typed, status=422)
    return RedirectResponse(f"{work.home}/activites/{activity_id}#personne-{participation_id}", 303)


def _correction_page(
    request: Request,
    services: Services,
    work: AtWork,
    activity_id: uuid.UUID,
    person: Person,
    typed: Correction,
    *,
    status: int = 200,
) -> HTMLResponse:
    return work.page(
        request,
        "activities/participation.html",
        status=status,
        activity=ActivityView.of(work, services.activities.get(work.campus, activity_id)),
        name=person.name,
        form=typed,
        parts=[(part.value, translated(words)) for part, words in PARTS.items()],
        presences=[(_PRESENT, translated("Était là")), (_ABSENT, translated("N’était pas là"))],
    )


AT_ONCE = 60
ADD = "ajouter"
known_people_router = APIRouter(
    prefix="/gestion/{slug}/activites/{activity_id}/connues", dependencies=[WITH_ORGANISERS]
)


@dataclass(frozen=True)
class KnownPerson:
    id: uuid.UUID
    name: str
    address: str


@known_people_router.get("", dependencies=[staff(Permission.WORK)])
def show_known(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _page(request, services, at_work(request), activity_id)


@known_people_router.post("", dependencies=[staff(Permission.WORK)])
def find_or_add(
    activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """POST, not GET: names in URLs would appear in access logs."""
    work, picked = at_work(request), ids_in(texts_of(form, "personne"))
    if text_of(form, "geste") != ADD or not picked:
        return _page(request, services, work, activity_id, text_of(form, "mots"), text_of(form, "source"))
    with write_transaction(request) as writing:
        added = writing.participants.add_known(work.campus, activity_id, picked, by=work.actor)
    counts = f"ajoutees={added}&connues={len(set(picked)) - added}"
    return RedirectResponse(f"{work.home}/activites/{activity_id}?{counts}", status_code=303)


def _page(
    request: Request,
    services: Services,
    work: AtWork,
    activity_id: uuid.UUID,
    words: str = "",
    source: str = "",
) -> HTMLResponse:
    activity = services.activities.get(work.campus, activity_id)
    found, more = _found(services, work, words, source)
    there = {person.id for _, person in services.activities.page(work.campus, activity_id).participants}
    addresses = services.directory.addresses_of(work.campus, found)
    return work.page(
        request,
        "activities/known.html",
        activity=ActivityView.of(work, activity),
        sources=[
            (str(one.id), f"{one.title}, {one.starts_on:%d/%m/%Y}")
            for one, people in services.activities.list_in(work.campus)
            if people and one.id != activity_id
        ],
        words=words,
        source=source,
        people=[
            KnownPerson(person.id, person.name, addresses.get(person.id, ""))
            for person in found
            if person.id not in there
        ],
        more=more,
        asked=bool(words or source),
    )


def _found(services: Services, work: AtWork, words: str, source: str) -> tuple[Sequence[Person], bool]:
    """Participants of an earlier activity, all or the first matches by name; and whether there are more."""
    if chosen := ids_in([source]):
        return [person for _, person in services.activities.page(work.campus, chosen[0]).participants], False
    if not words:
        return [], False
    found = services.directory.find_people(work.campus, words, Start(limit=AT_ONCE))
    return found[:AT_ONCE], len(found) > AT_ONCE


_LONGEST_NAME = 60
attendance_router = APIRouter(
    prefix="/gestion/{slug}/activites/{activity_id}", dependencies=[WITH_ORGANISERS]
)


@attendance_router.get("/participants.csv", dependencies=[staff(Permission.WORK)])
@attendance_router.get("/participants.xlsx", dependencies=[staff(Permission.WORK)])
def participants_table(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    """Its first columns are those of a list, which can be read again."""
    work = at_work(request)
    activity = services.activities.get(work.campus, activity_id)
    export_noted(request, "participants")
    heading = (
        "Nom", "Prénom", "E-mail", "Heures", "Rôle", "Contribution", _("Présence"), _("Badges de cette activité"),
    )  # fmt: skip

    def rows(services: Services) -> Iterator[Sequence[Cell]]:
        for row in services.attendance_sheets.rows(work.campus, activity_id):
            part = row.participation
            yield (
                row.person.family_name,
                row.person.given_name,
                row.address,
                part.hours,
                translated(PARTS[part.part]),
                part.contribution,
                translated("Présent") if part.is_present else translated("Absent"),
                ", ".join(row.badges),
            )

    return table_file(request, f"participants-{_file_name(activity.title)}", heading, rows)


@attendance_router.get("/emargement.pdf", dependencies=[staff(Permission.WORK)])
def attendance_sheet(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    work = at_work(request)
    sheet = services.attendance_sheets.prepare(work.campus, activity_id, days=days, hour=time_of_day)
    return Response(
        services.attendance_sheets.printed(sheet),
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="emargement-{_file_name(sheet.activity.title)}.pdf"',
            "Cache-Control": "no-store",
        },
    )


def _file_name(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", plain_text(title)).strip("-")[:_LONGEST_NAME] or "activite"
