"""Parental consent: under 15, a badge's page opens once a parent agrees, and closes when they withdraw."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from sqlmodel import Field, SQLModel

from app.domain.activities import Activity, Participation
from app.domain.core import foreign_key, new_id, primary_foreign_key, utc_datetime
from app.domain.people import AgeGroup, Person, is_address, is_own_address, mailbox_key, normal_address
from app.domain.people.consents import About, Consent
from app.errors import Conflict, InvalidInput, NotFound
from app.language import N_

_TOLD_OF_PORTFOLIOS: Final = 2
"""First wording that mentions portfolios and search engines."""
_BETWEEN_LETTERS: Final = timedelta(days=7)
"""Between two e-mails to the same parent."""
_REFUSED_FOR: Final = timedelta(days=30)
"""How long a refusal closes requests at other addresses."""


class ParentAgreement(SQLModel, table=True):
    """The consent of one parent for one badge. `agreed` is their latest answer, None before the first."""

    __tablename__ = "parent_agreement"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    award_id: uuid.UUID = Field(sa_column=foreign_key("award"))
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    address: str = Field(max_length=254)
    asked_at: datetime = Field(sa_column=utc_datetime())
    answered_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    agreed: bool | None = None


class ParentNeeded(Conflict):
    """The page stays closed; the badge itself is valid."""


class ParentRefused(Conflict):
    """No other address is asked for a while; the parent who refused may change their mind by their own link."""


class OlderAgreement(ParentNeeded):
    """The parent agreed to an older wording: ask again before disclosing more than it covered."""


def needs_parent(person: Person) -> bool:
    """Under 15, or a participant of an activity for pupils with unknown age group."""
    return person.needs_guardian


def is_pupil_of_unknown_age(person: Person) -> bool:
    return person.age_group is AgeGroup.PUPIL and person.under_15_on is None


def needs_guardian_for(person: Person, activity: Activity | None) -> bool:
    """For one award: a pupil of unknown age needs consent if it comes from an activity for pupils."""
    if is_pupil_of_unknown_age(person):
        return activity is not None and activity.is_for_pupils
    return person.needs_guardian


def may_be_public(person: Person, activity: Activity | None, agreement: ParentAgreement | None) -> bool:
    """Whether one award may be shown to others; `agreement`: the newest about it."""
    return not needs_guardian_for(person, activity) or bool(agreement and agreement.agreed)


def is_minor_for(person: Person, activity: Activity | None) -> bool:
    """For one award, for everything public about it."""
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
    """For portfolios and search engines, after a parent has read of them; for one award, or for any.

    `said` is every consent ever given, the latest first.
    """
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
    """Whether the same parent was written to again and has not answered since."""
    return agreement.answered_at is not None and agreement.asked_at > agreement.answered_at


def ask(
    award_id: uuid.UUID, person: Person, typed: str, own: Collection[str], *, at: datetime
) -> ParentAgreement:
    address = normal_address(typed)
    if not is_address(address):
        raise InvalidInput(N_("Cette adresse n’est pas complète : il y manque quelque chose."))
    if is_own_address(address, own):
        raise InvalidInput(N_("C’est ta propre adresse. Écris celle d’un de tes parents."))
    return ParentAgreement(award_id=award_id, person_id=person.id, address=address, asked_at=at)


def answer(agreement: ParentAgreement, *, agreed: bool, renews: bool = False, at: datetime) -> bool:
    """Returns whether anything changed; `renews`: the earlier consent was to a narrower wording."""
    if agreement.agreed is agreed and not (agreed and renews):
        return False
    agreement.agreed, agreement.answered_at = agreed, at
    return True


def closed_by_refusal(
    award_id: uuid.UUID, said: Iterable[ParentAgreement], *, at: datetime
) -> datetime | None:
    """Until when no parent is asked about this badge; None where one may be."""
    refused = [each.answered_at for each in _refused(said, at=at) if each.award_id == award_id]
    return max(filter(None, refused)) + _REFUSED_FOR if refused else None


def check_no_refusal(agreement: ParentAgreement, said: Iterable[ParentAgreement], *, at: datetime) -> None:
    """Raises ParentRefused: after a refusal no other parent is asked about that badge, and about other badges of the
    child only those who refused."""
    refused = _refused(said, at=at)
    about_it = any(each.award_id == agreement.award_id for each in refused)
    mailboxes = {mailbox_key(each.address) for each in refused}
    if refused and (about_it or mailbox_key(agreement.address) not in mailboxes):
        raise ParentRefused(
            N_(
                "Ton parent a dit non il y a peu. Parlez-en ensemble : il peut changer d’avis avec le lien qu’il a reçu. "
                "Pendant trente jours, nous n’écrivons pas à une autre adresse."
            )
        )


def _refused(said: Iterable[ParentAgreement], *, at: datetime) -> list[ParentAgreement]:
    return [
        each
        for each in said
        if each.agreed is False and each.answered_at is not None and at < each.answered_at + _REFUSED_FOR
    ]


def parent_proof(secret: bytes, agreement_id: uuid.UUID) -> str:
    """The unguessable part of the link by which a parent answers, and can withdraw for years."""
    return hmac.new(secret, b"parent|" + agreement_id.bytes, hashlib.sha256).hexdigest()[:40]


def agreement_named_by(secret: bytes, token: str) -> uuid.UUID:
    """Raises NotFound for an invalid link."""
    name, _, proof = token.partition(".")
    try:
        agreement_id = uuid.UUID(name)
    except ValueError:
        agreement_id = uuid.UUID(int=0)
    expected = parent_proof(secret, agreement_id)
    if not hmac.compare_digest(proof.encode("utf-8", "replace"), expected.encode()):
        raise NotFound(N_("Ce lien ne mène à aucune demande. Vérifiez qu’il est entier."))
    return agreement_id


# --- People with the same name: the user's choice of whom a list line refers to

OTHER = "autre"
"""The answer that it is another person of that name."""
ALREADY_KNOWN = N_(
    "Ce nom ou cette adresse e-mail est déjà connu du campus : dites si c’est la même personne."
)
SEVERAL_OF_NAME = N_(
    "Plusieurs personnes de ce nom sont inscrites à cette activité : dites laquelle, dans la lecture de la liste ou parmi les inscrits, ou ajoutez son adresse."
)


class ListAnswer(SQLModel, table=True):
    """The person chosen for one line of a list with an ambiguous name."""

    __tablename__ = "list_answer"
    activity_id: uuid.UUID = Field(sa_column=primary_foreign_key("activity"))
    list_digest: str = Field(primary_key=True, max_length=64)
    line: int = Field(primary_key=True)
    participation_id: uuid.UUID = Field(sa_column=foreign_key("participation"))
    answered_at: datetime = Field(sa_column=utc_datetime())


@dataclass(frozen=True)
class ListAnswers:
    """The choices for the lines of one list, by line number: a person's id, or OTHER."""

    list_digest: str = ""
    by_line: Mapping[int, str] = field(default_factory=dict)


NO_ANSWERS = ListAnswers()


@dataclass(frozen=True)
class VisibleName:
    """An activity in which the person took part."""

    title: str
    on: date
    number: int = 1
    """Among the people of that name in the activity."""


@dataclass(frozen=True)
class Namesake:
    """A person with that name; `participation` is theirs in the current activity, if any."""

    person: Person
    participation: Participation | None = None
    address: str = ""
    seen: VisibleName | None = None
    """The latest activity elsewhere in the campus."""


@dataclass(frozen=True)
class Question:
    """Which of them is meant? Unanswered: writes nothing if `must_be_answered`, else a new person."""

    namesakes: tuple[Namesake, ...]
    must_be_answered: bool
    answer: str = ""

    @property
    def is_open(self) -> bool:
        return self.must_be_answered and not self.answer

    def meant(self, answer: str) -> Namesake | None:
        return next((each for each in self.namesakes if str(each.person.id) == answer), None)


def digest_of_list(text: str) -> str:
    """The same whether a list is uploaded, pasted or returned by a form."""
    lines = [line.rstrip() for line in text.lstrip("\ufeff").splitlines()]
    return hashlib.sha256("\n".join(line for line in lines if line).encode()).hexdigest()
