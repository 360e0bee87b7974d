"""What has had its time, deleted some hundred rows at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, and_, delete, or_, select
from sqlmodel import Session

from app.db.privacy.personal_data import one_of
from app.domain.learners.requests import RequestState
from app.domain.privacy import retention
from app.domain.trust.endorsements import Refusal
from app.tenancy.metadata import METADATA

AT_A_TIME = 500


class RetentionStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def overdue(self, at: datetime) -> Iterator[tuple[Table, ColumnElement[bool]]]:
        """Rows by table, what points to others before what is pointed to."""
        table = METADATA.tables
        room, link, challenge = table["room_entry"], table["sign_in_link"], table["challenge"]
        session, letter, invitation = table["session"], table["letter"], table["invitation"]
        yield room, room.c.signed_at < at - retention.ROOM_ENTRIES
        waiting, answer = table["waiting_signature"], table["list_answer"]
        yield waiting, waiting.c.signed_at < at - retention.ROOM_ENTRIES
        yield answer, answer.c.answered_at < at - retention.LIST_ANSWERS
        for each in (link, challenge, session):
            yield each, each.c.expires_at < at - retention.WAYS_IN
        lines, batch = table["award_batch_line"], table["award_batch"]
        done = select(batch.c.id).where(batch.c.done_at < at - retention.REFUSED_LINES)
        yield lines, and_(lines.c.person_id.is_(None), lines.c.award_id.is_(None), lines.c.batch_id.in_(done))
        over = self._closed_requests(at)
        file, content, step = table["stored_file"], table["stored_file_content"], table["request_step"]
        files = select(file.c.id).where(file.c.noun == "request", file.c.noun_id.in_(over))
        yield content, content.c.file_id.in_(files)
        yield file, and_(file.c.noun == "request", file.c.noun_id.in_(over))
        yield step, step.c.request_id.in_(over)
        yield letter, letter.c.about_id.in_(over)
        request = table["badge_request"]
        yield request, request.c.id.in_(over)
        unanswered = and_(
            invitation.c.accepted_at.is_(None), invitation.c.expires_at < at - retention.INVITATIONS
        )
        yield letter, letter.c.about_id.in_(select(invitation.c.id).where(unanswered))
        yield invitation, unanswered
        asked = table["endorsement_request"]
        # Whoever wants to be asked for nothing more stays known for it.
        unheeded = and_(
            asked.c.endorsement_id.is_(None),
            asked.c.refusal != Refusal.EVER.value,
            asked.c.expires_at < at - retention.ASKED_ORGANISATIONS,
        )
        yield letter, letter.c.about_id.in_(select(asked.c.id).where(unheeded))
        yield asked, unheeded
        yield (
            letter,
            and_(letter.c.state != "waiting", letter.c.promised_at < at - retention.LETTERS),
        )

    def delete_some(self, at: datetime) -> int:
        """How many rows went; fewer than AT_A_TIME of each kind means that nothing is left."""
        deleted = 0
        for table, which in self.overdue(at):
            keys = list(table.primary_key)
            found = self.session.execute(select(*keys).where(which).limit(AT_A_TIME)).all()
            if found:
                query = delete(table).where(one_of(table, [tuple(row) for row in found]))
                deleted += int(cast(Any, self.session.execute(query)).rowcount)
        return deleted

    def is_due(self, at: datetime) -> bool:
        return any(
            self.session.execute(select(*table.primary_key).where(which).limit(1)).first()
            for table, which in self.overdue(at)
        )

    @staticmethod
    def _closed_requests(at: datetime) -> Any:
        request = METADATA.tables["badge_request"]
        closed = [RequestState.REFUSED.value, RequestState.WITHDRAWN.value]
        return select(request.c.id).where(
            or_(*(request.c.state == each for each in closed)),
            request.c.decided_at < at - retention.CLOSED_REQUESTS,
        )
