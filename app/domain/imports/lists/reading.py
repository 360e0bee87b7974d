"""From rows to people: headings, columns, names in whatever order, and every doubt that a person has to settle."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from app.domain.imports.lists.addresses import is_named_in
from app.domain.imports.lists.columns import from_columns
from app.domain.imports.lists.crosschecks import doubt_marked, doubt_told_elsewhere, show_all_people
from app.domain.imports.lists.evidence import doubt_unproved
from app.domain.imports.lists.free_text import (
    from_text,
)
from app.domain.imports.lists.mentions import mentions_in, names_leader
from app.domain.imports.lists.model import (
    NAME_COLUMNS,
    Block,
    Column,
    Line,
    Mapping,
    Reading,
    Reason,
    Row,
    TableColumn,
)
from app.domain.imports.lists.names import (
    Kind,
    fold,
    is_particle,
    kind_of,
    may_be_given,
)
from app.domain.imports.lists.remarks import (
    announces_participants,
    is_class,
    is_of_others,
    is_plain_label,
    meaning_of_label,
    qualifies_people,
    section_status,
    status_in,
)
from app.domain.imports.lists.suspicion import Candidate, common_word_in, judged_together, settle
from app.domain.imports.lists.tables import Segment, correct_columns, prepare, segments_of, upright
from app.domain.imports.lists.wording import (
    LEADERS,
    OF_OTHERS,
    OTHER_PARTS,
    PARTICIPANTS,
    THINGS,
    closes_list,
    not_a_person,
    role_of_heading,
)


@dataclass
class _Context:
    """What rows above mean for those below."""

    status: Reason | None = None
    closed: bool = False
    leader_next: bool = False
    leaders: bool = False
    """« Enseignants : » stands above."""
    under: str = ""
    """An unknown label between people, which may concern those below."""
    about: str = ""
    """A title about more of the people below than their group: « élèves exclus du voyage »."""
    last: int = 0
    people: int = 0
    counted: bool = False
    """« Absents : 3 » counts in a header, and stands above names in running text."""
    since: int = 0
    """People since the last label that concerns those below it."""

    def reset(self) -> None:
        self.status, self.closed, self.leader_next, self.leaders, self.under = None, False, False, False, ""
        self.since, self.counted, self.about = 0, False, ""


def read_blocks(
    blocks: Sequence[Block], *, activity_hours: float | None = None, columns: Sequence[Column] = ()
) -> Reading:
    """`columns` are those of the first table, as a person corrected them."""
    segments: list[Segment] = []
    lines: list[list[Candidate]] = []
    context = _Context()
    for block in map(upright, map(_with_labels_above, blocks)):
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
        if len(segment.columns) < 2:
            _join_halves(found)
            _join_addresses(found)
            _join_further_addresses(found)
        _doubt_only_one_under(found)
        _doubt_labelled(found)
        if not segment.columns:
            _doubt_signature(found)
            _doubt_above(found)
    show_all_people(lines)
    settle(lines)
    doubt_unproved(lines)
    for found in lines:
        doubt_marked([one for one in found if one.is_person])
    settled = judged_together([one.line for found in lines for one in found], activity_hours)
    settled = doubt_told_elsewhere(settled)
    return Reading(tuple(settled), tuple(_mapping(one) for one in segments if one.rows or one.heading))


_LABELLED_CELL = re.compile(r"([^:@]{2,30}?)\s*:\s*(\S.*)?")


def _with_labels_above(block: Block) -> Block:
    """« Nom : Dupont ; Prénom : Marie » in each row, as a table with these labels for a heading."""
    found = [[_LABELLED_CELL.fullmatch(cell) for cell in row.filled] for row in block.rows]
    labels = [tuple(cell[1] for cell in cells if cell) for cells in found]
    roles = {role_of_heading(label)[0] for label in labels[0]} if labels else set()
    if len(set(labels)) != 1 or not all(map(all, found)) or not {Column.FAMILY, Column.GIVEN} <= roles:
        return block
    rows = (
        replace(row, cells=tuple(cell[2] or "" for cell in cells if cell))
        for row, cells in zip(block.rows, found, strict=True)
    )
    return replace(block, rows=(Row(0, labels[0], ""), *rows))


def _join_addresses(lines: Sequence[Candidate]) -> None:
    """A name, and on the next line an address: one person."""
    pairs = [
        (one, below)
        for one, below in pairwise(lines)
        if one.is_person
        and one.whole
        and not one.line.address
        and below.is_person
        and below.line.address
        and not below.whole
        and (not below.line.name or Reason.NO_NAME in {doubt.reason for doubt in below.line.doubts})
        and below.line.line - one.line.line in (1, 2)
    ]
    alternates = len(pairs) > 1 and 2 * len(pairs) == sum(one.is_person for one in lines)
    for one, below in pairs:
        local = fold(below.line.address.partition("@")[0]).replace(" ", "")
        fits = any(len(word) > 2 and word in local for word in fold(one.whole).split())
        if fits or alternates:
            one.line = replace(one.line, address=below.line.address)
            one.line = one.line if fits else one.line.doubting(Reason.ADDRESS_NOT_THEIRS)
            below.line = replace(below.line, doubts=()).doubting(Reason.REPEATED, line=one.line.line)


def _join_further_addresses(lines: Sequence[Candidate]) -> None:
    """« Marie Dupont marie@x.fr, m.dupont@y.fr »: the second address is hers too."""
    for one, below in pairwise(lines):
        words = one.whole.split()
        if (
            len(words) > 1
            and one.line.line == below.line.line
            and one.line.address
            and below.line.address
            and not below.whole
            and is_named_in(below.line.address, words[0], words[-1])
        ):
            others = (*one.line.other_addresses, below.line.address)
            one.line = replace(one.line, other_addresses=others).doubting(Reason.ADDRESS_SEVERAL)
            below.line = replace(below.line, doubts=()).doubting(Reason.REPEATED, line=one.line.line)


def _join_halves(lines: Sequence[Candidate]) -> None:
    """« Élodie », and below it « VAN DEN BROECK », as badges have it: one person, who is asked about."""
    pairs: list[tuple[Candidate, Candidate]] = []
    for one, below in pairwise(lines):
        halves = one.whole, below.whole
        if (
            one.is_person and below.is_person and all(halves) and not one.line.address
            and below.line.line - one.line.line < 3
            and not (pairs and pairs[-1][1] is one)
        ):  # fmt: skip
            capitals = [half.isupper() and len(half) > 1 for half in halves]
            given = halves[capitals.index(False)] if capitals.count(True) == 1 else ""
            if len(given.split()) == 1 and may_be_given(given):
                pairs.append((one, below))
    for one, below in pairs if len(pairs) > 1 else ():
        one.whole = f"{one.whole} {below.whole}"
        one.line = replace(one.line, text=f"{one.line.text} ; {below.line.text}", address=below.line.address)
        one.line = one.line.doubting(Reason.MAYBE_TITLE)
        below.line = replace(below.line, address="", doubts=()).doubting(Reason.REPEATED, line=one.line.line)


def _doubt_signature(lines: Sequence[Candidate]) -> None:
    """A name alone at the end of a message may be its writer's."""
    if len(lines) < 2 or not any(
        one.line.doubts and one.line.doubts[0].reason is Reason.SENTENCE for one in lines
    ):
        return
    last, before = lines[-1], lines[-2]
    if last.is_person and (not before.is_person or last.line.line > before.line.line + 1):
        last.line = last.line.doubting(Reason.MAYBE_TITLE)


