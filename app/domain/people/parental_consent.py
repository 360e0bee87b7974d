"""A parent's agreement: under 15, a badge's page opens once a parent has said yes, and shuts when they take it back."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Field, SQLModel

from app.domain.activities.activities import Activity
from app.domain.core import foreign_key, new_id, utc_datetime
from app.domain.people.people import AgeGroup, Person, is_address, normal_address
from app.domain.privacy import About, Consent
from app.errors import Conflict, InvalidInput, NotFound
from app.language import N_

_TOLD_OF_PORTFOLIOS: Final = 2
"""The wording since which a parent reads that a badge may stand in a portfolio and be found by search."""
_BETWEEN_LETTERS: Final = timedelta(days=7)
"""Between two letters that ask a parent again."""


class ParentAgreement(SQLModel, table=True):
    """What one parent was asked about one badge. `agreed` is what they said last, None until they said anything."""

    __tablename__ = "parent_agreement"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    award_id: uuid.UUID = Field(sa_column=foreign_key("award"))
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    address: str = Field(max_length=254)
    asked_at: datetime = Field(sa_column=utc_datetime())
    answered_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    agreed: bool | None = None


class ParentNeeded(Conflict):
    """The page stays shut; nothing is wrong with the badge."""


class OlderAgreement(ParentNeeded):
    """A parent agreed to what an older wording said: they are asked again before more than that is shown."""


def needs_parent(person: Person) -> bool:
    """Under 15, or a participant of an activity for pupils whose age group was not given."""
    return person.needs_guardian


def needs_guardian_for(person: Person, activity: Activity | None) -> bool:
    """Of one award: a pupil whose age group is not known needs a guardian's yes for what an activity for pupils led to."""
    if person.age_group is AgeGroup.PUPIL and person.under_15_on is None:
        return activity is not None and activity.is_for_pupils
    return person.needs_guardian


def is_minor_for(person: Person, activity: Activity | None) -> bool:
    """Of one award, for all that is public of it."""
    return needs_guardian_for(person, activity) or person.age_group is AgeGroup.FROM_15


def check_may_open(person: Person, agreement: ParentAgreement | None) -> None:
    if needs_parent(person) and not (agreement and agreement.agreed):
        raise ParentNeeded(
            N_(
                "Avant 15 ans, c’est un parent qui dit oui pour que tout le monde voie ton badge. Il reste à toi."
            )
        )


def check_may_show_further(
    person: Person, said: Iterable[Consent], award_id: uuid.UUID | None = None
) -> None:
    """Beyond a badge's own page, in a portfolio and to search engines, where a parent read that this may be; of one
    award, or of any. `said` is all that was ever agreed to, the latest first."""
    if not needs_parent(person):
        return
    newest: dict[uuid.UUID | None, Consent] = {}
    for each in said:
        if each.about is About.PARENT:
            newest.setdefault(each.award_id, each)
    heard = [each for about, each in newest.items() if award_id in (None, about)]
    if any(each.given and each.wording >= _TOLD_OF_PORTFOLIOS for each in heard):
        return
    if any(each.given for each in heard):
        raise OlderAgreement(
            N_(
                "Ton parent a dit oui pour la page d’un badge, quand l’accord ne parlait pas encore du portfolio ni des "
                "moteurs de recherche. Redemande-lui, d’un bouton, sur la page de ce badge."
            )
        )
    raise ParentNeeded(
        N_(
            "Avant 15 ans, c’est un parent qui dit oui d’abord. Demande son accord sur la page d’un de tes badges : "
            "il vaut aussi pour le portfolio et pour les moteurs de recherche."
        )
    )


def check_may_ask_again(agreement: ParentAgreement, *, at: datetime) -> None:
    if not may_ask_again(agreement, at=at):
        raise Conflict(N_("Un e-mail a déjà été envoyé. Laisse à ton parent le temps de répondre."))


def may_ask_again(agreement: ParentAgreement, *, at: datetime) -> bool:
    return not is_asked_again(agreement) or at >= agreement.asked_at + _BETWEEN_LETTERS


def is_asked_again(agreement: ParentAgreement) -> bool:
    """Whether the same parent was written to once more and has not answered since."""
    return agreement.answered_at is not None and agreement.asked_at > agreement.answered_at


def ask(
    award_id: uuid.UUID, person: Person, typed: str, own: Collection[str], *, at: datetime
) -> ParentAgreement:
    address = normal_address(typed)
    if not is_address(address):
        raise InvalidInput(N_("Cette adresse n’est pas complète : il y manque quelque chose."))
    if address in {normal_address(each) for each in own}:
        raise InvalidInput(N_("C’est ta propre adresse. Écris celle d’un de tes parents."))
    return ParentAgreement(award_id=award_id, person_id=person.id, address=address, asked_at=at)


def answer(agreement: ParentAgreement, *, agreed: bool, renews: bool = False, at: datetime) -> bool:
    """Whether that changes anything; `renews`: a yes was given to an older wording, and another one says more."""
    if agreement.agreed is agreed and not (agreed and renews):
        return False
    agreement.agreed, agreement.answered_at = agreed, at
    return True


def parent_proof(secret: bytes, agreement_id: uuid.UUID) -> str:
    """The unguessable part of the link by which a parent answers, and takes the answer back for years."""
    return hmac.new(secret, b"parent|" + agreement_id.bytes, hashlib.sha256).hexdigest()[:40]


def agreement_named_by(secret: bytes, token: str) -> uuid.UUID:
    """Raises NotFound for a link that is not ours."""
    name, _, proof = token.partition(".")
    try:
        agreement_id = uuid.UUID(name)
    except ValueError:
        agreement_id = uuid.UUID(int=0)
    expected = parent_proof(secret, agreement_id)
    if not hmac.compare_digest(proof.encode("utf-8", "replace"), expected.encode()):
        raise NotFound(N_("Ce lien ne mène à aucune demande. Vérifiez qu’il est entier."))
    return agreement_id
