"""Records of an XML file, as school software exports them: a table for each kind of element that has a name."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, ParseError

from app.adapters.sheets.document_parts import Budget, Flow, Grid, grid_of, tag_of
from app.adapters.sheets.html_text import html
from app.domain.imports.lists.model import NAME_COLUMNS
from app.domain.imports.lists.vocabulary.names import fold
from app.domain.imports.lists.vocabulary.remarks import denial_in, is_of_others
from app.domain.imports.lists.vocabulary.wording import PARTICIPANTS, role_of_heading


def xml_records(data: bytes) -> list[dict[str, Any]]:
    """Elements such as `<eleve><nom>…</nom><prenom>…</prenom></eleve>`; anything else is read as a web page."""
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(data, forbid_dtd=True)
    except ParseError:
        return html(data)
    budget = Budget()
    groups: dict[str, list[dict[str, str]]] = {}
    shown: set[int] = set()
    around: list[str] = []
    within = {id(root): ""}
    for element in root.iter():
        budget.take(len(element))
        name = _name_of_group(within[id(element)], tag_of(element))
        within |= {id(child): name for child in element}
        fields = _fields_of(element)
        if any(text and role_of_heading(label)[0] in NAME_COLUMNS for label, text in fields.items()):
            groups.setdefault(name, []).append(fields)
            shown |= {id(child) for child in element if not len(child)}
        elif id(element) not in shown:
            pieces = (element.text, *(child.tail for child in element), *element.attrib.values())
            around += [text for piece in pieces if (text := (piece or "").strip())]
    if not groups:
        return html(data)
    tables, number = [], 0
    for name, records in sorted(groups.items(), key=lambda group: not _is_of_participants(group[0])):
        tables.append(_table_of(name, records, number, alone=len(groups) == 1))
        number += 1 + len(records)
    flow = Flow()
    flow.number = number
    for text in around:
        flow.paragraph(text)
    flow.end_text()
    return [*tables, *flow.blocks]


def _name_of_group(outer: str, tag: str) -> str:
    """« absents » for `<absents><eleve>`, « eleves » for `<eleves><personne>`, « professeur » for `<eleve><professeur>`."""
    if outer and (denial_in(outer) or is_of_others(outer)):
        return outer
    is_meant = _is_of_participants(tag) or denial_in(tag) or is_of_others(tag)
    return outer if _is_of_participants(outer) and not is_meant and tag.lower().startswith("person") else tag


def _is_of_participants(name: str) -> bool:
    return bool(set(fold(name).split()) & PARTICIPANTS)


def _fields_of(element: Element) -> dict[str, str]:
    children = {tag_of(child): (child.text or "").strip() for child in element if not len(child)}
    return {**element.attrib, **children}


def _table_of(name: str, records: list[dict[str, str]], before: int, *, alone: bool) -> dict[str, Any]:
    """Beside other kinds of elements, only those of participants are no question."""
    labels = list(dict.fromkeys(label for fields in records for label in fields))
    rows: Grid = [(before + 1, labels)]
    rows += [
        (before + at, [fields.get(label, "") for label in labels]) for at, fields in enumerate(records, 2)
    ]
    table = grid_of(rows, "" if _is_of_participants(name) else name)
    if not alone and table["name"]:
        table["apart"] = [number for number, _ in rows[1:]]
    return table
