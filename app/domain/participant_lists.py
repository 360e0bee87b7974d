"""Lists of people as trainers have them: typed, pasted, or a French spreadsheet saved as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from app.domain.activities import PartKind
from app.domain.people import is_address, name_key, normal_address
from app.domain.tables import as_written
from app.errors import InvalidInput
from app.language import N_

MAX_BYTES = 5 * 1024 * 1024
MAX_LINES = 10_000
MAX_CELL = 4_000
_SEPARATORS = ";\t,"
_FIELDS = {
    "family_name": {
        "nom",
        "nom de famille",
        "nom usuel",
        "nom d usage",
        "name",
        "last name",
        "family name",
        "surname",
    },
    "given_name": {"prenom", "prenoms", "first name", "given name"},
    "whole_name": {
        "nom prenom",
        "nom et prenom",
        "prenom nom",
        "nom complet",
        "full name",
        "participant",
        "personne",
    },
    "address": {
        "adresse",
        "adresse electronique",
        "adresse mail",
        "adresse e mail",
        "courriel",
        "mail",
        "e mail",
        "email",
    },
    "hours": {"heures", "nb heures", "nombre d heures", "duree", "hours"},
    "part": {"role", "part"},
    "contribution": {"contribution", "role tenu", "apport", "ce que la personne a fait"},
}


@dataclass(frozen=True)
class ListedPerson:
    """One line of a list, as read; `line` counts from 1 in what was given, heading included."""

    line: int
    given_name: str = ""
    family_name: str = ""
    address: str = ""
    hours: float | None = None
    part: PartKind = PartKind.LEARNER
    contribution: str = ""
    fault: str = ""
    hours_as_written: str = ""
    """Only where the hours could not be read."""

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def line_key(self) -> str:
        """The same person on two lists has the same key: the name, and the address where there is one."""
        return f"{self.address}|{name_key(self.given_name, self.family_name)}"


def decode_list(data: bytes) -> str:
    """The text of an uploaded list: UTF-8 with or without mark, UTF-16 with one, else CP1252 as French Excel saves."""
    if len(data) > MAX_BYTES:
        raise InvalidInput(N_("Cette liste dépasse 5 Mo. Découpez-la en plusieurs fichiers."))
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    if data[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        raise InvalidInput(
            N_("Ce fichier est un classeur. Enregistrez la feuille en CSV, puis déposez le CSV.")
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def read_list(text: str) -> list[ListedPerson]:
    """Every line that holds something, in order; faults are kept on the line, never raised for it."""
    if "\x00" in text:
        raise InvalidInput(N_("Ce fichier n’est pas une liste lisible."))
    rows = [
        (number, cells)
        for number, cells in _rows(text.lstrip("\ufeff"))
        if any(cell.strip() for cell in cells)
    ]
    if len(rows) > MAX_LINES:
        raise InvalidInput(N_("Cette liste dépasse 10 000 lignes. Découpez-la en plusieurs fichiers."))
    if not rows:
        return []
    columns = _columns_of(rows[0][1])
    if columns:
        return [_from_columns(number, cells, columns) for number, cells in rows[1:]]
    return [_from_free_line(number, cells) for number, cells in rows]


def _rows(text: str) -> Iterable[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator_of(text), strict=False)
    csv.field_size_limit(MAX_BYTES)
    line = 1
    try:
        for cells in reader:
            yield line, [as_written(cell[:MAX_CELL].strip()) for cell in cells]
            line = reader.line_num + 1
    except csv.Error as error:
        raise InvalidInput(N_("Ce fichier n’est pas une liste lisible.")) from error


def _separator_of(text: str) -> str:
    """The separator that the first lines use most steadily; a lone comma in « Nom, Prénom » counts as one."""
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    counts = {mark: [_outside_quotes(line).count(mark) for line in lines] for mark in _SEPARATORS}
    steady = {mark: (min(found, default=0), sum(found)) for mark, found in counts.items()}
    best = max(_SEPARATORS, key=lambda mark: steady[mark])
    return best if steady[best][1] else ";"


def _outside_quotes(line: str) -> str:
    return re.sub(r'"[^"]*"', "", line)


def _columns_of(cells: Sequence[str]) -> dict[str, int]:
    """Which column holds what, when the first line is a heading; else nothing."""
    found: dict[str, int] = {}
    for index, cell in enumerate(cells):
        heading = name_key_in_order(cell)
        for field, headings in _FIELDS.items():
            if heading in headings and field not in found:
                found[field] = index
    return found if found.keys() & {"family_name", "whole_name", "given_name"} else {}


def name_key_in_order(cell: str) -> str:
    """A heading without case, accents or punctuation, its words in their order."""
    return " ".join(name_key("", word) for word in re.findall(r"\w+", cell))


def _from_columns(number: int, cells: Sequence[str], columns: dict[str, int]) -> ListedPerson:
    def cell(field: str) -> str:
        index = columns.get(field)
        return cells[index] if index is not None and index < len(cells) else ""

    given, family = cell("given_name"), cell("family_name")
    if "whole_name" in columns or ("family_name" in columns and "given_name" not in columns):
        given, family = split_name(cell("whole_name") or family)
    hours, fault = hours_in(cell("hours"))
    return ListedPerson(
        number,
        given_name=_one_line(given),
        family_name=_one_line(family),
        address=normal_address(cell("address")),
        hours=hours,
        part=PartKind.RESOURCE if name_key("", cell("part")).startswith("ressource") else PartKind.LEARNER,
        contribution=cell("contribution"),
        fault=fault,
        hours_as_written=cell("hours") if fault else "",
    )


def _from_free_line(number: int, cells: Sequence[str]) -> ListedPerson:
    """A line without a heading above it: names in one or two cells, an address in any."""
    address, names = "", []
    for cell in cells:
        words = cell.split()
        marked = [word for word in words if "@" in word]
        if marked and not address:
            address = normal_address(marked[0].strip("<>()"))
            words.remove(marked[0])
        if words:
            names.append(" ".join(words))
    if len(names) >= 2:
        family, given = _order_of(names[0], names[1])
    else:
        given, family = split_name(names[0] if names else "")
    return ListedPerson(number, given_name=given, family_name=family, address=address)


def _order_of(first: str, second: str) -> tuple[str, str]:
    """(family, given) of two cells: the one in capitals is the family name; else the first, as lists have it."""
    if second.isupper() and not first.isupper():
        return second, first
    return first, second


def split_name(whole: str) -> tuple[str, str]:
    """(given, family) of a name in one piece: « LE GOFF Anne » and « Anne LE GOFF »; without capitals, « Anne Le Goff »."""
    words = _one_line(whole).split(" ")
    capitals = [word for word in words if word.isupper() and len(word.strip("-’'.")) > 1]
    if capitals and len(capitals) < len(words):
        first, last = words.index(capitals[0]), len(words) - 1 - words[::-1].index(capitals[-1])
        family = words[first : last + 1]
        given = words[:first] + words[last + 1 :]
        return " ".join(given), " ".join(family)
    return (words[0], " ".join(words[1:])) if len(words) > 1 else ("", words[0])


def _one_line(text: str) -> str:
    return " ".join(text.split())


def hours_in(cell: str) -> tuple[float | None, str]:
    """Hours as French people write them: 14, 14,5, 14 h, 14h30; and the fault "hours" for anything else."""
    text = cell.strip().lower().replace("\u202f", "").replace("\xa0", "").replace(" ", "")
    if not text:
        return None, ""
    found = re.fullmatch(r"(\d{1,5})(?:[.,](\d{1,2}))?(?:h(?:eures?)?(\d{1,2})?)?", text)
    if not found:
        return None, "hours"
    whole, decimals, minutes = found.groups()
    return float(f"{whole}.{decimals or 0}") + int(minutes or 0) / 60, ""


def without_repeats(lines: Sequence[ListedPerson]) -> tuple[list[ListedPerson], list[ListedPerson]]:
    """The lines to keep, and those that say again what a line above them said."""
    seen: set[str] = set()
    kept: list[ListedPerson] = []
    repeated: list[ListedPerson] = []
    for line in lines:
        (repeated if line.line_key in seen else kept).append(line)
        seen.add(line.line_key)
    return kept, repeated


def tidy(line: ListedPerson) -> ListedPerson:
    """Capitals of a list are not a person's spelling: « LE GOFF » becomes « Le Goff »."""
    family = (
        _small(line.family_name)
        if line.family_name.isupper() and len(line.family_name) > 2
        else line.family_name
    )
    given = (
        _small(line.given_name) if line.given_name.isupper() and len(line.given_name) > 2 else line.given_name
    )
    return replace(line, family_name=family, given_name=given)


def _small(name: str) -> str:
    return re.sub(r"[^\W\d_]+", lambda word: word.group()[0].upper() + word.group()[1:].lower(), name)


def has_usable_address(line: ListedPerson) -> bool:
    """No address is fine (a printed slip will do); a wrong one is not."""
    return not line.address or is_address(line.address)
