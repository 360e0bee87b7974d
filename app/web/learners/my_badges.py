"""« Mes badges »: the badges opened in this browser and, once signed in, all badges from every campus."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.awards.awards import Award, AwardState, Visibility
from app.http.pages.forms import SafeForm
from app.http.pages.render import page
from app.http.pages.typography import translated
from app.http.pages.words import BADGE_KINDS, StateLabel, sentence_text
from app.http.policies import public
from app.http.request_scope import ReadingServices, WritingServices, close_session_in, find_signed_in
from app.http.response_cache import forget_here, held_here
from app.http.security_headers import as_private
from app.language import N_
from app.services.awards.awards import AwardRecord
from app.services.badges.badges import picture_words
from app.web.publishing.award_page import public_words
from app.web.verification.verification_page import shown

router = APIRouter(prefix="/mes-badges")
DONE = {
    "ouvert": N_("La page est ouverte. Toute personne qui a le lien la voit."),
    "ferme": N_(
        "La page est fermée. Le lien, l’image et les fichiers publics ne montrent plus rien. Une copie en mémoire peut rester visible une minute."
    ),
}
_OPEN = StateLabel(N_("Page ouverte"), "ok")
_SHUT = StateLabel(N_("Page fermée"), "shut")
_REVOKED = StateLabel(N_("Retiré par le campus"), "bad")


@dataclass(frozen=True)
class BadgeOnShelf:
    id: uuid.UUID
    title: str
    url: str
    picture: str
    picture_words: str
    kind: str
    campus: str
    state: StateLabel
    is_new: bool
    may_open: bool
    says: Sequence[tuple[str, str]]
    """For a new badge: the public content of its page."""


@router.get("")
@public
def shelf(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return shelf_page(request, services, done=translated(DONE[fait]) if fait in DONE else "")


@router.post("/quitter")
@public
def leave(request: Request, services: WritingServices, form: SafeForm) -> Response:  # noqa: ARG001 - its check is the point
    """For shared computers: the learner keeps the badges, this browser forgets them and a copied cookie
    becomes invalid."""
    who = find_signed_in(request, services)
    for each in (*held_here(request, services).values(), *([who] if who else ())):
        services.sessions.end(each)
    answer = RedirectResponse("/mes-badges", status_code=303)
    forget_here(answer, request)
    close_session_in(answer, request)
    return answer


def shelf_page(
    request: Request, services: Services, *, is_missing: bool = False, done: str = ""
) -> HTMLResponse:
    """`is_missing`: another badge was requested than this browser may see."""
    who = find_signed_in(request, services)
    records = services.awards.list_of(who.person.id) if who else []
    listed = {record.award.id for record in records}
    records += [
        services.awards.record(award_id)
        for award_id in held_here(request, services)
        if award_id not in listed
    ]
    return as_private(
        page(
            request,
            "learners/shelf.html",
            status=401 if is_missing else 200,
            private=True,
            badges=[_on_shelf(services, record) for record in records],
            has_account=who is not None,
            is_missing=is_missing,
            missing_url=request.url.path,
            done=done,
        )
    )


def _public_words(services: Services, record: AwardRecord) -> Sequence[tuple[str, str]]:
    return public_words(record, shown(services, services.verification.verify_award(record)))


def _on_shelf(services: Services, record: AwardRecord) -> BadgeOnShelf:
    is_new = record.award.claimed_at is None and record.award.state is AwardState.ISSUED
    return BadgeOnShelf(
        id=record.award.id,
        title=record.version.name,
        url=f"/mes-badges/{record.award.id}",
        picture=f"/badges/{record.badge.id}/v{record.version.number}/image.svg",
        picture_words=sentence_text(picture_words(record.campus, record.version)),
        kind=translated(BADGE_KINDS[record.version.kind]),
        campus=record.campus.short_name,
        state=_state(record.award),
        may_open=services.guardians.state_of(record).may_open,
        is_new=is_new,
        says=_public_words(services, record) if is_new else (),
    )


def _state(award: Award) -> StateLabel:
    if award.state is AwardState.REVOKED:
        return _REVOKED
    return _OPEN if award.visibility is Visibility.OPEN else _SHUT
