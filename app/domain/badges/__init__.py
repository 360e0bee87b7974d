"""Badges: what a campus recognises. A version is frozen as soon as it is awarded."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from enum import StrEnum
from functools import cache
from hashlib import sha256
from itertools import count
from typing import Any

from sqlalchemy import Text
from sqlmodel import CheckConstraint, Field, SQLModel, UniqueConstraint

from app.domain.accounts.permissions import Role
from app.domain.badges.rules import rule_of, rule_words
from app.domain.campus.campus import MOST_LIVELY
from app.domain.campus.signed_terms import BadgeKind as BadgeKind
from app.domain.core import (
    check_signed_name,
    enum_column,
    foreign_key,
    json_column,
    new_id,
    primary_foreign_key,
    utc_datetime,
)
from app.domain.people import name_key
from app.errors import Conflict, InvalidInput, NotAllowed
from app.language import N_, gettext, in_every_language, speaking

MOST_DAYS = 36_500


class PictureLook(StrEnum):
    """The drawing of a badge: the shape of its kind with letters or a logo, or a picture of the campus."""

    SHAPE = "forme"
    LOGO = "logo"
    OWN = "image"


class Repeat(StrEnum):
    ONCE = "once"
    ONCE_PER_ACTIVITY = "once_per_activity"
    ALWAYS = "always"


class Badge(SQLModel, table=True):
    __tablename__ = "badge"
    __table_args__ = (UniqueConstraint("campus_id", "slug", name="one_badge_per_slug"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    slug: str = Field(max_length=60)
    repeat: Repeat = Field(default=Repeat.ONCE, sa_column=enum_column(Repeat, name="badge_repeat"))
    accepts_requests: bool = False
    for_every_trainer: bool = True
    """Otherwise only trainers named in `BadgeOpening` may award it."""
    is_sample: bool = False
    """Example data: always a draft."""
    created_at: datetime = Field(sa_column=utc_datetime())
    archived_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


class BadgeVersion(SQLModel, table=True):
    """One wording of a badge. `definition` is the published Achievement, stored as bytes once frozen.

    A draft cannot be awarded until it is opened. An empty `hue`, `liveliness` or `emblem` defaults to the
    campus's; an empty `alternative` defaults to a description of the picture's content. `drawn_*` is what its
    picture has of the campus: pictures of awards have the same, whatever the campus changed since.
    """

    __tablename__ = "badge_version"
    __table_args__ = (
        UniqueConstraint("badge_id", "number", name="one_version_per_number"),
        CheckConstraint("validity_days IS NULL OR validity_days > 0", name="validity_is_positive"),
        CheckConstraint("required_hours IS NULL OR required_hours > 0", name="required_hours_are_positive"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    badge_id: uuid.UUID = Field(sa_column=foreign_key("badge"))
    number: int = Field(ge=1)
    kind: BadgeKind = Field(sa_column=enum_column(BadgeKind, name="badge_kind"))
    name: str = Field(max_length=120)
    description: str = Field(max_length=500)
    criteria: str = Field(max_length=8000)
    language: str = Field(default="fr", max_length=12)
    tags: list[str] = Field(default_factory=list, sa_column=json_column())
    validity_days: int | None = None
    required_hours: float | None = None
    rule: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """What the log must contain about a recipient (`rules.Rule`); empty if the awarder alone decides."""
    alignments: list[dict[str, str]] = Field(default_factory=list, sa_column=json_column())
    alternative: str = Field(default="", max_length=300)
    hue: float | None = None
    liveliness: float | None = None
    emblem: str = Field(default="", max_length=8)
    look: str = Field(default=PictureLook.SHAPE.value, max_length=12)
    art: bytes | None = None
    """The logo or the picture, encoded again from its pixels; PNG or JPEG."""
    is_draft: bool = False
    drawn_short_name: str = Field(default="", max_length=20, sa_column_kwargs={"server_default": ""})
    drawn_hue: float | None = None
    drawn_liveliness: float | None = None
    picture_svg: str = Field(default="", sa_type=Text)
    picture_png: bytes = b""
    definition: bytes = b""
    created_at: datetime = Field(sa_column=utc_datetime())
    frozen_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


class BadgeCompetency(SQLModel, table=True):
    """A competency that a badge version attests; `level` counts from 1."""

    __tablename__ = "badge_competency"
    version_id: uuid.UUID = Field(sa_column=primary_foreign_key("badge_version"))
    competency_id: uuid.UUID = Field(sa_column=primary_foreign_key("competency"))
    level: int | None = None
    position: int = 0


def check_not_sample(badge: Badge) -> None:
    if badge.is_sample:
        raise Conflict("Ce badge est un exemple : il reste un brouillon. Créez le vôtre pour l’attribuer.")


class FrozenVersion(Conflict): ...


class ArchivedBadge(Conflict): ...


class UnopenedBadge(Conflict): ...


def check_version(version: BadgeVersion, competencies: Sequence[BadgeCompetency]) -> None:
    """What every version needs before it can be awarded."""
    check_draft(version)
    if not version.description.strip():
        raise InvalidInput("Un badge a un nom et une description.")
    if len(version.criteria.strip()) < 20:
        raise InvalidInput(
            "Les critères disent ce que la personne a fait et qui en a jugé : au moins une phrase."
        )
    if version.kind is BadgeKind.COMPETENCY and not competencies:
        raise InvalidInput("Un badge de compétence nomme au moins une compétence.")


def check_draft(version: BadgeVersion) -> None:
    """What even an unfinished version must satisfy, so that it can be stored and drawn."""
    if not version.name.strip():
        raise InvalidInput("Un badge a un nom et une description.")
    check_signed_name(version.name)
    if len(version.name) > 120 or len(version.description) > 500 or len(version.criteria) > 8000:
        raise InvalidInput("Le nom tient en 120 signes, la description en 500, les critères en 8 000.")
    if len(version.alternative) > 300 or len(version.emblem) > 8:
        raise InvalidInput("Le texte de l’image tient en 300 signes, le sigle en 8.")
    if version.validity_days is not None and not 0 < version.validity_days <= MOST_DAYS:
        raise InvalidInput("La durée de validité se compte en jours, à partir de 1.")
    if version.required_hours is not None and not 0 < version.required_hours <= 10_000:
        raise InvalidInput("Le nombre d’heures est compris entre 0 et 10 000.")
    if version.required_hours is not None and version.rule:
        raise InvalidInput("Avec une règle, la durée demandée se dit dans la règle.")
    check_colours(version.hue, version.liveliness)


def check_colours(hue: float | None, liveliness: float | None) -> None:
    """A hue is an angle; liveliness stays in the range where every contrast is sufficient."""
    if hue is not None and not 0 <= hue < 360:
        raise InvalidInput("La teinte est un angle, de 0 à 359.")
    if liveliness is not None and not 0 <= liveliness <= MOST_LIVELY:
        raise InvalidInput("La vivacité va de 0 à 0,14.")


def check_may_change(version: BadgeVersion) -> None:
    if version.frozen_at is not None:
        raise FrozenVersion(
            N_("La version {number} a déjà été attribuée : elle ne change plus. Créez la version suivante."),
            number=version.number,
        )


def check_open(badge: Badge) -> None:
    if badge.archived_at is not None:
        raise ArchivedBadge(N_("Ce badge est archivé : il ne s’attribue plus."))


def check_given(version: BadgeVersion) -> None:
    """A draft cannot be awarded: its wording has not been confirmed."""
    if version.is_draft:
        raise UnopenedBadge(N_("Ce badge est un brouillon : publiez-le avant de l’attribuer."))


def version_year(version: BadgeVersion) -> int:
    """The year on the badge's picture."""
    return version.created_at.year


