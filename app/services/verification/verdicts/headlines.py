"""The headline of a verification: one of a few answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from app.language import N_, Sentence, plain
from app.services.verification.answers import Answer, StandingKind
from app.services.verification.presented import Difference, Lead, LeadKind, NameMatch, Stated
from app.services.verification.verdicts.checks import (
    ANSWERED_OTHERWISE,
    NEVER_ASKED,
    Claims,
    claims_of,
    holder_in,
    issuer_named,
    place_of,
    sentence,
)
from app.services.verification.verdicts.kinds import (
    ASK_FOR_THE_FILE,
    ATTACHED,
    BACK_THEN,
    DOCUMENT_OF_UNKNOWN_ISSUER,
    IN_PICTURE,
    LEADS_TO_ANOTHER,
    LOOKALIKE_OF,
    MESSAGES,
    OF_UNKNOWN_ISSUER,
    REVOKED_ON,
    SUSPENDED_UNTIL,
    WORDING,
    HeadlineKind,
    other_document_message,
)
from app.services.verification.verdicts.standing import standing_message
from sceau_credentials.verification.findings import Reason, RemarkCode
from sceau_credentials.verification.other_documents import DocumentKind, OtherDocument
from sceau_credentials.verification.report import (
    CheckId,
    CheckResult,
    Outcome,
    Report,
    SignatureState,
    Verdict,
)

__all__ = ["Headline", "HeadlineKind", "headline", "is_part"]

_K = HeadlineKind


@dataclass(frozen=True)
class Headline:
    """`state` and `seal` name a colour and an icon; the text is sufficient without them."""

    kind: HeadlineKind
    state: str
    seal: str
    heading: Sentence
    message: Sentence
    advice: Sentence | None

    def title(self) -> str:
        return self.heading.text()

    def text(self) -> str:
        return self.message.text()


def headline(answer: Answer) -> Headline:
    """The answer for a reader with five seconds."""
    if answer.lead is not None and not answer.closed:
        return _of_lead(answer, answer.lead)
    if answer.other is not None:
        return _of_other(answer.other, by_stranger=answer.is_by_stranger)
    kind = kind_of(answer)
    state, seal, heading, advice = WORDING[kind]
    values = _values(answer)
    if kind is _K.REVOKED and "revoked_at" in values:
        heading = REVOKED_ON
    if kind is _K.SUSPENDED and "suspended_until" in values:
        heading, advice = SUSPENDED_UNTIL, BACK_THEN
    if kind is _K.LOOKALIKE:
        heading = LOOKALIKE_OF
    if not is_recognised(answer):
        heading = OF_UNKNOWN_ISSUER.get(kind, heading)
    message = Sentence(_message(kind, values), values)
    if kind.is_genuine and is_part(answer):
        is_over = kind is _K.EXPIRED
        message = Sentence(_PART_OVER if is_over else _PART, {"said": message})
        advice = ASK_FOR_THE_FILE if is_over else advice
    return Headline(
        kind,
        state,
        seal,
        Sentence(heading, values),
        message,
        Sentence(advice, values) if advice else None,
    )


_PART: Final = N_("{said} La personne a choisi de n’en montrer qu’une partie.")
_PART_OVER: Final = N_(
    "{said} Cette date est celle de ce fichier, qui ne montre qu’une partie du badge. Le badge lui-même vaut peut-être encore."
)


def is_part(answer: Answer) -> bool:
    """Whether the holder chose what the presented badge shows."""
    remarks = answer.report.remarks if answer.report else ()
    return any(each.code is RemarkCode.PART_SHOWN for each in remarks)


_LED_BY: Final[Mapping[LeadKind, str]] = {
    LeadKind.CODE: N_(
        "Nous avons lu un code QR dans ce document et suivi son adresse : n’importe qui peut coller ce code sur un autre papier."
    ),
    LeadKind.LINK: N_(
        "Nous avons suivi un lien de ce document : n’importe qui peut le mettre dans un autre."
    ),
    LeadKind.ATTACHED: N_(
        "Seul le badge joint est signé : n’importe qui peut changer la page qui l’affiche."
    ),
    LeadKind.PICTURE: N_(
        "Seul le badge contenu dans l’image est signé : n’importe qui peut changer ce que l’image montre."
    ),
}
_HOLDS: Final = {LeadKind.ATTACHED: ATTACHED, LeadKind.PICTURE: IN_PICTURE}
_THERE: Final = N_("{led} À cette adresse : {found}. {said}")
_BESIDE: Final = N_("{said} {led} {compare}")
_AND: Final = N_("{said} {also}")
_COMPARE: Final = N_("Comparez le nom : {name}.")
_COMPARE_TOO: Final = N_("Comparez aussi le nom : {name}.")
_NAMES_NO_PERSON: Final = N_(
    "Ce badge ne nomme personne : demandez à la personne de le montrer depuis ses badges."
)
_DIFFERS: Final[Mapping[Stated, tuple[str, str, str]]] = {
    # text if the value differs, if the document omits it, if the badge has none
    Stated.TITLE: (
        "",
        N_("Le titre du badge, « {signed} », ne se lit pas sur le document."),
        "",
    ),
    Stated.AWARDED: (
        N_("Le document dit que le badge est attribué le {written}, le badge dit le {signed}."),
        "",
        "",
    ),
    Stated.VALID_UNTIL: (
        N_("Le document dit que le badge est valable jusqu’au {written}, le badge dit jusqu’au {signed}."),
        N_("Le document dit que le badge n’a pas de date de fin, le badge dit jusqu’au {signed}."),
        N_("Le document dit que le badge est valable jusqu’au {written}, le badge n’a pas de date de fin."),
    ),
}


def _of_lead(answer: Answer, lead: Lead) -> Headline:
    """The document's own result first; the badge's result follows, and is never shown as favourably."""
    found = headline(replace(answer, lead=None))
    if answer.other is not None:
        there = {"led": Sentence(_LED_BY[lead.kind]), "found": found.heading, "said": found.message}
        seal = found.seal if found.state == "bad" else "unk"
        return replace(found, seal=seal, heading=Sentence(LEADS_TO_ANOTHER), message=Sentence(_THERE, there))
    if not found.kind.is_an_answer:
        return found
    document = answer.report.document if answer.report else None
    holder = holder_in(document) if document else ""
    values: dict[str, object] = {
        "led": Sentence(_LED_BY[lead.kind]),
        "name": holder,
        "compare": Sentence(_COMPARE, {"name": holder}) if holder else Sentence(_NAMES_NO_PERSON),
        "written": plain(lead.written),
        "found": found.heading,
    }
    kind = _of_text(lead, holder)
    state, seal, heading, advice = WORDING[kind]
    if kind is _K.LEADS:
        # Faults of the badge take precedence; for a picture, so does every result but ok.
        if found.state == "bad" or (lead.kind is LeadKind.PICTURE and found.state != "ok"):
            return replace(found, message=Sentence(_BESIDE, {**values, "said": found.message}))
        heading = _HOLDS.get(lead.kind, heading)
    if lead.differences:
        values["differs"] = difference_message(lead.differences[0])
        if holder:
            values["compare"] = Sentence(_COMPARE_TOO, {"name": holder})
    message = Sentence(_message(kind, values), values)
    if found.state == "bad":
        return replace(found, message=Sentence(_AND, {"said": found.message, "also": message}))
    return Headline(
        kind, state, seal, Sentence(heading), message, Sentence(advice) if advice else found.advice
    )


def _of_text(lead: Lead, holder: str) -> HeadlineKind:
    if lead.name is NameMatch.DIFFERENT and holder:
        return _K.NAMES_DIFFER
    return _K.STATEMENTS_DIFFER if lead.differences else _K.LEADS


def difference_message(differs: Difference) -> Sentence:
    usual, unwritten, unsigned = _DIFFERS[differs.about]
    words = (usual if differs.signed is not None else unsigned) if differs.written else unwritten
    signed = plain(differs.signed) if isinstance(differs.signed, str) else differs.signed
    return Sentence(words, {"written": plain(differs.written), "signed": signed})


_OF_KEYS: Final = (DocumentKind.KEY_DOCUMENT, DocumentKind.KEY_SET)
_OF_OUTCOME: Final = {Outcome.PASSED: _K.DOCUMENT_GOOD, Outcome.FAILED: _K.DOCUMENT_BAD}


def _of_other(other: OtherDocument, *, by_stranger: bool) -> Headline:
    kind = _OF_OUTCOME.get(other.outcome, _K.DOCUMENT_OPEN)
    what, which = other_document_message(other, by_stranger=by_stranger)
    state, seal, heading, advice = WORDING[kind]
    if kind is _K.DOCUMENT_GOOD and by_stranger and other.kind not in _OF_KEYS:
        # Any key holder can sign lists and endorsements under any name.
        state, seal, heading = "unk", "unk", DOCUMENT_OF_UNKNOWN_ISSUER
    return Headline(kind, state, seal, Sentence(heading, {"what": what}), which, Sentence(advice))


def kind_of(answer: Answer) -> HeadlineKind:
    report = answer.report
    if answer.closed or report is None:
        return _K.CLOSED
    readable = report.check(CheckId.READABLE)
    if readable.outcome is not Outcome.PASSED:
        return _of_unread(readable, answer)
    proof, key = report.check(CheckId.PROOF), report.check(CheckId.KEY)
    if proof.reason == Reason.HOSTED_NO_MORE:
        return _K.WITHDRAWN_AT_ADDRESS
    if Outcome.PASSED is proof.outcome is key.outcome:
        kind = _of_stranger(answer) or _of_genuine(answer, report)
        if answer.replaced_at is None or kind not in (_K.VALID, _K.EXPIRED):
            return kind
        if answer.renewed_until is not None:
            return _K.RENEWED
        return _K.REPLACED if kind is _K.VALID else kind
    return _of_unproven(report, proof, key)


_UNREAD: Final[Mapping[str, HeadlineKind]] = {
    Reason.IMAGE_WITHOUT_BADGE: _K.IMAGE_WITHOUT_BADGE,
    Reason.PDF_WITHOUT_BADGE: _K.PDF_WITHOUT_BADGE,
    Reason.IMAGE_AMBIGUOUS: _K.SEVERAL_BADGES,
    Reason.NOT_AN_OPEN_BADGE_3: _K.NOT_A_BADGE,
}


def _of_unread(readable: CheckResult, answer: Answer) -> HeadlineKind:
    if readable.reason == Reason.PRESENTED_IS_URL:
        if answer.elsewhere:
            return _K.LINK_ELSEWHERE
        unanswered = {"gone": _K.LINK_GONE, "erased": _K.LINK_ERASED}
        return unanswered.get(answer.unread, _K.LINK_UNKNOWN)
    return _UNREAD.get(readable.reason, _K.LINK_ELSEWHERE if answer.elsewhere else _K.UNREADABLE)


_NOT_THEIRS: Final = frozenset(
    {
        Reason.KEY_NOT_BOUND_TO_ISSUER,
        Reason.KEY_NOT_FOUND,
        Reason.KEY_NOT_FOR_ASSERTION,
    }
)
_NO_LONGER: Final = frozenset({Reason.KEY_REVOKED, Reason.KEY_REVOKED_BEFORE, Reason.KEY_EXPIRED})


def _of_unproven(report: Report, proof: CheckResult, key: CheckResult) -> HeadlineKind:
    """Not verifiably signed by the issuer: report what is known, most severe first.

    Only a signature that was checked is reported as invalid.
    """
    if key.reason == Reason.KEY_NOT_AUTHENTICATED:
        return _K.UNAUTHENTICATED
    if report.signature is SignatureState.FALSE:
        return _K.ALTERED
    if report.signature is SignatureState.HOLDS_NOT_CONFORMANT:
        return _OF_SIGNED.get(proof.reason, _K.SIGNED_NOT_CONFORMING)
    if any(report.check(check).outcome is Outcome.FAILED for check in (CheckId.CONTEXT, CheckId.SCHEMA)):
        return _K.NOT_CONFORMING
    if proof.outcome is Outcome.FAILED:
        return _OF_PROOF.get(proof.reason, _K.BAD_SIGNATURE)
    if key.outcome is Outcome.FAILED:
        return _of_key(key, was_checked=proof.outcome is Outcome.PASSED)
    if report.check(CheckId.VALIDITY).outcome is Outcome.FAILED:
        return _K.OUT_OF_DATE_UNPROVEN
    return _open(report)


_OF_SIGNED: Final[Mapping[str, HeadlineKind]] = {
    Reason.UNDEFINED_TERM: _K.PARTLY_COVERED,
    Reason.RESOURCE_DIFFERS: _K.OTHER_FILE,
}
_OF_PROOF: Final[Mapping[str, HeadlineKind]] = {
    Reason.NO_PROOF: _K.UNSIGNED,
    Reason.HOSTED_DIFFERS: _K.NOT_AT_ITS_ADDRESS,
    Reason.UNDEFINED_TERM: _K.NOT_CONFORMING,
    Reason.DATA_NOT_SIGNED: _K.NOT_CONFORMING,
}


def _of_key(key: CheckResult, *, was_checked: bool) -> HeadlineKind:
    if key.reason == Reason.HOSTED_OUT_OF_SCOPE:
        return _K.HOSTED_BY_ANOTHER
    if key.reason in _NO_LONGER:
        return _K.KEY_WITHDRAWN
    if key.reason == Reason.KEY_DOCUMENT_MALFORMED:
        return _K.NOT_CHECKABLE
    if key.reason in _NOT_THEIRS:
        return _K.IMPOSTOR if was_checked else _K.UNKNOWN_KEY
    return _K.BAD_SIGNATURE


_FOR_GOOD: Final = frozenset(
    {
        Reason.CONTEXT_NOT_HELD,
        Reason.SCHEMA_NOT_HELD,
        Reason.PART_WITHHELD,
        Reason.PROOF_NOT_READ,
        Reason.TOO_HARD,
        Reason.RESOURCE_DIGEST_NOT_READ,
        Reason.KEY_METHOD_NOT_READ,
        Reason.ISSUER_NOT_TRUSTED,
        Reason.ISSUER_NOT_IDENTIFIED,
        Reason.END_MAY_BE_WITHHELD,
        Reason.STATUS_MAY_BE_WITHHELD,
        Reason.STATUS_REQUIRED,
        Reason.STATUS_ENTRY_MALFORMED,
        Reason.STATUS_TYPE_NOT_READ,
        Reason.STATUS_PURPOSE_NOT_READ,
        Reason.RECIPIENT_NOT_NAMED,
    }
)
"""Repeating the check in an hour gives the same answer."""


def _open(report: Report) -> HeadlineKind:
    return _K.NOT_CHECKABLE if _unanswered(report).reason in _FOR_GOOD else _K.UNVERIFIABLE


_NO_MORE: Final = (
    (CheckId.STATUS, Reason.REVOKED, _K.REVOKED),
    (CheckId.STATUS, Reason.SUSPENDED, _K.SUSPENDED),
    (CheckId.VALIDITY, Reason.EXPIRED, _K.EXPIRED),
    (CheckId.VALIDITY, Reason.NOT_YET_VALID, _K.NOT_YET_VALID),
    (CheckId.RECIPIENT, Reason.RECIPIENT_DIFFERS, _K.OTHER_PERSON),
)


def is_recognised(answer: Answer) -> bool:
    """Whether a trusted register names the issuer: our campuses, a network's list, or a trusted issuer."""
    if answer.campus is not None:
        return True
    if answer.standing is not None:
        return answer.standing.kind is StandingKind.RECOGNISED
    return answer.report is not None and answer.report.check(CheckId.ISSUER).reason == Reason.ISSUER_TRUSTED


