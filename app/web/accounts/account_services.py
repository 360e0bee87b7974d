"""« Mon compte »: linking one's account at another sign-in service, and unlinking it."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Depends, Request, Response

from app.domain.accounts.federation import ProviderDown, Purpose
from app.http.pages.forms import checked_form
from app.http.request_scope import deed, limited, signed_in, status_of
from app.http.workplaces import SURELY_SIGNED_IN, sentence_of
from app.web.accounts.account import account_page, back_to_account
from app.web.accounts.asking_browser import FromAskingBrowser, browser_of
from app.web.accounts.other_services import leave_for, provider_of

router = APIRouter(prefix="/compte/services")
_SURE = [SURELY_SIGNED_IN, Depends(checked_form)]


@router.post("/{service}/relier", dependencies=[limited("signing in"), *_SURE, FromAskingBrowser])
def link(service: str, request: Request) -> Response:
    provider = provider_of(request, service)
    with deed(request) as services:
        who = signed_in(request, services)
        question = services.federation.ask(provider, Purpose.LINK, browser_of(request, services), who=who)
    try:
        return leave_for(request, provider, question)
    except ProviderDown as error:
        return account_page(request, status=status_of(error), service_trouble=sentence_of(error))


@router.post("/{account_id:uuid}/delier", dependencies=_SURE)
def unlink(account_id: uuid.UUID, request: Request) -> Response:
    with deed(request) as services:
        services.federation.unlink(signed_in(request, services), account_id)
    return back_to_account("service-delie")
