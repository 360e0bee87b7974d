"""One row of a table with known columns: name, addresses, presence, hours, and what is unexplained in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from app.domain.imports.lists.free_text import (
    are_halves,
    cleaned_name,
    refused_or_asked,
    with_hours,
    with_note,
)
from app.domain.imports.lists.model import NAME_COLUMNS, Column, Line, Reason, Row
from app.domain.imports.lists.suspicion import Candidate
from app.domain.imports.lists.tables import Segment
from app.domain.imports.lists.vocabulary.addresses import addresses_in, name_from
from app.domain.imports.lists.vocabulary.hours import HOURS, may_be_minutes, with_unit
from app.domain.imports.lists.vocabulary.names import fold, may_be_given, without_civility
from app.domain.imports.lists.vocabulary.remarks import (
    ASKED,
    YES_OR_NO,
    affirms,
    age_band_of,
    chosen_in,
    denial_in,
    is_class,
    is_crossed,
    is_neutral,
    is_of_others,
    is_ticked,
    meaning_of_label,
    status_in,
    status_of_code,
)
from app.domain.imports.lists.vocabulary.wording import (
    BESIDE_PRESENCE,
    OF_OTHERS,
    OTHER_PARTS,
    address_rank,
    looks_like_name,
    not_a_person,
)
from app.language import respelt

_PARENTS = frozenset(("parent", "parents", "pere", "mere", "maman", "papa"))
_NONE = frozenset(("", "neant", "aucun", "aucune", "non communique", "non communiquee", "nc", "na", "n a", "sans", "pas de mail", "inconnu", "inconnue", "a completer", "pas d adresse", "sans mail", "non", "x", "vide", "pas d email", "a demander", "anonymous", "anonyme"))  # fmt: skip


def from_columns(row: Row, line: Line, segment: Segment) -> Candidate:
    cells = list(row.cells)
    columns = segment.columns
    held: dict[Column, str] = {}
    for index, (column, cell) in enumerate(zip(columns, cells, strict=False)):
        if cell and column not in held:
            held[column] = with_unit(cell, segment.title_of(index)) if column is Column.HOURS else cell
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
                if cell and (i >= len(columns) or columns[i] in (Column.NOTHING, Column.ADDRESS))
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
        # « ECOLE ; Martin » under « Nom ; Prénom »
        is_pair = (
            segment.heading is not None
            and 0 < len(held.get(Column.FAMILY, "").split()) < 4
            and may_be_given(held.get(Column.GIVEN, ""))
        )
        if reason and (has_address or is_pair):
            line, reason = line.doubting(Reason.MAYBE_TITLE), None
        if reason:
            return refused_or_asked(line, names, reason)
    line = _with_address(line, row, segment)
    line = _with_presence(line, row, segment)
    for index, odd in segment.unexplained.items():
        # A row of a workbook ends at its last cell.
        cell = cells[index] if index < len(cells) else ""
        if cell in odd and not (cell and _is_own_name(cell, row, segment)):
            title = segment.title_of(index)
            if cell:
                line = line.doubting(Reason.EXTRA, cell)
            else:
                line = line.doubting(Reason.BLANK, title) if title else line.doubting(Reason.UNTICKED)
    if len(segment.dense) > 1 and not any(index < len(cells) and cells[index] for index in segment.dense):
        line = line.doubting(Reason.MAYBE_TITLE)
    if segment.answering and not any(index < len(cells) and cells[index] for index in segment.answering):
        line = line.doubting(Reason.UNTICKED)
    first = next((i for i, column in enumerate(columns) if column in NAME_COLUMNS), 0)
    for index, cell in enumerate(cells[:first]):
        if set(fold(segment.title_of(index)).split()) & _PARENTS and looks_like_name(without_civility(cell)):
            # « Parent ; Enfant »: which of the two was there?
            line = line.doubting(Reason.EXTRA, cell)
    for index, (column, cell) in enumerate(zip(columns, cells, strict=False)):
        if "?" in cell and column not in NAME_COLUMNS and "://" not in cell:
            line = line.doubting(Reason.EXTRA, cell)
        elif cell and (reason := _denied_beside(cell, column, segment.title_of(index))):
            line = line.doubting(reason)
        if column is Column.CIVILITY and cell and (reason := denial_in(cell)):
            line = line.doubting(reason)
        elif column is Column.CIVILITY and is_of_others(cell):
            line = line.doubting(Reason.LEADER)
    if Column.HOURS in held:
        line = with_hours(line, held[Column.HOURS])
        if may_be_minutes(held[Column.HOURS], segment.title_of(columns.index(Column.HOURS))):
            line = line.doubting(Reason.HOURS_HIGH, f"{held[Column.HOURS]} h")
    part = held.get(Column.PART, "")
    if set(fold(part).split()) & OTHER_PARTS:
        line = line.doubting(Reason.LEADER)
    line = replace(
        line,
        part=part,
        contribution=held.get(Column.CONTRIBUTION, ""),
        age_band=age_band_of(held.get(Column.UNDER_15, "")),
    )
    for index, (column, cell) in enumerate(zip(columns, cells, strict=False)):
        if column in NAME_COLUMNS and _BROKEN.search(cell if index else cell.lstrip("-–— ")):
            line = line.doubting(Reason.SPLIT)
    for column in NAME_COLUMNS:
        if len(segment.beside.get(fold(held.get(column, "")), set()) - {row.number}) > 1:
            line = line.doubting(Reason.EXTRA, held[column])
    for column in (Column.FAMILY_FIRST, Column.GIVEN_FIRST):
        title = segment.title_of(columns.index(column)) if column in columns else ""
        if title.count("/") == 1 and held.get(column, "").count("/") == 1:
            # « CHAN / Yao » under « NOM / Prénom »
            ahead, _, behind = held[column].partition("/")
            if any(
                denial_in(half) or status_in(half) or status_of_code(half.strip()) for half in (ahead, behind)
            ):
                continue
            del held[column]
            is_given_first = column is Column.GIVEN_FIRST
            held[Column.GIVEN] = (ahead if is_given_first else behind).strip()
            held[Column.FAMILY] = (behind if is_given_first else ahead).strip()
    cleaned = {column: cleaned_name(held[column]) for column in NAME_COLUMNS if column in held}
    for found in cleaned.values():
        for reason, word in found.doubts:
            line = line.doubting(reason, word)
        if found.homonym:
            line = replace(line, homonym=found.homonym)
        if found.addresses and not line.address:
            line = replace(line, address=found.addresses[0], other_addresses=found.addresses[1:])
            line = line.doubting(Reason.ADDRESS_SEVERAL) if found.addresses[1:] else line
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
                if re.search(r"\)\s*,", held[column]):
                    line = line.doubting(Reason.COUPLE, held[column])
                if not are_halves(*halves):
                    return Candidate(
                        with_note(line, halves[1]),
                        whole=halves[0],
                        prior=None if column is Column.WHOLE else column,
                    )
                return Candidate(
                    replace(line, given_name=halves[1], family_name=halves[0]), pair_order=Column.FAMILY_FIRST
                )
            line = _with_rivals(line, cells, segment, whole)
            return Candidate(line, whole=whole, prior=None if column is Column.WHOLE else column)
    given, family = (
        cleaned[column].name if column in cleaned else "" for column in (Column.GIVEN, Column.FAMILY)
    )
    usual = cells[segment.usual] if segment.usual is not None and segment.usual < len(cells) else ""
    if usual and fold(usual) != fold(family):
        line, family = line.doubting(Reason.SEVERAL_NAMES, family), cleaned_name(usual).name
    line = _with_rivals(line, cells, segment, f"{given} {family}")
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


def _denied_beside(cell: str, column: Column, title: str) -> Reason | None:
    """« Formatrice » below « Repas », « ne pas inscrire » below « Retard »: where nothing is expected that concerns the badge."""
    is_personal = column is Column.NOTHING and bool(set(fold(title).split()) & BESIDE_PRESENCE)
    if not is_personal and column not in (Column.LATE, Column.CIVILITY, Column.PART):
        return None
    reason = None if fold(cell).split()[:1] in (["sans"], ["non"], ["pas"]) else meaning_of_label(cell)
    return None if reason is Reason.LEADER and column is Column.PART else reason


_BROKEN = re.compile(r"^\s*[-–—][^\W\d_]|[^\W\d_]\s?[-–—]\s*$")
"""« DUMONT- », « -Luc »: the other part stands in another cell."""


def _with_rivals(line: Line, cells: Sequence[str], segment: Segment, name: str) -> Line:
    """« Visiteur ; Stagiaire »: another column has another name, and nothing shows which person is meant."""
    for index, chosen in segment.rivals.items():
        rival = fold(cells[index]) if index < len(cells) else ""
        if (
            rival
            and rival not in YES_OR_NO
            and chosen < len(cells)
            and not set(rival.split()) <= set(fold(cells[chosen]).split())
            and set(rival.split()) != set(fold(name).split())
        ):
            line = line.doubting(Reason.SEVERAL_NAMES, cells[index])
    return line


def _is_own_name(text: str, row: Row, segment: Segment) -> bool:
    """« Léa Petit (lea@exemple.fr) » under « Nom à afficher »: nothing but what the columns of names hold."""
    named = zip(segment.columns, row.cells, strict=False)
    own = {word for holds, cell in named if holds in NAME_COLUMNS for word in fold(cell).split()}
    words = set(fold(addresses_in(text)[1]).split())
    return bool(words) and words <= own


_PAYERS = frozenset(("payeur", "payeuse", "acheteur", "acheteuse", "buyer", "payer"))


def _pays_for_themselves(index: int, row: Row, segment: Segment) -> bool:
    """« Email payeur » is theirs where « Nom payeur » and « Prénom payeur » repeat their own name."""
    if not (payer := _PAYERS & set(fold(segment.title_of(index)).split())):
        return False
    names = [
        cell
        for at, cell in enumerate(row.cells)
        if at != index
        and payer & (words := set(fold(segment.title_of(at)).split()))
        and words & {"nom", "prenom", "name"}
    ]
    return len(names) > 1 and all(_is_own_name(name, row, segment) for name in names)


def _with_address(line: Line, row: Row, segment: Segment) -> Line:
    heading = segment.heading.cells if segment.heading else ()
    ranked: list[tuple[int, int, str]] = []
    others: list[str] = []
    labelled_other, of_others = False, ""
    for index, cell in enumerate(row.cells):
        column = segment.columns[index] if index < len(segment.columns) else Column.NOTHING
        if column is Column.ADDRESS:
            found, rest = addresses_in(cell)
            rank = address_rank(heading[index] if index < len(heading) else "")
            ranked += [(-rank, index, address) for address in found]
            if len(found) > 1:
                line = line.doubting(Reason.ADDRESS_SEVERAL)
            if fold(rest) not in _NONE and not _is_own_name(rest, row, segment):
                line = line.doubting(
                    *((Reason.EXTRA, rest.strip()) if found else (Reason.ADDRESS_INVALID, cell))
                )
        elif column is Column.OTHER_ADDRESS and "@" in cell and _pays_for_themselves(index, row, segment):
            ranked += [(0, index, address) for address in addresses_in(cell)[0]]
        elif "@" in cell and column not in NAME_COLUMNS:
            found, _ = addresses_in(cell)
            others += found
            labelled_other = labelled_other or column is Column.OTHER_ADDRESS
            of_others = of_others or segment.title_of(index)
    ranked.sort(key=lambda one: one[:2])
    if not ranked:
        if others:
            line = line.doubting(Reason.ADDRESS_OF_OTHER, of_others if labelled_other else "")
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


_ENROLLED = frozenset(("inscrit", "inscrite", "registered", "enrolled", "invite", "invitee", "invited"))
_ATTENDED = frozenset(("participe", "attended", "present", "presente", "emarge", "venu", "venue", "checked"))


def _is_odd_status(cell: str, index: int, segment: Segment) -> bool:
    """« Désinscrit » beside « Inscrit »: neither a presence nor what most lines state."""
    if is_ticked(cell) and sum(map(str.isalnum, cell)) < 2:
        # A lone cross among texts.
        return any(
            len(fold(row.cells[index])) > 2 and not status_of_code(row.cells[index])
            for row in segment.rows
            if index < len(row.cells)
        )
    if cell and not any(map(str.isalnum, cell)) and not is_ticked(cell):
        return True
    if (part := re.fullmatch(r"(\d+)(?:[.,]\d+)?\s*(?:h.{0,6}|%|/\s*(\d+))?", cell.strip())) and int(
        part[1]
    ) < int(part[2] or 1):
        # « 0 h », « 1/2 »
        return True
    others = [row.cells[index] for row in segment.rows if index < len(row.cells) and row.cells[index]]
    if set(fold(cell).split()) & _ENROLLED and any(set(fold(one).split()) & _ATTENDED for one in others):
        # « Inscrit » beside « A participé »
        return True
    if not any(c.isalpha() for c in cell) or affirms(cell) or is_ticked(cell) or HOURS.fullmatch(cell):
        return False
    # An unknown term may deny.
    return not is_neutral(cell) or (bool(set(fold(cell).split()) & ASKED) and any(map(affirms, others)))


def _with_presence(line: Line, row: Row, segment: Segment) -> Line:
    columns = segment.columns
    for index, column in enumerate(columns):
        cell = chosen_in(row.cells[index]) if index < len(row.cells) else ""
        if index in segment.denying and is_crossed(cell):
            said = segment.denying[index]
            line = line.doubting(said) if said else line.doubting(Reason.EXTRA, segment.title_of(index))
        elif column in (Column.PRESENT, Column.STATUS) and index in segment.ticked:
            if is_ticked(cell):
                continue
            if reason := status_of_code(cell) if cell else None:
                line = line.doubting(reason)
            else:
                line = line.doubting(Reason.UNTICKED)
        elif column in (Column.PRESENT, Column.STATUS):
            if re.fullmatch(r"0+(?:[.,]0+)?\s*%?", cell):
                line = line.doubting(Reason.UNTICKED)
            if set(fold(cell).split()) & (OTHER_PARTS | OF_OTHERS):
                line = line.doubting(Reason.LEADER)
            if reason := status_of_code(cell) if cell else None:
                line = line.doubting(reason)
            elif _is_odd_status(cell, index, segment):
                line = line.doubting(Reason.EXTRA, cell)
            elif not cell and index in segment.answered:
                line = line.doubting(Reason.UNTICKED)
        elif column is Column.ABSENT and is_crossed(cell):
            line = line.doubting(status_in(cell) or Reason.ABSENT)
        elif column is Column.EXCUSED and is_crossed(cell):
            line = line.doubting(Reason.EXCUSED)
        elif index in segment.codes and fold(cell) not in ("p", "x", "pres", "r", "ret", ""):
            line = line.doubting(status_of_code(cell) or Reason.ABSENT)
        elif (
            column not in NAME_COLUMNS | {Column.ADDRESS, Column.OTHER_ADDRESS, Column.CIVILITY}
            and index not in segment.constant
            and "@" not in cell
            and len(cell.split()) <= 10
            and (reason := status_in(cell))
        ):
            line = line.doubting(reason)
    if any(
        i in segment.usually_ticked and not (row.cells[i] if i < len(row.cells) else "") for i in segment.days
    ):
        line = line.doubting(Reason.UNTICKED)
    if segment.days and not any(row.cells[i] for i in segment.days if i < len(row.cells)):
        line = line.doubting(Reason.UNTICKED)
    for cell in row.cells[len(columns) :]:
        if cell and "@" not in cell and (reason := status_in(cell)):
            line = line.doubting(reason)
    return line