def _of_stranger(answer: Answer) -> HeadlineKind | None:
    """An issuer confusable with a recognised one: takes precedence over the badge's own state."""
    standing = answer.standing
    if answer.campus is not None or standing is None:
        return None
    if standing.alike is not None:
        return _K.LOOKALIKE
    return _K.OTHER_KEY if standing.kind is StandingKind.OTHER_KEY else None


def _of_genuine(answer: Answer, report: Report) -> HeadlineKind:
    """Signed by a key of its issuer: validity and the issuer's identity remain to be reported."""
    for check, reason, kind in _NO_MORE:
        if report.check(check).reason == reason:
            return kind
    if report.verdict is Verdict.INVALID:
        return _K.SIGNED_NOT_CONFORMING
    if report.verdict is Verdict.UNDETERMINED:
        return _open(report)
    if answer.campus is not None:
        return _K.VALID
    if not is_recognised(answer):
        return _K.UNKNOWN_ISSUER
    is_hosted = report.check(CheckId.PROOF).reason == Reason.HOSTED
    return _K.HOSTED_ELSEWHERE if is_hosted else _K.VALID_ELSEWHERE


_ONLY_A_KEY: Final = N_(
    "Rien n’y a été changé depuis sa signature. Mais aucune adresse ne répond de qui a signé : le nom affiché "
    "n’engage personne."
)
_UNKNOWN_SITE: Final = N_(
    "Rien n’y a été changé depuis sa signature. Mais nous ne savons pas qui tient {place} : aucune liste de "
    "confiance suivie ici ne le nomme."
)
_UNKNOWN_HOST: Final = N_(
    "Il est affiché ici tel que {place} le publie en ce moment. Mais personne ne l’a signé, et nous ne savons pas "
    "qui tient ce site."
)
_NO_LONGER_LISTED: Final = N_("Rien n’y a été changé depuis sa signature. {standing}")
_TRUSTED: Final = N_("Vous faites confiance à cet émetteur.")


