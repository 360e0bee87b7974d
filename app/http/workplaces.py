"""Common start of every signed-in page: the user, their campus, and their permissions."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

import structlog
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from app.container import AlreadyThere, DatabaseUnreachable, Process, Services
from app.domain.accounts.permissions import (
    REQUIRES_PASSKEY,
    REQUIRES_REAUTH,
    Permission,
    Role,
    check_may,
    may,
)
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, Network
from app.domain.campus.team import MOST_COUNTED
from app.domain.people.consents import AccessRecord
from app.http.pages.render import CampusLook, NavigationLink, WorkspaceMenu, page
from app.http.request_scope import (
    Policy,
    ReadingServices,
    Who,
    find_signed_in,
    marked,
    services_at_hand,
    signed_in,
    staff_of,
)
from app.language import N_, translated
from app.services.accounts.sessions import SignedIn

log = structlog.get_logger(__name__)

_LOOKING = ("GET", "HEAD")
_REQUESTS = "/demandes"
_MENU: tuple[tuple[str, Permission, str, tuple[str, ...]], ...] = (
    (N_("Aujourd’hui"), Permission.VIEW, "", ()),
    (N_("Activités"), Permission.VIEW, "/activites", ("/contributions", "/reprises")),
    (
        N_("Badges"),
        Permission.VIEW,
        "/badges",
        ("/attributions", "/resultats", "/retraits", "/lettres", "/recommandations", "/definitions"),
    ),
    (N_("Compétences"), Permission.VIEW, "/competences", ("/parcours", "/modules")),
    (N_("Personnes"), Permission.VIEW, "/repertoire", ("/recherche",)),
    (N_("Demandes"), Permission.REVIEW, _REQUESTS, ()),
    (N_("Rapport"), Permission.VIEW, "/rapport", ()),
    (N_("Données personnelles"), Permission.PROTECT, "/donnees", ()),
    (N_("Historique"), Permission.AUDIT, "/historique", ("/audit",)),
    (
        N_("Réglages"),
        Permission.MANAGE,
        "/reglages",
        ("/equipe", "/jetons", "/rappels", "/cles", "/images", "/cours"),
    ),
)
"""(label, permissions, path below the campus's, other paths of the same part)."""


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

    def may(self, permission: Permission) -> bool:
        return may(self.roles, permission)

    def page(
        self, request: Request, template: str, *, status: int | None = None, **view: Any
    ) -> HTMLResponse:
        """A private page of this campus; its template knows where the campus's pages start."""
        return page(request, template, campus=self.look, private=True, status=status, home=self.home, **view)


@dataclass(frozen=True)
class Workspace:
    """The navigation of a campus as plain values, which outlive the transaction that read them."""

    look: CampusLook
    roles: frozenset[Role]
    campus_id: uuid.UUID
    person_id: uuid.UUID
    is_only: bool
    """Whether this is the person's only campus."""

    @staticmethod
    def of(work: AtWork) -> Workspace:
        campuses = {membership.campus_id for membership, _ in work.who.memberships}
        return Workspace(work.look, work.roles, work.campus.id, work.who.person.id, len(campuses) < 2)

    def menu(self, request: Request) -> WorkspaceMenu:
        """The parts of the campus that this person may open, with the number of requests to decide."""
        home = f"/gestion/{self.look.slug}"
        here = request.url.path.removeprefix(home)
        links = []
        for label, permission, path, others in _MENU:
            if not may(self.roles, permission):
                continue
            inside = any(here == each or here.startswith(f"{each}/") for each in (path, *others) if each)
            is_current = inside if path else not here.strip("/")
            count = self._requests_to_decide(request) if path == _REQUESTS else 0
            shown = counted(count) if count else ""
            links.append(NavigationLink(translated(label), home + path, is_current, shown))
        return WorkspaceMenu(home, links, self.is_only)

    def _requests_to_decide(self, request: Request) -> int:
        with services_at_hand(request) as services:
            return services.dashboard.requests_to_decide(self.campus_id, reader=self.person_id)


def counted(waiting: int) -> str:
    """A count that stops is marked as such."""
    return f"{MOST_COUNTED}+" if waiting > MOST_COUNTED else str(waiting)


def staff(permission: Permission) -> Any:
    """The policy of a page of a campus: `dependencies=[staff(Permission.AWARD)]`. Enforces it before the
    handler runs."""

    @marked(Policy(Who.STAFF, permission=permission))
    def guard(slug: str, request: Request, services: ReadingServices) -> None:
        who, place = staff_of(request, services, slug)
        work = AtWork(who, place.campus, place.roles)
        request.state.workspace = Workspace.of(work)
        check_may(place.roles, permission)
        if permission in REQUIRES_PASSKEY:
            fresh = permission in REQUIRES_REAUTH and (
                request.method not in _LOOKING or permission is Permission.EXPORT
            )
            services.sessions.check_proved(who, fresh=fresh)
        request.state.work = work

    return Depends(guard, scope="function")


@dataclass(frozen=True)
class AtNetwork:
    """A person and a network that they administer."""

    who: SignedIn
    network: Network

    @property
    def actor(self) -> Actor:
        return self.who.actor

    @property
    def home(self) -> str:
        return f"/reseau/{self.network.slug}/gestion"


@marked(Policy(Who.NETWORK))
def _network_administrator(slug: str, request: Request, services: ReadingServices) -> None:
    """404 for everyone else, signed in or not; a change requires a recent proof of identity."""
    who = find_signed_in(request, services)
    network = services.register.network(slug)
    if who is None or not services.network_team.administers(network, who.person.id):
        raise HTTPException(404)
    services.sessions.check_proved(who, fresh=request.method not in _LOOKING)
    services.search_everywhere()
    request.state.at_network = AtNetwork(who, network)


NETWORK_ADMINISTRATOR = Depends(_network_administrator, scope="function")
"""The policy of every page for administrators of a network."""


def at_network(request: Request) -> AtNetwork:
    """The user and the network found by `NETWORK_ADMINISTRATOR`."""
    return cast(AtNetwork, request.state.at_network)


@marked(Policy(Who.SIGNED_IN))
def _somebody(request: Request, services: ReadingServices) -> None:
    signed_in(request, services)


@marked(Policy(Who.SIGNED_IN))
def _somebody_sure(request: Request, services: ReadingServices) -> None:
    services.sessions.check_proved(signed_in(request, services), fresh=True)


SIGNED_IN = Depends(_somebody, scope="function")
"""The policy of a page for any authenticated user."""
SURELY_SIGNED_IN = Depends(_somebody_sure, scope="function")
"""Requires recent step-up authentication, with a passkey if the user has one: for changes to sign-in
methods."""


def at_work(request: Request) -> AtWork:
    """The user and campus found by the route's own `staff(...)`."""
    return cast(AtWork, request.state.work)


def look_of(campus: Campus) -> CampusLook:
    return CampusLook(campus.slug, campus.short_name, campus.name)


def today_in(services: Services, campus: Campus) -> date:
    return campus.day_of(services.clock())


# --- Accesses to personal data that are logged


@dataclass(frozen=True)
class AccessView:
    campus_id: uuid.UUID
    person_id: uuid.UUID
    viewer_id: uuid.UUID
    looked_at: AccessRecord


def access_views(request: Request, person_id: uuid.UUID | None, looked_at: AccessRecord) -> None:
    """Called by the handler of such a page; `person_id` is None for an unknown person."""
    if person_id is not None:
        work = at_work(request)
        look = AccessView(work.campus.id, person_id, work.who.person.id, looked_at)
        request.state.looked = (*getattr(request.state, "looked", ()), look)


@dataclass(frozen=True, eq=False)
class AccessLogged:
    """ASGI middleware: `request.state.looked` are the accesses to log."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)
        looks = scope.get("state", {}).get("looked", ()) if scope["type"] == "http" else ()
        for look in dict.fromkeys(looks):
            await run_in_threadpool(_note, scope["app"].state.process, look)


def _note(process: Process, look: AccessView) -> None:
    try:
        with process.visit(campus_id=look.campus_id) as services:
            services.private_looks.note(look.campus_id, look.person_id, look.viewer_id, look.looked_at)
    except AlreadyThere:
        pass
    except DatabaseUnreachable as error:
        log.warning("look not noted", kind=type(error).__name__)
