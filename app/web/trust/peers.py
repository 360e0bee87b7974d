"""A person who worked with a learner proves an address, writes two lines, and may take them back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.domain.trust.organisations import Refusal, RequestKind
from app.domain.trust.trust_registry import (
    LONGEST_SIGNATURE,
    LONGEST_WORDS,
    PEER_WORDINGS,
    PROOF_FOR,
    PeerRecommendation,
    PeerWords,
    checked_peer_words,
    mailbox_key,
)
from app.errors import InvalidInput
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.typography import translated
from app.http.pages.words import day, sentence_text
from app.http.policies import public
from app.http.request_scope import CROSS_TENANT, ReadingServices, limited, process_of, write_transaction
from app.http.workplaces import look_of, sentence_of
from app.language import N_, current_locale
from app.services.awards.awards import AwardRecord
from app.services.badges import picture_words

router = APIRouter(prefix="/temoigner", dependencies=[CROSS_TENANT])
_DONE = {
    "envoyee": N_(
        "C’est parti. Rien n’est public avant l’accord de la personne. Un e-mail vous le confirme."
    ),
    "retiree": N_("C’est retiré. Vos lignes, votre signature et votre adresse ne sont plus gardées ici."),
}
_REFUSALS = {"refuser": Refusal.THIS, "jamais": Refusal.EVER}


@dataclass(frozen=True)
class PeerShown:
    id: str
    lines: Sequence[str]
    signature: str
    language: str
    on: str
    address: str = ""
    """For the learner alone."""
    waits: bool = False
    is_shown: bool = True
    reason: str = ""
    """Why the campus set it aside."""


def peer_shown(row: PeerRecommendation, zone: str) -> PeerShown:
    return PeerShown(
        id=str(row.id),
        lines=row.words.splitlines(),
        signature=row.signature,
        language=row.language,
        on=day(row.written_at, zone),
        waits=row.waits,
        is_shown=row.is_shown,
        reason=row.set_aside_reason,
    )


# --- a link that the learner shares


@router.get("/{token}")
@public
def show_link(token: str, request: Request, services: ReadingServices) -> HTMLResponse:
    _, record = services.peer_recommendations.shared(token)
    return _start(request, record, token)


@router.post("/{token}", dependencies=[limited("peers from a network")])
@public
def prove(token: str, request: Request, services: ReadingServices, form: SafeForm) -> HTMLResponse:
    """The same answer whether or not an e-mail leaves: it never tells which addresses are the learner's."""
    typed = text_of(form, "adresse")
    try:
        link, record, address = services.peer_recommendations.checked_proof(token, typed)
        limiter = process_of(request).limiter
        limiter.hit("proofs at a link", str(link.id))
        limiter.hit("endorsement to an address", mailbox_key(address))
    except InvalidInput as error:
        _, record = services.peer_recommendations.shared(token)
        return _start(request, record, token, typed=typed, trouble=sentence_of(error))
    with write_transaction(request) as writing:
        writing.peer_recommendations.prove(token, address)
    process_of(request).on_promise()
    return _start(request, record, token, typed=typed, sent=True)


def _start(
    request: Request,
    record: AwardRecord,
    token: str,
    *,
    typed: str = "",
    trouble: str = "",
    sent: bool = False,
) -> HTMLResponse:
    return _page(
        request,
        "start",
        record,
        why="",
        status=422 if trouble else 200,
        here=f"/temoigner/{token}",
        typed=typed,
        trouble=trouble,
        sent=sent,
        hours=int(PROOF_FOR.total_seconds()) // 3600,
        letters_leave=process_of(request).mailer is not None,
    )


# --- the link of an e-mail


@router.get("/ecrire/{token}")
@public
def show_writing(token: str, request: Request, services: ReadingServices) -> HTMLResponse:
    """GET only shows the page: programs that follow links in e-mails must not use the link up."""
    asked, record = services.peer_recommendations.opened(token)
    return _writing(request, record, token, asked.why, is_asked=asked.kind is RequestKind.PEER)


