"""Parses tables of activities and participations: French dates, decimal commas, roles and kinds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any

from app.domain.activities.activities import ActivityKind, PartKind
from app.domain.activities.days_as_written import day_in
from app.domain.activities.list_columns import (
    Column,
    address_column,
    heading_words,
    order_of_names,
    split_name,
)
from app.domain.activities.participant_lists import (
    ListedPerson,
    Row,
    cells_by_column,
    hours_in,
    rows_in,
    tidy,
    without_number,
)
from app.domain.imports.imports import MOST_LINES
from app.domain.imports.records import ActivityRecord, Record, fault_in, quoted, without_contradictions
from app.domain.people.people import check_name, normal_address
from app.domain.reports.cells import CELLS
from app.errors import InvalidInput
from app.language import N_

MOST_REMEMBERED = 200


class ImportColumn(StrEnum):
    NOTHING = "rien"
    EXTERNAL = "identifiant"
    ACTIVITY_EXTERNAL = "identifiant-activite"
    TITLE = "activite"
    KIND = "type"
    STARTS_ON = "date"
    ENDS_ON = "date-fin"
    ACTIVITY_HOURS = "duree"
    PLACE = "lieu"
    FAMILY = "nom"
    GIVEN = "prenom"
    FAMILY_FIRST = "nom-prenom"
    GIVEN_FIRST = "prenom-nom"
    ADDRESS = "courriel"
    PART = "role"
    HOURS = "heures"
    CONTRIBUTION = "contribution"
    SIZE = "effectif"
    AUDIENCES = "publics"
    ORGANISATIONS = "organisations"
    ESTABLISHMENTS = "etablissements"
    OBJECTIVE = "objectif"
    DEPARTEMENT = "departement"
    SECTOR = "secteur"
    SURVEY = "enquete"
    INVITED = "invites"


HEADINGS = {
    ImportColumn.EXTERNAL: "Identifiant",
    ImportColumn.TITLE: "Activité",
    ImportColumn.KIND: "Type",
    ImportColumn.STARTS_ON: "Date",
    ImportColumn.ENDS_ON: "Date de fin",
    ImportColumn.ACTIVITY_HOURS: "Durée de l’activité (h)",
    ImportColumn.PLACE: "Lieu",
    ImportColumn.FAMILY: "Nom",
    ImportColumn.GIVEN: "Prénom",
    ImportColumn.ADDRESS: "Courriel",
    ImportColumn.PART: "Rôle",
    ImportColumn.HOURS: "Heures de la personne",
    ImportColumn.CONTRIBUTION: "Contribution",
    ImportColumn.ACTIVITY_EXTERNAL: "Identifiant de l’activité",
    ImportColumn.SIZE: "Effectif",
    ImportColumn.AUDIENCES: "Publics",
    ImportColumn.ORGANISATIONS: "Organisations",
    ImportColumn.ESTABLISHMENTS: "Établissements",
    ImportColumn.OBJECTIVE: "Objectif",
    ImportColumn.DEPARTEMENT: "Département",
    ImportColumn.SECTOR: "Secteur",
    ImportColumn.SURVEY: "Enquête",
    ImportColumn.INVITED: "Invités",
}
"""The headings of our own template, in column order."""

_WORDINGS = {
    ImportColumn.EXTERNAL: {"identifiant", "id", "identifiant externe", "id externe", "reference", "ref", "external id", "uuid"},
    ImportColumn.ACTIVITY_EXTERNAL: {
        "identifiant de l activite", "id activite", "identifiant activite", "id projet", "identifiant du projet",
        "identifiant projet", "code activite", "code projet", "activity id", "project id",
    },
    ImportColumn.TITLE: {
        "activite", "titre", "titre de l activite", "intitule", "intitule de l activite", "nom de l activite", "action",
        "atelier", "projet", "nom du projet", "titre du projet", "project", "project name", "activity", "evenement",
    },
    ImportColumn.KIND: {"type", "type d activite", "type de l activite", "nature", "kind", "categorie"},
    ImportColumn.STARTS_ON: {
        "date", "date de debut", "debut", "du", "date de l activite", "date debut", "start", "start date", "date de l action",
    },
    ImportColumn.ENDS_ON: {"date de fin", "fin", "au", "date fin", "end", "end date"},
    ImportColumn.ACTIVITY_HOURS: {
        "duree de l activite h", "duree de l activite", "duree", "duree h", "duree en heures", "heures de l activite",
        "volume horaire", "duree prevue",
    },
    ImportColumn.PLACE: {"lieu", "place", "site", "ville", "location", "salle"},
    ImportColumn.FAMILY: {"nom", "nom de famille", "nom usuel", "nom d usage", "last name", "family name", "surname"},
    ImportColumn.GIVEN: {"prenom", "prenoms", "first name", "given name"},
    ImportColumn.FAMILY_FIRST: {
        "nom prenom", "nom et prenom", "nom complet", "participant", "participants", "membre", "membres", "personne",
    },
    ImportColumn.GIVEN_FIRST: {"prenom nom", "prenom et nom", "full name", "member", "utilisateur", "user"},
    ImportColumn.ADDRESS: {
        "courriel", "adresse electronique", "mail", "mel", "e mail", "email", "adresse mail", "adresse e mail",
        "adresse email", "adresse",
    },
    ImportColumn.PART: {"role", "roles", "part", "fonction", "role dans le projet", "statut du membre"},
    ImportColumn.HOURS: {
        "heures de la personne", "heures", "nb heures", "nombre d heures", "heures realisees", "heures passees", "hours",
        "temps passe", "heures effectuees",
    },
    ImportColumn.CONTRIBUTION: {"contribution", "role tenu", "apport", "commentaire", "description de la contribution"},
    ImportColumn.SIZE: {"effectif", "effectif declare", "nombre de participants", "nb participants", "jauge"},
    ImportColumn.AUDIENCES: {"publics", "public", "publics et nombres", "audiences"},
    ImportColumn.ORGANISATIONS: {"organisations", "entreprises", "partenaires", "entreprises et partenaires"},
    ImportColumn.ESTABLISHMENTS: {"etablissements", "etablissement", "uai", "siret", "code uai"},
    ImportColumn.OBJECTIVE: {"objectif", "objectifs", "axe", "axe et objectif", "axe objectif"},
    ImportColumn.DEPARTEMENT: {"departement", "dept", "dpt"},
    ImportColumn.SECTOR: {"secteur", "secteur d activite", "naf", "domaine rome"},
    ImportColumn.SURVEY: {"enquete", "satisfaction", "enquete de satisfaction"},
    ImportColumn.INVITED: {"invites", "nombre d invites", "personnes invitees"},
}  # fmt: skip
_BY_WORDING = {wording: column for column, wordings in _WORDINGS.items() for wording in wordings}

PART_WORDS = {
    **dict.fromkeys(
        (
            "ressource", "personne ressource", "animateur", "animatrice", "intervenant", "intervenante", "formateur",
            "formatrice", "mentor", "mentore", "tuteur", "tutrice", "encadrant", "encadrante", "organisateur",
            "organisatrice", "expert", "experte", "porteur", "porteuse", "porteur de projet", "porteuse de projet",
            "pilote", "chef de projet", "cheffe de projet", "resource",
        ),
        PartKind.RESOURCE,
    ),
    **dict.fromkeys(
        (
            "apprenant", "apprenante", "participant", "participante", "stagiaire", "eleve", "etudiant", "etudiante",
            "membre", "beneficiaire", "learner", "member",
        ),
        PartKind.LEARNER,
    ),
}  # fmt: skip
KIND_WORDS = {
    **dict.fromkeys(("atelier", "workshop"), ActivityKind.WORKSHOP),
    **dict.fromkeys(
        ("evenement", "event", "forum", "salon", "journee", "conference", "festival"), ActivityKind.EVENT
    ),
    **dict.fromkeys(("projet", "project", "hackathon", "defi"), ActivityKind.PROJECT),
    **dict.fromkeys(("formation", "cours", "module", "course", "stage de formation"), ActivityKind.COURSE),
    **dict.fromkeys(("immersion", "stage", "stage d immersion", "sejour"), ActivityKind.IMMERSION),
    **dict.fromkeys(("reunion", "meeting", "comite", "groupe de travail"), ActivityKind.MEETING),
    **dict.fromkeys(("conseil", "council", "conseil de perfectionnement", "copil"), ActivityKind.COUNCIL),
    **dict.fromkeys(("entretien", "interview", "rencontre"), ActivityKind.INTERVIEW),
    **dict.fromkeys(("communication", "action de communication"), ActivityKind.COMMUNICATION),
    **dict.fromkeys(("mobilite", "mobility", "echange", "voyage d etude"), ActivityKind.MOBILITY),
}


@dataclass(frozen=True)
class ReadingPlan:
    """How to parse the files of one source. Columns are identified by their heading, in any order."""

    columns: Mapping[str, ImportColumn] = field(default_factory=dict)
    parts: Mapping[str, PartKind] = field(default_factory=dict)
    kinds: Mapping[str, ActivityKind] = field(default_factory=dict)
    kind: ActivityKind | None = None
    """For activities without a column for the kind."""

    def to_words(self) -> dict[str, Any]:
        return {
            "columns": {name: column.value for name, column in self.columns.items()},
            "parts": {word: part.value for word, part in self.parts.items()},
            "kinds": {word: kind.value for word, kind in self.kinds.items()},
            "kind": self.kind.value if self.kind else "",
        }

    @classmethod
    def from_words(cls, words: Mapping[str, Any]) -> ReadingPlan:
        return cls(
            {name: ImportColumn(column) for name, column in words.get("columns", {}).items()},
            {word: PartKind(part) for word, part in words.get("parts", {}).items()},
            {word: ActivityKind(kind) for word, kind in words.get("kinds", {}).items()},
            ActivityKind(words["kind"]) if words.get("kind") else None,
        )

    def after(self, earlier: ReadingPlan) -> ReadingPlan:
        """Earlier settings apply where no newer one replaces them."""
        return ReadingPlan(
            _latest(earlier.columns, self.columns),
            _latest(earlier.parts, self.parts),
            _latest(earlier.kinds, self.kinds),
            self.kind or earlier.kind,
        )


def _latest(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    both = {**{name: value for name, value in earlier.items() if name not in now}, **now}
    return dict(list(both.items())[-MOST_REMEMBERED:])


def heading_keys(heading: Sequence[str]) -> list[str]:
    """The keys that identify each column next time; a repeated heading is numbered by its position."""
    keys: list[str] = []
    for index, cell in enumerate(heading, 1):
        key = heading_words(cell)[:200]
        keys.append(key if key and key not in keys else f"{key} {index}".strip())
    return keys


def columns_of(
    heading: Sequence[str], plan: ReadingPlan, cells: Sequence[Sequence[str]]
) -> tuple[ImportColumn, ...]:
    """What each column contains, by the source's settings, else by heading and `cells`; each type once."""
    found: list[ImportColumn] = []
    told = [plan.columns.get(key) for key in heading_keys(heading)]
    taken = {column for column in told if column is not None}
    for cell, said in zip(heading, told, strict=True):
        column = said or guessed(cell)
        if said is None and column in taken:
            column = ImportColumn.NOTHING
        taken.add(column)
        found.append(column)
    _find_addresses(heading, cells, found, told)
    return tuple(_one_way_of_naming(found, told))


