"""ASGI middleware: caches frequently requested public documents until the database changes."""

from __future__ import annotations

import asyncio
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import InitVar, dataclass, field
from datetime import datetime, timedelta
from time import perf_counter
from typing import Final

from fastapi import Depends, Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.container import Process, Services
from app.domain.core import Clock
from app.errors import NotSignedIn
from app.http.negotiation import has_already
from app.http.request_log import route_of
from app.http.request_scope import (
    SECRETS_SEPARATOR,
    Policy,
    ReadingServices,
    Who,
    WritingServices,
    cookie_name,
    delete_cookie,
    find_signed_in,
    marked,
    process_of,
    set_cookie,
)
from app.language import N_, address_child
from app.services.accounts.sessions import Holder, LinkHolder, NewSession, SignedIn
from app.telemetry import noter_of

GOOD_FOR: Final = timedelta(seconds=10)
"""A status list is renewed by time alone, without a change in the database."""
MOST_BYTES: Final = 64 * 1024 * 1024
_LARGEST: Final = 512 * 1024
_LONGEST_WISH: Final = 300
_ASKED_BY: Final = frozenset((b"host", b"accept", b"accept-encoding", b"accept-language", b"origin"))
"""All request headers a response may vary by; `Cache-Control: public` guarantees that others change
nothing."""
_NEVER: Final = frozenset((b"range", b"authorization"))
_OF_A_BODY: Final = (b"content-length", b"content-type", b"content-security-policy")

_MOST_REMEMBERED: Final = 10_000

Version = Callable[[], Awaitable[object]]
"""Changes after every commit; None where the database cannot provide it."""
_Key = tuple[object, ...]


@dataclass
class _Ready:
    version: object
    made_at: datetime
    start: Message
    body: Message
    etag: str
    route: InitVar[str]
    unchanged: Message = field(init=False)
    note: Callable[[float], None] = field(init=False)
    note_unchanged: Callable[[float], None] = field(init=False)

    def __post_init__(self, route: str) -> None:
        headers = [(name, value) for name, value in self.start["headers"] if name not in _OF_A_BODY]
        self.unchanged = {"type": "http.response.start", "status": 304, "headers": headers}
        self.note, self.note_unchanged = noter_of("GET", route, 200), noter_of("GET", route, 304)


class ReadyAnswers:
    """Outermost, and on the event loop alone: a cached response skips all other middleware, but is still
    counted.

    A response is cached from its second request on: a document read once costs no query of the version, which
    with some databases is a network round trip.
    """

    def __init__(self, app: ASGIApp, *, version: Version, clock: Clock, most_bytes: int = MOST_BYTES) -> None:
        self.app = app
        self.version = version
        self.clock = clock
        self.most_bytes = most_bytes
        self._answers: OrderedDict[_Key, _Ready] = OrderedDict()
        self._bytes = 0
        self._asked_before: set[int] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key, known = _question_of(scope)
        if key is None:
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        ready = self._answers.get(key)
        is_wanted = ready is not None or hash(key) in self._asked_before
        version = await self.version() if is_wanted else None
        if (
            ready is None
            or version is None
            or ready.version != version
            or self.clock() - ready.made_at > GOOD_FOR
        ):
            await self._ask(key, version, scope, receive, send)
            return
        self._answers.move_to_end(key)
        if known is not None and has_already(known.decode("latin-1"), ready.etag):
            await send(ready.unchanged)
            await send(_NOTHING)
            ready.note_unchanged(perf_counter() - started)
            return
        await send(ready.start)
        await send(ready.body)
        ready.note(perf_counter() - started)

    async def _ask(self, key: _Key, version: object, scope: Scope, receive: Receive, send: Send) -> None:
        """Calls the application, and caches a public response."""
        heard: list[Message] = []

        async def send_and_hear(message: Message) -> None:
            if len(heard) < 3:
                heard.append(message)
            await send(message)

        await self.app(scope, receive, send_and_hear)
        if len(heard) != 2 or not _is_everybodys(heard[0], heard[1]):
            return
        if version is None:
            self._remember(key)
        else:
            self._keep(key, _ready(heard[0], heard[1], version, self.clock(), route_of(scope)))

    def _remember(self, key: _Key) -> None:
        if len(self._asked_before) >= _MOST_REMEMBERED:
            self._asked_before.clear()
        self._asked_before.add(hash(key))

    def _keep(self, key: _Key, ready: _Ready) -> None:
        self._drop(self._answers.pop(key, None))
        self._answers[key] = ready
        self._bytes += len(ready.body["body"])
        while self._bytes > self.most_bytes:
            self._drop(self._answers.popitem(last=False)[1])

    def _drop(self, ready: _Ready | None) -> None:
        if ready is not None:
            self._bytes -= len(ready.body["body"])


