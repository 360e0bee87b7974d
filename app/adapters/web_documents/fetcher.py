"""WebDocuments: the DocumentSource for documents of other issuers."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from threading import BoundedSemaphore
from typing import Final

from app.adapters.web_documents.cache import DocumentCache, Kept, Question
from app.adapters.web_documents.exchange import Answer, Exchange
from app.adapters.web_documents.flights import Flights
from app.adapters.web_documents.freshness import fresh_for, may_be_kept
from app.adapters.web_documents.hosts import Hosts
from app.adapters.web_documents.limits import Deadline, Limits, Refused, Why
from app.adapters.web_documents.media_types import carries_a_document, media_type_of
from app.adapters.web_documents.resolving import Resolve, TimedResolver, system_resolve
from app.adapters.web_documents.targets import Reach, Target
from app.adapters.web_documents.transport import Dial, system_dial
from app.domain.core.clock import Clock
from sceau_credentials.errors import DocumentUnavailable
from sceau_credentials.values.documents import FetchedDocument

_log = logging.getLogger(__name__)

_OK: Final = 200
_NOT_MODIFIED: Final = 304
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_WHY_OF_STATUS: Final = {404: Why.NOT_FOUND, 410: Why.GONE}


class WebDocuments:
    """Safe to share between threads; `fetch` raises DocumentUnavailable with one of the codes of `Why`.

    `resolve`, `dial` and `ssl_context` stand for the network, `clock` for the time documents were had at,
    `monotonic` for the time they took.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        reach: Reach | None = None,
        limits: Limits | None = None,
        ssl_context: ssl.SSLContext | None = None,
        resolve: Resolve = system_resolve,
        dial: Dial = system_dial,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._reach = reach or Reach()
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
            raise DocumentUnavailable(url, refused.why.value) from None

    def forget(self, url: str, *, accept: str = "application/json") -> None:
        """The next fetch asks again: what was kept turned out to be old."""
        self._cache.drop(Question(url, accept))

    def post(
        self,
        url: str,
        body: bytes,
        *,
        media_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Hand something in, under the same guard, following it nowhere; DocumentUnavailable where nobody answers."""
        said = {"Accept": "application/json", "User-Agent": "Sceau", "Content-Type": media_type}
        sent = {**said, **(headers or {})}
        try:
            target = self._reach.target(url)
            deadline = Deadline(self._limits.seconds, self._monotonic)
            with self._presence(), self._hosts.place(target.host, deadline):
                return self._exchange.post(target, sent, body, deadline)
        except Refused as refused:
            raise DocumentUnavailable(url, refused.why.value) from None

    def _kept_or_asked(self, question: Question) -> FetchedDocument:
        kept = self._cache.find(question)
        if kept is not None and kept.is_fresh(self._clock()):
            return kept.document
        target = self._reach.target(question.url)
        deadline = Deadline(self._limits.seconds, self._monotonic)
        with self._presence():
            return self._flights.join(question, lambda: self._ask(question, target, deadline), deadline)

    @contextmanager
    def _presence(self) -> Iterator[None]:
        if not self._present.acquire(blocking=False):
            raise Refused(Why.BUSY)
        try:
            yield
        finally:
            self._present.release()

    def _ask(self, question: Question, target: Target, deadline: Deadline) -> FetchedDocument:
        kept = self._cache.find(question)  # perhaps renewed while we were on our way here
        if kept is not None and kept.is_fresh(self._clock()):
            return kept.document
        # A validator belongs to the place that gave it, not to whatever redirects there.
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
        raise Refused(Why.REDIRECT_REFUSED)

    def _exchanged(
        self, target: Target, question: Question, validators: Mapping[str, str], deadline: Deadline
    ) -> Answer:
        headers = {"Accept": question.accept, "User-Agent": "Sceau", **validators}
        try:
            with self._hosts.place(target.host, deadline):
                return self._exchange.get(target, headers, deadline)
        except Refused as refused:
            # The operator may know what a visitor may not; of the address, the host is enough.
            _log.info("nothing from %s: %s (%s)", target.host, refused, refused.cause)
            raise

    def _taken(
        self, question: Question, target: Target, answer: Answer, *, storable: bool
    ) -> FetchedDocument:
        if answer.status != _OK:
            self._cache.drop(question)
            raise Refused(_WHY_OF_STATUS.get(answer.status, Why.HTTP_STATUS))
        content_type = answer.headers.get("content-type", "")
        if not carries_a_document(content_type, question.accept):
            raise Refused(Why.WRONG_TYPE)
        media_type = media_type_of(content_type) or "application/octet-stream"
        document = FetchedDocument(target.url, answer.body, media_type, self._clock())
        return self._remember(question, document, answer.headers, storable=storable)

    def _as_before(
        self, question: Question, kept: Kept, answer: Answer, *, storable: bool
    ) -> FetchedDocument:
        """304: the same bytes, had again now, with what the new headers say about keeping them."""
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
        since = document.fetched_at
        until = since + fresh_for(headers, document.body, self._limits)
        self._cache.keep(question, Kept(document, headers, since, until))
        return document

    @cached_property
    def _exchange(self) -> Exchange:
        # Reading the system's authorities takes a moment that a start without fetching need not spend.
        context = self._given_ssl_context or ssl.create_default_context()
        return Exchange(context, self._resolver, self._dial, self._limits)
