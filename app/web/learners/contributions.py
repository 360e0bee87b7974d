"""A learner's contributions: written, shown with photos, files and links, completed, withdrawn."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities import PartKind
from app.domain.activities.files import ACCEPTED, FileNoun
from app.domain.imports.lists.vocabulary.hours import hours_fault, hours_in
from app.domain.learners.portfolios import LATE_AFTER, Contribution, ContributionState, ContributionStatement
from app.domain.people import Person
from app.domain.people.consents import AccessRecord
from app.errors import AppError, Conflict, InvalidInput, NotFound
from app.http.pages.forms import SafeForm, ids_in, text_of, texts_of
from app.http.pages.render import page
from app.http.pages.words import PARTS, StateLabel, hours_text
from app.http.request_scope import ReadingServices, limited, sentence_of, status_for, write_transaction
from app.http.response_cache import HOLDER, MORE_THAN_ONE_BADGE, check_speaks_for_person, holder_of
from app.http.workplaces import AtWork, access_views, at_work, look_of, staff, today_in
from app.language import N_, translated
from app.services.accounts.sessions import Holder
from app.services.learners.contributions import ContributionView
from app.web.activities.files import files_shown, handed_in, previewed, saved


@dataclass(frozen=True)
class ContributionForm:
    """Every field as typed."""

    title: str = ""
    telling: str = ""
    part: str = PartKind.LEARNER.value
    done_on: str = ""
    hours: str = ""
    activity: str = ""
    links: str = ""
    words: str = ""

    @staticmethod
    def of(form: FormData) -> ContributionForm:
        return ContributionForm(
            text_of(form, "titre"),
            text_of(form, "recit"),
            text_of(form, "role"),
            text_of(form, "jour"),
            text_of(form, "heures"),
            text_of(form, "activite"),
            text_of(form, "liens"),
            text_of(form, "photo"),
        )

    @staticmethod
    def filled(contribution: Contribution) -> ContributionForm:
        return ContributionForm(
            contribution.title,
            contribution.telling,
            contribution.part.value,
            contribution.done_on.isoformat(),
            hours_text(contribution.hours),
            str(contribution.activity_id or ""),
            "\n".join(contribution.links),
        )

    def statement(self) -> ContributionStatement:
        """Raises InvalidInput for what cannot be parsed."""
        try:
            done_on = date.fromisoformat(self.done_on)
        except ValueError:
            raise InvalidInput("Choisissez le jour où vous avez fait cela.") from None
        part = PartKind.RESOURCE if self.part == PartKind.RESOURCE.value else PartKind.LEARNER
        return ContributionStatement(
            self.title, self.telling, part, done_on, hours_of(self.hours), self.links
        )

    @property
    def activity_id(self) -> uuid.UUID | None:
        try:
            return uuid.UUID(self.activity) if self.activity else None
        except ValueError:
            raise InvalidInput("Choisissez une activité où vous étiez, ou aucune.") from None


def hours_of(typed: str) -> float | None:
    if fault := hours_fault(typed):
        raise InvalidInput(fault)
    return hours_in(typed)[0]


STATES = {
    ContributionState.WAITING: StateLabel("En attente du campus", "past"),
    ContributionState.MORE: StateLabel("À compléter", "past"),
    ContributionState.CONFIRMED: StateLabel("Confirmée, au journal", "ok"),
    ContributionState.DECLINED: StateLabel("Non confirmée", "bad"),
    ContributionState.WITHDRAWN: StateLabel("Retirée", "shut"),
}


router = APIRouter(prefix="/mes-badges/{award_id:uuid}/journal/contributions")
_DONE = {
    "ajoutee": N_(
        "C’est envoyé au campus. Une personne qui forme la confirmera, ou vous demandera d’en dire plus."
    ),
    "completee": N_("C’est enregistré : le campus voit votre contribution telle qu’elle est maintenant."),
}


@dataclass(frozen=True)
class ContributionLine:
    """For the list on the log page."""

    href: str
    title: str
    done_on: date
    state: StateLabel
    more: bool

    @staticmethod
    def of(contribution: Contribution, url: str) -> ContributionLine:
        return ContributionLine(
            f"{url}/contributions/{contribution.id}",
            contribution.title,
            contribution.done_on,
            STATES[contribution.state],
            contribution.state is ContributionState.MORE,
        )


@router.get("/nouvelle", dependencies=[HOLDER])
def write_one(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    record = services.awards.record(award_id)
    today = today_in(services, record.campus).isoformat()
    return _page(request, services, award_id, ContributionForm(done_on=today))


@router.post("/nouvelle", dependencies=[HOLDER, limited("contribution")])
def add_one(award_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm) -> Response:
    typed = ContributionForm.of(form)
    try:
        statement, activity_id = typed.statement(), typed.activity_id
        files = handed_in(request, form, "fichiers", words="photo")
        with write_transaction(request) as writing:
            who = _author(award_id, request, writing)
            campus = writing.awards.record(award_id).campus
            made = writing.contributions.add(
                who.person,
                campus,
                statement,
                activity_id,
                files,
                today=today_in(writing, campus),
                by=who.actor,
            )
    except (InvalidInput, Conflict) as error:
        return _page(request, services, award_id, typed, error=error)
    return _back(award_id, made.id, "ajoutee")


@router.get("/{contribution_id:uuid}", dependencies=[HOLDER])
def show_one(
    award_id: uuid.UUID,
    contribution_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    fait: str = "",
) -> HTMLResponse:
    view = _mine(award_id, contribution_id, request, services)
    done = translated(_DONE[fait]) if fait in _DONE else ""
    return _page(request, services, award_id, ContributionForm.filled(view.contribution), view, done=done)


@router.post("/{contribution_id:uuid}", dependencies=[HOLDER, limited("contribution")])
def complete_one(
    award_id: uuid.UUID,
    contribution_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    form: SafeForm,
) -> Response:
    typed = ContributionForm.of(form)
    view = _mine(award_id, contribution_id, request, services)
    try:
        statement, activity_id = typed.statement(), typed.activity_id
        files = handed_in(request, form, "fichiers", words="photo")
        with write_transaction(request) as writing:
            who = _author(award_id, request, writing)
            campus = writing.awards.record(award_id).campus
            writing.contributions.complete(
                who.person, campus, contribution_id, statement, activity_id, files,
                without=ids_in(texts_of(form, "sans")), today=today_in(writing, campus), by=who.actor,
            )  # fmt: skip
    except (InvalidInput, Conflict) as error:
        return _page(request, services, award_id, typed, view, error=error)
    return _back(award_id, contribution_id, "completee")


@router.post("/{contribution_id:uuid}/retirer", dependencies=[HOLDER])
def withdraw_one(
    award_id: uuid.UUID,
    contribution_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    form: SafeForm,  # noqa: ARG001 - its check is the point
) -> Response:
    view = _mine(award_id, contribution_id, request, services)
    try:
        with write_transaction(request) as writing:
            who = _author(award_id, request, writing)
            campus = writing.awards.record(award_id).campus
            writing.contributions.withdraw(who.person, campus, contribution_id, by=who.actor)
    except Conflict as error:
        return _page(
            request, services, award_id, ContributionForm.filled(view.contribution), view, error=error
        )
    return RedirectResponse(f"/mes-badges/{award_id}/journal#contributions", status_code=303)


@router.get("/{contribution_id:uuid}/pieces/{proof_id:uuid}", dependencies=[HOLDER])
def save_file(
    award_id: uuid.UUID,
    contribution_id: uuid.UUID,
    proof_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
) -> Response:
    _mine(award_id, contribution_id, request, services)
    return saved(services.files.open(FileNoun.CONTRIBUTION, contribution_id, proof_id))


@router.get("/{contribution_id:uuid}/pieces/{proof_id:uuid}/apercu", dependencies=[HOLDER])
def preview_file(
    award_id: uuid.UUID,
    contribution_id: uuid.UUID,
    proof_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
) -> Response:
    _mine(award_id, contribution_id, request, services)
    return previewed(services.files.preview(FileNoun.CONTRIBUTION, contribution_id, proof_id))


def _author(award_id: uuid.UUID, request: Request, services: Services) -> Holder:
    who = holder_of(award_id, request, services)
    check_speaks_for_person(who, services, MORE_THAN_ONE_BADGE)
    return who


def _mine(
    award_id: uuid.UUID, contribution_id: uuid.UUID, request: Request, services: Services
) -> ContributionView:
    """Raises NotFound for another person's contribution."""
    who = _author(award_id, request, services)
    return services.contributions.mine(who.person, services.awards.record(award_id).campus, contribution_id)


