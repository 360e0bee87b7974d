"""Consents, parental consent, erasures, and who accessed personal data."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from sqlmodel import BigInteger, Field, Index, SQLModel, UniqueConstraint

from app.domain.activities import Activity, Participation, is_of_pupils
from app.domain.core import (
    enum_column,
    foreign_key,
    json_column,
    new_id,
    new_row,
    plain_text,
    primary_foreign_key,
    utc_datetime,
)
from app.domain.people import AgeGroup, Person, is_address, is_own_address, mailbox_key, normal_address
from app.domain.publishing import short_code
from app.errors import Conflict, InvalidInput, NotFound
from app.language import N_


class About(StrEnum):
    ROOM = "room"
    PUBLICATION = "publication"
    NAME = "name"
    REMINDERS = "reminders"
    PARENT = "parent"
    COMPETENCIES = "competencies"


class By(StrEnum):
    SELF = "self"
    PARENT = "parent"


class Consent(SQLModel, table=True):
    """Append-only: a withdrawal is one more row. `wording` is the number of the sentence."""

    __tablename__ = "consent"
    __table_args__ = (Index("consents_of_person", "person_id", "at"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    person_id: uuid.UUID = Field(sa_column=foreign_key("person", index=False))
    campus_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("campus", nullable=True))
    award_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("award", nullable=True))
    about: About = Field(sa_column=enum_column(About, name="consent_about"))
    by: By = Field(default=By.SELF, sa_column=enum_column(By, name="consent_by"))
    given: bool
    wording: int
    at: datetime = Field(sa_column=utc_datetime())


WORDINGS: Final[Mapping[About, tuple[str, ...]]] = MappingProxyType(
    {
        About.ROOM: (
            N_(
                "J’accepte que le campus note mon nom et ma présence, pour attribuer les badges de cette activité."
            ),
        ),
        About.PUBLICATION: (
            N_(
                "Ouverte, la page se montre à toute personne qui a le lien. Ce qui en est téléchargé pendant ce temps"
                " ne peut plus être effacé."
            ),
        ),
        About.NAME: (N_("Écrire mon nom dans les badges que je recevrai"),),
        About.REMINDERS: (
            N_(
                "Quand un badge n’a pas été reçu, un campus peut le rappeler deux fois au plus, en un seul e-mail "
                "pour tous vos badges."
            ),
        ),
        About.COMPETENCIES: (
            N_(
                "Les logiciels du campus peuvent lire mes compétences : les énoncés, mes niveaux et les badges du "
                "campus qui les attestent."
            ),
        ),
        About.PARENT: (
            N_(
                "Je suis son parent, et j’accepte que la page de ce badge s’ouvre : toute personne qui a le lien la "
                "verra."
            ),
            N_(
                "Je suis son parent, et j’accepte que la page de ce badge s’ouvre : toute personne qui a le lien la "
                "verra. Mon enfant peut aussi le montrer dans son portfolio, et laisser les moteurs de recherche "
                "trouver ces pages."
            ),
            N_(
                "Je suis son parent, et j’accepte que la page de ce badge s’ouvre : toute personne qui a le lien la "
                "verra. Mon enfant peut aussi y ajouter les dates, les heures, son rôle et des recommandations, et "
                "montrer le badge dans son portfolio. Il peut laisser les moteurs de recherche trouver ces pages."
            ),
        ),
    }
)
"""All wordings ever used, the latest last: none is ever changed or removed."""


def wording_of(about: About) -> str:
    """The current wording: pages show exactly this text."""
    return WORDINGS[about][-1]


def consent(
    about: About,
    person_id: uuid.UUID,
    *,
    given: bool,
    at: datetime,
    campus_id: uuid.UUID | None = None,
    award_id: uuid.UUID | None = None,
    by: By = By.SELF,
) -> Consent:
    return new_row(
        Consent,
        person_id=person_id,
        campus_id=campus_id,
        award_id=award_id,
        about=about,
        by=by,
        given=given,
        wording=len(WORDINGS[about]),
        at=at,
    )


def sentence_of(row: Consent) -> str:
    return WORDINGS[row.about][row.wording - 1]


_SHORTEST_REASON, _LONGEST_REASON = 5, 300


class Erasure(SQLModel, table=True):
    """One person's erasure by one campus; `request_id` is shared by all campuses of one request.

    `everywhere`: requested of every campus, not of this one alone. `erased` counts rows by matter.
    """

    __tablename__ = "erasure"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    request_id: uuid.UUID = Field(index=True)
    everywhere: bool
    by_person: bool
    reason: str = Field(default="", max_length=_LONGEST_REASON)
    done_at: datetime = Field(sa_column=utc_datetime())
    erased: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    badges: int = 0
    log_id: uuid.UUID = Field(sa_column=foreign_key("campus_log"))
    number: int = Field(sa_type=BigInteger)
    """The log entry that records the erasure."""

    @property
    def reference(self) -> str:
        """Given to the person, and used by a data protection officer to file their request."""
        return reference_of(self.id)


class ErasedAward(SQLModel, table=True):
    """The number of an erased award: visitors of its link read why it is gone."""

    __tablename__ = "erased_award"
    award_id: uuid.UUID = Field(primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    erased_at: datetime = Field(sa_column=utc_datetime())


class ErasedPortfolio(SQLModel, table=True):
    """The number of a portfolio erased with its person: visitors of its link read why it is gone."""

    __tablename__ = "erased_portfolio"
    portfolio_id: uuid.UUID = Field(primary_key=True)
    erased_at: datetime = Field(sa_column=utc_datetime())


class StillWorksHere(Conflict): ...


ERASED = N_("Ce badge a été retiré à la demande de la personne.")
PORTFOLIO_ERASED = N_("Ce portfolio a été retiré à la demande de la personne.")


def reference_of(erasure_id: uuid.UUID) -> str:
    return f"EFF-{short_code(erasure_id)}"


def check_reason(reason: str, names: Collection[str]) -> str:
    """`names`: the person's names and addresses, which must not survive in a reason."""
    reason = " ".join(reason.split())
    if len(reason) < _SHORTEST_REASON:
        raise InvalidInput("Dites en une phrase pourquoi, et comment la personne a été reconnue.")
    if len(reason) > _LONGEST_REASON:
        raise InvalidInput("Le motif tient en {most} signes.", most=_LONGEST_REASON)
    if "@" in reason or any(_words(name) & _words(reason) for name in names):
        raise InvalidInput(
            "Ce motif reste après l’effacement : n’y écrivez ni nom ni adresse. La référence suffit à le retrouver."
        )
    return reason


