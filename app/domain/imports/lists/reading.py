"""From rows to people: headings, columns, names in whatever order, and every doubt that a person has to settle."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, takewhile

from app.domain.imports.lists.columns import from_columns
from app.domain.imports.lists.doubts.broken import join_broken
from app.domain.imports.lists.doubts.crosschecks import (
    doubt_named_once,
    doubt_stated_elsewhere,
    settle_notes_of_all,
    show_all_people,
)
from app.domain.imports.lists.doubts.marks import doubt_marks
from app.domain.imports.lists.doubts.neighbours import (
    doubt_marked,
    doubt_neighbours,
    doubt_not_among_present,
    doubt_times,
    doubt_unlike_form,
)
from app.domain.imports.lists.doubts.notices import (
    doubt_codes,
    is_legend,
    is_only_signs,
    is_remark_on_one,
    label_before_names,
    status_of_all,
    tells_success,
)
from app.domain.imports.lists.doubts.slips import doubt_slips
from app.domain.imports.lists.free_text import from_text
from app.domain.imports.lists.layouts import arranged
from app.domain.imports.lists.mentions import is_one_name, mentions_in, names_leader
from app.domain.imports.lists.model import (
    NAME_COLUMNS,
    Block,
    Column,
    Line,
    Mapping,
    Reading,
    Reason,
    Row,
    State,
    TableColumn,
)
from app.domain.imports.lists.proof import admit, asked_without_evidence
from app.domain.imports.lists.suspicion import Candidate, common_word_in, judged_together, settle
from app.domain.imports.lists.tables import (
    Segment,
    correct_columns,
    prepare,
    segments_of,
)
from app.domain.imports.lists.titles import (
    Titles,
    doubt_around_unknown,
    is_lone_cell,
    is_of_participants,
    label_of,
    may_be_label,
    note_heading,
    note_title,
    uncounted,
)
from app.domain.imports.lists.vocabulary.hours import is_much, stated_hours
from app.domain.imports.lists.vocabulary.names import (
    CIVILITIES,
    by_capitals,
    fold,
    may_be_given,
)
from app.domain.imports.lists.vocabulary.remarks import (
    announces_participants,
    meaning_of_label,
    names_agents,
    section_status,
    status_in,
    tells_where_to_send,
)
from app.domain.imports.lists.vocabulary.wording import (
    LEADERS,
    OF_OTHERS,
    OTHER_PARTS,
    PARTICIPANTS,
    THINGS,
    closes_list,
    role_of_heading,
)


def read_blocks(
    blocks: Sequence[Block], *, activity_hours: float | None = None, columns: Sequence[Column] = ()
) -> Reading:
    """`columns` are those of the first table, as a person corrected them."""
    segments: list[Segment] = []
    lines: list[list[Candidate]] = []
    context = Titles()
    for block in map(arranged, blocks):
        if block.name:
            context.is_present_sheet = section_status(block.name) == (True, None)
        if block.name and context.listed:
            context.title = context.apart = block.name
            context.apart = "" if is_of_participants(block.name) else block.name
        previous = next((one for one in reversed(segments) if one.columns), None)
        for segment in segments_of(block, previous):
            if columns and not any(one.columns for one in segments):
                correct_columns(segment, columns)
            segments.append(segment)
            prepare(segment)
            lines.append(
                [one for row in _rows_of(segment) for one in _read_row(row, segment, context) if row.number]
            )
    for segment, found in zip(segments, lines, strict=True):
        join_broken(found, is_text=len(segment.columns) < 2)
        if segment.heading is None:
            doubt_times([one for one in found if one.is_person])
        doubt_neighbours(found, is_text=not segment.columns)
    doubt_before_tables(segments, lines)
    doubt_not_among_present([one for found in lines for one in found if one.is_person])
    show_all_people(lines)
    settle(lines)
    for found in lines:
        settle_notes_of_all([one for one in found if one.is_person])
        doubt_slips(found)
    admit(list(zip(segments, lines, strict=True)))
    for found in lines:
        doubt_marked([one for one in found if one.is_person])
        doubt_unlike_form([one for one in found if one.is_person])
    settled = judged_together([one.line for found in lines for one in found], activity_hours)
    settled = doubt_around_unknown(
        doubt_marks(doubt_stated_elsewhere(doubt_named_once(doubt_codes(settled))))
    )
    return Reading(
        tuple(with_stated_hours(tuple(map(asked_without_evidence, settled)), activity_hours)),
        tuple(_mapping(one) for one in segments if one.rows or one.heading),
    )


def with_stated_hours(lines: Sequence[Line], most: float | None) -> Iterator[Line]:
    """« Heures : 14 » above the names, where none has hours of their own; more than the activity has is not theirs."""
    have_own = any(line.hours or line.hours_as_written for line in lines)
    hours = None
    for line in lines:
        if line.state is State.REFUSED:
            hours = stated_hours(line.text) or hours
            yield line
        else:
            is_given = hours and not have_own and not is_much(hours, most, hours, 3)
            yield replace(line, hours=hours) if is_given else line


def doubt_before_tables(segments: Sequence[Segment], lines: Sequence[Sequence[Candidate]]) -> None:
    """« Odile Brun » alone above a table of names may be the head of the group."""
    for (one, found), (other, below) in pairwise(zip(segments, lines, strict=True)):
        people = [each for each in found if each.is_person]
        if (
            not one.columns
            and other.heading
            and 0 < len(people) < 3
            and sum(each.is_person for each in below) > 1
        ):
            for each in people:
                each.line = each.line.doubting(Reason.MAYBE_TITLE)


def _mapping(segment: Segment) -> Mapping:
    heading = segment.heading.cells if segment.heading else ()
    found = []
    for index, holds in enumerate(segment.columns):
        sample = [row.cells[index] for row in segment.rows if index < len(row.cells) and row.cells[index]]
        found.append(TableColumn(heading[index] if index < len(heading) else "", holds, tuple(sample[:3])))
    orders = [candidate.order for candidate in segment.candidates if candidate.order]
    order = max(set(orders), key=orders.count) if orders else segment.order or Column.WHOLE
    return Mapping(
        segment.heading.number if segment.heading else None, tuple(found), order, segment.block.name
    )


def _rows_of(segment: Segment) -> Iterator[Row]:
    if segment.heading:
        yield segment.heading
    yield from segment.rows


def _read_row(row: Row, segment: Segment, context: Titles) -> Iterator[Candidate]:
    for candidate in (one for part in _one_by_one(row, segment) for one in _read(part, segment, context)):
        reasons = {doubt.reason for doubt in candidate.line.doubts}
        if (Reason.SIGNATURE in reasons or (Reason.TITLE in reasons and names_leader(row.text))) and (
            len(row.text.split()) < 9 and len(mentions_in(row.text)) < 2
        ):
            candidate.unread = ""
        if candidate.is_person:
            candidate.line = _labelled(candidate.line, row.text)
        yield candidate


def _one_by_one(row: Row, segment: Segment) -> Iterator[Row]:
    """A row for each person of a cell that names one in each of its lines."""
    cells = [cell.split(" ; ") for cell in row.cells]
    counts = {
        len(pieces)
        for pieces, column in zip(cells, segment.columns, strict=False)
        if column in NAME_COLUMNS and any(pieces)
    }
    count = counts.pop() if len(counts) == 1 else 1
    if (
        row is segment.heading
        or count < 2
        or is_legend(row.text)
        or any("@" in cell for cell in row.cells if " ; " in cell)
    ):
        # « Léa Petit », and below it in the same cell « lea@exemple.fr »
        yield row
        return
    for index in range(count):
        yield replace(
            row,
            cells=tuple(pieces[index] if len(pieces) == count else " ; ".join(pieces) for pieces in cells),
        )


def _unread(row: Row, segment: Segment) -> list[str]:
    """Cells beside those that were read, and cells of names that hold more than one."""
    found = []
    for index, cell in enumerate(row.cells):
        column = segment.columns[index] if index < len(segment.columns) else Column.NOTHING
        most = 1 if column.is_whole_name or segment.surely else 0
        is_read = segment.heading and index < len(segment.columns) and index not in segment.unread
        words = set(fold(segment.title_of(index)).split())
        if words & {"nom", "prenom", "noms", "prenoms"} and not words & OF_OTHERS and index != segment.usual:
            # « Nom binôme ; Prénom binôme »
            is_read = False
        is_read = is_read or column in NAME_COLUMNS
        holds_more = column in NAME_COLUMNS and (common_word_in(cell) or len(mentions_in(cell)) > most)
        if not is_read or holds_more:
            found.append(cell)
    return [cell for cell in found if cell]


def _labelled(line: Line, text: str) -> Line:
    """« Encadrants : … » and « Absents : … » hold for everybody in the line."""
    if said := status_of_all(text):
        return line.doubting(said)
    label, colon, rest = text.partition(":")
    if not colon or rest.startswith("//") or "@" in label or len(label.split()) > 5:
        return line
    words = set(fold(label).split())
    if (words & (LEADERS | OTHER_PARTS | OF_OTHERS) and not words & PARTICIPANTS) or names_agents(label):
        line = line.doubting(Reason.LEADER)
    elif words & {"invite", "invitee", "guest", "autre", "autres"} or "?" in label:
        line = line.doubting(Reason.EXTRA, label)
    if colon and not rest.strip():
        return line
    status = section_status(label)[1] or status_in(label) or meaning_of_label(label)
    return line.doubting(status) if status else line


def _read(row: Row, segment: Segment, context: Titles) -> Iterator[Candidate]:
    line = Line(row.number, row.text, sheet=segment.block.name)
    if row is segment.heading:
        # A title above a heading holds for the table.
        if context.since or context.counted:
            context.reset()
        context.leader_next, context.leaders, context.under = False, False, ""
        note_heading(row, context)
        unknown = [
            cell for cell, holds in zip(row.cells, segment.columns, strict=False)
            if holds is Column.NOTHING and not role_of_heading(cell)[1]
        ]  # fmt: skip
        yield Candidate(line.doubting(Reason.HEADING), unread=" ; ".join(unknown))
        return
    if len(row.filled) < 2 and is_only_signs(row.text) and context.people:
        context.reset()
        context.about = row.text
    if not row.filled or re.fullmatch(r"[-_=*]{2,}\s*", row.text):
        context.closed = context.closed or (bool(context.people) and row.text.startswith(("--", "__")))
        yield Candidate(line.doubting(Reason.EMPTY))
        return
    bare = row.text.strip(' ;,|\t"')
    if is_legend(bare) or tells_where_to_send(bare) or (context.people and is_remark_on_one(bare)):
        yield Candidate(line.doubting(Reason.TITLE))
        return
    is_label, status = (
        section_status(row.text) if len(row.filled) == 1 and not mentions_in(row.text) else (False, None)
    )
    if is_label and status is None and context.status and _only_counts(row, segment):
        # « Présents : 5 » among the absent
        yield Candidate(line.doubting(Reason.TITLE))
        return
    if is_label:
        context.reset()
        context.counted = bool(re.search(r":\s*\d", row.text))
        context.status = None if re.search(r":\s*0\b", row.text) else status
        context.is_of_present = status is None and "present" in fold(row.text)
        yield Candidate(line.doubting(Reason.TITLE))
        return
    if context.carried and row.number > context.carried + 1:
        context.carried, context.status = 0, None
    elif context.carried:
        context.carried = row.number
    label, is_title = uncounted(label_of(row, segment), row, segment, context), False
    if (
        label
        and (said := meaning_of_label(label))
        and not mentions_in(label)
        and not is_one_name(label)
        and not (said is Reason.LEADER and ("@" in label or _is_name_in_capitals(label)))
    ):
        context.reset()
        context.status, is_title = said, True
    elif carried := label_before_names(row.text):
        context.reset()
        context.status, context.carried = carried[0], row.number
    elif (
        len(row.filled) == 1
        and (announces_participants(row.filled[0]) or tells_success(row.filled[0]))
        and not (row.text[:1].isdigit() and (context.about or context.status))
    ):
        # « 5 inscrits » only counts.
        context.reset()
    for reason in row.doubts:
        # A title has another format than the people below it.
        line = line if reason is Reason.APART else line.doubting(reason)
    if segment.further:
        line = line.doubting(Reason.MAYBE_TITLE)
    by_columns = segment.columns and (len(row.filled) > 1 or segment.heading or not segment.block.delimited)
    if by_columns and segment.block.delimited == "  " and len(row.cells) != len(segment.columns):
        by_columns = False
    if by_columns and segment.heading and len(row.filled) == 1 and _is_loose(row.filled[0]):
        # « Sophie Germain sophie@… » below a table belongs to another list.
        by_columns = False
        line = line.doubting(Reason.MAYBE_TITLE) if len(segment.columns) > 1 else line
    candidate = from_columns(row, line, segment) if by_columns else from_text(row, line)
    if (
        not by_columns
        and len(row.filled) == 1
        and (
            segment.days
            or segment.ticked
            or len(segment.dense) > 1
            or segment.answering
            or any("" in odd for odd in segment.unexplained.values())
        )
    ):
        # « Sacha Guérin;;; » among names that are ticked, or that have times.
        candidate.line = candidate.line.doubting(Reason.UNTICKED)
    candidate.unread = " ; ".join(_unread(row, segment) if by_columns and candidate.is_person else row.filled)
    candidate.has_row = bool(by_columns) and _has_row(row, segment)
    candidate.own_address, candidate.unsure_address = segment.own_address, segment.unsure_address
    if segment.is_above and candidate.is_person:
        candidate.line = candidate.line.doubting(Reason.MAYBE_TITLE)
    is_like_below = (
        len(row.filled) > 1
        and any(may_be_given(cell) for cell in row.filled)
        and not set(fold(row.filled[0]).split()) & THINGS
    )
    if (
        segment.is_above
        and candidate.is_person
        and not candidate.line.address
        and not mentions_in(row.text)
        and not is_like_below
    ):
        candidate = Candidate(replace(candidate.line, doubts=()).doubting(Reason.TITLE))
    if candidate.is_person:
        found = candidate.line
        if (
            context.status is Reason.LEADER
            and not by_columns
            and context.since
            and row.number > context.last + segment.gap
        ):
            context.status = None
        if context.status:
            found = found.doubting(context.status)
        if context.closed:
            found = found.doubting(Reason.MAYBE_TITLE)
        if Reason.APART in row.doubts:
            found = found.doubting(Reason.APART)
        candidate.is_of_present = context.is_of_present or context.is_present_sheet
        above = segment.misread or context.apart or context.under or context.about
        if above and is_title and above == row.text:
            found = found.doubting(Reason.MAYBE_TITLE)
        elif above:
            found = found.doubting(Reason.UNDER, above.strip(" ;,|\t"))
        if is_title or not by_columns:
            context.title = row.text
        if is_title:
            pass
        elif may_be_label(row, candidate) or is_lone_cell(row, candidate, segment):
            context.under = row.text if context.people else ""
            context.title = row.text
        elif segment.is_above and segment.heading:
            context.people -= 1
        elif by_columns or not common_word_in(candidate.whole):
            context.loose += not by_columns
            context.listed += bool(by_columns) or context.loose > 2
            context.title = "" if by_columns else row.text
        if context.leaders and context.last and row.number > context.last + segment.gap:
            context.leaders = False
        if context.leader_next or context.leaders:
            found = found.doubting(Reason.LEADER)
            context.leader_next = False
        context.last = row.number
        candidate.line = found
        context.people += 1
        context.since += not is_title
        if said := meaning_of_label(segment.block.name):
            candidate.line = candidate.line.doubting(said)
        segment.candidates.append(candidate)
    else:
        if context.people and closes_list(row.text):
            context.closed = True
        note_title(row, context)
    yield candidate


def _is_name_in_capitals(text: str) -> bool:
    """« PRÉSIDENT Fleur », no « FORMATEURS Lundi »"""
    words = text.split()
    is_marked = len(words) == 2 and by_capitals(words) is not None
    return is_marked and any(map(may_be_given, words)) and words[0][-1] not in "Ss"


def _only_counts(row: Row, segment: Segment) -> bool:
    found = re.search(r":\s*(\d{1,3})\s*$", row.text.rstrip(";\t ,"))
    below = segment.rows[segment.rows.index(row) + 1 :] if row in segment.rows else []
    people = takewhile(lambda one: one.filled and not section_status(one.text)[0], below)
    return found is not None and len(list(people)) != int(found[1])


def _has_row(row: Row, segment: Segment) -> bool:
    """A civility, or a number, a date or an address in each column that most rows fill."""
    cells = dict(enumerate(row.cells))
    if any(
        column is Column.CIVILITY and fold(cells.get(index, "")) in CIVILITIES
        for index, column in enumerate(segment.columns)
    ):
        return True
    filled = [cells.get(index, "") for index in segment.dense]
    return all(filled) and any(map(str.isdigit, "".join(filled)))


def _is_loose(cell: str) -> bool:
    words = [word for word in cell.split() if "@" not in word]
    return "@" in cell and len(words) > 1