def _back(award_id: uuid.UUID, contribution_id: uuid.UUID, done: str) -> RedirectResponse:
    return RedirectResponse(
        f"/mes-badges/{award_id}/journal/contributions/{contribution_id}?fait={done}", status_code=303
    )


def _page(
    request: Request,
    services: Services,
    award_id: uuid.UUID,
    typed: ContributionForm,
    view: ContributionView | None = None,
    *,
    error: AppError | None = None,
    done: str = "",
) -> HTMLResponse:
    person = _author(award_id, request, services).person
    record = services.awards.record(award_id)
    journal = f"/mes-badges/{award_id}/journal"
    here = f"{journal}/contributions/{view.contribution.id if view else 'nouvelle'}"
    contribution = view.contribution if view else None
    answer = page(
        request,
        "learners/contribution.html",
        campus=look_of(record.campus),
        private=True,
        status=status_for(error),
        here=here,
        journal=journal,
        badge_url=f"/mes-badges/{award_id}",
        badge=record.version.name,
        typed=typed,
        activities=[("", translated("Aucune activité du campus"))]
        + [
            (str(each.id), each.title) for each in services.contributions.activities_of(person, record.campus)
        ],
        parts=[(part.value, translated(words)) for part, words in PARTS.items()],
        today=today_in(services, record.campus).isoformat(),
        files=files_shown(view.files, f"{here}/pieces") if view else [],
        file_types=ACCEPTED,
        contribution=contribution,
        activity=view.activity.title if view and view.activity else "",
        part_words=translated(PARTS[contribution.part]) if contribution else "",
        state=STATES[contribution.state] if contribution else None,
        is_open=contribution is None or contribution.state.is_open,
        asked_more=contribution is not None and contribution.state is ContributionState.MORE,
        confirmed=contribution is not None and contribution.state is ContributionState.CONFIRMED,
        trouble=sentence_of(error) if error else "",
        done=done,
    )
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


