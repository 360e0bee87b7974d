"""The first page: what Sceau is, and the way in for a learner, an employer and a trainer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import HTMLResponse

from app.http.pages.render import CampusLook, page
from app.language import N_


@dataclass(frozen=True)
class Shape:
    """One form of badge and what it says before any text is read."""

    key: str
    name: str
    meaning: str


SHAPES = (
    Shape("appartenance", N_("Appartenance"), N_("Faire partie d’un lieu ou d’un groupe.")),
    Shape("participation", N_("Participation"), N_("Avoir été là : date et durée.")),
    Shape("engagement", N_("Engagement"), N_("Avoir tenu un rôle.")),
    Shape("savoir-etre", N_("Savoir-être"), N_("Une manière de faire, observée.")),
    Shape("competence", N_("Compétence"), N_("Savoir faire, jugé sur critères.")),
    Shape("realisation", N_("Réalisation"), N_("Une œuvre ou un projet mené à bien.")),
)


def home_page(request: Request, *, campuses: Sequence[CampusLook], example_url: str = "") -> HTMLResponse:
    """`campuses` in the order to show them; `example_url` is a public badge worth showing, or empty."""
    return page(request, "campus/home.html", campuses=campuses, example_url=example_url, shapes=SHAPES)
