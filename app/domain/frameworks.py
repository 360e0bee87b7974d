"""Competencies: statements to master, in frameworks, with levels."""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel, UniqueConstraint

from app.domain.core import as_written, foreign_key, json_column, new_id, utc_datetime
from app.domain.people.people import name_key
from app.errors import Conflict, InvalidInput
from app.language import N_

MOST_LEVELS = 10


class Framework(SQLModel, table=True):
    __tablename__ = "framework"
    __table_args__ = (UniqueConstraint("campus_id", "code", name="one_framework_per_code"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    code: str = Field(max_length=60)
    name: str = Field(max_length=200)
    description: str = Field(default="", max_length=2000)


class Competency(SQLModel, table=True):
    """`levels` names the levels from the lowest to the highest; empty when the competency has none."""

    __tablename__ = "competency"
    __table_args__ = (UniqueConstraint("framework_id", "code", name="one_competency_per_code"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    framework_id: uuid.UUID = Field(sa_column=foreign_key("framework"))
    code: str = Field(max_length=60)
    statement: str = Field(max_length=500)
    levels: list[str] = Field(default_factory=list, sa_column=json_column())
    archived_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


def check_level(competency: Competency, level: int | None) -> None:
    """`level` counts from 1, the lowest."""
    if level is None:
        return
    if not 1 <= level <= len(competency.levels):
        raise InvalidInput(
            N_("La compétence {code} n’a pas de niveau {level}."), code=competency.code, level=level
        )


def check_competency(competency: Competency) -> None:
    if not competency.code.strip() or not competency.statement.strip():
        raise InvalidInput(N_("Une compétence a un code et un énoncé."))
    if len(competency.code) > 60 or len(competency.statement) > 500:
        raise InvalidInput(N_("Le code tient en 60 signes, l’énoncé en 500."))
    if len(competency.levels) > MOST_LEVELS or any(not 0 < len(level) <= 120 for level in competency.levels):
        raise InvalidInput(N_("Dix niveaux au plus, de 120 signes chacun."))


def check_framework(framework: Framework) -> None:
    if not framework.code.strip() or not framework.name.strip():
        raise InvalidInput(N_("Un référentiel a un code et un nom."))
    if len(framework.code) > 60 or len(framework.name) > 200:
        raise InvalidInput(N_("Le code du référentiel tient en 60 signes, son nom en 200."))


def check_levels_kept(competency: Competency, levels: Sequence[str], *, highest_used: int) -> None:
    """A level that a badge attests cannot be removed."""
    if len(levels) < highest_used:
        raise Conflict(
            N_("Un badge atteste le niveau {level} de {code} : gardez au moins {level} niveaux."),
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
    """One entry of a public framework, by its code and its name in that framework."""

    framework: PublicFramework
    code: str
    name: str

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
        return {"framework": self.framework.value, "code": self.code, "name": self.name}

    @staticmethod
    def read(kept: dict[str, str]) -> PublicAlignment:
        return PublicAlignment(PublicFramework(kept["framework"]), kept["code"], kept["name"])


def public_alignment(framework: str, code: str, name: str) -> PublicAlignment:
    """An alignment from user input; raises InvalidInput with the fault."""
    try:
        known = PublicFramework(framework)
    except ValueError:
        raise InvalidInput(N_("Ce référentiel n’est pas de ceux que l’on connaît.")) from None
    tidy = code.strip() if known is PublicFramework.ESCO else re.sub(r"\s+", "", code).upper()
    pattern, sentence = _FORMS[known]
    if not pattern.fullmatch(tidy):
        raise InvalidInput(sentence)
    if not name.strip():
        raise InvalidInput(N_("Écrivez l’intitulé de {code} tel qu’il est dans le référentiel."), code=tidy)
    if len(name.strip()) > LONGEST_NAME:
        raise InvalidInput(N_("L’intitulé tient en 200 signes."))
    return PublicAlignment(known, tidy, " ".join(name.split()))


MOST_LINES = 2_000
HEADING = ("Référentiel", "Nom du référentiel", "Code", "Énoncé", "Niveaux")
LEVEL_MARK = "|"
_SEPARATORS = ";\t,"
_COLUMNS = {
    "framework": {"referentiel", "framework", "code referentiel"},
    "framework_name": {"du nom referentiel", "nom referentiel", "framework name"},
    "code": {"code", "code competence"},
    "statement": {"enonce", "competence", "intitule", "statement"},
    "levels": {"niveaux", "niveau", "levels"},
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
    levels: tuple[str, ...] = ()

    @property
    def cells(self) -> tuple[str, ...]:
        return (
            self.framework,
            self.framework_name,
            self.code,
            self.statement,
            f" {LEVEL_MARK} ".join(self.levels),
        )


def read_competencies(text: str) -> list[ListedCompetency]:
    """Every non-empty line; a framework applies until the next line names another."""
    if "\x00" in text:
        raise InvalidInput(N_("Ce fichier n’est pas une liste lisible."))
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
        raise InvalidInput(N_("Cette liste dépasse 2 000 lignes. Découpez-la en plusieurs fichiers."))
    return found


def _lines_of(text: str) -> list[tuple[int, list[str]]]:
    first = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    lines, number = [], 1
    try:
        for cells in reader:
            tidy = [as_written(" ".join(cell.split())) for cell in cells[:20]]
            if any(tidy):
                lines.append((number, tidy))
            number = reader.line_num + 1
    except csv.Error as error:
        raise InvalidInput(N_("Ce fichier n’est pas une liste lisible.")) from error
    return lines


def _columns_of(heading: Sequence[str]) -> dict[str, int]:
    keys = [name_key(cell, "") for cell in heading]
    columns = {
        name: next(index for index, key in enumerate(keys) if key in known)
        for name, known in _COLUMNS.items()
        if any(key in known for key in keys)
    }
    if any(name not in columns for name in _NEEDED):
        raise InvalidInput(N_("La première ligne nomme les colonnes : Référentiel, Code, Énoncé, Niveaux."))
    return columns


def _listed(number: int, cells: Sequence[str], columns: dict[str, int]) -> ListedCompetency:
    values = {name: cells[index] for name, index in columns.items() if index < len(cells)}
    levels = values.pop("levels", "").split(LEVEL_MARK)
    return ListedCompetency(
        number, **values, levels=tuple(level.strip() for level in levels if level.strip())
    )
