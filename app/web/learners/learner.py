"""The learner's pages: private link, badge, visibility, and download."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.awards import AwardState, Visibility
from app.domain.learners.ratings import rated_from
from app.domain.people import are_spellings
from app.domain.people.consents import About, is_minor_for, needs_guardian_for, wording_of
from app.errors import Gone
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import CampusLook, page
from app.http.pages.words import day, moment, reason_shown, sentence_text
from app.http.request_scope import (
    Policy,
    ReadingServices,
    Who,
    WritingServices,
    find_signed_in,
    marked,
    public,
)
from app.http.response_cache import (
    CHANGING_HOLDER,
    HOLDER,
    cache_here,
    check_speaks_for_person,
    find_holder,
    held_here,
    holder_of,
)
from app.http.security_headers import as_private
from app.http.workplaces import look_of
from app.language import N_, translated
from app.services.accounts.sessions import Holder, SignedIn
from app.services.awards.awards import AwardRecord
from app.services.badges import picture_words
from app.services.people.parental_consent import ParentState
from app.services.people.people import LinksTurnedOff
from app.services.publishing import Published
from app.services.verification.answers import Answer
from app.web.accounts.sign_in import same_browser
from app.web.awards.claim_slips import certificate_of
from app.web.awards.rule_awarding import lines_shown
from app.web.learners.my_badges import DONE as SHELF_DONE
from app.web.learners.my_badges import is_over, renewal_of, shelf_page
from app.web.publishing.award_page import (
    given_by,
    offers_linked_in,
    public_words,
    sharing_of,
    texts_naming,
    why_given,
)
from app.web.verification.verification_page import AnswerShown, shown

_MOST_CHECKS = 20
router = APIRouter()


class Form(StrEnum):
    PDF = "pdf"
    PNG = "png"
    SVG = "svg"
    JSON = "json"
    JWT = "jwt"
    ZIP = "zip"


class CodeForm(StrEnum):
    SVG = "svg"
    PNG = "png"


_USES = {
    Form.PDF: (N_("Certificat PDF"), N_("Pour le CV et l’imprimante : le badge signé y est joint.")),
    Form.PNG: (
        N_("Image PNG"),
        N_(
            "À montrer, à joindre : le badge signé est dedans, et l’adresse où le vérifier est écrite dessus."
        ),
    ),
    Form.SVG: (N_("Image SVG"), N_("La même, nette à toutes les tailles.")),
    Form.JSON: (N_("Badge signé, JSON"), N_("Pour un portefeuille numérique ou un autre service de badges.")),
    Form.JWT: (
        N_("Badge signé, JWT"),
        N_("La même chose, dans la forme que certains portefeuilles demandent."),
    ),
    Form.ZIP: (
        N_("Paquet de vérification, ZIP"),
        N_("Le badge et tout ce qu’il faut pour le vérifier plus tard sans réseau, à la date d’aujourd’hui."),
    ),
}
_DONE = {
    **SHELF_DONE,
    "recu": N_("C’est fait : le badge est là, et le campus le sait. Pour l’instant, sa page est fermée."),
    "comparaison": N_(
        "C’est noté : qui voit la page de ce badge peut y comparer une adresse à celle du titulaire."
    ),
    "sans-comparaison": N_("C’est noté : personne ne peut plus comparer une adresse à celle du titulaire."),
    "recherche": N_("C’est noté. Les moteurs de recherche mettent parfois des semaines à suivre."),
    "parent": N_("Demande envoyée : ton parent reçoit un e-mail. Sa réponse s’affichera ici."),
    "avec-nom": N_(
        "C’est fait : ce badge dit votre nom. Les fichiers téléchargés avant disent « remplacé »."
    ),
    "sans-nom": N_(
        "C’est fait : ce badge ne dit plus votre nom. Les fichiers téléchargés avant disent « remplacé »."
    ),
    "sans-nom-seul": N_(
        "C’est fait : ce badge est signé de nouveau sans votre nom. Les fichiers téléchargés avant disent « remplacé »."
    ),
    "nom-expire": N_(
        "Ce badge a expiré et ne sera plus signé : son fichier garde votre nom. Sa page est donc fermée."
    ),
    "compter": N_("C’est noté : les consultations de cette page sont comptées, jour par jour."),
    "ne-pas-compter": N_("C’est noté : plus rien n’est compté, et les anciens nombres sont effacés."),
    "avec-adresse": N_(
        "C’est fait : la version Open Badges 2.0 de ce badge contient l’empreinte de votre adresse."
    ),
    "sans-adresse": N_("C’est fait : la version Open Badges 2.0 de ce badge ne contient plus d’empreinte."),
    "nom": N_("C’est noté. Les badges déjà reçus ne changent pas."),
}


@dataclass(frozen=True)
class FileShown:
    name: str
    use: str
    url: str
    size: int


@dataclass(frozen=True)
class MyBadge:
    """The badge as its holder sees it; `answer` is verified now, as for any visitor."""

    id: uuid.UUID
    zone: str
    look: CampusLook
    url: str
    public_url: str
    title: str
    picture: str
    picture_words: str
    is_open: bool
    is_findable: bool
    says_tu: bool
    """The holder is under 15: the pages address them as « tu »."""
    opening_words: str
    name_words: str
    parent: ParentState
    parent_typed: str
    parent_trouble: str
    is_revoked: bool
    is_claimed: bool
    revoked_reason: str
    suspended: str
    """The last day of its suspension; empty unless it is suspended."""
    suspended_reason: str
    until: str
    """The day of its end; empty without one."""
    is_over: bool
    renewal: str
    """URL to ask for it again."""
    allows_name: bool
    names_in_badges: bool
    knows_name: bool
    other_name: str
    """The name that the campus knows, if it is really another than the holder's; empty otherwise."""
    may_say_name: bool
    offers_linked_in: bool
    is_minor: bool
    says_name: bool
    named_in: Sequence[str]
    """Kinds of text on its page that name the holder, though the badge does not."""
    says_address: bool
    answers_checks: bool
    counts_views: bool
    first_name: str
    given: str
    received: str
    why: str
    public: Sequence[tuple[str, str]]
    answer: AnswerShown


