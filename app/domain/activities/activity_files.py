"""Photos and files of an activity, attached once for everybody who was there."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

from sqlmodel import Field, SQLModel

from app.domain.core.columns import moment, points_to
from app.errors import InvalidInput
from app.language import N_

MOST_AT_ONCE: Final = 10
MOST_OF_ACTIVITY: Final = 60
SHORTEST_REASON, LONGEST_REASON = 3, 500


class ActivityFile(SQLModel, table=True):
    """That a file belongs to an activity, or to one session of it; it stays when the file has gone.

    `agreed`: the trainer says that whoever can be recognised agrees that everybody sees it.
    """

    __tablename__ = "activity_file"
    file_id: uuid.UUID = Field(primary_key=True)
    activity_id: uuid.UUID = Field(sa_column=points_to("activity"))
    session_id: uuid.UUID | None = Field(
        default=None, sa_column=points_to("activity_session", nullable=True, index=False)
    )
    agreed: bool = False
    removed_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


def check_number(handed_in: int) -> None:
    if not handed_in:
        raise InvalidInput(N_("Choisissez au moins une photo ou un fichier."))
    if handed_in > MOST_AT_ONCE:
        raise InvalidInput(N_("Dix fichiers à la fois au plus : envoyez le reste ensuite."))


def check_reason(reason: str) -> None:
    if not SHORTEST_REASON <= len(reason.strip()) <= LONGEST_REASON:
        raise InvalidInput(
            N_("Dites en une phrase pourquoi vous retirez ce fichier : le motif reste au journal.")
        )
