"""Request scope: transaction, user, services, error status, and the access policy of each route."""

from __future__ import annotations

import base64
import uuid
from asyncio import Semaphore
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import Annotated, Any, Literal, TypeVar, cast
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from fastapi.concurrency import contextmanager_in_threadpool
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import BaseRoute, Match

from app.container import Process, Services
from app.domain.accounts.permissions import Permission
from app.domain.accounts.rate_limits import network_of
from app.domain.accounts.sessions import ApiToken, Scope
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import UNSHARED, Snapshot
from app.domain.learners.connected_apps import AppScope
from app.errors import (
    AppError,
    Conflict,
    Gone,
    InvalidInput,
    NotAllowed,
    NotFound,
    NotSignedIn,
    TooMany,
    Unavailable,
)
from app.http.allowances import note_allowance
from app.language import address_child, filled, translated
from app.services.accounts.sessions import NewSession, SignedIn
from app.services.people.people import Workplace

# Separates the secrets of several sessions in one cookie; none contains it.
SECRETS_SEPARATOR = "."

STATUS_OF: dict[type[AppError], int] = {
    NotSignedIn: 401,
    NotAllowed: 403,
    NotFound: 404,
    Conflict: 409,
    Gone: 410,
    InvalidInput: 422,
    TooMany: 429,
    Unavailable: 503,
}


def status_of(error: AppError) -> int:
    return next(status for kind, status in STATUS_OF.items() if isinstance(error, kind))


class ErrorText(str):
    """An error's sentence in the reader's language, with the status of a page that shows it."""

    status: int


def sentence_of(error: AppError) -> ErrorText:
    """For the top of a form."""
    text = ErrorText(filled(translated(error.sentence), error.values))
    # A form that names what does not exist, or a code that is wrong, is a page that exists.
    text.status = 422 if isinstance(error, NotFound | NotSignedIn) else status_of(error)
    return text


def status_for(*troubles: object) -> int:
    """Of a form shown again: an error's own status, 422 for any other trouble; 200 without one.

    Each may be an error, its text, or texts by field.
    """
    for trouble in troubles:
        for each in trouble.values() if isinstance(trouble, Mapping) else (trouble,):
            if isinstance(each, AppError):
                return sentence_of(each).status
            if each:
                return each.status if isinstance(each, ErrorText) else 422
    return 200


def safe_path(wanted: str | None, request: Request) -> str:
    """`wanted` when it is a valid path of this site, else the home page (T28)."""
    if not wanted or not wanted.startswith("/") or wanted.startswith("//") or len(wanted) > 2000:
        return "/"
    if "\\" in wanted or any(ord(sign) <= 32 or ord(sign) == 127 for sign in wanted):
        return "/"
    try:
        path = urlsplit(wanted).path
    except ValueError:
        return "/"
    asked = {"type": "http", "path": path, "root_path": "", "method": "GET", "headers": []}
    readable = any(route.matches(asked)[0] is Match.FULL for route in request.app.routes)
    return wanted if readable else "/"


def process_of(request: Request) -> Process:
    return cast(Process, request.app.state.process)


async def _reading(request: Request) -> AsyncIterator[Services]:
    await _receive_form(request)
    async with (
        _place(request),
        contextmanager_in_threadpool(_visit_at_hand(request, reading=True)) as services,
    ):
        yield services


async def _reading_snapshot(request: Request) -> AsyncIterator[Services]:
    await _receive_form(request)
    snapshot = await current_snapshot(request)
    async with (
        _place(request),
        contextmanager_in_threadpool(_visit_at_hand(request, reading=True, snapshot=snapshot)) as services,
    ):
        yield services


async def current_snapshot(request: Request) -> Snapshot:
    """Of our lists, keys and log tiles, read once for everybody; UNSHARED where the database has no version."""
    return await process_of(request).snapshot() or UNSHARED


async def _writing(request: Request) -> AsyncIterator[Services]:
    await _receive_form(request)
    async with _place(request), contextmanager_in_threadpool(_visit_at_hand(request)) as services:
        yield services


async def _receive_form(request: Request) -> None:
    """Before a connection is taken: who sends a form decides how long it takes."""
    await request.app.state.receive_form(request)


@asynccontextmanager
async def _place(request: Request) -> AsyncIterator[None]:
    """Waits without a thread and without a connection until the request may use the database.

    A request holds its connection while it waits for a thread: if all threads waited for a connection, none
    would ever come back.
    """
    places: Semaphore | None = getattr(request.app.state, "places", None)
    if places is None or getattr(request.state, "has_place", False):
        yield
        return
    async with places:
        request.state.has_place = True
        try:
            yield
        finally:
            request.state.has_place = False


