"""The e-mail that asks a participant for their opinion of an activity."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from app.db.activities import ActivityStore
from app.db.campus import CampusStore
from app.db.reports.facts import SurveyStore
from app.domain.activities import Activity
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.messages import Letter, QueuedMessage
from app.domain.publishing import Addresses
from app.domain.reports.surveys import is_survey_open, participant_mark
from app.language import N_, filled, speaking
from app.language.typography import translated
from app.services.messages.rights import Action, Notice, carrying


@dataclass(frozen=True)
class SurveyLetters:
    surveys: SurveyStore
    activities: ActivityStore
    campuses: CampusStore
    addresses: Addresses
    secret: bytes
    clock: Clock

    def written(self, letter: QueuedMessage) -> Letter | None:
        """None if the survey is closed or the activity deleted."""
        link = self.surveys.find(letter.about_id) if letter.about_id else None
        activity = self.activities.find(link.activity_id) if link else None
        if link is None or activity is None:
            return None
        campus = self.campuses.get_by_id(link.campus_id)
        today = self.clock().astimezone(ZoneInfo(campus.time_zone)).date()
        if not is_survey_open(link, today=today):
            return None
        participation_id = uuid.UUID(letter.once_key.rpartition("/")[2])
        mark = participant_mark(self.secret, activity.id, participation_id)
        with speaking(campus.language):
            notice = _asks(campus, activity, self.addresses.survey(link.code, mark))
            return carrying(notice, letter, language=campus.language, campus=campus)


def _asks(campus: Campus, activity: Activity, link: str) -> Notice:
    values = {"title": activity.title}
    return Notice(
        subject=filled(translated(N_("Votre avis sur « {title} »")), values),
        greeting=translated(N_("Bonjour,")),
        lines=[
            filled(translated(N_("Vous avez pris part à « {title} ». Qu’en avez-vous pensé ?")), values),
            translated(N_("Deux questions, vingt secondes, sans compte.")),
        ],
        badges=[],
        action=Action(translated(N_("Donner mon avis")), link),
        after=[translated(N_("Votre réponse est comptée sans votre nom."))],
        small=[translated(N_("Vous ne voulez pas répondre ? Ne faites rien : il n’y aura pas de rappel."))],
        campus=translated(N_("Campus {name}")).format(name=campus.name),
        hue=campus.hue,
        liveliness=campus.liveliness,
    )
