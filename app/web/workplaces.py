"""What every page behind sign-in begins with: who works here, in which campus, and what they may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from fastapi import Request

from app.domain.campus import Campus
from app.domain.history import Actor
from app.domain.people import Role, check_may_work
from app.errors import AppError
from app.request_scope import staff_of
from app.services.people import SignedIn
from app.web.render import CampusLook
from app.web.typography import say
from app.web.wording import local
from app.wiring import Services


@dataclass(frozen=True)
class AtWork:
    """A person in a campus where they may record and award."""

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

    @property
    def administers(self) -> bool:
        return Role.CAMPUS_ADMIN in self.roles


def at_work(request: Request, services: Services, slug: str) -> AtWork:
    who, place = staff_of(request, services, slug)
    check_may_work(place.roles)
    return AtWork(who, place.campus, place.roles)


def look_of(campus: Campus) -> CampusLook:
    return CampusLook(campus.slug, campus.short_name, campus.name)


def today_in(services: Services, campus: Campus) -> date:
    return local(services.clock(), campus.time_zone).date()


def sentence_of(error: AppError) -> str:
    """What went wrong, in the reader's language, for the top of a form."""
    return say(error.sentence).format(**error.values)
