"""What each column of a table of activities holds: guessed from its heading, said by a person, remembered for next time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.domain.activities.activities import ActivityKind, PartKind
from app.domain.activities.list_columns import address_column, heading_words

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
}
"""The heading of our own template, in its order."""

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
}


@dataclass(frozen=True)
class ReadingPlan:
    """How the files of one source are read. Columns are known by the words of their heading, in whatever order they stand."""

    columns: Mapping[str, ImportColumn] = field(default_factory=dict)
    parts: Mapping[str, PartKind] = field(default_factory=dict)
    kinds: Mapping[str, ActivityKind] = field(default_factory=dict)
    kind: ActivityKind | None = None
    """Of activities whose kind no column says."""

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
        """What was said before stays true of what is not said now."""
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
    """The words by which each column is known next time; a heading that stands twice is told apart by its place."""
    keys: list[str] = []
    for index, cell in enumerate(heading, 1):
        key = heading_words(cell)[:200]
        keys.append(key if key and key not in keys else f"{key} {index}".strip())
    return keys


def columns_of(
    heading: Sequence[str], plan: ReadingPlan, cells: Sequence[Sequence[str]]
) -> tuple[ImportColumn, ...]:
    """What each column holds: as it was said for this source, else as its heading and its `cells` say; each thing once."""
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
    """A family name alone is a whole name; beside a first name, a whole name tells nothing more."""
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
    """At least two columns of ours: a title above a table has one at most."""
    return len({guessed(cell) for cell in cells} - {ImportColumn.NOTHING}) >= 2


def part_of_word(cell: str, plan: ReadingPlan) -> PartKind | None:
    word = heading_words(cell)
    return plan.parts.get(word) or PART_WORDS.get(word)


def kind_of_word(cell: str, plan: ReadingPlan) -> ActivityKind | None:
    word = heading_words(cell)
    known = plan.kinds.get(word) or KIND_WORDS.get(word)
    return known or KIND_WORDS.get(re.sub(r"s\b", "", word))
