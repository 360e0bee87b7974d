"""DocumentSources for tests, backed by a dict, that record the requested URLs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.adapters.web_documents import WebDocuments
from sceau_credentials.errors import DocumentUnavailable
from sceau_credentials.values import FetchedDocument


class Documents:
    """Serves documents by URL; a dict is served as JSON, text and bytes as they are."""

    def __init__(self, held: Mapping[str, Any] | None = None, *, fetched_at: datetime | None = None) -> None:
        self.held = dict(held or {})
        self.asked: list[str] = []
        self._fetched_at = fetched_at

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        self.asked.append(url)
        if url not in self.held:
            raise DocumentUnavailable(url, "not_found")
        held = self.held[url]
        body = (
            held
            if isinstance(held, bytes)
            else (held if isinstance(held, str) else json.dumps(held)).encode()
        )
        return FetchedDocument(url, body, fetched_at=self._fetched_at)

    def with_(self, changed: Mapping[str, Any]) -> Documents:
        return Documents({**self.held, **changed}, fetched_at=self._fetched_at)

    def without(self, url: str) -> Documents:
        return Documents({each: body for each, body in self.held.items() if each != url})


class CachedKeys(Documents, WebDocuments):
    """Caches the first document of each URL until `doubt` replaces it from `published`."""

    def __init__(self, held: dict[str, Any], published: dict[str, Any]) -> None:
        Documents.__init__(self, held)
        self.published = published
        self.doubted: list[str] = []

    def doubt(self, url: str) -> bool:
        self.doubted.append(url)
        is_known = url in self.held and url in self.published
        self.held.update({url: self.published.pop(url)} if is_known else {})
        return is_known