def next_number(versions: Sequence[BadgeVersion]) -> int:
    return max((version.number for version in versions), default=0) + 1


def free_slug(name: str, taken: Callable[[str], bool]) -> str:
    """A slug from a badge's name, with a number if another badge already has it."""
    plain = unicodedata.normalize("NFKD", name.casefold().replace("œ", "oe").replace("æ", "ae"))
    words = re.findall(r"[a-z0-9]+", "".join(sign for sign in plain if not unicodedata.combining(sign)))
    slug = "-".join(words)[:50].strip("-") or "badge"
    numbered = (slug if number == 1 else f"{slug}-{number}" for number in count(1))
    return next(each for each in numbered if not taken(each))


LEAST_CRITERIA = {BadgeKind.COMPETENCY: 3}
"""The number of criteria that a kind requires; the others require one sentence."""
_BULLET = re.compile(r"^[^\S\n]*([-*+•]|\d+[.)])[^\S\n]+\S", re.MULTILINE)
_ASSESSMENT_HEAD = N_("Comment c’est jugé")
_NEAR = 0.6


class Step(StrEnum):
    """The steps of the editor, in their order; each saves its own part of a version."""

    CONTENT = "contenu"
    COMPETENCIES = "competences"
    AWARDING = "attribution"
    PICTURE = "image"
    PUBLISHING = "publier"


@dataclass(frozen=True)
class Lack:
    """One missing item, and the form field it belongs to."""

    field: str
    sentence: str

    @property
    def step(self) -> Step:
        return Step.COMPETENCIES if self.field == "competences" else Step.CONTENT


