"""Lists of people in forms: typed, pasted or dropped, and handed back as they came when a line needs a person."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from starlette.datastructures import FormData

from app.domain.activities.list_columns import FROM_15, UNDER_15, Column
from app.domain.activities.participant_lists import ListedPerson, ListTable, read_list, read_table
from app.domain.people.namesakes import NO_ANSWERS, ListAnswers, digest_of_list
from app.errors import AppError
from app.http.pages.forms import bytes_of, text_of, texts_of
from app.http.pages.typography import say
from app.http.pages.wording import hours_text
from app.http.workplaces import sentence_of
from app.language import N_
from app.services.activities.participant_lists import text_of_file

TEXT_FIELD, FILE_FIELD = "liste", "fichier"
COLUMN_FIELD, SWAP_FIELD, OTHER_FIELD, WHO_FIELD = "colonne-", "inverser", "autre", "qui-"
HEADING = ("Nom", "Prénom", "Courriel", "Heures", "Rôle", "Contribution")
_AGE_HEADING = "Tranche d’âge"
_LINE_END = re.compile(r"\r\n|\r|\n")
_TWICE = N_("Deux colonnes disent la même chose : choisissez-en une, et « ne pas lire » pour l’autre.")
_EMPTY = ListTable((), ())


@dataclass(frozen=True)
class GivenList:
    """What somebody gave: the lines read, and the text to hand back."""

    lines: tuple[ListedPerson, ...] = ()
    text: str = ""
    trouble: str = ""
    """Why nothing could be read, in the reader's language; what was typed is still in `text`."""
    table: ListTable = _EMPTY
    told: str = ""
    """What a person said of columns and names, in short; empty where all of it was guessed."""
    others: frozenset[int] = frozenset()
    """The lines of which they said that it is another person of that name."""
    answers: ListAnswers = NO_ANSWERS
    """Whom they said is meant, where several people have the name."""

    def only(self, wanted: Collection[int]) -> str:
        """The text with only the lines of these numbers in it, each as it was given; a heading stays."""
        if self.told:
            return as_text(line for line in self.lines if line.line in wanted)
        starts = {line.line for line in self.lines}
        kept, keeping = [], True
        for number, words in enumerate(_LINE_END.split(self.text.lstrip("\ufeff")), start=1):
            if number in starts:
                keeping = number in wanted
            if keeping and words.strip():
                kept.append(words)
        return "\n".join(kept)


def given_list(form: FormData) -> GivenList:
    """The list of a form. A text and a file together are one list."""
    text = text_of(form, TEXT_FIELD)
    try:
        data = bytes_of(form, FILE_FIELD)
        dropped = text_of_file(data) if data is not None else ""
        if text and dropped.strip():
            text = as_text([*read_list(text), *read_list(dropped)])
        else:
            text = text or dropped
        guessed = read_table(text)
        table, swapped = guessed.corrected(_columns_in(form)), frozenset(texts_of(form, SWAP_FIELD))
        read = [_swapped(line) if str(line.line) in swapped else line for line in table.lines()]
        others = frozenset(texts_of(form, OTHER_FIELD))
        lines = tuple(_numbered(read, others))
        told = [
            *(table.columns if table.columns != guessed.columns else ()),
            *sorted(swapped),
            *(f"autre-{number}" for number in sorted(others)),
        ]
        differing = frozenset(line.line for line in lines if str(line.line) in others)
        twice = any(
            table.columns.count(column) > 1 for column in table.columns if column is not Column.NOTHING
        )
        answers = ListAnswers(digest_of_list(text), _answers_in(form, lines))
        return GivenList(lines, text, say(_TWICE) if twice else "", table, " ".join(told), differing, answers)
    except AppError as error:
        return GivenList((), text, sentence_of(error))


def _columns_in(form: FormData) -> Sequence[Column]:
    """What the selects of the review say, as far as they go."""
    columns: list[Column] = []
    known = {column.value: column for column in Column}
    while (typed := text_of(form, f"{COLUMN_FIELD}{len(columns)}")) in known:
        columns.append(known[typed])
    return columns


def _answers_in(form: FormData, lines: Iterable[ListedPerson]) -> dict[int, str]:
    told = {line.line: text_of(form, f"{WHO_FIELD}{line.line}") for line in lines}
    return {number: answer for number, answer in told.items() if answer}


def _swapped(line: ListedPerson) -> ListedPerson:
    return replace(line, given_name=line.family_name, family_name=line.given_name)


def _numbered(lines: Iterable[ListedPerson], others: Collection[str]) -> Iterable[ListedPerson]:
    """The lines of which somebody said that they are another person get the next number of their name."""
    numbers: dict[str, int] = {}
    for line in lines:
        if str(line.line) in others and line.homonym == 1:
            key = replace(line, homonym=1).line_key
            numbers[key] = numbers.get(key, 1) + 1
            line = replace(line, homonym=numbers[key])
        yield line


def as_text(lines: Iterable[ListedPerson]) -> str:
    """Lines as a table that reads back to the same lines."""
    listed = list(lines)
    with_age = any(line.under_15 is not None for line in listed)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow((*HEADING, _AGE_HEADING) if with_age else HEADING)
    writer.writerows((*cells_of(line), _age_of(line)) if with_age else cells_of(line) for line in listed)
    return text.getvalue()


def cells_of(line: ListedPerson) -> Sequence[str]:
    return (
        line.family_name + line.number,
        line.given_name,
        line.address,
        line.hours_as_written or hours_text(line.hours),
        line.part.value,
        line.contribution,
    )


def _age_of(line: ListedPerson) -> str:
    return "" if line.under_15 is None else UNDER_15 if line.under_15 else FROM_15
