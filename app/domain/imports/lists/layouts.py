"""Tables turned into one row for each person: headings at the side, labels in cells, records one below another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from app.domain.imports.lists.model import NAME_COLUMNS, Block, Column, Reason, Row
from app.domain.imports.lists.text import _BREAKS, HEADING_WITHIN, cell_of, clean
from app.domain.imports.lists.untitled import columns_of_cells
from app.domain.imports.lists.vocabulary.names import Kind, fold, kind_of
from app.domain.imports.lists.vocabulary.remarks import (
    affirms,
    announces_participants,
    is_of_others,
    meaning_of_label,
    section_status,
    status_in,
)
from app.domain.imports.lists.vocabulary.wording import holds_judgement, role_of_heading, roles_of_heading


def arranged(block: Block) -> Block:
    """One row for each person, below the headings of its cells."""
    for arrange in (
        without_codes,
        teams_in_rows,
        hours_apart,
        names_in_cells,
        stacked_names,
        dittos_spelt,
        halves_below_one_heading,
        with_labels_above,
        upright,
        labels_down,
    ):
        block = arrange(block)
    return block


_CODED = re.compile(r"\w{1,24}(?:\[\w{1,16}\])?\. (?=\S)")


def without_codes(block: Block) -> Block:
    """« startlanguage. Langue ; NOM. Votre nom ; Q1[SQ001]. Avez-vous … »: a survey writes the code of each question before it."""
    first, below = block.rows[:1], block.rows[1:]
    if not first or len(first[0].filled) < 3 or not all(map(_CODED.match, first[0].filled)):
        return block
    bare = tuple(_CODED.sub("", cell, count=1) for cell in first[0].cells)
    return replace(block, rows=(replace(first[0], cells=bare), *below))


_LABELLED_CELL = re.compile(r"([^:@]{2,30}?)\s*:\s*(\S.*)?")


def with_labels_above(block: Block) -> Block:
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


def halves_below_one_heading(block: Block) -> Block:
    """« Nom et prénom » over two columns, as a merged cell is."""
    for at, row in enumerate(block.rows[:HEADING_WITHIN]):
        rows = [one.cells for one in block.rows[at + 1 :] if one.filled]
        for i, cell in enumerate(row.cells if roles_of_heading(row.cells) else ()):
            role = role_of_heading(cell)[0]
            pairs = [cells[i : i + 2] for cells in rows if all(cells[i : i + 2]) and len(cells) > i + 1]
            if not role.is_whole_name or any(row.cells[i + 1 : i + 2]) or 3 * len(pairs) < 2 * len(rows):
                continue
            columns, order = columns_of_cells(pairs)
            if order is None or (role is not Column.WHOLE and role is not order):
                continue
            halves = ("Prénom", "Nom") if columns[0] is Column.GIVEN else ("Nom", "Prénom")
            headed = replace(row, cells=(*row.cells[:i], *halves, *row.cells[i + 2 :]))
            return replace(block, rows=(*block.rows[:at], headed, *block.rows[at + 1 :]))
    return block


_NUMBERED = re.compile(r"(\D{3,20}?) ?(?:n° ?)?\d{1,2}")
_ONE_OF_TEAM = frozenset(
    (
        "membre", "participant", "participante", "eleve", "joueur", "joueuse", "equipier", "equipiere", "stagiaire", "personne",
        "apprenant", "apprenante", "etudiant", "etudiante", "candidat", "candidate", "apprenti", "apprentie", "jeune", "nom",
    )
)  # fmt: skip


def teams_in_rows(block: Block) -> Block:
    """« Équipe ; Membre 1 ; Membre 2 » over whole names: several people in each row."""
    for at, row in enumerate(block.rows[:HEADING_WITHIN]):
        found = [_NUMBERED.fullmatch(cell) for cell in row.cells]
        places = [i for i, it in enumerate(found) if it and fold(it[1]) in _ONE_OF_TEAM]
        cells = [one.cells[i] for one in block.rows[at + 1 :] for i in places if len(one.cells) > i]
        named = [cell for cell in cells if cell]
        are_alone = places[:1] <= [1] and len(places) > 1 and places[-1] - places[0] == len(places) - 1
        if not are_alone or 3 * sum(len(cell.split()) > 1 for cell in named) < 2 * len(named):
            continue
        headed = tuple("Participant" if i in places else cell for i, cell in enumerate(row.cells))
        return replace(block, rows=(*block.rows[:at], replace(row, cells=headed), *block.rows[at + 1 :]))
    return block


_HOURS = re.compile(r"\d{1,3}(?:[.,]\d{1,2}|h|[h:]\d\d)?", re.IGNORECASE)


def hours_apart(block: Block) -> Block:
    """« Nom Prénom Heures » over « Gauthier Emma 14 »: columns of which the text has lost the bounds."""
    for at, row in enumerate(block.rows[:HEADING_WITHIN]):
        names, _, hours = row.filled[0].rpartition(" ") if len(row.filled) == 1 else ("", "", "")
        if role_of_heading(hours)[0] is not Column.HOURS or not role_of_heading(names)[0].is_whole_name:
            continue
        cells = [
            one.filled[0].rpartition(" ") if len(one.filled) == 1 else ("", "", "") for one in block.rows
        ]
        are_hours = [bool(name) and bool(_HOURS.fullmatch(value)) for name, _, value in cells]
        if 3 * sum(are_hours[at + 1 :]) < 2 * len(block.rows[at + 1 :]):
            continue
        rows = (
            replace(one, cells=(cell[0], cell[2])) if one is row or is_one else one
            for one, cell, is_one in zip(block.rows, cells, are_hours, strict=True)
        )
        return replace(block, rows=tuple(rows))
    return block


_DITTO = re.compile(r"[\"″〃”]|''|’’|[-–—](?:''|//|[\"″〃”])[-–—]|(?i:idem|id\.)")


def dittos_spelt(block: Block) -> Block:
    """« " » and « idem » stand for what is written above them."""
    above: tuple[str, ...] = ()
    found = []
    for row in block.rows:
        if any(map(_DITTO.fullmatch, row.cells[1:] or ())) or (
            len(row.cells) > 1 and _DITTO.fullmatch(row.cells[0])
        ):
            cells = (
                above[i] if _DITTO.fullmatch(cell) and i < len(above) else cell
                for i, cell in enumerate(row.cells)
            )
            row = replace(row, cells=tuple(cells))
        above = row.cells
        found.append(row)
    return replace(block, rows=tuple(found))


