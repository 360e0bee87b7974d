"""Answers to programs under their idempotency keys: given again for a day, forgotten with an erased person."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from app.adapters.secrets import KeyVault
from app.db.campus.integration import IntegrationStore
from app.domain.campus.campus import Campus
from app.domain.campus.integration import ANSWER_LIFE, ApiAnswer, check_same_answer
from app.domain.core import Clock
from app.domain.people import Person, name_key
from app.errors import Gone
from app.language import N_


@dataclass(frozen=True, eq=False)
class ApiAnswers:
    """One effect and one answer for each idempotency key of a token, in the transaction of the effect."""

    integration: IntegrationStore
    vault: KeyVault
    clock: Clock

    def begin(self, campus: Campus, token: str, key: str, request_digest: str) -> ApiAnswer:
        """`status` is 0 where the request is still to be done; else the answer stands."""
        at = self.clock()
        fresh: dict[str, Any] = {
            "request_digest": request_digest,
            "expires_at": at + ANSWER_LIFE,
            "status": 0,
            "sealed": b"",
        }
        digest = hashlib.sha256(key.encode()).hexdigest()
        answer = self.integration.claim_answer(
            ApiAnswer(campus_id=campus.id, token=token, key_digest=digest, **fresh)
        )
        if answer.expires_at <= at:
            answer.sqlmodel_update(fresh)
        check_same_answer(answer, request_digest)
        return answer

    def finish(self, answer: ApiAnswer, status: int, body: bytes) -> None:
        answer.status, answer.sealed = status, self.vault.seal_bytes(body, _bound_to(answer))
        self.integration.save_answer(answer)

    def forget_person(
        self, person: Person, addresses: Collection[str], campus_ids: Collection[uuid.UUID]
    ) -> None:
        """Empties the answers that name an erased person; their requests are not done again."""
        names = set(name_key(person.given_name, person.family_name).split())
        marks = {str(person.id), *filter(None, addresses)}
        for answer in self.integration.answers_of(campus_ids):
            text = json.dumps(json.loads(self.open(answer)), ensure_ascii=False)
            words = {part for word in set(text.split()) for part in name_key("", word).split()}
            if any(mark in text.lower() for mark in marks) or (names and names <= words):
                self.integration.empty_answer(answer)

    def open(self, answer: ApiAnswer) -> bytes:
        if not answer.sealed:
            raise Gone(
                N_(
                    "Cette demande a été exécutée. Sa réponse a été effacée avec les données d’une personne :"
                    " lisez l’état actuel."
                )
            )
        return self.vault.open_bytes(answer.sealed, _bound_to(answer))


def _bound_to(answer: ApiAnswer) -> bytes:
    return f"answer|{answer.campus_id}|{answer.token}|{answer.key_digest}".encode()
