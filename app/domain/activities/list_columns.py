"""What each column of a list contains: guessed from heading or cells, shown, and corrected by a person."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from enum import StrEnum

from app.domain.people.people import name_key

_CIVILITIES = frozenset(("m", "mr", "mme", "mlle", "monsieur", "madame", "mademoiselle"))


class Column(StrEnum):
    NOTHING = "rien"
    FAMILY = "nom"
    GIVEN = "prenom"
    FAMILY_FIRST = "nom-prenom"
    GIVEN_FIRST = "prenom-nom"
    ADDRESS = "adresse"
    HOURS = "heures"
    PART = "role"
    CONTRIBUTION = "contribution"
    UNDER_15 = "age"

    @property
    def is_whole_name(self) -> bool:
        return self in (Column.FAMILY_FIRST, Column.GIVEN_FIRST)


# A heading that matches exactly is recognised even when it stands alone.
_IN_THESE_WORDS = {
    Column.FAMILY: {"nom", "nom de famille", "nom usuel", "nom d usage", "name", "last name", "family name", "surname"},
    Column.GIVEN: {"prenom", "prenoms", "first name", "given name"},
    Column.FAMILY_FIRST: {"nom prenom", "nom et prenom", "nom complet", "participant", "participants", "personne"},
    Column.GIVEN_FIRST: {"prenom nom", "prenom et nom", "full name"},
    Column.ADDRESS: {"adresse", "adresse electronique", "courriel", "mail", "mel", "e mail", "email"},
    Column.HOURS: {"heures", "nb heures", "nombre d heures", "duree", "hours"},
    Column.PART: {"role", "part"},
    Column.CONTRIBUTION: {"contribution", "role tenu", "apport", "ce que la personne a fait"},
    Column.UNDER_15: {"age", "tranche d age", "moins de 15 ans"},
}  # fmt: skip
UNDER_15, FROM_15 = "moins de 15 ans", "15 ans ou plus"
BELOW, ABOVE = (
    {UNDER_15, "moins de 15"},
    {FROM_15, "15 ans et plus", "15 17 ans", "adulte", "majeur", "majeure"},
)
"""Spellings of the two age bands; everyone of 15 or more is in one band, since only minority matters here."""
_MAIL = {"mail", "email", "courriel", "mel"}
_TIME = {"heure", "heures", "duree", "hours"}
# « Nom de l’établissement » names no person.
_OF_SOMETHING_ELSE = {
    "atelier", "activite", "classe", "entreprise", "etablissement", "formateur", "formatrice", "groupe",
    "lycee", "organisme", "parent", "responsable", "societe", "structure", "tuteur", "ville",
}  # fmt: skip
_NAMES = {Column.FAMILY, Column.GIVEN, Column.FAMILY_FIRST, Column.GIVEN_FIRST}
_PARTICLES = {
    "le", "la", "les", "l", "de", "du", "des", "d", "van", "von", "der", "den", "da", "di", "del", "dos",
    "el", "al", "ben", "ould", "mac", "saint", "sainte",
}  # fmt: skip


def heading_words(cell: str) -> str:
    """A heading without case, accents or punctuation, in its original order."""
    return " ".join(name_key("", word) for word in re.findall(r"\w+", cell))


def is_age_band(cell: str) -> bool:
    return heading_words(cell) in BELOW | ABOVE


def columns_of_heading(cells: Sequence[str]) -> tuple[Column, ...] | None:
    """What each column contains if this line is a heading, else None."""
    found = [_named(cell) for cell in cells]
    seen: set[Column] = set()
    columns = []
    for column, _ in found:
        columns.append(Column.NOTHING if column in seen else column)
        seen.add(column)
    if not seen & _NAMES:
        return None
    exact = any(column in _NAMES and sure for column, sure in found)
    if not exact and len(seen - {Column.NOTHING}) < 2:
        return None
    if Column.FAMILY in seen and Column.GIVEN not in seen:
        return tuple(Column.FAMILY_FIRST if column is Column.FAMILY else column for column in columns)
    if seen & {Column.FAMILY, Column.GIVEN} and seen & {Column.FAMILY_FIRST, Column.GIVEN_FIRST}:
        return tuple(Column.NOTHING if column.is_whole_name else column for column in columns)
    return tuple(columns)


def holds_addresses(cells: Sequence[str]) -> bool:
    """Whether a column contains e-mail addresses, some perhaps mistyped."""
    written = [cell for cell in cells if cell]
    return bool(written) and 2 * sum("@" in cell for cell in written) >= len(written)


def is_of_something_else(cell: str) -> bool:
    """A heading such as « Courriel du responsable », about a person who is not on the list."""
    return bool(set(heading_words(cell).split()) & _OF_SOMETHING_ELSE)


def address_column(
    heading: Sequence[str], cells: Sequence[Sequence[str]], named: int | None, free: Collection[int]
) -> int | None:
    """The column of e-mail addresses: the one so `named`, unless another one of the `free` contains them.

    « Adresse » may be a postal address: a column without any « @ » does not count.
    """
    if named is not None and holds_addresses(cells[named]):
        return named
    found = (
        index for index in free if holds_addresses(cells[index]) and not is_of_something_else(heading[index])
    )
    other = next(found, None)
    if other is not None or named is None:
        return other
    lives_there = heading_words(heading[named]) == "adresse" and any(" " in cell for cell in cells[named])
    return None if lives_there else named


def _named(cell: str) -> tuple[Column, bool]:
    """The column that a heading names, and whether it matches exactly."""
    heading = heading_words(cell)
    for column, wordings in _IN_THESE_WORDS.items():
        if heading in wordings:
            return column, True
    words = set(heading.split())
    if not words or len(words) > 6 or words & _OF_SOMETHING_ELSE:
        return Column.NOTHING, False
    if words & _MAIL:
        return Column.ADDRESS, False
    if {"nom", "prenom"} <= words:
        first = heading.split().index("nom") < heading.split().index("prenom")
        return (Column.FAMILY_FIRST if first else Column.GIVEN_FIRST), False
    if words & {"prenom", "prenoms"}:
        return Column.GIVEN, False
    if heading.startswith("nom "):
        return Column.FAMILY, False
    if words & _TIME:
        return Column.HOURS, False
    return Column.NOTHING, False


def columns_of_cells(rows: Sequence[Sequence[str]]) -> tuple[Column, ...]:
    """A guess for lines without a heading: addresses by their « @ », names among the rest."""
    width = max((len(cells) for cells in rows), default=0)
    by_column = [
        [cells[index] for cells in rows if index < len(cells) and cells[index]] for index in range(width)
    ]
    columns = [Column.NOTHING] * width
    for index, cells in enumerate(by_column):
        if cells and all("@" in cell for cell in cells) and Column.ADDRESS not in columns:
            columns[index] = Column.ADDRESS
        elif cells and all(is_age_band(cell) for cell in cells) and Column.UNDER_15 not in columns:
            columns[index] = Column.UNDER_15
    names = [index for index in range(width) if columns[index] is Column.NOTHING and by_column[index]][:2]
    if len(names) == 1:
        columns[names[0]] = order_of_names(by_column[names[0]])
    elif names:
        capitals = [sum(cell.isupper() for cell in by_column[index]) for index in names]
        family, given = names if capitals[0] >= capitals[1] else names[::-1]
        columns[family], columns[given] = Column.FAMILY, Column.GIVEN
    return tuple(columns)


def order_of_names(cells: Sequence[str], otherwise: Column = Column.GIVEN_FIRST) -> Column:
    """Whether full names begin with the family name: each line with capitals or a particle votes."""
    votes = [vote for cell in cells if (vote := _order_told_by(cell))]
    first = votes.count(Column.FAMILY_FIRST)
    if not votes or 2 * first == len(votes):
        return otherwise
    return Column.FAMILY_FIRST if 2 * first > len(votes) else Column.GIVEN_FIRST


def _order_told_by(whole: str) -> Column | None:
    words = whole.split()
    if len(words) < 2:
        return None
    capitals = [_in_capitals(word) for word in words]
    if any(capitals) and not all(capitals):
        return Column.FAMILY_FIRST if capitals[0] else Column.GIVEN_FIRST
    particles = [_is_particle(word) for word in words]
    if particles[0]:
        return Column.FAMILY_FIRST
    return Column.GIVEN_FIRST if any(particles[1:-1]) else None


def split_name(whole: str, order: Column = Column.GIVEN_FIRST) -> tuple[str, str]:
    """(given, family) of a full name; capitals alone decide, a particle stays with its family name."""
    words = whole.split()
    if len(words) < 2:
        return "", " ".join(words)
    capitals = [index for index, word in enumerate(words) if _in_capitals(word)]
    if capitals and len(capitals) < len(words):
        first, last = capitals[0], capitals[-1]
        return " ".join(words[:first] + words[last + 1 :]), " ".join(words[first : last + 1])
    if order is Column.FAMILY_FIRST:
        return words[-1], " ".join(words[:-1])
    particle = next((index for index in range(1, len(words) - 1) if _is_particle(words[index])), 1)
    return " ".join(words[:particle]), " ".join(words[particle:])


def without_civility(name: str) -> str:
    """« Mme DUPONT Marie » is Marie Dupont; a title of address alone is not a name."""
    first, _, rest = name.partition(" ")
    return rest.strip() if first.casefold().rstrip(".") in _CIVILITIES else name


def _in_capitals(word: str) -> bool:
    return word.isupper() and len(word.strip("-’'.")) > 1


def _is_particle(word: str) -> bool:
    return heading_words(word).split(" ")[0] in _PARTICLES
