"""What has to be shown before a line is ready: whom it names, and what each other cell of it means.

Everything else of the reader finds people; here a line without a doubt gets one unless the list speaks for it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from app.domain.imports.lists.addresses import is_named_in, names_somebody
from app.domain.imports.lists.model import NAME_COLUMNS, REASON_HEADING, Column, Reason, State
from app.domain.imports.lists.names import (
    Kind,
    by_capitals,
    fold,
    is_namesake,
    is_particle,
    kind_of,
)
from app.domain.imports.lists.remarks import speaks_for_itself
from app.domain.imports.lists.suspicion import Candidate
from app.domain.imports.lists.wording import holds_remarks, role_of_heading

_LEAVING = frozenset(
    ("sortie", "depart", "abandon", "rupture", "demission", "annulation", "motif", "desistement")
)
_DOUBTFUL = re.compile(
    r"\b(non|pas|sans|ne|n|refus\w*|ajourn\w*|defavorable|incomplete?|impaye\w*|attente|peut etre|brouillon|a confirmer|"
    r"a relancer|echec|echoue\w*|invalid\w*|clos\w*|expire\w*|bloque\w*|archive\w*|inacti\w*|suspend\w*|desactiv\w*|parti\w*|"
    r"sorti\w*|quitte\w*|fin|termine|supprime\w*|rejete\w*|elimine\w*|no|not|pending|failed|left|removed|inactive|disabled)\b"
)


def unexplained_columns(
    columns: Sequence[Column], cells: Sequence[Sequence[str]], heading: Sequence[str]
) -> dict[int, frozenset[str]]:
    """The cells of unknown columns that a person has to check."""
    found: dict[int, frozenset[str]] = {}
    for index, column in enumerate(columns):
        written = [cell for cell in cells[index] if cell]
        title, rows = heading[index], len(cells[index])
        if column is not Column.NOTHING or not written or title == REASON_HEADING:
            continue
        texts = [cell for cell in written if not speaks_for_itself(cell)]
        numbers = sum(
            any(c.isdigit() for c in cell) or not any(c.isalpha() for c in cell) for cell in written
        )
        is_dense = 5 * len(written) >= 4 * rows
        if holds_remarks(title):
            odd = texts
        elif title and role_of_heading(title)[1]:
            odd = written if set(fold(title).split()) & _LEAVING and 2 * len(written) < rows else []
        elif not is_dense:
            odd = texts
        else:
            odd = _odd_values(texts, rows)
        if 5 * numbers >= 3 * len(written):
            odd = [
                *odd,
                *(cell for cell in texts if len(cell.split()) > 1 and not any(c.isdigit() for c in cell)),
            ]
        if odd:
            found[index] = frozenset(odd)
    return found


def _odd_values(texts: Sequence[str], rows: int) -> list[str]:
    """Of a few values that repeat, those that may set a person apart from the others."""
    counts = Counter(map(fold, texts))
    if rows < 2 or len(counts) < 2 or len(counts) > max(2, rows // 3):
        return []
    odd = {
        value
        for value, count in counts.items()
        if _DOUBTFUL.search(value) or (rows >= 4 and 4 * count <= rows)
    }
    return [text for text in texts if fold(text) in odd]


def dense_columns(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> frozenset[int]:
    """Columns beside the names that nearly every row fills."""
    return frozenset(
        index
        for index, column in enumerate(columns)
        if column not in NAME_COLUMNS
        and len(cells[index]) >= 4
        and 5 * sum(map(bool, cells[index])) >= 4 * len(cells[index])
    )


def doubt_unproved(segments: Sequence[Sequence[Candidate]]) -> None:
    for segment in segments:
        people = [one for one in segment if one.is_person]
        _doubt_alone(segment, people)
        _doubt_addresses(people)
        marked = sum(bool(by_capitals(one.whole.split())) for one in people if one.whole)
        by_case = len(people) >= 3 and 5 * marked >= 4 * len(people)
        for one in people:
            if one.line.state is State.READY and (reason := _unproved(one, by_case)):
                one.line = one.line.doubting(reason)


def _unproved(one: Candidate, by_case: bool) -> Reason | None:
    line = one.line
    own = bool(line.address) and is_named_in(line.address, line.given_name, line.family_name)
    is_headed = not one.free and (one.named_pair and not one.whole)
    if is_namesake(line.name) and not own and not is_headed:
        return Reason.NAMESAKE
    if is_headed or one.prior or own:
        return None
    words = [word for word in line.name.split() if not is_particle(word)]
    unknown = [word for word in words if kind_of(word) is Kind.UNKNOWN]
    if by_case and by_capitals(one.whole.split()):
        return None
    if len(unknown) > 1 or (unknown and len(words) > 2):
        return Reason.UNUSUAL
    return None


def _doubt_alone(segment: Sequence[Candidate], people: Sequence[Candidate]) -> None:
    """In running text, a name stands among others: one that stands apart may be a title or a signature."""
    if len(segment) < 3:
        return
    lines = [one.line.line for one in people]
    gaps = sorted(after - before for before, after in pairwise(lines))
    reach = max(1, gaps[len(gaps) // 2]) if gaps else 1
    if len(people) < 2 or reach > 3:
        return
    for index, one in enumerate(people):
        near = [
            other
            for other in (*people[max(0, index - 1) : index], *people[index + 1 : index + 2])
            if abs(other.line.line - one.line.line) <= reach
        ]
        if one.free and not one.line.address and not near:
            one.line = one.line.doubting(Reason.MAYBE_TITLE)


def _doubt_addresses(people: Sequence[Candidate]) -> None:
    """Where a list's addresses are made of names, one that is not may be another person's."""
    held = [one for one in people if one.line.address and one.line.name]
    own = [is_named_in(one.line.address, one.line.given_name, one.line.family_name) for one in held]
    united = 2 * sum(own) >= len(held)
    for one, is_own in zip(held, own, strict=True):
        if is_own or one.own_address or one.line.state is not State.READY:
            continue
        in_column = not one.free and not one.pair_order
        if names_somebody(one.line.address) or (united and not in_column):
            one.line = one.line.doubting(Reason.ADDRESS_UNSURE, one.line.address)
