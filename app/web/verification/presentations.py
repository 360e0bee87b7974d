"""« Demander un badge »: what an employer needs, a link and a QR code for ten minutes; the verdict."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import segno
import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from starlette.background import BackgroundTask

from app.domain.learners.presentations import BadgeWish, InvalidWish, RequestState, reference_of
from app.domain.messages import Letter, Mailer
from app.errors import AppError, InvalidInput, NotAllowed, NotFound, NotSignedIn
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.words import DEFAULT_ZONE, moment
from app.http.request_scope import (
    ReadingServices,
    client_network,
    limited,
    process_of,
    public,
    sentence_of,
    status_for,
    write_transaction,
)
from app.http.security_headers import as_private
from app.http.workplaces import look_of
from app.language import N_, translated
from app.services.awards.awards import AwardRecord
from app.services.awards.delivery import answers_checks, checked_address, checked_question
from app.services.verification.presentations import Possession, RequestView
from app.services.verification.presented import holder_in
from app.web.verification.verification_page import PossessionShown, answer_page

router = APIRouter(prefix="/verifier/demander")
_FIELDS = ("qui", "pourquoi", "badge", "competence", "niveau", "campus")
_WISHED = dict(zip(("asker", "purpose", "badge", "competency", "level", "campus"), _FIELDS, strict=True))
_LONGEST_TOKEN = 200
_POSSESSION = {
    Possession.WALLET: (
        "ok",
        N_("La personne a prouvé qu’elle détient ce badge"),
        N_("Ce badge est lié à son portefeuille numérique, qui a signé la réponse."),
    ),
    Possession.PERSON: (
        "ok",
        N_("La réponse vient des badges de cette personne"),
        N_(
            "La réponse vient de ses badges sur ce service : par son compte, ou par le lien privé reçu du campus."
        ),
    ),
    Possession.UNBOUND: (
        "past",
        N_("Rien ne prouve que la personne détient ce badge"),
        N_(
            "Ce badge n’est lié à aucun portefeuille : une copie donnerait la même réponse. Demandez plutôt une réponse depuis ses badges sur Sceau."
        ),
    ),
}


_COMPARE = N_("Comparez le nom avec la personne devant vous : un lien a pu être transmis.")
_NAMELESS = N_("Ce badge ne nomme personne : rien n’y dit que c’est celui de la personne devant vous.")


@router.get("")
@public
def show_form(request: Request, services: ReadingServices) -> HTMLResponse:
    return _form(request, services, {"valable": "oui"})


@router.post("/organisation", dependencies=[limited("badge request read")])
@public
def show_form_of_organisation(request: Request, services: ReadingServices, form: SafeForm) -> HTMLResponse:
    """From an organisation's desk: its token proves the domain, and stands in no address."""
    token = text_of(form, "organisation")[:_LONGEST_TOKEN]
    return _form(request, services, {"organisation": token, "valable": "oui"})


@router.post("", dependencies=[limited("badge request")])
@public
def ask(request: Request, services: ReadingServices, form: SafeForm) -> Response:
    typed = {name: text_of(form, name) for name in (*_FIELDS, "organisation", "valable")}
    token = typed["organisation"]
    try:
        with write_transaction(request) as writing:
            requests = writing.presentations
            wish = requests.wish(
                asker=typed["qui"],
                purpose=typed["pourquoi"],
                badge=typed["badge"],
                competency=typed["competence"],
                level=typed["niveau"],
                campus=typed["campus"],
                in_force=typed["valable"] == "oui",
                organisation=requests.organisation(token) if token else None,
            )
            made = requests.ask(wish)
    except InvalidWish as error:
        errors = {
            field: sentence_of(error.faults[name]) for name, field in _WISHED.items() if name in error.faults
        }
        return _form(request, services, typed, errors=errors)
    except NotFound as error:
        if token:
            return _form(request, services, typed, trouble=sentence_of(error))
        return _form(request, services, typed, errors={"campus": sentence_of(error)})
    except AppError as error:
        return _form(request, services, typed, trouble=sentence_of(error))
    return RedirectResponse(f"/verifier/demander/{made.asker}", status_code=303)


@router.get("/{secret}", dependencies=[limited("badge request read")])
@public
def show_request(secret: str, request: Request, services: ReadingServices) -> Response:
    view = services.presentations.of_asker(secret)
    if view.possession is not None:
        process_of(request).limiter.hit("verify", client_network(request))
        return _verdict(request, services, view)
    waits, reference = not view.is_over, reference_of(secret)
    link = services.addresses.presentation(reference)
    wallet = services.presentations.link_of_wallet(reference)
    return as_private(
        page(
            request,
            "verification/requested.html",
            private=True,
            here=f"/verifier/demander/{secret}",
            waits=waits,
            is_refused=view.state is RequestState.REFUSED,
            wish=wish_lines(view.wish),
            until=moment(view.expires_at, DEFAULT_ZONE),
            link=link,
            code=_code(link),
            wallet=wallet,
            wallet_code=_code(wallet),
        )
    )


