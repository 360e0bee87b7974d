"""A list in any file: format, rows, and an accurate sentence where it cannot be read."""

from __future__ import annotations

import csv
import email
import email.policy
import io
import json
import quopri
import re
import subprocess
import sys
import zipfile
from typing import Final

from app.adapters.sheets.document_parts import APART
from app.adapters.slots import NoSlot, Slots
from app.domain.imports.lists.layouts import label_records
from app.domain.imports.lists.model import Block, Column, Reason, Row
from app.domain.imports.lists.text import decode, grid_block, text_block
from app.domain.imports.lists.vocabulary.wording import role_of_heading
from app.errors import InvalidInput
from app.language import N_

MAX_BYTES: Final = 5 * 1024 * 1024
_SECONDS: Final = 15
"""Wait timeout; the process itself has a lower CPU limit."""
_SLOTS: Final = Slots(2, waiting=8, seconds=_SECONDS)
_READER: Final = "app.adapters.sheets.list_reading"

_SENTENCES: Final = {
    "too-many-bytes": N_("Cette liste dépasse 5 Mo. Découpez-la en plusieurs fichiers."),
    "busy": N_("Le service lit déjà plusieurs fichiers. Déposez le vôtre de nouveau dans une minute."),
    "too-large": N_("Ce fichier est trop grand pour une liste. Gardez 10 000 lignes au plus, puis déposez-le."),
    "protected": N_("Ce fichier est protégé par un mot de passe. Enregistrez-le sans mot de passe, puis déposez-le."),
    "damaged": N_("Ce fichier est abîmé et ne s’ouvre pas. Enregistrez-le de nouveau, ou copiez-collez la liste."),
    "no-text": N_("Ce PDF est une image, sans texte. Déposez le fichier d’origine, ou copiez-collez la liste."),
    "image": N_("C’est une image. Déposez le fichier d’origine, ou copiez-collez la liste."),
    "film": N_("C’est une vidéo ou un son. Déposez le fichier de la liste, ou copiez-collez la liste."),
    "doc": N_("C’est un document Word ancien (.doc). Enregistrez-le en .docx, puis déposez-le."),
    "ppt": N_("C’est une présentation (.ppt, .pptx, .odp). Copiez-collez la liste."),
    "msg": N_("C’est un message Outlook (.msg). Copiez-collez la liste."),
    "pages": N_("C’est un document Pages. Exportez-le en Word (.docx) ou en PDF, puis déposez-le."),
    "numbers": N_("C’est un classeur Numbers. Exportez-le en Excel (.xlsx) ou en CSV, puis déposez-le."),
    "zip": N_("C’est une archive (.zip, .rar, .7z). Ouvrez-la, puis déposez la liste qu’elle contient."),
    "ole": N_("Ce fichier Office ancien ne contient pas de liste lisible. Enregistrez-le en .xlsx ou en .docx."),
    "binary": N_("Ce fichier n’est pas une liste lisible."),
    "empty": N_("Ce fichier est vide."),
}  # fmt: skip


class UnreadableList(InvalidInput):
    """No list can be read from these bytes; `kind` is the reason."""

    def __init__(self, kind: str) -> None:
        super().__init__(_SENTENCES[kind])
        self.kind = kind


def blocks_of_file(data: bytes) -> list[Block]:
    """Raises InvalidInput, with the remedy, where no list can be read."""
    if len(data) > MAX_BYTES:
        raise UnreadableList("too-many-bytes")
    if not data.strip(b"\x00 \t\r\n"):
        raise UnreadableList("empty")
    kind = _kind_of(data)
    if kind in _SENTENCES:
        raise UnreadableList(kind)
    if kind == "text" and _IS_MESSAGE.match(data):
        return _message(data)
    if kind == "text":
        text = decode(data)
        if (
            sum(
                not sign.isprintable()
                and sign not in "\r\n\t\x0b\x0c\ufeff\xa0\u200b\u202f\xad\u200e\u200f\uf0b7\uf0a7"
                for sign in text[:4_000]
            )
            > 40
        ):
            raise UnreadableList("binary")
        return blocks_of_text(text)
    return [block for found in _read(kind, data) for block in _blocks(found)]


_IS_MESSAGE: Final = re.compile(rb"(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*?MIME-Version:", re.IGNORECASE)


