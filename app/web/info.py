"""The short true pages that every page links from its foot."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.policies import public
from app.request_scope import process_of
from app.web.embeds import checker_html
from app.web.render import page

router = APIRouter(include_in_schema=False)


@router.get("/aide")
@public
def help_page(request: Request) -> HTMLResponse:
    checker, component = checker_html(process_of(request).addresses)
    return page(request, "info/help.html", checker=checker, component=component)


@router.get("/donnees-personnelles")
@public
def personal_data_page(request: Request) -> HTMLResponse:
    return page(request, "info/personal_data.html", contact=contact_of(request))


@router.get("/accessibilite")
@public
def accessibility_page(request: Request) -> HTMLResponse:
    return page(request, "info/accessibility.html", contact=contact_of(request))


@router.get("/mentions-legales")
@public
def legal_page(request: Request) -> HTMLResponse:
    return page(
        request, "info/legal.html", publisher=request.app.state.face.publisher, contact=contact_of(request)
    )


def contact_of(request: Request) -> str:
    """Where to write to the people who run this service; empty when the operator has said nothing."""
    return str(request.app.state.face.contact)
