"""Authenticates the program and its campus by bearer token, before the request body is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request, Response, Security
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException

from app.container import Services
from app.domain.accounts.sessions import Scope
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.http.policies import Policy, Who, marked
from app.http.request_scope import ReadingServices, WritingServices, process_of, token_of, visit

Slug = Annotated[str, Path(description="The campus, by its short address.", examples=["itip"], max_length=60)]
# It only describes the scheme: `token_of` reads the header, so that each refusal is a problem like all
# others.
BEARER = HTTPBearer(
    scheme_name="token",
    bearerFormat="sceau_…",
    description="A token of one campus, made with `sceau token create`; its scopes say what it opens.",
    auto_error=False,
)
_Shown = Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]


@dataclass(frozen=True)
class Program:
    """A program with a valid token, the campus it works in, and the services of its single transaction."""

    actor: Actor
    campus: Campus
    services: Services


@marked(Policy(Who.TOKEN, scope=Scope.READ))
def _reader(
    slug: Slug, request: Request, response: Response, services: ReadingServices, _shown: _Shown
) -> Program:
    """Requires the scope `read`."""
    response.headers["Cache-Control"] = "no-store"
    program = Program(*token_of(request, services, Scope.READ, slug), services)
    _check_query(request)
    return program


@marked(Policy(Who.TOKEN, scope=Scope.PATHWAY_READ))
def _pathway_reader(
    slug: Slug, request: Request, response: Response, services: ReadingServices, _shown: _Shown
) -> Program:
    """Requires the scope `pathway:read`."""
    response.headers["Cache-Control"] = "no-store"
    return Program(*token_of(request, services, Scope.PATHWAY_READ, slug), services)


def _writer(scope: Scope) -> Callable[..., Program]:
    @marked(Policy(Who.TOKEN, scope=scope))
    def writer(
        slug: Slug, request: Request, response: Response, services: WritingServices, _shown: _Shown
    ) -> Program:
        response.headers["Cache-Control"] = "no-store"
        program = Program(*token_of(request, services, scope, slug), services)
        _check_query(request)
        _check_json(request)
        return program

    return writer


@dataclass(frozen=True)
class Giver:
    """A program with a token valid at the start, for work in several transactions: each one checks it
    again."""

    request: Request
    slug: str

    @contextmanager
    def transaction(self, *, reading: bool = False) -> Iterator[Program]:
        with visit(self.request, reading=reading) as services:
            yield Program(*token_of(self.request, services, Scope.AWARD_CREATE, self.slug), services)


@marked(Policy(Who.TOKEN, scope=Scope.AWARD_CREATE))
def _giver(slug: Slug, request: Request, response: Response, _shown: _Shown) -> Giver:
    giver = Giver(request, slug)
    response.headers["Cache-Control"] = "no-store"
    with giver.transaction(reading=True) as program:
        process_of(request).limiter.hit("awards of a token", program.actor.label)
    _check_json(request)
    return giver


def _check_query(request: Request) -> None:
    """A filter that does not exist would be ignored, and all rows taken for the filtered ones."""
    known = _query_names(request.scope["route"].dependant)
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise RequestValidationError(
            [{"type": "extra_forbidden", "loc": ("query", name)} for name in unknown]
        )


def _query_names(dependant: Dependant) -> set[str]:
    of_dependencies = (_query_names(each) for each in dependant.dependencies)
    return {field.alias for field in dependant.query_params}.union(*of_dependencies)


def _check_json(request: Request) -> None:
    """Strict, so that a cross-site form is never accepted as a program's request."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415)


# "function", like the transaction below it: it must not outlive the handler's transaction.
Reader = Annotated[Program, Depends(_reader, scope="function")]
PathwayReader = Annotated[Program, Depends(_pathway_reader, scope="function")]
AwardGiver = Annotated[Giver, Depends(_giver, scope="function")]
AwardRevoker = Annotated[Program, Depends(_writer(Scope.AWARD_REVOKE), scope="function")]
BadgeWriter = Annotated[Program, Depends(_writer(Scope.BADGE_WRITE), scope="function")]
ActivityWriter = Annotated[Program, Depends(_writer(Scope.ACTIVITY_WRITE), scope="function")]
