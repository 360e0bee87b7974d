"""Has the issuer withdrawn it? The answer stands in a signed list of bits, or there is no answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.credentials.documents import DocumentSource, FetchedDocument
from app.credentials.errors import DocumentUnavailable, MalformedInput
from app.credentials.json_text import JsonObject, JsonValue
from app.credentials.status_list import PublishedList, StatusEntry, read_entry, read_list
from app.credentials.timestamps import parse_timestamp
from app.credentials.verification.checks.issuer import issuer_of
from app.credentials.verification.policy import Policy
from app.credentials.verification.reasons import Reason, found
from app.credentials.verification.report import CheckResult, Outcome
from app.credentials.verification.secured import Secured, secured_from_text

_ACCEPT: Final = "application/vc, application/vc+jwt;q=0.9, application/json;q=0.8, text/plain;q=0.7"
_WITHDRAWS: Final = {"revocation": Reason.REVOKED, "suspension": Reason.SUSPENDED}
_INFORMS: Final = frozenset({"refresh", "message"})  # D-004: neither makes a badge invalid
_WORST_FIRST: Final = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.PASSED, Outcome.SKIPPED)

Authenticate = Callable[[Secured], CheckResult | None]
"""None if a key of the document's own issuer signed it, else what stands against that."""


@dataclass(frozen=True)
class StatusQuestion:
    """What is needed to read one issuer's lists at one moment."""

    issuer_id: str
    documents: DocumentSource
    at: datetime
    policy: Policy
    authenticate: Authenticate


def status(document: JsonObject, question: StatusQuestion) -> CheckResult:
    """One entry, or several that must all be good (X-6)."""
    named = document.get("credentialStatus")
    if named is None or named == []:
        return found(Reason.NO_STATUS_ENTRY)
    if not question.policy.check_status:
        return found(Reason.STATUS_LEFT_OUT)
    entries = named if isinstance(named, list) else [named]
    answers = [_entry_status(entry, question) for entry in entries]
    return min(answers, key=lambda answer: _WORST_FIRST.index(answer.outcome))


def _entry_status(written: JsonValue, question: StatusQuestion) -> CheckResult:
    if not isinstance(written, dict):
        return found(Reason.STATUS_ENTRY_MALFORMED)
    if written.get("type") not in ("BitstringStatusListEntry", ["BitstringStatusListEntry"]):
        return found(Reason.STATUS_TYPE_NOT_READ, type=str(written.get("type"))[:200])
    try:
        entry = read_entry(written)
    except MalformedInput as error:
        return found(Reason.STATUS_ENTRY_MALFORMED, pointer=error.pointer)
    if entry.purpose in _INFORMS:
        return found(Reason.STATUS_INFORMATIVE, purpose=entry.purpose)
    if entry.purpose not in _WITHDRAWS:
        return found(Reason.STATUS_PURPOSE_NOT_READ, purpose=entry.purpose[:200])
    try:
        fetched = question.documents.fetch(entry.list_url, accept=_ACCEPT)
        secured = secured_from_text(fetched.body.decode())
        listed = read_list(secured.document)
    except DocumentUnavailable as error:
        return found(Reason.STATUS_LIST_UNAVAILABLE, url=entry.list_url, cause=error.reason)
    except UnicodeDecodeError:
        return found(Reason.STATUS_LIST_MALFORMED, url=entry.list_url, cause="not_utf8")
    except MalformedInput as error:
        short = error.reason == "list_too_short"
        reason = Reason.STATUS_LIST_TOO_SHORT if short else Reason.STATUS_LIST_MALFORMED
        return found(reason, url=entry.list_url, cause=error.reason)
    against = (
        _against_list(secured.document, listed, entry, question)
        or _against_age(secured.document, listed, fetched, question)
        or question.authenticate(secured)
    )
    return against or _bits(listed, entry)


def _against_list(
    document: JsonObject, listed: PublishedList, entry: StatusEntry, question: StatusQuestion
) -> CheckResult | None:
    if document.get("id", entry.list_url) != entry.list_url:
        # Another list of the same issuer, put in this one's place.
        return found(Reason.STATUS_LIST_MALFORMED, url=entry.list_url, cause="id")
    issuer_id = issuer_of(document)
    if issuer_id != question.issuer_id:  # C-028
        return found(Reason.STATUS_LIST_OF_ANOTHER_ISSUER, url=entry.list_url, issuer=str(issuer_id)[:500])
    if entry.purpose not in listed.purposes:
        return found(Reason.STATUS_PURPOSE_DIFFERS, url=entry.list_url, purpose=entry.purpose)
    return None


def _against_age(
    document: JsonObject, listed: PublishedList, fetched: FetchedDocument, question: StatusQuestion
) -> CheckResult | None:
    """D-011, D-019: its own period, and the time it may be kept, where the source says when it was had."""
    at = question.at
    try:
        begins = parse_timestamp(document["validFrom"]) if "validFrom" in document else at
        ends = parse_timestamp(document["validUntil"]) if "validUntil" in document else at
    except MalformedInput:
        return found(Reason.STATUS_LIST_MALFORMED, url=fetched.url, cause="period")
    if not begins - question.policy.clock_skew <= at <= ends:
        return found(Reason.STATUS_LIST_STALE, url=fetched.url, cause="period")
    if fetched.fetched_at is not None and listed.ttl is not None and at - fetched.fetched_at > listed.ttl:
        return found(Reason.STATUS_LIST_STALE, url=fetched.url, cause="ttl")
    return None


def _bits(listed: PublishedList, entry: StatusEntry) -> CheckResult:
    try:
        withdrawn = entry.value_in(listed.status_list) != 0
    except IndexError:
        return found(Reason.STATUS_INDEX_OUT_OF_RANGE, url=entry.list_url, index=str(entry.index))
    return found(_WITHDRAWS[entry.purpose] if withdrawn else Reason.NOT_REVOKED, url=entry.list_url)
