"""Which program asks, and for which campus: its bearer token, checked before the request is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException

from app.domain.access import Scope
from app.domain.campus import Campus
from app.domain.history import Actor
from app.policies import Policy, Who, marked
from app.request_scope import ReadingServices, WritingServices, process_of, token_of
from app.wiring import Services

Slug = Annotated[str, Path(description="The campus, by its short address.", examples=["itip"], max_length=60)]
# It only describes the scheme: `token_of` reads the header, so that each refusal is a problem like all others.
BEARER = HTTPBearer(
    scheme_name="token",
    bearerFormat="sceau_…",
    description="A token of one campus, made with `sceau token create`; its scopes say what it opens.",
    auto_error=False,
)
_Shown = Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]


@dataclass(frozen=True)
class Program:
    """A program whose token was good, the campus it works in, and the services of its one transaction."""

    actor: Actor
    campus: Campus
    services: Services


@marked(Policy(Who.TOKEN, scope=Scope.READ))
def _reader(
    slug: Slug, request: Request, response: Response, services: ReadingServices, _shown: _Shown
) -> Program:
    """Needs the scope `read`."""
    response.headers["Cache-Control"] = "no-store"
    return Program(*token_of(request, services, Scope.READ, slug), services)


def _writer(scope: Scope) -> Callable[..., Program]:
    @marked(Policy(Who.TOKEN, scope=scope))
    def writer(
        slug: Slug, request: Request, response: Response, services: WritingServices, _shown: _Shown
    ) -> Program:
        response.headers["Cache-Control"] = "no-store"
        program = Program(*token_of(request, services, scope, slug), services)
        if scope is Scope.AWARD_CREATE:
            process_of(request).limiter.hit("awards of a token", program.actor.label)
        # Strict, so that no form of another site can ever be taken for a program's request.
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise HTTPException(415)
        return program

    return writer


# "function", as the transaction below it: what ends with the handler cannot serve what outlives it.
Reader = Annotated[Program, Depends(_reader, scope="function")]
AwardGiver = Annotated[Program, Depends(_writer(Scope.AWARD_CREATE), scope="function")]
AwardRevoker = Annotated[Program, Depends(_writer(Scope.AWARD_REVOKE), scope="function")]
BadgeWriter = Annotated[Program, Depends(_writer(Scope.BADGE_WRITE), scope="function")]
ActivityWriter = Annotated[Program, Depends(_writer(Scope.ACTIVITY_WRITE), scope="function")]
