"""WebDocuments: the DocumentSource for documents of other issuers."""

from __future__ import annotations

import logging
import re
import ssl
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import cached_property
from threading import BoundedSemaphore, Lock
from typing import Final, Generic, NamedTuple, TypeVar

from app.adapters.web_documents.url_policy import (
    Answer,
    Deadline,
    Dial,
    Exchange,
    Hosts,
    Limits,
    NetworkScope,
    RefusalReason,
    Refused,
    Resolve,
    Target,
    TimedResolver,
    system_dial,
    system_resolve,
)
from app.domain.campus.integration import URL_REFUSED, Attempt
from app.domain.core import Clock
from app.errors import InvalidInput
from app.telemetry import span
from sceau_credentials.errors import CredentialError, DocumentUnavailable
from sceau_credentials.values import FetchedDocument, JsonObject
from sceau_credentials.verification.answers import secured_from_text

_OVERHEAD: Final = 2048  # so that a hundred thousand empty documents do not count as nothing


class Question(NamedTuple):
    """`accept` is part of it: the only part of our request that may differ between fetches (Vary)."""

    url: str
    accept: str


@dataclass(frozen=True)
class CachedDocument:
    document: FetchedDocument
    headers: Mapping[str, str]
    since: datetime
    until: datetime
    asked_at: datetime
    """When its server was last asked, also in vain."""
    is_doubted: bool = False

    def is_fresh(self, now: datetime) -> bool:
        return not self.is_doubted and self.is_current(now)

    def is_current(self, now: datetime) -> bool:
        # A clock that was set back must not lengthen anything.
        return self.since <= now < self.until

    @property
    def validators(self) -> dict[str, str]:
        """Validators for a conditional request (304)."""
        named = {"If-None-Match": "etag", "If-Modified-Since": "last-modified"}
        said = {asking: self.headers.get(name, "") for asking, name in named.items()}
        return {asking: value for asking, value in said.items() if value and value.isascii()}


class DocumentCache:
    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._lock = Lock()
        self._kept: OrderedDict[Question, CachedDocument] = OrderedDict()

    def find(self, question: Question) -> CachedDocument | None:
        with self._lock:
            kept = self._kept.get(question)
            if kept is not None:
                self._kept.move_to_end(question)
            return kept

    def keep(self, question: Question, kept: CachedDocument) -> None:
        with self._lock:
            self._drop(question)
            self._kept[question] = kept
            self._bytes += _size(question, kept)
            while self._bytes > self._most_bytes:
                self._drop(next(iter(self._kept)))

    def drop(self, question: Question) -> None:
        with self._lock:
            self._drop(question)

    def doubt_older(self, url: str, before: datetime) -> bool:
        """Whether a copy of that URL was last asked about before."""
        with self._lock:
            old = [each for each, kept in self._kept.items() if each.url == url and kept.asked_at <= before]
            for each in old:
                self._kept[each] = replace(self._kept[each], is_doubted=True)
        return bool(old)

    def _drop(self, question: Question) -> None:
        kept = self._kept.pop(question, None)
        if kept is not None:
            self._bytes -= _size(question, kept)


def _size(question: Question, kept: CachedDocument) -> int:
    headers = sum(len(name) + len(value) for name, value in kept.headers.items())
    return len(kept.document.body) + len(question.url) + len(question.accept) + headers + _OVERHEAD


_DIRECTIVE: Final = re.compile(
    r'(?<![a-z-])([a-z-]++)(?:\s*+=\s*+(?:"([^"]*+)"|([^\s,"]*+)))?+', re.IGNORECASE
)
_NOTHING: Final = timedelta(0)
_MOST_DIGITS: Final = 9
# We are a cache shared by all users of this verifier.
_FORBIDS_KEEPING: Final = frozenset({"no-store", "private"})


def may_be_kept(headers: Mapping[str, str]) -> bool:
    return not _FORBIDS_KEEPING & _directives(headers).keys() and "*" not in headers.get("vary", "")


def fresh_for(headers: Mapping[str, str], body: bytes, limits: Limits) -> timedelta:
    """The shortest lifetime set by HTTP or by the list itself (D-011); otherwise a default."""
    said = [length for length in (_http_lifetime(headers), _list_ttl(body)) if length is not None]
    return min(limits.longest_kept, min(said, default=limits.kept_unless_said))


