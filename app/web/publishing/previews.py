"""The pictures of link previews, at addresses that name their content."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from app.http.pages.previews import card_of
from app.http.policies import public
from app.http.request_scope import ReadingServices

router = APIRouter(include_in_schema=False)
_FOR_EVER = "public, max-age=31536000, immutable"


@router.get("/cartes/{kind}/{key}/{digest}.png")
@public
def picture(kind: str, key: str, digest: str, services: ReadingServices) -> Response:
    """An older address leads to the picture of today, and draws nothing."""
    card = card_of(services, kind, key)
    if digest != card.digest:
        return RedirectResponse(f"/cartes/{kind}/{key}/{card.digest}.png", status_code=303)
    badge = None
    if card.badge is not None:
        found = services.publication.badge(*card.badge)
        badge = (found.campus, found.version)
    look = None if card.hue is None or card.liveliness is None else (card.hue, card.liveliness)
    drawn = services.award_pictures.public_card(card.words, emblem=card.emblem, look=look, badge=badge)
    return Response(
        drawn,
        media_type="image/png",
        headers={"Cache-Control": _FOR_EVER, "Cross-Origin-Resource-Policy": "cross-origin"},
    )
