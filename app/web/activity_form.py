"""The form of a new activity: what was typed, and what of it cannot be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from starlette.datastructures import FormData

from app.domain.activities import Activity, ActivityKind
from app.domain.participant_lists import hours_in
from app.errors import InvalidInput
from app.language import N_
from app.web.forms import text_of, texts_of
from app.web.typography import say

AUDIENCES = (
    N_("Collégiens"),
    N_("Lycéens"),
    N_("Étudiants"),
    N_("Salariés"),
    N_("Demandeurs d’emploi"),
    N_("Enseignants"),
    N_("Tous publics"),
)
_LENGTHS = {"titre": 200, "lieu": 200, "public": 200, "description": 2000}


@dataclass
class ActivityForm:
    """Every field as typed; `errors` says what is wrong with a field, in the reader's language."""

    fields: dict[str, str] = field(
        default_factory=lambda: dict.fromkeys(
            ("type", "titre", "debut", "fin", "heures", "lieu", "public", "description"), ""
        )
    )
    campuses: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(form: FormData) -> ActivityForm:
        blank = ActivityForm()
        campuses = list(dict.fromkeys(texts_of(form, "campus")))
        return ActivityForm({name: text_of(form, name) for name in blank.fields}, campuses)

    def activity(self) -> Activity:
        """The activity as typed; raises InvalidInput when a field cannot be read, and says so beside the field."""
        starts_on = self._day("debut")
        ends_on = self._day("fin") if self.fields["fin"] else starts_on
        hours, fault = hours_in(self.fields["heures"])
        if fault:
            self._refuse("heures", N_("Le nombre d’heures n’est pas lisible : écrivez 14 ou 14,5."))
        elif hours is not None and not 0 < hours <= 10_000:
            self._refuse("heures", N_("Le nombre d’heures est compris entre 0 et 10 000."))
        if starts_on and ends_on and ends_on < starts_on:
            self._refuse("fin", N_("L’activité finirait avant d’avoir commencé."))
        if not self.fields["titre"]:
            self._refuse("titre", N_("Une activité a un titre."))
        for name, most in _LENGTHS.items():
            if len(self.fields[name]) > most:
                self.errors[name] = say(N_("{most} signes au plus.")).format(most=most)
        if self.errors or starts_on is None or ends_on is None:
            raise InvalidInput(N_("Un champ est à corriger."))
        return Activity(
            kind=self._kind(),
            title=self.fields["titre"],
            description=self.fields["description"],
            starts_on=starts_on,
            ends_on=ends_on,
            place=self.fields["lieu"],
            hours=hours,
            audience=self.fields["public"],
            # The service gives the true moment.
            created_at=datetime.min.replace(tzinfo=UTC),
        )

    def _kind(self) -> ActivityKind:
        known = {kind.value: kind for kind in ActivityKind}
        return known.get(self.fields["type"], ActivityKind.WORKSHOP)

    def _day(self, name: str) -> date | None:
        try:
            return date.fromisoformat(self.fields[name])
        except ValueError:
            self._refuse(name, N_("Cette date n’est pas lisible : écrivez 2026-11-24."))
            return None

    def _refuse(self, name: str, sentence: str) -> None:
        self.errors.setdefault(name, say(sentence))
