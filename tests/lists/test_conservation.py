"""Conservation: each word of a source stands on the page, whatever its form, and whatever the reader makes of it."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from xlsxwriter import Workbook

from app.domain.imports.lists.model import Reading, Reason, State
from app.domain.imports.lists.vocabulary.names import fold
from app.services.imports.lists import read_list_file, read_list_text
from tests.lists import documents
from tests.lists.documents import FORMS

pytestmark = pytest.mark.usefixtures("reading_in_this_process")

_WORDS = st.sampled_from(
    ["Marie", "Dupont", "LE", "GOFF", "Awa", "N'Diaye", "Léa", "Martin", "Thomas", "Rose", "Avril", "Paris", "Nom", "Prénom", "Classe", "Courriel", "Présent", "Absent", "Total", "Signature", "Formateur", ":", "-", "–", "1", "12", "3h", "12/03/2009", "2nde", "x", "☐", "✓", "(invité)", "M.", "Mme", "et", "&", "marie.dupont@exemple.fr", "contact@exemple.fr", "<a.b@exemple.fr>", "Bonjour", "Cordialement", "Groupe", "Salle", "Jean", "Moulin", "Zoé", "Ñandú", "Øystein", "Ł.", "0612345678", "non", "oui", ";", ",", "/", "«", "Remarque", "»", "«Absents»", "Çelik", "O", "X"]
)  # fmt: skip
_TEXT = st.lists(_WORDS, min_size=1, max_size=6).map(" ".join)
_CELL = st.one_of(_TEXT, st.just(""), _TEXT)
_TABLE = st.lists(st.lists(_CELL, min_size=2, max_size=5).filter(any), min_size=1, max_size=7)
_PART = st.one_of(
    st.builds(lambda rows: {"table": rows}, _TABLE),
    st.builds(lambda text: {"text": text}, _TEXT),
    st.builds(lambda items: {"items": items}, st.lists(_TEXT, min_size=1, max_size=4)),
)
_DOCUMENT = st.lists(_PART, min_size=1, max_size=4)
_SHEETS = st.lists(st.builds(lambda rows: {"table": rows}, _TABLE), min_size=1, max_size=3)


def words_of(text: str) -> Counter[str]:
    return Counter(fold(text).replace("_", " ").split())


def source_of(content: Sequence[dict[str, Any]]) -> str:
    found: list[str] = []
    for part in content:
        found += [cell for row in part.get("table", ()) for cell in row] + [*part.get("items", ())]
        found += [part[key] for key in ("text", "struck") if key in part]
    return " \n ".join(found)


def shown_by(reading: Reading) -> str:
    """What a person sees of a list: the text of each line, and the names of sheets."""
    return " \n ".join(f"{line.text} {line.sheet}" for line in reading.lines)


def missing_from(source: str, reading: Reading) -> Counter[str]:
    return words_of(source) - words_of(shown_by(reading))


@pytest.mark.parametrize("form", ["docx", "odt", "rtf"])
@given(content=_DOCUMENT)
def test_documents_keep_every_word(form: str, content: list[dict[str, Any]]) -> None:
    assert not missing_from(source_of(content), read_list_file(FORMS[form](content)))


@pytest.mark.parametrize("form", ["xlsx", "ods", "xml"])
@given(content=_SHEETS)
def test_workbooks_keep_every_word(form: str, content: list[dict[str, Any]]) -> None:
    assert not missing_from(source_of(content), read_list_file(FORMS[form](content)))


@given(content=_DOCUMENT)
def test_web_pages_keep_every_word(content: list[dict[str, Any]]) -> None:
    source = source_of(content).encode("cp1252", "ignore").decode("cp1252")
    page = documents.html(content).decode("cp1252") if source == source_of(content) else ""
    if page:
        assert not missing_from(source, read_list_file(page.encode("cp1252")))


@settings(max_examples=15)
@given(content=st.lists(st.builds(lambda text: {"text": text}, _TEXT), min_size=1, max_size=8))
def test_pages_of_a_pdf_keep_every_word(content: list[dict[str, Any]]) -> None:
    assert not missing_from(source_of(content), read_list_file(documents.pdf(content)))


def written(rows: Sequence[Sequence[str]], mark: str, encoding: str) -> bytes:
    made = io.StringIO(newline="")
    csv.writer(made, delimiter=mark, lineterminator="\r\n").writerows(rows)
    return made.getvalue().encode(encoding, "ignore")


@given(_TABLE, st.sampled_from(";,\t"), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
def test_tables_as_text_keep_every_word(rows: list[list[str]], mark: str, encoding: str) -> None:
    data = written(rows, mark, encoding)
    assume(data.strip(b"\x00\xff\xfe;,\t\r\n "))  # A file of separators is empty.
    source = data.decode(encoding)
    assert not missing_from(source.replace('"', " "), read_list_file(data))


@given(
    st.lists(st.one_of(_TEXT, st.just("")), min_size=1, max_size=10).filter(any),
    st.sampled_from(["", "- ", "• ", "1. ", "> ", "☐ "]),
)
@example(["☐", "Nom ;"], "")
def test_pasted_lines_keep_every_word(lines: list[str], bullet: str) -> None:
    text = "\n".join(f"{bullet}{line}" for line in lines)
    assert not missing_from(text, read_list_file(text.encode()))


_VALUES = st.one_of(_TEXT, st.just(""))


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["nom", "prenom", "mail", "classe", "note"]), _VALUES, min_size=1),
        min_size=1,
        max_size=4,
    )
)
@example([{"nom": "Dupont"}, {"prenom": ""}])
def test_records_keep_every_word(records: list[dict[str, str]]) -> None:
    source = " ".join(value for one in records for value in one.values())
    if source.strip():
        assert not missing_from(
            source, read_list_file(json.dumps({"titre": "Sortie", "eleves": records}).encode())
        )


@given(_TEXT, _TEXT, _TEXT)
def test_cards_keep_every_word_around_them(before: str, name: str, after: str) -> None:
    text = f"{before}\nBEGIN:VCARD\nFN:{name}\nNOTE:{after}\nEND:VCARD\n{after}"
    assert not missing_from(text, read_list_file(text.encode()))


def _word(body: str, **parts: str) -> bytes:
    name = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    made = {"word/document.xml": f'<w:document xmlns:w="{name}"><w:body>{body}</w:body></w:document>'}
    for part, content in parts.items():
        made[f"word/{part}.xml"] = f'<w:{part} xmlns:w="{name}">{content}</w:{part}>'
    return documents.archive(made)


def _paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def _word_table(*rows: Sequence[str]) -> str:
    made = "".join(f"<w:tr>{''.join(f'<w:tc>{cell}</w:tc>' for cell in cells)}</w:tr>" for cells in rows)
    return f"<w:tbl>{made}</w:tbl>"


_INNER = _word_table(
    [_paragraph("Marie Dupont"), _paragraph("2nde A")], [_paragraph("Awa Sow"), _paragraph("2nde B")]
)
_WORD = {
    "footer": _word(_paragraph("Marie Dupont"), footer1=_paragraph("Awa Sow")),
    "header": _word(_paragraph("Marie Dupont"), header1=_paragraph("Awa Sow")),
    "footnote": _word(_paragraph("Marie Dupont"), footnotes=f"<w:footnote>{_paragraph('Awa Sow')}</w:footnote>"),
    "comment": _word(_paragraph("Marie Dupont"), comments=f"<w:comment>{_paragraph('Awa Sow')}</w:comment>"),
    "table in a table": _word(_word_table([_paragraph("Groupe 1") + _INNER, _paragraph("Salle 2")])),
    "text box in a cell": _word(
        _word_table([_paragraph("Marie Dupont") + f"<w:p><w:r><w:pict><w:txbxContent>{_paragraph('Awa Sow')}</w:txbxContent></w:pict></w:r></w:p>", _paragraph("x")])
    ),
    "control": _word(f"<w:sdt><w:sdtContent>{_paragraph('Marie Dupont')}<w:sdt><w:sdtContent>{_paragraph('Awa Sow')}</w:sdtContent></w:sdt></w:sdtContent></w:sdt>"),
    "moved": _word(f"<w:moveTo>{_paragraph('Marie Dupont')}</w:moveTo>{_paragraph('Awa Sow')}"),
}  # fmt: skip


@pytest.mark.parametrize("form", _WORD)
def test_word_keeps_text_outside_its_body(form: str) -> None:
    assert not missing_from("Marie Dupont Awa Sow", read_list_file(_WORD[form]))


_PAGES: dict[str, tuple[str, str]] = {
    "table in a table": (
        "<table><tr><td>Menu<table><tr><td>Nom</td><td>Prénom</td></tr><tr><td>Dupont</td><td>Marie</td></tr></table>Pied</td><td>x</td></tr></table>",
        "Menu Nom Prénom Dupont Marie Pied x",
    ),
    "caption": ("<table><caption>Présents</caption><tr><td>Marie Dupont</td><td>x</td></tr></table>", "Présents Marie Dupont x"),
    "list of terms": ("<dl><dt>Marie Dupont<dd>2nde A<dt>Awa Sow<dd>2nde B</dl>", "Marie Dupont 2nde A Awa Sow B"),
    "fields": ('<table><tr><td><input type="text" value="Marie Dupont"></td><td><textarea>Awa Sow</textarea></td></tr></table>', "Marie Dupont Awa Sow"),
    "lines in a cell": ("<table><tr><td>Bois</td><td>Marie Dupont<br>Awa Sow</td></tr><tr><td>Cuir</td><td>Léa Martin</td></tr></table>", "Bois Marie Dupont Awa Sow Cuir Léa Martin"),
    "never closed": ("<table><tr><td>Marie<td>Dupont<tr><td>Awa<td>Sow", "Marie Dupont Awa Sow"),
}  # fmt: skip


@pytest.mark.parametrize("form", _PAGES)
def test_web_page_keeps_text_of_odd_tables(form: str) -> None:
    page, source = _PAGES[form]
    assert not missing_from(source, read_list_file(f"<html><body>{page}</body></html>".encode()))


@pytest.mark.parametrize("around", ["header", "headerf", "footer", "footerr", "footnote", r"*\annotation"])
def test_rich_text_keeps_text_outside_its_body(around: str) -> None:
    source = rf"{{\rtf1\ansi{{\{around} Awa Sow}}Marie Dupont\par}}"
    assert not missing_from("Marie Dupont Awa Sow", read_list_file(source.encode()))


_CROSSED = {
    "docx": documents.docx([{"text": "Marie Dupont"}, {"struck": "Awa Sow"}]),
    "rtf": documents.rtf([{"text": "Marie Dupont"}, {"struck": "Awa Sow"}]),
    "rtf off": rb"{\rtf1 \strike Awa Sow\strike0\par Marie Dupont\par}",
    "html": b"<table><tr><td>Marie Dupont</td><td>1</td></tr><tr><td><s>Awa Sow</s></td><td>1</td></tr></table>",
    "html lines": b"<p>Marie Dupont</p><p><del>Awa Sow</del></p>",
    "html style": b'<p>Marie Dupont</p><p><span style="text-decoration: line-through">Awa Sow</span></p>',
    "xlsx": documents.xlsx([{"table": [["Nom", "Dupont Marie"], ["", "Sow Awa"]]}], struck={1}),
    "ods": documents.ods([{"table": [["Dupont", "Marie"], ["Sow", "Awa"]]}], struck={1}),
    "odt": documents.odt([{"text": "Marie Dupont"}, {"struck": "Awa Sow"}]),
}  # fmt: skip


@pytest.mark.parametrize("form", _CROSSED)
def test_who_is_struck_out_is_asked_about(form: str) -> None:
    lines = {fold(line.name): line for line in read_list_file(_CROSSED[form]).lines if "ow" in line.text}
    assert lines
    assert all(line.state is State.ASK for line in lines.values()), lines


_HIDDEN = {
    "row": documents.xlsx([{"table": [["Nom", "Prénom"], ["Dupont", "Marie"], ["~ Sow", "Awa"]]}]),
    "sheet": documents.xlsx([{"table": [["Nom", "Prénom"], ["Dupont", "Marie"]]}, {"name": "~Retrait", "table": [["Sow", "Awa"]]}]),
    "ods row": documents.ods([{"table": [["Dupont", "Marie"], ["~ Sow", "Awa"]]}]),
}  # fmt: skip


@pytest.mark.parametrize("form", _HIDDEN)
def test_who_is_hidden_is_asked_about(form: str) -> None:
    lines = [line for line in read_list_file(_HIDDEN[form]).lines if "Sow" in line.text]
    assert lines
    assert all(Reason.HIDDEN in {doubt.reason for doubt in line.doubts} for line in lines), lines


def test_workbook_keeps_comments_headers_and_text_boxes() -> None:
    made = io.BytesIO()
    with Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Groupe")
        sheet.write_row(0, 0, ["Nom", "Prénom"])
        sheet.write_row(1, 0, ["Dupont", "Marie"])
        sheet.write_comment(1, 1, "partie à midi")
        sheet.write_comment(7, 4, "Ajouter Awa Sow")
        sheet.set_header("&LStage de printemps&RPage &P")
        sheet.insert_textbox(3, 3, "Remplace Zoé Martin")
    reading = read_list_file(made.getvalue())
    assert not missing_from(
        "Dupont Marie partie à midi Ajouter Awa Sow Stage de printemps Remplace Zoé Martin", reading
    )
    asked = " ".join(line.name for line in reading.in_state(State.ASK))
    assert "Awa Sow" in asked
    assert "Zoé Martin" in asked
    assert not reading.in_state(State.READY)


def test_changes_that_word_tracks_are_kept() -> None:
    removed = "<w:p><w:del><w:r><w:delText>Awa Sow</w:delText></w:r></w:del></w:p>"
    middle = "<w:p><w:r><w:t>Marie Dupont, </w:t></w:r><w:r><w:rPr><w:strike/></w:rPr><w:t>Léa Petit</w:t></w:r></w:p>"
    reading = read_list_file(_word(removed + middle + _paragraph("Tom Martin")))
    assert not missing_from("Awa Sow Marie Dupont Léa Petit Tom Martin", reading)
    assert "Sow" not in {line.family_name for line in reading.in_state(State.READY)}
    assert "Petit" not in {line.family_name for line in reading.in_state(State.READY)}


def test_a_long_cell_and_many_columns_are_kept() -> None:
    people = [f"Personne{number} Nom{number}" for number in range(700)]
    long = [["Atelier", "Participants"], ["Bois", ", ".join(people)]]
    wide = [["Nom", *(f"Jour{n}" for n in range(80))], ["Dupont Marie", *(f"v{n}" for n in range(80))]]
    for rows in (long, wide):
        source = " ".join(cell for row in rows for cell in row)
        for data in (documents.xlsx([{"table": rows}]), written(rows, ";", "utf-8")):
            assert not missing_from(source, read_list_file(data))


def test_each_sheet_is_kept() -> None:
    content = [
        {"name": f"Groupe{n}", "table": [["Nom", "Prénom"], [f"Nom{n}", f"Prénom{n}"]]} for n in range(45)
    ]
    shown = read_list_file(documents.xlsx(content))
    assert not missing_from(source_of(content), shown)


def test_short_numbers_without_a_heading_are_asked_about() -> None:
    read = read_list_text(
        "Hypatie Anna;;7\nFourier Joseph;jfourier@exemple.fr;7,25\nBanach Stefan;sbanach@exemple.fr;6\n"
    )
    assert [line.doubts[0].reason for line in read.lines] == [Reason.EXTRA] * 3


def test_a_name_with_an_address_below_a_table_is_read_and_asked_about() -> None:
    read = read_list_text(
        "Nom;Prénom;Mail;Heures\nBYRON;Ada;ada.byron@exemple.fr;7\nBANACH;Stefan;stefan.banach@exemple.fr;7\n"
        "Sophie Germain sophie.germain@exemple.fr\n"
    )
    last = read.lines[-1]
    assert (last.given_name, last.family_name, last.state) == ("Sophie", "Germain", State.ASK)