def _find_addresses(
    heading: Sequence[str],
    cells: Sequence[Sequence[str]],
    found: list[ImportColumn],
    told: Sequence[ImportColumn | None],
) -> None:
    if ImportColumn.ADDRESS in told:
        return
    named = found.index(ImportColumn.ADDRESS) if ImportColumn.ADDRESS in found else None
    free = [
        index for index, column in enumerate(found) if column is ImportColumn.NOTHING and told[index] is None
    ]
    at = address_column(heading, cells, named, free)
    if named is not None:
        found[named] = ImportColumn.NOTHING
    if at is not None:
        found[at] = ImportColumn.ADDRESS


def guessed(cell: str) -> ImportColumn:
    return _BY_WORDING.get(heading_words(cell), ImportColumn.NOTHING)


def _one_way_of_naming(
    columns: Sequence[ImportColumn], told: Sequence[ImportColumn | None]
) -> list[ImportColumn]:
    """A family name alone is a full name; beside a given name, a full name adds nothing."""
    present, kept = set(columns), list(columns)
    for index, (column, said) in enumerate(zip(columns, told, strict=True)):
        if said is not None:
            continue
        if column is ImportColumn.FAMILY and ImportColumn.GIVEN not in present:
            kept[index] = ImportColumn.FAMILY_FIRST
        elif (
            column in (ImportColumn.FAMILY_FIRST, ImportColumn.GIVEN_FIRST)
            and {
                ImportColumn.FAMILY,
                ImportColumn.GIVEN,
            }
            <= present
        ):
            kept[index] = ImportColumn.NOTHING
    return kept


