"""Whether the issuer has revoked the credential, from a status list that the issuer publishes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, TypeVar
from urllib.parse import unquote

from sceau_credentials.errors import CredentialError, DocumentUnavailable, MalformedInput
from sceau_credentials.model.conforming import period_members
from sceau_credentials.proofs.vc_jwt import parse_compact_jws, verify_jws
from sceau_credentials.status_list import (
    APPLICATION_SPECIFIC,
    INVALID,
    MINIMUM_SIZE,
    STATUS_TOKEN,
    SUSPENDED,
    PublishedList,
    StatusEntry,
    is_list_url,
    read_entry,
    read_list,
    read_token_list,
)
from sceau_credentials.values import (
    DocumentSource,
    FetchedDocument,
    JsonObject,
    JsonValue,
    parse_json_object,
    parse_timestamp,
    shifted,
)
from sceau_credentials.verification.answers import CheckResult, Outcome, Policy, Secured, secured_from_text
from sceau_credentials.verification.checks import issuer_of
from sceau_credentials.verification.findings import Reason, found
from sceau_credentials.verification.issuer_keys import IssuerKeys

Authenticate = Callable[[Secured], CheckResult | None]
"""None if a key of the document's own issuer signed it, otherwise the failed check."""

_Found = TypeVar("_Found")


@dataclass(frozen=True)
class StatusQuestion:
    issuer_id: str
    documents: DocumentSource
    at: datetime
    policy: Policy
    authenticate: Authenticate
    _found: dict[object, object] = field(default_factory=dict)

    def once(self, about: object, find: Callable[[], _Found]) -> _Found:
        """The cached first result of `find`: a list is read and checked once, however many entries name it."""
        if about not in self._found:
            self._found[about] = find()
        return self._found[about]  # type: ignore[return-value]


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
        # Whatever the list's result, no message affects the verdict.
        details = {"message": answer.details["message"]} if "message" in answer.details else {}
        return found(Reason.STATUS_INFORMATIVE, purpose=entry.purpose, **details)
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
    """Cached by bytes, not to be mutated; whether it is valid depends on the time and the key."""
    secured = secured_from_text(body.decode(), max_bytes=_MAX_LIST)
    return secured, read_list(secured.document)


def _against_list(
    document: JsonObject, listed: PublishedList, entry: StatusEntry, question: StatusQuestion
) -> CheckResult | None:
    if document.get("id", entry.list_url) != entry.list_url:
        # Another list of the same issuer, substituted for this one.
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
    """D-011, D-019: its own period, and its cache lifetime, where its fetch time is known."""
    document, at = secured.document, question.at
    start, end = period_members(document)
    try:
        begins = parse_timestamp(document[start]) if start in document else at
        ends = parse_timestamp(document[end]) if end in document else at
        token_begins = _time_claim(secured.claims, "nbf") if secured.jws else None
        token_ends = _time_claim(secured.claims, "exp") if secured.jws else None
    except MalformedInput:
        return found(Reason.STATUS_LIST_MALFORMED, url=fetched.url, cause="period")
    latest = shifted(at, question.policy.clock_skew)
    if max(begins, token_begins or begins) > latest or at > min(ends, token_ends or ends):
        return found(Reason.STATUS_LIST_STALE, url=fetched.url, cause="period")
    if fetched.fetched_at is not None and listed.ttl is not None and at - fetched.fetched_at > listed.ttl:
        return found(Reason.STATUS_LIST_STALE, url=fetched.url, cause="ttl")
    return None


def _time_claim(claims: JsonObject, name: str) -> datetime | None:
    """B-016: for a list in a token, `nbf` and `exp` bound the signature, whatever period the list itself states.

    MalformedInput for one that is no number of seconds until the year 9999: it does not mean « at any time ».
    """
    if name not in claims:
        return None
    seconds = claims[name]
    if (
        isinstance(seconds, bool)
        or not isinstance(seconds, int | float)
        or not 0 <= seconds < 253_402_300_800
    ):
        raise MalformedInput("claim", f"/{name}")
    return parse_timestamp("1970-01-01T00:00:00Z") + timedelta(seconds=seconds)


