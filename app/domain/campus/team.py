"""The team of a campus: invitations, and the rule that it always has an administrator."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlmodel import Field, Index, SQLModel

from app.domain.accounts.permissions import Role
from app.domain.campus.campus import KeyState, Label, SealedKey
from app.domain.core import foreign_key, json_column, new_id, utc_datetime
from app.errors import Conflict, InvalidInput, NotFound
from app.language import N_

INVITATION_DAYS = (7, 14, 30)
MOST_WAITING = 200


class InvitationState(StrEnum):
    WAITING = "waiting"
    ACCEPTED = "accepted"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Invitation(SQLModel, table=True):
    """An invitation to join the team, sent to one e-mail address.

    `generation` counts the e-mails that replaced an earlier one: only the newest link is valid.
    """

    __tablename__ = "invitation"
    __table_args__ = (Index("invitations_of_campus", "campus_id", "created_at"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus", index=False))
    address: str = Field(max_length=254)
    roles: list[str] = Field(sa_column=json_column())
    days: int
    generation: int = 0
    invited_by: uuid.UUID | None = Field(default=None, sa_column=foreign_key("person", nullable=True))
    created_at: datetime = Field(sa_column=utc_datetime())
    expires_at: datetime = Field(sa_column=utc_datetime())
    accepted_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    accepted_by: uuid.UUID | None = Field(default=None, sa_column=foreign_key("person", nullable=True))
    withdrawn_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))

    @property
    def offered(self) -> list[Role]:
        return [role for role in Role if role.value in self.roles]

    def state(self, *, at: datetime) -> InvitationState:
        if self.accepted_at is not None:
            return InvitationState.ACCEPTED
        if self.withdrawn_at is not None:
            return InvitationState.WITHDRAWN
        return InvitationState.EXPIRED if at >= self.expires_at else InvitationState.WAITING


class DeadInvitation(NotFound):
    """A link that was valid once and has expired or been replaced."""


class LastAdministrator(Conflict): ...


def invitation_proof(secret: bytes, invitation: Invitation) -> str:
    """The unguessable part of the link in the e-mail: derived, never stored."""
    message = b"invitation|" + invitation.id.bytes + invitation.generation.to_bytes(4, "big")
    return hmac.new(secret, message, hashlib.sha256).hexdigest()[:40]


def check_roles(roles: Collection[Role]) -> None:
    if not roles:
        raise InvalidInput("Choisissez au moins un rôle.")


def check_days(days: int) -> None:
    if days not in INVITATION_DAYS:
        raise InvalidInput("Une invitation vaut 7, 14 ou 30 jours.")


def renew(invitation: Invitation, *, at: datetime) -> None:
    """A new e-mail with a new link; the previous link becomes invalid."""
    check_unanswered(invitation)
    invitation.generation += 1
    invitation.expires_at = at + timedelta(days=invitation.days)


def check_unanswered(invitation: Invitation) -> None:
    if invitation.accepted_at is not None:
        raise Conflict("Cette invitation a déjà été acceptée.")
    if invitation.withdrawn_at is not None:
        raise Conflict("Cette invitation a été retirée. Invitez la personne à nouveau.")


def check_opens(invitation: Invitation, *, generation: int, at: datetime) -> None:
    """Checks a link of that generation; each refusal gives advice."""
    match invitation.state(at=at):
        case InvitationState.ACCEPTED:
            raise DeadInvitation(
                N_("Cette invitation a déjà servi. Si c’était vous, connectez-vous avec votre adresse.")
            )
        case InvitationState.WITHDRAWN:
            raise DeadInvitation(N_("Le campus a retiré cette invitation. Pour en savoir plus, écrivez-lui."))
    if generation != invitation.generation:
        raise DeadInvitation(
            N_(
                "Cette invitation a été renvoyée depuis : prenez le lien de l’e-mail le plus récent, celui-ci n’ouvre plus rien."
            )
        )
    if at >= invitation.expires_at:
        raise DeadInvitation(
            N_(
                "Cette invitation a expiré. Demandez au campus de la renvoyer : il lui suffit d’un bouton sur sa page « L’équipe »."
            )
        )


def check_administrator_stays(administrators: Iterable[uuid.UUID], leaving: uuid.UUID) -> None:
    """At least one member who can assign roles must remain."""
    everybody = set(administrators)
    if leaving in everybody and len(everybody) == 1:
        raise LastAdministrator(
            N_(
                "C’est la dernière personne qui administre ce campus. Donnez d’abord ce rôle à quelqu’un d’autre."
            )
        )


WEEK = timedelta(days=7)
FORGOTTEN_AFTER = timedelta(days=14)
"""An award unclaimed for this long is reported."""
LOOKED_BACK = timedelta(days=90)
"""Older items are no longer pending."""
LABEL_NOTICE = timedelta(days=90)
OLD_KEY = timedelta(days=2 * 365)
MOST_COUNTED = 100
"""Larger counts are displayed as « plus de 100 »."""


def label_that_ends(labels: Sequence[Label], *, on: date) -> Label | None:
    """The label that needs attention: the one with the latest end, if that is past or near."""
    standing = [label for label in labels if label.withdrawn_at is None]
    dated = [label for label in standing if label.ends_on is not None]
    if not dated or len(dated) < len(standing):
        return None
    last = max(dated, key=lambda label: label.ends_on or on)
    return last if last.ends_on is not None and last.ends_on < on + LABEL_NOTICE else None


def has_working_key(keys: Sequence[SealedKey]) -> bool:
    return any(key.state is KeyState.ACTIVE for key in keys)


def key_to_renew(keys: Sequence[SealedKey], *, at: datetime) -> SealedKey | None:
    """The oldest active key, once it has signed for two years."""
    old = [
        key
        for key in keys
        if key.state is KeyState.ACTIVE and (key.activated_at or key.created_at) < at - OLD_KEY
    ]
    return min(old, key=lambda key: key.activated_at or key.created_at, default=None)
