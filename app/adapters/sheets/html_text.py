"""Tables and lines of a web page, with how it shows each; records of an XML file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError

from app.adapters.sheets.document_parts import (
    CROSSED,
    MOST_ROWS,
    PICTURE,
    QUOTED,
    Budget,
    Flow,
    Grid,
    Refused,
    address_of_link,
    grid_of,
    is_shown,
    show_links,
    tag_of,
)
from app.domain.imports.lists.model import NAME_COLUMNS
from app.domain.imports.lists.vocabulary.names import fold
from app.domain.imports.lists.vocabulary.remarks import denial_in, is_of_others, status_in
from app.domain.imports.lists.vocabulary.wording import PARTICIPANTS, role_of_heading

_DEEPEST: Final = 60
_VOID: Final = ("input", "img", "br", "hr", "col", "link", "meta")
_NOT_SHOWN: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_UNSEEN: Final = " (masqué) "
_OF_PICTURE: Final = " (image) "
_TO_CHOOSE: Final = " (choix proposé) "
"""Before text that a page hides, or offers to choose from."""
_HIDDEN: Final = ("script", "style", "head", "template")
_BREAKING: Final = frozenset(
    [
        "br",
        "p",
        "div",
        "li",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "dt",
        "dd",
        "dl",
        "ul",
        "ol",
        "caption",
        "legend",
        "option",
        "section",
        "article",
        "figure",
        "figcaption",
        "main",
        "nav",
        "aside",
        "tr",
        "header",
        "footer",
        "hr",
    ]
)


@dataclass
class _Table:
    """A table that is still open."""

    rows: list[list[str]] = field(default_factory=list)
    looks: list[list[str]] = field(default_factory=list)
    """Of each row, the tags in it with what they show."""
    cell: list[str] | None = None
    span: int = 1
    over: dict[int, int] = field(default_factory=dict)
    """Rows that a cell of each column still covers."""
    links: list[tuple[int, str]] = field(default_factory=list)
    """The addresses that cells of the row lead to."""

    def end_cell(self) -> None:
        if self.cell is not None and self.rows:
            self.rows[-1] += ["".join(self.cell), *[""] * (self.span - 1)]
        self.cell = None

    def begin_row(self) -> None:
        self.rows.append([])
        self.looks.append([])

    def begin_cell(self, span: int, down: int) -> None:
        self.end_cell()
        if not self.rows:
            self.begin_row()
        self._cover()
        row = self.rows[-1]
        for index in range(len(row), len(row) + span):
            if down > 1:
                self.over[index] = down - 1
        self.cell, self.span = [], span

    def end_row(self) -> None:
        self.end_cell()
        if self.rows and self.rows[-1]:
            self._cover()
            self.end_links()

    def end_links(self) -> None:
        show_links(self.rows[-1], self.links)
        self.links = []

    def _cover(self) -> None:
        """Repeat the text of a cell that reaches down into this row."""
        row = self.rows[-1]
        while self.over.get(len(row), 0) > 0:
            self.over[len(row)] -= 1
            above = self.rows[-2] if len(self.rows) > 1 else []
            row.append(above[len(row)] if len(row) < len(above) else "")


class _Page(HTMLParser):
    """Tables and lines of a page; what holds a table lays the page out, and its own text becomes lines."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.flow = Flow()
        self._tables: list[_Table] = []
        self._running: list[str] = []
        self._look: list[str] = []
        self._quoted = 0
        self._hidden = 0
        self._row_status = ""
        """What the tag of a row states of presence."""
        self._unseen = ""
        """The tag of an element that the page does not show, or shows only to choose from."""
        self._inside = 0
        """Elements of that tag that are open."""
        self._unseen_mark = ""
        self._linked, self._linked_from = "", 0
        """The address of an open link, and where in the running text the link begins."""

    @property
    def _pieces(self) -> list[str]:
        return self._cell if self._cell is not None else self._running

    @property
    def _table(self) -> _Table | None:
        return self._tables[-1] if self._tables else None

    @property
    def _cell(self) -> list[str] | None:
        return self._table.cell if self._table else None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        table = self._table
        if self._unseen:
            self._inside += tag == self._unseen
        elif mark := self._mark_of_unseen(tag, found):
            self._unseen, self._inside, self._unseen_mark = tag, 1, mark
        is_crossed = tag in ("s", "del", "strike") or "line-through" in (found.get("style") or "")
        self._begin(tag, found, table)
        if status := _status_of(found):
            if tag == "tr":
                self._row_status = status
            else:
                self.handle_data(status)
        look = _look_of(tag, found)
        if table and table.looks:
            table.looks[-1].append(look)
        elif not table:
            self._look.append(look)
        self._quoted += tag == "blockquote"
        if is_crossed:
            self.handle_data(CROSSED)

    def _mark_of_unseen(self, tag: str, found: dict[str, str | None]) -> str:
        if tag == "select" and self._cell is None:
            return _TO_CHOOSE
        is_hidden = "hidden" in found or _NOT_SHOWN.search(found.get("style") or "")
        return _UNSEEN if is_hidden and tag not in _VOID else ""

    def _begin(self, tag: str, found: dict[str, str | None], table: _Table | None) -> None:
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag == "table":
            if table:
                self._lay_out(table)
            self._end_line()
            if len(self._tables) > _DEEPEST:
                raise Refused("too-large")
            self._tables.append(_Table())
        elif tag == "tr" and table:
            table.end_row()
            table.begin_row()
            self.flow.budget.take(1)
            if len(table.rows) > MOST_ROWS:
                raise Refused("too-large")
        elif tag in ("td", "th") and table:
            table.begin_cell(*(_span_of(found.get(name)) for name in ("colspan", "rowspan")))
            self.handle_data(self._row_status)
            self._row_status = ""
        elif tag in _BREAKING:
            self._break()
        elif tag == "a":
            self._linked = address_of_link(found.get("href") or "")
            self._linked_from = len(self._pieces)
        elif tag == "input":
            kind = found.get("type") or "text"
            text = found.get("value") or "" if kind in ("text", "email") else ""
            if kind in ("checkbox", "radio") and self._cell is not None:
                text = "☑" if "checked" in found else "☐"
            self.handle_data(text)
        elif tag == "img":
            shown = found.get("alt") or found.get("title") or ""
            self.handle_data(f"{_OF_PICTURE}{shown}" if shown and self._cell is None else shown)

    def handle_endtag(self, tag: str) -> None:
        table = self._table
        if tag == "blockquote":
            self._end_line()
            self._quoted = max(0, self._quoted - 1)
        if tag == "a" and self._linked:
            # « <a href="mailto:lea@exemple.fr">Léa Petit</a> »
            if table and self._cell is not None:
                table.links.append((len(table.rows[-1]), self._linked))
            elif not is_shown(self._linked, "".join(self._pieces[self._linked_from :])):
                self.handle_data(f" <{self._linked}>")
            self._linked = ""
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag == "table" and table:
            table.end_cell()
            if table.rows:
                table.end_links()
            self._end_line()
            shown = [
                (row, "".join(look))
                for row, look in zip(table.rows, table.looks, strict=True)
                if any(map(str.strip, row))
            ]
            self.flow.table([row for row, _ in shown], looks=[look for _, look in shown])
            self._tables.pop()
        elif tag == "tr" and table:
            table.end_row()
        elif tag in ("td", "th") and table:
            table.end_cell()
        elif tag in _BREAKING:
            self._break()
        if tag == self._unseen:
            self._inside -= 1
            self._unseen = self._unseen if self._inside else ""

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        pieces = self._pieces
        if self._unseen and data.strip() and self._unseen_mark not in pieces:
            pieces.append(self._unseen_mark)
        if pieces and pieces[-1][-1:].islower() and data[:1].isupper():
            # Buttons and labels stand side by side: « Tom » and « Présent ».
            pieces.append(" ")
        pieces.append(re.sub(r"\s+", " ", data))

    def _break(self) -> None:
        if self._cell is not None:
            self._cell.append("\n")
        else:
            self._end_line()

    def _lay_out(self, table: _Table) -> None:
        """Give the text of a table that holds another one as lines, before the inner table."""
        table.end_cell()
        for row in table.rows:
            for cell in row:
                self._running.append(cell)
                self._end_line()
        table.rows, table.looks, table.over = [[]], [[]], {}
        table.cell, table.span = [], 1

    def _end_line(self) -> None:
        text = " ".join("".join(self._running).split())
        self._running = []
        if text:
            self.flow.paragraph(text, QUOTED * self._quoted + "".join(self._look))
        self._look = []

    def done(self) -> list[dict[str, Any]]:
        for _ in list(self._tables):
            self.handle_endtag("table")
        self._end_line()
        self.flow.end_text()
        return self.flow.blocks


