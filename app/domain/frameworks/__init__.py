"""Competencies: statements to master, in frameworks, with levels."""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Integer, Text, Uuid
from sqlmodel import Column, Field, Index, SQLModel, UniqueConstraint

from app.domain.core import (
    as_stored,
    as_written,
    foreign_key,
    index_where,
    json_column,
    new_id,
    primary_foreign_key,
    utc_datetime,
)
from app.domain.people import name_key
from app.errors import Conflict, InvalidInput
from app.language import N_

MOST_LEVELS = 10
DEFAULT_SCALE = (N_("Accompagné"), N_("Autonome"), N_("Transmet"))
"""The three diamonds: proposed where a framework has no scale of its own."""


class Owner(StrEnum):
    """Who maintains a framework: a register for everybody, a network for its campuses, or one campus."""

    PUBLIC = "public"
    NETWORK = "network"
    CAMPUS = "campus"


class Framework(SQLModel, table=True):
    """A CASE document. Without a campus it is a network's, or a public one that only commands write.

    `levels` is the scale that new competencies begin with. `extra` holds what CASE packages carry besides.
    """

    __tablename__ = "framework"
    __table_args__ = (
        UniqueConstraint("campus_id", "code", name="one_framework_per_code"),
        index_where("one_shared_framework_per_code", "code", where="campus_id IS NULL", unique=True),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("campus", nullable=True))
    network_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("network", nullable=True))
    code: str = Field(max_length=60)
    name: str = Field(max_length=200)
    description: str = Field(default="", max_length=2000)
    identifier: str = Field(default="", max_length=600)
    """Of the publisher's; empty where the row's own id is the identifier."""
    publisher: str = Field(default="", max_length=200)
    licence: str = Field(default="", max_length=300)
    source: str = Field(default="", max_length=600)
    language: str = Field(default="fr", max_length=12)
    version: str = Field(default="", max_length=60)
    published_on: date | None = None
    levels: list[str] = Field(default_factory=list, sa_column=json_column())
    extra: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())

    @property
    def owner(self) -> Owner:
        if self.campus_id is not None:
            return Owner.CAMPUS
        return Owner.NETWORK if self.network_id is not None else Owner.PUBLIC


class Competency(SQLModel, table=True):
    """An item of a framework: a competency, and in registers also a trade, a domain, a certification.

    `levels` names the levels from the lowest to the highest; empty when the competency has none. `rubric`
    describes each level. An item without `ended_on` is in force; so is one with a later day.
    """

    __tablename__ = "competency"
    __table_args__ = (UniqueConstraint("framework_id", "code", name="one_competency_per_code"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    framework_id: uuid.UUID = Field(sa_column=foreign_key("framework"))
    code: str = Field(max_length=300)
    statement: str = Field(max_length=2000)
    levels: list[str] = Field(default_factory=list, sa_column=json_column())
    archived_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    kind: str = Field(default="competency", max_length=40)
    identifier: str = Field(default="", max_length=600)
    parent_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("competency", nullable=True))
    position: int = 0
    description: str = Field(default="", sa_type=Text)
    other_labels: list[str] = Field(default_factory=list, sa_column=json_column())
    rubric: list[str] = Field(default_factory=list, sa_column=json_column())
    ended_on: date | None = None
    extra: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())

    def has_ended(self, on: date) -> bool:
        return self.ended_on is not None and self.ended_on <= on


class AssociationKind(StrEnum):
    CHILD = "isChildOf"
    PART = "isPartOf"
    EXACT = "exactMatchOf"
    RELATED = "isRelatedTo"
    REPLACED = "replacedBy"


class FrameworkAssociation(SQLModel, table=True):
    """A CASE association. `kind` is the CASE term, since packages may bring terms of their own.

    `target` is the code of an item of the same framework, or "register:code", or a URI.
    """

    __tablename__ = "framework_association"
    __table_args__ = (
        UniqueConstraint("origin_id", "kind", "target", name="one_association_of_a_kind"),
        Index("associations_by_target", "target"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    framework_id: uuid.UUID = Field(sa_column=foreign_key("framework"))
    origin_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("competency", nullable=True))
    kind: str = Field(max_length=60)
    target: str = Field(max_length=600)
    identifier: str = Field(default="", max_length=600)
    extra: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())


