"""The fields that say when a series meets, on the form of an activity and on that of more sessions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from starlette.datastructures import FormData

from app.domain.activities.days_as_written import day_in
from app.domain.activities.plans import MOST_SESSIONS
from app.domain.activities.session_days import Rhythm, days_in, days_of
from app.errors import InvalidInput
from app.http.pages.forms import text_of
from app.http.pages.typography import say
from app.http.workplaces import sentence_of
from app.language import N_

ONCE = "0"
RHYTHMS = {
    ONCE: N_("Une seule fois"),
    "7": N_("Chaque semaine"),
    "14": N_("Toutes les deux semaines"),
    "1": N_("Chaque jour"),
}


@dataclass(frozen=True)
class DaysTyped:
    rhythm: str = ""
    times: str = ""
    until: str = ""
    others: str = ""

    @staticmethod
    def of(form: FormData) -> DaysTyped:
        return DaysTyped(*(text_of(form, name) for name in ("rythme", "seances", "jusquau", "jours")))

    @property
    def repeats(self) -> bool:
        return self.rhythm in RHYTHMS and self.rhythm != ONCE

    @property
    def says_more(self) -> bool:
        """Whether there is more than one day in it."""
        return self.repeats or bool(self.others)

    def until_unless_said(self, day: str) -> DaysTyped:
        return self if self.times or self.until else replace(self, until=day)

    def read(self, first: date, errors: dict[str, str]) -> list[date]:
        """Every day, the first included; what cannot be read is said in `errors`, beside its field."""
        rhythm = self._rhythm(errors) if self.repeats else None
        others = list[date]()
        try:
            others = days_in(self.others, after=first)
        except InvalidInput as error:
            errors["jours"] = sentence_of(error)
        if errors:
            return []
        try:
            return days_of(first, rhythm, others)
        except InvalidInput as error:
            errors["seances" if self.repeats else "jours"] = sentence_of(error)
            return []

    def _rhythm(self, errors: dict[str, str]) -> Rhythm:
        times, until = None, None
        if self.times:
            good = self.times.isascii() and self.times.isdecimal() and len(self.times) < 4
            if not good or not 1 <= int(self.times) <= MOST_SESSIONS:
                errors["seances"] = say(N_("Une série a de 1 à 60 séances."))
            else:
                times = int(self.times)
        if self.until:
            until = day_in(self.until)
            if until is None:
                errors["jusquau"] = say(N_("Cette date n’est pas lisible : écrivez 24/11/2026."))
        return Rhythm(int(self.rhythm), times, until)
