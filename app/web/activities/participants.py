"""People of an activity: a list read, shown, then recorded; and one person's part corrected."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.domain.activities.activities import PartKind
from app.domain.activities.participant_lists import hours_in
from app.domain.people.people import Person
from app.errors import InvalidInput
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.pages.wording import hours_text
from app.http.pages.words import PARTS
from app.http.request_scope import WITH_ORGANISERS, ReadingServices, deed
from app.http.workplaces import AtWork, at_work, sentence_of, staff
from app.language import N_
from app.services.activities.activities import RecordedList
from app.services.activities.line_faults import SEVERAL
from app.services.activities.participants import Entry
from app.web.activities.activities import ActivityView, Adding, activity_page
from app.web.activities.list_review import COLUMNS, ReviewView
from app.web.people.people_lists import GivenList, given_list

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


@router.post("", dependencies=[staff(Deed.WORK)])
def read_or_record(
    activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """The list is shown as understood first; then everybody readable is recorded, and the other lines come back."""
    work = at_work(request)
    services.activities.get(work.campus, activity_id)
    given, step = given_list(form), text_of(form, "geste")
    if not given.lines or step == CHANGE:
        empty = (
            "" if given.lines or step == CHANGE else say(N_("La liste est vide : une personne par ligne."))
        )
        back = Adding(text=given.text, trouble=given.trouble or empty)
        status = 422 if back.trouble else 200
        return activity_page(request, services, work, activity_id, back, status=status)
    seen = f"lu {given.told}".strip()
    held_back = step == RECORD and text_of(form, "vu") not in ("", seen)
    if step != RECORD or held_back or given.trouble:
        return _review_page(
            request, services, work, activity_id, given, seen, held_back=held_back, same=step == SAME
        )
    with deed(request) as writing:
        checked = writing.participants.check(work.campus, activity_id, given.lines, given.answers)
        completed = sum(one.entry is Entry.COMPLETED for one in checked)
        recorded = writing.activities.record(
            work.campus, activity_id, given.lines, by=work.actor, answers=given.answers
        )
        if any(fault is SEVERAL for _, fault in recorded.refused):
            # The whole list again and not the lines left: its answers are remembered by what the list says.
            return _review_page(
                request,
                writing,
                work,
                activity_id,
                given,
                seen,
                held_back=False,
                same=False,
                recorded=recorded,
            )
        if recorded.refused:
            told = Adding(
                text=given.only([line.line for line, _ in recorded.refused]),
                faults=[(line.line, line.name, say(fault.sentence)) for line, fault in recorded.refused],
                added=recorded.added,
                known=recorded.known - completed,
                completed=completed,
                answers=True,
            )
            return activity_page(request, writing, work, activity_id, told, status=422)
    counts = f"ajoutees={recorded.added}&connues={recorded.known - completed}"
    counts += f"&completees={completed}" if completed else ""
    return RedirectResponse(f"{work.home}/activites/{activity_id}?{counts}", status_code=303)


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
    recorded: RecordedList | None = None,
) -> HTMLResponse:
    checked = services.participants.check(work.campus, activity_id, given.lines, given.answers)
    return page(
        request,
        "activities/review.html",
        campus=work.look,
        private=True,
        status=422 if given.trouble or recorded else 200,
        home=work.home,
        activity=ActivityView.of(work, services.activities.get(work.campus, activity_id)),
        review=ReviewView.of(given, checked),
        columns=[(column.value, say(words)) for column, words in COLUMNS.items()],
        total=len(given.lines),
        text=given.text,
        seen=seen,
        swapped={int(word) for word in given.told.split() if word.isdecimal()},
        others=given.others,
        trouble=given.trouble,
        held_back=held_back,
        same=same,
        recorded=recorded,
    )


@router.get("/{participation_id}", dependencies=[staff(Deed.WORK)])
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


@router.post("/{participation_id}", dependencies=[staff(Deed.WORK)])
def amend_participation(
    activity_id: uuid.UUID,
    participation_id: uuid.UUID,
    request: Request,
    form: SafeForm,
    services: ReadingServices,
) -> Response:
    work = at_work(request)
    _, person = services.activities.participation(work.campus, activity_id, participation_id)
    typed = Correction(
        text_of(form, "role"),
        text_of(form, "heures"),
        text_of(form, "contribution"),
        text_of(form, "motif"),
        presence=text_of(form, "presence") or _PRESENT,
    )
    hours, fault = hours_in(typed.hours)
    try:
        if fault:
            raise InvalidInput(N_("Le nombre d’heures n’est pas lisible : écrivez 14 ou 14,5."))
        if len(typed.reason) < 3:
            raise InvalidInput(N_("Dites pourquoi vous corrigez : le motif reste au journal."))
        with deed(request) as writing:
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
        place = "heures" if fault or (hours is not None and not 0 <= hours <= 10_000) else "contribution"
        if not fault and len(typed.reason) < 3:
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
    return page(
        request,
        "activities/participation.html",
        campus=work.look,
        private=True,
        status=status,
        home=work.home,
        activity=ActivityView.of(work, services.activities.get(work.campus, activity_id)),
        name=person.name,
        form=typed,
        parts=[(part.value, say(words)) for part, words in PARTS.items()],
        presences=[(_PRESENT, say(N_("Présente"))), (_ABSENT, say(N_("Absente")))],
    )