def _bits(listed: PublishedList, entry: StatusEntry) -> CheckResult:
    try:
        value = entry.value_in(listed.status_list)
    except IndexError:
        return found(Reason.STATUS_INDEX_OUT_OF_RANGE, url=entry.list_url, index=str(entry.index))
    details = {"url": entry.list_url}
    if entry.width > 1 and value:
        details["value"] = hex(value)
    message = entry.messages.get(value)
    if message is not None and (value or entry.purpose == "message"):
        details["message"] = message
    return found(_WITHDRAWS.get(entry.purpose, Reason.REVOKED) if value else Reason.NOT_REVOKED, **details)


_NAMES_MAX_LIST: Final = 2 * 1024 * 1024
_MEMBERS: Final = ("revokedCredential", "revokedCredentials")  # D-023: some issuers write the plural


def named_status(written: JsonObject, credential_id: JsonValue, question: StatusQuestion) -> CheckResult:
    url = written.get("id")
    if not isinstance(url, str) or not is_list_url(url) or not isinstance(credential_id, str):
        return found(Reason.STATUS_ENTRY_MALFORMED, pointer="/id")
    try:
        body = question.documents.fetch(url, accept="application/json").body
        listed = parse_json_object(body, max_bytes=_NAMES_MAX_LIST)
        withdrawn = _withdrawn(listed)
    except DocumentUnavailable as error:
        return found(Reason.STATUS_LIST_UNAVAILABLE, url=url, cause=error.reason)
    except MalformedInput as error:
        return found(Reason.STATUS_LIST_MALFORMED, url=url, cause=error.reason)
    if listed.get("id", url) != url:
        return found(Reason.STATUS_LIST_MALFORMED, url=url, cause="id")
    if issuer_of(listed) not in (None, question.issuer_id):
        return found(Reason.STATUS_LIST_OF_ANOTHER_ISSUER, url=url, issuer=str(issuer_of(listed))[:500])
    reason = withdrawn.get(_same(credential_id))
    if reason is None:
        return found(Reason.NOT_LISTED, url=url, signed="no")
    details = {"message": reason} if reason else {}
    return found(Reason.REVOKED, url=url, signed="no", **details)


def _withdrawn(listed: JsonObject) -> dict[str, str]:
    """The revoked credentials, each with the reason given, or ""."""
    entries = next((listed[member] for member in _MEMBERS if member in listed), None)
    if not isinstance(entries, list):
        raise MalformedInput("revocation_list")
    return dict(_entry(entry) for entry in entries if _counts(entry))


def _counts(entry: JsonValue) -> bool:
    return not (isinstance(entry, dict) and entry.get("revoked") is False)


def _entry(entry: JsonValue) -> tuple[str, str]:
    members = entry if isinstance(entry, dict) else {"id": entry}
    identifier, reason = members.get("id"), members.get("revocationReason")
    if not isinstance(identifier, str):
        raise MalformedInput("revocation_list")
    return _same(identifier), reason if isinstance(reason, str) else ""


def _same(identifier: str) -> str:
    """A-034: two spellings of one identifier."""
    return unquote(identifier.strip())


__all__ = ["Authenticate", "StatusQuestion", "status", "token_status"]

_WORST_FIRST: Final = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.PASSED, Outcome.SKIPPED)
_MOST_ENTRIES: Final = 8  # T49: each may cost a list; one of each purpose is enough in practice
_BITS: Final = ("BitstringStatusListEntry", "StatusList2021Entry")


def status(document: JsonObject, question: StatusQuestion) -> CheckResult:
    """One entry, or several that must all be good (X-6)."""
    if not question.policy.check_status:
        return found(Reason.STATUS_LEFT_OUT)
    named = document.get("credentialStatus")
    entries = named if isinstance(named, list) else [] if named is None else [named]
    answers = [_entry_status(entry, document, question) for entry in entries[:_MOST_ENTRIES]]
    if len(entries) > _MOST_ENTRIES:
        answers.append(found(Reason.STATUS_ENTRY_MALFORMED, pointer=f"/credentialStatus/{_MOST_ENTRIES}"))
    if not answers:
        return found(Reason.STATUS_REQUIRED if question.policy.require_status else Reason.NO_STATUS_ENTRY)
    worst = min(answers, key=lambda answer: _WORST_FIRST.index(answer.outcome))
    if question.policy.require_status and worst.outcome is Outcome.SKIPPED:
        return found(Reason.STATUS_REQUIRED)
    messages = [answer.details["message"] for answer in answers if "message" in answer.details]
    if not messages:
        return worst
    return replace(worst, details={**worst.details, "message": "; ".join(dict.fromkeys(messages))[:500]})