def is_heading(cells: Sequence[str]) -> bool:
    """At least two of our columns: a title above a table has one at most."""
    return len({guessed(cell) for cell in cells} - {ImportColumn.NOTHING}) >= 2


def part_of_word(cell: str, plan: ReadingPlan) -> PartKind | None:
    word = heading_words(cell)
    return plan.parts.get(word) or PART_WORDS.get(word)


_OF_REPORT = tuple(ImportColumn(name) for name in CELLS)


def kind_of_word(cell: str, plan: ReadingPlan) -> ActivityKind | None:
    word = heading_words(cell)
    known = plan.kinds.get(word) or KIND_WORDS.get(word)
    return known or KIND_WORDS.get(re.sub(r"s\b", "", word))


_TITLE_LINES = 12
_WHOLE = {
    ImportColumn.FAMILY_FIRST: Column.FAMILY_FIRST,
    ImportColumn.GIVEN_FIRST: Column.GIVEN_FIRST,
}


@dataclass(frozen=True)
class Sheet:
    """A table as rows under a heading."""

    heading: tuple[str, ...]
    rows: tuple[Row, ...]

    @cached_property
    def _cells(self) -> list[list[str]]:
        return cells_by_column(self.rows, len(self.heading))

    def columns(self, plan: ReadingPlan) -> tuple[ImportColumn, ...]:
        return columns_of(self.heading, plan, self._cells)

    def words_in(self, column: ImportColumn, plan: ReadingPlan, *, most: int = 30) -> list[str]:
        """The distinct values of one column, in first spelling."""
        found: dict[str, str] = {}
        for index, each in enumerate(self.columns(plan)):
            if each is column:
                for row in self.rows:
                    if index < len(row.cells) and row.cells[index] and len(found) < most:
                        found.setdefault(heading_words(row.cells[index]), row.cells[index])
        return list(found.values())


