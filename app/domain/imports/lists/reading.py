"""From rows to people: headings, columns, names in whatever order, and every doubt that a person has to settle."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from app.domain.imports.lists.addresses import addresses_in, name_from
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
    CIVILITIES,
    DAMAGED,
    fold,
    lean_of,
    repaired,
    without_civility,
)
from app.domain.imports.lists.suspicion import Candidate, settle
from app.domain.imports.lists.tables import Segment, correct_columns, prepare, segments_of
from app.domain.imports.lists.wording import (
    HOURS,
    LEADERS,
    address_rank,
    age_band_of,
    closes_list,
    hours_in,
    is_class,
    is_crossed,
    is_ticked,
    looks_like_name,
    not_a_person,
    says_present,
    section_status,
    status_in,
    status_of_code,
)

_PHONE = re.compile(r"(?:(?:t[ée]l|port(?:able)?|mob(?:ile)?)\s*[.:]*\s*)?(?<!\d)(?:\+\d{2,3}|00\d{2}|0)\s?\(?0?\)?\s?[1-9](?:[ .\-/]?\d{2}){4}(?!\d)", re.IGNORECASE)  # fmt: skip
_DATE = re.compile(
    r"(?:\bn[ée]e?(?:\(e\))?\s+le\s+)?\b\d{1,2}\s?[/.\-]\s?\d{1,2}\s?[/.\-]\s?\d{2,4}\b(?:\s+à\s+\d{1,2}[h:]\d{0,2})?|"
    r"\bn[ée]e?(?:\(e\))?\s+le\s+\d{1,2}(?:er)?\s+\w+\s+\d{4}|\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?)?\b|\b\d{1,2}\s+ans\b",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"^\s*(?:de\s+)?\d{1,2}\s?[h:]\s?\d{0,2}(?:\s*(?:[-–>]|à|a)\s*\d{1,2}\s?[h:]\s?\d{0,2})?\s*[:\-–]?\s+(?=\D)", re.IGNORECASE)  # fmt: skip
_MARK = re.compile(r"(?<!\d)\d{1,3}(?:[.,]\d{1,2})?\s?/\s?(?:20|10|100)(?!\d)")

_PARENTHESES = re.compile(r"\(([^()]*)\)?|\[([^\[\]]*)\]?")
_NEE = re.compile(
    r"\s*[,(]?\s*\b(?:n[ée]e|épouse|epouse|ép\.|ep\.|ép|veuve|alias|dit|dite)\b(?!\s+le\b)\s*(.+)$",
    re.IGNORECASE,
)
_COUPLE = re.compile(r"(?:^|\s)(?:et|&|and|\+)(?:\s|$)", re.IGNORECASE)
_EDGES = ' \t,;:.•·*–—-|/=>→"“”«»'
_NONE = frozenset(("", "neant", "aucun", "aucune", "non communique", "non communiquee", "nc", "na", "n a", "sans", "pas de mail", "inconnu", "inconnue", "a completer", "pas d adresse", "sans mail", "non", "x", "vide", "pas d email", "a demander", "anonymous", "anonyme"))  # fmt: skip
_GUEST = re.compile(
    r"(invite|invitee|guest|non verifie|unverified|externe|external|vous|you|organisateur|presentateur)"
)


@dataclass
class _Context:
    """What rows above mean for those below."""

    status: Reason | None = None
    closed: bool = False
    leader_next: bool = False
    people: int = 0

    def reset(self) -> None:
        self.status, self.closed, self.leader_next = None, False, False


def read_blocks(
    blocks: Sequence[Block], *, activity_hours: float | None = None, columns: Sequence[Column] = ()
) -> Reading:
    """`columns` are those of the first table, as a person corrected them."""
    segments: list[Segment] = []
    lines: list[list[Candidate]] = []
    context = _Context()
    for block in blocks:
        previous = next((one for one in reversed(segments) if one.columns), None)
        for segment in segments_of(block, previous):
            if columns and not any(one.columns for one in segments):
                correct_columns(segment, columns)
            segments.append(segment)
            prepare(segment)
            lines.append(
                [one for row in _rows_of(segment) for one in _read_row(row, segment, context) if row.number]
            )
    settled = settle(lines, activity_hours=activity_hours)
    return Reading(tuple(settled), tuple(_mapping(one) for one in segments if one.rows or one.heading))


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
    line = Line(row.number, row.text, sheet=segment.block.name)
    if row is segment.heading:
        context.reset()
        yield Candidate(line.doubting(Reason.HEADING))
        return
    if not row.filled:
        yield Candidate(line.doubting(Reason.EMPTY))
        return
    is_label, status = section_status(row.text) if len(row.filled) == 1 else (False, None)
    if is_label:
        context.reset()
        context.status = status
        yield Candidate(line.doubting(Reason.TITLE))
        return
    for reason in row.doubts:
        line = line.doubting(reason)
    if segment.further:
        line = line.doubting(Reason.MAYBE_TITLE)
    by_columns = segment.columns and (len(row.filled) > 1 or segment.heading or not segment.block.delimited)
    if by_columns and segment.block.delimited == "  " and len(row.cells) != len(segment.columns):
        by_columns = False
    candidate = _from_columns(row, line, segment) if by_columns else _from_text(row, line)
    if candidate.is_person:
        found = candidate.line
        if context.status:
            found = found.doubting(context.status)
        if context.closed:
            found = found.doubting(Reason.MAYBE_TITLE)
        if context.leader_next:
            found = found.doubting(Reason.LEADER)
            context.leader_next = False
        candidate.line = found
        context.people += 1
        segment.candidates.append(candidate)
    else:
        if context.people and closes_list(row.text):
            context.closed = True
        words = set(fold(row.text).split())
        context.leader_next = bool(words & LEADERS) and (len(words) <= 3 or row.text.rstrip().endswith(":"))
    yield candidate


def _refused_or_asked(line: Line, cells: Sequence[str], reason: Reason | None) -> Candidate:
    if reason:
        return Candidate(replace(line, doubts=()).doubting(reason))
    text = " ".join(cells)
    return Candidate(
        line.doubting(Reason.MAYBE_TITLE), whole=_cleaned(text).name if looks_like_name(text) else ""
    )


@dataclass
class _Cleaned:
    """A name without what else its cell contained."""

    name: str
    homonym: int = 0
    addresses: tuple[str, ...] = ()
    doubts: tuple[tuple[Reason, str], ...] = ()


def _cleaned(text: str) -> _Cleaned:
    doubts: list[tuple[Reason, str]] = []
    if DAMAGED.search(text):
        text = repaired(text)
        doubts.append((Reason.DAMAGED, text))
    addresses, rest = addresses_in(text)
    homonym = 0

    def note(found: re.Match[str]) -> str:
        nonlocal homonym
        inside = (found[1] or found[2] or "").strip()
        folded = fold(inside)
        if re.fullmatch(r"[1-9]", inside):
            homonym = int(inside)
        elif reason := status_in(inside):
            doubts.append((reason, inside))
        elif set(folded.split()) & LEADERS:
            doubts.append((Reason.LEADER, inside))
        elif found_name := _NEE.match(" " + inside):
            doubts.append((Reason.SEVERAL_NAMES, found_name[1]))
        elif folded and not (
            is_class(inside)
            or folded in CIVILITIES
            or _GUEST.fullmatch(folded)
            or says_present(inside)
            or age_band_of(inside)
            or _DATE.fullmatch(inside)
            or not any(c.isalpha() for c in inside)
            or hours_in(inside)[0] is not None
        ):
            doubts.append((Reason.EXTRA, inside))
        return " "

    rest = _PARENTHESES.sub(note, rest)
    if born := _NEE.search(rest):
        doubts.append((Reason.SEVERAL_NAMES, born[1]))
        rest = rest[: born.start()] or rest
    rest = rest.strip(_EDGES)
    if _COUPLE.search(rest):
        doubts.append((Reason.COUPLE, rest))
        words = [
            word
            for word in rest.split()
            if fold(word) not in CIVILITIES and fold(word) not in ("et", "and") and word not in "&+"
        ]
        rest = " ".join(words)
    name = without_civility(" ".join(rest.split())).strip(_EDGES)
    if re.search(r"\w/\w|\w\s/\s\w", name):
        doubts.append((Reason.SEVERAL_NAMES, name))
        name = re.split(r"\s*/\s*", name)[0]
    return _Cleaned(name, homonym, tuple(addresses), tuple(doubts))


def _from_columns(row: Row, line: Line, segment: Segment) -> Candidate:
    cells = list(row.cells)
    columns = segment.columns
    held: dict[Column, str] = {}
    for column, cell in zip(columns, cells, strict=False):
        if cell and column not in held:
            held[column] = cell
    names = [
        held[column]
        for column in (Column.FAMILY, Column.GIVEN, Column.FAMILY_FIRST, Column.GIVEN_FIRST, Column.WHOLE)
        if column in held
    ]
    has_address = any("@" in cell for cell in cells)
    if not names:
        if not has_address:
            letters = [
                cell
                for i, cell in enumerate(cells)
                if cell and (i >= len(columns) or columns[i] is Column.NOTHING)
            ]
            reason = not_a_person(row.filled) or (
                Reason.EMPTY if not letters or all(map(is_class, letters)) else None
            )
            if (
                not reason
                and segment.heading
                and len(row.filled) > 1
                and not any(map(looks_like_name, letters))
            ):
                reason = Reason.EMPTY
            return _refused_or_asked(line, letters, reason)
    else:
        others = len(row.filled) - len(names)
        reason = not_a_person(names) or (None if others else not_a_person(row.filled))
        if reason and has_address:
            line, reason = line.doubting(Reason.MAYBE_TITLE), None
        if reason:
            return _refused_or_asked(line, names, reason)
    line = _with_address(line, row, segment)
    line = _with_presence(line, row, segment)
    if Column.HOURS in held:
        line = _with_hours(line, held[Column.HOURS])
    part = held.get(Column.PART, "")
    if set(fold(part).split()) & LEADERS:
        line = line.doubting(Reason.LEADER)
    line = replace(
        line,
        part=part,
        contribution=held.get(Column.CONTRIBUTION, ""),
        age_band=age_band_of(held.get(Column.UNDER_15, "")),
    )
    cleaned = {column: _cleaned(held[column]) for column in NAME_COLUMNS if column in held}
    for found in cleaned.values():
        for reason, word in found.doubts:
            line = line.doubting(reason, word)
        if found.homonym:
            line = replace(line, homonym=found.homonym)
        if found.addresses and not line.address:
            line = replace(line, address=found.addresses[0])
        elif set(found.addresses) - {line.address}:
            line = replace(line, other_addresses=(*line.other_addresses, *found.addresses)).doubting(
                Reason.ADDRESS_SEVERAL
            )
    for column in (Column.FAMILY_FIRST, Column.GIVEN_FIRST, Column.WHOLE):
        if column in cleaned:
            whole = cleaned[column].name
            if (
                "," in whole
                and (halves := [half.strip() for half in whole.split(",")])
                and len(halves) == 2
                and all(halves)
            ):
                return Candidate(
                    replace(line, given_name=halves[1], family_name=halves[0]), pair_order=Column.FAMILY_FIRST
                )
            return Candidate(line, whole=whole, prior=None if column is Column.WHOLE else column)
    given, family = (
        cleaned[column].name if column in cleaned else "" for column in (Column.GIVEN, Column.FAMILY)
    )
    usual = cells[segment.usual] if segment.usual is not None and segment.usual < len(cells) else ""
    if usual and fold(usual) != fold(family):
        line, family = line.doubting(Reason.SEVERAL_NAMES, family), _cleaned(usual).name
    line = replace(line, given_name=given, family_name=family)
    if not given and not family and line.address:
        return Candidate(
            replace(
                line, given_name=name_from(line.address)[0], family_name=name_from(line.address)[1]
            ).doubting(Reason.NO_NAME)
        )
    return Candidate(line, pair_order=segment.order, named_pair=segment.surely)


def _with_hours(line: Line, cell: str) -> Line:
    hours, readable = hours_in(cell)
    if readable:
        line = replace(line, hours=hours)
        return line.doubting(Reason.HOURS_UNREADABLE, cell) if hours == 0 else line
    return replace(line, hours_as_written=cell).doubting(Reason.HOURS_UNREADABLE, cell)


def _with_address(line: Line, row: Row, segment: Segment) -> Line:
    heading = segment.heading.cells if segment.heading else ()
    ranked: list[tuple[int, int, str]] = []
    others: list[str] = []
    labelled_other = False
    for index, cell in enumerate(row.cells):
        column = segment.columns[index] if index < len(segment.columns) else Column.NOTHING
        if column is Column.ADDRESS:
            found, rest = addresses_in(cell)
            rank = address_rank(heading[index] if index < len(heading) else "")
            ranked += [(-rank, index, address) for address in found]
            if len(found) > 1:
                line = line.doubting(Reason.ADDRESS_SEVERAL)
            if fold(rest) not in _NONE:
                line = line.doubting(
                    *((Reason.EXTRA, rest.strip()) if found else (Reason.ADDRESS_INVALID, cell))
                )
        elif "@" in cell and column not in NAME_COLUMNS:
            found, _ = addresses_in(cell)
            others += found
            labelled_other = labelled_other or column is Column.OTHER_ADDRESS
    ranked.sort(key=lambda one: one[:2])
    if not ranked:
        if others:
            line = line.doubting(Reason.ADDRESS_OF_OTHER)
        return replace(line, other_addresses=tuple(dict.fromkeys(others)))
    best_rank, _, address = ranked[0]
    if len({other for rank, _, other in ranked if rank == best_rank}) > 1:
        line = line.doubting(Reason.ADDRESS_SEVERAL)
    left = tuple(
        dict.fromkeys(other for other in (*(one for _, _, one in ranked[1:]), *others) if other != address)
    )
    if labelled_other and address in others:
        line = line.doubting(Reason.ADDRESS_OF_OTHER)
    return replace(line, address=address, other_addresses=left)


def _with_presence(line: Line, row: Row, segment: Segment) -> Line:
    columns = segment.columns
    for index, column in enumerate(columns):
        cell = row.cells[index] if index < len(row.cells) else ""
        if column is Column.PRESENT or (column is Column.STATUS and index in segment.ticked):
            if is_ticked(cell):
                continue
            if reason := status_of_code(cell) if cell else None:
                line = line.doubting(reason)
            elif index in segment.ticked:
                line = line.doubting(Reason.UNTICKED)
        elif column is Column.STATUS:
            if reason := status_of_code(cell) if cell else None:
                line = line.doubting(reason)
            elif not cell and any(
                index < len(other.cells) and says_present(other.cells[index]) for other in segment.rows
            ):
                line = line.doubting(Reason.UNTICKED)
        elif column is Column.ABSENT and is_crossed(cell):
            line = line.doubting(status_in(cell) or Reason.ABSENT)
        elif column is Column.EXCUSED and is_crossed(cell):
            line = line.doubting(Reason.EXCUSED)
        elif column is Column.LATE and is_crossed(cell):
            line = line.doubting(Reason.LATE)
        elif index in segment.codes and fold(cell) not in ("p", "x", "pres", ""):
            line = line.doubting(status_of_code(cell) or Reason.ABSENT)
        elif (
            column in (Column.NOTHING, Column.HOURS, Column.CONTRIBUTION, Column.PART)
            and index not in segment.constant
            and "@" not in cell
            and len(cell.split()) <= 10
            and (reason := status_in(cell))
        ):
            line = line.doubting(reason)
    for cell in row.cells[len(columns) :]:
        if cell and "@" not in cell and (reason := status_in(cell)):
            line = line.doubting(reason)
    return line


_LABELLED = re.compile(r"\s*(?:élève|eleve|stagiaire|participant(?:e)?|apprenti(?:e)?|nom(?: et prénom)?|nom complet|candidat(?:e)?|apprenant(?:e)?|nom prénom)\s*:\s*(?=\S)", re.IGNORECASE)  # fmt: skip
_BOTH_LABELLED = re.compile(r"\bnom\s*:\s*(?P<family>[^:;,]+?)[\s,;]+pr[ée]nom\s*:\s*(?P<given>[^:;,]+?)\s*(?:[,;].*|e-?mail.*|mail.*|courriel.*)?$", re.IGNORECASE)  # fmt: skip


def _from_text(row: Row, line: Line) -> Candidate:
    text = " ; ".join(row.filled) if len(row.filled) > 1 else row.filled[0]
    addresses, bare = addresses_in(text, mark=" ; ")
    bare = _MARK.sub(" ; ", _DATE.sub(" ; ", _PHONE.sub(" ; ", " ".join(_CLOCK.sub("", bare).split()))))
    if not addresses and (reason := not_a_person([text])):
        return _refused_or_asked(line, [text], reason)
    label, colon, rest = bare.partition(":")
    if colon and not addresses and not _LABELLED.match(text) and not looks_like_name(label.strip(_EDGES)):
        if not looks_like_name(rest.strip(_EDGES)):
            return _refused_or_asked(line, [text], None if rest.strip(_EDGES) else Reason.TITLE)
        line = line.doubting(Reason.EXTRA, label)
        bare = rest.strip()
    if both := _BOTH_LABELLED.search(bare):
        line = replace(line, given_name=both["given"].strip(), family_name=both["family"].strip())
        return Candidate(_with_found(line, addresses), named_pair=True)
    bare = _LABELLED.sub("", bare, count=1)
    return _from_name_and_more(line, bare, addresses, text)


def _with_found(line: Line, addresses: Sequence[str]) -> Line:
    if not addresses:
        return line
    line = replace(line, address=addresses[0], other_addresses=tuple(addresses[1:]))
    return line.doubting(Reason.ADDRESS_SEVERAL) if len(addresses) > 1 else line


def _from_name_and_more(line: Line, bare: str, addresses: Sequence[str], text: str) -> Candidate:
    hours = HOURS.findall(bare)
    bare = HOURS.sub(" ; ", bare)
    if len(hours) == 1:
        line = _with_hours(line, hours[0])
    elif hours:
        line = line.doubting(Reason.EXTRA, hours[1])
    found = _cleaned(bare)
    for reason, word in found.doubts:
        line = line.doubting(reason, word)
    line = replace(_with_found(line, addresses), homonym=found.homonym)
    parts = [part.strip(_EDGES) for part in re.split(r"\s*[;|\t]\s*|\s+[-–—]+\s+|\s*:\s*|\s{2,}", found.name)]
    parts = [part for part in parts if part]
    if parts and "," in parts[0]:
        halves = [half.strip(_EDGES) for half in parts[0].split(",") if half.strip(_EDGES)]
        as_name = len(halves) == 2 and len(halves[0].split()) <= 3 and len(halves[1].split()) <= 2
        if (
            as_name
            and not _is_note(halves[1])
            and (len(halves[0].split()) == 1 or halves[0].isupper() or not looks_like_name(halves[0]))
        ):
            for extra in parts[1:]:
                line = _with_note(line, extra)
            line = replace(line, given_name=halves[1], family_name=halves[0])
            return Candidate(line, pair_order=Column.FAMILY_FIRST)
        parts = [*halves, *parts[1:]]
    if (
        len(parts) > 1
        and all(len(part.split()) == 1 for part in parts[:2])
        and not any(map(_is_note, parts[:2]))
    ):
        first, second = parts[:2]
        lean = lean_of(first, second)
        given, family = (first, second) if lean > 0 else (second, first)
        for extra in parts[2:]:
            line = _with_note(line, extra)
        line = replace(line, given_name=given, family_name=family)
        return Candidate(line if lean else line.doubting(Reason.ORDER))
    name = parts[0] if parts else ""
    for extra in parts[1:]:
        line = _with_note(line, extra)
    name, line = _without_tail(name, line)
    if not name:
        if addresses:
            given, family = name_from(addresses[0])
            return Candidate(replace(line, given_name=given, family_name=family).doubting(Reason.NO_NAME))
        return _refused_or_asked(line, [text], not_a_person([text]))
    return Candidate(line, whole=name, free=True)


def _is_note(part: str) -> bool:
    return bool(
        is_class(part)
        or status_in(part)
        or (says_present(part) and len(part.split()) < 3)
        or is_ticked(part)
        or any(c.isdigit() for c in part)
        or fold(part) in CIVILITIES
    )


def _with_note(line: Line, part: str) -> Line:
    """What stands beside a name: its presence, its class; anything else is a question."""
    if reason := status_in(part):
        return line.doubting(reason)
    if set(fold(part).split()) & LEADERS:
        return line.doubting(Reason.LEADER)
    if band := age_band_of(part):
        return replace(line, age_band=band)
    if _is_note(part) or not any(c.isalpha() for c in part):
        return line
    return line.doubting(Reason.EXTRA, part)


_TAIL_CODES = {
    "A": Reason.ABSENT,
    "E": Reason.EXCUSED,
    "R": Reason.LATE,
    "ABS": Reason.ABSENT,
    "EXC": Reason.EXCUSED,
}


def _without_tail(name: str, line: Line) -> tuple[str, Line]:
    """« Marie Dupont 2nde B », « Marie Dupont absente », « 12 Marie Dupont X »: the name, and its remarks as doubts."""
    words = re.sub(r"^\d{1,3}\s+(?=[^\W\d])", "", name).split()
    if reason := status_in(" ".join(words)):
        line = line.doubting(reason)
        at = next(
            (
                i
                for i, word in enumerate(words)
                if status_in(word) or fold(word) in ("non", "pas", "ne", "en")
            ),
            len(words),
        )
        words = words[:at] if at >= 2 else words
    while len(words) > 2:
        last = words[-1]
        if last in _TAIL_CODES:
            line = line.doubting(_TAIL_CODES[last])
        elif not ((is_ticked(last) and fold(last) not in ("o", "y", "v")) or says_present(last)):
            break
        words = words[:-1]
    digits = next((i for i, word in enumerate(words) if any(c.isdigit() for c in word)), None)
    if digits and digits >= 2:
        tail = " ".join(words[digits:])
        start = (
            digits - 1
            if digits >= 3 and is_class(words[digits - 1]) and len(words[digits - 1]) > 1
            else digits
        )
        if is_class(tail):
            words = words[:start]
    return " ".join(words), line
