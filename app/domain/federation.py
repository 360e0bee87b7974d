"""Accounts at another sign-in service (OpenID Connect), and when one may stand for a person of ours."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Field, SQLModel, UniqueConstraint

from app.domain.columns import moment, new_id, points_to
from app.domain.people import Person
from app.errors import NotSignedIn
from app.language import N_


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


@dataclass(frozen=True)
class Identity:
    """What the other service says of whoever signed in there; `address` is empty unless it says it is verified."""

    issuer: str
    subject: str
    address: str = ""


def person_for(identity: Identity, staff: Sequence[Person]) -> Person:
    """The one person of ours whom an account seen for the first time may stand for, by its verified address."""
    if not identity.address:
        raise NotSignedIn(
            N_(
                "Le service de connexion ne garantit pas votre adresse électronique : nous ne pouvons pas savoir qui vous êtes ici. Entrez une première fois avec un lien, puis reliez ce compte dans « Ma connexion »."
            )
        )
    if len(staff) != 1:
        raise NotSignedIn(
            N_(
                "Aucun campus ne connaît cette adresse, ou plusieurs personnes la partagent. Demandez une invitation à l’administration de votre campus."
            )
        )
    return staff[0]
