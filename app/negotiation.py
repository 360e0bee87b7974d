"""Which form of a document a request asks for, by its Accept header."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.routing import Match
from starlette.types import Scope

HTML = "text/html"


def preferred(accept: str, offered: Sequence[str]) -> str | None:
    """The offered media type the client likes best (RFC 9110 §12.5.1); the first offered on a tie, None if it likes none."""
    wishes = _wishes(accept)
    liked = [(_liking(media_type, wishes), -place, media_type) for place, media_type in enumerate(offered)]
    quality, _, best = max(liked)
    return best if quality > 0 else None


def _wishes(accept: str) -> list[tuple[str, float]]:
    wishes = []
    for item in accept[:2000].split(","):
        name, _, parameters = item.strip().lower().partition(";")
        quality = 1.0
        for parameter in parameters.split(";"):
            key, _, value = parameter.strip().partition("=")
            if key == "q":
                quality = _quality(value)
        if name:
            wishes.append((name.strip(), quality))
    return wishes or [("*/*", 1.0)]


def _quality(value: str) -> float:
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0


def _liking(media_type: str, wishes: Sequence[tuple[str, float]]) -> float:
    """The quality of the most precise wish that covers `media_type`."""
    ranges = (media_type, media_type.partition("/")[0] + "/*", "*/*")
    for wanted in ranges:
        found = [quality for name, quality in wishes if name == wanted]
        if found:
            return max(found)
    return 0.0


def wants_page(accept: str) -> bool:
    """Whether somebody looks: a browser names text/html; a program that names nothing gets the document."""
    return (
        any(name == HTML and quality > 0 for name, quality in _wishes(accept))
        and preferred(accept, (HTML, "application/json", "application/vc", "image/png")) == HTML
    )


class ForPeople(APIRoute):
    """A route that answers only those who want a page; at the same address programs find the document."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        if match is Match.FULL and not wants_page(Headers(scope=scope).get("accept", "")):
            return Match.NONE, {}
        return match, child