def _doubt_only_one_under(lines: Sequence[Candidate]) -> None:
    """« Technicienne », and below it one name before a gap: whatever the title means, it sets this person apart."""
    if sum(one.is_person and not _stands_over(one) for one in lines) < 3:
        return
    series = Counter(fold(one.line.text).split(" ")[0] for one in lines if _stands_over(one))
    for index, title in enumerate(lines[:-1]):
        below = lines[index + 1]
        after = lines[index + 2] if index + 2 < len(lines) else None
        if (
            _stands_over(title)
            and series[fold(title.line.text).split(" ")[0]] < 2
            and below.is_person
            and not _stands_over(below)
            and 0 < below.line.line - title.line.line < 3
            and (
                after is None
                or not after.is_person
                or _stands_over(after)
                or after.line.line > below.line.line + 1
            )
        ):
            below.line = below.line.doubting(Reason.UNDER, title.line.text)


def _stands_over(one: Candidate) -> bool:
    """A row that may be a title over others, and is none of a group or of participants."""
    text = one.line.text
    reasons = {doubt.reason for doubt in one.line.doubts}
    bare = text.strip(" ;:|\t")
    if one.is_person:
        name = one.whole or one.line.name
        is_title = (
            not one.line.address
            and (len(name.split()) < 2 or Reason.MAYBE_TITLE in reasons or bool(common_word_in(name)))
            and not any(map(may_be_given, name.split()))
        )
    else:
        is_title = bool(reasons & {Reason.TITLE, Reason.SIGNATURE, Reason.SENTENCE})
    return (
        is_title
        and 0 < len(bare.split()) < 7
        and not re.search(r"[;|:]\s*\S|\t\s*\S|\d", bare)
        and not is_plain_label(bare)
        and not announces_participants(bare)
        and not section_status(bare)[0]
    )