# --- Contributions for reviewers: the queue with waiting times, one contribution, and decisions

MOST_SHOWN = 100
review_router = APIRouter(prefix="/gestion/{slug}/contributions")
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


@review_router.get("", dependencies=[staff(Permission.WORK)])
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


@review_router.get("/{contribution_id:uuid}", dependencies=[staff(Permission.WORK)])
def show(
    contribution_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    done = translated(_REVIEW_DONE[fait]) if fait in _REVIEW_DONE else ""
    return _review_page(request, services, contribution_id, done=done)


@review_router.post("/{contribution_id:uuid}/confirmer", dependencies=[staff(Permission.WORK)])
def confirm(
    contribution_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    words, badge = text_of(form, "mot"), next(iter(ids_in([text_of(form, "badge")])), None)

    def decide(writing: Services, work: AtWork) -> None:
        writing.contributions.confirm(
            work.campus, contribution_id, words, badge_id=badge, seen=text_of(form, SEEN), by=work.actor
        )

    return _decided(request, services, contribution_id, decide, "confirmer", words, "confirmee")


@review_router.post("/{contribution_id:uuid}/demander", dependencies=[staff(Permission.WORK)])
def ask_more(
    contribution_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    words = text_of(form, "mot")

    def decide(writing: Services, work: AtWork) -> None:
        writing.contributions.ask_more(
            work.campus, contribution_id, words, seen=text_of(form, SEEN), by=work.actor
        )

    return _decided(request, services, contribution_id, decide, "demander", words, "plus")


@review_router.post("/{contribution_id:uuid}/refuser", dependencies=[staff(Permission.WORK)])
def decline(
    contribution_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    words = text_of(form, "mot")

    def decide(writing: Services, work: AtWork) -> None:
        writing.contributions.decline(
            work.campus, contribution_id, words, seen=text_of(form, SEEN), by=work.actor
        )

    return _decided(request, services, contribution_id, decide, "refuser", words, "refusee")


@review_router.post("/{contribution_id:uuid}/corriger", dependencies=[staff(Permission.WORK)])
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


@review_router.post(
    "/{contribution_id:uuid}/contestations/{dispute_id}", dependencies=[staff(Permission.WORK)]
)
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


@review_router.get("/{contribution_id:uuid}/pieces/{proof_id:uuid}", dependencies=[staff(Permission.WORK)])
def save_reviewed_file(
    contribution_id: uuid.UUID, proof_id: uuid.UUID, request: Request, services: ReadingServices
) -> Response:
    view = services.contributions.look(at_work(request).campus, contribution_id)
    access_views(request, view.person.id, AccessRecord.FILE)
    return saved(services.files.open(FileNoun.CONTRIBUTION, contribution_id, proof_id))


@review_router.get(
    "/{contribution_id:uuid}/pieces/{proof_id:uuid}/apercu", dependencies=[staff(Permission.WORK)]
)
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