def token_status(claims: JsonObject, question: StatusQuestion) -> CheckResult:
    """The `status` claim of an SD-JWT: its entry of a Token Status List, signed by the same issuer."""
    if not question.policy.check_status:
        return found(Reason.STATUS_LEFT_OUT)
    if "status" not in claims:
        return found(Reason.STATUS_REQUIRED if question.policy.require_status else Reason.NO_STATUS_ENTRY)
    named = claims["status"]
    entry = named.get("status_list") if isinstance(named, dict) else None
    url, index = (entry.get("uri"), entry.get("idx")) if isinstance(entry, dict) else (None, None)
    if not isinstance(url, str) or not is_list_url(url):
        return found(Reason.STATUS_ENTRY_MALFORMED, pointer="/status/status_list/uri")
    if not isinstance(index, int) or isinstance(index, bool) or index < 0:
        return found(Reason.STATUS_ENTRY_MALFORMED, pointer="/status/status_list/idx")
    try:
        fetched = question.documents.fetch(url, accept=_ACCEPT_TOKEN)
        jws = parse_compact_jws(fetched.body.decode("ascii").strip(), max_length=_MAX_LIST)
        lists = {value: read_token_list(jws.payload, url=url, status=value) for value in _OF_TOKENS}
    except DocumentUnavailable as error:
        return found(Reason.STATUS_LIST_UNAVAILABLE, url=url, cause=error.reason)
    except UnicodeDecodeError:
        return found(Reason.STATUS_LIST_MALFORMED, url=url, cause="not_utf8")
    except MalformedInput as error:
        return found(Reason.STATUS_LIST_MALFORMED, url=url, cause=error.reason)
    try:
        if jws.header.get("typ") != STATUS_TOKEN:
            return found(Reason.STATUS_LIST_MALFORMED, url=url, cause="type")
        key = IssuerKeys(question.issuer_id, question.documents, question.at).of_token(jws).key
        verify_jws(jws, key, kinds=(STATUS_TOKEN,))
    except DocumentUnavailable as error:
        return found(Reason.STATUS_LIST_UNAVAILABLE, url=url, cause=error.reason)
    except CredentialError:
        return found(Reason.STATUS_LIST_NOT_AUTHENTIC, cause=Reason.SIGNATURE_MISMATCH)
    try:
        begins, ends = (_time_claim(jws.payload, name) for name in ("nbf", "exp"))
        ttl = jws.payload.get("ttl")
    except MalformedInput:
        return found(Reason.STATUS_LIST_MALFORMED, url=url, cause="period")
    if begins is not None and begins > shifted(question.at, question.policy.clock_skew):
        return found(Reason.STATUS_LIST_STALE, url=url, cause="period")
    if ends is not None and question.at >= ends:
        return found(Reason.STATUS_LIST_STALE, url=url, cause="period")
    age = (question.at - fetched.fetched_at).total_seconds() if fetched.fetched_at is not None else 0
    if isinstance(ttl, int | float) and age > ttl:
        return found(Reason.STATUS_LIST_STALE, url=url, cause="ttl")
    try:
        raised = [value for value, listed in lists.items() if listed.get(index)]
    except IndexError:
        return found(Reason.STATUS_INDEX_OUT_OF_RANGE, url=url, index=str(index))
    return found(_OF_TOKENS[raised[0]] if raised else Reason.NOT_REVOKED, url=url)


_ACCEPT_TOKEN: Final = "application/statuslist+jwt"  # noqa: S105
_OF_TOKENS: Final = {
    INVALID: Reason.REVOKED,
    SUSPENDED: Reason.SUSPENDED,
    APPLICATION_SPECIFIC: Reason.STATUS_TYPE_NOT_READ,
}


def _entry_status(written: JsonValue, document: JsonObject, question: StatusQuestion) -> CheckResult:
    if not isinstance(written, dict):
        return found(Reason.STATUS_ENTRY_MALFORMED)
    kind = written.get("type")
    if isinstance(kind, list) and len(kind) == 1:
        kind = kind[0]
    if kind in _BITS:
        return bit_status(written, question)
    if kind == "1EdTechRevocationList":
        return named_status(written, document.get("id"), question)
    return found(Reason.STATUS_TYPE_NOT_READ, type=str(kind)[:200])
