"""How the OAuth client reaches a service: the guarded fetcher in the place of a session of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2.auth import ClientAuth

from app.adapters.web_documents import WebDocuments


class NotGranted(Exception):
    """The service answered, and gave nothing for the code."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.is_outage = status >= 500


@dataclass(frozen=True)
class Granted:
    """As much of a response as the OAuth client reads."""

    body: bytes
    status_code: int = 200

    def json(self) -> Any:
        return json.loads(self.body)

    def raise_for_status(self) -> None:
        raise NotGranted(self.status_code)


@dataclass(frozen=True)
class GuardedSession:
    documents: WebDocuments

    def post(
        self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: ClientAuth
    ) -> Granted:
        url, sent, body = auth.prepare("POST", url, {**headers}, urlencode(data))
        media_type = sent.pop("Content-Type")
        answer = self.documents.post(url, body.encode(), media_type=media_type, headers=sent)
        if answer.status != 200:
            raise NotGranted(answer.status)
        return Granted(answer.body)
