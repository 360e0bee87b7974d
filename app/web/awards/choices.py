"""The lines of the log that an award rests on, as a trainer ticks and unticks them in its preview."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import FormData

from app.container import Services
from app.domain.core.durations import duration
from app.http.pages.forms import text_of, texts_of
from app.http.pages.typography import say, say_plural
from app.http.pages.wording import days
from app.http.pages.words import PARTS
from app.services.awards.awards import Preview
from app.services.awards.issuing.choices import OfferedLine, suggested

PROPOSED, SEEN, TICKED = "lignes-proposees", "lignes-vues", "ligne"


@dataclass(frozen=True)
class Ticks:
    """What was ticked; `proposed` is what the badge itself would rest on, `seen` what the page had shown ticked."""

    ticked: frozenset[uuid.UUID] = frozenset()
    proposed: frozenset[uuid.UUID] = frozenset()
    seen: frozenset[uuid.UUID] = frozenset()

    @staticmethod
    def of(form: FormData) -> Ticks:
        return Ticks(
            _ids(" ".join(texts_of(form, TICKED))), _ids(text_of(form, PROPOSED)), _ids(text_of(form, SEEN))
        )

    @property
    def grounds(self) -> tuple[uuid.UUID, ...] | None:
        """None where the trainer left it to the badge."""
        return None if self.ticked == self.proposed else tuple(sorted(self.ticked))

    @property
    def changed(self) -> bool:
        return self.ticked != self.seen


@dataclass(frozen=True)
class LineOffered:
    id: uuid.UUID
    title: str
    beside: str
    is_ticked: bool
    is_own: bool


@dataclass(frozen=True)
class LinesOffered:
    """`alone`: the lines of one person, and not activities that several took part in."""

    lines: Sequence[LineOffered]
    proposed: str
    seen: str
    alone: bool


def lines_offered(services: Services, judged: Preview, ticks: Ticks) -> LinesOffered:
    offered = services.award_choices.offered(judged)
    now = suggested(offered)
    proposed = ticks.proposed if ticks.grounds is not None else now
    alone = len(judged.ready) == 1
    return LinesOffered(
        [
            LineOffered(one.id, one.title, _beside(one, alone=alone), one.is_chosen, one.is_own)
            for one in offered
        ],
        _joined(proposed),
        _joined(now),
        alone,
    )


def _beside(one: OfferedLine, *, alone: bool) -> str:
    told = [days(one.starts_on, one.ends_on)]
    if alone and one.minutes:
        told.append(duration(one.minutes))
    if one.part is not None:
        told.append(say(PARTS[one.part]))
    if not alone:
        told.append(say_plural("{n} personne prête", "{n} personnes prêtes", one.people).format(n=one.people))
    return ", ".join(told)


def _joined(ids: frozenset[uuid.UUID]) -> str:
    return " ".join(map(str, sorted(ids)))


def _ids(text: str) -> frozenset[uuid.UUID]:
    found = set()
    for word in text.split():
        try:
            found.add(uuid.UUID(word))
        except ValueError:
            continue
    return frozenset(found)
