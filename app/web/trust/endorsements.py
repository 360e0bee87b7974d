"""One endorsement's own page, verified now; and the page by which its organisation takes it back."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.trust.endorsements import Endorsed
from app.http.negotiation import ForPeople
from app.http.pages.forms import SafeForm
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.pages.wording import moment
from app.http.policies import public
from app.http.request_scope import AT_ANY_CAMPUS, ReadingServices, deed, limited
from app.http.workplaces import look_of
from app.language import N_
from app.services.trust.endorsements import Shown, Subject
from app.web.trust.recommendations import recommendation
from sceau_credentials.verification.findings.reasons import Reason

router = APIRouter()
public_page = APIRouter(route_class=ForPeople)
_BACK = "/recommandations/retirer"
_DONE = {
    "signee": N_("C’est signé et publié. Une lettre vous le confirme, avec le lien de cette page."),
    "retiree": N_("La recommandation est retirée. Ses mots et votre adresse ne sont plus gardés ici."),
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


@router.get(f"{_BACK}/{{token}}", dependencies=[AT_ANY_CAMPUS])
@public
def show_taking_back(token: str, request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    """A page and not yet the deed: programs that follow links in letters take nothing back."""
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
        done=say(_DONE[fait]) if fait in _DONE else "",
    )
    reply.headers["Referrer-Policy"] = "same-origin"
    return reply


@router.post(f"{_BACK}/{{token}}", dependencies=[AT_ANY_CAMPUS, limited("endorsing")])
@public
def take_back(token: str, request: Request, _form: SafeForm) -> Response:
    with deed(request) as writing:
        writing.endorsements_taken_back.withdraw(token)
    return RedirectResponse(f"{_BACK}/{token}?fait=retiree", status_code=303)


def recommendation_shown(services: Services, found: Shown, subject: Subject) -> dict[str, Any]:
    """What `trust/show.html` says."""
    campus, path = subject.campus, f"/recommandations/{found.endorsement.id}"
    return {
        "r": recommendation(found, campus.time_zone, contact=campus.contact_email),
        "holds": found.holds,
        "sentence": say(_sentence(found)),
        "when": moment(services.clock(), campus.time_zone),
        "subject_title": subject.title,
        "subject_url": _url_of(subject),
        "campus_name": campus.name,
        "json_url": f"{path}.json" if _has_json(found) else "",
        "jwt_url": f"{path}.jwt" if found.endorsement.token or not _has_json(found) else "",
        "issuer": found.answer.issuer if found.answer else "",
    }


def _sentence(found: Shown) -> str:
    if found.holds or found.answer is None:
        return _HOLDS
    return _ANSWERS.get(found.answer.reason, _LOST if found.answer.outcome.value == "failed" else _OPEN)


def _has_json(found: Shown) -> bool:
    return found.endorsement.written.startswith("{")


def _url_of(subject: Subject) -> str:
    if subject.record:
        return f"/attributions/{subject.record.award.id}"
    if subject.badge and subject.version:
        return f"/badges/{subject.badge.id}/v{subject.version.number}"
    return f"/campus/{subject.campus.slug}"


router.include_router(public_page)
