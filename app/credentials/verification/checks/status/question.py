"""What is needed to read one issuer's lists at one moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.credentials.documents import DocumentSource
from app.credentials.verification.answers import CheckResult
from app.credentials.verification.policy import Policy
from app.credentials.verification.secured import Secured

Authenticate = Callable[[Secured], CheckResult | None]
"""None if a key of the document's own issuer signed it, else what stands against that."""


@dataclass(frozen=True)
class StatusQuestion:
    issuer_id: str
    documents: DocumentSource
    at: datetime
    policy: Policy
    authenticate: Authenticate
