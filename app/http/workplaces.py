"""What every page behind sign-in begins with: who works here, in which campus, and what they may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from fastapi import Depends, Request

from app.container import Services
from app.domain.accounts.permissions import (
    REQUIRES_PASSKEY,
    REQUIRES_REAUTH,
    Permission,
    Role,
    check_may,
    may,
)
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.errors import AppError
from app.http.pages.render import CampusLook
from app.http.pages.typography import translated
from app.http.pages.words import local
from app.http.policies import Policy, Who, marked
from app.http.request_scope import ReadingServices, signed_in, staff_of
from app.services.accounts.sessions import SignedIn

_LOOKING = ("GET", "HEAD")


@dataclass(frozen=True)
class AtWork:
    """A person in a campus where they have a role."""

    who: SignedIn
    campus: Campus
    roles: frozenset[Role]

    @property
    def actor(self) -> Actor:
        return self.who.actor

    @property
    def look(self) -> CampusLook:
        return look_of(self.campus)

    @property
    def home(self) -> str:
        return f"/gestion/{self.campus.slug}"

    def may(self, deed: Permission) -> bool:
        return may(self.roles, deed)


def staff(deed: Permission) -> Any:
    """The policy of a page of a campus: `dependencies=[staff(Deed.AWARD)]`. Enforces it before the handler runs."""

    @marked(Policy(Who.STAFF, deed=deed))
    def guard(slug: str, request: Request, services: ReadingServices) -> None:
        who, place = staff_of(request, services, slug)
        check_may(place.roles, deed)
        if deed in REQUIRES_PASSKEY:
            fresh = deed in REQUIRES_REAUTH and (request.method not in _LOOKING or deed is Permission.EXPORT)
            services.sessions.check_proved(who, fresh=fresh)
        request.state.work = AtWork(who, place.campus, place.roles)

    return Depends(guard, scope="function")


@marked(Policy(Who.SIGNED_IN))
def _somebody(request: Request, services: ReadingServices) -> None:
    signed_in(request, services)


@marked(Policy(Who.SIGNED_IN))
def _somebody_sure(request: Request, services: ReadingServices) -> None:
    services.sessions.check_proved(signed_in(request, services), fresh=True)


SIGNED_IN = Depends(_somebody, scope="function")
"""The policy of a page for whoever proved who they are."""
SURELY_SIGNED_IN = Depends(_somebody_sure, scope="function")
"""For whoever proved it a short time ago, and with a passkey if they have one: for what one signs in with."""


def at_work(request: Request) -> AtWork:
    """Who asks, and in which campus, as the route's own `staff(...)` found."""
    return cast(AtWork, request.state.work)


def look_of(campus: Campus) -> CampusLook:
    return CampusLook(campus.slug, campus.short_name, campus.name)


def today_in(services: Services, campus: Campus) -> date:
    return local(services.clock(), campus.time_zone).date()


def sentence_of(error: AppError) -> str:
    """What went wrong, in the reader's language, for the top of a form."""
    return translated(error.sentence).format(**error.values)
