"""E-mails about badge requests, to requesters and to reviewers with pending tasks."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from app.db.activities import ActivityStore
from app.db.campus import CampusStore
from app.db.learners import RequestStore
from app.db.reports.facts import SurveyStore
from app.domain.activities import Activity
from app.domain.campus.campus import Campus
from app.domain.campus.team import MOST_COUNTED
from app.domain.core import Clock
from app.domain.learners.requests import BadgeRequest, RequestState, Step, request_proof
from app.domain.messages import Letter, Occasion, QueuedMessage
from app.domain.publishing import Addresses
from app.domain.reports.surveys import is_survey_open, participant_mark
from app.language import N_, filled, speaking
from app.language.typography import translated, translated_plural
from app.services.messages.rights import Action, Notice, carrying

_STILL_SO = {
    Occasion.REQUEST_CONFIRM.value: RequestState.UNCONFIRMED,
    Occasion.REQUEST_MORE.value: RequestState.MORE,
    Occasion.REQUEST_REFUSED.value: RequestState.REFUSED,
}


@dataclass(frozen=True, eq=False)
class RequestLetters:
    requests: RequestStore
    campuses: CampusStore
    addresses: Addresses
    secret: bytes
    clock: Clock

    def written(self, letter: QueuedMessage) -> Letter | None:
        """None if the e-mail has become irrelevant."""
        if letter.about_id is None:
            return None
        if letter.occasion == Occasion.REVIEW:
            return self._review(letter)
        request = self.requests.find(letter.about_id)
        if request is None or request.state is not _STILL_SO.get(letter.occasion, request.state):
            return None
        campus, badge = self.requests.subject_of(request)
        title = self.requests.title_of(badge)
        link = self.addresses.request(f"{request.id}.{request_proof(self.secret, request.id)}")
        with speaking(request.language):
            notice = _to_who_asks(letter.occasion, campus, title, request, link, self._said(request))
            return carrying(notice, letter, language=request.language, to_name=request.name, campus=campus)

    def _said(self, request: BadgeRequest) -> str:
        """The reviewer's last comment."""
        for step, _ in reversed(self.requests.steps_of(request.id)):
            if step.step in (Step.ASKED_MORE, Step.REFUSED):
                return step.text
        return ""

    def _review(self, letter: QueuedMessage) -> Letter | None:
        assert letter.about_id is not None
        campus = self.campuses.get_by_id(letter.about_id)
        count = self.requests.count_waiting(campus.id, limit=MOST_COUNTED)
        if not count:
            return None
        with speaking(campus.language):
            waiting = translated_plural(
                "{n} demande de badge attend une décision de votre campus.",
                "{n} demandes de badge attendent une décision de votre campus.",
                count,
            ).format(n=count)
            notice = _notice(
                campus,
                subject=waiting.rstrip("."),
                greeting=translated(N_("Bonjour,")),
                lines=[
                    waiting,
                    translated(
                        N_("La plus ancienne attend depuis plus de trois jours, et quelqu’un avec elle.")
                    ),
                ],
                action=Action(translated(N_("Voir les demandes")), self.addresses.requests_of(campus.slug)),
            )
            return carrying(notice, letter, language=campus.language, campus=campus)


def _to_who_asks(
    occasion: str, campus: Campus, title: str, request: BadgeRequest, link: str, said: str
) -> Notice:
    greeting = translated(N_("Bonjour {name},")).format(name=request.given_name or request.name)
    values = {"title": title, "campus": campus.name}
    match occasion:
        case Occasion.REQUEST_CONFIRM:
            return _notice(
                campus,
                subject=translated(N_("Confirmez votre demande du badge « {title} »")).format(**values),
                greeting=greeting,
                lines=[
                    translated(
                        N_(
                            "Quelqu’un, vous sans doute, a demandé le badge « {title} » au campus {campus} avec cette adresse."
                        )
                    ).format(**values),
                    translated(N_("Confirmez-le : le campus ne voit rien avant.")),
                ],
                action=Action(translated(N_("Confirmer ma demande")), link),
                after=[
                    translated(
                        N_(
                            "Ce lien est à vous : gardez-le, il montre où en est votre demande. Sans réponse, elle est oubliée après sept jours."
                        )
                    )
                ],
                small=[translated(N_("Vous n’avez rien demandé ? Ne faites rien."))],
            )
        case Occasion.REQUEST_MORE:
            return _notice(
                campus,
                subject=translated(N_("Votre demande du badge « {title} » : le campus vous répond")).format(
                    **values
                ),
                greeting=greeting,
                lines=[
                    translated(
                        N_("Le campus {campus} a regardé votre demande et voudrait en savoir plus :")
                    ).format(**values),
                    translated(N_("« {said} »")).format(said=said),
                ],
                action=Action(translated(N_("Compléter ma demande")), link),
            )
        case Occasion.REQUEST_REFUSED:
            return _notice(
                campus,
                subject=translated(N_("Votre demande du badge « {title} »")).format(**values),
                greeting=greeting,
                lines=[
                    translated(
                        N_("Le campus {campus} ne vous donne pas ce badge cette fois. La raison :")
                    ).format(**values),
                    translated(N_("« {said} »")).format(said=said),
                    translated(
                        N_(
                            "Cette raison n’est publiée nulle part : vous la lisez, et les personnes du campus qui "
                            "examinent les demandes. Vous pourrez demander de nouveau."
                        )
                    ),
                ],
                action=Action(translated(N_("Voir ma demande")), link),
            )
        case _:
            return _notice(
                campus,
                subject=translated(N_("Votre demande du badge « {title} »")).format(**values),
                greeting=greeting,
                lines=[
                    translated(
                        N_("Le campus {campus} a bien reçu votre demande. Une personne va la regarder.")
                    ).format(**values)
                ],
                action=Action(translated(N_("Suivre ma demande")), link),
                after=[translated(N_("Ce lien est à vous : gardez-le, il montre où en est votre demande."))],
            )


def _notice(
    campus: Campus,
    *,
    subject: str,
    greeting: str,
    lines: list[str],
    action: Action,
    after: list[str] | None = None,
    small: list[str] | None = None,
) -> Notice:
    return Notice(
        subject=subject,
        greeting=greeting,
        lines=lines,
        badges=[],
        action=action,
        after=after or [],
        small=small or [],
        campus=translated(N_("Campus {name}")).format(name=campus.name),
        hue=campus.hue,
        liveliness=campus.liveliness,
    )


# --- The e-mail that asks a participant for their opinion of an activity


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
