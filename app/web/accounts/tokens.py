"""Access tokens of programs: created with scopes, shown once, listed and revoked."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.accounts.sessions import Scope, check_token_label, check_token_request
from app.errors import faults_of_fields
from app.http.pages.forms import CHECKED_FORM, SafeForm, idempotency_key, text_of, texts_of
from app.http.pages.words import SCOPES, StateLabel
from app.http.request_scope import ReadingServices, sentence_of, status_for, write_transaction
from app.http.workplaces import AtWork, at_work, staff
from app.language import translated
from app.services.people.people import TokenMade

router = APIRouter(prefix="/gestion/{slug}/jetons")
_MANAGE = [staff(Permission.MANAGE)]
# Only the operator grants the last one (`sceau token create`).
_OFFERED = [scope for scope in Scope if scope is not Scope.CREDENTIAL_ISSUE]
LIVES = (30, 90, 180, 365)


@dataclass(frozen=True)
class TokenLine:
    href: str
    label: str
    rights: Sequence[str]
    state: StateLabel
    expires_at: datetime
    is_good: bool
    created_at: datetime
    by: str
    """Who created it; empty for a command of the operator, or where that was forgotten."""
    is_left: bool

    @staticmethod
    def of(work: AtWork, made: TokenMade, at: datetime) -> TokenLine:
        token = made.token
        state = StateLabel("Valable", "ok")
        if at >= token.expires_at:
            state = StateLabel("Expiré", "past")
        if token.revoked_at is not None:
            state = StateLabel("Retiré", "bad")
        return TokenLine(
            f"{work.home}/jetons/{token.id}",
            token.label,
            [translated(SCOPES[scope]) for scope in Scope if scope.value in token.scopes],
            state,
            token.expires_at,
            state.state == "ok",
            token.created_at,
            made.person.name if made.person else "",
            made.is_left and made.works,
        )


@dataclass(frozen=True)
class TokenForm:
    label: str = ""
    rights: Sequence[str] = ()
    days: str = "90"
    errors: dict[str, str] = field(default_factory=dict)


@router.get("", dependencies=_MANAGE)
def list_tokens(request: Request, services: ReadingServices) -> HTMLResponse:
    return _page(request, services, TokenForm())


@router.post("", dependencies=_MANAGE)
def create_token(request: Request, form: SafeForm, services: ReadingServices) -> HTMLResponse:
    """The response itself shows the token: it is never stored in clear, and no URL contains it."""
    work = at_work(request)
    typed = TokenForm(text_of(form, "usage"), texts_of(form, "droit"), text_of(form, "jours"))
    scopes = [scope.value for scope in _OFFERED if scope.value in typed.rights]
    life = timedelta(days=int(typed.days) if typed.days in map(str, LIVES) else 0)
    faults = faults_of_fields(
        {
            "usage": lambda: check_token_label(typed.label),
            "droit": lambda: check_token_request(scopes, life),
        }
    )
    if faults:
        typed.errors.update((name, sentence_of(error)) for name, error in faults.items())
        return _page(request, services, typed)
    with write_transaction(request) as writing:
        secret = writing.people.create_token(
            work.campus,
            label=typed.label,
            scopes=scopes,
            life=life,
            by=work.actor,
            once=idempotency_key(form, work.who.person.id),
        )
    with write_transaction(request) as writing:
        return _page(request, writing, TokenForm(), secret=secret)


@router.post("/{token_id:uuid}/retirer", dependencies=[*_MANAGE, CHECKED_FORM])
def revoke_token(token_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    with write_transaction(request) as writing:
        writing.people.revoke_token(work.campus, token_id, by=work.actor)
    return RedirectResponse(f"{work.home}/jetons", status_code=303)


def _page(request: Request, services: Services, typed: TokenForm, *, secret: str = "") -> HTMLResponse:
    work = at_work(request)
    at = services.clock()
    return work.page(
        request,
        "accounts/tokens.html",
        status=status_for(typed.errors),
        zone=work.campus.time_zone,
        secret=secret,
        form=typed,
        rights=[(scope.value, translated(SCOPES[scope]), scope.value in typed.rights) for scope in _OFFERED],
        days=[(str(days), translated("{several} jours").format(several=days)) for days in LIVES],
        tokens=[
            TokenLine.of(work, made, at)
            for made in services.people.list_tokens_made(
                work.campus, services.team.administrators(work.campus)
            )
        ],
    )
