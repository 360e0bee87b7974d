"""Columns of a table that show who was there: ticks of days, initials, names as signatures, times of arrival."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from app.domain.imports.lists.model import NAME_COLUMNS, Column
from app.domain.imports.lists.vocabulary.names import fold, is_particle, without_civility
from app.domain.imports.lists.vocabulary.remarks import (
    ASKED,
    asks_opinion,
    denial_in,
    is_class,
    is_neutral,
    is_of_others,
    is_ticked,
    says_present,
    speaks_for_itself,
    status_of_code,
)
from app.domain.imports.lists.vocabulary.wording import (
    PARTICIPANTS,
    is_literal_heading,
    looks_like_name,
    role_of_heading,
)

IS_DAY = re.compile(
    r"(m|am|pm|a m|p m|matin|matinee|apres midi|soir|soiree|jour|journee|j ?\d{1,2}|s ?\d{1,2}|seance ?\d{0,2}|cours ?\d{0,2}|\d{1,2}|"
    r"(lun|mar|mer|jeu|ven|sam|dim)\w*( \d{1,2})?( \w{3,9})?|\d{1,2} (\d{1,2}|\w{3,9})( \d{2,4})?|emargement|signature)( (matin|am|pm|apres midi|m|\d{1,2} ?h( ?\d{2})?))?"
)


def presence_columns(
    columns: Sequence[Column], cells: Sequence[Sequence[str]], heading: Sequence[str]
) -> frozenset[int]:
    """Ticked columns of days; of unknown headings only where several stand side by side."""
    named, others = set(), set()
    for i, column in enumerate(columns):
        below = (
            cells[i][0]
            if cells[i]
            and IS_DAY.fullmatch(fold(cells[i][0]))
            and not is_ticked(cells[i][0])
            and cells[i][0] != "0"
            else ""
        )
        written = [cell for cell in cells[i][1 if below else 0 :] if cell]
        marks = sum(bool(is_ticked(cell) or status_of_code(cell)) for cell in written)
        if column is not Column.NOTHING or not any(map(is_ticked, written)) or 5 * marks < 3 * len(written):
            continue
        if below or (heading[i] and IS_DAY.fullmatch(fold(heading[i]))):
            named.add(i)
        elif (
            not role_of_heading(heading[i])[1]
            and not asks_opinion(heading[i])
            and not {"deja", "already"} & set(fold(heading[i]).split())
        ):
            others.add(i)
    return frozenset(named | (others if len(others) > 1 else set()))


def exclusive_columns(
    columns: Sequence[Column], cells: Sequence[Sequence[str]], heading: Sequence[str]
) -> frozenset[int]:
    """« Validé ; Non validé », « OK ; KO »: ticks side by side, of which each person has one at most."""
    ticks = [
        i
        for i, column in enumerate(columns)
        if column not in NAME_COLUMNS
        and column not in (Column.ADDRESS, Column.HOURS, Column.LATE)
        and any(map(is_ticked, cells[i]))
        and all(is_ticked(cell) or not any(map(str.isalnum, cell)) for cell in cells[i])
        and not IS_DAY.fullmatch(fold(heading[i]))
        and not is_class(heading[i])
        and not is_neutral(heading[i])
        and (not is_literal_heading(heading[i]) or column is not Column.NOTHING)
    ]
    people = [
        row
        for row in zip(*cells, strict=True)
        if any(row[i] for i in range(len(columns)) if columns[i] in NAME_COLUMNS)
    ]
    found: set[int] = set()
    for first, second in pairwise(ticks):
        both = [(is_ticked(row[first]), is_ticked(row[second])) for row in people]
        if (
            second == first + 1
            and len(people) > 1
            and not any(a and b for a, b in both)
            and 3 * sum(a or b for a, b in both) >= 2 * len(both)
        ):
            found |= {first, second}
    return frozenset(found)


def answering_columns(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> frozenset[int]:
    """Two or more columns beside the names, in one of which at least most people have something: who has nothing may
    have been absent."""
    people = _people(columns, cells)
    beside = [
        index
        for index, column in enumerate(columns)
        if column not in NAME_COLUMNS and not _counts_rows([row[index] for row in people])
    ]
    filled = [sum(bool(row[index]) for index in beside) for row in people]
    if len(people) < 3 or 3 * sum(map(bool, filled)) < 2 * len(people) or median(filled) < 2:
        return frozenset()
    return frozenset(beside)


def _people(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """The rows with a name in each column of names; « Total ; 12 » is none."""
    names = [index for index, column in enumerate(columns) if column in NAME_COLUMNS]
    return [
        row
        for row in zip(*cells, strict=True)
        if names and all(row[index] and not any(map(str.isdigit, row[index])) for index in names)
    ]


def _counts_rows(cells: Sequence[str]) -> bool:
    """« 1 », « 2 », « 3 »"""
    numbers = [cell.rstrip(".)") for cell in cells if cell]
    return all(map(str.isdecimal, numbers)) and [*map(int, numbers)] == sorted({*map(int, numbers)})


SIGNED = re.compile(r"(?:signe|emarge)e?s?(?: (?:a|le) [\dh ]+)?")
"""« Signé », « Signé à 09:01 »"""
TIME = re.compile(r"(\d{1,2})\s?[h:]\s?(\d{2})?", re.IGNORECASE)


def not_shown(
    columns: Sequence[Column], cells: Sequence[Sequence[str]], heading: Sequence[str]
) -> dict[int, frozenset[str]]:
    """Where most signed, arrived or have a tick under a day, what the others have: « A », « no », nothing."""
    found = {}
    names = [index for index, column in enumerate(columns) if column in NAME_COLUMNS]
    people = _people(columns, cells)
    for index, column in enumerate(columns):
        title = fold(heading[index])
        is_day = not title or bool(IS_DAY.fullmatch(title))
        if column is not Column.NOTHING or len(people) < 3 or not (is_day or not role_of_heading(title)[1]):
            continue
        own = [is_own_sign(row[index], " ".join(row[i] for i in names)) for row in people]
        # A cross among signatures may cross out.
        is_ticking = is_day and sum(own) <= sum(is_ticked(row[index]) for row in people)
        others = {
            row[index]
            for row, is_own in zip(people, own, strict=True)
            if not is_own
            and not TIME.fullmatch(row[index])
            and not SIGNED.fullmatch(fold(row[index]))
            and not (is_ticking and is_ticked(row[index]))
            and not (is_day and says_present(row[index]) and not is_ticked(row[index]))
        }
        coded = is_ticking and sum(row[index] not in others for row in people) > 1
        # Codes of absence are no sign that the others mean something else.
        unknown = [
            row for row in people if row[index] in others and not (is_day and status_of_code(row[index]))
        ]
        if coded or 5 * len(unknown) <= 2 * len(people):
            found[index] = frozenset(others)
    return found


def is_own_sign(cell: str, name: str) -> bool:
    """« dupont », « MD », for Marie Dupont; « A » and « abs » are codes for everybody."""
    own, words, letters = fold(name).split(), fold(cell).split(), fold(cell).replace(" ", "")
    initials = {word[:1] for word in own}
    if not words or status_of_code(cell):
        return False
    return set(words) <= {*own, *initials} or (len(letters) <= 5 and set(letters) <= initials)


def unlike_ticks(cells: Sequence[str]) -> frozenset[str]:
    """« x » and « o », « P » and « x », « m » among crosses: of two marks, one may be the contrary of the other."""
    marks = set(map(fold, cells))
    crosses = {"o"} if {"x", "o"} <= marks else {"x"} if {"x", "p"} <= marks else set()
    ticked = sum(map(is_ticked, cells))
    return frozenset(
        cell
        for cell in cells
        if fold(cell) in crosses
        or (
            2 * ticked > len(cells)
            and cell.isalpha()
            and len(cell) < 4
            and not is_ticked(cell)
            and fold(cell) not in ("r", "ret", "pres")
        )
    )


def codes_of_absence(written: Sequence[str], rows: int, title: str) -> list[str]:
    """« A », « ABS » in a column that holds nothing but ticks and such codes, and is not a group's letter."""
    # Without a heading, the first line may be one.
    written = written[1:] if not title and written and not status_of_code(written[0]) else written
    codes = [cell for cell in written if status_of_code(cell)]
    others = [
        cell
        for cell in written
        if cell not in codes and fold(cell) not in ("r", "ret", "") and not is_ticked(cell)
    ]
    is_group = len(set(map(fold, written))) == 1 and len(written) == rows and len(written[0]) == 1
    return [] if others or is_group else codes


