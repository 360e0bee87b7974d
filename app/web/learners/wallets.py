"""A badge away from its page: into a wallet, a part of it in a file, and the answer to who asks for one."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import segno
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.awards import DocumentsToAlign
from app.domain.campus.campus import Campus
from app.domain.learners.connected_apps import AuthorizationRefusal
from app.domain.learners.wallet_authorization import (
    DISCLOSABLE,
    PRESENTATION_LIFE,
    AuthorizationRefused,
    WalletRequest,
    mandatory_of,
    place_of_redirect,
)
from app.domain.learners.wallets import WalletFormat, check_may_carry, check_may_show_part
from app.domain.people.consents import ParentNeeded
from app.errors import AppError, Conflict, Gone, InvalidInput, NotFound, NotSignedIn
from app.http.pages.forms import SafeForm, text_of, untouched_text_of
from app.http.pages.render import page
from app.http.pages.words import DEFAULT_ZONE, day, moment
from app.http.request_scope import (
    ReadingServices,
    WritingServices,
    enter,
    limited,
    process_of,
    public,
    sentence_of,
    signed_in,
    status_for,
    write_transaction,
)
from app.http.response_cache import (
    CHANGING_HOLDER,
    HOLDER,
    awards_within_reach,
    check_speaks_for_person,
    holder_of,
    people_here,
)
from app.http.security_headers import as_private
from app.http.workplaces import SIGNED_IN
from app.language import N_, labelled, translated
from app.services.accounts.sessions import SignedIn
from app.services.learners.wallets import OfferShown
from app.web.learners.learner import badge_page, file_name, my_badge
from app.web.publishing.award_page import public_words
from app.web.verification.presentations import wish_lines
from app.web.verification.verification_page import shown_now
from sceau_credentials.values import JsonObject, JsonValue, parse_timestamp

router = APIRouter(prefix="/mes-badges/{award_id:uuid}/partager")
FORMATS = (
    (WalletFormat.SD_JWT, N_("SD-JWT, lié au portefeuille")),
    (WalletFormat.EMBEDDED, N_("Open Badge signé, JSON")),
    (WalletFormat.TOKEN, N_("Open Badge signé, JWT")),
)


@router.get("/portefeuille", dependencies=[HOLDER])
def show_wallet(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _wallet_page(request, services, award_id)


@router.post("/portefeuille", dependencies=[CHANGING_HOLDER])
def offer_badge(
    award_id: uuid.UUID, request: Request, services: WritingServices, form: SafeForm
) -> HTMLResponse:
    """Shown once, in the answer to the form: an offer is found again by its secret alone."""
    who = holder_of(award_id, request, services)
    check_speaks_for_person(who, services)
    process_of(request).limiter.hit("wallet offers of a badge", str(award_id))
    wanted = next(
        (each for each, _words in FORMATS if each.value == text_of(form, "forme")), WalletFormat.SD_JWT
    )
    by_sign_in = isinstance(who, SignedIn) and text_of(form, "voie") == "connexion"
    try:
        offer = services.wallets.offer(services.awards.record(award_id), wanted, needs_consent=by_sign_in)
    except Conflict as error:
        return _wallet_page(request, services, award_id, refused=error)
    return _wallet_page(request, services, award_id, offer=offer, wanted=wanted)


def _wallet_page(
    request: Request,
    services: Services,
    award_id: uuid.UUID,
    *,
    offer: OfferShown | None = None,
    wanted: WalletFormat = WalletFormat.SD_JWT,
    refused: Conflict | None = None,
) -> HTMLResponse:
    record = services.awards.record(award_id)
    zone = record.campus.time_zone
    accepted = services.wallets.accepted_at(record)
    try:
        services.wallets.check_may_offer(record)
        obstacle = ""
    except AppError as error:
        obstacle = sentence_of(error)
    who = holder_of(award_id, request, services)
    return badge_page(
        request,
        services,
        my_badge(services, who, award_id),
        "wallet",
        status=status_for(refused),
        obstacle=obstacle,
        offer=offer,
        code=segno.make(offer.by_reference, error="m", micro=False).svg_data_uri(border=2, light="#fff")
        if offer
        else "",
        typed=f"{offer.typed[:3]} {offer.typed[3:]}" if offer and offer.typed else "",
        may_sign_in=isinstance(who, SignedIn),
        until=moment(offer.expires_at, zone) if offer else "",
        held_since=day(accepted, zone) if accepted else "",
        wanted=wanted.value,
        formats=[(each.value, translated(words)) for each, words in FORMATS],
    )


# --- a wallet asks a signed-in learner (OpenID4VCI 1.0, authorization code)

consent_router = APIRouter(prefix="/campus/{slug}/portefeuille/autoriser")


@dataclass(frozen=True)
class AskingWallet:
    """As the page names it: nothing but where the answer goes is known of it."""

    host: str

    @property
    def name(self) -> str:
        return self.host


@consent_router.get("", dependencies=[SIGNED_IN])
def ask_wallet_consent(slug: str, request: Request, services: ReadingServices) -> Response:
    who, campus = _consenting(slug, request, services)
    sent = dict(request.query_params)
    try:
        if len(sent) != len(request.query_params.multi_items()):
            raise AuthorizationRefused(AuthorizationRefusal.INVALID_REQUEST, "a parameter is there twice")
        return _consent_page(request, services, campus, services.wallet_consents.read(campus, sent))
    except (AuthorizationRefused, NotFound) as error:
        return _unknown_wallet(request, who, error)


@consent_router.post("", dependencies=[SIGNED_IN])
def decide_wallet_consent(slug: str, request: Request, services: ReadingServices, form: SafeForm) -> Response:
    who, campus = _consenting(slug, request, services)
    try:
        asked = services.wallet_consents.reopen(campus, untouched_text_of(form, "demande"))
        # A stranger's request is not sent back.
        theirs = {each.award.id for each in services.wallet_consents.badges(campus, asked, who.person)}
    except (AuthorizationRefused, NotFound) as error:
        return _unknown_wallet(request, who, error)
    try:
        if text_of(form, "geste") != "donner":
            with write_transaction(request) as writing:
                where = writing.wallet_consents.refuse(campus, asked)
            return _leave_for_wallet(request, who, asked, where)
    except NotFound as error:
        return _unknown_wallet(request, who, error)
    try:
        award_id = uuid.UUID(text_of(form, "badge"))
    except ValueError:
        award_id = None
    if award_id in theirs:
        process_of(request).limiter.hit("wallet offers of a badge", str(award_id))
    try:
        with write_transaction(request) as writing:
            # Names of their own: those of a refused transaction cannot be read after it.
            giver, giving = _consenting(slug, request, writing)
            where = writing.wallet_consents.consent(giving, asked, giver.person, award_id, by=giver.actor)
    except (InvalidInput, Conflict, DocumentsToAlign) as error:
        return _consent_page(request, services, campus, asked, trouble=error)
    except NotFound as error:
        return _unknown_wallet(request, who, error)
    return _leave_for_wallet(request, who, asked, where)


def _consenting(slug: str, request: Request, services: Services) -> tuple[SignedIn, Campus]:
    who, campus = signed_in(request, services), services.wallets.campus(slug)
    enter(request, services, campus, who)
    return who, campus


def _consent_page(
    request: Request,
    services: Services,
    campus: Campus,
    asked: WalletRequest,
    *,
    trouble: AppError | None = None,
) -> HTMLResponse:
    person, consents = signed_in(request, services).person, services.wallet_consents
    found = consents.badges(campus, asked, person)
    only = found[0] if len(found) == 1 else None
    needs_parent = False
    try:
        consents.check_may_give(person)
    except ParentNeeded as error:
        needs_parent, trouble = True, error
    shown: Sequence[tuple[str, str]] = ()
    if only is not None:
        try:
            check_may_carry(only.award, at=services.clock())
            shown = public_words(only, shown_now(services, only), with_others=False)
        except AppError as error:
            trouble = trouble or error
    return page(
        request,
        "learners/apps/wallet.html",
        private=True,
        status=status_for(trouble),
        trouble=sentence_of(trouble) if trouble else "",
        here=f"/campus/{campus.slug}/portefeuille/autoriser",
        tu=person.needs_guardian,
        person=person.name,
        campus_name=campus.short_name,
        place=place_of_redirect(asked.redirect),
        is_trusted=consents.is_trusted(asked),
        needs_parent=needs_parent,
        sealed=consents.seal(campus, asked),
        shown=shown,
        badges=[
            (str(each.award.id), each.version.name, day(each.award.awarded_at, campus.time_zone))
            for each in found
        ],
    )


def _leave_for_wallet(request: Request, who: SignedIn, asked: WalletRequest, where: str) -> HTMLResponse:
    return page(
        request,
        "learners/apps/leaving.html",
        private=True,
        tu=who.person.needs_guardian,
        app=AskingWallet(place_of_redirect(asked.redirect)),
        url=where,
        by_itself=True,
    )


def _unknown_wallet(request: Request, who: SignedIn, error: AppError) -> HTMLResponse:
    """Nothing is sent for a request that cannot be answered: its redirect URI was not checked."""
    trouble = (
        sentence_of(error)
        if isinstance(error, NotFound)
        else translated("Cette application a mal fait sa demande. Rien n’a été autorisé.")
    )
    return page(
        request,
        "learners/apps/unknown.html",
        private=True,
        status=400,
        tu=who.person.needs_guardian,
        trouble=trouble,
    )


# --- « Demandes de badge »: who asks what, and the holder's answer from here

requests_router = APIRouter(prefix="/demandes-de-badge/{reference}")


@requests_router.get("", dependencies=[limited("badge request read")])
@public
def show_presentation(
    reference: str, request: Request, services: ReadingServices, badge: uuid.UUID | None = None
) -> HTMLResponse:
    """`badge`: the one to be shown, with everything that would be shown of it."""
    return _request_page(request, services, reference, chosen=badge)


@requests_router.post("", dependencies=[limited("badge request read")])
@public
def answer_presentation(
    reference: str, request: Request, services: ReadingServices, form: SafeForm
) -> Response:
    """Who has the link alone ends nothing: to refuse, a person is known here; only the holder of a badge shows it."""
    try:
        award_id = uuid.UUID(text_of(form, "badge")) if text_of(form, "geste") == "montrer" else None
    except ValueError:
        return RedirectResponse(request.url.path, status_code=303)
    try:
        with write_transaction(request) as writing:
            if award_id is None:
                writing.presentations.of_candidate(reference)
                if not people_here(request, writing):
                    raise NotSignedIn(
                        "Pour refuser, il faut se connecter, ou ouvrir d’abord un badge par son lien privé."
                    )
                writing.presentations.refuse(reference)
            else:
                who = holder_of(award_id, request, writing)
                check_speaks_for_person(who, writing)
                writing.presentations.show(reference, award_id, by=who.actor)
    except (Conflict, Gone) as error:
        return _request_page(request, services, reference, chosen=award_id, trouble=error)
    return RedirectResponse(request.url.path, status_code=303)


def _request_page(
    request: Request,
    services: Services,
    reference: str,
    *,
    chosen: uuid.UUID | None = None,
    trouble: AppError | None = None,
) -> HTMLResponse:
    view, people = services.presentations.of_candidate(reference), people_here(request, services)
    reached = [each for person_id in people for each in awards_within_reach(request, services, person_id)]
    with services.across_campuses():
        held = [services.awards.record(award_id) for award_id in reached]
        found = [] if view.is_over else services.presentations.matching(view.wish, held)
    picked = next((each for each in found if each.award.id == chosen), None)
    shown: Sequence[tuple[str, str]] = ()
    if picked is not None:
        services.enter_campus_of(picked.award.id)
        shown = public_words(picked, shown_now(services, picked))
    return as_private(
        page(
            request,
            "learners/presentation.html",
            private=True,
            status=status_for(trouble),
            trouble=sentence_of(trouble) if trouble else "",
            here=f"/demandes-de-badge/{reference}",
            wish=view.wish,
            lines=wish_lines(view.wish),
            state=view.state.value,
            is_over=view.is_over,
            until=moment(view.expires_at, DEFAULT_ZONE),
            wallet=services.presentations.link_of_wallet(reference),
            is_known=bool(people),
            badges=[
                (
                    str(each.award.id),
                    each.version.name,
                    f"{each.campus.short_name}, {day(each.award.awarded_at, each.campus.time_zone)}",
                )
                for each in found
            ],
            picked=str(picked.award.id) if picked else "",
            picked_title=picked.version.name if picked else "",
            shown=shown,
        )
    )


# --- a part of a badge, without a wallet


@dataclass(frozen=True)
class MemberLine:
    """One thing that the badge tells: as its page shows it, and whether the file shows it too."""

    name: str
    label: str
    text: str
    is_shown: bool


@router.get("/partie", dependencies=[HOLDER])
def show_part(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _part_page(request, services, award_id, request.query_params.getlist("montre"))


@router.post("/partie", dependencies=[CHANGING_HOLDER])
def download_part(
    award_id: uuid.UUID, request: Request, services: WritingServices, form: SafeForm
) -> Response:
    who = holder_of(award_id, request, services)
    process_of(request).limiter.hit("parts of a badge", str(award_id))
    names = [each for each in form.getlist("montre") if isinstance(each, str)]
    record = services.awards.record(award_id)
    try:
        presentation = services.selective_disclosure.present(record, names, by=who.actor)
    except Conflict as error:
        return _part_page(request, services, award_id, names, refused=error)
    name = f"{file_name(record.version.name)}-partie.json"
    return Response(
        presentation,
        media_type="application/vc+ld+json",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


def _part_page(
    request: Request,
    services: Services,
    award_id: uuid.UUID,
    names: Collection[str],
    *,
    refused: Conflict | None = None,
) -> HTMLResponse:
    record = services.awards.record(award_id)
    if not services.selective_disclosure.is_offered(record.campus):
        raise NotFound("Ce campus ne propose pas de montrer une partie d’un badge.")
    zone = record.campus.time_zone
    preview = services.selective_disclosure.preview(record, names)
    try:
        check_may_show_part(record.award, at=services.clock())
        obstacle = ""
    except AppError as error:
        obstacle = sentence_of(error)
    labels = {each.name: translated(each.label) for each in DISCLOSABLE}
    with services.across_campuses():  # the entries belong to no campus
        before = services.selective_disclosure.shown_before(award_id)[:_MOST_BEFORE]
    return badge_page(
        request,
        services,
        my_badge(services, holder_of(award_id, request, services), award_id),
        "part",
        status=status_for(refused),
        obstacle=obstacle,
        lines=[
            MemberLine(
                each.name,
                labels[each.name],
                _text_of(each.name, preview.whole, zone),
                each.name in names,
            )
            for each in preview.disclosable
        ],
        always=[
            (translated(each.label), translated(each.reason)) for each in mandatory_of(record.version.kind)
        ],
        chosen=[each.name for each in preview.disclosable if each.name in names],
        until=day(parse_timestamp(preview.whole.get("validUntil")), zone),
        days=PRESENTATION_LIFE.days,
        before=[
            (
                moment(at, zone),
                [labels[name][:1].lower() + labels[name][1:] for name in shown if name in labels],
            )
            for at, shown in before
        ],
    )


_MOST_BEFORE = 20


def _text_of(name: str, document: JsonObject, zone: str) -> str:
    """What a reader of the page reads there, in one line."""
    subject = document["credentialSubject"]
    assert isinstance(subject, dict), "we signed one subject"
    achievement = subject["achievement"]
    assert isinstance(achievement, dict), "we signed one achievement"
    match name:
        case "nom":
            return ", ".join(_texts(subject.get("identifier"), "identityHash"))
        case "date":
            return day(parse_timestamp(document.get("awardedDate")), zone)
        case "activite":
            found = (subject.get("activityStartDate"), subject.get("activityEndDate"))
            return " – ".join(dict.fromkeys(day(parse_timestamp(each), zone) for each in found if each))
        case "role":
            return str(subject.get("role", ""))
        case "resultats":
            described = {
                str(each.get("id")): str(each.get("name"))
                for each in _objects(achievement.get("resultDescription"))
            }
            return " · ".join(_result_text(described, each) for each in _objects(subject.get("result")))
        case "preuves":
            return " · ".join(
                ". ".join(filter(None, (str(each.get("name", "")), str(each.get("narrative", "")))))
                for each in _objects(document.get("evidence"))
            )
        case "jugement":
            return str(subject.get("narrative", ""))
        case _:
            return " · ".join(_texts(achievement.get("alignment"), "targetName"))


def _result_text(described: Mapping[str, str], result: JsonObject) -> str:
    label, value = described.get(str(result.get("resultDescription")), ""), result.get("value")
    return labelled(label, value) if value else label


def _objects(value: JsonValue) -> Sequence[JsonObject]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _texts(value: JsonValue, member: str) -> Sequence[str]:
    return [str(each[member]) for each in _objects(value) if member in each]