_NOTHING: Final[Message] = {"type": "http.response.body", "body": b""}


def _question_of(scope: Scope) -> tuple[_Key | None, bytes | None]:
    """The cache key of the request, and the ETag of the client's copy; no key for requests that are never
    cached."""
    if scope["type"] != "http" or scope["method"] != "GET" or scope["query_string"]:
        return None, None
    key: list[object] = [scope["path"]]
    known, is_dated = None, False
    for header in scope["headers"]:
        name = header[0]
        if name in _ASKED_BY:
            if len(header[1]) > _LONGEST_WISH:
                return None, None
            key.append(header)
        elif name == b"if-none-match":
            known = header[1]
        elif name == b"if-modified-since":
            is_dated = True
        elif name in _NEVER:
            return None, None
    # A date alone is compared by the route.
    return (None, None) if is_dated and known is None else (tuple(key), known)


def _is_everybodys(start: Message, body: Message) -> bool:
    """Public and small: excludes personal, uncacheable and very large responses."""
    headers = dict(start.get("headers", ()))
    shared = headers.get(b"cache-control", b"").startswith(b"public")
    is_one = start["status"] == 200 and shared and b"etag" in headers and b"set-cookie" not in headers
    return is_one and not body.get("more_body") and len(body["body"]) <= _LARGEST


def _ready(start: Message, body: Message, version: object, made_at: datetime, route: str) -> _Ready:
    etag = dict(start["headers"])[b"etag"]
    # The request id belongs to another request.
    same = [(name, value) for name, value in start["headers"] if name != b"x-request-id"]
    first: Message = {"type": "http.response.start", "status": 200, "headers": same}
    kept: Message = {"type": "http.response.body", "body": bytes(body["body"])}
    return _Ready(version, made_at, first, kept, etag.decode("latin-1"), route)


# A page shows its verification time to the minute; keys, labels and lists, which may change without a change
# of its row, are guaranteed current only within minutes.

_MOST_PAGES: Final = 500  # of some 20 kB each


@dataclass(frozen=True)
class _Page:
    body: bytes
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    made_at: datetime

    def response(self) -> Response:
        answer = Response(self.body, status_code=self.status)
        answer.raw_headers = list(self.headers)
        return answer


class RecentPages:
    """Used on the event loop alone; concurrent requests for the same page wait for one rendering."""

    def __init__(self, clock: Clock, *, most: int = _MOST_PAGES) -> None:
        self.clock, self.most = clock, most
        self._pages: OrderedDict[Hashable, _Page] = OrderedDict()
        self._making: dict[Hashable, asyncio.Future[_Page]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[Response]]) -> Response:
        """The page of `key`: a cached one, or the result of `make`. A page that sets a cookie is never
        cached."""
        page = self._pages.get(key)
        if page is not None and self.clock() - page.made_at < GOOD_FOR:
            self._pages.move_to_end(key)
            return page.response()
        if key in self._making:
            return (await asyncio.shield(self._making[key])).response()
        return await self._make(key, make)

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[Response]]) -> Response:
        made_at, waiting = self.clock(), asyncio.get_running_loop().create_future()
        self._making[key] = waiting
        try:
            answer = await make()
            page = _Page(bytes(answer.body), answer.status_code, tuple(answer.raw_headers), made_at)
            waiting.set_result(page)
        except BaseException as error:
            waiting.set_exception(error)
            waiting.exception()  # marks it retrieved: it is raised below, perhaps without waiters
            raise
        finally:
            del self._making[key]
        if not any(name == b"set-cookie" for name, _ in page.headers):
            self._keep(key, page)
        return answer

    def _keep(self, key: Hashable, page: _Page) -> None:
        self._pages[key] = page
        self._pages.move_to_end(key)
        while len(self._pages) > self.most:
            self._pages.popitem(last=False)


def recent_pages(request: Request) -> RecentPages:
    pages: RecentPages = request.app.state.recent_pages
    return pages


# A family's or a class's computer; each session lasts one day at most.
_MOST_BADGES: Final = 12