_LINK_NOT_ASKED: Final = N_(
    "Nous n’avons pas demandé {link} : seules les adresses publiques en https sont lues."
)
_LINK_OFFLINE: Final = N_("Nous n’avons pas demandé {link} : aucun autre site n’est interrogé ici.")
_LINK_ANSWERED: Final = N_(
    "Nous avons demandé {link} : l’adresse répond, mais par une page et non par un badge."
)
_LINK_SILENT: Final = N_(
    "Nous n’avons pas pu lire {link} : le site ne répond pas, ou son adresse n’est pas publique."
)


def _asked(cause: str) -> str:
    """What was actually done with the link."""
    if cause in NEVER_ASKED:
        return _LINK_OFFLINE if cause == "offline" else _LINK_NOT_ASKED
    return _LINK_ANSWERED if not cause or cause in ANSWERED_OTHERWISE else _LINK_SILENT


def _unknown(answer: Answer, report: Report, values: dict[str, object]) -> Sentence:
    standing = answer.standing
    if standing is not None and standing.kind not in (StandingKind.SELF_DECLARED, StandingKind.UNKNOWN):
        return Sentence(_NO_LONGER_LISTED, {"standing": standing_message(standing).sentence})
    if report.check(CheckId.PROOF).reason == Reason.HOSTED:
        return Sentence(_UNKNOWN_HOST, values)
    only_a_key = report.check(CheckId.ISSUER).reason == Reason.ISSUER_IS_ONLY_A_KEY
    return Sentence(_ONLY_A_KEY if only_a_key else _UNKNOWN_SITE, values)


