"""A learner's contributions: written, shown with photos, files and links, completed, withdrawn."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.activities import PartKind
from app.domain.activities.files import ACCEPTED, FileNoun, TakenFile
from app.domain.imports.lists.vocabulary.hours import hours_fault, hours_in
from app.domain.learners.portfolios import (
    Contribution,
    ContributionState,
    ContributionStatement,
    check_contribution_title,
    check_done_on,
    check_hours,
    check_telling,
)
from app.domain.learners.requests import read_links
from app.errors import AppError, Conflict, InvalidInput, faults_of_fields
from app.http.pages.forms import SafeForm, ids_in, text_of, texts_of
from app.http.pages.render import page
from app.http.pages.words import PARTS, StateLabel, hours_text
from app.http.request_scope import ReadingServices, limited, sentence_of, status_for, write_transaction
from app.http.response_cache import HOLDER, MORE_THAN_ONE_BADGE, check_speaks_for_person, holder_of
from app.http.workplaces import look_of, today_in
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
        part = PartKind.RESOURCE if self.part == PartKind.RESOURCE.value else PartKind.LEARNER
        return ContributionStatement(
            self.title, self.telling, part, self.day, hours_of(self.hours), self.links
        )

    def faults(self, *, today: date) -> dict[str, AppError]:
        """By field."""
        return faults_of_fields(
            {
                "titre": lambda: check_contribution_title(self.title),
                "recit": lambda: check_telling(self.telling),
                "activite": lambda: self.activity_id,
                "jour": lambda: check_done_on(self.day, today=today),
                "heures": lambda: check_hours(hours_of(self.hours)),
                "liens": lambda: read_links(self.links),
            }
        )

    @property
    def day(self) -> date:
        try:
            return date.fromisoformat(self.done_on)
        except ValueError:
            raise InvalidInput("Choisissez le jour où vous avez fait cela.") from None

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
    faults, files = _faults_and_files(request, services, award_id, form, typed)
    if faults:
        return _page(request, services, award_id, typed, faults=faults)
    try:
        statement, activity_id = typed.statement(), typed.activity_id
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
    faults, files = _faults_and_files(request, services, award_id, form, typed)
    if faults:
        return _page(request, services, award_id, typed, view, faults=faults)
    try:
        statement, activity_id = typed.statement(), typed.activity_id
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


def _faults_and_files(
    request: Request, services: Services, award_id: uuid.UUID, form: FormData, typed: ContributionForm
) -> tuple[dict[str, AppError], list[TakenFile]]:
    faults = typed.faults(today=today_in(services, services.awards.record(award_id).campus))
    try:
        return faults, handed_in(request, form, "fichiers", words="photo")
    except InvalidInput as error:
        return {**faults, "fichiers": error}, []


def _page(
    request: Request,
    services: Services,
    award_id: uuid.UUID,
    typed: ContributionForm,
    view: ContributionView | None = None,
    *,
    error: AppError | None = None,
    faults: Mapping[str, AppError] | None = None,
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
        status=status_for(error, faults),
        errors={name: sentence_of(fault) for name, fault in (faults or {}).items()},
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
