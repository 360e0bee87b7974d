"""What the columns of a table hold, guessed from their cells where no heading tells it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from app.domain.imports.lists.model import NAME_COLUMNS, Column, Row
from app.domain.imports.lists.text import HEADING_WITHIN
from app.domain.imports.lists.vocabulary.addresses import addresses_in, is_named_in
from app.domain.imports.lists.vocabulary.hours import HOURS
from app.domain.imports.lists.vocabulary.names import (
    CIVILITIES,
    Kind,
    by_capitals,
    fold,
    kind_of,
    lean_of,
    may_be_given,
)
from app.domain.imports.lists.vocabulary.others import is_known_organisation
from app.domain.imports.lists.vocabulary.remarks import (
    YES_OR_NO,
    age_band_of,
    is_class,
    is_plain_label,
    is_ticked,
    says_present,
    status_in,
)
from app.domain.imports.lists.vocabulary.wording import role_of_heading

_NOTE = re.compile(r"(?:(?<!\s)\s++)?+\([^()]*\)\s*$|(?<!\s)\s++[-–]\s++[^\s\d]*+\d\S*+\s*$")
"""« Zoé (16 ans) », « Zoé - 2B »"""


def columns_of_cells(
    rows: Sequence[Sequence[str]], *, comma: bool = False
) -> tuple[tuple[Column, ...], Column | None]:
    """A guess for a table without heading; the order is that of the two columns of names, None where it is not clear."""
    width = max(map(len, rows), default=0)
    by_column = [
        [_NOTE.sub("", cells[i]) or cells[i] for cells in rows if i < len(cells) and cells[i]]
        for i in range(width)
    ]
    columns = [kind_of_cells(cells) for cells in by_column]
    for role in (Column.ADDRESS, Column.HOURS, Column.UNDER_15, Column.STATUS):
        first = columns.index(role) if role in columns else None
        if role is not Column.ADDRESS:
            columns = [Column.NOTHING if c is role and i != first else c for i, c in enumerate(columns)]
    names = [
        i
        for i in range(width)
        if columns[i] is Column.WHOLE
        and 2 * len(by_column[i]) >= len(rows)
        and not _repeats(by_column[i])
        and 2 * sum(map(is_known_organisation, by_column[i])) < len(by_column[i])
    ]
    columns = [Column.NOTHING if c is Column.WHOLE else c for c in columns]
    sure = [i for i in names if _is_surely_whole(by_column[i], [by_column[k] for k in names if k != i])]
    whole = [i for i in names if i in sure or is_whole(by_column[i])]
    single = [i for i in names if i not in whole]
    pairs = [(a, b) for a, b in pairwise(names) if b - a == 1 and (a in single or b in single)]
    pairs = [pair for pair in pairs if not set(pair) & set(sure)]
    pairs = [pair for pair in pairs if any(share_given(by_column[i]) >= 0.3 for i in pair)] or pairs[:1]
    if whole and (
        not pairs
        or whole[0] < pairs[0][0]
        or share_given(by_column[pairs[0][0]]) + share_given(by_column[pairs[0][1]]) < 0.3
    ):
        columns[whole[0]] = Column.WHOLE
        return tuple(columns), None
    if pairs:
        most = max(share_given(by_column[i]) for pair in pairs for i in pair)
        likely = [pair for pair in pairs if any(share_given(by_column[i]) == most for i in pair)]
        # « Lormont ; Nolan ; Cherif »: either neighbour of the given name may be the family name.
        capitals = [pair for pair in likely if any(all(map(str.isupper, by_column[i])) for i in pair)]
        if len(likely) > 1 and len(capitals) != 1:
            a, b = likely[0]
            columns[a], columns[b] = Column.FAMILY, Column.GIVEN
            return tuple(columns), None
        a, b = (capitals if len(likely) > 1 else likely)[0]
        order = _order_of_columns([(cells[a], cells[b]) for cells in rows if b < len(cells)], comma=comma)
        first_is_given = order is Column.GIVEN_FIRST
        columns[a], columns[b] = (
            (Column.GIVEN, Column.FAMILY) if first_is_given else (Column.FAMILY, Column.GIVEN)
        )
        return tuple(columns), order
    if names:
        columns[names[0]] = Column.WHOLE
    return tuple(columns), None


def _repeats(cells: Sequence[str]) -> bool:
    """The name of a school or a group in every line, not of people."""
    return not cells or (len(cells) > 2 and 2 * len(set(map(fold, cells))) <= len(cells))


def kind_of_cells(cells: Sequence[str]) -> Column:
    """WHOLE stands for any text that may be a name."""
    if not cells:
        return Column.NOTHING
    most = len(cells) * 0.6

    def mostly(test: Callable[[str], object]) -> bool:
        return sum(bool(test(cell)) for cell in cells) >= most

    if 2 * sum("@" in cell for cell in cells) >= len(cells):
        beside = sum(len(addresses_in(cell)[1].split()) > 1 for cell in cells)
        return Column.WHOLE if 2 * beside > len(cells) else Column.ADDRESS
    if mostly(age_band_of):
        return Column.UNDER_15
    if mostly(lambda cell: fold(cell) in CIVILITIES):
        return Column.CIVILITY
    if mostly(lambda cell: status_in(cell) or says_present(cell) or is_ticked(cell)):
        return Column.STATUS
    if mostly(lambda cell: HOURS.fullmatch(cell)):
        return Column.HOURS
    if mostly(
        lambda cell: any(c.isdigit() for c in cell) or not any(c.isalpha() for c in cell) or is_class(cell)
    ):
        return Column.NOTHING
    return Column.WHOLE


def is_whole(cells: Sequence[str]) -> bool:
    several = [cell.split() for cell in cells if len(cell.split()) > 1]
    if 2 * len(several) < len(cells):
        return False
    marked = sum(
        by_capitals(words) is not None
        or (
            {kind_of(words[0]), kind_of(words[-1])} & {Kind.GIVEN} != set()
            and kind_of(words[0]) is not kind_of(words[-1])
        )
        for words in several
    )
    return 3 * marked >= len(several)


def _is_surely_whole(cells: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """« Marie DUPONT », or « Marie Dupont » where no column beside it holds the other half: « Alstom », « Garage Perrin »."""
    several = [cell.split() for cell in cells if len(cell.split()) > 1]
    if 5 * len(several) < 4 * len(cells):
        return False
    if 3 * sum(by_capitals(words) is not None for words in several) >= 2 * len(cells):
        return True
    given = sum(may_be_given(words[0]) or may_be_given(words[-1]) for words in several)
    if 3 * given < 2 * len(cells) or any(share_given(other) >= 0.3 for other in others):
        return False
    # « Mathilde Koffi » is no pair of given names, whatever stands beside it.
    mixed = sum(not all(map(may_be_given, words)) for words in several)
    return 2 * mixed >= len(cells) or not any(map(_holds_families, others))


def _holds_families(cells: Sequence[str]) -> bool:
    return 2 * sum(kind_of(cell) in (Kind.FAMILY, Kind.BOTH) for cell in cells) >= len(cells)


def share_given(cells: Sequence[str]) -> float:
    return sum(kind_of(cell.split()[0]) in (Kind.GIVEN, Kind.BOTH) for cell in cells if cell.split()) / max(
        1, len(cells)
    )


def _order_of_columns(pairs: Sequence[tuple[str, str]], *, comma: bool) -> Column | None:
    leans = [lean for first, second in pairs if (lean := lean_of(first, second))]
    ahead = sum(lean > 0 for lean in leans)
    if leans and ahead * 10 >= len(leans) * 8:
        return Column.GIVEN_FIRST
    if leans and ahead * 10 <= len(leans) * 2:
        return Column.FAMILY_FIRST
    return Column.FAMILY_FIRST if comma and not leans else None


def is_unlike_others(rows: Sequence[Row], columns: Sequence[Column]) -> bool:
    """A single term in the first line, where each of the others has a whole name."""
    at = columns.index(Column.WHOLE) if Column.WHOLE in columns else None
    cells = [row.cells[at].split() for row in rows if at < len(row.cells)] if at is not None else []
    return len(cells) > 2 and len(cells[0]) == 1 and all(len(words) > 1 for words in cells[1:])


def is_written_as_others(rows: Sequence[Row], columns: Sequence[Column]) -> bool:
    """« SIVAKUMAR ; Kavitha » above « MARTIN ; Léa »: the family name alone in capitals."""
    pairs = [
        tuple(row.cells[columns.index(half)] for half in (Column.FAMILY, Column.GIVEN))
        for row in rows
        if {Column.FAMILY, Column.GIVEN} <= set(columns[: len(row.cells)])
    ]
    return len(pairs) > 2 and all(
        family.isupper() and len(family) > 1 and given and not given.isupper() for family, given in pairs
    )


def speaks_of_names(row: Row) -> bool:
    """« Nom du tuteur ; Entreprise »: a heading, which was not understood."""
    words = [set(fold(cell).split()) for cell in row.filled]
    return len(words) > 1 and any(
        len(found) < 6 and found & {"nom", "noms", "prenom", "prenoms"} for found in words
    )


def are_labels(rows: Sequence[Row], width: int) -> bool:
    """Three whole names or more in each row and nothing else, as on a sheet of labels."""
    cells = [cell for row in rows for cell in row.filled]
    return (
        width > 2
        and len(rows) > 1
        and all(len(row.filled) == width for row in rows[:-1])
        and all(1 < len(cell.split()) < 5 and any(map(may_be_given, cell.split())) for cell in cells)
    )


def stand_under_groups(rows: Sequence[Row], groups: int) -> bool:
    """« Groupe 1 ; Groupe 2 » above two columns of names."""
    labels = next((row.filled for row in rows[:HEADING_WITHIN] if len(row.filled) > 1), ())
    return (
        len(labels) == groups > 1
        and len(set(map(fold, labels))) == groups
        and all(map(is_plain_label, labels))
        and all(map(fold, labels))
        and len({fold(label).split()[0] for label in labels}) == 1
    )


def hold_groups(rows: Sequence[Row], width: int) -> bool:
    """A label of a group over each column, and below it whole names alone."""
    if width < 2 or not stand_under_groups(rows, width):
        return False
    cells = [cell for row in rows if not all(map(is_plain_label, row.filled)) for cell in row.filled]
    whole = [cell for cell in cells if 1 < len(cell.split()) < 6 and "@" not in cell]
    given = [cell for cell in whole if any(map(may_be_given, cell.split()))]
    return 5 * len(whole) >= 4 * len(cells) > 0 and 2 * len(given) >= len(whole)


_SCHOOLS = frozenset(("ecole", "lycee", "college", "etablissement", "universite", "cfa", "campus"))


def are_of_school(title: str, index: int, columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> bool:
    """« Courriel école », « Mail » below « Contact », over addresses that are made of both halves of each name."""
    halves = [
        next((cells[i] for i, column in enumerate(columns) if column is half), ())
        for half in (Column.GIVEN, Column.FAMILY)
    ]
    rows = [row for row in zip(cells[index], *halves, strict=False) if row[0]]
    own = sum(is_named_in(*row) and is_named_in(row[0], *row[:0:-1]) for row in rows)
    may_be = set(fold(title).split()) & _SCHOOLS or role_of_heading(title)[0] is Column.ADDRESS
    return bool(may_be and rows) and 5 * own >= 4 * len(rows)


def are_repeated(row: Row, roles: Sequence[Column], near: Sequence[Row]) -> bool:
    """« DRAGOMIR ; Sunniva ; Stagiaire » is no heading: the next row has « Stagiaire » in the same column."""
    wholes = [i for i, role in enumerate(roles) if role is Column.WHOLE]
    return (
        len(row.filled) > 2
        and not set(roles) & (NAME_COLUMNS - {Column.WHOLE})
        and bool(wholes)
        and all(
            any(
                other.cells != row.cells
                and i < len(other.cells)
                and fold(other.cells[i]) == fold(row.cells[i])
                for other in near
            )
            for i in wholes
        )
    )


def name_column_by_cells(columns: list[Column], cells: Sequence[Sequence[str]]) -> None:
    """Where no heading names people, the column that holds most given names."""
    shares = {
        i: share_given([word for cell in written for word in cell.split()])
        for i, column in enumerate(columns)
        if column in (Column.NOTHING, Column.OTHER_ADDRESS)
        and (written := [cell for cell in cells[i] if cell])
        and 2 * len(written) >= len(cells[i])
        and kind_of_cells(written) is Column.WHOLE
        and is_whole(written)
    }
    best = max(shares, key=lambda i: shares[i], default=None)
    if best is not None and shares[best] >= 0.25:
        columns[best] = Column.WHOLE


def one_address_column(columns: list[Column], cells: Sequence[Sequence[str]], heading: Sequence[str]) -> None:
    for i, column in enumerate(columns):
        written = [cell for cell in cells[i] if cell]
        holds = bool(written) and 2 * sum("@" in cell for cell in written) >= len(written)
        elsewhere = any(
            other is Column.ADDRESS and k != i and 2 * sum("@" in cell for cell in cells[k]) > len(written)
            for k, other in enumerate(columns)
        )
        # « Lui écrire », with addresses behind it
        is_label = len(written) > 1 == len(set(written)) and "@" not in written[0]
        if column is Column.ADDRESS and (is_label or (written and elsewhere and not holds)):
            columns[i] = Column.NOTHING
            continue
        if column is Column.ADDRESS and written and not any("@" in cell for cell in written):
            lives_there = fold(heading[i]) == "adresse" and any(" " in cell for cell in written)
            columns[i] = Column.NOTHING if lives_there else column
        if column is Column.OTHER_ADDRESS and not elsewhere and are_of_school(heading[i], i, columns, cells):
            columns[i] = Column.ADDRESS
        if (
            column is Column.NOTHING
            and holds
            and Column.ADDRESS not in columns
            and "upn" not in fold(heading[i])
        ):
            columns[i] = Column.ADDRESS


def _whole_names_apart(columns: list[Column], cells: Sequence[Sequence[str]]) -> None:
    """« Nom » with « Léa Petit » in it, beside « Votre nom » and « Votre prénom »: the whole name, of which nothing is new."""
    families = [i for i, column in enumerate(columns) if column is Column.FAMILY]
    givens = [i for i, column in enumerate(columns) if column is Column.GIVEN]
    if not families or not givens:
        return
    for i in families:
        pairs = [
            (set(fold(given).split()), set(fold(family).split()))
            for given, family in zip(cells[givens[0]], cells[i], strict=True)
            if given and family
        ]
        if 2 * sum(given < family for given, family in pairs) > len(pairs):
            if len(families) > 1:
                columns[i] = Column.NOTHING
                families.remove(i)
            else:
                columns[i] = Column.WHOLE
                columns[givens[0]] = Column.NOTHING
            return


def one_way_of_naming(columns: list[Column], cells: Sequence[Sequence[str]]) -> None:
    for i, column in enumerate(columns):
        answers = {fold(cell) for cell in cells[i] if cell}
        if column in NAME_COLUMNS and answers and answers <= YES_OR_NO:
            # « Invité ; Oui »
            columns[i] = Column.NOTHING
    _whole_names_apart(columns, cells)
    seen: set[Column] = set()
    for i, column in enumerate(columns):
        if column in (NAME_COLUMNS | {Column.HOURS, Column.PART, Column.CONTRIBUTION, Column.UNDER_15}):
            if column in seen:
                columns[i] = Column.NOTHING
            seen.add(column)
    whole = next((i for i, column in enumerate(columns) if column.is_whole_name), None)
    if Column.FAMILY in seen and Column.GIVEN in seen:
        if whole is not None:
            for i, column in enumerate(columns):
                columns[i] = Column.NOTHING if column.is_whole_name else column
    elif Column.FAMILY in seen:
        at = columns.index(Column.FAMILY)
        columns[at] = Column.NOTHING if whole is not None else Column.WHOLE
    elif Column.GIVEN in seen and whole is not None:
        written = [cell for cell in cells[whole] if cell]
        if written and 2 * sum(len(cell.split()) < 2 for cell in written) >= len(written):
            columns[whole] = Column.FAMILY
        else:
            columns[columns.index(Column.GIVEN)] = Column.NOTHING
