"""Parses tables of activities and participations: French dates, decimal commas, roles and kinds."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any

from app.domain.activities import ActivityKind, PartKind
from app.domain.activities.days_as_written import (
    FAR_YEAR,
    day_in,
    is_of_a_far_year,
    unclear_days,
)
from app.domain.activities.listed_people import ListedPerson
from app.domain.imports.imports import (
    MOST_LINES,
    ActivityRecord,
    Record,
    fault_in,
    improbable_in,
    quoted,
    without_contradictions,
)
from app.domain.imports.lists.model import OF_ADDRESS, Block, Column, Doubt, Line, Reason, Row, State
from app.domain.imports.lists.reading import read_blocks
from app.domain.imports.lists.suspicion import remaining_faults
from app.domain.imports.lists.vocabulary.hours import HOURS_OUT_OF_RANGE, hours_fault, hours_in, with_unit
from app.domain.imports.lists.vocabulary.names import fold
from app.domain.imports.lists.vocabulary.wording import OF_OTHERS, role_of_heading
from app.domain.people import check_name
from app.domain.reports.facts import CELLS
from app.errors import AppError, InvalidInput

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
    WHOLE = "nom-complet"
    """In an order that the heading does not tell."""
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
    ImportColumn.ADDRESS: "E-mail",
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
    ImportColumn.PART: {"role", "roles", "part", "fonction", "role dans le projet", "statut du membre"},
    ImportColumn.HOURS: {"heures de la personne"},
    ImportColumn.CONTRIBUTION: {"commentaire", "description de la contribution"},
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
_AS_ON_LISTS = {
    Column.FAMILY: ImportColumn.FAMILY,
    Column.GIVEN: ImportColumn.GIVEN,
    Column.FAMILY_FIRST: ImportColumn.FAMILY_FIRST,
    Column.GIVEN_FIRST: ImportColumn.GIVEN_FIRST,
    Column.WHOLE: ImportColumn.WHOLE,
    Column.ADDRESS: ImportColumn.ADDRESS,
    Column.PART: ImportColumn.PART,
    Column.HOURS: ImportColumn.HOURS,
    Column.CONTRIBUTION: ImportColumn.CONTRIBUTION,
}
"""Headings about people are those of a list of people."""

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
            {fold(name): ImportColumn(column) for name, column in words.get("columns", {}).items()},
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
        key = fold(cell)[:200]
        keys.append(key if key and key not in keys else f"{key} {index}".strip())
    return keys


def columns_of(
    heading: Sequence[str], plan: ReadingPlan, cells: Sequence[Sequence[str]]
) -> tuple[ImportColumn, ...]:
    """What each column contains, by the source's settings, else by heading and `cells`; each type once."""
    found: list[ImportColumn] = []
    chosen = [plan.columns.get(key) for key in heading_keys(heading)]
    taken = {column for column in chosen if column is not None}
    for cell, said in zip(heading, chosen, strict=True):
        column = said or guessed(cell)
        if said is None and column in taken:
            column = ImportColumn.NOTHING
        taken.add(column)
        found.append(column)
    _find_addresses(heading, cells, found, chosen)
    return tuple(_one_way_of_naming(found, chosen))


def _find_addresses(
    heading: Sequence[str],
    cells: Sequence[Sequence[str]],
    found: list[ImportColumn],
    chosen: Sequence[ImportColumn | None],
) -> None:
    """« Adresse » may be where a person lives: a column without any « @ » does not count."""
    if ImportColumn.ADDRESS in chosen:
        return
    named = found.index(ImportColumn.ADDRESS) if ImportColumn.ADDRESS in found else None
    if named is not None and _holds_addresses(cells[named]):
        return
    other = next(
        (
            index
            for index, column in enumerate(found)
            if column is ImportColumn.NOTHING
            and chosen[index] is None
            and _holds_addresses(cells[index])
            and not set(fold(heading[index]).split()) & (OF_OTHERS - {"contact"})
        ),
        None,
    )
    if named is not None and (
        other is not None or (fold(heading[named]) == "adresse" and any(" " in cell for cell in cells[named]))
    ):
        found[named] = ImportColumn.NOTHING
    if other is not None:
        found[other] = ImportColumn.ADDRESS