def stacked_names(block: Block) -> Block:
    """A row of family names over a row of given names, as under photographs: a row for each person, who is asked about."""
    found: list[Row] = []
    rows = list(block.rows)
    if any(roles_of_heading(row.cells) for row in rows[:HEADING_WITHIN]):
        return block
    while rows:
        row = rows.pop(0)
        families, givens = row.filled, rows[0].filled if rows else ()
        if (
            len(families) == len(givens) > 1
            and all(
                len(cell.split()) < 4 and not any(map(str.isdigit, cell)) and "@" not in cell
                for cell in (*families, *givens)
            )
            and all(kind_of(word) in (Kind.GIVEN, Kind.BOTH) for cell in givens for word in cell.split()[:1])
            and not any(kind_of(word) is Kind.GIVEN for cell in families for word in cell.split())
            and (all(map(str.isupper, families)) or len(families) > 2)
            and not any(map(str.isupper, givens))
            and not any(role_of_heading(cell)[1] for cell in families)
        ):
            below = rows.pop(0)
            found += [
                replace(
                    row,
                    cells=(family, given),
                    text=f"{family} ; {given}",
                    doubts=(*row.doubts, *below.doubts, Reason.SPLIT),
                )
                for family, given in zip(families, givens, strict=True)
            ]
        else:
            found.append(row)
    return replace(block, rows=tuple(found))


def upright(block: Block) -> Block:
    """A table with its headings in the first column, and a column for each person, turned round."""
    rows = [row for row in block.rows if row.filled]
    width = max((len(row.cells) for row in rows), default=0)
    roles = [role_of_heading(row.cells[0]) for row in rows if row.cells[0]]
    named = {role for role, is_sure in roles if is_sure}
    if (
        not 2 <= len(rows) <= 12
        or width < 2
        or len(roles) < len(rows)
        or not {Column.FAMILY, Column.GIVEN} <= named
        or any(roles_of_heading(row.cells) for row in rows)
        or sum(is_sure for _, is_sure in roles) * 2 < len(rows)
    ):
        return block
    columns = [[row.cells[i] if i < len(row.cells) else "" for row in rows] for i in range(width)]
    number = rows[0].number
    turned = (
        Row(number, tuple(cells), " ; ".join(cell for cell in cells if cell))
        for cells in columns
        if any(cells)
    )
    return Block(tuple(turned), block.name, block.delimited)


def names_in_cells(block: Block) -> Block:
    """« PETIT » over « Léa » in each cell, as under photographs of a table: a row for each person."""
    pairs = {row.number: [_stacked(cell) for cell in row.filled] for row in block.rows}
    people = [row.number for row in block.rows if pairs[row.number] and all(pairs[row.number])]
    found = [pair for number in people for pair in pairs[number] if pair]
    known = sum(kind_of(given.split()[0]) in (Kind.GIVEN, Kind.BOTH) for _, given in found)
    if len(found) < 3 or 3 * known < 2 * len(found) or 2 * len(people) < sum(map(bool, pairs.values())):
        return block
    rows: list[Row] = []
    for row in block.rows:
        if row.number not in people:
            rows.append(row)
            continue
        if not rows or rows[-1].number not in people:
            rows.append(Row(0, ("Nom", "Prénom"), ""))
        doubts = tuple(doubt for doubt in row.doubts if doubt is not Reason.COUPLE)
        rows += [
            replace(row, cells=pair, text=" ; ".join(pair), doubts=doubts)
            for pair in pairs[row.number]
            if pair
        ]
    return replace(block, rows=tuple(rows))


