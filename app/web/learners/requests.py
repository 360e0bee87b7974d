"""Request a badge from its public page; known people need no e-mail confirmation."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from types import MappingProxyType

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities.files import ACCEPTED, FileNoun, TakenFile
from app.domain.awards import EligibilityResult, LineOutcome, in_words
from app.domain.learners.requests import (
    RequestState,
    Step,
    reviewers_needed,
)
from app.domain.people import mailbox_key
from app.domain.people.consents import AccessRecord
from app.errors import AppError, Conflict, InvalidInput, faults_of_fields
from app.http.pages.forms import (
    CHECKED_FORM,
    SafeForm,
    address_in,
    faults_of_name,
    is_in_doubt,
    name_in,
    text_of,
    texts_of,
)
from app.http.pages.render import page
from app.http.pages.words import BADGE_KINDS, StateLabel, sentence_text
from app.http.request_scope import (
    CROSS_TENANT,
    ReadingServices,
    limited,
    process_of,
    public,
    sentence_of,
    status_for,
    write_transaction,
)
from app.http.response_cache import people_here
from app.http.workplaces import AtWork, access_views, at_work, look_of, staff
from app.language import N_, translated
from app.services.badges import picture_words
from app.services.learners.requests import KnownRequest, MyRequest, RequestOutcome, Subject
from app.services.learners.reviews import UnderReview
from app.web.activities.files import files_shown, handed_in, previewed, saved
from app.web.badges.badges_admin import competency_words
from app.web.badges.rules import picture_of

router = APIRouter(dependencies=[CROSS_TENANT])
_NOTHING = RequestOutcome("", "", "", "")
_FIELDS = {
    "address": "adresse",
    "narrative": "recit",
    "text": "mot",
    "links": "liens",
    "files": "fichier",
}


@router.get("/badges/{badge_id:uuid}/demande")
@public
def show(badge_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _page(request, services, badge_id, _NOTHING)


@router.post("/badges/{badge_id:uuid}/demande", dependencies=[limited("request from a network")])
@public
def ask(badge_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """Same answer for every address, known or not, unless this browser proves that it is the user's."""
    known = _known(request, services)
    given, family = ("", "") if known else name_in(request, form, is_own=True, respells=True)
    asked = RequestOutcome(
        given_name=given,
        family_name=family,
        address=address_in(request, form, present=known.address if known else ""),
        narrative=text_of(form, "recit"),
        links=text_of(form, "liens"),
    )
    if is_in_doubt(request):
        return _page(request, services, badge_id, asked)
    takes, files = bool(known and known.address), list[TakenFile]()
    unread = faults_of_fields(
        {"files": lambda: files.extend(handed_in(request, form, "fichier") if takes else [])}
    )
    errors = {} if known else faults_of_name(given, family, is_own=True)
    errors |= _by_field(services.asking.faults_of(asked, known=known, files=files) | unread)
    if errors:
        typed = replace(asked, given_name=text_of(form, "prenom"), family_name=text_of(form, "nom"))
        return _page(request, services, badge_id, typed, errors=errors)
    process_of(request).limiter.hit("request to an address", mailbox_key(asked.address))
    try:
        with write_transaction(request) as writing:
            made = writing.asking.ask(badge_id, asked, known=known, files=files)
            token = writing.asking.token_of(made)
            is_confirmed = made.state is not RequestState.UNCONFIRMED
    except Conflict as error:
        return _page(request, services, badge_id, asked, error=error)
    process_of(request).on_enqueue()
    if is_confirmed:
        return RedirectResponse(f"/demandes/{token}?fait=demandee", status_code=303)
    return _page(request, services, badge_id, asked, is_sent=True)


def _by_field(faults: Mapping[str, AppError]) -> dict[str, str]:
    return {_FIELDS[name]: sentence_of(fault) for name, fault in faults.items()}


def _known(request: Request, services: Services) -> KnownRequest | None:
    """The requester, where this browser holds badges of one person only; ambiguous on a family's computer."""
    people = list(people_here(request, services).values())
    return services.asking.known(people[0].person) if len(people) == 1 else None


