"""A request as the person who made it follows it: confirmed, completed, answered, taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.activities.files import ACCEPTED
from app.domain.learners.requests import RequestState, Step
from app.errors import AppError, Conflict, InvalidInput
from app.http.pages.forms import SafeForm, text_of, texts_of
from app.http.pages.render import page
from app.http.pages.saying import said
from app.http.pages.typography import say
from app.http.policies import public
from app.http.request_scope import AT_ANY_CAMPUS, ReadingServices, deed, limited, process_of
from app.http.workplaces import look_of, sentence_of
from app.language import N_
from app.services.badges.pictures import picture_words
from app.services.learners.requests import MyRequest
from app.web.activities.handed_files import files_shown, handed_in
from app.web.badges.pieces import picture_of
from app.web.learners.requests.words import MY_STATES, MY_STEPS

router = APIRouter(prefix="/demandes/{demande}", dependencies=[AT_ANY_CAMPUS])
_DONE = {
    "demandee": N_("Votre demande est envoyée. Une personne du campus va la regarder."),
    "confirmee": N_("Votre adresse est confirmée, et votre demande envoyée au campus."),
    "completee": N_("C’est ajouté à votre demande."),
    "retiree": N_("Votre demande est retirée."),
}


@dataclass(frozen=True)
class EntryChoice:
    id: str
    title: str
    starts_on: date
    ends_on: date
    hours: float | None
    chosen: bool


@dataclass(frozen=True)
class StepShown:
    at: datetime
    words: str
    text: str


@router.get("")
@public
def show(demande: str, request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    """A page and not yet a deed: programs that follow links in letters confirm nothing."""
    return _page(request, services, demande, done=say(_DONE[fait]) if fait in _DONE else "")


@router.post("/confirmer", dependencies=[limited("request from a network")])
@public
def confirm(demande: str, request: Request, form: SafeForm, services: ReadingServices) -> Response:  # noqa: ARG001 - its check is the point
    try:
        with deed(request) as writing:
            writing.asking.confirm(demande)
    except Conflict as error:
        return _page(request, services, demande, error=error)
    return _back(demande, "confirmee")


@router.post("/completer", dependencies=[limited("request file")])
@public
def complete(demande: str, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    try:
        files = handed_in(request, form, "fichier")
        with deed(request) as writing:
            writing.asking.complete(
                demande,
                text=text_of(form, "mot"),
                links=text_of(form, "liens"),
                entries=texts_of(form, "activite"),
                files=files,
            )
    except (Conflict, InvalidInput) as error:
        return _page(
            request, services, demande, error=error, text=text_of(form, "mot"), links=text_of(form, "liens")
        )
    return _back(demande, "completee")


@router.post("/retirer")
@public
def withdraw(demande: str, request: Request, form: SafeForm, services: ReadingServices) -> Response:  # noqa: ARG001 - its check is the point
    try:
        with deed(request) as writing:
            writing.asking.withdraw(demande)
    except Conflict as error:
        return _page(request, services, demande, error=error)
    return _back(demande, "retiree")


def _back(demande: str, done: str) -> RedirectResponse:
    return RedirectResponse(f"/demandes/{demande}?fait={done}", status_code=303)


def _page(
    request: Request,
    services: Services,
    demande: str,
    *,
    done: str = "",
    error: AppError | None = None,
    text: str = "",
    links: str = "",
) -> HTMLResponse:
    mine = services.asking.mine(demande)
    asked, subject = mine.request, mine.subject
    answer = page(
        request,
        "learners/requests/mine.html",
        campus=look_of(subject.campus),
        private=True,
        status=200 if error is None else 409 if isinstance(error, Conflict) else 422,
        here=f"/demandes/{demande}",
        zone=subject.campus.time_zone,
        title=subject.version.name,
        badge_url=f"/badges/{subject.badge.id}/demande",
        # Until somebody holds the badge, the world is not shown its picture.
        picture=picture_of(subject.badge, subject.version) if subject.version.frozen_at else "",
        picture_words=said(picture_words(subject.campus, subject.version)),
        campus_name=subject.campus.name,
        first_name=asked.given_name or asked.name,
        address=asked.address,
        state=MY_STATES[asked.state],
        unconfirmed=asked.state is RequestState.UNCONFIRMED,
        open=asked.state in (RequestState.WAITING, RequestState.MORE),
        more=asked.state is RequestState.MORE,
        accepted=asked.state is RequestState.ACCEPTED,
        file_types=ACCEPTED,
        over=asked.state.is_over,
        narrative=asked.narrative,
        asked_links=asked.links,
        files=files_shown(mine.files, ""),
        entries=_entries(mine),
        steps=_steps(mine),
        said=_last_words(mine),
        letters_leave=process_of(request).mailer is not None,
        done=done,
        trouble=sentence_of(error) if error else "",
        text=text,
        links=links,
    )
    # As on the learner's pages: some browsers would send our own forms from nowhere.
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


def _entries(mine: MyRequest) -> Sequence[EntryChoice]:
    return [
        EntryChoice(
            str(participation.id),
            activity.title,
            activity.starts_on,
            activity.ends_on,
            participation.hours if participation.hours is not None else activity.hours,
            str(participation.id) in mine.request.entries,
        )
        for participation, activity in mine.participations
    ]


def _steps(mine: MyRequest) -> Sequence[StepShown]:
    """What reviewers say to each other before they have decided is theirs."""
    return [
        StepShown(
            step.at, say(MY_STEPS[step.step]), "" if step.step in (Step.AGREED, Step.ASKED) else step.text
        )
        for step, _ in mine.steps
        if step.step is not Step.AGREED
    ]


def _last_words(mine: MyRequest) -> str:
    for step, _ in reversed(mine.steps):
        if step.step in (Step.ASKED_MORE, Step.REFUSED, Step.ACCEPTED):
            return step.text
    return ""
