"""« Est-ce bien cette personne ? » and « Demander au campus »: two pages about an open award."""

from __future__ import annotations

import uuid
from typing import Any

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.background import BackgroundTask

from app.domain.messages import Letter, Mailer
from app.errors import AppError, InvalidInput, NotAllowed
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.typography import translated
from app.http.policies import public
from app.http.request_scope import ReadingServices, limited, process_of, write_transaction
from app.http.workplaces import look_of, sentence_of
from app.language import N_
from app.services.awards.awards import AwardRecord

router = APIRouter()
log = structlog.get_logger(__name__)
_NO_LETTERS = N_("Ce service n’envoie pas d’e-mails pour le moment.")


@router.get("/attributions/{award_id:uuid}/personne")
@public
def ask_who(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _who(request, services.publication.open_award(award_id))


@router.post("/attributions/{award_id:uuid}/personne/adresse", dependencies=[limited("whose address")])
@public
def compare_address(
    award_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm
) -> HTMLResponse:
    """Reveals no stored address; rate-limited by award and by network."""
    record, address = services.publication.open_award(award_id), text_of(form, "adresse")
    try:
        process_of(request).limiter.hit("whose address of an award", str(award_id))
        with write_transaction(request) as writing:
            writing.enter_campus_of(award_id)
            known = writing.holders.is_known_at(award_id, address)
    except NotAllowed:
        return _who(request, record, status=403)
    except InvalidInput as error:
        return _who(request, record, address=address, trouble=sentence_of(error), status=422)
    return _who(request, record, address=address, known="oui" if known else "non")


@router.post("/attributions/{award_id:uuid}/personne/code", dependencies=[limited("identity letter")])
@public
def send_code(
    award_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    form: SafeForm,  # noqa: ARG001
) -> HTMLResponse:
    """Same page whether or not the holder has an address: never reveals which."""
    record = services.publication.open_award(award_id)
    mailer = process_of(request).mailer
    if mailer is None:
        return _who(request, record, code_trouble=translated(_NO_LETTERS), status=503)
    process_of(request).limiter.hit("identity letter of an award", str(award_id))
    sent = services.holders.send_code(award_id)
    answer = _who(request, record, ticket=sent.ticket)
    if sent.letter is not None:
        answer.background = BackgroundTask(_send, mailer, sent.letter)
    return answer


@router.post("/attributions/{award_id:uuid}/personne/lu", dependencies=[limited("identity code")])
@public
def read_code(
    award_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm
) -> HTMLResponse:
    record, ticket = services.publication.open_award(award_id), text_of(form, "demande")[:200]
    try:
        # A six-digit code allows five tries, from any client.
        process_of(request).limiter.hit("identity code of a letter", ticket)
        right = services.holders.is_read_out(award_id, ticket, text_of(form, "chiffres"))
    except InvalidInput as error:
        return _who(request, record, code_trouble=sentence_of(error), status=422)
    return _who(request, record, ticket="" if right else ticket, read="oui" if right else "non")


@router.get("/attributions/{award_id:uuid}/campus")
@public
def ask_campus(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _campus(request, services.publication.open_award(award_id))


@router.post("/attributions/{award_id:uuid}/campus", dependencies=[limited("question to a campus")])
@public
def send_question(award_id: uuid.UUID, request: Request, form: SafeForm) -> HTMLResponse:
    """The e-mail is sent after the transaction: a slow mail server holds no database connection."""
    address, words = text_of(form, "adresse"), text_of(form, "question")
    process = process_of(request)
    with process.unit_of_work(reading=True) as services:
        record = services.publication.open_award(award_id)
    try:
        if process.mailer is None:
            raise InvalidInput(_NO_LETTERS)
        with process.unit_of_work(reading=True) as services:
            letter = services.holders.question(award_id, address, words)
        process.mailer.send(letter)
    except AppError as error:
        return _campus(request, record, address=address, words=words, trouble=sentence_of(error), status=422)
    except OSError as error:
        log.error("letter not sent", kind=type(error).__name__)
        trouble = translated(
            N_("L’e-mail n’a pas pu être envoyé. Réessayez dans quelques minutes : rien n’est perdu.")
        )
        return _campus(request, record, address=address, words=words, trouble=trouble, status=503)
    return _campus(request, record, address=address, sent=True)


def _send(mailer: Mailer, letter: Letter) -> None:
    try:
        mailer.send(letter)
    except OSError as error:
        log.error("letter not sent", kind=type(error).__name__)


def _who(request: Request, record: AwardRecord, *, status: int = 200, **view: str) -> HTMLResponse:
    told: dict[str, Any] = {
        "address": "",
        "trouble": "",
        "known": "",
        "ticket": "",
        "read": "",
        "code_trouble": "",
    } | view
    return page(
        request,
        "verification/holder.html",
        campus=look_of(record.campus),
        private=True,
        status=status,
        url=f"/attributions/{record.award.id}",
        title=record.version.name,
        holder=record.award.holder_name or "",
        answers_checks=record.award.answers_checks,
        **told,
    )


def _campus(
    request: Request,
    record: AwardRecord,
    *,
    address: str = "",
    words: str = "",
    trouble: str = "",
    sent: bool = False,
    status: int = 200,
) -> HTMLResponse:
    return page(
        request,
        "verification/question.html",
        campus=look_of(record.campus),
        private=True,
        status=status,
        url=f"/attributions/{record.award.id}",
        title=record.version.name,
        campus_name=record.campus.short_name,
        address=address,
        words=words,
        trouble=trouble,
        sent=sent,
    )
