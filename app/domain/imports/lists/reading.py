"""From rows to people: headings, columns, names in whatever order, and every doubt that a person has to settle."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from app.domain.imports.lists.addresses import addresses_in, name_from
from app.domain.imports.lists.free_text import (
    are_halves,
    cleaned_name,
    from_text,
    refused_or_asked,
    with_hours,
    with_note,
)
from app.domain.imports.lists.mentions import mentions_in, names_leader
from app.domain.imports.lists.model import (
    NAME_COLUMNS,
    OF_PRESENCE,
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
    fold,
    may_be_given,
    without_civility,
)
from app.domain.imports.lists.suspicion import Candidate, common_word_in, settle
from app.domain.imports.lists.tables import Segment, correct_columns, prepare, segments_of, upright
from app.domain.imports.lists.wording import (
    LEADERS,
    OF_OTHERS,
    OTHER_PARTS,
    address_rank,
    age_band_of,
    chosen_in,
    closes_list,
    is_class,
    is_crossed,
    is_neutral,
    is_ticked,
    looks_like_name,
    not_a_person,
    says_present,
    section_status,
    status_in,
    status_of_code,
)
from app.language.typography import respelt

_NONE = frozenset(("", "neant", "aucun", "aucune", "non communique", "non communiquee", "nc", "na", "n a", "sans", "pas de mail", "inconnu", "inconnue", "a completer", "pas d adresse", "sans mail", "non", "x", "vide", "pas d email", "a demander", "anonymous", "anonyme"))  # fmt: skip


@dataclass
class _Context:
    """What rows above mean for those below."""

    status: Reason | None = None
    closed: bool = False
    leader_next: bool = False
    leaders: bool = False
    """« Enseignants : » stands above."""
    last: int = 0
    people: int = 0

    def reset(self) -> None:
        self.status, self.closed, self.leader_next, self.leaders = None, False, False, False


def read_blocks(
    blocks: Sequence[Block], *, activity_hours: float | None = None, columns: Sequence[Column] = ()
) -> Reading:
    """`columns` are those of the first table, as a person corrected them."""
    segments: list[Segment] = []
    lines: list[list[Candidate]] = []
    context = _Context()
    for block in map(upright, blocks):
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
            _join_addresses(found)
        if not segment.columns:
            _doubt_signature(found)
    _show_all_people(lines)
    settled = settle(lines, activity_hours=activity_hours)
    return Reading(tuple(settled), tuple(_mapping(one) for one in segments if one.rows or one.heading))


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


def _doubt_signature(lines: Sequence[Candidate]) -> None:
    """A name alone at the end of a message may be its writer's."""
    if len(lines) < 2 or not any(
        one.line.doubts and one.line.doubts[0].reason is Reason.SENTENCE for one in lines
    ):
        return
    last, before = lines[-1], lines[-2]
    if last.is_person and (not before.is_person or last.line.line > before.line.line + 1):
        last.line = last.line.doubting(Reason.MAYBE_TITLE)


def _show_all_people(segments: Sequence[list[Candidate]]) -> None:
    """A person named in text that was not read as a name, and nowhere else, becomes a question."""
    known = [words for lines in segments for one in lines if (words := _words_of(one))]
    for lines in segments:
        shown: list[Candidate] = []
        for one in _apart(lines):
            own = _words_of(one)
            missing: list[Candidate] = []
            mentions = mentions_in(one.unread) if one.unread else []
            inside = [words for mention in mentions if (words := set(fold(mention).split())) <= own]
            for mention in mentions:
                words = set(fold(mention).split())
                beside = len(inside) > 1 and words in inside[1:]
                elsewhere = any(words <= other for other in known if other is not own and other != own)
                if (beside and not elsewhere) or not (
                    any(words <= other for other in known) or (len(own) > 1 and own <= words)
                ):
                    known.append(words)
                    line = Line(one.line.line, one.line.text, sheet=one.line.sheet).doubting(
                        Reason.MAYBE_TITLE
                    )
                    for doubt in one.line.doubts:
                        if doubt.reason in OF_PRESENCE:
                            line = line.doubting(doubt.reason)
                    missing.append(
                        Candidate(line, whole=without_civility(mention), named_pair=False, free=True)
                    )
            if not missing or own or one.line.address:
                shown.append(one)
            shown += missing
        lines[:] = shown


