"""A DocumentSource that a badge cannot make ask for more than a few documents."""

from __future__ import annotations

from typing import Final

from sceau_credentials.errors import DocumentUnavailable
from sceau_credentials.values.documents import DocumentSource, FetchedDocument

EVIDENCE_FETCHES: Final = 30
"""For the evidence of anybody's badge: its documents, the keys of the log, and of a stolen one the tiles of some trees."""


class FetchBudget:
    """Each URL is asked for once, whatever the answer; after `limit` URLs nothing more is (T49, I24)."""

    def __init__(self, documents: DocumentSource, limit: int) -> None:
        self._documents = documents
        self._limit = limit
        self._answers: dict[tuple[str, str], FetchedDocument | DocumentUnavailable] = {}

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        asked = (url, accept)
        if asked not in self._answers:
            self._answers[asked] = self._ask(url, accept)
        answer = self._answers[asked]
        if isinstance(answer, DocumentUnavailable):
            raise answer
        return answer

    def _ask(self, url: str, accept: str) -> FetchedDocument | DocumentUnavailable:
        if len(self._answers) >= self._limit:
            return DocumentUnavailable(url, "too_many_fetches")
        try:
            return self._documents.fetch(url, accept=accept)
        except DocumentUnavailable as error:
            return error
