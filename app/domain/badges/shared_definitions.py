"""Definitions that a network shares: badges and competencies that its campuses adopt, each as its own issuer."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Text
from sqlmodel import CheckConstraint, Field, SQLModel, UniqueConstraint

from app.domain.badges import Content, Difference, Part
from app.domain.core import enum_column, foreign_key, json_column, new_id, primary_foreign_key, utc_datetime
from app.domain.frameworks import Competency
from app.errors import Conflict, InvalidInput
from app.language import N_

Values = Mapping[str, Any]
"""What a definition contains, by the value of its `Part`."""

LONGEST_REASON: Final = 300
BADGE_PARTS: Final = (
    Part.KIND,
    Part.NAME,
    Part.DESCRIPTION,
    Part.CRITERIA,
    Part.ASSESSMENT,
    Part.COMPETENCIES,
    Part.ALIGNMENTS,
    Part.REQUIRED_HOURS,
    Part.VALIDITY,
    Part.TAGS,
    Part.LANGUAGE,
)
"""What a network shares of a badge. Picture, colours, rule and requests belong to each campus."""
COMPETENCY_PARTS: Final = (
    Part.STATEMENT,
    Part.DESCRIPTION,
    Part.LEVELS,
    Part.RUBRIC,
    Part.OTHER_LABELS,
)


class Noun(StrEnum):
    BADGE = "badge"
    COMPETENCY = "competency"

    @property
    def parts(self) -> tuple[Part, ...]:
        return BADGE_PARTS if self is Noun.BADGE else COMPETENCY_PARTS


class SharedBadge(SQLModel, table=True):
    """A badge that a network defines for its campuses. A competency that it shares is an item of a framework of its own."""

    __tablename__ = "shared_badge"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    network_id: uuid.UUID = Field(sa_column=foreign_key("network"))
    created_at: datetime = Field(sa_column=utc_datetime())
    withdrawn_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


class SharedBadgeVersion(SQLModel, table=True):
    """Append-only. `reason`: what it improves, and why."""

    __tablename__ = "shared_badge_version"
    shared_badge_id: uuid.UUID = Field(sa_column=primary_foreign_key("shared_badge"))
    number: int = Field(primary_key=True)
    content: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    reason: str = Field(default="", max_length=LONGEST_REASON)
    published_at: datetime = Field(sa_column=utc_datetime())


class AdoptionAnswer(StrEnum):
    """What a campus decided about the newest improvement."""

    ACCEPTED = "accepted"
    PARTLY = "partly"
    REFUSED = "refused"


class DefinitionAdoption(SQLModel, table=True):
    """A campus's own badge or competency, and the definition it adopted.

    `number`: the version of the definition on which the campus last decided; 0 for a badge it had before.
    """

    __tablename__ = "definition_adoption"
    __table_args__ = (
        CheckConstraint(
            "(badge_id IS NULL) = (shared_badge_id IS NULL) AND (badge_id IS NULL) <> (competency_id IS NULL) "
            "AND (competency_id IS NULL) = (shared_competency_id IS NULL)",
            name="adopts_one_definition",
        ),
        UniqueConstraint("badge_id", name="one_definition_of_a_badge"),
        UniqueConstraint("competency_id", name="one_definition_of_a_competency"),
        UniqueConstraint("campus_id", "shared_badge_id", name="one_adoption_of_a_badge"),
        UniqueConstraint("campus_id", "shared_competency_id", name="one_adoption_of_a_competency"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus", index=False))
    network_id: uuid.UUID = Field(sa_column=foreign_key("network"))
    badge_id: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("badge", nullable=True, index=False)
    )
    shared_badge_id: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("shared_badge", nullable=True)
    )
    competency_id: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("competency", nullable=True, index=False)
    )
    shared_competency_id: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("competency", nullable=True)
    )
    number: int = 0
    adopted_at: datetime = Field(sa_column=utc_datetime())
    decided_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    answer: AdoptionAnswer | None = Field(
        default=None, sa_column=enum_column(AdoptionAnswer, name="adoption_answer", nullable=True)
    )

    @property
    def definition_id(self) -> uuid.UUID:
        found = self.shared_badge_id or self.shared_competency_id
        assert found is not None, "the table's constraint"
        return found


class ProposalState(StrEnum):
    WAITING = "waiting"
    ACCEPTED = "accepted"
    PARTLY = "partly"
    REFUSED = "refused"


class DefinitionProposal(SQLModel, table=True):
    """What a campus proposes to its network: an improvement of a definition that it adopted, or a badge of its own.

    `content`: only the parts that it would change, with `campus_id` and nothing of a person.
    """

    __tablename__ = "definition_proposal"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    network_id: uuid.UUID = Field(sa_column=foreign_key("network"))
    badge_id: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("badge", nullable=True, index=False)
    )
    shared_badge_id: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("shared_badge", nullable=True)
    )
    shared_competency_id: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("competency", nullable=True)
    )
    content: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    reason: str = Field(max_length=LONGEST_REASON)
    proposed_at: datetime = Field(sa_column=utc_datetime())
    state: ProposalState = Field(
        default=ProposalState.WAITING, sa_column=enum_column(ProposalState, name="proposal_state")
    )
    answer: str = Field(default="", max_length=LONGEST_REASON)
    decided_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))

    @property
    def definition_id(self) -> uuid.UUID | None:
        """None: the campus proposes a badge that the network does not share yet."""
        return self.shared_badge_id or self.shared_competency_id

    @property
    def noun(self) -> Noun:
        return Noun.COMPETENCY if self.shared_competency_id else Noun.BADGE


class ReadMeanwhile(Conflict):
    """The definition has a newer version than the one that was read."""


def check_reason(reason: str) -> str:
    reason = " ".join(reason.split())
    if not reason:
        raise InvalidInput("Dites pourquoi, en une phrase.")
    if len(reason) > LONGEST_REASON:
        raise InvalidInput("La phrase tient en 300 signes.")
    return reason


def check_seen(seen: int, newest: int) -> None:
    if seen != newest:
        raise ReadMeanwhile(N_("La définition a changé entre-temps. Relisez ce qui diffère."))


def check_shared(withdrawn_at: datetime | None) -> None:
    if withdrawn_at is not None:
        raise Conflict("Le réseau ne partage plus cette définition.")


def competency_values(item: Competency) -> dict[str, Any]:
    return {
        Part.STATEMENT.value: item.statement,
        Part.DESCRIPTION.value: item.description,
        Part.LEVELS.value: list(item.levels),
        Part.RUBRIC.value: list(item.rubric),
        Part.OTHER_LABELS.value: list(item.other_labels),
    }


def display(noun: Noun, values: Values, items: Mapping[uuid.UUID, Competency]) -> Content:
    """Each part as lines to read; `items`: the competencies that a badge names by their id."""
    return {part: _lines(part, values.get(part.value), items) for part in noun.parts}


def _lines(part: Part, value: Any, items: Mapping[uuid.UUID, Competency]) -> tuple[str, ...]:
    match part:
        case _ if value in (None, "", []):
            return ()
        case Part.COMPETENCIES:
            return tuple(_competency_line(each, items) for each in value)
        case Part.ALIGNMENTS:
            return tuple(f"{each['code']} {each['name']}" for each in value)
        case Part.REQUIRED_HOURS:
            return (f"{value:g}",)
        case Part.VALIDITY:
            return (str(value),)
        case Part.TAGS | Part.LEVELS | Part.RUBRIC | Part.OTHER_LABELS:
            return tuple(value)
        case _:
            return tuple(str(value).splitlines())


def _competency_line(named: Mapping[str, Any], items: Mapping[uuid.UUID, Competency]) -> str:
    """« RES-1 – Réaliser une soudure (Autonome) », of an item of the network or of a campus's own."""
    if "entry" in named:
        entry = named["entry"]
        code, statement, levels = entry["code"], entry["statement"], entry["levels"]
    else:
        item = items.get(uuid.UUID(named["id"]))
        code, statement, levels = (item.code, item.statement, item.levels) if item else ("?", "", [])
    level = named["level"]
    return f"{code} – {statement}" + (f" ({levels[level - 1]})" if level and level <= len(levels) else "")


