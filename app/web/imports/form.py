"""What a person says of a table on the page that shows how it was read."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.activities.activities import ActivityKind, PartKind
from app.domain.activities.list_columns import heading_words
from app.domain.imports.columns import ImportColumn, ReadingPlan, heading_keys
from app.domain.imports.tables import Sheet
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.typography import say
from app.language import N_


def differs(plan: ReadingPlan, shown: ReadingPlan, sheet: Sheet) -> bool:
    """Whether the page says anything that was not on it when its lines were foreseen."""
    columns = dict(zip(heading_keys(sheet.heading), sheet.columns(shown), strict=True))
    return (
        any(columns[key] is not column for key, column in plan.columns.items())
        or any(shown.parts.get(word) is not part for word, part in plan.parts.items())
        or any(shown.kinds.get(word) is not kind for word, kind in plan.kinds.items())
        or plan.kind not in (None, shown.kind or ActivityKind.WORKSHOP)
    )


def plan_in(form: SafeForm, heading: Sequence[str]) -> ReadingPlan:
    """What the selects of the page say, as far as they go."""
    columns = {}
    for index, key in enumerate(heading_keys(heading)):
        if (typed := text_of(form, f"colonne-{index}")) in set(ImportColumn):
            columns[key] = ImportColumn(typed)
    parts = {word: PartKind(typed) for word, typed in _words_in(form, "role") if typed in set(PartKind)}
    kinds = {
        word: ActivityKind(typed) for word, typed in _words_in(form, "type") if typed in set(ActivityKind)
    }
    kind = text_of(form, "type-sinon")
    return ReadingPlan(columns, parts, kinds, ActivityKind(kind) if kind in set(ActivityKind) else None)


def _words_in(form: SafeForm, name: str) -> list[tuple[str, str]]:
    """The words of the file that the page asked about, with the answers."""
    found, index = [], 0
    while word := text_of(form, f"{name}-mot-{index}"):
        found.append((heading_words(word), text_of(form, f"{name}-{index}")))
        index += 1
    return found


def says_twice(plan: ReadingPlan) -> str:
    told = [column for column in plan.columns.values() if column is not ImportColumn.NOTHING]
    if len(told) == len(set(told)):
        return ""
    return say(N_("Deux colonnes disent la même chose : choisissez-en une, et « ne pas lire » pour l’autre."))
