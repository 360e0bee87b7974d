"""Lists of bits: Bitstring Status List, and StatusList2021 before it."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from sceau_credentials.errors import DocumentUnavailable, MalformedInput
from sceau_credentials.model.version_1 import period_members
from sceau_credentials.status_list import MINIMUM_SIZE, PublishedList, StatusEntry, read_entry, read_list
from sceau_credentials.values.documents import FetchedDocument
from sceau_credentials.values.json_text import JsonObject, JsonValue
from sceau_credentials.values.timestamps import parse_timestamp, shifted
from sceau_credentials.verification.answers import CheckResult
from sceau_credentials.verification.checks.issuer import issuer_of
from sceau_credentials.verification.checks.status.question import StatusQuestion
from sceau_credentials.verification.findings.reasons import Reason, found
from sceau_credentials.verification.secured import Secured, secured_from_text

_ACCEPT: Final = "application/vc, application/vc+jwt;q=0.9, application/json;q=0.8, text/plain;q=0.7"
_WITHDRAWS: Final = {"revocation": Reason.REVOKED, "suspension": Reason.SUSPENDED}
_INFORMS: Final = frozenset({"refresh", "message"})  # D-004: neither makes a badge invalid
_MAX_LIST: Final = 512 * 1024


def bit_status(written: JsonObject, question: StatusQuestion) -> CheckResult:
    try:
        entry = read_entry(written)
    except MalformedInput as error:
        return found(Reason.STATUS_ENTRY_MALFORMED, pointer=error.pointer)
    if entry.purpose not in _WITHDRAWS and entry.purpose not in _INFORMS:
        return found(Reason.STATUS_PURPOSE_NOT_READ, purpose=entry.purpose[:200])
    if entry.purpose == "refresh":
        return found(Reason.STATUS_INFORMATIVE, purpose=entry.purpose)
    answer = _answer_of_list(entry, question)
    if entry.purpose == "message":
        # Whatever became of the list, no message makes or unmakes a badge.
        told = {"message": answer.details["message"]} if "message" in answer.details else {}
        return found(Reason.STATUS_INFORMATIVE, purpose=entry.purpose, **told)
    return answer


def _answer_of_list(entry: StatusEntry, question: StatusQuestion) -> CheckResult:
    try:
        fetched, secured, listed = question.once(entry.list_url, lambda: _read(entry.list_url, question))
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
        or _against_age(secured, listed, fetched, question)
        or question.once((entry.list_url, "by"), lambda: question.authenticate(secured))
    )
    return against or _bits(listed, entry)


def _read(url: str, question: StatusQuestion) -> tuple[FetchedDocument, Secured, PublishedList]:
    fetched = question.documents.fetch(url, accept=_ACCEPT)
    return fetched, *_list_in(fetched.body)


@lru_cache(maxsize=16)
def _list_in(body: bytes) -> tuple[Secured, PublishedList]:
    """Of the same bytes the same, to be read and not changed; what it is worth depends on the second and the key."""
    secured = secured_from_text(body.decode(), max_bytes=_MAX_LIST)
    return secured, read_list(secured.document)


def _against_list(
    document: JsonObject, listed: PublishedList, entry: StatusEntry, question: StatusQuestion
) -> CheckResult | None:
    if document.get("id", entry.list_url) != entry.list_url:
        # Another list of the same issuer, put in this one's place.
        return found(Reason.STATUS_LIST_MALFORMED, url=entry.list_url, cause="id")
    if listed.kind != entry.kind:
        return found(Reason.STATUS_LIST_MALFORMED, url=entry.list_url, cause="type")
    issuer_id = issuer_of(document)
    if issuer_id != question.issuer_id:  # C-028
        return found(Reason.STATUS_LIST_OF_ANOTHER_ISSUER, url=entry.list_url, issuer=str(issuer_id)[:500])
    if entry.purpose not in listed.purposes:
        return found(Reason.STATUS_PURPOSE_DIFFERS, url=entry.list_url, purpose=entry.purpose)
    if listed.status_list.size // entry.width < MINIMUM_SIZE:  # D-016
        return found(Reason.STATUS_LIST_TOO_SHORT, url=entry.list_url, cause="statusSize")
    return None


def _against_age(
    secured: Secured, listed: PublishedList, fetched: FetchedDocument, question: StatusQuestion
) -> CheckResult | None:
    """D-011, D-019: its own period, and the time it may be kept, where the source says when it was had."""
    document, at = secured.document, question.at
    start, end = period_members(document)
    try:
        begins = parse_timestamp(document[start]) if start in document else at
        ends = parse_timestamp(document[end]) if end in document else at
    except MalformedInput:
        return found(Reason.STATUS_LIST_MALFORMED, url=fetched.url, cause="period")
    token_ends = _token_ends(secured.claims.get("exp")) if secured.jws else None
    if not begins <= shifted(at, question.policy.clock_skew) or not at <= min(ends, token_ends or ends):
        return found(Reason.STATUS_LIST_STALE, url=fetched.url, cause="period")
    if fetched.fetched_at is not None and listed.ttl is not None and at - fetched.fetched_at > listed.ttl:
        return found(Reason.STATUS_LIST_STALE, url=fetched.url, cause="ttl")
    return None


def _token_ends(claim: JsonValue) -> datetime | None:
    """B-016: around a list, `exp` is the end of the signature, whatever the list says of itself."""
    if not isinstance(claim, int) or isinstance(claim, bool) or not 0 <= claim < 253_402_300_800:
        return None
    return parse_timestamp("1970-01-01T00:00:00Z") + timedelta(seconds=claim)


def _bits(listed: PublishedList, entry: StatusEntry) -> CheckResult:
    try:
        value = entry.value_in(listed.status_list)
    except IndexError:
        return found(Reason.STATUS_INDEX_OUT_OF_RANGE, url=entry.list_url, index=str(entry.index))
    told = {"url": entry.list_url}
    if entry.width > 1 and value:
        told["value"] = hex(value)
    message = entry.messages.get(value)
    if message is not None and (value or entry.purpose == "message"):
        told["message"] = message
    return found(_WITHDRAWS.get(entry.purpose, Reason.REVOKED) if value else Reason.NOT_REVOKED, **told)