_BY_CAMPUS: Final = N_("Le campus {campus} a bien attribué ce badge.")
_BY_CAMPUS_TO: Final = N_("Le campus {campus} a bien attribué ce badge à {holder}.")
_BY_ANOTHER: Final = N_("Il a bien été signé par {place}.")
_HOSTED_BY: Final = N_("Il est bien publié par {place}.")
_BY_A_KEY: Final = N_("Il a bien été signé, par une clé dont personne ne répond.")


def _values(answer: Answer) -> dict[str, object]:
    report, campus = answer.report, answer.campus
    values: dict[str, object] = {"campus": plain(issuer_named(report, campus)) if campus else ""}
    if report is None:
        return values
    values["holder"] = holder_in(report.document) if report.document else ""
    values["place"] = place_of(report.issuer or "")
    values["link"] = plain(answer.elsewhere, 120)
    values["asked"] = Sentence(_asked(answer.unread), {"link": values["link"]})
    values["read"] = sentence(report.check(CheckId.READABLE))
    values["shape"] = sentence(_against_the_form(report))
    values["bad"] = sentence(_against_the_signature(report))
    values["dates"] = sentence(report.check(CheckId.VALIDITY))
    values["why"] = sentence(_unanswered(report))
    values["unknown"] = _unknown(answer, report, dict(values))
    values["recognised"] = (
        standing_message(answer.standing).sentence if answer.standing else Sentence(_TRUSTED)
    )
    if answer.standing is not None and answer.standing.alike is not None:
        values["known"] = plain(answer.standing.alike.known.name)
        values["known_place"] = place_of(answer.standing.alike.known.id)
    # A copy: a sentence that contains its own values would recurse forever.
    values["given"] = _given(answer, report, dict(values))
    if answer.record is not None and answer.record.award.revoked_at is not None:
        values["revoked_at"] = answer.record.award.revoked_at
    if answer.record is not None and (last := answer.record.award.suspended_through(at=report.at)):
        values["suspended_until"] = last
    if answer.replaced_at is not None:
        values["replaced_at"] = answer.replaced_at
    if answer.renewed_until is not None:
        values["renewed_until"] = answer.renewed_until
        values["file_until"] = claims_of(report.document or {}).valid_until
    return values


