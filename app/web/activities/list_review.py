"""A list as it was understood: what each column holds, what would become of each line, and nothing written yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.activities.list_columns import Column
from app.domain.activities.participant_lists import ListTable
from app.domain.people.namesakes import Question
from app.http.pages.typography import say
from app.http.pages.wording import hours_text
from app.http.pages.words import PARTS, Word
from app.language import N_
from app.services.activities.participants import CheckedLine, Entry
from app.web.people.namesake_words import QuestionView
from app.web.people.people_lists import GivenList

SHOWN_REFUSED, SHOWN_GOOD, SHOWN_KNOWN, SAMPLES = 200, 60, 1_000, 3
COLUMNS = {
    Column.NOTHING: N_("Ne pas lire"),
    Column.FAMILY: N_("Nom de famille"),
    Column.GIVEN: N_("Prénom"),
    Column.FAMILY_FIRST: N_("Nom puis prénom"),
    Column.GIVEN_FIRST: N_("Prénom puis nom"),
    Column.ADDRESS: N_("Adresse électronique"),
    Column.HOURS: N_("Heures"),
    Column.PART: N_("Rôle"),
    Column.CONTRIBUTION: N_("Contribution"),
    Column.UNDER_15: N_("Tranche d’âge (moins de 15 ans, 15 ans ou plus)"),
}
ENTRIES = {
    Entry.NEW: Word(N_("Prête"), "ok"),
    Entry.THERE: Word(N_("Déjà inscrite"), "shut"),
    Entry.COMPLETED: Word(N_("Déjà inscrite, à compléter"), "ok"),
    Entry.REPEATED: Word(N_("Déjà plus haut"), "shut"),
    Entry.REFUSED: Word(N_("À corriger"), "past"),
    Entry.UNCLEAR: Word(N_("À préciser"), "past"),
}


@dataclass(frozen=True)
class ColumnView:
    number: int
    label: str
    samples: Sequence[str]
    chosen: str


@dataclass(frozen=True)
class LineView:
    number: int
    given_name: str
    family_name: str
    address: str
    more: str
    word: Word
    reason: str
    may_swap: bool
    may_differ: bool
    """Whether it may be somebody else of the same name, without an address."""


@dataclass(frozen=True)
class ReviewView:
    columns: Sequence[ColumnView]
    refused: Sequence[LineView]
    good: Sequence[LineView]
    figures: Sequence[tuple[str, int, str]]
    ready: int
    refused_count: int
    good_count: int
    titles: Sequence[int]
    questions: Sequence[QuestionView]
    """Of names that several people have."""
    offers: Sequence[QuestionView]
    """Of names that one person has whom the campus knows: unless it is said to be her, somebody new is recorded."""
    unclear_count: int
    asked_count: int

    @staticmethod
    def of(given: GivenList, checked: Sequence[CheckedLine]) -> ReviewView:
        counts = {entry: sum(one.entry is entry for one in checked) for entry in Entry}
        whole = any(column.is_whole_name for column in given.table.columns)
        refused = [_line(one, may_swap=whole) for one in checked if one.entry is Entry.REFUSED]
        good = [
            _line(one, may_swap=whole) for one in checked if one.entry not in (Entry.REFUSED, Entry.UNCLEAR)
        ]
        asked = [(one, one.question) for one in checked if one.question]
        offers = [QuestionView.of(*_asked(one), it) for one, it in asked if is_offer(it)]
        questions = [QuestionView.of(*_asked(one), it) for one, it in asked if not is_offer(it)]
        return ReviewView(
            columns_of(given.table),
            refused[:SHOWN_REFUSED],
            good[:SHOWN_GOOD],
            [
                (say(N_("Prêtes")), counts[Entry.NEW], ""),
                (say(N_("Déjà inscrites")), counts[Entry.THERE] + counts[Entry.COMPLETED], ""),
                (say(N_("Répétées")), counts[Entry.REPEATED], ""),
                *([(say(N_("À préciser")), counts[Entry.UNCLEAR], "")] if counts[Entry.UNCLEAR] else []),
                (say(N_("À corriger")), counts[Entry.REFUSED], ""),
            ],
            counts[Entry.NEW],
            len(refused),
            len(good),
            given.table.titles,
            questions[:SHOWN_REFUSED],
            offers[:SHOWN_KNOWN],
            counts[Entry.UNCLEAR],
            len(questions),
        )


def is_offer(question: Question) -> bool:
    return not question.must_be_answered and len(question.namesakes) == 1


def _asked(one: CheckedLine) -> tuple[int, str]:
    return one.line.line, one.line.name


def columns_of(table: ListTable) -> list[ColumnView]:
    return [
        ColumnView(
            index,
            (table.heading[index] if index < len(table.heading) else "")
            or say(N_("Colonne {number}")).format(number=index + 1),
            [row.cells[index][:40] for row in table.rows if index < len(row.cells) and row.cells[index]][
                :SAMPLES
            ],
            column.value,
        )
        for index, column in enumerate(table.columns)
    ]


def _line(one: CheckedLine, *, may_swap: bool) -> LineView:
    line = one.line
    more = [
        say(N_("{hours} h")).format(hours=hours_text(line.hours)) if line.hours is not None else "",
        say(PARTS[line.part]) if line.part.value == "ressource" else "",
        line.contribution[:80],
    ]
    return LineView(
        line.line,
        line.given_name,
        line.family_name + line.number,
        line.address,
        ", ".join(word for word in more if word),
        ENTRIES[one.entry],
        say(one.sentence) if one.sentence else "",
        may_swap and bool(line.given_name),
        not line.address
        and (line.homonym > 1 or one.entry in (Entry.THERE, Entry.COMPLETED, Entry.REPEATED)),
    )