def _page(
    request: Request,
    services: Services,
    badge_id: uuid.UUID,
    asked: RequestOutcome,
    *,
    error: AppError | None = None,
    errors: Mapping[str, str] = MappingProxyType({}),
    is_sent: bool = False,
) -> HTMLResponse:
    subject, known = services.asking.subject(badge_id), _known(request, services)
    return page(
        request,
        "learners/requests/ask.html",
        campus=look_of(subject.campus),
        private=True,
        status=status_for(error, errors),
        badge_url=f"/badges/{badge_id}",
        title=subject.version.name,
        kind=BADGE_KINDS[subject.version.kind],
        criteria=subject.version.criteria,
        required_hours=subject.version.required_hours,
        needs_two=reviewers_needed(subject.version) > 1,
        picture=_picture_of(subject),
        picture_words=sentence_text(picture_words(subject.campus, subject.version)),
        campus_name=subject.campus.name,
        asked=asked,
        address=asked.address or (known.address if known else ""),
        known_name=known.person.name if known else "",
        # Files are taken where the address needs no confirmation.
        file_types=ACCEPTED if known and known.address else "",
        can_confirm=process_of(request).mailer is not None,
        is_sent=is_sent,
        trouble=sentence_of(error) if error else "",
        errors=errors,
    )


MY_STATES = {
    RequestState.UNCONFIRMED: StateLabel("À confirmer", "past"),
    RequestState.WAITING: StateLabel("Le campus l’examine", "shut"),
    RequestState.SECOND: StateLabel("Le campus l’examine une deuxième fois", "shut"),
    RequestState.MORE: StateLabel("À compléter", "past"),
    RequestState.ACCEPTED: StateLabel("Acceptée", "ok"),
    RequestState.REFUSED: StateLabel("Refusée", "bad"),
    RequestState.WITHDRAWN: StateLabel("Retirée", "shut"),
}
MY_STEPS = {
    Step.ASKED: N_("Demande écrite"),
    Step.ADDED: N_("Demande complétée"),
    Step.AGREED: N_("Premier accord"),
    Step.ASKED_MORE: N_("Le campus demande d’en dire plus"),
    Step.ACCEPTED: N_("Badge donné"),
    Step.REFUSED: N_("Demande refusée"),
    Step.WITHDRAWN: N_("Demande retirée"),
}
QUEUE_STATES = {
    RequestState.WAITING: StateLabel("À examiner", "past"),
    RequestState.SECOND: StateLabel("Deuxième avis attendu", "past"),
    RequestState.MORE: StateLabel("La personne complète", "shut"),
    RequestState.ACCEPTED: StateLabel("Acceptée", "ok"),
    RequestState.REFUSED: StateLabel("Refusée", "bad"),
    RequestState.WITHDRAWN: StateLabel("Retirée par la personne", "shut"),
}


my_request_router = APIRouter(prefix="/demandes/{demande}", dependencies=[CROSS_TENANT])
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


