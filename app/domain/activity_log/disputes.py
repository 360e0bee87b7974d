"""Lines of the log that the person they are about says are wrong; what is corrected is a new line, never this one."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, Index, SQLModel

from app.domain.core.columns import moment, new_id, points_to
from app.errors import Conflict, InvalidInput
from app.language import N_


class LogDispute(SQLModel, table=True):
    """`said` by the person, and the campus's `answer` once there is one."""

    __tablename__ = "log_dispute"
    __table_args__ = (Index("log_disputes_of_line", "log_id", "number"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    log_id: uuid.UUID = Field(sa_column=points_to("campus_log", index=False))
    number: int = Field(sa_type=BigInteger)
    person_id: uuid.UUID = Field(sa_column=points_to("person"))
    said: str = Field(max_length=1000)
    made_at: datetime = Field(sa_column=moment())
    answer: str = Field(default="", max_length=1000)
    answered_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


def check_words(text: str) -> str:
    words = text.strip()
    if not 5 <= len(words) <= 1000:
        raise InvalidInput(N_("Dites en une phrase ce qui ne va pas, en 1 000 signes au plus."))
    return words


def answer_dispute(dispute: LogDispute, text: str, *, at: datetime) -> None:
    if dispute.answered_at is not None:
        raise Conflict(N_("Cette demande a déjà sa réponse."))
    words = text.strip()
    if not 5 <= len(words) <= 1000:
        raise InvalidInput(N_("Répondez en une phrase : la personne la lira."))
    dispute.answer, dispute.answered_at = words, at
