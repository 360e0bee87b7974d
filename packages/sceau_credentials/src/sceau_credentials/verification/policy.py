"""What one verifier asks for beyond what the standard asks of everybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True)
class Identity:
    """Whose badge it should be: a plain identifier of one type of A-054, compared exactly as given."""

    value: str
    type: str = "emailAddress"


@dataclass(frozen=True)
class Policy:
    """What is asked for besides, and how far: the defaults ask for what the standard asks of everybody."""

    recipient: Identity | None = None
    clock_skew: timedelta = timedelta(minutes=5)
    """How far in the future a beginning may lie before it is "not yet"; an end gets no such grace."""
    trusted_issuers: frozenset[str] = frozenset()
    """Issuer identifiers this verifier vouches for; being on it says more, not being on it proves nothing."""
    only_trusted_issuers: bool = False
    """Leave the verdict open for any issuer not among them."""
    require_status: bool = False
    """Leave the verdict open for a badge that nobody could withdraw."""
    check_status: bool = True
    """False leaves the status out, and then the verdict is undetermined at best."""
    remarks: bool = True
    """False leaves out what changes no verdict."""
    max_fetches: int = 3  # T49, I24: a badge decides how few documents are read for it, never how many
    max_fetches_signed_older: int = 4
    """The same for a signed badge of 2.0 or 1.x, which may need its class, issuer, key and revocation list."""
    resources: Mapping[str, bytes] = field(default_factory=dict)
    """Files at hand by the address the badge gives them: where it states their digest, it is compared (C-020)."""
