"""Frameworks of campuses and networks, from their own files: CASE packages, and tables with a column mapping."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

from app.adapters.sheets.list_files import text_of_table
from app.domain.core import as_written, plain_text
from app.domain.frameworks import LEVEL_MARK, AssociationKind
from app.domain.frameworks.case import PACKAGES, packages_in, read_package
from app.domain.frameworks.releases import Entry, Link, Source, Unreadable, check_source
from app.language import N_
from app.services.frameworks.readers import Row, Table, table_of


def read_case(path: Path, code: str = "") -> list[Source]:
    return _case_sources(path.name, path.read_bytes(), code)


def _case_sources(file: str, data: bytes, code: str) -> list[Source]:
    """One for each document of the file; a fault names the line of the element."""
    text, document = _json(file, data)
    packages = packages_in(document)
    if code and len(packages) > 1:
        raise Unreadable(
            N_("{file} contient {several} documents : sans code, chacun prend celui de son titre."),
            file=file,
            several=len(packages),
        )
    listed = text.find("[", 0 if isinstance(document, list) else max(0, text.find(f'"{PACKAGES}"')))
    found: dict[str, Source] = {}
    for number, package in enumerate(packages, 1):
        start = _start_of(text, listed, number) if package is not document else 0
        try:
            source = _of_its_own(read_package(package, code=code), found)
            check_source(source)
        except Unreadable as error:
            error.values["file"] = file
            if "line" in error.values:
                name, at = str(error.values.get("name", "CFItems")), int(str(error.values["line"]))
                error.values["line"] = _line_of(text, name, at, start)
            raise
        found[source.code] = source
    return list(found.values())


def _of_its_own(source: Source, found: Mapping[str, Source]) -> Source:
    """With another code than the documents before, which may have the same title."""
    if source.code not in found:
        return source
    if any(each.identifier == source.identifier for each in found.values()):
        raise Unreadable(N_("{file} : le document « {title} » y figure deux fois."), title=source.name)
    mark = re.sub(r"[^a-z0-9]", "", source.identifier.lower())[-8:]
    return replace(source, code=f"{source.code[:50]}-{mark}")


def _json(file: str, data: bytes) -> tuple[str, object]:
    def no_number(value: str) -> object:
        raise Unreadable(N_("{file} n’est pas du JSON : « {value} » n’est pas un nombre."), file=file, value=value)  # fmt: skip

    try:
        text = data.decode("utf-8-sig")
        document = json.loads(text, parse_constant=no_number)
        # Half of a surrogate pair can be escaped in JSON, and stored nowhere.
        json.dumps(document, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise Unreadable(N_("{file}, ligne {line} : ce n’est pas du JSON."), file=file, line=error.lineno) from None  # fmt: skip
    except (UnicodeError, RecursionError):
        raise Unreadable(N_("{file} n’est pas du JSON en UTF-8."), file=file) from None
    return text, document


def _line_of(text: str, name: str, number: int, start: int) -> int:
    """The line on which an element of a list begins; that of the list where it is not found."""
    listed = max(0, text.find("[", text.find(f'"{name}"', start)))
    return text.count("\n", 0, _start_of(text, listed, number)) + 1


def _start_of(text: str, listed: int, number: int) -> int:
    """Where an element of the list at `listed` begins."""
    decoder, at, here = json.JSONDecoder(), listed, listed
    for _ in range(number):
        at = re.compile(r"[\s,\[]*").match(text, here).end()  # type: ignore[union-attr]
        try:
            here = decoder.raw_decode(text, at)[1]
        except ValueError:
            break
    return at


def read_uploaded(
    file: str, data: bytes, *, code: str = "", name: str = "", mapping: Mapping[str, str] | None = None
) -> list[Source]:
    """A CASE package (.json) or a table (.csv, .xlsx) of the framework `code`."""
    if file.lower().endswith(".json"):
        return _case_sources(file, data, code)
    if not code.strip() or not name.strip():
        raise Unreadable(N_("Un tableau demande le code et le nom du référentiel."))
    table = uploaded_table(file, data)
    source = read_table([table], code=code.strip(), name=name.strip(), mapping=mapping)
    return [source]


def uploaded_table(file: str, data: bytes) -> Table:
    """As an office program writes it, in whatever character set."""
    plain = text_of_table(data).encode()
    return table_of(file, lambda: io.BytesIO(plain))


COLUMNS: Final = {
    "code": {"code", "identifiant", "id", "code competence"},
    "label": {"libelle", "enonce", "intitule", "label", "competence", "statement"},
    "parent": {"parent", "code parent", "rattachement", "isPartOf"},
    "kind": {"type", "nature", "kind"},
    "description": {"description", "definition"},
    "other_labels": {"synonymes", "autres libelles", "altlabels", "other labels"},
    "levels": {"niveaux", "niveau", "levels"},
    "rubric": {"descriptions des niveaux", "indicateurs", "rubric"},
    "ended_on": {"fin", "valable jusqu'au", "date de fin", "ended on"},
    "replaced_by": {"remplace par", "successeur", "replaced by"},
    "related": {"en lien avec", "related"},
}


def read_table(
    tables: Sequence[Table],
    *,
    code: str,
    name: str,
    mapping: Mapping[str, str] | None = None,
    version: str = "",
    day: date | None = None,
) -> Source:
    """`mapping`: the file's own heading of each of COLUMNS; other headings are recognised by name."""
    if not tables:
        raise Unreadable(N_("Le fichier est vide."))
    table = tables[0]
    columns = _mapped(table, mapping or {})
    entries, links, seen = [], [], set[str]()
    for position, row in enumerate(table.rows()):
        values = {key: as_written(row[column]) for key, column in columns.items()}
        row.check_new(values.get("code", ""), seen)
        entry = _own_entry(row, values, position, columns)
        entries.append(entry)
        links += [
            Link(entry.code, kind.value, target)
            for key, kind in (("replaced_by", AssociationKind.REPLACED), ("related", AssociationKind.RELATED))
            for target in _listed(values.get(key, ""))
        ]
    if not entries:
        raise Unreadable(N_("Le fichier est vide."))
    kinds = {"replaced_by": AssociationKind.REPLACED.value, "related": AssociationKind.RELATED.value}
    return Source(
        code,
        name,
        version,
        day,
        entries,
        links,
        frozenset(kind for key, kind in kinds.items() if key in columns),
    )


