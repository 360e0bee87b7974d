"""A list as other programs and people would have given it: another form, encoding, order of columns, titles and footers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from random import Random

from app.domain.imports.lists.text import decode
from tests.lists.documents import FORMS
from tests.lists.scoring import Entry

_TITLES = (
    "Liste des participants",
    "Atelier découverte du 12/10/2026",
    "Année scolaire 2026-2027",
    "Campus des métiers – effectif au 03/10/2026",
)
_FOOTERS = (
    "Total : 12", "Nombre d'inscrits : 12", "Signature du formateur :", "Fait à Lyon, le 12 octobre 2026", "Page 1/1",
    "Formateur : Luc Besnard", "Édité le 05/10/2026 à 08:12", "Responsable de formation : Anne Vidal",
)  # fmt: skip
Mutation = Callable[[Entry, Random], Entry | None]


def _text(entry: Entry) -> str | None:
    """The list as text; None for documents and marked-up text."""
    is_document = entry.data[:2] in (b"PK", b"%P", b"\xd0\xcf") or entry.data.lstrip(b"\xef\xbb\xbf \r\n")[
        :1
    ] in (b"<", b"[", b"{", b"B")
    text = None if is_document else decode(entry.data)
    is_odd = text is None or "=?" in text or "Ã" in text or "participant 2" in text
    return None if is_odd else text


def rows_of(entry: Entry) -> tuple[list[list[str]], str] | None:
    """The cells of a table that has its heading in the first line, and what separates them."""
    text = _text(entry)
    if not text:
        return None
    first = text.splitlines()[0]
    mark = max(";\t,", key=first.count)
    rows = list(csv.reader(io.StringIO(text), delimiter=mark))
    is_regular = len(rows) > 1 and len({len(row) for row in rows}) == 1 and len(rows[0]) > 1
    has_heading = re.search(r"\bpr[ée]nom\b", first, re.IGNORECASE) and re.search(
        r"\bnom\b", first, re.IGNORECASE
    )
    return (rows, mark) if is_regular and has_heading and '"""' not in text else None


def with_rows(entry: Entry, rows: list[list[str]], mark: str, name: str) -> Entry:
    made = io.StringIO(newline="")
    csv.writer(made, delimiter=mark, lineterminator="\r\n").writerows(rows)
    return replace(entry, name=f"{entry.name} + {name}", data=made.getvalue().encode())


def encoded(entry: Entry, random: Random) -> Entry | None:
    text = _text(entry)
    encoding = random.choice(["utf-8-sig", "utf-16", "cp1252", "utf-16-le"])
    if text is None or (encoding == "cp1252" and text.encode("cp1252", "ignore").decode("cp1252") != text):
        return None
    return replace(entry, name=f"{entry.name} + {encoding}", data=text.replace("\n", "\r\n").encode(encoding))


def titled(entry: Entry, random: Random) -> Entry | None:
    found = rows_of(entry)
    if not found:
        return None
    rows, mark = found
    titles = [[title, *[""] * (len(rows[0]) - 1)] for title in random.sample(_TITLES, 2)]
    return with_rows(entry, [*titles, *rows], mark, "titles")


def footed(entry: Entry, random: Random) -> Entry | None:
    found = rows_of(entry)
    if not found:
        return None
    rows, mark = found
    footers = [[footer, *[""] * (len(rows[0]) - 1)] for footer in random.sample(_FOOTERS, 3)]
    return with_rows(entry, [*rows, [""] * len(rows[0]), *footers], mark, "footers")


def shuffled(entry: Entry, random: Random) -> Entry | None:
    found = rows_of(entry)
    if not found:
        return None
    rows, mark = found
    order = list(range(len(rows[0])))
    random.shuffle(order)
    return with_rows(entry, [[row[index] for index in order] for row in rows], mark, f"columns {order}")


def with_parents(entry: Entry, random: Random) -> Entry | None:
    found = rows_of(entry)
    if not found:
        return None
    rows, mark = found
    parents = [
        f"{random.choice(['odile', 'serge', 'karim'])}.parent{number}@exemple.org"
        for number in range(len(rows))
    ]
    columns = [
        ["Nom responsable", "Prénom responsable", "Mail responsable"],
        *(["PARENT", "Odile", one] for one in parents[1:]),
    ]
    return with_rows(
        entry, [[*row, *column] for row, column in zip(rows, columns, strict=True)], mark, "parents"
    )


def reformed(entry: Entry, random: Random) -> Entry | None:
    found = rows_of(entry)
    if not found:
        return None
    form = random.choice(["xlsx", "ods", "html", "xml", "docx", "odt", "rtf"])
    rows = found[0]
    if form == "html" and "".join(map("".join, rows)).encode("cp1252", "ignore").decode("cp1252") != "".join(
        map("".join, rows)
    ):
        return None
    return replace(entry, name=f"{entry.name} + {form}", data=FORMS[form]([{"table": rows}]))


def with_merged_class(entry: Entry, random: Random) -> Entry | None:
    """A first column whose value stands once over several rows."""
    found = rows_of(entry)
    if not found:
        return None
    rows, mark = found
    merged = [
        ["Groupe", *rows[0]],
        *([f"G{n}" if n % 3 == 0 else "", *row] for n, row in enumerate(rows[1:])),
    ]
    return with_rows(entry, merged, mark, "merged groups")


def lines_of(entry: Entry) -> list[str] | None:
    """Lines of a text without separators, mail headers or marks of its own."""
    text = _text(entry)
    if (
        not text
        or re.search(r"^\S+@\S+$", text, re.MULTILINE)
        or re.search(r"[,;\t|]|  |^\W|^\d|^[^:\n]{2,30}:", text, re.MULTILINE)
        or len(text.splitlines()) < 2
    ):
        return None
    return text.splitlines()


def bulleted(entry: Entry, random: Random) -> Entry | None:
    lines = lines_of(entry)
    bullet = random.choice(["- ", "• ", "* ", "— ", "\uf0b7 "])
    if not lines:
        return None
    return replace(
        entry,
        name=f"{entry.name} + {bullet}",
        data="\n".join(line and bullet + line for line in lines).encode(),
    )


def numbered(entry: Entry, random: Random) -> Entry | None:
    lines = lines_of(entry)
    form = random.choice(["{}. {}", "{}) {}", "{} - {}", "{}\t{}"])
    if not lines:
        return None
    made = "\n".join(form.format(number, line) for number, line in enumerate(lines, 1))
    return replace(entry, name=f"{entry.name} + {form}", data=made.encode())


def spaced(entry: Entry, random: Random) -> Entry | None:
    lines = lines_of(entry)
    return (
        replace(entry, name=f"{entry.name} + spaced", data="\r\n\r\n".join(lines).encode()) if lines else None
    )


def with_footer_lines(entry: Entry, random: Random) -> Entry | None:
    lines = lines_of(entry)
    if not lines:
        return None
    return replace(
        entry,
        name=f"{entry.name} + footer",
        data="\n".join([*lines, "", *random.sample(_FOOTERS, 2)]).encode(),
    )


MUTATIONS: tuple[Mutation, ...] = (
    encoded, titled, footed, shuffled, with_parents, reformed, with_merged_class, bulleted, numbered, spaced, with_footer_lines,
)  # fmt: skip


def mutants(entry: Entry, seed: int, kinds: Sequence[Mutation] = MUTATIONS) -> Iterator[Entry]:
    """One of each kind that fits the list."""
    for mutation in kinds:
        random = Random(f"{seed} {entry.name} {mutation.__name__}")
        if made := mutation(entry, random):
            yield made