def _holds_addresses(cells: Sequence[str]) -> bool:
    written = [cell for cell in cells if cell]
    return bool(written) and 2 * sum("@" in cell for cell in written) >= len(written)


def guessed(cell: str) -> ImportColumn:
    known = _BY_WORDING.get(fold(cell))
    return known or _AS_ON_LISTS.get(role_of_heading(cell)[0], ImportColumn.NOTHING)


def _one_way_of_naming(
    columns: Sequence[ImportColumn], chosen: Sequence[ImportColumn | None]
) -> list[ImportColumn]:
    """A family name alone is a full name; beside a given name, a full name adds nothing."""
    present, kept = set(columns), list(columns)
    for index, (column, said) in enumerate(zip(columns, chosen, strict=True)):
        if said is not None:
            continue
        if column is ImportColumn.FAMILY and ImportColumn.GIVEN not in present:
            kept[index] = ImportColumn.WHOLE
        elif (
            column in _WHOLE
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
    word = fold(cell)
    return plan.parts.get(word) or PART_WORDS.get(word)


_OF_REPORT = tuple(ImportColumn(name) for name in CELLS)


def kind_of_word(cell: str, plan: ReadingPlan) -> ActivityKind | None:
    word = fold(cell)
    known = plan.kinds.get(word) or KIND_WORDS.get(word)
    return known or KIND_WORDS.get(re.sub(r"s\b", "", word))


_TITLE_LINES = 12
_ABRIDGED = re.compile(r"(?<!\S)\d(?:[.,]\d+)?E\+\d+(?!\S)")
_WHOLE = (ImportColumn.FAMILY_FIRST, ImportColumn.GIVEN_FIRST, ImportColumn.WHOLE)
_OF_PEOPLE = {
    ImportColumn.FAMILY: "Nom",
    ImportColumn.GIVEN: "Prénom",
    ImportColumn.FAMILY_FIRST: "Nom et prénom",
    ImportColumn.GIVEN_FIRST: "Prénom et nom",
    ImportColumn.WHOLE: "Nom complet",
    ImportColumn.ADDRESS: "E-mail",
}


@dataclass(frozen=True)
class Sheet:
    """A table as rows under a heading."""

    heading: tuple[str, ...]
    rows: tuple[Row, ...]

    @cached_property
    def _cells(self) -> list[list[str]]:
        width = range(len(self.heading))
        return [[row.cells[index] for row in self.rows if index < len(row.cells)] for index in width]

    def columns(self, plan: ReadingPlan) -> tuple[ImportColumn, ...]:
        return columns_of(self.heading, plan, self._cells)

    def words_in(self, column: ImportColumn, plan: ReadingPlan) -> list[str]:
        """The distinct values of one column, in first spelling; the first thirty."""
        found: dict[str, str] = {}
        for index, each in enumerate(self.columns(plan)):
            if each is column:
                for row in self.rows:
                    if index < len(row.cells) and row.cells[index] and len(found) < 30:
                        found.setdefault(fold(row.cells[index]), row.cells[index])
        return list(found.values())


def read_sheet(blocks: Sequence[Block]) -> Sheet:
    """The first row with two of our columns is the heading, else the very first row."""
    tables = [[row for row in block.rows if any(row.cells)] for block in blocks]
    found = [
        (rows, index)
        for rows in tables
        for index, row in enumerate(rows[:_TITLE_LINES])
        if is_heading(row.cells) and len(rows) > index + 1
    ]
    rows, at = found[0] if found else (next((rows for rows in tables if len(rows) > 1), []), 0)
    if len(rows) < 2:
        raise InvalidInput(
            "Ce tableau est vide : une ligne d’en-tête, puis une ligne par personne et par activité."
        )
    below = rows[at + 1 :]
    if len(below) > MOST_LINES:
        raise InvalidInput("Ce tableau dépasse 20 000 lignes. Découpez-le en plusieurs fichiers.")
    width = max(len(row.cells) for row in rows[at:])
    heading = (*rows[at].cells, *("",) * (width - len(rows[at].cells)))
    return Sheet(heading, tuple(below))


def read_records(
    sheet: Sheet,
    plan: ReadingPlan,
    *,
    today: date,
    sure: Collection[int] = (),
    taken: Collection[int] = (),
) -> list[Record]:
    """Every line, in order; faults are recorded on the line.

    `sure` are doubtful lines that a person confirmed, `taken` those with an accepted suggestion for the address.
    """
    columns = sheet.columns(plan)
    sheet = _with_units(sheet, columns)
    people = _people(sheet, columns)
    people |= {number: _with_suggestion(people[number]) for number in taken if number in people}
    unclear: dict[int, str] = {}
    for index, column in enumerate(columns):
        if column in (ImportColumn.STARTS_ON, ImportColumn.ENDS_ON):
            days = {row.number: row.cells[index] for row in sheet.rows if index < len(row.cells)}
            unclear |= unclear_days(days)
    read = [
        _asked(
            _record(row, columns, plan, people[row.number]),
            people[row.number],
            unclear.get(row.number, ""),
            today,
            is_sure=row.number in sure,
        )
        for row in sheet.rows
    ]
    return without_contradictions(read)


def _people(sheet: Sheet, columns: Sequence[ImportColumn]) -> dict[int, Line]:
    """The person of each row, as the reader of lists sees them; equal cells are read once."""
    held = [(index, column) for index, column in enumerate(columns) if column in _OF_PEOPLE]
    rows_of: dict[tuple[str, ...], list[int]] = {}
    for row in sheet.rows:
        cells = tuple(row.cells[index] if index < len(row.cells) else "" for index, _ in held)
        rows_of.setdefault(cells, []).append(row.number)
    heading = Row(0, tuple(_OF_PEOPLE[column] for _, column in held), "")
    rows = (
        Row(numbers[0], cells, " ; ".join(filter(None, cells)))
        for cells, numbers in rows_of.items()
        if any(cells)
    )
    read: dict[int, Line] = {}
    for line in read_blocks([Block((heading, *rows))]).lines:
        read.setdefault(line.line, line)
    return {
        number: _without_repetition(read.get(numbers[0], Line(number, "")), read)
        for numbers in rows_of.values()
        for number in numbers
    }


def _with_units(sheet: Sheet, columns: Sequence[ImportColumn]) -> Sheet:
    """« 90 » under « Durée (min) » is 90 min."""
    timed = [index for index, column in enumerate(columns) if column in _OF_TIME]
    if not timed:
        return sheet
    rows = (
        replace(
            row,
            cells=tuple(
                with_unit(cell, sheet.heading[index]) if index in timed else cell
                for index, cell in enumerate(row.cells)
            ),
        )
        for row in sheet.rows
    )
    return replace(sheet, rows=tuple(rows))


_OF_TIME = frozenset((ImportColumn.HOURS, ImportColumn.ACTIVITY_HOURS))


def _suggestion(line: Line) -> str:
    return next((doubt.suggestion for doubt in line.doubts if doubt.suggestion), "")


def _with_suggestion(line: Line) -> Line:
    address = _suggestion(line)
    return replace(line, address=address).without(*OF_ADDRESS) if address else line


def _without_repetition(line: Line, read: Mapping[int, Line]) -> Line:
    """A person may stand on many rows of this table."""
    repeated = next((doubt.line for doubt in line.doubts if doubt.reason is Reason.REPEATED), None)
    if repeated is not None and repeated in read:
        line = replace(line, doubts=read[repeated].doubts)
    return line.without(Reason.SAME_NAME, Reason.REPEATED)


def _record(row: Row, columns: Sequence[ImportColumn], plan: ReadingPlan, person: Line) -> Record:
    cells: dict[ImportColumn, str] = {
        column: cell
        for column, cell in zip(columns, row.cells, strict=False)
        if column is not ImportColumn.NOTHING
    }
    record = Record(row.number, external_id=cells.get(ImportColumn.EXTERNAL, ""))
    listed = _listed(row.number, person, cells)
    try:
        record = Record(
            row.number,
            cells.get(ImportColumn.EXTERNAL, ""),
            _activity(cells, plan),
            replace(listed, hours=_hours(cells.get(ImportColumn.HOURS, ""))),
            _part(cells, plan),
        )
        if found := _ABRIDGED.search(f"{record.external_id} {record.activity.external_id}"):
            raise InvalidInput("« {word} » : le tableur a abrégé cet identifiant.", word=found[0])
        check_name(record.person.given_name, record.person.family_name)
    except InvalidInput as error:
        title = ActivityRecord(title=cells.get(ImportColumn.TITLE, ""))
        record = Record(row.number, record.external_id, title, listed)
        return record.refused(error.sentence, **error.values)
    fault = fault_in(record)
    return record.refused(fault.sentence, **fault.values) if fault else record


def _asked(record: Record, person: Line, unclear: str, today: date, *, is_sure: bool) -> Record:
    """Refused for what no confirmation makes right, or until a person confirms it."""
    if record.fault:
        return record
    doubts: list[Doubt] = remaining_faults(person)
    if person.state is State.REFUSED:
        doubts = [*person.doubts, *doubts]
    if doubts:
        suggestion = doubts[0].suggestion
        return replace(record.refused(doubts[0].sentence, **doubts[0].values), suggestion=suggestion)
    found: AppError | Doubt | None = improbable_in(record, unclear, today)
    if found and person.doubts:
        found = InvalidInput(
            "Deux points à vérifier sur cette ligne : le nom ou l’adresse, et les heures ou la date."
        )
    elif person.doubts:
        found = next((one for one in person.doubts if one.suggestion), person.doubts[0])
    if found is None or is_sure:
        return record
    suggestion = found.suggestion if isinstance(found, Doubt) else ""
    return replace(record.refused(found.sentence, **found.values), asks=True, suggestion=suggestion)


def _listed(number: int, person: Line, cells: Mapping[ImportColumn, str]) -> ListedPerson:
    written = next((doubt.word for doubt in person.doubts if doubt.reason is Reason.ADDRESS_INVALID), "")
    return ListedPerson(
        number,
        given_name=person.given_name,
        family_name=person.family_name,
        address=person.address or written,
        homonym=max(person.homonym, 1),
        numbered_first=person.homonym == 1,
        contribution=cells.get(ImportColumn.CONTRIBUTION, "").strip(),
    )


def _activity(cells: Mapping[ImportColumn, str], plan: ReadingPlan) -> ActivityRecord:
    kind = cells.get(ImportColumn.KIND, "")
    known = kind_of_word(kind, plan) if kind else plan.kind
    if kind and known is None:
        raise InvalidInput(
            "Le type « {word} » n’est pas connu : dites ce qu’il veut dire.", word=quoted(kind)
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


def _part(cells: Mapping[ImportColumn, str], plan: ReadingPlan) -> PartKind | None:
    word = cells.get(ImportColumn.PART, "")
    part = part_of_word(word, plan) if word else None
    if word and part is None:
        raise InvalidInput(
            "Le rôle « {word} » n’est ni apprenant ni ressource : dites ce qu’il veut dire.",
            word=quoted(word),
        )
    return part


def _hours(cell: str) -> float | None:
    hours, readable = hours_in(cell)
    if not readable and hours_fault(cell) == HOURS_OUT_OF_RANGE:
        raise InvalidInput(HOURS_OUT_OF_RANGE)
    if not readable:
        raise InvalidInput("« {word} » n’est pas un nombre d’heures : écrivez 14 ou 14,5.", word=quoted(cell))
    return hours


def _day(cell: str) -> date | None:
    if not cell.strip():
        return None
    day = day_in(cell)
    if day is None and is_of_a_far_year(cell):
        raise InvalidInput(FAR_YEAR)
    if day is None:
        raise InvalidInput(
            "« {word} » n’est pas une date : écrivez 03/10/2025 (jour, mois, année).", word=quoted(cell)
        )
    return day
