"""What is needed to read one issuer's lists at one moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from sceau_credentials.values.documents import DocumentSource
from sceau_credentials.verification.answers import CheckResult
from sceau_credentials.verification.policy import Policy
from sceau_credentials.verification.secured import Secured

Authenticate = Callable[[Secured], CheckResult | None]
"""None if a key of the document's own issuer signed it, else what stands against that."""

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
        """What `find` gives the first time: a list is read and judged once, however many entries name it."""
        if about not in self._found:
            self._found[about] = find()
        return self._found[about]  # type: ignore[return-value]