def changed_parts(noun: Noun, before: Values, after: Values) -> list[Part]:
    return [part for part in noun.parts if _plain(before.get(part.value)) != _plain(after.get(part.value))]


def _plain(value: Any) -> Any:
    return None if value in ("", [], ()) else value


def improved_parts(noun: Noun, base: Values | None, newest: Values, own: Values) -> list[Part]:
    """What the network changed since `base`, and the campus does not have; without a base, all that differs."""
    differing = changed_parts(noun, own, newest)
    return differing if base is None else [p for p in differing if p in changed_parts(noun, base, newest)]


def with_parts(values: Values, other: Values, parts: Collection[Part]) -> dict[str, Any]:
    """`values` with some parts of `other`."""
    return {**values, **{part.value: other.get(part.value) for part in parts}}


def readable(
    noun: Noun,
    before: Values,
    after: Values,
    parts: Collection[Part],
    items: Mapping[uuid.UUID, Competency],
) -> list[Difference]:
    was, becomes = display(noun, before, items), display(noun, after, items)
    return [Difference(part, was[part], becomes[part]) for part in noun.parts if part in parts]


def answer_of(offered: Collection[Part], taken: Collection[Part]) -> AdoptionAnswer:
    if not taken:
        return AdoptionAnswer.REFUSED
    return AdoptionAnswer.ACCEPTED if set(taken) >= set(offered) else AdoptionAnswer.PARTLY


