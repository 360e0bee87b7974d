"""One sentence per check of a verification, with its reference or the next step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from app.domain.campus.signed_terms import BadgeKind, day_in_france, name_said_of
from app.language import N_, Sentence, plain
from app.services.verification.verdicts.wording import CHECK_MESSAGES, NOT_FOR_US, TITLES, UNASKED
from sceau_credentials.errors import MalformedInput
from sceau_credentials.model.conforming import period_members
from sceau_credentials.values import JsonObject, JsonValue, parse_timestamp
from sceau_credentials.verification.findings import Reason, Remark, RemarkCode
from sceau_credentials.verification.report import CheckId, CheckResult, Report, SignatureState
from sceau_credentials.verification.report import Outcome as CheckOutcome

if TYPE_CHECKING:
    from app.domain.campus.campus import Campus

_MOMENTS: Final = frozenset({"valid_from", "valid_until"})
_IN_FORCE_WITHOUT_END: Final = N_("Il est valable depuis le {valid_from}, sans date de fin.")
_SINCE_ITS_AWARD: Final = N_("Il est valable depuis le {awarded}, sans date de fin.")
_SINCE_ITS_AWARD_UNTIL: Final = N_("Attribué le {awarded}, il est valable jusqu’au {valid_until}.")
_SIGNED_AGAIN: Final = N_("Le campus l’a signé de nouveau le {valid_from}.")
_AWARD_STATED: Final = N_("Son émetteur dit l’avoir attribué le {awarded}.")
_OF_OURS: Final = N_("L’émetteur est le campus {campus}, qui signe ses badges avec ce service.")
_HELD_HERE: Final = N_("Ce service tient son nom, ses clés et sa liste des retraits.")
_NO_REGISTER: Final = N_(
    "Son nom est celui qu’il se donne : aucune liste de confiance suivie ici ne le nomme."
)
_BY_ITS_OWN_KEY: Final = N_("Il est signé par la clé qu’il nomme lui-même.")
_TOO_MANY_DOCUMENTS: Final = N_(
    "Pour le savoir, il faudrait lire un document de plus, à {place}. Nous en lisons trois ou quatre par badge au plus, pour protéger ce service."
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
_DATES_NOT_KEPT: Final = N_(
    "Ses dates n’ont pas été prises en compte : rien ne prouve que l’émetteur les a écrites."
)
_STATES: Final = {
    CheckOutcome.PASSED: "ok",
    CheckOutcome.FAILED: "bad",
    CheckOutcome.UNKNOWN: "unk",
    CheckOutcome.SKIPPED: "unk",
}
_WORDS: Final = {
    CheckOutcome.PASSED: N_("Conforme"),
    CheckOutcome.FAILED: N_("Non conforme"),
    CheckOutcome.UNKNOWN: N_("Non vérifié"),
    CheckOutcome.SKIPPED: N_("Non vérifié"),
}
# States and labels where the outcome alone would be too harsh or unclear.
_SHADES: Final[Mapping[str, tuple[str, str]]] = {
    Reason.EXPIRED: ("past", N_("Terminé")),
    Reason.NOT_YET_VALID: ("past", N_("Pas encore")),
    Reason.REVOKED: ("bad", N_("Retiré")),
    Reason.SUSPENDED: ("past", N_("Suspendu")),
    Reason.ISSUER_IS_ONLY_A_KEY: ("unk", N_("Inconnu")),
}
# Ordered by relevance to an employer; the file format comes last.
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
class CheckMessage:
    """One line of « ce que nous avons vérifié »: `state` is ok, past, bad, unk or shut; `word`: its label."""

    check: CheckId
    state: str
    word: str
    title: str
    sentence: Sentence
    beside: Sentence | None


def sentence(check: CheckResult) -> Sentence:
    """The result in one sentence."""
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
    return Sentence(CHECK_MESSAGES[check.reason][0], values)


def unread_words(cause: str) -> str:
    """The cause, where « ne répond pas » would be wrong; empty if nothing answered."""
    if cause in NEVER_ASKED:
        return _OFFLINE if cause == "offline" else _NOT_ASKED
    if cause in ("not_found", "gone"):
        return _NOT_FOUND
    return _ANSWERED_OTHERWISE if cause in ANSWERED_OTHERWISE else ""


def beside(check: CheckResult) -> Sentence | None:
    """What it was checked against, or the next step; None if there is nothing to add."""
    if check.reason == Reason.KEY_BOUND and check.details.get("method", "").startswith("did:key:"):
        return None
    if check.details.get("cause") == "too_many_fetches":
        return Sentence(NOT_FOR_US)
    words = "" if check.reason == Reason.NOT_REACHED else CHECK_MESSAGES[check.reason][1]
    return Sentence(words, _values(check)) if words else None


def check_messages(
    report: Report, campus: Campus | None = None, *, is_recognised: bool = False
) -> list[CheckMessage]:
    """Every check made, in employer order; `campus`: the issuer, if it is ours.

    `is_recognised`: a trusted register names the issuer. A web site alone vouches for no name.
    """
    if report.check(CheckId.READABLE).outcome is not CheckOutcome.PASSED:
        return [_message(report.check(CheckId.READABLE))]
    answers = [report.check(check) for check in _ORDER]
    answers = [answer for answer in answers if answer.reason != Reason.RECIPIENT_NOT_ASKED]
    if report.signature is SignatureState.HOLDS_NOT_CONFORMANT and report.document is None:
        # The key's owner was found, which a fault in the document does not change.
        return [_message(each) if each.id is CheckId.KEY else _unproven(each) for each in answers]
    if report.document is None:
        return [_unproven(answer) for answer in answers if not _is_only_form(answer)]
    is_ours = campus is not None and report.check(CheckId.ISSUER).outcome is CheckOutcome.PASSED
    lines = [_dated(_message(answer), answer, report.document, is_ours=is_ours) for answer in answers]
    if campus and is_ours:
        return [_of_ours(line, issuer_named(report, campus)) for line in lines]
    by_site_alone = report.check(CheckId.ISSUER).reason == Reason.ISSUER_IDENTIFIED and not is_recognised
    return [_unknown_issuer(line) if by_site_alone else line for line in lines]


def _message(check: CheckResult) -> CheckMessage:
    state, word = _SHADES.get(check.reason, (_STATES[check.outcome], _WORDS[check.outcome]))
    if check.outcome is CheckOutcome.SKIPPED and check.void:
        state, word = "shut", N_("Sans objet")
    return CheckMessage(check.id, state, word, TITLES[check.id], sentence(check), beside(check))


def signed_again(document: JsonObject | None) -> tuple[datetime, datetime] | None:
    """The award and the later day its document was signed; None if it is still the first edition.

    A campus's newer edition has a later `validFrom` and the same `awardedDate`.
    """
    if document is None:
        return None
    awarded = _claims_moment(document.get("awardedDate"))
    signed = _claims_moment(document.get(period_members(document)[0]))
    if awarded is None or signed is None or day_in_france(awarded) >= day_in_france(signed):
        return None
    return awarded, signed


def _dated(line: CheckMessage, check: CheckResult, document: JsonObject, *, is_ours: bool) -> CheckMessage:
    """A badge signed again has been valid since its award. Only our own campuses are known to reissue this way."""
    dates = signed_again(document) if check.reason == Reason.IN_FORCE else None
    if dates is None:
        return line
    values = {**_values(check), "awarded": dates[0]}
    if not is_ours:
        return replace(line, beside=Sentence(_AWARD_STATED, values))
    words = _SINCE_ITS_AWARD_UNTIL if "valid_until" in values else _SINCE_ITS_AWARD
    return replace(line, sentence=Sentence(words, values), beside=Sentence(_SIGNED_AGAIN, values))


def _is_only_form(check: CheckResult) -> bool:
    """A forgery is well-formed too: a tick for format next to unsigned content would mislead."""
    return check.outcome is CheckOutcome.PASSED and check.id in (
        CheckId.CONTEXT,
        CheckId.SCHEMA,
        CheckId.READABLE,
    )


def _unproven(check: CheckResult) -> CheckMessage:
    """A line about content not verifiably signed by the issuer: nothing in it counts as good."""
    line = _message(check)
    if check.outcome is not CheckOutcome.PASSED:
        return line
    if check.id is CheckId.PROOF:
        somebody, whom = Sentence(_SIGNED_BY_SOMEBODY), Sentence(_NOT_BY_WHOM)
        return replace(line, state="shut", word=N_("Ne suffit pas"), sentence=somebody, beside=whom)
    said = Sentence(_DATES_NOT_KEPT) if check.id is CheckId.VALIDITY else line.sentence
    return replace(line, state="unk", word=_WORDS[CheckOutcome.UNKNOWN], sentence=said, beside=None)


def _unknown_issuer(line: CheckMessage) -> CheckMessage:
    return (
        replace(line, state="unk", word=N_("Inconnu ici"), beside=Sentence(_NO_REGISTER))
        if line.check is CheckId.ISSUER
        else line
    )


def _of_ours(line: CheckMessage, name: str) -> CheckMessage:
    if line.check is not CheckId.ISSUER:
        return line
    own = Sentence(_OF_OURS, {"campus": plain(name)})
    return replace(line, sentence=own, beside=Sentence(_HELD_HERE))


def _values(check: CheckResult) -> dict[str, object]:
    """The details, formatted for readers; `place`: the site of a long URL."""
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
    """The site of a URL or did:web, for display; for anything else, its beginning."""
    identifier = address.partition("#")[0]
    if identifier.startswith("did:web:"):
        return plain("/".join(identifier.removeprefix("did:web:").split(":")).replace("%3A", ":"), 80)
    if identifier.startswith("did:key:"):
        return plain(identifier, 24)
    try:
        return plain(urlsplit(identifier).netloc.rpartition("@")[2] or identifier, 80)
    except ValueError:
        return plain(identifier, 80)


_LONGEST_TEXT: Final = 8000
_MOST_ITEMS: Final = 50
_KINDS: Final = {kind.value: kind for kind in BadgeKind}


@dataclass(frozen=True)
class AlignedTo:
    name: str
    framework: str
    code: str
    level: str
    url: str
    rank: int = 0
    """Of the level in its rubric, from 1; 0 where the badge states none."""
    ranks: int = 0


@dataclass(frozen=True)
class EvidencePiece:
    name: str
    narrative: str
    url: str


@dataclass(frozen=True)
class Outcome:
    """A result, such as a mark, with its scale if the badge states it."""

    name: str
    value: str
    scale: str
    is_hours: bool = False


@dataclass(frozen=True)
class Claims:
    """Every text is plain and short enough to display; links are https or http, else empty."""

    holder: str
    title: str
    description: str
    kind: BadgeKind | None
    criteria: str
    issuer_name: str
    awarded_at: datetime | None
    valid_until: datetime | None
    activity_starts: datetime | None
    activity_ends: datetime | None
    version: str
    language: str
    alignments: Sequence[AlignedTo]
    evidence: Sequence[EvidencePiece]
    results: Sequence[Outcome]


def issuer_named(report: Report | None, campus: Campus) -> str:
    """As the badge names it where its signature holds, since campuses change names; else as it is called today."""
    if (
        report is None
        or report.document is None
        or report.check(CheckId.PROOF).outcome is not CheckOutcome.PASSED
    ):
        return campus.name
    whole = report.document
    return _line(_object(_object(whole.get("badge", whole)).get("issuer")).get("name")) or campus.name


def holder_in(document: JsonObject) -> str:
    """Only `claims_of(document).holder`."""
    if "badge" in document:
        return ""
    return plain(name_said_of(_object(document.get("credentialSubject"))) or "", 120)


def claims_of(document: JsonObject) -> Claims:
    if "badge" in document:
        return _older_claims_of(document)
    subject = _object(document.get("credentialSubject"))
    achievement = _object(subject.get("achievement"))
    criteria = _object(achievement.get("criteria"))
    issuer = _object(document.get("issuer"))
    starts, ends = period_members(document)
    return Claims(
        holder=holder_in(document),
        title=_line(achievement.get("name")) or _line(document.get("name")),
        description=_text(achievement.get("description")),
        kind=_kind(achievement),
        criteria=_text(criteria.get("narrative")),
        issuer_name=_line(issuer.get("name")),
        awarded_at=_claims_moment(document.get("awardedDate")) or _claims_moment(document.get(starts)),
        valid_until=_claims_moment(document.get(ends)),
        activity_starts=_claims_moment(subject.get("activityStartDate")),
        activity_ends=_claims_moment(subject.get("activityEndDate")),
        version=_line(achievement.get("version")),
        language=_line(achievement.get("inLanguage")),
        alignments=_ranked(achievement),
        evidence=[_evidence(each) for each in _objects(document.get("evidence"))],
        results=_results(subject, achievement),
    )


def _older_claims_of(document: JsonObject) -> Claims:
    """An Open Badges 2.0 or 1.x assertion with embedded badge class and issuer."""
    badge = _object(document.get("badge"))
    criteria = _object(badge.get("criteria"))
    issuer = _object(badge.get("issuer"))
    evidence = _objects(document.get("evidence")) or [
        {"id": each} for each in _list(document.get("evidence"))
    ]
    return Claims(
        holder="",
        title=_line(badge.get("name")),
        description=_text(badge.get("description")),
        kind=None,
        criteria=_text(criteria.get("narrative")),
        issuer_name=_line(issuer.get("name")),
        awarded_at=_claims_moment(document.get("issuedOn")),
        valid_until=_claims_moment(document.get("expires")),
        activity_starts=None,
        activity_ends=None,
        version=_line(badge.get("version")),
        language=_line(badge.get("@language")),
        alignments=[_alignment(each) for each in _objects(badge.get("alignment"))],
        evidence=[_evidence(each) for each in evidence],
        results=[],
    )


def _kind(achievement: JsonObject) -> BadgeKind | None:
    """Our own badges contain their kind as a signed tag."""
    tags = achievement.get("tag")
    found = [
        _KINDS[tag]
        for tag in (tags if isinstance(tags, list) else [])
        if isinstance(tag, str) and tag in _KINDS
    ]
    return found[-1] if found else None


def _alignment(each: JsonObject) -> AlignedTo:
    return AlignedTo(
        name=_line(each.get("targetName")),
        framework=_line(each.get("targetFramework")),
        code=_line(each.get("targetCode")),
        level=_line(each.get("targetDescription")),
        url=_link(each.get("targetUrl")),
    )


_HOURS: Final = "ext:Hours"
"""As `app.domain.awards.skills` writes it, which an offline verification does not import."""


def _ranked(achievement: JsonObject) -> list[AlignedTo]:
    """With the rank of each level, where a description of results lists the levels of the same target."""
    ranks: dict[str, tuple[int, int]] = {}
    for about in _objects(achievement.get("resultDescription")):
        levels = [each.get("id") for each in _objects(about.get("rubricCriterionLevel"))]
        if about.get("requiredLevel") in levels:
            rank = levels.index(about.get("requiredLevel")) + 1
            ranks |= {
                _link(each.get("targetUrl")): (rank, len(levels)) for each in _objects(about.get("alignment"))
            }
    found = [_alignment(each) for each in _objects(achievement.get("alignment"))]
    return [
        replace(each, rank=ranks[each.url][0], ranks=ranks[each.url][1])
        if each.level and each.url and each.url in ranks
        else each
        for each in found
    ]


def _evidence(each: JsonObject) -> EvidencePiece:
    return EvidencePiece(
        name=_line(each.get("name")) or _line(each.get("genre")),
        narrative=_text(each.get("narrative")) or _text(each.get("description")),
        url=_link(each.get("id")),
    )


def _results(subject: JsonObject, achievement: JsonObject) -> list[Outcome]:
    described = {str(each.get("id")): each for each in _objects(achievement.get("resultDescription"))}
    # Shown beside the competency already.
    levelled = {
        _line(each.get("targetName"))
        for each in _objects(achievement.get("alignment"))
        if each.get("targetDescription")
    }
    found = []
    for each in _objects(subject.get("result")):
        about = described.get(str(each.get("resultDescription")), {})
        most = _line(about.get("valueMax"))
        value = _line(each.get("value")) or _line(each.get("status"))
        if not value and _line(about.get("name")) not in levelled:
            value = _level_reached(each, about)
        if value:
            is_hours = about.get("resultType") == _HOURS
            found.append(Outcome(_line(about.get("name")), value, most, is_hours))
    return found


def _level_reached(result: JsonObject, about: JsonObject) -> str:
    """The name of the level, with its rank where the rubric lists several."""
    levels = _objects(about.get("rubricCriterionLevel"))
    for rank, each in enumerate(levels, 1):
        if each.get("id") == result.get("achievedLevel"):
            name = _line(each.get("name"))
            return f"{name} ({rank}/{len(levels)})" if len(levels) > 1 else name
    return ""


def _object(value: JsonValue) -> JsonObject:
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, dict) else {}


def _objects(value: JsonValue) -> list[JsonObject]:
    return [each for each in _list(value) if isinstance(each, dict)]


def _list(value: JsonValue) -> list[JsonValue]:
    return value[:_MOST_ITEMS] if isinstance(value, list) else [value]


def _line(value: JsonValue) -> str:
    return plain(value, 300) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _text(value: JsonValue) -> str:
    """A multi-line text, each line plain."""
    if not isinstance(value, str):
        return ""
    return "\n".join(plain(line, 2000, keep_indent=True) for line in value[:_LONGEST_TEXT].splitlines())


def _link(value: JsonValue) -> str:
    is_link = isinstance(value, str) and value.startswith(("https://", "http://")) and len(value) <= 2000
    return plain(value, 2000) if is_link else ""


def _claims_moment(value: JsonValue) -> datetime | None:
    try:
        return parse_timestamp(value)
    except MalformedInput:
        return None


REMARKS: Final[Mapping[RemarkCode, str]] = {
    RemarkCode.VERSION_1: N_(
        "Il est écrit selon la version précédente du modèle du W3C. Un badge d’aujourd’hui l’est selon la version 2."
    ),
    RemarkCode.LINK_SCHEME: N_(
        "Une adresse qu’il contient ({pointer}) n’est pas une adresse du web : ne l’ouvrez pas."
    ),
    RemarkCode.HIDDEN_CHARACTERS: N_(
        "Un de ses textes ({pointer}) contient des signes invisibles, ou qui changent le sens de lecture : il peut paraître dire autre chose que ce qui est écrit."
    ),
    RemarkCode.TOKEN_TYPE: N_(
        "Son enveloppe se dit « {type} », là où Open Badges demande « JWT ». Certains lecteurs la refuseront."
    ),
    RemarkCode.HEADER_MEMBERS: N_(
        "L’en-tête de sa signature contient aussi {members}. Nous n’en tenons pas compte ; certains lecteurs le refuseront."
    ),
    RemarkCode.KEY_WITHOUT_FRAGMENT: N_(
        "Sa clé est nommée d’une façon raccourcie. Certains lecteurs ne la trouveront pas."
    ),
    RemarkCode.OLDER_CONTEXT: N_(
        "Il a été signé sous un vocabulaire plus ancien, qui ne couvre pas {members}. Nous avons laissé ces champs de côté : ne vous y fiez pas."
    ),
    RemarkCode.STATUS_UNSIGNED: N_(
        "Sa liste des retraits est d’un ancien modèle que personne ne signe : elle vaut ce que vaut l’adresse où elle se trouve."
    ),
    RemarkCode.STATUS_MESSAGE: N_("L’émetteur ajoute : « {message} »"),
    RemarkCode.SCHEMA_NOT_CHECKED: N_(
        "Il nomme un schéma d’un type que nous ne lisons pas ({type}). Sa forme a été comparée au seul schéma du standard."
    ),
    RemarkCode.KEY_REVOKED_SINCE: N_(
        "L’émetteur a retiré depuis, le {withdrawn}, la clé qui l’a signé. L’attribution était inscrite à son journal avant, le {decided} : ce badge reste bon."
    ),
    RemarkCode.PART_SHOWN: N_(
        "La personne a choisi de ne montrer qu’une partie de ce badge. Ce qui manque ici n’est pas pour autant faux ou retiré."
    ),
    RemarkCode.REFRESH_NOT_FOLLOWED: N_(
        "L’émetteur peut en avoir fait une version plus récente : demandez-la à la personne."
    ),
}


_REMARKS_MOMENTS: Final = frozenset({"withdrawn", "decided"})


def remarks(report: Report) -> list[Sentence]:
    return [_said(remark) for remark in report.remarks]


def _said(remark: Remark) -> Sentence:
    return Sentence(
        REMARKS[remark.code], {name: _value(name, value) for name, value in remark.details.items()}
    )


def _value(name: str, value: str) -> object:
    return parse_timestamp(value) if name in _REMARKS_MOMENTS else plain(value)
