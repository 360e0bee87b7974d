"""Handing a badge over: how far it has come, from the promise of a letter to the claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.awards.awards import Award, AwardState
from app.domain.messages.letters import LetterState, Occasion, PromisedLetter


class Handed(StrEnum):
    """In the order in which things usually happen."""

    REVOKED = "revoked"
    UNDONE = "undone"
    """Taken back before anybody heard of it."""
    SLIP = "slip"
    """Nobody was written to: a slip, a code or the link hands it over."""
    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"
    OPENED = "opened"
    CLAIMED = "claimed"


@dataclass(frozen=True)
class HandedOver:
    """`letter` is the last one that told of the badge, if any was promised."""

    state: Handed
    at: datetime | None = None
    letter: PromisedLetter | None = None


def handed_over(award: Award, letters: Sequence[PromisedLetter]) -> HandedOver:
    """What is most worth knowing; `letters` are all about this award, the oldest first."""
    told = [letter for letter in letters if letter.occasion == Occasion.AWARDED]
    last = told[-1] if told else None
    if award.undone_at is not None:
        return HandedOver(Handed.UNDONE, award.undone_at, last)
    if award.state is AwardState.REVOKED:
        return HandedOver(Handed.REVOKED, award.revoked_at, last)
    if award.claimed_at is not None:
        return HandedOver(Handed.CLAIMED, award.claimed_at, last)
    if award.link_opened_at is not None:
        return HandedOver(Handed.OPENED, award.link_opened_at, last)
    if last is None or last.state is LetterState.CANCELLED:
        return HandedOver(Handed.SLIP, None, last)
    match last.state:
        case LetterState.SENT:
            return HandedOver(Handed.SENT, last.sent_at, last)
        case LetterState.REFUSED:
            return HandedOver(Handed.REFUSED, last.attempted_at, last)
        case _:
            return HandedOver(Handed.WAITING, last.not_before, last)


def shown_name(given_name: str, family_name: str, *, whole: bool) -> str:
    """In public a first name and an initial, unless whoever projects ticks otherwise."""
    if whole or not given_name or not family_name:
        name = f"{given_name} {family_name}".strip()
        return name if whole or given_name else _initials(family_name)
    return f"{given_name} {family_name[0].upper()}."


def _initials(name: str) -> str:
    """Somebody recorded under one name alone: its first word says enough."""
    return name.split()[0] if name.split() else ""
