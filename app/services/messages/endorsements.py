"""E-mails to organisations: endorsement requests, confirmations, and links to all their endorsements."""

from __future__ import annotations

from dataclasses import dataclass

from app.db.awards import AwardRecord, AwardStore
from app.db.trust import EndorsementStore, OrganisationStore, PeerStore
from app.domain.core import Clock
from app.domain.messages import Letter, Occasion, QueuedMessage
from app.domain.publishing import Addresses
from app.domain.trust import PEER_WITHDRAW, PEER_WRITE, PROOF_FOR, WRITTEN_WITHIN
from app.domain.trust.organisations import (
    ASKED_FOR,
    DESK_FOR,
    Endorsed,
    EndorsementRequest,
    Organisation,
    desk_token,
    is_waiting,
    named_token,
)
from app.errors import AppError
from app.language import N_, filled, speaking, translated
from app.services.messages.requests import Action, Notice, carrying
from app.services.trust.endorsements import ASKED, WITHDRAW, EndorsementSubjects, Subject

OF_ENDORSEMENTS = (
    Occasion.ENDORSEMENT_ASKED,
    Occasion.ENDORSEMENT_SIGNED,
    Occasion.ENDORSEMENT_DESK,
    Occasion.PEER_ASKED,
    Occasion.PEER_PROOF,
    Occasion.PEER_WRITTEN,
)
_SENDER = "Sceau"


