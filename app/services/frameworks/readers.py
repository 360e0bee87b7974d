"""Tables of archives, folders and files; registers as their publishers pack them: ROME, RNCP and RS, ESCO."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import IO, Final

from app.adapters.sheets.list_files import text_of_table as text_of_table
from app.domain.core import as_stored, plain_text
from app.domain.frameworks import AssociationKind
from app.domain.frameworks.releases import Entry, Link, Source, Unreadable
from app.language import N_

MOST_UNPACKED: Final = 3 * 1024**3
_LONGEST_CELL: Final = 4 * 1024**2
_NO_ARCHIVE = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError)
csv.field_size_limit(_LONGEST_CELL)


@dataclass(frozen=True)
class Row:
    file: str
    line: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    def day(self, column: str) -> date | None:
        value = self[column][:10]
        if not value:
            return None
        for form in ("%d/%m/%Y", "%Y-%m-%d"):
            try:
                return datetime.strptime(value, form).date()  # noqa: DTZ007 - a day has no time zone
            except ValueError:
                continue
        raise self.fault(N_("{file}, ligne {line} : « {value} » n’est pas une date."), value=value)

    def needed(self, column: str) -> str:
        value = self[column]
        if not value:
            raise self.fault(N_("{file}, ligne {line} : la colonne « {column} » est vide."), column=column)
        return value

    def check_new(self, code: str, seen: set[str]) -> None:
        if code and code in seen:
            raise self.fault(N_("{file}, ligne {line} : le code « {value} » figure deux fois."), value=code)
        seen.add(code)

    def fault(self, sentence: str, **values: str) -> Unreadable:
        return Unreadable(sentence, file=self.file, line=self.line, **values)


@dataclass(frozen=True)
class Table:
    """`columns` are folded: lower case, no accents, no spaces around."""

    name: str
    columns: tuple[str, ...]
    open: Callable[[], IO[bytes]] = field(repr=False)
    day: date | None = None
    """Of the member in its archive."""
    headings: tuple[str, ...] = ()
    """The columns as the file writes them."""

    def rows(self) -> Iterator[Row]:
        with self.open() as data:
            for line, cells in _records(data, self.name):
                if line == 1:
                    continue
                if not any(cells):
                    continue
                if len(cells) < len(self.columns) or any(cells[len(self.columns) :]):
                    raise Unreadable(
                        N_("{file}, ligne {line}. Colonnes : {found} au lieu de {expected}."),
                        file=self.name,
                        line=line,
                        found=len(cells),
                        expected=len(self.columns),
                    )
                yield Row(self.name, line, dict(zip(self.columns, cells, strict=False)))


def _records(data: IO[bytes], name: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line on which it begins."""
    lines = _lines(data, name)
    first = next(lines, "")
    delimiter = max(";,\t", key=first.count)
    line = 1
    try:
        yield 1, [_tidy(cell) for cell in next(csv.reader([first], delimiter=delimiter), [])]
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        for cells in reader:
            yield line + 1, [_tidy(cell) for cell in cells]
            line = reader.line_num + 1
    except csv.Error:
        raise Unreadable(
            N_("{file}, ligne {line} : les guillemets ou les séparateurs sont faux."),
            file=name,
            line=line + 1,
        ) from None


