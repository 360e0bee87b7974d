"""What others say in a badge under their own signature, one by one; what does not hold is told without its words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.language import N_
from app.language.sentences import Sentence, plain
from app.services.verification.verdicts.checks import place_of
from sceau_credentials.verification.endorsements import ENDORSES_ANOTHER, TOO_MANY
from sceau_credentials.verification.findings.reasons import Reason
from sceau_credentials.verification.report import EndorsementAnswer, Outcome, Report

_LONGEST_COMMENT: Final = 1200
_OF_THE_AWARD: Final = N_("{who} recommande ce badge, tel qu’il a été donné à cette personne.")
_OF_THE_BADGE: Final = N_("{who} recommande ce badge, quelle que soit la personne qui le reçoit.")
_OF_AN_ORGANISATION: Final = N_("{who} recommande l’organisme qui donne ce badge.")
_SAME_ISSUER: Final = N_("L’émetteur du badge parle ici de lui-même : ce n’est pas l’avis d’un autre.")
_NAME_IS_AN_ADDRESS: Final = N_("Signature vérifiée. Nous n’en connaissons que l’adresse.")
_DOES_NOT_HOLD: Final = N_(
    "Une recommandation ne compte pas : ce qui y est écrit n’a pas été signé par qui elle nomme, ou a été changé."
)
_NOT_READ: Final = N_("Une recommandation au nom de {who} n’a pas pu être vérifiée.")
_WHY: Final = {
    ENDORSES_ANOTHER: N_(
        "Une recommandation de {who} ne compte pas : elle parle d’autre chose que de ce badge."
    ),
    TOO_MANY: N_("Il y a d’autres recommandations : nous en lisons dix au plus par badge."),
    Reason.REVOKED.value: N_("Une recommandation de {who} ne compte plus : elle a été retirée."),
    Reason.SUSPENDED.value: N_("Une recommandation de {who} est suspendue pour le moment."),
    Reason.EXPIRED.value: N_("Une recommandation de {who} ne compte plus : sa durée est passée."),
    Reason.NOT_YET_VALID.value: N_("Une recommandation de {who} ne compte pas encore."),
}
_STATES: Final = {
    Outcome.PASSED: ("ok", N_("Vérifiée")),
    Outcome.FAILED: ("bad", N_("Ne compte pas")),
    Outcome.UNKNOWN: ("unk", N_("Non vérifiée")),
    Outcome.SKIPPED: ("unk", N_("Non vérifiée")),
}


@dataclass(frozen=True)
class EndorsementTold:
    """`comment` is the endorser's own text, empty unless it holds; `state` and `word` are those of a check."""

    state: str
    word: str
    sentence: Sentence
    beside: Sentence | None
    comment: str


def endorsements(report: Report) -> list[EndorsementTold]:
    return [_told(answer, report.issuer) for answer in report.endorsements]


def _told(answer: EndorsementAnswer, issuer_of_badge: str | None) -> EndorsementTold:
    state, word = _STATES[answer.outcome]
    values = {"who": place_of(answer.issuer or "")}
    if answer.outcome is not Outcome.PASSED:
        default = _DOES_NOT_HOLD if answer.outcome is Outcome.FAILED else _NOT_READ
        return EndorsementTold(state, word, Sentence(_WHY.get(answer.reason, default), values), None, "")
    comment = plain(answer.comment, _LONGEST_COMMENT)
    beside = _SAME_ISSUER if answer.issuer == issuer_of_badge else _NAME_IS_AN_ADDRESS
    return EndorsementTold(
        state, word, Sentence(_sentence_about(answer.pointer), values), Sentence(beside), comment
    )


def _sentence_about(pointer: str) -> str:
    on = pointer.rpartition("/endorsement")[0]
    if not on:
        return _OF_THE_AWARD
    return _OF_THE_BADGE if on == "/credentialSubject/achievement" else _OF_AN_ORGANISATION
