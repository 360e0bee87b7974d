"""Sign-in at another service (OpenID Connect): redirect and callback."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.domain.accounts.sign_in import (
    Identity,
    IdentityProvider,
    ProviderDown,
    ProviderRefused,
    Purpose,
    Unlinked,
)
from app.errors import AppError, Conflict, NotSignedIn, Unavailable
from app.http.pages.forms import CHECKED_FORM
from app.http.request_scope import (
    limited,
    process_of,
    public,
    sentence_of,
    signed_in,
    status_of,
    write_transaction,
)
from app.language import N_
from app.services.accounts.sign_in import Returned
from app.web.accounts import account_page, back_to_account
from app.web.accounts.sign_in import (
    FromAskingBrowser,
    ask_page,
    browser_of,
    entered,
    found,
    leave_for,
    note_failure,
    provider_of,
    same_browser,
)
from app.web.accounts.signing_in_again import go_on, prove_page

router = APIRouter(prefix="/connexion/service")


@router.post("/{service}", dependencies=[limited("signing in"), CHECKED_FORM, FromAskingBrowser])
@public
def go(service: str, request: Request) -> Response:
    provider = provider_of(request, service)
    with write_transaction(request) as services:
        question = services.federation.ask(provider, Purpose.ENTER, same_browser(request))
    try:
        return leave_for(request, provider, question)
    except ProviderDown as error:
        return ask_page(request, status=status_of(error), wrong_service=sentence_of(error))


@router.get("/{service}/retour", dependencies=[limited("signing in")])
@public
def come_back(
    service: str, request: Request, state: str = "", code: str = "", error: str = "", iss: str = ""
) -> Response:
    """Each callback consumes its request: another attempt needs a new one."""
    provider = provider_of(request, service)
    try:
        with write_transaction(request) as services:
            returned = services.federation.take(provider, state, browser_of(request, services))
    except NotSignedIn as trouble:
        note_failure(request)
        return ask_page(request, status=401, wrong_service=sentence_of(trouble))
    try:
        # Outside any transaction: the other service may take seconds to answer.
        identity = _identity(request, provider, returned, code=code, error=error, issuer=iss)
        return _go_on(request, provider, identity, returned)
    except (NotSignedIn, Unavailable, Conflict) as trouble:
        if isinstance(trouble, ProviderRefused):
            note_failure(request)
        return _show(request, returned, trouble)


def _identity(
    request: Request, provider: IdentityProvider, returned: Returned, *, code: str, error: str, issuer: str
) -> Identity:
    if error in ("server_error", "temporarily_unavailable"):
        raise ProviderDown(
            N_(
                "« {label} » ne répond pas en ce moment. Réessayez dans quelques minutes, ou entrez avec un lien."
            ),
            label=provider.label,
        )
    if error or not code:
        raise NotSignedIn(
            "Vous avez annulé, ou « {label} » a refusé. Rien n’a changé : recommencez, ou prenez un autre moyen.",
            label=provider.label,
        )
    # RFC 9207: never send one service's answer to another; one without a name may be another's.
    if issuer != provider.issuer and (issuer or provider.names_itself()):
        raise ProviderRefused(
            N_("Cette réponse vient d’un autre service que « {label} » : personne n’est entré. Recommencez."),
            label=provider.label,
        )
    return provider.identity(code, returned.question, at=process_of(request).clock())


def _go_on(request: Request, provider: IdentityProvider, identity: Identity, returned: Returned) -> Response:
    match returned.purpose:
        case Purpose.ENTER:
            return _enter(request, provider, identity)
        case Purpose.LINK:
            with write_transaction(request) as services:
                services.federation.link(signed_in(request, services), identity)
            return back_to_account("service")
        case Purpose.PROVE:
            return _prove(request, identity, returned)


def _enter(request: Request, provider: IdentityProvider, identity: Identity) -> Response:
    try:
        with write_transaction(request) as services:
            opened = services.federation.enter(provider, identity, browser_of(request, services))
    except Unlinked:
        with process_of(request).unit_of_work(reading=True) as services:
            invitation = services.federation.invitation_for(provider, identity)
            if invitation is None:
                raise
            token = services.invitations.token_of(invitation)
        return RedirectResponse(f"/invitation/{token}", status_code=303)
    return entered(request, opened)


def _prove(request: Request, identity: Identity, returned: Returned) -> Response:
    with write_transaction(request) as services:
        who = signed_in(request, services)
        opened = services.federation.prove(
            who, identity, browser_of(request, services), asked_at=returned.asked_at
        )
    return go_on(request, found(request, returned.carried), opened)


def _show(request: Request, returned: Returned, trouble: AppError) -> Response:
    sentence, status = sentence_of(trouble), status_of(trouble)
    match returned.purpose:
        case Purpose.ENTER:
            return ask_page(request, status=status, wrong_service=sentence)
        case Purpose.LINK:
            return account_page(request, status=status, service_trouble=sentence)
        case Purpose.PROVE:
            return prove_page(request, found(request, returned.carried), wrong_service=sentence)
