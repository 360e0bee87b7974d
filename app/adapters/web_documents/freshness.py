"""How long an answer may be kept: what its headers say, what a status list says of itself, and never too long."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from app.adapters.web_documents.limits import Limits
from sceau_credentials.errors import CredentialError
from sceau_credentials.values.json_text import JsonObject
from sceau_credentials.verification.secured import secured_from_text

_DIRECTIVE: Final = re.compile(r'\s*([a-z-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s,"]*)))?\s*(?:,|$)', re.IGNORECASE)
_NOTHING: Final = timedelta(0)
# We are a cache shared by everybody who verifies here.
_FORBIDS_KEEPING: Final = frozenset({"no-store", "private"})


def may_be_kept(headers: Mapping[str, str]) -> bool:
    return not _FORBIDS_KEEPING & _directives(headers).keys() and "*" not in headers.get("vary", "")


def fresh_for(headers: Mapping[str, str], body: bytes, limits: Limits) -> timedelta:
    """The shortest of what is said, by HTTP or by the list itself (D-011); where nothing is, a default."""
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
        return _until_expiry(headers)
    return None


def _directives(headers: Mapping[str, str]) -> dict[str, str]:
    """Of a directive that is said twice, the first word counts."""
    directives: dict[str, str] = {}
    for name, quoted, plain in _DIRECTIVE.findall(headers.get("cache-control", "")):
        directives.setdefault(name.lower(), quoted or plain)
    return directives


def _seconds(written: str) -> timedelta:
    """What cannot be read is no time at all."""
    return timedelta(seconds=int(written)) if re.fullmatch(r"[0-9]{1,9}", written, re.ASCII) else _NOTHING


def _until_expiry(headers: Mapping[str, str]) -> timedelta:
    try:
        expires = parsedate_to_datetime(headers["expires"])
        return max(_NOTHING, expires - parsedate_to_datetime(headers.get("date", "")))
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
    # Booleans are integers in Python, and no time.
    if not isinstance(ttl, int) or isinstance(ttl, bool):
        return None
    return timedelta(milliseconds=min(max(ttl, 0), 10**12))


def _types(document: JsonObject) -> list[object]:
    written = document.get("type")
    return list(written) if isinstance(written, list) else [written]