def _own_entry(row: Row, values: Mapping[str, str], position: int, columns: Mapping[str, str]) -> Entry:
    if not values.get("code") or not values.get("label"):
        raise row.fault(N_("{file}, ligne {line} : il faut un code et un libellé."))
    return Entry(
        values["code"],
        values["label"],
        values.get("kind") or "competency",
        parent=values.get("parent", "") if "parent" in columns else None,
        position=position,
        description=values.get("description"),
        other_labels=_optional(values, "other_labels"),
        levels=_optional(values, "levels"),
        rubric=_optional(values, "rubric"),
        ended_on=row.day(columns["ended_on"]) if "ended_on" in columns else None,
        file=row.file,
        line=row.line,
    )


def _optional(values: Mapping[str, str], key: str) -> tuple[str, ...] | None:
    return tuple(_listed(values[key])) if key in values else None


def _listed(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(LEVEL_MARK) if part.strip()]


class ColumnsUnknown(Unreadable):
    """The first line names no column of codes, or none of labels; a mapping names them."""


def recognised(table: Table, mapping: Mapping[str, str] | None = None) -> dict[str, str]:
    """The column of each of COLUMNS; in `mapping` an empty heading means none."""
    found, given = {}, mapping or {}
    for key, known in COLUMNS.items():
        asked = plain_text(given.get(key, "")).strip()
        if asked and asked not in table.columns:
            raise ColumnsUnknown(N_("{file} n’a pas de colonne « {column} »."), file=table.name, column=given[key])  # fmt: skip
        free = key not in given
        column = asked or next((each for each in table.columns if free and each in known), "")
        if column:
            found[key] = column
    return found


def _mapped(table: Table, mapping: Mapping[str, str]) -> dict[str, str]:
    found = recognised(table, mapping)
    if "code" not in found or "label" not in found:
        raise ColumnsUnknown(
            N_("{file} : la première ligne nomme les colonnes, dont Code et Libellé."), file=table.name
        )
    return found
