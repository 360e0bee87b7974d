"""Public page of one award: open, it shows the verification; closed, it shows only that it is closed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.concurrency import run_in_threadpool

from app.container import Services
from app.domain.awards import Visibility
from app.domain.core import UNSHARED, Snapshot
from app.domain.people.consents import is_minor_for, needs_guardian_for, text_names
from app.domain.publishing import Addresses
from app.errors import NotFound
from app.http.negotiation import ForPeople, ForStrangers, gzip_body, takes_gzip
from app.http.pages.render import page
from app.http.pages.words import day, days, local, month, sentence_text
from app.http.request_scope import ReadingServices, client_network, limited, process_of, public, visit
from app.http.response_cache import find_holder, recent_pages
from app.http.security_headers import framed_anywhere
from app.http.workplaces import look_of
from app.language import N_, current_locale, labelled, speaking, translated
from app.services.awards.awards import AwardRecord
from app.services.awards.papers import CardWords
from app.services.badges import kind_words
from app.services.verification.verdicts import issuer_named
from app.web.activities.files import previewed, saved
from app.web.learners.portfolios import oembed_of
from app.web.verification.verification_page import AnswerShown, answer_page, closed_page, shown

# --- Embeds of an award page: link card, oEmbed, and a small frame
#
# All of them close together with the page.

embeds_router = APIRouter()
WIDTH, HEIGHT = 420, 260
_ONE_MINUTE = "public, max-age=60"


@embeds_router.get("/attributions/{award_id:uuid}/carte.png")
@public
def card(award_id: uuid.UUID, services: ReadingServices) -> Response:
    """In the badge's language: programs that unfold links send none."""
    record = services.publication.open_award(award_id)
    with speaking(record.version.language):
        drawn = services.award_pictures.card(record, _card_words(services, record))
    return Response(
        drawn,
        media_type="image/png",
        headers={"Cache-Control": _ONE_MINUTE, "Cross-Origin-Resource-Policy": "cross-origin"},
    )


@embeds_router.get("/attributions/{award_id:uuid}/code.svg")
@public
def code(award_id: uuid.UUID, services: ReadingServices) -> Response:
    """The QR code of the page, so that a screenshot leads to it too."""
    record = services.publication.open_award(award_id)
    drawn = services.papers.code(record, "svg")
    return Response(drawn.body, media_type=drawn.media_type, headers={"Cache-Control": _ONE_MINUTE})


