"""Each answer of a verification as one sentence, with what it was checked against or what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from app.domain.campus.campus import Campus
from app.language import N_
from app.language.sentences import Sentence, plain
from app.services.verification.verdicts.advice import NOT_FOR_US
from app.services.verification.verdicts.wording import SAID, TITLES, UNASKED
from sceau_credentials.errors import MalformedInput
from sceau_credentials.values.timestamps import parse_timestamp
from sceau_credentials.verification.findings.reasons import Reason
from sceau_credentials.verification.report import CheckId, CheckResult, Outcome, Report, SignatureState

_MOMENTS: Final = frozenset({"valid_from", "valid_until"})
_IN_FORCE_WITHOUT_END: Final = N_("Il est valable depuis le {valid_from}, sans date de fin.")
_OF_OURS: Final = N_("L’émetteur est le campus {campus}, qui signe ses badges avec ce service.")
_HELD_HERE: Final = N_("Ce service tient son nom, ses clés et sa liste des retraits.")
_NO_REGISTER: Final = N_(
    "Son nom est celui qu’il se donne : aucune liste de confiance suivie ici ne le nomme."
)
_BY_ITS_OWN_KEY: Final = N_("Il est signé par la clé qu’il nomme lui-même.")
_TOO_MANY_DOCUMENTS: Final = N_(
    "Pour le savoir, il faudrait lire un document de plus, à {place} : nous n’en lisons que trois ou quatre par badge, pour que personne ne nous fasse travailler sans fin."
)
NEVER_ASKED: Final = frozenset({"offline", "url_not_allowed", "not_in_package"})
ANSWERED_OTHERWISE: Final = frozenset(
    {
        "compressed",
        "gone",
        "http_status",
        "malformed_answer",
        "not_found",
        "redirect_refused",
        "too_large",
        "wrong_type",
    }
)
_UNREAD: Final = frozenset(
    {
        Reason.KEY_DOCUMENT_UNAVAILABLE,
        Reason.STATUS_LIST_UNAVAILABLE,
        Reason.HOSTED_UNAVAILABLE,
        Reason.BADGE_CLASS_UNAVAILABLE,
        Reason.ISSUER_PROFILE_UNAVAILABLE,
    }
)
_NOT_ASKED: Final = N_(
    "Pour le savoir, il faudrait lire un document à {place} : nous ne l’avons pas demandé, cette adresse n’est pas de "
    "celles que nous lisons."
)
_OFFLINE: Final = N_(
    "Pour le savoir, il faudrait lire un document à {place} : aucun autre site n’a été interrogé."
)
_ANSWERED_OTHERWISE: Final = N_(
    "Pour le savoir, il faudrait lire un document à {place} : l’adresse a répondu, mais pas par ce document."
)
_NOT_FOUND: Final = N_("Pour le savoir, il faudrait lire un document à {place} : il n’a pas été trouvé.")
_OF_THE_LIST: Final = N_("{found} C’est la liste des retraits : nous ne savons pas s’il a été retiré.")
_ADDRESS_IT_NAMES: Final = N_("l’adresse qu’il cite")
_SIGNED_BY_SOMEBODY: Final = N_("Rien n’y a été changé depuis que quelqu’un l’a signé.")
_NOT_BY_WHOM: Final = N_("Cela ne dit pas qui.")
_DATES_NOT_KEPT: Final = N_("Ses dates n’ont pas été retenues : rien ne prouve que l’émetteur les a écrites.")
_STATES: Final = {
    Outcome.PASSED: "ok",
    Outcome.FAILED: "bad",
    Outcome.UNKNOWN: "unk",
    Outcome.SKIPPED: "unk",
}
_WORDS: Final = {
    Outcome.PASSED: N_("Conforme"),
    Outcome.FAILED: N_("Non conforme"),
    Outcome.UNKNOWN: N_("Non vérifié"),
    Outcome.SKIPPED: N_("Non vérifié"),
}
# Where the outcome alone would say it too harshly, or not plainly enough.
_SHADES: Final[Mapping[str, tuple[str, str]]] = {
    Reason.EXPIRED: ("past", N_("Terminé")),
    Reason.NOT_YET_VALID: ("past", N_("Pas encore")),
    Reason.REVOKED: ("bad", N_("Retiré")),
    Reason.SUSPENDED: ("past", N_("Suspendu")),
    Reason.ISSUER_IS_ONLY_A_KEY: ("unk", N_("Inconnu")),
}
# What an employer asks first comes first; how the file is written comes last.
_ORDER: Final = (
    CheckId.PROOF,
    CheckId.KEY,
    CheckId.ISSUER,
    CheckId.STATUS,
    CheckId.VALIDITY,
    CheckId.RECIPIENT,
    CheckId.CONTEXT,
    CheckId.SCHEMA,
    CheckId.READABLE,
)


@dataclass(frozen=True)
class CheckTold:
    """One line of « ce que nous avons vérifié »: `state` is ok, past, bad, unk or shut; `word` says it again."""

    check: CheckId
    state: str
    word: str
    title: str
    sentence: Sentence
    beside: Sentence | None


def sentence(check: CheckResult) -> Sentence:
    """What this answer says, in one sentence."""
    values = _values(check)
    if check.reason == Reason.NOT_REACHED:
        return Sentence(UNASKED[check.id], values)
    if check.reason == Reason.IN_FORCE and "valid_until" not in values:
        return Sentence(_IN_FORCE_WITHOUT_END, values)
    if check.reason == Reason.KEY_BOUND and check.details.get("method", "").startswith("did:key:"):
        return Sentence(_BY_ITS_OWN_KEY, values)
    if check.details.get("cause") == "too_many_fetches":
        return Sentence(_TOO_MANY_DOCUMENTS, values)
    if check.reason in _UNREAD and (words := unread_words(check.details.get("cause", ""))):
        found = Sentence(words, {**values, "place": values["place"] or Sentence(_ADDRESS_IT_NAMES)})
        is_list = check.reason == Reason.STATUS_LIST_UNAVAILABLE
        return Sentence(_OF_THE_LIST, {"found": found}) if is_list else found
    return Sentence(SAID[check.reason][0], values)


def unread_words(cause: str) -> str:
    """What happened, where « ne répond pas » would be untrue; empty where nothing answered."""
    if cause in NEVER_ASKED:
        return _OFFLINE if cause == "offline" else _NOT_ASKED
    if cause in ("not_found", "gone"):
        return _NOT_FOUND
    return _ANSWERED_OTHERWISE if cause in ANSWERED_OTHERWISE else ""


def beside(check: CheckResult) -> Sentence | None:
    """What it was checked against, or what to do next; None where there is no more to say."""
    if check.reason == Reason.KEY_BOUND and check.details.get("method", "").startswith("did:key:"):
        return None
    if check.details.get("cause") == "too_many_fetches":
        return Sentence(NOT_FOR_US)
    words = "" if check.reason == Reason.NOT_REACHED else SAID[check.reason][1]
    return Sentence(words, _values(check)) if words else None


def told(report: Report, campus: Campus | None = None, *, is_recognised: bool = False) -> list[CheckTold]:
    """Every question that was asked, in the order of an employer; `campus` is the issuer when it is ours.

    `is_recognised`: a register that is believed here names the issuer. A site alone vouches for no name.
    """
    if report.check(CheckId.READABLE).outcome is not Outcome.PASSED:
        return [_told(report.check(CheckId.READABLE))]
    answers = [report.check(check) for check in _ORDER]
    answers = [answer for answer in answers if answer.reason != Reason.RECIPIENT_NOT_ASKED]
    if report.signature is SignatureState.HOLDS_NOT_CONFORMANT and report.document is None:
        # Whose key it is was found, and is no less true for a fault of the document.
        return [_told(each) if each.id is CheckId.KEY else _unproven(each) for each in answers]
    if report.document is None:
        return [_unproven(answer) for answer in answers if not _is_only_form(answer)]
    lines = [_told(answer) for answer in answers]
    is_ours = report.check(CheckId.ISSUER).outcome is Outcome.PASSED
    if campus and is_ours:
        return [_of_ours(line, campus) for line in lines]
    by_site_alone = report.check(CheckId.ISSUER).reason == Reason.ISSUER_IDENTIFIED and not is_recognised
    return [_unknown_issuer(line) if by_site_alone else line for line in lines]


def _told(check: CheckResult) -> CheckTold:
    state, word = _SHADES.get(check.reason, (_STATES[check.outcome], _WORDS[check.outcome]))
    if check.outcome is Outcome.SKIPPED and check.void:
        state, word = "shut", N_("Sans objet")
    return CheckTold(check.id, state, word, TITLES[check.id], sentence(check), beside(check))


def _is_only_form(check: CheckResult) -> bool:
    """A forgery is well formed: a tick for that, beside what nobody signed, would mislead."""
    return check.outcome is Outcome.PASSED and check.id in (CheckId.CONTEXT, CheckId.SCHEMA, CheckId.READABLE)


def _unproven(check: CheckResult) -> CheckTold:
    """A line about what no key of the issuer is known to have signed: nothing in it counts as good."""
    line = _told(check)
    if check.outcome is not Outcome.PASSED:
        return line
    if check.id is CheckId.PROOF:
        somebody, whom = Sentence(_SIGNED_BY_SOMEBODY), Sentence(_NOT_BY_WHOM)
        return replace(line, state="shut", word=N_("Ne suffit pas"), sentence=somebody, beside=whom)
    said = Sentence(_DATES_NOT_KEPT) if check.id is CheckId.VALIDITY else line.sentence
    return replace(line, state="unk", word=_WORDS[Outcome.UNKNOWN], sentence=said, beside=None)


def _unknown_issuer(line: CheckTold) -> CheckTold:
    return (
        replace(line, state="unk", word=N_("Inconnu ici"), beside=Sentence(_NO_REGISTER))
        if line.check is CheckId.ISSUER
        else line
    )


def _of_ours(line: CheckTold, campus: Campus) -> CheckTold:
    if line.check is not CheckId.ISSUER:
        return line
    own = Sentence(_OF_OURS, {"campus": plain(campus.name)})
    return replace(line, sentence=own, beside=Sentence(_HELD_HERE))


def _values(check: CheckResult) -> dict[str, object]:
    """The details as a reader may see them; `place` is the site that a long address belongs to."""
    values: dict[str, object] = {}
    for name, value in check.details.items():
        values[name] = _moment(value) if name in _MOMENTS else plain(value)
    address = check.details.get("url") or check.details.get("method") or check.details.get("issuer") or ""
    return {"place": place_of(address), "cause": "", "pointer": "", "type": "", "purpose": "", **values}


def _moment(value: str) -> object:
    try:
        return parse_timestamp(value)
    except MalformedInput:
        return plain(value)


def place_of(address: str) -> str:
    """The site behind an address or a did:web, for people; the start of anything else."""
    identifier = address.partition("#")[0]
    if identifier.startswith("did:web:"):
        return plain("/".join(identifier.removeprefix("did:web:").split(":")).replace("%3A", ":"), 80)
    if identifier.startswith("did:key:"):
        return plain(identifier, 24)
    try:
        return plain(urlsplit(identifier).netloc.rpartition("@")[2] or identifier, 80)
    except ValueError:
        return plain(identifier, 80)