def _message(data: bytes) -> list[Block]:
    """A saved e-mail (.eml): who wrote to whom, and its text."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    headers = [f"{name}: {message[name]}" for name in ("From", "To", "Cc", "Subject") if message[name]]
    blocks = [text_block("\n".join(headers))]
    body = message.get_body(("plain", "html"))
    content = body.get_content() if body else ""
    if body is not None and body.get_content_subtype() == "html":
        return [*blocks, *(block for found in _read("html", content.encode()) for block in _blocks(found))]
    return [*blocks, text_block(content, first=len(headers) + 2)]


def text_of_table(data: bytes) -> str:
    """The text of a file, or its first table separated by semicolons; rows keep their numbers."""
    if len(data) > MAX_BYTES:
        raise UnreadableList("too-many-bytes")
    kind = _kind_of(data)
    if kind in _SENTENCES:
        raise UnreadableList(kind)
    if kind == "text":
        return decode(data)
    tables = (found for found in _read(kind, data) if found["kind"] == "grid")
    rows: list[tuple[int, list[str]]] = next(tables, {"rows": []})["rows"]  # type: ignore[assignment]
    width = max((len(cells) for _, cells in rows), default=0)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    next_number = 1
    for number, cells in rows:
        text.write("\n" * (number - next_number))
        writer.writerow([" ".join(cell.split()) for cell in cells] + [""] * (width - len(cells)))
        next_number = number + 1
    return text.getvalue()


def blocks_of_text(text: str) -> list[Block]:
    """A vCard gives one row for each card, a calendar one for each guest; all other text is lines."""
    if re.search(r"^(?:ATTENDEE|ORGANIZER)[;:]", text, re.MULTILINE) and (guests := _guests(text)):
        return guests
    if re.search(r"^BEGIN:VCARD", text, re.MULTILINE | re.IGNORECASE):
        return _cards(text)
    if text.lstrip()[:1] in ("[", "{") and (records := _records(text)):
        return records
    if text.lstrip()[:1] == "<" and (marked_up := _marked_up(text)):
        return marked_up
    return label_records(text) or [text_block(text)]


def _marked_up(text: str) -> list[Block]:
    """Pasted records of XML or a pasted page, read as their file is; none of something else."""
    data = b"\xef\xbb\xbf" + re.sub(r"^\s*<\?xml[^>]{0,200}\?>", "", text).encode()
    kind = _kind_of(data)
    if kind not in ("records", "html", "xml"):
        return []
    try:
        return [block for found in _read(kind, data) for block in _blocks(found)]
    except UnreadableList:
        return []


def _records(text: str) -> list[Block]:
    """A JSON list of records as a table with its keys as heading, and what stands beside it; none of something else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    about: list[object] = []
    if isinstance(found, dict):
        lists = [value for value in found.values() if isinstance(value, list)]
        about = [value for value in found.values() if not isinstance(value, list)] if len(lists) == 1 else []
        found = lists[0] if len(lists) == 1 else [found]
    if not isinstance(found, list) or not found or not all(isinstance(one, dict) for one in found):
        return []
    keys = list(dict.fromkeys(str(key) for one in found for key in one))
    # Those that name people first: what stands beyond the last column is one cell.
    keys.sort(key=lambda key: role_of_heading(key)[0] is Column.NOTHING)
    cells = [[_value(one.get(key)) for key in keys] for one in found]
    blocks = [grid_block([(1, keys), *enumerate(cells, 2)])]
    return [*blocks, text_block("\n".join(map(str, about)))] if about else blocks


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    return "" if value is None else str(value)


_OF_PAGES: Final = ("html", "head", "body", "table", "meta", "style", "div", "ul", "ol", "li", "tr", "td", "p", "span", "center", "h1", "h2", "h3", "h4", "h5", "h6")  # fmt: skip


_PHOTOS: Final = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis")
"""Brands of pictures in files that begin as films do (ISO/IEC 23008-12)."""