def _given(answer: Answer, report: Report, values: dict[str, object]) -> Sentence:
    """Issuer and recipient; only for genuine badges."""
    if answer.campus is not None:
        return Sentence(_BY_CAMPUS_TO if values["holder"] else _BY_CAMPUS, values)
    if report.check(CheckId.PROOF).reason == Reason.HOSTED:
        return Sentence(_HOSTED_BY, values)
    only_a_key = report.check(CheckId.ISSUER).reason == Reason.ISSUER_IS_ONLY_A_KEY
    return Sentence(_BY_A_KEY if only_a_key else _BY_ANOTHER, values)


def _unanswered(report: Report) -> CheckResult:
    """The check that prevents a definite answer: the key before checks that depend on it."""
    asked_first = (CheckId.KEY, CheckId.PROOF, CheckId.ISSUER, CheckId.STATUS)
    order = [*asked_first, *(check for check in CheckId if check not in asked_first)]
    answers = [report.check(check) for check in order]
    unknown = next((each for each in answers if each.outcome is Outcome.UNKNOWN), None)
    failed = next((each for each in answers[:2] if each.outcome is Outcome.FAILED), None)
    return unknown or failed or answers[0]


def _against_the_form(report: Report) -> CheckResult:
    checks = [report.check(check) for check in (CheckId.CONTEXT, CheckId.SCHEMA, CheckId.PROOF)]
    return next((each for each in checks if each.outcome is Outcome.FAILED), checks[1])


