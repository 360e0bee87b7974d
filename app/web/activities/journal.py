"""The journal of an activity, kept up to date on the trainer's screen; what people say is wrong is answered there."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.errors import InvalidInput
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.pages.wording import moment
from app.http.request_scope import WITH_ORGANISERS, ReadingServices, deed
from app.http.workplaces import AtWork, at_work, sentence_of, staff
from app.language import N_
from app.services.activities.journal import JournalLine
from app.web.activities.activities import ActivityView
from app.web.activity_log.words import facts_of, kind_of

router = APIRouter(prefix="/gestion/{slug}/activites/{activity_id}/journal", dependencies=[WITH_ORGANISERS])
BETWEEN_LOOKS = 4_000
"""Milliseconds."""


@dataclass(frozen=True)
class LineShown:
    number: int
    when: str
    who: str
    kind: str
    facts: Sequence[tuple[str, str]]
    href: str
    replaced: bool


@dataclass(frozen=True)
class DisputeShown:
    id: uuid.UUID
    line: LineShown
    said: str
    typed: str = ""
    trouble: str = ""


@router.get("", dependencies=[staff(Deed.VIEW)])
def show_journal(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _page(request, services, at_work(request), activity_id)


@router.get("/suivi", dependencies=[staff(Deed.VIEW)])
def follow_journal(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    """One word that changes whenever a line is written, with nobody's name; whoever looks on asks again by itself."""
    version = services.activity_journal.of(at_work(request).campus, activity_id).version
    return Response(
        f"retry: {BETWEEN_LOOKS}\nevent: change\ndata: {version}\n\n",
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store"},
    )


@router.post("/contestations/{dispute_id}", dependencies=[staff(Deed.WORK)])
def answer_dispute(
    activity_id: uuid.UUID,
    dispute_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    form: SafeForm,
) -> Response:
    work, typed = at_work(request), text_of(form, "reponse")
    services.activities.get(work.campus, activity_id)
    try:
        with deed(request) as writing:
            writing.personal_log.answer(work.campus, dispute_id, typed, by=work.actor)
    except InvalidInput as error:
        return _page(
            request, services, work, activity_id, refused=(dispute_id, typed, sentence_of(error)), status=422
        )
    return RedirectResponse(f"{work.home}/activites/{activity_id}/journal", status_code=303)


def _page(
    request: Request,
    services: Services,
    work: AtWork,
    activity_id: uuid.UUID,
    *,
    refused: tuple[uuid.UUID, str, str] | None = None,
    status: int = 200,
) -> HTMLResponse:
    activity = ActivityView.of(work, services.activities.get(work.campus, activity_id))
    journal = services.activity_journal.of(work.campus, activity_id)
    return page(
        request,
        "activities/journal.html",
        campus=work.look,
        private=True,
        status=status,
        home=work.home,
        activity=activity,
        here=f"{activity.href}/journal",
        version=journal.version,
        lines=[_line(line, work, activity) for line in journal.lines],
        total=journal.total,
        disputes=[
            DisputeShown(each.id, _line(line, work, activity), each.said, *_typed(each.id, refused))
            for line, each in journal.open_disputes
        ],
    )


def _typed(dispute_id: uuid.UUID, refused: tuple[uuid.UUID, str, str] | None) -> tuple[str, str]:
    return refused[1:] if refused and refused[0] == dispute_id else ("", "")


def _line(line: JournalLine, work: AtWork, activity: ActivityView) -> LineShown:
    own = {"activity", "activityKind", "startsOn", "endsOn", "place"}
    is_file = line.participation_id is None
    return LineShown(
        line.number,
        moment(line.at, work.campus.time_zone),
        say(N_("Photo ou fichier")) if is_file else line.who,
        kind_of(line.kind, line.facts),
        facts_of({name: value for name, value in line.facts.items() if name not in own}),
        f"{activity.href}/pieces" if is_file else f"{activity.href}/participants/{line.participation_id}",
        line.replaced,
    )
