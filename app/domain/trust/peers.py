"""Two lines by a person who worked with the learner: the address is verified, the identity is not."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Field, SQLModel

from app.domain.core import foreign_key, name_as_signed, new_id, utc_datetime
from app.domain.people.people import normal_address
from app.domain.trust.organisations import (
    LONGEST_REASON,
    DeadRequest,
    EndorsementRequest,
    RequestKind,
    is_waiting,
)
from app.errors import Conflict, InvalidInput
from app.language import N_
from sceau_credentials.issuing.lints.wording import holds_markup

LONGEST_WORDS: Final = 280
SHORTEST_WORDS: Final = 10
LONGEST_SIGNATURE: Final = 60
MOST_LINES: Final = 2
MOST_WAITING: Final = 5
MOST_SHOWN: Final = 10
WRITTEN_WITHIN: Final = timedelta(days=7)
"""After a learner named the address: the e-mail's link both proves it and lets its reader write."""
LINK_FOR: Final = timedelta(days=30)
"""A link that the learner shares; each reader proves an address first."""
PROOF_FOR: Final = timedelta(hours=24)
"""The link in the e-mail to an address that was typed at a shared link."""
READ_WITHIN: Final = timedelta(days=365)
"""Recommendations that the learner has not accepted are deleted afterwards, and empty rows too."""
PEER_KINDS: Final = frozenset({RequestKind.PEER, RequestKind.PEER_LINK, RequestKind.PEER_PROOF})
PEER_LINK, PEER_WRITE, PEER_WITHDRAW = "peer link", "peer write", "peer withdraw"
"""Purposes of the secrets in links: none opens what another opens."""
_REFERS = re.compile(r"@|://|\bwww\.|\]\(", re.IGNORECASE)
_STACKED = re.compile(r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3,}")

PEER_WORDINGS: Final = (
    N_(
        "Si la personne les accepte, ces lignes et la signature seront publiques avec le badge. L’adresse ne l’est "
        "jamais. Je pourrai tout retirer à tout moment."
    ),
)
"""What the author agrees to; the latest last, none is ever changed or removed."""


class PeerRecommendation(SQLModel, table=True):
    """Public from `accepted_at`, unless its author or the campus withdrew it. Never counted anywhere.

    `address`: for the rule that learners do not recommend themselves; shown to the learner alone.
    """

    __tablename__ = "peer_recommendation"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    award_id: uuid.UUID = Field(sa_column=foreign_key("award"))
    address: str = Field(max_length=254)
    language: str = Field(default="fr", max_length=12)
    words: str = Field(max_length=LONGEST_WORDS)
    signature: str = Field(max_length=LONGEST_SIGNATURE)
    wording: int = 1
    written_at: datetime = Field(sa_column=utc_datetime())
    accepted_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    declined_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    """By the learner, for good; the text is erased."""
    withdrawn_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    """By the author, for good; the text is erased."""
    set_aside_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    set_aside_reason: str = Field(default="", max_length=LONGEST_REASON)

    @property
    def is_over(self) -> bool:
        return self.declined_at is not None or self.withdrawn_at is not None

    @property
    def is_shown(self) -> bool:
        return self.accepted_at is not None and self.set_aside_at is None and not self.is_over

    @property
    def waits(self) -> bool:
        """For the learner's decision."""
        return self.accepted_at is None and not self.is_over


@dataclass(frozen=True)
class PeerWords:
    words: str
    signature: str


def checked_peer_words(words: str, signature: str) -> PeerWords:
    """Clean text on at most two lines: no invisible or bidirectional signs, markup, links or addresses."""
    lines = [_clean(each) for each in words[: 8 * LONGEST_WORDS].splitlines()]
    first, *others = [each for each in lines if each] or [""]
    words = "\n".join(filter(None, (first, " ".join(others))))
    signature = _clean(signature[: 8 * LONGEST_SIGNATURE])
    if len(words) < SHORTEST_WORDS:
        raise InvalidInput(N_("Écrivez au moins une phrase : ce que vous avez vu cette personne faire."))
    if len(words) > LONGEST_WORDS:
        raise InvalidInput(N_("Vos lignes tiennent en {most} signes."), most=LONGEST_WORDS)
    if not any(sign.isalpha() for sign in signature):
        raise InvalidInput(
            N_("Signez : un prénom, et ce que vous faisiez ensemble. Par exemple « Karim, même équipe ».")
        )
    if len(signature) > LONGEST_SIGNATURE:
        raise InvalidInput(N_("La signature tient en {most} signes."), most=LONGEST_SIGNATURE)
    for text in (words, signature):
        if holds_markup(text):
            raise InvalidInput(N_("Du texte simple : pas de balise, comme « <b> »."))
        if _REFERS.search(text):
            raise InvalidInput(N_("Ne mettez ni adresse ni lien : ces lignes se lisent seules."))
        if _STACKED.search(text):
            raise InvalidInput(N_("Du texte simple : trop d’accents se suivent."))
    return PeerWords(words, signature)


def _clean(line: str) -> str:
    return " ".join(name_as_signed(line).split())


def mailbox_key(address: str) -> str:
    """One key for all spellings of a mailbox: without the `+tag` that most servers ignore."""
    name, _, host = normal_address(address).partition("@")
    return f"{name.partition('+')[0]}@{host}"


def is_own_address(address: str, own: Collection[str]) -> bool:
    return mailbox_key(address) in {mailbox_key(each) for each in own}


def check_may_ask_peer(
    before: Collection[EndorsementRequest], address: str, *, refused: bool, at: datetime
) -> None:
    """`before`: earlier requests to people about the same award."""
    if refused:
        raise Conflict(N_("Cette adresse ne veut plus recevoir de demandes. Rien n’a été envoyé."))
    waiting = [each for each in before if each.kind is RequestKind.PEER and is_waiting(each, at=at)]
    if any(each.address == address for each in waiting):
        raise Conflict(N_("Cette personne a déjà reçu votre demande cette semaine : laissez-lui le temps."))
    if len(waiting) >= MOST_WAITING:
        raise Conflict(
            N_("{most} demandes attendent déjà une réponse. Attendez qu’une d’elles en ait une."),
            most=MOST_WAITING,
        )


def check_peer_open(request: EndorsementRequest, *, at: datetime) -> None:
    """Whether its link still opens something; a link to write works once."""
    if request.refusal:
        raise DeadRequest(N_("Vous avez répondu non à cette demande. Rien n’a été publié."))
    if request.answered_at is not None and request.kind is RequestKind.PEER_LINK:
        raise DeadRequest(N_("Ce lien a été fermé par la personne qui l’avait partagé."))
    if request.answered_at is not None:
        raise DeadRequest(
            N_(
                "Ce lien a déjà servi : vos lignes sont parties. L’e-mail de confirmation permet de les retirer."
            )
        )
    if at >= request.expires_at:
        raise DeadRequest(N_("Ce lien n’ouvre plus rien : sa durée est passée. Demandez-en un autre."))
