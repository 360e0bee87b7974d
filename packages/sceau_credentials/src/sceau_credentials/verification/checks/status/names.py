"""1EdTechRevocationList, deprecated: a list of the credentials that no longer count, which nobody signs (D-022).

What it says is worth what the address is worth, which the issuer signed into the badge: named there, a badge
is withdrawn; not named there, it was not withdrawn when the list was read. The answers say `signed: no`.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from sceau_credentials.errors import DocumentUnavailable, MalformedInput
from sceau_credentials.status_list import is_list_url
from sceau_credentials.values.json_text import JsonObject, JsonValue, parse_json_object
from sceau_credentials.verification.answers import CheckResult
from sceau_credentials.verification.checks.issuer import issuer_of
from sceau_credentials.verification.checks.status.question import StatusQuestion
from sceau_credentials.verification.findings.reasons import Reason, found

_MAX_LIST: Final = 2 * 1024 * 1024
_MEMBERS: Final = ("revokedCredential", "revokedCredentials")  # D-023: some issuers write the plural


def named_status(written: JsonObject, credential_id: JsonValue, question: StatusQuestion) -> CheckResult:
    url = written.get("id")
    if not isinstance(url, str) or not is_list_url(url) or not isinstance(credential_id, str):
        return found(Reason.STATUS_ENTRY_MALFORMED, pointer="/id")
    try:
        body = question.documents.fetch(url, accept="application/json").body
        listed = parse_json_object(body, max_bytes=_MAX_LIST)
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
    told = {"message": reason} if reason else {}
    return found(Reason.REVOKED, url=url, signed="no", **told)


def _withdrawn(listed: JsonObject) -> dict[str, str]:
    """The credentials that no longer count, each with the reason given, or ""."""
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
