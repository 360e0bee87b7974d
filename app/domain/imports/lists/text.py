"""A list as text: decoded, cut into rows, and its cells found, whatever separates them."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from email.header import decode_header, make_header
from html import unescape
from itertools import chain

from app.domain.imports.lists.enumerations import (
    LABEL,
    are_pairs,
    circles_as_bullets,
    is_recipients,
    joined_lines,
    may_be_halves,
    name_their_halves,
    people_in_one_line,
    ranks_as_bullets,
    recipient_parts,
    unbulleted,
    unwrapped,
)
from app.domain.imports.lists.model import Block, Column, Reason, Row
from app.domain.imports.lists.vocabulary.addresses import LABELS
from app.domain.imports.lists.vocabulary.names import CIVILITIES, fold, is_less_common_word, may_be_given
from app.domain.imports.lists.vocabulary.others import organisations_among
from app.domain.imports.lists.vocabulary.wording import ORDINAL, roles_of_heading
from app.errors import InvalidInput

MAX_LINES = 10_000
"""Of a list of people."""
MAX_ROWS = 20_020
"""Of any table: twenty thousand below its titles and heading."""
MAX_COLUMNS = 60
MAX_CELL = 4_000
HEADING_WITHIN = 15
_BOX = re.compile(r"^\s*(\[\s*+(?:[xX✓✔]\s*+)?+\]|[☐☑☒✓✔✅❌✗✘✖☓🗹🗷])\s*")
_NUMBER_AND_TAB = re.compile(rf"^\s*{ORDINAL}(?:[^\S\t]*+\t\s*+(?=\S)|\s++(?=[^\W\d_]))")
_INVISIBLE = str.maketrans(
    "",
    "",
    "\ufe0f\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u061c"
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
)
_WIDE = re.compile(r"[\uff01-\uff5e\ufb00-\ufb06]+")
_BREAKS = re.compile(r"\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]")
_ENTITY = re.compile(r"&(?:#\d{2,5}|[a-zA-Z]{3,7});")


def decode(data: bytes) -> str:
    """UTF-8 with or without mark, UTF-16 with or without, else CP1252 as French Excel saves."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    sample = data[:2_000]
    if sample and sample.count(0) * 3 > len(sample) and len(data) > 3:
        return data.decode("utf-16-be" if sample[0] == 0 else "utf-16-le", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    # The old Macintosh has its accents where CP1252 has signs that no list contains.
    if len(re.findall(rb"[A-Za-z][\x8e\x8f\x88\x90\x94\x99\x9e\x8d][A-Za-z\r\n;,]", data)) and not re.search(
        rb"[\xe0-\xfc]", data
    ):
        return data.decode("mac-roman", errors="replace")
    return data.decode("cp1252", errors="replace")


def decode_folded(data: bytes) -> str:
    """The same for iCalendar: its lines are folded by bytes, also within a sign. One damaged sign does not spoil
    the others of a UTF-8 text."""
    lines = re.sub(rb"(?:\r\n|\r|\n)[ \t]", b"", data)
    text = lines.decode("utf-8-sig", errors="replace")
    return text if "\ufffd" not in text or re.search("[\u00c0-\u024f]", text) else decode(lines)


def clean(text: str) -> str:
    """One spelling for each letter, ordinary spaces, nothing invisible."""
    if _WIDE.search(text):
        text = _WIDE.sub(lambda found: unicodedata.normalize("NFKC", found.group()), text)
    return (
        unicodedata.normalize("NFC", text.translate(_INVISIBLE))
        .replace("\xa0", " ")
        .replace("\u202f", " ")
        .replace("\u2007", " ")
        .replace("\u2010", "-")
        .replace("\u2011", "-")
    )


_TO_FILL = re.compile(r"\s*(?:[.…_]\s*){3,}|\s*…{2,}\s*")


def cell_of(text: str) -> str:
    """A cell in one line; the apostrophe that protects a spreadsheet from formulas is taken off. « ……… » is empty, and to be filled in."""
    if _TO_FILL.fullmatch(text):
        return ""
    lines = [line for line in _BREAKS.split(clean(text)) if line.strip()]
    # Several people or addresses, one below another.
    several = len(lines) > 1 and all(len(line.split()) > 1 or "@" in line for line in lines)
    bare = (" ; " if several else " ").join(" ".join(line.split()) for line in lines)
    return bare[1:] if bare[:1] == "'" and bare[1:2] in ("=", "+", "-", "@") else bare


def _cells_of(cells: Sequence[str]) -> tuple[list[str], bool]:
    """Cells in one line each; « Galtier ⏎ Huguet » beside « Lison ⏎ Paul » are two people."""
    lines = [[line for line in _BREAKS.split(clean(cell)) if line.strip()] for cell in cells]
    counts = [len(one) for one in lines if len(one) > 1]
    several = len(counts) > 1 and len(set(counts)) == 1
    if not several:
        return [cell_of(cell) for cell in cells], False
    return [
        " ; ".join(map(cell_of, one)) if len(one) > 1 else cell_of(cell)
        for one, cell in zip(lines, cells, strict=True)
    ], True


def _rows_within(number: int, cells: Sequence[str], text: str, doubts: tuple[Reason, ...]) -> Iterator[Row]:
    """The row; more of them where it has too many cells, or one that is too long."""
    kept = list(cells[:MAX_COLUMNS])
    beyond = " ".join(filter(None, cells[MAX_COLUMNS:]))
    rest: list[tuple[int, str]] = []
    for index, cell in enumerate([*kept, beyond]):
        head, *tail = _pieces(cell)
        rest += [(index, piece) for piece in tail]
        if index < len(kept):
            kept[index] = head
        elif head:
            kept.append(head)
    yield Row(number, tuple(kept), text if not rest else " ; ".join(filter(None, kept)), doubts)
    for index, piece in rest:
        yield Row(number, (*[""] * index, piece), piece, doubts)


def _pieces(text: str) -> list[str]:
    """A text cut at spaces into parts that a reader can take in."""
    pieces = []
    while len(text) > MAX_CELL:
        at = (
            max(text.rfind(mark, 0, MAX_CELL) for mark in ",;") + 1
            or text.rfind(" ", 0, MAX_CELL) + 1
            or MAX_CELL
        )
        pieces.append(text[:at].strip())
        text = text[at:].strip()
    return [*pieces, text]


def grid_block(
    rows: Iterable[tuple[int, Sequence[str]]],
    name: str = "",
    struck: frozenset[int] = frozenset(),
    hidden: frozenset[int] = frozenset(),
    apart: frozenset[int] = frozenset(),
) -> Block:
    """Rows of real cells; `struck` are the numbers of lines that are crossed out, `hidden` of those that a file hides,
    `apart` of those that it shows otherwise than the others."""
    found: list[Row] = []
    for number, cells in rows:
        kept, several = _cells_of(cells)
        if any(kept):
            doubts = (
                (Reason.COUPLE,) * several
                + (Reason.STRUCK,) * (number in struck)
                + (Reason.HIDDEN,) * (number in hidden)
                + (Reason.APART,) * (number in apart)
            )
            found += _rows_within(number, kept, " ; ".join(cell for cell in kept if cell), doubts)
    check_length(len(found))
    return Block(tuple(found), name)


def check_length(rows: int) -> None:
    if rows > MAX_ROWS:
        raise InvalidInput("Ce tableau dépasse 20 000 lignes. Découpez-le en plusieurs fichiers.")


def check_people(blocks: Sequence[Block]) -> None:
    if sum(len(block.rows) for block in blocks) > MAX_LINES:
        raise InvalidInput("Cette liste dépasse 10 000 lignes. Découpez-la en plusieurs fichiers.")


def text_block(text: str, *, first: int = 1) -> Block:
    """Running text or a delimited table; `first` is the number of its first line."""
    if "\x00" in text:
        raise InvalidInput("Ce fichier n’est pas une liste lisible.")
    if "=?" in text and "?=" in text:
        text = re.sub(r"=\?[\w-]+\?[bqBQ]\?[^?\s]*\?=", lambda found: _decoded(found.group()), text)
    if _ENTITY.search(text):
        text = unescape(text)
    lines = [(number, clean(line)) for number, line in enumerate(_BREAKS.split(text), first)]
    lines = [(number, line) for number, line in lines if line.strip()]
    check_length(len(lines))
    lines = joined_lines(ranks_as_bullets(circles_as_bullets(lines)), labelled=True)
    mark = _delimiter(lines)
    if mark:
        runs = _runs(lines, mark)
        rows = tuple(row for own, run in runs for row in _delimited(run, own))
        return Block(rows, delimited=runs[0][0])
    rows = tuple(_free_rows([(number, piece) for number, line in lines for piece in _pieces(line)]))
    if rows and all(Reason.COPIED in row.doubts for row in rows) and not _OPEN_COPY.search(text):
        # « Cci : … » and no other recipient
        rows = tuple(
            replace(row, doubts=tuple(one for one in row.doubts if one is not Reason.COPIED)) for row in rows
        )
    check_length(len(rows))
    return Block(rows)


def _decoded(header: str) -> str:
    try:
        return str(make_header(decode_header(header)))
    except (LookupError, ValueError, UnicodeError):
        return header


def _unquoted(line: str) -> str:
    return re.sub(r'"[^"]*"', "q", line)


def _delimiter(lines: Sequence[tuple[int, str]]) -> str:
    """What separates cells; empty where each line is one."""
    if not lines:
        return ""
    bare = [_unquoted(unbulleted(line)) for _, line in lines[:400]]
    for mark in ("\t", ";", "|", ",", "&", "  "):
        for _, line in lines[:HEADING_WITHIN]:
            cells = _quoted_cells(unbulleted(line), mark)
            if mark == "&" and not _ENDS_ROW.search(line):
                continue
            if len(cells) > 1 and roles_of_heading(cells):
                return mark
    for mark in (" / ", " - ", " – ", " : "):
        # « Nom / Prénom » over « Roche / Lina », not over « Roche Lina »
        if 3 * sum(mark in line for line in bare) >= 2 * len(bare) > 2 and any(
            {Column.FAMILY, Column.GIVEN}
            <= set(roles_of_heading([cell.partition(":")[0].strip() for cell in line.split(mark)]) or ())
            for line in bare[:HEADING_WITHIN]
            if mark in line
        ):
            return mark
    if len(_recipients(bare)) * 2 > len(bare):
        return ""
    for mark, share in (("\t", 0.5), (";", 0.6), ("|", 0.6), (",", 0.7), ("  ", 0.6)):
        plain = [_DECIMAL.sub(".", line) for line in bare] if mark == "," else bare
        counts = [len(_cells(line.strip().strip(mark.strip() or None), mark)) - 1 for line in plain]
        used = [count for count in counts if count > 0]
        records = [line for line in bare if mark == "," in line.rstrip(" ,")]
        share = 0.4 if len(records) > 2 and _are_records(records, mark) else share
        if len(used) < max(1, share * len(bare)):
            continue
        usual = max(set(used), key=used.count)
        if used.count(usual) * 10 >= len(used) * (3 if mark in "\t;" else 6) and not (
            mark in ",;" and _enumerates(bare, mark)
        ):
            return mark
    return ""


_DECIMAL = re.compile(r"(?<=\d),(?=\d)")
"""« Marie DUPONT – 12,5 » has no cells."""


def _runs(lines: Sequence[tuple[int, str]], mark: str) -> list[tuple[str, Sequence[tuple[int, str]]]]:
    """All lines with `mark`; several runs where a further heading has another: « Nom,Prénom » below « Nom;Prénom »."""
    heads = [(at, own) for at, (_, line) in enumerate(lines) if (own := _mark_of_heading(line))]
    if len({own for _, own in heads}) < 2:
        return [(mark, lines)]
    starts = [0, *(at for at, _ in heads[1:])]
    ends = [*starts[1:], len(lines)]
    return [(own, lines[start:end]) for (_, own), start, end in zip(heads, starts, ends, strict=True)]


def _mark_of_heading(line: str) -> str:
    if not re.search(r"(?i)\b(?:pr[ée])?noms?\b|\bname\b", line):
        return ""
    return next(
        (
            mark
            for mark in "\t;|,"
            if len(cells := _quoted_cells(unbulleted(line), mark)) > 1 and roles_of_heading(cells)
        ),
        "",
    )


_ENDS_ROW = re.compile(r"\\\\\s*$")
"""As LaTeX ends a row of a table: two backslashes."""


def _cells(line: str, mark: str) -> list[str]:
    line = _ENDS_ROW.sub("", line) if mark == "&" else line
    return re.split(r"\s{2,}|\t", line.strip()) if mark == "  " else line.split(mark)


def _quoted_cells(line: str, mark: str) -> list[str]:
    if '"' not in line or len(mark) > 1:
        return _cells(line, mark)
    try:
        return next(csv.reader([line], delimiter=mark), [])
    except csv.Error:
        return _cells(line, mark)


def _enumerates(lines: Sequence[str], mark: str) -> bool:
    """« Marie Dupont, Paul Durand, Léa Petit »: people one beside another, not columns."""
    # « Cordialement, » has one part only.
    lines = [line.rstrip(f" {mark}") for line in lines] if mark == "," else lines
    labelled = [line for line in lines if mark in line]
    lines = [
        re.sub(r"^[^:,;@]{1,40}:\s+|\([^()]*\)|(?<!\w)@\w+(?![\w.])", "", line)
        for line in lines
        if mark in line
    ]
    parts = [[part.strip() for part in line.split(mark) if part.strip()] for line in lines]
    flat = list(chain.from_iterable(parts))
    if any(len(cells) > 1 and roles_of_heading(cells) for cells in parts[:HEADING_WITHIN]):
        return False
    if len(set(map(len, parts))) == 1 and (_begins_with_heading(parts) or _are_records(labelled, mark)):
        return False
    if organisations_among([cells[1] for cells in parts if len(cells) == 2]):
        # « Marie DUPONT;Garage Perrin »
        return False
    if 2 * sum(bool(people_in_one_line(line)) for line in labelled) > len(labelled):
        return True
    if not flat or any("@" in part or any(c.isdigit() for c in part) for part in flat):
        return False
    if len(labelled) == 1 and mark == ",":
        return True
    if not all(2 <= len(part.split()) <= 5 for part in flat):
        return False
    return max(map(len, parts)) > 2 or (len(lines) == 1 and len(parts[0]) == 2)


def _are_records(lines: Sequence[str], mark: str) -> bool:
    """« Léa,PETIT,Sud » above « Tom,ROUX,Nord », « M.,Tom,Roux,Vendeur »: cells of a table, where no space follows the mark."""
    rows = [line.split(mark) for line in lines]
    are_tight = not any(cell != cell.strip() for row in rows for cell in row)
    halves = sum(sum(len(cell.split()) == 1 for cell in row) > 1 for row in rows)
    are_halves = 2 * halves > len(rows) and len(set(map(len, rows))) == 1
    has_civility = all(fold(row[0]) in CIVILITIES for row in rows)
    return are_tight and min(map(len, rows)) > 2 and are_halves and (len(rows) > 1 or has_civility)


def _begins_with_heading(rows: Sequence[Sequence[str]]) -> bool:
    """« Patient ; Praticien », « Ancien délégué ; Nouveau délégué » over whole names"""
    first, *below = ([cell.split() for cell in row] for row in rows)
    are_terms = all(0 < len(words) < 4 and not any(map(may_be_given, words)) for words in first)
    return (
        are_terms
        and bool(below)
        and (
            any(is_less_common_word(word) for words in first for word in words)
            or (len(below) > 1 and all(len(words) == 1 for words in first))
        )
        and all(len(words) > 1 for row in below for words in row)
    )


def _recipients(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if is_recipients(line)]


def _delimited(lines: Sequence[tuple[int, str]], mark: str) -> Iterator[Row]:
    starts = _starts(lines) if mark == "  " else []
    for number, text in _records(lines, mark):
        box, bare, doubts = _box(text)
        if _MARKUP.fullmatch(text):
            yield Row(number, (), text.strip(), doubts)
            continue
        if mark == "  ":
            cells = _aligned(text, starts) if starts else _cells(bare, mark)
        else:
            try:
                is_quoted = (
                    '"' in bare
                    and len(mark) == 1
                    and not re.search(rf'(^|{re.escape(mark)})\s*"\s*({re.escape(mark)}|$)', bare)
                )
                cells = next(csv.reader([bare], delimiter=mark), []) if is_quoted else _cells(bare, mark)
            except csv.Error:
                cells = bare.split(mark)
        if box and not cells[0].strip() and len(cells) > 1:
            cells = cells[1:]
        if cells:
            cells[0] = _NUMBERED_NAME.sub("", cells[0]) if mark == "\t" else unbulleted(cells[0] + " ")
            if len(cells) == 1:
                cells[0] = unbulleted(cells[0])
        if (
            re.fullmatch(rf"\s*([-–—•‣▪●○◦*·o➢►→\uf0b7\uf0a7\uf0d8]|{ORDINAL}[.)°])\s*", cells[0])
            and len(cells) > 1
        ):
            cells = cells[1:]
        yield from _rows_within(number, [cell_of(cell) for cell in cells], text.strip(), doubts)


_NUMBERED_NAME = re.compile(
    rf"^\s*(?:{ORDINAL}(?:\s?[.)°/]|\s*-|\s)|[-–—•*])\s*(?=[^\W\d_]{{2,}} [^\W\d_]{{2}})"
)
_MARKUP = re.compile(r"\s*(?:\{\|.*|\|[-}].*|\\(?:begin|end|hline|toprule|midrule|bottomrule)\b.*)")
"""Lines of a table in a wiki or in LaTeX that hold no cell."""


def _starts(lines: Sequence[tuple[int, str]]) -> list[int]:
    """Where the columns of aligned text begin, as its heading shows."""
    for _, line in lines[:HEADING_WITHIN]:
        cells = _cells(line, "  ")
        if "\t" not in line and len(cells) > 1 and roles_of_heading(cells):
            return [found.start() for found in re.finditer(r"\S+(?: \S+)*", line)]
    return []


def _aligned(line: str, starts: Sequence[int]) -> list[str]:
    """Cells under the heading they stand below; as they come where two would share one."""
    pieces = [(found.start(), found.group()) for found in re.finditer(r"\S+(?: \S+)*", line.rstrip())]
    cells = [""] * len(starts)
    for at, piece in pieces:
        index = max((i for i, start in enumerate(starts) if start <= at + 2), default=0)
        if cells[index]:
            return [text for _, text in pieces]
        cells[index] = piece
    return cells


def _records(lines: Sequence[tuple[int, str]], mark: str) -> Iterator[tuple[int, str]]:
    """Lines, a quoted cell that spans several of them being one line; a lone quote spans nothing."""
    index = 0
    while index < len(lines):
        number, text = lines[index]
        if text.count('"') % 2 and re.search(
            rf'(^|{re.escape(mark)})\s*"(?!\s*({re.escape(mark)}|$))[^"]*$', text
        ):
            for more in range(1, 6):
                if index + more >= len(lines):
                    break
                together = "\n".join(line for _, line in lines[index : index + more + 1])
                if together.count('"') % 2 == 0:
                    text, index = together, index + more
                    break
        yield number, text
        index += 1


def _box(line: str) -> tuple[str, str, tuple[Reason, ...]]:
    """A box before the name: « ☐ Marie Dupont » was not ticked."""
    found = _BOX.match(line)
    if not found:
        return "", line, ()
    sign = re.sub(r"\s", "", found[1])
    doubts = (Reason.UNTICKED,) if sign in ("[]", "☐", "❌", "✗", "✘", "✖", "☓", "🗷") else ()
    return sign, line[found.end() :], doubts


def _free_rows(lines: Sequence[tuple[int, str]]) -> Iterator[Row]:
    label: str = ""
    lines = joined_lines(unwrapped(lines))
    reversed_ = name_their_halves([line for _, line in lines])
    unlabelled = [line for _, line in lines if ":" not in line and len(people_in_one_line(line)) > 1]
    are_beside = are_pairs(unlabelled)
    for number, line in lines:
        if _MARKUP.fullmatch(line):
            yield Row(number, (), line.strip())
            continue
        found = LABEL.match(line)
        name = fold(found[1]) if found else ""
        if found and name and (kind := next((kind for kind, names in LABELS.items() if name in names), "")):
            if "@" in found[2] or kind == "to" or (label and kind != "from"):
                label = kind
                yield from _split(number, found[2], line, _doubts_of(kind))
                continue
        elif found and "@" not in line:
            label = ""
        if re.match(r"\s*\[\d{1,2}[:h]\d\d(?::\d\d)?\]", line):
            yield Row(
                number, (cell_of(re.sub(r"^\s*\[[^\]]*\]\s*", "", line)),), line.strip(), (Reason.SENDER,)
            )
        elif is_recipients(line):
            doubts = (Reason.SENDER,) if _WROTE.search(line) else _doubts_of(label)
            yield from _split(number, line, line, doubts)
        elif reversed_ and line.count(",") == 1 and ":" not in line and "@" not in line:
            yield Row(number, (cell_of(unbulleted(line)),), line.strip(), (Reason.SPLIT,))
        elif people := people_in_one_line(line):
            for position, (person, shown, doubts) in enumerate(people):
                if are_beside and position and ":" not in line:
                    doubts = (*doubts, Reason.MAYBE_TITLE)
                yield Row(number, (cell_of(person),), shown, doubts)
        else:
            _, bare, doubts = _box(_named_in_file(unbulleted(line)) or line)
            bare = unbulleted(bare)
            _, bare, more = _box(bare) if not doubts else ("", bare, ())
            bare = (
                _NUMBER_AND_TAB.sub("", bare)
                if not re.match(r"\s*\d+\s+(rue|avenue|bd|h\b|heures|personnes|participants)", bare)
                else bare
            )
            yield Row(
                number,
                (
                    cell_of(bare.replace("\t", "  "))
                    if "\t" not in bare
                    else " ; ".join(cell_of(c) for c in bare.split("\t") if c.strip()),
                ),
                line.strip(),
                doubts or more,
            )


_FILE = re.compile(r"([\w.-]{1,200})\.(?:pdf|docx?|odt|jpe?g|png|xlsx?)", re.IGNORECASE)
_OF_FILES = re.compile(
    r"^(?:attestation|certificat|badge|cv|photo|diplome|devoir|rapport|copie)\s+", re.IGNORECASE
)


def _named_in_file(line: str) -> str:
    """« attestation_PETIT_Lea.pdf »"""
    found = _FILE.fullmatch(line.strip())
    return f"{_OF_FILES.sub('', found[1].replace('_', ' '))} (fichier)" if found and "_" in found[1] else ""


_OPEN_COPY = re.compile(r"^\W{0,9}(?:cc|copie)(?: à)?\s{0,9}:", re.IGNORECASE | re.MULTILINE)
_WROTE = re.compile(r"\b(?:a écrit|a ecrit|wrote|schrieb|escribió|ha scritto)\b", re.IGNORECASE)


def _doubts_of(label: str) -> tuple[Reason, ...]:
    reason = {"from": Reason.SENDER, "copy": Reason.COPIED}.get(label)
    return (reason,) if reason else ()


def _split(number: int, text: str, original: str, doubts: tuple[Reason, ...]) -> Iterator[Row]:
    """One row for each recipient; a label of its own is part of the first one's text."""
    label = original[: len(original) - len(text)].strip() if original.endswith(text) else ""
    parts = recipient_parts(text)
    if not parts:
        yield Row(number, (cell_of(original),), original.strip(), doubts)
        return
    for index, part in enumerate(parts):
        shown = f"{label} {part}".strip() if index == 0 and label else part
        # « Ben Salah, Mohamed Amine <…> »: both parts may be halves of one name.
        halves = may_be_halves(*parts[index - 1 : index + 1]) if index else False
        is_half = halves or may_be_halves(*parts[index : index + 2])
        row = (cell_of(unbulleted(part + " ").strip()),)
        yield Row(number, row, shown, (*doubts, Reason.SPLIT) if is_half else doubts)
