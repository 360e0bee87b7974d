"""« Portefeuille numérique »: the QR code and the link that bring a badge into a wallet."""

from __future__ import annotations

import uuid

import segno
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.container import Services
from app.domain.learners.wallets import WalletFormat, check_may_carry
from app.errors import AppError, Conflict
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.typography import translated
from app.http.pages.words import day, moment
from app.http.request_scope import ReadingServices, WritingServices, process_of
from app.http.response_cache import CHANGING_HOLDER, HOLDER, check_speaks_for_person, holder_of
from app.http.workplaces import sentence_of
from app.language import N_
from app.services.learners.wallets import OfferShown
from app.web.learners.learner import badge_page, my_badge

router = APIRouter(prefix="/mes-badges/{award_id:uuid}/partager/portefeuille")
FORMATS = (
    (WalletFormat.SD_JWT, N_("SD-JWT, lié au portefeuille")),
    (WalletFormat.EMBEDDED, N_("Open Badge signé, JSON")),
    (WalletFormat.TOKEN, N_("Open Badge signé, JWT")),
)


@router.get("", dependencies=[HOLDER])
def show_wallet(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _wallet_page(request, services, award_id)


@router.post("", dependencies=[CHANGING_HOLDER])
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
    try:
        offer = services.wallets.offer(services.awards.record(award_id), wanted)
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
        check_may_carry(record.award, at=services.clock())
        obstacle = ""
    except AppError as error:
        obstacle = sentence_of(error)
    return badge_page(
        request,
        services,
        my_badge(services, holder_of(award_id, request, services), award_id),
        "wallet",
        status=409 if refused else 200,
        obstacle=obstacle,
        offer=offer,
        code=segno.make(offer.by_reference, error="m", micro=False).svg_data_uri(border=2, light="#fff")
        if offer
        else "",
        typed=f"{offer.typed[:3]} {offer.typed[3:]}" if offer else "",
        until=moment(offer.expires_at, zone) if offer else "",
        held_since=day(accepted, zone) if accepted else "",
        wanted=wanted.value,
        formats=[(each.value, translated(words)) for each, words in FORMATS],
    )
