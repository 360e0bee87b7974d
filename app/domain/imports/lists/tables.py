"""Where the tables of a list are, and what each of their columns holds."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from app.domain.imports.lists.doubts.attendance import (
    answering_columns,
    dense_columns,
    exclusive_columns,
    not_shown,
    one_hours_column,
    presence_columns,
    unlike_ticks,
)
from app.domain.imports.lists.doubts.evidence import not_signed, unexplained_columns
from app.domain.imports.lists.doubts.marks import rare_marks
from app.domain.imports.lists.model import NAME_COLUMNS, Block, Column, Reason, Row
from app.domain.imports.lists.suspicion import Candidate
from app.domain.imports.lists.text import HEADING_WITHIN
from app.domain.imports.lists.untitled import (
    are_labels,
    are_repeated,
    columns_of_cells,
    hold_groups,
    is_unlike_others,
    is_whole,
    is_written_as_others,
    name_column_by_cells,
    one_address_column,
    one_way_of_naming,
    share_given,
    speaks_of_names,
    stand_under_groups,
)
from app.domain.imports.lists.vocabulary.names import CIVILITIES, Kind, fold, kind_of, may_be_given
from app.domain.imports.lists.vocabulary.others import may_be_of_others, names_further, unknown_owner
from app.domain.imports.lists.vocabulary.remarks import (
    ASKED,
    NO,
    YES,
    YES_OR_NO,
    affirms_by_title,
    asks_opinion,
    is_of_others,
    is_plain_label,
    is_ticked,
    meaning_of_label,
    says_present,
)
from app.domain.imports.lists.vocabulary.wording import (
    BESIDE_PRESENCE,
    OF_OTHERS,
    address_rank,
    holds_judgement,
    holds_remarks,
    is_literal_heading,
    is_of_headings,
    looks_like_name,
    role_of_heading,
    roles_of_heading,
)


@dataclass
class Segment:
    """Rows under one heading, or under none."""

    columns: tuple[Column, ...]
    heading: Row | None
    rows: list[Row]
    block: Block
    order: Column | None = None
    """Of names in one piece, or of the two columns of names where no heading names them."""
    surely: bool = True
    """Whether the columns of names are named, by a heading or by a person."""
    columns_known: bool = False
    """By a person."""
    ticked: frozenset[int] = frozenset()
    constant: frozenset[int] = frozenset()
    codes: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    """Columns of days or half-days, ticked for those present."""
    usually_ticked: frozenset[int] = frozenset()
    """Of these, those that most are ticked in."""
    unread: frozenset[int] = frozenset()
    """Columns with an unknown heading or none."""
    rivals: dict[int, int] = field(default_factory=dict)
    """A column of names that another one of the same kind displaced."""
    unexplained: dict[int, frozenset[str]] = field(default_factory=dict)
    """By column, cells that no heading explains."""
    denying: dict[int, Reason | None] = field(default_factory=dict)
    """Columns of ticks that speak against a person, or are not explained."""
    dense: frozenset[int] = frozenset()
    """Columns beside the names that nearly every row fills."""
    answering: frozenset[int] = frozenset()
    answered: frozenset[int] = frozenset()
    """Columns of a status that most rows fill, or in which some are present."""
    own_address: bool = False
    unsure_address: bool = False
    """Nothing in its heading shows who owns the address."""
    is_above: bool = False
    """Titles are expected: these rows stand above a heading."""
    usual: int | None = None
    """The column of a married or usual name beside that of the name at birth."""
    beside: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """What rows have in columns beside the names: as the name of another row, it slipped."""
    further: bool = False
    """Beside another group of names, so perhaps of other people: each is a question."""
    gap: int = 1
    """From one row to the next, as a rule: 2 where an empty line stands between any two."""
    misread: str = ""
    """A heading that was not understood: each person below it is a question."""
    candidates: list[Candidate] = field(default_factory=list)

    def title_of(self, index: int) -> str:
        cells = self.heading.cells if self.heading else ()
        return cells[index] if index < len(cells) else ""


def correct_columns(segment: Segment, columns: Sequence[Column]) -> None:
    width = max((len(row.cells) for row in segment.rows), default=0)
    columns_known = (*columns, *segment.columns[len(columns) :])
    segment.columns = (*columns_known, *(Column.NOTHING,) * (width - len(columns_known)))[
        : max(width, len(columns_known))
    ]
    segment.surely, segment.columns_known, segment.order = True, True, None


def segments_of(block: Block, previous: Segment | None) -> Iterator[Segment]:
    found: list[Segment] = []
    above: list[Row] = []
    current: Segment | None = None
    for index, row in enumerate(block.rows):
        before = block.rows[index - 1].cells if index else ()
        below = [one.cells for one in block.rows[index + 1 : index + 6] if one.filled]
        roles = roles_of_heading(row.cells, before if current is None or not _is_data(before) else (), below)
        if roles and (
            (current and _are_values(roles, current))
            or are_repeated(row, roles, block.rows[max(0, index - 5) : index + 6])
        ):
            roles = None
        if roles and (
            (
                current is None
                and index < HEADING_WITHIN
                and (len(row.filled) > 1 or _heads(row, index, block.rows))
            )
            or (current is not None and len(row.filled) > 1)
        ):
            current = Segment(roles, row, [], block)
            found.append(current)
        elif current is None:
            above.append(row)
        else:
            current.rows.append(row)
    if len(found) > 1 and _is_mere_title(found[0]):
        title = found.pop(0)
        above = [*above, *([title.heading] if title.heading else ()), *title.rows]
    if len(found) > 1 and _counts_people(found[0]):
        found[0].is_above = True
    if not found:
        yield from _beside(_without_heading(block, above, previous))
        return
    if above:
        yield Segment((), None, above, block, surely=False, order=None, is_above=True)
        if (
            _further_groups(found[0].columns)
            and len(above[-1].filled) > 1
            and not all(map(is_plain_label, above[-1].filled))
        ):
            # « Absents ; ; Présents » over two tables side by side.
            found[0].misread = above[-1].text
    for one, after in pairwise(found):
        if (
            one.heading
            and not one.rows
            and _further_groups(after.columns)
            and not all(map(is_plain_label, one.heading.filled))
        ):
            after.misread = one.heading.text
    for one in found:
        if one.heading and {"expediteur", "destinataire"} <= set(map(fold, one.heading.filled)):
            one.misread = one.heading.text
        yield from _beside(one)


def _are_values(roles: Sequence[Column], table: Segment) -> bool:
    """« G1 ; Kavitha ; Sivakumar ; Participant » under « Groupe ; Prénom ; Nom ; Rôle »"""
    names = [i for i, role in enumerate(roles) if role in NAME_COLUMNS]
    return all(
        roles[i] is Column.WHOLE
        and bool(table.title_of(i))
        and table.columns[i] not in NAME_COLUMNS
        and set(table.columns) & NAME_COLUMNS
        for i in names
    ) and bool(names)


def _is_mere_title(segment: Segment) -> bool:
    """« Participants » above « Accueil | Mes cours » and the heading of a table."""
    return (
        segment.heading is not None
        and len(segment.heading.filled) == 1
        and not any(may_be_given(word) for row in segment.rows for word in row.text.split())
    )


def _counts_people(segment: Segment) -> bool:
    """« 5 » under « Participants », in what a program writes about the meeting above the table of names"""
    names = [index for index, role in enumerate(segment.columns) if role in NAME_COLUMNS]
    cells = [row.cells[index] for row in segment.rows for index in names if index < len(row.cells)]
    return bool(cells) and all(map(str.isdecimal, cells))


def _heads(row: Row, above: int, rows: Sequence[Row]) -> bool:
    """« Inscrits » alone is a heading where more stands below it than above; « 5 inscrits » at the end counts.

    « Invités » below names is a further group."""
    below = len(rows) - above - 1
    is_further = bool(set(fold(row.text).split()) & ASKED) and any(
        looks_like_name(one.text) for one in rows[:above]
    )
    return below > 0 and not row.text[:1].isdigit() and (above < 3 or above <= below) and not is_further


def _beside(segment: Segment) -> Iterator[Segment]:
    """The segment, and one more for each further group of name columns that stands beside the first."""
    columns = segment.columns
    heading = segment.heading.cells if segment.heading else ()
    if segment.heading:
        of_others = [i for i, cell in enumerate(heading) if set(fold(cell).split()) & OF_OTHERS]
        # « Responsable ; Nom ; Prénom » names other people from there on.
        starts = [
            start for start in _further_groups(columns, heading) if not any(i < start + 2 for i in of_others)
        ]
    else:
        names = [i for i, column in enumerate(columns) if column in NAME_COLUMNS]
        cells = [
            [row.cells[i] for row in segment.rows if i < len(row.cells) and row.cells[i]]
            for i in range(len(columns))
        ]
        are_labelled = hold_groups(segment.rows, len(columns))
        starts = [
            i
            for i in range(max(names, default=len(columns)) + 1, len(columns))
            if columns[i] is Column.NOTHING
            and cells[i]
            and (
                are_labelled
                or (
                    3 * len(cells[i]) >= len(segment.rows)
                    and is_whole(cells[i])
                    and share_given([word for cell in cells[i] for word in cell.split()]) >= 0.3
                )
            )
        ]
        own_names = [columns[i] for i in names]
        if starts and {Column.FAMILY, Column.GIVEN} <= set(own_names):
            # « Rouge ; Ana Gil ; Tom Roux »: perhaps no halves of a name, but a team and its members.
            segment.rows = [_doubting_halves(row, columns) for row in segment.rows]
    are_groups = not segment.heading and (
        stand_under_groups(segment.rows, len(starts) + 1) or are_labels(segment.rows, len(starts) + 1)
    )
    rows_of_all = segment.rows
    if are_groups:
        # A cell alone in its row may be a title.
        rows_of_all = [
            replace(row, doubts=(*row.doubts, Reason.MAYBE_TITLE)) if len(row.filled) == 1 else row
            for row in rows_of_all
        ]
        segment.rows = [replace(row, cells=row.cells[: starts[0]]) for row in rows_of_all]
    own = range(starts[0] if segment.heading and starts else 0)
    if own and not any(is_literal_heading(heading[i]) or address_rank(heading[i]) == 2 for i in own):
        # « Nom adulte ; Prénom adulte ; Nom du petit ; Prénom du petit »: nothing shows which of them are meant.
        segment.further = True
    yield segment
    for start, end in zip(starts, [*starts[1:], len(columns)], strict=False):
        rows = [replace(row, cells=row.cells[start:end]) for row in rows_of_all if any(row.cells[start:end])]
        roles = (
            columns[start:end] if segment.heading else (Column.WHOLE, *(Column.NOTHING,) * (end - start - 1))
        )
        yield Segment(roles, None, rows, segment.block, surely=segment.surely, further=not are_groups)


def _doubting_halves(row: Row, columns: Sequence[Column]) -> Row:
    given = [cell for cell, holds in zip(row.cells, columns, strict=False) if holds is Column.GIVEN]
    are_several = any(len(cell.split()) > 1 for cell in given)
    return replace(row, doubts=(*row.doubts, Reason.SPLIT)) if are_several else row


def _further_groups(columns: Sequence[Column], heading: Sequence[str] = ()) -> list[int]:
    """Where a heading begins to name people again: « Nom ; Prénom ; ; Nom ; Prénom », not « … ; Nom de naissance ; Prénom usuel »."""
    halves = {Column.FAMILY, Column.GIVEN}
    starts: list[int] = []
    seen: set[Column] = set()
    for index, column in enumerate(columns):
        if column in NAME_COLUMNS and column in seen and (column.is_whole_name or halves <= seen):
            starts.append(index)
            seen = set()
        seen.add(column)
    starts = [start for start in starts if not (heading and names_further(heading, start))]
    return [
        start for start in starts if columns[start].is_whole_name or halves <= set(columns[start : start + 3])
    ]


def _is_data(cells: Sequence[str]) -> bool:
    return len([cell for cell in cells if cell]) > 1 and any(
        "@" in cell or re.search(r"\d", cell) for cell in cells
    )


def _without_heading(block: Block, rows: list[Row], previous: Segment | None) -> Segment:
    several = [row for row in rows if len(row.filled) > 1]
    width = max((len(row.cells) for row in rows), default=0)
    if width < 2 or 2 * len(several) < len(rows):
        return Segment((), None, rows, block, surely=False)
    if previous and not block.delimited and len(previous.columns) == width and previous.heading:
        return Segment(previous.columns, None, rows, block, order=previous.order, surely=previous.surely)
    columns, order = columns_of_cells([row.cells for row in several], comma=block.delimited == ",")
    if hold_groups(rows, width):
        columns, order = (Column.WHOLE, *(Column.NOTHING,) * (width - 1)), None
    if not set(columns) & (NAME_COLUMNS | {Column.ADDRESS}):
        return Segment((), None, rows, block, surely=False)
    found = Segment(columns, None, rows, block, order=order, surely=False)
    found.misread = next((row.text for row in rows[:HEADING_WITHIN] if speaks_of_names(row)), "")
    first = rows[0].filled
    if (
        len(first) > 1
        and not any(sign.isdigit() or sign == "@" for sign in re.sub(r"(?<=\w) \d(?!\d)", "", rows[0].text))
        and not all(map(is_plain_label, first))
        and fold(first[0].split()[0]) not in CIVILITIES
        and (
            all(map(is_of_headings, first))
            or is_unlike_others(rows, columns)
            or not (
                is_written_as_others(rows, columns)
                or any(
                    kind_of(word) in (Kind.GIVEN, Kind.FAMILY, Kind.BOTH)
                    for cell in first
                    for word in cell.split()
                )
            )
        )
    ):
        # « Évaluateur ; Évalué ; Note »
        found.misread = found.misread or rows[0].text
    return found


_USUAL = frozenset(("usage", "usuel", "marital", "epouse", "nouveau", "actuel"))


def prepare(segment: Segment) -> None:
    """What the columns as wholes tell: which are ticked at all, which repeat one value, which give codes of presence."""
    columns = list(segment.columns)
    gaps = [after.number - before.number for before, after in pairwise(segment.rows)]
    segment.gap = max(1, min(gaps, default=1))
    if not columns:
        return
    width = max((len(row.cells) for row in segment.rows), default=0)
    columns += [Column.NOTHING] * (width - len(columns))
    cells = [
        [row.cells[i] if i < len(row.cells) else "" for row in segment.rows] for i in range(len(columns))
    ]
    heading = [*(segment.heading.cells if segment.heading else ()), *[""] * len(columns)]
    families = [i for i, column in enumerate(columns) if column is Column.FAMILY]
    usual = next((i for i in families if set(fold(heading[i]).split()) & _USUAL), None)
    if usual is not None and len(families) > 1 and not segment.further:
        segment.usual, columns[usual] = usual, Column.NOTHING
    givens = [i for i, column in enumerate(columns) if column is Column.GIVEN]
    usuals = {i for i in givens if set(fold(heading[i]).split()) & _USUAL}
    given = [
        [cells[i][n] for i in usuals] for n in range(len(segment.rows)) if any(cells[i][n] for i in givens)
    ]
    for i in givens if len(usuals) == 1 and all(map(any, given)) else ():
        # « Prénoms état civil » before « Prénom usuel »
        columns[i] = Column.GIVEN if i in usuals else Column.NOTHING
    for i, column in enumerate(columns):
        if column in NAME_COLUMNS and columns.count(column) > 1 and not any(cells[i]):
            # « Nom », which a form left blank, beside « Quel est votre nom ? »
            columns[i] = Column.NOTHING
    named = list(columns)
    one_address_column(columns, cells, heading)
    one_hours_column(columns, heading)
    one_way_of_naming(columns, cells)
    if not set(columns) & NAME_COLUMNS and segment.surely:
        name_column_by_cells(columns, cells)
    segment.columns = tuple(columns)
    segment.unread = frozenset(
        i
        for i, column in enumerate(columns)
        if column is Column.NOTHING
        and (holds_remarks(heading[i]) or not (heading[i] and role_of_heading(heading[i])[1]))
    )
    either = exclusive_columns(columns, cells, heading)
    segment.days = presence_columns(columns, cells, heading) - either
    here = [n for n, row in enumerate(segment.rows) if any(is_ticked(cells[i][n]) for i in segment.days)]
    segment.usually_ticked = frozenset(
        i for i in segment.days if 2 * sum(bool(cells[i][n]) for n in here) >= len(here)
    )
    for i, column in enumerate(columns):
        values = {fold(cell) for cell in cells[i] if cell}
        unknown = column is Column.NOTHING and heading[i] and not is_literal_heading(heading[i])
        unknown = (
            unknown
            and not set(fold(heading[i]).split()) & BESIDE_PRESENCE
            and not is_of_others(heading[i])
            and not asks_opinion(heading[i])
        )
        answers = [cell for cell in cells[i] if fold(cell) in YES_OR_NO]
        answered = len(values & YES_OR_NO) > 1 and 2 * len(answers) >= sum(map(bool, cells[i]))
        if unknown and (answered or values == {"0", "1"}):
            columns[i] = Column.PRESENT
    unclear = _ticks_of_unknown(segment, columns, cells, heading)
    for i in either:
        if affirms_by_title(heading[i]):
            unclear[i] = frozenset(("",))
        else:
            segment.denying.setdefault(i, meaning_of_label(heading[i]))
        columns[i] = Column.NOTHING
    segment.columns = tuple(columns)
    segment.ticked = frozenset(
        i
        for i, column in enumerate(columns)
        if column in (Column.PRESENT, Column.STATUS) and any(map(is_ticked, cells[i]))
    )
    constant, codes = set(), set()
    for i, column in enumerate(columns):
        written = [cell for cell in cells[i] if cell]
        if len(written) > 2 and len(set(map(fold, written))) == 1 and len(written) == len(cells[i]):
            constant.add(i)
        values = {fold(cell) for cell in written}
        known = {"p", "a", "e", "r", "abs", "exc", "ret", "x", "pres", "j", "aj", "anj"}
        if column is Column.NOTHING and len(values) > 1 and values <= known and values & {"p", "x", "pres"}:
            codes.add(i)
    segment.constant, segment.codes = frozenset(constant), frozenset(codes)
    of_people = [n for n, row in enumerate(segment.rows) if len(row.filled) > 1]
    segment.answered = frozenset(
        i
        for i, column in enumerate(columns)
        if column is Column.STATUS
        and (
            any(map(says_present, cells[i]))
            or (heading[i] and 2 * sum(bool(cells[i][n]) for n in of_people) > len(of_people))
        )
    )
    plain = [
        Column.STATUS if i in segment.days | segment.codes | ({segment.usual} - {None}) else column
        for i, column in enumerate(columns)
    ]
    beside = _further_groups(named, heading)
    segment.rivals = {
        i: columns.index(column)
        for i, column in enumerate(named[: beside[0]] if beside else named)
        if column in NAME_COLUMNS and columns[i] is Column.NOTHING and column in columns
    }
    segment.unexplained = unexplained_columns(plain, cells, heading)
    if segment.usual is not None:
        # Most people have one name only.
        segment.unexplained.pop(segment.usual, None)
    for i in segment.days:
        segment.unexplained[i] = (
            not_signed(columns, cells, i) | frozenset(rare_marks(cells[i])) | unlike_ticks(cells[i])
        )
    for i, odd in (*not_shown(columns, cells, heading).items(), *unclear.items()):
        segment.unexplained[i] = segment.unexplained.get(i, frozenset()) | odd
    for i, column in enumerate(columns):
        for row, cell in zip(segment.rows, cells[i], strict=True) if column not in NAME_COLUMNS else ():
            if cell and "@" not in cell and any(map(str.isalpha, cell)) and not may_be_given(cell):
                segment.beside[fold(cell)].add(row.number)
    segment.dense = dense_columns(columns, cells)
    segment.answering = answering_columns(columns, cells)
    segment.unsure_address = any(
        column is Column.ADDRESS and may_be_of_others(heading[i]) for i, column in enumerate(columns)
    )
    segment.misread = segment.misread or unknown_owner(columns, heading)
    segment.own_address = any(
        column is Column.ADDRESS and heading[i] and address_rank(heading[i]) == 2
        for i, column in enumerate(columns)
    )


def _ticks_of_unknown(
    segment: Segment, columns: list[Column], cells: Sequence[Sequence[str]], heading: Sequence[str]
) -> dict[int, frozenset[str]]:
    """Ticks under a heading that denies (« Ajourné », « Formateur »), or that is unknown: « Rate le bloc 1 » denies too.

    Of the latter, the cells without a tick are a question as well."""
    unclear: dict[int, frozenset[str]] = {}
    for i, column in enumerate(columns):
        values = [
            fold(cell) if any(map(str.isalnum, cell)) else ("x" if is_ticked(cell) else "")
            for cell in cells[i]
        ]
        ticked = [row for row, value in enumerate(values) if value in YES]
        if (
            not heading[i]
            or asks_opinion(heading[i])
            or i in segment.days
            or column
            not in (
                Column.NOTHING,
                Column.PRESENT,
                Column.WHOLE,
                Column.PART,
                Column.STATUS,
                Column.OTHER_ADDRESS,
            )
            or not ticked
            or not set(values) <= YES | NO
        ):
            continue
        # « Convoqué », « Test final » deny as labels; in a table a no does.
        denied = meaning_of_label(re.sub(r"\b(?:convoqu\w*|tests?)\b", "", fold(heading[i])))
        is_unknown = (
            column is not Column.STATUS
            and not role_of_heading(heading[i])[1]
            and not set(fold(heading[i]).split()) & BESIDE_PRESENCE
        )
        few = is_unknown and 2 * len(ticked) < len(values)
        varies = is_unknown and not affirms_by_title(heading[i]) and not holds_judgement(heading[i])
        is_done = bool(
            re.search(r"\b(deja (recu|attribue|obtenu|delivre|certifie|valide)|already)", fold(heading[i]))
        )
        if denied or is_done or few or varies:
            segment.denying[i] = denied
            columns[i] = Column.NOTHING
            if varies and not few and not denied:
                unclear[i] = frozenset(
                    cell for cell, value in zip(cells[i], values, strict=True) if value in NO
                )
    return unclear