def read_sheet(text: str) -> Sheet:
    """The first line with two of our columns is the heading, else the very first line."""
    if "\x00" in text:
        raise InvalidInput(N_("Ce fichier n’est pas un tableau lisible."))
    rows = [row for row in rows_in(text.lstrip("\ufeff")) if any(row.cells)]
    if len(rows) < 2:
        raise InvalidInput(
            N_("Ce tableau est vide : une ligne d’en-tête, puis une ligne par personne et par activité.")
        )
    at = next((index for index, row in enumerate(rows[:_TITLE_LINES]) if is_heading(row.cells)), 0)
    below = rows[at + 1 :]
    if len(below) > MOST_LINES:
        raise InvalidInput(N_("Ce tableau dépasse 20 000 lignes. Découpez-le en plusieurs fichiers."))
    width = max(len(row.cells) for row in rows[at:])
    heading = (*rows[at].cells, *("",) * (width - len(rows[at].cells)))
    return Sheet(heading, tuple(below))


def read_records(sheet: Sheet, plan: ReadingPlan) -> list[Record]:
    """Every line, in order; faults are recorded on the line."""
    columns = sheet.columns(plan)
    orders = _orders(sheet, columns)
    read = [_record(row, columns, plan, orders) for row in sheet.rows]
    return without_contradictions(read)


def _orders(sheet: Sheet, columns: Sequence[ImportColumn]) -> Mapping[ImportColumn, Column]:
    """Whether full names begin with the family name: decided per column."""
    orders = dict(_WHOLE)
    for index, column in enumerate(columns):
        if column in _WHOLE:
            cells = [row.cells[index] for row in sheet.rows if index < len(row.cells)]
            orders[column] = order_of_names(cells, _WHOLE[column])
    return orders