def _lines(data: IO[bytes], name: str) -> Iterator[str]:
    for number, line in enumerate(data, 1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise Unreadable(N_("{file}, ligne {line} : le texte n’est pas en UTF-8."), file=name, line=number) from None  # fmt: skip
        yield text


def _tidy(cell: str) -> str:
    return " ".join(unicodedata.normalize("NFC", as_stored(cell)).split())


@contextmanager
def open_tables(paths: Sequence[Path]) -> Iterator[list[Table]]:
    """The CSV tables of archives, folders and files, by name."""
    tables: list[Table] = []
    archives: list[zipfile.ZipFile] = []
    try:
        for path in paths:
            if path.is_dir():
                tables += [_of_file(each) for each in sorted(path.glob("*.csv"))]
            elif zipfile.is_zipfile(path) and path.suffix.lower() != ".xlsx":
                archives.append(zipfile.ZipFile(path))
                tables += _of_archive(archives[-1], path)
            elif path.suffix.lower() == ".zip":
                raise Unreadable(N_("{file} n’est pas une archive lisible."), file=path.name)
            else:
                tables.append(_of_file(path))
        yield tables
    except _NO_ARCHIVE:
        raise Unreadable(N_("Cette archive est abîmée : {file}."), file=paths[0].name) from None
    except OSError as error:
        raise Unreadable(N_("Ce fichier ne s’ouvre pas : {file}."), file=Path(error.filename or paths[0]).name) from None  # fmt: skip
    finally:
        for archive in archives:
            archive.close()


def _of_file(path: Path) -> Table:
    if path.suffix.lower() == ".xlsx":
        data = text_of_table(path.read_bytes()).encode()
        return table_of(path.name, lambda: io.BytesIO(data))
    return table_of(path.name, lambda: path.open("rb"))


def _of_archive(archive: zipfile.ZipFile, path: Path) -> list[Table]:
    members = [each for each in archive.infolist() if each.filename.lower().endswith(".csv")]
    if not members:
        raise Unreadable(N_("{file} ne contient aucun tableau CSV."), file=path.name)
    if sum(each.file_size for each in members) > MOST_UNPACKED:
        raise Unreadable(N_("{file} est trop grand une fois ouvert."), file=path.name)

    def table(member: zipfile.ZipInfo) -> Table:
        name = unicodedata.normalize("NFC", member.filename.rpartition("/")[2])
        return table_of(name, lambda: archive.open(member), date(*member.date_time[:3]))

    return [table(member) for member in sorted(members, key=lambda each: each.filename)]


def table_of(name: str, opened: Callable[[], IO[bytes]], day: date | None = None) -> Table:
    with opened() as data:
        heading = next(_records(data, name), (1, []))[1]
    return Table(name, tuple(plain_text(cell).strip() for cell in heading), opened, day, tuple(heading))


def _with_columns(tables: Sequence[Table], *columns: str) -> list[Table]:
    return [table for table in tables if set(columns) <= set(table.columns)]


# ROME

_ROME_VERSION = re.compile(r"v(\d{3})(?!\d)")


def read_rome(tables: Sequence[Table], version: str = "", day: date | None = None) -> list[Source]:
    codes = _with_columns(tables, "code_rome", "libelle_rome")
    if not codes:
        raise Unreadable(N_("Aucun tableau n’a les colonnes code_rome et libelle_rome."))
    named = _ROME_VERSION.search(codes[0].name.lower())
    version = version or (named[1] if named else "")
    if not version:
        raise Unreadable(N_("Le nom de {file} ne dit pas la version : ajoutez --version."), file=codes[0].name)  # fmt: skip
    appellations = _appellations(tables)
    domains = _rome_domains(tables)
    entries = list(domains.values())
    links, seen = [], set[str]()
    for position, row in enumerate(row for table in codes for row in table.rows()):
        code = row.needed("code_rome").upper()
        if not re.fullmatch(r"[A-N]\d{4}", code):
            raise row.fault(N_("{file}, ligne {line} : « {value} » n’est pas un code ROME."), value=code)
        row.check_new(code, seen)
        entries.append(
            Entry(
                code,
                row.needed("libelle_rome"),
                "occupation",
                parent=code[:3] if code[:3] in domains else (None if not domains else ""),
                position=position,
                other_labels=tuple(appellations.get(code, ())) if appellations is not None else None,
                levels=(),
                rubric=(),
                file=row.file,
                line=row.line,
            )
        )
        above = row["code_rome_parent"].upper()
        if above and above != code:
            links.append(Link(code, AssociationKind.RELATED.value, above))
    return [
        Source(
            "rome",
            "ROME 4.0",
            version,
            day or codes[0].day,
            entries,
            links,
            frozenset({AssociationKind.RELATED.value}),
            publisher="France Travail",
            licence="Licence ouverte du ROME : réutilisation libre, source et date de mise à jour citées",
            source="https://www.francetravail.org/opendata/repertoire-operationnel-des-meti.html",
            domain_of=3,
            has_order=False,
        )
    ]


def _appellations(tables: Sequence[Table]) -> dict[str, dict[str, None]] | None:
    """Without duplicates, in the order of the file; None without such a table."""
    found = _with_columns(tables, "code_rome", "libelle_appellation_long")
    if not found:
        return None
    labels: dict[str, dict[str, None]] = {}
    for table in found:
        for row in table.rows():
            code = row.needed("code_rome").upper()
            labels.setdefault(code, {})[row.needed("libelle_appellation_long")] = None
    return labels


def _rome_domains(tables: Sequence[Table]) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for table in _with_columns(tables, "code_grand_domaine", "libelle_grand_domaine"):
        for row in table.rows():
            code = row.needed("code_grand_domaine")
            label = row.needed("libelle_grand_domaine")
            found[code] = Entry(code, label, "domain", parent="", file=row.file, line=row.line)
    for table in _with_columns(tables, "code_domaine_professionnel", "libelle_domaine_professionnel"):
        for row in table.rows():
            code = row.needed("code_domaine_professionnel")
            if len(code) == 2 and row["code_grand_domaine"]:
                code = row["code_grand_domaine"] + code
            above = code[:1] if code[:1] in found else ""
            label = row.needed("libelle_domaine_professionnel")
            found[code] = Entry(code, label, "domain", parent=above, file=row.file, line=row.line)
    return found


# RNCP and RS

_DAY_IN_NAME = re.compile(r"(20\d\d)[-_](\d\d)[-_](\d\d)")
_REGISTERS = {"rncp": ("RNCP", "RNCP"), "rs": ("RS", "Répertoire spécifique")}


def read_rncp(tables: Sequence[Table], version: str = "", day: date | None = None) -> list[Source]:
    sheets = _with_columns(tables, "numero_fiche", "intitule")
    if not sheets:
        raise Unreadable(N_("Aucun tableau n’a les colonnes Numero_Fiche et Intitule."))
    dated = _DAY_IN_NAME.search(sheets[0].name)
    day = day or (date(*map(int, dated.groups())) if dated else sheets[0].day)
    if day is None:
        raise Unreadable(N_("Le nom de {file} ne dit pas la date : ajoutez --date."), file=sheets[0].name)
    entries: dict[str, Entry] = {}
    for table in sheets:
        for row in table.rows():
            entry = _sheet(row, day)
            entries[entry.code] = entry
    _add_blocks(tables, entries)
    links = [*_successors(tables, entries), *_rome_of_sheets(tables, entries)]
    return [
        Source(
            code,
            name,
            version or day.isoformat(),
            day,
            mine,
            [link for link in links if _register_of(link.origin) == code],
            frozenset({AssociationKind.REPLACED.value, AssociationKind.RELATED.value}),
            publisher="France compétences",
            licence="Licence ouverte 2.0",
            source="https://www.data.gouv.fr/datasets/repertoire-national-des-certifications-professionnelles-et-repertoire-specifique",
            has_order=False,
        )
        for code, (_, name) in _REGISTERS.items()
        if (mine := [entry for entry in entries.values() if _register_of(entry.code) == code])
    ]


def _register_of(code: str) -> str:
    return "rncp" if code.startswith("RNCP") else "rs"


def _sheet(row: Row, day: date) -> Entry:
    code = row.needed("numero_fiche").upper()
    if not re.fullmatch(r"(RNCP|RS)\d{1,6}", code):
        raise row.fault(N_("{file}, ligne {line} : « {value} » n’est pas un numéro de fiche."), value=code)
    label, short = row.needed("intitule"), row["abrege_libelle"]
    if short and len(short) <= 12 and not label.startswith(f"{short} "):
        label = f"{short} {label}"
    ended = row.day("date_fin_enregistrement")
    if plain_text(row["actif"]) == "inactive" and (ended is None or ended > day):
        ended = day
    level = re.sub(r"\D", "", row["nomenclature_europe_niveau"])
    return Entry(
        code,
        label[:2000],
        "certification",
        parent="",
        other_labels=(),
        description="",
        levels=(),
        rubric=(),
        ended_on=ended,
        extra={"level": int(level)} if level else {},
        file=row.file,
        line=row.line,
    )


def _add_blocks(tables: Sequence[Table], entries: dict[str, Entry]) -> None:
    for table in _with_columns(tables, "numero_fiche", "bloc_competences_code", "bloc_competences_libelle"):
        for row in table.rows():
            sheet, code = row.needed("numero_fiche").upper(), row["bloc_competences_code"].upper()
            label = row["bloc_competences_libelle"]
            if sheet not in entries or not code or not label:
                continue
            entries[code] = Entry(
                code[:300],
                label[:2000],
                "block",
                parent=sheet,
                other_labels=(),
                description="",
                levels=(),
                rubric=(),
                ended_on=entries[sheet].ended_on,
                extra={},
                file=row.file,
                line=row.line,
            )


def _successors(tables: Sequence[Table], entries: Mapping[str, Entry]) -> Iterator[Link]:
    for table in _with_columns(tables, "ancienne_certification", "nouvelle_certification"):
        for row in table.rows():
            before, after = row["ancienne_certification"].upper(), row["nouvelle_certification"].upper()
            if before in entries and after and before != after:
                yield Link(before, AssociationKind.REPLACED.value, after)


def _rome_of_sheets(tables: Sequence[Table], entries: Mapping[str, Entry]) -> Iterator[Link]:
    for table in _with_columns(tables, "numero_fiche", "codes_rome_code"):
        for row in table.rows():
            sheet, code = row["numero_fiche"].upper(), row["codes_rome_code"].upper()
            if sheet in entries and code:
                yield Link(sheet, AssociationKind.RELATED.value, f"rome:{code}")


# ESCO

_SKILL_KINDS = {"knowledge": "knowledge", "skill/competence": "skill"}


def read_esco(tables: Sequence[Table], version: str = "", day: date | None = None) -> list[Source]:
    listed = [
        table
        for table in _with_columns(tables, "concepturi", "preferredlabel")
        if "broader" not in table.name.lower()
    ]
    if not listed:
        raise Unreadable(N_("Aucun tableau n’a les colonnes conceptUri et preferredLabel."))
    entries: dict[str, Entry] = {}
    for table in listed:
        for position, row in enumerate(table.rows()):
            entry = _concept(row, position)
            entries.setdefault(entry.code, entry)
    links = list(_esco_links(tables, entries))
    day = day or listed[0].day
    if not version and day is None:
        raise Unreadable(N_("{file} ne dit pas la version : ajoutez --version."), file=listed[0].name)
    return [
        Source(
            "esco",
            "ESCO",
            version or str(day),
            day,
            _with_parents(entries, links),
            [link for link in links if link.kind != AssociationKind.CHILD],
            frozenset(link.kind for link in links) - {AssociationKind.CHILD.value},
            publisher="Commission européenne",
            licence="CC BY 4.0",
            source="https://esco.ec.europa.eu/fr",
            has_order=False,
        )
    ]


def _concept(row: Row, position: int) -> Entry:
    uri = row.needed("concepturi")
    if not uri.startswith("http://data.europa.eu/esco/"):
        raise row.fault(N_("{file}, ligne {line} : « {value} » n’est pas une adresse ESCO."), value=uri)
    kind = "occupation" if "/occupation/" in uri or "/isco/" in uri else "skill"
    kind = _SKILL_KINDS.get(row["skilltype"].lower(), kind)
    # The publisher separates other labels by line ends, other editions by a bar.
    others = [each.strip() for each in re.split(r"[|\n]", row["altlabels"]) if each.strip()]
    return Entry(
        uri,
        row.needed("preferredlabel"),
        kind,
        identifier=uri,
        position=position,
        other_labels=tuple(dict.fromkeys(others)),
        description=row["description"] if "description" in row.cells else None,
        levels=(),
        rubric=(),
        ended_on=None,
        extra={},
        file=row.file,
        line=row.line,
    )


def _esco_links(tables: Sequence[Table], entries: Mapping[str, Entry]) -> Iterator[Link]:
    for table in _with_columns(tables, "concepturi", "broaderuri"):
        for row in table.rows():
            if row["concepturi"] in entries and row["broaderuri"]:
                yield Link(row["concepturi"], AssociationKind.CHILD.value, row["broaderuri"])
    for table in _with_columns(tables, "occupationuri", "skilluri"):
        for row in table.rows():
            if row["occupationuri"] in entries and row["skilluri"] in entries:
                yield Link(row["occupationuri"], AssociationKind.RELATED.value, row["skilluri"])


def _with_parents(entries: Mapping[str, Entry], links: Sequence[Link]) -> list[Entry]:
    """ESCO's skills may have several broader concepts: the path is that with the first address, in whatever order."""
    parents: dict[str, str] = {}
    for link in links:
        if link.kind == AssociationKind.CHILD and link.target in entries and link.target != link.origin:
            parents[link.origin] = min(link.target, parents.get(link.origin, link.target))
    if not any(link.kind == AssociationKind.CHILD for link in links):
        return list(entries.values())
    return [Entry(**{**vars(entry), "parent": parents.get(code, "")}) for code, entry in entries.items()]
