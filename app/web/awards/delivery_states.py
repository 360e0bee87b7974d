"""Labels for delivery states; and why an e-mail did not arrive."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.container import Services
from app.domain.messages import Handed, LetterState, Occasion, QueuedMessage, Reason
from app.http.pages.words import REVOKED, UNDONE, StateLabel, why_ended
from app.language import N_, translated, translated_plural
from app.services.awards.delivery import AwardDelivery

HANDED = {
    Handed.REVOKED: REVOKED,
    Handed.UNDONE: UNDONE,
    Handed.SLIP: StateLabel("À remettre en main propre", "unk"),
    Handed.WAITING: StateLabel("E-mail en attente", "past"),
    Handed.SENT: StateLabel("E-mail envoyé", "shut"),
    Handed.REFUSED: StateLabel("E-mail refusé", "bad"),
    Handed.OPENED: StateLabel("Lien ouvert", "shut"),
    Handed.CLAIMED: StateLabel("Reçu par la personne", "ok"),
}
PICTURES = {
    Handed.REVOKED: "cross",
    Handed.UNDONE: "undo",
    Handed.SLIP: "print",
    Handed.WAITING: "clock",
    Handed.SENT: "mail",
    Handed.REFUSED: "warn",
    Handed.OPENED: "eye",
    Handed.CLAIMED: "check",
}
REASONS = {
    Reason.UNKNOWN_ADDRESS: N_("Le serveur ne connaît pas cette adresse. Relisez-la signe par signe."),
    Reason.MAILBOX_FULL: N_("La boîte de la personne est pleine."),
    Reason.BLOCKED: N_("Le serveur de la personne n’accepte pas les e-mails de ce service."),
    Reason.REFUSED: N_("Le serveur de la personne a refusé l’e-mail."),
    Reason.BAD_ADDRESS: N_("Cette adresse n’en est pas une. Corrigez-la."),
    Reason.NOT_ASCII: N_("Notre serveur ne sait pas écrire à une adresse qui a des accents."),
    Reason.LATER: N_("Le serveur de la personne a demandé d’attendre."),
    Reason.NO_ANSWER: N_("Le serveur de courrier ne répond pas."),
    Reason.OUR_SERVER: N_(
        "Notre propre serveur de courrier ne prend pas les e-mails. Prévenez la personne qui gère ce service."
    ),
    Reason.HELD: N_(
        "Retenu après une restauration : l’administration du service le laisse partir ou l’annule."
    ),
    Reason.DEMO: N_("Cette démonstration n’écrit à aucune vraie adresse."),
    Reason.TOO_OLD: N_("L’e-mail a attendu trop longtemps : il ne sera plus envoyé."),
}
ADVICE = {
    Reason.UNKNOWN_ADDRESS: N_("Corrigez l’adresse et renvoyez l’e-mail, ou remettez un bulletin."),
    Reason.BAD_ADDRESS: N_("Corrigez l’adresse et renvoyez l’e-mail, ou remettez un bulletin."),
    Reason.MAILBOX_FULL: N_("Renvoyez-le dans quelques jours, ou écrivez à une autre adresse."),
    Reason.BLOCKED: N_(
        "Écrivez à une autre adresse, ou remettez un bulletin. Si cela arrive à plusieurs personnes, prévenez "
        "l’administration de votre campus."
    ),
    Reason.TOO_OLD: N_("Renvoyez-le si l’annonce est encore utile."),
    Reason.OUR_SERVER: N_("Remettez un bulletin en attendant."),
    Reason.DEMO: N_("Remettez un bulletin, ou écrivez à une adresse en « .example »."),
}
_OTHERWISE = N_("Renvoyez-le plus tard ou à une autre adresse, ou remettez un bulletin.")
LETTER_STATES = {
    LetterState.WAITING: StateLabel("En attente", "past"),
    LetterState.SENT: StateLabel("Partie", "ok"),
    LetterState.REFUSED: StateLabel("Refusée", "bad"),
    LetterState.CANCELLED: StateLabel("Pas partie", "shut"),
}
OCCASIONS = {
    Occasion.AWARDED.value: N_("Annonce du badge"),
    Occasion.WITHDRAWN.value: N_("Annonce du retrait"),
    Occasion.SUSPENDED.value: N_("Annonce de la suspension"),
    Occasion.SUSPENSION_LIFTED.value: N_("Annonce de la fin de la suspension"),
    Occasion.NAME_CORRECTED.value: N_("Annonce du nom corrigé"),
    Occasion.KEY_REPLACED.value: N_("Annonce de la nouvelle signature"),
    Occasion.FIRST_REMINDER.value: N_("Premier rappel"),
    Occasion.SECOND_REMINDER.value: N_("Deuxième rappel"),
    Occasion.ENDS_IN_A_MONTH.value: N_("Rappel : le badge finit dans un mois"),
    Occasion.ENDS_IN_A_WEEK.value: N_("Rappel : le badge finit dans une semaine"),
    Occasion.ENDS_TOMORROW.value: N_("Rappel : le badge finit demain"),
    Occasion.RENEWED.value: N_("Annonce du renouvellement"),
}
OF_ACCOUNT = N_("L’adresse de son compte")
"""Instead of one that the person added there."""
BOUNCED = StateLabel("E-mail revenu", "bad")
_AGAIN = N_("Elle repart d’elle-même.")


@dataclass(frozen=True)
class DeliveryView:
    """One delivery, as a table row."""

    award_id: uuid.UUID
    href: str
    person: str
    badge: str
    state: StateLabel
    picture: str
    at: datetime | None
    reason: str
    address: str
    can_be_claimed: bool

    @staticmethod
    def of(home: str, delivery: AwardDelivery) -> DeliveryView:
        record, handed = delivery.record, delivery.handed
        return DeliveryView(
            award_id=record.award.id,
            href=f"{home}/attributions/{record.award.id}",
            person=delivery.name,
            badge=record.version.name,
            state=HANDED[handed.state],
            picture=PICTURES[handed.state],
            # Before an enqueued batch is processed, the time of its e-mails is unknown.
            at=handed.at if handed.at and handed.at.year < 9000 else None,
            reason=_why(delivery),
            address=translated(OF_ACCOUNT) if delivery.is_hidden else delivery.address,
            can_be_claimed=delivery.by_hand
            and handed.state not in (Handed.REVOKED, Handed.UNDONE, Handed.CLAIMED),
        )


def _why(delivery: AwardDelivery) -> str:
    match delivery.handed.state:
        case Handed.WAITING | Handed.REFUSED:
            return reason_of(delivery.handed.letter)
        case Handed.REVOKED | Handed.UNDONE:
            return why_ended(delivery.record.award)
        case _:
            return ""


def advice_of(letter: QueuedMessage | None) -> str:
    """What the trainer can do about an e-mail that did not arrive; empty for any other."""
    if letter is None or letter.state is not LetterState.REFUSED or not letter.reason:
        return ""
    return translated(ADVICE.get(Reason(letter.reason), _OTHERWISE))


def reason_of(letter: QueuedMessage | None) -> str:
    """Why the e-mail was not sent, and what happens next; empty where nothing failed."""
    if letter is None or not letter.reason:
        return ""
    words = [translated(REASONS[Reason(letter.reason)])]
    if letter.state is LetterState.WAITING:
        words.append(translated(_AGAIN))
    return " ".join(words)


def deliveries_of(
    services: Services, home: str, award_ids: Sequence[uuid.UUID], campus_id: uuid.UUID
) -> Mapping[uuid.UUID, DeliveryView]:
    found = services.delivery.of_awards(award_ids, campus_id)
    return {each.record.award.id: DeliveryView.of(home, each) for each in found}


@dataclass(frozen=True)
class Part:
    """A part of the bar: its count, label, pattern, and position in thousandths."""

    count: int
    words: str
    pattern: str
    start: int
    width: int


@dataclass(frozen=True)
class Tally:
    """How many have their badge, and where the others are."""

    claimed: int
    total: int
    parts: Sequence[Part]
    mails: int
    slips: int
    version: str
    at: datetime

    @staticmethod
    def of(counts: Mapping[Handed, int], at: datetime) -> Tally:
        total, parts, before = sum(counts.values()), list[Part](), 0
        for state, pattern in _PARTS.items():
            count = counts.get(state, 0)
            if count:
                start, end = before * 1000 // total, (before + count) * 1000 // total
                parts.append(Part(count, _part_label(state, count), pattern, start, end - start))
                before += count
        return Tally(
            counts.get(Handed.CLAIMED, 0),
            total,
            parts,
            sum(counts.get(state, 0) for state in (Handed.WAITING, Handed.SENT, Handed.REFUSED)),
            counts.get(Handed.SLIP, 0),
            "-".join(str(counts.get(state, 0)) for state in _PARTS),
            at,
        )


_PARTS = {
    Handed.CLAIMED: "p1",
    Handed.OPENED: "p2",
    Handed.SENT: "p3",
    Handed.WAITING: "p5",
    Handed.REFUSED: "p6",
    Handed.SLIP: "p4",
}
"""In the order of the bar, with their patterns."""


def _part_label(state: Handed, count: int) -> str:
    match state:
        case Handed.CLAIMED:
            return translated_plural("récupéré", "récupérés", count)
        case Handed.OPENED:
            return translated_plural("page ouverte", "pages ouvertes", count)
        case Handed.SENT:
            return translated_plural("e-mail envoyé", "e-mails envoyés", count)
        case Handed.WAITING:
            return translated_plural("e-mail en attente", "e-mails en attente", count)
        case Handed.REFUSED:
            return translated_plural("e-mail refusé", "e-mails refusés", count)
        case _:
            return translated("à remettre en main propre")
