"""The form of a contribution: what was typed, and what of it cannot be read."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date

from starlette.datastructures import FormData

from app.domain.activities.activities import PartKind
from app.domain.activities.participant_lists import hours_in
from app.domain.learners.contributions import Contribution, Told
from app.errors import InvalidInput
from app.http.pages.forms import text_of
from app.http.pages.wording import hours_text
from app.language import N_


@dataclass(frozen=True)
class ContributionForm:
    """Every field as typed."""

    title: str = ""
    telling: str = ""
    part: str = PartKind.LEARNER.value
    done_on: str = ""
    hours: str = ""
    activity: str = ""
    links: str = ""
    words: str = ""

    @staticmethod
    def of(form: FormData) -> ContributionForm:
        return ContributionForm(
            text_of(form, "titre"),
            text_of(form, "recit"),
            text_of(form, "role"),
            text_of(form, "jour"),
            text_of(form, "heures"),
            text_of(form, "activite"),
            text_of(form, "liens"),
            text_of(form, "photo"),
        )

    @staticmethod
    def filled(contribution: Contribution) -> ContributionForm:
        return ContributionForm(
            contribution.title,
            contribution.telling,
            contribution.part.value,
            contribution.done_on.isoformat(),
            hours_text(contribution.hours),
            str(contribution.activity_id or ""),
            "\n".join(contribution.links),
        )

    def told(self) -> Told:
        """Raises InvalidInput for what cannot be read."""
        try:
            done_on = date.fromisoformat(self.done_on)
        except ValueError:
            raise InvalidInput(N_("Choisissez le jour où vous avez fait cela.")) from None
        part = PartKind.RESOURCE if self.part == PartKind.RESOURCE.value else PartKind.LEARNER
        return Told(self.title, self.telling, part, done_on, hours_of(self.hours), self.links)

    @property
    def activity_id(self) -> uuid.UUID | None:
        try:
            return uuid.UUID(self.activity) if self.activity else None
        except ValueError:
            raise InvalidInput(N_("Choisissez une activité où vous étiez, ou aucune.")) from None


def hours_of(typed: str) -> float | None:
    hours, fault = hours_in(typed)
    if fault:
        raise InvalidInput(N_("Le nombre d’heures n’est pas lisible : écrivez 14 ou 14,5."))
    return hours