def _stacked(cell: str) -> tuple[str, str] | None:
    family, mark, given = cell.partition(" ; ")
    is_name = (
        mark
        and family.isupper()
        and len(family.split()) < 4
        and given
        and not given.isupper()
        and given[0].isupper()
        and len(given.split()) < 3
        and not any(sign.isdigit() or sign in "@;:()" for sign in family + given)
        and not (role_of_heading(family)[1] and role_of_heading(given)[1])
        and not status_in(given)
    )
    return (family, given) if is_name else None


def labels_down(block: Block) -> Block:
    """« Excusés ; Théo Vix », below it « ; Solenn Roux »: a label in the first column holds until the next one."""
    rows = [
        row
        for row in block.rows
        if len(row.filled) > 1 or (len(row.cells) > 1 and not row.cells[0] and row.filled)
    ]
    named = [row.cells[0] for row in rows if row.cells[0]]
    labels = [cell for cell in named if _is_status_label(cell)]
    if not labels or 3 * len(labels) < 2 * len(named) or len(named) == len(rows):
        return block
    held, found = "", []
    for row in block.rows:
        if row in rows:
            held = row.cells[0] or held
            if not row.cells[0] and held:
                row = replace(row, cells=(held, *row.cells[1:]))
        found.append(row)
    return replace(block, rows=tuple(found))


def _is_status_label(cell: str) -> bool:
    return bool(
        section_status(cell)[0] or meaning_of_label(cell) or announces_participants(cell) or affirms(cell)
    )


_FIELD = re.compile(r"^\W*([^\W\d][^:\t]{1,28}?)\s*(?::|\t)\s*(.*)$")


def label_records(text: str, first: int = 1) -> list[Block]:
    """« Nom : … », « Prénom : … », one below another, as a table; none where lines are something else."""
    lines = [(number, clean(line)) for number, line in enumerate(_BREAKS.split(text), first)]
    blank = {number for number, line in lines if not line.strip()}
    records: list[tuple[int, dict[str, str], list[str]]] = []
    others: list[Row] = []
    names: dict[str, None] = {}
    labelled = 0
    for number, line in lines:
        found = _FIELD.match(line)
        label = found[1].strip() if found else ""
        role, sure = role_of_heading(label) if label else (Column.NOTHING, False)
        if found and "\t" in found[2]:
            return []
        if found and (sure or (records and 0 < len(label.split()) < 4)):
            labelled += role in NAME_COLUMNS
            if not records or label in records[-1][1] or _begins_record(label, records, number - 1 in blank):
                records.append((number, {}, []))
            records[-1][1][label] = found[2]
            records[-1][2].append(line.strip())
            names[label] = None
        elif line.strip():
            others.append(Row(number, (cell_of(line),), line.strip()))
    people = [
        fields for _, fields, _ in records if any(role_of_heading(one)[0] in NAME_COLUMNS for one in fields)
    ]
    named = {Column.FAMILY, Column.GIVEN} <= {role_of_heading(one)[0] for one in names}
    whole = (
        len(records) > 1
        and any(role_of_heading(one)[0].is_whole_name for one in names)
        and any(holds_judgement(one) for one in names)
    )
    # A message may begin and end with any text. « Fiche n° 1 », « ----- »: lines between records, alike but for their number
    first_of, last_of = (records[0][0], records[-1][0]) if records else (0, 0)
    inside = [row for row in others if first_of < row.number < last_of]
    between = {re.sub(r"\d+", "0", row.text) for row in inside if any(map(str.isalpha, row.text))}
    tells = any(is_of_others(re.sub(r"\d+", "", text)) or meaning_of_label(text) for text in between)
    unread = len(inside if tells else between)
    if not (named or whole) or len(people) < len(records) or 2 * unread > labelled:
        return []
    table = Block(
        (
            Row(0, tuple(names), ""),
            *(
                Row(
                    number,
                    tuple(cell_of(fields.get(name, "")) for name in names),
                    "\n".join(shown),
                    () if _is_in_order(fields, names) else (Reason.SPLIT,),
                )
                for number, fields, shown in records
            ),
        )
    )
    above = tuple(row for row in others if row.number < first_of)
    return [part for part in (Block(above), table, Block(tuple(others[len(above) :]))) if part.rows]


def _begins_record(
    label: str, records: Sequence[tuple[int, dict[str, str], list[str]]], is_apart: bool
) -> bool:
    """The label of the very first field, where the record before it has other fields or ends with a blank line."""
    return label == next(iter(records[0][1])) and (is_apart or len(records[-1][1]) > 1)


def _is_in_order(fields: Mapping[str, str], names: Iterable[str]) -> bool:
    """« Prénom » of one person and « Nom » of the next are no record, where « Nom » comes first."""
    held = [name for name in fields if role_of_heading(name)[0] in NAME_COLUMNS]
    return held == [name for name in names if name in held]