_OWN: Final = frozenset(
    ("id", "href", "name", "for", "alt", "colspan", "rowspan", "width", "height", "tabindex")
)
"""Attributes that differ from line to line, whatever a line means."""


def _look_of(tag: str, attributes: Mapping[str, str | None]) -> str:
    shown = sorted(
        f"{name}={value}"
        for name, value in attributes.items()
        if (name not in _OWN or tag == "use") and not (name == "value" and tag == "input")
    )
    return (
        f"<{PICTURE if tag in ('img', 'svg', 'canvas') else tag} {' '.join(shown)}>"
        if tag not in ("a", "br") or shown
        else ""
    )


def _status_of(attributes: Mapping[str, str | None]) -> str:
    """« absent » as a class, title or datum of a tag, in parentheses."""
    for name, value in attributes.items():
        if (
            value
            and (name in ("class", "title", "aria-label") or name.startswith("data-"))
            and len(value.split()) < 4
            and status_in(value)
        ):
            return f" ({value}) "
    return ""


def _span_of(text: str | None) -> int:
    return min(int(text), 60) if text and text.isdigit() and len(text) < 5 and int(text) else 1


def html(data: bytes) -> list[dict[str, Any]]:
    page = _Page()
    page.feed(_decoded(data))
    page.close()
    return page.done()


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    named = re.search(rb"charset\s*=\s*[\"']?([\w-]{3,20})", data[:4_000])
    for charset in ("utf-8-sig", named[1].decode() if named else "cp1252", "cp1252"):
        try:
            return data.decode(charset)
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode("cp1252", errors="replace")


# --- records of XML files, as school software exports them: a table for each kind of element that has a name


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
