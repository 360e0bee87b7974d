"""Lists of people in forms: typed, pasted or dropped, and handed back as they came when a line needs a person."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from starlette.datastructures import FormData

from app.domain.participant_lists import ListedPerson, decode_list, read_list
from app.errors import AppError
from app.web.forms import bytes_of, text_of
from app.web.workplaces import sentence_of

TEXT_FIELD, FILE_FIELD = "liste", "fichier"
HEADING = ("Nom", "Prénom", "Courriel", "Heures", "Rôle", "Contribution")
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class GivenList:
    """What somebody gave: the lines read, and the text to hand back."""

    lines: tuple[ListedPerson, ...] = ()
    text: str = ""
    trouble: str = ""
    """Why nothing could be read, in the reader's language; what was typed is still in `text`."""

    def only(self, wanted: Collection[int]) -> str:
        """The text with only the lines of these numbers in it, each as it was given; a heading stays."""
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
        dropped = decode_list(data) if data is not None else ""
        if text and dropped.strip():
            text = as_text([*read_list(text), *read_list(dropped)])
        else:
            text = text or dropped
        return GivenList(tuple(read_list(text)), text)
    except AppError as error:
        return GivenList((), text, sentence_of(error))


def as_text(lines: Iterable[ListedPerson]) -> str:
    """Lines as a table that reads back to the same lines."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(HEADING)
    writer.writerows(cells_of(line) for line in lines)
    return text.getvalue()


def cells_of(line: ListedPerson) -> Sequence[str]:
    return (
        line.family_name,
        line.given_name,
        line.address,
        line.hours_as_written or hours_text(line.hours),
        line.part.value,
        line.contribution,
    )


def hours_text(hours: float | None) -> str:
    """14,5: as one types it, and as a French spreadsheet reads it."""
    if hours is None:
        return ""
    return f"{hours:.2f}".rstrip("0").rstrip(".").replace(".", ",")
