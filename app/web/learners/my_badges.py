"""« Mes badges »: the badges opened in this browser and, once signed in, all badges from every campus."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.awards import Award, AwardState, Visibility, is_suspended, may_renew
from app.domain.badges.rules import progress_words, rule_words, step_words
from app.domain.learners.requests import RequestState
from app.domain.people.parental_consent import needs_guardian_for
from app.http.pages.forms import SafeForm
from app.http.pages.render import page
from app.http.pages.typography import translated
from app.http.pages.words import BADGE_KINDS, StateLabel, day, sentence_text
from app.http.policies import public
from app.http.request_scope import ReadingServices, WritingServices, close_session_in, find_signed_in
from app.http.response_cache import forget_here, held_here, people_here
from app.http.security_headers import as_private
from app.language import N_
from app.services.awards.awards import AwardRecord
from app.services.badges import picture_words
from app.services.frameworks.pathway_progress import OwnPathway
from app.web.learners.requests import MY_STATES

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


_SUSPENDED = StateLabel(N_("Suspendu par le campus"), "past")
_EXPIRED = StateLabel(N_("Expiré"), "past")
_MOST_AHEAD = 4
_MOST_ENDORSED = 30


@dataclass(frozen=True)
class BadgeOnShelf:
    id: uuid.UUID
    title: str
    url: str
    picture: str
    picture_words: str
    kind: str
    day: str
    differs: str
    """The activity, where another badge of the person has the same title."""
    state: StateLabel
    is_new: bool
    endorsed: int
    renewal: str
    """URL to ask for it again, shortly before its end and afterwards."""
    until: str


@dataclass(frozen=True)
class OwnRequest:
    title: str
    url: str
    sent: str
    state: StateLabel
    is_mine: bool
    """The requester has to act."""


@dataclass(frozen=True)
class BadgeAhead:
    """A badge counted in the log; `missing` and `done` are conditions as text, `ahead` what is still missing."""

    title: str
    campus: str
    rule: str
    missing: Sequence[str]
    done: Sequence[str]
    ahead: str


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
    titles = Counter(record.version.name for record in records)
    badges = [
        _on_shelf(
            services,
            record,
            is_one_of_several=titles[record.version.name] > 1,
            with_endorsements=position < _MOST_ENDORSED,
        )
        for position, record in enumerate(records)
    ]
    with services.across_campuses():
        people = people_here(request, services)
        ahead = _ahead(services, [each for each in records if each.person.id in people])
        requests = _requests(services, who.person.id) if who else []
        pathways = services.pathway_followers.mine(who.person.id) if who else []
        has_modules = who is not None and services.modules.has_begun(who.person.id)
        unread = services.peer_recommendations.waiting_about([each.id for each in badges])
    return as_private(
        page(
            request,
            "learners/shelf.html",
            status=401 if is_missing else 200,
            private=True,
            badges=badges,
            ahead=ahead,
            requests=requests,
            pathways=[
                (f"/mes-badges/parcours/{each.pathway.id}", each.content.title, _next_stage(each))
                for each in pathways
            ],
            has_modules=has_modules,
            unread=[each for each in badges if each.id in unread],
            waiting=[
                *(each for each in badges if each.id in unread),
                *(each for each in badges if each.is_new),
                *(each for each in requests if each.is_mine),
                *(each for each in badges if each.renewal),
            ],
            tu=any(needs_guardian_for(record.person, record.activity) for record in records),
            has_account=who is not None,
            is_missing=is_missing,
            missing_url=request.url.path,
            done=done,
        )
    )


def _on_shelf(
    services: Services, record: AwardRecord, *, is_one_of_several: bool, with_endorsements: bool
) -> BadgeOnShelf:
    award, zone = record.award, record.campus.time_zone
    until = award.valid_until
    ends = may_renew(award, days=record.version.validity_days, at=services.clock())
    return BadgeOnShelf(
        id=award.id,
        title=record.version.name,
        url=f"/mes-badges/{award.id}",
        picture=f"/badges/{record.badge.id}/v{record.version.number}/image.svg",
        picture_words=sentence_text(picture_words(record.campus, record.version)),
        kind=f"{translated(BADGE_KINDS[record.version.kind])}, {record.campus.short_name}",
        day=day(award.awarded_at, zone),
        differs=record.activity.title if is_one_of_several and record.activity else "",
        state=_state(award, services.clock()),
        is_new=award.claimed_at is None and award.state is AwardState.ISSUED,
        endorsed=len(services.endorsements.about_award(record)) if with_endorsements else 0,
        renewal=f"/badges/{record.badge.id}/demande" if ends and record.badge.accepts_requests else "",
        until=day(until, zone) if until else "",
    )


def _ahead(services: Services, records: Sequence[AwardRecord]) -> list[BadgeAhead]:
    """The nearest badges with a rule, at each campus that the person has a badge of."""
    campuses = {record.campus.id: record for record in records}
    found = [
        (progress.share, version.name, record.campus.short_name, progress)
        for record in campuses.values()
        for _, version, progress in services.rule_ledger.ways_ahead(record.campus, record.person.id)
    ]
    found.sort(key=lambda one: (-one[0], one[1]))
    return [
        BadgeAhead(
            title,
            campus,
            rule_words(progress.rule),
            [step_words(step) for step in progress.nearest if step.reached < step.condition.least],
            [step_words(step) for step in progress.nearest if step.reached >= step.condition.least],
            progress_words(progress),
        )
        for _, title, campus, progress in found[:_MOST_AHEAD]
    ]


def _requests(services: Services, person_id: uuid.UUID) -> list[OwnRequest]:
    return [
        OwnRequest(
            title,
            f"/demandes/{token}",
            day(each.created_at),
            MY_STATES[each.state],
            each.state in (RequestState.MORE, RequestState.UNCONFIRMED),
        )
        for each, title, token in services.asking.of_person(person_id)
    ]


def _next_stage(own: OwnPathway) -> str:
    step = own.progress.next
    if own.progress.is_complete or step is None:
        return ""
    return translated(N_("Possible maintenant : {title}")).format(title=step.stage.title)


def _state(award: Award, now: datetime) -> StateLabel:
    if award.state is AwardState.REVOKED:
        return _REVOKED
    if is_suspended(award, at=now):
        return _SUSPENDED
    if award.valid_until is not None and award.valid_until <= now:
        return _EXPIRED
    return _OPEN if award.visibility is Visibility.OPEN else _SHUT