def _against_the_signature(report: Report) -> CheckResult:
    checks = [report.check(check) for check in (CheckId.PROOF, CheckId.KEY)]
    return next((each for each in checks if each.outcome is Outcome.FAILED), checks[0])


def _message(kind: HeadlineKind, values: dict[str, object]) -> str:
    """Some messages have a variant for missing values."""
    usual, when_less_is_known, needs = MESSAGES[kind]
    return usual if not needs or values.get(needs) else when_less_is_known


_UNCHECKED: Final = frozenset(
    {
        _K.UNVERIFIABLE,
        _K.UNAUTHENTICATED,
        _K.NOT_CHECKABLE,
        _K.NOT_CONFORMING,
        _K.BAD_SIGNATURE,
        _K.OUT_OF_DATE_UNPROVEN,
    }
)
_HAVE_A_FACE: Final = frozenset({"png", "svg", "pdf"})
_NOT_THE_FACE: Final = N_(
    "Ce que montre l’image ou la page du fichier : elle n’est pas signée, seul l’est ce qui est écrit ici."
)
_NO_FAULT: Final = N_("Que la personne a fait une faute : un badge donné par erreur est retiré aussi.")
_NOT_DECIDED: Final = N_("Que le badge est faux ou retiré : une suspension est provisoire.")
_NOT_FORGOTTEN: Final = N_("Que la personne a perdu ce savoir-faire : seule la durée de validité est passée.")
_WHO_NAMED: Final = N_(
    "Que la personne devant vous est bien celle que le badge nomme : comparez avec une pièce d’identité."
)
_WHO_UNNAMED: Final = N_("Que ce badge est à la personne devant vous : il ne contient aucun nom.")
_NOT_TODAY: Final = N_("Qu’elle sait encore le faire aujourd’hui : le badge a été attribué le {awarded_at}.")
_ONLY_THERE: Final = N_(
    "Un savoir-faire : ce badge dit une présence ou une appartenance, rien n’y a été jugé."
)
_NO_DIPLOMA: Final = N_(
    "Un diplôme ou une certification professionnelle : un badge atteste et reconnaît, il ne certifie pas."
)
_NOT_THE_NAME: Final = N_(
    "Que l’émetteur est bien l’organisme dont il porte le nom : seule sa signature a été vérifiée."
)
_NOT_FALSE: Final = N_("Que le badge est faux : sa signature est bonne.")
_NOT_FALSE_UNREAD: Final = N_("Que le badge est faux : nous n’avons pas pu tout lire.")
_NOT_REVOKED: Final = N_("Qu’il a été retiré : nous n’avons pas pu regarder.")
_NO_FORGER: Final = N_("Que la personne a fabriqué un faux : un logiciel peut aussi abîmer un fichier.")
_ORIGINAL: Final = N_(
    "Que le badge d’origine n’existe pas : cette copie n’est pas la bonne, l’original peut l’être."
)
_CLOSED_IS_NOT_BAD: Final = N_("Que le badge est retiré ou expiré : une page fermée ne dit rien de cela.")
_CLOSED_HIDES_NOTHING: Final = N_(
    "Que la personne a quelque chose à cacher : une page est fermée tant qu’on ne l’ouvre pas."
)


