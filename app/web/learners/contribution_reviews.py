"""A campus's contributions to confirm: the queue with waiting times, one contribution, and decisions."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities.files import FileNoun
from app.domain.learners.portfolios import (
    LATE_AFTER,
    Contribution,
    ContributionState,
)
from app.domain.people import Person
from app.domain.people.consents import AccessRecord
from app.errors import AppError, Conflict, InvalidInput, NotFound
from app.http.pages.forms import SafeForm, ids_in, text_of
from app.http.pages.words import PARTS, StateLabel, hours_text
from app.http.request_scope import ReadingServices, sentence_of, status_for, write_transaction
from app.http.workplaces import AtWork, access_views, at_work, staff
from app.language import N_, translated
from app.web.activities.files import files_shown, previewed, saved
from app.web.learners.contributions import STATES, hours_of

MOST_SHOWN = 100
router = APIRouter(prefix="/gestion/{slug}/contributions")
SEEN = "vu"
"""Form field: `ContributionView.seen`."""
_REVIEW_DONE = {
    "confirmee": N_("La contribution est confirmée, et inscrite au journal du campus avec ses pièces."),
    "plus": N_("Votre question est posée. La contribution revient ici avec la réponse."),
    "refusee": N_("C’est noté. La personne lit votre raison ; elle n’est publiée nulle part."),
    "repondu": N_("C’est répondu : la personne le lit dans son journal."),
    "corrigee": N_("La correction est une ligne de plus au journal ; c’est elle qui compte désormais."),
}


class ReviewedContribution(StrEnum):
    WAITING = "attente"
    ASKED_MORE = "completer"
    OVER = "decidees"


_SHOWN = {
    ReviewedContribution.WAITING: (ContributionState.WAITING,),
    ReviewedContribution.ASKED_MORE: (ContributionState.MORE,),
    ReviewedContribution.OVER: (ContributionState.CONFIRMED, ContributionState.DECLINED),
}
_TABS = {
    ReviewedContribution.WAITING: N_("À confirmer"),
    ReviewedContribution.ASKED_MORE: N_("En attente de la personne"),
    ReviewedContribution.OVER: N_("Décidées"),
}


@dataclass(frozen=True)
class QueueRow:
    href: str
    person: str
    title: str
    activity: str
    state: StateLabel
    since: datetime
    days: int
    is_late: bool


@router.get("", dependencies=[staff(Permission.WORK)])
def queue(
    request: Request, services: ReadingServices, etat: ReviewedContribution = ReviewedContribution.WAITING
) -> HTMLResponse:
    work, now = at_work(request), services.clock()
    found = services.contributions.queue(
        work.campus, _SHOWN[etat], limit=MOST_SHOWN, oldest_first=etat is not ReviewedContribution.OVER
    )

    def row(one: Contribution, person: Person, activity: str) -> QueueRow:
        waited = now - one.waiting_since
        return QueueRow(
            f"{work.home}/contributions/{one.id}", person.name, one.title, activity, STATES[one.state],
            one.decided_at or one.waiting_since, waited.days, waited >= LATE_AFTER,
        )  # fmt: skip

    disputed = (
        services.contributions.disputed(work.campus, limit=MOST_SHOWN)
        if etat is ReviewedContribution.WAITING
        else []
    )
    return work.page(
        request,
        "learners/contributions/queue.html",
        zone=work.campus.time_zone,
        tabs=[(f"?etat={each.value}", translated(words), each is etat) for each, words in _TABS.items()],
        is_over=etat is ReviewedContribution.OVER,
        is_waiting=etat is ReviewedContribution.WAITING,
        disputed=[
            (f"{work.home}/contributions/{view.contribution.id}", view.person.name, view.contribution.title)
            for view in disputed
        ],
        lines=[row(one, person, activity.title if activity else "") for one, person, activity in found],
    )


@router.get("/{contribution_id:uuid}", dependencies=[staff(Permission.WORK)])
def show(
    contribution_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    done = translated(_REVIEW_DONE[fait]) if fait in _REVIEW_DONE else ""
    return _review_page(request, services, contribution_id, done=done)


@router.post("/{contribution_id:uuid}/confirmer", dependencies=[staff(Permission.WORK)])
def confirm(
    contribution_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    words, badge = text_of(form, "mot"), next(iter(ids_in([text_of(form, "badge")])), None)

    def decide(writing: Services, work: AtWork) -> None:
        writing.contributions.confirm(
            work.campus, contribution_id, words, badge_id=badge, seen=text_of(form, SEEN), by=work.actor
        )

    return _decided(request, services, contribution_id, decide, "confirmer", words, "confirmee")


@router.post("/{contribution_id:uuid}/demander", dependencies=[staff(Permission.WORK)])
def ask_more(
    contribution_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    words = text_of(form, "mot")

    def decide(writing: Services, work: AtWork) -> None:
        writing.contributions.ask_more(
            work.campus, contribution_id, words, seen=text_of(form, SEEN), by=work.actor
        )

    return _decided(request, services, contribution_id, decide, "demander", words, "plus")


@router.post("/{contribution_id:uuid}/refuser", dependencies=[staff(Permission.WORK)])
def decline(
    contribution_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    words = text_of(form, "mot")

    def decide(writing: Services, work: AtWork) -> None:
        writing.contributions.decline(
            work.campus, contribution_id, words, seen=text_of(form, SEEN), by=work.actor
        )

    return _decided(request, services, contribution_id, decide, "refuser", words, "refusee")


@router.post("/{contribution_id:uuid}/corriger", dependencies=[staff(Permission.WORK)])
def correct(
    contribution_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    words, telling, hours = text_of(form, "mot"), text_of(form, "recit"), text_of(form, "heures")

    def decide(writing: Services, work: AtWork) -> None:
        writing.contributions.correct(
            work.campus,
            contribution_id,
            telling=telling,
            hours=hours_of(hours),
            reason=words,
            seen=text_of(form, SEEN),
            by=work.actor,
        )

    return _decided(
        request, services, contribution_id, decide, "corriger", words, "corrigee", (telling, hours)
    )


@router.post("/{contribution_id:uuid}/contestations/{dispute_id}", dependencies=[staff(Permission.WORK)])
def answer_dispute(
    contribution_id: uuid.UUID,
    dispute_id: uuid.UUID,
    request: Request,
    form: SafeForm,
    services: ReadingServices,
) -> Response:
    words = text_of(form, "mot")
    view = services.contributions.look(at_work(request).campus, contribution_id)
    if dispute_id not in {each.id for each in view.disputes}:
        raise NotFound("Cette demande n’existe pas ici.")

    def decide(writing: Services, work: AtWork) -> None:
        writing.log_disputes.answer(work.campus, dispute_id, words, by=work.actor)

    return _decided(request, services, contribution_id, decide, f"{dispute_id}", words, "repondu")


@router.get("/{contribution_id:uuid}/pieces/{proof_id:uuid}", dependencies=[staff(Permission.WORK)])
def save_reviewed_file(
    contribution_id: uuid.UUID, proof_id: uuid.UUID, request: Request, services: ReadingServices
) -> Response:
    view = services.contributions.look(at_work(request).campus, contribution_id)
    access_views(request, view.person.id, AccessRecord.FILE)
    return saved(services.files.open(FileNoun.CONTRIBUTION, contribution_id, proof_id))


@router.get("/{contribution_id:uuid}/pieces/{proof_id:uuid}/apercu", dependencies=[staff(Permission.WORK)])
def preview_reviewed_file(
    contribution_id: uuid.UUID, proof_id: uuid.UUID, request: Request, services: ReadingServices
) -> Response:
    services.contributions.look(at_work(request).campus, contribution_id)
    return previewed(services.files.preview(FileNoun.CONTRIBUTION, contribution_id, proof_id))


def _decided(
    request: Request,
    services: Services,
    contribution_id: uuid.UUID,
    decide: Callable[[Services, AtWork], None],
    way: str,
    words: str,
    done: str,
    corrected: tuple[str, str] | None = None,
) -> Response:
    """Runs the action, or shows the page again with the typed text and the refusal."""
    work = at_work(request)
    try:
        with write_transaction(request) as writing:
            decide(writing, work)
    except (InvalidInput, Conflict) as error:
        return _review_page(
            request, services, contribution_id, error=error, way=way, words=words, corrected=corrected
        )
    return RedirectResponse(f"{work.home}/contributions/{contribution_id}?fait={done}", status_code=303)


def _review_page(
    request: Request,
    services: Services,
    contribution_id: uuid.UUID,
    *,
    done: str = "",
    error: AppError | None = None,
    way: str = "",
    words: str = "",
    corrected: tuple[str, str] | None = None,
) -> HTMLResponse:
    work = at_work(request)
    view = services.contributions.look(work.campus, contribution_id)
    access_views(request, view.person.id, AccessRecord.CONTRIBUTION)
    one = view.contribution
    here = f"{work.home}/contributions/{one.id}"
    telling, hours = corrected or (one.telling, hours_text(one.hours))
    badges = services.contributions.badges_of(work.campus)
    return work.page(
        request,
        "learners/contributions/review.html",
        status=status_for(error),
        here=here,
        zone=work.campus.time_zone,
        person=view.person.name,
        one=one,
        part=translated(PARTS[one.part]),
        state=STATES[one.state],
        days=(services.clock() - one.waiting_since).days,
        waits=one.state is ContributionState.WAITING,
        is_open=one.state.is_open,
        confirmed=one.state is ContributionState.CONFIRMED,
        is_own=one.person_id == work.who.person.id,
        activity=view.activity.title if view.activity else "",
        activity_href=f"{work.home}/activites/{view.activity.id}" if view.activity else "",
        files=files_shown(view.files, f"{here}/pieces"),
        disputes=[(str(each.id), each.said) for each in view.disputes],
        badges=[("", translated("Aucun en particulier"))]
        + [(str(badge.id), each.name) for badge, each in badges],
        badge=next((each.name for badge, each in badges if badge.id == one.badge_id), ""),
        seen=view.seen,
        way=way,
        words=words,
        telling=telling,
        hours=hours,
        done=done,
        trouble=sentence_of(error) if error else "",
        field_trouble=sentence_of(error) if isinstance(error, InvalidInput) else "",
    )
