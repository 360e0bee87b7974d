"""Rows and rules: records, names, addresses, merging, disambiguation."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import unicodedata
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Final

from sqlalchemy import ColumnElement, event
from sqlmodel import Field, Index, SQLModel, UniqueConstraint, col

from app.domain.accounts.permissions import Role as Role
from app.domain.core import (
    check_signed_name,
    enum_column,
    foreign_key,
    gone_with,
    json_column,
    names_a_site,
    new_id,
    plain_text,
    utc_datetime,
)
from app.errors import AppError, Conflict, InvalidInput, NotAllowed, faults_of_fields
from app.language import N_
from sceau_credentials.issuing.lints.wording import is_unseen

# --- People: names as they write them, several addresses, and roles in campuses

LONGEST_KEY = 260
_UNSEEN = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"\x00-\x1f\x7f-\x9f\ud800-\uf8ff]+@[a-z0-9-]+(\.[a-z0-9-]+)+")


class AgeGroup(StrEnum):
    """A person's age group, never an age. `PUPIL`: in an activity for pupils, group not given."""

    UNDER_15 = "under_15"
    FROM_15 = "from_15"
    ADULT = "adult"
    PUPIL = "pupil"


class Person(SQLModel, table=True):
    """`allows_name`: whether the person agrees to be named in their next credentials.

    `language` is the person's choice for e-mails, None before it is made. `under_15_on` is the last day on
    which they were recorded as under 15, None if they never were or no longer are: never an age. `age_group`
    is None for people without activities for pupils. `accepts_links`: whether private links to their badges
    are valid; a person with an account may turn that off. `listed_as` is derived: the order of lists.
    """

    __tablename__ = "person"
    __table_args__ = (
        Index("people_by_name", "listed_as", "id"),
        Index("people_by_arrival", "created_at", "id"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    given_name: str = Field(default="", max_length=120)
    family_name: str = Field(max_length=120)
    allows_name: bool = Field(default=True)
    wants_reminders: bool = Field(default=True)
    language: str | None = Field(default=None, max_length=8)
    under_15_on: date | None = None
    age_group: AgeGroup | None = Field(
        default=None, sa_column=enum_column(AgeGroup, name="person_age_group", nullable=True)
    )
    accepts_links: bool = Field(default=True)
    is_sample: bool = False
    """Invented, as example data: no badge is ever signed for them."""
    created_at: datetime = Field(sa_column=utc_datetime())
    listed_as: str = Field(default="", max_length=520, sa_column_kwargs={"server_default": ""})

    @property
    def is_minor(self) -> bool:
        """For everything public: an age group requested and not given counts as minor."""
        return self.needs_guardian or self.age_group is AgeGroup.FROM_15

    @property
    def needs_guardian(self) -> bool:
        """Under 15, or possibly so: publication also requires a guardian's consent."""
        return self.under_15_on is not None or self.age_group in (AgeGroup.UNDER_15, AgeGroup.PUPIL)

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


def may_be_under_15() -> ColumnElement[bool]:
    """`Person.needs_guardian`, in a query."""
    groups = (AgeGroup.UNDER_15, AgeGroup.PUPIL)
    return col(Person.under_15_on).is_not(None) | col(Person.age_group).in_(groups)


def name_in_lists(family_name: str, given_name: str) -> str:
    """What lists are sorted by: « Le » comes before « Le Bœuf », and « Écrin » beside « Ecrin »."""
    return plain_text(f"{family_name}\t{given_name}".replace("\x00", ""))[:520]


@event.listens_for(Person, "before_insert")
@event.listens_for(Person, "before_update")
def _list_by_name(_mapper: object, _connection: object, person: Person) -> None:
    listed = name_in_lists(person.family_name, person.given_name)
    if person.listed_as != listed:
        person.listed_as = listed


class PersonAddress(SQLModel, table=True):
    """One address of one person.

    Two people may share an address (a family, a workshop's mailbox); two rows of the same name at the same
    address are one person, which the constraint enforces when two lists arrive at once.
    """

    __tablename__ = "person_address"
    __table_args__ = (
        UniqueConstraint("address", "name_key", name="one_person_for_name_and_address"),
        Index("addresses_by_beginning", "address", postgresql_ops={"address": "text_pattern_ops"}),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    address: str = Field(max_length=254)
    name_key: str = Field(max_length=LONGEST_KEY, index=True)
    verified_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    is_main: bool = Field(default=False)
    """The first address to write to."""


class Membership(SQLModel, table=True):
    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("person_id", "campus_id", "role", name="one_membership_per_role"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    role: Role = Field(sa_column=enum_column(Role, name="membership_role"))
    since: datetime = Field(sa_column=utc_datetime())
    until: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


class CampusPerson(SQLModel, table=True):
    """A person who belongs to a campus, written by triggers alone (`app/db/campus/people.py`).

    `listed_as` and `created_at` are the person's. `in_doubt`: a row that tied them is gone, another may be left.
    `activities`: where they were present. `awards`: valid badges of the campus, of which `claimed`.
    """

    __tablename__ = "campus_person"
    __table_args__ = (
        Index("people_of_campus_by_name", "campus_id", "listed_as", "person_id", "in_doubt"),
        Index("people_of_campus_by_arrival", "campus_id", "created_at", "person_id", "in_doubt"),
        Index("people_of_campus_by_activities", "campus_id", "activities", "person_id", "in_doubt"),
        Index("people_of_campus_by_awards", "campus_id", "awards", "person_id", "in_doubt", "claimed"),
        Index("people_of_campus_by_claimed", "campus_id", "claimed", "person_id", "in_doubt"),
    )
    campus_id: uuid.UUID = Field(sa_column=gone_with("campus"))
    person_id: uuid.UUID = Field(sa_column=gone_with("person", index=True))
    listed_as: str = Field(max_length=520)
    created_at: datetime = Field(sa_column=utc_datetime())
    in_doubt: bool = False
    activities: int = 0
    awards: int = 0
    claimed: int = 0


LONGEST_COMPARED = 1_000
"""Characters.

Normalisation is quadratic in the number of consecutive combining marks: a megabyte would take hours.
"""


_PARTICLES: Final = frozenset({"de", "du", "des", "d’"})


def family_initial(family_name: str) -> str:
    """« H. » of d’Hérouville and D’HÉROUVILLE, « L. » of de La Fontaine and Le Goff, « N. » of N’Diaye."""
    words = re.sub(r"(?<!\w)([dDlL])['’](?=\w)", r"\1’ ", family_name).split()
    is_mixed = any(word[0].isupper() for word in words) and not family_name.isupper()
    while len(words) > 1 and _is_particle(words[0], is_mixed=is_mixed):
        words = words[1:]
    return f"{words[0][0].upper()}." if words else ""


def _is_particle(word: str, *, is_mixed: bool) -> bool:
    """In mixed case a particle is lower-case: « de La Tour », but « Le Goff » and « De Luca » are whole names."""
    return word[0].islower() if is_mixed else word.casefold() in _PARTICLES


def name_key(given_name: str, family_name: str) -> str:
    """A key shared by all spellings of one name: no case, accents, hyphens, apostrophes or order.

    « LE BŒUF Anne-Gaëlle » and « Anne Gaelle Le Boeuf » share a key.
    """
    # Some characters become lower-case only after decomposition, and some decompose only when lower-case.
    written = f"{given_name[:LONGEST_COMPARED]} {family_name[:LONGEST_COMPARED]}"
    small = unicodedata.normalize("NFKD", written).casefold()
    decomposed = unicodedata.normalize("NFKD", small)
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    for letter, letters in (("œ", "oe"), ("æ", "ae"), ("ø", "o"), ("ł", "l"), ("đ", "d"), ("ı", "i")):
        plain = plain.replace(letter, letters)
    return " ".join(sorted(re.findall(r"\w+", plain)))


def normal_address(text: str) -> str:
    """An e-mail address for comparison: NFKC, trimmed, lower case, truncated if too long, and without invisible
    signs, which come along from web pages and spreadsheets."""
    plain = unicodedata.normalize("NFKC", _UNSEEN.sub("", text.strip()[:LONGEST_COMPARED]))
    return plain.strip().strip("<>").lower()


_GMAIL = frozenset({"gmail.com", "googlemail.com"})


def mailbox_key(address: str) -> str:
    """One key for all spellings of a mailbox: without the `+tag` that most servers ignore, nor the dots that Gmail
    ignores."""
    name, _, host = normal_address(address).partition("@")
    name = name.partition("+")[0]
    return f"{name.replace('.', '')}@gmail.com" if host in _GMAIL else f"{name}@{host}"


def is_own_address(address: str, own: Collection[str]) -> bool:
    return mailbox_key(address) in {mailbox_key(each) for each in own}


def is_address(text: str) -> bool:
    is_seen = text.isascii() or not _UNSEEN.search(text)
    return is_seen and len(text) <= 254 and ".." not in text and bool(_ADDRESS.fullmatch(text))


def masked_address(address: str) -> str:
    """`m•••@exemple.fr`: recognisable to those who know the address, of little use to others."""
    name, _, host = address.partition("@")
    return f"{name[:1] if len(name) > 1 else ''}•••@{host}"


def suggested_address(text: str) -> str | None:
    """The address probably meant, if a single slip explains the fault: a comma for a full stop, a space."""
    repaired = normal_address(text).replace(",", ".").replace(" ", "").replace(";", ".").rstrip(".")
    return repaired if repaired != normal_address(text) and is_address(repaired) else None


def check_name(given_name: str, family_name: str) -> None:
    whole = f"{given_name} {family_name}".strip()
    if not whole:
        raise InvalidInput("Il manque un nom.")
    if any(part.strip() and not any(map(str.isalpha, part)) for part in (given_name, family_name)):
        raise InvalidInput("Un prénom ou un nom contient au moins une lettre.")
    # Compared without accents and ligatures, one character may expand to eighteen.
    key = name_key(given_name, family_name)
    if not key:
        raise InvalidInput("Il manque un nom.")
    if len(given_name) > 120 or len(family_name) > 120 or len(key) > LONGEST_KEY:
        raise InvalidInput("Ce nom est trop long : 120 signes au plus pour chaque partie.")
    if any(map(is_unseen, whole)):
        raise InvalidInput("Ce nom contient un caractère invisible.")
    if re.search(r"@|://|\bwww\.", whole, re.IGNORECASE):
        raise InvalidInput("Une adresse n’est pas un nom : écrivez le prénom et le nom.")
    if any(unicodedata.category(sign) == "So" for sign in whole):
        raise InvalidInput("Un nom ne contient ni symbole ni émoji.")
    check_signed_name(whole)


NAME_FIELDS: Final = {"given_name": "prenom", "family_name": "nom"}
"""The fields of a form that asks for a name."""


def name_faults(given_name: str, family_name: str, *, is_own: bool = False) -> dict[str, AppError]:
    """What `read_name`, or also `check_own_name`, refuses: by « given_name » and « family_name »."""

    def check(given: str, family: str) -> None:
        check_name(given, family)
        if is_own:
            check_own_name(given, family)

    halves = {"given_name": given_name} if given_name.strip() else {}
    halves["family_name"] = family_name
    found = faults_of_fields({half: partial(check, "", text) for half, text in halves.items()})
    return found or faults_of_fields({"family_name": partial(check, given_name, family_name)})


def new_person(given_name: str, family_name: str, address: str, *, at: datetime) -> tuple[Person, str]:
    """A person not recorded yet, and their complete address."""
    check_name(given_name, family_name)
    address = normal_address(address)
    if not is_address(address):
        raise InvalidInput("Cette adresse n’est pas complète. Exemple : prenom.nom@lycee.fr")
    return Person(given_name=given_name, family_name=family_name, created_at=at), address


def check_own_name(given_name: str, family_name: str) -> None:
    """A name that a person types about themselves, unread by others yet."""
    whole = f"{given_name} {family_name}"
    if re.search(r"[\d@:/\\<>#*=|•]", whole) or names_a_site(whole):
        raise InvalidInput("Écrivez un prénom et un nom, sans chiffre ni signe.")


def note_age_band(person: Person, under_15: bool | None, *, on: date) -> bool:
    """Records the age band given that day; None changes nothing. Returns whether anything changed."""
    group = group_of_band(person, under_15)
    return group is not None and note_age_group(person, group, on=on)


def group_of_band(person: Person, under_15: bool | None) -> AgeGroup | None:
    """None where the band changes nothing.

    « 15 or more » distinguishes a pupil from a child, not an adult from a minor: a pupil is a minor of 15 or
    more.
    """
    if under_15:
        return AgeGroup.UNDER_15
    return AgeGroup.FROM_15 if under_15 is False and person.needs_guardian else None


def lowers_protection(person: Person, group: AgeGroup) -> bool:
    needs_guardian = group in (AgeGroup.UNDER_15, AgeGroup.PUPIL)
    is_minor = needs_guardian or group is AgeGroup.FROM_15
    return (person.needs_guardian and not needs_guardian) or (person.is_minor and not is_minor)


def more_protected(person: Person, other: Person) -> bool:
    """Whether `other` is protected further than `person`, of two records of one person."""
    return _protection_of(other) > _protection_of(person)


def _protection_of(person: Person) -> int:
    if person.under_15_on is not None or person.age_group is AgeGroup.UNDER_15:
        return 3
    return {AgeGroup.PUPIL: 2, AgeGroup.FROM_15: 1}.get(person.age_group, 0) if person.age_group else 0


def note_age_group(person: Person, group: AgeGroup, *, on: date) -> bool:
    """Returns whether the group changed; the day of the last « under 15 » is renewed in any case."""
    changed = person.age_group is not group
    person.age_group = group
    person.under_15_on = on if group is AgeGroup.UNDER_15 else None
    return changed


def suppose_pupil(person: Person) -> bool:
    """Treats a participant of an activity for pupils without a known age group as a minor.

    Returns whether that is new.
    """
    if person.age_group is not None:
        return False
    person.age_group = AgeGroup.PUPIL if person.under_15_on is None else AgeGroup.UNDER_15
    return person.age_group is AgeGroup.PUPIL


def roles_at(memberships: Iterable[Membership], campus_id: uuid.UUID, *, at: datetime) -> frozenset[Role]:
    return frozenset(
        membership.role
        for membership in memberships
        if membership.campus_id == campus_id
        and membership.since <= at
        and (membership.until is None or at < membership.until)
    )


LIFE: Final = timedelta(minutes=10)
_NONCE: Final = 12
_SEAL: Final = 16
_LONGEST: Final = 200


def new_ticket(secret: bytes, award_id: uuid.UUID, *, at: datetime) -> str:
    """Valid for ten minutes and that award."""
    until = int((at + LIFE).timestamp()).to_bytes(8, "big")
    signed = award_id.bytes + until + secrets.token_bytes(_NONCE)
    return base64.urlsafe_b64encode(signed + _seal(secret, signed)).decode("ascii").rstrip("=")


def is_living_ticket(secret: bytes, ticket: str, award_id: uuid.UUID, *, at: datetime) -> bool:
    signed = _signed_part(secret, ticket)
    if signed is None or signed[:16] != award_id.bytes:
        return False
    return at < datetime.fromtimestamp(int.from_bytes(signed[16:24], "big"), UTC)


def digits_of(secret: bytes, ticket: str) -> str:
    """The code in the e-mail, as « 042 917 »; computable only with the secret."""
    number = int.from_bytes(
        hmac.digest(secret, b"identity-code|" + ticket.encode(), hashlib.sha256)[:8], "big"
    )
    digits = f"{number % 1_000_000:06d}"
    return f"{digits[:3]} {digits[3:]}"


def are_digits(secret: bytes, ticket: str, typed: str) -> bool:
    """Ignores spacing. Rate limits of the page stop guessing."""
    plain = "".join(sign for sign in typed[:40] if sign.isdecimal())
    return hmac.compare_digest(plain.encode(), digits_of(secret, ticket).replace(" ", "").encode())


def _signed_part(secret: bytes, ticket: str) -> bytes | None:
    if len(ticket) > _LONGEST:
        return None
    try:
        raw = base64.urlsafe_b64decode(ticket + "=" * (-len(ticket) % 4))
    except (ValueError, binascii.Error):
        return None
    signed, seal = raw[:-_SEAL], raw[-_SEAL:]
    if len(signed) != 24 + _NONCE or not hmac.compare_digest(seal, _seal(secret, signed)):
        return None
    return signed


def _seal(secret: bytes, signed: bytes) -> bytes:
    return hmac.digest(secret, b"identity-ticket|" + signed, hashlib.sha256)[:_SEAL]


class NameWish(SQLModel, table=True):
    """A name change that a person requests of one campus for its badges; decided once."""

    __tablename__ = "name_wish"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    given_name: str = Field(default="", max_length=120)
    family_name: str = Field(max_length=120)
    reason: str = Field(default="", max_length=300)
    answer: str = Field(default="", max_length=300)
    """The campus's reason for a refusal."""
    asked_at: datetime = Field(sa_column=utc_datetime())
    decided_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    accepted: bool = False
    decided_by: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("person", nullable=True, index=False)
    )

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


def read_name(given_name: str, family_name: str) -> tuple[str, str]:
    """The name unchanged except for normalised spaces; raises InvalidInput if invalid."""
    given, family = (" ".join(part.split()) for part in (given_name, family_name))
    check_name(given, family)
    if not family:
        raise InvalidInput("Il manque un nom.")
    return given, family


def are_spellings(name: str, other: str) -> bool:
    """The same rule for two whole names; false if one of them is empty."""
    return bool(name) and bool(other) and name_key(name, "") == name_key(other, "")


def is_same_but_for_spelling(person: Person, given_name: str, family_name: str) -> bool:
    """True if the names differ only in accents, case, hyphens or order, so that they mean the same person."""
    return name_key(person.given_name, person.family_name) == name_key(given_name, family_name)


def check_wish_reason(reason: str) -> None:
    if len(reason.strip()) < 5:
        raise InvalidInput(
            "Dites en une phrase pourquoi : nom d’usage, mariage, erreur d’inscription… Le campus le lira."
        )
    if len(reason) > 300:
        raise InvalidInput("Le motif tient en 300 signes.")


def accept(wish: NameWish, *, by: uuid.UUID | None, at: datetime) -> None:
    _check_waits(wish)
    wish.decided_at, wish.accepted, wish.decided_by = at, True, by


def refuse(wish: NameWish, reason: str, *, by: uuid.UUID | None, at: datetime) -> None:
    _check_waits(wish)
    if len(reason.strip()) < 5:
        raise InvalidInput("Dites pourquoi, en une phrase : la personne la lira, et elle seule.")
    if len(reason) > 300:
        raise InvalidInput("La raison tient en {most} signes.", most=300)
    wish.decided_at, wish.decided_by, wish.answer = at, by, reason.strip()


def _check_waits(wish: NameWish) -> None:
    if wish.decided_at is not None:
        raise Conflict("Cette demande a déjà sa réponse.")


# --- Merging two records of one person: which one survives, what moves, and how to undo it

UNDONE_WITHIN = timedelta(days=30)
NAMELESS = "—"
"""The name of a record that was merged into another."""


class PersonMerge(SQLModel, table=True):
    """`campus_id`: the campus that merged them; None if the person did, having proved both addresses.

    The merged record's name is stored here alone, so that it is erased with the surviving record's data.
    `moved` lists, by table, the moved rows and what changed in them: identifiers and numbers, never a name or
    an address.
    """

    __tablename__ = "person_merge"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    kept_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    gone_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    campus_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("campus", nullable=True))
    merged_by: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("person", nullable=True, index=False)
    )
    given_name: str = Field(default="", max_length=120)
    family_name: str = Field(default="", max_length=120)
    reason: str = Field(default="", max_length=300)
    moved: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    at: datetime = Field(sa_column=utc_datetime())
    undone_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


@dataclass(frozen=True)
class Standing:
    """The facts about a record that decide whether and how it may be merged."""

    person_id: uuid.UUID
    has_account: bool
    works: bool
    """Has, or ever had, a role in a campus, or operates the service."""
    campuses: frozenset[uuid.UUID]
    """Where it has an award, an activity, a request, or a number of the campus's own system."""
    meets: frozenset[uuid.UUID] = frozenset()
    """The same without those that only gave it a number, which any campus may do by name and address."""

    def others_than(self, campus_id: uuid.UUID) -> frozenset[uuid.UUID]:
        """The other campuses that know the person; for a campus that met them, those that did too."""
        return (self.meets if campus_id in self.meets else self.campuses) - {campus_id}


GONE_MEANWHILE: Final = N_("Une de ces fiches vient d’être effacée ou fusionnée. Rechargez la page.")


def is_gone(person: Person) -> bool:
    """Whether the record was merged into another: lists that still name it do not restore it."""
    return not person.given_name and person.family_name == NAMELESS


def check_merge_reason(reason: str) -> None:
    if len(reason.strip()) < 5:
        raise InvalidInput("Dites en une phrase pourquoi c’est la même personne : l’historique le garde.")
    if len(reason) > 300:
        raise InvalidInput("Le motif tient en 300 signes.")


def kept_and_gone(mine: Standing, other: Standing) -> tuple[Standing, Standing]:
    """Of two records with addresses proved by one person, the one with roles and keys survives."""
    if mine.person_id == other.person_id:
        raise Conflict("C’est la même fiche.")
    if mine.works and other.works:
        raise NotAllowed(
            "Les deux fiches ont un rôle dans un campus : leurs droits ne se mélangent pas. Écrivez à "
            "l’administration de votre campus."
        )
    return (other, mine) if other.works else (mine, other)


def check_campus_may_merge(campus_id: uuid.UUID, kept: Standing, gone: Standing) -> None:
    """Only records this campus alone knows, without an account; other people merge their own."""
    if kept.person_id == gone.person_id:
        raise Conflict("C’est la même fiche.")
    if gone.has_account or gone.works:
        raise NotAllowed(
            "Cette fiche a un compte : seule cette personne peut la fusionner, depuis « Mon compte ». Vous pouvez"
            " garder celle-ci et y fusionner l’autre."
        )
    if gone.campuses - {campus_id}:
        raise NotAllowed(
            "Cette fiche a aussi des badges ou des activités d’un autre campus. Seule la personne peut la "
            "fusionner, depuis « Mon compte ». Vous pouvez garder celle-ci et y fusionner l’autre."
        )


def check_may_undo(merge: PersonMerge, *, at: datetime) -> None:
    if merge.undone_at is not None:
        raise Conflict("Ces fiches sont déjà de nouveau séparées.")
    if at > merge.at + UNDONE_WITHIN:
        raise Conflict("Le délai est passé : cette fusion ne peut plus être annulée.")
