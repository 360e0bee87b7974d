"""Accounts at another sign-in service (OpenID Connect), and when one may stand for a person of ours."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from sqlmodel import Field, SQLModel, UniqueConstraint

from app.domain.accounts.sessions import FRESH
from app.domain.core.columns import moment, new_id, points_to
from app.domain.people.people import Person
from app.errors import NotSignedIn, Unavailable
from app.language import N_

AWAY = timedelta(minutes=15)
"""How long one may take at the other service: a second factor is looked for in a bag."""
CLOCKS_APART = timedelta(minutes=1)


class FederatedAccount(SQLModel, table=True):
    """Keyed on issuer and subject: an address changes hands, a subject does not."""

    __tablename__ = "federated_account"
    __table_args__ = (
        UniqueConstraint("issuer", "subject", name="one_person_for_issuer_and_subject"),
        UniqueConstraint("issuer", "person_id", name="one_subject_for_issuer_and_person"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    person_id: uuid.UUID = Field(sa_column=points_to("person"))
    issuer: str = Field(max_length=400)
    subject: str = Field(max_length=255)
    linked_at: datetime = Field(sa_column=moment())


class Purpose(StrEnum):
    """Why a browser was sent to the other service; what it brings back serves nothing else."""

    ENTER = "enter"
    LINK = "link"
    PROVE = "prove"


@dataclass(frozen=True)
class Question:
    """What goes to the other service with the browser. `again`: whoever is there must sign in anew, not be known still."""

    state: str
    nonce: str
    verifier: str
    again: bool = False


@dataclass(frozen=True)
class Identity:
    """What the other service says of whoever signed in there; `address` is empty unless it says it is verified.

    `proved_at` is when they last showed there who they are, None where it does not say.
    """

    issuer: str
    subject: str
    address: str = ""
    proved_at: datetime | None = None


class IdentityProvider(Protocol):
    """Another sign-in service, as the operator set it up."""

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def issuer(self) -> str: ...

    def vouches_for(self, address: str) -> bool:
        """Whether the operator lets it say whose address of ours that is."""

    def question_url(self, question: Question) -> str:
        """Where the browser goes; raises ProviderDown."""

    def identity(self, code: str, question: Question, *, at: datetime) -> Identity:
        """Who came back with that code; raises ProviderDown or ProviderRefused."""

    def leaving_url(self) -> str:
        """Where a browser signs out over there; empty where it does not say."""


class ProviderDown(Unavailable):
    """It does not answer, or not as it should: nobody's fault who is signing in."""


class ProviderRefused(NotSignedIn):
    """What came back proves nothing."""


class Unlinked(NotSignedIn):
    """A good account over there that stands for nobody here."""


def question_of(state: str, key: bytes, *, again: bool = False) -> Question:
    """Derived from the state, which its browser alone holds: nothing that proves anything lies in the database."""
    return Question(state, _derived("nonce", state, key), _derived("verifier", state, key), again)


def _derived(what: str, state: str, key: bytes) -> str:
    made = hmac.digest(key, f"openid {what}|{state}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def proved_at(identity: Identity, *, at: datetime) -> datetime:
    """Where the service does not say: too long ago for any act that asks for a proof of now."""
    return identity.proved_at or at - FRESH - timedelta(seconds=1)


def check_proved_anew(identity: Identity, *, asked_at: datetime) -> None:
    """Being known there still is no proof of now."""
    if identity.proved_at is None or identity.proved_at < asked_at - CLOCKS_APART:
        raise ProviderRefused(
            N_(
                "Ce service ne vous a pas demandé de vous identifier de nouveau, ou ne le dit pas. Confirmez d’une autre façon."
            )
        )


def person_for(identity: Identity, staff: Sequence[Person], *, is_vouched: bool) -> Person:
    """The one person of ours whom an account seen for the first time may stand for, by its verified address."""
    if not identity.address or not is_vouched:
        raise Unlinked(
            N_(
                "Ce compte n’est relié à personne ici. Entrez une première fois avec un lien, puis reliez-le dans « Mon compte »."
            )
        )
    if len(staff) != 1:
        raise Unlinked(
            N_(
                "Aucun campus ne connaît l’adresse de ce compte, ou plusieurs personnes la partagent. Demandez une invitation à l’administration de votre campus."
            )
        )
    return staff[0]