@router.get("/{secret}/etat", dependencies=[limited("badge request read")])
@public
def read_state(secret: str, services: ReadingServices) -> PlainTextResponse:
    """For the script of the page that waits."""
    try:
        view = services.presentations.of_asker(secret)
        state = "over" if view.is_over else view.state.value
    except NotFound:
        state = "over"
    return PlainTextResponse(state, headers={"Cache-Control": "no-store"})


def wish_lines(wish: BadgeWish) -> list[tuple[str, str]]:
    """What is asked, as both sides read it."""
    level = f" ({wish.level})" if wish.level else ""
    lines = [
        (N_("Badge"), wish.badge),
        (N_("Compétence attestée"), f"{wish.competency}{level}" if wish.competency else ""),
        (N_("Donné par"), wish.campus_name),
        (N_("Valable aujourd’hui"), translated("Oui, exigé") if wish.in_force else ""),
        (N_("Pourquoi"), wish.purpose),
    ]
    return [(translated(label), words) for label, words in lines if words]


def _verdict(request: Request, services: ReadingServices, view: RequestView) -> HTMLResponse:
    if view.award_id is not None:
        services.enter_campus_of(view.award_id)
    answer = services.presentations.verdict(view)
    assert answer is not None, "the request was answered"
    assert view.possession is not None, "the request was answered"
    state, title, words = _POSSESSION[view.possession]
    document = answer.report.document if answer.report else None
    compare = _COMPARE if document and holder_in(document) else _NAMELESS
    shown = PossessionShown(state, translated(title), f"{translated(words)} {translated(compare)}")
    return answer_page(request, services, answer, possession=shown)


def _form(
    request: Request,
    services: ReadingServices,
    typed: dict[str, str],
    *,
    trouble: str = "",
    errors: Mapping[str, str] = MappingProxyType({}),
) -> HTMLResponse:
    organisation = None
    if typed.get("organisation"):
        try:
            organisation = services.presentations.organisation(typed["organisation"])
        except (NotFound, NotSignedIn):
            typed["organisation"] = ""
    view: dict[str, Any] = {name: typed.get(name, "") for name in (*_FIELDS, "organisation")}
    return page(
        request,
        "verification/request.html",
        private=True,
        status=status_for(trouble, errors),
        trouble=trouble,
        errors=errors,
        f=view,
        in_force=typed.get("valable") == "oui",
        by=organisation,
        campuses=[("", translated("N’importe lequel")), *services.presentations.campus_choices()],
    )


def _code(link: str) -> str:
    return segno.make(link, error="m", micro=False).svg_data_uri(border=2, light="#fff")


# --- « Est-ce bien cette personne ? » and « Demander au campus »: two pages about an open award

holder_check_router = APIRouter()
log = structlog.get_logger(__name__)
_NO_LETTERS = N_("Ce service n’envoie pas d’e-mails pour le moment.")


@holder_check_router.get("/attributions/{award_id:uuid}/personne")
@public
def ask_who(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _who(request, services.publication.open_award(award_id))


@holder_check_router.post(
    "/attributions/{award_id:uuid}/personne/adresse", dependencies=[limited("whose address")]
)
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


@holder_check_router.post(
    "/attributions/{award_id:uuid}/personne/code", dependencies=[limited("identity letter")]
)
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


@holder_check_router.post(
    "/attributions/{award_id:uuid}/personne/lu", dependencies=[limited("identity code")]
)
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


@holder_check_router.get("/attributions/{award_id:uuid}/campus")
@public
def ask_campus(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _campus(request, services.publication.open_award(award_id))


@holder_check_router.post(
    "/attributions/{award_id:uuid}/campus", dependencies=[limited("question to a campus")]
)
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
        return _campus(
            request,
            record,
            address=address,
            words=words,
            trouble=sentence_of(error),
            errors=_faults(address, words),
            status=status_for(error),
        )
    except OSError as error:
        log.error("letter not sent", kind=type(error).__name__)
        trouble = translated(
            "L’e-mail n’a pas pu être envoyé. Réessayez dans quelques minutes : rien n’est perdu."
        )
        return _campus(request, record, address=address, words=words, trouble=trouble, status=503)
    return _campus(request, record, address=address, sent=True)


def _faults(address: str, words: str) -> dict[str, str]:
    """By field, in their order on the page."""
    faults = dict[str, str]()
    for field, check, typed in (
        ("adresse", checked_address, address),
        ("question", checked_question, words),
    ):
        try:
            check(typed)
        except InvalidInput as error:
            faults[field] = sentence_of(error)
    return faults


def _send(mailer: Mailer, letter: Letter) -> None:
    try:
        mailer.send(letter)
    except OSError as error:
        log.error("letter not sent", kind=type(error).__name__)


def _who(request: Request, record: AwardRecord, *, status: int = 200, **view: str) -> HTMLResponse:
    details: dict[str, Any] = {
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
        answers_checks=answers_checks(record),
        **details,
    )


def _campus(
    request: Request,
    record: AwardRecord,
    *,
    address: str = "",
    words: str = "",
    trouble: str = "",
    errors: Mapping[str, str] = MappingProxyType({}),
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
        errors=errors,
        sent=sent,
    )