@my_request_router.get("")
@public
def show_my_request(
    demande: str, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    """GET only shows the page: programs that follow links in e-mails must not confirm."""
    return _my_request_page(request, services, demande, done=translated(_DONE[fait]) if fait in _DONE else "")


@my_request_router.post("/confirmer", dependencies=[limited("request from a network"), CHECKED_FORM])
@public
def confirm(demande: str, request: Request, services: ReadingServices) -> Response:
    try:
        with write_transaction(request) as writing:
            writing.asking.confirm(demande)
    except Conflict as error:
        return _my_request_page(request, services, demande, error=error)
    return _back(demande, "confirmee")


@my_request_router.post("/completer", dependencies=[limited("request file")])
@public
def complete(demande: str, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    text, links, files = text_of(form, "mot"), text_of(form, "liens"), list[TakenFile]()
    entries = texts_of(form, "activite")
    shown = partial(_my_request_page, request, services, demande, text=text, links=links, ticked=entries)
    unread = faults_of_fields({"files": lambda: files.extend(handed_in(request, form, "fichier"))})
    try:
        with write_transaction(request) as writing:
            faults = unread | writing.asking.faults_of_addition(
                demande, text=text, links=links, entries=entries, files=None if unread else files
            )
            if not faults:
                writing.asking.complete(demande, text=text, links=links, entries=entries, files=files)
    except Conflict as error:
        return shown(error=error)
    if faults:
        return shown(errors=_by_field(faults))
    return _back(demande, "completee")


@my_request_router.post("/retirer", dependencies=[CHECKED_FORM])
@public
def withdraw(demande: str, request: Request, services: ReadingServices) -> Response:
    try:
        with write_transaction(request) as writing:
            writing.asking.withdraw(demande)
    except Conflict as error:
        return _my_request_page(request, services, demande, error=error)
    return _back(demande, "retiree")


def _picture_of(subject: Subject) -> str:
    """Before the badge has a holder, its picture is not public."""
    return f"/badges/{subject.badge.id}/v{subject.pictured}/image.svg" if subject.pictured else ""


def _back(demande: str, done: str) -> RedirectResponse:
    return RedirectResponse(f"/demandes/{demande}?fait={done}", status_code=303)


def _my_request_page(
    request: Request,
    services: Services,
    demande: str,
    *,
    done: str = "",
    error: AppError | None = None,
    errors: Mapping[str, str] = MappingProxyType({}),
    text: str = "",
    links: str = "",
    ticked: Collection[str] | None = None,
) -> HTMLResponse:
    mine = services.asking.mine(demande)
    asked, subject = mine.request, mine.subject
    answer = page(
        request,
        "learners/requests/mine.html",
        campus=look_of(subject.campus),
        private=True,
        status=status_for(error, errors),
        here=f"/demandes/{demande}",
        zone=subject.campus.time_zone,
        title=subject.version.name,
        badge_url=f"/badges/{subject.badge.id}/demande",
        picture=_picture_of(subject),
        picture_words=sentence_text(picture_words(subject.campus, subject.version)),
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
        errors=errors,
        text=text,
        links=links,
        ticked=asked.entries if ticked is None else ticked,
    )
    # As on the learner's pages: some browsers would send our own forms with the origin "null".
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
    """Before the decision, comments between reviewers are private."""
    return [
        StepShown(
            step.at,
            translated(MY_STEPS[step.step]),
            "" if step.step in (Step.AGREED, Step.ASKED) else step.text,
        )
        for step, _ in mine.steps
        if step.step is not Step.AGREED
    ]


def _last_words(mine: MyRequest) -> str:
    for step, _ in reversed(mine.steps):
        if step.step in (Step.ASKED_MORE, Step.REFUSED, Step.ACCEPTED):
            return step.text
    return ""


# --- Requests for reviewers: one request, and decisions

review_router = APIRouter(prefix="/gestion/{slug}/demandes")
SEEN = "vu"
"""Form field: `UnderReview.seen`."""
_REVIEW_DONE = {
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
class ReviewedStep:
    at: datetime
    words: str
    who: str
    text: str


@review_router.get("/{request_id:uuid}", dependencies=[staff(Permission.REVIEW)])
def show_for_review(
    request_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    done = translated(_REVIEW_DONE[fait]) if fait in _REVIEW_DONE else ""
    return _review_page(request, services, at_work(request), request_id, done=done)


@review_router.post("/{request_id:uuid}/accepter", dependencies=[staff(Permission.REVIEW)])
def accept(request_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    reason, evidence = text_of(form, "raison"), text_of(form, "preuve")
    given = False

    def decide(writing: Services, work: AtWork) -> None:
        nonlocal given
        given = writing.reviewing.agree(
            work.campus, request_id, reason, evidence, by=work.actor, seen=text_of(form, SEEN)
        )

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


@review_router.post("/{request_id:uuid}/demander", dependencies=[staff(Permission.REVIEW)])
def ask_more(request_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    what = text_of(form, "raison")

    def decide(writing: Services, work: AtWork) -> None:
        writing.reviewing.ask_more(work.campus, request_id, what, by=work.actor, seen=text_of(form, SEEN))

    return _decided(request, services, request_id, decide, "demander", what, "", lambda: "plus")


@review_router.post("/{request_id:uuid}/refuser", dependencies=[staff(Permission.REVIEW)])
def refuse(request_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    reason = text_of(form, "raison")

    def decide(writing: Services, work: AtWork) -> None:
        writing.reviewing.refuse(work.campus, request_id, reason, by=work.actor, seen=text_of(form, SEEN))

    return _decided(request, services, request_id, decide, "refuser", reason, "", lambda: "refus")


@review_router.get("/{request_id:uuid}/pieces/{file_id:uuid}", dependencies=[staff(Permission.REVIEW)])
def download(
    request_id: uuid.UUID, file_id: uuid.UUID, request: Request, services: ReadingServices
) -> Response:
    asked = services.reviewing.get(at_work(request).campus, request_id)
    access_views(request, asked.person_id, AccessRecord.FILE)
    return saved(services.files.open(FileNoun.REQUEST, request_id, file_id))


@review_router.get("/{request_id:uuid}/pieces/{file_id:uuid}/apercu", dependencies=[staff(Permission.REVIEW)])
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
    shown = partial(
        _review_page, request, services, work, request_id, way=way, reason=reason, evidence=evidence
    )
    if faults := services.reviewing.faults_of(reason, evidence):
        return shown(errors={name: sentence_of(fault) for name, fault in faults.items()})
    try:
        with write_transaction(request) as writing:
            decide(writing, work)
    except (InvalidInput, Conflict) as error:
        return shown(error=error)
    process_of(request).on_enqueue()
    return RedirectResponse(f"{work.home}/demandes/{request_id}?fait={done()}", status_code=303)


def _review_page(
    request: Request,
    services: Services,
    work: AtWork,
    request_id: uuid.UUID,
    *,
    done: str = "",
    error: AppError | None = None,
    errors: Mapping[str, str] = MappingProxyType({}),
    way: str = "",
    reason: str = "",
    evidence: str = "",
) -> HTMLResponse:
    found = services.reviewing.look(work.campus, request_id, by=work.actor)
    asked, at = found.request, services.clock()
    access_views(request, asked.person_id, AccessRecord.REQUEST)
    agreed = found.agreed_before
    return work.page(
        request,
        "learners/requests/review.html",
        status=status_for(error, errors),
        here=f"{work.home}/demandes/{request_id}",
        zone=work.campus.time_zone,
        person=asked.name,
        address=asked.address,
        badge=found.version.name,
        kind=BADGE_KINDS[found.version.kind],
        criteria=found.version.criteria,
        competencies=competency_words((link, competency) for link, competency, _ in found.competencies),
        picture=picture_of(found.badge, found.version),
        state=QUEUE_STATES[asked.state],
        days=(at - asked.waiting_since).days,
        waits=asked.state.waits_for_reviewers,
        narrative=asked.narrative,
        links=asked.links,
        files=files_shown(found.files, f"{work.home}/demandes/{request_id}/pieces"),
        entries=_reviewed_entries(work, found),
        steps=_reviewed_steps(found),
        needs_two=found.needed > 1,
        is_second=asked.state is RequestState.SECOND and agreed is not None,
        agreed_to_other=asked.state is RequestState.SECOND and agreed is None,
        is_own=found.is_own,
        has_agreed=agreed == work.who.person.id,
        seen=found.seen,
        may_decide=asked.state.waits_for_reviewers and not found.is_own,
        obstacle=_said(found.obstacle) if found.obstacle else "",
        lacks_activity=found.obstacle is not None and found.obstacle.outcome in _LACKS_ACTIVITY,
        award_href=f"{work.home}/attributions/{asked.award_id}" if asked.award_id else "",
        evidence=evidence or found.evidence,
        reason=reason,
        way=way,
        done=done,
        trouble=sentence_of(error) if error else "",
        errors=errors,
    )


def _said(obstacle: EligibilityResult) -> str:
    return translated(obstacle.sentence).format(**in_words(obstacle.values))


def _reviewed_entries(work: AtWork, found: UnderReview) -> Sequence[EntryShown]:
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


def _reviewed_steps(found: UnderReview) -> Sequence[ReviewedStep]:
    return [
        ReviewedStep(
            step.at,
            translated(MY_STEPS[step.step]),
            person.name if person else found.request.name,
            "" if step.step is Step.ASKED else step.text,
        )
        for step, person in found.steps
    ]