class FrameworkRelease(SQLModel, table=True):
    """A version of a framework that was imported, with what it changed."""

    __tablename__ = "framework_release"
    __table_args__ = (UniqueConstraint("framework_id", "number", name="one_release_per_number"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    framework_id: uuid.UUID = Field(sa_column=foreign_key("framework"))
    number: int
    version: str = Field(max_length=60)
    published_on: date | None = None
    imported_at: datetime = Field(sa_column=utc_datetime())
    changes: dict[str, int] = Field(default_factory=dict, sa_column=json_column())


class CompetencyVersion(SQLModel, table=True):
    """An item as a release or its campus wrote it: append-only, the newest is the item itself."""

    __tablename__ = "competency_version"
    competency_id: uuid.UUID = Field(sa_column=primary_foreign_key("competency"))
    number: int = Field(primary_key=True)
    written_at: datetime = Field(sa_column=utc_datetime())
    version: str = Field(default="", max_length=60)
    """Of the framework; empty for a campus's own."""
    change: str = Field(max_length=20)
    content: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())


class CompetencySynonym(SQLModel, table=True):
    """A term of a campus for an item of any framework it sees; only searches use it."""

    __tablename__ = "competency_synonym"
    __table_args__ = (UniqueConstraint("campus_id", "competency_id", "label", name="one_synonym_per_label"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    competency_id: uuid.UUID = Field(sa_column=foreign_key("competency"))
    label: str = Field(max_length=120)


class FrameworkSearchEntry(SQLModel, table=True):
    """The search terms of one item. On SQLite triggers copy them to a full-text table.

    `number` grows with `size`, the terms of the label: in its order short labels come first, and a search
    stops after the first ones.
    """

    __tablename__ = "framework_search"
    number: int = Field(
        sa_column=Column(
            BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False
        )
    )
    competency_id: uuid.UUID = Field(sa_column=Column(Uuid(), unique=True, nullable=False))
    framework_id: uuid.UUID = Field(sa_column=Column(Uuid(), nullable=False))
    size: int
    label_terms: str = Field(sa_type=Text)
    other_terms: str = Field(sa_type=Text)


def search_number(size: int, competency_id: uuid.UUID) -> int:
    return (size << 48) | (competency_id.int & ((1 << 48) - 1))


class FrameworkTerm(SQLModel, table=True):
    """The vocabulary of all labels, to correct typing slips."""

    __tablename__ = "framework_term"
    term: str = Field(primary_key=True, max_length=40)


def check_level(competency: Competency, level: int | None) -> None:
    """`level` counts from 1, the lowest."""
    if level is None:
        return
    if not 1 <= level <= len(competency.levels):
        raise InvalidInput(
            "La compétence {code} n’a pas de niveau {level}.", code=competency.code, level=level
        )


def competency_faults(competency: Competency) -> dict[str, InvalidInput]:
    """By attribute."""
    faults: dict[str, InvalidInput] = {}
    if not competency.code.strip():
        faults["code"] = InvalidInput("Donnez un code à la compétence.")
    elif len(competency.code) > 60:
        faults["code"] = InvalidInput("Le code tient en 60 signes.")
    if not competency.statement.strip():
        faults["statement"] = InvalidInput("Écrivez l’énoncé de la compétence.")
    elif len(competency.statement) > 500:
        faults["statement"] = InvalidInput("L’énoncé tient en 500 signes.")
    faults |= _scale_fault(competency.levels)
    if any(len(line) > 500 for line in competency.rubric):
        faults["rubric"] = InvalidInput("Chaque repère de niveau tient en 500 signes.")
    if len(competency.description) > 2000:
        faults["description"] = InvalidInput(_LONG_DESCRIPTION)
    return faults


def framework_faults(framework: Framework) -> dict[str, InvalidInput]:
    """By attribute."""
    faults: dict[str, InvalidInput] = {}
    if not framework.code.strip():
        faults["code"] = InvalidInput("Donnez un code au référentiel.")
    elif len(framework.code) > 60:
        faults["code"] = InvalidInput("Le code du référentiel tient en 60 signes.")
    if not framework.name.strip():
        faults["name"] = InvalidInput("Donnez un nom au référentiel.")
    elif len(framework.name) > 200:
        faults["name"] = InvalidInput("Le nom du référentiel tient en 200 signes.")
    if len(framework.description) > 2000:
        faults["description"] = InvalidInput(_LONG_DESCRIPTION)
    return faults | _scale_fault(framework.levels)


_LONG_DESCRIPTION = N_("La description tient en 2 000 signes.")


def _scale_fault(levels: Sequence[str]) -> dict[str, InvalidInput]:
    if len(levels) > MOST_LEVELS or any(not 0 < len(level) <= 120 for level in levels):
        return {"levels": InvalidInput("Dix niveaux au plus, de 120 signes chacun.")}
    return {}


def check_competency(competency: Competency) -> None:
    for fault in competency_faults(competency).values():
        raise fault


def check_framework(framework: Framework) -> None:
    for fault in framework_faults(framework).values():
        raise fault


def check_levels_kept(competency: Competency, levels: Sequence[str], *, highest_used: int) -> None:
    """A level that a badge attests cannot be removed."""
    if len(levels) < highest_used:
        raise Conflict(
            "Un badge atteste le niveau {level} de {code} : gardez les niveaux jusqu’à celui-là.",
            level=highest_used,
            code=competency.code,
        )


LONGEST_NAME = 200
MOST_ALIGNMENTS = 10


class PublicFramework(StrEnum):
    ROME = "rome"
    RNCP = "rncp"
    RS = "rs"
    ESCO = "esco"


FRAMEWORK_NAMES = {
    PublicFramework.ROME: "ROME 4.0",
    PublicFramework.RNCP: "RNCP",
    PublicFramework.RS: "Répertoire spécifique",
    PublicFramework.ESCO: "ESCO",
}
CERTIFICATIONS = frozenset({PublicFramework.RNCP, PublicFramework.RS})
"""Registers of certifications: a badge is only ever « en lien avec » one of them."""

_ESCO = "http://data.europa.eu/esco/"
_FORMS = {
    PublicFramework.ROME: (
        re.compile(r"[A-N]\d{4}"),
        N_("Un code ROME est une lettre et quatre chiffres, comme I1307."),
    ),
    PublicFramework.RNCP: (
        re.compile(r"RNCP\d{3,6}(BC\d{2})?"),
        N_("Un code RNCP s’écrit RNCP35316, ou RNCP35316BC02 pour un bloc."),
    ),
    PublicFramework.RS: (re.compile(r"RS\d{1,6}"), N_("Un code du répertoire spécifique s’écrit RS5801.")),
    PublicFramework.ESCO: (
        re.compile(re.escape(_ESCO) + r"(skill|occupation|isco|isced-f)/[0-9A-Za-z]+([.-][0-9A-Za-z]+)*"),
        N_("Un code ESCO est l’adresse de sa fiche, qui commence par http://data.europa.eu/esco/."),
    ),
}


@dataclass(frozen=True)
class PublicAlignment:
    """One entry of a public framework, by its code and its name in that framework.

    `version` and `published_on` (ISO) are those of the release of its day; empty if it was typed without one.
    """

    framework: PublicFramework
    code: str
    name: str
    version: str = ""
    published_on: str = ""

    def of_release(self, version: str, published_on: date | None) -> PublicAlignment:
        return replace(self, version=version, published_on=published_on.isoformat() if published_on else "")

    @property
    def url(self) -> str:
        """The framework's own page about the entry."""
        number = re.sub(r"\D", "", self.code.partition("BC")[0])
        match self.framework:
            case PublicFramework.ROME:
                return f"https://candidat.francetravail.fr/metierscope/fiche-metier/{self.code}"
            case PublicFramework.RNCP | PublicFramework.RS:
                return f"https://www.francecompetences.fr/recherche/{self.framework.value}/{number}/"
            case PublicFramework.ESCO:
                return self.code

    def kept(self) -> dict[str, str]:
        release = {"version": self.version, "published_on": self.published_on}
        return {
            "framework": self.framework.value,
            "code": self.code,
            "name": self.name,
            **{name: value for name, value in release.items() if value},
        }

    @staticmethod
    def read(kept: dict[str, str]) -> PublicAlignment:
        return PublicAlignment(
            PublicFramework(kept["framework"]),
            kept["code"],
            kept["name"],
            kept.get("version", ""),
            kept.get("published_on", ""),
        )


def address_of(target: str) -> str:
    """The register's page of « rome:H3203 »; empty for anything else."""
    register, _, code = target.partition(":")
    known = register in {each.value for each in PublicFramework}
    return PublicAlignment(PublicFramework(register), code, code).url if known else ""


def public_alignment(framework: str, code: str, name: str) -> PublicAlignment:
    """An alignment from user input; raises InvalidInput with the fault."""
    try:
        known = PublicFramework(framework)
    except ValueError:
        raise InvalidInput("Ce référentiel n’est pas de ceux que l’on connaît.") from None
    tidy = code.strip() if known is PublicFramework.ESCO else re.sub(r"\s+", "", code).upper()
    pattern, sentence = _FORMS[known]
    if not pattern.fullmatch(tidy):
        raise InvalidInput(sentence)
    if not name.strip():
        raise InvalidInput("Écrivez l’intitulé de {code} tel qu’il est dans le référentiel.", code=tidy)
    if len(name.strip()) > LONGEST_NAME:
        raise InvalidInput("L’intitulé tient en 200 signes.")
    return PublicAlignment(known, tidy, " ".join(name.split()))


MOST_PRACTISED = 20
"""Of one activity."""
_PRACTISED = frozenset({PublicFramework.ROME.value, PublicFramework.ESCO.value})


def can_practise(item: Competency, framework: Framework, campus_id: uuid.UUID) -> bool:
    """What an activity of the campus may name: its own competencies, and trades or skills of public registers."""
    if framework.owner is Owner.PUBLIC:
        return framework.code in _PRACTISED and item.kind != "domain"
    return framework.campus_id == campus_id


MOST_RELATIONS = 30


def read_relations(lines: Iterable[str]) -> list[tuple[PublicFramework, str]]:
    """One per line, its code first: a ROME, RNCP or RS code, or the address of an ESCO skill."""
    found: dict[tuple[PublicFramework, str], None] = {}
    for line in lines:
        code = line.strip().split(maxsplit=1)[0] if line.strip() else ""
        if not code:
            continue
        tidy = code.rstrip(":,;").upper()
        if code.lower().startswith("http"):
            register, tidy = PublicFramework.ESCO, code
        elif tidy.startswith("RNCP"):
            register = PublicFramework.RNCP
        elif tidy.startswith("RS"):
            register = PublicFramework.RS
        else:
            register = PublicFramework.ROME
        found[register, public_alignment(register.value, tidy, tidy).code] = None
    if len(found) > MOST_RELATIONS:
        raise InvalidInput("Trente correspondances au plus.")
    return list(found)


MOST_LINES = 2_000
HEADING = (
    "Référentiel", "Nom du référentiel", "Code", "Énoncé", "Niveaux", "Repères", "Métiers", "Description", "Synonymes",
)  # fmt: skip
LEVEL_MARK = "|"
_SEPARATORS = ";\t,"
_COLUMNS = {
    "framework": {"referentiel", "framework", "code referentiel"},
    "framework_name": {"du nom referentiel", "nom referentiel", "framework name"},
    "code": {"code", "code competence"},
    "statement": {"enonce", "competence", "intitule", "statement"},
    "levels": {"niveaux", "niveau", "levels"},
    "trades": {"metiers", "metier", "code metiers", "rome", "code rome", "codes rome", "trades"},
    "rubric": {"reperes", "repere", "reperes niveaux", "rubric"},
    "description": {"description", "definition"},
    "others": {"synonymes", "synonyme", "autres libelles", "altlabels", "synonyms"},
}
_NEEDED = ("code", "statement")


@dataclass(frozen=True)
class ListedCompetency:
    """One parsed line; `line` counts from 1 in the input, heading included."""

    line: int
    framework: str = ""
    framework_name: str = ""
    code: str = ""
    statement: str = ""
    levels: tuple[str, ...] | None = None
    """None without that column: the scale of the framework."""
    rubric: tuple[str, ...] | None = None
    """One description per level; None leaves what there is."""
    trades: tuple[str, ...] | None = None
    """Codes of registers that it relates to; None leaves what there is."""
    description: str | None = None
    others: tuple[str, ...] | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        return (
            self.framework,
            self.framework_name,
            self.code,
            self.statement,
            f" {LEVEL_MARK} ".join(self.levels or ()),
            f" {LEVEL_MARK} ".join(self.rubric or ()),
            f" {LEVEL_MARK} ".join(self.trades or ()),
            self.description or "",
            f" {LEVEL_MARK} ".join(self.others or ()),
        )


def read_competencies(text: str) -> list[ListedCompetency]:
    """Every non-empty line; a framework applies until the next line names another."""
    if "\x00" in text:
        raise InvalidInput("Ce fichier n’est pas une liste lisible.")
    lines = _lines_of(text.lstrip("\ufeff"))
    if not lines:
        return []
    columns = _columns_of(lines[0][1])
    found: list[ListedCompetency] = []
    for number, cells in lines[1:]:
        read = _listed(number, cells, columns)
        if not read.framework and found:
            read = replace(read, framework=found[-1].framework, framework_name=found[-1].framework_name)
        found.append(read)
    if len(found) > MOST_LINES:
        raise InvalidInput("Cette liste dépasse 2 000 lignes. Découpez-la en plusieurs fichiers.")
    return found


def _lines_of(text: str) -> list[tuple[int, list[str]]]:
    first = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    lines, number = [], 1
    try:
        for cells in reader:
            tidy = [as_written(" ".join(as_stored(cell).split())) for cell in cells[:20]]
            if any(tidy):
                lines.append((number, tidy))
            number = reader.line_num + 1
    except csv.Error as error:
        raise InvalidInput("Ce fichier n’est pas une liste lisible.") from error
    return lines


def _columns_of(heading: Sequence[str]) -> dict[str, int]:
    keys = [name_key(cell, "") for cell in heading]
    columns = {
        name: next(index for index, key in enumerate(keys) if key in known)
        for name, known in _COLUMNS.items()
        if any(key in known for key in keys)
    }
    if any(name not in columns for name in _NEEDED):
        raise InvalidInput("La première ligne nomme les colonnes : Référentiel, Code, Énoncé, Niveaux.")
    return columns


def _listed(number: int, cells: Sequence[str], columns: dict[str, int]) -> ListedCompetency:
    values = {name: cells[index] for name, index in columns.items() if index < len(cells)}
    levels, rubric, trades = values.pop("levels", None), values.pop("rubric", ""), values.pop("trades", "")
    description, others = values.pop("description", ""), values.pop("others", "")
    return ListedCompetency(
        number,
        **values,
        levels=None if levels is None else tuple(each for each in _parts(levels) if each),
        rubric=tuple(_parts(rubric)) if rubric else None,
        trades=tuple(each for each in _parts(trades) if each) if trades else None,
        description=description or None,
        others=tuple(each for each in _parts(others) if each) if others else None,
    )


def _parts(cell: str) -> list[str]:
    return [each.strip() for each in cell.split(LEVEL_MARK)]
