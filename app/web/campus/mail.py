"""The address that a campus's e-mails leave from, with the record that its domain publishes."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.campus.sender import RecordState
from app.errors import AppError, Conflict, InvalidInput
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.words import StateLabel
from app.http.request_scope import ReadingServices, process_of, write_transaction
from app.http.workplaces import AtWork, at_work, sentence_of, staff
from app.language import N_

router = APIRouter(prefix="/gestion/{slug}/courrier")
_MANAGE = [staff(Permission.MANAGE)]
_STATES = {
    RecordState.FOUND: StateLabel(N_("Publié"), "ok"),
    RecordState.MISSING: StateLabel(N_("Pas encore publié"), "unk"),
    RecordState.OTHER: StateLabel(N_("Publié avec un autre contenu"), "bad"),
    RecordState.UNKNOWN: StateLabel(N_("Le DNS ne répond pas"), "unk"),
}


@router.get("", dependencies=_MANAGE)
def show_sender(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _page(request, services, at_work(request), done=bool(fait))


@router.post("/adresse", dependencies=_MANAGE)
def ask_sender(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, typed, process = at_work(request), text_of(form, "adresse"), process_of(request)
    process.limiter.hit("sender of a campus", work.campus.slug)
    try:
        with write_transaction(request) as writing:
            writing.senders.ask(work.campus, typed, by=work.actor)
    except (InvalidInput, Conflict) as error:
        return _page(request, services, work, typed=typed, error=error)
    process.on_promise()
    return _back(work)


@router.post("/code", dependencies=_MANAGE)
def confirm_sender(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work = at_work(request)
    process_of(request).limiter.hit("code of a sender", work.campus.slug)
    try:
        with write_transaction(request) as writing:
            writing.senders.confirm(work.campus, text_of(form, "code"), by=work.actor)
    except InvalidInput as error:
        return _page(request, services, work, code_error=error)
    return _back(work)


@router.post("/service", dependencies=_MANAGE)
def use_sender(request: Request, form: SafeForm, services: ReadingServices) -> Response:  # noqa: ARG001 - its check is the point
    work = at_work(request)
    try:
        sender = services.senders.get(work.campus)
        process_of(request).limiter.hit("look-ups of a campus", work.campus.slug)
        record = services.senders.look_up(sender)
        with write_transaction(request) as writing:
            writing.senders.use(work.campus, record, by=work.actor)
    except Conflict as error:
        return _page(request, services, work, trouble=error)
    return _back(work)


@router.post("/retrait", dependencies=_MANAGE)
def remove_sender(request: Request, form: SafeForm) -> Response:  # noqa: ARG001 - its check is the point
    work = at_work(request)
    with write_transaction(request) as services:
        services.senders.remove(work.campus, by=work.actor)
    return _back(work)


def _page(
    request: Request,
    services: Services,
    work: AtWork,
    *,
    typed: str = "",
    error: AppError | None = None,
    code_error: AppError | None = None,
    trouble: AppError | None = None,
    done: bool = False,
) -> HTMLResponse:
    sender, identity = services.senders.find(work.campus), services.senders.identity
    is_verified = sender is not None and sender.verified_at is not None
    advice = None
    if sender and is_verified and identity.signs:
        process_of(request).limiter.hit("look-ups of a campus", work.campus.slug)
        advice = services.senders.advise(sender)
    refused = error or code_error
    return work.page(
        request,
        "campus/mail.html",
        status=409 if trouble or isinstance(refused, Conflict) else 422 if refused else 200,
        done=done,
        sender=sender,
        is_verified=is_verified,
        identity=identity,
        record=advice.dkim if advice else None,
        state=_STATES[advice.dkim.state] if advice else None,
        may_use=advice is not None and advice.dkim.state is RecordState.FOUND,
        dmarc=advice.dmarc if advice else None,
        letters_leave=process_of(request).mailer is not None,
        typed=typed,
        address_error=sentence_of(error) if error else "",
        code_error=sentence_of(code_error) if code_error else "",
        trouble=sentence_of(trouble) if trouble else "",
    )


def _back(work: AtWork) -> RedirectResponse:
    return RedirectResponse(f"{work.home}/courrier?fait=oui", status_code=303)