@dataclass(frozen=True)
class BadgeText:
    """The parts of a badge's wording that its readiness depends on."""

    kind: BadgeKind
    name: str
    description: str
    criteria: str
    assessment: str
    competencies: Sequence[tuple[int | None, int]]
    """For each competency attested: the level, and how many levels it has."""


def split_criteria(criteria: str) -> tuple[str, str]:
    """The tasks, and how they were assessed, from the single text that a version stores."""
    found = re.search(rf"{assessment_heading()}\s*(?P<how>.+)\Z", criteria, re.DOTALL)
    if found is None:
        return criteria.strip(), ""
    return criteria[: found.start()].strip(), found["how"].strip()


def join_criteria(criteria: str, assessment: str, language: str = "fr") -> str:
    """The single text that a version stores; inverse of `split_criteria`."""
    if not assessment.strip():
        return criteria.strip()
    with speaking(language[:2]):
        head = gettext(_ASSESSMENT_HEAD)
    return f"{criteria.strip()}\n\n**{head}.** {assessment.strip()}".strip()


@cache
def assessment_heading() -> str:
    """Pattern of the bold heading before how a badge is judged, in any language."""
    heads = "|".join(re.escape(head).replace("’", "[’']") for head in in_every_language(_ASSESSMENT_HEAD))
    return rf"\*\*\s*(?:{heads})\s*+(?:\.\s*+)?+\*\*"


def count_criteria(criteria: str) -> int:
    """Counts bullets if there are any, else non-empty lines."""
    bullets = len(_BULLET.findall(criteria))
    return bullets or sum(1 for line in criteria.splitlines() if line.strip())


def lacks_of(text: BadgeText) -> list[Lack]:
    """All missing items before the badge may be opened, in the order of the form."""
    found = []
    if not text.name.strip():
        found.append(Lack("nom", N_("Donnez un titre au badge.")))
    if not text.description.strip():
        found.append(Lack("description", N_("Dites en deux phrases ce que le badge reconnaît.")))
    least = LEAST_CRITERIA.get(text.kind, 1)
    if len(text.criteria.strip()) < 20:
        found.append(Lack("criteres", N_("Dites ce que la personne a fait : au moins une phrase.")))
    elif count_criteria(text.criteria) < least:
        found.append(Lack("criteres", N_("Un badge de compétence demande trois critères au moins.")))
    if text.kind.is_assessed and len(text.assessment.strip()) < 10:
        found.append(Lack("jugement", N_("Dites qui juge, et sur quoi : ce badge n’est pas une présence.")))
    if text.kind is BadgeKind.COMPETENCY and not text.competencies:
        found.append(Lack("competences", N_("Un badge de compétence nomme au moins une compétence.")))
    if text.kind is BadgeKind.COMPETENCY and any(
        levels and level is None for level, levels in text.competencies
    ):
        found.append(Lack("competences", N_("Choisissez le niveau attesté de chaque compétence.")))
    return found


def are_near(one: str, other: str) -> bool:
    """Whether two names are nearly the same, to warn before a duplicate badge is created."""
    left, right = _telling(one), _telling(other)
    return bool(left and right) and len(left & right) / len(left | right) >= _NEAR


def _telling(name: str) -> set[str]:
    words = name_key(name, "").split()
    return {word.rstrip("sx") for word in words if len(word) > 2 and word not in _COMMON}


_COMMON = frozenset(
    {"les", "des", "une", "aux", "avec", "pour", "dans", "sur", "son", "ses", "the", "and", "for"}
)


class Part(StrEnum):
    """What may differ between two versions of a badge or of a competency, in reading order."""

    KIND = "kind"
    NAME = "name"
    DESCRIPTION = "description"
    CRITERIA = "criteria"
    ASSESSMENT = "judging"
    COMPETENCIES = "competencies"
    ALIGNMENTS = "alignments"
    REQUIRED_HOURS = "required_hours"
    RULE = "rule"
    VALIDITY = "validity"
    TAGS = "tags"
    LANGUAGE = "language"
    ALTERNATIVE = "alternative"
    LOOK = "look"
    COLOURS = "colours"
    EMBLEM = "emblem"
    STATEMENT = "statement"
    LEVELS = "levels"
    RUBRIC = "rubric"
    OTHER_LABELS = "other_labels"


PROSE = frozenset(
    {Part.NAME, Part.DESCRIPTION, Part.CRITERIA, Part.ASSESSMENT, Part.ALTERNATIVE, Part.STATEMENT}
)
"""Texts that are diffed by tokens."""

Content = dict[Part, tuple[str, ...]]
"""A version's content, each part as a list of lines."""


class BadgeLifetime(StrEnum):
    KEPT = "kept"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True)