def held_here(request: Request, services: Services) -> dict[uuid.UUID, LinkHolder]:
    """The live sessions that private links opened in this browser, by award."""
    found: dict[uuid.UUID, LinkHolder] = {}
    for secret in _secrets(request):
        try:
            who = services.sessions.link_holder(secret)
        except NotSignedIn:
            continue
        if who.person.needs_guardian:
            address_child()
        found[who.award_id] = who
    return found


def find_holder(award_id: uuid.UUID, request: Request, services: Services) -> Holder | None:
    """The person holding this badge: by the private link opened here, or signed in with one of their
    addresses."""
    who = find_signed_in(request, services)
    if who is not None and services.awards.is_of(award_id, who.person.id):
        return who
    return held_here(request, services).get(award_id)


def holder_of(award_id: uuid.UUID, request: Request, services: Services) -> Holder:
    """The same; raises for another person's badge."""
    who = find_holder(award_id, request, services)
    if who is None:
        services.awards.check_not_erased(award_id)
        raise NotSignedIn(
            "Pour voir ce badge, ouvrez le lien privé que le campus vous a donné. Il marche autant de fois que vous voulez."
        )
    services.enter_campus_of(award_id)
    return who


def speaks_for_person(who: Holder, services: Services) -> bool:
    """A link to one badge, which the campus has too, does not stand for a person who has an account."""
    return isinstance(who, SignedIn) or not services.sessions.own_addresses.has_account(who.person.id)


def check_speaks_for_person(
    who: Holder,
    services: Services,
    sentence: str = N_("Ce choix vaut pour tous vos badges : connectez-vous pour le faire."),
) -> None:
    """A link to one badge is insufficient for choices about all badges of a person who has an account."""
    if not speaks_for_person(who, services):
        raise NotSignedIn(sentence)


MORE_THAN_ONE_BADGE: Final = N_("Cette page ne parle pas que de ce badge : connectez-vous pour la voir.")


@marked(Policy(Who.HOLDER))
def _holder(award_id: uuid.UUID, request: Request, services: ReadingServices) -> None:
    holder_of(award_id, request, services)


@marked(Policy(Who.HOLDER))
def _changing_holder(award_id: uuid.UUID, request: Request, services: WritingServices) -> None:
    holder_of(award_id, request, services)


HOLDER = Depends(_holder, scope="function")
"""The policy of content for the holder of the award in the URL."""
CHANGING_HOLDER = Depends(_changing_holder, scope="function")
"""The same, over the single transaction of a writing handler."""


def cache_here(response: Response, request: Request, opened: NewSession) -> None:
    """Remembers one more badge in this browser, the latest first."""
    process = process_of(request)
    secrets = [opened.secret, *_secrets(request)][:_MOST_BADGES]
    life = opened.session.expires_at - opened.session.created_at
    set_cookie(
        response, process, badges_cookie(process), SECRETS_SEPARATOR.join(secrets), life.total_seconds()
    )


def forget_here(response: Response, request: Request) -> None:
    delete_cookie(response, process_of(request), _cookie(request))


def badges_cookie(process: Process) -> str:
    return cookie_name(process, "badges")


def _cookie(request: Request) -> str:
    return badges_cookie(process_of(request))


def _secrets(request: Request) -> list[str]:
    return [each for each in request.cookies.get(_cookie(request), "").split(SECRETS_SEPARATOR) if each][
        :_MOST_BADGES
    ]


def people_here(request: Request, services: Services) -> dict[uuid.UUID, Holder]:
    """The signed-in user, and the people without an account who hold a badge opened in this browser.

    A link to one badge does not give access to other data of an account, such as a portfolio.
    """
    found: dict[uuid.UUID, Holder] = {
        who.person.id: who
        for who in held_here(request, services).values()
        if not services.sessions.own_addresses.has_account(who.person.id)
    }
    signed_in: SignedIn | None = find_signed_in(request, services)
    return found | ({signed_in.person.id: signed_in} if signed_in else {})


def awards_within_reach(request: Request, services: Services, person_id: uuid.UUID) -> list[uuid.UUID]:
    """The person's badges: all of them once signed in, else those opened in this browser."""
    signed_in = find_signed_in(request, services)
    if signed_in is not None and signed_in.person.id == person_id:
        return services.portfolios.awards_of(person_id)
    return [award_id for award_id, who in held_here(request, services).items() if who.person.id == person_id]