def dense_columns(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> frozenset[int]:
    """Columns beside the names that nearly every row fills."""
    return frozenset(
        index
        for index, column in enumerate(columns)
        if column not in NAME_COLUMNS
        and len(cells[index]) >= 3
        and (
            5 * (filled := sum(map(bool, cells[index]))) >= 4 * len(cells[index])
            or filled == len(cells[index]) - 1
        )
    )


def one_hours_column(columns: list[Column], heading: Sequence[str]) -> None:
    """Of planned and worked hours, those that were worked."""
    found = [i for i, column in enumerate(columns) if column is Column.HOURS]
    worked = {"realisees", "effectuees", "presence", "suivies", "faites", "realise", "presentes"}
    planned = {"prevues", "prevue", "prevu", "theoriques", "contrat"}
    ranks = [
        bool(set(fold(heading[i]).split()) & worked) - bool(set(fold(heading[i]).split()) & planned)
        for i in found
    ]
    for i, rank in zip(found, ranks, strict=True):
        if rank < max(ranks):
            columns[i] = Column.NOTHING


def other_parts(title: str, written: Sequence[str]) -> frozenset[str]:
    """Where some are called participants, those who are not."""

    def takes_part(cell: str) -> bool:
        word = (fold(cell).split() or [""])[0]
        if denial_in(cell) or is_of_others(cell.partition(" ")[2]):
            return False
        if word in ASKED and any(set(fold(other).split()) & PARTICIPANTS for other in written):
            return False
        return is_neutral(cell) or word in PARTICIPANTS or word.removesuffix("s") in PARTICIPANTS

    others = frozenset(cell for cell in written if not takes_part(cell))
    is_trade = bool(set(fold(title).split()) & TRADES)
    counts = Counter(cell for cell in written if cell in others)
    is_taught = set(map(_of_either, written)) - set(map(_of_either, others)) <= _APPRENTICES
    if (
        is_trade
        and is_taught
        and len(counts) > 1
        and min(counts.values()) > 1
        and 3 * counts.total() >= len(written)
    ):
        # « Apprenti » beside « Magasinière » and « Chef d’équipe » is a trade, too.
        return frozenset(filter(is_of_others, written))
    if len(others) < len(set(written)) or not is_trade:
        # « Student » or « scrutateur »: nothing shows that it takes part.
        return others
    usual, most = Counter(map(_of_either, written)).most_common(1)[0] if written else ("", 0)
    several = len(set(map(_of_either, written))) > 2 and not any(map(is_of_others, written))
    return frozenset(
        cell
        for cell in written
        if not several and most > 1 and 2 * most >= len(written) and _of_either(cell) != usual
    ) | frozenset(filter(is_of_others, written))


def _of_either(cell: str) -> str:
    """« Aide-soignant » for « Aide-soignante »"""
    return re.sub(r"trice\b", "teur", re.sub(r"euse\b", "eur", re.sub(r"(?<!\b[dl])e\b", "", fold(cell))))


_APPRENTICES = frozenset(("apprenti", "alternant"))
TRADES = frozenset(
    ("fonction", "poste", "metier", "emploi", "qualite", "grade", "profession", "categorie", "specialite")
)
"""Headings under which each person may have another."""


def names_a_person(cell: str) -> bool:
    bare = without_civility(cell)
    words = bare.split()
    is_shaped = 0 < len(words) < 5 and all(word[:1].isupper() or is_particle(word) for word in words)
    is_named = bare != cell or looks_like_name(bare)
    return is_shaped and is_named and not denial_in(cell) and not speaks_for_itself(bare)
