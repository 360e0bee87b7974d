"""Parental consent: the public content of a child's badge, and consent given or refused, now or later."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.activities import is_of_pupils
from app.domain.awards import Visibility
from app.domain.people.consents import About, ParentRefused, wording_of
from app.errors import InvalidInput
from app.http.pages.forms import SafeForm, address_in, is_in_doubt, text_of
from app.http.pages.render import page
from app.http.pages.words import sentence_text
from app.http.request_scope import (
    CROSS_TENANT,
    ReadingServices,
    limited,
    process_of,
    public,
    sentence_of,
    status_of,
    write_transaction,
)
from app.http.response_cache import HOLDER, holder_of
from app.http.workplaces import look_of
from app.language import N_, translated
from app.services.awards.awards import AwardRecord
from app.services.badges import picture_words
from app.web.learners.learner import badge_page, my_badge
from app.web.publishing.award_page import public_words
from app.web.verification.verification_page import answer_page, shown_now, shown_with

router = APIRouter(dependencies=[CROSS_TENANT])
YES, NO = "oui", "non"
_DONE = {
    YES: N_(
        "Merci. La page peut devenir visible, si votre enfant le veut. Le même lien sert à retirer votre accord."
    ),
    NO: N_(
        "C’est noté. La page est fermée. Pendant trente jours, nous n’écrivons à aucun autre parent. "
        "Vous pouvez changer d’avis ici."
    ),
}


@router.get("/parent/{token}")
@public
def show_to_a_parent(token: str, request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    """GET only shows the page: programs that follow links in e-mails must not consent."""
    return _page(request, services, token, done=fait)


@router.get("/parent/{token}/page")
@public
def show_the_page_to_a_parent(token: str, request: Request, services: ReadingServices) -> HTMLResponse:
    """The public page itself, as everyone would read it, whether or not it is open."""
    _, record = services.guardians.asked(token)
    reply = answer_page(request, services, services.verification.verify_award(record))
    reply.headers["Referrer-Policy"] = "same-origin"
    reply.headers["X-Robots-Tag"] = "noindex, nofollow"
    return reply


@router.post("/parent/{token}")
@public
def answer(token: str, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    said_yes = text_of(form, "reponse")
    if said_yes not in (YES, NO):
        return _page(request, services, token, status=422)
    try:
        with write_transaction(request) as writing:
            writing.guardians.answer(token, agreed=said_yes == YES)
    except ParentRefused as error:
        return _page(request, services, token, status=status_of(error))
    return RedirectResponse(f"/parent/{token}?fait={said_yes}", status_code=303)


def _page(
    request: Request, services: Services, token: str, *, done: str = "", status: int = 200
) -> HTMLResponse:
    agreement, record = services.guardians.asked(token)
    is_open = record.award.visibility is Visibility.OPEN
    # An earlier answer may stand in the address; what is stored counts.
    holds = {YES: bool(agreement.agreed), NO: agreement.agreed is False and not is_open}.get(done, False)
    view, state = shown_now(services, record), services.guardians.state_of(record)
    badge = view.badge
    public = public_words(record, view)
    worded = " ".join((badge.title, badge.description, badge.criteria)) if badge else ""
    reply = page(
        request,
        "people/privacy/parent.html",
        campus=look_of(record.campus),
        private=True,
        status=status,
        here=f"/parent/{token}",
        child=record.person.given_name or record.person.name,
        title=record.version.name,
        description=record.version.description,
        picture=f"/badges/{record.badge.id}/v{record.version.number}/image.svg",
        picture_words=sentence_text(picture_words(record.campus, record.version)),
        public=public,
        addable=_addable(services, record, public),
        names_pupils=is_of_pupils(worded),
        has_name=bool(badge and badge.holder),
        contact=record.campus.contact_email,
        is_open=is_open,
        agreed=agreement.agreed,
        has_answered=agreement.answered_at is not None,
        another_agreed=bool(state.agreement and state.agreement.agreed) and not agreement.agreed,
        refused_until=services.guardians.refused_by_another(agreement),
        zone=record.campus.time_zone,
        asks_more=bool(agreement.agreed) and state.is_older,
        is_asked=state.is_asked_again,
        agreement=translated(wording_of(About.PARENT)),
        done=translated(_DONE[done]) if holds else "",
    )
    reply.headers["Referrer-Policy"] = "same-origin"
    return reply


def _addable(
    services: Services, record: AwardRecord, public: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """What the child may show besides: the consent covers it too."""
    row, most = services.evidence.find(record.award.id), services.evidence.bounds_of(record.award.id).most
    shown = dict.fromkeys(row.entries if row else (), most)
    whole = public_words(record, shown_with(services, record, shown))
    return [
        *(each for each in whole if each not in public),
        (
            translated("Recommandation"),
            translated("Ce que des personnes ou des organisations écriront de ce badge, à sa demande"),
        ),
    ]


@router.post("/mes-badges/{award_id:uuid}/parent", dependencies=[HOLDER, limited("parent")])
def ask_a_parent(
    award_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm
) -> Response:
    who, again = holder_of(award_id, request, services), text_of(form, "encore") == "oui"
    typed = "" if again else address_in(request, form, "parent")
    if is_in_doubt(request):
        view = my_badge(services, who, award_id, parent_typed=typed)
        return badge_page(request, services, view, "opening")
    record = services.awards.record(award_id)
    try:
        with write_transaction(request) as writing:
            writing.enter_campus_of(award_id)
            if again:
                writing.guardians.ask_again(record, by=who.actor)
            else:
                writing.guardians.ask(record, typed, by=who.actor)
    except (InvalidInput, ParentRefused) as error:
        view = my_badge(services, who, award_id, parent_typed=typed, parent_trouble=sentence_of(error))
        return badge_page(request, services, view, "opening", status=status_of(error))
    process_of(request).on_enqueue()
    return RedirectResponse(f"/mes-badges/{award_id}/montrer?fait=parent#page", status_code=303)
