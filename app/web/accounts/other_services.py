"""Other sign-in services on our pages: buttons, redirect, and link state for the signed-in user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request
from fastapi.responses import HTMLResponse

from app.container import Services
from app.domain.accounts.sign_in import AuthorizationRequest, IdentityProvider
from app.errors import NotFound
from app.http.pages.render import page
from app.http.request_scope import process_of
from app.language import N_
from app.services.accounts.sessions import SignedIn
from app.web.accounts.browser_binding import remember_browser


@dataclass(frozen=True)
class ServiceLine:
    """One service, and the signed-in user's account there if linked."""

    name: str
    label: str
    account_href: str = ""
    linked_at: datetime | None = None


def provider_of(request: Request, name: str) -> IdentityProvider:
    provider = process_of(request).providers.get(name)
    if provider is None:
        raise NotFound(N_("Ce service de connexion n’est pas proposé ici. Revenez à la page de connexion."))
    return provider


def services_to_enter_by(request: Request) -> Sequence[ServiceLine]:
    return [ServiceLine(each.name, each.label) for each in process_of(request).providers.values()]


def services_of(request: Request, services: Services, who: SignedIn) -> Sequence[ServiceLine]:
    accounts = {account.issuer: account for account in services.federation.list_of(who.person.id)}
    lines = []
    for each in process_of(request).providers.values():
        account = accounts.get(each.issuer)
        href = f"/compte/services/{account.id}" if account else ""
        lines.append(ServiceLine(each.name, each.label, href, account.linked_at if account else None))
    return lines


def leave_for(request: Request, provider: IdentityProvider, question: AuthorizationRequest) -> HTMLResponse:
    """Interstitial page that redirects by itself: CSP limits our forms to this site, and the service may
    redirect to a third one."""
    answer = page(
        request,
        "accounts/leaving.html",
        private=True,
        label=provider.label,
        url=provider.question_url(question),
    )
    remember_browser(answer, request)
    return answer
