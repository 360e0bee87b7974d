"""The feed of changes as programs read it, and identifiers of a campus's own system."""

from __future__ import annotations

import secrets
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, literal, tuple_, update
from sqlmodel import col, select

from app.db.engine.queries import Store
from app.db.engine.writes import among, insert_unless_there
from app.domain.accounts.sessions import ApiToken, digest_of
from app.domain.campus.integration import (
    ApiAnswer,
    Change,
    ChangedKind,
    ChangeHead,
    ExternalId,
    NamedKind,
)

ANSWERS_AT_ONCE: Final = 300


class IntegrationStore(Store):
    def head(self, campus_id: uuid.UUID) -> ChangeHead:
        """Not locked; empty where nothing ever changed."""
        found = self.session.get(ChangeHead, campus_id)
        return found or ChangeHead(campus_id=campus_id, generation="00000000")

    def changes(
        self, campus_id: uuid.UUID, *, after: int, kinds: Collection[ChangedKind] = (), limit: int
    ) -> list[Change]:
        query = select(Change).where(Change.campus_id == campus_id, Change.number > after)
        if kinds:
            query = query.where(col(Change.kind).in_(kinds))
        if not after:
            query = query.where(~col(Change.removed))
        return list(self.session.exec(query.order_by(col(Change.number)).limit(limit)))

    def restart_all(self) -> None:
        """No cursor of before continues, at any campus."""
        for head in self.session.exec(
            select(ChangeHead).order_by(col(ChangeHead.campus_id)).with_for_update()
        ):
            head.generation = secrets.token_hex(4)
            self.session.add(head)
        self.session.flush()

    def changed_among(
        self, campus_id: uuid.UUID, ids: Collection[uuid.UUID], since: datetime
    ) -> set[uuid.UUID]:
        """Those of these rows that were created or changed at that time or later."""
        query = select(Change.noun_id).where(
            Change.campus_id == campus_id, Change.at >= since, among(self.session, col(Change.noun_id), ids)
        )
        return set(self.session.exec(query))

    # --- identifiers of other systems

    def named(self, campus_id: uuid.UUID, kind: NamedKind, values: Collection[str]) -> dict[str, uuid.UUID]:
        """The rows that these identifiers name."""
        if not values:
            return {}
        query = select(ExternalId).where(
            ExternalId.campus_id == campus_id,
            ExternalId.kind == kind,
            among(self.session, col(ExternalId.value), values),
        )
        return {each.value: each.noun_id for each in self.session.exec(query)}

    def names_of(
        self, campus_id: uuid.UUID, kind: NamedKind, noun_ids: Collection[uuid.UUID]
    ) -> dict[uuid.UUID, list[str]]:
        """The identifiers of these rows, the oldest first."""
        if not noun_ids:
            return {}
        column = _COLUMN_OF[kind]
        query = select(ExternalId).where(
            ExternalId.campus_id == campus_id, among(self.session, column, noun_ids)
        )
        found: dict[uuid.UUID, list[str]] = defaultdict(list)
        for each in self.session.exec(query.order_by(col(ExternalId.given_at), col(ExternalId.value))):
            found[each.noun_id].append(each.value)
        return found

    def give_all(self, rows: Sequence[ExternalId]) -> None:
        self.session.add_all(rows)
        self.session.flush()

    def take(self, campus_id: uuid.UUID, kind: NamedKind, noun_id: uuid.UUID) -> None:
        """The row has no identifier here any more."""
        query = delete(ExternalId).where(col(ExternalId.campus_id) == campus_id, _COLUMN_OF[kind] == noun_id)
        self.session.execute(query)

    # --- answers to programs

    def claim_answer(self, answer: ApiAnswer) -> ApiAnswer:
        """This one if it is new, else the one that stands; waits for a request under the same key."""
        insert_unless_there(self.session, [answer], "campus_id, token, key_digest")
        query = select(ApiAnswer).where(
            ApiAnswer.campus_id == answer.campus_id,
            ApiAnswer.token == answer.token,
            ApiAnswer.key_digest == answer.key_digest,
        )
        return self.session.exec(query.with_for_update()).one()

    def answers_of(self, campus_ids: Collection[uuid.UUID]) -> Iterator[ApiAnswer]:
        """Read in pieces, and not locked."""
        key = (col(ApiAnswer.campus_id), col(ApiAnswer.token), col(ApiAnswer.key_digest))
        query = select(ApiAnswer).where(
            col(ApiAnswer.campus_id).in_(campus_ids), col(ApiAnswer.sealed) != b""
        )
        query, after = query.order_by(*key).limit(ANSWERS_AT_ONCE), None
        while True:
            further = query if after is None else query.where(tuple_(*key) > tuple_(*map(literal, after)))
            piece = self.session.exec(further).all()
            yield from piece
            if len(piece) < ANSWERS_AT_ONCE:
                return
            after = (piece[-1].campus_id, piece[-1].token, piece[-1].key_digest)

    def empty_answer(self, answer: ApiAnswer) -> None:
        self.session.execute(
            update(ApiAnswer)
            .where(
                col(ApiAnswer.campus_id) == answer.campus_id,
                col(ApiAnswer.token) == answer.token,
                col(ApiAnswer.key_digest) == answer.key_digest,
            )
            .values(sealed=b"")
        )

    def save_answer(self, answer: ApiAnswer) -> None:
        self.session.add(answer)
        self.session.flush()


_COLUMN_OF: Final[Mapping[NamedKind, Any]] = {
    NamedKind.PERSON: col(ExternalId.person_id),
    NamedKind.ACTIVITY: col(ExternalId.activity_id),
    NamedKind.AWARD: col(ExternalId.award_id),
}


class AccessStore(Store):
    def add(self, row: ApiToken) -> None:
        self.session.add(row)
        self.session.flush()

    def find_token(self, secret: str) -> ApiToken | None:
        return self.session.exec(select(ApiToken).where(ApiToken.secret_digest == digest_of(secret))).first()

    def list_tokens(self, campus_id: uuid.UUID) -> Sequence[ApiToken]:
        query = select(ApiToken).where(ApiToken.campus_id == campus_id).order_by(col(ApiToken.created_at))
        return self.session.exec(query).all()
