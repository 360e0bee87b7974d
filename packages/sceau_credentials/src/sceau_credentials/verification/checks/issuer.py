"""Who is the issuer, beyond being the holder of a key?"""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from sceau_credentials.dids import did_web_document_url
from sceau_credentials.errors import MalformedInput
from sceau_credentials.values.json_text import JsonObject
from sceau_credentials.verification.findings.reasons import Reason, found
from sceau_credentials.verification.legacy.members import is_answered_safely
from sceau_credentials.verification.policy import Policy
from sceau_credentials.verification.report import CheckResult


def issuer_of(document: JsonObject) -> str | None:
    """The issuer's identifier; a bare string is read as well as a Profile (A-024, X-11)."""
    named = document.get("issuer")
    identifier = named.get("id") if isinstance(named, dict) else named
    return identifier if isinstance(identifier, str) else None


def issuer(issuer_id: str, policy: Policy) -> CheckResult:
    """Asked once the key is known to be the issuer's: whose word is the name then (C-027, T50)?

    Name, logo and address of the Profile stay the issuer's own words in any case; the domain does not.
    """
    if issuer_id in policy.trusted_issuers:
        return found(Reason.ISSUER_TRUSTED, issuer=issuer_id)
    if policy.only_trusted_issuers:
        return found(Reason.ISSUER_NOT_TRUSTED, issuer=issuer_id[:500])
    if issuer_id.startswith("did:key:"):
        return found(Reason.ISSUER_IS_ONLY_A_KEY)
    domain = domain_of(issuer_id)
    if domain is None:
        return found(Reason.ISSUER_NOT_IDENTIFIED, issuer=issuer_id[:500])
    return found(Reason.ISSUER_IDENTIFIED, domain=domain)


def domain_of(issuer_id: str) -> str | None:
    """The web domain behind an issuer's identifier, in its ASCII form so that lookalikes show."""
    find = _domain_of if len(issuer_id) <= _LONGEST_KEPT else _domain_of.__wrapped__
    return find(issuer_id)


_LONGEST_KEPT: Final = 256


@lru_cache(maxsize=1_024)
def _domain_of(issuer_id: str) -> str | None:
    try:
        url = did_web_document_url(issuer_id) if issuer_id.startswith("did:web:") else issuer_id
        parts = urlsplit(url)
        if not is_answered_safely(parts) or not parts.hostname or "@" in parts.netloc:
            return None
        return parts.hostname.encode("idna").decode()
    except (MalformedInput, UnicodeError, ValueError):
        return None
