"""What search engines are told: campuses, and the badges and portfolios whose people want to be found, nobody else's."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Response
from markupsafe import Markup

from app.http.policies import public
from app.http.request_scope import ReadingServices

router = APIRouter()
_MOST: Final = 50_000
"""Addresses of one map (sitemaps.org); the newest badges come first."""
_PAGES: Final = ("", "/verifier", "/aide")
_CLOSED: Final = ("/gestion", "/mes-badges", "/recevoir", "/connexion", "/compte", "/api")


@router.get("/robots.txt")
@public
def robots(services: ReadingServices) -> Response:
    """Pages of badges are not among those closed: a robot that may not read them would not see that they say noindex."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _CLOSED)]
    return Response(
        "\n".join([*lines, f"Sitemap: {services.addresses.base_url}/sitemap.xml", ""]),
        media_type="text/plain; charset=utf-8",
    )


@router.get("/sitemap.xml")
@public
def sitemap(services: ReadingServices) -> Response:
    addresses = services.addresses
    found = [
        *(f"{addresses.base_url}{path}" for path in _PAGES),
        *(addresses.campus(campus.slug) for campus in services.campuses.list_all()),
        *(addresses.portfolio(each) for each in services.portfolios.found_by_search(limit=_MOST // 2)),
        *(addresses.award(each) for each in services.awards.found_by_search(limit=_MOST)),
    ]
    listed = Markup("").join(Markup("<url><loc>{}</loc></url>").format(each) for each in found[:_MOST])
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    )
    return Response(
        f"{body}{listed}</urlset>\n",
        media_type="application/xml",
        headers={"Cache-Control": "public, max-age=60"},
    )