@contextmanager
def _visit_at_hand(
    request: Request, *, reading: bool = False, snapshot: Snapshot = UNSHARED
) -> Iterator[Services]:
    with visit(request, reading=reading, snapshot=snapshot) as services, _at_hand(request, services):
        if reading:
            request.state.reads = services
        yield services


@contextmanager
def visit(request: Request, *, reading: bool = False, snapshot: Snapshot = UNSHARED) -> Iterator[Services]:
    """A unit of work in the tenant scope that the route's policy entered, if any.

    What changes a row that its URL names waits for other requests that change it, before it reads anything: a
    state or mark that it checks is still the same when it writes.
    """
    with _unit_of_work(request, reading=reading, snapshot=snapshot) as services:
        if not reading and request.method not in _SAFE_METHODS:
            services.take_turns(filter(None, map(_id_in, request.path_params.values())))
        yield services


_SAFE_METHODS = ("GET", "HEAD")


def _unit_of_work(request: Request, *, reading: bool, snapshot: Snapshot) -> AbstractContextManager[Services]:
    if getattr(request.state, "at_any_campus", False):
        return process_of(request).unit_of_work(reading=reading)
    campus_id, person_id = getattr(request.state, "entered", (None, None))
    return process_of(request).visit(
        reading=reading, campus_id=campus_id, person_id=person_id, snapshot=snapshot
    )


def _at_any_campus(request: Request) -> None:
    request.state.at_any_campus = True


CROSS_TENANT = Depends(_at_any_campus)
"""For a page without an account, where a code, an e-mail or a badge identifies the campus."""


def _with_organisers(request: Request) -> None:
    request.state.with_organisers = True


WITH_ORGANISERS = Depends(_with_organisers)
"""For pages and requests about one activity: changes are recorded for each campus that organises it."""


def enter(request: Request, services: Services, campus: Campus, who: SignedIn | None = None) -> None:
    """Restricts the request to this campus, except on CROSS_TENANT pages, and on WITH_ORGANISERS pages for an
    activity with several organisers."""
    process_of(request).check_not_behind(campus.id)
    request.state.entered = campus.id, who.person.id if who else None
    if getattr(request.state, "at_any_campus", False):
        services.search_everywhere()
        return
    services.enter(*request.state.entered)
    if getattr(request.state, "with_organisers", False):
        activity_id = _id_in(request.path_params.get("activity_id", ""))
        request.state.at_any_campus = activity_id is not None and services.join_organisers(
            campus.id, activity_id
        )


def _id_in(value: object) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(value))
    except ValueError:
        return None


@contextmanager
def _at_hand(request: Request, services: Services) -> Iterator[None]:
    request.state.services = services
    try:
        yield
    finally:
        del request.state.services


@contextmanager
def services_at_hand(request: Request) -> Iterator[Services]:
    """The services already open in the request, else new ones for reading.

    A request that takes a second connection while holding one could deadlock with a few concurrent requests.
    """
    if (services := getattr(request.state, "services", None)) is not None:
        yield services
        return
    with visit(request, reading=True) as services:
        yield services


# scope="function": the commit comes before the response, so a failed commit is a 500 and never a 201 for
# something that did not happen.
ReadingServices = Annotated[Services, Depends(_reading, scope="function")]
"""For a handler that only reads."""
SnapshotServices = Annotated[Services, Depends(_reading_snapshot, scope="function")]
"""For a handler that only reads what everybody may: badges are verified on one snapshot."""
WritingServices = Annotated[Services, Depends(_writing, scope="function")]
"""For a handler that may write: one transaction, committed before the response is sent."""


def write_transaction(request: Request) -> AbstractContextManager[Services]:
    """For a form that is shown again when its action is refused: the action is atomic."""
    return visit(request)


def read_transaction(request: Request) -> AbstractContextManager[Services]:
    """For a handler that asks another server between two reads: nothing of the database is held meanwhile."""
    return _visit_at_hand(request, reading=True)


def client_network(request: Request) -> str:
    """The client's network, as far as it can be trusted: proxies count only if the operator named them."""
    return network_of(request.client.host if request.client else "")


_COUNTS = "__counts__"


def _counting(dependency: Callable[[Request], None]) -> Callable[[Request], None]:
    setattr(dependency, _COUNTS, True)
    return dependency


def is_limited(route: RouteContext | BaseRoute) -> bool:
    """A rate limit stands at the route, or at one of its guards: it can refuse with 429."""
    dependant = getattr(route, "dependant", None)
    return dependant is not None and any(hasattr(call, _COUNTS) for call in _calls(dependant))


def limited(name: str) -> Any:
    """Route dependency: rate limit LIMITS[name] per network, then 429."""

    def count(request: Request) -> None:
        count_for(request, name, client_network(request))

    return Depends(_counting(count))


