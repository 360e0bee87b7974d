"""Public page of one endorsement, verified now; and the page where its organisation withdraws it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.people import mailbox_key
from app.domain.trust import (
    LONGEST_SIGNATURE,
    LONGEST_WORDS,
    PEER_WORDINGS,
    PROOF_FOR,
    PeerRecommendation,
    PeerWords,
    checked_peer_words,
)
from app.domain.trust.organisations import Endorsed, Refusal, RequestKind, domain_of
from app.errors import InvalidInput
from app.http.negotiation import ForPeople
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.words import StateLabel, day, moment, sentence_text
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
from app.http.workplaces import look_of
from app.language import N_, current_locale, translated
from app.services.awards.awards import AwardRecord
from app.services.badges import picture_words
from app.services.trust.endorsements import ShownEndorsement, Subject
from app.services.verification.verdicts import place_of, plain
from sceau_credentials.verification.findings import Reason
from sceau_credentials.verification.report import Outcome

_LONGEST = 1200
_ABOUT = {
    Endorsed.BADGE: N_("À propos de ce badge, quelle que soit la personne qui le reçoit"),
    Endorsed.AWARD: N_("À propos de ce badge, tel qu’il a été donné à cette personne"),
    Endorsed.CAMPUS: N_("À propos du campus"),
}
_OF_VERSION = N_("{about} ; donnée à la version {number}")
_DOMAIN = N_("Domaine {domain} vérifié par e-mail le {day}")
_PERSONAL = N_(
    "Adresse personnelle ({domain}), domaine non rattaché à l’organisation. Vérifiée par e-mail le {day}"
)
_SAME_DOMAIN = N_("Ce domaine est aussi celui du campus.")
_ELSEWHERE = N_("Signée ailleurs, par {issuer}.")
_LATER = N_("Vérifiée le {day} ; ouvrez-la pour refaire la vérification.")
_RECOMMENDATIONS_HOLDS, _THEN = (
    StateLabel("Signature vérifiée", "ok"),
    StateLabel("Signée ailleurs", "shut"),
)
_UNKNOWN = StateLabel("Non vérifiée", "unk")
_RECOMMENDATIONS_LOST = StateLabel("Ne compte pas", "bad")
STATES = {
    "shown": StateLabel("Montrée", "ok"),
    "withdrawn": StateLabel("Retirée par l’organisation", "past"),
    "hidden": StateLabel("Cachée par la personne", "shut"),
    "set_aside": StateLabel("Écartée par le campus", "past"),
}


@dataclass(frozen=True)
class RecommendationShown:
    """`lines` are the signed text, empty where the signature is invalid."""

    id: str
    name: str
    about: str
    lines: Sequence[str]
    language: str
    beside: Sequence[str]
    found: StateLabel
    state: StateLabel
    is_shown: bool
    is_hidden: bool
    is_withdrawn: bool
    url: str
    organisation_url: str
    reason: str
    """Why the campus hid it."""


def recommendations(
    found: Sequence[ShownEndorsement], zone: str, *, contact: str = ""
) -> list[RecommendationShown]:
    """`contact`: an address of the campus; endorsements from its own domain are marked."""
    return [recommendation(each, zone, contact=contact) for each in found]


def recommendation(said: ShownEndorsement, zone: str, *, contact: str = "") -> RecommendationShown:
    row, organisation = said.endorsement, said.organisation
    signed_on = day(row.signed_at, zone)
    words = _PERSONAL if organisation.is_personal else _DOMAIN
    beside = [translated(words).format(domain=organisation.domain, day=signed_on)]
    if row.foreign_issuer:
        beside.append(translated(_ELSEWHERE).format(issuer=place_of(row.foreign_issuer)))
    if contact and domain_of(contact) == organisation.domain and not organisation.is_personal:
        beside.append(translated(_SAME_DOMAIN))
    found, comment = _found(said)
    lines = [plain(line, _LONGEST) for line in comment.splitlines()]
    if found is _THEN and row.checked_at:
        beside.append(translated(_LATER).format(day=day(row.checked_at, zone)))
    return RecommendationShown(
        id=str(row.id),
        name=row.organisation_name,
        about=translated(_OF_VERSION).format(about=translated(_ABOUT[row.about]), number=said.version)
        if said.version
        else translated(_ABOUT[row.about]),
        lines=[line for line in lines if line],
        language=row.language,
        beside=beside,
        found=found,
        state=STATES[said.state],
        is_shown=row.is_shown,
        is_hidden=row.hidden_at is not None,
        is_withdrawn=row.withdrawn_at is not None,
        url=f"/recommandations/{row.id}",
        organisation_url=f"/organisations/{organisation.id}",
        reason=row.set_aside_reason,
    )


def _found(said: ShownEndorsement) -> tuple[StateLabel, str]:
    """Whether the text may be attributed to the organisation. Results that need another server are those of
    the last check."""
    if said.answer is None or said.answer.outcome is Outcome.FAILED:
        return _RECOMMENDATIONS_LOST, ""
    if said.holds:
        return _RECOMMENDATIONS_HOLDS, said.answer.comment
    # Verification needs another server: the last result is shown with its date.
    row = said.endorsement
    if not row.foreign_issuer:
        return _UNKNOWN, ""
    return (_THEN, row.comment) if row.comment else (_RECOMMENDATIONS_LOST, "")


router = APIRouter()
public_page = APIRouter(route_class=ForPeople)
_BACK = "/recommandations/retirer"
_DONE = {
    "signee": N_("C’est signé. Un e-mail vous le confirme, avec le lien de cette page."),
    "retiree": N_("La recommandation est retirée. Son texte et votre adresse ne sont plus gardés ici."),
}
_ANSWERS = {
    Reason.REVOKED.value: N_("Elle a été retirée par l’organisation."),
    Reason.EXPIRED.value: N_("Sa durée est passée."),
}
_HOLDS = N_("La signature est celle de l’organisation, rien n’a changé depuis, et elle n’a pas été retirée.")
_LOST = N_("La signature ne tient pas : ces mots ne comptent pas.")
_OPEN = N_("Elle n’a pas pu être vérifiée pour le moment : qui l’a signée ne répond pas.")


@public_page.get("/recommandations/{endorsement_id:uuid}", dependencies=[limited("verify")])
@public
def show(endorsement_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    found, subject = services.endorsements.get(endorsement_id)
    look = look_of(subject.campus)
    reply = page(request, "trust/show.html", campus=look, **recommendation_shown(services, found, subject))
    if subject.about is Endorsed.AWARD:
        reply.headers["X-Robots-Tag"] = "noindex, nofollow"
    return reply


@router.get(f"{_BACK}/{{token}}", dependencies=[CROSS_TENANT])
@public
def show_taking_back(token: str, request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    """GET only shows the page: programs that follow links in e-mails must not withdraw."""
    row = services.endorsements_taken_back.named_by(token)
    found, subject = services.endorsements.look(row)
    reply = page(
        request,
        "trust/take_back.html",
        campus=look_of(subject.campus),
        private=True,
        here=f"{_BACK}/{token}",
        r=recommendation(found, subject.campus.time_zone),
        is_withdrawn=row.withdrawn_at is not None,
        is_read=services.endorsements.is_read(row),
        subject_title=subject.title,
        campus_name=subject.campus.name,
        done=translated(_DONE[fait]) if fait in _DONE else "",
    )
    reply.headers["Referrer-Policy"] = "same-origin"
    return reply


@router.post(f"{_BACK}/{{token}}", dependencies=[CROSS_TENANT, limited("endorsing")])
@public
def take_back(token: str, request: Request, _form: SafeForm) -> Response:
    with write_transaction(request) as writing:
        writing.endorsements_taken_back.withdraw(token)
    return RedirectResponse(f"{_BACK}/{token}?fait=retiree", status_code=303)


def recommendation_shown(services: Services, found: ShownEndorsement, subject: Subject) -> dict[str, Any]:
    """The view of `trust/show.html`."""
    campus, path = subject.campus, f"/recommandations/{found.endorsement.id}"
    return {
        "r": recommendation(found, campus.time_zone, contact=campus.contact_email),
        "holds": found.holds,
        "sentence": translated(_sentence(found)),
        "when": moment(services.clock(), campus.time_zone),
        "subject_title": subject.title,
        "subject_url": _url_of(subject),
        "campus_name": campus.name,
        "json_url": f"{path}.json" if _has_json(found) else "",
        "jwt_url": f"{path}.jwt" if found.endorsement.token or not _has_json(found) else "",
        "issuer": found.answer.issuer if found.answer else "",
    }


def _sentence(found: ShownEndorsement) -> str:
    if found.holds or found.answer is None:
        return _HOLDS
    return _ANSWERS.get(found.answer.reason, _LOST if found.answer.outcome.value == "failed" else _OPEN)


def _has_json(found: ShownEndorsement) -> bool:
    return found.endorsement.written.startswith("{")


def _url_of(subject: Subject) -> str:
    if subject.record:
        return f"/attributions/{subject.record.award.id}"
    if subject.badge and subject.version:
        return f"/badges/{subject.badge.id}/v{subject.version.number}"
    return f"/campus/{subject.campus.slug}"


router.include_router(public_page)


# --- A person who worked with a learner proves an address, writes two lines, and may take them back

peers_router = APIRouter(prefix="/temoigner", dependencies=[CROSS_TENANT])
_PEERS_DONE = {
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


@peers_router.get("/{token}")
@public
def show_link(token: str, request: Request, services: ReadingServices) -> HTMLResponse:
    _, record = services.peer_recommendations.shared(token)
    return _start(request, record, token)


@peers_router.post("/{token}", dependencies=[limited("peers from a network")])
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
    process_of(request).on_enqueue()
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
    return _peer_page(
        request,
        "start",
        record,
        why="",
        status=status_for(trouble),
        here=f"/temoigner/{token}",
        typed=typed,
        trouble=trouble,
        sent=sent,
        hours=int(PROOF_FOR.total_seconds()) // 3600,
        letters_leave=process_of(request).mailer is not None,
    )


# --- the link of an e-mail


@peers_router.get("/ecrire/{token}")
@public
def show_writing(token: str, request: Request, services: ReadingServices) -> HTMLResponse:
    """GET only shows the page: programs that follow links in e-mails must not use the link up."""
    asked, record = services.peer_recommendations.opened(token)
    return _writing(request, record, token, asked.why, is_asked=asked.kind is RequestKind.PEER)


@peers_router.post("/ecrire/{token}", dependencies=[limited("endorsing")])
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
        services.peer_recommendations.check_words(record, words)
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
    process_of(request).on_enqueue()
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
    return _peer_page(
        request,
        "write",
        record,
        status=status_for(trouble),
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


@peers_router.get("/retirer/{token}")
@public
def show_withdrawing(token: str, request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    row, record = services.peer_recommendations.named_by(token)
    return _peer_page(
        request,
        "withdraw",
        record,
        here=f"/temoigner/retirer/{token}",
        r=peer_shown(row, record.campus.time_zone),
        is_over=row.is_over,
        public_url=f"/attributions/{record.award.id}"
        if any(each.id == row.id for each in services.peer_recommendations.shown_about(record))
        else "",
        done=translated(_PEERS_DONE[fait]) if fait in _PEERS_DONE else "",
    )


@peers_router.post("/retirer/{token}", dependencies=[limited("endorsing")])
@public
def withdraw(token: str, request: Request, _form: SafeForm) -> Response:
    with write_transaction(request) as writing:
        writing.peer_recommendations.withdraw(token)
    return RedirectResponse(f"/temoigner/retirer/{token}?fait=retiree", status_code=303)


def _peer_page(
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