def limits(answer: Answer, claims: Claims | None = None) -> list[Sentence]:
    """Wrong conclusions that a reader might draw from this answer; empty if there was no answer.

    `claims`: those of its document, if already parsed.
    """
    kind = kind_of(answer)
    if kind is _K.CLOSED:
        return [Sentence(_CLOSED_IS_NOT_BAD), Sentence(_CLOSED_HIDES_NOTHING)]
    if not kind.is_an_answer or answer.report is None:
        return []
    if answer.report.document is not None:
        claims = claims or claims_of(answer.report.document)
        found = _limits_of_genuine(claims, is_ours=answer.campus is not None)
        if answer.report.container in _HAVE_A_FACE:
            found.insert(0, Sentence(_NOT_THE_FACE))
        return _first(kind, answer) + (found[-1:] if kind is _K.REVOKED else found)
    if kind in _UNCHECKED:
        return [Sentence(_NOT_FALSE_UNREAD), Sentence(_NOT_REVOKED)]
    return [Sentence(_NO_FORGER), Sentence(_ORIGINAL)]


def _first(kind: HeadlineKind, answer: Answer) -> list[Sentence]:
    match kind:
        case _K.REVOKED:
            return [Sentence(_NO_FAULT)]
        case _K.SUSPENDED:
            return [Sentence(_NOT_DECIDED)]
        case _K.EXPIRED:
            return [Sentence(_NOT_FORGOTTEN)]
        case _K.UNVERIFIABLE | _K.NOT_CHECKABLE:
            report = answer.report
            unread = report is not None and report.check(CheckId.STATUS).outcome is Outcome.UNKNOWN
            return [Sentence(_NOT_FALSE), *([Sentence(_NOT_REVOKED)] if unread else [])]
    return []


def _limits_of_genuine(claims: Claims, *, is_ours: bool) -> list[Sentence]:
    found = [Sentence(_WHO_NAMED if claims.holder else _WHO_UNNAMED)]
    if claims.kind is not None and not claims.kind.is_assessed:
        found.append(Sentence(_ONLY_THERE))
    elif claims.awarded_at is not None:
        found.append(Sentence(_NOT_TODAY, {"awarded_at": claims.awarded_at}))
    if not is_ours:
        found.append(Sentence(_NOT_THE_NAME))
    return [*found, Sentence(_NO_DIPLOMA)]