def _record(
    row: Row,
    columns: Sequence[ImportColumn],
    plan: ReadingPlan,
    orders: Mapping[ImportColumn, Column],
) -> Record:
    cells: dict[ImportColumn, str] = {
        column: cell
        for column, cell in zip(columns, row.cells, strict=False)
        if column is not ImportColumn.NOTHING
    }
    record = Record(row.number, external_id=cells.get(ImportColumn.EXTERNAL, ""))
    try:
        record = Record(
            row.number,
            cells.get(ImportColumn.EXTERNAL, ""),
            _activity(cells, plan),
            _person(row.number, cells, orders),
            _part(cells, plan),
        )
        check_name(record.person.given_name, record.person.family_name)
    except InvalidInput as error:
        title = ActivityRecord(title=cells.get(ImportColumn.TITLE, ""))
        told = Record(row.number, record.external_id, title, _person_as_written(row.number, cells, orders))
        return told.refused(error.sentence, **error.values)
    fault = fault_in(record)
    return record.refused(fault.sentence, **fault.values) if fault else record


def _activity(cells: Mapping[ImportColumn, str], plan: ReadingPlan) -> ActivityRecord:
    kind = cells.get(ImportColumn.KIND, "")
    known = kind_of_word(kind, plan) if kind else plan.kind
    if kind and known is None:
        raise InvalidInput(
            N_("Le type « {word} » n’est pas connu : dites ce qu’il veut dire."), word=quoted(kind)
        )
    return ActivityRecord(
        cells.get(ImportColumn.ACTIVITY_EXTERNAL, ""),
        " ".join(cells.get(ImportColumn.TITLE, "").split()),
        known,
        _day(cells.get(ImportColumn.STARTS_ON, "")),
        _day(cells.get(ImportColumn.ENDS_ON, "")),
        " ".join(cells.get(ImportColumn.PLACE, "").split()),
        _hours(cells.get(ImportColumn.ACTIVITY_HOURS, "")) or None,
        report={column.value: cells[column] for column in _OF_REPORT if cells.get(column, "").strip()},
    )


def _person(
    number: int, cells: Mapping[ImportColumn, str], orders: Mapping[ImportColumn, Column]
) -> ListedPerson:
    named = _person_as_written(number, cells, orders)
    return ListedPerson(
        number,
        given_name=named.given_name,
        family_name=named.family_name,
        address=named.address,
        homonym=named.homonym,
        told_first=named.told_first,
        hours=_hours(cells.get(ImportColumn.HOURS, "")),
        contribution=cells.get(ImportColumn.CONTRIBUTION, "").strip(),
    )


def _person_as_written(
    number: int, cells: Mapping[ImportColumn, str], orders: Mapping[ImportColumn, Column]
) -> ListedPerson:
    given, family = cells.get(ImportColumn.GIVEN, ""), cells.get(ImportColumn.FAMILY, "")
    family, homonym = without_number(family)
    for column, order in orders.items():
        if column in cells:
            whole, homonym = without_number(cells[column])
            given, family = split_name(whole, order)
    return tidy(
        ListedPerson(
            number,
            given_name=" ".join(given.split()),
            family_name=" ".join(family.split()),
            address=normal_address(cells.get(ImportColumn.ADDRESS, "")),
            homonym=max(homonym, 1),
            told_first=homonym == 1,
        )
    )


def _part(cells: Mapping[ImportColumn, str], plan: ReadingPlan) -> PartKind | None:
    word = cells.get(ImportColumn.PART, "")
    part = part_of_word(word, plan) if word else None
    if word and part is None:
        raise InvalidInput(
            N_("Le rôle « {word} » n’est ni apprenant ni ressource : dites ce qu’il veut dire."),
            word=quoted(word),
        )
    return part


def _hours(cell: str) -> float | None:
    hours, fault = hours_in(cell)
    if fault:
        raise InvalidInput(
            N_("« {word} » n’est pas un nombre d’heures : écrivez 14 ou 14,5."), word=quoted(cell)
        )
    return hours


def _day(cell: str) -> date | None:
    if not cell.strip():
        return None
    day = day_in(cell)
    if day is None:
        raise InvalidInput(
            N_("« {word} » n’est pas une date : écrivez 03/10/2025 (jour, mois, année)."), word=quoted(cell)
        )
    return day