def count_for(request: Request, name: str, who: str) -> None:
    """Counts for LIMITS[name]; the answer to a program shows what is left."""
    note_allowance(request, process_of(request).limiter.hit(name, who))


def _count_program(request: Request) -> None:
    """Before the transaction opens: on SQLite, a counter in the database would wait for the request's own lock.

    Counted by the secret, of which the counter stores a keyed digest.
    """
    secret = _secret_in(request)
    request.state.takes_program_tokens = True
    if secret:
        process_of(request).limiter.check("failed token", client_network(request))
        count_for(request, "requests of a token", secret)


def check_program(request: Request, scope: Scope) -> None:
    """Before a long body is received: raises NotSignedIn, NotAllowed or NotFound. Nothing is counted but a failure."""
    request.state.takes_program_tokens = True
    process_of(request).limiter.check("failed token", client_network(request))
    with process_of(request).unit_of_work(reading=True) as services:
        known_token(request, services, scope, request.path_params.get("slug"))


def count_failed_token(request: Request) -> None:
    """After the transaction of the refused request; tokens of wallets and applications are no program's."""
    if getattr(request.state, "takes_program_tokens", False) and _secret_in(request):
        with suppress(TooMany):
            count_for(request, "failed token", client_network(request))


def limited_by_token(name: str) -> Any:
    """Route dependency: rate limit LIMITS[name] per token, before the transaction opens.

    A network that guesses tokens leaves no counters.
    """

    def count(request: Request) -> None:
        if secret := _secret_in(request):
            process_of(request).limiter.check("failed token", client_network(request))
            count_for(request, name, secret)

    return Depends(_counting(count))


ProgramCounted = Annotated[None, Depends(_counting(_count_program))]
"""The first parameter of each guard that reads a token."""


def cookie_name(process: Process, name: str) -> str:
    """`__Host-` binds the cookie to this host over https; plain http on localhost cannot set it."""
    return f"__Host-{name}" if process.settings.is_https else name


def set_cookie(
    response: Response,
    process: Process,
    name: str,
    value: str,
    max_age: float,
    *,
    path: str = "/",
    samesite: Literal["lax", "none"] = "lax",
) -> None:
    """Scripts cannot read it. Behind a proxy only the configured address tells that people come over https."""
    secure = process.settings.is_https
    response.set_cookie(
        name,
        value,
        int(max_age),
        path=path,
        secure=secure,
        httponly=True,
        samesite=samesite if secure else "lax",
    )


def delete_cookie(response: Response, process: Process, name: str, path: str = "/") -> None:
    """Browsers delete a `__Host-` cookie only where the answer is as strict as the one that set it."""
    set_cookie(response, process, name, "", 0, path=path)


def session_cookie(process: Process) -> str:
    return cookie_name(process, "sid")


def open_session_in(response: Response, request: Request, opened: NewSession) -> None:
    """Sets the session cookie; scripts cannot read it, other sites cannot use it."""
    process = process_of(request)
    secrets = SECRETS_SEPARATOR.join(filter(None, (opened.secret, opened.before)))
    life = opened.session.expires_at - opened.session.created_at
    set_cookie(response, process, session_cookie(process), secrets, life.total_seconds())


def close_session_in(response: Response, request: Request) -> None:
    process = process_of(request)
    delete_cookie(response, process, session_cookie(process))


def session_secret(request: Request) -> str | None:
    """The first secret of the cookie opens the session; later ones only validate forms shown before."""
    cookie = request.cookies.get(session_cookie(process_of(request)), "")
    return cookie.partition(SECRETS_SEPARATOR)[0] or None


@dataclass(frozen=True)
class Visitor:
    """The visitor, as far as the frame of a page needs."""

    name: str = ""
    manages: bool = False
    person_id: uuid.UUID | None = None

    @property
    def signed_in(self) -> bool:
        return bool(self.name)


def signed_in(request: Request, services: Services) -> SignedIn:
    """The signed-in user; raises NotSignedIn. Found once in a transaction that only reads."""
    known: tuple[Services, SignedIn] | None = getattr(request.state, "known", None)
    if known is not None and known[0] is services:
        return known[1]
    who = services.sessions.signed_in(session_secret(request))
    if who.person.needs_guardian:
        address_child()
    if services.sessions.is_sighting_due(who.session):
        request.state.seen_session = who.session.id
    if getattr(request.state, "reads", None) is services:
        request.state.known = services, who
        if who.memberships and not who.person.needs_guardian:
            request.state.staff_seen = Visitor(who.person.name, manages=True, person_id=who.person.id)
    return who


