"""DocumentSource: how the library asks for a document it does not hold. Its one port."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sceau_credentials.errors import DocumentUnavailable


@dataclass(frozen=True)
class FetchedDocument:
    """A document as it was served; `url` is where it was finally found."""

    url: str
    body: bytes
    media_type: str = "application/json"
    fetched_at: datetime | None = None
    holds: object = None
    """What is read in `body`, where the source wrote these bytes itself and has it at hand."""


class DocumentSource(Protocol):
    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        """The document at this URL, or DocumentUnavailable."""
        ...


class NoDocuments:
    """For work without a network: every document is unavailable."""

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:  # noqa: ARG002
        raise DocumentUnavailable(url, "offline")
