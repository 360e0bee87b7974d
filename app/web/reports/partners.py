"""What each partner did with the campus: a list, a page and a paper for each."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.core import plain_text
from app.domain.reports.facts import ORGANISATION_PARTS
from app.domain.reports.indicators import FEWEST_ANSWERS
from app.domain.reports.ledger import Period
from app.errors import InvalidInput
from app.http.pages.render import page
from app.http.pages.typography import translated
from app.http.pages.words import days
from app.http.request_scope import WITH_ORGANISERS, ReadingServices
from app.http.workplaces import at_work, sentence_of, staff
from app.web.reports.dashboard import choices_of, period_asked, period_words

router = APIRouter(prefix="/gestion/{slug}/rapport/partenaires", dependencies=[WITH_ORGANISERS])


def _period(request: Request, services: Services) -> tuple[Period, str]:
    try:
        return period_asked(request, services), ""
    except InvalidInput as error:
        return Period.civil(services.reports.today().year), sentence_of(error)


@router.get("", dependencies=[staff(Permission.VIEW)])
def show_partners(request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    asked, trouble = _period(request, services)
    return page(
        request,
        "reports/partners.html",
        campus=work.look,
        private=True,
        status=422 if trouble else 200,
        home=work.home,
        trouble=trouble,
        period=asked.key,
        days=period_words(asked.until(services.reports.today())),
        choices=choices_of(services, asked),
        partners=services.partner_reports.partners(work.campus, asked),
    )


@router.get("/page", dependencies=[staff(Permission.VIEW)])
def show_partner(request: Request, services: ReadingServices, cle: str = "") -> HTMLResponse:
    work = at_work(request)
    asked, trouble = _period(request, services)
    found = services.partner_reports.year(work.campus, cle, asked)
    return page(
        request,
        "reports/partner.html",
        campus=work.look,
        private=True,
        status=422 if trouble else 200,
        home=work.home,
        found=found,
        period=asked.key,
        days=period_words(found.period),
        actions=[(each, translated(ORGANISATION_PARTS[each.part])) for each in found.actions],
        share=round(100 * found.favourable / found.answered) if found.answered >= FEWEST_ANSWERS else None,
    )


@router.get("/page.pdf", dependencies=[staff(Permission.VIEW)])
def print_partner(request: Request, services: ReadingServices, cle: str = "") -> Response:
    work = at_work(request)
    found = services.partner_reports.year(work.campus, cle, _period(request, services)[0])
    name = re.sub(r"[^a-z0-9]+", "-", plain_text(found.name)).strip("-")[:60] or "partenaire"
    return Response(
        services.partner_reports.printed(found, days=days),
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{name}.pdf"',
            "Cache-Control": "no-store",
        },
    )
