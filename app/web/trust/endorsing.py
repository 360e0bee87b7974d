"""An organisation answers an endorsement request: read, write, preview, sign or decline."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.trust.organisations import (
    LONGEST,
    NAME_WORDING,
    WORDINGS,
    EndorsementRequest,
    EndorsementText,
    Refusal,
    checked_words,
    domain_of,
    is_public_provider,
)
from app.errors import InvalidInput, Unavailable
from app.http.pages.forms import SafeForm, bytes_of, text_of
from app.http.pages.render import page
from app.http.pages.words import sentence_text
from app.http.request_scope import (
    CROSS_TENANT,
    ReadingServices,
    limited,
    process_of,
    public,
    write_transaction,
)
from app.http.workplaces import look_of, sentence_of
from app.language import current_locale, translated
from app.services.badges import picture_words
from app.services.trust.endorsements import EndorsementOutcome, Subject
from app.web.badges import definition_shown

router = APIRouter(dependencies=[CROSS_TENANT])
_LOOK, _SIGN, _BRING, _NO, _NEVER = "apercu", "signer", "apporter", "refuser", "jamais"
_REFUSALS: Final = {_NO: Refusal.THIS, _NEVER: Refusal.EVER}


@dataclass(frozen=True)
class EndorsementForm:
    """The submitted form."""

    organisation: str = ""
    site: str = ""
    role: str = ""
    words: str = ""
    name: str = ""
    shows_name: bool = False
    written: str = ""
    """Signed elsewhere."""


@dataclass(frozen=True)
class Preview:
    name: str
    lines: list[str]
    how: str


@router.get("/recommander/{token}")
@public
def show(token: str, request: Request, services: ReadingServices) -> HTMLResponse:
    """GET only shows the page: programs that follow links in e-mails must not sign."""
    asked, subject = services.endorsement_signing.opened(token)
    return _page(
        request, services, token, asked, subject, EndorsementForm(organisation=asked.organisation_name)
    )


@router.post("/recommander/{token}", dependencies=[limited("endorsing")])
@public
def answer(token: str, request: Request, services: ReadingServices, form: SafeForm) -> Response:
    asked, subject = services.endorsement_signing.opened(token)
    gesture, typed = text_of(form, "geste"), _typed(form)
    if gesture in _REFUSALS:
        with write_transaction(request) as writing:
            writing.endorsement_signing.refuse(token, _REFUSALS[gesture])
        return page(request, "trust/refused.html", private=True, is_for_ever=gesture == _NEVER)
    try:
        told = EndorsementOutcome.checked(typed.organisation, typed.site)
        if gesture == _BRING:
            with write_transaction(request) as writing:
                kept = writing.endorsement_signing.take_in(
                    token, told, typed.written, language=current_locale()
                )
            return _done(request, services, kept.id)
        words = checked_words(typed.words, typed.role, typed.name, shows_name=typed.shows_name)
        if gesture == _SIGN:
            with write_transaction(request) as writing:
                kept = writing.endorsement_signing.sign(token, told, words, language=current_locale())
            return _done(request, services, kept.id)
    except (InvalidInput, Unavailable) as error:
        return _page(request, services, token, asked, subject, typed, trouble=sentence_of(error))
    shows = _preview(asked, told, words) if gesture == _LOOK else None
    return _page(request, services, token, asked, subject, typed, preview=shows)


def _done(request: Request, services: Services, endorsement_id: uuid.UUID) -> RedirectResponse:
    process_of(request).on_promise()
    token = services.endorsement_signing.withdraw_token(endorsement_id)
    return RedirectResponse(f"/recommandations/retirer/{token}?fait=signee", status_code=303)


def _typed(form: SafeForm) -> EndorsementForm:
    typed = EndorsementForm(
        organisation=text_of(form, "organisation"),
        site=text_of(form, "site"),
        role=text_of(form, "role"),
        words=text_of(form, "mots"),
        name=text_of(form, "nom"),
        shows_name=text_of(form, "montrer-nom") == "oui",
        written=text_of(form, "signee"),
    )
    file = bytes_of(form, "fichier")
    return replace(typed, written=file.decode("utf-8", "replace")) if file else typed


def _preview(asked: EndorsementRequest, told: EndorsementOutcome, words: EndorsementText) -> Preview:
    return Preview(told.name, words.signed.splitlines(), _how(asked))


def _how(asked: EndorsementRequest) -> str:
    domain = domain_of(asked.address)
    if is_public_provider(domain):
        return translated(
            "Adresse personnelle ({domain}), domaine non rattaché à l’organisation. Ce sera écrit ainsi."
        ).format(domain=domain)
    return translated("Domaine {domain}, vérifié par l’e-mail que vous avez reçu.").format(domain=domain)


def _page(
    request: Request,
    services: Services,
    token: str,
    asked: EndorsementRequest,
    subject: Subject,
    typed: EndorsementForm,
    *,
    trouble: str = "",
    preview: Preview | None = None,
) -> HTMLResponse:
    version, record = subject.version, subject.record
    picture = words = ""
    definition = None
    if subject.badge and version:
        picture = f"/badges/{subject.badge.id}/v{version.number}/image.svg"
        words = sentence_text(picture_words(subject.campus, version))
        definition = definition_shown(services, services.publication.badge(subject.badge.id, version.number))
    reply = page(
        request,
        "trust/sign.html",
        campus=look_of(subject.campus),
        private=True,
        status=422 if trouble else 200,
        here=f"/recommander/{token}",
        person=record.person.name if record else "",
        title=version.name if version else "",
        description=version.description if version else subject.campus.description,
        picture=picture,
        picture_words=words,
        d=definition,
        campus_name=subject.campus.name,
        campus_url=f"/campus/{subject.campus.slug}",
        contact=subject.campus.contact_email,
        why=asked.why,
        address=asked.address,
        how=_how(asked),
        iri=subject.iri,
        typed=typed,
        preview=preview,
        agreement=translated(WORDINGS[-1]),
        name_wording=translated(NAME_WORDING),
        longest=LONGEST,
        trouble=trouble,
    )
    reply.headers["Referrer-Policy"] = "same-origin"
    return reply