_NAMING = frozenset(("nom", "prenom", "noms", "prenoms", "a", "to", "pour", "destinataires"))


def _doubt_labelled(lines: Sequence[Candidate]) -> None:
    """« Équipe : Léa Petit » among names without such a label."""
    for one in lines:
        label, colon, rest = one.line.text.partition(":")
        words = fold(label).split()
        if (
            colon
            and one.is_person
            and "\n" not in one.line.text
            and 0 < len(words) < 5
            and "@" not in rest
            and not rest.startswith("//")
            and not any(map(str.isdigit, label))
            and not set(words) & (_NAMING | PARTICIPANTS)
            and not section_status(label)[0]
            and sum(other.is_person and other.line.line == one.line.line for other in lines) == 1
            and not mentions_in(label)
        ):
            one.line = one.line.doubting(Reason.EXTRA, label)


def _doubt_above(lines: Sequence[Candidate]) -> None:
    """« organisateur », « absente » alone in a line may be about the person above."""
    for one, below in pairwise(lines):
        text = below.line.text
        words = fold(text).split()
        if (
            one.is_person
            and below.line.line == one.line.line + 1
            and words
            and re.fullmatch(r"\(.*\)", text.strip())
        ):
            # « (remplacée par Paul Roux) »
            one.line = one.line.doubting(Reason.MENTIONED, line=below.line.line)
        if (
            one.is_person
            and below.line.line == one.line.line + 1
            and 0 < len(words) < 4
            and not text.rstrip().endswith(":")
            and not mentions_in(text)
            and (status_in(text) or set(words) & (LEADERS | OTHER_PARTS | _OPTIONAL))
            and not words[0].endswith("s")
        ):
            one.line = one.line.doubting(Reason.MENTIONED, line=below.line.line)


_OPTIONAL = frozenset(("facultatif", "facultative", "optional", "non", "peut", "provisoire"))


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


def _read_row(row: Row, segment: Segment, context: _Context) -> Iterator[Candidate]:
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
    if row is segment.heading or count < 2:
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
        is_read = is_read or column in NAME_COLUMNS
        holds_more = column in NAME_COLUMNS and (common_word_in(cell) or len(mentions_in(cell)) > most)
        if not is_read or holds_more:
            found.append(cell)
    return [cell for cell in found if cell]


def _labelled(line: Line, text: str) -> Line:
    """« Encadrants : … » and « Absents : … » hold for everybody in the line."""
    label, colon, rest = text.partition(":")
    if not colon or rest.startswith("//") or "@" in label or len(label.split()) > 5:
        return line
    words = set(fold(label).split())
    if words & (LEADERS | OTHER_PARTS | OF_OTHERS) and not words & PARTICIPANTS:
        line = line.doubting(Reason.LEADER)
    elif words & {"invite", "invitee", "guest", "autre", "autres"} or "?" in label:
        line = line.doubting(Reason.EXTRA, label)
    status = section_status(label)[1] or status_in(label) or meaning_of_label(label)
    return line.doubting(status) if status else line