@router.get("/recevoir/{token}")
@public
def receive(token: str, request: Request, services: WritingServices) -> Response:
    """Opens the badge in this browser, and removes the secret from the address bar. Works any number of
    times."""
    try:
        opened = services.people.open_private_link(token, browser=same_browser(request).name)
    except LinksTurnedOff as error:
        return RedirectResponse(f"/mes-badges/{error.award_id}", status_code=303)
    award_id = opened.session.award_id
    assert award_id is not None, "a private link opens one award"
    services.enter_campus_of(award_id)
    services.delivery.link_opened(award_id)
    answer = RedirectResponse(f"/mes-badges/{award_id}", status_code=303)
    if award_id not in held_here(request, services):
        cache_here(answer, request, opened)
    return answer


@router.get("/mes-badges/{award_id:uuid}")
@marked(Policy(Who.HOLDER))
def show_mine(
    award_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    who = find_holder(award_id, request, services)
    if who is None:
        services.awards.check_not_erased(award_id)
        return shelf_page(request, services, is_missing=True)
    services.enter_campus_of(award_id)
    return badge_page(
        request,
        services,
        my_badge(services, who, award_id),
        "show",
        done=fait,
        rating=rating_line(services, services.awards.record(award_id)),
        views=_views_shown(services, award_id),
        lines_waiting=sum(
            each.waits for each in services.peer_recommendations.mine(services.awards.record(award_id))
        ),
    )


@router.get("/mes-badges/{award_id:uuid}/montrer", dependencies=[HOLDER])
def show_opening(
    award_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    """What the page shows when open, beside what it shows today; one button opens or closes it."""
    view = my_badge(services, holder_of(award_id, request, services), award_id)
    return badge_page(request, services, view, "opening", done=fait)


@router.get("/mes-badges/{award_id:uuid}/partager", dependencies=[HOLDER])
def show_sharing(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    view = my_badge(services, holder_of(award_id, request, services), award_id)
    sharing = sharing_of(services, services.awards.record(award_id), view.url)
    campus = services.awards.record(award_id).campus
    return badge_page(
        request,
        services,
        view,
        "sharing",
        sharing=sharing,
        sharing_parts=services.selective_disclosure.is_offered(campus),
    )


@router.get("/mes-badges/{award_id:uuid}/partager/code", dependencies=[HOLDER])
def show_code(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    """The QR code alone on a white page, to be scanned from the screen."""
    view = my_badge(services, holder_of(award_id, request, services), award_id)
    sharing = sharing_of(services, services.awards.record(award_id), view.url)
    return badge_page(request, services, view, "code", sharing=sharing)


@router.get("/mes-badges/{award_id:uuid}/partager/cv.png", dependencies=[HOLDER])
def cv_picture(award_id: uuid.UUID, services: ReadingServices) -> Response:
    """For a CV: badge, QR code and short URL, 76 × 38 mm at 300 dots per inch. None of a withdrawn badge."""
    record = services.awards.record(award_id)
    if record.award.state is not AwardState.ISSUED:
        raise Gone("Ce badge a été retiré : il ne va plus sur un CV.")
    name = f"{file_name(record.version.name)}-cv.png"
    return Response(
        services.award_pictures.for_cv(record),
        media_type="image/png",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.get("/mes-badges/{award_id:uuid}/telecharger", dependencies=[HOLDER])
def show_files(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    view = my_badge(services, holder_of(award_id, request, services), award_id)
    record = services.awards.record(award_id)
    files = [
        FileShown(
            translated(name),
            translated(use),
            f"{view.url}/badge.{form.value}",
            len(_file(services, record, form).body),
        )
        for form, (name, use) in _USES.items()
    ]
    return badge_page(request, services, view, "files", files=files)


@router.get("/mes-badges/{award_id:uuid}/confidentialite", dependencies=[HOLDER])
def show_privacy(
    award_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    who = holder_of(award_id, request, services)
    record = services.awards.record(award_id)
    checks = [
        (moment(each.at, record.campus.time_zone), bool(each.facts.get("known")))
        for each in services.holders.checks_of(award_id)[:_MOST_CHECKS]
    ]
    with services.across_campuses():
        given = [
            (moment(each.at, record.campus.time_zone), each.facts)
            for each in services.presentations.shown_to(award_id)[:_MOST_CHECKS]
        ]
    view = my_badge(services, who, award_id)
    if fait == "sans-nom" and (view.says_name or view.named_in):
        fait = "nom-expire" if view.says_name else "sans-nom-seul"
    return badge_page(
        request,
        services,
        view,
        "privacy",
        done=fait,
        checks=checks,
        given=given,
        own_addresses=_own_addresses(services, who),
        older_url=services.addresses.older_award(award_id),
        lines=lines_shown(services, record),
    )


def badge_page(
    request: Request,
    services: Services,
    view: MyBadge,
    name: str,
    *,
    done: str = "",
    status: int = 200,
    **more: Any,
) -> HTMLResponse:
    answer = as_private(
        page(
            request,
            f"learners/badge/{name}.html",
            campus=view.look,
            private=True,
            status=status,
            b=view,
            done=translated(_DONE[done]) if done in _DONE else "",
            has_account=find_signed_in(request, services) is not None,
            **more,
        )
    )
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


@router.post("/mes-badges/{award_id:uuid}/visibilite", dependencies=[CHANGING_HOLDER])
def change_visibility(
    award_id: uuid.UUID, request: Request, services: WritingServices, form: SafeForm
) -> Response:
    who = holder_of(award_id, request, services)
    wanted = Visibility.OPEN if text_of(form, "vue") == "ouvert" else Visibility.CLOSED
    services.awards.set_visibility(award_id, wanted, by=who.actor)
    # A holder who changes the visibility has received the badge.
    services.delivery.claim(award_id, by=who.actor)
    done = "ouvert" if wanted is Visibility.OPEN else "ferme"
    if text_of(form, "retour") == "etagere":
        return RedirectResponse(f"/mes-badges?fait={done}#b-{award_id}", status_code=303)
    return RedirectResponse(f"/mes-badges/{award_id}?fait={done}", status_code=303)


@router.post("/mes-badges/{award_id:uuid}/recherche", dependencies=[CHANGING_HOLDER])
def change_search(
    award_id: uuid.UUID, request: Request, services: WritingServices, form: SafeForm
) -> Response:
    who = holder_of(award_id, request, services)
    services.awards.set_findable(award_id, text_of(form, "recherche") == "oui", by=who.actor)
    return RedirectResponse(f"/mes-badges/{award_id}/confidentialite?fait=recherche", status_code=303)


@router.post("/mes-badges/{award_id:uuid}/comparaison", dependencies=[CHANGING_HOLDER])
def change_checks(
    award_id: uuid.UUID, request: Request, services: WritingServices, form: SafeForm
) -> Response:
    who, answers = holder_of(award_id, request, services), text_of(form, "comparaison") == "oui"
    services.awards.answer_checks(award_id, answers, by=who.actor)
    done = "comparaison" if answers else "sans-comparaison"
    return RedirectResponse(f"/mes-badges/{award_id}/confidentialite?fait={done}", status_code=303)


@router.post("/mes-badges/{award_id:uuid}/consultations", dependencies=[CHANGING_HOLDER])
def change_counting(
    award_id: uuid.UUID, request: Request, services: WritingServices, form: SafeForm
) -> Response:
    who, counts = holder_of(award_id, request, services), text_of(form, "compter") == "oui"
    services.page_views.set_counting(award_id, counts, by=who.actor)
    done = "compter" if counts else "ne-pas-compter"
    return RedirectResponse(f"/mes-badges/{award_id}/confidentialite?fait={done}", status_code=303)


@router.post("/mes-badges/{award_id:uuid}/nom", dependencies=[CHANGING_HOLDER])
def change_name_wish(
    award_id: uuid.UUID, request: Request, services: WritingServices, form: SafeForm
) -> Response:
    who = holder_of(award_id, request, services)
    check_speaks_for_person(who, services)
    services.people.allow_name(who.person.id, text_of(form, "nom") == "oui", by=who.actor)
    return RedirectResponse(f"/mes-badges/{award_id}/confidentialite?fait=nom", status_code=303)


@router.get("/mes-badges/{award_id:uuid}/badge.{form}", dependencies=[HOLDER])
def download(award_id: uuid.UUID, form: Form, request: Request, services: ReadingServices) -> Response:
    """The badge as a file, for its holder alone and whether or not its page is open."""
    holder_of(award_id, request, services)
    record = services.awards.record(award_id)
    document = _file(services, record, form)
    name = f"{file_name(record.version.name)}.{form.value}"
    return Response(
        document.body,
        media_type=document.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        },
    )


@router.get("/mes-badges/{award_id:uuid}/code.{form}", dependencies=[HOLDER])
def code(award_id: uuid.UUID, form: CodeForm, request: Request, services: ReadingServices) -> Response:
    """The QR code of the badge's short URL, for print."""
    holder_of(award_id, request, services)
    drawn = services.papers.code(services.awards.record(award_id), form.value)
    return Response(
        drawn.body,
        media_type=drawn.media_type,
        headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"},
    )


def _file(services: Services, record: AwardRecord, form: Form) -> Published:
    if form is Form.PDF:
        return certificate_of(services, record)
    if form is Form.ZIP:
        return services.verification.package_of(record)
    return services.publication.award_file(record, form.value)


def my_badge(
    services: Services,
    who: Holder,
    award_id: uuid.UUID,
    *,
    parent_typed: str = "",
    parent_trouble: str = "",
) -> MyBadge:
    record = services.awards.record(award_id)
    award = record.award
    answer: Answer = services.verification.verify_award(record)
    words = picture_words(record.campus, record.version, services.badges.competencies_of(record.version))
    url = f"/mes-badges/{award_id}"
    view = shown(services, answer, again=url)
    return MyBadge(
        id=award_id,
        zone=record.campus.time_zone,
        look=look_of(record.campus),
        url=url,
        public_url=services.addresses.award(award_id),
        title=record.version.name,
        picture=f"/badges/{record.badge.id}/v{record.version.number}/image.svg",
        picture_words=sentence_text(words),
        is_open=award.visibility is Visibility.OPEN,
        is_findable=award.is_findable,
        says_tu=needs_guardian_for(record.person, record.activity),
        opening_words=translated(wording_of(About.PUBLICATION)),
        name_words=translated(wording_of(About.NAME)),
        parent=services.guardians.state_of(record),
        parent_typed=parent_typed,
        parent_trouble=parent_trouble,
        is_revoked=award.state is AwardState.REVOKED,
        is_claimed=award.claimed_at is not None,
        revoked_reason=reason_shown(award.revoked_reason),
        suspended=day(last, record.campus.time_zone)
        if (last := award.suspended_through(at=services.clock()))
        else "",
        suspended_reason=reason_shown(award.suspended_reason),
        until=day(award.valid_until, record.campus.time_zone) if award.valid_until else "",
        is_over=is_over(award, at=services.clock()),
        renewal=renewal_of(record, at=services.clock()),
        allows_name=who.person.allows_name,
        names_in_badges=record.campus.names_in_credentials,
        knows_name=bool(award.campus_name),
        other_name="" if are_spellings(award.campus_name, who.person.name) else award.campus_name,
        may_say_name=not needs_guardian_for(record.person, record.activity),
        offers_linked_in=offers_linked_in(record),
        is_minor=is_minor_for(record.person, record.activity),
        says_name=award.holder_name is not None,
        named_in=texts_naming(record, view),
        answers_checks=award.answers_checks,
        counts_views=award.counts_views,
        says_address=bool(award.older_recipient),
        first_name=who.person.given_name or who.person.name,
        given=given_by(record),
        received=day(award.awarded_at, record.campus.time_zone),
        why=why_given(services, record),
        public=public_words(record, view),
        answer=view,
    )


@dataclass(frozen=True)
class ViewsShown:
    """`bars`: x and height of each day in a drawing of 300 × 60; `days`: those with openings, newest first."""

    total: int
    bars: Sequence[tuple[int, float]]
    days: Sequence[tuple[str, int]]
    first: str
    last: str


_BAR_STEP, _TALLEST = 10, 52


def _views_shown(services: Services, award_id: uuid.UUID) -> ViewsShown:
    by_day = services.page_views.by_day(award_id)
    most = max(4, *(count for _, count in by_day))
    return ViewsShown(
        total=sum(count for _, count in by_day),
        bars=[
            (number * _BAR_STEP + 1, round(_TALLEST * count / most, 1))
            for number, (_, count) in enumerate(by_day)
            if count
        ],
        days=[(day(when), count) for when, count in reversed(by_day) if count],
        first=day(by_day[0][0]),
        last=day(by_day[-1][0]),
    )


def rating_line(services: Services, record: AwardRecord) -> str:
    """What the holder may do, or did; empty for a revoked badge."""
    if record.award.state is not AwardState.ISSUED:
        return ""
    rating = services.ratings.of_holder(record)
    if rating is not None:
        return translated("{n} sur 5").format(n=rating.score)
    first = rated_from(record.award)
    if services.clock() >= first:
        return translated("donner une note")
    return translated("à partir du {day}").format(day=day(first, record.campus.time_zone))


def _own_addresses(services: Services, who: Holder) -> Sequence[tuple[str, str]]:
    """A private link proves possession of one badge, and reveals no e-mail addresses."""
    if not isinstance(who, SignedIn):
        return ()
    return [
        (each.address, each.address)
        for each in services.own_addresses.list_of(who.person.id)
        if each.verified_at
    ]


def file_name(title: str) -> str:
    """A portable file name: letters without accents, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", title.casefold().replace("œ", "oe").replace("æ", "ae"))
    return re.sub(r"[^a-z0-9]+", "-", plain.encode("ascii", "ignore").decode()).strip("-")[:60] or "badge"