def _apart(lines: Sequence[Candidate]) -> Iterator[Candidate]:
    """« Yasmine et Zoé Amar » are two, each with a question."""
    for one in lines:
        words = one.whole.split()
        is_couple = Reason.COUPLE in {doubt.reason for doubt in one.line.doubts}
        if is_couple and len(words) > 2 and all(map(may_be_given, words[:2])):
            other = replace(one, whole=" ".join(words[1:]))
            one.whole = " ".join([words[0], *words[2:]])
            yield one
            yield other
        elif is_couple and len(words) > 2 and all(map(may_be_given, words[-2:])):
            other = replace(one, whole=" ".join([*words[:-2], words[-1]]))
            one.whole = " ".join(words[:-1])
            yield one
            yield other
        else:
            yield one


def _words_of(one: Candidate) -> set[str]:
    return set(fold(f"{one.whole} {one.line.name}").split()) if one.is_person else set()


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
    for candidate in _read(row, segment, context):
        reasons = {doubt.reason for doubt in candidate.line.doubts}
        if reasons & {Reason.HEADING, Reason.EMPTY, Reason.SIGNATURE} or (
            Reason.TITLE in reasons and names_leader(row.text)
        ):
            candidate.unread = ""
        if candidate.is_person:
            candidate.line = _labelled(candidate.line, row.text)
        yield candidate


def _unread(row: Row, segment: Segment) -> list[str]:
    """Cells beside those that were read, and cells of names that hold more than one."""
    found = []
    for index, cell in enumerate(row.cells):
        column = segment.columns[index] if index < len(segment.columns) else Column.NOTHING
        most = 1 if column.is_whole_name or segment.surely else 0
        is_read = index < len(segment.columns) and index not in segment.unread
        holds_more = column in NAME_COLUMNS and (common_word_in(cell) or len(mentions_in(cell)) > most)
        if not is_read or holds_more:
            found.append(cell)
    return [cell for cell in found if cell]


def _labelled(line: Line, text: str) -> Line:
    """« Encadrants : … » and « Absents : … » hold for everybody in the line."""
    label, colon, _ = text.partition(":")
    if not colon or "@" in label or len(label.split()) > 5:
        return line
    if names_leader(label):
        line = line.doubting(Reason.LEADER)
    _, status = section_status(label)
    return line.doubting(status) if status else line


def _read(row: Row, segment: Segment, context: _Context) -> Iterator[Candidate]:
    line = Line(row.number, row.text, sheet=segment.block.name)
    if row is segment.heading:
        context.reset()
        yield Candidate(line.doubting(Reason.HEADING))
        return
    if not row.filled or re.fullmatch(r"[-_=*]{2,}\s*", row.text):
        context.closed = context.closed or (bool(context.people) and row.text.startswith(("--", "__")))
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
    candidate = _from_columns(row, line, segment) if by_columns else from_text(row, line)
    candidate.unread = " ; ".join(_unread(row, segment) if by_columns and candidate.is_person else row.filled)
    candidate.evidence = 2 * segment.told
    if segment.is_above and candidate.is_person and not candidate.line.address and not mentions_in(row.text):
        candidate = Candidate(replace(candidate.line, doubts=()).doubting(Reason.TITLE))
    if candidate.is_person:
        found = candidate.line
        if context.status:
            found = found.doubting(context.status)
        if context.closed:
            found = found.doubting(Reason.MAYBE_TITLE)
        if context.leaders and context.last and row.number > context.last + 1:
            context.leaders = False
        if context.leader_next or context.leaders:
            found = found.doubting(Reason.LEADER)
            context.leader_next = False
        context.last = row.number
        candidate.line = found
        context.people += 1
        segment.candidates.append(candidate)
    else:
        if context.people and closes_list(row.text):
            context.closed = True
        words = set(fold(row.text).split())
        is_label = len(words) <= 3 or row.text.rstrip().endswith(":")
        context.leader_next = bool(words & LEADERS) and is_label
        context.leaders = is_label and any(word in LEADERS and word.endswith("s") for word in words)
        context.last = 0
    yield candidate


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
            return refused_or_asked(line, letters, reason)
    else:
        others = len(row.filled) - len(names)
        reason = not_a_person(names) or (None if others else not_a_person(row.filled))
        if reason and has_address:
            line, reason = line.doubting(Reason.MAYBE_TITLE), None
        if reason:
            return refused_or_asked(line, names, reason)
    line = _with_address(line, row, segment)
    line = _with_presence(line, row, segment)
    if Column.HOURS in held:
        line = with_hours(line, held[Column.HOURS])
    part = held.get(Column.PART, "")
    if set(fold(part).split()) & OTHER_PARTS:
        line = line.doubting(Reason.LEADER)
    line = replace(
        line,
        part=part,
        contribution=held.get(Column.CONTRIBUTION, ""),
        age_band=age_band_of(held.get(Column.UNDER_15, "")),
    )
    cleaned = {column: cleaned_name(held[column]) for column in NAME_COLUMNS if column in held}
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
                if not are_halves(*halves):
                    return Candidate(
                        with_note(line, halves[1]),
                        whole=halves[0],
                        prior=None if column is Column.WHOLE else column,
                    )
                return Candidate(
                    replace(line, given_name=halves[1], family_name=halves[0]), pair_order=Column.FAMILY_FIRST
                )
            return Candidate(line, whole=whole, prior=None if column is Column.WHOLE else column)
    given, family = (
        cleaned[column].name if column in cleaned else "" for column in (Column.GIVEN, Column.FAMILY)
    )
    usual = cells[segment.usual] if segment.usual is not None and segment.usual < len(cells) else ""
    if usual and fold(usual) != fold(family):
        line, family = line.doubting(Reason.SEVERAL_NAMES, family), cleaned_name(usual).name
    if family and (particle := held.get(Column.PARTICLE, "")):
        apart = "" if particle.endswith(("'", "’")) else " "
        family = (
            family
            if fold(family).startswith(f"{fold(particle)} ")
            else f"{particle.lower()}{apart}{respelt(family)}"
        )
    line = replace(line, given_name=given, family_name=family)
    if not given and not family and line.address:
        return Candidate(
            replace(
                line, given_name=name_from(line.address)[0], family_name=name_from(line.address)[1]
            ).doubting(Reason.NO_NAME)
        )
    return Candidate(line, pair_order=segment.order, named_pair=segment.surely)


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
    own_rank = max(
        (
            address_rank(heading[index])
            for index, column in enumerate(segment.columns)
            if column is Column.ADDRESS and index < len(heading)
        ),
        default=-best_rank,
    )
    if own_rank == 2 and -best_rank < 2:
        # Their own column is empty.
        line = line.doubting(Reason.ADDRESS_OF_OTHER)
    if len({other for rank, _, other in ranked if rank == best_rank}) > 1:
        line = line.doubting(Reason.ADDRESS_SEVERAL)
    left = tuple(
        dict.fromkeys(other for other in (*(one for _, _, one in ranked[1:]), *others) if other != address)
    )
    if labelled_other and address in others:
        line = line.doubting(Reason.ADDRESS_OF_OTHER)
    return replace(line, address=address, other_addresses=left)


