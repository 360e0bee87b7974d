"""Lists of competencies as campuses keep them: a spreadsheet saved as CSV, one competency a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.domain.core.tables import as_written
from app.domain.people.people import name_key
from app.errors import InvalidInput
from app.language import N_

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
    """One line, as read; `line` counts from 1 in what was given, heading included."""

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
    """Every line that says something; a framework stands until the next line names another."""
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
