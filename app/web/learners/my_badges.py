"""« Mes badges »: the badges opened in this browser and, once signed in, all badges from every campus."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.background import BackgroundTask

from app.container import Services
from app.domain.awards import Award, AwardState, Visibility, is_suspended, may_renew
from app.domain.badges.rules import progress_words, rule_words, step_words
from app.domain.learners.portfolios import Belonging, ImportedBadge
from app.domain.learners.requests import RequestState
from app.domain.people import normal_address
from app.domain.people.consents import needs_guardian_for
from app.errors import AppError, InvalidInput, NotFound, NotSignedIn
from app.http.pages.forms import SafeForm, bytes_of, text_of, untouched_text_of
from app.http.pages.render import page
from app.http.pages.words import BADGE_KINDS, StateLabel, day, moment, sentence_text
from app.http.request_scope import (
    Policy,
    ReadingServices,
    Who,
    WritingServices,
    close_session_in,
    find_signed_in,
    limited,
    marked,
    process_of,
    public,
    sentence_of,
    status_for,
    write_transaction,
)
from app.http.response_cache import forget_here, held_here, people_here
from app.http.security_headers import as_private
from app.language import N_, translated
from app.services.awards.awards import AwardRecord
from app.services.badges import picture_words
from app.services.frameworks.pathway_progress import OwnPathway
from app.services.learners.imported_badges import NotImported, heading_of
from app.web.accounts.sign_in import FromAskingBrowser, go_on_to, remember_browser, same_browser, write_to
from app.web.learners.requests import MY_STATES
from app.web.verification.verification_page import AnswerShown, answer_page, shown

router = APIRouter(prefix="/mes-badges")
DONE = {
    "ouvert": N_("La page est ouverte. Toute personne qui a le lien la voit."),
    "ferme": N_(
        "La page est fermée. Le lien, l’image et les fichiers publics ne montrent plus rien. Une copie en mémoire peut rester visible une minute."
    ),
}
_OPEN = StateLabel("Page ouverte", "ok")
_SHUT = StateLabel("Page fermée", "shut")
_REVOKED = StateLabel("Retiré par le campus", "bad")


_SUSPENDED = StateLabel("Suspendu par le campus", "past")
_EXPIRED = StateLabel("Expiré", "past")
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
    full_title: str
    """With activity and day there."""
    state: StateLabel
    is_new: bool
    endorsed: int
    renewal: str
    """URL to ask for it again, shortly before its end and afterwards."""
    until: str
    is_over: bool


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
    until, given_on = award.valid_until, day(award.awarded_at, zone)
    differs = record.activity.title if is_one_of_several and record.activity else ""
    apart = filter(None, (differs, given_on)) if is_one_of_several else ()
    return BadgeOnShelf(
        id=award.id,
        title=record.version.name,
        url=f"/mes-badges/{award.id}",
        picture=f"/badges/{record.badge.id}/v{record.version.number}/image.svg",
        picture_words=sentence_text(picture_words(record.campus, record.version)),
        kind=f"{translated(BADGE_KINDS[record.version.kind])}, {record.campus.short_name}",
        day=given_on,
        differs=differs,
        full_title=", ".join((record.version.name, *apart)),
        state=_state(award, services.clock()),
        is_new=award.claimed_at is None and award.state is AwardState.ISSUED,
        endorsed=len(services.endorsements.about_award(record)) if with_endorsements else 0,
        renewal=renewal_of(record, at=services.clock()),
        until=day(until, zone) if until else "",
        is_over=is_over(award, at=services.clock()),
    )


def renewal_of(record: AwardRecord, *, at: datetime) -> str:
    """Where its holder asks for it again; empty while, or where, they cannot."""
    ends = may_renew(record.award, days=record.version.validity_days, at=at)
    return (
        f"/badges/{record.badge.id}/demande"
        if ends and record.badge.accepts_requests and record.campus.suspended_at is None
        else ""
    )


def is_over(award: Award, *, at: datetime) -> bool:
    return award.valid_until is not None and award.valid_until <= at


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
    return translated("Possible maintenant : {title}").format(title=step.stage.title)


def _state(award: Award, now: datetime) -> StateLabel:
    if award.state is AwardState.REVOKED:
        return _REVOKED
    if is_suspended(award, at=now):
        return _SUSPENDED
    if is_over(award, at=now):
        return _EXPIRED
    return _OPEN if award.visibility is Visibility.OPEN else _SHUT


# --- Badges from elsewhere, on a learner's pages: imported from a file, text or link, verified, shown,
# removed

imported_badges_router = APIRouter()
_HOME = "/mes-badges/ailleurs"
_NOTHING_TYPED = N_("Déposez un fichier, ou donnez l’adresse ou le texte du badge.")
_DONE = {
    "ajoute": N_("Le badge est ajouté. Il n’est montré à personne tant que vous ne le décidez pas."),
    "note": N_("C’est noté."),
    "retire": N_("Le badge est retiré d’ici. Le fichier que vous avez reste le vôtre."),
}
_BELONGS = {
    Belonging.THEIRS: N_("Il contient l’une de vos adresses vérifiées ici."),
    Belonging.ANOTHERS: N_(
        "Il contient une adresse qui n’est pas l’une des vôtres, vérifiées ici. Si c’est une ancienne "
        "adresse, ajoutez-la à votre compte. En attendant, le badge n’est pas affiché."
    ),
    Belonging.UNSAID: N_(
        "Nous ne pouvons pas dire s’il a été donné à vous : le badge ne nomme personne d’une façon que nous "
        "puissions comparer à vos adresses vérifiées."
    ),
}
_SAID_IN_PUBLIC = {
    Belonging.THEIRS: N_("Au nom d’une adresse que la personne a vérifiée ici."),
    Belonging.ANOTHERS: N_("Au nom de quelqu’un d’autre."),
    Belonging.UNSAID: N_("Rien dans le badge ne permet de dire qu’il a été donné à cette personne."),
}


_NAMES_ANOTHER = N_(
    "Ce badge nomme {name}, et ce n’est pas le nom que vous avez ici : il ne se montre pas. S’il est à vous, ajoutez à "
    "votre compte l’adresse qu’il contient et confirmez-la, ou demandez à son émetteur un badge à votre nom."
)


@dataclass(frozen=True)
class ImportedBadgeView:
    """`state` is the result of the check on the day `checked`; the page at `url` checks again."""

    id: str
    title: str
    issuer: str
    awarded: str
    state: StateLabel
    checked: str
    belongs: str
    url: str
    is_shown: bool
    may_be_shown: bool


def imported_badge_view(badge: ImportedBadge, url: str, *, in_public: bool = False) -> ImportedBadgeView:
    state, heading = heading_of(badge)
    words = _SAID_IN_PUBLIC if in_public else _BELONGS
    return ImportedBadgeView(
        id=str(badge.id),
        title=badge.title or translated("Badge sans nom"),
        issuer=badge.issuer_name,
        awarded=day(badge.awarded_at) if badge.awarded_at else "",
        state=StateLabel(sentence_text(heading), state),
        checked=day(badge.checked_at),
        belongs=translated(_NAMES_ANOTHER).format(name=badge.holder_name)
        if badge.belongs is Belonging.ANOTHERS and badge.holder_name
        else translated(words[badge.belongs]),
        url=url,
        is_shown=badge.is_shown,
        may_be_shown=badge.may_be_shown,
    )


@marked(Policy(Who.HOLDER))
def _imported(imported_id: uuid.UUID, request: Request, services: ReadingServices) -> None:
    _mine(imported_id, request, services)


@marked(Policy(Who.HOLDER))
def _changed(imported_id: uuid.UUID, request: Request, services: WritingServices) -> None:
    _mine(imported_id, request, services)


def _mine(imported_id: uuid.UUID, request: Request, services: Services) -> ImportedBadge:
    badge = services.imported_badges.get(imported_id)
    if badge.person_id not in people_here(request, services):
        raise NotSignedIn("Pour voir ce badge, ouvrez d’abord un de vos badges avec son lien privé.")
    return badge


@imported_badges_router.get(_HOME)
@public
def show(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _page(request, services, done=translated(_DONE[fait]) if fait in _DONE else "")


@imported_badges_router.post(_HOME, dependencies=[limited("verify")])
@public
def bring(request: Request, services: ReadingServices, form: SafeForm) -> Response:
    """Takes the first of file, text and link; a badge that cannot be stored gets the answer of the public
    checker."""
    typed = {"texte": untouched_text_of(form, "texte"), "lien": untouched_text_of(form, "lien")}
    file = bytes_of(form, "fichier")
    presented = file or typed["texte"].strip() or typed["lien"].strip()
    field = "fichier" if file or not presented else "texte" if typed["texte"].strip() else "lien"
    people = {str(key): who.person for key, who in people_here(request, services).items()}
    person = people.get(text_of(form, "personne"))
    if person is None:
        return RedirectResponse(_HOME, status_code=303)
    if not presented:
        return _page(request, services, faults={field: translated(_NOTHING_TYPED)})
    try:
        found = services.imported_badges.read(person, presented)
        with write_transaction(request) as writing:
            writing.imported_badges.add(found)
    except NotImported as refused:
        answer = shown(services, refused.answer)
        return _page(request, services, refused=answer, faults={field: answer.word}, typed=typed)
    except InvalidInput as error:
        return _page(request, services, faults={field: sentence_of(error)}, typed=typed)
    except AppError as error:
        return _page(request, services, trouble=sentence_of(error), typed=typed)
    return RedirectResponse(f"{_HOME}?fait=ajoute", status_code=303)


@imported_badges_router.get(
    f"{_HOME}/{{imported_id:uuid}}", dependencies=[Depends(_imported, scope="function"), limited("verify")]
)
def look(imported_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    """The answer an employer would get, verified now."""
    badge = services.imported_badges.get(imported_id)
    return answer_page(
        request, services, services.imported_badges.check(badge), again=f"{_HOME}/{imported_id}"
    )


@imported_badges_router.post(
    f"{_HOME}/{{imported_id:uuid}}", dependencies=[Depends(_changed, scope="function")]
)
def change(imported_id: uuid.UUID, services: WritingServices, form: SafeForm) -> Response:
    badge, wanted = services.imported_badges.get(imported_id), text_of(form, "geste")
    if wanted == "retirer":
        services.imported_badges.remove(badge)
        return RedirectResponse(f"{_HOME}?fait=retire", status_code=303)
    services.imported_badges.show(badge, wanted == "montrer")
    return RedirectResponse(f"{_HOME}?fait=note#b-{imported_id}", status_code=303)


@imported_badges_router.post(
    f"{_HOME}/{{imported_id:uuid}}/revoir",
    dependencies=[Depends(_imported, scope="function"), limited("verify")],
)
def check_again(
    imported_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    form: SafeForm,  # noqa: ARG001
) -> Response:
    """Checks now instead of next week: an address in the badge may have been proved since."""
    verdict = services.imported_badges.evaluate(imported_id)
    if verdict is not None:
        with write_transaction(request) as writing:
            writing.imported_badges.note(imported_id, verdict)
    return RedirectResponse(f"{_HOME}?fait=note#b-{imported_id}", status_code=303)


@imported_badges_router.get(
    "/portfolio/{portfolio_id:uuid}/ailleurs/{imported_id:uuid}", dependencies=[limited("verify")]
)
@public
def show_in_public(
    portfolio_id: uuid.UUID, imported_id: uuid.UUID, request: Request, services: ReadingServices
) -> HTMLResponse:
    """A badge that its holder shows in an open portfolio, verified now."""
    opened = services.portfolios.open_page(portfolio_id)
    shown_there = services.imported_badges.shown_by(opened.portfolio.person_id)
    badge = next((each for each in shown_there if each.id == imported_id), None)
    if badge is None:
        raise NotFound("Ce badge n’est plus ici.")
    answer = answer_page(
        request,
        services,
        services.imported_badges.check(badge),
        again=f"/portfolio/{portfolio_id}/ailleurs/{imported_id}",
    )
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def in_portfolio(
    services: Services, person_id: uuid.UUID, portfolio_id: uuid.UUID
) -> list[ImportedBadgeView]:
    return [
        imported_badge_view(each, f"/portfolio/{portfolio_id}/ailleurs/{each.id}", in_public=True)
        for each in services.imported_badges.shown_by(person_id)
    ]


def _page(
    request: Request,
    services: Services,
    *,
    done: str = "",
    trouble: str = "",
    faults: Mapping[str, str] = MappingProxyType({}),
    refused: AnswerShown | None = None,
    typed: Mapping[str, str] = MappingProxyType({}),
) -> HTMLResponse:
    people = [who.person for who in people_here(request, services).values()]
    held: Sequence[ImportedBadgeView] = [
        imported_badge_view(each, f"{_HOME}/{each.id}")
        for person in people
        for each in services.imported_badges.of(person.id)
    ]
    answer = page(
        request,
        "learners/elsewhere.html",
        private=True,
        badges=held,
        people=[(str(person.id), person.name) for person in people],
        done=done,
        status=status_for(trouble, faults),
        trouble=trouble,
        faults=faults,
        refused=refused,
        typed=typed,
        now=moment(services.clock()),
    )
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


# --- « Retrouver tous mes badges »: an e-mail opens all badges of an address, without a password

badge_recovery_router = APIRouter(prefix="/mes-badges/retrouver")


@badge_recovery_router.get("")
@public
def ask(request: Request, services: ReadingServices, badge: str = "") -> HTMLResponse:
    return _recovery_page(request, badge=_held(request, services, badge))


@badge_recovery_router.post("", dependencies=[limited("link from a network"), FromAskingBrowser])
@public
def send_link(request: Request, services: ReadingServices, form: SafeForm) -> HTMLResponse:
    """Same answer for every address, known or not: never reveals who holds a badge."""
    address, process = text_of(form, "adresse"), process_of(request)
    badge = _held(request, services, text_of(form, "badge"))
    if address:
        process.limiter.hit("link to an address", normal_address(address))
    holder = held_here(request, services)[badge].person if badge else None
    answer = _recovery_page(request, badge=badge, asked=bool(address), address=address)
    # Runs after the response: the duration of the search must not reveal anything either.
    answer.background = BackgroundTask(write_to, process, address, same_browser(request), holder)
    return answer


def _held(request: Request, services: Services, badge: str) -> uuid.UUID | None:
    """The badge that the reader came from, if this browser was shown its private link."""
    try:
        award_id = uuid.UUID(badge)
    except ValueError:
        return None
    return award_id if award_id in held_here(request, services) else None


def _recovery_page(
    request: Request, *, badge: uuid.UUID | None, asked: bool = False, address: str = ""
) -> HTMLResponse:
    process = process_of(request)
    answer = page(
        request,
        "learners/find.html",
        private=True,
        badge=badge or "",
        asked=asked,
        address=address,
        letters_leave=process.mailer is not None,
        on_this_machine=process.settings.is_local and not process.settings.smtp_url,
    )
    remember_browser(answer, request)
    go_on_to(answer, request, "/mes-badges")
    return answer
