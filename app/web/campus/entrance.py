"""The way in: the first page, and the stylesheets that give each campus its own accent."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.container import Services
from app.domain.campus.campus import Campus
from app.http.pages.render import CampusLook
from app.http.policies import public
from app.http.request_scope import ReadingServices, process_of
from app.web.campus.colours import render_campus_css
from app.web.campus.home import home_page

_FOR_TEN_MINUTES = "public, max-age=600"
router = APIRouter(include_in_schema=False)


@router.get("/")
@public
def home(request: Request, services: ReadingServices) -> HTMLResponse:
    campuses = services.campuses.list_all()
    looks = [CampusLook(c.slug, c.short_name, c.name) for c in campuses]
    return home_page(request, campuses=looks, example_url=_example(request, services))


def _example(request: Request, services: Services) -> str:
    """On a developer's own machine only: learners open a page to those they give the link, not to the first page."""
    award_id = services.awards.example() if process_of(request).settings.is_local else None
    return f"/attributions/{award_id}" if award_id else ""


@router.get("/couleurs/tous.css")
@public
def every_campus(services: ReadingServices) -> Response:
    """For pages on which several campuses stand beside each other."""
    return _stylesheet(services.campuses.list_all())


@router.get("/couleurs/{slug}.css")
@public
def one_campus(slug: str, services: ReadingServices) -> Response:
    return _stylesheet([services.campuses.get(slug)])


def _stylesheet(campuses: Iterable[Campus]) -> Response:
    css = "".join(render_campus_css(campus.slug, campus.hue, campus.liveliness) for campus in campuses)
    return Response(css, media_type="text/css", headers={"Cache-Control": _FOR_TEN_MINUTES})
