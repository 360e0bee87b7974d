"""What the public page of an award contains, in lines short enough to stand beside the button that opens it.

Everything is read from the view that the public page itself is rendered from.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.http.pages.typography import say
from app.http.pages.wording import day, days
from app.language import N_
from app.services.awards.awards import AwardRecord
from app.web.verification.answers import AnswerShown

_LONGEST_WHY = 280


def public_words(record: AwardRecord, view: AnswerShown) -> Sequence[tuple[str, str]]:
    """(label, text) for each thing that everybody reads once the page is open."""
    badge = view.badge
    if badge is None:
        return []
    lines = [
        (N_("Nom"), badge.holder or say(N_("Aucun nom : la page ne dit pas qui a reçu ce badge"))),
        (N_("Le badge"), f"{badge.title} ({badge.kind})"),
        (N_("Ce qu’il dit"), badge.description),
        (N_("Qui l’a donné, et quand"), given_by(record)),
        *(
            (N_("Sur quoi il repose"), _joined(each.when, each.title, each.text))
            for each in badge.evidence
            if not each.key
        ),
    ]
    if view.journal is not None:
        lines += [
            (N_("Ligne du journal"), _joined(line.title, line.text, _facts(line.facts)))
            for line in view.journal.lines
        ]
        lines += [(N_("Photo"), words) for _, words in view.journal.photos]
    return [(say(label), words) for label, words in lines if words]


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{label} : {value}" for label, value in facts)


def _joined(*parts: str) -> str:
    return ". ".join(part.rstrip(".") for part in parts if part)


def given_by(record: AwardRecord) -> str:
    on = day(record.award.awarded_at, record.campus.time_zone)
    return say(N_("Campus {campus}, le {day}")).format(campus=record.campus.short_name, day=on)


def why_given(record: AwardRecord) -> str:
    """For the holder alone: the activity, and what the campus wrote of the person there."""
    award, activity = record.award, record.activity
    told = (award.contribution or award.evidence).strip()
    if len(told) > _LONGEST_WHY:
        told = told[: _LONGEST_WHY - 1].rstrip() + "…"
    where = f"{activity.title}, {days(activity.starts_on, activity.ends_on)}" if activity else ""
    return ". ".join(filter(None, (where, told)))
