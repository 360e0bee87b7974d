"""The way in: the first page, and the stylesheets that give each campus its own accent."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.domain.campus import Campus
from app.request_scope import ReadingServices
from app.web.campus_colours import render_campus_css
from app.web.home import home_page
from app.web.render import CampusLook

_FOR_TEN_MINUTES = "public, max-age=600"
router = APIRouter(include_in_schema=False)


@router.get("/")
def home(request: Request, services: ReadingServices) -> HTMLResponse:
    campuses = services.campuses.list_all()
    return home_page(request, campuses=[CampusLook(c.slug, c.short_name, c.name) for c in campuses])


@router.get("/couleurs/tous.css")
def every_campus(services: ReadingServices) -> Response:
    """For pages on which several campuses stand beside each other."""
    return _stylesheet(services.campuses.list_all())


@router.get("/couleurs/{slug}.css")
def one_campus(slug: str, services: ReadingServices) -> Response:
    return _stylesheet([services.campuses.get(slug)])


def _stylesheet(campuses: Iterable[Campus]) -> Response:
    css = "".join(render_campus_css(campus.slug, campus.hue, campus.liveliness) for campus in campuses)
    return Response(css, media_type="text/css", headers={"Cache-Control": _FOR_TEN_MINUTES})
