"""Requests for reviewers: one request, and decisions."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities.files import FileNoun
from app.domain.awards import EligibilityResult, LineOutcome, in_words
from app.domain.learners.requests import RequestState, Step
from app.domain.privacy.consents import AccessRecord
from app.errors import AppError, Conflict, InvalidInput
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.typography import translated
from app.http.pages.words import BADGE_KINDS
from app.http.request_scope import ReadingServices, process_of, write_transaction
from app.http.workplaces import AtWork, at_work, sentence_of, staff
from app.language import N_
from app.services.learners.requests import UnderReview
from app.web.activities.files import files_shown, previewed, saved
from app.web.badges.rules import picture_of
from app.web.learners.requests import MY_STEPS, QUEUE_STATES
from app.web.privacy import access_views

router = APIRouter(prefix="/gestion/{slug}/demandes")
_DONE = {
    "donne": N_("Le badge est attribué. La personne reçoit un e-mail avec son lien."),
    "accord": N_("Votre accord est noté. Une autre personne doit donner le sien."),
    "plus": N_("Votre question est envoyée. La demande revient ici avec la réponse."),
    "refus": N_(
        "Le refus est enregistré. La raison n’est publiée nulle part : la personne la lit, et celles qui examinent ici."
    ),
}


_LACKS_ACTIVITY = (LineOutcome.TOO_FEW_HOURS, LineOutcome.MISSING_EVIDENCE)


@dataclass(frozen=True)
class EntryShown:
    title: str
    href: str
    starts_on: date
    ends_on: date
    hours: float | None
    contribution: str


@dataclass(frozen=True)
class StepShown:
    at: datetime
    words: str
    who: str
    text: str


@router.get("/{request_id:uuid}", dependencies=[staff(Permission.REVIEW)])
def show(request_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    done = translated(_DONE[fait]) if fait in _DONE else ""
    return _page(request, services, at_work(request), request_id, done=done)


@router.post("/{request_id:uuid}/accepter", dependencies=[staff(Permission.REVIEW)])
def accept(request_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    reason, evidence = text_of(form, "raison"), text_of(form, "preuve")
    given = False

    def decide(writing: Services, work: AtWork) -> None:
        nonlocal given
        given = writing.reviewing.agree(work.campus, request_id, reason, evidence, by=work.actor)

    return _decided(
        request,
        services,
        request_id,
        decide,
        "accepter",
        reason,
        evidence,
        lambda: "donne" if given else "accord",
    )


@router.post("/{request_id:uuid}/demander", dependencies=[staff(Permission.REVIEW)])
def ask_more(request_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    what = text_of(form, "raison")

    def decide(writing: Services, work: AtWork) -> None:
        writing.reviewing.ask_more(work.campus, request_id, what, by=work.actor)

    return _decided(request, services, request_id, decide, "demander", what, "", lambda: "plus")


@router.post("/{request_id:uuid}/refuser", dependencies=[staff(Permission.REVIEW)])
def refuse(request_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    reason = text_of(form, "raison")

    def decide(writing: Services, work: AtWork) -> None:
        writing.reviewing.refuse(work.campus, request_id, reason, by=work.actor)

    return _decided(request, services, request_id, decide, "refuser", reason, "", lambda: "refus")


@router.get("/{request_id:uuid}/pieces/{file_id:uuid}", dependencies=[staff(Permission.REVIEW)])
def download(
    request_id: uuid.UUID, file_id: uuid.UUID, request: Request, services: ReadingServices
) -> Response:
    asked = services.reviewing.get(at_work(request).campus, request_id)
    access_views(request, asked.person_id, AccessRecord.FILE)
    return saved(services.files.open(FileNoun.REQUEST, request_id, file_id))


@router.get("/{request_id:uuid}/pieces/{file_id:uuid}/apercu", dependencies=[staff(Permission.REVIEW)])
def preview(
    request_id: uuid.UUID, file_id: uuid.UUID, request: Request, services: ReadingServices
) -> Response:
    services.reviewing.get(at_work(request).campus, request_id)
    return previewed(services.files.preview(FileNoun.REQUEST, request_id, file_id))


def _decided(
    request: Request,
    services: Services,
    request_id: uuid.UUID,
    decide: Callable[[Services, AtWork], None],
    way: str,
    reason: str,
    evidence: str,
    done: Callable[[], str],
) -> Response:
    """Runs the action, or shows the page again with the typed text and the refusal."""
    work = at_work(request)
    try:
        with write_transaction(request) as writing:
            decide(writing, work)
    except (InvalidInput, Conflict) as error:
        return _page(
            request, services, work, request_id, error=error, way=way, reason=reason, evidence=evidence
        )
    process_of(request).on_promise()
    return RedirectResponse(f"{work.home}/demandes/{request_id}?fait={done()}", status_code=303)


def _page(
    request: Request,
    services: Services,
    work: AtWork,
    request_id: uuid.UUID,
    *,
    done: str = "",
    error: AppError | None = None,
    way: str = "",
    reason: str = "",
    evidence: str = "",
) -> HTMLResponse:
    found = services.reviewing.look(work.campus, request_id, by=work.actor)
    asked, at = found.request, services.clock()
    access_views(request, asked.person_id, AccessRecord.REQUEST)
    has_agreed = asked.first_reviewer_id == work.who.person.id
    return work.page(
        request,
        "learners/requests/review.html",
        status=200 if error is None else 422 if isinstance(error, InvalidInput) else 409,
        here=f"{work.home}/demandes/{request_id}",
        zone=work.campus.time_zone,
        person=asked.name,
        address=asked.address,
        badge=found.version.name,
        kind=BADGE_KINDS[found.version.kind],
        criteria=found.version.criteria,
        picture=picture_of(found.badge, found.version),
        state=QUEUE_STATES[asked.state],
        days=(at - asked.waiting_since).days,
        waits=asked.state.waits_for_reviewers,
        narrative=asked.narrative,
        links=asked.links,
        files=files_shown(found.files, f"{work.home}/demandes/{request_id}/pieces"),
        entries=_entries(work, found),
        steps=_steps(found),
        needs_two=found.needed > 1,
        is_second=asked.state is RequestState.SECOND,
        is_own=found.is_own,
        has_agreed=has_agreed,
        may_decide=asked.state.waits_for_reviewers and not found.is_own,
        obstacle=_said(found.obstacle) if found.obstacle else "",
        lacks_activity=found.obstacle is not None and found.obstacle.outcome in _LACKS_ACTIVITY,
        award_href=f"{work.home}/attributions/{asked.award_id}" if asked.award_id else "",
        evidence=evidence or found.evidence,
        reason=reason,
        way=way,
        done=done,
        trouble=sentence_of(error) if error else "",
        field_trouble=sentence_of(error) if isinstance(error, InvalidInput) else "",
    )


def _said(obstacle: EligibilityResult) -> str:
    return translated(obstacle.sentence).format(**in_words(obstacle.values))


def _entries(work: AtWork, found: UnderReview) -> Sequence[EntryShown]:
    return [
        EntryShown(
            activity.title,
            f"{work.home}/activites/{activity.id}",
            activity.starts_on,
            activity.ends_on,
            participation.hours if participation.hours is not None else activity.hours,
            participation.contribution,
        )
        for participation, activity in found.entries
    ]


def _steps(found: UnderReview) -> Sequence[StepShown]:
    return [
        StepShown(
            step.at,
            translated(MY_STEPS[step.step]),
            person.name if person else found.request.name,
            "" if step.step is Step.ASKED else step.text,
        )
        for step, person in found.steps
    ]
