"""Tables and running text of OpenDocument files: .ods and .odt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from app.adapters.sheets.document_parts import (
    CROSSED,
    MOST_COLUMNS,
    PICTURE,
    QUOTED,
    Budget,
    Flow,
    Grid,
    Refused,
    address_of_link,
    attribute_of,
    is_shown,
    open_archive,
    part_of,
    sheets_of,
    show_links,
    tag_of,
)

_MOST_REPEATS: Final = 300


def odf(data: bytes) -> list[dict[str, Any]]:
    with open_archive(data) as archive:
        if "META-INF/manifest.xml" in archive.namelist():
            manifest = archive.read("META-INF/manifest.xml")[:200_000]
            if b"encryption-data" in manifest:
                raise Refused("protected")
        root = part_of(archive, "content.xml")
        styles = part_of(archive, "styles.xml") if "styles.xml" in archive.namelist() else ()
    pages = [page for part in styles if tag_of(part) == "master-styles" for page in part]
    hidden = {
        attribute_of(style, "name")
        for style in root.iter()
        if tag_of(style) == "style"
        and any(attribute_of(p, "display") == "false" for p in style if tag_of(p) == "table-properties")
    }
    crossed = frozenset(
        attribute_of(style, "name")
        for style in (*root.iter(), *(one for part in styles for one in part.iter()))
        if tag_of(style) == "style"
        and any(
            attribute_of(p, f"text-line-through-{kind}") not in ("", "none")
            for p in style
            for kind in ("style", "type")
        )
    )
    if crossed:
        for element in root.iter():
            if attribute_of(element, "style-name") in crossed and tag_of(element) in (
                "span",
                "p",
                "h",
                "table-cell",
            ):
                _mark_crossed(element)
    body = next(e for e in root.iter() if tag_of(e) == "body")
    _place_deletions(body)
    sheet = next((e for e in body if tag_of(e) == "spreadsheet"), None)
    if sheet is not None:
        tables = [(t, attribute_of(t, "style-name") in hidden) for t in sheet if tag_of(t) == "table"]
        around = [text for page in pages for text in _texts_around(page)]
        return sheets_of(
            (attribute_of(t, "name"), *_sheet_of(t, around if not index else (), hidden=unseen))
            for index, (t, unseen) in enumerate(tables)
        )
    flow = Flow()
    for text in (*pages, body):
        _read_flow(text, flow)
        flow.end_text()
    return flow.blocks


def _place_deletions(body: Any) -> None:
    """Write what was deleted with changes recorded where it stood."""
    deleted: dict[str, str] = {}
    for region in (one for one in body.iter() if tag_of(one) == "changed-region"):
        texts = (
            _text_of(p)
            for part in region
            if tag_of(part) == "deletion"
            for p in part.iter()
            if tag_of(p) in ("p", "h")
        )
        text = " ; ".join(filter(str.strip, texts))
        if any(map(str.isalpha, text)):
            deleted[attribute_of(region, "id")] = text
    for parent in tuple(body.iter()) if deleted else ():
        for child in parent:
            if tag_of(child) == "change" and (text := deleted.pop(attribute_of(child, "change-id"), "")):
                alone = tag_of(parent) == "p" and not "".join(parent.itertext()).strip()
                child.text = f"{CROSSED}{text}" if alone else f" ({text} : barré)"


def _mark_crossed(element: Any) -> None:
    """Write into the text what only its format shows."""
    inside = (
        next((p for p in element if tag_of(p) == "p"), None) if tag_of(element) == "table-cell" else element
    )
    if inside is not None and "".join(inside.itertext()).strip():
        inside.text = f"{CROSSED}{inside.text or ''}"


def _read_flow(parent: Any, flow: Flow, look: str = "") -> None:
    for element in parent:
        match tag_of(element):
            case "p" | "h":
                text = _text_of(element)
                hidden = [address for address in _links_in(element) if not is_shown(address, text)]
                text += "".join(f" <{address}>" for address in dict.fromkeys(hidden))
                flow.paragraph(text, look + _look_of(element))
                for box in _boxes_in(element):
                    _read_flow(box, flow, look)
            case "table":
                looks: dict[int, str] = {}
                rows = _rows_of(element, set(), looks)
                flow.table([cells for _, cells in rows], looks=[looks[number] for number, _ in rows])
            case (
                "tracked-changes"
                | "sequence-decls"
                | "forms"
                | "styles"
                | "automatic-styles"
                | "font-face-decls"
            ):
                continue
            case "section" if attribute_of(element, "display") in ("none", "condition"):
                _read_flow(element, flow, QUOTED)
            case _:
                _read_flow(element, flow, look)


def _links_in(element: Any) -> list[str]:
    links = (address_of_link(attribute_of(one, "href")) for one in element.iter() if tag_of(one) == "a")
    return [*filter(None, links)]


def _look_of(element: Any) -> str:
    """The styles and pictures in a paragraph or row, whatever their order."""
    found = {
        attribute_of(one, "style-name")
        for one in element.iter()
        if tag_of(one) in ("p", "h", "span", "table-cell")
    }
    pictures = {PICTURE for one in element.iter() if tag_of(one) in ("image", "object")}
    return " ".join(sorted(found | pictures))


def _text_of(element: Any) -> str:
    pieces: list[str] = [element.text or ""]
    for child in element:
        match tag_of(child):
            case "s":
                count = attribute_of(child, "c")
                pieces.append(" " * min(int(count) if count.isdecimal() and len(count) < 8 else 1, 20))
            case "tab":
                pieces.append("\t")
            case "line-break":
                pieces.append("\n")
            case "annotation" | "note":
                pieces.append(f" ({_note_of(child)}) ")
            case box if box in _BOXES:
                pass
            case _:
                pieces.append(_text_of(child))
        pieces.append(child.tail or "")
    return "".join(pieces)


def _note_of(note: Any) -> str:
    return " ".join(map(_text_of, _paragraphs_in(note))).strip()


def _sheet_of(
    table: Any, around: Sequence[str], *, hidden: bool
) -> tuple[Grid, set[int], set[int], dict[int, str]]:
    unseen: set[int] = set()
    looks: dict[int, str] = {}
    rows = _rows_of(table, unseen, looks)
    boxes = (_text_of(p) for box in _boxes_in(table) for p in _paragraphs_in(box))
    for text in filter(str.strip, (*boxes, *around)):
        # What stands nowhere near a cell comes last.
        rows.append((rows[-1][0] + 1 if rows else 1, [text]))
    return rows, set(), {number for number, _ in rows} if hidden else unseen, looks


_BOXES: Final = frozenset(("frame", "custom-shape", "rect", "ellipse", "polygon", "caption"))
_FIELDS: Final = frozenset(("sheet-name", "page-number", "page-count", "date", "time", "title", "file-name"))


def _boxes_in(part: Any) -> Iterator[Any]:
    """The outermost ones: each reads those inside it."""
    for child in part:
        if tag_of(child) in _BOXES:
            yield child
        else:
            yield from _boxes_in(child)


def _paragraphs_in(part: Any) -> Iterator[Any]:
    return (p for p in part.iter() if tag_of(p) in ("p", "h"))


def _texts_around(page: Any) -> Iterator[str]:
    """Headers and footers of printed sheets, without those of page numbers and names of files."""
    for part in page:
        for p in _paragraphs_in(part):
            if not any(tag_of(one) in _FIELDS for one in p.iter()):
                yield _text_of(p).strip()


def _rows_of(table: Any, unseen: set[int], looks: dict[int, str]) -> Grid:
    """Adds to `unseen` the numbers of rows that are hidden or filtered out, to `looks` how each is shown."""
    rows: Grid = []
    budget = Budget()
    number = 0
    over: dict[int, tuple[int, str]] = {}
    for row in table.iter():
        if tag_of(row) != "table-row":
            continue
        repeats = _repeats(row, "number-rows-repeated")
        cells: list[str] = []
        links: list[tuple[int, str]] = []
        for cell in row:
            if tag_of(cell) not in ("table-cell", "covered-table-cell"):
                continue
            text = _cell_of(cell)
            links += [(len(cells), address) for address in _links_in(cell)]
            times = _repeats(cell, "number-columns-repeated")
            down, merged = over.pop(len(cells), (0, ""))
            if tag_of(cell) == "covered-table-cell" and down:
                text = text or merged
                over[len(cells)] = down - 1, merged
            elif (spanned := _repeats(cell, "number-rows-spanned")) > 1 and times == 1:
                over[len(cells)] = min(spanned, _MOST_REPEATS) - 1, text
            if text and times > MOST_COLUMNS:
                raise Refused("too-large")
            cells += [text] * min(times, MOST_COLUMNS)
            if len(cells) > MOST_COLUMNS * 3:
                break
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            show_links(cells, links)
        if cells and repeats > _MOST_REPEATS:
            raise Refused("too-large")
        for each in range(repeats if cells else 0):
            budget.take(len(cells))
            rows.append((number + each + 1, cells))
            looks[number + each + 1] = _look_of(row)
            if attribute_of(row, "visibility") in ("collapse", "filter"):
                unseen.add(number + each + 1)
        number += repeats
    return rows


def _repeats(element: Any, name: str) -> int:
    text = attribute_of(element, name)
    return min(int(text), 2_000_000) if text.isdigit() and len(text) < 9 else 1


def _cell_of(cell: Any) -> str:
    match attribute_of(cell, "value-type"):
        case "boolean":
            return "oui" if attribute_of(cell, "boolean-value") == "true" else "non"
        case "float" if not any(tag_of(child) == "p" for child in cell):
            return attribute_of(cell, "value").replace(".", ",")
    notes = "".join(f" ({_note_of(child)})" for child in cell if tag_of(child) == "annotation")
    lines = [_text_of(p) for part in cell if tag_of(part) in ("p", "h", "list") for p in _paragraphs_in(part)]
    return "\n".join(lines).strip() + notes
