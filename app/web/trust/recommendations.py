"""What organisations say, as pages show it: their words, who they are and how that is known, apart from any verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.trust.endorsements import Endorsed
from app.domain.trust.organisations import domain_of
from app.http.pages.typography import say
from app.http.pages.wording import day
from app.http.pages.words import Word
from app.language import N_
from app.services.trust.endorsements import Shown
from app.services.verification.verdicts import place_of, plain
from sceau_credentials.verification.report import Outcome

_LONGEST = 1200
_ABOUT = {
    Endorsed.BADGE: N_("À propos de ce badge, quelle que soit la personne qui le reçoit"),
    Endorsed.AWARD: N_("À propos de ce badge, tel qu’il a été donné à cette personne"),
    Endorsed.CAMPUS: N_("À propos du campus"),
}
_OF_VERSION = N_("{about} ; donnée à la version {number}")
_DOMAIN = N_("Domaine {domain} vérifié par courriel le {day}")
_PERSONAL = N_(
    "Adresse personnelle ({domain}), domaine non rattaché à l’organisation. Vérifiée par courriel le {day}"
)
_SAME_DOMAIN = N_("Ce domaine est aussi celui du campus.")
_ELSEWHERE = N_("Signée ailleurs, par {issuer}.")
_LATER = N_("Vérifiée le {day} ; ouvrez-la pour refaire la vérification.")
_HOLDS, _THEN = Word(N_("Signature vérifiée"), "ok"), Word(N_("Signée ailleurs"), "shut")
_UNKNOWN = Word(N_("Non vérifiée"), "unk")
_LOST = Word(N_("Ne compte pas"), "bad")
STATES = {
    "shown": Word(N_("Montrée"), "ok"),
    "withdrawn": Word(N_("Retirée par l’organisation"), "past"),
    "hidden": Word(N_("Cachée par la personne"), "shut"),
    "set_aside": Word(N_("Écartée par le campus"), "past"),
}


@dataclass(frozen=True)
class RecommendationShown:
    """`lines` are the signed words, empty where the signature does not hold."""

    id: str
    name: str
    about: str
    lines: Sequence[str]
    language: str
    beside: Sequence[str]
    found: Word
    state: Word
    is_shown: bool
    is_hidden: bool
    is_withdrawn: bool
    url: str
    organisation_url: str
    reason: str
    """Why the campus set it aside."""


def recommendations(found: Sequence[Shown], zone: str, *, contact: str = "") -> list[RecommendationShown]:
    """`contact`: an address of the campus, whose own domain is told as such."""
    return [recommendation(each, zone, contact=contact) for each in found]


def recommendation(said: Shown, zone: str, *, contact: str = "") -> RecommendationShown:
    row, organisation = said.endorsement, said.organisation
    signed_on = day(row.signed_at, zone)
    words = _PERSONAL if organisation.is_personal else _DOMAIN
    beside = [say(words).format(domain=organisation.domain, day=signed_on)]
    if row.foreign_issuer:
        beside.append(say(_ELSEWHERE).format(issuer=place_of(row.foreign_issuer)))
    if contact and domain_of(contact) == organisation.domain and not organisation.is_personal:
        beside.append(say(_SAME_DOMAIN))
    found, comment = _found(said)
    lines = [plain(line, _LONGEST) for line in comment.splitlines()]
    if found is _THEN and row.checked_at:
        beside.append(say(_LATER).format(day=day(row.checked_at, zone)))
    return RecommendationShown(
        id=str(row.id),
        name=row.organisation_name,
        about=say(_OF_VERSION).format(about=say(_ABOUT[row.about]), number=said.version)
        if said.version
        else say(_ABOUT[row.about]),
        lines=[line for line in lines if line],
        language=row.language,
        beside=beside,
        found=found,
        state=STATES[said.state],
        is_shown=row.is_shown,
        is_hidden=row.hidden_at is not None,
        is_withdrawn=row.withdrawn_at is not None,
        url=f"/recommandations/{row.id}",
        organisation_url=f"/organisations/{organisation.id}",
        reason=row.set_aside_reason,
    )


def _found(said: Shown) -> tuple[Word, str]:
    """Whether the words may be read as the organisation's. What needs another server's answer is told as of then."""
    if said.answer is None or said.answer.outcome is Outcome.FAILED:
        return _LOST, ""
    if said.holds:
        return _HOLDS, said.answer.comment
    # A server elsewhere would have to be asked: what it was when it was last asked is told with its day.
    row = said.endorsement
    if not row.foreign_issuer:
        return _UNKNOWN, ""
    return (_THEN, row.comment) if row.comment else (_LOST, "")
