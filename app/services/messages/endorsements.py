"""E-mails to organisations: endorsement requests, confirmations, and links to all their endorsements."""

from __future__ import annotations

from dataclasses import dataclass

from app.db.trust import EndorsementStore, OrganisationStore
from app.domain.core import Clock
from app.domain.messages import Letter, Occasion, QueuedMessage
from app.domain.publishing import Addresses
from app.domain.trust.organisations import (
    ASKED_FOR,
    DESK_FOR,
    EndorsementRequest,
    Organisation,
    desk_token,
    is_waiting,
    named_token,
)
from app.errors import AppError
from app.language import N_, filled, speaking
from app.language.typography import translated
from app.services.messages.rights import Action, Notice, carrying
from app.services.trust.endorsements import ASKED, WITHDRAW, EndorsementSubjects, Subject

OF_ENDORSEMENTS = (
    Occasion.ENDORSEMENT_ASKED,
    Occasion.ENDORSEMENT_SIGNED,
    Occasion.ENDORSEMENT_DESK,
)
_SENDER = "Sceau"


@dataclass(frozen=True, eq=False)
class EndorsementLetters:
    endorsements: EndorsementStore
    organisations: OrganisationStore
    subjects: EndorsementSubjects
    addresses: Addresses
    secret: bytes
    clock: Clock

    def written(self, letter: QueuedMessage) -> Letter | None:
        """None if the e-mail has become irrelevant."""
        if letter.about_id is None:
            return None
        if letter.occasion == Occasion.ENDORSEMENT_DESK:
            organisation = self.organisations.find(letter.about_id)
            return self._desk(letter, organisation) if organisation else None
        try:
            if letter.occasion == Occasion.ENDORSEMENT_ASKED:
                return self._asked(letter)
            return self._signed(letter)
        except AppError:
            # The award was revoked or erased meanwhile.
            return None

    def _asked(self, letter: QueuedMessage) -> Letter | None:
        assert letter.about_id is not None
        request = self.endorsements.find_request(letter.about_id)
        if request is None or not is_waiting(request, at=self.clock()):
            return None
        subject = self.subjects.of(request)
        link = self.addresses.endorse(named_token(self.secret, ASKED, request.id))
        with speaking(subject.campus.language):
            return carrying(
                _asks(request, subject, link), letter, language=subject.campus.language, campus=subject.campus
            )

    def _signed(self, letter: QueuedMessage) -> Letter | None:
        assert letter.about_id is not None
        endorsement = self.endorsements.find(letter.about_id)
        if endorsement is None or endorsement.withdrawn_at is not None:
            return None
        subject = self.subjects.about(endorsement)
        page = self.addresses.endorsement(endorsement.id)
        back = self.addresses.withdraw_endorsement(named_token(self.secret, WITHDRAW, endorsement.id))
        with speaking(endorsement.language):
            return carrying(
                _thanks(subject, page, back),
                letter,
                language=endorsement.language or subject.campus.language,
                campus=subject.campus,
            )

    def _desk(self, letter: QueuedMessage, organisation: Organisation) -> Letter:
        link = self.addresses.organisation_desk(desk_token(self.secret, organisation.id, letter.promised_at))
        notice = Notice(
            subject=filled(translated(N_("Les recommandations de {name}")), {"name": organisation.name}),
            greeting=translated(N_("Bonjour,")),
            lines=[
                filled(
                    translated(
                        N_(
                            "Ce lien montre tout ce qui a été recommandé ici au nom de {name}, et permet de le retirer."
                        )
                    ),
                    {"name": organisation.name},
                )
            ],
            badges=[],
            action=Action(translated(N_("Voir les recommandations")), link),
            after=[
                translated(N_("Ce lien vaut {days} jours. Ne le transférez pas.")).format(days=DESK_FOR.days)
            ],
            small=[translated(N_("Vous n’avez rien demandé ? Ne faites rien : rien n’est changé."))],
            campus=_SENDER,
            hue=250,
            liveliness=0.08,
        )
        return carrying(notice, letter, language="fr")


def _asks(request: EndorsementRequest, subject: Subject, link: str) -> Notice:
    person = subject.record.person.name if subject.record else ""
    values = {
        "person": person,
        "title": subject.title,
        "campus": subject.campus.name,
        "organisation": request.organisation_name,
    }
    if subject.record:
        topic = translated(N_("{person} vous demande une recommandation"))
        ask = N_(
            "{person} a reçu le badge « {title} » du campus {campus}, et voudrait l’avis de {organisation}."
        )
    elif subject.version:
        topic = translated(N_("Le campus {campus} vous demande une recommandation"))
        ask = N_("Le campus {campus} donne le badge « {title} », et voudrait l’avis de {organisation}.")
    else:
        topic = translated(N_("Le campus {campus} vous demande une recommandation"))
        ask = N_(
            "Le campus {campus} forme des personnes à vos métiers, et voudrait l’avis de {organisation}."
        )
    said = [translated(N_("Son mot : « {why} »")).format(why=request.why)] if request.why else []
    return _notice(
        subject,
        subject_line=topic.format(**values),
        lines=[
            filled(translated(ask), values),
            *said,
            translated(
                N_(
                    "Deux lignes suffisent. Elles seront publiées avec le badge, signées au nom de votre organisation. "
                    "Pas de compte à ouvrir, et vous pourrez les retirer."
                )
            ),
        ],
        action=Action(translated(N_("Voir, puis répondre")), link),
        after=[
            translated(N_("Ce lien vaut {days} jours et sert une seule fois. Il est pour vous.")).format(
                days=ASKED_FOR.days
            )
        ],
        small=[
            translated(
                N_(
                    "Vous ne voulez pas répondre ? Ne faites rien : il n’y aura pas de rappel. La page permet aussi de "
                    "ne plus recevoir de telles demandes."
                )
            )
        ],
    )


def _thanks(subject: Subject, page: str, back: str) -> Notice:
    return _notice(
        subject,
        subject_line=translated(N_("Votre recommandation est publiée")),
        lines=[
            translated(
                N_("Vos mots sur « {title} » sont signés au nom de votre organisation. Ils se lisent ici :")
            ).format(title=subject.title)
        ],
        action=Action(translated(N_("Voir la recommandation")), page),
        after=[
            translated(N_("Pour la retirer, maintenant ou dans dix ans : {link}")).format(link=back),
            translated(N_("Gardez cet e-mail pour vous : son lien retire la recommandation.")),
        ],
        small=[
            translated(
                N_(
                    "Vous n’avez rien signé ? Retirez-la avec ce lien, et prévenez le campus en répondant à cet e-mail."
                )
            )
        ],
    )


def _notice(
    subject: Subject,
    *,
    subject_line: str,
    lines: list[str],
    action: Action,
    after: list[str],
    small: list[str],
) -> Notice:
    campus = subject.campus
    return Notice(
        subject=subject_line,
        greeting=translated(N_("Bonjour,")),
        lines=lines,
        badges=[],
        action=action,
        after=after,
        small=small,
        campus=translated(N_("Campus {name}")).format(name=campus.name),
        hue=campus.hue,
        liveliness=campus.liveliness,
    )