def _kind_of(data: bytes) -> str:
    """A kind that the reading process knows, « text », or the key of a sentence."""
    start = data[:4_000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if data[:4] == b"PK\x03\x04":
        return _kind_of_archive(data)
    if data[:4] == b"PK\x05\x06":
        return "zip"
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return _kind_of_compound(data)
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if start[:5] == rb"{\rtf":
        return "rtf"
    if (
        data[:3] == b"\xff\xd8\xff"
        or data[:8] == b"\x89PNG\r\n\x1a\n"
        or data[:4] in (b"GIF8", b"II*\x00", b"MM\x00*")
        or (data[:2] == b"BM" and 0 in data[:20])
        or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")
        or (data[4:8] == b"ftyp" and data[8:12] in _PHOTOS)
    ):
        return "image"
    if data[:4] in (b"RIFF", b"\x1aE\xdf\xa3", b"OggS") or data[:3] == b"ID3" or data[4:8] == b"ftyp":
        return "film"
    if (
        data[:2] == b"\x1f\x8b"
        or data[:6] in (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07")
        or data[:4] == b"\xfd7zX"
    ):
        return "zip"
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    head = (decode(data[:4_000]) if wide else start.decode("latin-1")).lstrip("\ufeff \t\r\n").lower()
    if "urn:schemas-microsoft-com:office:spreadsheet" in head and "<workbook" in head:
        return "xml"
    root = re.search(r"<([a-z_][\w.:-]{0,60})", head) if head.startswith("<") else None
    if root and root[1] not in _OF_PAGES and data.rstrip().lower().endswith(f"</{root[1]}>".encode()):
        return "records"
    if (
        re.match(
            rf"<(!doctype html|\?xml|{'|'.join(_OF_PAGES)})\b",
            head,
        )
        or "<table" in head
        or "<html" in head
    ):
        return "html"
    return "text"


def _kind_of_archive(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist()[:5_000])
            kind = (
                archive.open("mimetype").read(100).decode("ascii", "replace") if "mimetype" in names else ""
            )
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError, EOFError):
        return "damaged"
    if "word/document.xml" in names:
        return "docx"
    if names & {"xl/workbook.xml", "xl/workbook.bin"}:
        return "workbook"
    if any(name.startswith("ppt/") for name in names) or "presentation" in kind:
        return "ppt"
    if "content.xml" in names and ("opendocument" in kind or not kind):
        return "odf"
    if any(name.endswith(".iwa") or name == "Index.zip" for name in names):
        sheets = any("Tables/" in name or "CalculationEngine" in name for name in names)
        return (
            "numbers" if sheets and not any("Document.iwa" in n and "Pages" in n for n in names) else "pages"
        )
    return "zip"


def _kind_of_compound(data: bytes) -> str:
    def has(name: str) -> bool:
        return name.encode("utf-16-le") in data

    if has("EncryptedPackage"):
        return "protected"
    if has("WordDocument"):
        return "doc"
    if has("PowerPoint Document"):
        return "ppt"
    if has("__substg1.0") or has("__properties_version"):
        return "msg"
    return "workbook" if has("Workbook") or has("Book") else "ole"


def _read(kind: str, data: bytes) -> list[dict[str, object]]:
    try:
        with _SLOTS.take():
            done = subprocess.run(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", _READER, kind],
                input=data,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=_SECONDS,
                check=False,
            )
    except NoSlot:
        raise UnreadableList("busy") from None
    except subprocess.TimeoutExpired:
        raise UnreadableList("too-large") from None
    if done.returncode != 0:
        raise UnreadableList("too-large")
    answer = json.loads(done.stdout)
    if "refused" in answer:
        raise UnreadableList(answer["refused"])
    blocks: list[dict[str, object]] = answer["blocks"]
    return blocks


def _blocks(found: dict[str, object]) -> list[Block]:
    plain = str(found.get("text")).replace(APART, "")
    if found["kind"] == "text" and (records := label_records(plain, int(str(found["first"])))):
        return records
    return [_block(found)]


def _block(found: dict[str, object]) -> Block:
    if found["kind"] == "text":
        shown = str(found["text"]).splitlines()
        text = str(found["text"]).replace(APART, "")
        block = text_block(re.sub(r"~~(.+?)~~", r"\1", text), first=int(str(found["first"])))
        crossed = {line.strip("~") for line in text.splitlines() if line.startswith("~~")}
        apart = {line.strip(f"~{APART}") for line in shown if line.startswith(APART)}
        rows = (_marked(_marked(row, crossed, Reason.STRUCK), apart, Reason.APART) for row in block.rows)
        return Block(tuple(rows), block.name, block.delimited)
    grid = [(int(number), [str(cell) for cell in cells]) for number, cells in found["rows"]]  # type: ignore[attr-defined]
    marks = (frozenset(map(int, found[key])) for key in ("struck", "hidden", "apart"))  # type: ignore[call-overload]
    return grid_block(grid, str(found["name"]), *marks)


def _marked(row: Row, texts: set[str], reason: Reason) -> Row:
    is_marked = row.text in {text.strip() for text in texts}
    return Row(row.number, row.cells, row.text, (*row.doubts, reason)) if is_marked else row


def _cards(text: str) -> list[Block]:
    """A row for each card, and the text around them."""
    rows: list[Row] = []
    around: list[str] = []
    current: dict[str, str] = {}
    number, lines, inside = 0, [], False
    for index, line in enumerate(re.sub(r"\r?\n[ \t]", "", text).splitlines(), 1):
        key, _, value = line.partition(":")
        name = key.partition(";")[0].strip().upper()
        inside = inside or (name == "BEGIN" and value.strip().upper() == "VCARD")
        around.append("" if inside else line)
        if not inside:
            continue
        lines.append(line)
        if name == "BEGIN":
            current, number, lines = {}, index, [*lines[:-1], line] if current else [line]
        elif name in ("N", "FN", "EMAIL", "NOTE", "TITLE", "ROLE"):
            if "QUOTED-PRINTABLE" in key.upper():
                # An encoded line that goes on ends with « = ».
                value = quopri.decodestring(value.encode()).decode("utf-8", "replace")
            current.setdefault(name, value)
        elif name == "END":
            rows.append(_card(number, current, lines))
            current, lines, inside = {}, [], False
    if inside:
        rows.append(_card(number, current, lines))
    blocks = [Block((Row(0, ("Nom", "Prénom", "E-mail", "Observations", "Fonction"), "", ()), *rows))]
    return [*blocks, text_block("\n".join(around))] if any(map(str.strip, around)) else blocks


_GUEST = re.compile(
    r"(ATTENDEE|ORGANIZER)((?:;[A-Z-]+=(?:\"[^\"]*\"|[^;:\"]*))*):(?:mailto:)?(.*)", re.IGNORECASE
)
_ANSWERS: Final = {
    "ACCEPTED": "Accepté",
    "DECLINED": "Refusé",
    "TENTATIVE": "Provisoire",
    "DELEGATED": "Remplacé",
    "NEEDS-ACTION": "Sans réponse",
}
_PARTS: Final = {"CHAIR": "Organisateur", "NON-PARTICIPANT": "Non-participant"}


_PROPERTY = re.compile(r"[A-Z-]+[;:]")
_CALENDAR_TEXTS: Final = ("SUMMARY", "DESCRIPTION", "COMMENT", "CONTACT")
"""Properties in which people may be named."""


def _guests(text: str) -> list[Block]:
    """Of an invitation in a calendar's format, whom it names with their answers, and the text around them.

    Who accepted has not yet been there."""
    rows: list[Row] = []
    around: list[str] = []
    others: list[str] = []
    for number, line in enumerate(re.sub(r"\r?\n[ \t]", "", text).splitlines(), 1):
        found = _GUEST.fullmatch(line.strip())
        if not found:
            is_stated = not _PROPERTY.match(line) or line.startswith(_CALENDAR_TEXTS)
            around.append(line if is_stated else "")
            others += [] if is_stated else [line]
            continue
        said = dict(
            part.partition("=")[::2] for part in re.findall(r";([^;=]+=(?:\"[^\"]*\"|[^;]*))", found[2])
        )
        answer = said.get("PARTSTAT", "NEEDS-ACTION").upper()
        is_person = said.get("CUTYPE", "INDIVIDUAL").upper() == "INDIVIDUAL"
        part = _PARTS.get(said.get("ROLE", "").upper(), "Participant" if is_person else "Ressource")
        part = "Organisateur" if found[1].upper() == "ORGANIZER" else part
        cells = said.get("CN", "").strip('"'), found[3], _ANSWERS.get(answer, answer), part
        rows.append(Row(number, cells, line.strip(), (Reason.UNTICKED,)))
    if not rows:
        return []
    heading = Row(1, ("Nom complet", "E-mail", "Réponse", "Fonction"), "\n".join(others))
    blocks = [Block((heading, *rows))]
    return [*blocks, text_block("\n".join(around))] if any(map(str.strip, around)) else blocks


def _card(number: int, fields: dict[str, str], lines: list[str]) -> Row:
    family, given = ([*fields.get("N", "").split(";"), ""])[:2] if "N" in fields else ("", "")
    part = " ; ".join(fields[name] for name in ("ROLE", "TITLE") if fields.get(name))
    beside = fields.get("EMAIL", ""), fields.get("NOTE", ""), part
    cells = (family, given, *beside) if family or given else (fields.get("FN", ""), "", *beside)
    return Row(number, cells, "\n".join(lines))