@embeds_router.get("/attributions/{award_id:uuid}/integrer")
@public
def frame(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    """A short verification, done on every request, as a frame for any site."""
    record = services.publication.open_award(award_id)
    view = shown(services, services.verification.verify_award(record))
    answer = page(
        request,
        "verification/frame.html",
        campus=look_of(record.campus),
        private=True,
        a=view,
        url=services.addresses.award(award_id),
        host=services.addresses.host,
    )
    return framed_anywhere(answer)


@embeds_router.get("/verifier/integrer")
@public
def checker_frame(request: Request) -> HTMLResponse:
    """The checker form for other sites; the result opens on our own page, where no other site can restyle
    it."""
    return framed_anywhere(page(request, "verification/verifier_frame.html"))


@embeds_router.get("/oembed", dependencies=[limited("verify")])
@public
def oembed(services: ReadingServices, url: str = "", format: str = "json") -> Response:
    """What a site may embed for the URL of an award or a portfolio (oEmbed 1.0, rich)."""
    portfolio = services.addresses.portfolio_named_by(url[:2000])
    if portfolio is not None and format == "json":
        return _embedded(oembed_of(services, portfolio[0]))
    award_id = services.addresses.award_named_by(url[:2000])
    if award_id is None or format != "json":
        raise NotFound("Il n’y a pas de badge à cette adresse.")
    record = services.publication.open_award(award_id)
    body: dict[str, Any] = {
        "version": "1.0",
        "type": "rich",
        "title": record.version.name,
        "author_name": services.publication.issuer_name(award_id),
        "author_url": services.addresses.campus(record.campus.slug),
        "provider_name": "Sceau",
        "provider_url": services.addresses.base_url,
        "cache_age": 60,
        "thumbnail_url": card_address(services, award_id),
        "thumbnail_width": 1200,
        "thumbnail_height": 630,
        "html": frame_html(services, record),
        "width": WIDTH,
        "height": HEIGHT,
    }
    return _embedded(body)


def _embedded(body: dict[str, Any]) -> Response:
    return JSONResponse(body, headers={"Cache-Control": _ONE_MINUTE, "Access-Control-Allow-Origin": "*"})


def card_address(services: Services, award_id: uuid.UUID) -> str:
    return f"{services.addresses.award(award_id)}/carte.png"


def frame_html(services: Services, record: AwardRecord) -> str:
    """One line of HTML to paste into a site, without any script."""
    address = escape(f"{services.addresses.award(record.award.id)}/integrer")
    title = escape(translated("Badge « {title} »").format(title=record.version.name))
    return (
        f'<iframe src="{address}" title="{title}" width="{WIDTH}" height="{HEIGHT}" '
        'loading="lazy" style="border:0;max-width:100%"></iframe>'
    )


def checker_html(addresses: Addresses) -> tuple[str, str]:
    """The checker for other sites: as a frame without any script, and as a custom element."""
    title = escape(translated("Vérifier un badge"))
    frame = (
        f'<iframe src="{escape(addresses.verifier())}/integrer" title="{title}" width="{WIDTH}" height="280" '
        'style="border:0;max-width:100%"></iframe>'
    )
    script = f"{escape(addresses.base_url)}/static/js/sceau-verifier.js"
    return frame, f'<script src="{script}"></script> <sceau-verifier title="{title}"></sceau-verifier>'


def structured(services: Services, record: AwardRecord, issuer: str) -> dict[str, Any]:
    """schema.org data for search engines: badge and issuer, without any personal name."""
    campus, version = record.campus, record.version
    return {
        "@context": "https://schema.org",
        "@type": "EducationalOccupationalCredential",
        "name": version.name,
        "description": version.description,
        "inLanguage": version.language,
        "credentialCategory": translated("Badge ouvert"),
        "url": services.addresses.award(record.award.id),
        "image": services.addresses.picture(record.badge.id, version.number, "png"),
        "recognizedBy": {
            "@type": "Organization",
            "name": translated("Campus {name}").format(name=issuer),
            "url": services.addresses.campus(campus.slug),
        },
    }


def _card_words(services: Services, record: AwardRecord) -> CardWords:
    competencies = services.badges.competencies_of(record.version)
    return CardWords(
        kind=sentence_text(kind_words(record.campus, record.version, competencies)),
        title=record.version.name,
        campus=translated("Campus {name}").format(name=services.publication.issuer_name(record.award.id)),
        when=day(record.award.awarded_at, record.campus.time_zone),
        where=translated("Vérifier : {address}").format(
            address=services.addresses.short_in_print(record.award.id)
        ),
    )


# --- award page

router = APIRouter(route_class=ForPeople)
for_strangers = APIRouter(route_class=ForStrangers)


@dataclass(frozen=True)
class Share:
    """Content of a link preview: badge and campus, never the person, who may close the page later."""

    title: str
    description: str
    url: str
    path: str
    card: str
    oembed: str
    structured: dict[str, Any]
    mine: str
    short: str
    """The URL in the QR code of the page, as people type it."""
    older: str
    """URL of the same award in Open Badges 2.0; empty once it was revoked."""


@for_strangers.get("/attributions/{award_id:uuid}")
@public
async def show_award_to_a_stranger(award_id: uuid.UUID, request: Request) -> Response:
    """The same page for all visitors without our cookies, rendered once per second and database version."""
    snapshot = await process_of(request).snapshot()
    pressed = takes_gzip(request.headers)
    make = _shown_and_pressed if pressed else _shown
    if snapshot is None:
        answer = await run_in_threadpool(make, award_id, request, UNSHARED)
        _count_view(award_id, request, answer)
        return answer
    key = (award_id, current_locale(), snapshot.key, pressed)
    answer = await recent_pages(request).get(
        key, lambda: run_in_threadpool(make, award_id, request, snapshot)
    )
    _count_view(award_id, request, answer)
    return answer


def _count_view(award_id: uuid.UUID, request: Request, answer: Response) -> None:
    """In memory: written later, so that no page waits for it."""
    headers = request.headers
    ahead = "prefetch" in headers.get("sec-purpose", headers.get("purpose", ""))
    if answer.status_code == 200 and not ahead:
        process_of(request).page_views.note(
            award_id, network=client_network(request), agent=headers.get("user-agent", "")
        )


def _shown(award_id: uuid.UUID, request: Request, snapshot: Snapshot) -> Response:
    with visit(request, reading=True, snapshot=snapshot) as services:
        return _award(award_id, request, services, is_held=False)


def _shown_and_pressed(award_id: uuid.UUID, request: Request, snapshot: Snapshot) -> Response:
    return gzip_body(_shown(award_id, request, snapshot))


@router.get("/attributions/{award_id:uuid}")
@public
def show_award(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    is_held = find_holder(award_id, request, services) is not None
    answer = _award(award_id, request, services, is_held=is_held)
    if not is_held:
        _count_view(award_id, request, answer)
    return answer


def _award(award_id: uuid.UUID, request: Request, services: Services, *, is_held: bool) -> HTMLResponse:
    record = services.publication.record(award_id)
    mine = f"/mes-badges/{award_id}" if is_held else ""
    if record.award.visibility is not Visibility.OPEN:
        return closed_page(request, services, mine=mine)
    answer = services.verification.verify_award(record)
    path = f"/attributions/{award_id}"
    share = Share(
        title=translated("« {title} », un badge du campus {campus}").format(
            title=record.version.name, campus=record.campus.short_name
        ),
        description=translated("Ouvrez la page pour voir s’il est authentique et encore valable."),
        url=services.addresses.award(award_id),
        path=path,
        card=card_address(services, award_id),
        oembed=f"{services.addresses.base_url}/oembed?{urlencode({'url': services.addresses.award(award_id)})}",
        structured=structured(services, record, issuer_named(answer.report, record.campus)),
        mine=mine,
        short=services.addresses.short_in_print(award_id),
        older="" if record.award.revoked_at or record.award.suspended_at else f"/ob2/attributions/{award_id}",
    )
    findable = record.award.is_findable
    page = answer_page(request, services, answer, again=path, share=share, findable=findable)
    if not findable:
        page.headers["X-Robots-Tag"] = "noindex, nofollow"
    page.headers.add_vary_header("Accept")
    return page


_LINKEDIN = "https://www.linkedin.com/profile/add"
_LINKEDIN_POST = "https://www.linkedin.com/sharing/share-offsite/"


@dataclass(frozen=True)
class Sharing:
    """`linked_in` opens LinkedIn's form, prefilled with the four fields below; nothing is sent before the
    learner opens it."""

    short: str
    code: str
    line: str
    html: str
    frame: str
    linked_in: str
    linked_in_post: str
    post: str
    mail: str
    title: str
    organisation: str
    month: str
    number: str


def offers_linked_in(record: AwardRecord) -> bool:
    """LinkedIn requires 16 years: a minor of 15 or more gets the link once they opened the page
    themselves."""
    if needs_guardian_for(record.person, record.activity):
        return False
    return not is_minor_for(record.person, record.activity) or record.award.visibility is Visibility.OPEN


def sharing_of(services: Services, record: AwardRecord, url: str) -> Sharing:
    """`url` is the learner's own page of the award."""
    award, campus = record.award, record.campus
    address = services.addresses.award(award.id)
    short = services.addresses.short_in_print(award.id)
    title = record.version.name
    organisation = translated("Campus {name}").format(name=services.publication.issuer_name(award.id))
    given = month(local(award.awarded_at, campus.time_zone))
    number = short.rpartition("/")[2]
    line = translated("Badge « {title} », {organisation}, {month}. À vérifier : {address}").format(
        title=title, organisation=organisation, month=given, address=short
    )
    words = translated("Badge « {title} », {organisation}, {month}").format(
        title=title, organisation=organisation, month=given
    )
    post = translated("J’ai reçu le badge « {title} », {organisation}. Il se vérifie ici : {address}").format(
        title=title, organisation=organisation, address=address
    )
    return Sharing(
        short=short,
        code=f"{url}/code",
        line=line,
        html=f'<a href="{escape(address)}">{escape(words)}</a>',
        frame=frame_html(services, record),
        linked_in=f"{_LINKEDIN}?{urlencode(_fields(record, organisation, address, number))}"
        if offers_linked_in(record)
        else "",
        linked_in_post=f"{_LINKEDIN_POST}?{urlencode({'url': address})}",
        post=post,
        mail=f"mailto:?{urlencode({'subject': words, 'body': post}, quote_via=quote)}",
        title=title,
        organisation=organisation,
        month=given,
        number=number,
    )


def _fields(record: AwardRecord, organisation: str, address: str, number: str) -> dict[str, str | int]:
    award, zone = record.award, record.campus.time_zone
    given = local(award.awarded_at, zone)
    fields: dict[str, str | int] = {
        "startTask": "CERTIFICATION_NAME",
        "name": record.version.name,
        # Their form accepts an organisation number or name: given both, it drops one.
        **(
            {"organizationId": record.campus.linkedin_id}
            if record.campus.linkedin_id
            else {"organizationName": organisation}
        ),
        "issueYear": given.year,
        "issueMonth": given.month,
        "certUrl": address,
        "certId": number,
    }
    if award.valid_until is not None:
        until = local(award.valid_until, zone)
        fields |= {"expirationYear": until.year, "expirationMonth": until.month}
    return fields


evidence_files_router = APIRouter(prefix="/preuves/{award_id:uuid}")
FileNumber = Annotated[int, Path(ge=0, le=1_000_000)]


@evidence_files_router.get("/pieces/{number:int}")
@public
def save_shown_file(award_id: uuid.UUID, number: FileNumber, services: ReadingServices) -> Response:
    file_id = services.shown_files.find(award_id, number)
    services.enter_campus_of(award_id)
    return saved(services.files.open_any(file_id))


@evidence_files_router.get("/pieces/{number:int}/apercu")
@public
def preview_shown_file(award_id: uuid.UUID, number: FileNumber, services: ReadingServices) -> Response:
    file_id = services.shown_files.find(award_id, number)
    services.enter_campus_of(award_id)
    return previewed(services.files.preview_any(file_id))


@evidence_files_router.get("/photos/{piece_id:uuid}/apercu")
@public
def preview_photo(award_id: uuid.UUID, piece_id: uuid.UUID, services: ReadingServices) -> Response:
    record = services.publication.open_award(award_id)
    services.enter_campus_of(award_id)
    services.shown_files.check_photo(record, piece_id)
    return previewed(services.files.preview_any(piece_id))


_LONGEST_WHY = 280


def public_words(
    record: AwardRecord, view: AnswerShown, *, with_others: bool = True
) -> Sequence[tuple[str, str]]:
    """(label, text) of each field that is public while the page is open; `with_others`: what organisations and
    people wrote beside the badge too, which its page shows and its file does not contain.
    """
    badge = view.badge
    if badge is None:
        return []
    texts = _texts(view, with_others=with_others)
    if badge.holder:
        name = badge.holder
    elif _naming(record, texts):
        name = translated("Pas de nom à part, mais il se lit dans un texte plus bas")
    else:
        name = translated("Aucun nom : la page ne dit pas qui a reçu ce badge")
    lines = [
        (N_("Nom"), name),
        (N_("Le badge"), f"{badge.title} ({badge.kind})"),
        (N_("Ce qu’il dit"), badge.description),
        (N_("Qui l’a donné, et quand"), given_by(record)),
        *((N_("Compétence"), _joined(each.name, each.beside.striptags())) for each in badge.competencies),
        (
            N_("Résultats"),
            " · ".join(labelled(label.striptags(), value.striptags()) for label, value in badge.results),
        ),
        *texts,
    ]
    return [(translated(label), words) for label, words in lines if words]


def texts_naming(record: AwardRecord, view: AnswerShown) -> Sequence[str]:
    """The kinds of text on the page that name the holder of a badge without a name."""
    if view.badge is None or view.badge.holder:
        return []
    return [translated(each) for each in _naming(record, _texts(view))]


def _naming(record: AwardRecord, texts: Sequence[tuple[str, str]]) -> Sequence[str]:
    names = (record.person.name, record.award.campus_name)
    return list(dict.fromkeys(label for label, words in texts if text_names(words, *names)))


def _texts(view: AnswerShown, *, with_others: bool = True) -> list[tuple[str, str]]:
    """What the campus wrote about the person; `with_others`: and others."""
    lines = [
        (N_("Sur quoi il repose"), _joined(each.when, each.title, each.text))
        for each in (view.badge.evidence if view.badge else ())
        if not each.key
    ]
    if view.journal is not None:
        lines += [
            (N_("Ligne du journal"), _joined(line.title, line.text, _facts(line.facts)))
            for line in view.journal.lines
        ]
        lines += [(N_("Photo"), words) for _, words in view.journal.photos]
    if with_others:
        lines += [
            (N_("Recommandation"), _joined(each.name, " ".join(each.lines))) for each in view.recommendations
        ]
        lines += [
            (N_("Recommandation"), _joined(each.signature, " ".join(each.lines))) for each in view.peers
        ]
    return lines


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    return ", ".join(labelled(label, value) for label, value in facts)


def _joined(*parts: str) -> str:
    return ". ".join(part.rstrip(".") for part in parts if part)


def given_by(record: AwardRecord) -> str:
    on = day(record.award.awarded_at, record.campus.time_zone)
    return translated("Campus {campus}, le {day}").format(campus=record.campus.short_name, day=on)


def why_given(services: Services, record: AwardRecord) -> str:
    """For the holder alone: the activity as logged, and what the campus wrote about the person there."""
    award, (activity, _) = record.award, services.reissuing.logged_activity(record)
    reason = (award.contribution or award.evidence).strip()
    if len(reason) > _LONGEST_WHY:
        reason = reason[: _LONGEST_WHY - 1].rstrip() + "…"
    where = f"{activity.title}, {days(activity.starts_on, activity.ends_on)}" if activity else ""
    return ". ".join(filter(None, (where, reason)))