def _is_odd_status(cell: str, index: int, segment: Segment) -> bool:
    """« Désinscrit » beside « Inscrit »: neither a presence nor what most lines state."""
    if not any(c.isalpha() for c in cell) or says_present(cell) or is_ticked(cell) or is_neutral(cell):
        return False
    same = sum(index < len(row.cells) and fold(row.cells[index]) == fold(cell) for row in segment.rows)
    return 2 * same < len(segment.rows)


def _with_presence(line: Line, row: Row, segment: Segment) -> Line:
    columns = segment.columns
    for index, column in enumerate(columns):
        cell = chosen_in(row.cells[index]) if index < len(row.cells) else ""
        if column is Column.PRESENT or (column is Column.STATUS and index in segment.ticked):
            if is_ticked(cell):
                continue
            if reason := status_of_code(cell) if cell else None:
                line = line.doubting(reason)
            elif index in segment.ticked:
                line = line.doubting(Reason.UNTICKED)
        elif column is Column.STATUS:
            if set(fold(cell).split()) & (OTHER_PARTS | OF_OTHERS):
                line = line.doubting(Reason.LEADER)
            if reason := status_of_code(cell) if cell else None:
                line = line.doubting(reason)
            elif _is_odd_status(cell, index, segment):
                line = line.doubting(Reason.EXTRA, cell)
            elif not cell and any(
                index < len(other.cells) and says_present(other.cells[index]) for other in segment.rows
            ):
                line = line.doubting(Reason.UNTICKED)
        elif column is Column.ABSENT and is_crossed(cell):
            line = line.doubting(status_in(cell) or Reason.ABSENT)
        elif column is Column.EXCUSED and is_crossed(cell):
            line = line.doubting(Reason.EXCUSED)
        elif index in segment.codes and fold(cell) not in ("p", "x", "pres", "r", "ret", ""):
            line = line.doubting(status_of_code(cell) or Reason.ABSENT)
        elif (
            column in (Column.NOTHING, Column.HOURS, Column.CONTRIBUTION, Column.PART)
            and index not in segment.constant
            and "@" not in cell
            and len(cell.split()) <= 10
            and (reason := status_in(cell))
        ):
            line = line.doubting(reason)
    if segment.days and not any(row.cells[i] for i in segment.days if i < len(row.cells)):
        line = line.doubting(Reason.UNTICKED)
    for cell in row.cells[len(columns) :]:
        if cell and "@" not in cell and (reason := status_in(cell)):
            line = line.doubting(reason)
    return line
