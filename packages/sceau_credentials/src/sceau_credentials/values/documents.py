"""DocumentSource: how the library fetches documents it does not hold. Its one port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sceau_credentials.errors import DocumentUnavailable
from sceau_credentials.values.json_text import JsonObject, dump_json


@dataclass(frozen=True)
class FetchedDocument:
    """A document as served; `url` is the final one, after redirects."""

    url: str
    body: bytes
    media_type: str = "application/json"
    fetched_at: datetime | None = None
    holds: object = None
    """The parsed `body`, where the source wrote these bytes itself and has the value in memory."""


class DocumentSource(Protocol):
    """Fetches documents that the library does not hold: the only thing a verifier has to supply."""

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        """The document at this URL, or DocumentUnavailable."""
        ...


class NoDocuments:
    """For work without a network: every document is unavailable."""

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:  # noqa: ARG002
        raise DocumentUnavailable(url, "offline")


class DocumentsAtHand:
    """JSON documents by the URL they are published at; every other one is unavailable (`not_at_hand`)."""

    def __init__(self, documents: Mapping[str, JsonObject]) -> None:
        self._bodies = {url: dump_json(document) for url, document in documents.items()}

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:  # noqa: ARG002
        if url not in self._bodies:
            raise DocumentUnavailable(url, "not_at_hand")
        return FetchedDocument(url, self._bodies[url])