def _http_lifetime(headers: Mapping[str, str]) -> timedelta | None:
    directives = _directives(headers)
    if "no-cache" in directives:
        return _NOTHING
    for name in ("s-maxage", "max-age"):
        if name in directives:
            return max(_NOTHING, _seconds(directives[name]) - _seconds(headers.get("age", "0")))
    if "expires" in headers:
        return _until(headers, "expires")
    return None


def _directives(headers: Mapping[str, str]) -> dict[str, str]:
    """Of a repeated directive, the first value counts."""
    directives: dict[str, str] = {}
    for name, quoted, plain in _DIRECTIVE.findall(headers.get("cache-control", "")):
        directives.setdefault(name.lower(), quoted or plain)
    return directives


def _seconds(written: str) -> timedelta:
    """An unparsable value counts as absent, more than thirty years as thirty years."""
    if not re.fullmatch(r"[0-9]+", written, re.ASCII):
        return _NOTHING
    return timedelta(seconds=int(written) if len(written) <= _MOST_DIGITS else 10**_MOST_DIGITS)


def _until(headers: Mapping[str, str], name: str) -> timedelta:
    """From the date of the answer to the date in that header; nothing where one of them is no date."""
    try:
        until = parsedate_to_datetime(headers.get(name, ""))
        return max(_NOTHING, until - parsedate_to_datetime(headers.get("date", "")))
    except (ValueError, TypeError, OverflowError):
        return _NOTHING


def _list_ttl(body: bytes) -> timedelta | None:
    try:
        document = secured_from_text(body.decode()).document
    except (CredentialError, UnicodeDecodeError):
        return None
    subject = document.get("credentialSubject")
    if "BitstringStatusListCredential" not in _types(document) or not isinstance(subject, dict):
        return None
    ttl = subject.get("ttl")
    # Booleans are integers in Python, but no duration.
    if not isinstance(ttl, int) or isinstance(ttl, bool):
        return None
    return timedelta(milliseconds=min(max(ttl, 0), 10**12))


def _types(document: JsonObject) -> list[object]:
    written = document.get("type")
    return list(written) if isinstance(written, list) else [written]


T = TypeVar("T")


class Flights(Generic[T]):
    def __init__(self) -> None:
        self._lock = Lock()
        self._flying: dict[Hashable, Future[T]] = {}

    def join(self, question: Hashable, fly: Callable[[], T], deadline: Deadline) -> T:
        """The result or exception of `fly`; concurrent callers share it (request coalescing)."""
        with self._lock:
            flight = self._flying.get(question)
            if flight is None:
                mine = self._flying[question] = Future[T]()
        if flight is None:
            return self._fly(question, mine, fly)
        try:
            return flight.result(deadline.remaining())
        except TimeoutError:
            raise Refused(RefusalReason.TIMEOUT) from None

    def _fly(self, question: Hashable, flight: Future[T], fly: Callable[[], T]) -> T:
        try:
            result = fly()
        except BaseException as error:
            flight.set_exception(error)
            raise
        else:
            flight.set_result(result)
            return result
        finally:
            with self._lock:
                del self._flying[question]


_NAMED: Final = frozenset(
    {
        "",  # absent
        "application/json",
        "application/jwt",
        "application/octet-stream",  # sent by a plain file server for a name without an extension
        "application/vc",
        "text/plain",
    }
)
_CALENDAR: Final = "text/calendar"
_CALENDARS_KEPT: Final = timedelta(minutes=4)
"""A person who asks for a new reading has just changed it; each is read every five minutes at most."""
_WHERE_NAMED: Final = frozenset({"image/png", "image/svg+xml", _CALENDAR})
_STRUCTURED: Final = ("+json", "+jwt")


def carries_a_document(content_type: str, accept: str) -> bool:
    """Soft errors, captive portals and placeholders are HTML: they must not be reported as a broken document.

    A picture may contain a badge, and a campus may follow a calendar: accepted only where the request named
    its media type.
    """
    media_type = media_type_of(content_type)
    if media_type in _WHERE_NAMED:
        return media_type in map(media_type_of, accept.split(","))
    return media_type in _NAMED or (
        media_type.startswith("application/") and media_type.endswith(_STRUCTURED)
    )