# --- Sets of training modules: contents, audience, hours, and the competencies that each one attests

MOST_MODULES = 20


class ModuleSet(SQLModel, table=True):
    """`badge_id` is the badge of the whole, proposed once each module is attested."""

    __tablename__ = "module_set"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    title: str = Field(max_length=200)
    description: str = Field(default="", max_length=2000)
    badge_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("badge", nullable=True))
    created_at: datetime = Field(sa_column=utc_datetime())
    archived_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


class TrainingModule(SQLModel, table=True):
    """A person did it once they hold its badge. `contents` has one item per line."""

    __tablename__ = "training_module"
    __table_args__ = (CheckConstraint("hours IS NULL OR hours > 0", name="module_hours_are_positive"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    set_id: uuid.UUID = Field(sa_column=foreign_key("module_set"))
    position: int = 0
    title: str = Field(max_length=200)
    contents: str = Field(default="", sa_type=Text)
    audience: str = Field(default="", max_length=200)
    hours: float | None = None
    badge_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("badge", nullable=True))
    removed_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


class ModuleCompetency(SQLModel, table=True):
    """What a module attests; `level` counts from 1, None for a competency without levels."""

    __tablename__ = "module_competency"
    module_id: uuid.UUID = Field(sa_column=primary_foreign_key("training_module"))
    competency_id: uuid.UUID = Field(sa_column=primary_foreign_key("competency"))
    level: int | None = None


def faults_of_set(title: str, description: str) -> dict[str, str]:
    """By field of the form."""
    found = {"titre": _title_fault(title, N_("Un ensemble de modules a un titre."))}
    if len(description) > 2000:
        found["description"] = N_("La description tient en 2 000 signes.")
    return {field: sentence for field, sentence in found.items() if sentence}


def check_set(found: ModuleSet) -> None:
    _refuse_first(faults_of_set(found.title, found.description))


def faults_of_module(
    title: str, contents: str = "", audience: str = "", hours: float | None = None
) -> dict[str, str]:
    """By field of the form."""
    found = {"titre": _title_fault(title, N_("Un module a un titre."))}
    if len(contents) > 4000:
        found["contenus"] = N_("Les contenus tiennent en 4 000 signes.")
    if len(audience) > 200:
        found["public"] = N_("Le public tient en 200 signes.")
    if hours is not None and not 0 < hours <= 10_000:
        found["heures"] = N_("Le nombre d’heures est compris entre 0 et 10 000.")
    return {field: sentence for field, sentence in found.items() if sentence}


def check_module(module: TrainingModule) -> None:
    _refuse_first(faults_of_module(module.title, module.contents, module.audience, module.hours))


def _title_fault(title: str, missing: str) -> str:
    if not title.strip():
        return missing
    return N_("Le titre tient en 200 signes.") if len(title) > 200 else ""


def _refuse_first(faults: Mapping[str, str]) -> None:
    for sentence in faults.values():
        raise InvalidInput(sentence)


@dataclass(frozen=True)
class Completion:
    """Which modules a person has attested, and when."""

    person_id: uuid.UUID
    done: Mapping[uuid.UUID, datetime]
    """By module."""
    total: int
    has_whole: bool
    is_whole_suspended: bool = False
    """It is held, and not awarded again, though it does not count."""

    @property
    def is_complete(self) -> bool:
        return self.total > 0 and len(self.done) == self.total

    @property
    def is_proposed(self) -> bool:
        return self.is_complete and not (self.has_whole or self.is_whole_suspended)


def completions(
    modules: Sequence[TrainingModule],
    held: Sequence[tuple[uuid.UUID, uuid.UUID, datetime]],
    whole: uuid.UUID | None,
    suspended: Container[uuid.UUID] = (),
) -> list[Completion]:
    """`held`: person, badge and day of each valid award; `suspended`: people with a suspended badge of the whole.

    People without any module are left out.
    """
    by_badge: dict[uuid.UUID, list[uuid.UUID]] = {}
    for module in modules:
        if module.badge_id is not None:
            by_badge.setdefault(module.badge_id, []).append(module.id)
    done: dict[uuid.UUID, dict[uuid.UUID, datetime]] = {}
    holders: set[uuid.UUID] = set()
    for person_id, badge_id, at in held:
        if badge_id == whole:
            holders.add(person_id)
        for module_id in by_badge.get(badge_id, ()):
            known = done.setdefault(person_id, {})
            known[module_id] = min(at, known.get(module_id, at))
    return [
        Completion(person_id, some, len(modules), person_id in holders, person_id in suspended)
        for person_id, some in done.items()
    ]