def find_signed_in(request: Request, services: Services) -> SignedIn | None:
    """The signed-in user, if any; for public pages."""
    try:
        return signed_in(request, services)
    except NotSignedIn:
        return None


def staff_of(request: Request, services: Services, slug: str) -> tuple[SignedIn, Workplace]:
    """The user, if staff of the campus; others get the same 404 as for a missing campus (T01)."""
    who = signed_in(request, services)
    place = services.people.workplace(who, slug)
    enter(request, services, place.campus, who)
    return who, place


STATEMENTS = ("/xapi/statements", "/lrs/statements")
"""Clients of statement stores know HTTP Basic alone: the token is their password."""


def _basic_password(credentials: str) -> str:
    """Empty where it is none (RFC 7617)."""
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[2]
    except (ValueError, UnicodeDecodeError):
        return ""


def _secret_in(request: Request) -> str:
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic" and request.url.path.endswith(STATEMENTS):
        kind, secret = "bearer", _basic_password(secret)
    return secret.strip() if kind.lower() == "bearer" else ""


def token_of(
    request: Request, services: Services, scope: Scope, slug: str | None = None
) -> tuple[Actor, Campus]:
    """The program and its campus, if its bearer token has `scope` there."""
    token, campus = known_token(request, services, scope, slug)
    enter(request, services, campus)
    request.state.scopes = frozenset(token.scopes)
    return Actor(label=f"token {token.id}"), campus


def known_token(
    request: Request, services: Services, scope: Scope, slug: str | None
) -> tuple[ApiToken, Campus]:
    secret = _secret_in(request)
    if not secret:
        raise NotSignedIn("Cette demande a besoin d’un jeton d’accès : « Authorization: Bearer … ».")
    services.search_everywhere()
    return services.people.token_campus(secret, slug, scope)


# --- Access policy of each route: a mark on its handler, or a guard among its dependencies


_NAME = "__policy__"
Marked = TypeVar("Marked", bound=Callable[..., Any])


class Who(Enum):
    ANYBODY = auto()
    GUEST = auto()
    """Anyone; a user with a role is redirected to their dashboard."""
    SIGNED_IN = auto()
    """Any authenticated user, whatever their campus."""
    HOLDER = auto()
    """The browser that was shown the private link of that very award, and its holder when signed in."""
    STAFF = auto()
    """A user with a role that has the permission in the campus; 404 for people of other campuses."""
    NETWORK = auto()
    """A user who administers the network; 404 for everyone else."""
    OPERATOR = auto()
    """An operator of the whole service, by token or signed in; 404 for everyone else."""
    LAUNCH = auto()
    """A browser that a course platform of the campus launched; it identifies a person only where an account is linked."""
    TOKEN = auto()
    """A program with a token of the required scope, in the campus of the token."""
    APP = auto()
    """An application that a learner connected, with a token of the required scope, for that learner alone."""


@dataclass(frozen=True)
class Policy:
    who: Who
    permission: Permission | None = None
    scope: Scope | AppScope | None = None


class NoPolicy(Exception):
    """A route with no policy or with two: the application does not start."""


def marked(policy: Policy) -> Callable[[Marked], Marked]:
    """For a guard, which enforces the policy itself, and for a handler with nothing to enforce."""

    def mark(subject: Marked) -> Marked:
        setattr(subject, _NAME, policy)
        return subject

    return mark


public = marked(Policy(Who.ANYBODY))
"""For a public handler; a mark costs the hot public documents nothing."""
guest = marked(Policy(Who.GUEST))


def policies(routes: Sequence[BaseRoute | RouteContext]) -> dict[str, Policy]:
    """The policy of each URL, as « GET /aide »; raises NoPolicy where a route has none."""
    found: dict[str, Policy] = {}
    for each in iter_route_contexts(routes):
        declared = set(declared_policies(each))
        where = f"{'/'.join(sorted(each.methods or ()))} {each.path}"
        if len(declared) != 1:
            raise NoPolicy(
                f"{where} declares {len(declared)} policies: exactly one is required (app/http/request_scope.py)"
            )
        policy = declared.pop()
        found.update({f"{method} {each.path}": policy for method in set(each.methods or ()) - {"HEAD"}})
    return found


def declared_policies(route: RouteContext | BaseRoute) -> Iterator[Policy]:
    dependant = getattr(route, "dependant", None)
    calls: Iterable[Any] = _calls(dependant) if dependant is not None else (getattr(route, "endpoint", None),)
    return (getattr(call, _NAME) for call in calls if hasattr(call, _NAME))


def _calls(dependant: Dependant) -> Iterator[Any]:
    yield dependant.call
    for below in dependant.dependencies:
        yield from _calls(below)