def _read(row: Row, segment: Segment, context: _Context) -> Iterator[Candidate]:
    line = Line(row.number, row.text, sheet=segment.block.name)
    if row is segment.heading:
        # A title above a heading holds for the table.
        if context.since or context.counted:
            context.reset()
        context.leader_next, context.leaders, context.under = False, False, ""
        unknown = [
            cell for cell, holds in zip(row.cells, segment.columns, strict=False)
            if holds is Column.NOTHING and not role_of_heading(cell)[1]
        ]  # fmt: skip
        yield Candidate(line.doubting(Reason.HEADING), unread=" ; ".join(unknown))
        return
    if not row.filled or re.fullmatch(r"[-_=*]{2,}\s*", row.text):
        context.closed = context.closed or (bool(context.people) and row.text.startswith(("--", "__")))
        yield Candidate(line.doubting(Reason.EMPTY))
        return
    is_label, status = section_status(row.text) if len(row.filled) == 1 else (False, None)
    if is_label:
        context.reset()
        context.counted = bool(re.search(r":\s*\d", row.text))
        context.status = None if re.search(r":\s*0\b", row.text) else status
        yield Candidate(line.doubting(Reason.TITLE))
        return
    label = _label_of(row, segment)
    if label and (said := meaning_of_label(label)) and not mentions_in(label):
        context.reset()
        context.status = said
    elif len(row.filled) == 1 and announces_participants(row.filled[0]):
        context.reset()
    elif len(row.filled) == 1 and qualifies_people(row.filled[0]) and not mentions_in(row.text):
        context.reset()
        context.about = row.text
    for reason in row.doubts:
        line = line.doubting(reason)
    if segment.further:
        line = line.doubting(Reason.MAYBE_TITLE)
    by_columns = segment.columns and (len(row.filled) > 1 or segment.heading or not segment.block.delimited)
    if by_columns and segment.block.delimited == "  " and len(row.cells) != len(segment.columns):
        by_columns = False
    candidate = from_columns(row, line, segment) if by_columns else from_text(row, line)
    candidate.unread = " ; ".join(_unread(row, segment) if by_columns and candidate.is_person else row.filled)
    candidate.evidence = 2 * segment.told
    candidate.own_address, candidate.unsure_address = segment.own_address, segment.unsure_address
    if segment.is_above and candidate.is_person:
        candidate.line = candidate.line.doubting(Reason.MAYBE_TITLE)
    if segment.is_above and candidate.is_person and not candidate.line.address and not mentions_in(row.text):
        candidate = Candidate(replace(candidate.line, doubts=()).doubting(Reason.TITLE))
    if candidate.is_person:
        found = candidate.line
        if (
            context.status is Reason.LEADER
            and not by_columns
            and context.since
            and row.number > context.last + 1
        ):
            context.status = None
        if context.status:
            found = found.doubting(context.status)
        if context.closed:
            found = found.doubting(Reason.MAYBE_TITLE)
        if above := segment.misread or context.under or context.about:
            found = found.doubting(Reason.UNDER, above)
        if _is_label(row, candidate):
            context.under = row.text if context.people else ""
        if context.leaders and context.last and row.number > context.last + 1:
            context.leaders = False
        if context.leader_next or context.leaders:
            found = found.doubting(Reason.LEADER)
            context.leader_next = False
        context.last = row.number
        candidate.line = found
        context.people += 1
        context.since += 1
        if said := meaning_of_label(segment.block.name):
            candidate.line = candidate.line.doubting(said)
        elif qualifies_people(segment.block.name):
            candidate.line = candidate.line.doubting(Reason.UNDER, segment.block.name)
        segment.candidates.append(candidate)
    else:
        if context.people and closes_list(row.text):
            context.closed = True
        _note_title(row, context)
    yield candidate


def _label_of(row: Row, segment: Segment) -> str:
    """The only cell of a row, or its only cell for a name: « G3 ; Intervenants ; ; »."""
    if len(row.filled) == 1:
        return row.filled[0]
    names = [
        cell
        for cell, holds in zip(row.cells, segment.columns, strict=False)
        if cell and holds in NAME_COLUMNS
    ]
    return names[0] if len(names) == 1 and "@" not in row.text and not_a_person(names) else ""


def _note_title(row: Row, context: _Context) -> None:
    """What a title means for the people below it."""
    words = set(fold(row.text).split())
    announces = row.text.rstrip().endswith(":")
    is_label = announces or (len(words) <= 3 and ":" not in row.text)
    others = words & (LEADERS | OTHER_PARTS | OF_OTHERS) if is_label and is_of_others(row.text) else set()
    context.leader_next = bool(others & LEADERS)
    context.leaders = any(word.endswith("s") for word in others) or "jury" in others
    context.last = 0
    if announces and (status := status_in(row.text)):
        context.status = status
    if row.filled and any(c.isalpha() for c in row.text) and not mentions_in(row.text):
        context.under = (
            row.text if context.people and is_label and not others and not _is_clear(row.text) else ""
        )


_CLEAR = (
    THINGS
    | PARTICIPANTS
    | frozenset(
        [
            "noms",
            "voici",
            "liste",
            "suite",
            "page",
            "ordre",
            "matin",
            "suivants",
            "bonjour",
            "bonsoir",
            "merci",
        ]
    )
)


def _is_clear(title: str) -> bool:
    """« Atelier bois », « Groupe 2 », « Suite » change nothing for the people below."""
    known = set(fold(title).split())
    if known & {"liste", "listes", "noms"} and not known & THINGS:
        return is_plain_label(title)
    return bool(known & _CLEAR) or any(c.isdigit() for c in title) or is_class(title)


_OF_PART = re.compile(r"(?:eur|euse|rice|ien|ienne|ant|ante|ent|ente|iste|aire|age)s?$")
"""« Technicienne », « Sortants », « Rattrapage »: a part or an occasion."""


def _is_label(row: Row, candidate: Candidate) -> bool:
    """« À relancer » between people: asked about itself, and a question for those below."""
    return (
        len(row.filled) == 1
        and len(row.text.split()) <= 4
        and not candidate.line.address
        and (
            row.text.rstrip().endswith(":")
            or common_word_in(row.text) != ""
            or (len(row.text.split()) == 1 and _OF_PART.search(fold(row.text)) is not None)
        )
        and all(kind_of(word) is Kind.UNKNOWN for word in row.text.split() if not is_particle(word))
        and not _is_clear(row.text)
    )