def media_type_of(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


_log = logging.getLogger(__name__)

CERTIFICATE: Final = "certificate"
_CURRENT_FOR: Final = timedelta(seconds=10)
_OK: Final = 200
_NOT_MODIFIED: Final = 304
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_WHY_OF_STATUS: Final = {404: RefusalReason.NOT_FOUND, 410: RefusalReason.GONE}
_WITHDRAWN: Final = frozenset(_WHY_OF_STATUS.values())


class WebDocuments:
    """Thread-safe; `fetch` raises DocumentUnavailable with one of the codes of `Why`.

    `resolve`, `dial` and `ssl_context` replace the network, `clock` the time documents were fetched at,
    `monotonic` the time they took.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        reach: NetworkScope | None = None,
        limits: Limits | None = None,
        ssl_context: ssl.SSLContext | None = None,
        resolve: Resolve = system_resolve,
        dial: Dial = system_dial,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._reach = reach or NetworkScope()
        self._limits = limits or Limits()
        self._given_ssl_context = ssl_context
        self._resolver = TimedResolver(resolve)
        self._dial = dial
        self._monotonic = monotonic
        self._cache = DocumentCache(self._limits.cache_bytes)
        self._flights: Flights[FetchedDocument] = Flights()
        self._hosts = Hosts(self._limits, monotonic)
        self._present = BoundedSemaphore(self._limits.present)

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        try:
            return self._kept_or_asked(Question(url, accept))
        except Refused as refused:
            raise DocumentUnavailable(url, refused.why.value, retry_after=refused.retry_after) from None

    def doubt(self, url: str) -> bool:
        """Whether the next fetch asks again, since the cached document may be stale: it counts on where its server is
        silent. Asked in the last ten seconds, it is not: invented tokens must not make us ask."""
        return self._cache.doubt_older(url, self._clock() - _CURRENT_FOR)

    def post(
        self,
        url: str,
        body: bytes,
        *,
        media_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        status_only: bool = False,
    ) -> Answer:
        """POST under the same URL policy, without redirects; DocumentUnavailable where there is no response, with
        CERTIFICATE where that is why. `status_only`: the body stays unread."""
        said = {"Accept": "application/json", "User-Agent": "Sceau", "Content-Type": media_type}
        sent = {**said, **(headers or {})}
        try:
            target = self._reach.target(url)
            deadline = Deadline(self._limits.seconds, self._monotonic)
            with self._presence(), self._hosts.place(target.host, deadline), span("fetch", host=target.host):
                return self._exchange.post(target, sent, body, deadline, status_only=status_only)
        except Refused as refused:
            # Who chose the address may know; `fetch`, which anybody can cause, has one code for all (T15).
            is_unknown = isinstance(refused.cause, ssl.SSLCertVerificationError)
            raise DocumentUnavailable(url, CERTIFICATE if is_unknown else refused.why.value) from None

    def retry_after(self, answer: Answer) -> timedelta:
        """How long that server asks to wait; its date counts from our clock where it sent no `Date`."""
        headers = {"date": format_datetime(self._clock()), **answer.headers}
        return _seconds(headers.get("retry-after", "")) or _until(headers, "retry-after")

    def get(self, url: str, *, accept: str, headers: Mapping[str, str] | None = None) -> Answer:
        """GET for this caller alone: with its own headers, without cache and without redirects."""
        sent = {"Accept": accept, "User-Agent": "Sceau", **(headers or {})}
        try:
            target = self._reach.target(url)
            deadline = Deadline(self._limits.seconds, self._monotonic)
            with self._presence(), self._hosts.place(target.host, deadline), span("fetch", host=target.host):
                return self._exchange.get(target, sent, deadline)
        except Refused as refused:
            raise DocumentUnavailable(url, refused.why.value) from None

    def _kept_or_asked(self, question: Question) -> FetchedDocument:
        kept = self._cache.find(question)
        if kept is not None and kept.is_fresh(self._clock()):
            return kept.document
        target = self._reach.target(question.url)
        deadline = Deadline(self._limits.seconds, self._monotonic)
        try:
            with self._presence():
                return self._flights.join(question, lambda: self._ask(question, target, deadline), deadline)
        except Refused as refused:
            now = self._clock()
            if kept is None or not kept.is_current(now) or refused.why in _WITHDRAWN:
                raise
            self._cache.keep(question, replace(kept, is_doubted=False, asked_at=now))
            return kept.document

    @contextmanager
    def _presence(self) -> Iterator[None]:
        if not self._present.acquire(blocking=False):
            raise Refused(RefusalReason.BUSY)
        try:
            yield
        finally:
            self._present.release()

    def _ask(self, question: Question, target: Target, deadline: Deadline) -> FetchedDocument:
        kept = self._cache.find(question)  # perhaps renewed while this request waited
        if kept is not None and kept.is_fresh(self._clock()):
            return kept.document
        # A validator belongs to the URL that sent it, not to a URL that redirects there.
        asked_where = kept.document.url if kept else ""
        storable = True
        for _ in range(self._limits.redirects + 1):
            validators = kept.validators if kept and target.url == asked_where else {}
            answer = self._exchanged(target, question, validators, deadline)
            storable = storable and may_be_kept(answer.headers)
            if answer.status not in _REDIRECTS:
                if kept and validators and answer.status == _NOT_MODIFIED:
                    return self._as_before(question, kept, answer, storable=storable)
                return self._taken(question, target, answer, storable=storable)
            target = self._reach.redirected(target, answer.headers.get("location", ""))
        raise Refused(RefusalReason.REDIRECT_REFUSED)

    def _exchanged(
        self, target: Target, question: Question, validators: Mapping[str, str], deadline: Deadline
    ) -> Answer:
        headers = {"Accept": question.accept, "User-Agent": "Sceau", **validators}
        try:
            with self._hosts.place(target.host, deadline), span("fetch", host=target.host):
                return self._exchange.get(target, headers, deadline)
        except Refused as refused:
            # For the operator only, not the visitor; the host of the URL is enough.
            _log.info("nothing from %s: %s (%s)", target.host, refused, refused.cause)
            raise

    def _taken(
        self, question: Question, target: Target, answer: Answer, *, storable: bool
    ) -> FetchedDocument:
        if answer.status != _OK:
            self._cache.drop(question)
            why = _WHY_OF_STATUS.get(answer.status, RefusalReason.HTTP_STATUS)
            raise Refused(why, retry_after=int(self.retry_after(answer).total_seconds()))
        content_type = answer.headers.get("content-type", "")
        if not carries_a_document(content_type, question.accept):
            raise Refused(RefusalReason.WRONG_TYPE)
        media_type = media_type_of(content_type) or "application/octet-stream"
        document = FetchedDocument(target.url, answer.body, media_type, self._clock())
        return self._remember(question, document, answer.headers, storable=storable)

    def _as_before(
        self, question: Question, kept: CachedDocument, answer: Answer, *, storable: bool
    ) -> FetchedDocument:
        """304: the same bytes, fetched again now, with the caching rules of the new headers."""
        headers = {**kept.headers, "age": "0", **answer.headers}
        before = kept.document
        document = FetchedDocument(before.url, before.body, before.media_type, self._clock())
        return self._remember(question, document, headers, storable=storable)

    def _remember(
        self, question: Question, document: FetchedDocument, headers: Mapping[str, str], *, storable: bool
    ) -> FetchedDocument:
        if not storable or document.fetched_at is None:
            self._cache.drop(question)
            return document
        since, length = document.fetched_at, fresh_for(headers, document.body, self._limits)
        until = since + (min(length, _CALENDARS_KEPT) if document.media_type == _CALENDAR else length)
        self._cache.keep(question, CachedDocument(document, headers, since, until, asked_at=since))
        return document

    @cached_property
    def _exchange(self) -> Exchange:
        # Loading the system's certificate authorities is slow; a start without fetching skips it.
        context = self._given_ssl_context or ssl.create_default_context()
        return Exchange(context, self._resolver, self._dial, self._limits)


WEBHOOK_LIMITS: Final = Limits(pause_seconds=0.0)
"""No circuit breaker: a host is shared by campuses, and each webhook has pauses of its own."""


@dataclass(frozen=True)
class GuardedWebhooks:
    """A WebhookClient under the same URL policy; redirects count as failures."""

    documents: WebDocuments
    reach: NetworkScope

    def check(self, url: str) -> None:
        try:
            self.reach.target(url)
        except Refused:
            raise InvalidInput(URL_REFUSED) from None

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Attempt:
        try:
            answer = self.documents.post(url, body, headers=headers, status_only=True)
        except DocumentUnavailable as error:
            return Attempt(fault=error.reason)
        return Attempt(answer.status, retry_after=int(self.documents.retry_after(answer).total_seconds()))
