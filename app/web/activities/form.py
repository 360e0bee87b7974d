"""The one form of an activity: what was typed, and what of it cannot be read."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from starlette.datastructures import FormData

from app.domain.activities.activities import Activity, ActivityKind
from app.domain.activities.days_as_written import day_in
from app.domain.activities.participant_lists import hours_in
from app.domain.activities.plans import Plan
from app.errors import InvalidInput
from app.http.pages.forms import text_of, texts_of
from app.http.pages.typography import say
from app.http.pages.wording import hours_text
from app.language import N_
from app.services.activities.plans import Planned
from app.web.activities.sessions.days import DaysTyped

AUDIENCES = (
    N_("Collégiens"),
    N_("Lycéens"),
    N_("Étudiants"),
    N_("Salariés"),
    N_("Demandeurs d’emploi"),
    N_("Enseignants"),
    N_("Tous publics"),
)
_LENGTHS = {
    "titre": (200, N_("Le titre tient en 200 signes.")),
    "lieu": (200, N_("Le lieu tient en 200 signes.")),
    "public": (200, N_("Le public tient en 200 signes.")),
    "description": (2000, N_("La description tient en 2 000 signes.")),
}
_FIELDS = (
    "type", "titre", "debut", "fin", "heures", "lieu", "public", "description",
)  # fmt: skip
_CHOICES = ("campus", "formateur", "competence", "badge")


@dataclass
class ActivityForm:
    """Every field as typed; `errors` says what is wrong with a field, in the reader's language."""

    fields: dict[str, str] = field(default_factory=lambda: dict.fromkeys(_FIELDS, ""))
    chosen: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in _CHOICES})
    when: DaysTyped = field(default_factory=DaysTyped)
    errors: dict[str, str] = field(default_factory=dict)
    follows_sessions: bool = False
    """Its dates and hours are those of its sessions, which are changed one by one."""
    days: list[date] = field(default_factory=list)
    """Of a series, once it was read."""

    @staticmethod
    def of(form: FormData) -> ActivityForm:
        return ActivityForm(
            {name: text_of(form, name) for name in _FIELDS},
            {name: list(dict.fromkeys(texts_of(form, name))) for name in _CHOICES},
            DaysTyped.of(form),
        )

    @staticmethod
    def filled(activity: Activity, planned: Planned, *, own_slug: str) -> ActivityForm:
        several_days = activity.ends_on != activity.starts_on
        return ActivityForm(
            {
                **dict.fromkeys(_FIELDS, ""),
                "type": activity.kind.value,
                "titre": activity.title,
                "debut": activity.starts_on.isoformat(),
                "fin": activity.ends_on.isoformat() if several_days else "",
                "heures": hours_text(activity.hours),
                "lieu": activity.place,
                "public": activity.audience,
                "description": activity.description,
            },
            {
                "campus": [
                    campus.slug for campus in (*planned.accepted, *planned.waiting) if campus.slug != own_slug
                ],
                "formateur": [str(person.id) for person in planned.trainers],
                "competence": [str(competency.id) for competency in planned.competencies],
                "badge": [str(badge.id) for badge, _ in planned.badges],
            },
            follows_sessions=bool(planned.sessions),
        )

    def activity(self) -> Activity:
        """The activity as typed; raises InvalidInput when a field cannot be read, and says so beside the field."""
        starts_on = self._day("debut", N_("Le premier jour n’est pas une date lisible : écrivez 24/11/2026."))
        ends_on = starts_on
        if self.fields["fin"]:
            ends_on = self._day("fin", N_("Le dernier jour n’est pas une date lisible : écrivez 24/11/2026."))
        hours, fault = hours_in(self.fields["heures"])
        if fault:
            self._refuse("heures", N_("Le nombre d’heures n’est pas lisible : écrivez 14 ou 14,5."))
        elif hours is not None and not 0 < hours <= 10_000:
            self._refuse("heures", N_("Le nombre d’heures est compris entre 0 et 10 000."))
        if starts_on and ends_on and ends_on < starts_on:
            self._refuse("fin", N_("L’activité finirait avant d’avoir commencé."))
        if not self.fields["titre"]:
            self._refuse("titre", N_("Une activité a un titre."))
        for name, (most, sentence) in _LENGTHS.items():
            if len(self.fields[name]) > most:
                self._refuse(name, sentence)
        if self.when.says_more and starts_on:
            # Whoever says that it is every week from a first to a last day has said when it ends.
            self.days = self.when.until_unless_said(self.fields["fin"]).read(starts_on, self.errors)
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

    def plan(self) -> Plan:
        return Plan(
            self.chosen["campus"],
            _ids(self.chosen["formateur"]),
            _ids(self.chosen["competence"]),
            _ids(self.chosen["badge"]),
            self.days if len(self.days) > 1 else (),
        )

    def _kind(self) -> ActivityKind:
        known = {kind.value: kind for kind in ActivityKind}
        return known.get(self.fields["type"], ActivityKind.WORKSHOP)

    def _day(self, name: str, sentence: str) -> date | None:
        day = day_in(self.fields[name])
        if day is None:
            self._refuse(name, sentence)
        return day

    def _refuse(self, name: str, sentence: str) -> None:
        self.errors.setdefault(name, say(sentence))


def _ids(words: list[str]) -> set[uuid.UUID]:
    found = set()
    for word in words:
        try:
            found.add(uuid.UUID(word))
        except ValueError:
            continue
    return found
