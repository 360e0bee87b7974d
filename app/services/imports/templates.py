"""Tables to fill in, as CSV and as a workbook; dropped again, they are read without a question."""

from __future__ import annotations

from app.adapters.sheets.blank_workbooks import blank_workbook
from app.domain.core.tables import csv_for_excel
from app.domain.imports.columns import HEADINGS, ImportColumn

_EXAMPLE = (
    "P-2025-001;Robotique pour tous;Atelier;03/10/2025;03/10/2025;3;Le Creusot;LE BŒUF;Anne-Gaëlle;"
    "anne-gaelle.leboeuf@exemple.fr;Apprenant;2,5;A réglé les capteurs de son équipe.;ROB-1",
    "P-2025-002;Robotique pour tous;Atelier;03/10/2025;03/10/2025;3;Le Creusot;MARTIN;Zoé;;Ressource;3;"
    "A animé le banc d’essai.;ROB-1",
)
_CHOICES = {
    ImportColumn.KIND: ("Atelier", "Événement", "Projet", "Formation", "Immersion"),
    ImportColumn.PART: ("Apprenant", "Ressource"),
}
_DAYS = (ImportColumn.STARTS_ON, ImportColumn.ENDS_ON)
_PLACES = {column: place for place, column in enumerate(HEADINGS)}


def csv_template() -> bytes:
    """The heading alone: an example would be taken over by whoever forgets to delete it."""
    return csv_for_excel(tuple(HEADINGS.values()), [])


def workbook_template() -> bytes:
    return blank_workbook(
        "Activités",
        tuple(HEADINGS.values()),
        example=[line.split(";") for line in _EXAMPLE],
        example_name="Exemple",
        choices={_PLACES[column]: words for column, words in _CHOICES.items()},
        days=[_PLACES[column] for column in _DAYS],
    )
