"""A label in one sentence, with what its signature and its dates are worth now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from app.domain.campus.campus import LabelCategory, LabelState
from app.domain.trust.label_credentials import LABEL_NAMES
from app.domain.trust.recognition import day_in_france
from app.language import N_
from app.language.sentences import Sentence, plain
from app.services.trust.labels import LabelJudged
from sceau_credentials.trust import GivenLabel
from sceau_credentials.verification.findings.reasons import Reason
from sceau_credentials.verification.report import Outcome

_GIVEN: Final = {
    (True, True): N_("{label}, donné par : {network}, du {first} au {last}."),
    (True, False): N_("{label}, donné par : {network}, depuis le {first}, sans date de fin publiée."),
    (False, True): N_("{label}, donné par : {network}, jusqu’au {last}."),
    (False, False): N_("{label}, donné par : {network}, sans date publiée."),
}
_WITHDRAWN: Final = (
    "bad",
    N_("Retiré"),
    N_("Le réseau a retiré ce label le {withdrawn}. Il ne vaut plus."),
)
_SUSPENDED: Final = (
    "past",
    N_("Suspendu"),
    N_("Le réseau a suspendu sa reconnaissance du campus, et ce label avec elle."),
)
_UNSIGNED: Final = (
    "unk",
    N_("Non signé"),
    N_("Ce label a été écrit ici sans signature : seul ce service en répond."),
)
_FORGED: Final = (
    "bad",
    N_("Non conforme"),
    N_("Ce label n’est pas tel que le réseau l’a signé. Ne vous y fiez pas."),
)
_KEY_STOLEN: Final = (
    "past",
    N_("Terminé"),
    N_("Le label est terminé, et la clé qui l’a signé a été retirée depuis : seul ce service en répond."),
)
_UNREAD: Final = (
    "unk",
    N_("Non vérifié"),
    N_("La signature de ce label n’a pas pu être vérifiée pour le moment."),
)
_BY_DATE: Final = {
    LabelState.CURRENT: ("ok", N_("Vérifié"), N_("Signature du réseau vérifiée : le label est en cours.")),
    LabelState.FUTURE: ("shut", N_("À venir"), N_("Signature du réseau vérifiée : le label n’a pas encore commencé.")),
    LabelState.EXPIRED: ("past", N_("Terminé"), N_("Signature du réseau vérifiée : le label est terminé.")),
}  # fmt: skip
_NO_END: Final = (
    "shut",
    N_("Vérifié, sans fin connue"),
    N_("Signature du réseau vérifiée. Sans date de fin, personne ne peut dire que le label est encore en cours."),
)  # fmt: skip
_LISTED: Final = (
    "ok",
    N_("En cours"),
    N_("Dit par la liste que le réseau signe ; le label lui-même se lit à son adresse."),
)
_OTHER_CATEGORY: Final = N_("Label d’une autre catégorie")
_OF_THE_DATES: Final = frozenset({"expired", "not_yet_valid"})


@dataclass(frozen=True)
class LabelTold:
    """`state` and `word` are those of a check."""

    state: str
    word: str
    sentence: Sentence
    beside: Sentence


def label_told(judged: LabelJudged) -> LabelTold:
    label = judged.label
    given = _given(label.category, judged.network.name, label.starts_on, label.ends_on)
    state, word, beside = _worth(judged)
    return LabelTold(state, word, given, Sentence(beside, {"withdrawn": label.withdrawn_at or ""}))


def label_listed(label: GivenLabel, network: str, at: datetime) -> LabelTold:
    """A label of a campus elsewhere: the network's list says it, and the label itself was not read."""
    first = day_in_france(label.valid_from) if label.valid_from else None
    last = day_in_france(label.valid_until - timedelta(seconds=1)) if label.valid_until else None
    category = next((each for each in LabelCategory if each.value == label.category), None)
    state, word, beside = _LISTED
    if label.valid_until is not None and label.valid_until <= at:
        state, word = "past", N_("Terminé")
    elif label.valid_from is not None and at < label.valid_from:
        state, word = "shut", N_("À venir")
    return LabelTold(state, word, _given(category, network, first, last), Sentence(beside))


def _given(category: LabelCategory | None, network: str, first: date | None, last: date | None) -> Sentence:
    name = Sentence(LABEL_NAMES[category] if category else _OTHER_CATEGORY)
    values = {"label": name, "network": plain(network), "first": first or "", "last": last or ""}
    return Sentence(_GIVEN[first is not None, last is not None], values)


def _worth(judged: LabelJudged) -> tuple[str, str, str]:
    """The gravest thing first: what was taken back, then the signature, then the dates."""
    if judged.label.withdrawn_at is not None:
        return _WITHDRAWN
    if judged.is_suspended:
        return _SUSPENDED
    answer = judged.answer
    if answer is None:
        return _UNSIGNED
    if answer.reason == Reason.KEY_REVOKED and judged.state is LabelState.EXPIRED:
        return _KEY_STOLEN
    if answer.outcome is Outcome.FAILED and answer.reason not in _OF_THE_DATES:
        return _FORGED
    if answer.outcome in (Outcome.UNKNOWN, Outcome.SKIPPED):
        return _UNREAD
    if judged.state is LabelState.CURRENT and judged.label.ends_on is None:
        return _NO_END
    return _BY_DATE[judged.state]
