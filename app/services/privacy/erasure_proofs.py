"""The proof of an erasure: signed by the campus's log, dated, under a reference, and naming nobody."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app.db.campus.campus import CampusStore
from app.db.privacy.erasures import ErasureStore
from app.domain.campus.campus import Campus
from app.domain.privacy.erasures import Erasure
from app.services.activity_log.activity_log import ActivityLog
from app.services.activity_log.publication import LogPublication
from app.services.publishing.publication import Published
from sceau_credentials.keys import encode_base64url
from sceau_credentials.values.json_text import JsonObject, dump_json
from sceau_credentials.values.timestamps import format_timestamp

JSON = "application/json"
MOST_LISTED = 200


@dataclass(frozen=True)
class ErasureTold:
    """An erasure, the campus that answers for it, and whether its line stands under a signature already."""

    erasure: Erasure
    campus: Campus
    is_signed: bool


class ErasureProofs:
    def __init__(
        self,
        erasures: ErasureStore,
        campuses: CampusStore,
        log: ActivityLog,
        publication: LogPublication,
    ) -> None:
        self.erasures = erasures
        self.campuses = campuses
        self.log = log
        self.publication = publication

    def get(self, erasure_id: uuid.UUID) -> ErasureTold:
        erasure = self.erasures.get(erasure_id)
        campus = self.campuses.get_by_id(erasure.campus_id)
        return ErasureTold(erasure, campus, self._proof(erasure, campus) is not None)

    def of_deed(self, erasure_id: uuid.UUID) -> list[ErasureTold]:
        """This one, and those of the other campuses that the same request reached."""
        deed = self.erasures.get(erasure_id).deed
        return [self.get(each.id) for each in self.erasures.of_deed(deed)]

    def list_of(self, campus: Campus) -> Sequence[Erasure]:
        return self.erasures.list_of(campus.id, limit=MOST_LISTED)

    def origin_of(self, erasure: Erasure) -> str:
        """The name of the log that says so."""
        return self.log.store.get(erasure.log_id).origin

    def document(self, told: ErasureTold) -> Published:
        """All that it takes to check, without us, that the campus wrote this down by then."""
        erasure, campus = told.erasure, told.campus
        document: JsonObject = {
            "type": "ErasureProof",
            "reference": erasure.reference,
            "campus": {"name": campus.name, "did": campus.did},
            "askedBy": "person" if erasure.by_person else "campus",
            "reach": "everywhere" if erasure.everywhere else "campus",
            "reason": erasure.reason,
            "doneAt": format_timestamp(erasure.done_at),
            "erased": {"badges": erasure.badges, "rows": erasure.erased},
            "log": self._line(erasure, campus),
        }
        return Published.of(dump_json(document), JSON)

    def _line(self, erasure: Erasure, campus: Campus) -> JsonObject:
        """The line of the log in clear, its key, and the proof that leads from it to a signed checkpoint."""
        log, payload = (
            self.log.store.get(erasure.log_id),
            self.log.store.payload(erasure.log_id, erasure.number),
        )
        (entry,) = self.log.store.numbered(erasure.log_id, [erasure.number])
        line: JsonObject = {
            "origin": log.origin,
            "line": erasure.number,
            "kind": entry.kind.value,
            "at": format_timestamp(entry.at),
        }
        if payload is not None:
            line |= {"says": payload.facts, "key": encode_base64url(payload.key)}
        if proof := self._proof(erasure, campus):
            line["proof"] = proof
        return line

    def _proof(self, erasure: Erasure, campus: Campus) -> str | None:
        public = self.publication.published(campus, self.log.store.get(erasure.log_id))
        found = self.publication.proof(public, erasure.number) if public else None
        return found.to_text() if found else None
