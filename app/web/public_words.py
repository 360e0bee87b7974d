"""What an award says to whoever reads its page, in lines short enough to stand beside the button that opens it."""

from __future__ import annotations

from collections.abc import Sequence

from app.language import N_
from app.services.awards import AwardRecord
from app.web.typography import say
from app.web.wording import day, days
from app.web.words import BADGE_KINDS

_LONGEST_WHY = 280


def public_words(record: AwardRecord) -> Sequence[tuple[str, str]]:
    """(what, words) for each thing that its page tells the world once it is open."""
    award, version = record.award, record.version
    lines = [
        (N_("Votre nom"), award.holder_name or say(N_("Aucun nom : la page ne dit pas qui vous êtes"))),
        (N_("Le badge"), f"{version.name} ({say(BADGE_KINDS[version.kind]).lower()})"),
        (N_("Ce qu’il dit"), version.description),
        (N_("Qui l’a donné, et quand"), given_by(record)),
        (N_("Pourquoi"), why_given(record)),
    ]
    return [(say(label), words) for label, words in lines if words]


def given_by(record: AwardRecord) -> str:
    on = day(record.award.awarded_at, record.campus.time_zone)
    return say(N_("Campus {campus}, le {day}")).format(campus=record.campus.short_name, day=on)


def why_given(record: AwardRecord) -> str:
    """The activity, and what the campus wrote of the person there."""
    award, activity = record.award, record.activity
    told = (award.contribution or award.evidence).strip()
    if len(told) > _LONGEST_WHY:
        told = told[: _LONGEST_WHY - 1].rstrip() + "…"
    where = f"{activity.title}, {days(activity.starts_on, activity.ends_on)}" if activity else ""
    return ". ".join(filter(None, (where, told)))