@dataclass(frozen=True, eq=False)
class EndorsementLetters:
    endorsements: EndorsementStore
    organisations: OrganisationStore
    peers: PeerStore
    awards: AwardStore
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
            match letter.occasion:
                case Occasion.ENDORSEMENT_ASKED:
                    return self._asked(letter)
                case Occasion.PEER_ASKED | Occasion.PEER_PROOF:
                    return self._asked_of_peer(letter)
                case Occasion.PEER_WRITTEN:
                    return self._written_by_peer(letter)
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
        back = self.addresses.withdraw_endorsement(named_token(self.secret, WITHDRAW, endorsement.id))
        with speaking(endorsement.language):
            return carrying(
                _thanks(subject, back),
                letter,
                language=endorsement.language or subject.campus.language,
                campus=subject.campus,
            )

    def _asked_of_peer(self, letter: QueuedMessage) -> Letter | None:
        assert letter.about_id is not None
        request = self.endorsements.find_request(letter.about_id)
        if request is None or request.award_id is None or not is_waiting(request, at=self.clock()):
            return None
        record = self.awards.get_record(request.award_id)
        link = self.addresses.peer_write(named_token(self.secret, PEER_WRITE, request.id))
        language = record.campus.language
        with speaking(language):
            notice = (
                _asks_peer(record, request.why, link)
                if letter.occasion == Occasion.PEER_ASKED
                else _proves_peer(record, link)
            )
            return carrying(notice, letter, language=language, campus=record.campus)

    def _written_by_peer(self, letter: QueuedMessage) -> Letter | None:
        assert letter.about_id is not None
        row = self.peers.get(letter.about_id)
        if row.is_over:
            return None
        record = self.awards.get_record(row.award_id)
        back = self.addresses.peer_withdraw(named_token(self.secret, PEER_WITHDRAW, row.id))
        with speaking(row.language):
            return carrying(_thanks_peer(record, back), letter, language=row.language, campus=record.campus)

    def _desk(self, letter: QueuedMessage, organisation: Organisation) -> Letter:
        link = self.addresses.organisation_desk(desk_token(self.secret, organisation.id, letter.promised_at))
        notice = Notice(
            subject=filled(translated("Les recommandations de {name}"), {"name": organisation.name}),
            greeting=translated("Bonjour,"),
            lines=[
                filled(
                    translated(
                        "Ce lien montre tout ce qui a été recommandé ici au nom de {name}, et permet de le retirer."
                    ),
                    {"name": organisation.name},
                )
            ],
            action=Action(translated("Voir les recommandations"), link),
            after=[
                translated("Ce lien vaut {several} jours. Ne le transférez pas.").format(
                    several=DESK_FOR.days
                )
            ],
            small=[translated("Vous n’avez rien demandé ? Ne faites rien : rien n’est changé.")],
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
        topic = translated("{person} vous demande une recommandation")
        ask = N_(
            "{person} a reçu le badge « {title} » du campus {campus}, et voudrait l’avis de {organisation}."
        )
    elif subject.version:
        topic = translated("Le campus {campus} vous demande une recommandation")
        ask = N_("Le campus {campus} donne le badge « {title} », et voudrait l’avis de {organisation}.")
    else:
        topic = translated("Le campus {campus} vous demande une recommandation")
        ask = N_(
            "Le campus {campus} forme des personnes à vos métiers, et voudrait l’avis de {organisation}."
        )
    said = [translated("Son mot : « {why} »").format(why=request.why)] if request.why else []
    return Notice.of(
        subject.campus,
        subject=topic.format(**values),
        lines=[
            filled(translated(ask), values),
            *said,
            translated(
                "Deux lignes suffisent. Elles seront publiées avec le badge, signées au nom de votre organisation. "
                "Pas de compte à ouvrir, et vous pourrez les retirer."
            ),
        ],
        action=Action(translated("Voir, puis répondre"), link),
        after=[
            translated("Ce lien vaut {several} jours et sert une seule fois. Il est pour vous.").format(
                several=ASKED_FOR.days
            )
        ],
        small=[
            translated(
                "Vous ne voulez pas répondre ? Ne faites rien : il n’y aura pas de rappel. La page permet aussi de "
                "ne plus recevoir de telles demandes."
            )
        ],
    )


def _thanks(subject: Subject, back: str) -> Notice:
    """Of a badge that its holder has closed, the public page of the recommendation is closed as well."""
    shown = [translated("Ils s’affichent avec le badge, tant que sa page est ouverte.")]
    return Notice.of(
        subject.campus,
        subject=translated("Votre recommandation est signée"),
        lines=[
            translated("Vos mots sur « {title} » sont signés au nom de votre organisation.").format(
                title=subject.title
            ),
            *(shown if subject.about is Endorsed.AWARD else []),
        ],
        action=Action(translated("Voir ma recommandation"), back),
        after=[
            translated("La même page la retire, maintenant ou dans dix ans. Gardez cet e-mail pour vous.")
        ],
        small=[
            translated(
                "Vous n’avez rien signé ? Retirez-la avec ce lien, et prévenez le campus en répondant à cet e-mail."
            )
        ],
    )


def _asks_peer(record: AwardRecord, why: str, link: str) -> Notice:
    values = {
        "person": record.person.name,
        "title": record.version.name,
        "campus": record.campus.name,
        "several": WRITTEN_WITHIN.days,
    }
    return Notice.of(
        record.campus,
        subject=translated("{person} vous demande deux lignes").format(**values),
        lines=[
            filled(
                translated(
                    "{person} a reçu le badge « {title} » du campus {campus}, et dit que vous avez travaillé ensemble."
                ),
                values,
            ),
            *([translated("Son mot : « {why} »").format(why=why)] if why else []),
            translated(
                "Deux lignes suffisent : ce que vous avez vu cette personne faire. Elle les relit, et choisit de les "
                "montrer ou non. Pas de compte à ouvrir, et vous pourrez les retirer."
            ),
        ],
        action=Action(translated("Écrire deux lignes"), link),
        after=[
            translated("Ce lien vaut {several} jours et sert une seule fois. Il est pour vous.").format(
                **values
            )
        ],
        small=[
            translated(
                "Vous ne voulez pas répondre ? Ne faites rien : il n’y aura pas de rappel. La page permet aussi de "
                "ne plus recevoir de telles demandes."
            )
        ],
    )


def _proves_peer(record: AwardRecord, link: str) -> Notice:
    values = {
        "person": record.person.name,
        "title": record.version.name,
        "several": int(PROOF_FOR.total_seconds()) // 3600,
    }
    return Notice.of(
        record.campus,
        subject=translated("Votre lien pour écrire deux lignes"),
        lines=[
            filled(
                translated("Ce lien ouvre la page pour écrire sur {person} et le badge « {title} »."),
                values,
            )
        ],
        action=Action(translated("Écrire deux lignes"), link),
        after=[
            translated("Ce lien vaut {several} heures et sert une seule fois. Il est pour vous.").format(
                **values
            )
        ],
        small=[
            translated(
                "Vous n’avez rien demandé ? Quelqu’un a tapé votre adresse. Ne faites rien, ou dites sur la page que "
                "vous ne voulez plus de tels e-mails."
            )
        ],
    )


def _thanks_peer(record: AwardRecord, back: str) -> Notice:
    return Notice.of(
        record.campus,
        subject=translated("Vos deux lignes sont parties"),
        lines=[
            filled(
                translated(
                    "{person} peut les relire, puis les montrer avec le badge « {title} », ou non. Rien n’est public avant."
                ),
                {"person": record.person.name, "title": record.version.name},
            )
        ],
        action=Action(translated("Les relire, ou les retirer"), back),
        after=[
            translated(
                "Ce lien permet de les retirer, maintenant ou dans dix ans. Gardez cet e-mail pour vous."
            ),
        ],
        small=[
            translated(
                "Vous n’avez rien écrit ? Retirez-les avec ce lien, et prévenez le campus en répondant à cet e-mail."
            )
        ],
    )
