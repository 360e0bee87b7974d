"""Erasures: somebody's data gone at their request, and what stays to show for it without naming them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlmodel import BigInteger, Field, SQLModel

from app.domain.core.columns import moment, new_id, points_to, words
from app.domain.core.plain_text import plain_text
from app.domain.publishing.short_addresses import short_code
from app.errors import Conflict, InvalidInput
from app.language import N_

_SHORTEST_REASON, _LONGEST_REASON = 5, 300


class Erasure(SQLModel, table=True):
    """What one campus erased of one person. `deed` is the same for all campuses that one request reached.

    `everywhere`: asked of every campus, and not of this one alone. `erased` counts rows by matter.
    """

    __tablename__ = "erasure"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=points_to("campus"))
    deed: uuid.UUID = Field(index=True)
    everywhere: bool
    by_person: bool
    reason: str = Field(default="", max_length=_LONGEST_REASON)
    done_at: datetime = Field(sa_column=moment())
    erased: dict[str, Any] = Field(default_factory=dict, sa_column=words())
    badges: int = 0
    log_id: uuid.UUID = Field(sa_column=points_to("campus_log"))
    number: int = Field(sa_type=BigInteger)
    """The line of the campus's log that says so."""

    @property
    def reference(self) -> str:
        """What the person was told, and what a data protection officer files their request under."""
        return reference_of(self.id)


class ErasedAward(SQLModel, table=True):
    """The number of an award that is gone: whoever follows its link reads why."""

    __tablename__ = "erased_award"
    award_id: uuid.UUID = Field(primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=points_to("campus"))
    erased_at: datetime = Field(sa_column=moment())


class ErasedPortfolio(SQLModel, table=True):
    """The number of a portfolio that went with its person: whoever follows its link reads why."""

    __tablename__ = "erased_portfolio"
    portfolio_id: uuid.UUID = Field(primary_key=True)
    erased_at: datetime = Field(sa_column=moment())


class StillWorksHere(Conflict): ...


ERASED = N_("Ce badge a été retiré à la demande de la personne.")
"""All that is said where an award was."""
PORTFOLIO_ERASED = N_("Ce portfolio a été retiré à la demande de la personne.")
"""All that is said where a portfolio was."""


def reference_of(erasure_id: uuid.UUID) -> str:
    return f"EFF-{short_code(erasure_id)}"


def check_reason(reason: str, names: Collection[str]) -> str:
    """`names`: how the person is called and written to, which must not outlive them in a reason."""
    reason = " ".join(reason.split())
    if len(reason) < _SHORTEST_REASON:
        raise InvalidInput(N_("Dites en une phrase pourquoi, et comment la personne a été reconnue."))
    if len(reason) > _LONGEST_REASON:
        raise InvalidInput(N_("Le motif tient en {most} signes."), most=_LONGEST_REASON)
    if "@" in reason or any(_words(name) & _words(reason) for name in names):
        raise InvalidInput(
            N_(
                "Ce motif reste après l’effacement : n’y écrivez ni nom ni adresse. La référence suffit à le retrouver."
            )
        )
    return reason


def _words(text: str) -> set[str]:
    """Long enough to be somebody's: « d », « le » and « n » are part of many names."""
    return {word for word in re.findall(r"\w+", plain_text(text)) if len(word) > 2}