def _words(text: str) -> set[str]:
    """Ignores parts of one or two letters: « d », « le » and « n » occur in many names."""
    return {word for word in re.findall(r"\w+", plain_text(text)) if len(word) > 2}


KEPT_FOR: Final = timedelta(days=365)


class AccessRecord(StrEnum):
    RECORD = "record"
    """The page with everything the campus stores about the person."""
    AWARD = "award"
    REQUEST = "request"
    CONTRIBUTION = "contribution"
    FILE = "file"


class AccessEvent(SQLModel, table=True):
    """At most one per day and kind: enough to ask why, too little to monitor staff."""

    __tablename__ = "private_look"
    __table_args__ = (
        UniqueConstraint("campus_id", "person_id", "viewer_id", "looked_at", "day", name="one_look_a_day"),
        Index("looks_by_day", "day"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus", index=False))
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    viewer_id: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("person", nullable=True, index=False)
    )
    looked_at: AccessRecord = Field(sa_column=enum_column(AccessRecord, name="private_look_kind"))
    day: date


# --- parental consent: under 15, a badge's page opens once a parent agrees, and closes when they withdraw

_MENTIONS_PORTFOLIOS: Final = 2
"""First wording that mentions portfolios and search engines."""
_MENTIONS_MORE: Final = 3
"""First wording read beside what the child may add to the page."""
_BETWEEN_LETTERS: Final = timedelta(days=7)
"""Between two e-mails to the same parent."""
_REFUSED_FOR: Final = timedelta(days=30)
"""How long a refusal closes requests at other addresses."""


class ParentAgreement(SQLModel, table=True):
    """The consent of one parent for one badge. `agreed` is their latest answer, None before the first, and once
    another parent's refusal ended their consent."""

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
    """Whether one award may be shown to others; `agreement`: the decisive one about it."""
    return not needs_guardian_for(person, activity) or bool(agreement and agreement.agreed)


def is_minor_for(person: Person, activity: Activity | None) -> bool:
    """For one award, for everything public about it."""
    return needs_guardian_for(person, activity) or person.age_group is AgeGroup.FROM_15


_AGE_OR_SCHOOL: Final = re.compile(r"\b(?:\d{1,2} ?(?:ans|years?)|ecoles?|schools?)\b")
_A_WORD: Final = re.compile(r"\w+")
_A_NAME: Final = re.compile(r"\w{2,}")
_PARTICLES: Final = frozenset(
    {"de", "du", "des", "la", "le", "les", "van", "von", "ben", "el", "al", "da", "di"}
)
NOTHING_OF_A_CHILD: Final = N_(
    "N’écrivez ici ni nom, ni âge, ni classe, ni école : cette page n’en montre pas."
)
TELLS_OF_A_CHILD: Final = N_(
    "Ces lignes disent un nom, un âge, une classe ou une école : avant 15 ans, elles ne se montrent pas."
)


def _words_of(*names: str) -> set[str]:
    return {each for name in names for each in _A_NAME.findall(plain_text(name)) if each not in _PARTICLES}


def text_names(text: str, *names: str) -> bool:
    """Whether a text has one of the names as names are written: « Petit », « PETIT », or « rose petit » as a whole."""
    words = _A_WORD.findall(unicodedata.normalize("NFC", text))
    plain = f" {' '.join(map(plain_text, words))} "
    whole = [" ".join(_A_WORD.findall(plain_text(name))) for name in names]
    if any(" " in name and f" {name} " in plain for name in whole):
        return True
    return not _words_of(*names).isdisjoint(plain_text(each) for each in words if not each[0].islower())


def tells_of(text: str, person: Person) -> bool:
    """Whether a text names the person, in letters of any case, or speaks of an age, a class or a school."""
    plain = plain_text(text)
    speaks = is_of_pupils(text) or _AGE_OR_SCHOOL.search(plain) is not None
    return speaks or not _words_of(person.name).isdisjoint(_A_WORD.findall(plain))


def check_tells_nothing_of(text: str, person: Person, activity: Activity | None) -> None:
    """Free text by others on a page of a child under 15, which shows neither name, age, class nor school."""
    if needs_guardian_for(person, activity) and tells_of(text, person):
        raise InvalidInput(NOTHING_OF_A_CHILD)


def check_shows_nothing_of(text: str, person: Person, activity: Activity | None) -> None:
    """The same for text that was written before."""
    if needs_guardian_for(person, activity) and tells_of(text, person):
        raise Conflict(TELLS_OF_A_CHILD)


def check_may_open(person: Person, agreement: ParentAgreement | None) -> None:
    if needs_parent(person) and not (agreement and agreement.agreed):
        raise ParentNeeded(
            N_(
                "Avant 15 ans, c’est un parent qui dit oui pour que tout le monde voie ton badge. Il reste à toi."
            )
        )


def is_older_agreement(
    said: Iterable[Consent], award_id: uuid.UUID, than: int = len(WORDINGS[About.PARENT])
) -> bool:
    """Whether a parent's agreement about an award was given to an older wording; `said` as below."""
    newest = next((each for each in said if (each.about, each.award_id) == (About.PARENT, award_id)), None)
    return newest is not None and newest.given and newest.wording < than


def check_may_show_more(person: Person, said: Iterable[Consent], award_id: uuid.UUID) -> None:
    """On the page of an award, than its parent read; `said` as below."""
    if needs_parent(person) and is_older_agreement(said, award_id, _MENTIONS_MORE):
        raise OlderAgreement(
            N_(
                "Ton parent a dit oui à ce que la page montre aujourd’hui. Pour en montrer plus, redemande-lui, d’un "
                "bouton, sur la page de ce badge."
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
    if any(each.given and each.wording >= _MENTIONS_PORTFOLIOS for each in heard):
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
        raise Conflict("Un e-mail a déjà été envoyé. Laisse à ton parent le temps de répondre.")


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
        raise InvalidInput("Cette adresse n’est pas complète : il y manque quelque chose.")
    if is_own_address(address, own):
        raise InvalidInput("C’est ta propre adresse. Écris celle d’un de tes parents.")
    return ParentAgreement(award_id=award_id, person_id=person.id, address=address, asked_at=at)


def answer(agreement: ParentAgreement, *, agreed: bool, renews: bool = False, at: datetime) -> bool:
    """Returns whether anything changed; `renews`: the earlier consent was to a narrower wording."""
    if agreement.agreed is agreed and not (agreed and renews):
        return False
    agreement.agreed, agreement.answered_at = agreed, at
    return True


def closed_until(refusal: ParentAgreement) -> datetime:
    assert refusal.answered_at is not None, "a refusal was answered"
    return refusal.answered_at + _REFUSED_FOR


def closed_by_refusal(
    award_id: uuid.UUID, said: Iterable[ParentAgreement], *, at: datetime
) -> datetime | None:
    """Until when no parent is asked about this badge; None where one may be."""
    refused = [each for each in refusals_in_force(said, at=at) if each.award_id == award_id]
    return max(map(closed_until, refused), default=None)


def check_no_refusal(agreement: ParentAgreement, said: Iterable[ParentAgreement], *, at: datetime) -> None:
    """Raises ParentRefused: after a refusal no other parent is asked about that badge, and about other badges of the
    child only those who refused."""
    refused = refusals_in_force(said, at=at)
    about_it = any(each.award_id == agreement.award_id for each in refused)
    mailboxes = {mailbox_key(each.address) for each in refused}
    if refused and (about_it or mailbox_key(agreement.address) not in mailboxes):
        raise ParentRefused(
            N_(
                "Ton parent a dit non il y a peu. Parlez-en ensemble : il peut changer d’avis avec le lien qu’il a reçu. "
                "Pendant trente jours, nous n’écrivons pas à une autre adresse."
            )
        )


def is_replaced(agreement: ParentAgreement, said: Iterable[ParentAgreement]) -> bool:
    """Whether another mailbox was asked about the same badge before this one answered."""
    is_newer = any(each.asked_at > agreement.asked_at for each in said)
    return agreement.answered_at is None and is_newer


def refused_by_another(
    agreement: ParentAgreement, said: Iterable[ParentAgreement], *, at: datetime
) -> datetime | None:
    """Until when a refusal from another mailbox outweighs a consent about the same badge; None where none does."""
    others = [each for each in said if not is_own_address(each.address, [agreement.address])]
    return closed_by_refusal(agreement.award_id, others, at=at)


def refusals_in_force(said: Iterable[ParentAgreement], *, at: datetime) -> list[ParentAgreement]:
    """Those that close requests at other addresses."""
    return [
        each
        for each in said
        if each.agreed is False and each.answered_at is not None and at < each.answered_at + _REFUSED_FOR
    ]


def parent_token(secret: bytes, agreement_id: uuid.UUID) -> str:
    """Of the link by which a parent answers, and can withdraw for years."""
    proof = hmac.new(secret, b"parent|" + agreement_id.bytes, hashlib.sha256).hexdigest()[:40]
    return f"{agreement_id}.{proof}"


def agreement_named_by(secret: bytes, token: str) -> uuid.UUID:
    """Raises NotFound for an invalid link."""
    name, _, proof = token.partition(".")
    try:
        agreement_id = uuid.UUID(name)
    except ValueError:
        agreement_id = uuid.UUID(int=0)
    expected = parent_token(secret, agreement_id).partition(".")[2]
    if not hmac.compare_digest(proof.encode("utf-8", "replace"), expected.encode()):
        raise NotFound("Ce lien ne mène à aucune demande. Vérifiez qu’il est entier.")
    return agreement_id


# --- People with the same name: the user's choice of whom a list line refers to

OTHER = "autre"
"""The answer that it is another person of that name."""
ALREADY_KNOWN = N_(
    "Ce nom ou cette adresse e-mail est déjà connu du campus : dites si c’est la même personne."
)
SEVERAL_OF_NAME = N_(
    "Plusieurs personnes de ce nom sont inscrites à cette activité. Dites laquelle, dans la lecture de la liste ou parmi les inscrits, ou ajoutez son adresse."
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