@router.post("/ecrire/{token}", dependencies=[limited("endorsing")])
@public
def write(token: str, request: Request, services: ReadingServices, form: SafeForm) -> Response:
    asked, record = services.peer_recommendations.opened(token)
    gesture = text_of(form, "geste")
    if gesture in _REFUSALS:
        with write_transaction(request) as writing:
            writing.peer_recommendations.refuse(token, _REFUSALS[gesture])
        return page(request, "trust/refused.html", private=True, is_for_ever=gesture == "jamais")
    typed = PeerWords(text_of(form, "lignes"), text_of(form, "signature"))
    is_asked = asked.kind is RequestKind.PEER
    try:
        words = checked_peer_words(typed.words, typed.signature)
    except InvalidInput as error:
        return _writing(
            request, record, token, asked.why, typed=typed, trouble=sentence_of(error), is_asked=is_asked
        )
    if gesture != "envoyer":
        preview = words if gesture == "apercu" else None
        return _writing(request, record, token, asked.why, typed=typed, preview=preview, is_asked=is_asked)
    with write_transaction(request) as writing_services:
        row = writing_services.peer_recommendations.write(token, words, language=current_locale())
        back = writing_services.peer_recommendations.withdraw_token(row.id)
    process_of(request).on_promise()
    return RedirectResponse(f"/temoigner/retirer/{back}?fait=envoyee", status_code=303)


def _writing(
    request: Request,
    record: AwardRecord,
    token: str,
    why: str,
    *,
    typed: PeerWords = PeerWords("", ""),
    preview: PeerWords | None = None,
    trouble: str = "",
    is_asked: bool,
) -> HTMLResponse:
    """`preview`: the text as it would be public."""
    shown = None
    if preview:
        shown = PeerShown("apercu", preview.words.splitlines(), preview.signature, current_locale(), "")
    return _page(
        request,
        "write",
        record,
        status=422 if trouble else 200,
        here=f"/temoigner/ecrire/{token}",
        why=why,
        typed=typed,
        preview=shown,
        agreement=translated(PEER_WORDINGS[-1]),
        longest=LONGEST_WORDS,
        longest_signature=LONGEST_SIGNATURE,
        trouble=trouble,
        is_asked=is_asked,
    )


# --- the link that only revokes


@router.get("/retirer/{token}")
@public
def show_withdrawing(token: str, request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    row, record = services.peer_recommendations.named_by(token)
    return _page(
        request,
        "withdraw",
        record,
        here=f"/temoigner/retirer/{token}",
        r=peer_shown(row, record.campus.time_zone),
        is_over=row.is_over,
        public_url=f"/attributions/{record.award.id}"
        if any(each.id == row.id for each in services.peer_recommendations.shown_about(record))
        else "",
        done=translated(_DONE[fait]) if fait in _DONE else "",
    )


@router.post("/retirer/{token}", dependencies=[limited("endorsing")])
@public
def withdraw(token: str, request: Request, _form: SafeForm) -> Response:
    with write_transaction(request) as writing:
        writing.peer_recommendations.withdraw(token)
    return RedirectResponse(f"/temoigner/retirer/{token}?fait=retiree", status_code=303)


def _page(
    request: Request, name: str, record: AwardRecord, *, status: int = 200, **more: Any
) -> HTMLResponse:
    version = record.version
    reply = page(
        request,
        f"trust/peers/{name}.html",
        campus=look_of(record.campus),
        private=True,
        status=status,
        person=record.person.name,
        holder=record.award.holder_name or "",
        title=version.name,
        description=version.description,
        picture=f"/badges/{record.badge.id}/v{version.number}/image.svg",
        picture_words=sentence_text(picture_words(record.campus, version)),
        campus_name=record.campus.name,
        contact=record.campus.contact_email,
        **more,
    )
    reply.headers["Referrer-Policy"] = "same-origin"
    return reply