class Piece:
    """A run of text that stayed, was removed or was added."""

    stay: BadgeLifetime
    text: str


@dataclass(frozen=True)
class Difference:
    part: Part
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def removed(self) -> list[str]:
        return [line for line in self.before if line not in self.after]

    @property
    def added(self) -> list[str]:
        return [line for line in self.after if line not in self.before]

    @property
    def pieces(self) -> list[Piece]:
        """The token diff from before to after."""
        return word_differences("\n".join(self.before), "\n".join(self.after))


def content_of(version: BadgeVersion, competencies: Sequence[str]) -> Content:
    """`competencies` are already rendered as text."""
    own_colours = version.hue is not None or version.liveliness is not None
    criteria, assessment = split_criteria(version.criteria)
    return {
        Part.KIND: (version.kind.value,),
        Part.NAME: (version.name,),
        Part.DESCRIPTION: _lines(version.description),
        Part.CRITERIA: _lines(criteria),
        Part.ASSESSMENT: _lines(assessment),
        Part.COMPETENCIES: tuple(competencies),
        Part.ALIGNMENTS: tuple(f"{each['code']} {each['name']}" for each in version.alignments),
        Part.REQUIRED_HOURS: (f"{version.required_hours:g}",) if version.required_hours else (),
        Part.RULE: (rule_words(rule),) if (rule := rule_of(version.rule)) else (),
        Part.VALIDITY: (str(version.validity_days),) if version.validity_days else (),
        Part.TAGS: tuple(version.tags),
        Part.LANGUAGE: (version.language,),
        Part.ALTERNATIVE: _lines(version.alternative),
        Part.LOOK: (version.look, sha256(version.art or b"").hexdigest()[:16])
        if version.look != PictureLook.SHAPE
        else (PictureLook.SHAPE.value,),
        Part.COLOURS: (f"{version.hue or 0:g} / {version.liveliness or 0:g}",) if own_colours else (),
        Part.EMBLEM: _lines(version.emblem),
    }


def differences(before: Content, after: Content) -> list[Difference]:
    """Only the parts that differ."""
    return [
        Difference(part, before.get(part, ()), after.get(part, ()))
        for part in Part
        if before.get(part, ()) != after.get(part, ())
    ]


def word_differences(before: str, after: str) -> list[Piece]:
    """A token diff: unchanged and removed runs give `before`, unchanged and added runs give `after`.

    A lone space or comma between two changes is merged into them, for readability.
    """
    old, new = _words(before), _words(after)
    pieces: list[Piece] = []
    gone = come = ""
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for number, (operation, first, last, start, end) in enumerate(codes, 1):
        was, is_now = "".join(old[first:last]), "".join(new[start:end])
        if operation != "equal" or ((gone or come) and number < len(codes) and not _is_rest(was)):
            gone, come = gone + was, come + is_now
            continue
        pieces += _changed(gone, come)
        pieces.append(Piece(BadgeLifetime.KEPT, was))
        gone = come = ""
    return pieces + _changed(gone, come)


def _changed(gone: str, come: str) -> list[Piece]:
    return [
        Piece(stay, text)
        for stay, text in ((BadgeLifetime.REMOVED, gone), (BadgeLifetime.ADDED, come))
        if text
    ]


def _is_rest(kept: str) -> bool:
    """Whether an unchanged run between two changes is worth showing: it has text, or a line end."""
    return "\n" in kept or any(each.isalnum() for each in kept)


def _words(text: str) -> list[str]:
    """« l’ » is its own token: it stays or changes whole, and its apostrophe matches no other."""
    return re.findall(r"\w+[’']?|\s+|[^\w\s]", text)


def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.splitlines())


class BadgeOpening(SQLModel, table=True):
    """Allows one trainer to award a badge that is not open to every trainer."""

    __tablename__ = "badge_opening"
    badge_id: uuid.UUID = Field(sa_column=primary_foreign_key("badge"))
    person_id: uuid.UUID = Field(sa_column=primary_foreign_key("person"))
    since: datetime = Field(sa_column=utc_datetime())


class NotOpened(NotAllowed):
    """The campus has this badge, but this trainer may not award it."""


def is_opened(badge: Badge, roles: Collection[Role], *, by_name: bool) -> bool:
    """Whether a member with these roles may award it; administrators award every badge of their campus."""
    return badge.for_every_trainer or by_name or Role.CAMPUS_ADMIN in roles


def check_opened(badge: Badge, roles: Collection[Role], *, by_name: bool) -> None:
    if not is_opened(badge, roles, by_name=by_name):
        raise NotOpened(
            N_(
                "Ce badge ne vous est pas ouvert : vous ne pouvez pas l’attribuer. L’administration du campus peut vous l’ouvrir."
            )
        )
